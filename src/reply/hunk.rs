//! Hunks: the lines with ` `, `+` and `-` before them that unified diffs and `apply_patch` share, and their `@@` lines.

use crate::edit::{
    block::{Block, Place, Wording},
    refusal::{Item, Reason},
};

/// What an `@@` line says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Header {
    /// Old start, old count, new start, new count.
    pub(crate) numbers: Option<[usize; 4]>,
    /// The line of the file that it names, if any.
    pub(crate) anchor: Option<String>,
}

/// Reads `@@`, `@@ text`, `@@ ... @@`, `@@ -1,2 +3,4 @@ text`; `None` for any other line.
pub(crate) fn header(line: &str) -> Option<Header> {
    let rest = line.trim().strip_prefix("@@")?;
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let rest = rest.trim();
    let (inner, after) = rest.split_once("@@").unwrap_or((rest, ""));
    let numbers = numbers(inner);
    let text = match (numbers, after.trim()) {
        (Some(_), text) => text,
        (None, "") => inner.trim(),
        (None, text) => text,
    };
    let is_anchor = !text.is_empty() && text.chars().any(|c| !matches!(c, '.' | '…' | ' '));
    Some(Header {
        numbers,
        anchor: is_anchor.then(|| text.to_owned()),
    })
}

/// Reads an `@@` line inside a hunk, where a line after a space is content.
pub(crate) fn next_header(line: &str) -> Option<Header> {
    header(line).filter(|_| !line.starts_with(' '))
}

fn numbers(text: &str) -> Option<[usize; 4]> {
    let (old, new) = text.trim().strip_prefix('-')?.split_once(" +")?;
    let range = |text: &str| {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.trim().parse().ok()?, count.trim().parse().ok()?))
    };
    let ((a, b), (c, d)) = (range(old)?, range(new)?);
    Some([a, b, c, d])
}

/// The lines of one hunk, as they are read.
#[derive(Default)]
pub(crate) struct Hunk<'a> {
    /// Each line with its sign; `None` for an empty line, whose sign was lost.
    lines: Vec<(Option<char>, &'a str)>,
    /// The signs of the lines that `\ No newline at end of file` follows.
    unended: Vec<char>,
}

impl<'a> Hunk<'a> {
    /// Takes a line with its sign, an empty line, or `\ No newline …`; false for any other.
    pub(crate) fn take(&mut self, line: &'a str) -> bool {
        let mut chars = line.chars();
        match chars.next() {
            _ if line.trim_end_matches(['\r', '\n']).is_empty() => self.lines.push((None, line)),
            Some(sign @ (' ' | '+' | '-')) => self.lines.push((Some(sign), chars.as_str())),
            Some('\\') => {
                let sign = self.lines.last().and_then(|(sign, _)| *sign);
                self.unended.push(sign.unwrap_or(' '));
            }
            _ => return false,
        }
        true
    }

    /// True where the last line taken was empty.
    pub(crate) fn ends_blank(&self) -> bool {
        self.lines.last().is_some_and(|(_, line)| line.trim().is_empty())
    }

    /// True where nothing but empty lines was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.iter().all(|(sign, _)| sign.is_none())
    }

    /// True where a line goes, stays or was empty.
    pub(crate) fn has_old(&self) -> bool {
        self.lines.iter().any(|(sign, _)| matches!(sign, Some(' ' | '-')))
    }

    /// How many lines the old and the new side have; with and without the empty lines at the end.
    fn counts(&self) -> [[usize; 2]; 2] {
        let side =
            |lines: &[(Option<char>, &str)], other: char| lines.iter().filter(|(sign, _)| *sign != Some(other)).count();
        let short = self.without_blank_end();
        [&self.lines, short].map(|lines| [side(lines, '+'), side(lines, '-')])
    }

    /// True where `numbers` has the right counts.
    pub(crate) fn agrees_with(&self, [_, olds, _, news]: [usize; 4]) -> bool {
        self.counts().contains(&[olds, news])
    }

    /// True where `numbers` count one more line on each side.
    pub(crate) fn lacks_pair(&self, [_, olds, _, news]: [usize; 4]) -> bool {
        self.counts().contains(&[olds.wrapping_sub(1), news.wrapping_sub(1)])
    }

    /// Empty lines at the end stand between hunks, or were context that is not missed.
    fn without_blank_end(&self) -> &[(Option<char>, &'a str)] {
        let many = self.lines.iter().rev().take_while(|(sign, _)| sign.is_none()).count();
        self.lines.get(..self.lines.len() - many).unwrap_or_default()
    }

    /// The lines of the side without `other`.
    fn side(&self, other: char) -> String {
        let lines = self.without_blank_end().iter().filter(|(sign, _)| *sign != Some(other));
        lines.map(|(_, line)| *line).collect()
    }

    /// Makes a block of it.
    pub(crate) fn into_block(self, wording: Wording, anchors: Vec<String>) -> Block {
        let lacks = |signs: &[char]| self.unended.iter().any(|sign| signs.contains(sign));
        let final_newline = match (lacks(&['-']), lacks(&['+'])) {
            (_, true) => Some(false),
            (true, false) => Some(true),
            (false, false) => None,
        };
        Block {
            old: self.side('+'),
            new: self.side('-'),
            place: Place {
                anchors,
                line: None,
                at_end: !self.unended.is_empty(),
            },
            wording,
            final_newline,
        }
    }

    /// The content of a new file; lines of a reply in CRLF lose their CR.
    pub(crate) fn into_content(self, is_crlf: bool) -> String {
        let mut content: String = self.side('-');
        if is_crlf {
            content = content.replace("\r\n", "\n");
        }
        if self.unended.contains(&'+') && content.ends_with('\n') {
            content.pop();
        } else if !content.is_empty() && !content.ends_with('\n') {
            content.push('\n');
        }
        content
    }
}

/// True for a line of prose that may be a line of a hunk that ended too early: `+x`, `-    x`, but no list item.
pub(crate) fn may_be_change(line: &str) -> bool {
    let line = line.trim_end();
    let Some(rest) = line.strip_prefix(['+', '-']) else {
        return false;
    };
    let is_item = rest.starts_with(' ') && !rest.starts_with("  ");
    let is_rule = rest.chars().all(|c| matches!(c, '-' | '+'));
    !is_item && !is_rule
}

/// Refuses a line of a hunk without a sign.
pub(crate) fn unsigned(line: &str, number: usize) -> Item {
    let line = line.trim_end();
    let detail =
        format!("line {number} of the reply, `{line}`, is in a hunk and starts with neither space, `+` nor `-`");
    Item::of_reply(Reason::Malformed, detail)
}
