//! Segments: digests of many blobs as one immutable run of bytes, by term. A segment is read by positions; only its
//! tables of blobs and chunks are held.
//!
//! Owns the format, which `docs/formats.md` describes. Little-endian; a *varint* has seven bits a byte, the lowest first.
//!
//! ```text
//! header      magic, version, sizes, checksum of the tables
//! blobs       sorted: id, syntax, ordinal
//! facts       by ordinal: first chunk, terms in defined names
//! chunks      terms, lines, bytes
//! fan-out     by the first bits of a term: where its part of the dictionary and of the postings begins
//! dictionary  terms of one part, sorted: rest of the bits less the one before, bytes of its postings
//! postings    a check byte; chunks: (ordinal less the one before) << 2 | defined << 1 | more; where more: count - 2
//! ```

pub mod merge;
pub mod read;
pub mod scan;
pub mod varint;
pub mod write;

use std::io;

use crate::context::VERSION;

/// The first bytes of a segment: what it is, and its version.
const MAGIC: &[u8; 8] = {
    let [hundreds, tens, ones] = VERSION;
    &[b'G', b'I', b'V', b'G', b'X', hundreds, tens, ones]
};

/// Bytes of the header: magic, ten numbers of four bytes, a checksum of eight.
const HEADER: usize = 8 + 4 * 10 + 8;

/// About how many terms have the same first bits.
const PER_FAN: usize = 16;

/// Bytes of a chunk's row.
const CHUNK_ROW: usize = 8;

/// Bytes of a blob's facts.
const FACTS_ROW: usize = 8;

/// Bytes of a row of the fan-out.
const FAN_ROW: usize = 8;

/// Why some bytes cannot be read as a segment.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It is none, or of another version.
    #[error("not a segment of this version")]
    Foreign,
    /// Its content does not hold together.
    #[error("the segment is damaged: {0}")]
    Damaged(&'static str),
    /// Merged, they would not fit into one.
    #[error("the segments are too large for one")]
    Large,
    /// It could not be read.
    #[error("reading the segment")]
    Io(#[from] io::Error),
}

/// What the header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Header {
    /// Bytes of an id, 20 or 32.
    id_bytes: u32,
    /// How many bits of a term choose its part of the fan-out.
    fan_bits: u32,
    blobs: u32,
    chunks: u32,
    terms: u32,
    /// Bytes of the dictionary.
    dictionary: u32,
    /// Bytes of the postings.
    postings: u32,
    /// Bytes of text that was digested.
    text: u64,
    reserved: u32,
}

impl Header {
    fn to_bytes(self, checksum: u64) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for number in [
            self.id_bytes,
            self.fan_bits,
            self.blobs,
            self.chunks,
            self.terms,
            self.dictionary,
            self.postings,
            self.reserved,
        ] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.text.to_le_bytes());
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<(Self, u64)> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut number = || {
            let (first, after) = rest.split_first_chunk::<4>()?;
            rest = after;
            Some(u32::from_le_bytes(*first))
        };
        let header = Self {
            id_bytes: number()?,
            fan_bits: number()?,
            blobs: number()?,
            chunks: number()?,
            terms: number()?,
            dictionary: number()?,
            postings: number()?,
            reserved: number()?,
            text: u64::from(number()?) | u64::from(number()?) << 32,
        };
        let checksum = u64::from_le_bytes(*rest.first_chunk::<8>()?);
        let sound = matches!(header.id_bytes, 20 | 32) && header.fan_bits <= 24;
        sound.then_some((header, checksum))
    }

    /// Returns the bytes of a row of the table of blobs.
    fn blob_row(&self) -> usize {
        self.id_bytes as usize + 1 + 4
    }

    fn fans(&self) -> usize {
        1 << self.fan_bits
    }

    /// Returns the sizes of the four tables that are checked as a whole, in their order.
    fn tables(&self) -> [u64; 4] {
        let bytes = |rows: u64, row: usize| rows * row as u64;
        [
            bytes(self.blobs.into(), self.blob_row()),
            bytes(self.blobs.into(), FACTS_ROW),
            bytes(self.chunks.into(), CHUNK_ROW),
            bytes(self.fans() as u64 + 1, FAN_ROW),
        ]
    }
}

/// Returns a checksum of bytes that are to be read again: FNV-1a over eight bytes at a time.
fn checksum(parts: &[&[u8]]) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        let (words, rest) = part.as_chunks::<8>();
        for word in words {
            sum = (sum ^ u64::from_le_bytes(*word)).wrapping_mul(0x0100_0000_01b3);
            sum ^= sum >> 29;
        }
        for byte in rest {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    sum
}

/// Returns a check of a list of postings, never 0: a part of the file that was never written is full of zeros.
fn check_byte(list: &[u8]) -> u8 {
    let [first, second, third, fourth, ..] = checksum(&[list]).to_be_bytes();
    (first ^ second ^ third ^ fourth) | 1
}

#[cfg(test)]
mod damage;
#[cfg(test)]
mod tests;
