//! The sandbox of every test: a fresh home, a real repository, the real binary, stock git, and nothing of the machine's.

/// Ways to run the binary.
pub mod binary;
/// Commands that the test and a running check meet with.
pub mod pause;
/// The dashboard, and what is sent to it.
pub mod served;
/// A stub of an endpoint.
pub mod server;
/// What a command shows, masked.
pub mod shown;
/// What people are told to type.
pub mod typed;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A check that passes unless the file `bad` exists.
pub const NOT_BAD: &str = "[ ! -e bad ] || { echo 'bad is there'; exit 1; }\n";

/// A scratch home with a repository in it.
pub struct Sandbox {
    home: TempDir,
}

/// What a command did.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    /// Makes a home without a repository.
    pub fn empty() -> Self {
        let home = tempfile::Builder::new().prefix("it-").tempdir().unwrap();
        fs::create_dir(home.path().join("repo")).unwrap();
        Self { home }
    }

    /// Makes a repository with one commit and a check: `sh check.sh`, which passes unless the file `bad` exists.
    pub fn new() -> Self {
        Self::started(NOT_BAD)
    }

    fn started(check: &str) -> Self {
        let sandbox = Self::bare_git();
        if check.contains("$HOME") {
            sandbox.unfenced();
        }
        sandbox.write("check.sh", check);
        sandbox.write("greet.txt", "hello\n");
        sandbox.commit("start");
        sandbox
    }

    /// As `new`, and set up: settings committed, backlog empty, provider `mock` with an empty script.
    pub fn ready() -> Self {
        Self::checking(NOT_BAD)
    }

    /// As `ready`, with `check.sh` given. In it `$HOME` is the sandbox's home, and a check that names it is not fenced in:
    /// it would not find there what the test put.
    pub fn checking(check: &str) -> Self {
        Self::set_up(check, "[check]\ntest = [\"sh check.sh\"]\n")
    }

    /// As `new`, with the settings committed and nothing else set up.
    pub fn started_with(settings: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("invisigoth.toml", settings);
        sandbox.commit("settings");
        sandbox
    }

    /// As `ready`, with `check.sh` and the settings given.
    pub fn set_up(check: &str, settings: &str) -> Self {
        let sandbox = Self::started(check);
        sandbox.write("invisigoth.toml", settings);
        sandbox.commit("settings");
        sandbox.ok(&["init", "--yes"]);
        sandbox.script(json!({}));
        sandbox
    }

    /// From now on no check is fenced in.
    pub fn unfenced(&self) {
        self.git(&["config", "invisigoth.check.sandbox", "none"]);
    }

    /// As `empty`, with an unborn branch `main` and somebody who commits.
    pub fn bare_git() -> Self {
        let sandbox = Self::empty();
        sandbox.git(&["init", "-q", "-b", "main"]);
        sandbox.git(&["config", "user.name", "A U Thor"]);
        sandbox.git(&["config", "user.email", "author@example.com"]);
        sandbox.git(&["config", "gc.auto", "0"]);
        sandbox
    }

    /// The home folder.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The repository's folder.
    pub fn repo(&self) -> PathBuf {
        self.home().join("repo")
    }

    /// A path in the repository.
    pub fn path(&self, name: &str) -> PathBuf {
        self.repo().join(name)
    }

    /// Writes a file of the checkout.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Reads a file of the checkout.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Adds everything and commits.
    pub fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
    }

    /// Makes `mock` the provider, with replies by goal: `{"goal": ["reply", …]}`.
    #[expect(clippy::needless_pass_by_value, reason = "tests write `json!` in place")]
    pub fn script(&self, goals: Value) {
        let path = self.home().join("script.json");
        fs::write(&path, json!({ "goals": goals }).to_string()).unwrap();
        self.git(&["config", "invisigoth.llm.provider", "mock"]);
        self.git(&["config", "invisigoth.llm.script", path.to_str().unwrap()]);
    }

    /// Adds a goal by id, with what it needs.
    pub fn goal(&self, id: &str, needs: &[&str]) {
        let mut args = vec!["add", "--id", id];
        for need in needs {
            args.extend(["--needs", need]);
        }
        let description = format!("Goal {id}");
        args.push(&description);
        self.ok(&args);
    }

    /// A program in the sandbox, not started yet.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
            .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
            .current_dir(self.repo())
            .stdin(Stdio::null());
        command
    }

    /// Runs stock git, which must exit with 0; returns its standard output without the last line break.
    pub fn git(&self, args: &[&str]) -> String {
        let ran = self.sh("git", args);
        assert_eq!(ran.code, 0, "git {args:?}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout.trim_end_matches('\n').to_owned()
    }

    /// Runs a program of the system in the repository.
    pub fn sh(&self, program: &str, args: &[&str]) -> Ran {
        Ran::of(&self.command(program).args(args).output().unwrap())
    }

    /// Lists the files of a commit without its memory: mode, object and path, a line each.
    pub fn code(&self, commit: &str) -> Vec<String> {
        let all = self.git(&["ls-tree", "-r", commit]);
        all.lines()
            .filter(|line| !line.contains("\tmemory/"))
            .map(str::to_owned)
            .collect()
    }

    /// Every ref with its object.
    pub fn refs(&self) -> BTreeMap<String, String> {
        let all = self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let pairs = all.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
    }

    /// The object of a ref or revision.
    pub fn id(&self, revision: &str) -> String {
        self.git(&["rev-parse", "--verify", revision])
    }

    /// A file of an attempt at `goal`, as the attempts ref has it.
    pub fn attempt(&self, goal: &str, number: u32, name: &str) -> Value {
        let all = self.git(&["ls-tree", "-r", "--name-only", "refs/invisigoth/attempts"]);
        let end = format!("/{goal}@{number}.{name}");
        let path = all.lines().find(|path| path.ends_with(&end));
        let path = path.unwrap_or_else(|| panic!("no {end} in\n{all}"));
        serde_json::from_str(&self.git(&["show", &format!("refs/invisigoth/attempts:{path}")])).unwrap()
    }

    /// The goals that the target's first-parent commits landed, the oldest first; a goal that landed twice is there twice.
    pub fn landings(&self, target: &str) -> Vec<String> {
        let format = "--format=%(trailers:key=Landed,valueonly,separator=%x20)";
        let log = self.git(&["log", "--reverse", "--first-parent", format, target]);
        // A commit says `GOAL COMMIT` for each goal that it landed.
        let words: Vec<Vec<&str>> = log.lines().map(|line| line.split(' ').collect()).collect();
        let goals = words.iter().flat_map(|words| words.chunks_exact(2));
        goals.map(|said| said[0].to_owned()).collect()
    }

    /// Everything that must hold after whatever happened: stock git finds the repository sound, nothing is locked, no
    /// stash or worktree appeared.
    pub fn assert_sound(&self) {
        self.git(&["fsck", "--strict"]);
        assert_eq!(self.git(&["stash", "list"]), "");
        assert_eq!(self.git(&["worktree", "list"]).lines().count(), 1);
        let locks = self.git(&["rev-parse", "--git-dir"]);
        for name in ["index.lock", "HEAD.lock", "packed-refs.lock"] {
            assert!(!self.path(&locks).join(name).exists(), "{name} was left behind");
        }
    }
}

impl Ran {
    /// Takes in what a process did.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A reply that writes one whole file.
pub fn whole(path: &str, content: &str) -> String {
    format!("File: {path}\n````text\n{content}````\n")
}
