//! A reply of any bytes: read in each format and applied. Nothing may panic, and what is refused leaves no changes.
#![no_main]

use invisigoth::{
    edit,
    path::RepoPath,
    reply,
    snapshot::{MapSnapshot, Mode},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let base = MapSnapshot::default()
        .with(
            RepoPath::from_git(b"src/a.py".as_slice()),
            Mode::File,
            b"def a():\n    return 1\n".to_vec(),
        )
        .with(
            RepoPath::from_git(b"crlf.txt".as_slice()),
            Mode::File,
            b"one\r\ntwo\r\ntwo\r\n".to_vec(),
        );
    for format in reply::Format::ALL {
        if let Ok(edits) = reply::parse(&text, format) {
            let _ = edit::apply(&base, &edits);
        }
    }
});
