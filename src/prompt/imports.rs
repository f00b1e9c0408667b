//! Imports: the `@path` by which `CLAUDE.md` names other files. Fences and spans of code hold none.
//!
//! Owns where such a name stands and where it leads. Reads nothing.

use crate::path::RepoPath;

/// Returns what `text` imports, in order, as written: with what punctuation follows.
pub fn named(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    each(text, &mut |word| {
        if let Some(path) = word.strip_prefix('@').filter(|path| !path.is_empty()) {
            named.push(path.replace("\\ ", " "));
        }
    });
    named
}

/// True where `text` has imports and nothing else.
pub fn is_all(text: &str) -> bool {
    let (mut some, mut all) = (false, !text.contains('`') && !text.contains("~~~"));
    each(text, &mut |word| {
        some = true;
        all &= word.starts_with('@');
    });
    some && all
}

/// Calls `found` with each word outside of code.
fn each(text: &str, found: &mut dyn FnMut(&str)) {
    let mut fence: Option<&str> = None;
    for line in text.lines() {
        let mark = fence_mark(line);
        match (fence, mark) {
            (Some(open), Some(mark)) => {
                let is_end = mark.starts_with(open) && line.trim_start().trim_start_matches(mark).trim().is_empty();
                fence = fence.filter(|_| !is_end);
            }
            (None, Some(mark)) => fence = Some(mark),
            (Some(_), None) => {}
            (None, None) => words(line, found),
        }
    }
}

/// Returns the run of three or more backticks or tildes that a line begins with.
fn fence_mark(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = line.trim_start_matches(first);
    let mark = line.strip_suffix(rest)?;
    // With a backtick behind them they are a span.
    (mark.len() >= 3 && !(first == '`' && rest.contains('`'))).then_some(mark)
}

/// Calls `found` with the words of a line, spans of code taken out.
fn words(line: &str, found: &mut dyn FnMut(&str)) {
    let mut kept = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let after = from.trim_start_matches('`');
        let mark = from.strip_suffix(after).unwrap_or("`");
        kept.push_str(before);
        // What touches a span is no word of its own.
        kept.push('`');
        rest = span_end(after, mark).unwrap_or(after);
    }
    kept.push_str(rest);
    let kept = kept.replace("\\ ", "\u{0}");
    for word in kept.split_whitespace() {
        found(&word.replace('\u{0}', "\\ "));
    }
}

/// Returns what stands behind the run of backticks that ends a span.
fn span_end<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let (_, from) = rest.split_at_checked(rest.find('`')?)?;
        let after = from.trim_start_matches('`');
        if from.len() - after.len() == mark.len() {
            return Some(after);
        }
        rest = after;
    }
}

/// Returns where `target` leads, seen from the file `from`; `None` outside of the repository.
pub fn beside(from: &RepoPath, target: &[u8]) -> Option<RepoPath> {
    if target.is_empty() || target.starts_with(b"/") || target.starts_with(b"~") {
        return None;
    }
    let mut names: Vec<&[u8]> = from.names().collect();
    names.pop();
    for name in target.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    let path = names.join(&b'/');
    RepoPath::parse(&path).ok()
}

/// True for what is likely a file and no handle, package or scope: it has folders, and an ending.
pub fn is_file_name(word: &str) -> bool {
    word.rsplit_once('/')
        .is_some_and(|(_, name)| name.contains('.') || word.starts_with('~') || word.starts_with(".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_at_the_start_of_a_word_outside_of_code() {
        for (text, expected) in [
            ("@a.md", vec!["a.md"]),
            ("See @docs/b.md, and\n- @c.md.", vec!["docs/b.md,", "c.md."]),
            ("me@example.com (@x)", vec![]),
            ("`@a.md` and ``@b ` @c`` @d", vec!["d"]),
            ("```\n@a\n```\n@b", vec!["b"]),
            ("~~~~ sh\n@a\n~~~\n```\n~~~~\n@b", vec!["b"]),
            ("  ```\n@a", vec![]),
            ("``` @a ``` @b", vec!["b"]),
            ("an ` alone @a", vec!["a"]),
            ("@my\\ rules.md", vec!["my rules.md"]),
            ("@ @", vec![]),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
        assert!(is_all("@a.md\n\n  @b.md\n"));
        assert!(!is_all("") && !is_all("See @a.md") && !is_all("@a\n```\nx\n```"));
    }

    #[test]
    fn paths_are_relative_to_the_file_and_stay_inside() {
        let from = RepoPath::parse("docs/dev/CLAUDE.md").unwrap();
        for (target, expected) in [
            ("a.md", Some("docs/dev/a.md")),
            ("./../x/a.md", Some("docs/x/a.md")),
            ("../../a.md", Some("a.md")),
            ("../../../a.md", None),
            ("../../../../../etc/passwd", None),
            ("/etc/passwd", None),
            ("~/a.md", None),
            ("../..", None),
            ("", None),
        ] {
            let found = beside(&from, target.as_bytes());
            assert_eq!(found.as_ref().and_then(RepoPath::as_str), expected, "{target}");
        }
    }
}
