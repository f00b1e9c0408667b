//! Reading a segment: its tables are held, dictionary and postings are read where a term needs them.

use std::ops::Range;

use crate::{
    context::{
        chunk::Syntax,
        segment::{Broken, FACTS_ROW, FAN_ROW, HEADER, Header, check_byte, checksum, varint},
        terms::Term,
    },
    id::BlobId,
    read_at::ReadAt,
};

/// An open segment.
pub struct Segment {
    bytes: Box<dyn ReadAt + Send + Sync>,
    header: Header,
    /// Rows sorted by id and syntax.
    blobs: Vec<u8>,
    /// The first chunk of each blob, and the end of the last.
    firsts: Vec<u32>,
    /// Terms in names that each blob defines.
    defined: Vec<u32>,
    chunks: Vec<ChunkRow>,
    fan: Vec<(u32, u32)>,
    dictionary_at: u64,
    postings_at: u64,
}

/// What is kept of a chunk beside its terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChunkRow {
    /// How many terms it has, each as often as it is there; 65,535 may be more.
    pub terms: u16,
    /// How many lines.
    pub lines: u16,
    /// How many bytes.
    pub bytes: u32,
}

/// A term in a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    /// The chunk, by its ordinal in the segment.
    pub chunk: u32,
    /// How often the term is there.
    pub count: u32,
    /// Whether a name that the chunk defines has it.
    pub defined: bool,
}

impl Segment {
    /// Opens a segment and reads its tables.
    ///
    /// # Errors
    /// When it is none, of another version, or damaged.
    pub fn open(bytes: Box<dyn ReadAt + Send + Sync>) -> Result<Self, Broken> {
        let length = bytes.len()?;
        let mut head = vec![0; HEADER];
        if length < HEADER as u64 {
            return Err(Broken::Foreign);
        }
        bytes.read_at(0, &mut head)?;
        let (header, sum) = Header::from_bytes(&head).ok_or(Broken::Foreign)?;
        let sizes = header.tables();
        let mut at = HEADER as u64;
        let dictionary_at = at + sizes.iter().sum::<u64>();
        let postings_at = dictionary_at + u64::from(header.dictionary);
        if postings_at + u64::from(header.postings) != length {
            return Err(Broken::Damaged("its length is not what its header says"));
        }
        let mut table = |size: u64| {
            let mut table = vec![0; usize::try_from(size).unwrap_or_default()];
            bytes.read_at(at, &mut table)?;
            at += size;
            Ok::<_, Broken>(table)
        };
        let [blobs, facts, chunks, fan] = sizes;
        let (blobs, facts, chunks, fan) = (table(blobs)?, table(facts)?, table(chunks)?, table(fan)?);
        // A fuzzer would never get past it.
        if checksum(&[&blobs, &facts, &chunks, &fan]) != sum && !cfg!(fuzzing) {
            return Err(Broken::Damaged("its tables do not have their checksum"));
        }
        let facts = facts.as_chunks::<FACTS_ROW>().0.iter().map(two_numbers);
        let (mut firsts, defined): (Vec<u32>, Vec<u32>) = facts.unzip();
        firsts.push(header.chunks);
        let chunks: Vec<ChunkRow> = chunks.as_chunks().0.iter().map(chunk_row).collect();
        let lines: u64 = chunks.iter().map(|row| u64::from(row.lines)).sum();
        if !firsts.is_sorted() || firsts.first() != Some(&0) || lines > u64::from(u32::MAX) {
            return Err(Broken::Damaged("its chunks are out of order"));
        }
        let fan: Vec<(u32, u32)> = fan.as_chunks::<FAN_ROW>().0.iter().map(two_numbers).collect();
        let is_sorted = fan.is_sorted_by(|one, next| one.0 <= next.0 && one.1 <= next.1);
        let ends = (fan.first(), fan.last());
        if !is_sorted || ends != (Some(&(0, 0)), Some(&(header.dictionary, header.postings))) {
            return Err(Broken::Damaged("its fan-out is out of order"));
        }
        Ok(Self {
            bytes,
            header,
            blobs,
            firsts,
            defined,
            chunks,
            fan,
            dictionary_at,
            postings_at,
        })
    }

    /// Returns how many blobs it has.
    pub fn blobs(&self) -> u32 {
        self.header.blobs
    }

    /// Returns how many bytes it has itself.
    pub fn size(&self) -> u64 {
        self.postings_at + u64::from(self.header.postings)
    }

    /// Returns the ordinal of a blob that is read as `syntax`.
    pub fn find(&self, id: &BlobId, syntax: Syntax) -> Option<u32> {
        let wanted = (id.0.as_bytes(), syntax.0);
        let (mut from, mut to) = (0, self.header.blobs as usize);
        while from < to {
            let middle = usize::midpoint(from, to);
            let (key, ordinal) = self.blob_row(middle)?;
            match key.cmp(&wanted) {
                std::cmp::Ordering::Equal => return Some(ordinal),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    fn blob_row(&self, at: usize) -> Option<((&[u8], u8), u32)> {
        let size = self.header.blob_row();
        let row = self.blobs.get(at.checked_mul(size)?..)?.get(..size)?;
        let (id, rest) = row.split_at_checked(self.header.id_bytes as usize)?;
        let (syntax, ordinal) = rest.split_first()?;
        Some(((id, *syntax), u32::from_le_bytes(*ordinal.first_chunk()?)))
    }

    /// Calls `found` with the id, the syntax and the ordinal of every blob, by id.
    pub fn each_blob(&self, mut found: impl FnMut(&[u8], Syntax, u32)) {
        for at in 0..self.header.blobs as usize {
            if let Some(((id, syntax), ordinal)) = self.blob_row(at) {
                found(id, Syntax(syntax), ordinal);
            }
        }
    }

    /// Returns the chunks of a blob, by their ordinals in the segment.
    pub fn chunks_of(&self, blob: u32) -> Range<u32> {
        let at = blob as usize;
        match (self.firsts.get(at), self.firsts.get(at + 1)) {
            (Some(first), Some(end)) => *first..*end,
            _ => 0..0,
        }
    }

    /// Returns how many terms names that a blob defines have.
    pub fn defined_in(&self, blob: u32) -> u32 {
        self.defined.get(blob as usize).copied().unwrap_or_default()
    }

    /// Returns what is kept of each chunk, by ordinal.
    pub fn chunks(&self) -> &[ChunkRow] {
        &self.chunks
    }

    /// Returns how many chunks it has.
    pub fn chunk_count(&self) -> u32 {
        self.header.chunks
    }

    /// Reads where a term is, in the order of chunks. Nothing comes of a term that is nowhere.
    ///
    /// # Errors
    /// When the segment cannot be read, or is damaged there.
    pub fn postings(&self, term: Term) -> Result<Vec<Posting>, Broken> {
        let mut found = Vec::new();
        if let Some(at) = self.list(term)? {
            let mut list = vec![0; (at.end - at.start) as usize];
            self.read_postings(at.start, &mut list)?;
            decode(&list, self.header.chunks, &mut found)?;
        }
        Ok(found)
    }

    /// Finds the list of a term in the postings.
    fn list(&self, term: Term) -> Result<Option<Range<u32>>, Broken> {
        let fan = usize::try_from(term.fan(self.header.fan_bits)).unwrap_or(usize::MAX);
        let (dictionary, _) = self.parts(fan..fan.saturating_add(1))?;
        let mut part = self.part(fan, &dictionary)?;
        while let Some((here, list)) = part.advance()? {
            if here >= term {
                return Ok((here == term).then_some(list));
            }
        }
        Ok(None)
    }

    /// Returns how many parts the fan-out has.
    pub(in crate::context::segment) fn fans(&self) -> usize {
        self.header.fans()
    }

    /// Reads the dictionary of some parts, and says where their postings are.
    pub(in crate::context::segment) fn parts(&self, fans: Range<usize>) -> Result<(Dictionary, Range<u32>), Broken> {
        let ends = (self.fan.get(fans.start), self.fan.get(fans.end));
        let (Some((from, first)), Some((to, end))) = ends else {
            return Err(Broken::Damaged("its fan-out ends"));
        };
        let mut bytes = vec![0; to.saturating_sub(*from) as usize];
        self.bytes.read_at(self.dictionary_at + u64::from(*from), &mut bytes)?;
        Ok((Dictionary { bytes, at: *from }, *first..*end))
    }

    /// Returns the terms of one part, which is in `dictionary`.
    pub(in crate::context::segment) fn part<'a>(
        &self,
        fan: usize,
        dictionary: &'a Dictionary,
    ) -> Result<Part<'a>, Broken> {
        let ends = (self.fan.get(fan), self.fan.get(fan.saturating_add(1)));
        let (Some((from, first)), Some((to, end))) = ends else {
            return Err(Broken::Damaged("its fan-out ends"));
        };
        let place = |at: u32| at.saturating_sub(dictionary.at) as usize;
        Ok(Part {
            rest: dictionary.bytes.get(place(*from)..place(*to)).unwrap_or_default(),
            fan: fan as u64,
            bits: self.header.fan_bits,
            below: None,
            lists: *first..*end,
        })
    }

    /// Fills `into` with postings from `at` on.
    pub(in crate::context::segment) fn read_postings(&self, at: u32, into: &mut [u8]) -> Result<(), Broken> {
        Ok(self.bytes.read_at(self.postings_at + u64::from(at), into)?)
    }
}

/// Some of the dictionary.
pub(in crate::context::segment) struct Dictionary {
    bytes: Vec<u8>,
    at: u32,
}

/// The terms that have the same first bits.
pub(in crate::context::segment) struct Part<'a> {
    rest: &'a [u8],
    fan: u64,
    bits: u32,
    /// The other bits of the term before.
    below: Option<u64>,
    /// The lists of those that follow.
    lists: Range<u32>,
}

impl Part<'_> {
    /// Goes on to the next term, and returns where its list is.
    pub(in crate::context::segment) fn advance(&mut self) -> Result<Option<(Term, Range<u32>)>, Broken> {
        if self.rest.is_empty() {
            let all = self.lists.is_empty();
            return if all {
                Ok(None)
            } else {
                Err(Broken::Damaged("lists of no term"))
            };
        }
        let entry = varint::take(&mut self.rest).zip(varint::take(&mut self.rest));
        let (delta, size) = entry.ok_or(Broken::Damaged("an entry of the dictionary is cut"))?;
        let below = self.below.map_or(Some(delta), |before| before.checked_add(delta));
        let below = below.filter(|below| Term::holds(*below, self.bits) && (delta > 0 || self.below.is_none()));
        let end = u32::try_from(size)
            .ok()
            .and_then(|size| self.lists.start.checked_add(size));
        let (Some(below), Some(end)) = (below, end.filter(|end| *end <= self.lists.end)) else {
            return Err(Broken::Damaged("an entry of the dictionary is out of order"));
        };
        let list = self.lists.start..end;
        (self.below, self.lists.start) = (Some(below), end);
        Ok(Some((Term::joined(self.fan, below, self.bits), list)))
    }
}

fn two_numbers(row: &[u8; 8]) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = *row;
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

fn chunk_row(row: &[u8; 8]) -> ChunkRow {
    let [a, b, c, d, e, f, g, h] = *row;
    ChunkRow {
        terms: u16::from_le_bytes([a, b]),
        lines: u16::from_le_bytes([c, d]),
        bytes: u32::from_le_bytes([e, f, g, h]),
    }
}

/// Reads a list of postings into `found`.
pub(in crate::context::segment) fn decode(list: &[u8], chunks: u32, found: &mut Vec<Posting>) -> Result<(), Broken> {
    let (check, mut rest) = list.split_first().ok_or(Broken::Damaged("a list is empty"))?;
    if *check != check_byte(rest) {
        return Err(Broken::Damaged("a list does not have its check byte"));
    }
    found.clear();
    found.reserve(rest.len() / 2);
    let mut next = 0_u64;
    while !rest.is_empty() {
        let first = varint::take(&mut rest);
        let more = match first {
            Some(first) if first & 1 != 0 => varint::take(&mut rest).map(|more| more.saturating_add(2)),
            _ => Some(1),
        };
        let (Some(first), Some(count)) = (first, more) else {
            return Err(Broken::Damaged("a posting is cut"));
        };
        let chunk = next.saturating_add(first >> 2);
        next = chunk.saturating_add(1);
        let chunk = u32::try_from(chunk).ok().filter(|chunk| *chunk < chunks);
        found.push(Posting {
            chunk: chunk.ok_or(Broken::Damaged("a posting is of no chunk"))?,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            defined: first & 2 != 0,
        });
    }
    Ok(())
}
