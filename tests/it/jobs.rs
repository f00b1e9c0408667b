//! `run --jobs`: several goals in hand. How many, which not together, and what a signal leaves of them.
//!
//! Not here: which goals start and how batches are made (`schedule`), what becomes of those that do not fit (`eviction`).

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStderr},
};

use serde_json::{Value, json};

use crate::support::{
    Ran, Sandbox,
    server::{Scripted, Server},
    whole,
};

/// A check that says so where a goal's file is there, and goes on when the test lets all of them.
const HELD: &str = "[ ! -e \"$HOME/free\" ] || exit 0\n[ -n \"$(ls | grep '^goal-')\" ] || exit 0\nexec 3> \"$HOME/alive\"\nsetsid sleep 1000 >&3 &\n\
                    echo here > \"$HOME/said\"\nread -r go < \"$HOME/go\"\nkill $!\n";

/// Goals `a`, `b` and so on, each with a file of its own and a reply that writes it.
fn goals(sandbox: &Sandbox, names: &[&str]) {
    let replies = names
        .iter()
        .map(|name| ((*name).to_owned(), json!([whole(&file(name), "x\n")])));
    sandbox.script(Value::Object(replies.collect()));
    for name in names {
        sandbox.goal(name, &[]);
    }
}

fn file(goal: &str) -> String {
    format!("goal-{goal}.txt")
}

/// A run whose checks are held.
struct Held {
    child: Child,
    said: BufReader<File>,
    /// Ends when no process of a check is left.
    alive: BufReader<File>,
    go: File,
}

impl Held {
    /// Makes the pipes, starts the run and waits until `checks` checks are under way.
    fn start(sandbox: &Sandbox, args: &[&str], checks: usize) -> Self {
        let pipe = |name: &str| {
            let path = sandbox.home().join(name);
            assert_eq!(sandbox.sh("mkfifo", &[path.to_str().unwrap()]).code, 0);
            OpenOptions::new().read(true).write(true).open(path).unwrap()
        };
        let (said, go, held_open) = (pipe("said"), pipe("go"), pipe("alive"));
        let alive = BufReader::new(File::open(sandbox.home().join("alive")).unwrap());
        let mut held = Self {
            child: sandbox.spawn(args),
            said: BufReader::new(said),
            alive,
            go,
        };
        for _ in 0..checks {
            let mut line = String::new();
            held.said.read_line(&mut line).unwrap();
        }
        drop(held_open);
        held
    }

    fn signal(&self, sandbox: &Sandbox, name: &str) {
        let pid = self.child.id().to_string();
        assert_eq!(sandbox.sh("kill", &["-s", name, &pid]).code, 0);
    }

    /// Waits until the run says that it heard.
    fn heard(&mut self) {
        let mut said: BufReader<ChildStderr> = BufReader::new(self.child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Ctrl-C again") {
            line.clear();
            assert_ne!(said.read_line(&mut line).unwrap(), 0, "it ended without a word");
        }
        self.child.stderr = Some(said.into_inner());
    }

    /// Lets all checks go on, these and those to come.
    fn go(&mut self) {
        // Of one byte each, so that no two who wait share one.
        self.go.write_all(&b"\n".repeat(100)).unwrap();
    }

    /// Waits for the end of the run and of all that it started.
    fn end(self) -> Ran {
        let ran = Ran::of(&self.child.wait_with_output().unwrap());
        // Whoever is left of a check holds this open: reading would not end.
        let left: Vec<String> = self.alive.lines().map_while(Result::ok).collect();
        assert_eq!(left, Vec::<String>::new());
        ran
    }
}

fn held(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::checking(HELD);
    sandbox.git(&["config", "invisigoth.check.jobs", "8"]);
    goals(&sandbox, names);
    sandbox
}

/// The next run lands `names`. Nobody is asked twice: replies are on record, and there are none but `replies`.
fn goes_on(sandbox: &Sandbox, names: &[&str], replies: Value) {
    fs::write(sandbox.home().join("free"), "").unwrap();
    sandbox.script(replies);
    let ran = sandbox.run(&["run", "--jobs", "4"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let mut landed = sandbox.landings("main");
    landed.sort();
    assert_eq!(landed, names);
    sandbox.assert_sound();
}

const FOUR: [&str; 4] = ["a", "b", "c", "d"];

#[test]
fn told_to_stop_once_a_run_finishes_what_it_has_in_hand_and_says_how_to_go_on() {
    let sandbox = held(&["a", "b", "c", "d", "e"]);
    let mut run = Held::start(&sandbox, &["run", "--jobs", "4"], 4);
    run.signal(&sandbox, "INT");
    run.heard();
    run.go();
    let ran = run.end();
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("hint: `git invisigoth run` goes on"),
        "{}",
        ran.stderr
    );
    assert_eq!(sandbox.state("e"), "ready");
    sandbox.assert_sound();
    let only_e = json!({"e": [whole("e.txt", "x\n")]});
    goes_on(&sandbox, &["a", "b", "c", "d", "e"], only_e);
}

#[test]
fn told_to_stop_at_once_a_run_leaves_no_process_and_pays_nothing_twice() {
    for (signals, code) in [(["INT", "INT"].as_slice(), 130), (&["TERM"], 143), (&["HUP"], 129)] {
        let sandbox = held(&FOUR);
        let mut run = Held::start(&sandbox, &["run", "--jobs", "4"], 4);
        for (nth, signal) in signals.iter().enumerate() {
            if nth > 0 {
                run.heard();
            }
            run.signal(&sandbox, signal);
        }
        // Nothing lets the checks go on.
        let ran = run.end();
        assert_eq!(ran.code, code, "{signals:?}\n{}{}", ran.stdout, ran.stderr);
        assert_eq!(sandbox.landings("main"), Vec::<String>::new());
        goes_on(&sandbox, &FOUR, json!({}));
    }
}

#[test]
fn a_reader_that_goes_away_ends_no_run() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &FOUR);
    let binary = env!("CARGO_BIN_EXE_git-invisigoth");
    let ran = sandbox.sh("sh", &["-c", "\"$0\" run --jobs 4 2> /dev/null | head -n 1", binary]);
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let mut landed = sandbox.landings("main");
    landed.sort();
    assert_eq!(landed, FOUR);
    sandbox.assert_sound();
}

#[test]
fn goals_that_name_the_same_file_are_not_in_hand_together() {
    let sandbox = held(&["c", "d"]);
    for goal in ["a", "b"] {
        sandbox.ok(&[
            "add",
            "--id",
            goal,
            "--file",
            "src/one.txt",
            "--priority",
            "1",
            "One file",
        ]);
    }
    let reply = |goal: &str| (goal.to_owned(), json!([whole(&file(goal), "x\n")]));
    sandbox.script(Value::Object(FOUR.map(reply).into_iter().collect()));
    let mut run = Held::start(&sandbox, &["run", "--jobs", "4"], 3);
    let runs = &sandbox.json(&["status"])["runs"];
    let hand: Vec<&str> = runs[0]["goals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hand| hand["goal"].as_str().unwrap())
        .collect();
    assert_eq!(hand, ["a", "c", "d"]);
    run.go();
    let ran = run.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main").len(), 4);
}

#[test]
fn what_bounds_a_run_bounds_one_of_several_jobs() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let rows: [(&[&str], i32, usize, usize); 4] = [
        (&["run", "--jobs", "4", "--max", "3"], 0, 3, 0),
        (&["run", "--jobs", "8", "a", "b"], 0, 2, 0),
        (&["run", "--jobs", "4", "--no-merge"], 0, 0, 8),
        (&["run", "--jobs", "4", "--set", "run.isolation=none"], 0, 8, 0),
    ];
    for (args, code, landed, candidates) in rows {
        let sandbox = Sandbox::ready();
        goals(&sandbox, &names);
        let ran = sandbox.run(args);
        assert_eq!(ran.code, code, "{args:?}\n{}{}", ran.stdout, ran.stderr);
        let counts = &sandbox.json(&["status"])["counts"];
        assert_eq!(
            (counts["landed"].as_u64(), counts["candidate"].as_u64().unwrap_or(0)),
            (Some(landed as u64), candidates as u64),
            "{args:?}\n{}{}",
            ran.stdout,
            ran.stderr
        );
        sandbox.assert_sound();
    }
}

#[test]
fn a_cap_on_calls_holds_however_many_ask_at_once() {
    let sandbox = Sandbox::ready();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for name in names {
        sandbox.goal(name, &[]);
    }
    let server = Server::start(vec![Scripted::reply(&whole("same.txt", "x\n"))]);
    sandbox.git(&["config", "invisigoth.llm.provider", "openrouter"]);
    sandbox.git(&["config", "invisigoth.llm.base-url", &server.url()]);
    sandbox.git(&["config", "invisigoth.llm.model", "stub-1"]);
    let args = ["run", "--jobs", "8", "--max-calls", "3"];
    let ran = sandbox.run_with(&args, &[("OPENROUTER_API_KEY", "k")]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    let asked = server.asked();
    let calls = asked.iter().filter(|asked| asked.head.starts_with("POST")).count();
    assert_eq!(calls, 3, "{}{}", ran.stdout, ran.stderr);
    sandbox.assert_sound();
}

#[test]
fn a_number_of_jobs_that_makes_no_sense_is_refused_before_anything_begins() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    let before = sandbox.refs();
    for jobs in ["0", "-1", "100000", "many", "", "1.5", "99999999999"] {
        for args in [
            ["run", &format!("--jobs={jobs}")],
            ["run", &format!("--set=run.jobs={jobs}")],
            ["run", &format!("--set=check.jobs={jobs}")],
        ] {
            let ran = sandbox.run(&args);
            assert!(
                [2, 7].contains(&ran.code),
                "{args:?}: {}\n{}{}",
                ran.code,
                ran.stdout,
                ran.stderr
            );
            assert!(ran.stderr.starts_with("error: "), "{args:?}\n{}", ran.stderr);
            assert_eq!(ran.stdout, "", "{args:?}");
        }
    }
    assert_eq!(sandbox.refs(), before);
}

#[test]
fn each_program_of_one_s_own_has_a_folder_for_itself() {
    let sandbox = Sandbox::ready();
    let tool = "grep -o 'Goal [a-d]$' > what; name=$(cut -d' ' -f2 what); rm what\n\
                [ -z \"$(ls | grep '^goal-')\" ] || exit 9\necho x > goal-$name.txt";
    sandbox.with_program("fake-tool", tool);
    let program = sandbox.home().join("bin/fake-tool");
    sandbox.git(&["config", "invisigoth.executor.fake.cmd", program.to_str().unwrap()]);
    sandbox.git(&["config", "invisigoth.run.executor", "external:fake"]);
    goals(&sandbox, &FOUR);
    let ran = sandbox.run(&["run", "--jobs", "4"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    for name in FOUR {
        assert_eq!(sandbox.read(&file(name)), "x\n");
    }
    sandbox.assert_sound();
}
