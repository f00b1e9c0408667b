use std::{fs, time::SystemTime};

use super::*;
use crate::{door::clock::SystemClock, time::Clock as _};

const NOW: Moment = Moment(4_000_000_000_000);

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

fn changed_at(path: &Path, at: Moment) {
    let file = File::open(path).unwrap();
    let at = SystemTime::UNIX_EPOCH + Moment(at.0).since(Moment(0));
    file.set_modified(at).unwrap();
}

#[test]
fn what_is_stored_is_read_in_pieces_and_after_it_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    assert!(StoredFile::open(&path).unwrap().is_none());
    store(&path, b"0123456789").unwrap();
    let file = StoredFile::open(&path).unwrap().unwrap();
    fs::remove_file(&path).unwrap();
    let mut piece = [0; 3];
    file.read_at(4, &mut piece).unwrap();
    assert_eq!((&piece, file.len().unwrap()), (b"456", 10));
    for at in [8, 10, u64::MAX] {
        file.read_at(at, &mut piece).unwrap_err();
    }
    file.read_at(10, &mut []).unwrap();
    assert_eq!(count(folder.path()), 0);
}

#[test]
fn what_cannot_be_stored_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken");
    fs::create_dir_all(taken.join("below")).unwrap();
    store(&taken, b"a").unwrap_err();
    store(&folder.path().join("missing/a"), b"a").unwrap_err();
    assert_eq!(count(folder.path()), 1);
    assert!(StoredFile::open(&taken).is_err());
}

#[test]
fn neither_links_nor_pipes_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let [file, link, pipe] = ["file", "link", "pipe"].map(|name| folder.path().join(name));
    store(&file, b"a").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, rustix::fs::Mode::from_raw_mode(0o600), 0).unwrap();
    assert!(StoredFile::open(&link).is_err());
    assert!(StoredFile::open(&pipe).is_err());
    assert_eq!(names(folder.path()).unwrap(), ["file"]);
}

#[test]
fn only_what_nobody_writes_to_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    store(&path, b"a").unwrap();
    changed_at(&path, Moment(0));
    let held = Temporary::beside(&path).unwrap();
    assert!(held.is_ours());
    changed_at(&held.path, NOW);
    let left = folder.path().join(temporary_name());
    fs::write(&left, b"half").unwrap();
    sweep(folder.path(), NOW).unwrap();
    assert!(held.path.exists() && path.exists());
    assert!(!left.exists());

    changed_at(&held.path, Moment(NOW.0 - 90_000_000));
    sweep(folder.path(), NOW).unwrap();
    assert!(!held.path.exists());
    drop(held);
    assert_eq!(names(folder.path()).unwrap(), ["a"]);
    sweep(&folder.path().join("missing"), NOW).unwrap();
}

#[test]
fn a_file_that_a_sweeper_saw_before_its_lock_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let swept = Temporary::make(folder.path().join(temporary_name())).unwrap();
    let busy = Temporary::make(folder.path().join(temporary_name())).unwrap();
    sweep_one(&swept.path, NOW).unwrap();
    let sweeper = File::open(&busy.path).unwrap();
    rustix::fs::flock(&sweeper, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert!(!swept.is_ours() && !busy.is_ours());
}

#[test]
fn writers_and_sweepers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let folder = folder.path();
            scope.spawn(move || {
                for nth in 0..60 {
                    store(&folder.join(format!("{writer}-{nth}")), &[writer; 5000]).unwrap();
                }
            });
            scope.spawn(move || {
                for _ in 0..120 {
                    sweep(folder, SystemClock.now()).unwrap();
                    for name in names(folder).unwrap() {
                        let bytes = StoredFile::open(&folder.join(name)).unwrap().unwrap().read().unwrap();
                        assert_eq!(bytes.len(), 5000);
                    }
                }
            });
        }
    });
    assert_eq!(count(folder.path()), 180);
}
