//! Writing a segment: digests go in, bytes come out.

use std::collections::HashMap;

use crate::{
    context::{
        chunk::Syntax,
        digest::Piece,
        segment::{CHUNK_ROW, Header, PER_FAN, check_byte, checksum, read::ChunkRow, varint},
        terms::Term,
    },
    id::BlobId,
};

/// Gathers digests for one segment.
#[derive(Default)]
pub struct Builder {
    tables: Tables,
    lists: HashMap<Term, List>,
    size: usize,
}

impl Builder {
    /// True where nothing was added.
    pub fn is_empty(&self) -> bool {
        self.tables.blobs.is_empty()
    }

    /// Returns about how many bytes the segment will have.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Adds what was digested of a blob that is read as `syntax`. A blob is added once.
    pub fn add(&mut self, id: BlobId, syntax: Syntax, pieces: &[Piece]) {
        let uses = pieces.iter().flat_map(|piece| &piece.terms);
        let defined = uses.filter(|used| used.defined).count();
        self.tables
            .begin(id, syntax, u32::try_from(defined).unwrap_or(u32::MAX));
        self.size += 40;
        for piece in pieces {
            for used in &piece.terms {
                let list = self.lists.entry(used.term).or_default();
                let before = list.bytes.len();
                list.push(self.tables.chunk, used.count, used.defined);
                self.size += list.bytes.len() - before + if before == 0 { 6 } else { 0 };
            }
            self.tables.push(row(piece));
            self.size += CHUNK_ROW;
        }
    }

    /// Returns the segment. Ids have `id_bytes` bytes, 20 or 32.
    pub fn finish(self, id_bytes: usize) -> Vec<u8> {
        let mut terms: Vec<(Term, List)> = self.lists.into_iter().collect();
        terms.sort_unstable_by_key(|(term, _)| *term);
        let mut lists = Lists::default();
        for (term, list) in terms {
            lists.push(term, &list);
        }
        finish(self.tables, &lists, id_bytes)
    }
}

fn row(piece: &Piece) -> ChunkRow {
    let short = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
    let terms = piece.terms.iter().map(|used| used.count).fold(0, u32::saturating_add);
    ChunkRow {
        terms: short(terms),
        lines: short(piece.lines),
        bytes: piece.bytes,
    }
}

/// The postings of a term, so far.
#[derive(Default)]
pub(in crate::context::segment) struct List {
    bytes: Vec<u8>,
    /// One more than the chunk that was added last.
    next: u32,
}

impl List {
    /// Adds a chunk, which comes behind those that were added.
    pub(in crate::context::segment) fn push(&mut self, chunk: u32, count: u32, defined: bool) {
        let more = count > 1;
        let delta = u64::from(chunk.saturating_sub(self.next));
        varint::put(&mut self.bytes, delta << 2 | u64::from(defined) << 1 | u64::from(more));
        if more {
            varint::put(&mut self.bytes, u64::from(count - 2));
        }
        self.next = chunk.saturating_add(1);
    }

    /// Begins anew.
    pub(in crate::context::segment) fn clear(&mut self) {
        self.bytes.clear();
        self.next = 0;
    }
}

/// What is found by blob and by chunk.
#[derive(Default)]
pub(in crate::context::segment) struct Tables {
    blobs: Vec<(BlobId, Syntax, u32)>,
    facts: Vec<u8>,
    chunks: Vec<u8>,
    text: u64,
    /// The ordinal of the chunk that comes next.
    pub(in crate::context::segment) chunk: u32,
}

impl Tables {
    /// Begins a blob; its chunks follow.
    pub(in crate::context::segment) fn begin(&mut self, id: BlobId, syntax: Syntax, defined: u32) {
        self.blobs.push((id, syntax, short(self.blobs.len())));
        self.facts.extend(self.chunk.to_le_bytes());
        self.facts.extend(defined.to_le_bytes());
    }

    /// Adds a chunk of the blob that was begun.
    pub(in crate::context::segment) fn push(&mut self, row: ChunkRow) {
        self.chunks.extend(row.terms.to_le_bytes());
        self.chunks.extend(row.lines.to_le_bytes());
        self.chunks.extend(row.bytes.to_le_bytes());
        self.text += u64::from(row.bytes);
        self.chunk = self.chunk.saturating_add(1);
    }

    fn sorted_blobs(&mut self) -> Vec<u8> {
        self.blobs.sort_unstable();
        let mut rows = Vec::new();
        for (id, syntax, ordinal) in &self.blobs {
            rows.extend(id.0.as_bytes());
            rows.push(syntax.0);
            rows.extend(ordinal.to_le_bytes());
        }
        rows
    }
}

/// What is found by term.
#[derive(Default)]
pub(in crate::context::segment) struct Lists {
    /// Terms in their order, and the bytes of their lists.
    terms: Vec<(Term, u32)>,
    postings: Vec<u8>,
}

impl Lists {
    /// Adds the list of the term that comes next, unless it is empty.
    pub(in crate::context::segment) fn push(&mut self, term: Term, list: &List) {
        if !list.bytes.is_empty() {
            self.postings.push(check_byte(&list.bytes));
            self.postings.extend_from_slice(&list.bytes);
            self.terms.push((term, short(list.bytes.len() + 1)));
        }
    }

    /// Returns the fan-out and the dictionary.
    fn dictionary(&self, header: &Header) -> (Vec<u8>, Vec<u8>) {
        let (mut fans, mut dictionary) = (Vec::new(), Vec::new());
        let mut rest = self.terms.iter().peekable();
        let mut postings = 0_u32;
        for fan in 0..=header.fans() as u64 {
            fans.extend(short(dictionary.len()).to_le_bytes());
            fans.extend(postings.to_le_bytes());
            let mut before = 0;
            while let Some((term, size)) = rest.next_if(|(term, _)| term.fan(header.fan_bits) == fan) {
                let below = term.below(header.fan_bits);
                varint::put(&mut dictionary, below - before);
                varint::put(&mut dictionary, u64::from(*size));
                before = below;
                postings = postings.saturating_add(*size);
            }
        }
        (fans, dictionary)
    }
}

/// Puts a segment together.
pub(in crate::context::segment) fn finish(mut tables: Tables, lists: &Lists, id_bytes: usize) -> Vec<u8> {
    let mut header = Header {
        id_bytes: short(id_bytes),
        fan_bits: (lists.terms.len() / PER_FAN).max(1).ilog2(),
        blobs: short(tables.blobs.len()),
        chunks: tables.chunk,
        terms: short(lists.terms.len()),
        text: tables.text,
        ..Header::default()
    };
    let (fans, dictionary) = lists.dictionary(&header);
    (header.dictionary, header.postings) = (short(dictionary.len()), short(lists.postings.len()));
    let blobs = tables.sorted_blobs();
    let sum = checksum(&[&blobs, &tables.facts, &tables.chunks, &fans]);
    let head = header.to_bytes(sum);
    let parts: [&[u8]; 7] = [
        &head,
        &blobs,
        &tables.facts,
        &tables.chunks,
        &fans,
        &dictionary,
        &lists.postings,
    ];
    parts.concat()
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
