use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use tempfile::TempDir;

use super::*;

fn cache() -> (TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(&folder.path().join("invisigoth/index"));
    (folder, cache)
}

#[test]
fn the_same_bytes_are_one_file_and_others_another() {
    let (_folder, cache) = cache();
    assert!(cache.list("").unwrap().is_empty());
    cache.tidy().unwrap();
    let one = cache.put("b-", ".seg", b"one").unwrap();
    assert_eq!(cache.put("b-", ".seg", b"one").unwrap(), one);
    let other = cache.put("a-", ".seg", b"other").unwrap();
    assert_eq!(cache.list("").unwrap(), [other.clone(), one.clone()]);
    assert_eq!(cache.list("b-").unwrap(), std::slice::from_ref(&one));
    assert_eq!(cache.read(&one).unwrap().unwrap(), b"one");
    cache.remove(&one).unwrap();
    cache.remove(&one).unwrap();
    assert!(cache.file(&one).unwrap().is_none());
    assert!(one.starts_with("b-") && one.ends_with(".seg") && one.len() == 2 + DIGITS + 4);
}

#[test]
fn a_damaged_file_is_put_right_by_the_next_who_has_its_bytes() {
    let (_folder, cache) = cache();
    let name = cache.put("a", "", b"whole").unwrap();
    for damaged in ["", "who", "whale"] {
        cache.remove(&name).unwrap();
        std::fs::write(cache.folder.join(&name), damaged).unwrap();
        assert_eq!(cache.put("a", "", b"whole").unwrap(), name);
        assert_eq!(cache.read(&name).unwrap().unwrap(), b"whole");
    }
}

#[test]
fn one_at_a_time_holds_the_lock_which_is_no_file_of_the_list() {
    let (_folder, cache) = cache();
    let held = cache.try_lock().unwrap();
    assert!(held.is_some() && cache.try_lock().unwrap().is_none());
    cache.put("a", "", b"").unwrap();
    drop(held);
    assert!(cache.try_lock().unwrap().is_some());
    assert_eq!(cache.list("").unwrap().len(), 1);
}

#[test]
fn names_lead_nowhere_else() {
    let (folder, cache) = cache();
    std::fs::write(folder.path().join("a"), "").unwrap();
    for name in ["../../a", "", ".", "..", ".lock", "a/b", "a\0"] {
        assert!(cache.file(name).is_err(), "{name}");
        assert!(cache.remove(name).is_err(), "{name}");
    }
    assert!(cache.put("../", "", b"").is_err());
}

#[test]
fn where_nothing_can_be_kept_an_error_says_why() {
    let (folder, cache) = cache();
    std::fs::write(folder.path().join("invisigoth"), "in the way").unwrap();
    assert_eq!(
        cache.put("a", "", b"").unwrap_err().kind(),
        io::ErrorKind::NotADirectory
    );
    assert!(cache.list("").is_err() && cache.try_lock().is_err());
    std::fs::remove_file(folder.path().join("invisigoth")).unwrap();
    let name = cache.put("a", "", b"kept").unwrap();
    let closed = std::fs::Permissions::from_mode(0o500);
    std::fs::set_permissions(&cache.folder, closed).unwrap();
    // Nothing is closed to root.
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
        return;
    }
    let denied = cache.put("a", "", b"more").unwrap_err();
    assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied);
    assert_eq!(cache.read(&name).unwrap().unwrap(), b"kept");
}
