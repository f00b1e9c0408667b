//! Reads a commit message as words: what it says of the change, without what names people, places and numbers.

use crate::context::terms::{Term, Terms, is_stop};

/// Most bytes of a subject that are kept.
const SUBJECT: usize = 120;

/// Most bytes that are read of the first line, and of what follows it.
const READ: usize = 600;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words {
    /// The first line, at most 120 bytes.
    pub subject: String,
    /// Its terms, sorted, and how often each is there; those of the first line count twice.
    pub terms: Vec<(Term, u16)>,
}

/// Reads `message`, in whatever encoding.
pub fn read(terms: &mut Terms, message: &[u8]) -> Words {
    let message = message.trim_ascii();
    let mut lines = message.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let lines: Vec<&[u8]> = lines.map(<[u8]>::trim_ascii_end).collect();
    let mut text = Vec::new();
    push_words(&mut text, first, READ);
    text.push(b'\n');
    text.extend_from_within(..);
    let end = text.len().saturating_add(READ);
    for line in without_trailers(&lines) {
        push_words(&mut text, line, end);
    }
    let mut counted: Vec<(Term, u16)> = terms
        .counted(&text)
        .into_iter()
        .filter(|(term, _)| !is_stop(*term))
        .map(|(term, count)| (term, u16::try_from(count).unwrap_or(u16::MAX)))
        .collect();
    counted.sort_unstable();
    Words {
        subject: cut(&String::from_utf8_lossy(first)),
        terms: counted,
    }
}

fn cut(line: &str) -> String {
    let line = line.trim();
    let ends = line.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= SUBJECT).last().unwrap_or(0);
    line.get(..end).unwrap_or_default().to_owned()
}

/// Adds the words of `line` that say something of the change, as long as `text` stays within `end` bytes.
fn push_words(text: &mut Vec<u8>, line: &[u8], end: usize) {
    let mut before: &[u8] = b"";
    for word in line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        if text.len().saturating_add(word.len()) > end {
            return;
        }
        let bare = bare(word);
        if !is_address(bare) && !is_number(before, bare) && !is_object(bare) {
            text.extend_from_slice(word);
            text.push(b' ');
        }
        before = bare;
    }
}

/// Takes off quotes, brackets and full stops around a word.
fn bare(word: &[u8]) -> &[u8] {
    let around = |byte: &u8| b"()[]{}<>\"'`.,;:!?".contains(byte);
    let start = word.iter().position(|byte| !around(byte)).unwrap_or(word.len());
    let end = word.iter().rposition(|byte| !around(byte)).map_or(start, |at| at + 1);
    word.get(start..end).unwrap_or_default()
}

fn is_address(word: &[u8]) -> bool {
    word.windows(3).any(|part| part == b"://") || word.starts_with(b"www.")
}

/// True for the number of a pull request or an issue: `#12`, `owner/name#12`, `GH-12`, and `12` after `PR`.
fn is_number(before: &[u8], word: &[u8]) -> bool {
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let named = |name: &[u8]| {
        let names: [&[u8]; 6] = [b"pr", b"gh", b"mr", b"pull", b"issue", b"request"];
        names.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    if let Some(at) = word.iter().rposition(|byte| matches!(byte, b'#' | b'-')) {
        let (name, number) = word.split_at(at);
        let is_reference = number.starts_with(b"#") || named(name);
        return is_reference && digits(number.get(1..).unwrap_or_default());
    }
    digits(word) && named(before)
}

/// True for the id of an object, whole or cut.
fn is_object(word: &[u8]) -> bool {
    word.len() >= 7 && word.iter().all(u8::is_ascii_hexdigit) && word.iter().any(u8::is_ascii_digit)
}

/// Returns the lines that are no trailers: those that name people or an id wherever they stand, all others in a last
/// paragraph of nothing else.
fn without_trailers<'a>(lines: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [u8]> {
    let last = lines
        .iter()
        .rposition(|line| line.is_empty())
        .map_or(0, |blank| blank + 1);
    let block = lines.get(last..).unwrap_or_default();
    let folded = |line: &[u8]| line.starts_with(b" ") || line.starts_with(b"\t");
    let is_block = block.iter().all(|line| key(line).is_some() || folded(line));
    let kept = if is_block { last } else { lines.len() };
    let told = lines.iter().take(kept).copied();
    told.filter(|line| !names_people(line) && !line.starts_with(b"(cherry picked from commit"))
}

/// Returns the key of `Key: value`.
fn key(line: &[u8]) -> Option<&[u8]> {
    let end = line.windows(2).position(|part| part == b": ")?;
    let key = line.get(..end)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    (!key.is_empty() && key.iter().all(plain)).then_some(key)
}

fn names_people(line: &[u8]) -> bool {
    let lower = key(line).unwrap_or_default().to_ascii_lowercase();
    lower.ends_with(b"-by") || lower.ends_with(b"-id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms_of(message: &[u8]) -> Vec<(Term, u16)> {
        read(&mut Terms::default(), message).terms
    }

    #[test]
    fn people_addresses_and_numbers_say_nothing() {
        let plain = terms_of(b"Parse ranges\n\nThe lexer stops early.\n");
        for message in [
            "Parse ranges (#123)\n\nThe lexer stops early. See https://x.example/7, #12 and GH-9.\n",
            "Parse ranges\n\nThe lexer stops early.\n\nSigned-off-by: A B <a@b>\nFixes: #12\n  more\n",
            "Parse ranges\n\nCo-authored-by: C D <c@d>\nThe lexer stops early.\n",
            "\n\nParse ranges\r\n\r\nThe lexer stops early, PR 12.\r\n",
            "Parse ranges\n\nThe lexer stops early.\n(cherry picked from commit 0123456789abcdef)\n",
            "Parse ranges a1b2c3d\n\nThe lexer stops early; owner/name#12.\n",
        ] {
            assert_eq!(terms_of(message.as_bytes()), plain, "{message}");
        }
    }

    #[test]
    fn the_subject_counts_twice_and_a_long_body_is_cut() {
        let words = read(&mut Terms::default(), b"lexer\n\nlexer parser");
        let count = |name: &str| {
            let term = Terms::default().counted(name.as_bytes())[0].0;
            words.terms.iter().find(|(other, _)| *other == term).map(|(_, n)| *n)
        };
        assert_eq!((count("lexer"), count("parser")), (Some(3), Some(1)));
        let long: String = (0..1000)
            .map(|n| format!("word{}\n", char::from(b'a' + n as u8 % 26)))
            .collect();
        let terms = terms_of(format!("x\n\n{long}").as_bytes());
        assert_eq!(terms.iter().map(|(_, n)| n).sum::<u16>(), 2 + 100);
    }

    #[test]
    fn any_bytes_are_a_message() {
        assert_eq!(read(&mut Terms::default(), b""), Words::default());
        let words = read(&mut Terms::default(), b"Gr\xf6\xdfe \xff\n\n\x00\xfe");
        assert_eq!(words.subject, "Gr\u{fffd}\u{fffd}e \u{fffd}");
        let long = "ä".repeat(100);
        let words = read(&mut Terms::default(), long.as_bytes());
        assert_eq!(words.subject, "ä".repeat(60));
    }
}
