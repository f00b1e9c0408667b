use std::{
    collections::BTreeMap,
    fs as files,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use tempfile::TempDir;

use super::*;
use crate::{
    door::{env::Env, spawn::run_captured},
    slot::lease::Slots,
    snapshot::{Change, Mode},
};

/// A repository made with stock git, and a cache beside it.
struct Fixture {
    dir: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        files::create_dir(fixture.work()).unwrap();
        fixture.git(&["init", "-q", "-b", "main"]);
        fixture
    }

    fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    fn git(&self, args: &[&str]) -> String {
        let mut env = Env::read().for_checks(&[]);
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@b"),
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@b"),
        ] {
            env.push((name.into(), value.into()));
        }
        let captured = run_captured("git", args, &self.work(), &env, b"", None).unwrap();
        let said = String::from_utf8_lossy(&captured.stderr).into_owned();
        assert_eq!(captured.code, 0, "git {args:?}: {said}");
        String::from_utf8(captured.stdout).unwrap().trim().to_owned()
    }

    fn put(&self, path: &str, content: &str) {
        put(&self.work(), path, content);
    }

    fn commit(&self) -> CodeTree {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
        let root = self.git(&["rev-parse", "HEAD^{tree}"]).parse().unwrap();
        CodeTree { id: root, root }
    }

    fn repo(&self) -> Repo {
        Repo {
            gix: gix::open(self.work()).unwrap(),
            disk: crate::git::disk::Disk::default(),
        }
    }

    /// What was done in a filled work slot: a line for each path.
    fn harvest(&self, work: impl FnOnce(&Path)) -> Result<Vec<String>, String> {
        let (repo, tree) = (self.repo(), self.commit());
        let slots = Slots::open_work(&self.dir.path().join("cache"), "repo").unwrap();
        let mut slot = slots.lease(None).unwrap();
        slot.fill(&repo, tree).unwrap();
        slot.add_git(&Env::read().for_checks(&[])).unwrap();
        work(slot.root());
        let changes = slot.harvest(&repo).map_err(|error| error.to_string())?;
        let line = |(path, change): (&RepoPath, &Change)| match change {
            Change::Delete => format!("- {path}"),
            Change::Write { content, mode } => {
                let mark = match mode {
                    Mode::File => '+',
                    Mode::Executable => 'x',
                    Mode::Symlink | Mode::Submodule => 'l',
                };
                format!("{mark} {path} {:?}", String::from_utf8_lossy(content))
            }
        };
        Ok(changes.iter().map(line).collect())
    }

    fn slots(&self) -> Slots {
        Slots::open(&self.dir.path().join("cache"), "repo").unwrap()
    }

    /// What `git checkout` makes of HEAD in an empty folder.
    fn fresh(&self, name: &str) -> BTreeMap<String, String> {
        let fresh = self.dir.path().join(name);
        self.git(&["worktree", "add", "-q", "--detach", fresh.to_str().unwrap()]);
        let mut seen = look(&fresh);
        seen.remove(".git");
        seen
    }
}

fn put(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    files::create_dir_all(path.parent().unwrap()).unwrap();
    files::write(path, content).unwrap();
}

/// Everything in a folder: contents, kinds, executable bits; empty folders too.
fn look(root: &Path) -> BTreeMap<String, String> {
    fn into(seen: &mut BTreeMap<String, String>, root: &Path, folder: &Path) {
        for entry in files::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let about = files::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if about.is_dir() {
                let before = seen.len();
                into(seen, root, &path);
                if seen.len() == before {
                    seen.insert(name, "empty folder".into());
                }
            } else if about.is_symlink() {
                seen.insert(name, format!("-> {}", files::read_link(&path).unwrap().display()));
            } else {
                let mode = about.permissions().mode() & 0o777;
                seen.insert(name, format!("{mode:o} {:?}", files::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut seen = BTreeMap::new();
    into(&mut seen, root, root);
    seen
}

fn text(slot: &Slot, path: &str) -> String {
    files::read_to_string(slot.root().join(path)).unwrap()
}

/// A step of a small random generator: the same commits on every run.
fn next(seed: &mut u64, below: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

fn random_edit(fixture: &Fixture, seed: &mut u64) {
    let work = fixture.work();
    let names = ["a", "b.txt", "c.bat", "d/x.txt", "d/y", "e/f/z.txt", "e/f"];
    let path = work.join(names[usize::try_from(next(seed, 7)).unwrap()]);
    if path.is_dir() {
        files::remove_dir_all(&path).unwrap();
    } else if path.symlink_metadata().is_ok() {
        files::remove_file(&path).unwrap();
    }
    let parent = path.parent().unwrap();
    if parent.symlink_metadata().is_ok_and(|about| !about.is_dir()) {
        files::remove_file(parent).unwrap();
    }
    files::create_dir_all(parent).unwrap();
    match next(seed, 5) {
        0 => {}
        1 => symlink("../a", &path).unwrap(),
        2 => {
            files::write(&path, format!("#!{}\n", next(seed, 100))).unwrap();
            files::set_permissions(&path, files::Permissions::from_mode(0o755)).unwrap();
        }
        _ => files::write(&path, format!("one\ntwo {}\n", next(seed, 100))).unwrap(),
    }
    if next(seed, 4) == 0 {
        let rules = ["*.txt eol=crlf\n", "*.bat eol=crlf\n*.txt filter=up\n", "* -text\n"];
        let rules = rules[usize::try_from(next(seed, 3)).unwrap()];
        let folder = ["", "d/"][usize::try_from(next(seed, 2)).unwrap()];
        if folder.is_empty() || work.join("d").is_dir() {
            fixture.put(&format!("{folder}.gitattributes"), rules);
        }
    }
}

#[test]
fn from_tree_to_tree_a_slot_equals_a_fresh_checkout() {
    let fixture = Fixture::new();
    fixture.git(&["config", "filter.up.smudge", "tr a-z A-Z"]);
    fixture.git(&["config", "filter.up.clean", "tr A-Z a-z"]);
    let slots = fixture.slots();
    let mut slot = slots.lease(None).unwrap();
    let mut seed = 7;
    for round in 0..30 {
        for _ in 0..3 {
            random_edit(&fixture, &mut seed);
        }
        fixture.put("always", &round.to_string());
        let tree = fixture.commit();
        let repo = fixture.repo();
        slot.fill(&repo, tree).unwrap();
        let fresh = fixture.fresh(&format!("fresh{round}"));
        assert_eq!(look(slot.root()), fresh, "round {round}");
        put(slot.root(), "always", "dirty");
        put(slot.root(), "left/behind", "");
        slot.restore(&repo).unwrap();
        assert_eq!(look(slot.root()), fresh, "round {round} restored");
        if round % 7 == 0 {
            drop(slot);
            slot = slots.lease(Some(tree)).unwrap();
        }
    }
}

#[test]
fn what_a_check_changed_is_restored_and_what_is_ignored_stays() {
    let fixture = Fixture::new();
    let outside = fixture.dir.path().join("outside");
    put(&outside, "kept", "k");
    for path in ["same-size", "gone", "mode", "link-me", "dir/in", "to-folder", "hard"] {
        fixture.put(path, "1234");
    }
    fixture.put(".gitignore", "target/\n*.log\n");
    let tree = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let mut slot = slots.lease(None).unwrap();
    let root = slot.fill(&repo, tree).unwrap();
    let before = look(&root);
    put(&root, "same-size", "4321");
    files::remove_file(root.join("gone")).unwrap();
    files::set_permissions(root.join("mode"), files::Permissions::from_mode(0o755)).unwrap();
    files::remove_dir_all(root.join("dir")).unwrap();
    symlink(&outside, root.join("dir")).unwrap();
    files::remove_file(root.join("to-folder")).unwrap();
    put(&root, "to-folder/x", "x");
    files::remove_file(root.join("hard")).unwrap();
    files::hard_link(outside.join("kept"), root.join("hard")).unwrap();
    put(&root, "target/debug/warm", "w");
    put(&root, "new/deep/file", "n");
    put(&root, "new/deep/run.log", "l");
    put(&root, ".git/config", "[core]");
    put(&root, ".gitignore", "new/\n");
    slot.restore(&repo).unwrap();
    let mut after = look(&root);
    assert_eq!(after.remove("target/debug/warm").unwrap(), "644 \"w\"");
    assert_eq!(after.remove("new/deep/run.log").unwrap(), "644 \"l\"");
    assert_eq!(after, before);
    assert_eq!(look(&outside), BTreeMap::from([("kept".into(), "644 \"k\"".into())]));
}

#[test]
fn files_that_stay_keep_their_time_so_that_caches_stay_warm() {
    let fixture = Fixture::new();
    fixture.put("stays", "1");
    fixture.put("changes", "1");
    let first = fixture.commit();
    fixture.put("changes", "2");
    let second = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let mut slot = slots.lease(None).unwrap();
    let root = slot.fill(&repo, first).unwrap();
    let time = || files::metadata(root.join("stays")).unwrap().modified().unwrap();
    let before = time();
    slot.restore(&repo).unwrap();
    drop(slot);
    let mut slot = slots.lease(Some(first)).unwrap();
    slot.fill(&repo, second).unwrap();
    assert_eq!(text(&slot, "changes"), "2");
    assert_eq!(time(), before);
}

#[test]
fn a_slot_whose_holder_was_killed_is_compared_whole() {
    let fixture = Fixture::new();
    fixture.put("a", "1");
    fixture.put("b", "1");
    fixture.put(".gitignore", "warm\n");
    let tree = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    for phase in [Phase::Updating, Phase::Running] {
        let mut slot = slots.lease(None).unwrap();
        let root = slot.fill(&repo, tree).unwrap();
        slot.restore(&repo).unwrap();
        let before = look(&root);
        // As a killed process leaves it: the list of an earlier run is there, the state says what was going on.
        drop(slot);
        let mut slot = slots.lease(None).unwrap();
        slot.enter(phase).unwrap();
        slot.laid = None;
        put(&root, "a", "2");
        put(&root, "stray", "s");
        put(&root, "warm", "w");
        drop(slot);
        let mut slot = slots.lease(None).unwrap();
        assert_eq!(slot.fill(&repo, tree).unwrap(), root);
        let mut after = look(&root);
        assert_eq!(after.remove("warm").unwrap(), "644 \"w\"", "{phase:?}");
        files::remove_file(root.join("warm")).unwrap();
        assert_eq!(after, before, "{phase:?}");
        slot.restore(&repo).unwrap();
    }
}

#[test]
fn what_a_killed_run_left_running_in_its_slot_is_ended() {
    let fixture = Fixture::new();
    let tree = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let mut slot = slots.lease(None).unwrap();
    let root = slot.fill(&repo, tree).unwrap();
    drop(slot);
    let mut env = Env::read().for_checks(&[]);
    env.push(("INVISIGOTH_CHECK".into(), "1-1".into()));
    std::thread::scope(|scope| {
        let (env, root) = (&env, &root);
        // Says so when it runs, by making a file; ended by the next holder, or after a minute as a failure.
        let stray = scope.spawn(move || run_captured("sh", &["-c", "mkfifo go; exec sleep 60"], root, env, b"", None));
        while !root.join("go").exists() {
            std::thread::yield_now();
        }
        let _slot = slots.lease(None).unwrap();
        assert_eq!(stray.join().unwrap().unwrap().code, 137);
    });
}

#[test]
fn memory_files_are_never_put_into_a_slot() {
    let fixture = Fixture::new();
    for path in [
        "pending_goals.json",
        "history.json",
        "history/0001.json",
        "completed/0001.json",
    ] {
        fixture.put(&format!("memory/{path}"), "[]");
    }
    fixture.put("memory/notes.md", "mine");
    let first = fixture.commit();
    fixture.put("memory/completed_goals.json", "[]");
    let second = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let mut slot = slots.lease(None).unwrap();
    for tree in [first, second] {
        let root = slot.fill(&repo, tree).unwrap();
        assert_eq!(look(&root).into_keys().collect::<Vec<_>>(), ["memory/notes.md"]);
    }
}

#[test]
fn an_old_tree_that_git_has_dropped_is_not_missed() {
    let fixture = Fixture::new();
    fixture.put("a", "1");
    let first = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let mut slot = slots.lease(None).unwrap();
    slot.fill(&repo, first).unwrap();
    slot.restore(&repo).unwrap();
    slot.state.root = Some("1".repeat(40).parse().unwrap());
    fixture.put("a", "2");
    fixture.put("b", "2");
    let second = fixture.commit();
    slot.fill(&fixture.repo(), second).unwrap();
    assert_eq!((text(&slot, "a"), text(&slot, "b")), ("2".into(), "2".into()));
}

#[test]
fn two_holders_get_two_slots_and_a_free_one_with_the_tree_is_preferred() {
    let fixture = Fixture::new();
    fixture.put("a", "1");
    let first = fixture.commit();
    fixture.put("a", "2");
    let second = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let (mut one, mut two) = (slots.lease(None).unwrap(), slots.lease(None).unwrap());
    assert_ne!(one.root(), two.root());
    one.fill(&repo, first).unwrap();
    let root = two.fill(&repo, second).unwrap();
    drop((one, two));
    assert_eq!(slots.lease(Some(second)).unwrap().root(), root);
}

#[test]
fn set_up_is_remembered_by_its_key() {
    let fixture = Fixture::new();
    let slots = fixture.slots();
    let mut slot = slots.lease(None).unwrap();
    assert!(slot.needs_setup("k1"));
    slot.set_up("k1").unwrap();
    drop(slot);
    let slot = slots.lease(None).unwrap();
    assert!(!slot.needs_setup("k1"));
    assert!(slot.needs_setup("k2"));
}

#[test]
fn an_overlay_lasts_until_restore() {
    let fixture = Fixture::new();
    fixture.put("run.sh", "old");
    files::set_permissions(fixture.work().join("run.sh"), files::Permissions::from_mode(0o755)).unwrap();
    let tree = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let mut slot = slots.lease(None).unwrap();
    let root = slot.fill(&repo, tree).unwrap();
    let before = look(&root);
    let path = |text: &str| RepoPath::parse(text).unwrap();
    slot.overlay(&[(path("run.sh"), b"new".to_vec()), (path("t/new"), b"x".to_vec())])
        .unwrap();
    let seen = look(&root);
    assert_eq!(
        (seen["run.sh"].as_str(), seen["t/new"].as_str()),
        ("755 \"new\"", "644 \"x\"")
    );
    slot.restore(&repo).unwrap();
    assert_eq!(look(&root), before);
}

#[test]
fn ignored_files_are_copied_in_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.put(".gitignore", ".env*\nvendor/\n");
    fixture.put("tracked", "t");
    let tree = fixture.commit();
    let (repo, slots, work) = (fixture.repo(), fixture.slots(), fixture.work());
    put(&work, ".env.local", "secret");
    put(&work, "vendor/lib/x", "x");
    symlink("x", work.join("vendor/lib/link")).unwrap();
    put(&work, "untracked", "u");
    put(&work, "tracked", "changed");
    let mut slot = slots.lease(None).unwrap();
    let root = slot.fill(&repo, tree).unwrap();
    let patterns = [".env.*", "vendor/", "untracked", "tracked", ".git", "missing/*"].map(String::from);
    let copied = slot.copy_in(&repo, &work, &patterns).unwrap();
    let copied: Vec<String> = copied.iter().map(ToString::to_string).collect();
    assert_eq!(copied, [".env.local", "vendor/lib/link", "vendor/lib/x"]);
    slot.restore(&repo).unwrap();
    let seen = look(&root);
    assert_eq!(seen["vendor/lib/link"], "-> x");
    assert_eq!(seen["tracked"], "644 \"t\"");
    assert_eq!(seen.len(), 5);
}

#[test]
fn a_throw_away_git_shows_a_clean_commit_and_is_gone_after_restore() {
    let fixture = Fixture::new();
    fixture.put(".gitignore", "ignored\n");
    fixture.put("a b", "1");
    fixture.git(&["add", "-f", "."]);
    let tree = fixture.commit();
    let (repo, slots) = (fixture.repo(), fixture.slots());
    let mut slot = slots.lease(None).unwrap();
    let root = slot.fill(&repo, tree).unwrap();
    let env = Env::read().for_checks(&[]);
    slot.add_git(&env).unwrap();
    let git = |args: &[&str]| {
        let captured = run_captured("git", args, &root, &env, b"", None).unwrap();
        String::from_utf8(captured.stdout).unwrap()
    };
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(git(&["rev-parse", "HEAD^{tree}"]).trim(), tree.root.to_string());
    slot.restore(&repo).unwrap();
    assert!(!root.join(".git").exists());
}

#[test]
fn a_harvest_is_what_differs_and_nothing_else() {
    let fixture = Fixture::new();
    fixture.put(".gitignore", "*.log\nout/\n");
    for name in [
        "same",
        "edited",
        "gone",
        "mode",
        "link",
        "file-to-folder",
        "folder/x",
        "folder/y",
        "d/moved",
    ] {
        fixture.put(name, &format!("{name}\n"));
    }
    fixture.put("kept.log", "tracked although ignored\n");
    fixture.git(&["add", "-f", "kept.log"]);
    let harvest = fixture.harvest(|root| {
        put(root, "edited", "new\n");
        files::remove_file(root.join("gone")).unwrap();
        files::set_permissions(root.join("mode"), files::Permissions::from_mode(0o755)).unwrap();
        files::remove_file(root.join("link")).unwrap();
        symlink("same", root.join("link")).unwrap();
        files::remove_file(root.join("file-to-folder")).unwrap();
        put(root, "file-to-folder/in", "in\n");
        files::remove_dir_all(root.join("folder")).unwrap();
        put(root, "folder", "now a file\n");
        files::rename(root.join("d/moved"), root.join("elsewhere")).unwrap();
        put(root, "kept.log", "changed\n");
        put(root, "noise.log", "x");
        put(root, "out/built", "x");
        put(root, "memory/pending_goals.json", "[]");
        put(root, "nested/.git/config", "x");
        put(root, "nested/file", "in a repository of its own\n");
        files::write(root.join(".gitignore"), "").unwrap();
        // Same bytes, other times: nothing changed.
        put(root, "same", "same\n");
    });
    let expected = [
        "+ .gitignore \"\"",
        "- d/moved",
        "+ edited \"new\\n\"",
        "+ elsewhere \"d/moved\\n\"",
        "- file-to-folder",
        "+ file-to-folder/in \"in\\n\"",
        "+ folder \"now a file\\n\"",
        "- folder/x",
        "- folder/y",
        "- gone",
        "+ kept.log \"changed\\n\"",
        "l link \"same\"",
        "x mode \"mode\\n\"",
        "+ nested/file \"in a repository of its own\\n\"",
    ];
    assert_eq!(harvest.unwrap(), expected);
}

#[test]
fn a_tool_s_own_commits_count_for_nothing_but_their_files() {
    let fixture = Fixture::new();
    fixture.put("a", "a\n");
    let harvest = fixture.harvest(|root| {
        put(root, "a", "b\n");
        for args in [
            &["add", "-A"][..],
            &["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "mine"],
            &["checkout", "-q", "-b", "other"],
        ] {
            let ran = run_captured("git", args, root, &Env::read().for_checks(&[]), b"", None).unwrap();
            assert_eq!(ran.code, 0, "{args:?}");
        }
    });
    assert_eq!(harvest.unwrap(), ["+ a \"b\\n\""]);
}

#[test]
fn a_harvest_is_stored_as_git_stores_it() {
    let fixture = Fixture::new();
    fixture.put(".gitattributes", "*.txt text eol=crlf\n*.bin filter=upper\n");
    fixture.git(&["config", "filter.upper.clean", "tr a-z A-Z"]);
    fixture.git(&["config", "filter.upper.smudge", "tr A-Z a-z"]);
    fixture.put("a.txt", "one\r\n");
    fixture.put("same.bin", "same\n");
    let harvest = fixture.harvest(|root| {
        put(root, "a.txt", "two\r\n");
        put(root, "new.txt", "three\r\n");
        put(root, "same.bin", "same\n");
    });
    assert_eq!(harvest.unwrap(), ["+ a.txt \"two\\n\"", "+ new.txt \"three\\n\""]);
    let refused = fixture.harvest(|root| put(root, "same.bin", "other\n"));
    assert!(
        refused
            .unwrap_err()
            .starts_with("same.bin: it is stored through a filter program")
    );
}

#[test]
fn a_harvest_has_limits() {
    let fixture = Fixture::new();
    fixture.put("a", "a\n");
    let large = fixture.harvest(|root| put(root, "large", &"x".repeat(5 << 20)));
    assert_eq!(large.unwrap_err(), "large: it has 5 MiB, and 4 are the most");
    let much = fixture.harvest(|root| {
        for name in ["1", "2", "3", "4", "5"] {
            put(root, name, &"x".repeat(4 << 20));
        }
    });
    assert_eq!(much.unwrap_err(), "the changed files hold more than 16 MiB");
    let many = fixture.harvest(|root| {
        for name in 0..5_001 {
            put(root, &format!("{name}"), "");
        }
    });
    assert_eq!(many.unwrap_err(), "more than 5000 files changed");
}
