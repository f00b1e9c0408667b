//! Reading a segment: its tables are held, dictionary and postings are read where a term needs them.

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
    fan: Vec<u8>,
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
        let held: usize = sizes.iter().sum();
        let whole = HEADER as u64 + held as u64 + u64::from(header.dictionary) + u64::from(header.postings);
        if whole != length {
            return Err(Broken::Damaged("its length is not what its header says"));
        }
        let mut at = HEADER as u64;
        let mut table = |size: usize| {
            let mut table = vec![0; size];
            bytes.read_at(at, &mut table)?;
            at += size as u64;
            Ok::<_, Broken>(table)
        };
        let [blobs, facts, chunks, fan] = sizes;
        let (blobs, facts, chunks, fan) = (table(blobs)?, table(facts)?, table(chunks)?, table(fan)?);
        if checksum(&[&blobs, &facts, &chunks, &fan]) != sum {
            return Err(Broken::Damaged("its tables do not have their checksum"));
        }
        let dictionary_at = HEADER as u64 + held as u64;
        let (mut firsts, defined): (Vec<u32>, Vec<u32>) =
            facts.as_chunks::<FACTS_ROW>().0.iter().map(two_numbers).unzip();
        firsts.push(header.chunks);
        if !firsts.is_sorted() || firsts.first().is_some_and(|first| *first != 0) {
            return Err(Broken::Damaged("its chunks are out of order"));
        }
        Ok(Self {
            bytes,
            header,
            blobs,
            firsts,
            defined,
            chunks: chunks.as_chunks().0.iter().map(chunk_row).collect(),
            fan,
            dictionary_at,
            postings_at: dictionary_at + u64::from(header.dictionary),
        })
    }

    /// Returns how many blobs it has.
    pub fn blobs(&self) -> u32 {
        self.header.blobs
    }

    /// Returns how many bytes of text it was made of.
    pub fn text(&self) -> u64 {
        self.header.text
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
    pub fn chunks_of(&self, blob: u32) -> std::ops::Range<u32> {
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

    /// Reads where a term is, in the order of chunks. Nothing comes of a term that is nowhere.
    ///
    /// # Errors
    /// When the segment cannot be read, or is damaged there.
    pub fn postings(&self, term: Term) -> Result<Vec<Posting>, Broken> {
        let Some((at, size)) = self.list(term)? else {
            return Ok(Vec::new());
        };
        let mut list = vec![0; size];
        self.bytes.read_at(self.postings_at + at, &mut list)?;
        decode(&list, self.header.chunks)
    }

    /// Finds the list of a term: where it begins in the postings, and its bytes.
    fn list(&self, term: Term) -> Result<Option<(u64, usize)>, Broken> {
        let bits = self.header.fan_bits;
        let fan = usize::try_from(term.fan(bits)).unwrap_or(usize::MAX);
        let (dictionary, mut at) = self.part(fan, self.header)?;
        let mut rest = dictionary.as_slice();
        let mut here = 0_u64;
        while !rest.is_empty() {
            let (delta, size) = entry(&mut rest)?;
            here = here.saturating_add(delta);
            if here >= term.below(bits) {
                let found = here == term.below(bits);
                let end = at.saturating_add(size);
                let within = end <= u64::from(self.header.postings);
                let size = usize::try_from(size).ok().filter(|_| within);
                return Ok(found.then_some((at, size.ok_or(Broken::Damaged("a list ends outside"))?)));
            }
            at = at.saturating_add(size);
        }
        Ok(None)
    }

    /// Reads a part of the dictionary, and says where its postings begin.
    fn part(&self, fan: usize, header: Header) -> Result<(Vec<u8>, u64), Broken> {
        let (rows, _) = self.fan.as_chunks::<FAN_ROW>();
        let row = |at: usize| rows.get(at).map(two_numbers).ok_or(Broken::Damaged("its fan-out ends"));
        let ((from, postings), (to, _)) = (row(fan)?, row(fan + 1)?);
        if from > to || to > header.dictionary {
            return Err(Broken::Damaged("its fan-out is out of order"));
        }
        let mut part = vec![0; (to - from) as usize];
        self.bytes.read_at(self.dictionary_at + u64::from(from), &mut part)?;
        Ok((part, u64::from(postings)))
    }

    /// Calls `found` with every term and its postings, in the order of terms.
    ///
    /// # Errors
    /// When the segment cannot be read, or is damaged.
    pub fn each_term(&self, mut found: impl FnMut(Term, Vec<Posting>)) -> Result<(), Broken> {
        for fan in 0..self.header.fans() {
            let (dictionary, mut at) = self.part(fan, self.header)?;
            let mut rest = dictionary.as_slice();
            let mut here = 0_u64;
            while !rest.is_empty() {
                let (delta, size) = entry(&mut rest)?;
                here = here.saturating_add(delta);
                let end = at.saturating_add(size);
                if end > u64::from(self.header.postings) {
                    return Err(Broken::Damaged("a list ends outside"));
                }
                let mut list = vec![0; usize::try_from(size).unwrap_or_default()];
                self.bytes.read_at(self.postings_at + at, &mut list)?;
                found(
                    Term::joined(fan as u64, here, self.header.fan_bits),
                    decode(&list, self.header.chunks)?,
                );
                at = end;
            }
        }
        Ok(())
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

/// Takes an entry of the dictionary: the bits of a term less those of the one before, and the bytes of its list.
fn entry(rest: &mut &[u8]) -> Result<(u64, u64), Broken> {
    let entry = varint::take(rest).and_then(|delta| Some((delta, varint::take(rest)?)));
    entry.ok_or(Broken::Damaged("an entry of the dictionary is cut"))
}

fn decode(list: &[u8], chunks: u32) -> Result<Vec<Posting>, Broken> {
    let (check, mut rest) = list.split_first().ok_or(Broken::Damaged("a list is empty"))?;
    if *check != check_byte(rest) {
        return Err(Broken::Damaged("a list does not have its check byte"));
    }
    let mut postings = Vec::with_capacity(rest.len() / 2);
    let mut next = 0_u64;
    while !rest.is_empty() {
        let cut = Broken::Damaged("a posting is cut");
        let Some(first) = varint::take(&mut rest) else {
            return Err(cut);
        };
        let count = match first & 1 {
            0 => 1,
            _ => varint::take(&mut rest).ok_or(cut)?.saturating_add(2),
        };
        let chunk = next.saturating_add(first >> 2);
        if chunk >= u64::from(chunks) {
            return Err(Broken::Damaged("a posting is of no chunk"));
        }
        postings.push(Posting {
            chunk: u32::try_from(chunk).unwrap_or(u32::MAX),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            defined: first & 2 != 0,
        });
        next = chunk + 1;
    }
    Ok(postings)
}
