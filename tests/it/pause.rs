//! `pause` and `resume`: what a live run and the next one do about it, and that nothing is lost or paid for twice.

use std::{
    io::{BufRead as _, BufReader},
    process::Child,
};

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{
    NOT_BAD, Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

/// A check that pauses at the first candidate that it sees, never at the base.
fn pausing() -> String {
    format!("[ -e a.txt ] || [ -e bad ] || exit 0\n{PAUSE}\n{NOT_BAD}")
}

fn two_goals(sandbox: &Sandbox) {
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")] }));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
}

/// `status --watch` in a process of its own.
struct Watch {
    child: Child,
}

impl Watch {
    fn start(sandbox: &Sandbox) -> Self {
        let child = sandbox.spawn(&["status", "--porcelain", "--watch", "0.1"]);
        Self { child }
    }

    /// Reads until a line begins with `start`. A run that ends meanwhile would never get there.
    fn until(&mut self, start: &str) {
        let mut lines = BufReader::new(self.child.stdout.as_mut().unwrap()).lines();
        let mut block = Vec::new();
        loop {
            let line = lines.next().unwrap().unwrap();
            if line.starts_with(start) {
                return;
            }
            if line.is_empty() {
                assert!(
                    block.iter().any(|line: &String| line.starts_with("# run ")),
                    "{block:#?}"
                );
                block.clear();
            }
            block.push(line);
        }
    }

    fn end(self, sandbox: &Sandbox, signal: &str) -> Option<i32> {
        sandbox.sh("kill", &["-s", signal, &self.child.id().to_string()]);
        self.child.wait_with_output().unwrap().status.code()
    }
}

/// The line of porcelain of a run that waits.
fn waits(pid: u64) -> String {
    format!("# run {pid} waiting")
}

#[test]
fn a_run_does_not_begin_while_paused() {
    let sandbox = Sandbox::ready();
    two_goals(&sandbox);
    sandbox.ok(&["run", "--no-merge", "a"]);
    assert_snapshot!(sandbox.shows(&["pause", "--why", "the demo"]), @r"
    paused     no run is at work, and none begins
    why        the demo
    next       git invisigoth resume
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["pause"]), @r"
    paused     since [time] already; no run is at work, and none begins
    why        the demo
    next       git invisigoth resume
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["run"]), @r"
    -- stderr
    error: runs are paused in this clone: the demo
    hint: `git invisigoth resume`, then run again
    -- exit 5
    ");
    let status = sandbox.shows(&["status"]);
    assert!(
        status.starts_with("paused     for [time], no run begins: the demo\n"),
        "{status}"
    );
    assert!(status.contains("\nnext       git invisigoth resume\n"), "{status}");
    assert!(sandbox.ok(&["run", "--dry-run"]).contains('b'));
    // A person's own landing is no new work.
    sandbox.ok(&["merge"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_snapshot!(sandbox.shows(&["resume"]), @r"
    resumed    no run is at work
    next       git invisigoth run
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["resume"]), @r"
    resumed    nothing was paused
    -- exit 0
    ");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
}

#[test]
fn a_file_that_says_nothing_is_an_order_all_the_same() {
    let sandbox = Sandbox::ready();
    two_goals(&sandbox);
    sandbox.write(".git/invisigoth/pause", "");
    assert_eq!(sandbox.run(&["run"]).code, 5);
    assert_eq!(sandbox.json(&["status"])["paused"], json!({}));
    // One that stands keeps its time; one that cannot be read stands, too.
    sandbox.write(".git/invisigoth/pause", r#"{"since":"2026-01-02T03:04:05Z"}"#);
    let paused = sandbox.json(&["pause", "--why", "lunch"]);
    assert_eq!(
        paused["paused"],
        json!({ "since": "2026-01-02T03:04:05Z", "why": "lunch" })
    );
    sandbox.ok(&["resume"]);
    std::fs::create_dir(sandbox.path(".git/invisigoth/pause")).unwrap();
    assert_eq!(sandbox.run(&["run"]).code, 5);
    std::fs::remove_dir(sandbox.path(".git/invisigoth/pause")).unwrap();
    sandbox.ok(&["run"]);
}

#[test]
fn a_live_run_lands_what_it_has_and_waits() {
    let sandbox = Sandbox::checking(&pausing());
    two_goals(&sandbox);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    let paused = sandbox.json(&["pause"]);
    assert_eq!(
        {
            let hand = &paused["runs"][0]["goals"][0];
            (&hand["goal"], &hand["phase"], &hand["round"])
        },
        (&json!("a"), &json!("checking"), &json!(1)),
        "{paused}"
    );
    let mut watch = Watch::start(&sandbox);
    pause.go();
    watch.until(&waits(paused["runs"][0]["pid"].as_u64().unwrap()));
    assert_eq!(watch.end(&sandbox, "INT"), Some(0));
    // What landed does not wait with it.
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.read("a.txt"), "a\n");
    assert_eq!(sandbox.state("b"), "ready");
    // Nor does it keep others from landing.
    sandbox.ok(&["merge"]);
    let resumed = sandbox.ok(&["resume"]);
    assert!(resumed.starts_with("resumed    the run (process "), "{resumed}");
    assert_eq!(running.end().code, 0);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
    sandbox.assert_sound();
}

#[test]
fn a_live_run_waits_between_rounds_and_ctrl_c_loses_nothing() {
    let sandbox = Sandbox::checking(&pausing());
    let repaired = format!("DELETE bad\n\n{}", whole("a.txt", "a\n"));
    sandbox.script(json!({ "a": [whole("bad", "x\n"), repaired] }));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    let pid = sandbox.json(&["pause"])["runs"][0]["pid"].as_u64().unwrap();
    let mut watch = Watch::start(&sandbox);
    pause.go();
    watch.until(&waits(pid));
    assert_eq!(watch.end(&sandbox, "TERM"), Some(143));
    assert_eq!(sandbox.json(&["status"])["goals"][0]["reason"], "waiting, round 2");
    running.signal(&sandbox, "INT");
    let ran = running.end();
    assert_eq!(ran.code, 130, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("paused; `git invisigoth resume` goes on"),
        "{}",
        ran.stderr
    );
    sandbox.ok(&["resume"]);
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (sandbox.landings("main"), &summary["calls"]),
        (vec!["a".into()], &json!(1))
    );
}

#[test]
fn where_nobody_can_resume_a_paused_run_ends() {
    let order = ": > \"$HOME/repo/.git/invisigoth/pause\"\n";
    let sandbox = Sandbox::checking(&format!("[ ! -e a.txt ] || {order}{NOT_BAD}"));
    two_goals(&sandbox);
    let ran = sandbox.run_with(&["run"], &[("CI", "true")]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: `git invisigoth resume`"), "{}", ran.stderr);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.state("b"), "ready");
}
