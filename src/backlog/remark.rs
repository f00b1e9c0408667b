//! A remark on a line of code, as a comment of a goal words it: the place, the line as it was seen, then what is said.
//!
//! Owns these words, written and read. Looks at no code.

use serde::Serialize;

/// Longest line that is quoted, in characters.
const QUOTED: usize = 200;

/// The place that a remark is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The attempt whose change was looked at; absent where it was the code as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// True where the line is one from before that change.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub old: bool,
    /// The line.
    pub quote: String,
}

impl Place {
    /// Words the place, with what is said about it.
    pub fn worded(&self, text: &str) -> String {
        let when = match (self.attempt, self.old) {
            (None, _) => String::new(),
            (Some(attempt), false) => format!(", as attempt {attempt} left it"),
            (Some(attempt), true) => format!(", as it was before attempt {attempt}"),
        };
        let quote: String = self.quote.chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let quote: String = quote.trim_end().chars().take(QUOTED).collect();
        format!("{}:{}{when}: `{quote}`\n{text}", self.path, self.line)
    }

    /// Reads a comment; `None` where it is about no line.
    pub fn of(comment: &str) -> Option<(Self, &str)> {
        let (head, text) = comment.split_once('\n')?;
        let (head, quote) = head.strip_suffix('`')?.split_once(": `")?;
        let (head, attempt, old) = if let Some((head, attempt)) = head.rsplit_once(", as it was before attempt ") {
            (head, Some(attempt.parse().ok()?), true)
        } else if let Some((head, attempt)) = head
            .strip_suffix(" left it")
            .and_then(|h| h.rsplit_once(", as attempt "))
        {
            (head, Some(attempt.parse().ok()?), false)
        } else {
            (head, None, false)
        };
        let (path, line) = head.rsplit_once(':')?;
        let place = Self {
            path: path.to_owned(),
            line: line.parse().ok()?,
            attempt,
            old,
            quote: quote.to_owned(),
        };
        Some((place, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worded_is_read() {
        for (attempt, old, path) in [
            (None, false, "src/a.rs"),
            (Some(2), false, "a: `b`.txt"),
            (Some(11), true, "é x"),
        ] {
            let place = Place {
                path: path.into(),
                line: 12,
                attempt,
                old,
                quote: "let x = `1`;".into(),
            };
            let worded = place.worded("Say y.\nTwice.");
            let read = Place::of(&worded);
            // A path with the very signs that begin a quote cannot be told from one.
            let wanted = (!path.contains('`')).then_some((place, "Say y.\nTwice."));
            assert_eq!(read.filter(|(read, _)| read.path == path), wanted, "{worded}");
        }
        let plain = Place {
            path: "a.rs".into(),
            line: 1,
            attempt: Some(1),
            old: false,
            quote: "x\u{1b}[31m\u{0}".into(),
        };
        assert_eq!(plain.worded("no"), "a.rs:1, as attempt 1 left it: `x[31m`\nno");
        for other in ["plain", "a.rs:1: no quote\nx", "a.rs:x: `q`\nx", ": `q`\nx"] {
            assert_eq!(Place::of(other), None, "{other}");
        }
    }
}
