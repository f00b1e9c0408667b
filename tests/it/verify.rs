//! `verify`: every tampering is named, and nothing else with it. What must not be named is in `good_faith`.

/// Undos, and what followed goals to commits of people.
mod taken_back;

use serde_json::{Value, json};

use crate::support::{Sandbox, whole};

const GOALS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// Ten goals that landed: one after a refused reply, one after a failed check, one held and approved.
pub fn landed() -> Sandbox {
    let sandbox = Sandbox::ready();
    for id in GOALS {
        sandbox.goal(id, &[]);
    }
    sandbox.commit("goals");
    let mut script = serde_json::Map::new();
    for id in GOALS {
        script.insert(id.into(), json!([reply(&whole(&format!("{id}.txt"), "1\n"))]));
    }
    script.insert(
        "b".into(),
        json!([reply("I would rather not."), reply(&whole("b.txt", "b\n"))]),
    );
    let mended = format!("DELETE bad\n\n{}", whole("c.txt", "c\n"));
    script.insert("c".into(), json!([reply(&whole("bad", "oops\n")), reply(&mended)]));
    script.insert("d".into(), json!([reply(&whole("package.json", "{}\n"))]));
    sandbox.script(Value::Object(script));
    sandbox.run(&["run"]);
    sandbox.ok(&["merge", "d"]);
    assert_eq!(sandbox.landings("main").len(), 10);
    sandbox
}

pub fn reply(text: &str) -> Value {
    json!({ "reply": text, "tokens": [10, 5] })
}

impl Sandbox {
    /// What `verify` finds: the goal and what it is about, in order.
    pub fn finds(&self, args: &[&str]) -> Vec<String> {
        let all = [&["verify"], args].concat();
        let json = self.json(&all);
        let findings = json["findings"].as_array().unwrap_or_else(|| panic!("{json}"));
        let word = |finding: &Value| {
            let goal = finding["goal"].as_str().unwrap_or("-");
            format!("{goal} {}", finding["what"].as_str().unwrap())
        };
        findings.iter().map(word).collect()
    }

    /// Asserts that nothing is found.
    pub fn green(&self) {
        let ran = self.run(&["verify"]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn ten_goals_are_verified_and_nothing_is_written() {
    let sandbox = landed();
    let (refs, objects) = (sandbox.refs(), sandbox.git(&["count-objects", "-v"]));
    assert_eq!(
        sandbox.ok(&["verify"]),
        "10 goals verified: 10 commits, 10 records, 10 replayed\n"
    );
    let json = sandbox.json(&["verify"]);
    assert_eq!(json["schema"], "invisigoth.verify/1");
    assert_eq!((&json["notes"], &json["summed"]), (&json!(10), &json!(10)), "{json}");
    assert_eq!((sandbox.refs(), sandbox.git(&["count-objects", "-v"])), (refs, objects));
}

/// Ways to change what landed, with stock git.
impl Sandbox {
    /// Stores the commit `revision` with its text changed, and returns it.
    fn forged(&self, revision: &str, change: impl Fn(&str) -> String) -> String {
        let text = format!("{}\n", self.git(&["cat-file", "commit", revision]));
        let changed = change(&text);
        assert_ne!(changed, text);
        let file = self.home().join("forged");
        std::fs::write(&file, changed).unwrap();
        self.git(&["hash-object", "-t", "commit", "-w", file.to_str().unwrap()])
    }

    /// Puts `commit` in the place of the target's head.
    fn put(&self, commit: &str) {
        self.git(&["reset", "-q", "--hard", commit]);
    }

    /// Changes a file of the target's head, in that very commit.
    fn slip_in(&self, path: &str, old: &str, new: &str) {
        self.slip(path, |text| text.replacen(old, new, 1));
    }

    /// As `slip_in`, with any change.
    fn slip(&self, path: &str, change: impl Fn(&str) -> String) {
        let text = self.read(path);
        let changed = change(&text);
        assert_ne!(changed, text, "{path}");
        self.write(path, changed);
        self.git(&["add", path]);
        let tree = self.git(&["write-tree"]);
        let was = self.git(&["rev-parse", "HEAD^{tree}"]);
        self.put(&self.forged("HEAD", |text| text.replace(&was, &tree)));
    }

    /// Changes a memory file in a commit of a person.
    pub fn edit(&self, path: &str, change: impl Fn(&str) -> String) {
        let text = self.read(path);
        let changed = change(&text);
        assert_ne!(changed, text);
        self.write(path, changed);
        self.commit("mend");
    }

    /// The commit of the work at `goal`, and its note.
    pub fn noted(&self, goal: &str) -> (String, String) {
        let commit = self.json(&["show", goal])["record"]["commit"]
            .as_str()
            .unwrap()
            .to_owned();
        let note = self.git(&["notes", "--ref", "invisigoth", "show", &commit]);
        (commit, note)
    }

    fn note(&self, commit: &str, text: &str) {
        self.git(&["notes", "--ref", "invisigoth", "add", "-f", "-m", text, commit]);
    }
}

/// Lines of a memory file without those of a goal, still JSON.
fn without(text: &str, word: &str) -> String {
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('{')).collect();
    let kept: Vec<&str> = rows
        .iter()
        .filter(|row| !row.contains(word))
        .map(|row| row.trim_end_matches(','))
        .collect();
    assert!(kept.len() < rows.len(), "{word}: {text}");
    format!("[\n{}\n]\n", kept.join(",\n"))
}

pub const HISTORY: &str = "memory/history.json";
pub const COMPLETED: &str = "memory/completed_goals.json";

/// What is changed, how, and what must be found.
type Row<'a> = (&'a str, Box<dyn Fn() + 'a>, Vec<String>);

/// Makes each change to what landed, asserts what is found, and takes it back.
fn each(sandbox: &Sandbox, rows: Vec<Row<'_>>) {
    let refs = ["refs/notes/invisigoth", "refs/invisigoth/attempts"].map(|name| (name, sandbox.id(name)));
    let tip = sandbox.id("main");
    for (what, change, expected) in rows {
        change();
        let ran = sandbox.run(&["verify"]);
        assert_eq!(sandbox.finds(&[]), expected, "{what}\n{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 3, "{what}");
        sandbox.put(&tip);
        for (name, id) in &refs {
            sandbox.git(&["update-ref", name, id]);
        }
        sandbox.green();
    }
}

fn about(goal: &str, what: &str) -> String {
    format!("{goal} {what}")
}

#[test]
fn each_change_of_a_landing_is_named_and_nothing_else_is() {
    let sandbox = landed();
    let s = &sandbox;
    let newest = sandbox.landings("main").last().unwrap().clone();
    let newest = newest.as_str();
    let second = sandbox.id("HEAD^2");
    let (b, _) = sandbox.noted("b");
    let rows: Vec<Row<'_>> = vec![
        (
            "the message of a landing",
            Box::new(|| s.put(&s.forged("HEAD", |text| text.replacen("Goal d", "Goal x", 1)))),
            vec![about(newest, "message")],
        ),
        (
            "its date",
            Box::new(|| s.put(&s.forged("HEAD", later))),
            vec![about(newest, "memory"), about(newest, "record")],
        ),
        (
            "its second parent",
            Box::new(|| {
                s.put(&s.forged("HEAD", |text| {
                    text.replace(&format!("parent {second}"), &format!("parent {b}"))
                }));
            }),
            vec![about(newest, "parents")],
        ),
        (
            "code in it",
            Box::new(|| s.slip_in("a.txt", "1", "2")),
            vec![about(newest, "code")],
        ),
        (
            "its own row of the completed",
            Box::new(|| s.slip_in(COMPLETED, "\"description\":\"Goal d\"", "\"description\":\"Goal x\"")),
            vec![about(newest, "memory")],
        ),
        (
            "another goal's record in it",
            Box::new(|| s.slip_in(HISTORY, "\"tokens\":30", "\"tokens\":3")),
            vec![about("b", "row")],
        ),
        (
            "the root prompt in it",
            Box::new(|| s.slip_in("memory/master_prompt.txt", "a", "b")),
            vec![about("-", "memory")],
        ),
        (
            "a person who writes `Landed:`",
            Box::new(|| {
                s.git(&["commit", "-q", "--allow-empty", "-m", &format!("mine\n\nLanded: z {b}")])
                    .clear();
            }),
            vec![about("z", "parents")],
        ),
        (
            "a target that was moved back",
            Box::new(|| s.put("HEAD~1")),
            vec![about(newest, "target")],
        ),
    ];
    each(&sandbox, rows);
}

#[test]
fn each_change_of_a_row_is_named_and_nothing_else_is() {
    let sandbox = landed();
    let s = &sandbox;
    let (b, _) = sandbox.noted("b");
    let rows: Vec<Row<'_>> = vec![
        (
            "a record",
            Box::new(|| s.edit(HISTORY, |text| text.replacen("\"tokens\":30", "\"tokens\":3", 1))),
            vec![about("b", "row")],
        ),
        (
            "a record that is gone",
            Box::new(|| s.edit(HISTORY, |text| without(text, "\"goal\":\"b\""))),
            vec![about("b", "row")],
        ),
        (
            "a record of what never landed",
            Box::new(|| {
                s.edit(HISTORY, |text| {
                    text.replacen("[\n{", &format!("[\n{{\"goal\":\"z\",\"commit\":\"{b}\"}},\n{{"), 1)
                });
            }),
            vec![about("z", "row")],
        ),
        (
            "a completed goal that is gone",
            Box::new(|| s.edit(COMPLETED, |text| without(text, "\"id\":\"b\""))),
            vec![about("b", "row")],
        ),
        (
            "a goal completed by hand",
            Box::new(|| {
                s.edit(COMPLETED, |text| {
                    text.replacen("[\n", "[\n{\"id\":\"z\",\"status\":\"completed\"},\n", 1)
                });
            }),
            vec![about("z", "row")],
        ),
    ];
    each(&sandbox, rows);
}

#[test]
fn each_change_of_a_note_or_an_attempt_is_named_and_nothing_else_is() {
    let sandbox = landed();
    let s = &sandbox;
    let (b, note) = sandbox.noted("b");
    let start = sandbox.id("main~10");
    let rows: Vec<Row<'_>> = vec![
        (
            "a note's cost",
            Box::new(|| s.note(&b, &note.replace("\"tokens\":30", "\"tokens\":3"))),
            vec![about("b", "note")],
        ),
        (
            "a note that is gone",
            Box::new(|| s.git(&["notes", "--ref", "invisigoth", "remove", &b]).clear()),
            vec![about("b", "note")],
        ),
        (
            "a further line of a note",
            Box::new(|| {
                s.note(
                    &b,
                    &format!("{note}\n{}", note.replace("\"tokens\":30", "\"tokens\":3")),
                );
            }),
            vec![about("b", "note")],
        ),
        (
            "a note on what landed nothing",
            Box::new(|| s.note(&start, &note)),
            vec![about("b", "note")],
        ),
        (
            "a recorded reply",
            Box::new(|| s.rewrite_attempts("/e@1.000.json", "1\\n", "2\\n")),
            vec![about("e", "replay")],
        ),
        (
            "a recorded call's tokens",
            Box::new(|| s.rewrite_attempts("/e@1.000.json", "\"prompt_tokens\":10", "\"prompt_tokens\":11")),
            vec![about("e", "cost")],
        ),
        (
            "an attempt's sum, and its call's",
            Box::new(|| s.rewrite_attempts("/e@1.", "\"prompt_tokens\":10", "\"prompt_tokens\":11")),
            vec![about("e", "cost")],
        ),
        (
            "an attempt's model",
            Box::new(|| s.rewrite_attempts("/e@1.attempt.json", "\"model\":\"", "\"model\":\"not-")),
            vec![about("e", "attempt")],
        ),
    ];
    each(&sandbox, rows);
}

/// The text of a commit that was made a second later.
fn later(text: &str) -> String {
    let committer = text.lines().find(|line| line.starts_with("committer ")).unwrap();
    let (who, zone) = committer.rsplit_once(' ').unwrap();
    let (who, at) = who.rsplit_once(' ').unwrap();
    let at: u64 = at.parse().unwrap();
    text.replace(committer, &format!("{who} {} {zone}", at + 1))
}

#[test]
fn a_commit_that_was_rewritten_with_its_landing_is_the_first_that_diverges() {
    let sandbox = landed();
    let second = sandbox.id("HEAD^2");
    let forged = sandbox.forged(&second, |text| {
        text.replace("Assisted-by: git-invisigoth:", "Assisted-by: git-invisigoth:not-")
    });
    sandbox.put(&sandbox.forged("HEAD", |text| text.replace(&second, &forged)));
    let json = sandbox.json(&["verify"]);
    assert_eq!(json["first"], json!(sandbox.id("HEAD")), "{json}");
    let words = sandbox.run(&["verify"]).stdout;
    assert!(
        words.starts_with(&format!("{} is the first commit", sandbox.id("HEAD").split_at(7).0)),
        "{words}"
    );
}

impl Sandbox {
    /// Rewrites files of the attempts ref whose path holds `part`.
    fn rewrite_attempts(&self, part: &str, old: &str, new: &str) {
        const ATTEMPTS: &str = "refs/invisigoth/attempts";
        let index = self.home().join("index");
        let indexed = |args: &[&str]| {
            let out = self
                .command("git")
                .env("GIT_INDEX_FILE", &index)
                .args(args)
                .output()
                .unwrap();
            assert!(out.status.success(), "{args:?}");
            String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
        };
        indexed(&["read-tree", ATTEMPTS]);
        let all = self.git(&["ls-tree", "-r", "--name-only", ATTEMPTS]);
        let wanted = |path: &&str| path.contains(part) && !path.contains(".tree/");
        let mut found = 0;
        for path in all.lines().filter(wanted) {
            let text = self.git(&["show", &format!("{ATTEMPTS}:{path}")]);
            assert!(text.contains(old), "{path}: {text}");
            let file = self.home().join("blob");
            std::fs::write(&file, text.replace(old, new)).unwrap();
            let blob = self.git(&["hash-object", "-w", file.to_str().unwrap()]);
            indexed(&["update-index", "--cacheinfo", &format!("100644,{blob},{path}")]);
            found += 1;
        }
        assert!(found > 0, "no {part} in\n{all}");
        let tree = indexed(&["write-tree"]);
        let commit = self.git(&["commit-tree", "-m", "rewritten", &tree]);
        self.git(&["update-ref", ATTEMPTS, &commit]);
    }
}

/// Adds goals whose replies write a file each, and runs them.
pub fn more(sandbox: &Sandbox, ids: &[&str]) {
    let mut script = serde_json::Map::new();
    for id in ids {
        sandbox.goal(id, &[]);
        script.insert((*id).into(), json!([reply(&whole(&format!("{id}.txt"), "1\n"))]));
    }
    sandbox.script(Value::Object(script));
    sandbox.ok(&[&["run"], ids].concat());
}

#[test]
fn a_gate_that_is_red_when_it_runs_again_is_named_with_its_first_landing() {
    let sandbox = Sandbox::checking("[ ! -e \"$HOME/broken\" ] || [ ! -e b.txt ]\n");
    more(&sandbox, &["a", "b", "c"]);
    let ran = sandbox.run(&["verify", "--rerun"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (
            0,
            "3 goals verified: 3 commits, 3 records, 3 replayed, 3 gates run again\n"
        )
    );
    std::fs::write(sandbox.home().join("broken"), "").unwrap();
    assert_eq!(sandbox.finds(&["--rerun"]), ["b gate"]);
    sandbox.green();
}

#[test]
fn a_range_is_what_it_names_and_nonsense_is_refused() {
    let sandbox = landed();
    assert!(sandbox.ok(&["verify", "main~3..main"]).starts_with("3 goals verified"));
    assert!(sandbox.ok(&["verify", "main~3"]).starts_with("7 goals verified"));
    assert_eq!(
        sandbox.ok(&["verify", "main..main"]),
        "nothing landed there: nothing to verify\n"
    );
    for (range, code, said) in [
        ("nowhere", 1, "`nowhere` names no commit here"),
        ("main..nowhere", 1, "`nowhere` names no commit here"),
        ("main...main", 2, "has two sides"),
        ("", 1, "names no commit"),
    ] {
        let ran = sandbox.run(&["verify", range]);
        assert_eq!(ran.code, code, "{range}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{range}: {}", ran.stderr);
    }
    sandbox.git(&["switch", "-q", "--detach"]);
    assert_eq!(sandbox.run(&["verify"]).code, 1);
    sandbox.ok(&["verify", "HEAD"]);
}
