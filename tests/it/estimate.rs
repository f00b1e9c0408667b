//! What a run will cost: said before it begins, and asked about where a person wants that.

use std::{fs, io::Write as _, process::Stdio};

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, whole};

/// Goals `a` to `d`, by a model of 1 dollar a million tokens.
fn dear() -> Sandbox {
    let sandbox = Sandbox::ready();
    let reply = |name: &str, usd: f64| {
        let text = whole(&format!("{name}.txt"), "x\n");
        json!([{"reply": text, "cost_usd": usd}])
    };
    let all = [("a", 0.001), ("b", 0.002), ("c", 0.003), ("d", 0.001)];
    sandbox.script(
        all.iter()
            .map(|(name, usd)| ((*name).to_owned(), reply(name, *usd)))
            .collect::<Value>(),
    );
    for name in ["a", "b", "c", "d"] {
        sandbox.goal(name, &[]);
    }
    own(&sandbox, "usd_per_mtok_in = 1\nusd_per_mtok_out = 1\n");
    sandbox
}

/// Sets what counts only in the user's own settings.
fn own(sandbox: &Sandbox, llm: &str) {
    let folder = sandbox.home().join(".config/invisigoth");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), format!("[llm]\n{llm}")).unwrap();
}

fn calls(sandbox: &Sandbox) -> u64 {
    sandbox.json(&["cost"])["total"]["calls"].as_u64().unwrap_or(0)
}

fn typed(sandbox: &Sandbox, line: &str, answer: &str) -> Ran {
    let mut command = sandbox.command("script");
    command.args(["-qec", line, "/dev/null"]).env("TERM", "dumb");
    let streams = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = streams.spawn().unwrap();
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    Ran::of(&child.wait_with_output().unwrap())
}

#[test]
fn a_run_that_may_cost_more_asks_before_it_begins() {
    let sandbox = dear();
    sandbox.git(&["config", "invisigoth.budget.confirm", "0.01"]);
    let ran = sandbox.run(&["run"]);
    let alone = ran.stderr;
    assert!(alone.contains("about 4 goals, up to $"), "{alone}");
    assert!(alone.contains(" by prices, no cap\n"), "{alone}");
    assert!(
        alone.contains("there is no terminal to ask at\nhint: `git invisigoth run --yes`\n"),
        "{alone}"
    );
    assert_eq!(ran.code, 5);
    let line = format!("'{}' run --max 1", env!("CARGO_BIN_EXE_git-invisigoth"));
    for answer in ["n\n", "\n", "what?\n"] {
        let ran = typed(&sandbox, &line, answer);
        assert!(ran.code == 0 && ran.stdout.contains("Go on? [y/N]"), "{}", ran.stdout);
        assert!(ran.stdout.contains("nothing was run"), "{}", ran.stdout);
    }
    assert_eq!((calls(&sandbox), sandbox.landings("main").len()), (0, 0));
    let ran = typed(&sandbox, &line, "y\n");
    assert!(
        ran.code == 0 && ran.stdout.contains("about 1 goal, up to $"),
        "{}",
        ran.stdout
    );
    assert_eq!(sandbox.landings("main"), ["a"]);
    let ran = sandbox.run(&["run", "--max", "1", "--yes"]);
    assert_eq!((ran.code, sandbox.landings("main").len()), (0, 2), "{}", ran.stderr);
    // Whoever set a cap agreed to it: a night must not stop here.
    let ran = sandbox.run(&["run", "--max", "1", "--max-usd", "9"]);
    assert!(ran.stderr.contains(", cap $9.00\n"), "{}", ran.stderr);
    assert_eq!((ran.code, sandbox.landings("main").len()), (0, 3), "{}", ran.stderr);
    // By now goals have landed.
    let ran = sandbox.run(&["run", "--dry-run"]);
    assert!(
        ran.stdout.contains("about 1 goal, $") && ran.stdout.contains(" by past goals, "),
        "{}",
        ran.stdout
    );
    let told = sandbox.json(&["run", "--dry-run"]);
    let usd = &told["estimate"]["usd"];
    assert!(
        usd[0].as_f64().unwrap() > 0.0 && usd[0].as_f64() <= usd[1].as_f64(),
        "{told}"
    );
    assert_eq!(
        (&told["estimate"]["by"], &told["estimate"]["goals"]),
        (&json!("past"), &json!(1))
    );
}

#[test]
fn what_costs_less_is_not_asked_about_and_what_is_unknown_is_not_nothing() {
    let sandbox = dear();
    sandbox.git(&["config", "invisigoth.budget.confirm", "1000"]);
    let ran = sandbox.run(&["run", "--max", "1"]);
    assert_eq!((ran.code, sandbox.landings("main").len()), (0, 1), "{}", ran.stderr);
    sandbox.git(&["config", "invisigoth.llm.provider", "openrouter"]);
    own(&sandbox, "base_url = \"http://127.0.0.1:9/v1\"\nmodel = \"m\"\n");
    let ran = sandbox.run(&["run"]);
    assert!(
        ran.stderr.contains("about 3 goals, price unknown, no cap\n"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.code == 5 && ran.stderr.contains("costs nobody knows what"),
        "{}",
        ran.stderr
    );
    let told = sandbox.json(&["run", "--dry-run"]);
    assert_eq!(told["estimate"]["usd"], Value::Null);
}
