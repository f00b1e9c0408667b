//! Paths as git and `diff` write them in the headers of a diff: quoted as in C, with a time stamp behind.
//!
//! Owns how they are read. Which of them may be touched is `RepoPath`'s business.

use crate::edit::refusal::{Item, Reason};

/// Returns the path of `--- path`, less a time stamp and line end.
///
/// # Errors
/// Refuses a quoted path that is no UTF-8, or whose quotes are not sound.
pub(crate) fn named(text: &str) -> Result<String, Item> {
    let text = text.trim_end_matches(['\r', '\n']);
    if let Some(quoted) = quoted(text.trim()) {
        return quoted.map(|(path, _)| path);
    }
    let text = text.split('\t').next().unwrap_or(text).trim();
    Ok(without_time(text).to_owned())
}

/// Returns the path of `a/path b/path`, where both are the same.
///
/// # Errors
/// As `named`.
pub(crate) fn same_name(names: &str) -> Result<Option<String>, Item> {
    let (old, new) = match quoted(names) {
        Some(first) => {
            let (old, rest) = first?;
            (old, named(rest)?)
        }
        None => match names.len().checked_sub(1).map(|length| length / 2) {
            Some(half) => {
                let side = |part: Option<&str>| part.unwrap_or_default().to_owned();
                (side(names.get(..half)), side(names.get(half + 1..)))
            }
            None => return Ok(None),
        },
    };
    let (Some(old), Some(new)) = (old.strip_prefix("a/"), new.strip_prefix("b/")) else {
        return Ok(None);
    };
    Ok((old == new).then(|| old.to_owned()))
}

/// Drops ` 2026-11-22 10:00:00 +0000`.
fn without_time(text: &str) -> &str {
    let is_date = |word: &str| {
        let parts: Vec<&str> = word.split('-').collect();
        let digits = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
        parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.iter().all(digits)
    };
    let is_time = |word: &str| word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit());
    for (at, _) in text.match_indices(' ') {
        let (path, rest) = text.split_at_checked(at).unwrap_or((text, ""));
        let mut words = rest.split_whitespace();
        if words.next().is_some_and(is_date) && words.next().is_some_and(is_time) {
            return path.trim_end();
        }
    }
    text
}

/// Reads a path in double quotes at the start of `text`; returns it and what follows. `None` where there are no quotes.
fn quoted(text: &str) -> Option<Result<(String, &str), Item>> {
    let mut rest = text.strip_prefix('"')?.chars();
    let refused = |why: &str| Some(Err(Item::of_reply(Reason::BadPath, format!("the path {text} {why}"))));
    let mut bytes = Vec::new();
    loop {
        match rest.next() {
            None => return refused("has no closing quote"),
            Some('"') => break,
            Some('\\') => match escaped(&mut rest) {
                Some(byte) => bytes.push(byte),
                None => return refused("has an escape that git does not write"),
            },
            Some(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    match String::from_utf8(bytes) {
        Ok(path) => Some(Ok((path, rest.as_str().trim_start()))),
        Err(_) => refused("is no UTF-8; such a file cannot be edited by a reply"),
    }
}

/// Reads what follows a backslash: a letter, or three octal digits.
fn escaped(rest: &mut std::str::Chars<'_>) -> Option<u8> {
    let letter = rest.next()?;
    let named = [
        ('a', 7),
        ('b', 8),
        ('t', b'\t'),
        ('n', b'\n'),
        ('v', 11),
        ('f', 12),
        ('r', b'\r'),
        ('"', b'"'),
        ('\\', b'\\'),
    ];
    if let Some((_, byte)) = named.iter().find(|(name, _)| *name == letter) {
        return Some(*byte);
    }
    let mut value = letter.to_digit(8)?;
    for _ in 0..2 {
        value = value * 8 + rest.next()?.to_digit(8)?;
    }
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_times_are_taken_off() {
        for (text, path) in [
            ("\"a/\\303\\244 \\\"x\\\".txt\"\t2026-01-01\n", "a/ä \"x\".txt"),
            ("x y.py 2026-01-01 10:00:00.0 +0000\n", "x y.py"),
            ("x.py\t2026-01-01 10:00:00\r\n", "x.py"),
            ("notes 2026-01-01.md", "notes 2026-01-01.md"),
        ] {
            assert_eq!(named(text).unwrap(), path, "{text}");
        }
        assert_eq!(
            same_name("\"a/\\303\\244\" \"b/\\303\\244\"").unwrap().as_deref(),
            Some("ä")
        );
        assert_eq!(same_name("a/x y b/x y").unwrap().as_deref(), Some("x y"));
    }

    #[test]
    fn unsound_quotes_are_refused() {
        for text in ["\"a/x", "\"a/\\q\"", "\"a/\\344\""] {
            assert_eq!(named(text).unwrap_err().reason, Reason::BadPath, "{text}");
        }
    }
}
