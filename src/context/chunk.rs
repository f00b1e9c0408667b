//! Chunks: a file cut into pieces that are shown whole: functions and items where its language is known, else runs of
//! lines. Every line is in exactly one chunk.
//!
//! Owns what a chunk is and how large it gets. What a language or format is made of is `lang`'s and `format`'s business.
//! A change of what comes out makes what is kept useless: count `context::VERSION` up.

use std::ops::Range;

use crate::{
    context::{
        format::{self, Format},
        lang::{self, Parsers},
        lines::{Line, Lines, Sizes, is_closing},
    },
    path::RepoPath,
};

/// A piece of a file: whole lines, counted from 1, the last included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// First line.
    pub first: u32,
    /// Last line.
    pub last: u32,
    /// Names that it defines, as written: `Parser`, `read_line`.
    pub names: Vec<String>,
}

/// How a file is read: kept beside its blob id, as the same bytes read in another way give other chunks. 0 is by lines;
/// languages count from 1, formats from 64; 128 is added where the file is read although its text says that a program
/// wrote it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Syntax(pub u8);

impl Syntax {
    /// What stands for being vouched for.
    const VOUCHED_FOR: u8 = 128;

    /// Returns this syntax for a file that somebody says people write.
    #[must_use]
    pub fn vouched_for(self) -> Self {
        Self(self.0 | Self::VOUCHED_FOR)
    }

    /// True where somebody says that people write the file.
    pub fn is_vouched_for(self) -> bool {
        self.0 & Self::VOUCHED_FOR != 0
    }

    /// Returns how the text is cut, whoever wrote it.
    fn of_text(self) -> Self {
        Self(self.0 & !Self::VOUCHED_FOR)
    }
}

/// Most bytes that are parsed; a larger file is data, or made by a program, and is read by lines.
const PARSED: usize = 1 << 20;

/// What opens something long begins a chunk, unless no more lines are before it: the head of the file.
const HEAD: usize = 5;

/// Tells by its name how a file is read. A language whose grammar was left out of the build is read by lines.
pub fn syntax(path: &RepoPath) -> Syntax {
    let name = path.file_name();
    let found = lang::syntax_of(name).or_else(|| Format::of(name).map(Format::syntax));
    found.unwrap_or_default()
}

/// What a grammar or a format says about a file. Lines count from 0 here, in order.
#[derive(Default, Debug)]
pub(in crate::context) struct Outline {
    /// Runs of lines that belong together; none overlaps another.
    pub(in crate::context) units: Vec<Unit>,
    /// Lines that begin something else than what is above them.
    pub(in crate::context) cuts: Vec<usize>,
    /// Names, each with the line that defines it.
    pub(in crate::context) names: Vec<(usize, String)>,
}

/// Lines that belong together, the last included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::context) struct Unit {
    /// First line.
    pub(in crate::context) first: usize,
    /// Last line.
    pub(in crate::context) last: usize,
    /// True if it is the head of what is too long to be one unit.
    pub(in crate::context) opens: bool,
}

/// Cuts files; keeps its parsers from file to file.
#[derive(Default)]
pub struct Cutter {
    parsers: Parsers,
}

impl Cutter {
    /// Cuts `text`. Nothing comes of an empty one.
    pub fn cut(&mut self, syntax: Syntax, text: &[u8]) -> Vec<Chunk> {
        let (lines, syntax) = (Lines::of(text), syntax.of_text());
        let parsed = match text.len() <= PARSED {
            true => self.parsers.outline(syntax, text),
            false => None,
        };
        let (mut outline, sizes) = match parsed {
            Some(outline) => (outline, Sizes::CODE),
            None => (format::outline(Format::from_syntax(syntax), &lines), Sizes::TEXT),
        };
        let units = joined(&lines, covered(&lines, &mut outline), sizes);
        named(units, outline.names)
    }
}

/// Fills what lies between the units. Closing brackets and blank lines go to the unit before them.
fn covered(lines: &Lines<'_>, outline: &mut Outline) -> Vec<Unit> {
    outline.cuts.sort_unstable();
    let mut all: Vec<Unit> = Vec::with_capacity(outline.units.len() * 2 + 1);
    let mut next = 0;
    for unit in outline.units.iter().filter(|unit| unit.first < lines.count()) {
        if unit.first < next {
            continue;
        }
        fill(lines, next..unit.first, &outline.cuts, &mut all);
        let last = unit.last.clamp(unit.first, lines.count() - 1);
        all.push(Unit { last, ..*unit });
        next = last + 1;
    }
    fill(lines, next..lines.count(), &outline.cuts, &mut all);
    all
}

/// Fills a range of lines.
fn fill(lines: &Lines<'_>, range: Range<usize>, cuts: &[usize], all: &mut Vec<Unit>) {
    let ends = |line: Line<'_>| line.is_blank() || is_closing(line);
    let mut first = range.start;
    while first < range.end {
        if let Some(before) = all.last_mut()
            && lines.get(first).is_none_or(ends)
        {
            before.last = first;
            first += 1;
            continue;
        }
        let cut = cuts.get(cuts.partition_point(|cut| *cut <= first));
        let next = cut.copied().unwrap_or(range.end).min(range.end);
        all.push(Unit {
            first,
            last: next - 1,
            opens: false,
        });
        first = next;
    }
}

/// Joins small neighbours and splits what is too large. A head is joined with what it opens.
fn joined(lines: &Lines<'_>, units: Vec<Unit>, sizes: Sizes) -> Vec<Unit> {
    let mut all: Vec<Unit> = Vec::with_capacity(units.len());
    for unit in units {
        if let Some(before) = all.last_mut() {
            let both = Unit {
                last: unit.last,
                ..*before
            };
            let whole = before.opens && sizes.fits(lines, both);
            if before.opens && !sizes.fits(lines, unit) {
                all.pop();
                sizes.split(lines, both, &mut all);
                continue;
            }
            let joins = sizes.joins(lines, both) && (!unit.opens || before.last - before.first < HEAD);
            if whole || joins {
                *before = Unit {
                    opens: unit.opens,
                    ..both
                };
                continue;
            }
        }
        match sizes.fits(lines, unit) {
            true => all.push(unit),
            false => sizes.split(lines, unit, &mut all),
        }
    }
    all
}

/// Gives each chunk the names that its lines define.
fn named(units: Vec<Unit>, names: Vec<(usize, String)>) -> Vec<Chunk> {
    let mut names = names.into_iter().peekable();
    let number = |line: usize| u32::try_from(line + 1).unwrap_or(u32::MAX);
    let chunk = |unit: Unit| {
        let mut own: Vec<String> = Vec::new();
        while let Some((_, name)) = names.next_if(|(line, _)| *line <= unit.last) {
            if !name.is_empty() && !own.contains(&name) {
                own.push(name);
            }
        }
        Chunk {
            first: number(unit.first),
            last: number(unit.last),
            names: own,
        }
    };
    units.into_iter().map(chunk).collect()
}

#[cfg(test)]
mod tests;
