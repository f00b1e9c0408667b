//! Random segments, whole and damaged: whole they say what was put in, damaged they say so or something, at no more cost.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    context::{
        chunk::Syntax,
        digest::{Piece, Use},
        segment::{
            Broken, FACTS_ROW, HEADER, Header, checksum, io, merge::merge, read::Segment, scan::Scan, write::Builder,
        },
        terms::Term,
    },
    id::{BlobId, Oid},
    read_at::ReadAt,
};

/// Bytes that count what is read of them.
struct Bytes {
    bytes: Vec<u8>,
    read: Arc<AtomicU64>,
}

impl ReadAt for Bytes {
    fn len(&self) -> io::Result<u64> {
        ReadAt::len(&self.bytes)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.read.fetch_add(into.len() as u64, Ordering::Relaxed);
        self.bytes.read_at(at, into)
    }
}

fn open(bytes: &[u8]) -> Result<Segment, Broken> {
    Segment::open(Box::new(bytes.to_vec()))
}

fn term(number: u64) -> Term {
    // Some are neighbours, some far apart.
    let bits = if number.is_multiple_of(3) {
        number
    } else {
        number.wrapping_mul(0x9e_3779_b97f)
    };
    Term::joined(0, bits & 0xff_ffff_ffff, 0)
}

fn id(number: u8) -> BlobId {
    BlobId(Oid::from_bytes(&[number; 20]).unwrap())
}

type Blob = (u8, Vec<Piece>);

fn piece() -> impl Strategy<Value = Piece> {
    let counts = prop_oneof![4 => 1..4_u32, 1 => any::<u32>().prop_map(|count| count.max(1))];
    let terms = proptest::collection::btree_map(0..60_u64, (counts, any::<bool>()), 0..30);
    (terms, 0..100_u32, 0..5000_u32).prop_map(|(terms, lines, bytes)| {
        let uses = terms.into_iter().map(|(number, (count, defined))| Use {
            term: term(number),
            count,
            defined,
        });
        let mut terms: Vec<Use> = uses.collect();
        terms.sort_unstable();
        Piece { lines, bytes, terms }
    })
}

/// Blobs with different ids.
fn blobs() -> impl Strategy<Value = Vec<Blob>> {
    proptest::collection::btree_map(any::<u8>(), vec(piece(), 0..4), 0..12).prop_map(|blobs| {
        let mut blobs: Vec<Blob> = blobs.into_iter().collect();
        blobs.sort_by_key(|(id, _)| id.reverse_bits());
        blobs
    })
}

fn build<'a>(blobs: impl IntoIterator<Item = &'a Blob>) -> Vec<u8> {
    let mut builder = Builder::default();
    for (number, pieces) in blobs {
        builder.add(id(*number), Syntax(number % 3), pieces);
    }
    builder.finish(20)
}

/// Reads all that can be read, in every way; returns how many postings there are.
fn read_all(bytes: &[u8]) -> Result<usize, Broken> {
    let read = Arc::new(AtomicU64::new(0));
    let counted = Bytes {
        bytes: bytes.to_vec(),
        read: Arc::clone(&read),
    };
    let segment = Segment::open(Box::new(counted))?;
    let mut count = 0;
    let mut ids = Vec::new();
    segment.each_blob(|id, syntax, ordinal| {
        let _ = segment.defined_in(ordinal);
        count += segment.chunks_of(ordinal).len();
        ids.extend(Oid::from_bytes(id).map(|id| (BlobId(id), syntax)));
    });
    for (id, syntax) in ids {
        let _ = segment.find(&id, syntax);
    }
    let mut scan = Scan::of(&segment);
    let mut found = Vec::new();
    let mut all = || {
        while scan.advance()?.is_some() {
            scan.postings(&mut found)?;
            count += found.len();
        }
        Ok(())
    };
    let scanned = all();
    let cost = read.load(Ordering::Relaxed);
    assert!(cost <= bytes.len() as u64, "{cost} of {} bytes were read", bytes.len());
    for number in 0..60 {
        let _ = segment.postings(term(number));
    }
    let cost = read.load(Ordering::Relaxed);
    assert!(
        cost <= 61 * bytes.len() as u64,
        "{cost} of {} bytes were read",
        bytes.len()
    );
    let _ = merge(&[&segment, &segment], 20, |_, _| true);
    scanned.map(|()| count)
}

/// Gives the tables the checksum that they have, so that what is wrong in them is met.
fn seal(bytes: &mut [u8]) {
    let Some((header, _)) = Header::from_bytes(bytes) else {
        return;
    };
    let held = header.tables().iter().sum::<u64>() as usize;
    let sum = bytes.get(HEADER..).and_then(|rest| rest.get(..held)).map(|tables| {
        let mut rest = tables;
        let parts = header.tables().map(|size| {
            let (part, after) = rest.split_at(size as usize);
            rest = after;
            part
        });
        checksum(&parts)
    });
    if let Some(sum) = sum {
        bytes[HEADER - 8..HEADER].copy_from_slice(&sum.to_le_bytes());
    }
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Byte(Index, u8),
    Cut(Index),
    Zeros(Index, u8),
    Insert(Index, u8),
    Copy(Index, Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, size)| Damage::Zeros(at, size)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        2 => (any::<Index>(), any::<Index>(), any::<u8>()).prop_map(|(from, to, size)| Damage::Copy(from, to, size)),
    ]
}

fn apply(damage: &Damage, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let size = bytes.len();
    let end = |at: usize, more: u8| (at + usize::from(more)).min(size);
    match damage {
        Damage::Flip(at, bit) => bytes[at.index(size)] ^= 1 << bit,
        Damage::Byte(at, byte) => bytes[at.index(size)] = *byte,
        Damage::Cut(at) => bytes.truncate(at.index(size)),
        Damage::Zeros(at, more) => bytes[at.index(size)..end(at.index(size), *more)].fill(0),
        Damage::Insert(at, byte) => bytes.insert(at.index(size), *byte),
        Damage::Copy(from, to, more) => {
            let piece = bytes[from.index(size)..end(from.index(size), *more)].to_vec();
            let to = to.index(size);
            let piece = &piece[..piece.len().min(size - to)];
            bytes[to..to + piece.len()].copy_from_slice(piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_segment_says_what_was_put_in(blobs in blobs()) {
        let bytes = build(&blobs);
        let segment = open(&bytes).unwrap();
        let mut expected: BTreeMap<Term, Vec<(u8, usize, u32, bool)>> = BTreeMap::new();
        let mut first = 0;
        let mut owners = Vec::new();
        for (number, pieces) in &blobs {
            let blob = segment.find(&id(*number), Syntax(number % 3)).unwrap();
            prop_assert_eq!(segment.chunks_of(blob), first..first + pieces.len() as u32);
            first += pieces.len() as u32;
            for (at, piece) in pieces.iter().enumerate() {
                owners.push((*number, at));
                let row = segment.chunks()[owners.len() - 1];
                prop_assert_eq!((u32::from(row.lines), row.bytes), (piece.lines, piece.bytes));
                for used in &piece.terms {
                    expected.entry(used.term).or_default().push((*number, at, used.count, used.defined));
                }
            }
        }
        for number in 0..60 {
            let found = segment.postings(term(number)).unwrap();
            let found: Vec<_> = found.into_iter().map(|posting| {
                let (number, at) = owners[posting.chunk as usize];
                (number, at, posting.count, posting.defined)
            }).collect();
            prop_assert_eq!(&found, &expected.remove(&term(number)).unwrap_or_default());
        }
        prop_assert!(read_all(&bytes).is_ok());
    }

    #[test]
    fn a_merge_is_what_is_built_at_once(
        blobs in blobs(),
        cuts in vec(any::<Index>(), 0..4),
        again in vec(any::<Index>(), 0..4),
        dropped in proptest::collection::btree_set(any::<u8>(), 0..100),
    ) {
        let mut ends: BTreeSet<usize> = cuts.iter().map(|cut| cut.index(blobs.len() + 1)).collect();
        ends.insert(blobs.len());
        let mut from = 0;
        let parts: Vec<Segment> = ends.iter().map(|end| {
            // What an earlier segment has is in a later one, too.
            let twice = again.iter().filter(|_| from > 0).map(|at| at.index(from.max(1))).collect::<BTreeSet<_>>();
            let blobs = twice.into_iter().chain(from..*end).map(|at| &blobs[at]);
            let part = open(&build(blobs)).unwrap();
            from = *end;
            part
        }).collect();
        let parts: Vec<&Segment> = parts.iter().collect();
        let merged = merge(&parts, 20, |blob, _| !dropped.iter().any(|number| id(*number) == *blob)).unwrap();
        prop_assert_eq!(merged, build(blobs.iter().filter(|(number, _)| !dropped.contains(number))));
    }

    #[test]
    fn a_damaged_segment_costs_no_more_than_a_whole_one(
        blobs in blobs(),
        damages in vec(damage(), 1..5),
        is_sealed in any::<bool>(),
    ) {
        let mut bytes = build(&blobs);
        for damage in &damages {
            apply(damage, &mut bytes);
        }
        if is_sealed {
            seal(&mut bytes);
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn any_bytes_cost_no_more_than_a_whole_segment(
        sizes in (0..4_u32, 0..6_u32, 0..60_u32, 0..200_u32),
        body in vec(prop_oneof![2 => 0..4_u8, 1 => any::<u8>()], 0..600),
        is_long in any::<bool>(),
    ) {
        let (blobs, fan_bits, chunks, dictionary) = sizes;
        let mut header = Header { id_bytes: 20, fan_bits, blobs, chunks, dictionary, ..Header::default() };
        let held = header.tables().iter().sum::<u64>() + u64::from(dictionary);
        let mut body = body;
        if is_long && (body.len() as u64) < held {
            body.resize(held as usize, 0);
        }
        header.postings = (body.len() as u64).saturating_sub(held) as u32;
        let mut bytes = header.to_bytes(0);
        // The tables in order, as far as they must be.
        let facts = header.blobs as usize * header.blob_row();
        if let Some(facts) = body.get_mut(facts..facts + header.blobs as usize * FACTS_ROW) {
            facts.fill(0);
        }
        let fans = header.tables()[..3].iter().sum::<u64>() as usize;
        if let Some(fans) = body.get_mut(fans..fans + (header.fans() + 1) * 8) {
            fans.fill(0);
            let at = fans.len() - 8;
            fans[at..at + 4].copy_from_slice(&dictionary.to_le_bytes());
            fans[at + 4..].copy_from_slice(&header.postings.to_le_bytes());
        }
        bytes.extend(body);
        seal(&mut bytes);
        let _ = read_all(&bytes);
    }
}

#[test]
fn a_segment_cut_anywhere_or_full_of_zeros_from_anywhere_is_not_taken_for_whole() {
    let text: String = (0..90)
        .map(|at| format!("fn name_{at}(of: Number{}) {{}}\n", at % 7))
        .collect();
    let pieces = crate::context::digest::Digester::default().digest(Syntax::default(), text.as_bytes());
    let whole = build(&[(1, pieces.clone()), (2, pieces)]);
    let count = read_all(&whole).unwrap();
    for at in 0..whole.len() {
        assert!(read_all(&whole[..at]).is_err(), "cut at {at}");
        let mut zeros = whole.clone();
        zeros[at..].fill(0);
        // The last byte may have been zero.
        assert!(zeros == whole || read_all(&zeros).is_err(), "zeros from {at}");
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        assert!(
            read_all(&flipped).map_or(0, |count| count) <= count * 4,
            "flipped at {at}"
        );
    }
}
