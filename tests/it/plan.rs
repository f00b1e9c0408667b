//! `plan` and `run --plan`: what a model proposes, what becomes of it, and that nothing is paid for in vain.

use std::{fs, process::Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{
    Sandbox,
    server::{Scripted, Server},
};

/// A proposal about the file that every sandbox has.
fn proposal(description: &str, needs: &[&str]) -> Value {
    json!({
        "handle": description.split(' ').next_back(),
        "description": description,
        "filename": "check.sh",
        "acceptance": ["`sh check.sh` passes"],
        "needs": needs,
        "reason": "it is asked for",
        "evidence": [{"path": "notes.txt", "line": 1, "quote": "Everything below is still to be done"}],
    })
}

fn reply(goals: &[Value]) -> String {
    format!("Here is a plan.\n\n```json\n{}\n```\n", json!({ "goals": goals }))
}

/// A repository with something to quote, and a script that answers `plans`.
fn ready(plans: &[String]) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.write("notes.txt", "Everything below is still to be done:\nall of it\n");
    sandbox.commit("Note what is to be done");
    script(&sandbox, &json!({ "plan": plans, "goals": {} }));
    sandbox
}

fn script(sandbox: &Sandbox, content: &Value) {
    let path = sandbox.home().join("script.json");
    fs::write(&path, content.to_string()).unwrap();
    sandbox.git(&["config", "invisigoth.llm.provider", "mock"]);
    sandbox.git(&["config", "invisigoth.llm.script", path.to_str().unwrap()]);
}

/// What the attempts ref keeps of a plan.
fn kept(sandbox: &Sandbox, number: u32, name: &str) -> Value {
    let end = format!("/_plan@{number}.{name}");
    let names = sandbox.git(&["ls-tree", "-r", "--name-only", "refs/invisigoth/attempts"]);
    let path = names.lines().find(|path| path.ends_with(&end)).unwrap();
    serde_json::from_str(&sandbox.git(&["show", &format!("refs/invisigoth/attempts:{path}")])).unwrap()
}

fn states(sandbox: &Sandbox) -> Vec<(String, String)> {
    let list = sandbox.json(&["list"]);
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let rows = list["goals"].as_array().unwrap().iter();
    let mut rows: Vec<_> = rows.map(|row| (text(row, "description"), text(row, "state"))).collect();
    rows.sort();
    rows
}

#[test]
fn what_holds_waits_for_a_person_and_the_rest_is_refused_with_a_reason() {
    let goals = [
        proposal("Write alpha", &[]),
        proposal("Write beta", &["alpha"]),
        proposal("Write the alpha", &[]),
        json!({"description": "Be better", "reason": "who knows"}),
        json!({"description": "Write gamma", "filename": "../gamma", "acceptance": ["x"], "reason": "y",
               "evidence": [{"path": "notes.txt", "line": 1, "quote": "Everything below"}]}),
        json!({"description": "Write delta", "filename": "delta.txt", "acceptance": ["x"], "reason": "y",
               "evidence": [{"path": "notes.txt", "line": 1, "quote": "nobody wrote this line"}]}),
    ];
    let sandbox = ready(&[reply(&goals)]);
    let plan = sandbox.json(&["plan"]);
    let refused = plan["refused"].as_array().unwrap().iter();
    let kinds: Vec<&str> = refused.map(|refused| refused["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["duplicate", "no_acceptance", "bad_path", "not_quoted"],
        "{plan}"
    );
    let proposed = [("Write alpha", "proposed"), ("Write beta", "proposed")].map(|(a, b)| (a.into(), b.into()));
    assert_eq!(states(&sandbox), proposed);
    let (alpha, beta) = (&plan["goals"][0], &plan["goals"][1]);
    assert_eq!(beta["dependencies"], json!([alpha["id"]]));
    assert_eq!(
        (&alpha["created_by"], &alpha["reason"], &alpha["evidence"]),
        (
            &json!("plan"),
            &json!("it is asked for"),
            &json!(["notes.txt:1: Everything below is still to be done"])
        )
    );
    let record = kept(&sandbox, 1, "plan.json");
    assert_eq!(
        (&record["judged"], &record["goals"]),
        (&json!(true), &json!([alpha["id"], beta["id"]]))
    );
    assert_eq!(record["refused"].as_array().unwrap().len(), 4);
    assert_eq!(kept(&sandbox, 1, "000.json")["reply"], json!(reply(&goals)));
    // Nothing runs until a person agrees.
    assert_eq!(sandbox.json(&["run"])["goals"], json!([]));
    // The same again is refused, open or rejected: the model is told once, and then that is all.
    let again = sandbox.json(&["plan"]);
    assert_eq!(
        (again["goals"].as_array().unwrap().len(), &again["rounds"]),
        (0, &json!(2)),
        "{again}"
    );
    sandbox.assert_sound();
}

#[test]
fn a_dry_run_shows_the_prompt_and_asks_nobody() {
    let sandbox = ready(&[]);
    sandbox.write("Cargo.lock", "checksum = 77\n");
    sandbox.write("README.md", "A line of thirty characters is here.\n".repeat(400));
    sandbox.commit("Update the lock file");
    let server = Server::start(vec![Scripted::status(500, "")]);
    for (key, value) in [("provider", "openrouter"), ("base-url", &server.url())] {
        sandbox.git(&["config", &format!("invisigoth.llm.{key}"), value]);
    }
    let before = sandbox.refs();
    let said = sandbox.ok(&["plan", "--dry-run", "--count", "3", "--brief", "only {{ documents }}"]);
    for part in [
        "notes.txt",
        "only {{ documents }}",
        "Propose up to 3 goals",
        "\nPlan: 3 goals\n",
        "Cargo.lock: not shown",
        "is here.\n… cut\n",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains("checksum"), "what programs write says nothing");
    assert_eq!((server.asked().len(), sandbox.refs()), (0, before));
}

#[test]
fn its_words_and_its_bad_input() {
    let sandbox = ready(&["I am sorry, but no.".into(), "{\"goals\": []}".into(), "no".into()]);
    assert_snapshot!(sandbox.shows(&["plan"]), @r"
    plan       0 goals · 0 refused · at [id] · 2 replies · $0.00 (scripted)
    next       git invisigoth plan --brief TEXT
    -- stderr
    planning  8 goals asked for, round 1, [n] bytes
    planning  8 goals asked for, round 2, [n] bytes
    planned   0 goals proposed, 0 refused
    -- exit 0
    ");
    assert_snapshot!(sandbox.shows(&["--set", "llm.script=none.json", "plan"]), @r"
    -- stderr
    error: the script $HOME/repo/none.json: is not there
    hint: `git config invisigoth.llm.script FILE`
    -- exit 7
    ");
    assert_snapshot!(sandbox.shows(&["plan", "--count", "0"]), @r"
    -- stderr
    error: invalid value '0' for '--count <N>': 0 is not in 1..=500
    hint: `git invisigoth help plan` tells more
    -- exit 2
    ");
    assert_snapshot!(sandbox.shows(&["plan", "--brief", "@lost.md"]), @r"
    -- stderr
    error: there is no file $HOME/repo/lost.md
    hint: what follows @ is a path from here; text goes without @
    -- exit 2
    ");
    assert_snapshot!(sandbox.shows(&["run", "--plan", "a"]), @r"
    -- stderr
    error: the argument '--plan' cannot be used with '[ID]...'
    hint: usage: git invisigoth run --plan [ID]...
    hint: `git invisigoth help run` tells more
    -- exit 2
    ");
    assert_snapshot!(sandbox.shows(&["--set", "llm.provider=openrouter", "run", "--plan"]), @r"
    -- stderr
    error: `run --plan` goes on until a cap is reached, and there is none
    hint: `git invisigoth run --plan --max-usd 5`, `--max 10`, or `git invisigoth config set budget.max_minutes 60`
    -- exit 7
    ");
    script(&sandbox, &json!({ "plan": ["no"], "goals": {} }));
    assert_snapshot!(sandbox.shows(&["plan"]), @r#"
    -- stderr
    planning  8 goals asked for, round 1, [n] bytes
    planning  8 goals asked for, round 2, [n] bytes
    error: the model sent no plan: the reply holds no JSON; answer with a JSON object: {"goals": [...]}, or {"goals": []} if nothing is worth doing
    hint: `git invisigoth plan` asks again; `--dry-run` shows the prompt
    -- exit 1
    "#);
    assert_eq!(kept(&sandbox, 2, "plan.json")["judged"], json!(true));
    assert_eq!(
        kept(&sandbox, 2, "001.json")["reply"],
        json!("no"),
        "what was paid for is kept"
    );
    sandbox.write("memory/pending_goals.json", "[\n");
    assert_snapshot!(sandbox.shows(&["plan"]), @r"
    -- stderr
    error: memory/pending_goals.json: line 2, column 0: broken JSON: EOF while parsing a list
    hint: mend memory/pending_goals.json; nothing was changed
    -- exit 1
    ");
}

#[test]
fn planned_goals_that_nobody_looked_at_are_bounded_before_anything_is_paid() {
    let goals: Vec<Value> = ["alpha", "beta", "gamma"]
        .iter()
        .map(|it| proposal(&format!("Write {it}"), &[]))
        .collect();
    let sandbox = ready(&[reply(&goals)]);
    let flags = ["--set", "plan.max_open=2", "plan"];
    let plan = sandbox.json(&flags);
    assert_eq!(plan["goals"].as_array().unwrap().len(), 2, "{plan}");
    let refs = sandbox.refs();
    let ran = sandbox.run(&flags);
    assert_eq!((ran.code, sandbox.refs()), (5, refs), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("2 planned goals are open, and `plan.max_open` is 2"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_endpoint_without_schemas_is_asked_without_one() {
    let sandbox = ready(&[]);
    let server = Server::start(vec![
        Scripted::status(400, "{\"error\": {\"message\": \"response_format is not supported\"}}"),
        Scripted::reply(&reply(&[proposal("Write alpha", &[])])),
    ]);
    for (key, value) in [("provider", "openrouter"), ("base-url", &server.url())] {
        sandbox.git(&["config", &format!("invisigoth.llm.{key}"), value]);
    }
    let ran = sandbox.run_with(&["--json", "plan"], &[("OPENROUTER_API_KEY", "k-123456789")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let bodies: Vec<Value> = server
        .asked()
        .iter()
        .map(|asked| serde_json::from_str(&asked.body).unwrap())
        .collect();
    let schemas: Vec<bool> = bodies
        .iter()
        .map(|body| body.get("response_format").is_some())
        .collect();
    assert_eq!(schemas, [true, false]);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(plan["usage"]["cost_usd"], json!(0.25), "{plan}");
    let cost = sandbox.json(&["cost"]);
    assert_eq!(
        (&cost["rows"][0]["key"], &cost["total"]["usd"]),
        (&json!("(plan)"), &json!(0.25)),
        "{cost}"
    );
}

#[test]
fn two_plans_at_once_are_one() {
    let sandbox = ready(&[]);
    // The one that answers asks for a plan itself: the first is still being made.
    let inner = format!(
        "'{}' plan >'{1}/inner' 2>&1; echo $? >>'{1}/inner'; echo '{{\"goals\": []}}'",
        env!("CARGO_BIN_EXE_git-invisigoth"),
        sandbox.home().display()
    );
    sandbox.git(&["config", "--unset", "invisigoth.llm.script"]);
    sandbox.git(&["config", "invisigoth.llm.command", &inner]);
    sandbox.ok(&["plan"]);
    let said = fs::read_to_string(sandbox.home().join("inner")).unwrap();
    assert!(
        said.contains("error: another plan is being made in this clone") && said.ends_with("8\n"),
        "{said}"
    );
}

#[test]
fn a_plan_that_is_killed_is_not_paid_for_twice() {
    let sandbox = ready(&[]);
    // The first reply is of no use, so there is a second question: it kills the one who asks.
    let command = format!(
        "echo asked >>'{0}/asked'; if [ -e '{0}/again' ]; then echo '{{\"goals\": []}}'; \
         elif [ \"$(wc -l <'{0}/asked')\" = 1 ]; then echo no; else : >'{0}/again'; kill -9 $(cat '{0}/pid'); fi",
        sandbox.home().display()
    );
    sandbox.git(&["config", "--unset", "invisigoth.llm.script"]);
    sandbox.git(&["config", "invisigoth.llm.command", &command]);
    let shell = format!(
        "echo $$ >'{}/pid'; exec '{}' plan",
        sandbox.home().display(),
        env!("CARGO_BIN_EXE_git-invisigoth")
    );
    let mut killed = sandbox.command("sh");
    killed.args(["-c", &shell]).stdout(Stdio::null()).stderr(Stdio::null());
    assert_eq!(killed.status().unwrap().code(), None);
    sandbox.ok(&["plan"]);
    let asked = fs::read_to_string(sandbox.home().join("asked")).unwrap();
    assert_eq!(asked.lines().count(), 3, "once, once killed, once again");
    assert_eq!(kept(&sandbox, 1, "plan.json")["rounds"], json!(2));
}

#[test]
fn a_run_plans_when_nothing_is_ready_and_ends_when_nothing_is_worth_it() {
    let sandbox = ready(&[]);
    sandbox.git(&["config", "--unset", "invisigoth.llm.script"]);
    // Three plans, the last of which has nothing to propose; every goal writes a file of its own.
    let plans = [
        reply(&[proposal("Write alpha", &[]), proposal("Write beta", &["alpha"])]),
        reply(&[proposal("Write gamma", &[])]),
        "{\"goals\": []}".to_owned(),
    ];
    for (nth, plan) in plans.iter().enumerate() {
        fs::write(sandbox.home().join(format!("plan{}", nth + 1)), plan).unwrap();
    }
    let command = r#"cat >"$HOME/request"
        if grep -q 'Plan: [0-9]* goals' "$HOME/request"; then
            echo . >>"$HOME/plans"; cat "$HOME/plan$(wc -l <"$HOME/plans")"
        else
            id=$(grep -o 'Goal: [^ ]*' "$HOME/request" | tail -1 | cut -c7-)
            printf 'FILE: %s.txt\n```\n%s\n```\n' "$id" "$id"
        fi"#;
    sandbox.git(&["config", "invisigoth.llm.command", command]);
    sandbox.goal("own", &[]);
    let summary = sandbox.json(&["run", "--plan", "--yes"]);
    let goals = summary["goals"].as_array().unwrap();
    assert!(goals.iter().all(|goal| goal["state"] == "landed"), "{summary}");
    let landed: Vec<&str> = goals.iter().map(|goal| goal["description"].as_str().unwrap()).collect();
    assert_eq!(landed, ["Goal own", "Write alpha", "Write beta", "Write gamma"]);
    assert_eq!(
        (
            sandbox.landings("main").len(),
            summary["plans"].as_array().unwrap().len()
        ),
        (4, 3)
    );
    assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
    sandbox.assert_sound();
}

#[test]
fn what_is_added_while_a_run_plans_is_worked_on_by_that_run() {
    let sandbox = ready(&[]);
    sandbox.git(&["config", "--unset", "invisigoth.llm.script"]);
    // Who answers adds a goal before it says that nothing is worth doing.
    let command = format!(
        r#"cat >"$HOME/request"
        if grep -q 'Plan: [0-9]* goals' "$HOME/request"; then
            '{}' add 'Write alpha' >/dev/null && echo '{{"goals": []}}'
        else
            printf 'FILE: alpha.txt\n```\nalpha\n```\n'
        fi"#,
        env!("CARGO_BIN_EXE_git-invisigoth")
    );
    sandbox.git(&["config", "invisigoth.llm.command", &command]);
    let summary = sandbox.json(&["run", "--plan"]);
    assert_eq!(summary["goals"][0]["description"], "Write alpha", "{summary}");
    assert_eq!(sandbox.landings("main").len(), 1, "{summary}");
}

#[test]
fn a_run_whose_plan_came_to_nothing_does_not_plan_on() {
    let plan = |name: &str| reply(&[proposal(&format!("Write {name}"), &[])]);
    let sandbox = ready(&[]);
    script(
        &sandbox,
        &json!({ "plan": [plan("alpha"), plan("beta"), plan("gamma")], "goals": {}, "default": "no edits at all" }),
    );
    let ran = sandbox.run(&["run", "--plan", "--yes"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("no goal of the last plan landed, so there is no further plan"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stderr.matches("planning ").count(), 1, "{}", ran.stderr);
    // Where a person must agree first, the run ends with the code that says so.
    let asking = ready(&[plan("alpha")]);
    let ran = asking.run(&["run", "--plan"]);
    assert_eq!(ran.code, 5, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("proposed") && ran.stderr.contains("planned goals wait for you"),
        "{}",
        ran.stderr
    );
}
