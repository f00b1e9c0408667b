use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::{
    door::{env::Env, spawn::run_captured},
    git::Shared,
};

/// A repository made with stock git.
pub(in crate::engine) struct Fixture {
    dir: TempDir,
    clock: std::cell::Cell<u32>,
}

impl Fixture {
    pub(in crate::engine) fn new() -> Self {
        Self::with("sha1")
    }

    fn with(hash: &str) -> Self {
        let fixture = Self {
            dir: tempfile::tempdir().unwrap(),
            clock: 1_700_000_000.into(),
        };
        std::fs::create_dir(fixture.work()).unwrap();
        fixture.git(&["init", "-q", "-b", "main", "--object-format", hash]);
        fixture
    }

    pub(in crate::engine) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    pub(in crate::engine) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.work(), args, b"")
    }

    pub(in crate::engine) fn git_in(&self, dir: &Path, args: &[&str], input: &[u8]) -> String {
        self.clock.set(self.clock.get() + 60);
        let at = format!("{} +0000", self.clock.get());
        let mut env = Env::read().for_checks(&[]);
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@b"),
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@b"),
            ("GIT_AUTHOR_DATE", &at),
            ("GIT_COMMITTER_DATE", &at),
        ] {
            env.push((name.into(), value.into()));
        }
        let captured = run_captured("git", args, dir, &env, input, None).unwrap();
        let said = String::from_utf8_lossy(&captured.stderr).into_owned();
        assert_eq!(captured.code, 0, "git {args:?}: {said}");
        String::from_utf8(captured.stdout).unwrap().trim().to_owned()
    }

    /// Writes files (`None` deletes one) and commits them.
    fn commit(&self, message: &str, files: &[(&str, Option<&str>)]) -> CommitId {
        for (path, content) in files {
            let path = self.work().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match content {
                Some(content) => std::fs::write(path, content).unwrap(),
                None => std::fs::remove_file(path).unwrap(),
            }
        }
        self.git(&["add", "-A"]);
        let message = if message.is_empty() { "\n" } else { message };
        self.git(&[
            "commit",
            "-q",
            "--allow-empty",
            "--allow-empty-message",
            "--cleanup=verbatim",
            "-m",
            message,
        ]);
        self.head()
    }

    fn head(&self) -> CommitId {
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    /// A history of so many commits, of a file each.
    fn long(&self, commits: usize) -> CommitId {
        let mut stream = String::new();
        for n in 1..=commits {
            let at = 1_600_000_000 + n;
            let said = format!("say {n}");
            let (said_bytes, n_bytes) = (said.len(), n.to_string().len());
            let head = format!("commit refs/heads/main\ncommitter a <a@b> {at} +0000\ndata {said_bytes}\n{said}\n");
            let file = format!("M 644 inline f{}\ndata {n_bytes}\n{n}\n", n % 50);
            stream.extend([head, file]);
        }
        self.git_in(&self.work(), &["fast-import", "--quiet"], stream.as_bytes());
        self.git(&["reset", "-q", "--hard"]);
        self.head()
    }

    pub(in crate::engine) fn repo(&self) -> Repo {
        repo_at(&self.work())
    }

    fn index(&self) -> PathBuf {
        self.work().join(".git/invisigoth/index")
    }

    /// The names of our files.
    fn files(&self) -> Vec<String> {
        Cache::open(&self.index()).list(PREFIX).unwrap()
    }

    /// What a process that starts now sees below the tip.
    fn seen(&self) -> Vec<String> {
        seen(&self.repo(), self.head())
    }
}

fn repo_at(dir: &Path) -> Repo {
    Shared::open(dir, Vec::new()).unwrap().repo()
}

fn seen(repo: &Repo, tip: CommitId) -> Vec<String> {
    shown(Pasts::default().at(repo, tip).unwrap())
}

/// A line for each commit that counts: its subject, and the files that it touched, as they are called today.
fn shown(past: &Past) -> Vec<String> {
    let line = |(place, (_, subject)): (u32, (CommitId, &str))| {
        let paths = past.files(place).iter().filter_map(|number| past.known().path(*number));
        let mut files: Vec<String> = paths.map(ToString::to_string).collect();
        files.sort();
        format!("{subject}: {}", files.join(" "))
    };
    (0..).zip(past.subjects()).map(line).collect()
}

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\n";

#[test]
fn renames_equal_and_alike_are_followed() {
    let fixture = Fixture::new();
    fixture.commit(
        "start",
        &[("a.txt", Some(TEXT)), ("b/c.txt", Some("other\n")), ("k", Some("k"))],
    );
    fixture.commit("edit", &[("a.txt", Some(&TEXT.replace("one", "1")))]);
    fixture.git(&["mv", "a.txt", "d.txt"]);
    fixture.git(&["mv", "b", "e"]);
    fixture.commit("move", &[]);
    fixture.git(&["mv", "d.txt", "f.txt"]);
    fixture.commit(
        "move and edit",
        &[("f.txt", Some(&TEXT.replace("two", "2").replace("one", "1")))],
    );
    fixture.commit("drop", &[("k", None)]);
    let expected = [
        "drop: k",
        "move and edit: f.txt",
        "move: e/c.txt f.txt",
        "edit: f.txt",
        "start: e/c.txt f.txt k",
    ];
    assert_eq!(fixture.seen(), expected);
}

#[test]
fn merges_are_passed_and_an_octopus_too() {
    let fixture = Fixture::new();
    fixture.commit("start", &[("a", Some("a"))]);
    for branch in ["x", "y", "z"] {
        fixture.git(&["checkout", "-q", "-b", branch, "main"]);
        fixture.commit(branch, &[(branch, Some(branch))]);
    }
    fixture.git(&["checkout", "-q", "main"]);
    fixture.git(&["merge", "-q", "--no-ff", "-m", "all", "x", "y", "z"]);
    fixture.commit("end", &[("a", Some("b"))]);
    assert_eq!(fixture.seen(), ["end: a", "z: z", "y: y", "x: x", "start: a"]);
    // What is kept tells the same, and merges need not be read again.
    let mut pasts = Pasts::default();
    assert_eq!(
        shown(pasts.at(&fixture.repo(), fixture.head()).unwrap()),
        fixture.seen()
    );
    assert_eq!(pasts.past.known().len(), 6);
}

#[test]
fn a_first_commit_of_many_files_touched_none() {
    let fixture = Fixture::new();
    let names: Vec<String> = (0..35).map(|n| format!("f{n}")).collect();
    let files: Vec<(&str, Option<&str>)> = names.iter().map(|name| (name.as_str(), Some("x"))).collect();
    fixture.commit("start", &files);
    assert_eq!(fixture.seen(), ["start: "]);
    fixture.commit("mode", &[("f1", None)]);
    assert_eq!(fixture.seen(), ["mode: f1", "start: "]);
}

#[test]
fn long_ids_are_kept_too() {
    let fixture = Fixture::with("sha256");
    fixture.commit("start", &[("a", Some("a"))]);
    fixture.commit("edit", &[("a", Some("b"))]);
    assert_eq!(fixture.seen(), ["edit: a", "start: a"]);
    let kept = fixture.files();
    assert_eq!(fixture.seen(), ["edit: a", "start: a"]);
    assert_eq!((kept.len(), fixture.files()), (1, kept));
}

#[test]
fn memory_files_are_no_part_of_it() {
    let fixture = Fixture::new();
    fixture.commit("start", &[("a", Some("a"))]);
    fixture.commit("land", &[("a", Some("b")), ("memory/history.json", Some("[]\n"))]);
    assert_eq!(fixture.seen(), ["land: a", "start: a"]);
}

#[test]
fn a_shallow_clone_tells_what_it_has_and_all_once_it_is_deep() {
    let fixture = Fixture::new();
    for n in 1..=5 {
        fixture.commit(&format!("say {n}"), &[("a", Some(&n.to_string()))]);
    }
    let from = format!("file://{}", fixture.work().display());
    let shallow = fixture.dir.path().join("shallow");
    fixture.git(&["clone", "-q", "--depth", "2", &from, shallow.to_str().unwrap()]);
    let tip = fixture.head();
    for _ in 0..2 {
        assert_eq!(seen(&repo_at(&shallow), tip), ["say 5: a", "say 4: "]);
    }
    fixture.git_in(&shallow, &["fetch", "-q", "--unshallow"], b"");
    assert_eq!(seen(&repo_at(&shallow), tip), fixture.seen());
}

#[test]
fn messages_can_be_empty_or_in_any_encoding() {
    let fixture = Fixture::new();
    let first = fixture.commit("", &[("a", Some("a"))]);
    let tree = fixture.git(&["rev-parse", "HEAD^{tree}"]);
    let raw = format!(
        "tree {tree}\nparent {first}\nauthor a <a@b> 5 +0000\ncommitter a <a@b> broken\nencoding latin-1\n\nGr"
    );
    let raw = [raw.as_bytes(), b"\xf6\xdfe\n"].concat();
    let odd = fixture.git_in(
        &fixture.work(),
        &["hash-object", "-t", "commit", "-w", "--literally", "--stdin"],
        &raw,
    );
    fixture.git(&["reset", "-q", "--hard", &odd]);
    fixture.commit("end", &[("a", Some("b"))]);
    assert_eq!(fixture.seen(), ["end: a", "Gr\u{fffd}\u{fffd}e: ", ": a"]);
}

#[test]
fn a_tip_that_is_no_commit_here_has_no_past() {
    let fixture = Fixture::new();
    fixture.commit("start", &[("a", Some("a"))]);
    let tree: CommitId = fixture.git(&["rev-parse", "HEAD^{tree}"]).parse().unwrap();
    let none: CommitId = "1".repeat(40).parse().unwrap();
    for tip in [tree, none] {
        assert!(seen(&fixture.repo(), tip).is_empty());
    }
}

#[test]
fn following_reads_only_what_is_new() {
    let fixture = Fixture::new();
    let old = fixture.long(80);
    let mut pasts = Pasts::default();
    let repo = fixture.repo();
    pasts.at(&repo, old).unwrap();
    let new = fixture.commit("more", &[("f1", Some("more"))]);
    assert_eq!(shown(pasts.at(&repo, new).unwrap()), seen(&repo, new));
    // One file of 80 commits, one of a single one.
    assert_eq!(fixture.files().len(), 2);
    assert_eq!(shown(pasts.at(&repo, old).unwrap()), seen(&repo, old));
    assert_eq!(fixture.files().len(), 2);
}

#[test]
fn files_are_joined_where_they_are_many() {
    let fixture = Fixture::new();
    fixture.long(100);
    for n in 0..MOST_FILES + 3 {
        fixture.commit(&format!("more {n}"), &[("more", Some(&n.to_string()))]);
        fixture.seen();
    }
    assert!(fixture.files().len() < MOST_FILES, "{:?}", fixture.files());
    let kept = fixture.files();
    let mut pasts = Pasts::default();
    assert_eq!(
        pasts.at(&fixture.repo(), fixture.head()).unwrap().len(),
        100 + MOST_FILES + 3
    );
    // Nothing was read anew.
    assert_eq!(fixture.files(), kept);
}

#[test]
fn damaged_files_are_replaced() {
    let fixture = Fixture::new();
    fixture.long(70);
    let expected = fixture.seen();
    let [name] = fixture.files().try_into().unwrap();
    let path = fixture.index().join(&name);
    let sound = std::fs::read(&path).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 2] ^= 1;
    for bytes in [&sound[..sound.len() / 2], &[], &flipped, b"invisigoth past 0\n"] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(fixture.seen(), expected);
        assert_eq!(std::fs::read(&path).unwrap(), sound);
    }
    std::fs::remove_dir_all(fixture.index()).unwrap();
    assert_eq!(fixture.seen(), expected);
    assert_eq!(fixture.files(), [name]);
}

#[test]
fn what_cannot_be_kept_is_told_all_the_same() {
    let fixture = Fixture::new();
    fixture.commit("start", &[("a", Some("a"))]);
    std::fs::write(fixture.work().join(".git/invisigoth"), "in the way").unwrap();
    assert_eq!(fixture.seen(), ["start: a"]);
}

#[test]
fn many_who_fill_it_at_once_agree() {
    let fixture = Fixture::new();
    let tip = fixture.long(200);
    let shared = Shared::open(&fixture.work(), Vec::new()).unwrap();
    let all: Vec<Vec<String>> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| seen(&shared.repo(), tip));
        let all: Vec<_> = (0..4).map(|_| one()).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(all.iter().all(|one| *one == all[0] && one.len() == 200));
    // They wrote the same, so it is there once.
    assert_eq!(fixture.files().len(), 1);
}
