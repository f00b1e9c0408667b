//! The index: which files there are, and where in the segments their digests are. Stays from query to query; a file that
//! comes, goes or changes costs as much as itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

use crate::{
    context::{
        chunk::Syntax,
        kind::Kind,
        names::Names,
        segment::{
            Broken,
            read::{ChunkRow, Segment},
        },
        terms::{Term, Terms},
    },
    id::BlobId,
    path::RepoPath,
};

/// A file, by its place in the index.
pub type FileNo = u32;

/// A chunk, by its place in all segments.
pub type ChunkNo = u32;

/// No file.
const NONE: FileNo = FileNo::MAX;

/// A file that can be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Where it lies.
    pub path: RepoPath,
    /// Its content.
    pub id: BlobId,
    /// How it is read.
    pub syntax: Syntax,
    /// What it is.
    pub kind: Kind,
}

/// What the index knows of a file.
struct Known {
    file: File,
    place: Option<Place>,
    /// Another file of the same content.
    twin: FileNo,
    /// The terms of its path.
    names: Names,
}

/// Where a digest is, and its sums.
#[derive(Clone, Copy)]
struct Place {
    part: u32,
    blob: u32,
    sums: Sums,
}

/// Sums over chunks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sums {
    /// Terms, each as often as it is there.
    pub terms: u32,
    /// Terms in names that are defined.
    pub defined: u32,
    /// Bytes.
    pub bytes: u32,
    /// Chunks.
    pub chunks: u32,
}

/// A segment, and to which files its blobs belong.
struct Part {
    name: String,
    segment: Segment,
    base: ChunkNo,
    /// The first file of each blob, or `NONE`.
    owners: Vec<FileNo>,
    /// The blob of each chunk.
    blobs: Vec<u32>,
}

/// What all files come to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Files.
    pub files: u32,
    /// Files with a digest.
    pub digested: u32,
    /// Chunks of these.
    pub chunks: u64,
    /// Their terms.
    pub terms: u64,
    /// Terms in names that they define.
    pub defined: u64,
    /// What the terms of all paths count, in tenths: sums of fractions would depend on what came and went.
    pub names: u64,
}

/// A term in a chunk of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The file.
    pub file: FileNo,
    /// The chunk.
    pub chunk: ChunkNo,
    /// How often.
    pub count: u32,
    /// Whether a name defined there has it.
    pub defined: bool,
    /// How many terms the chunk has.
    pub terms: u16,
    /// Whether another file of the same content comes first.
    pub twin: bool,
}

/// Where a chunk is in its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The chunk.
    pub chunk: ChunkNo,
    /// First line, from 1.
    pub first: u32,
    /// Last line.
    pub last: u32,
    /// Bytes.
    pub bytes: u32,
}

/// Files by a term, ascending.
#[derive(Default)]
struct FilesOf(HashMap<Term, Vec<FileNo>>);

impl FilesOf {
    fn get(&self, term: Term) -> &[FileNo] {
        self.0.get(&term).map_or(&[], Vec::as_slice)
    }

    fn put(&mut self, term: Term, file: FileNo) {
        let files = self.0.entry(term).or_default();
        if let Err(at) = files.binary_search(&file) {
            files.insert(at, file);
        }
    }

    fn remove(&mut self, term: Term, file: FileNo) {
        let Some(files) = self.0.get_mut(&term) else { return };
        if let Ok(at) = files.binary_search(&file) {
            files.remove(at);
        }
        if files.is_empty() {
            self.0.remove(&term);
        }
    }
}

/// Files and segments.
#[derive(Default)]
pub struct Index {
    parts: Vec<Part>,
    /// Names of damaged segments.
    refused: BTreeSet<String>,
    files: Vec<Option<Known>>,
    free: Vec<FileNo>,
    by_path: BTreeMap<RepoPath, FileNo>,
    by_name: FilesOf,
    by_stem: FilesOf,
    by_whole: FilesOf,
    totals: Totals,
    /// Files without a digest.
    without: BTreeSet<FileNo>,
    terms: Terms,
}

impl Index {
    /// Takes a segment in, and finds there what files have no digest yet.
    pub fn add(&mut self, name: &str, segment: Segment) {
        // Written again, it is whole.
        self.refused.remove(name);
        let base = self
            .parts
            .last()
            .map_or(0, |part| part.base + part.segment.chunks().len() as u32);
        let part = Part {
            name: name.to_owned(),
            owners: vec![NONE; segment.blobs() as usize],
            blobs: (0..segment.blobs())
                .flat_map(|blob| segment.chunks_of(blob).map(move |_| blob))
                .collect(),
            segment,
            base,
        };
        self.parts.push(part);
        let last = self.parts.len() - 1;
        let mut without = std::mem::take(&mut self.without);
        without.retain(|file| !self.place(*file, last));
        self.without = without;
    }

    /// Returns the names of the segments.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.name.as_str())
    }

    /// Lets go of all segments: files stay, without their digests.
    pub fn close(&mut self) {
        self.parts.clear();
        for (at, known) in self.files.iter_mut().enumerate() {
            if let Some(known) = known {
                (known.place, known.twin) = (None, NONE);
                self.without.insert(number(at));
            }
        }
        let Totals { files, names, .. } = self.totals;
        self.totals = Totals {
            files,
            names,
            ..Totals::default()
        };
    }

    /// Lets go of all segments, and of this damaged one for good.
    pub fn refuse(&mut self, name: &str) {
        self.refused.insert(name.to_owned());
        self.close();
    }

    /// True where the segment of this name is damaged.
    pub fn refuses(&self, name: &str) -> bool {
        self.refused.contains(name)
    }

    /// Puts a file in, in place of the one that was at its path.
    pub fn put(&mut self, file: File) {
        match self.at(&file.path) {
            Some(at) if self.file(at) == Some(&file) => return,
            Some(_) => self.remove(&file.path),
            None => {}
        }
        let names = Names::of(&mut self.terms, &file.path);
        let at = self.free.pop().unwrap_or_else(|| {
            self.files.push(None);
            number(self.files.len() - 1)
        });
        for (term, _) in &names.terms {
            self.by_name.put(*term, at);
        }
        if let Some(stem) = names.stem {
            self.by_stem.put(stem, at);
        }
        self.by_whole.put(names.whole, at);
        self.totals.files += 1;
        self.totals.names += u64::from(names.sum);
        self.by_path.insert(file.path.clone(), at);
        if let Some(slot) = self.files.get_mut(at as usize) {
            *slot = Some(Known {
                file,
                place: None,
                twin: NONE,
                names,
            });
        }
        if !(0..self.parts.len()).any(|part| self.place(at, part)) {
            self.without.insert(at);
        }
    }

    /// Takes the file at `path` out.
    pub fn remove(&mut self, path: &RepoPath) {
        let Some(at) = self.by_path.remove(path) else { return };
        let Some(known) = self.files.get_mut(at as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(at);
        self.without.remove(&at);
        self.totals.files -= 1;
        self.totals.names -= u64::from(known.names.sum);
        for (term, _) in &known.names.terms {
            self.by_name.remove(*term, at);
        }
        if let Some(stem) = known.names.stem {
            self.by_stem.remove(stem, at);
        }
        self.by_whole.remove(known.names.whole, at);
        let Some(place) = known.place else { return };
        self.count(place.sums, false);
        self.disown(place, at, known.twin);
    }

    /// Takes a file out of those that share a blob.
    fn disown(&mut self, place: Place, gone: FileNo, next: FileNo) {
        let part = self.parts.get_mut(place.part as usize);
        let Some(owner) = part.and_then(|part| part.owners.get_mut(place.blob as usize)) else {
            return;
        };
        if *owner == gone {
            *owner = next;
            return;
        }
        let mut at = *owner;
        while let Some(known) = self.files.get_mut(at as usize).and_then(Option::as_mut) {
            if known.twin == gone {
                known.twin = next;
                return;
            }
            at = known.twin;
        }
    }

    /// Looks for the digest of a file in a segment. True where it is there.
    fn place(&mut self, at: FileNo, number_of_part: usize) -> bool {
        let Some(known) = self.files.get_mut(at as usize).and_then(Option::as_mut) else {
            return false;
        };
        let Some(part) = self.parts.get_mut(number_of_part) else {
            return false;
        };
        let Some(blob) = part.segment.find(&known.file.id, known.file.syntax) else {
            return false;
        };
        let Some(owner) = part.owners.get_mut(blob as usize) else {
            return false;
        };
        let sums = sums(&part.segment, blob);
        known.twin = std::mem::replace(owner, at);
        known.place = Some(Place {
            part: number(number_of_part),
            blob,
            sums,
        });
        self.count(sums, true);
        true
    }

    fn count(&mut self, sums: Sums, comes: bool) {
        let change = |total: &mut u64, by: u32| {
            *total = if comes {
                *total + u64::from(by)
            } else {
                total.saturating_sub(u64::from(by))
            };
        };
        change(&mut self.totals.terms, sums.terms);
        change(&mut self.totals.defined, sums.defined);
        change(&mut self.totals.chunks, sums.chunks);
        self.totals.digested = if comes {
            self.totals.digested + 1
        } else {
            self.totals.digested - 1
        };
    }

    /// True where every file has its digest.
    pub fn is_whole(&self) -> bool {
        self.without.is_empty()
    }

    /// Returns what has no digest, each content once, by id.
    pub fn missing(&self) -> BTreeSet<(BlobId, Syntax)> {
        let files = self.without.iter().filter_map(|at| self.known(*at));
        files.map(|known| (known.file.id, known.file.syntax)).collect()
    }

    /// True where a file has this content.
    pub fn needs(&self, id: &BlobId, syntax: Syntax) -> bool {
        let found = self.parts.iter().find_map(|part| {
            let blob = part.segment.find(id, syntax)?;
            part.owners.get(blob as usize).copied()
        });
        found.is_some_and(|owner| owner != NONE)
    }

    /// Returns the segments, open.
    pub fn open(&self) -> impl Iterator<Item = (&str, &Segment)> {
        self.parts.iter().map(|part| (part.name.as_str(), &part.segment))
    }

    fn known(&self, at: FileNo) -> Option<&Known> {
        self.files.get(at as usize)?.as_ref()
    }

    /// Returns the file of a number.
    pub fn file(&self, at: FileNo) -> Option<&File> {
        self.known(at).map(|known| &known.file)
    }

    /// Returns the number of the file at `path`.
    pub fn at(&self, path: &RepoPath) -> Option<FileNo> {
        self.by_path.get(path).copied()
    }

    /// Returns all files by path.
    #[cfg(test)]
    pub fn files(&self) -> impl Iterator<Item = (FileNo, &File)> {
        self.by_path.values().filter_map(|at| Some((*at, self.file(*at)?)))
    }

    /// Returns the sums of a file; zeros where it has no digest.
    pub fn sums(&self, at: FileNo) -> Sums {
        let place = self.known(at).and_then(|known| known.place);
        place.map(|place| place.sums).unwrap_or_default()
    }

    /// Returns what all files come to.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Returns one more than the highest number of a file.
    pub fn numbers(&self) -> usize {
        self.files.len()
    }

    /// Returns one more than the highest number of a chunk.
    pub fn chunk_numbers(&self) -> usize {
        self.parts
            .last()
            .map_or(0, |part| part.base as usize + part.segment.chunks().len())
    }

    /// Returns the files whose path has a term: how much it counts there, and all terms of that path, in tenths.
    pub fn named(&self, term: Term) -> impl Iterator<Item = (FileNo, u32, u32)> {
        self.by_name.get(term).iter().filter_map(move |at| {
            let names = &self.known(*at)?.names;
            let count = names.terms.iter().find(|(known, _)| *known == term)?.1;
            Some((*at, count, names.sum))
        })
    }

    /// Returns the files whose name, without its suffix and what marks a test, is the term.
    pub fn of_stem(&self, term: Term) -> &[FileNo] {
        self.by_stem.get(term)
    }

    /// Returns the files whose path is `end`, or ends in it behind a `/`.
    pub fn ending_in(&self, end: &[u8]) -> impl Iterator<Item = FileNo> {
        let name = end.rsplit(|byte| *byte == b'/').next().unwrap_or(end);
        let is = move |path: &RepoPath| {
            let folder = path.as_bytes().strip_suffix(end);
            folder.is_some_and(|folder| folder.is_empty() || folder.ends_with(b"/"))
        };
        let files = self.by_whole.get(Names::whole(name)).iter().copied();
        files.filter(move |at| self.file(*at).is_some_and(|file| is(&file.path)))
    }

    /// Reads where a term is, file by file, each file's hits together.
    ///
    /// # Errors
    /// When a segment is damaged: its name is told.
    pub fn hits(&self, term: Term) -> Result<Vec<Hit>, (String, Broken)> {
        let mut hits = Vec::new();
        for part in &self.parts {
            let postings = part
                .segment
                .postings(term)
                .map_err(|error| (part.name.clone(), error))?;
            let mut rest = postings.as_slice();
            while let Some(first) = rest.first() {
                let blob = part.blobs.get(first.chunk as usize).copied().unwrap_or_default();
                let end = part.segment.chunks_of(blob).end;
                let (here, after) = rest.split_at(rest.partition_point(|posting| posting.chunk < end).max(1));
                rest = after;
                let owner = part.owners.get(blob as usize).copied().unwrap_or(NONE);
                let mut file = owner;
                while let Some(known) = self.known(file) {
                    hits.extend(here.iter().map(|posting| Hit {
                        file,
                        chunk: part.base + posting.chunk,
                        count: posting.count,
                        defined: posting.defined,
                        terms: row(&part.segment, posting.chunk).terms,
                        twin: file != owner,
                    }));
                    file = known.twin;
                }
            }
        }
        Ok(hits)
    }

    /// Returns the numbers of the chunks of a file, in its order.
    pub fn chunks(&self, at: FileNo) -> Range<ChunkNo> {
        let place = self.known(at).and_then(|known| known.place);
        let found = place.and_then(|place| Some((self.parts.get(place.part as usize)?, place.blob)));
        found.map_or(0..0, |(part, blob)| {
            let chunks = part.segment.chunks_of(blob);
            part.base + chunks.start..part.base + chunks.end
        })
    }

    /// Returns where the chunks of a file are, in its order.
    pub fn spans(&self, at: FileNo) -> Vec<Span> {
        let place = self.known(at).and_then(|known| known.place);
        let Some(part) = place.and_then(|place| self.parts.get(place.part as usize)) else {
            return Vec::new();
        };
        let mut first = 1;
        let spans = self.chunks(at).map(|chunk| {
            let row = row(&part.segment, chunk - part.base);
            let next = first + u32::from(row.lines);
            let span = Span {
                chunk,
                first,
                last: next.saturating_sub(1),
                bytes: row.bytes,
            };
            first = next;
            span
        });
        spans.collect()
    }
}

fn number(at: usize) -> FileNo {
    u32::try_from(at).unwrap_or(NONE)
}

fn row(segment: &Segment, chunk: u32) -> ChunkRow {
    segment.chunks().get(chunk as usize).copied().unwrap_or_default()
}

fn sums(segment: &Segment, blob: u32) -> Sums {
    let mut sums = Sums {
        defined: segment.defined_in(blob),
        ..Sums::default()
    };
    for chunk in segment.chunks_of(blob) {
        let row = row(segment, chunk);
        sums.terms = sums.terms.saturating_add(u32::from(row.terms));
        sums.bytes = sums.bytes.saturating_add(row.bytes);
        sums.chunks += 1;
    }
    sums
}

#[cfg(test)]
mod tests;
