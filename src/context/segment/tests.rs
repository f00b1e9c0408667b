use super::{
    merge::{merge, worth},
    read::{Posting, Segment},
    scan::Scan,
    write::Builder,
    *,
};
use crate::{
    context::{chunk::Syntax, digest::Digester, terms::Term},
    id::{BlobId, Oid},
};

fn open(bytes: Vec<u8>) -> Result<Segment, Broken> {
    Segment::open(Box::new(bytes))
}

fn id(number: u8) -> BlobId {
    BlobId(Oid::from_bytes(&[number; 20]).unwrap())
}

fn text(number: u8) -> String {
    (0..100)
        .map(|at| format!("shared word_{number}_{at} both_{}\n", at % 7))
        .collect()
}

fn segment(numbers: &[u8]) -> Vec<u8> {
    let (mut digester, mut builder) = (Digester::default(), Builder::default());
    for number in numbers {
        builder.add(
            id(*number),
            Syntax(1),
            &digester.digest(Syntax::default(), text(*number).as_bytes()),
        );
    }
    builder.finish(20)
}

fn all(segment: &Segment) -> Result<Vec<(Term, Vec<Posting>)>, Broken> {
    let mut scan = Scan::of(segment);
    let mut all = Vec::new();
    while let Some(term) = scan.advance()? {
        let mut found = Vec::new();
        scan.postings(&mut found)?;
        all.push((term, found));
    }
    Ok(all)
}

#[test]
fn what_was_added_is_found() {
    let segment = open(segment(&[7, 3, 200])).unwrap();
    assert_eq!(segment.blobs(), 3);
    assert_eq!(segment.find(&id(9), Syntax(1)), None);
    assert_eq!(segment.find(&id(7), Syntax(2)), None);
    for number in [3, 7, 200] {
        let blob = segment.find(&id(number), Syntax(1)).unwrap();
        let found = segment.postings(Term::whole(&format!("word_{number}_99"))).unwrap();
        let chunks = segment.chunks_of(blob);
        assert_eq!(
            found.iter().map(|posting| posting.chunk).collect::<Vec<_>>(),
            [chunks.end - 1]
        );
        let lines: u32 = segment.chunks()[chunks.start as usize..chunks.end as usize]
            .iter()
            .map(|row| u32::from(row.lines))
            .sum();
        assert_eq!(lines, 100);
    }
    let all = segment.postings(Term::whole("shared")).unwrap();
    assert!(all.is_empty(), "a word of one part is no whole identifier");
    assert!(segment.postings(Term::whole("both_3")).unwrap().len() >= 3);
    assert!(segment.postings(Term::whole("nowhere_to_be_found")).unwrap().is_empty());
}

#[test]
fn a_merge_is_what_was_built_at_once() {
    let (one, two) = (open(segment(&[1, 2])).unwrap(), open(segment(&[2, 3])).unwrap());
    let merged = merge(&[&one, &two], 20, |_, _| true).unwrap();
    assert_eq!(merged, segment(&[1, 2, 3]));
    let less = merge(&[&one, &two], 20, |known, _| *known != id(2)).unwrap();
    assert_eq!(less, segment(&[1, 3]));
}

#[test]
fn damage_is_seen() {
    let whole = segment(&[1, 2]);
    assert!(matches!(open(Vec::new()), Err(Broken::Foreign)));
    assert!(matches!(
        open(whole[..whole.len() - 1].to_vec()),
        Err(Broken::Damaged(_))
    ));
    let mut flipped = whole.clone();
    flipped[HEADER + 3] ^= 1;
    assert!(matches!(open(flipped), Err(Broken::Damaged(_))));
    let mut zeros = whole;
    let end = zeros.len();
    zeros[end - 400..].fill(0);
    let segment = open(zeros).unwrap();
    assert!(all(&segment).is_err());
}

#[test]
fn a_large_segment_is_not_written_again_for_a_few_small_ones() {
    for (sizes, expected) in [
        (&[][..], 0),
        (&[1], 0),
        (&[1, 4], 2),
        (&[1, 5], 0),
        (&[10, 10, 10, 1000], 3),
        (&[10, 10, 10, 120], 4),
        (&[1, 100, 400, 3000], 3),
    ] {
        assert_eq!(worth(sizes), expected, "{sizes:?}");
    }
}
