//! How commits are written down: one file for many of them, made once and never changed. What does not read as it was
//! written is no file; commits are read again then.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    context::{
        VERSION,
        past::known::{Known, Row, Touch},
        segment::varint,
        terms::Term,
    },
    id::{CommitId, Oid},
    path::RepoPath,
};

/// How every file begins: what it is, and its version.
const HEAD: &[u8] = {
    let [hundreds, tens, ones] = VERSION;
    &[b'G', b'I', b'V', b'G', b'P', hundreds, tens, ones]
};

/// No path is longer, in bytes.
const LONGEST: usize = 1 << 16;

fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Writes down the known ones among `commits`. The same commits in the same order give the same bytes.
pub fn write(known: &Known, commits: &[CommitId]) -> Vec<u8> {
    let rows: Vec<&Row> = commits.iter().filter_map(|id| known.row(known.number(*id)?)).collect();
    let places: HashMap<CommitId, usize> = rows.iter().map(|row| row.id).zip(1..).collect();
    let terms: BTreeSet<Term> = rows
        .iter()
        .flat_map(|row| row.terms.iter().map(|(term, _)| *term))
        .collect();
    let touched = rows.iter().flat_map(|row| &row.touches);
    let paths: BTreeSet<&RepoPath> = touched
        .flat_map(|touch| [Some(touch.path), touch.was])
        .filter_map(|number| known.path(number?))
        .collect();
    let mut to = Writer::default();
    to.table_of_terms(&terms);
    to.table_of_paths(&paths);
    let terms: BTreeMap<Term, usize> = terms.into_iter().zip(0..).collect();
    let paths: HashMap<&RepoPath, usize> = paths.into_iter().zip(1..).collect();
    let path = |number: Option<u32>| {
        let path = number.and_then(|number| known.path(number));
        path.and_then(|path| paths.get(path)).copied().unwrap_or(0)
    };
    to.size(rows.len());
    let mut before = 0;
    for row in rows {
        to.id(row.id);
        to.signed(row.at.wrapping_sub(before));
        before = row.at;
        to.size(row.parents.len());
        for parent in &row.parents {
            let place = places.get(parent).copied().unwrap_or(0);
            to.size(place);
            if place == 0 {
                to.id(*parent);
            }
        }
        to.bytes(row.subject.as_bytes());
        to.number(u64::from(row.changed));
        to.size(row.touches.len());
        for touch in &row.touches {
            to.size(path(Some(touch.path)));
            to.size(path(touch.was));
        }
        to.size(row.terms.len());
        let mut last = 0;
        for (term, times) in &row.terms {
            let number = terms.get(term).copied().unwrap_or(0);
            to.size(number.wrapping_sub(last) * 2 + usize::from(*times > 1));
            last = number;
            if *times > 1 {
                to.number(u64::from(*times));
            }
        }
    }
    let mut file = HEAD.to_vec();
    file.extend_from_slice(&checksum(&to.0).to_le_bytes());
    file.extend_from_slice(&to.0);
    file
}

/// Adds the commits of a file to `known`. False where it is none, is damaged, or is of another version: then no commit
/// is added.
pub fn read(file: &[u8], known: &mut Known) -> bool {
    let Some((sum, body)) = file.strip_prefix(HEAD).and_then(|rest| rest.split_first_chunk()) else {
        return false;
    };
    if u64::from_le_bytes(*sum) != checksum(body) {
        return false;
    }
    let Some(rows) = rows(Reader(body), known) else {
        return false;
    };
    for row in rows {
        known.add_row(row);
    }
    true
}

/// Reads what the checksum has passed; `None` where it was not written by `write`.
fn rows(mut from: Reader, known: &mut Known) -> Option<Vec<Row>> {
    let terms = from.table_of_terms()?;
    let paths = from.table_of_paths()?;
    let numbers: Vec<u32> = paths.into_iter().map(|path| known.path_number(path)).collect();
    let path = |place: usize| numbers.get(place.checked_sub(1)?).copied();
    let rows = from.length()?;
    // A parent may come later than its child.
    let mut parents_of: Vec<Vec<Result<usize, CommitId>>> = Vec::new();
    let mut found: Vec<Row> = Vec::new();
    let mut before = 0_i64;
    for _ in 0..rows {
        let id = from.id()?;
        before = before.wrapping_add(from.signed()?);
        let mut parents = Vec::new();
        for _ in 0..from.length()? {
            parents.push(match from.size()? {
                0 => Err(from.id()?),
                place => Ok(place - 1),
            });
        }
        parents_of.push(parents);
        let subject = String::from_utf8(from.bytes()?.to_vec()).ok()?;
        let changed = u32::try_from(from.number()?).ok()?;
        let mut touches = Vec::new();
        for _ in 0..from.length()? {
            let now = path(from.size()?)?;
            let was = match from.size()? {
                0 => None,
                place => Some(path(place)?),
            };
            touches.push(Touch { path: now, was });
        }
        let terms = from.terms(&terms)?;
        found.push(Row {
            id,
            parents: Box::default(),
            at: before,
            subject: subject.into(),
            terms,
            length: 0,
            changed,
            touches: touches.into(),
        });
    }
    let ids: Vec<CommitId> = found.iter().map(|row| row.id).collect();
    for (row, parents) in found.iter_mut().zip(parents_of) {
        let parents = parents.into_iter().map(|parent| match parent {
            Ok(place) => ids.get(place).copied(),
            Err(id) => Some(id),
        });
        row.parents = parents.collect::<Option<_>>()?;
    }
    from.0.is_empty().then_some(found)
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        varint::put(&mut self.0, number);
    }

    fn size(&mut self, size: usize) {
        self.number(u64::try_from(size).unwrap_or(u64::MAX));
    }

    fn signed(&mut self, number: i64) {
        self.number((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn id(&mut self, id: CommitId) {
        self.bytes(id.0.as_bytes());
    }

    /// Each term as its distance from the one before.
    fn table_of_terms(&mut self, terms: &BTreeSet<Term>) {
        self.size(terms.len());
        let mut before = 0;
        for bits in terms.iter().map(|term| term.below(0)) {
            self.number(bits.wrapping_sub(before));
            before = bits;
        }
    }

    /// Each path as what it shares with the one before, and the rest of it.
    fn table_of_paths(&mut self, paths: &BTreeSet<&RepoPath>) {
        self.size(paths.len());
        let mut before: &[u8] = b"";
        for path in paths {
            let path = path.as_bytes();
            let shared = before.iter().zip(path).take_while(|(one, other)| one == other).count();
            self.size(shared);
            self.bytes(path.get(shared..).unwrap_or_default());
            before = path;
        }
    }
}

/// What is left to read. Everything gives `None` where it is not as it was written.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        varint::take(&mut self.0)
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A size of something that takes a byte or more each.
    fn length(&mut self) -> Option<usize> {
        self.size().filter(|length| *length <= self.0.len())
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.size()?;
        self.take(length)
    }

    fn id(&mut self) -> Option<CommitId> {
        Oid::from_bytes(self.bytes()?).map(CommitId)
    }

    fn table_of_terms(&mut self) -> Option<Vec<Term>> {
        let mut terms = Vec::new();
        let mut bits = 0_u64;
        for _ in 0..self.length()? {
            bits = bits.checked_add(self.number()?)?;
            let term = Term::joined(0, bits, 0);
            terms.push(Some(term).filter(|term| term.below(0) == bits)?);
        }
        Some(terms)
    }

    fn table_of_paths(&mut self) -> Option<Vec<RepoPath>> {
        let mut paths = Vec::new();
        let mut path: Vec<u8> = Vec::new();
        for _ in 0..self.length()? {
            let shared = self.size()?;
            path.truncate(shared);
            path.extend_from_slice(self.bytes()?);
            if path.is_empty() || path.len() > LONGEST {
                return None;
            }
            paths.push(RepoPath::from_git(path.clone()));
        }
        Some(paths)
    }

    /// The terms of one message, out of the table of all.
    fn terms(&mut self, table: &[Term]) -> Option<Box<[(Term, u16)]>> {
        let mut terms = Vec::new();
        let mut place = 0_usize;
        for _ in 0..self.length()? {
            let step = self.size()?;
            place = place.checked_add(step / 2)?;
            let times = match step % 2 {
                0 => 1,
                _ => u16::try_from(self.number()?).ok()?,
            };
            terms.push((*table.get(place)?, times));
        }
        Some(terms.into())
    }
}

#[cfg(test)]
mod tests;
