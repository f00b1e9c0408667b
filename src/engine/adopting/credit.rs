//! Credit: whose work a branch is, and how that is said in the one commit that is made of it.
//!
//! Takes over no trailer but those that name people and models.

use std::collections::BTreeSet;

use crate::{
    engine::land::CO_AUTHOR,
    git::{
        branch::Own,
        commit::{Author, Message},
    },
    goal::Goal,
};

/// Most commits that are named, and most people.
const COMMITS: usize = 30;
const PEOPLE: usize = 20;
/// Most models that are named.
const MODELS: usize = 3;

/// Names by which programs that write code call themselves where they co-author a commit.
const PROGRAMS: [&str; 14] = [
    "aider",
    "amp",
    "claude",
    "codex",
    "copilot",
    "cursor",
    "devin",
    "gemini",
    "goose",
    "gpt",
    "jules",
    "opencode",
    "openhands",
    "qwen",
];

/// Returns the commits that are work: all but merges, unless there is nothing else.
fn work(commits: &[Own]) -> impl Iterator<Item = &Own> {
    let only_merges = commits.iter().all(|own| own.entry.parents.len() > 1);
    commits
        .iter()
        .filter(move |own| only_merges || own.entry.parents.len() < 2)
}

/// Returns the first line of the newest commit; `None` where it is empty.
pub(super) fn subject(commits: &[Own]) -> Option<String> {
    let subject = work(commits).next()?.entry.subject().trim();
    (!subject.is_empty()).then(|| subject.to_owned())
}

/// Returns who made the newest commit.
pub(super) fn author(commits: &[Own]) -> Option<&Author> {
    work(commits).next().map(|own| &own.author)
}

/// Returns the model that the commits name, or the program; `unknown` where they name none.
pub(super) fn model(commits: &[Own]) -> String {
    let assisted = |own: &Own| values(&own.entry.message, "Assisted-by").into_iter().next();
    if let Some(value) = work(commits).find_map(assisted) {
        // `program:model`, and tools behind it.
        let first = value.split_whitespace().next().unwrap_or_default();
        let model = first.split_once(':').map_or(first, |(_, model)| model);
        return if model.is_empty() {
            first.to_owned()
        } else {
            model.to_owned()
        };
    }
    let people = work(commits).flat_map(|own| {
        let named = values(&own.entry.message, CO_AUTHOR);
        named.into_iter().chain([own.author.words()])
    });
    let mut programs = people.filter(|value| {
        let first: String = value.chars().take_while(char::is_ascii_alphanumeric).collect();
        PROGRAMS.contains(&first.to_ascii_lowercase().as_str())
    });
    let name = programs
        .next()
        .and_then(|value| Some(value.split('<').next()?.trim().to_owned()));
    name.unwrap_or_else(|| "unknown".to_owned())
}

/// Words the one commit that is made of `commits` to answer `goal`, without trailers of ours.
pub(super) fn message(goal: &Goal, commits: &[Own], clean: &impl Fn(&str) -> String) -> Message {
    let work: Vec<&Own> = work(commits).collect();
    let body = match work.as_slice() {
        [only] => {
            let (subject, rest) = (only.entry.subject().trim(), without_trailers(&only.entry.message));
            if subject == goal.description {
                rest
            } else {
                format!("{subject}\n\n{rest}")
            }
        }
        many => {
            let lines = many.iter().rev().take(COMMITS);
            let mut lines: Vec<String> = lines.map(|own| format!("* {}", own.entry.subject().trim())).collect();
            if let Some(more) = many.len().checked_sub(COMMITS).filter(|more| *more > 0) {
                lines.push(format!("* and {more} more"));
            }
            lines.join("\n")
        }
    };
    let models: BTreeSet<String> = work
        .iter()
        .flat_map(|own| values(&own.entry.message, "Assisted-by"))
        .collect();
    let models = models
        .into_iter()
        .take(MODELS)
        .map(|value| ("Assisted-by", clean(&value)));
    let people = others(&work).into_iter().map(|value| (CO_AUTHOR, clean(&value)));
    Message {
        subject: clean(&goal.description),
        body: clean(&body),
        trailers: models.chain(people).collect(),
    }
}

/// Returns those who did the work besides its author, each once, by address.
fn others(work: &[&Own]) -> Vec<String> {
    let address = |value: &str| {
        let inside = value.rsplit_once('<').map_or(value, |(_, rest)| rest);
        inside.trim_end_matches('>').to_ascii_lowercase()
    };
    let mut seen: BTreeSet<String> = work
        .first()
        .map(|own| address(&own.author.words()))
        .into_iter()
        .collect();
    let authors = work.iter().map(|own| own.author.words());
    let named = work.iter().flat_map(|own| values(&own.entry.message, CO_AUTHOR));
    authors
        .chain(named)
        .filter(|value| seen.insert(address(value)))
        .take(PEOPLE)
        .collect()
}

/// Returns the values of a trailer, whatever the case of its key.
fn values(message: &str, key: &str) -> Vec<String> {
    let last = message.trim_end().rsplit_once("\n\n").map_or("", |(_, last)| last);
    let pairs = last.lines().filter_map(|line| line.split_once(": "));
    pairs
        .filter(|(word, _)| word.eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim().to_owned())
        .collect()
}

/// Returns a message without its first paragraph, its trailers, and lines that would take something back.
fn without_trailers(message: &str) -> String {
    let Some((_, body)) = message.trim_end().split_once("\n\n") else {
        return String::new();
    };
    let is_trailer = |line: &str| {
        let word = line.split_once(": ").map(|(word, _)| word);
        word.is_some_and(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    };
    let (text, last) = body.rsplit_once("\n\n").unwrap_or(("", body));
    let text = if last.lines().all(is_trailer) { text } else { body };
    let kept = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("This reverts commit "));
    kept.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_stay_behind_and_the_body_comes_along() {
        let message =
            "Add slug\n\nIt folds accents.\nThis reverts commit 1234567.\n\nGoal: forged\nSigned-off-by: A <a@b>\n";
        assert_eq!(without_trailers(message), "It folds accents.");
        assert_eq!(without_trailers("Add slug\n\nGoal: forged\n"), "");
        assert_eq!(
            without_trailers("Add slug\n\nNote: one\nand two\n"),
            "Note: one\nand two"
        );
        assert_eq!(without_trailers("Add slug"), "");
    }

    #[test]
    fn a_key_is_found_however_it_is_written() {
        let message = "Add\n\nCo-Authored-By: Claude <noreply@anthropic.com>\nco-authored-by: B <b@c>\n";
        assert_eq!(
            values(message, CO_AUTHOR),
            ["Claude <noreply@anthropic.com>", "B <b@c>"]
        );
        assert!(values("Co-authored-by: A <a@b>", CO_AUTHOR).is_empty());
    }
}
