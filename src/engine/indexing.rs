//! Indexing: brings the index of contents up to the files that are asked about. Owns which blobs are read, by how many
//! threads, and how segments are kept, joined and thrown away.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use eyre::{Result, eyre};

use crate::{
    cache::Cache,
    context::{
        chunk::Syntax,
        digest::Digester,
        index::Index,
        kind,
        segment::{merge::merge, read::Segment, write::Builder},
    },
    git::{Repo, objects},
    id::BlobId,
    read_at::ReadAt,
};

/// What the names of segments begin with.
const PREFIX: &str = "blobs-";

/// About how large a segment gets before the next one is begun, in bytes.
const LARGEST: usize = 12 << 20;

/// How many segments there may be before small ones are joined.
const SEGMENTS: usize = 10;

/// Fewer blobs than these are not worth a second thread.
const ALONE: usize = 32;

/// How many times more blobs than needed are kept, of other branches and of the past.
const KEPT: u32 = 6;

/// A segment that could not be kept, or not yet.
struct Bytes(Vec<u8>);

impl ReadAt for Bytes {
    fn len(&self) -> std::io::Result<u64> {
        ReadAt::len(self.0.as_slice())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        self.0.as_slice().read_at(at, into)
    }
}

/// Opens what is kept, digests what is missing, and keeps that. Returns how many blobs were read. Where nothing can be
/// kept, the index is whole all the same.
///
/// # Errors
/// When a blob cannot be read.
pub fn complete(index: &mut Index, repo: &Repo, cache: &Cache) -> Result<usize> {
    if index.missing().is_empty() {
        return Ok(0);
    }
    open(index, cache);
    let missing: Vec<(BlobId, Syntax)> = index.missing().into_iter().collect();
    if missing.is_empty() {
        return Ok(0);
    }
    for bytes in digest(repo, &missing)? {
        let name = cache.put(PREFIX, "", &bytes).unwrap_or_default();
        let segment = Segment::open(Box::new(Bytes(bytes))).map_err(|error| eyre!(error))?;
        index.add(&name, segment);
    }
    if index.segments().count() > SEGMENTS {
        join(index, cache, repo.id_bytes());
    }
    Ok(missing.len())
}

/// Opens the segments that are not open yet. One that cannot be read is of no use to anybody.
fn open(index: &mut Index, cache: &Cache) {
    let known: BTreeSet<String> = index.segments().map(ToOwned::to_owned).collect();
    for name in cache.list(PREFIX).unwrap_or_default() {
        if known.contains(&name) {
            continue;
        }
        let Ok(Some(file)) = cache.file(&name) else { continue };
        match Segment::open(Box::new(file)) {
            Ok(segment) => index.add(&name, segment),
            Err(_) => forget(index, cache, &name),
        }
    }
}

/// Throws a damaged segment away; what is needed of it will be digested again.
pub fn forget(index: &mut Index, cache: &Cache, name: &str) {
    // Where it cannot be removed it is found damaged again: that costs time, and nothing else.
    let _ = cache.remove(name);
    index.close();
}

/// Digests blobs into segments.
fn digest(repo: &Repo, missing: &[(BlobId, Syntax)]) -> Result<Vec<Vec<u8>>> {
    let threads = match missing.len() {
        0..ALONE => 1,
        _ => thread::available_parallelism().map_or(1, usize::from),
    };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = |repo: Repo| {
            let next = &next;
            move || some(&repo, missing, next)
        };
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work(repo.clone()))).collect();
        let mut segments = work(repo.clone())()?;
        for other in others {
            segments.extend(
                other
                    .join()
                    .map_err(|_| eyre!("a thread that reads files ended early"))??,
            );
        }
        Ok(segments)
    })
}

/// Digests blobs until none is left.
fn some(repo: &Repo, missing: &[(BlobId, Syntax)], next: &AtomicUsize) -> Result<Vec<Vec<u8>>> {
    let mut digester = Digester::default();
    let (mut segments, mut builder) = (Vec::new(), Builder::default());
    while let Some((id, syntax)) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
        let text = objects::read_blob(repo, *id)?;
        let pieces = match kind::unfit(&text) {
            Some(_) => Vec::new(),
            None => digester.digest(*syntax, &text),
        };
        builder.add(*id, *syntax, &pieces);
        if builder.size() > LARGEST {
            segments.push(std::mem::take(&mut builder).finish(repo.id_bytes()));
        }
    }
    if !builder.is_empty() {
        segments.push(builder.finish(repo.id_bytes()));
    }
    Ok(segments)
}

/// Joins small segments, and leaves out what is not needed where that is most of it. Readers of the old ones go on reading
/// them; who digested the same meanwhile keeps it twice until the next time.
fn join(index: &mut Index, cache: &Cache, id_bytes: usize) {
    let Ok(Some(_lock)) = cache.try_lock() else { return };
    let blobs: u32 = index.open().map(|(_, segment)| segment.blobs()).sum();
    let all = blobs / KEPT <= index.totals().files;
    let small = |segment: &Segment| segment.text() < 4 * LARGEST as u64;
    let (names, segments): (Vec<String>, Vec<&Segment>) = index
        .open()
        .filter(|(_, segment)| small(segment) || !all)
        .map(|(name, segment)| (name.to_owned(), segment))
        .unzip();
    let Ok(bytes) = merge(&segments, id_bytes, |id, syntax| all || index.needs(id, syntax)) else {
        return;
    };
    if segments.len() < 2 || cache.put(PREFIX, "", &bytes).is_err() {
        return;
    }
    for name in names {
        let _ = cache.remove(&name);
    }
    index.close();
    open(index, cache);
}
