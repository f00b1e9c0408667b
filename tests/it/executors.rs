//! Executors that work in a folder: a scripted program of the user's own, and a model with actions. Each lands or fails by
//! what differs and by checks, with a record. Needs bubblewrap.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, whole};

const CANARY: &str = "canary-7f3a9d20c1";

/// A repository with goal `a` for executor `external:fake`: a program that is `script`.
fn fake(script: &str) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.with_program("fake-tool", script);
    let program = sandbox.home().join("bin/fake-tool");
    set(&sandbox, "cmd", program.to_str().unwrap());
    sandbox.git(&["config", "invisigoth.run.executor", "external:fake"]);
    sandbox.goal("a", &[]);
    sandbox.commit("goals");
    sandbox
}

fn set(sandbox: &Sandbox, key: &str, value: &str) {
    sandbox.git(&["config", "--add", &format!("invisigoth.executor.fake.{key}"), value]);
}

/// The reason why goal `a` failed.
fn failure(sandbox: &Sandbox) -> String {
    let stored = sandbox.attempt("a", 1, "attempt.json");
    assert_eq!(stored["standing"], "failed", "{stored}");
    stored["reason"].as_str().unwrap().to_owned()
}

fn landed(sandbox: &Sandbox, ran: &Ran) {
    assert_eq!(
        (ran.code, sandbox.landings("main")),
        (0, vec!["a".to_owned()]),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
}

#[test]
fn what_a_program_did_to_files_lands_whatever_it_says() {
    let sandbox = fake(
        "cat > prompt.seen; grep -q 'Goal: a (round 1 of 3)' prompt.seen || exit 9; rm prompt.seen\n\
         printf 'bye\\n' >> greet.txt; git mv check.sh t && git mv t check.sh\n\
         mkdir new; echo one > new/one; ln -s one new/link; echo 'echo hi' > new/run; chmod +x new/run\n\
         git add -A; git commit -qm mine; git checkout -qb elsewhere; echo two > new/two; rm invisigoth.toml.x 2>/dev/null\n\
         echo 'I failed, sorry'; exit 1",
    );
    let ran = sandbox.run(&["run"]);
    landed(&sandbox, &ran);
    assert_eq!(sandbox.read("greet.txt"), "hello\nbye\n");
    let all = sandbox.git(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD"]);
    for line in ["120000 new/link", "100644 new/one", "100755 new/run", "100644 new/two"] {
        assert!(all.lines().any(|path| path == line), "{line} in\n{all}");
    }
    assert_eq!(sandbox.git(&["log", "--format=%s", "--grep=^mine$", "--all"]), "");
    let record = sandbox.json(&["show", "a"])["record"].clone();
    assert_eq!(
        (&record["provider"], &record["model"]),
        (&json!("external:fake"), &json!("external:fake"))
    );
    assert_eq!(
        (&record["attempts"], &record["cost_usd"]),
        (&json!(1), &Value::Null),
        "{record}"
    );
    let call = sandbox.attempt("a", 1, "000.json");
    assert_eq!(call["reply"], "I failed, sorry");
    assert!(
        call["request"]["messages"][1]["content"]
            .as_str()
            .unwrap()
            .contains("Goal a"),
        "{call}"
    );
    sandbox.assert_sound();
}

#[test]
fn a_second_start_is_told_what_failed_and_goes_on_from_there() {
    let sandbox = fake(
        "cat > seen\n\
         if grep -q 'A check did not pass' seen; then [ -e bad ] && rm bad && mv seen told; else mv seen first; touch bad; fi",
    );
    let ran = sandbox.run(&["run"]);
    landed(&sandbox, &ran);
    assert!(sandbox.read("told").contains("(round 2 of 3)") && sandbox.read("first").contains("(round 1 of 3)"));
    assert_eq!(sandbox.json(&["show", "a"])["record"]["attempts"], json!(2));
}

#[test]
fn words_and_a_good_exit_are_no_work() {
    let sandbox = fake("echo 'All done, tests pass.'");
    assert_eq!(sandbox.run(&["run"]).code, 3);
    let why = failure(&sandbox);
    assert!(
        why.contains("`fake` changed nothing (exit 0): All done, tests pass."),
        "{why}"
    );
    let missing = fake("true");
    missing.git(&[
        "config",
        "--replace-all",
        "invisigoth.executor.fake.cmd",
        "no-such-tool",
    ]);
    assert_eq!(missing.run(&["run"]).code, 3);
    assert!(failure(&missing).contains("there is no program `no-such-tool`"));
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let sandbox = fake("touch made; (sleep 4242 & ) ; setsid sleep 4242 & sleep 4242");
    set(&sandbox, "timeout", "1");
    sandbox.git(&["config", "invisigoth.run.max-attempts", "1"]);
    assert_eq!(sandbox.run(&["run"]).code, 3);
    assert!(failure(&sandbox).contains("ran over its limit of 1 s, so nothing was taken"));
    let left = sandbox.sh("pgrep", &["-f", "sleep 4242"]);
    assert_eq!(left.stdout, "", "something was left running");
}

#[test]
fn what_the_guard_denies_is_refused_and_told() {
    let sandbox = fake("mkdir -p .github/workflows; echo x > .github/workflows/ci.yml; echo x > ok");
    assert_eq!(sandbox.run(&["run"]).code, 3);
    assert!(
        failure(&sandbox).contains(".github/workflows/ci.yml"),
        "{}",
        failure(&sandbox)
    );
    assert_eq!(sandbox.landings("main"), [""; 0]);
}

#[test]
fn a_program_sees_what_it_was_given_and_nothing_else() {
    let sandbox = fake(&format!(
        "{{ cat ~/secret; cat ~/.tool/own; echo \"$TOOL_NAME/$OPENROUTER_API_KEY\"; cat ../../../*/*; }} > seen 2>&1\n\
         echo out > ~/outside; echo out > /tmp/outside-{CANARY}; echo kept > ~/.tool/kept; exit 0"
    ));
    fs::create_dir(sandbox.home().join(".tool")).unwrap();
    fs::write(sandbox.home().join(".tool/own"), "its own\n").unwrap();
    fs::write(sandbox.home().join("secret"), CANARY).unwrap();
    set(&sandbox, "home", "~/.tool");
    set(&sandbox, "env", "TOOL_NAME");
    let ran = sandbox.run_with(
        &["run"],
        &[("TOOL_NAME", "given"), ("OPENROUTER_API_KEY", "sk-not-for-it-1234")],
    );
    landed(&sandbox, &ran);
    let seen = sandbox.read("seen");
    assert!(seen.contains("its own\n") && seen.contains("given/\n"), "{seen}");
    assert!(!seen.contains(CANARY) && !seen.contains("sk-not"), "{seen}");
    assert!(!sandbox.home().join("outside").exists() && !Path::new(&format!("/tmp/outside-{CANARY}")).exists());
    assert_eq!(fs::read_to_string(sandbox.home().join(".tool/kept")).unwrap(), "kept\n");
}

#[test]
fn a_key_that_it_was_given_does_not_come_out_again() {
    let sandbox = fake("echo \"$TOOL_KEY\" > config.txt; echo \"using $TOOL_KEY\"");
    set(&sandbox, "env", "TOOL_KEY");
    assert_eq!(sandbox.run_with(&["run"], &[("TOOL_KEY", CANARY)]).code, 3);
    assert!(
        failure(&sandbox).contains("config.txt holds a secret"),
        "{}",
        failure(&sandbox)
    );
    let objects = sandbox.git(&["cat-file", "--batch-all-objects", "--batch"]);
    assert!(!objects.contains(CANARY));
}

#[test]
fn what_it_took_counts_as_far_as_it_tells() {
    let told =
        r#"echo '{"type":"result","result":"ok","total_cost_usd":0.5,"usage":{"input_tokens":7,"output_tokens":2}}'"#;
    let sandbox = fake(&format!("echo x > x; {told}"));
    set(&sandbox, "result", "claude-json");
    sandbox.git(&["config", "invisigoth.budget.max-usd", "2"]);
    let refused = sandbox.run(&["run"]);
    assert_eq!(refused.code, 7, "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains("a cap in dollars cannot be kept"),
        "{}",
        refused.stderr
    );
    sandbox.git(&["config", "invisigoth.budget.max-calls", "1"]);
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (&summary["calls"], &summary["cost_usd"]),
        (&json!(1), &json!(0.5)),
        "{summary}"
    );
    let record = sandbox.json(&["show", "a"])["record"].clone();
    assert_eq!((&record["tokens"], &record["cost_usd"]), (&json!(9), &json!(0.5)));
}

#[test]
fn a_start_that_never_came_to_be_counts_as_none() {
    let sandbox = fake("echo x > x");
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "1"]);
    sandbox.ok(&["check"]);
    let slots = fs::read_dir(sandbox.home().join(".cache/invisigoth")).unwrap();
    let in_the_way = slots.map(|slots| slots.unwrap().path().join("work")).next().unwrap();
    fs::write(&in_the_way, "").unwrap();
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("opening the work slots"), "{}", ran.stderr);
    fs::remove_file(&in_the_way).unwrap();
    landed(&sandbox, &sandbox.run(&["run"]));
}

#[test]
fn only_the_user_s_own_settings_say_what_runs() {
    let sandbox = fake("touch x");
    sandbox.write(
        "invisigoth.toml",
        "[check]\ntest = [\"sh check.sh\"]\n[executor.fake]\ncmd = [\"evil\"]\n",
    );
    sandbox.commit("mine");
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("invisigoth.toml, line 3: `executor.fake` cannot be set up in a tracked file"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_a_sandbox_it_runs_only_where_the_user_says_so() {
    let sandbox = fake("touch x");
    let path = sandbox.with_program("bwrap", "exit 1");
    let run = || Ran::of(&sandbox.invisigoth(&["run"]).env("PATH", &path).output().unwrap());
    let refused = run();
    assert_eq!(refused.code, 9, "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused
            .stderr
            .contains("executor `external:fake` works in a sandbox only"),
        "{}",
        refused.stderr
    );
    sandbox.git(&["config", "invisigoth.check.sandbox", "none"]);
    landed(&sandbox, &run());
}

/// A repository with goal `a` for executor `tools`, and a model that says `turns`.
fn tools(turns: &[&str]) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.run.executor", "tools"]);
    sandbox.script(json!({ "a": turns }));
    sandbox.goal("a", &[]);
    sandbox.commit("goals");
    sandbox
}

/// What the model was told before turn `number`, from 1.
fn told(sandbox: &Sandbox, number: usize) -> String {
    let call = sandbox.attempt("a", 1, &format!("{:03}.json", number - 1));
    let messages = call["request"]["messages"].as_array().unwrap();
    messages.last().unwrap()["content"].as_str().unwrap().to_owned()
}

#[test]
fn a_model_acts_turn_by_turn_until_it_is_done() {
    let new = whole("notes.txt", "noted\n");
    let block = "greet.txt\n```\n<<<<<<< SEARCH\nhello\n=======\nhello you\n>>>>>>> REPLACE\n```\n";
    let sandbox = tools(&[
        "```bash\nls; echo made > made.txt; exit 3\n```\n",
        "READ greet.txt\nREAD absent 1-2\nREAD ../../secret\n",
        "SEARCH made\n",
        block,
        "greet.txt\n```\n<<<<<<< SEARCH\nno such line\n=======\nx\n>>>>>>> REPLACE\n```\n",
        &new,
        "```bash\ncat greet.txt made.txt notes.txt; rm made.txt\n```\n",
        "DONE\n",
    ]);
    let ran = sandbox.run(&["run"]);
    landed(&sandbox, &ran);
    assert_eq!(
        (sandbox.read("greet.txt"), sandbox.read("notes.txt")),
        ("hello you\n".into(), "noted\n".into())
    );
    assert!(!sandbox.path("made.txt").exists());
    assert!(told(&sandbox, 2).contains("Exit code 3.") && told(&sandbox, 2).contains("check.sh\ngreet.txt\n"));
    let seen = told(&sandbox, 3);
    assert!(
        seen.contains("hello\n") && seen.contains("absent: there is no such file"),
        "{seen}"
    );
    assert!(told(&sandbox, 4).contains("made.txt:1:made"), "{}", told(&sandbox, 4));
    assert!(
        told(&sandbox, 5).contains("The edits were applied."),
        "{}",
        told(&sandbox, 5)
    );
    assert!(told(&sandbox, 6).contains("no such line"), "{}", told(&sandbox, 6));
    assert!(
        told(&sandbox, 8).contains("hello you\nmade\nnoted\n"),
        "{}",
        told(&sandbox, 8)
    );
    let record = sandbox.json(&["show", "a"])["record"].clone();
    assert_eq!(
        (&record["attempts"], &record["cost_usd"]),
        (&json!(8), &json!(0.0)),
        "{record}"
    );
    sandbox.assert_sound();
}

#[test]
fn an_action_has_no_network_no_home_and_a_bounded_output() {
    let sandbox = tools(&[
        "```bash\ncat ~/secret; cat /proc/net/dev | tail -n +3 | cut -d: -f1; echo x > ~/out; seq 1 99999; echo end\n```\n",
        "```bash\ntouch x\n```\n",
        "DONE\n",
    ]);
    fs::write(sandbox.home().join("secret"), CANARY).unwrap();
    landed(&sandbox, &sandbox.run(&["run"]));
    let seen = told(&sandbox, 2);
    assert!(!seen.contains(CANARY) && !sandbox.home().join("out").exists(), "{seen}");
    assert!(
        seen.contains("No such file") && seen.contains("    lo\n") && !seen.contains("eth"),
        "{seen}"
    );
    assert!(seen.len() < 12_000 && seen.contains("99999\nend\n"), "{}", seen.len());
}

#[test]
fn turns_have_an_end_and_what_is_there_counts() {
    let turns = ["```bash\necho x >> x\n```\n"; 5];
    let sandbox = tools(&turns);
    sandbox.git(&["config", "invisigoth.run.turns", "3"]);
    landed(&sandbox, &sandbox.run(&["run"]));
    assert_eq!(sandbox.read("x"), "x\nx\nx\n");
    let idle = tools(&["DONE\n"; 3]);
    assert_eq!(idle.run(&["run"]).code, 3);
    assert!(
        failure(&idle).contains("nothing was changed in this round"),
        "{}",
        failure(&idle)
    );
}

#[test]
fn a_goal_that_paused_takes_its_turns_up_again() {
    let sandbox = tools(&["```bash\necho one > x\n```\n", "```bash\ncat x\n```\n", "DONE\n"]);
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "2"]);
    let paused = sandbox.run(&["run"]);
    assert_eq!(
        sandbox.attempt("a", 1, "attempt.json")["standing"],
        "paused",
        "{}{}",
        paused.stdout,
        paused.stderr
    );
    // Asked again, the model would say something else.
    let other = "```bash\necho other > x\n```\n";
    sandbox.script(json!({ "a": [other, other, "DONE\n"] }));
    sandbox.git(&["config", "invisigoth.budget.goal-max-calls", "9"]);
    let summary = sandbox.json(&["run"]);
    assert_eq!(
        (summary["calls"].as_u64(), sandbox.landings("main")),
        (Some(1), vec!["a".to_owned()]),
        "{summary}"
    );
    assert_eq!(sandbox.read("x"), "one\n");
    assert_eq!(sandbox.json(&["show", "a"])["record"]["attempts"], json!(3));
}

#[test]
fn work_that_is_not_in_replies_is_said_to_be_no_replay() {
    let sandbox = tools(&["```bash\necho x > x\n```\n", "DONE\n"]);
    landed(&sandbox, &sandbox.run(&["run"]));
    assert_eq!(sandbox.attempt("a", 1, "attempt.json")["executor"], "tools");
    let replay = sandbox.run(&["replay", "HEAD^2"]);
    assert!(
        replay.stdout.contains("executor `tools` leaves no replies"),
        "{}{}",
        replay.stdout,
        replay.stderr
    );
}

#[test]
fn a_model_that_broke_a_check_goes_on_in_the_same_conversation() {
    let sandbox = tools(&[
        "```bash\ntouch bad x\n```\n",
        "DONE\n",
        "```bash\nrm bad\n```\n",
        "DONE\n",
    ]);
    landed(&sandbox, &sandbox.run(&["run"]));
    let seen = told(&sandbox, 3);
    assert!(
        seen.contains("bad is there") && seen.contains("(round 2 of 3)"),
        "{seen}"
    );
    let call = sandbox.attempt("a", 1, "003.json");
    assert_eq!(call["request"]["messages"].as_array().unwrap().len(), 8);
}

#[test]
fn no_action_is_carried_out_without_a_sandbox() {
    let sandbox = tools(&["```bash\ntouch x\n```\n", "DONE\n"]);
    sandbox.git(&["config", "invisigoth.check.sandbox", "none"]);
    let refused = sandbox.run(&["run"]);
    assert_eq!(refused.code, 9, "{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.stderr.contains("executor `tools` works in a sandbox only"),
        "{}",
        refused.stderr
    );
    assert_eq!(sandbox.landings("main"), [""; 0]);
}
