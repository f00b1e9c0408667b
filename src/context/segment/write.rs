//! Writing a segment: digests go in, bytes come out.

use std::collections::HashMap;

use crate::{
    context::{
        chunk::Syntax,
        digest::Piece,
        segment::{CHUNK_ROW, FACTS_ROW, FAN_ROW, Header, PER_FAN, check_byte, checksum, varint},
        terms::Term,
    },
    id::BlobId,
};

/// Gathers digests for one segment.
#[derive(Default)]
pub struct Builder {
    blobs: Vec<(BlobId, Syntax, u32)>,
    facts: Vec<u8>,
    chunks: Vec<u8>,
    lists: HashMap<Term, List>,
    chunk: u32,
    text: u64,
    size: usize,
}

/// The postings of a term, so far.
#[derive(Default)]
struct List {
    bytes: Vec<u8>,
    /// One more than the chunk that was added last.
    next: u32,
}

impl List {
    fn push(&mut self, chunk: u32, count: u32, defined: bool) {
        let more = count > 1;
        let delta = u64::from(chunk.saturating_sub(self.next));
        varint::put(&mut self.bytes, delta << 2 | u64::from(defined) << 1 | u64::from(more));
        if more {
            varint::put(&mut self.bytes, u64::from(count - 2));
        }
        self.next = chunk.saturating_add(1);
    }
}

impl Builder {
    /// True where nothing was added.
    pub fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    /// Returns about how many bytes the segment will have.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Adds what was digested of a blob that is read as `syntax`. A blob is added once.
    pub fn add(&mut self, id: BlobId, syntax: Syntax, pieces: &[Piece]) {
        let ordinal = u32::try_from(self.blobs.len()).unwrap_or(u32::MAX);
        self.blobs.push((id, syntax, ordinal));
        self.facts.extend(self.chunk.to_le_bytes());
        let defined: usize = pieces
            .iter()
            .flat_map(|piece| &piece.terms)
            .filter(|used| used.defined)
            .count();
        self.facts
            .extend(u32::try_from(defined).unwrap_or(u32::MAX).to_le_bytes());
        self.size += 40;
        for piece in pieces {
            let terms: u32 = piece.terms.iter().map(|used| used.count).fold(0, u32::saturating_add);
            self.row(terms, piece.lines, piece.bytes);
            for used in &piece.terms {
                self.push(used.term, used.count, used.defined);
            }
            self.chunk += 1;
        }
    }

    /// Adds the row of the chunk that follows.
    fn row(&mut self, terms: u32, lines: u32, bytes: u32) {
        let short = |number: u32| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
        self.chunks.extend(short(terms));
        self.chunks.extend(short(lines));
        self.chunks.extend(bytes.to_le_bytes());
        self.text += u64::from(bytes);
        self.size += CHUNK_ROW;
    }

    fn push(&mut self, term: Term, count: u32, defined: bool) {
        let list = self.lists.entry(term).or_default();
        let before = list.bytes.len();
        list.push(self.chunk, count, defined);
        self.size += list.bytes.len() - before + if before == 0 { 6 } else { 0 };
    }

    /// Returns the segment. Ids have `id_bytes` bytes, 20 or 32.
    pub fn finish(mut self, id_bytes: usize) -> Vec<u8> {
        self.blobs.sort_unstable();
        let mut blobs = Vec::new();
        for (id, syntax, ordinal) in &self.blobs {
            blobs.extend(id.0.as_bytes());
            blobs.push(syntax.0);
            blobs.extend(ordinal.to_le_bytes());
        }
        let mut terms: Vec<(Term, List)> = self.lists.into_iter().collect();
        terms.sort_unstable_by_key(|(term, _)| *term);
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut header = Header {
            id_bytes: short(id_bytes),
            fan_bits: (terms.len() / PER_FAN).max(1).ilog2(),
            blobs: short(self.blobs.len()),
            chunks: self.chunk,
            terms: short(terms.len()),
            text: self.text,
            ..Header::default()
        };
        let parts = Parts::of(&header, &terms);
        (header.dictionary, header.postings) = (short(parts.dictionary.len()), short(parts.postings.len()));
        let sum = checksum(&[&blobs, &self.facts, &self.chunks, &parts.fan]);
        let mut bytes = header.to_bytes(sum);
        for part in [
            &blobs,
            &self.facts,
            &self.chunks,
            &parts.fan,
            &parts.dictionary,
            &parts.postings,
        ] {
            bytes.extend_from_slice(part);
        }
        debug_assert_eq!(
            self.facts.len(),
            self.blobs.len() * FACTS_ROW,
            "a row of facts for every blob"
        );
        bytes
    }
}

/// What is found by term.
#[derive(Default)]
struct Parts {
    fan: Vec<u8>,
    dictionary: Vec<u8>,
    postings: Vec<u8>,
}

impl Parts {
    fn of(header: &Header, terms: &[(Term, List)]) -> Self {
        let mut parts = Self {
            fan: Vec::with_capacity((header.fans() + 1) * FAN_ROW),
            ..Self::default()
        };
        let mut rest = terms.iter().peekable();
        for fan in 0..header.fans() as u64 {
            parts.begin_fan();
            let mut before = 0;
            while let Some((term, list)) = rest.next_if(|(term, _)| term.fan(header.fan_bits) == fan) {
                let bits = term.below(header.fan_bits);
                varint::put(&mut parts.dictionary, bits - before);
                varint::put(&mut parts.dictionary, list.bytes.len() as u64 + 1);
                before = bits;
                parts.postings.push(check_byte(&list.bytes));
                parts.postings.extend_from_slice(&list.bytes);
            }
        }
        parts.begin_fan();
        parts
    }

    fn begin_fan(&mut self) {
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
        self.fan.extend(short(self.dictionary.len()));
        self.fan.extend(short(self.postings.len()));
    }
}
