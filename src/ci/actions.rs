//! GitHub Actions: annotations as workflow commands, and summaries of a step as Markdown.
//!
//! Quotes whatever it is given: texts of others must neither end a command nor begin one.

/// How loud an annotation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Something is wrong.
    Error,
    /// Somebody should look at it.
    Warning,
}

/// Words an annotation: a workflow command, on one line.
pub fn annotation(level: Level, path: Option<&str>, title: &str, message: &str) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let file = path.map(|path| format!("file={},", property(path))).unwrap_or_default();
    format!("::{level} {file}title={}::{}", property(title), data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Words a table of Markdown.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head_line = line(head.iter().map(|cell| (*cell).to_owned()).collect());
    let rule = line(vec!["---".to_owned(); head.len()]);
    let rows: String = rows
        .iter()
        .map(|row| line(row.iter().map(|cell| self::cell(cell)).collect()))
        .collect();
    head_line + &rule + &rows
}

/// Words a text of others for one cell, where it shows as it is.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '@' | '#' | '~' => out.extend(['\\', c]),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Words what a command printed as a block of Markdown. A fence in it cannot end the block.
pub fn block(text: &str) -> String {
    let run = text
        .lines()
        .map(|line| line.trim_start().chars().take_while(|c| *c == '`').count());
    let fence = "`".repeat(run.max().unwrap_or(0).max(3) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_is_no_command() {
        assert_eq!(
            annotation(
                Level::Error,
                Some("a,b:c.rs"),
                "paths",
                "100%\n::set-output name=x::y\r"
            ),
            "::error file=a%2Cb%3Ac.rs,title=paths::100%25%0A::set-output name=x::y%0D"
        );
        assert_eq!(annotation(Level::Warning, None, "t", "m"), "::warning title=t::m");
    }

    #[test]
    fn a_text_of_others_stays_in_its_cell_and_block() {
        let rows = [vec!["a | b\n@team <img>".to_owned(), "`x`".to_owned()]];
        assert_eq!(
            table(&["one", "two"], &rows),
            "| one | two |\n| --- | --- |\n| a \\| b \\@team &lt;img> | \\`x\\` |\n"
        );
        assert_eq!(block("a\n````\nb\n"), "`````text\na\n````\nb\n`````\n");
    }
}
