//! Hunks: a diff as data, line by line with numbers, and word by word where a line became another.
//!
//! Owns how much context stands around a change, and which lines count as one that was changed. Words nothing.

use std::ops::Range;

use serde::Serialize;
use similar::{ChangeTag, DiffOp, TextDiff};

/// Lines around a change.
const CONTEXT: usize = 3;
/// Longest line that is compared word by word, in bytes.
const WORDY: usize = 2000;

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It stayed.
    Same,
    /// It went.
    Removed,
    /// It came.
    Added,
}

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Piece {
    /// Its text.
    pub text: String,
    /// True where it is what makes the line another one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
}

/// A line of a hunk.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// What became of it.
    pub kind: Kind,
    /// Its number before, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<usize>,
    /// Its number after, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<usize>,
    /// Its text, in pieces.
    pub pieces: Vec<Piece>,
    /// True where no line feed ends it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub endless: bool,
}

/// Lines that stand together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Hunk {
    /// The number of its first line before; the one before it where it has none.
    pub old: usize,
    /// The number of its first line after; the one before it where it has none.
    pub new: usize,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// Compares two texts.
pub fn of(old: &str, new: &str) -> Vec<Hunk> {
    let (olds, news) = (lines(old), lines(new));
    // Not `from_lines`, which ends a line at a lone carriage return, too: its numbers would not be those of git.
    let diff = TextDiff::from_slices(&olds, &news);
    diff.grouped_ops(CONTEXT)
        .iter()
        .map(|ops| hunk(ops, &olds, &news))
        .collect()
}

/// Cuts a text into lines, line feeds included.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn hunk(ops: &[DiffOp], olds: &[&str], news: &[&str]) -> Hunk {
    let first = |range: Option<Range<usize>>| range.map_or(0, |range| range.start + usize::from(!range.is_empty()));
    let mut made = Hunk {
        old: first(ops.first().map(DiffOp::old_range)),
        new: first(ops.first().map(DiffOp::new_range)),
        lines: Vec::new(),
    };
    for op in ops {
        let (old, new) = (op.old_range(), op.new_range());
        if let DiffOp::Equal { .. } = op {
            for (old, new) in old.zip(new) {
                let text = olds.get(old).copied().unwrap_or_default();
                made.lines
                    .push(line((Kind::Same, Some(old), Some(new)), text, whole(text)));
            }
            continue;
        }
        let (gone, come): (Vec<Vec<Piece>>, Vec<Vec<Piece>>) = paired(
            olds.get(old.clone()).unwrap_or_default(),
            news.get(new.clone()).unwrap_or_default(),
        );
        for (at, pieces) in old.zip(gone) {
            let text = olds.get(at).copied().unwrap_or_default();
            made.lines.push(line((Kind::Removed, Some(at), None), text, pieces));
        }
        for (at, pieces) in new.zip(come) {
            let text = news.get(at).copied().unwrap_or_default();
            made.lines.push(line((Kind::Added, None, Some(at)), text, pieces));
        }
    }
    made
}

fn line((kind, old, new): (Kind, Option<usize>, Option<usize>), text: &str, pieces: Vec<Piece>) -> Line {
    Line {
        kind,
        old: old.map(|at| at + 1),
        new: new.map(|at| at + 1),
        pieces,
        endless: !text.ends_with('\n'),
    }
}

fn whole(text: &str) -> Vec<Piece> {
    let text = text.trim_end_matches('\n').to_owned();
    vec![Piece { text, changed: false }]
}

/// Cuts lines that went and lines that came into pieces. They are taken to be the same lines, one by one, where there are as
/// many of both.
fn paired(gone: &[&str], come: &[&str]) -> (Vec<Vec<Piece>>, Vec<Vec<Piece>>) {
    if gone.len() != come.len() {
        let all = |lines: &[&str]| lines.iter().map(|text| whole(text)).collect();
        return (all(gone), all(come));
    }
    gone.iter().zip(come).map(|(old, new)| words(old, new)).unzip()
}

/// Marks the words by which two lines differ; none where they have too little in common.
fn words(old: &str, new: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (before, after) = (old.trim_end_matches('\n'), new.trim_end_matches('\n'));
    if before.len().max(after.len()) > WORDY {
        return (whole(old), whole(new));
    }
    let (from, to) = (tokens(before), tokens(after));
    let diff = TextDiff::from_slices(&from, &to);
    if diff.ratio() < 0.4 {
        return (whole(old), whole(new));
    }
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for change in diff.iter_all_changes() {
        let text = change.value();
        match change.tag() {
            ChangeTag::Equal => {
                put(&mut gone, text, false);
                put(&mut come, text, false);
            }
            ChangeTag::Delete => put(&mut gone, text, true),
            ChangeTag::Insert => put(&mut come, text, true),
        }
    }
    (gone, come)
}

/// Cuts a line where a word, a run of blanks or a sign ends.
fn tokens(line: &str) -> Vec<&str> {
    let class = |c: char| match c {
        _ if c.is_alphanumeric() || c == '_' => 0,
        _ if c.is_whitespace() => 1,
        _ => 2,
    };
    let mut tokens = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = match class(first) {
            2 => first.len_utf8(),
            kind => rest.find(|c| class(c) != kind).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        tokens.push(token);
        rest = after;
    }
    tokens
}

fn put(pieces: &mut Vec<Piece>, text: &str, changed: bool) {
    match pieces.last_mut().filter(|last| last.changed == changed) {
        Some(last) => last.text.push_str(text),
        None => pieces.push(Piece {
            text: text.to_owned(),
            changed,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A line each: its sign, its numbers, and its text with what changed in brackets.
    fn told(old: &str, new: &str) -> String {
        let mut told = String::new();
        for hunk in of(old, new) {
            let _ = writeln!(told, "@ {} {}", hunk.old, hunk.new);
            for line in hunk.lines {
                let sign = match line.kind {
                    Kind::Same => ' ',
                    Kind::Removed => '-',
                    Kind::Added => '+',
                };
                let number = |at: Option<usize>| at.map_or("·".to_owned(), |at| at.to_string());
                let text: Vec<String> = line
                    .pieces
                    .iter()
                    .map(|piece| match piece.changed {
                        true => format!("[{}]", piece.text),
                        false => piece.text.clone(),
                    })
                    .collect();
                let end = if line.endless { "⏎" } else { "" };
                let _ = writeln!(
                    told,
                    "{sign}{}|{}|{}{end}",
                    number(line.old),
                    number(line.new),
                    text.concat()
                );
            }
        }
        told
    }

    #[test]
    fn a_changed_line_shows_which_words_changed() {
        let text = told("a\nlet total = sum(one);\nz\n", "a\nlet total = sum(two);\nz\n");
        assert_eq!(
            text,
            "@ 1 1\n 1|1|a\n-2|·|let total = sum([one]);\n+·|2|let total = sum([two]);\n 3|3|z\n"
        );
    }

    #[test]
    fn lines_that_have_nothing_in_common_are_not_compared() {
        assert_eq!(told("abc def\n", "xyz\n"), "@ 1 1\n-1|·|abc def\n+·|1|xyz\n");
        assert_eq!(told("", "x\ny"), "@ 0 1\n+·|1|x\n+·|2|y⏎\n");
        assert_eq!(told("x\n", ""), "@ 1 0\n-1|·|x\n");
        assert_eq!(told("x\n", "x\n"), "");
    }

    #[test]
    fn a_carriage_return_within_a_line_ends_none() {
        assert_eq!(
            told("a\rb\nc\nd\n", "a\rb\nc\ne\n"),
            "@ 1 1\n 1|1|a\rb\n 2|2|c\n-3|·|d\n+·|3|e\n"
        );
    }

    #[test]
    fn far_changes_stand_in_hunks_of_their_own() {
        let old: String = (1..=30).map(|n| format!("line {n}\n")).collect();
        let new = old.replace("line 2\n", "line two\n").replace("line 28\n", "line é\n");
        let text = told(&old, &new);
        assert_eq!(text.matches('@').count(), 2, "{text}");
        assert!(text.contains("+·|28|line [é]\n"), "{text}");
    }
}
