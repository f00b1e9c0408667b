//! Bad input: one table whose rows are the words of the specification. Each row: what is made, what is typed, how it ends,
//! what is said, and what must not be lost.
//!
//! Not here: what needs two processes at once or several runs (`bad_moments`), what an endpoint answers (`provider`).

use std::{collections::BTreeMap, fs, panic, path::PathBuf, thread};

use serde_json::json;

use crate::{
    bad_moments,
    support::{
        Sandbox,
        server::{Scripted, Server, nobody},
        typed, whole,
    },
};

/// Never seen in any output, nor in the repository.
const CANARY: &str = "sk-canary-4f3b2a1908d7";

/// What a row is about: a sandbox, and an endpoint where there is one.
pub struct Scene {
    pub sandbox: Sandbox,
    pub server: Option<Server>,
}

/// A row of the table.
pub struct Row {
    /// The words of the specification.
    name: &'static str,
    make: fn() -> Scene,
    args: &'static [&'static str],
    code: i32,
    /// Standard error or, for results, standard output holds it.
    says: &'static str,
    hint: bool,
    /// Whether the working tree and the index may change.
    moves: bool,
    then: fn(&Scene),
}

impl Row {
    /// `args` end with exit `code` and say `says`.
    pub fn new(name: &'static str, make: fn() -> Scene, (code, says): (i32, &'static str)) -> Self {
        Self {
            name,
            make,
            args: &["run"],
            code,
            says,
            hint: false,
            moves: false,
            then: |_| {},
        }
    }

    pub fn args(self, args: &'static [&'static str]) -> Self {
        Self { args, ..self }
    }

    pub fn hint(self) -> Self {
        Self { hint: true, ..self }
    }

    pub fn moves(self) -> Self {
        Self { moves: true, ..self }
    }

    pub fn then(self, then: fn(&Scene)) -> Self {
        Self { then, ..self }
    }

    fn check(&self) {
        let scene = (self.make)();
        let sandbox = &scene.sandbox;
        let before = footprint(sandbox);
        let ran = sandbox.run_with(self.args, &[("OPENROUTER_API_KEY", CANARY)]);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, self.code, "exit code\n{all}");
        assert!(all.contains(self.says), "says nothing of {:?}\n{all}", self.says);
        let is_error = ran.stderr.lines().any(|line| line.starts_with("error: "));
        assert_eq!(ran.stderr.contains("\nhint: "), self.hint || is_error, "hint\n{all}");
        assert_eq!(typed::wrong(&ran.stderr), Vec::<String>::new(), "{all}");
        assert!(!all.contains("panicked"), "{all}");
        assert!(!all.contains(CANARY), "the key is shown\n{all}");
        if !self.moves {
            assert_eq!(footprint(sandbox), before, "working tree or index\n{all}");
        }
        sound(sandbox);
        (self.then)(&scene);
        assert!(!sandbox.holds(CANARY), "the key is kept");
    }
}

/// Every file of the working tree, and the index, byte by byte.
fn footprint(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![sandbox.repo()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_symlink() {
                all.insert(
                    entry.path(),
                    fs::read_link(entry.path())
                        .unwrap()
                        .into_os_string()
                        .into_encoded_bytes(),
                );
            } else if kind.is_file() {
                all.insert(entry.path(), fs::read(entry.path()).unwrap());
            } else if entry.file_name() != ".git" {
                folders.push(entry.path());
            } else if let Ok(index) = fs::read(entry.path().join("index")) {
                all.insert(entry.path().join("index"), index);
            }
        }
    }
    if sandbox.path("HEAD").exists() {
        // A bare repository has no files of the user.
        all.clear();
    }
    all
}

fn sound(sandbox: &Sandbox) {
    if sandbox.path("HEAD").exists() {
        sandbox.git(&["fsck", "--strict"]);
    } else if sandbox.path(".git").exists() {
        sandbox.assert_sound();
    }
}

pub fn scene(sandbox: Sandbox) -> Scene {
    Scene { sandbox, server: None }
}

/// A repository with one goal, `a`, to which everything replies `reply`.
pub fn with_goal(reply: &str) -> Scene {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [reply]}));
    sandbox.goal("a", &[]);
    sandbox.commit("goals");
    scene(sandbox)
}

/// As `with_goal`, with a check of its own in `check.sh`.
pub fn with_check(check: &str, timeout: u32) -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    if check.contains("$HOME") {
        made.sandbox.unfenced();
    }
    made.sandbox.write("check.sh", check);
    made.sandbox.write(
        "invisigoth.toml",
        format!("[check]\ntest = [\"sh check.sh\"]\ntimeout = {timeout}\n\n[run]\nmax_attempts = 1\n"),
    );
    made.sandbox.commit("check");
    made
}

fn backlog(text: &str) -> Scene {
    let sandbox = Sandbox::ready();
    sandbox.write("memory/pending_goals.json", text);
    sandbox.commit("backlog");
    scene(sandbox)
}

fn endpoint(answer: Scripted) -> Scene {
    let server = Server::start(vec![answer]);
    let made = asking(&server.url());
    Scene {
        server: Some(server),
        ..made
    }
}

fn asking(url: &str) -> Scene {
    let made = with_goal("");
    made.sandbox.git(&["config", "invisigoth.llm.provider", "openrouter"]);
    made.sandbox.git(&["config", "invisigoth.llm.base-url", url]);
    made.sandbox.git(&["config", "invisigoth.budget.max-calls", "50"]);
    made
}

fn repositories() -> Vec<Row> {
    vec![
        Row::new(
            "not a repository",
            || scene(Sandbox::empty()),
            (1, "not in a git repository"),
        )
        .hint(),
        Row::new("unborn HEAD", || scene(Sandbox::bare_git()), (1, "has no commit yet")).hint(),
        Row::new("detached HEAD", detached, (1, "HEAD is detached")).hint(),
        Row::new("bare repository", bare, (0, "1 landed")).then(|scene| {
            assert_eq!(scene.sandbox.git(&["show", "main:a.txt"]), "a");
        }),
        Row::new("missing user.name", nobody_commits, (7, "user.name")).hint(),
        Row::new("reftable", reftable, (1, "reftable")).hint(),
        Row::new(
            "existing branch named `invisigoth`",
            branch_in_the_way,
            (7, "`invisigoth/<goal>`"),
        )
        .hint(),
        Row::new("no checks configured", no_checks, (7, "no checks are configured")).hint(),
        Row::new("base red", red_base, (7, "bad is there"))
            .hint()
            .then(|scene| {
                assert_eq!(scene.sandbox.state("a"), "ready");
            }),
        Row::new("broken TOML", broken_toml, (7, "invisigoth.toml, line 1, column")).hint(),
        Row::new("non-UTF-8 names", bad_moments::odd_names, (0, "1 landed"))
            .moves()
            .then(bad_moments::odd_names_kept),
        Row::new("CRLF", crlf, (0, "1 landed")).moves().then(|scene| {
            assert_eq!(scene.sandbox.read("win.txt"), "one\r\n2\r\nthree\r\n");
        }),
    ]
}

fn detached() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    made.sandbox.git(&["checkout", "-q", "--detach"]);
    made
}

fn bare() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    let sandbox = &made.sandbox;
    let git = sandbox.home().join("bare.git");
    sandbox.git(&["config", "core.bare", "true"]);
    fs::rename(sandbox.path(".git"), &git).unwrap();
    fs::remove_dir_all(sandbox.repo()).unwrap();
    fs::rename(git, sandbox.repo()).unwrap();
    made
}

fn nobody_commits() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    made.sandbox.git(&["config", "--unset", "user.name"]);
    made
}

fn reftable() -> Scene {
    let sandbox = Sandbox::empty();
    sandbox.git(&["init", "-q", "-b", "main", "--ref-format=reftable"]);
    scene(sandbox)
}

fn branch_in_the_way() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    made.sandbox.git(&["branch", "invisigoth"]);
    made
}

fn no_checks() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    made.sandbox.write("invisigoth.toml", "");
    made.sandbox.commit("no checks");
    made
}

fn red_base() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    made.sandbox.write("bad", "");
    made.sandbox.commit("bad");
    made
}

fn broken_toml() -> Scene {
    let made = with_goal(&whole("a.txt", "a\n"));
    made.sandbox.write("invisigoth.toml", "[check\n");
    made.sandbox.commit("broken");
    made
}

fn crlf() -> Scene {
    let made = with_goal("win.txt\n```\n<<<<<<< SEARCH\ntwo\n=======\n2\n>>>>>>> REPLACE\n```\n");
    made.sandbox.write("win.txt", "one\r\ntwo\r\nthree\r\n");
    made.sandbox.commit("win");
    made
}

fn goals() -> Vec<Row> {
    vec![
        Row::new(
            "broken JSON",
            || backlog("[\n{\"id\": oops}\n]\n"),
            (1, "line 2, column 8"),
        )
        .hint(),
        Row::new(
            "cyclic dependency",
            || backlog(&two("\"b\"", "\"a\"")),
            (1, "a → b → a"),
        )
        .hint(),
        Row::new(
            "unknown dependency",
            || backlog(&two("\"zz\"", "")),
            (1, "`zz`, which is no goal"),
        )
        .hint(),
        Row::new(
            "self dependency",
            || backlog(&two("\"a\"", "")),
            (1, "`a` depends on itself"),
        )
        .hint(),
        Row::new(
            "duplicate id",
            || backlog(&two("", "").replace("\"b\"", "\"a\"")),
            (1, "line 3, column 1"),
        )
        .hint(),
        Row::new("id unfit for a ref", unfit_id, (0, "1 candidate"))
            .args(&["run", "--no-merge"])
            .then(|scene| {
                let name = scene
                    .sandbox
                    .git(&["for-each-ref", "--format=%(refname)", "refs/heads/invisigoth/"]);
                scene.sandbox.git(&["check-ref-format", &name]);
                assert_eq!(
                    scene
                        .sandbox
                        .git(&["log", "-1", "--format=%(trailers:key=Goal,valueonly)", &name])
                        .trim(),
                    "A/b c"
                );
                scene.sandbox.ok(&["merge", "A/b c"]);
                assert_eq!(scene.sandbox.state("A/b c"), "landed");
            }),
    ]
}

fn two(needs_of_a: &str, needs_of_b: &str) -> String {
    let goal = |id: &str, needs: &str| format!("{{\"id\":\"{id}\",\"description\":\"x\",\"dependencies\":[{needs}]}}");
    format!("[\n{},\n{}\n]\n", goal("a", needs_of_a), goal("b", needs_of_b))
}

fn unfit_id() -> Scene {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"A/b c": [whole("a.txt", "a\n")]}));
    sandbox.goal("A/b c", &[]);
    sandbox.commit("goals");
    scene(sandbox)
}

fn endpoints() -> Vec<Row> {
    let ready = |scene: &Scene| assert_eq!(scene.sandbox.state("a"), "ready", "an outage is not the goal's fault");
    vec![
        Row::new("endpoint refused", || asking(&nobody()), (10, "cannot be reached"))
            .hint()
            .then(ready),
        Row::new("endpoint 401", || endpoint(status(401)), (10, "refuses the key (401)"))
            .hint()
            .then(|scene| {
                assert_eq!(
                    scene.server.as_ref().unwrap().asked().len(),
                    1,
                    "a refused key is not tried again"
                );
                assert_eq!(scene.sandbox.state("a"), "ready");
            }),
        Row::new("endpoint 429", || endpoint(status(429)), (10, "rate limit"))
            .hint()
            .then(|scene| {
                assert_eq!(scene.server.as_ref().unwrap().asked().len(), 5, "tries");
                assert_eq!(scene.sandbox.state("a"), "ready");
            }),
        Row::new("endpoint 500", || endpoint(status(500)), (10, "not available"))
            .hint()
            .then(ready),
        Row::new("endpoint HTML", || endpoint(html()), (10, "cannot be read"))
            .hint()
            .then(ready),
        Row::new(
            "endpoint empty",
            || endpoint(Scripted::status(200, "")),
            (10, "ended before it was complete"),
        )
        .hint()
        .then(ready),
    ]
}

/// An endpoint that repeats the key, as some do.
fn status(code: u16) -> Scripted {
    let body = json!({"error": {"message": format!("scripted, asked with {CANARY}"), "code": code}});
    Scripted::status(code, &body.to_string())
}

fn html() -> Scripted {
    Scripted::status(
        200,
        &format!("<!DOCTYPE html><html><body>Welcome {CANARY}</body></html>"),
    )
}

fn replies() -> Vec<Row> {
    let failed = |scene: &Scene| {
        assert_eq!(scene.sandbox.state("a"), "failed");
        assert_eq!(scene.sandbox.git(&["log", "-1", "--format=%s"]), "goals");
    };
    vec![
        Row::new(
            "reply with no edit",
            || with_goal("I would rather not."),
            (3, "no-edit"),
        )
        .then(failed),
        Row::new(
            "reply: path outside",
            || with_goal(&whole("../x", "x\n")),
            (3, "it leaves the repository"),
        )
        .then(failed),
        Row::new(
            "reply: `.git/x`",
            || with_goal(&whole(".git/x", "x\n")),
            (3, "it is inside .git"),
        )
        .then(failed),
        Row::new(
            "reply: `memory/x`",
            || with_goal(&whole("memory/x", "x\n")),
            (3, "no reply may change the backlog"),
        )
        .then(failed),
        Row::new("reply: symlink on the way", symlink, (3, "a symlink")).then(|scene| {
            assert_eq!(scene.sandbox.state("a"), "failed");
            assert!(!scene.sandbox.home().join("x").exists(), "written through the symlink");
        }),
    ]
}

fn symlink() -> Scene {
    let made = with_goal(&whole("link/x", "x\n"));
    std::os::unix::fs::symlink("..", made.sandbox.path("link")).unwrap();
    made.sandbox.commit("link");
    made
}

#[test]
fn every_bad_input_has_a_clear_end_and_loses_nothing() {
    let rows: Vec<Row> = [repositories(), goals(), endpoints(), replies(), bad_moments::rows()]
        .into_iter()
        .flatten()
        .collect();
    let failed: Vec<&str> = thread::scope(|scope| {
        // Some rows wait most of their time.
        let lanes: Vec<_> = (0..4)
            .map(|lane| {
                let own: Vec<&Row> = rows.iter().skip(lane).step_by(4).collect();
                scope.spawn(move || {
                    let fails = |row: &&&Row| {
                        let failed = panic::catch_unwind(|| row.check()).is_err();
                        if failed {
                            eprintln!("^ in the row: {}", row.name);
                        }
                        failed
                    };
                    own.iter().filter(fails).map(|row| row.name).collect::<Vec<_>>()
                })
            })
            .collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert!(failed.is_empty(), "rows that failed: {failed:#?}");
}
