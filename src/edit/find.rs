//! Finding the lines of a block in a file: five tiers, the first with any hit decides, several hits are refused.
//!
//! There is no tier that measures distance: what cannot be found for certain is not written.

use std::borrow::Cow;

use crate::edit::fold;

/// How strictly lines were compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tier {
    /// Equal.
    Exact,
    /// Trailing whitespace does not count.
    Trailing,
    /// All lines are shifted by one common indentation.
    Shift,
    /// Leading and trailing whitespace does not count.
    Trim,
    /// Nor do composed accents and typographic dashes, quotes and spaces.
    Plain,
}

/// Where a block's lines are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// Nowhere.
    Nowhere,
    /// At one place: the index of the first line.
    Once(usize, Tier),
    /// At several.
    Often(Vec<usize>),
}

const TIERS: [Tier; 5] = [Tier::Exact, Tier::Trailing, Tier::Shift, Tier::Trim, Tier::Plain];

/// Looks for `old` in `file`.
pub(crate) fn locate(file: &[&str], old: &[&str]) -> Found {
    locate_by(file, old, &TIERS)
}

/// True where `lines` are in `file`, trailing whitespace aside.
pub(crate) fn holds(file: &[&str], lines: &[&str]) -> bool {
    let strict = [Tier::Exact, Tier::Trailing];
    lines.iter().any(|line| !line.trim().is_empty()) && locate_by(file, lines, &strict) != Found::Nowhere
}

fn locate_by(file: &[&str], old: &[&str], tiers: &[Tier]) -> Found {
    if old.is_empty() || old.len() > file.len() {
        return Found::Nowhere;
    }
    for tier in tiers {
        let hits = match tier {
            Tier::Shift => shifted(file, old),
            other => equal_by(file, old, *other),
        };
        match hits.as_slice() {
            [] => {}
            [at] => return Found::Once(*at, *tier),
            _ => return Found::Often(hits),
        }
    }
    Found::Nowhere
}

fn key(line: &str, tier: Tier) -> Cow<'_, str> {
    match tier {
        Tier::Exact => line.into(),
        Tier::Trailing | Tier::Shift => line.trim_end().into(),
        Tier::Trim => line.trim().into(),
        Tier::Plain if line.is_ascii() => line.trim().into(),
        Tier::Plain => fold::to_plain(line).into(),
    }
}

fn equal_by(file: &[&str], old: &[&str], tier: Tier) -> Vec<usize> {
    let keys: Vec<Cow<'_, str>> = old.iter().map(|line| key(line, tier)).collect();
    let windows = file.windows(old.len()).enumerate();
    let fits = |window: &[&str]| {
        window
            .iter()
            .zip(&keys)
            .all(|(line, wanted)| key(line, tier) == *wanted)
    };
    windows.filter(|(_, window)| fits(window)).map(|(at, _)| at).collect()
}

fn shifted(file: &[&str], old: &[&str]) -> Vec<usize> {
    if old.iter().all(|line| line.trim().is_empty()) {
        return Vec::new();
    }
    let windows = file.windows(old.len()).enumerate();
    windows
        .filter(|(_, window)| Shift::between(old, window).is_some())
        .map(|(at, _)| at)
        .collect()
}

/// One common indentation that a block lacks, or has too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shift<'a> {
    /// The file has this before each line of the block.
    More(&'a str),
    /// The block has this before each line of the file.
    Less(&'a str),
}

impl<'a> Shift<'a> {
    /// Returns the shift that makes `window` of `old`, lines that hold only whitespace aside.
    pub(crate) fn between(old: &[&'a str], window: &[&'a str]) -> Option<Self> {
        let mut shift = None;
        for (line, real) in old.iter().zip(window) {
            let (line, real) = (line.trim_end(), real.trim_end());
            if line.is_empty() && real.is_empty() {
                continue;
            }
            let here = Self::of(line, real)?;
            if *shift.get_or_insert(here) != here {
                return None;
            }
        }
        shift
    }

    fn of(line: &'a str, real: &'a str) -> Option<Self> {
        let (short, long) = if line.len() <= real.len() {
            (line, real)
        } else {
            (real, line)
        };
        let prefix = long.strip_suffix(short)?;
        if short.is_empty() || !prefix.chars().all(char::is_whitespace) {
            return None;
        }
        Some(if line.len() <= real.len() {
            Self::More(prefix)
        } else {
            Self::Less(prefix)
        })
    }

    /// Shifts a new line; `None` where it lacks what should be taken away.
    pub(crate) fn apply(self, line: &str) -> Option<String> {
        if line.trim().is_empty() {
            return Some(line.to_owned());
        }
        match self {
            Self::More(prefix) => Some(format!("{prefix}{line}")),
            Self::Less(prefix) => line.strip_prefix(prefix).map(str::to_owned),
        }
    }
}
