//! Lines: where a text may be cut if nothing better is known than how its lines look.
//!
//! Owns the sizes of chunks, and which of some lines is the best to begin one with. Knows no language and no format.

use crate::context::chunk::Unit;

/// The lines of a text, counted from 0: as many as `split_inclusive` of line feeds has pieces.
pub(in crate::context) struct Lines<'a> {
    text: &'a [u8],
    /// Where each line begins, and the end of the text.
    starts: Vec<usize>,
}

/// One line without its end.
#[derive(Clone, Copy)]
pub(in crate::context) struct Line<'a> {
    /// Its bytes without the line's end.
    pub(in crate::context) bytes: &'a [u8],
}

impl<'a> Lines<'a> {
    /// Finds the lines of `text`.
    pub(in crate::context) fn of(text: &'a [u8]) -> Self {
        let mut starts = Vec::with_capacity(text.len() / 32 + 2);
        starts.push(0);
        let mut at = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            at += line.len();
            starts.push(at);
        }
        Self { text, starts }
    }

    /// Returns how many there are.
    pub(in crate::context) fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// Returns line `at`.
    pub(in crate::context) fn get(&self, at: usize) -> Option<Line<'a>> {
        let range = *self.starts.get(at)?..*self.starts.get(at + 1)?;
        let bytes = self.text.get(range)?;
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Some(Line { bytes })
    }

    /// Returns all lines with their numbers.
    pub(in crate::context) fn all(&self) -> impl Iterator<Item = (usize, Line<'a>)> {
        (0..self.count()).filter_map(|at| Some((at, self.get(at)?)))
    }

    /// Returns how many bytes lines `first` to `last` have.
    fn bytes(&self, unit: Unit) -> usize {
        let start = |at: usize| self.starts.get(at).copied().unwrap_or(self.text.len());
        start(unit.last + 1) - start(unit.first)
    }
}

impl<'a> Line<'a> {
    /// True if nothing but white space is on it.
    pub(in crate::context) fn is_blank(self) -> bool {
        self.bytes.trim_ascii().is_empty()
    }

    /// Returns the line without white space around it.
    pub(in crate::context) fn trimmed(self) -> &'a [u8] {
        self.bytes.trim_ascii()
    }

    /// Returns by how many columns it is indented; a tab is 4.
    pub(in crate::context) fn indent(self) -> usize {
        let space = self.bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        space.map(|byte| if *byte == b'\t' { 4 } else { 1 }).sum()
    }
}

/// Words that go on with a block that began above.
const GOES_ON: &[&[u8]] = &[
    b"end",
    b"else",
    b"elif",
    b"elsif",
    b"except",
    b"finally",
    b"rescue",
    b"ensure",
    b"fi",
    b"done",
    b"esac",
    b"then",
    b"do",
    b"catch",
    b"endif",
    b"endfunction",
    b"#endif",
    b"#else",
    b"#elif",
    b"*/",
    b"\"\"\"",
    b"'''",
];

/// True for a line that ends or goes on with what began above: `}`, `);`, `end`, `else:`.
pub(in crate::context) fn is_closing(line: Line<'_>) -> bool {
    let text = line.trimmed();
    let word = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'_' | b'*' | b'/' | b'"' | b'\''));
    let word = text.get(..word.count()).unwrap_or_default();
    matches!(text.first(), Some(b'}' | b')' | b']')) || GOES_ON.contains(&word)
}

/// True if a line at `text`'s end is not finished: it opens a bracket, or its list goes on.
fn is_open(text: &[u8]) -> bool {
    matches!(
        text.last(),
        Some(b',' | b'(' | b'[' | b'{' | b'\\' | b'=' | b'+' | b'&' | b'|' | b':' | b'.')
    )
}

fn is_comment(text: &[u8]) -> bool {
    const STARTS: &[&[u8]] = &[b"//", b"#", b"*", b"/*", b"--", b";", b"@", b"\"\"\""];
    STARTS.iter().any(|start| text.starts_with(start))
}

/// How large chunks get.
#[derive(Clone, Copy)]
pub(in crate::context) struct Sizes {
    /// Neighbours of together so many lines are one chunk.
    join: usize,
    /// More lines than this are split.
    most: usize,
    /// About so many lines have the parts.
    part: usize,
}

/// More bytes than this are split, where there are lines to split them at.
const MOST_BYTES: usize = 6 << 10;

/// About so many bytes have the parts.
const PART_BYTES: usize = 5000;

/// What it costs to begin a chunk with a line, in columns of indentation.
mod cost {
    /// It has no blank line before it.
    pub(super) const CLOSE: usize = 14;
    /// The line before it is not finished.
    pub(super) const OPEN: usize = 12;
    /// It is severed from the comment above it.
    pub(super) const COMMENT: usize = 40;
    /// It closes what began above.
    pub(super) const CLOSING: usize = 200;
    /// It is blank.
    pub(super) const BLANK: usize = 400;
    /// Deeper indentation is no worse than this.
    pub(super) const DEEPEST: usize = 60;
}

impl Sizes {
    /// For code: functions are shown whole.
    pub(in crate::context) const CODE: Self = Self {
        join: 25,
        most: 90,
        part: 60,
    };
    /// For everything else.
    pub(in crate::context) const TEXT: Self = Self {
        join: 30,
        most: 60,
        part: 35,
    };

    /// True if a unit is small enough to be shown whole.
    pub(in crate::context) fn fits(self, lines: &Lines<'_>, unit: Unit) -> bool {
        unit.last - unit.first < self.most && lines.bytes(unit) <= MOST_BYTES
    }

    /// True if two neighbours, together `both`, are small enough to be one chunk.
    pub(in crate::context) fn joins(self, lines: &Lines<'_>, both: Unit) -> bool {
        both.last - both.first < self.join && lines.bytes(both) <= MOST_BYTES
    }

    /// Counts a line: as many bytes as it has, or its share of a part.
    fn weight(self, lines: &Lines<'_>, at: usize) -> usize {
        let unit = Unit {
            first: at,
            last: at,
            opens: false,
        };
        lines.bytes(unit).max(PART_BYTES / self.part)
    }

    /// Splits a unit into parts of about the same size where lines look best to be parted.
    pub(in crate::context) fn split(self, lines: &Lines<'_>, unit: Unit, into: &mut Vec<Unit>) {
        let mut rest: usize = (unit.first..=unit.last).map(|at| self.weight(lines, at)).sum();
        let mut first = unit.first;
        while first <= unit.last {
            let left = Unit {
                first,
                last: unit.last,
                opens: false,
            };
            let parts = rest.div_ceil(PART_BYTES);
            if parts < 2 || self.fits(lines, left) {
                into.push(left);
                return;
            }
            let next = self.cut(lines, left, rest / parts);
            let part = Unit {
                first,
                last: next - 1,
                opens: false,
            };
            rest -= (part.first..=part.last).map(|at| self.weight(lines, at)).sum::<usize>();
            into.push(part);
            first = next;
        }
    }

    /// Returns with which line of `unit` the next part begins: never the first, at most the one after the last.
    fn cut(self, lines: &Lines<'_>, unit: Unit, ideal: usize) -> usize {
        let mut best: Option<(usize, usize)> = None;
        let mut before = 0;
        for at in unit.first..=unit.last {
            if at > unit.first && before * 10 >= ideal * 7 {
                let away = before.abs_diff(ideal) * self.part / PART_BYTES;
                let cost = cost_of(lines, at) + away / 2;
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, at));
                }
            }
            let with = before + self.weight(lines, at);
            if with * 5 > ideal * 6 && (best.is_some() || at > unit.first) {
                return best.map_or(at, |(_, at)| at);
            }
            before = with;
        }
        unit.last + 1
    }
}

/// Returns what it costs to begin a chunk with line `at`.
fn cost_of(lines: &Lines<'_>, at: usize) -> usize {
    let (Some(line), Some(before)) = (lines.get(at), at.checked_sub(1).and_then(|at| lines.get(at))) else {
        return 0;
    };
    if line.is_blank() {
        return cost::BLANK;
    }
    let mut cost = line.indent().min(cost::DEEPEST);
    if is_closing(line) {
        cost += cost::CLOSING;
    }
    if !before.is_blank() {
        cost += cost::CLOSE;
        cost += if is_open(before.trimmed()) { cost::OPEN } else { 0 };
        cost += if is_comment(before.trimmed()) { cost::COMMENT } else { 0 };
    }
    cost
}
