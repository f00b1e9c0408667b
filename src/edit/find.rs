//! Finding the lines of a block in a file: five tiers, and the first with any hit decides. Which of several hits is
//! meant is `place`'s business.
//!
//! There is no tier that measures distance: what cannot be found for certain is not written.

use std::borrow::Cow;

use crate::edit::fold;

/// How strictly lines were compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
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

impl Tier {
    /// Returns the word for it in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Trailing => "trailing",
            Self::Shift => "shift",
            Self::Trim => "trim",
            Self::Plain => "plain",
        }
    }
}

const TIERS: [Tier; 5] = [Tier::Exact, Tier::Trailing, Tier::Shift, Tier::Trim, Tier::Plain];
/// Most lines that are compared for a common shift before many hits are taken as they are.
const MOST_SHIFTED: usize = 2_000_000;

/// Returns where `old` is in `file`: indices of first lines, and the tier that found them.
pub(crate) fn locate(file: &[&str], old: &[&str]) -> Option<(Vec<usize>, Tier)> {
    locate_by(file, old, &TIERS)
}

/// True where `lines` are in `file`, trailing whitespace aside.
pub(crate) fn holds(file: &[&str], lines: &[&str]) -> bool {
    let strict = [Tier::Exact, Tier::Trailing];
    lines.iter().any(|line| !line.trim().is_empty()) && locate_by(file, lines, &strict).is_some()
}

fn locate_by(file: &[&str], old: &[&str], tiers: &[Tier]) -> Option<(Vec<usize>, Tier)> {
    if old.is_empty() {
        return None;
    }
    let found = tiers.iter().map(|tier| {
        let hits = match tier {
            Tier::Shift => shifted(file, old),
            other => equal_by(file, old, *other),
        };
        (hits, *tier)
    });
    found.into_iter().find(|(hits, _)| !hits.is_empty())
}

/// What is compared of a line.
pub(crate) fn key(line: &str, tier: Tier) -> Cow<'_, str> {
    match tier {
        Tier::Exact => line.into(),
        Tier::Trailing | Tier::Shift => line.trim_end().into(),
        Tier::Trim => line.trim().into(),
        Tier::Plain if line.is_ascii() => line.trim().into(),
        Tier::Plain => fold::to_plain(line).into(),
    }
}

/// Knuth, Morris and Pratt's search over lines: linear however the lines repeat.
fn equal_by(file: &[&str], old: &[&str], tier: Tier) -> Vec<usize> {
    let wanted: Vec<Cow<'_, str>> = old.iter().map(|line| key(line, tier)).collect();
    let borders = borders(&wanted);
    let border = |length: usize| length.checked_sub(1).and_then(|at| borders.get(at)).copied();
    let mut hits = Vec::new();
    let mut length = 0;
    for (at, line) in file.iter().enumerate() {
        let line = key(line, tier);
        while wanted.get(length) != Some(&line) {
            match border(length) {
                Some(shorter) => length = shorter,
                None => break,
            }
        }
        if wanted.get(length) == Some(&line) {
            length += 1;
        }
        if length == wanted.len() {
            hits.push(at + 1 - length);
            length = border(length).unwrap_or_default();
        }
    }
    hits
}

/// For each start of `keys`, the length of the longest other start that it ends with.
fn borders(keys: &[Cow<'_, str>]) -> Vec<usize> {
    let mut borders = vec![0];
    let mut length: usize = 0;
    for key in keys.iter().skip(1) {
        while length > 0 && keys.get(length) != Some(key) {
            length = borders.get(length - 1).copied().unwrap_or_default();
        }
        if keys.get(length) == Some(key) {
            length += 1;
        }
        borders.push(length);
    }
    borders
}

fn shifted(file: &[&str], old: &[&str]) -> Vec<usize> {
    if old.iter().all(|line| line.trim().is_empty()) {
        return Vec::new();
    }
    let alike = equal_by(file, old, Tier::Trim);
    if alike.len() > 1 && alike.len().saturating_mul(old.len()) > MOST_SHIFTED {
        return alike;
    }
    let window = |at: usize| file.get(at..at + old.len()).unwrap_or_default();
    let fits = |at: &usize| Shift::between(old, window(*at)).is_some();
    alike.into_iter().filter(fits).collect()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lines_that_repeat_are_found_wherever_they_are(
            file in prop::collection::vec(prop::sample::select(vec!["a", "b"]), 0..24),
            old in prop::collection::vec(prop::sample::select(vec!["a", "b"]), 1..7),
        ) {
            let windows = file.windows(old.len()).enumerate();
            let wanted: Vec<usize> = windows.filter(|(_, window)| *window == old).map(|(at, _)| at).collect();
            prop_assert_eq!(equal_by(&file, &old, Tier::Exact), wanted);
        }
    }
}
