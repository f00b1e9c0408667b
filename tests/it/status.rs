//! `status`: every open goal's state and why.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{
    Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

#[test]
fn it_shows_states_and_reasons() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["status"]), @r#"
    goals      none yet
    target     main at [id]
    next       git invisigoth add "what to do"
    -- exit 0
    "#);
    sandbox.script(json!({"lost": ["no edit at all"]}));
    sandbox.goal("lost", &[]);
    sandbox.ok(&["add", "Held one", "--id", "later", "--needs", "lost"]);
    assert_snapshot!(sandbox.shows(&["status"]), @r#"
    ready      lost   Goal lost         1 of 1
    blocked    later  Held one          needs lost (ready)
    goals      1 ready · 1 blocked
    target     main at [id]
    next       git invisigoth run
    -- exit 0
    "#);
    sandbox.run(&["run"]);
    assert_snapshot!(sandbox.shows(&["status"]), @r#"
    failed     lost   Goal lost         3 rounds, reply: no-edit: the reply holds no edit in a known format
    blocked    later  Held one          needs lost (failed)
    today      $0.00, 3 calls, [n] tokens (UTC)
    goals      1 blocked · 1 failed
    target     main at [id]
    next       git invisigoth show lost
    or         git invisigoth retry lost
    -- exit 0
    "#);
    assert_snapshot!(sandbox.shows(&["--json", "status"]), @r#"
    {"schema":"invisigoth.status/1","target":"main","tip":"[id]","counts":{"blocked":1,"failed":1,"landed":0},"goals":[{"goal":"lost","state":"failed","reason":"3 rounds, reply: no-edit: the reply holds no edit in a known format","description":"Goal lost","unblocks":1,"next":"git invisigoth retry lost","since":"[time]"},{"goal":"later","state":"blocked","reason":"needs lost (failed)","description":"Held one","needs":["lost"]}],"today":{"count":0,"landed":[],"spent":{"usd":0.0,"tokens":[n],"calls":3,"ms":[time]}},"queue":{"standing":"empty","rows":[]}}
    -- exit 0
    "#);
}

#[test]
fn it_shows_what_needs_a_person_with_the_command() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "lock": [whole("Cargo.lock", "x\n")], "done": [whole("a.txt", "a\n")] }));
    sandbox.goal("lock", &[]);
    sandbox.goal("done", &[]);
    sandbox.goal("later", &["lock"]);
    sandbox.run(&["run"]);
    assert_snapshot!(sandbox.shows(&["status"]), @r"
    held       lock   Goal lock         touches Cargo.lock (it is a lock file)
    blocked    later  Goal later        needs lock (held)
    landed     done   Goal done         [id]  [time] ago  $0.00
    today      1 landed, $0.00, 2 calls, [n] tokens (UTC)
    goals      1 blocked · 1 held · 1 landed
    target     main at [id]
    next       git invisigoth show lock
    or         git invisigoth merge lock
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["status", "--porcelain"]), @r"
    # porcelain v1
    # target [id] main
    # count blocked 1
    # count held 1
    # count landed 1
    held	lock	-	touches Cargo.lock (it is a lock file)	Goal lock
    blocked	later	-	needs lock (held)	Goal later
    -- exit 0
    ");
    let status = sandbox.json(&["status"]);
    assert_eq!(status["goals"][0]["next"], "git invisigoth merge lock");
    assert_eq!(status["goals"][1]["needs"], json!(["lock"]));
    assert_eq!(
        (
            &status["today"]["count"],
            &status["today"]["landed"][0]["goal"],
            &status["today"]["spent"]["calls"]
        ),
        (&json!(1), &json!("done"), &json!(2))
    );
    let held = sandbox
        .read("memory/pending_goals.json")
        .replace("\"pending\"", "\"held\"");
    sandbox.write("memory/pending_goals.json", held);
    assert_eq!(
        sandbox.json(&["status"])["goals"][0]["next"],
        "git invisigoth release later"
    );
}

#[test]
fn lines_are_cut_to_the_columns_of_a_terminal_alone() {
    let sandbox = Sandbox::ready();
    let long = "A goal whose description goes on and on, well past the eighty columns that a terminal has";
    sandbox.ok(&["add", long, "--id", "long"]);
    assert!(sandbox.ok(&["status"]).contains(long));
    let ran = sandbox.run_with(&["status"], &[("COLUMNS", "80")]);
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.starts_with("ready      long  A goal"), "{}", ran.stdout);
}

#[test]
fn it_draws_what_needs_what() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.goal("c", &["a"]);
    sandbox.goal("d", &["b", "c"]);
    sandbox.goal("e", &[]);
    assert_snapshot!(sandbox.shows(&["status", "--graph"]), @r"
    ○ ready a  Goal a
    ├─● blocked b  Goal b
    ● │ blocked c  Goal c
    ●─╯ blocked d  Goal d
    ○ ready e  Goal e
    a goal needs those whose lanes lead down to it
    -- exit 0
    ");
    let ascii = sandbox.run_with(&["status", "--graph"], &[("LC_ALL", "C")]).stdout;
    assert!(ascii.is_ascii() && ascii.contains("+-* blocked b  Goal b"), "{ascii}");
}

#[test]
fn it_draws_what_landed_where_asked() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")] }));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.goal("c", &["b"]);
    sandbox.ok(&["run", "a"]);
    sandbox.goal("other", &[]);
    assert_snapshot!(sandbox.shows(&["status", "--graph"]), @r"
    ○ ready b  Goal b
    ● blocked c  Goal c
    ○ ready other  Goal other
    a goal needs those whose lanes lead down to it
    1 landed: git invisigoth status --graph --landed
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["status", "--graph", "--landed", "--focus", "c"]), @r"
    ○ landed a  Goal a
    ● ready b  Goal b
    ● blocked c  Goal c
    a goal needs those whose lanes lead down to it
    -- exit 0
    ");
    let drawn = sandbox.json(&["status", "--graph"]);
    assert_eq!(drawn["schema"], "invisigoth.graph/1");
    let b = json!({ "goal": "b", "state": "ready", "description": "Goal b", "needs": [], "landed": 1 });
    assert_eq!((&drawn["goals"][0], &drawn["landed"]), (&b, &json!(1)));
}

#[test]
fn it_says_what_a_live_run_does() {
    let sandbox = Sandbox::checking(&format!("[ -e a.txt ] || exit 0\n{PAUSE}"));
    sandbox.script(json!({ "a": [{ "reply": whole("a.txt", "a\n"), "cost_usd": 0.25 }] }));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run", "a"]);
    let status = sandbox.json(&["status"]);
    let run = &status["runs"][0];
    let hand = &run["goals"][0];
    assert_eq!(
        (
            &hand["goal"],
            &hand["phase"],
            &hand["round"],
            &run["calls"],
            &run["cost_usd"]
        ),
        (&json!("a"), &json!("checking"), &json!(1), &json!(1), &json!(0.25)),
        "{status}"
    );
    assert_eq!(
        (&status["goals"][0]["state"], &status["goals"][0]["reason"]),
        (&json!("running"), &json!("checking, round 1"))
    );
    let text = sandbox.shows(&["status"]);
    assert!(
        text.contains("running    a  Goal a            checking [time], round 1, [time] in all\n"),
        "{text}"
    );
    assert!(text.contains(", [time], 1 call, $0.25\n"), "{text}");
    assert!(
        text.contains("blocked    b  Goal b            needs a (running)\n"),
        "{text}"
    );
    assert!(text.contains("next       git invisigoth status --watch\n"), "{text}");
    let porcelain = sandbox.ok(&["status", "--porcelain"]);
    assert!(
        porcelain.contains(&format!("# run {} checking 1 0.25\n", run["pid"])),
        "{porcelain}"
    );
    assert!(
        porcelain.contains("running\ta\t-\tchecking, round 1\tGoal a\n"),
        "{porcelain}"
    );
    let told = sandbox.json(&["show", "a", "--timeline"])["timeline"].clone();
    let step = told.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&step["words"], &step["round"]),
        (&json!("checking"), &json!(1)),
        "{step}"
    );
    pause.go();
    assert_eq!(running.end().code, 0);
    assert_eq!(sandbox.json(&["status"])["runs"], json!(null));
}

#[test]
fn a_dead_run_is_none() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let said = r#"{"pid":999,"run":"r","goals":[{"goal":"a","phase":"asking"}]}"#;
    sandbox.write(".git/invisigoth/runs/r.lock", said);
    assert_eq!(sandbox.json(&["status"])["runs"], json!(null));
    let lock = sandbox.path(".git/invisigoth/runs/r.lock");
    let held = sandbox.sh(
        "flock",
        &[
            lock.to_str().unwrap(),
            env!("CARGO_BIN_EXE_git-invisigoth"),
            "--json",
            "status",
        ],
    );
    let status: serde_json::Value = serde_json::from_str(&held.stdout).unwrap();
    assert_eq!(
        (&status["runs"][0]["pid"], &status["runs"][0]["goals"][0]["phase"]),
        (&json!(999), &json!("asking"))
    );
    // What a run says of itself is no claim.
    assert_eq!(status["goals"][0]["state"], "ready");
}

#[test]
fn a_watch_answers_when_something_changes_and_ends_with_its_reader() {
    let sandbox = Sandbox::ready();
    let mut watch = sandbox.spawn(&["--json", "status", "--watch", "0.1"]);
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut goals = || {
        let line = lines.next().unwrap().unwrap();
        let status: serde_json::Value = serde_json::from_str(&line).unwrap();
        status["goals"].as_array().unwrap().len()
    };
    assert_eq!(goals(), 0);
    sandbox.goal("a", &[]);
    assert_eq!(goals(), 1);
    // A backlog that cannot be read for a while is no end.
    let backlog = sandbox.read("memory/pending_goals.json");
    sandbox.write("memory/pending_goals.json", "[{");
    let mut said = BufReader::new(watch.stderr.take().unwrap()).lines();
    let line = said.next().unwrap().unwrap();
    assert!(line.starts_with("error: memory/pending_goals.json"), "{line}");
    sandbox.write("memory/pending_goals.json", backlog.replace("\"a\"", "\"b\""));
    assert_eq!(goals(), 1);
    drop(lines);
    sandbox.goal("c", &[]);
    // As whatever else prints into a pipe.
    assert_eq!(watch.wait().unwrap().signal(), Some(13));
}

#[test]
fn bad_input() {
    let sandbox = Sandbox::ready();
    for (args, code, says) in [
        (&["status", "--watch", "0"][..], 2, "a number of seconds"),
        (&["status", "--watch", "soon"], 2, "a number of seconds"),
        (&["status", "--graph", "--porcelain"], 2, "cannot be used with"),
        (&["status", "lost"], 2, "unexpected argument"),
        (&["status", "--landed"], 2, "--graph"),
        (&["status", "--focus", "a"], 2, "--graph"),
        (&["status", "--graph", "--focus", "lost"], 1, "there is no goal lost"),
        (&["status", "--graph", "--focus", "a\nb"], 2, "is not a goal id"),
        (&["pause", "--why"], 2, "a value is required"),
        (&["resume", "lost"], 2, "unexpected argument"),
    ] {
        let ran = sandbox.run(args);
        assert_eq!(
            (ran.code, ran.stderr.contains(says)),
            (code, true),
            "{args:?}: {}",
            ran.stderr
        );
    }
    let both = sandbox.run(&["--json", "status", "--porcelain"]);
    assert_eq!(both.code, 2, "{}", both.stdout);
    sandbox.write("memory/pending_goals.json", "[{");
    let broken = sandbox.run(&["status", "--watch"]);
    assert_eq!(broken.code, 1, "{}", broken.stderr);
    // Nothing that it does not need keeps a person from pausing.
    sandbox.ok(&["pause"]);
    sandbox.ok(&["resume"]);
}

#[test]
fn where_nothing_is_set_up_init_comes_first() {
    let sandbox = Sandbox::new();
    assert!(sandbox.shows(&["status"]).contains("next       git invisigoth init\n"));
    sandbox.ok(&["add", "Make a"]);
    assert!(sandbox.shows(&["status"]).contains("next       git invisigoth init\n"));
}

#[test]
fn a_goal_that_was_taken_back_and_landed_anew_landed_once_today() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "a": [whole("a.txt", "a\n"), whole("a.txt", "b\n")] }));
    sandbox.goal("a", &[]);
    for line in [&["run"][..], &["undo", "a"], &["release", "a"], &["run"]] {
        sandbox.ok(line);
    }
    let today = sandbox.json(&["status"])["today"].clone();
    assert_eq!(
        (&today["count"], today["landed"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
}
