//! Lint output: places and messages out of what linters print. Runs nothing.

use std::io;

use crate::{
    path::RepoPath,
    snapshot::{Snapshot, read_path},
    survey::{Finding, Kind, shown},
};

/// Most warnings whose lines are looked up.
const MOST: usize = 200;

/// Finds warnings whose place is in the repository.
pub(crate) fn find(output: &str, snapshot: &dyn Snapshot) -> io::Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (rank, warning) in warnings(output).into_iter().take(MOST).enumerate() {
        let Ok(path) = RepoPath::parse(warning.path.trim_start_matches("./")) else {
            continue;
        };
        let Some(bytes) = read_path(snapshot, &path)? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        let Some(line) = text.lines().nth(warning.line.saturating_sub(1)) else {
            continue;
        };
        found.push(Finding {
            kind: Kind::Lint,
            path,
            line: warning.line,
            text: shown(line),
            remark: shown(&warning.message),
            rank: u64::try_from(MOST.saturating_sub(rank)).unwrap_or_default(),
        });
    }
    Ok(found)
}

/// True where `output` names a place.
pub fn warns(output: &str) -> bool {
    !warnings(output).is_empty()
}

/// One warning as it was printed.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Warning {
    path: String,
    line: usize,
    message: String,
}

/// Reads `path:line[:column]: message`, rustc's message with `--> path:line:column` below it, and a path on a line of its
/// own with `line:column message` below it.
fn warnings(output: &str) -> Vec<Warning> {
    let mut found: Vec<Warning> = Vec::new();
    let (mut said, mut file) = (String::new(), String::new());
    for line in output.lines() {
        let trimmed = line.trim();
        if let Some(place) = trimmed.strip_prefix("--> ") {
            if let Some((path, line, _)) = place_of(place).filter(|_| !said.is_empty()) {
                let message = std::mem::take(&mut said);
                found.push(Warning { path, line, message });
            }
        } else if let Some(message) = ["warning", "error"]
            .iter()
            .find_map(|word| message_after(trimmed, word))
        {
            said = message.to_owned();
        } else if let Some((path, line, message)) = place_of(trimmed).filter(|(.., message)| !message.is_empty()) {
            found.push(Warning { path, line, message });
        } else if line.starts_with(' ') && !file.is_empty() {
            if let Some((line, message)) = below(trimmed) {
                let path = file.clone();
                found.push(Warning { path, line, message });
            }
        } else if trimmed.contains(['.', '/']) && !trimmed.contains(' ') {
            trimmed.clone_into(&mut file);
        } else if trimmed.is_empty() {
            file.clear();
        }
    }
    found
}

fn message_after<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(word)?;
    let (_, message) = rest
        .split_once(": ")
        .filter(|(code, _)| code.is_empty() || code.starts_with('['))?;
    Some(message)
}

fn place_of(text: &str) -> Option<(String, usize, String)> {
    let (path, rest) = text.split_once(':')?;
    let named = path.contains(['.', '/']) && !path.contains(' ');
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let line = digits.parse().ok().filter(|line| *line > 0)?;
    let after = rest.get(digits.len()..)?;
    let after = after.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    named.then(|| (path.to_owned(), line, after.trim().to_owned()))
}

fn below(text: &str) -> Option<(usize, String)> {
    let (place, message) = text.split_once(char::is_whitespace)?;
    let (line, column) = place.split_once(':')?;
    column.parse::<usize>().ok()?;
    Some((line.parse().ok()?, message.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{MapSnapshot, Mode};

    #[test]
    fn warnings_are_read_from_what_linters_print() {
        let table = [
            (
                "warning: unused variable: `x`\n --> src/a.rs:2:9\n  |\n2 |     let x;\n",
                "unused variable: `x`",
            ),
            ("src/a.rs:2:9: warning: unused variable\n", "warning: unused variable"),
            ("./src/a.rs:2: E501 line too long\n", "E501 line too long"),
            (
                "src/a.rs\n  2:9  warning  unused  no-unused\n\n1 problem\n",
                "warning  unused  no-unused",
            ),
        ];
        let path = RepoPath::from_git("src/a.rs");
        let snapshot = MapSnapshot::default().with(path, Mode::File, "fn a() {\n    let x;\n}\n");
        for (output, message) in table {
            let found = find(output, &snapshot).unwrap();
            assert_eq!(found.len(), 1, "{output}");
            assert_eq!(
                (found[0].line, found[0].text.as_str(), found[0].remark.as_str()),
                (2, "let x;", message)
            );
        }
    }

    #[test]
    fn what_is_no_place_in_the_repository_is_no_finding() {
        let snapshot = MapSnapshot::default().with(RepoPath::from_git("a.c"), Mode::File, "x\n");
        for output in [
            "b.c:1: no\n",
            "a.c:9: past the end\n",
            "../a.c:1: outside\n",
            "at 12:30: x\n",
            "a.c:0: x\n",
        ] {
            assert_eq!(find(output, &snapshot).unwrap(), [], "{output}");
        }
    }
}
