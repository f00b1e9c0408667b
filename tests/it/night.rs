//! `run --forever`, `--until`, `--for`: what ends a night, what it waits for, and what it goes on with. Each test waits for
//! lines that the night prints, and for nothing else.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command, Stdio},
};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    NOT_BAD, Ran, Sandbox,
    pause::{PAUSE, Pause},
    server::{Scripted, Server},
    whole,
};

const NOTHING: &str = "nothing is ready";
const KEY: &str = "sk-canary-0a1b2c3d4e5f";

/// A night in the background.
struct Night {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
}

impl Night {
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::of(sandbox.invisigoth(&[&["run"], args].concat()))
    }

    fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self {
            child,
            stderr,
            said: String::new(),
        }
    }

    /// Reads until a line holds `words`, and returns it. A night that ends instead would never get there.
    fn until(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.stderr.read_line(&mut line).unwrap() > 0,
                "no {words:?} in:\n{}",
                self.said
            );
            self.said.push_str(&line);
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Waits for its end; what it said is all of standard error.
    fn end(mut self) -> Ran {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        Ran {
            stderr: self.said,
            ..Ran::of(&output)
        }
    }

    fn stop(self, sandbox: &Sandbox, signal: &str) -> Ran {
        assert_eq!(
            sandbox.sh("kill", &["-s", signal, &self.child.id().to_string()]).code,
            0
        );
        self.end()
    }
}

/// Goals by these names, each of which writes a file of its name; a name that begins with `bad` gets replies without an edit.
fn goals(sandbox: &Sandbox, names: &[&str]) {
    let replies = |name: &str| match name.strip_prefix("bad") {
        Some(_) => json!(["I would rather not.", "No.", "Never."]),
        None => json!([whole(&format!("{name}.txt"), "x\n")]),
    };
    let script: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), replies(name))).collect();
    sandbox.script(Value::Object(script));
    names.iter().for_each(|name| sandbox.goal(name, &[]));
}

fn asking(server: &Server) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.llm.provider", "openrouter"]);
    sandbox.git(&["config", "invisigoth.llm.base-url", &server.url()]);
    sandbox.git(&["config", "invisigoth.llm.model", "stub"]);
    sandbox.goal("a", &[]);
    sandbox
}

fn with_key(sandbox: &Sandbox, args: &[&str]) -> Night {
    let mut command = sandbox.invisigoth(&[&["run"], args].concat());
    command.env("OPENROUTER_API_KEY", KEY);
    Night::of(command)
}

#[test]
fn the_window_ends_it_and_what_is_in_hand_ends_its_step() {
    let sandbox = Sandbox::checking(&format!("[ -e a.txt ] || exit 0\n{PAUSE}\n{NOT_BAD}"));
    goals(&sandbox, &["a", "b"]);
    sandbox.ok(&["check"]);
    let mut pause = Pause::new(&sandbox);
    let mut night = Night::start(&sandbox, &["--for", "8s"]);
    night.until("the window is over");
    pause.go();
    let ran = night.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("night      the window ended; 1 round\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.state("b"), "ready");
    sandbox.assert_sound();
}

#[test]
fn what_is_added_while_it_waits_is_done_and_ctrl_c_ends_it_at_once() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")], "c": [whole("c.txt", "c\n")] }));
    let mut night = Night::start(&sandbox, &["--forever"]);
    night.until(NOTHING);
    let status = sandbox.ok(&["status"]);
    assert!(status.contains("idle"), "{status}");
    sandbox.goal("b", &[]);
    night.until(NOTHING);
    // A hand edit is as good.
    let row = r#"[{"id":"c","description":"Goal c","filename":"","prompt":"","dependencies":[],"status":"pending"}]"#;
    sandbox.write("memory/pending_goals.json", format!("{row}\n"));
    night.until(NOTHING);
    let ran = night.stop(&sandbox, "INT");
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr
            .ends_with("error: stopped\nhint: `git invisigoth run --forever` goes on\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains("3 landed"), "{}", ran.stdout);
    assert_eq!(sandbox.landings("main"), ["a", "b", "c"]);
    sandbox.assert_sound();
}

#[test]
fn a_cap_on_the_run_pauses_it_until_it_is_raised_although_a_flag_said_it() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a", "b", "c"]);
    let mut night = Night::start(&sandbox, &["--forever", "--max-calls", "1"]);
    let line = night.until("waiting");
    assert_eq!(
        line,
        "waiting  the budget of this run is used up: 1 of 1 model calls made; `git invisigoth budget raise --run --calls 2` goes on\n"
    );
    assert_eq!(sandbox.landings("main"), ["a"]);
    sandbox.ok(&["budget", "raise", "--run", "--calls", "2"]);
    // Calls of earlier rounds count: it is one run.
    let line = night.until("waiting");
    assert!(line.contains("2 of 2 model calls made"), "{line}");
    sandbox.ok(&["budget", "raise", "--run", "--calls", "9"]);
    night.until(NOTHING);
    assert_eq!(night.stop(&sandbox, "TERM").code, 143);
    assert_eq!(sandbox.landings("main"), ["a", "b", "c"]);
}

#[test]
fn a_cap_on_the_day_waits_until_the_day_ends_or_it_is_raised() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    sandbox.git(&["config", "invisigoth.budget.day-max-calls", "0"]);
    let mut command = sandbox.invisigoth(&["run", "--forever"]);
    command.env("TZ", "UTC");
    let mut night = Night::of(command);
    let line = night.until("waiting");
    assert!(
        line.starts_with("waiting  until ") && line.contains(" 00:00: the budget of this day (UTC)"),
        "{line}"
    );
    sandbox.ok(&["budget", "raise", "--day", "--calls", "5"]);
    night.until(NOTHING);
    assert_eq!(night.stop(&sandbox, "INT").code, 130);
    assert_eq!(sandbox.landings("main"), ["a"]);
}

#[test]
fn a_goal_that_pauses_at_its_cap_goes_on_when_that_is_raised() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    sandbox.script(json!({ "a": ["No edit.", whole("a.txt", "a\n")] }));
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "1"]);
    let mut night = Night::start(&sandbox, &["--forever"]);
    night.until(NOTHING);
    assert_eq!(sandbox.state("a"), "blocked");
    sandbox.ok(&["budget", "raise", "--goals", "--calls", "4"]);
    night.until(NOTHING);
    let ran = night.stop(&sandbox, "INT");
    let lines: Vec<&str> = ran.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(lines[..2], ["blocked", "landed"], "{}", ran.stdout);
    assert_eq!(sandbox.landings("main"), ["a"]);
}

#[test]
fn a_cap_that_nobody_raises_until_the_window_ends_is_what_it_ends_with() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    sandbox.ok(&["check"]);
    let ran = sandbox.run(&["run", "--for", "5s", "--max-calls", "0"]);
    assert_eq!(ran.code, 6, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("0 of 0 model calls made"), "{}", ran.stderr);
    assert!(ran.stdout.contains("for cap\n"), "{}", ran.stdout);
    assert_eq!(sandbox.state("a"), "ready");
}

#[test]
fn a_rate_limit_is_waited_out_as_long_as_the_provider_says() {
    let limited = Scripted::status(429, "{\"error\":{\"message\":\"slow down\"}}");
    let mut answers = vec![limited; 5];
    answers.push(Scripted::reply(&whole("a.txt", "a\n")));
    let server = Server::start(answers);
    let sandbox = asking(&server);
    let mut night = with_key(&sandbox, &["--forever"]);
    let line = night.until("waiting");
    assert!(
        line.starts_with("waiting  until ") && line.contains("rate limit is reached"),
        "{line}"
    );
    night.until(NOTHING);
    assert_eq!(night.stop(&sandbox, "INT").code, 130);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(server.asked().len(), 6);
}

#[test]
fn a_wait_for_the_provider_ends_at_once_with_ctrl_c() {
    let server = Server::start(vec![Scripted {
        status: 429,
        headers: "Retry-After: 3600\r\n",
        body: "{}".to_owned(),
    }]);
    let sandbox = asking(&server);
    let mut night = with_key(&sandbox, &["--forever"]);
    night.until("rate limit is reached");
    let ran = night.stop(&sandbox, "INT");
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("for provider\n"), "{}", ran.stdout);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(sandbox.state("a"), "ready");
}

#[test]
fn a_key_that_is_refused_ends_it_as_something_to_configure() {
    let server = Server::start(vec![Scripted::status(401, "{}")]);
    let sandbox = asking(&server);
    let ran = with_key(&sandbox, &["--forever"]).end();
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("refuses the key"), "{}", ran.stderr);
    assert_eq!(server.asked().len(), 1);
    assert!(!sandbox.holds(KEY));
}

#[test]
fn goals_in_a_row_that_come_to_nothing_end_it_and_are_not_run_again() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["bad1", "bad2", "bad3"]);
    sandbox.git(&["config", "invisigoth.run.stalled", "2"]);
    let ran = sandbox.run(&["run", "--forever"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr
            .contains("error: 2 goals in a row came to nothing, and `run.stalled` is 2\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(
        (sandbox.state("bad2"), sandbox.state("bad3")),
        ("failed".into(), "ready".into())
    );
    // A restart tries what is left, and nothing again.
    let mut night = Night::start(&sandbox, &["--forever"]);
    night.until(NOTHING);
    let ran = night.stop(&sandbox, "INT");
    let begun: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("working")).collect();
    assert_eq!(begun, ["working  bad3  Goal bad3"]);
}

#[test]
fn a_night_that_is_paused_waits_for_resume() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    sandbox.ok(&["pause", "--why", "the demo"]);
    let mut night = Night::start(&sandbox, &["--forever"]);
    let line = night.until("waiting");
    assert_eq!(line, "waiting  paused: the demo; `git invisigoth resume` goes on\n");
    assert_eq!(sandbox.state("a"), "ready");
    sandbox.ok(&["resume"]);
    night.until(NOTHING);
    assert_eq!(night.stop(&sandbox, "INT").code, 130);
    assert_eq!(sandbox.landings("main"), ["a"]);
    sandbox.ok(&["pause"]);
    // Nobody is there to resume it.
    assert_eq!(sandbox.run_with(&["run", "--forever"], &[("CI", "true")]).code, 5);
}

#[test]
fn a_plan_waits_for_approval_and_the_next_is_made_when_that_landed() {
    let sandbox = Sandbox::ready();
    sandbox.write("notes.txt", "Everything below is still to be done:\nall of it\n");
    sandbox.commit("Note what is to be done");
    let plan = |what: &str| {
        let goal = json!({
            "description": format!("Write {what}"),
            "filename": "check.sh",
            "acceptance": ["`sh check.sh` passes"],
            "reason": "it is asked for",
            "evidence": [{"path": "notes.txt", "line": 1, "quote": "Everything below is still to be done"}],
        });
        format!("```json\n{}\n```\n", json!({ "goals": [goal] }))
    };
    let script = json!({ "plan": [plan("alpha"), plan("beta")], "goals": { "other": [whole("other.txt", "x\n")] }, "default": whole("all.txt", "x\n") });
    sandbox.script(json!({}));
    std::fs::write(sandbox.home().join("script.json"), script.to_string()).unwrap();
    let mut night = Night::start(&sandbox, &["--forever", "--plan"]);
    night.until("1 goal proposed");
    night.until(NOTHING);
    // A change that approves nothing is no reason for another plan.
    sandbox.ok(&["add", "--id", "other", "Another"]);
    night.until("working  other");
    night.until(NOTHING);
    let planned = |state: &str| {
        let list = sandbox.json(&["list", "--state", state]);
        let ids = list["goals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|goal| goal["goal"].as_str().unwrap().to_owned());
        ids.collect::<Vec<String>>()
    };
    let proposed = planned("proposed");
    assert_eq!(proposed.len(), 1);
    sandbox.ok(&["approve", &proposed[0]]);
    night.until("1 goal proposed");
    night.until(NOTHING);
    let ran = night.stop(&sandbox, "INT");
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), ["other", &proposed[0]]);
    assert_eq!(planned("proposed").len(), 1);
}

#[test]
fn one_document_sums_the_night_up() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a", "b", "c"]);
    let sum = sandbox.json(&["run", "--forever", "--max", "2"]);
    assert_eq!(sum["schema"], "invisigoth.run/1");
    let ended: Vec<&Value> = sum["goals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|goal| &goal["state"])
        .collect();
    assert_eq!(
        (ended, &sum["calls"]),
        (vec![&json!("landed"), &json!("landed")], &json!(2))
    );
    assert_eq!(
        (&sum["night"]["end"], &sum["night"]["rounds"]),
        (&json!("max"), &json!(1))
    );
    assert_eq!(sandbox.state("c"), "ready");
}

#[test]
fn a_night_too_short_for_one_goal_is_told_and_begins() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    sandbox.ok(&["check"]);
    // What a check took is on record.
    let listed = sandbox.git(&["notes", "--ref=invisigoth-tested", "list"]);
    let tree = listed.split_whitespace().nth(1).unwrap().to_owned();
    let note = sandbox.git(&["notes", "--ref=invisigoth-tested", "show", &tree]);
    let slow = |line: &str| {
        let mut verdict: Value = serde_json::from_str(line).unwrap();
        verdict["checks"][0]["seconds"] = json!(900.0);
        verdict.to_string()
    };
    let slow: Vec<String> = note.lines().filter(|line| !line.is_empty()).map(slow).collect();
    let add = ["notes", "--ref=invisigoth-tested", "add", "-f", "-m"];
    sandbox.git(&[&add[..], &[&slow.join("\n"), &tree]].concat());
    let mut night = Night::start(&sandbox, &["--for", "20m"]);
    let line = night.until("no goal may land");
    assert!(
        line.contains("one takes about 30 min (a reply 0 s, checks 15 min twice)"),
        "{line}"
    );
    night.until(NOTHING);
    night.stop(&sandbox, "INT");
    assert_eq!(sandbox.landings("main"), ["a"]);
}

#[test]
fn what_cannot_be_a_night_is_refused_before_anything_begins() {
    let sandbox = Sandbox::ready();
    goals(&sandbox, &["a"]);
    for (args, says) in [
        (&["--until", "2020-01-01T00:00:00Z"][..], "is past"),
        (&["--until", "25:00"], "a time is like 07:00"),
        (&["--until", "tomorrow"], "a time is like 07:00"),
        (&["--for", "0s"], "a span is like 4h"),
        (&["--for=-4h"], "a span is like 4h"),
        (&["--for", "4"], "a span is like 4h"),
        (&["--forever", "a"], "cannot be used with"),
        (&["--for", "4h", "--dry-run"], "cannot be used with"),
    ] {
        let ran = sandbox.run(&[&["run"], args].concat());
        assert_eq!(
            (ran.code, ran.stderr.contains(says)),
            (2, true),
            "{args:?}\n{}",
            ran.stderr
        );
    }
    assert_eq!(sandbox.state("a"), "ready");
}

#[test]
fn what_goals_will_lack_is_told_before_there_is_one() {
    let server = Server::start(vec![Scripted::status(401, "{}")]);
    let no_key = asking(&server);
    no_key.git(&["config", "invisigoth.llm.base-url", "https://openrouter.invalid/v1"]);
    no_key.ok(&["drop", "a"]);
    let no_checks = Sandbox::set_up(NOT_BAD, "");
    no_checks.git(&["config", "invisigoth.check.test", ""]);
    let no_end = Sandbox::ready();
    no_end.git(&["config", "invisigoth.llm.provider", "openrouter"]);
    for (sandbox, args, says) in [
        (&no_key, &["--forever"][..], "there is no key for openrouter.invalid"),
        (&no_checks, &["--forever"], "no checks are configured"),
        (&no_end, &["--forever", "--plan"], "goes on until a cap is reached"),
    ] {
        let ran = sandbox.run(&[&["run"], args].concat());
        assert_eq!(
            (ran.code, ran.stderr.contains(says)),
            (7, true),
            "{args:?}\n{}",
            ran.stderr
        );
    }
    assert!(server.asked().is_empty());
}

#[test]
fn help_tells_what_makes_a_night() {
    let sandbox = Sandbox::ready();
    let help = sandbox.ok(&["run", "-h"]);
    let lines: Vec<&str> = help
        .lines()
        .filter(|line| {
            ["--forever", "--until", "--for "]
                .iter()
                .any(|flag| line.trim_start().starts_with(flag))
        })
        .map(str::trim)
        .collect();
    assert_snapshot!(lines.join("\n"), @r"
    --forever          Go on and on: wait where nothing is ready, at caps and for the provider
    --until <TIME>     As --forever, until the next 07:00 here, or a moment such as 2026-11-22T07:00:00Z
    --for <SPAN>       As --forever, for 4h, 90m or the like
    ");
}
