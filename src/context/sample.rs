//! Samples: small files, put into an index as a repository would. For tests alone.

use crate::{
    context::{
        chunk,
        digest::Digester,
        index::{File, FileNo, Index},
        kind,
        segment::{read::Segment, write::Builder},
    },
    id::{BlobId, Hash},
    path::RepoPath,
    snapshot::Mode,
};

/// A file with this text.
pub(in crate::context) fn file(path: &str, text: &str) -> File {
    let path = RepoPath::from_git(path);
    File {
        id: BlobId(Hash::of("blob", [text.as_bytes()]).oid()),
        syntax: chunk::syntax(&path),
        kind: kind::of(&path, Mode::File),
        path,
    }
}

/// A segment of the digests of these files.
pub(in crate::context) fn segment(files: &[(&str, &str)]) -> Segment {
    let (mut digester, mut builder) = (Digester::default(), Builder::default());
    let mut known = Vec::new();
    for (path, text) in files {
        let File { id, syntax, .. } = file(path, text);
        if !known.contains(&(id, syntax)) {
            known.push((id, syntax));
            builder.add(id, syntax, &digester.digest(syntax, text.as_bytes()));
        }
    }
    Segment::open(Box::new(builder.finish(32))).unwrap()
}

/// An index of these files, in one segment.
pub(in crate::context) fn index(files: &[(&str, &str)]) -> Index {
    let mut index = Index::default();
    index.add("only", segment(files));
    for (path, text) in files {
        index.put(file(path, text));
    }
    assert!(index.is_whole());
    index
}

/// The path of a file.
pub(in crate::context) fn path(index: &Index, file: FileNo) -> String {
    index.file(file).unwrap().path.to_string()
}

/// Many lines, each with a word of its own.
pub(in crate::context) fn lines(word: &str, count: usize) -> String {
    (0..count).map(|at| format!("{word}{at} = other\n\n")).collect()
}
