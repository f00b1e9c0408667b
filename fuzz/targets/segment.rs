//! A segment of the index of any bytes, whose checksum is taken for right: read in every way and merged with itself. It
//! answers or says that it is broken; what a merge makes of it can be read.
#![no_main]

use invisigoth::{
    context::{
        chunk::Syntax,
        segment::{merge::merge, read::Segment, scan::Scan},
    },
    id::{BlobId, Oid},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(segment) = Segment::open(Box::new(bytes.to_vec())) else {
        return;
    };
    let mut blobs = Vec::new();
    segment.each_blob(|id, syntax, ordinal| blobs.push((Oid::from_bytes(id).map(BlobId), syntax, ordinal)));
    for (id, syntax, ordinal) in blobs {
        let _ = segment.find(&id.expect("20 or 32 bytes"), syntax);
        let _ = (segment.chunks_of(ordinal), segment.defined_in(ordinal));
    }
    let mut scan = Scan::of(&segment);
    let mut found = Vec::new();
    while let Ok(Some(term)) = scan.advance() {
        let listed = scan.postings(&mut found).is_ok();
        assert!(segment.postings(term).map_or(!listed, |postings| postings == found));
    }
    for id_bytes in [20, 32] {
        let keep = |_: &BlobId, syntax: Syntax| syntax.0 != 1;
        if let Ok(merged) = merge(&[&segment, &segment], id_bytes, keep) {
            let merged = Segment::open(Box::new(merged)).expect("it was just made");
            let mut scan = Scan::of(&merged);
            while scan.advance().expect("it was just made").is_some() {
                scan.postings(&mut found).expect("it was just made");
            }
        }
    }
});
