//! Text of others made fit for goals: what nobody can see goes, one line is one line, ids are safe to type.
//!
//! What is hidden from the person who approves a goal must not reach the model that reads it.

use crate::{id::Hash, letters, path::RepoPath};

/// The longest description, in characters; what is longer stands in the prompt.
const DESCRIPTION: usize = 160;

fn is_shown(c: char) -> bool {
    matches!(c, '\n' | '\t') || !(c.is_control() || letters::is_unseen(c))
}

/// Returns the text without what cannot be seen, lines ended by a line feed, blanks at both ends gone.
pub fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let kept: String = text.chars().filter(|c| is_shown(*c)).collect();
    kept.trim().to_owned()
}

/// Returns Markdown without what a reader of the rendered page does not see: `<!-- comments -->`, one without an end up to
/// the end of the text, and lines `[//]: # (…)`.
pub fn without_comments(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        seen.push_str(before);
        rest = after.split_once("-->").map_or("", |(_, behind)| behind);
    }
    seen.push_str(rest);
    let lines = seen.lines().filter(|line| !line.trim_start().starts_with("[//]:"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the first words of `text` as one line, and whether that is all of it.
pub fn one_line(text: &str) -> (String, bool) {
    let line = clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= DESCRIPTION {
        return (line, true);
    }
    let head: String = line.chars().take(DESCRIPTION).collect();
    let cut = head.rsplit_once(' ').map_or(head.as_str(), |(words, _)| words);
    (format!("{cut} …"), false)
}

/// Returns `text` as a part of an id: small letters, digits and `.`, `_`, `-`.
pub fn slug(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '_') {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let words: String = text.chars().map(plain).collect();
    let words: Vec<&str> = words.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").trim_matches('.').chars().take(40).collect()
}

/// Returns those parts that say something, a blank line between them.
pub(crate) fn joined(parts: &[String]) -> String {
    let all: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    all.join("\n\n")
}

/// Returns a short hash of `parts`, for ids.
pub fn short_hash(parts: &[&str]) -> String {
    Hash::of("foreign-id", parts.iter().map(|part| part.as_bytes())).short(8)
}

/// Returns the paths that `text` names: what stands in backquotes or alone, has an ending, and a slash unless it is quoted.
pub fn paths(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (nth, piece) in text.split('`').enumerate() {
        let quoted = nth % 2 == 1;
        for word in piece.split_whitespace() {
            let word = word.trim_matches(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '/' | '@')));
            let word = word.strip_prefix("./").unwrap_or(word).trim_end_matches('.');
            if is_path(word, quoted) && !found.iter().any(|known| known == word) {
                found.push(word.to_owned());
            }
        }
    }
    found
}

fn is_path(word: &str, quoted: bool) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    let ending = name.rsplit_once('.').is_some_and(|(stem, end)| {
        !stem.is_empty() && (1..=8).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let numeric = word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let plain = !word.contains(['<', '>', '*', ':', '(', ')', '{', '"', '\'', ',']);
    ending && !numeric && plain && (quoted || word.contains('/')) && RepoPath::parse(word).is_ok()
}

/// Returns the points of a text that is a list, or the text as one point.
pub fn points(text: &str) -> Vec<String> {
    let text = clean(text);
    let mark = |line: &str| {
        let line = line.trim_start();
        let numbered = line
            .split_once(['.', ')'])
            .filter(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
        let rest = ["- [ ] ", "- [x] ", "- ", "* ", "+ ", "• "]
            .iter()
            .find_map(|mark| line.strip_prefix(mark));
        rest.or(numbered.map(|(_, rest)| rest))
            .map(|rest| rest.trim().to_owned())
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let points: Option<Vec<String>> = lines.iter().map(|line| mark(line)).collect();
    match points {
        Some(points) if points.len() > 1 => points.into_iter().filter(|point| !point.is_empty()).collect(),
        _ if text.is_empty() => Vec::new(),
        _ => vec![text],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_gone() {
        let text = "a\u{202e}b\u{200b}c\u{1b}[31m\r\nd\u{e0041}\u{e0042}\u{feff}";
        assert_eq!(clean(text), "abc[31m\nd");
        assert_eq!(
            without_comments("one <!-- do evil\n -->two\n[//]: # (x)\nthree <!-- open"),
            "one two\nthree "
        );
        assert_eq!(without_comments("plain"), "plain");
    }

    #[test]
    fn a_long_title_is_cut_at_a_word() {
        assert_eq!(one_line(" a \n b\t"), ("a b".to_owned(), true));
        let (line, whole) = one_line(&"word ".repeat(100));
        assert!(
            !whole && line.ends_with("word …") && line.chars().count() <= DESCRIPTION + 2,
            "{line}"
        );
    }

    #[test]
    fn paths_are_found_and_no_others() {
        let text = "Add `slug.py` to src/a/b.rs, see ./docs/x.md. and https://e.org/a.html or 1.2 e.g. ../up.rs and/or";
        assert_eq!(paths(text), ["slug.py", "src/a/b.rs", "docs/x.md"]);
    }

    #[test]
    fn points_of_a_list() {
        assert_eq!(points("- one\n- [ ] two\n"), ["one", "two"]);
        assert_eq!(points("1. one\n2) two"), ["one", "two"]);
        assert_eq!(points("- one\nand more"), ["- one\nand more"]);
        assert!(points(" \n").is_empty());
    }
}
