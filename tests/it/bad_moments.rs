//! Rows of the table of bad input that need more than a command: checks that misbehave, people who work meanwhile, signals.
//!
//! Not here: the table itself, which is `bad_input`.

use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{BufRead as _, BufReader, Read as _},
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    process::Child,
};

use serde_json::json;

use crate::{
    bad_input::{Row, Scene, scene, with_check, with_goal},
    support::{Ran, Sandbox, whole},
};

/// Opens a pipe without waiting for its other side (Linux).
const O_NONBLOCK: i32 = 0o4000;

/// The rows.
pub fn rows() -> Vec<Row> {
    [checks(), people(), histories(), machine()]
        .into_iter()
        .flatten()
        .collect()
}

fn checks() -> Vec<Row> {
    let failed = |scene: &Scene| assert_eq!(scene.sandbox.state("a"), "failed");
    vec![
        Row::new(
            "check command missing",
            || with_check("[ ! -e a.txt ] || no-such-command\n", 60),
            (3, "exit 127"),
        )
        .then(failed),
        Row::new("check command hanging", hanging, (3, "over its limit")).then(|scene| {
            assert_eq!(scene.sandbox.state("a"), "failed");
            nobody_holds(&scene.sandbox, "alive");
        }),
        Row::new("check command printing 1 GB", talkative, (3, "exit 1")).then(|scene| {
            assert_eq!(scene.sandbox.state("a"), "failed");
            let kept: u64 = scene
                .sandbox
                .git(&["count-objects", "-v"])
                .lines()
                .find_map(|line| line.strip_prefix("size: ")?.parse().ok())
                .unwrap();
            assert!(kept < 1024, "{kept} KiB of objects");
        }),
    ]
}

/// Hangs, and has a child that left its process group and session.
fn hanging() -> Scene {
    let made = with_check(
        "[ -e a.txt ] || exit 0\nexec 3<> \"$HOME/alive\"\nsetsid sh -c 'sleep 1000 &' &\nsleep 1000\n",
        1,
    );
    fifo(&made.sandbox, "alive");
    made
}

/// Makes a pipe with a name in the home folder.
fn fifo(sandbox: &Sandbox, name: &str) {
    let made = sandbox
        .command("mkfifo")
        .arg(sandbox.home().join(name))
        .status()
        .unwrap();
    assert!(made.success());
}

/// No process is left that a check started: each has the pipe open for writing.
fn nobody_holds(sandbox: &Sandbox, name: &str) {
    let mut pipe = OpenOptions::new();
    pipe.read(true).custom_flags(O_NONBLOCK);
    let mut pipe = pipe.open(sandbox.home().join(name)).unwrap();
    // With the other side open this would be an error instead of the end.
    let read = pipe.read(&mut [0]);
    assert!(matches!(read, Ok(0)), "a child was left behind: {read:?}");
}

fn talkative() -> Scene {
    with_check(
        "[ ! -e a.txt ] || { head -c 1000000000 /dev/zero | tr '\\0' x; exit 1; }\n",
        600,
    )
}

fn people() -> Vec<Row> {
    vec![
        Row::new("target checked out dirty", dirty, (0, "your changes in greet.txt")).then(|scene| {
            let sandbox = &scene.sandbox;
            let landed = sandbox.git(&["rev-parse", "refs/invisigoth/landed/main"]);
            assert!(sandbox.ok(&["status"]).contains("results are beside main"));
            sandbox.git(&["checkout", "-q", "greet.txt"]);
            sandbox.ok(&["run"]);
            assert_eq!(sandbox.git(&["rev-parse", "main"]), landed);
            assert_eq!([sandbox.read("greet.txt"), sandbox.read("b.txt")], ["new\n", "b\n"]);
            assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
            assert_eq!(
                sandbox.git(&["for-each-ref", "refs/invisigoth/landed", "refs/heads/invisigoth"]),
                ""
            );
        }),
        Row::new("rebase in progress", rebasing, (5, "a rebase of `main` is in progress"))
            .hint()
            .then(|scene| {
                scene.sandbox.git(&["rebase", "--continue"]);
                scene.sandbox.ok(&["run"]);
                assert_eq!(scene.sandbox.state("a"), "landed");
            }),
        Row::new(
            "rebase in progress, target named",
            rebasing,
            (0, "a rebase is in progress"),
        )
        .args(&["run", "--set", "land.target=main"])
        .then(|scene| {
            assert_eq!(
                scene.sandbox.git(&["rev-parse", "main"]),
                scene.sandbox.git(&["rev-parse", "ORIG_HEAD"])
            );
            scene.sandbox.git(&["rebase", "--continue"]);
            scene.sandbox.ok(&["run"]);
            assert_eq!(scene.sandbox.state("a"), "landed");
        }),
    ]
}

fn histories() -> Vec<Row> {
    vec![
        Row::new("user commits meanwhile", commits_meanwhile, (0, "1 landed"))
            .moves()
            .then(|scene| {
                let sandbox = &scene.sandbox;
                assert_eq!(
                    sandbox.git(&["log", "--first-parent", "-2", "--format=%s"]),
                    "Land a: Goal a\nmeanwhile"
                );
                assert_eq!([sandbox.read("a.txt"), sandbox.read("mine.txt")], ["a\n", "mine\n"]);
                assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
            }),
        Row::new("`git pull --rebase` over a landing", with_upstream, (0, "1 landed"))
            .moves()
            .then(|scene| {
                let sandbox = &scene.sandbox;
                sandbox.git(&["pull", "-q", "--rebase"]);
                assert_eq!(
                    sandbox.git(&["log", "--merges", "--format=%s"]),
                    "",
                    "the rebase took the landing commit away"
                );
                assert_eq!(sandbox.state("a"), "landed");
                assert_eq!(sandbox.json(&["run"])["calls"], 0);
                assert_eq!(
                    sandbox
                        .git(&["log", "--grep", "^Goal: a$", "--format=%h"])
                        .lines()
                        .count(),
                    1
                );
            }),
        Row::new("`git gc --prune=now` in the middle", collects, (0, "1 landed"))
            .moves()
            .then(|scene| {
                assert_eq!(scene.sandbox.state("a"), "landed");
                assert!(
                    scene
                        .sandbox
                        .git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])
                        .contains("\"goal\":\"a\"")
                );
            }),
    ]
}

fn dirty() -> Scene {
    let made = with_goal(&whole("greet.txt", "new\n"));
    made.sandbox
        .script(json!({"a": [whole("greet.txt", "new\n")], "b": [whole("b.txt", "b\n")]}));
    made.sandbox.goal("b", &["a"]);
    made.sandbox.commit("goals");
    made.sandbox.write("greet.txt", "mine\n");
    made
}

fn rebasing() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    let sandbox = &made.sandbox;
    let mut rebase = sandbox.command("git");
    rebase
        .args(["rebase", "-q", "-i", "HEAD~1"])
        .env("GIT_SEQUENCE_EDITOR", "sed -i 1s/pick/edit/");
    assert_eq!(Ran::of(&rebase.output().unwrap()).code, 0);
    sandbox.git(&["config", "core.editor", "true"]);
    made
}

fn commits_meanwhile() -> Scene {
    with_check(
        "[ ! -e a.txt ] || [ -e \"$HOME/once\" ] || { touch \"$HOME/once\"; cd \"$HOME/repo\" && echo mine > mine.txt && \
         git add mine.txt && git commit -q -m meanwhile; }\n",
        60,
    )
}

fn with_upstream() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    let sandbox = &made.sandbox;
    sandbox.git(&["clone", "-q", "--bare", ".", "../up.git"]);
    sandbox.git(&["remote", "add", "origin", "../up.git"]);
    sandbox.git(&["fetch", "-q"]);
    sandbox.git(&["branch", "-q", "-u", "origin/main"]);
    sandbox.git(&["clone", "-q", "../up.git", "../other"]);
    let other = ["-C", "../other", "-c", "user.name=O", "-c", "user.email=o@example.com"];
    sandbox.git(&[&other[..], &["commit", "-q", "--allow-empty", "-m", "theirs"]].concat());
    sandbox.git(&["-C", "../other", "push", "-q"]);
    made
}

fn collects() -> Scene {
    with_check("git -C \"$HOME/repo\" gc -q --prune=now\n", 60)
}

fn machine() -> Vec<Row> {
    vec![
        Row::new("disk full", || with_goal(&whole("a.txt", &noise())), (0, "1 ready"))
            .args(&["status"])
            .then(disk_full),
        Row::new("Ctrl-C once", interruptible, (0, "2 ready"))
            .args(&["status"])
            .then(once),
        Row::new("Ctrl-C twice", interruptible, (0, "2 ready"))
            .args(&["status"])
            .then(twice),
    ]
}

/// Text that does not become small.
fn noise() -> String {
    let mut state = 1_u64;
    let mut line = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}\n")
    };
    (0..20_000).map(|_| line()).collect()
}

/// A limit on the size of files stands in for a full disk: writes fail in the middle.
fn disk_full(scene: &Scene) {
    let sandbox = &scene.sandbox;
    let head = sandbox.git(&["rev-parse", "HEAD"]);
    let mut limited = sandbox.command("sh");
    limited.args([
        "-c",
        "trap '' XFSZ; ulimit -f 64; exec \"$0\" run",
        env!("CARGO_BIN_EXE_git-invisigoth"),
    ]);
    let ran = Ran::of(&limited.output().unwrap());
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("File too large"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.assert_sound();
    sandbox.ok(&["run"]);
    assert_eq!(
        sandbox
            .git(&["log", "--grep", "^Landed: a ", "--format=%h"])
            .lines()
            .count(),
        1
    );
    assert_eq!(sandbox.read("a.txt"), noise());
    sandbox.assert_sound();
}

/// Two goals, and a check of the first that says it runs, and has children that would stay for long.
fn interruptible() -> Scene {
    let sandbox = Sandbox::ready();
    sandbox.unfenced();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    sandbox.write(
        "check.sh",
        "[ -e a.txt ] || exit 0\nexec 3> \"$HOME/alive\"\nsetsid sleep 1000 &\necho here >&3\nread word < \"$HOME/go\"\nkill $!\n",
    );
    sandbox.commit("goals");
    fifo(&sandbox, "alive");
    fifo(&sandbox, "go");
    scene(sandbox)
}

/// A run whose check is under way; what it writes to `alive` ends when no process of the check is left.
fn under_way(sandbox: &Sandbox) -> (Child, BufReader<fs::File>) {
    let child = sandbox.spawn(&["run"]);
    let mut alive = BufReader::new(fs::File::open(sandbox.home().join("alive")).unwrap());
    let mut line = String::new();
    alive.read_line(&mut line).unwrap();
    assert_eq!(line, "here\n");
    (child, alive)
}

/// Sends SIGINT and waits until the run says that it heard.
fn interrupt(sandbox: &Sandbox, child: &mut Child) {
    signal(sandbox, child);
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("Ctrl-C again") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended without a word");
    }
    child.stderr = Some(said.into_inner());
}

fn signal(sandbox: &Sandbox, child: &Child) {
    let sent = sandbox
        .command("sh")
        .args(["-c", "kill -INT \"$0\"", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn once(scene: &Scene) {
    let sandbox = &scene.sandbox;
    let (mut child, _alive) = under_way(sandbox);
    interrupt(sandbox, &mut child);
    fs::write(sandbox.home().join("go"), "go\n").unwrap();
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("hint: `git invisigoth run` goes on"),
        "{}",
        ran.stderr
    );
    assert_eq!([sandbox.state("a"), sandbox.state("b")], ["landed", "ready"]);
    assert_eq!(sandbox.read("a.txt"), "a\n");
    sandbox.assert_sound();
}

fn twice(scene: &Scene) {
    let sandbox = &scene.sandbox;
    let (mut child, _alive) = under_way(sandbox);
    interrupt(sandbox, &mut child);
    signal(sandbox, &child);
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    nobody_holds(sandbox, "alive");
    assert_eq!([sandbox.state("a"), sandbox.state("b")], ["ready", "ready"]);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.assert_sound();
}

/// A name that is no UTF-8, beside a goal that has nothing to do with it.
pub fn odd_names() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    let sandbox = &made.sandbox;
    fs::write(sandbox.repo().join(OsStr::from_bytes(b"caf\xe9.txt")), b"\xff\n").unwrap();
    sandbox.commit("odd");
    made
}

/// The entry is in the landed tree as it was.
pub fn odd_names_kept(scene: &Scene) {
    let sandbox = &scene.sandbox;
    let entry = |rev: &str| {
        let all = sandbox.git(&["-c", "core.quotePath=true", "ls-tree", rev]);
        all.lines()
            .find(|line| line.contains("caf\\351.txt"))
            .map(str::to_owned)
    };
    assert!(entry("HEAD").is_some());
    assert_eq!(entry("HEAD"), entry("HEAD^1"));
    assert_eq!(
        fs::read(sandbox.repo().join(OsStr::from_bytes(b"caf\xe9.txt"))).unwrap(),
        b"\xff\n"
    );
}
