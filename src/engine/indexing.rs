//! Indexing: brings the index of contents up to the files that are asked about. Owns which blobs are read, by how many
//! threads, and how segments are kept, joined and thrown away.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use eyre::{Result, WrapErr as _, eyre};

use crate::{
    cache::Cache,
    context::{
        chunk::Syntax,
        digest::Digester,
        index::Index,
        kind::{self, Why},
        segment::{Broken, merge, read::Segment, write::Builder},
    },
    git::{self, Repo, objects},
    id::BlobId,
};

/// What the names of segments begin with.
const PREFIX: &str = "blobs-";

/// About how large the segments that all threads are making may be together, in bytes: while it is made, one takes ten
/// times its size of memory.
const LARGEST: usize = 12 << 20;

/// A segment of so many bytes is no small one, however many threads there are.
const LARGE: usize = 2 << 20;

/// How many segments there may be before small ones are joined.
const SEGMENTS: usize = 10;

/// Fewer blobs than these are not worth a second thread.
const ALONE: usize = 32;

/// How many times more blobs than needed are kept, of other branches and of the past.
const KEPT: u32 = 6;

/// Opens what is kept, digests what is missing, and keeps that. Returns how many blobs were read. Where nothing can be
/// kept, the index is whole all the same; a blob that cannot be read has no digest.
///
/// # Errors
/// When a thread dies, or what was just digested cannot be opened.
pub fn complete(index: &mut Index, repo: &Repo, cache: &Cache) -> Result<usize> {
    if index.is_whole() {
        return Ok(0);
    }
    open(index, cache);
    let mut read = add(index, repo, cache)?;
    if read > 0 && index.segments().count() > SEGMENTS && join(index, cache, repo.id_bytes()) {
        // What the others had may be gone meanwhile.
        read += add(index, repo, cache)?;
    }
    Ok(read)
}

/// Opens the segments that are not open yet. One that cannot be read is of no use to anybody.
fn open(index: &mut Index, cache: &Cache) {
    let known: BTreeSet<String> = index.segments().map(ToOwned::to_owned).collect();
    for name in cache.list(PREFIX).unwrap_or_default() {
        if known.contains(&name) || index.refuses(&name) {
            continue;
        }
        let Ok(Some(file)) = cache.file(&name) else { continue };
        match Segment::open(Box::new(file)) {
            Ok(segment) => index.add(&name, segment),
            Err(Broken::Io(_)) => {}
            Err(Broken::Foreign | Broken::Damaged(_) | Broken::Large) => {
                let _ = cache.remove(&name);
            }
        }
    }
}

/// Throws a damaged segment away; what is needed of it will be digested again.
pub fn forget(index: &mut Index, cache: &Cache, name: &str) {
    // Where it cannot be removed, only this index does without it.
    let _ = cache.remove(name);
    index.refuse(name);
}

/// Digests what is missing; returns how many blobs that were.
fn add(index: &mut Index, repo: &Repo, cache: &Cache) -> Result<usize> {
    let missing: Vec<(BlobId, Syntax)> = index.missing().into_iter().collect();
    let mut read = 0;
    for (name, segment) in digest(repo, cache, &missing)? {
        read += segment.blobs() as usize;
        index.add(&name, segment);
    }
    Ok(read)
}

/// Digests blobs into segments.
fn digest(repo: &Repo, cache: &Cache, missing: &[(BlobId, Syntax)]) -> Result<Vec<(String, Segment)>> {
    let threads = match missing.len() {
        0..ALONE => 1,
        _ => thread::available_parallelism().map_or(1, usize::from),
    };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let work = |repo: Repo| {
            let work = Work {
                missing,
                next: &next,
                largest: (LARGEST / threads).max(LARGE),
            };
            move || some(&repo, cache, work)
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

/// What several threads do together.
#[derive(Clone, Copy)]
struct Work<'a> {
    missing: &'a [(BlobId, Syntax)],
    /// The first of what nobody took yet.
    next: &'a AtomicUsize,
    /// About how large a segment gets before the next one is begun, in bytes.
    largest: usize,
}

/// Digests blobs until none is left, and keeps each segment when it is full: who comes after a kill goes on from there.
fn some(repo: &Repo, cache: &Cache, work: Work<'_>) -> Result<Vec<(String, Segment)>> {
    let mut digester = Digester::default();
    let (mut segments, mut builder) = (Vec::new(), Builder::default());
    while let Some((id, syntax)) = work.missing.get(work.next.fetch_add(1, Ordering::Relaxed)) {
        let pieces = match read(repo, *id, *syntax) {
            Ok(Ok(text)) => digester.digest(*syntax, &text),
            Ok(Err(_)) => Vec::new(),
            // Looked for again at the next commit, and by the next process: a fetch may bring it.
            Err(_) => continue,
        };
        builder.add(*id, *syntax, &pieces);
        if builder.size() > work.largest {
            segments.push(keep(cache, std::mem::take(&mut builder).finish(repo.id_bytes()))?);
        }
    }
    if !builder.is_empty() {
        segments.push(keep(cache, builder.finish(repo.id_bytes()))?);
    }
    Ok(segments)
}

/// Reads a blob that is read as `syntax`.
///
/// # Errors
/// Inside, why it is not fit to be read; else when it cannot be read, as where a partial clone left it out.
pub fn read(repo: &Repo, id: BlobId, syntax: Syntax) -> git::Result<Result<Vec<u8>, Why>> {
    // One that is too large is not unpacked.
    if objects::size(repo, id)? > kind::LARGE as u64 {
        return Ok(Err(Why::Large));
    }
    let text = objects::read_blob(repo, id)?;
    match kind::unfit(&text).filter(|why| *why != Why::Generated || !syntax.is_vouched_for()) {
        Some(why) => Ok(Err(why)),
        None => Ok(Ok(text)),
    }
}

/// Keeps a segment and opens it: from where it is kept, or else from memory.
fn keep(cache: &Cache, bytes: Vec<u8>) -> Result<(String, Segment)> {
    let name = cache.put(PREFIX, "", &bytes).unwrap_or_default();
    let file = cache.file(&name).ok().flatten();
    let segment = match file.and_then(|file| Segment::open(Box::new(file)).ok()) {
        Some(segment) => segment,
        None => Segment::open(Box::new(bytes)).wrap_err("opening what was just digested")?,
    };
    Ok((name, segment))
}

/// Joins segments where that is worth it, or all, without what is not needed, where that is most of it. Readers of the old
/// ones go on reading them; who digested the same meanwhile keeps it twice until the next time. True where it did.
fn join(index: &mut Index, cache: &Cache, id_bytes: usize) -> bool {
    let Ok(Some(_lock)) = cache.try_lock() else {
        return false;
    };
    let _ = cache.tidy();
    let blobs: u32 = index.open().map(|(_, segment)| segment.blobs()).sum();
    let all = blobs / KEPT <= index.totals().files;
    let mut open: Vec<(&str, &Segment)> = index.open().collect();
    open.sort_by_key(|(name, segment)| (segment.size(), *name));
    if all {
        let sizes: Vec<u64> = open.iter().map(|(_, segment)| segment.size()).collect();
        open.truncate(merge::worth(&sizes));
    }
    let segments: Vec<&Segment> = open.iter().map(|(_, segment)| *segment).collect();
    let keep = |id: &BlobId, syntax| all || index.needs(id, syntax);
    let merged = merge::merge(&segments, id_bytes, keep).ok();
    let Some(joint) = merged.and_then(|bytes| cache.put(PREFIX, "", &bytes).ok()) else {
        return false;
    };
    for (name, _) in open {
        // What all others are part of stays as it is.
        if name != joint {
            let _ = cache.remove(name);
        }
    }
    index.close();
    self::open(index, cache);
    true
}
