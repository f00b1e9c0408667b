//! A page: its blocks of commands with their marks, its links and its headings.
//!
//! Owns how a mark is written. Runs nothing.

use std::path::{Path, PathBuf};

/// What a block is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    /// No commands: a file, or what something looks like.
    None,
    /// Commands alone.
    Sh,
    /// Commands behind `$ `, each with what it says below.
    Console,
}

/// The comment above a block.
#[derive(Debug)]
pub enum Mark {
    /// `<!-- runs: PLACE -->`, with `; ends with N` where the last command is not to end with 0.
    Runs { place: String, exit: i32 },
    /// `<!-- not run: WHY -->`.
    Not(String),
}

/// A command and what is shown below it.
#[derive(Debug)]
pub struct Step {
    pub command: String,
    pub shows: String,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    pub page: String,
    pub line: usize,
    pub shell: Shell,
    pub mark: Option<Mark>,
    pub steps: Vec<Step>,
    word: String,
    text: String,
}

/// What may stand behind the fence of a block that holds no commands.
const WORDS: [&str; 9] = [
    "text", "toml", "json", "yaml", "jinja", "diff", "python", "mermaid", "http",
];

impl Block {
    fn new(place: (&str, usize), word: &str, mark: Option<Mark>, text: String) -> Self {
        let (shell, steps) = match word {
            "sh" => (
                Shell::Sh,
                vec![Step {
                    command: text.clone(),
                    shows: String::new(),
                }],
            ),
            "console" => (Shell::Console, steps(&text)),
            _ => (Shell::None, Vec::new()),
        };
        Self {
            page: place.0.to_owned(),
            line: place.1,
            shell,
            mark,
            steps,
            word: word.to_owned(),
            text,
        }
    }

    /// Returns the commands before step `at`: what they set holds for it.
    pub fn up_to(&self, at: usize) -> Vec<&str> {
        self.steps.iter().take(at).map(|step| step.command.as_str()).collect()
    }

    /// Says what is wrong with a block that holds no commands.
    pub fn no_commands(&self) -> Result<(), String> {
        let typed = ["$ ", "git invisigoth ", "./install.sh", "cargo "];
        let is_typed = |line: &&str| typed.iter().any(|start| line.starts_with(start));
        if let Some(line) = self.text.lines().find(is_typed) {
            return Err(format!("`{}` holds a command: {line}", self.word));
        }
        if WORDS.contains(&self.word.as_str()) {
            Ok(())
        } else {
            Err(format!(
                "```{} says not what it holds: sh, console, or one of {WORDS:?}",
                self.word
            ))
        }
    }

    /// Says which script of this repository, or which option of it, a block that is not run names although it is not there.
    pub fn names_only_what_there_is(&self, read: &dyn Fn(&str) -> String) -> Result<(), String> {
        self.text.lines().try_for_each(|line| there(line, read))
    }
}

/// Says which script of this repository, or which option of it, `line` names although it is not there.
pub fn there(line: &str, read: &dyn Fn(&str) -> String) -> Result<(), String> {
    let line = line.split(" #").next().unwrap_or_default();
    let mut words = line.trim_start_matches("$ ").split_whitespace();
    let starts = ["./install.sh", "packaging/", "benches/", "tests/", ".ci/"];
    let Some(script) = words.find(|word| starts.iter().any(|start| word.starts_with(start))) else {
        return Ok(());
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    if !path.exists() {
        return Err(format!("{script} is not there"));
    }
    let flag = words.find(|word| word.starts_with("--") && !read(script.trim_start_matches("./")).contains(word));
    flag.map_or(Ok(()), |flag| Err(format!("{script} knows no {flag}")))
}

fn mark(comment: &str) -> Option<Mark> {
    let inner = comment.trim().strip_prefix("<!--")?.strip_suffix("-->")?;
    let inner = inner.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(why) = inner.strip_prefix("not run: ") {
        return Some(Mark::Not(why.to_owned()));
    }
    let rest = inner.strip_prefix("runs: ")?;
    let (place, exit) = rest.split_once("; ends with ").unwrap_or((rest, "0"));
    Some(Mark::Runs {
        place: place.to_owned(),
        exit: exit.parse().unwrap_or(-1),
    })
}

/// Cuts a `console` into commands, those that go on with `> ` or after a backslash among them, with what they show.
fn steps(text: &str) -> Vec<Step> {
    let mut all: Vec<Step> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), line.strip_prefix("> "), all.last_mut()) {
            (Some(command), _, _) => all.push(Step {
                command: command.to_owned(),
                shows: String::new(),
            }),
            (None, Some(more), Some(step)) if step.shows.is_empty() => {
                step.command.push('\n');
                step.command.push_str(more);
            }
            (None, _, Some(step)) => {
                step.shows.push_str(line);
                step.shows.push('\n');
            }
            (None, _, None) => all.push(Step {
                command: format!("false # no $ before: {line}"),
                shows: String::new(),
            }),
        }
    }
    all
}

/// Returns the blocks of a page.
pub fn blocks(page: &str, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let (mut comment, mut open) = (String::new(), None::<(usize, String, String)>);
    let mut body = String::new();
    for (at, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        if let Some((start, fence, word)) = &open {
            if bare.trim_end() == *fence {
                found.push(Block::new(
                    (page, *start),
                    word,
                    mark(&comment),
                    std::mem::take(&mut body),
                ));
                (open, comment) = (None, String::new());
            } else {
                body.push_str(line);
                body.push('\n');
            }
        } else if bare.starts_with("```") {
            let word = bare.trim_start_matches('`');
            open = Some((at + 1, "`".repeat(bare.len() - word.len()), word.trim().to_owned()));
        } else if bare.starts_with("<!--") || (comment.starts_with("<!--") && !comment.trim_end().ends_with("-->")) {
            if bare.starts_with("<!--") {
                comment.clear();
            }
            comment.push_str(bare);
            comment.push(' ');
        } else if !bare.is_empty() {
            comment.clear();
        }
    }
    assert!(open.is_none(), "{page}: a block does not end");
    found
}

/// True where `said` is what `shown` says, in which `…` stands for anything, and a line `…` for any lines.
pub fn fits(shown: &str, said: &str) -> bool {
    let shown: Vec<&str> = shown.lines().map(str::trim_end).collect();
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    lines_fit(&shown, &said)
}

fn lines_fit(shown: &[&str], said: &[&str]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first.trim() == "…" => (0..=said.len()).any(|skip| lines_fit(rest, &said[skip..])),
        Some((first, rest)) => said
            .split_first()
            .is_some_and(|(line, left)| line_fits(first, line) && lines_fit(rest, left)),
    }
}

fn line_fits(shown: &str, said: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = said.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut all: Vec<&str> = parts.collect();
    let Some(last) = all.pop() else {
        return rest.is_empty();
    };
    for part in all {
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(last)
}

/// Returns the targets of links and pictures outside of code.
pub fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for paragraph in prose(text) {
        // Every second part stands between backquotes.
        let parts = paragraph.split('`').step_by(2).collect::<Vec<_>>().join("");
        let links = parts.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let pictures = parts.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let here = links.chain(pictures).filter(|to| !to.contains("://"));
        found.extend(here.map(str::to_owned));
    }
    found
}

/// Returns what stands between backquotes, outside of blocks.
pub fn codes(text: &str) -> Vec<String> {
    let all = prose(text).join("\n");
    all.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the commands in the first cells of tables of commands; what begins with an option is about the command before.
pub fn rows(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut is_table, mut verb) = (false, String::new());
    for line in prose(text) {
        is_table = line.starts_with("| command |") || (is_table && line.starts_with('|'));
        if !is_table {
            continue;
        }
        let line = line.replace("\\|", " ");
        let cell = line.split('|').nth(1).unwrap_or_default();
        for code in cell.split('`').skip(1).step_by(2) {
            if code.starts_with("--") {
                found.push(format!("{verb} {code}"));
            } else {
                verb = code.split(' ').next().unwrap_or_default().to_owned();
                found.push(code.to_owned());
            }
        }
    }
    found
}

/// Returns the lines outside of blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let mut kept = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            kept.push(line);
        }
    }
    kept
}

/// Returns what a heading is called in a link, as git hosts do it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c })
        .collect::<String>()
        .to_lowercase()
}

/// Returns the file that `link` of page `from` leads to, from the top of the repository.
///
/// # Errors
/// What is not there.
pub fn lead(from: &str, link: &str) -> Result<String, String> {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let mut to = PathBuf::from(from);
    if !file.is_empty() {
        to.pop();
        for part in file.split('/') {
            if part == ".." {
                to.pop();
            } else {
                to.push(part);
            }
        }
    }
    let name = to.to_str().unwrap_or_default().to_owned();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&to);
    if !path.exists() {
        return Err(format!("{name} is not there"));
    }
    if heading.is_empty() {
        return Ok(name);
    }
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
    let has = prose(&text)
        .iter()
        .any(|line| line.starts_with('#') && anchor(line) == heading);
    if has {
        Ok(name)
    } else {
        Err(format!("{name} has no heading #{heading}"))
    }
}
