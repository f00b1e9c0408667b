//! `replay` proves what landed, provider `replay` does it again, and `mock` fails in every way that a provider does.

use std::{fs, path::PathBuf};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, shown::shown, whole};

const ATTEMPTS: &str = "refs/invisigoth/attempts";

/// A backlog in which one reply is refused, one goal needs repair, one deletes and renames, and one is held.
fn backlog() -> Sandbox {
    let sandbox = Sandbox::ready();
    for (id, needs) in [("a", &[][..]), ("b", &["a"]), ("c", &["b"]), ("d", &["c"])] {
        sandbox.goal(id, needs);
    }
    sandbox.goal("e", &["c"]);
    sandbox.commit("goals");
    sandbox.git(&["tag", "start"]);
    sandbox.script(json!({
        "a": ["I would rather not.", whole("a.txt", "a\n")],
        "b": [whole("bad", "oops\n"), format!("DELETE bad\n\n{}", whole("b.txt", "b\n"))],
        "c": [format!("DELETE greet.txt\nDELETE a.txt\n\n{}", whole("dir/c.txt", "a\n"))],
        "d": [whole("package.json", "{}\n")],
        "e": [whole("e.txt", "e\n")],
    }));
    sandbox
}

fn run_backlog() -> Sandbox {
    let sandbox = backlog();
    sandbox.run(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b", "c", "e"]);
    sandbox
}

/// Rewrites files of the attempts ref in `dir` with stock git: those whose name ends with `end`, from `old` to `new`.
fn rewrite(sandbox: &Sandbox, dir: &str, end: &str, old: &str, new: &str) {
    let git = |args: &[&str]| sandbox.git(&[&["-C", dir], args].concat());
    let all = git(&["ls-tree", "-r", "--name-only", ATTEMPTS]);
    let index = sandbox.home().join("index");
    let _ = fs::remove_file(&index);
    let indexed = |args: &[&str]| {
        let out = sandbox
            .command("git")
            .env("GIT_INDEX_FILE", &index)
            .args(["-C", dir])
            .args(args)
            .output();
        let ran = Ran::of(&out.unwrap());
        assert_eq!(ran.code, 0, "{args:?}\n{}", ran.stderr);
        ran.stdout.trim_end().to_owned()
    };
    indexed(&["read-tree", ATTEMPTS]);
    let mut found = 0;
    for path in all.lines().filter(|path| path.ends_with(end)) {
        let text = git(&["show", &format!("{ATTEMPTS}:{path}")]);
        assert!(text.contains(old), "{path}: {text}");
        let file = sandbox.home().join("blob");
        fs::write(&file, text.replace(old, new)).unwrap();
        let blob = git(&["hash-object", "-w", file.to_str().unwrap()]);
        indexed(&["update-index", "--cacheinfo", &format!("100644,{blob},{path}")]);
        found += 1;
    }
    assert!(found > 0, "no {end} in\n{all}");
    let tree = indexed(&["write-tree"]);
    let commit = git(&["commit-tree", "-m", "rewritten", &tree]);
    git(&["update-ref", ATTEMPTS, &commit]);
}

#[test]
fn replies_that_a_new_base_left_behind_stay_on_record_and_out_of_the_code() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.commit("goals");
    let refused = json!({ "status": 401, "reply": "no" });
    sandbox.script(json!({ "a": [
        { "reply": "I would rather not.", "tokens": [1, 1] },
        { "reply": format!("{}\n{}", whole("bad", "oops\n"), whole("left.txt", "1\n")), "tokens": [1, 1] },
        refused,
    ] }));
    assert_eq!(sandbox.run(&["run"]).code, 10);
    sandbox.write("else.txt", "x\n");
    sandbox.commit("meanwhile");
    sandbox.script(json!({ "a": [{ "reply": whole("a.txt", "a\n"), "tokens": [1, 1] }] }));
    sandbox.run(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    assert_eq!(sandbox.json(&["replay", "a"])["goals"][0]["verdict"], "same");
    let record = &sandbox.json(&["show", "a"])["record"];
    assert_eq!((&record["attempts"], &record["tokens"]), (&json!(3), &json!(6)));
}

#[test]
fn every_landed_commit_and_a_held_one_are_replayed_to_the_same_code() {
    let sandbox = run_backlog();
    assert_eq!(sandbox.state("d"), "held");
    let refs = sandbox.refs();
    assert_snapshot!(sandbox.shows(&["replay", "start..main", "d"]), @r"
    same            [id]  e
    same            [id]  c
    same            [id]  b
    same            [id]  a
    same            [id]  d
    5 of 5 replayed
    -- exit 0
    ");
    // A landing, its candidate and its goal are the same thing.
    let one = sandbox.json(&["replay", "main", "main^2", "e"]);
    assert_eq!(
        (&one["schema"], &one["replayed"]),
        (&"invisigoth.replay/1".into(), &1.into()),
        "{one}"
    );
    assert_eq!(one["goals"][0]["verdict"], "same", "{one}");
    assert_eq!(sandbox.refs(), refs);
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    // Merged with what landed since, the candidate is still the work of its replies.
    sandbox.ok(&["merge", "d"]);
    let merged = sandbox.json(&["replay", "main"]);
    assert_eq!(
        (&merged["goals"][0]["goal"], &merged["goals"][0]["verdict"]),
        (&"d".into(), &"same".into())
    );
}

#[test]
fn a_plain_commit_is_replayed_too() {
    let sandbox = backlog();
    sandbox.run(&["run", "--set", "run.isolation=none"]);
    let all = sandbox.json(&["replay", "start..main"]);
    assert_eq!((&all["replayed"], &all["differ"]), (&4.into(), &0.into()), "{all}");
}

#[test]
fn a_reply_that_was_tampered_with_is_found() {
    let sandbox = run_backlog();
    rewrite(&sandbox, ".", "/b@1.001.json", "\\nb\\n", "\\nB\\n");
    rewrite(&sandbox, ".", "/c@1.000.json", "DELETE greet.txt", "DELETE gone.txt");
    rewrite(
        &sandbox,
        ".",
        "/e@1.000.json",
        "\"millis\"",
        "\"redacted\":true,\"millis\"",
    );
    assert_snapshot!(sandbox.shows(&["replay", "start..main"]), @r"
    not replayable  [id]  e  a secret was taken out of reply 1
    differs         [id]  c  no recorded reply can be applied: gone.txt: no-such-file: there is no such file to delete
    differs         [id]  b  b.txt
    same            [id]  a
    3 of 4 replayed
    -- exit 3
    ");
}

#[test]
fn without_attempts_it_says_what_to_fetch() {
    let sandbox = run_backlog();
    let copy = clone(&sandbox);
    let ran = sandbox.run(&["-C", copy.to_str().unwrap(), "replay", "main"]);
    assert_snapshot!(shown(&ran, sandbox.home()), @r"
    not replayable  [id]  e  attempt 1 is not in this clone
    0 of 1 replayed
    -- stderr
    hint: `git fetch origin refs/invisigoth/attempts:refs/invisigoth/attempts` brings those of another clone
    -- exit 0
    ");
    for (spec, said) in [
        (
            "start",
            "error: `start` landed no goal\nhint: `git invisigoth log` lists the commits that did\n",
        ),
        ("nobody", "error: there is no goal nobody\n"),
        ("gone..main", "error: `gone` names no commit here"),
    ] {
        let ran = sandbox.run(&["replay", spec]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.starts_with(said), "{spec}: {}", ran.stderr);
    }
}

/// A clone that stands where the run began, without the attempts.
fn clone(sandbox: &Sandbox) -> PathBuf {
    let copy = sandbox.home().join("copy");
    let path = copy.to_str().unwrap();
    sandbox.git(&["clone", "-q", ".", path]);
    for (key, value) in [
        ("user.name", "Second"),
        ("user.email", "second@example.com"),
        ("gc.auto", "0"),
    ] {
        sandbox.git(&["-C", path, "config", key, value]);
    }
    copy
}

/// The code of each commit that landed a goal, the newest first.
fn codes(sandbox: &Sandbox, dir: &str) -> Vec<Vec<String>> {
    let commits = sandbox.git(&["-C", dir, "rev-list", "--first-parent", "start..main"]);
    let list = |commit: &str| sandbox.git(&["-C", dir, "ls-tree", "-r", commit]);
    let code = |commit: &str| -> Vec<String> {
        let all = list(commit);
        let code = all.lines().filter(|line| !line.contains("\tmemory/"));
        code.map(str::to_owned).collect()
    };
    commits.lines().map(code).collect()
}

/// A clone that has the recorded calls, and attempts that no run would take up again.
fn second(sandbox: &Sandbox) -> PathBuf {
    let copy = clone(sandbox);
    let path = copy.to_str().unwrap();
    sandbox.git(&["-C", path, "reset", "-q", "--hard", "start"]);
    sandbox.git(&["-C", path, "fetch", "-q", "origin", &format!("{ATTEMPTS}:{ATTEMPTS}")]);
    rewrite(sandbox, path, "@1.attempt.json", "\"version\":\"", "\"version\":\"0");
    sandbox.git(&["-C", path, "config", "invisigoth.llm.provider", "replay"]);
    copy
}

#[test]
fn provider_replay_runs_the_backlog_again_to_the_same_code() {
    let sandbox = run_backlog();
    let copy = second(&sandbox);
    let path = copy.to_str().unwrap();
    let ran = sandbox.run(&["-C", path, "run"]);
    assert_eq!(codes(&sandbox, path), codes(&sandbox, "."), "{}", ran.stderr);
    let record = sandbox.json(&["-C", path, "show", "b"])["record"].clone();
    assert_eq!(
        (&record["provider"], &record["model"]),
        (&"replay".into(), &"mock".into())
    );
    // The fetched attempt of two replies counts too: somebody paid for it.
    assert_eq!((&record["cost_usd"], &record["attempts"]), (&0.0.into(), &4.into()));
}

#[test]
fn a_changed_goal_is_a_miss_with_its_difference() {
    let sandbox = run_backlog();
    let copy = second(&sandbox);
    let path = copy.to_str().unwrap();
    let pending = copy.join("memory/pending_goals.json");
    let text = fs::read_to_string(&pending).unwrap();
    fs::write(&pending, text.replace("Goal a\"", "Goal a, politely\"")).unwrap();
    sandbox.git(&["-C", path, "commit", "-qam", "Goals"]);
    let ran = sandbox.run(&["-C", path, "run", "--quiet"]);
    assert_snapshot!(shown(&ran, sandbox.home()), @r#"
    blocked  b  needs a (ready)
    blocked  c  needs b (blocked)
    blocked  d  needs c (blocked)
    blocked  e  needs c (blocked)
    took     1 check in [time]
    0 landed · 4 waiting · $0.00 · [time]
    -- stderr
    error: no recorded call answers this request; how the nearest one differs:
    --- a/message 2 (user)
    +++ b/message 2 (user)
    @@ -9,6 +9,7 @@
     ## Latest commits
     
     ```
    +Goals
     goals
     Set up git-invisigoth
     settings
    @@ -48,7 +49,7 @@
     
     ## The goal
     
    -Goal a
    +Goal a, politely
     
     Do this and nothing else. Where part of it is done already, do the rest. Reply with the edits.
     
    hint: prompt, model and limits must be as they were recorded; another `llm.provider` asks anew
    -- exit 10
    "#);
    assert_eq!(sandbox.json(&["-C", path, "show", "a"])["state"], "ready");
}

#[test]
fn provider_replay_without_calls_says_what_to_fetch() {
    let sandbox = backlog();
    sandbox.git(&["config", "invisigoth.llm.provider", "replay"]);
    assert_snapshot!(sandbox.shows(&["run", "--quiet"]), @r"
    -- stderr
    error: this clone has no recorded calls to replay
    hint: `git fetch REMOTE refs/invisigoth/attempts:refs/invisigoth/attempts` brings those of another clone
    -- exit 7
    ");
}

/// Runs one goal against `rounds` of the script.
fn play(rounds: &Value) -> (Sandbox, Ran) {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.script(json!({ "a": rounds }));
    let ran = sandbox.run(&["run"]);
    (sandbox, ran)
}

#[test]
fn each_fault_of_the_script_is_met_as_a_real_one() {
    let good = whole("a.txt", "a\n");
    let table = [
        (json!([[{"status": 429, "retry_after": 0}, &good]]), 0, "landed"),
        (
            json!([[{"reply": "half", "cut": 2, "retry_after": 0}, {"status": 503, "retry_after": 0}, &good]]),
            0,
            "landed",
        ),
        (json!([{"reply": &good, "delay_ms": 1}]), 0, "landed"),
        (
            json!([{"reply": &good, "finish": "length"}, &good]),
            0,
            "the reply was cut off after",
        ),
        (
            json!([{"status": 503, "reply": "down", "retry_after": 0}]),
            10,
            "error: the provider is not available: down",
        ),
        (
            json!([{"status": 429, "reply": "slow", "retry_after": 0}]),
            10,
            "error: the provider's rate limit is reached: slow",
        ),
        (
            json!([{"status": 401, "reply": "who"}]),
            10,
            "error: the provider refuses the key (401): who",
        ),
        (
            json!([{"status": 402, "reply": "pay"}]),
            10,
            "error: the account has no credit left: pay",
        ),
        (
            json!([{"status": 400, "reply": "long"}]),
            3,
            "the provider refuses the request (400): long",
        ),
        (
            json!([{"reply": "x", "cut": 1, "retry_after": 0}]),
            10,
            "the connection was cut after 1 bytes",
        ),
    ];
    for (rounds, code, said) in table {
        let (sandbox, ran) = play(&rounds);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, code, "{rounds}\n{all}");
        assert!(all.contains(said), "{rounds}\n{all}");
        sandbox.assert_sound();
    }
}

#[test]
fn a_call_is_recorded_with_its_key_and_how_it_ended() {
    let (sandbox, ran) = play(&json!([
        {"reply": whole("a.txt", "half\n"), "finish": "length", "model": "m-1"},
        {"reply": whole("a.txt", "a\n"), "cost_usd": 0.25, "model": "m-2"},
    ]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let [cut, good] = ["000.json", "001.json"].map(|name| sandbox.attempt("a", 1, name));
    assert_eq!((&cut["finish"], &good["finish"]), (&"length".into(), &"stop".into()));
    assert_eq!((&cut["model"], &good["provider"]), (&"m-1".into(), &"mock".into()));
    assert_eq!(good["key"].as_str().map(str::len), Some(64), "{good}");
    assert_ne!(cut["key"], good["key"]);
    assert_eq!(sandbox.json(&["show", "a"])["record"]["cost_usd"], 0.25);
    // What was cut was never applied, then or now.
    assert_eq!(sandbox.json(&["replay", "a"])["goals"][0]["verdict"], "same");
}

#[test]
fn a_command_answers_in_the_place_of_a_script() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.git(&["config", "--unset", "invisigoth.llm.script"]);
    let answer = sandbox.home().join("answer.sh");
    let reply = whole("a.txt", "a\n");
    let checked = "grep -q 'Goal: a (round 1 of' || { echo >&2 'no goal'; exit 9; }";
    let no_key = "[ -z \"$OPENROUTER_API_KEY\" ] || exit 8";
    fs::write(&answer, format!("{checked}\n{no_key}\ncat <<'END'\n{reply}END\n")).unwrap();
    sandbox.git(&["config", "invisigoth.llm.command", &format!("sh {}", answer.display())]);
    let ran = sandbox.run_with(&["run"], &[("OPENROUTER_API_KEY", "sk-canary-0a1b2c3d")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(sandbox.read("a.txt"), "a\n");
    assert!(sandbox.ok(&["doctor"]).contains("mock: a command"));
}

#[test]
fn a_command_that_fails_ends_the_run_and_says_why() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    sandbox.git(&["config", "invisigoth.llm.command", "echo 'no luck' >&2; exit 3"]);
    assert_snapshot!(sandbox.shows(&["run", "--quiet"]), @r"
    -- stderr
    error: provider `mock` has both a script and a command
    hint: unset one of `llm.script` and `llm.command`
    -- exit 7
    ");
    sandbox.git(&["config", "--unset", "invisigoth.llm.script"]);
    assert_snapshot!(sandbox.shows(&["run", "--quiet"]), @r"
    0 landed · $0.00 (scripted) · [time]
    -- stderr
    error: `echo 'no luck' >&2; exit 3` ended with 3: no luck
    hint: correct the command that `llm.command` names
    -- exit 10
    ");
    assert_eq!(sandbox.state("a"), "ready");
}

#[test]
fn a_reply_with_what_looks_like_a_key_lands_as_it_is_and_its_record_says_that_it_cannot_be_replayed() {
    let sandbox = Sandbox::ready();
    // Put together here, so that this file holds nothing that looks like one.
    let token = format!("ghp_{}", "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX");
    sandbox.script(json!({"a": [whole("a.txt", &format!("{token}\n"))]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.read("a.txt"), format!("{token}\n"));
    assert_eq!(sandbox.json(&["show", "a"])["record"]["replayable"], false);
    let replayed = sandbox.json(&["replay", "a"]);
    assert_eq!(replayed["goals"][0]["verdict"], "not_replayable", "{replayed}");
    assert!(
        !sandbox
            .git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])
            .contains(&token)
    );
}

#[test]
fn a_reply_that_writes_over_a_secret_it_was_not_shown_is_refused() {
    let sandbox = Sandbox::ready();
    let token = format!("ghp_{}", "0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX");
    sandbox.write("config.ini", format!("token = {token}\nname = x\n"));
    sandbox.commit("a file that should not be there");
    sandbox.script(json!({"a": [whole("config.ini", "token = [redacted]\nname = y\n")]}));
    sandbox.goal("a", &[]);
    sandbox.run(&["run", "--set", "run.max_attempts=1"]);
    let why = sandbox.json(&["show", "a"])["reason"].as_str().unwrap().to_owned();
    assert!(
        why.starts_with("reply: config.ini: `[redacted]` stands for a secret"),
        "{why}"
    );
    assert_eq!(sandbox.read("config.ini"), format!("token = {token}\nname = x\n"));
}
