//! Merging segments: several small ones become one, and blobs that nobody needs any more are left out.

use std::collections::HashSet;

use crate::{
    context::{
        chunk::Syntax,
        segment::{
            Broken,
            read::{Posting, Segment},
            scan::Scan,
            write::{List, Lists, Tables, finish},
        },
        terms::Term,
    },
    id::{BlobId, Oid},
};

/// A chunk that is left out.
const NONE: u32 = u32::MAX;

/// How many times larger than all smaller ones together a segment may be that is joined with them.
const FAR: u64 = 4;

/// Returns how many of the smallest segments are worth joining, their `sizes` being sorted: a large one is not written
/// again for a few small ones.
pub fn worth(sizes: &[u64]) -> usize {
    let (mut worth, mut sum) = (0, 0_u64);
    for (size, count) in sizes.iter().zip(1..) {
        if count > 1 && *size <= sum.saturating_mul(FAR) {
            worth = count;
        }
        sum = sum.saturating_add(*size);
    }
    worth
}

/// Makes one segment of several: the bytes that adding their blobs in this order would give. A blob that is in two of them
/// is taken once; those that `keep` says no to are left out. Costs memory for what it returns, twice.
///
/// # Errors
/// When one of them cannot be read, or together they would be larger than 4 GiB.
pub fn merge(
    segments: &[&Segment],
    id_bytes: usize,
    keep: impl Fn(&BlobId, Syntax) -> bool,
) -> Result<Vec<u8>, Broken> {
    // Numbers of chunks grow, and with them what a posting takes.
    let size = segments
        .iter()
        .fold(0_u64, |size, segment| size.saturating_add(segment.size()));
    if size > u64::from(u32::MAX) / 2 {
        return Err(Broken::Large);
    }
    let mut seen = HashSet::new();
    let mut tables = Tables::default();
    let mut sources = Vec::new();
    for segment in segments {
        let mut wanted = |id: &BlobId, syntax| keep(id, syntax) && seen.insert((*id, syntax));
        let chunks = take_blobs(&mut tables, segment, id_bytes, &mut wanted)?;
        sources.push(Source::of(segment, chunks)?);
    }
    let mut lists = Lists::default();
    let (mut list, mut found) = (List::default(), Vec::new());
    while let Some(term) = sources.iter().filter_map(|source| source.term).min() {
        list.clear();
        for source in sources.iter_mut().filter(|source| source.term == Some(term)) {
            source.take(&mut list, &mut found)?;
        }
        lists.push(term, &list);
    }
    Ok(finish(tables, &lists, id_bytes))
}

/// Adds blobs of a segment in their order; returns which chunk becomes which.
fn take_blobs(
    tables: &mut Tables,
    segment: &Segment,
    id_bytes: usize,
    wanted: &mut impl FnMut(&BlobId, Syntax) -> bool,
) -> Result<Vec<u32>, Broken> {
    let mut blobs = Vec::with_capacity(segment.blobs() as usize);
    segment.each_blob(|id, syntax, ordinal| blobs.push((ordinal, Oid::from_bytes(id).map(BlobId), syntax)));
    blobs.sort_unstable();
    let mut chunks = vec![NONE; segment.chunks().len()];
    for (ordinal, id, syntax) in blobs {
        let id = id
            .filter(|id| id.0.as_bytes().len() == id_bytes)
            .ok_or(Broken::Foreign)?;
        if !wanted(&id, syntax) {
            continue;
        }
        tables.begin(id, syntax, segment.defined_in(ordinal));
        let range = segment.chunks_of(ordinal);
        let range = range.start as usize..range.end as usize;
        let rows = segment.chunks().get(range.clone()).unwrap_or_default();
        for (row, chunk) in rows.iter().zip(chunks.get_mut(range).unwrap_or_default()) {
            *chunk = tables.chunk;
            tables.push(*row);
        }
    }
    Ok(chunks)
}

/// A segment that is being merged.
struct Source<'a> {
    scan: Scan<'a>,
    term: Option<Term>,
    /// What each of its chunks is in the new segment.
    chunks: Vec<u32>,
}

impl<'a> Source<'a> {
    fn of(segment: &'a Segment, chunks: Vec<u32>) -> Result<Self, Broken> {
        let mut scan = Scan::of(segment);
        let term = scan.advance()?;
        Ok(Self { scan, term, chunks })
    }

    /// Adds the postings of its term to `list`, and goes on to the next.
    fn take(&mut self, list: &mut List, found: &mut Vec<Posting>) -> Result<(), Broken> {
        self.scan.postings(found)?;
        for posting in found {
            let chunk = self.chunks.get(posting.chunk as usize).copied().unwrap_or(NONE);
            if chunk != NONE {
                list.push(chunk, posting.count, posting.defined);
            }
        }
        self.term = self.scan.advance()?;
        Ok(())
    }
}
