use proptest::prelude::*;

use super::*;
use crate::context::past::tests::{commit, id};

/// Commits with each thing that a file can hold.
fn some() -> Known {
    let mut known = Known::default();
    known.add(commit(3, &[2, 1], -5, "", &[]));
    known.add(commit(
        2,
        &[1, 9],
        1 << 40,
        "Größe of lexer\n\nlexer parser",
        &["src/a.rs<src/b.rs", "src/ab.rs"],
    ));
    known.add(commit(1, &[], 0, "", &["z"]));
    known
}

fn ids() -> [CommitId; 3] {
    [id(3), id(2), id(1)]
}

fn sealed(body: &[u8]) -> Vec<u8> {
    [HEAD, &checksum(body).to_le_bytes(), body].concat()
}

#[test]
fn commits_read_back_as_they_were_written() {
    let known = some();
    let file = write(&known, &ids());
    let mut back = Known::default();
    assert!(read(&file, &mut back));
    assert_eq!(write(&back, &ids()), file);
    for commit in ids() {
        assert_eq!(back.line(commit), known.line(commit));
        let (one, other) = [&back, &known]
            .map(|known| known.row(known.number(commit).unwrap()).unwrap())
            .into();
        assert_eq!(
            (&one.subject, &one.terms, one.changed),
            (&other.subject, &other.terms, other.changed)
        );
        let named = |known: &Known, row: &Row| -> Vec<(Option<RepoPath>, Option<RepoPath>)> {
            let name = |number| known.path(number).cloned();
            row.touches
                .iter()
                .map(|touch| (name(touch.path), touch.was.and_then(name)))
                .collect()
        };
        assert_eq!(named(&back, one), named(&known, other));
    }
    // A part of them, and none.
    let mut part = Known::default();
    assert!(read(&write(&known, &[id(2), id(77)]), &mut part));
    assert_eq!(part.len(), 1);
    assert!(read(&write(&known, &[]), &mut part));
    assert_eq!(part.len(), 1);
}

#[test]
fn every_cut_and_every_changed_byte_is_seen() {
    let file = write(&some(), &ids());
    let mut known = Known::default();
    for end in 0..file.len() {
        assert!(!read(&file[..end], &mut known), "cut at {end}");
    }
    for at in 0..file.len() {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        assert!(!read(&changed, &mut known), "changed at {at}");
    }
    assert!(known.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_read_or_are_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut known = Known::default();
        read(&body, &mut known);
        read(&sealed(&body), &mut known);
    }

    #[test]
    fn what_was_changed_on_purpose_reads_or_is_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let file = write(&some(), &ids());
        let mut body = file[HEAD.len() + 8..].to_vec();
        for (at, byte) in changes {
            *at.get_mut(&mut body) = byte;
        }
        let mut known = Known::default();
        if read(&sealed(&body), &mut known) {
            let all = known.newest(10);
            let again = write(&known, &all);
            prop_assert!(read(&again, &mut Known::default()));
        }
    }
}
