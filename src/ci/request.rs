//! Pull requests: what is said in one, and where it is opened by hand.
//!
//! Owns their text. Trailers stand last, as hosts make a squash's message of it.

use crate::ci::fill;

const BODY: &str = include_str!("../../templates/ci/pull_request.md");

/// What a pull request says.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// The commit's subject.
    pub title: String,
    /// What the goal asks.
    pub description: String,
    /// Lines on what it took and what passed.
    pub facts: Vec<String>,
    /// The commit's trailers, a line each.
    pub trailers: Vec<String>,
}

impl Text {
    /// Returns the body.
    pub fn body(&self) -> String {
        let facts: Vec<String> = self.facts.iter().map(|fact| format!("- {fact}")).collect();
        let pairs = [
            ("@DESCRIPTION@", self.description.trim().to_owned()),
            ("@FACTS@", facts.join("\n")),
            ("@TRAILERS@", self.trailers.join("\n")),
        ];
        fill(BODY, &pairs)
    }
}

/// Returns the address that a server named when a branch was pushed: where a request for it is opened.
pub fn address(said: &str) -> Option<&str> {
    let said = said.lines().filter_map(|line| line.strip_prefix("remote:"));
    let mut words = said.flat_map(str::split_whitespace);
    words.find(|word| word.starts_with("https://") || word.starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_the_last_paragraph() {
        let text = Text {
            description: "Add x\n".into(),
            facts: vec!["model: m".into()],
            trailers: vec!["Goal: @FACTS@".into(), "Attempt: 1".into()],
            ..Text::default()
        };
        let body = text.body();
        assert!(body.starts_with("Add x\n\n- model: m\n\n"), "{body}");
        assert!(body.ends_with("\n\nGoal: @FACTS@\nAttempt: 1\n"), "{body}");
    }

    #[test]
    fn the_address_is_the_one_that_the_server_says() {
        let said = "remote: \nremote: Create a pull request for 'x' on the host by visiting:\n\
                    remote:      https://host.example/o/r/pull/new/x\nremote: \nTo https://host.example/o/r\n";
        assert_eq!(address(said), Some("https://host.example/o/r/pull/new/x"));
        assert_eq!(address("To https://host.example/o/r\n"), None);
    }
}
