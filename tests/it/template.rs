//! `template`: a repository's own templates, from the base commit only, and what is wrong with them before it costs.

use std::fs;

use serde_json::json;

use crate::support::{Sandbox, whole};

const GOAL: &str = ".invisigoth/templates/goal.md.j2";
const BRIEF: &str = "{% extends \"builtin/goal.md.j2\" %}\n{% block orders %}\nBe brief.\n{% endblock %}\n";
const BROKEN: &str = "# {{ id }}\n\n{{ descripton }}\n";

fn with(name: &str, source: &str) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    fs::create_dir_all(sandbox.path(".invisigoth/templates/format")).unwrap();
    sandbox.write(name, source);
    sandbox
}

#[test]
fn a_template_of_the_base_commit_words_the_prompt_and_one_that_is_not_committed_does_not() {
    let sandbox = with(GOAL, BRIEF);
    let plain = sandbox.json(&["prompt", "a"]);
    assert!(!plain.to_string().contains("Be brief."), "{plain}");
    let listed = sandbox.run(&["template"]);
    assert!(
        listed.stderr.contains("in your working tree differs"),
        "{}",
        listed.stderr
    );
    sandbox.commit("templates");
    let own = sandbox.json(&["prompt", "a"]);
    assert!(own.to_string().contains("Be brief."), "{own}");
    assert_ne!(own["prompt_hash"], plain["prompt_hash"]);
    sandbox.write(GOAL, BROKEN);
    sandbox.script(json!({"a": [whole("a.txt", "1\n")]}));
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        sandbox.attempt("a", 1, "attempt.json")["prompt_hash"],
        own["prompt_hash"]
    );
    assert_eq!(sandbox.read(GOAL), BROKEN, "the working tree is the user's");
}

#[test]
fn one_that_is_wrong_ends_each_command_that_would_ask_before_it_costs() {
    // Rendered only after a reply that did not do: by then a call would be paid for.
    let repair = ".invisigoth/templates/repair.md.j2";
    for (name, source, says) in [
        (
            GOAL,
            BROKEN,
            "error: .invisigoth/templates/goal.md.j2 line 3: `descripton` is undefined; did you mean `description`?\n",
        ),
        (
            repair,
            "{% if taken_back %}\n{{ trouble.txt }}\n{% endif %}\n",
            "error: .invisigoth/templates/repair.md.j2 line 2: `trouble.txt` is undefined; did you mean `text`?\n",
        ),
    ] {
        let sandbox = with(name, source);
        sandbox.commit("templates");
        sandbox.script(json!({"a": ["no edit at all", whole("a.txt", "1\n")], "plan": ["{}"]}));
        let before = sandbox.refs();
        for args in [&["run"][..], &["run", "--dry-run"], &["prompt", "a"], &["plan"]] {
            let ran = sandbox.run(args);
            assert_eq!(ran.code, 7, "{args:?}: {}{}", ran.stdout, ran.stderr);
            assert!(ran.stderr.starts_with(says), "{args:?}: {}", ran.stderr);
            assert!(
                ran.stderr.contains("hint: `git invisigoth template check`"),
                "{}",
                ran.stderr
            );
        }
        assert_eq!(sandbox.refs(), before, "{name}");
        assert_eq!(sandbox.json(&["budget"])["rows"][1]["spent"]["calls"], json!(0));
    }
}

#[test]
fn no_reply_writes_one() {
    for path in [GOAL, ".invisigoth/templates/format/udiff.md.j2", ".Invisigoth/x"] {
        let sandbox = Sandbox::ready();
        sandbox.goal("a", &[]);
        let reply = format!("{}\n{}", whole("ok.txt", "x\n"), whole(path, "{{ id }}\n"));
        sandbox.script(json!({"a": [reply]}));
        assert_eq!(sandbox.run(&["run"]).code, 3, "{path}");
        let failed = sandbox.attempt("a", 1, "attempt.json");
        assert!(failed["reason"].as_str().unwrap().contains(path), "{failed}");
    }
}

#[test]
fn check_names_everything_that_is_wrong_and_looks_where_it_is_told() {
    let sandbox = with(GOAL, BROKEN);
    sandbox.write(".invisigoth/templates/plan.md.j2", "{{ brief }}\n{{ cuont }}\n");
    let committed = sandbox.json(&["template", "check"]);
    assert_eq!((&committed["own"], &committed["flaws"]), (&json!([]), &json!([])));
    assert_eq!(committed["at"]["uncommitted"], json!(true));
    let ran = sandbox.run(&["template", "check", "--working"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "2 things are wrong in the templates of the working tree\n\
         wrong .invisigoth/templates/goal.md.j2 line 3: `descripton` is undefined; did you mean `description`?\n\
         wrong .invisigoth/templates/plan.md.j2 line 2: `cuont` is undefined; did you mean `count`?\n"
    );
    sandbox.commit("wrong");
    sandbox.write(GOAL, BRIEF);
    sandbox.write(".invisigoth/templates/plan.md.j2", "{{ brief }}\n{{ count }}\n");
    let working = sandbox.run(&["template", "check", "--working"]);
    assert_eq!(working.code, 0, "{}", working.stdout);
    assert!(working.stderr.contains("git commit"), "{}", working.stderr);
    let wrong = sandbox.json(&["template", "check"]);
    let flaw = &wrong["flaws"][0];
    assert_eq!(
        (&flaw["file"], &flaw["line"], &flaw["variable"], &flaw["near"]),
        (&json!(GOAL), &json!(3), &json!("descripton"), &json!(["description"]))
    );
    sandbox.commit("mended");
    assert_eq!(sandbox.run(&["template", "check"]).code, 0);
    assert_eq!(sandbox.run(&["template", "check", "--rev", "HEAD^"]).code, 1);
}

#[test]
fn a_template_of_ours_can_be_begun_with_and_says_the_same() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let goal = || {
        let text = sandbox.ok(&["prompt", "a"]);
        text.rsplit_once("## The goal").unwrap().1.to_owned()
    };
    let before = goal();
    fs::create_dir_all(sandbox.path(".invisigoth/templates")).unwrap();
    sandbox.write(GOAL, sandbox.ok(&["template", "show", "goal.md.j2"]));
    sandbox.commit("own");
    assert_eq!(goal(), before);
    let rows = sandbox.json(&["template", "list"])["templates"].clone();
    let rows = rows.as_array().unwrap();
    let own = rows.iter().filter(|row| row["own"] == json!(true));
    assert_eq!(rows.len(), 19);
    assert_eq!(
        own.map(|row| row["name"].clone()).collect::<Vec<_>>(),
        [json!("goal.md.j2")]
    );
    sandbox.write(GOAL, BRIEF);
    sandbox.commit("brief");
    assert_eq!(sandbox.ok(&["template", "show", "goal.md.j2"]), BRIEF);
    assert_ne!(sandbox.ok(&["template", "show", "--builtin", "goal.md.j2"]), BRIEF);
    assert_ne!(sandbox.ok(&["template", "show", "--rev", "HEAD^", "goal.md.j2"]), BRIEF);
    let told = sandbox.ok(&["template", "show", "--variables", "plan.md.j2"]);
    assert!(
        told.starts_with("brief          text: what the person who plans asks for\n"),
        "{told}"
    );
}

#[test]
fn bad_input_is_named() {
    let sandbox = with(".invisigoth/templates/gaol.md.j2", "");
    sandbox.commit("a slip");
    for (args, code, says) in [
        (
            &["template", "show", "goal"][..],
            1,
            "error: there is no template goal\n",
        ),
        (
            &["template", "show", "gaol.md.j2"],
            1,
            "hint: did you mean goal.md.j2 ?",
        ),
        (&["template", "show"], 2, "<NAME>"),
        (
            &["template", "check", "--rev", "nowhere"],
            1,
            "`nowhere` names no commit here",
        ),
        (
            &["template", "check", "--rev", "HEAD", "--working"],
            2,
            "cannot be used with",
        ),
        (
            &["prompt", "a"],
            7,
            "gaol.md.j2: no template has this name; did you mean `goal.md.j2`?",
        ),
        (
            &["template"],
            0,
            "warning: .invisigoth/templates/gaol.md.j2: no template has this name",
        ),
    ] {
        let ran = sandbox.run(args);
        assert_eq!(ran.code, code, "{args:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
    }
    sandbox.git(&["config", "core.bare", "true"]);
    let bare = sandbox.run(&["template", "check", "--working"]);
    assert_eq!(bare.code, 1, "{}", bare.stderr);
    assert!(bare.stderr.contains("no working tree"), "{}", bare.stderr);
}
