//! Rewriting a text by blocks of old and new lines: retries, elision, and which lines keep the file's bytes.
//!
//! All blocks are looked for in the text as it is before the first of them. Where old lines may be is `find`, which of
//! several places is meant is `place`; what a refusal says is up to the caller.

use similar::{Algorithm, DiffOp};

use crate::edit::{
    block::{Block, Place, Wording},
    find::{self, Shift, Tier},
    indent::Indents,
    lines::{self, Line, Splice},
    place::{Spot, Unsettled},
};

/// Most blocks that are found to fail before the others are left untried.
const MOST_MISSES: usize = 50;

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
    /// Lines are added without a line that says where.
    NoContext,
    /// This anchor is not in the file, or not after the one before it.
    Anchor(String),
    /// The old lines are before the anchors only; numbers from 1.
    BeforeAnchors(Vec<usize>),
    /// It says how the file ends, but lines follow.
    NotAtEnd,
    /// It changes lines that another block of the reply changes too.
    Overlap,
}

impl From<Unsettled> for Miss {
    fn from(unsettled: Unsettled) -> Self {
        let numbers = |hits: Vec<usize>| hits.into_iter().map(|hit| hit + 1).collect();
        match unsettled {
            Unsettled::Anchor(anchor) => Self::Anchor(anchor),
            Unsettled::BeforeAnchors(hits) => Self::BeforeAnchors(numbers(hits)),
            Unsettled::Several(hits) => Self::Often(numbers(hits)),
        }
    }
}

/// What became of a text.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    /// For each block its first line, from 1, and the tier that found it.
    pub(crate) placed: Vec<(usize, Tier)>,
    /// The lines that went and came, sorted, as indices into the old text.
    pub(crate) splices: Vec<Splice>,
}

/// Replaces the old lines of each block, found in one place, by its new lines, which end with `ending`.
///
/// # Errors
/// Returns each block that cannot be applied, by its index.
pub(crate) fn rewrite(text: &str, blocks: &[Block], ending: &str) -> Result<Rewritten, Vec<(usize, Miss)>> {
    if let [block] = blocks
        && let Some(rewritten) = at_once(text, block)
    {
        return Ok(rewritten);
    }
    line_by_line(text, blocks, ending)
}

fn line_by_line(text: &str, blocks: &[Block], ending: &str) -> Result<Rewritten, Vec<(usize, Miss)>> {
    let file = lines::split(text);
    let mut misses = Vec::new();
    let mut placed = Vec::new();
    let mut splices: Vec<(usize, Splice)> = Vec::new();
    let mut cursor = 0;
    for (nth, block) in blocks.iter().enumerate() {
        match one_block(&file, block, cursor) {
            Ok(found) if ends_elsewhere(block, found.next, &file) => misses.push((nth, Miss::NotAtEnd)),
            Ok(found) => {
                cursor = found.next;
                placed.push((found.at + 1, found.tier));
                splices.extend(found.splices.into_iter().map(|splice| (nth, splice)));
            }
            Err(miss) => misses.push((nth, miss)),
        }
        if misses.len() >= MOST_MISSES {
            break;
        }
    }
    splices.sort_by_key(|(_, splice)| (splice.at, splice.len));
    misses.extend(overlaps(&splices));
    if !misses.is_empty() {
        return Err(misses);
    }
    let splices: Vec<Splice> = splices.into_iter().map(|(_, splice)| splice).collect();
    let final_newline = blocks.iter().rev().find_map(|block| block.final_newline);
    let rewritten = lines::splice(&file, &splices, ending, final_newline);
    if rewritten == text {
        return Err(vec![(0, Miss::Same)]);
    }
    Ok(Rewritten {
        text: rewritten,
        placed,
        splices,
    })
}

/// Replaces lines that a text in LF has once, byte for byte, without splitting it: what `rewrite` does, for replies of
/// thousands of blocks. `None` for anything else.
fn at_once(text: &str, block: &Block) -> Option<Rewritten> {
    let is_plain = |part: &str| part.ends_with('\n') && !part.contains('\r');
    let Block { old, new, .. } = block;
    if !is_plain(old) || !(new.is_empty() || is_plain(new)) || block.final_newline.is_some() || text.contains('\r') {
        return None;
    }
    if block.place != Place::default() || old == new || !text.ends_with('\n') || old.trim().is_empty() {
        return None;
    }
    // The first place at the start of a line; a search for `old` itself would step over places that overlap.
    let at = match text.starts_with(old.as_str()) {
        true => 0,
        false => text.find(&format!("\n{old}"))? + 1,
    };
    let after = text.get(at + old.len()..)?;
    let first = old.split_inclusive('\n').next()?.len();
    let rest = text.get(at + first..)?;
    let is_elsewhere = rest.starts_with(old.as_str()) || rest.contains(&format!("\n{old}"));
    if is_elsewhere {
        return None;
    }
    let before = text.get(..at)?;
    let line = before.matches('\n').count();
    Some(Rewritten {
        text: [before, new, after].concat(),
        placed: vec![(line + 1, Tier::Exact)],
        splices: vec![middle(line, old, new)],
    })
}

/// What changes where `old` stands at line `at`, less the lines above and below that stay.
fn middle(at: usize, old: &str, new: &str) -> Splice {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let top = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let most = old.len().min(new.len()) - top;
    let pairs = old.iter().rev().zip(new.iter().rev());
    let bottom = pairs.take(most).take_while(|(one, other)| one == other).count();
    let came = new.iter().take(new.len() - bottom).skip(top);
    Splice {
        at: at + top,
        len: old.len() - bottom - top,
        lines: came.map(|line| (*line).to_owned()).collect(),
    }
}

/// Blocks that change the same lines, or add lines at the same place: their order is not said.
fn overlaps(splices: &[(usize, Splice)]) -> Vec<(usize, Miss)> {
    let pairs = splices.iter().zip(splices.iter().skip(1));
    let clash = pairs.filter(|((one, a), (other, b))| {
        one != other && (a.at + a.len > b.at || (a.at == b.at && a.len == 0 && b.len == 0))
    });
    clash.map(|(_, (other, _))| (*other, Miss::Overlap)).collect()
}

/// True for a hunk of a diff that says how the file ends, above other lines of it.
fn ends_elsewhere(block: &Block, next: usize, file: &[Line<'_>]) -> bool {
    block.wording == Wording::Diff && block.final_newline.is_some() && next < file.len()
}

/// A block's place and what it changes there.
struct Located {
    at: usize,
    tier: Tier,
    /// The line after it.
    next: usize,
    splices: Vec<Splice>,
}

fn one_block(file: &[Line<'_>], block: &Block, cursor: usize) -> Result<Located, Miss> {
    let old_lines = lines::split(&block.old);
    let new_lines = lines::split(&block.new);
    let (old, new) = (lines::texts(&old_lines), lines::texts(&new_lines));
    if old == new && block.final_newline.is_none() {
        return Err(Miss::Same);
    }
    if old.is_empty() {
        return appended(file, block, &new);
    }
    let is_hunk = matches!(block.wording, Wording::Diff | Wording::Patch);
    if is_hunk && old.iter().all(|line| is_blank(line)) {
        return Err(Miss::NoContext);
    }
    let texts = lines::texts(file);
    let search = Search {
        file,
        texts: &texts,
        block,
        cursor,
    };
    for (old, new, skipped) in variants(&old, &new) {
        if let Some(located) = search.at_one_place(&old, &new, skipped)? {
            return Ok(located);
        }
    }
    if old.iter().any(|line| is_elision(line)) {
        return elided(file, &old, &new);
    }
    if find::holds(&texts, &new) {
        return Err(Miss::AlreadyThere);
    }
    Err(Miss::Nowhere)
}

/// Lines that only come: at the end of the file, where the format says so or there is no other place.
fn appended(file: &[Line<'_>], block: &Block, new: &[&str]) -> Result<Located, Miss> {
    let at_end = block.wording == Wording::Patch && block.place.anchors.is_empty();
    if !(at_end || block.place.at_end || file.is_empty()) {
        return Err(Miss::NoContext);
    }
    let at = file.len();
    let lines = new.iter().map(|line| (*line).to_owned()).collect();
    Ok(Located {
        at,
        tier: Tier::Exact,
        next: at,
        splices: vec![Splice { at, len: 0, lines }],
    })
}

/// A search for one block.
struct Search<'a> {
    file: &'a [Line<'a>],
    texts: &'a [&'a str],
    block: &'a Block,
    cursor: usize,
}

impl Search<'_> {
    /// The place of `old`, of which `skipped` lines were left out at the top.
    fn at_one_place(&self, old: &[&str], new: &[&str], skipped: usize) -> Result<Option<Located>, Miss> {
        let Some((hits, tier)) = find::locate(self.texts, old) else {
            return Ok(None);
        };
        let place = Place {
            line: self.block.place.line.map(|line| line + skipped),
            ..self.block.place.clone()
        };
        let spot = Spot {
            file: self.texts,
            size: old.len(),
            place: &place,
            wording: self.block.wording,
            cursor: self.cursor,
        };
        let at = spot.settle(hits)?;
        let splices = changed(self.file, at, old, new, tier)?;
        let next = at + old.len();
        Ok(Some(Located {
            at,
            tier,
            next,
            splices,
        }))
    }
}

/// The block as it is, then without a leading blank line, without trailing ones, without both; then the same with
/// `N | ` prefixes taken away, where every old line has one.
fn variants<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Vec<&'a str>, Vec<&'a str>, usize)> {
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
        for (skipped, (old, new)) in [(0, Some((old, new))), (1, no_lead), (0, no_trail), (1, neither)]
            .into_iter()
            .filter_map(|(skipped, variant)| variant.map(|variant| (skipped, variant)))
        {
            all.push((old, new, skipped));
        }
    }
    all
}

type Pair<'a> = (Vec<&'a str>, Vec<&'a str>);

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn without_leading_blank<'a>(old: &[&'a str], new: &[&'a str]) -> Option<Pair<'a>> {
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

fn without_trailing_blanks<'a>(old: &[&'a str], new: &[&'a str]) -> Option<Pair<'a>> {
    let trailing = |lines: &[&str]| lines.iter().rev().take_while(|line| is_blank(line)).count();
    let many = trailing(old);
    if many == 0 {
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

/// Pieces between `...` lines, applied in order. A piece that changes nothing only moves on to its first place.
fn elided(file: &[Line<'_>], old: &[&str], new: &[&str]) -> Result<Located, Miss> {
    let old: Vec<&[&str]> = old.split(|line| is_elision(line)).collect();
    let new: Vec<&[&str]> = new.split(|line| is_elision(line)).collect();
    if old.len() != new.len() {
        return Err(Miss::Elision);
    }
    let texts = lines::texts(file);
    let mut splices = Vec::new();
    let mut first = None;
    let mut next = 0;
    for (old, new) in old.into_iter().zip(new) {
        if old == new {
            next = past(&texts, next, old)?;
            continue;
        }
        let rest = texts.get(next..).unwrap_or_default();
        let (hits, tier) = find::locate(rest, old).ok_or(Miss::Nowhere)?;
        let [hit] = hits.as_slice() else {
            return Err(Miss::Often(hits.iter().map(|hit| hit + next + 1).collect()));
        };
        let at = hit + next;
        splices.extend(changed(file, at, old, new, tier)?);
        first = first.or(Some((at, tier)));
        next = at + old.len();
    }
    let (at, tier) = first.ok_or(Miss::Same)?;
    Ok(Located {
        at,
        tier,
        next,
        splices,
    })
}

fn past(texts: &[&str], from: usize, piece: &[&str]) -> Result<usize, Miss> {
    if piece.is_empty() {
        return Ok(from);
    }
    let found = find::locate(texts.get(from..).unwrap_or_default(), piece);
    let hit = found.and_then(|(hits, _)| hits.first().copied());
    hit.map(|hit| from + hit + piece.len()).ok_or(Miss::Nowhere)
}

/// What changes where `old` stands at line `at`: the lines that `old` and `new` share keep their bytes, the others are
/// indented as the file is.
fn changed(file: &[Line<'_>], at: usize, old: &[&str], new: &[&str], tier: Tier) -> Result<Vec<Splice>, Miss> {
    let real = lines::texts(file.get(at..at + old.len()).unwrap_or_default());
    let adaptation = Adaptation::new(old, &real, tier).ok_or(Miss::Indentation)?;
    let mut splices = Vec::new();
    for op in similar::capture_diff_slices(Algorithm::Myers, old, new) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let came = new.get(op.new_range()).unwrap_or_default();
        let lines: Option<Vec<String>> = came.iter().map(|line| adaptation.apply(line)).collect();
        splices.push(Splice {
            at: at + op.old_range().start,
            len: op.old_range().len(),
            lines: lines.ok_or(Miss::Indentation)?,
        });
    }
    Ok(splices)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(old: &str, new: &str) -> Block {
        let (old, new) = (old.to_owned(), new.to_owned());
        Block {
            old,
            new,
            ..Block::default()
        }
    }

    #[test]
    fn a_plain_block_is_applied_at_once() {
        for (text, old, new, wanted) in [
            ("a\nb\n", "a\n", "c\n", "c\nb\n"),
            ("a\nb\nc\n", "b\nc\n", "", "a\n"),
            ("xb\nb\n", "b\n", "c\n", "xb\nc\n"),
        ] {
            assert_eq!(at_once(text, &block(old, new)).unwrap().text, wanted);
        }
    }

    #[test]
    fn other_blocks_are_not_applied_at_once() {
        for (text, old, new) in [
            ("ab\n", "a", "c\n"),
            ("a\n", "a\n", "c"),
            ("a\r\nb\n", "b\n", "c\n"),
            ("a\nb", "a\n", "c\n"),
            ("a\n\n", "\n", "c\n"),
            ("a\n", "a\n", "a\n"),
            ("a\na\n", "a\n", "c\n"),
            ("xa\n", "a\n", "c\n"),
            ("ab\nb\nb\nb\n", "b\nb\n", ""),
        ] {
            assert!(at_once(text, &block(old, new)).is_none(), "{old:?} in {text:?}");
        }
        let final_newline = Some(false);
        let ends = Block {
            final_newline,
            ..block("a\n", "c\n")
        };
        let mut named = block("a\n", "c\n");
        named.place.line = Some(1);
        assert!(at_once("a\n", &ends).is_none() && at_once("a\n", &named).is_none());
    }

    #[test]
    fn lines_around_what_changes_stay() {
        for (old, new, at, len, lines) in [
            ("a\nb\nc\n", "a\nx\ny\nc\n", 6, 1, vec!["x", "y"]),
            ("a\nb\n", "a\nx\nb\n", 6, 0, vec!["x"]),
            ("a\na\n", "a\n", 6, 1, vec![]),
            ("a\n", "a\na\n", 6, 0, vec!["a"]),
        ] {
            let lines = lines.into_iter().map(str::to_owned).collect();
            assert_eq!(middle(5, old, new), Splice { at, len, lines });
        }
    }

    fn lines() -> impl Strategy<Value = String> {
        let line = prop::sample::select(vec!["a\n", "b\n", "a\n", "b\n", "ab\n", "\n", "a\r\n", "a"]);
        prop::collection::vec(line, 0..7).prop_map(|lines| lines.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn at_once_or_line_by_line_is_the_same(
            text in lines(),
            old in lines(),
            new in lines(),
            line in prop::option::weighted(0.1, 1_usize..4),
            final_newline in prop::option::weighted(0.1, any::<bool>()),
        ) {
            let mut block = block(&old, &new);
            (block.place.line, block.final_newline) = (line, final_newline);
            if let Some(quick) = at_once(&text, &block) {
                let slow = line_by_line(&text, &[block], "\n").unwrap();
                let spliced = lines::splice(&lines::split(&text), &quick.splices, "\n", None);
                prop_assert_eq!(&quick.text, &spliced);
                prop_assert_eq!((quick.text, quick.placed), (slow.text, slow.placed));
            }
        }
    }
}
