//! Claims over `mcp`: no run works at a claimed goal or waits for it, claims end by themselves, and what is handed in lands by
//! its checks.

use serde_json::{Value, json};

use crate::{
    mcp::{call, refused},
    support::{Sandbox, whole},
};

const CLAIM: &str = "refs/invisigoth/claims/french";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.goal("french", &[]);
    sandbox.goal("later", &["french"]);
    sandbox.commit("goals");
    sandbox.script(json!({ "french": [whole("greet.txt", "salut\n")], "later": [whole("later.txt", "later\n")] }));
    sandbox
}

#[test]
fn a_claimed_goal_is_worked_at_outside_and_lands_by_its_checks() {
    let sandbox = sandbox();
    let claim = call(&sandbox, "claim", &json!({ "id": "french", "minutes": 30 }));
    assert_eq!(claim["asks"]["description"], "Goal french");
    assert_eq!(
        (&claim["target"], &claim["checks"]),
        (&json!("main"), &json!(["sh check.sh"]))
    );
    assert_eq!(claim["base"], sandbox.id("main"));

    // No run works at it, and none waits for it to end: another goal needs it.
    let ran = sandbox.run(&["run"]);
    assert_eq!(
        (ran.code, sandbox.landings("main").len()),
        (3, 0),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    let status = sandbox.ok(&["status"]);
    assert!(status.contains("running    french"), "{status}");
    assert!(status.contains("claimed by it 31m until 20"), "{status}");
    assert_eq!(call(&sandbox, "ready", &json!({}))["goals"], json!([]));

    // What the answer says is typed as it stands.
    let ran = sandbox.sh("sh", &["-c", claim["begin"].as_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let work = "cd ../repo-french && echo bonjour >greet.txt && git commit -qam 'Say it in French'";
    assert_eq!(sandbox.sh("sh", &["-c", work]).code, 0);
    let hand_in = claim["hand_in"]
        .as_str()
        .unwrap()
        .strip_prefix("git invisigoth ")
        .unwrap();
    assert_eq!(hand_in, "adopt work/french --goal french");
    sandbox.ok(&hand_in.split(' ').collect::<Vec<_>>());
    assert_eq!(sandbox.landings("main"), ["french"]);
    assert_eq!(sandbox.git(&["show", "main:greet.txt"]), "bonjour");
    assert_eq!(sandbox.refs().get(CLAIM), None, "handing in ends the claim");

    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["french", "later"]);
    sandbox.git(&["worktree", "remove", "../repo-french"]);
    sandbox.assert_sound();
}

#[test]
fn work_that_fails_its_checks_stays_claimed_and_nothing_lands() {
    let sandbox = sandbox();
    let claim = call(&sandbox, "claim", &json!({ "id": "french" }));
    sandbox.git(&["switch", "-q", "-c", claim["branch"].as_str().unwrap()]);
    sandbox.write("bad", "bad\n");
    sandbox.commit("Say it badly");
    // Whoever switched the checkout itself is told, instead of landing on the branch that they work on.
    let words = refused(&sandbox, "claim", &json!({ "id": "french", "handle": claim["handle"] }));
    assert!(words.contains("\nhint: `git config invisigoth.land.target"), "{words}");
    sandbox.git(&["switch", "-q", "main"]);
    assert_eq!(sandbox.run(&["adopt", "work/french", "--goal", "french"]).code, 3);
    assert!(sandbox.refs().contains_key(CLAIM));
    assert_eq!(sandbox.landings("main").len(), 0);
}

#[test]
fn one_claim_at_a_time_which_its_handle_renews_and_gives_back() {
    let sandbox = sandbox();
    let first = call(&sandbox, "claim", &json!({ "id": "french", "minutes": 1 }));
    let words = refused(&sandbox, "claim", &json!({ "id": "french" }));
    assert!(
        words.starts_with("error: goal french is claimed by it 31m until 20"),
        "{words}"
    );
    let again = call(
        &sandbox,
        "claim",
        &json!({ "id": "french", "handle": first["handle"], "minutes": 60 }),
    );
    assert_eq!(again["handle"], first["handle"]);
    assert!(again["until"].as_str() > first["until"].as_str());
    let words = refused(
        &sandbox,
        "claim",
        &json!({ "id": "french", "handle": "other", "give_back": true }),
    );
    assert!(words.contains("goal french is not held by this claim"), "{words}");
    let back = call(
        &sandbox,
        "claim",
        &json!({ "id": "french", "handle": first["handle"], "give_back": true }),
    );
    assert_eq!((&back["given_back"], back.get("handle")), (&json!(true), None));
    assert_eq!(sandbox.refs().get(CLAIM), None);
    assert_eq!(sandbox.state("french"), "ready");
}

#[test]
fn a_claim_ends_by_itself_and_the_next_run_works_at_the_goal() {
    let sandbox = sandbox();
    let claim = call(&sandbox, "claim", &json!({ "id": "french" }));
    // As it will be once its time is over.
    let said = sandbox.git(&["log", "-1", "--format=%B", CLAIM]);
    let mut said: Value = serde_json::from_str(&said).unwrap();
    said["holder"]["outside"]["until"] = json!(1000);
    let tree = sandbox.git(&["rev-parse", &format!("{CLAIM}^{{tree}}")]);
    let over = sandbox.git(&["commit-tree", &tree, "-m", &said.to_string()]);
    sandbox.git(&["update-ref", CLAIM, &over]);
    assert_eq!(sandbox.state("french"), "ready");
    sandbox.ok(&["run", "--max", "1"]);
    assert_eq!(sandbox.landings("main"), ["french"]);
    assert_eq!(sandbox.refs().get(CLAIM), None, "what is over is swept away");
    let words = refused(&sandbox, "claim", &json!({ "id": "french", "handle": claim["handle"] }));
    assert!(words.contains("has landed"), "{words}");
}

#[test]
fn only_what_could_start_can_be_claimed_and_not_all_of_it() {
    let sandbox = sandbox();
    sandbox.goal("waits", &[]);
    sandbox.ok(&["hold", "waits", "--why", "not yet"]);
    let id = call(&sandbox, "add", &json!({ "description": "Idea" }))["id"].clone();
    let rows = [
        (json!("later"), "error: goal later cannot start: needs french (ready)"),
        (
            json!("waits"),
            "error: goal waits is held; so nobody can claim it\nhint: `git invisigoth release waits`",
        ),
        (id.clone(), "error: goal goal-"),
    ];
    for (id, start) in rows {
        let words = refused(&sandbox, "claim", &json!({ "id": id }));
        assert!(words.starts_with(start), "{words}");
    }
    assert_eq!(call(&sandbox, "show", &json!({ "id": id }))["state"], "proposed");
    for nth in 0..9 {
        sandbox.goal(&format!("many{nth}"), &[]);
    }
    for nth in 0..8 {
        call(&sandbox, "claim", &json!({ "id": format!("many{nth}") }));
    }
    let words = refused(&sandbox, "claim", &json!({ "id": "many8" }));
    assert!(words.starts_with("error: 8 goals are claimed already"), "{words}");
}
