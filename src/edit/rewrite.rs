//! Rewriting a text by one block of old and new lines: retries, elision, and which lines keep the file's bytes.
//!
//! Where old lines may be is `find`; what a refusal says is up to the caller.

use std::borrow::Cow;

use similar::{Algorithm, DiffOp};

use crate::edit::{
    find::{self, Found, Shift, Tier},
    indent::Indents,
    lines::{self, Line, Splice},
};

/// Why a block could not be applied to a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Miss {
    /// Old and new lines are the same, or the text is the same afterwards.
    Same,
    /// The old lines are nowhere.
    Nowhere,
    /// The new lines are there, the old ones are nowhere.
    AlreadyThere,
    /// The old lines start at several lines; numbers from 1.
    Often(Vec<usize>),
    /// Only the indentation differs, and what the new lines' should be is not settled.
    Indentation,
    /// The `...` lines of both parts are not as many.
    Elision,
}

/// Replaces the lines of `old`, found in `text` in one place, by those of `new`.
pub(crate) fn rewrite(text: &str, old: &str, new: &str) -> Result<String, Miss> {
    let file = lines::split(text);
    let old_lines = lines::split(old);
    let new_lines = lines::split(new);
    let (old, new) = (lines::texts(&old_lines), lines::texts(&new_lines));
    if old == new {
        return Err(Miss::Same);
    }
    let splices = splices(&file, &old, &new)?;
    let rewritten = lines::splice(&file, &splices);
    if rewritten == text {
        return Err(Miss::Same);
    }
    Ok(rewritten)
}

fn splices(file: &[Line<'_>], old: &[&str], new: &[&str]) -> Result<Vec<Splice>, Miss> {
    for (old, new) in variants(old, new) {
        let (old, new) = (as_strs(&old), as_strs(&new));
        if let Some((splice, _)) = one_splice(file, 0, &old, &new)? {
            return Ok(vec![splice]);
        }
    }
    if old.iter().any(|line| is_elision(line)) {
        return elided(file, old, new);
    }
    if find::holds(&lines::texts(file), new) {
        return Err(Miss::AlreadyThere);
    }
    Err(Miss::Nowhere)
}

type Texts<'a> = Vec<Cow<'a, str>>;

fn as_strs<'a>(texts: &'a Texts<'_>) -> Vec<&'a str> {
    texts.iter().map(AsRef::as_ref).collect()
}

/// The block as it is, then without a leading blank line, without trailing ones, without both; then the same with
/// `N | ` prefixes taken away, where every old line has one.
fn variants<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Texts<'a>, Texts<'a>)> {
    let mut all = Vec::new();
    let unnumbered = without_numbers(old).map(|old| {
        let new: Vec<&str> = new.iter().map(|line| without_number(line).unwrap_or(line)).collect();
        (old, new)
    });
    for (old, new) in [Some((old.to_vec(), new.to_vec())), unnumbered].into_iter().flatten() {
        let no_lead = without_leading_blank(&old, &new);
        let no_trail = without_trailing_blanks(&old, &new);
        let neither = no_lead
            .as_ref()
            .and_then(|(old, new)| without_trailing_blanks(old, new));
        all.extend([Some((old, new)), no_lead, no_trail, neither].into_iter().flatten());
    }
    let owned = |lines: Vec<&'a str>| lines.into_iter().map(Cow::Borrowed).collect();
    all.into_iter().map(|(old, new)| (owned(old), owned(new))).collect()
}

type Block<'a> = (Vec<&'a str>, Vec<&'a str>);

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn without_leading_blank<'a>(old: &[&'a str], new: &[&'a str]) -> Option<Block<'a>> {
    let (first, rest) = old.split_first()?;
    if !is_blank(first) || rest.iter().all(|line| is_blank(line)) {
        return None;
    }
    let new = match new.split_first() {
        Some((first, rest)) if is_blank(first) => rest,
        _ => new,
    };
    Some((rest.to_vec(), new.to_vec()))
}

fn without_trailing_blanks<'a>(old: &[&'a str], new: &[&'a str]) -> Option<Block<'a>> {
    let trailing = |lines: &[&str]| lines.iter().rev().take_while(|line| is_blank(line)).count();
    let many = trailing(old);
    if many == 0 || many == old.len() {
        return None;
    }
    let cut = |lines: &[&'a str], many: usize| lines.iter().take(lines.len() - many).copied().collect();
    Some((cut(old, many), cut(new, many.min(trailing(new)))))
}

fn without_numbers<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let bare: Option<Vec<&str>> = lines.iter().map(|line| without_number(line)).collect();
    bare.filter(|bare| !bare.is_empty())
}

/// Returns the rest of `  12 | rest`.
fn without_number(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once('|')?;
    let number = number.trim();
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    is_number.then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

fn is_elision(line: &str) -> bool {
    line.trim() == "..."
}

/// The splice for a block looked for from line `from` on, with the index of the line after it.
fn one_splice(file: &[Line<'_>], from: usize, old: &[&str], new: &[&str]) -> Result<Option<(Splice, usize)>, Miss> {
    let texts = lines::texts(file.get(from..).unwrap_or_default());
    match find::locate(&texts, old) {
        Found::Nowhere => Ok(None),
        Found::Often(hits) => Err(Miss::Often(hits.iter().map(|hit| hit + from + 1).collect())),
        Found::Once(hit, tier) => {
            let at = hit + from;
            let window = file.get(at..at + old.len()).unwrap_or_default();
            let lines = replacement(window, old, new, tier).ok_or(Miss::Indentation)?;
            let len = old.len();
            Ok(Some((Splice { at, len, lines }, at + len)))
        }
    }
}

/// Pieces between `...` lines, applied in order. A piece that changes nothing only moves on to its first place.
fn elided(file: &[Line<'_>], old: &[&str], new: &[&str]) -> Result<Vec<Splice>, Miss> {
    let old: Vec<&[&str]> = old.split(|line| is_elision(line)).collect();
    let new: Vec<&[&str]> = new.split(|line| is_elision(line)).collect();
    if old.len() != new.len() {
        return Err(Miss::Elision);
    }
    let mut splices = Vec::new();
    let mut from = 0;
    for (old, new) in old.into_iter().zip(new) {
        if old == new {
            from = past(file, from, old)?;
            continue;
        }
        let (splice, next) = one_splice(file, from, old, new)?.ok_or(Miss::Nowhere)?;
        splices.push(splice);
        from = next;
    }
    Ok(splices)
}

fn past(file: &[Line<'_>], from: usize, piece: &[&str]) -> Result<usize, Miss> {
    if piece.is_empty() {
        return Ok(from);
    }
    let texts = lines::texts(file.get(from..).unwrap_or_default());
    let hit = match find::locate(&texts, piece) {
        Found::Nowhere => None,
        Found::Once(hit, _) => Some(hit),
        Found::Often(hits) => hits.first().copied(),
    };
    hit.map(|hit| from + hit + piece.len()).ok_or(Miss::Nowhere)
}

/// The lines that come: those that `old` and `new` share keep the bytes of `window`, the others are indented as the
/// file is. `None` where their indentation is not settled.
fn replacement(window: &[Line<'_>], old: &[&str], new: &[&str], tier: Tier) -> Option<Vec<(String, String)>> {
    let real = lines::texts(window);
    let adaptation = Adaptation::new(old, &real, tier)?;
    let mut lines = Vec::with_capacity(new.len());
    for op in similar::capture_diff_slices(Algorithm::Myers, old, new) {
        if let DiffOp::Equal { old_index, len, .. } = op {
            let kept = window.iter().skip(old_index).take(len);
            lines.extend(kept.map(|line| (line.text.to_owned(), line.ending.to_owned())));
            continue;
        }
        for line in new.get(op.new_range()).unwrap_or_default() {
            lines.push((adaptation.apply(line)?, String::new()));
        }
    }
    Some(lines)
}

/// What makes a new line fit where the block was found.
enum Adaptation<'a> {
    Verbatim,
    Shift(Shift<'a>),
    Indents(Indents<'a>),
}

impl<'a> Adaptation<'a> {
    fn new(old: &[&'a str], real: &[&'a str], tier: Tier) -> Option<Self> {
        Some(match tier {
            Tier::Exact | Tier::Trailing => Self::Verbatim,
            Tier::Shift => Self::Shift(Shift::between(old, real)?),
            Tier::Trim | Tier::Plain => Self::Indents(Indents::learn(old, real)),
        })
    }

    fn apply(&self, line: &str) -> Option<String> {
        match self {
            Self::Verbatim => Some(line.to_owned()),
            Self::Shift(shift) => shift.apply(line),
            Self::Indents(indents) => indents.apply(line),
        }
    }
}
