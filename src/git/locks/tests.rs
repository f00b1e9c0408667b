use tempfile::TempDir;

use super::*;
use crate::{
    door::{env::Env, spawn::run_captured},
    git::Shared,
};

fn repository() -> (TempDir, Repo) {
    let folder = tempfile::tempdir().unwrap();
    let env = Env::read().for_checks(&[]);
    for args in [
        &["init", "-q", "-b", "main"][..],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "one",
        ],
        &["pack-refs", "--all"],
    ] {
        assert_eq!(
            run_captured("git", args, folder.path(), &env, b"", None).unwrap().code,
            0
        );
    }
    let repo = Shared::open(folder.path(), Vec::new()).unwrap().repo();
    (folder, repo)
}

/// What a move leaves that is killed.
fn dead_move(repo: &Repo) -> PathBuf {
    let moving = Moving::begin(repo).unwrap();
    let file = moving.file.with_extension("dead");
    drop(moving);
    std::fs::write(&file, "").unwrap();
    file
}

fn locked(repo: &Repo, name: &str) -> PathBuf {
    let path = repo.common_dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "").unwrap();
    path
}

#[test]
fn the_lock_of_packed_refs_goes_where_a_move_of_ours_died_over_it() {
    let (_folder, repo) = repository();
    let dead = dead_move(&repo);
    let lock = locked(&repo, PACKED);
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), 1);
    assert_eq!((lock.exists(), dead.exists()), (false, false));
}

#[test]
fn the_lock_of_packed_refs_stays_where_no_move_of_ours_died_over_it() {
    let (_folder, repo) = repository();
    let lock = locked(&repo, PACKED);
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), 0, "nobody died");
    dead_move(&repo);
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), 0, "it died later");
    std::fs::remove_file(&lock).unwrap();
    dead_move(&repo);
    let living = Moving::begin(&repo).unwrap();
    let lock = locked(&repo, PACKED);
    assert_eq!(
        clear_dead(&repo, "main", &Stop::default()).unwrap(),
        0,
        "another may hold it"
    );
    drop(living);
    let clearing = Lock::try_lock(&repo.common_dir().join("invisigoth/clearing"), "").unwrap();
    assert_eq!(
        clear_dead(&repo, "main", &Stop::default()).unwrap(),
        0,
        "another clears"
    );
    drop(clearing);
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), 1);
    assert!(!lock.exists());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a git of the person's own that waits")]
fn the_lock_of_packed_refs_stays_while_a_git_works_in_the_repository() {
    let (folder, repo) = repository();
    dead_move(&repo);
    let lock = locked(&repo, PACKED);
    let mut git = std::process::Command::new("git")
        .args(["hash-object", "--stdin"])
        .current_dir(folder.path())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), 0);
    drop(git.stdin.take());
    git.wait().unwrap();
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), 1);
    assert!(!lock.exists());
}

#[test]
fn a_lock_of_our_own_ref_goes_unless_a_living_move_may_hold_it() {
    let (_folder, repo) = repository();
    let name = "refs/invisigoth/claims/a.lock";
    let living = Moving::begin(&repo).unwrap();
    let lock = locked(&repo, name);
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), 0);
    drop(living);
    assert_eq!(
        clear_among(&repo, ["refs/heads/main", "refs/invisigoth/claims/a"]).unwrap(),
        1
    );
    let persons = locked(&repo, "refs/heads/main.lock");
    assert_eq!(clear_among(&repo, ["refs/heads/main"]).unwrap(), 0);
    assert_eq!((lock.exists(), persons.exists()), (false, true));
}

#[test]
fn a_move_waits_for_no_lock_of_the_dead() {
    let (_folder, repo) = repository();
    dead_move(&repo);
    let lock = locked(&repo, PACKED);
    let moved = refs::RefMove::Set {
        name: "refs/invisigoth/x".into(),
        old: None,
        new: refs::read(&repo, "refs/heads/main").unwrap().unwrap(),
        why: "x".into(),
    };
    assert_eq!(refs::swap(&repo, &[moved]).unwrap(), refs::Swap::Done);
    assert!(!lock.exists());
    assert!(fs::files_in(&folder(&repo)).unwrap().is_empty());
}

#[test]
fn a_dead_lock_of_every_kind_of_ref_that_moves_here_goes() {
    let (_folder, repo) = repository();
    let below = [refs::CANDIDATES, refs::VARIANTS].map(|root| format!("{root}x"));
    let single = [
        refs::ATTEMPTS,
        refs::NOTES,
        refs::AUTHORSHIP,
        refs::TESTED,
        refs::METRICS,
    ];
    let names: Vec<&str> = below.iter().map(String::as_str).chain(single).collect();
    let lock_all = || {
        names
            .iter()
            .for_each(|name| drop(locked(&repo, &format!("{name}.lock"))));
    };
    lock_all();
    assert_eq!(clear_among(&repo, names.iter().copied()).unwrap(), names.len());
    lock_all();
    assert_eq!(clear_dead(&repo, "main", &Stop::default()).unwrap(), names.len());
}
