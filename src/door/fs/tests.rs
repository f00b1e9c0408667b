use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
};

use tempfile::TempDir;

use super::{
    apply::apply_changes,
    dir::{Dir, FileKind},
    folder::Folder,
    *,
};
use crate::{
    path::RepoPath,
    snapshot::{Change, Changes, Mode, Snapshot as _, read_path},
};

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn write(content: &str, mode: Mode) -> Change {
    Change::Write {
        content: content.into(),
        mode,
    }
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn names(dir: &TempDir) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into())
        .collect();
    names.sort();
    names
}

#[test]
fn an_atomic_write_keeps_the_mode_and_leaves_nothing_beside() {
    let dir = folder(&[("a", "old")]);
    let a = dir.path().join("a");
    fs::set_permissions(&a, fs::Permissions::from_mode(0o640)).unwrap();
    write_atomic(&a, b"new").unwrap();
    assert_eq!(fs::read(&a).unwrap(), b"new");
    assert_eq!(fs::metadata(&a).unwrap().mode() & 0o777, 0o640);
    assert_eq!(names(&dir), [PathBuf::from("a")]);
}

#[test]
fn an_atomic_write_never_goes_through_a_link() {
    let dir = folder(&[("real", "kept")]);
    symlink("real", dir.path().join("link")).unwrap();
    write_atomic(&dir.path().join("link"), b"new").unwrap_err();
    assert_eq!(fs::read(dir.path().join("real")).unwrap(), b"kept");
}

#[test]
fn a_lock_is_held_once_and_names_its_holder() {
    let dir = folder(&[]);
    let at = dir.path().join("lock");
    let held = Lock::try_lock(&at, "1234 now").unwrap();
    assert!(held.is_some());
    assert!(Lock::try_lock(&at, "other").unwrap().is_none());
    assert_eq!(Lock::read_holder(&at).unwrap(), "1234 now");
    let mut held = held.unwrap();
    held.write("1234 long ago").unwrap();
    held.write("1234 now").unwrap();
    assert_eq!(Lock::read_holder(&at).unwrap().trim_end(), "1234 now");
    drop(held);
    assert!(Lock::try_lock(&at, "5").unwrap().is_some());
    assert_eq!(Lock::read_holder(&at).unwrap(), "5");
}

#[test]
fn a_padded_text_replaces_a_longer_one_whole() {
    let dir = folder(&[]);
    let at = dir.path().join("state");
    write_padded(&at, "{\"longer\":1}", 32).unwrap();
    write_padded(&at, "{}", 32).unwrap();
    let text = String::from_utf8(fs::read(&at).unwrap()).unwrap();
    assert_eq!((text.trim_end(), text.len()), ("{}", 32));
    assert!(write_padded(&at, "too long", 3).is_err());
}

#[test]
fn changes_to_a_folder_write_delete_and_keep_permission_bits() {
    let dir = folder(&[("keep.sh", "1"), ("gone", "2"), ("sub/x", "3")]);
    fs::set_permissions(dir.path().join("keep.sh"), fs::Permissions::from_mode(0o750)).unwrap();
    let changes = Changes::from([
        (path("keep.sh"), write("one", Mode::Executable)),
        (path("gone"), Change::Delete),
        (path("new/deep/file"), write("two", Mode::File)),
        (path("link"), write("keep.sh", Mode::Symlink)),
    ]);
    apply_changes(dir.path(), &changes).unwrap();
    assert_eq!(fs::read(dir.path().join("keep.sh")).unwrap(), b"one");
    assert_eq!(fs::metadata(dir.path().join("keep.sh")).unwrap().mode() & 0o777, 0o750);
    assert_eq!(fs::read(dir.path().join("new/deep/file")).unwrap(), b"two");
    assert_eq!(
        fs::read_link(dir.path().join("link")).unwrap(),
        PathBuf::from("keep.sh")
    );
    assert_eq!(names(&dir), ["keep.sh", "link", "new", "sub"].map(PathBuf::from));
}

#[test]
fn one_refused_change_undoes_all_others() {
    let refused: [(&str, Change); 4] = [
        ("zz/folder", write("x", Mode::File)),
        ("zz/pipe", write("x", Mode::File)),
        ("zz/missing", Change::Delete),
        ("zz/outside/x", write("x", Mode::File)),
    ];
    for (at, change) in refused {
        let outside = folder(&[]);
        let dir = folder(&[("a", "old"), ("gone", "kept"), ("zz/folder/x", "")]);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join("zz/pipe"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        symlink(outside.path(), dir.path().join("zz/outside")).unwrap();
        let changes = Changes::from([
            (path("a"), write("new", Mode::File)),
            (path("b/c"), write("new", Mode::File)),
            (path("gone"), Change::Delete),
            (path(at), change),
        ]);
        let error = apply_changes(dir.path(), &changes).unwrap_err().to_string();
        assert!(error.contains(at), "{error}");
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old", "{at}");
        assert_eq!(names(&dir), ["a", "gone", "zz"].map(PathBuf::from), "{at}");
        assert_eq!(names(&outside), [] as [PathBuf; 0], "{at}");
    }
}

#[test]
fn a_failure_after_the_first_move_puts_the_old_contents_back() {
    let dir = folder(&[("a", "old"), ("b", "old")]);
    // Two changes that both stage well; the second cannot move, because the first makes its name a folder.
    let changes = Changes::from([
        (path("a"), write("new", Mode::File)),
        (path("n"), write("new", Mode::File)),
        (path("n/below"), write("new", Mode::File)),
    ]);
    apply_changes(dir.path(), &changes).unwrap_err();
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old");
    assert_eq!(names(&dir), ["a", "b"].map(PathBuf::from));
}

#[test]
fn a_folder_is_read_without_following_links() {
    let outside = folder(&[("secret", "s")]);
    let dir = folder(&[("a/b", "text"), (".git/config", "x")]);
    symlink(outside.path(), dir.path().join("away")).unwrap();
    let snapshot = Folder::open(dir.path()).unwrap();
    let listed: Vec<String> = snapshot.listing().unwrap().iter().map(|(p, _)| p.to_string()).collect();
    assert_eq!(listed, ["a/b", "away"]);
    assert_eq!(read_path(&snapshot, &path("a/b")).unwrap().unwrap(), b"text");
    assert_eq!(read_path(&snapshot, &path("away/secret")).unwrap(), None);
    assert!(snapshot.is_folder(&path("a")).unwrap());
    assert!(!snapshot.is_folder(&path("away")).unwrap());
}

#[test]
fn removing_a_folder_does_not_follow_links_out_of_it() {
    let outside = folder(&[("kept", "k")]);
    let dir = folder(&[("x/y/z", "1")]);
    symlink(outside.path(), dir.path().join("x/y/away")).unwrap();
    let root = Dir::open(dir.path()).unwrap();
    root.remove(b"x").unwrap();
    assert_eq!(root.stat(b"x").unwrap(), None);
    assert_eq!(names(&outside), [PathBuf::from("kept")]);
    assert!(root.folder(b"..").is_err());
}

#[test]
fn a_pipe_is_refused_without_waiting_for_a_writer() {
    let dir = folder(&[]);
    let root = Dir::open(dir.path()).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.path().join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert_eq!(root.stat(b"pipe").unwrap().unwrap().kind, FileKind::Other);
    assert!(root.read(b"pipe").is_err());
}

#[test]
fn a_folder_takes_the_place_of_a_deleted_file_and_goes_again_on_an_error() {
    let dir = folder(&[("a", "old"), ("z/x", "")]);
    let mut changes = Changes::from([
        (path("a"), Change::Delete),
        (path("a/b"), write("new", Mode::File)),
        (path("z"), write("", Mode::File)),
    ]);
    apply_changes(dir.path(), &changes).unwrap_err();
    assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old");
    changes.remove(&path("z"));
    apply_changes(dir.path(), &changes).unwrap();
    assert_eq!(fs::read(dir.path().join("a/b")).unwrap(), b"new");
    assert_eq!(names(&dir), [PathBuf::from("a"), PathBuf::from("z")]);
}

#[test]
fn a_file_larger_than_the_limit_is_not_read() {
    let dir = folder(&[("a", "")]);
    File::options()
        .write(true)
        .open(dir.path().join("a"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let error = read_path(&Folder::open(dir.path()).unwrap(), &path("a")).unwrap_err();
    assert!(error.to_string().contains("larger than 64 MiB"), "{error}");
}

#[test]
fn a_read_only_file_and_one_with_further_names_are_left_alone() {
    for (why, prepare) in [
        (
            "read-only",
            (|file: &Path| {
                fs::set_permissions(file, fs::Permissions::from_mode(0o444)).unwrap();
            }) as fn(&Path),
        ),
        ("hard links", |file: &Path| {
            fs::hard_link(file, file.with_file_name("other")).unwrap();
        }),
    ] {
        let dir = folder(&[("a", "old"), ("b", "old")]);
        prepare(&dir.path().join("b"));
        let changes = Changes::from([
            (path("a"), write("new", Mode::File)),
            (path("b"), write("new", Mode::File)),
        ]);
        let error = apply_changes(dir.path(), &changes).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"old", "{why}");
    }
}

#[test]
fn a_private_file_is_its_owner_s_alone_also_where_another_stood_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = folder(&[("token", "old")]);
    let path = dir.path().join("token");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    write_private(&path, b"new").unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!((fs::read(&path).unwrap().as_slice(), mode), (&b"new"[..], 0o600));
}
