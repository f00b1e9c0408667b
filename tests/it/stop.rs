//! `stop`: a run in another terminal ends as by Ctrl-C there, and nobody else is told anything.

use serde_json::json;

use crate::support::{
    NOT_BAD, Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

#[test]
fn a_run_ends_as_by_ctrl_c_and_goes_on_where_it_was() {
    let sandbox = Sandbox::checking(&format!("[ -e a.txt ] || exit 0\n{PAUSE}\n{NOT_BAD}"));
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")] }));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    let run = sandbox.json(&["status"])["runs"][0]["run"].as_str().unwrap().to_owned();
    let other = sandbox.run(&["stop", "another"]);
    assert_eq!((other.code, other.stdout.as_str()), (1, ""));
    assert!(other.stderr.contains("no run another is at work"), "{}", other.stderr);
    let told = sandbox.json(&["stop", &run]);
    assert_eq!(told["runs"][0]["run"], json!(run));
    pause.go();
    assert_eq!(running.end().code, 130);
    assert_eq!(sandbox.state("b"), "ready", "nothing new began");
    assert_eq!(sandbox.landings("main"), ["a"], "what was under way ended");
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b"]);
}

#[test]
fn where_nothing_is_at_work_it_says_so() {
    let sandbox = Sandbox::ready();
    let ran = sandbox.run(&["stop"]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.stderr,
        "error: no run is at work in this clone\nhint: `git invisigoth status` shows what is\n"
    );
    assert_eq!(sandbox.json(&["stop"])["error"]["kind"], "error");
}
