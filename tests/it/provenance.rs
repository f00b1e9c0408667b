//! `provenance`, and the notes of the Git AI standard in `refs/notes/ai`, which stock git reads here.
//!
//! Not here: how a note and a record are worded line by line, which is in `src/provenance/tests.rs`.

/// JSON Schema.
mod schema;

use std::{collections::BTreeMap, fs};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, whole};

/// Attested lines of each file, by whom; and the metadata.
type Note = (BTreeMap<String, Vec<(String, Vec<u32>)>>, Value);

/// Reads a note by the words of the standard, and fails where it is not as they say.
fn read(note: &str) -> Note {
    let mut files: BTreeMap<String, Vec<(String, Vec<u32>)>> = BTreeMap::new();
    let (attestations, metadata) = match note.strip_prefix("---\n") {
        Some(metadata) => ("", metadata),
        None => note.split_once("\n---\n").unwrap(),
    };
    let mut file = None;
    for line in attestations.lines() {
        if let Some(entry) = line.strip_prefix("  ") {
            let (key, words) = entry.split_once(' ').unwrap();
            assert!(!words.contains(' '), "ranges MUST NOT contain spaces: {line}");
            let mut lines = Vec::new();
            for word in words.split(',') {
                let (from, to) = word.split_once('-').unwrap_or((word, word));
                lines.extend(from.parse::<u32>().unwrap()..=to.parse().unwrap());
            }
            assert!(lines[0] >= 1 && lines.is_sorted_by(|a, b| a < b), "{line}");
            let file: &String = file.as_ref().unwrap();
            files.get_mut(file).unwrap().push((key.to_owned(), lines));
        } else {
            assert!(
                !line.starts_with(' '),
                "paths MUST appear at the start of a line: {line}"
            );
            let quoted = line.strip_prefix('"').and_then(|line| line.strip_suffix('"'));
            assert!(
                quoted.is_some() || !line.contains(' '),
                "MUST be wrapped in double quotes: {line}"
            );
            let name = quoted.unwrap_or(line).to_owned();
            assert!(files.insert(name.clone(), Vec::new()).is_none(), "{name} twice");
            file = Some(name);
        }
    }
    assert!(
        files.values().all(|entries| !entries.is_empty()),
        "files without attestations MUST NOT be included"
    );
    let metadata: Value = serde_json::from_str(metadata).unwrap();
    assert_eq!(metadata["schema_version"], "authorship/3.0.0");
    assert!(metadata["base_commit_sha"].is_string() && metadata["prompts"].is_object());
    assert!(!note.contains("messages"), "MUST NOT");
    for (key, _) in files.values().flatten().filter(|(key, _)| key.starts_with("s_")) {
        let (session, trace) = key.split_once("::").unwrap();
        let is_hex = |id: &str, prefix: &str| {
            let digits = id.strip_prefix(prefix).unwrap();
            digits.len() == 14 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        assert!(is_hex(session, "s_") && is_hex(trace, "t_"), "{key}");
        let agent = &metadata["sessions"][session]["agent_id"];
        assert!(
            ["tool", "id", "model"].iter().all(|name| agent[name].is_string()),
            "{metadata}"
        );
    }
    (files, metadata)
}

fn noted(sandbox: &Sandbox, commit: &str) -> Note {
    read(&sandbox.git(&["notes", "--ref=ai", "show", commit]))
}

fn is_noted(sandbox: &Sandbox, commit: &str) -> bool {
    sandbox.sh("git", &["notes", "--ref=ai", "list", commit]).code == 0
}

/// The commit of a goal on `main`.
fn commit(sandbox: &Sandbox, goal: &str) -> String {
    let grep = format!("--grep=^Goal: {goal}$");
    let commit = sandbox.git(&["log", "-1", "--no-merges", "--format=%H", &grep, "main"]);
    assert_eq!(commit.len(), 40, "{goal}");
    commit
}

/// The lines that stock git says a commit added, by file.
fn added(sandbox: &Sandbox, commit: &str) -> BTreeMap<String, Vec<u32>> {
    let parent = format!("{commit}^");
    let diff = [
        "-c",
        "core.quotePath=false",
        "diff",
        "-M",
        "-U0",
        &parent,
        commit,
        "--",
        ".",
        ":!memory",
    ];
    let mut found: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut file = String::new();
    for line in sandbox.git(&diff).lines() {
        if let Some(name) = line.strip_prefix("+++ b/") {
            name.trim_end_matches('\t').clone_into(&mut file);
        } else if let Some(hunk) = line.strip_prefix("@@ ") {
            let new = hunk.split(' ').find_map(|part| part.strip_prefix('+')).unwrap();
            let (from, count) = new.split_once(',').unwrap_or((new, "1"));
            let from: u32 = from.parse().unwrap();
            let lines = from..from + count.parse::<u32>().unwrap();
            found.entry(file.clone()).or_default().extend(lines);
        }
    }
    found.retain(|_, lines| !lines.is_empty());
    found
}

/// Lands `a`, which writes `a.txt`.
fn landed() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "one\ntwo\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    sandbox
}

/// Asserts that the note on a goal's commit says what stock git says that it added, and returns its metadata.
fn assert_told(sandbox: &Sandbox, goal: &str) -> Value {
    let commit = commit(sandbox, goal);
    let (files, metadata) = noted(sandbox, &commit);
    let lines = files.into_iter().map(|(name, mut entries)| {
        assert_eq!(entries.len(), 1, "{entries:?}");
        (name, entries.remove(0).1)
    });
    let lines: BTreeMap<String, Vec<u32>> = lines.collect();
    assert_eq!(lines, added(sandbox, &commit), "{goal}");
    metadata
}

#[test]
fn the_note_of_a_landed_commit_names_the_lines_that_git_says_it_added() {
    let sandbox = Sandbox::ready();
    sandbox.write("code.rs", "fn a() {\n    1\n}\n\nfn b() {\n    2\n}\n");
    sandbox.write("old name.txt", "1\n2\n3\n4\n5\n6\n7\n8\n");
    sandbox.write("gone.txt", "gone\n");
    sandbox.commit("more");
    let after = "fn a() {\n    1\n}\n\nfn new() {\n    3\n}\n\nfn b() {\n    two\n}\n";
    let files = [
        whole("code.rs", after),
        whole("a name with spaces.txt", "x\n"),
        whole("grün/日本.txt", "x\ny\n"),
    ];
    let moved = "*** Begin Patch\n*** Update File: old name.txt\n*** Move to: new name.txt\n@@\n 1\n-2\n+two\n 3\n*** End Patch\n";
    let gone = "*** Begin Patch\n*** Delete File: gone.txt\n*** End Patch\n";
    sandbox.script(json!({"a": [files.concat()], "b": [moved], "c": [gone]}));
    for goal in ["a", "b", "c"] {
        sandbox.goal(goal, &[]);
    }
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a", "b", "c"]);
    let metadata = assert_told(&sandbox, "a");
    let (_, session) = metadata["sessions"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(session["agent_id"]["tool"], "git-invisigoth");
    assert_eq!(session["human_author"], "A U Thor <author@example.com>");
    assert_eq!(session["custom_attributes"]["goal"], "a");
    let commit_of_a = commit(&sandbox, "a");
    assert_eq!(metadata["base_commit_sha"], commit_of_a.as_str());
    // What only got another name is nobody's new line; what is gone has none.
    assert_told(&sandbox, "b");
    assert_eq!(noted(&sandbox, &commit(&sandbox, "b")).0["new name.txt"][0].1, [2]);
    assert_told(&sandbox, "c");
    assert!(noted(&sandbox, &commit(&sandbox, "c")).0.is_empty());
    assert_eq!(
        sandbox.ok(&["provenance", "a", "--format", "git-ai"]).trim_end(),
        sandbox.git(&["notes", "--ref=ai", "show", &commit_of_a])
    );
    assert!(!sandbox.git(&["log", "--all", "--format=%B"]).contains("Signed-off-by"));
    // The landing itself wrote no line.
    assert!(!is_noted(&sandbox, "main"));
    sandbox.assert_sound();
}

#[test]
fn a_plain_commit_per_goal_is_told_of_without_the_memory_files_in_it() {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.land.style", "linear"]);
    sandbox.script(json!({"a": [whole("a.txt", "x\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    let (files, _) = noted(&sandbox, "main");
    assert_eq!(files.keys().collect::<Vec<_>>(), ["a.txt"]);
    let of_branch = sandbox.ok(&["provenance", "main", "--format", "git-ai"]);
    assert_eq!(read(&of_branch).0, files);
}

#[test]
fn a_kill_before_or_after_the_target_moved_loses_no_note() {
    let clean = landed();
    let expected = |sandbox: &Sandbox| {
        let commit = commit(sandbox, "a");
        let (files, metadata) = noted(sandbox, &commit);
        (
            files["a.txt"].len(),
            files["a.txt"][0].1.clone(),
            metadata["sessions"].as_object().unwrap().len(),
        )
    };
    for style in ["merge", "linear"] {
        for fault in [
            "landed-moved:kill-after:1",
            "records-noted:kill-after:1",
            "authorship-noted:kill:1",
        ] {
            let sandbox = Sandbox::ready();
            sandbox.git(&["config", "invisigoth.land.style", style]);
            sandbox.script(json!({"a": [whole("a.txt", "one\ntwo\n")]}));
            sandbox.goal("a", &[]);
            let killed = sandbox.run_with(&["run"], &[("INVISIGOTH_FAULT", fault)]);
            assert_eq!(killed.code, -1, "{style} {fault}: {}{}", killed.stdout, killed.stderr);
            assert_eq!(
                sandbox
                    .sh("git", &["rev-parse", "-q", "--verify", "refs/notes/ai"])
                    .code,
                1,
                "{fault}"
            );
            sandbox.ok(&["run"]);
            assert_eq!(expected(&sandbox), expected(&clean), "{style} {fault}");
            sandbox.assert_sound();
        }
    }
}

#[test]
fn a_lost_note_is_written_again_as_it_was_and_only_that() {
    let sandbox = landed();
    let commit = commit(&sandbox, "a");
    let before = sandbox.git(&["notes", "--ref=ai", "show", &commit]);
    sandbox.git(&["update-ref", "-d", "refs/notes/ai"]);
    sandbox.ok(&["rebuild"]);
    assert_eq!(sandbox.git(&["notes", "--ref=ai", "show", &commit]), before);
    let notes = sandbox.id("refs/notes/ai");
    sandbox.ok(&["rebuild"]);
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.id("refs/notes/ai"), notes);
}

#[test]
fn a_note_of_somebody_else_is_kept_and_one_of_the_standard_is_united_with_ours() {
    let theirs = r#"a.txt
  h_31dce776f88375 1
---
{"schema_version":"authorship/3.0.0","base_commit_sha":"x","prompts":{},"humans":{"h_31dce776f88375":{"author":"D <d@example.com>"}}}"#;
    for (text, is_united) in [("in a person's words", false), (theirs, true)] {
        let sandbox = Sandbox::ready();
        sandbox.script(json!({"a": [whole("a.txt", "one\ntwo\n")]}));
        sandbox.goal("a", &[]);
        // The candidate is there, and has not landed.
        let killed = sandbox.run_with(&["run"], &[("INVISIGOTH_FAULT", "landed-moved:kill:1")]);
        assert_eq!(killed.code, -1, "{}{}", killed.stdout, killed.stderr);
        sandbox.git(&["notes", "--ref=ai", "add", "-m", text, "invisigoth/a"]);
        sandbox.git(&["notes", "--ref=ai", "add", "-m", "of a person", "main"]);
        let main = sandbox.id("main");
        sandbox.ok(&["run"]);
        let commit = commit(&sandbox, "a");
        assert_eq!(sandbox.git(&["notes", "--ref=ai", "show", &main]), "of a person");
        if is_united {
            let (files, metadata) = noted(&sandbox, &commit);
            let lines: Vec<&[u32]> = files["a.txt"].iter().map(|(_, lines)| lines.as_slice()).collect();
            assert_eq!(lines, [[1], [2]]);
            assert_eq!(metadata["humans"]["h_31dce776f88375"]["author"], "D <d@example.com>");
            assert_eq!(metadata["sessions"].as_object().unwrap().len(), 1);
        } else {
            assert_eq!(sandbox.git(&["notes", "--ref=ai", "show", &commit]), text);
        }
        sandbox.assert_sound();
    }
}

#[test]
fn notes_that_others_write_at_the_same_time_are_all_there() {
    const GOALS: usize = 6;
    let sandbox = Sandbox::ready();
    let id = |nth: usize| format!("g{nth}");
    let replies = (0..GOALS).map(|nth| (id(nth), json!([whole(&format!("{nth}.txt"), "x\n")])));
    sandbox.script(Value::Object(replies.collect()));
    for nth in 0..GOALS {
        sandbox.goal(&id(nth), &[]);
    }
    let mut run = sandbox.spawn(&["run"]);
    let mut theirs = 0;
    while run.try_wait().unwrap().is_none() {
        let tag = format!("t{theirs}");
        sandbox.git(&["tag", "-m", &tag, &tag, "main"]);
        // Where ours moved the ref meanwhile, git says so and changes nothing.
        let added = sandbox.sh("git", &["notes", "--ref=ai", "add", "-m", &tag, &tag]);
        if added.code == 0 {
            theirs += 1;
        } else {
            sandbox.git(&["tag", "-d", &tag]);
        }
    }
    // `git notes` moves the ref without comparing: what it took away of ours comes back with the next command.
    sandbox.ok(&["rebuild"]);
    for nth in 0..GOALS {
        assert_told(&sandbox, &id(nth));
    }
    for nth in 0..theirs {
        let tag = format!("t{nth}");
        assert_eq!(sandbox.git(&["notes", "--ref=ai", "show", &tag]), tag);
    }
}

#[test]
fn nobody_is_told_where_the_setting_says_so() {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.land.provenance", "none"]);
    sandbox.script(json!({"a": [whole("a.txt", "x\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["run"]);
    sandbox.ok(&["rebuild"]);
    assert!(!sandbox.refs().contains_key("refs/notes/ai"));
    // Whoever asks is answered all the same.
    assert_eq!(sandbox.json(&["provenance", "a"])["commits"][0]["goal"], "a");
}

#[test]
fn neither_an_adopted_branch_nor_an_undo_is_a_work_of_ours() {
    let sandbox = landed();
    let undone = commit(&sandbox, "a");
    sandbox.ok(&["undo", "a"]);
    assert!(!is_noted(&sandbox, "main"));
    assert!(is_noted(&sandbox, &undone), "what it was stays told");
    sandbox.git(&["switch", "-q", "-c", "theirs"]);
    sandbox.write("b.txt", "b\n");
    sandbox.commit("b\n\nAssisted-by: git-invisigoth:forged");
    sandbox.git(&["switch", "-q", "main"]);
    let adopted = sandbox.json(&["adopt", "theirs"]);
    let goal = adopted["goal"]
        .as_str()
        .or(adopted["goals"][0]["goal"].as_str())
        .unwrap()
        .to_owned();
    assert!(!is_noted(&sandbox, &commit(&sandbox, &goal)));
    sandbox.ok(&["rebuild"]);
    assert!(!is_noted(&sandbox, &commit(&sandbox, &goal)));
    assert_eq!(sandbox.json(&["provenance"])["commits"].as_array().unwrap().len(), 1);
    let asked = sandbox.run(&["provenance", &goal]);
    assert_eq!(asked.code, 1);
    assert!(
        asked.stderr.contains("no model was asked for commit"),
        "{}",
        asked.stderr
    );
}

#[test]
fn agent_trace_records_are_as_the_specification_wants_them() {
    let fixture = |name: &str| -> Value {
        let path = format!("{}/tests/fixtures/agent-trace/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let schema = fixture("trace-record.json");
    let wrong = |record: &Value| schema::wrong(&schema, &schema, record, "");
    // The check itself: the specification's example passes, and what is wrong in it is found.
    let example = fixture("example.json");
    assert_eq!(wrong(&example), [""; 0]);
    for (place, value) in [
        ("/version", json!("0.1")),
        ("/id", json!("550e8400")),
        ("/timestamp", json!("today")),
        ("/vcs/type", json!("rcs")),
        ("/files/0/conversations/0/ranges/0/start_line", json!(0)),
        ("/files/0/conversations/0/contributor/type", json!("robot")),
        ("/files/0/path", json!(1)),
    ] {
        let mut bad = example.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert_eq!(wrong(&bad).len(), 1, "{place}");
    }

    let sandbox = Sandbox::ready();
    let gone = "*** Begin Patch\n*** Delete File: greet.txt\n*** End Patch\n";
    sandbox.script(json!({"a": [whole("a b.txt", "one\ntwo\n")], "b": [gone]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.ok(&["run"]);
    let said = sandbox.ok(&["provenance"]);
    let records: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 2, "JSON Lines, the oldest first");
    for record in &records {
        assert_eq!(wrong(record), [""; 0], "{record}");
    }
    assert_eq!(records[0]["vcs"]["revision"], commit(&sandbox, "a").as_str());
    assert_eq!(records[0]["files"][0]["path"], "a b.txt");
    let range = json!([{"start_line": 1, "end_line": 2}]);
    assert_eq!(records[0]["files"][0]["conversations"][0]["ranges"], range);
    assert_eq!(records[1]["files"], json!([]));
    assert_ne!(records[0]["id"], records[1]["id"]);
    assert_eq!(sandbox.ok(&["provenance"]), said, "the same each time");
}

/// A clone of a sandbox's repository, beside it.
fn clone(sandbox: &Sandbox, more: &[&str], name: &str) -> std::path::PathBuf {
    let place = sandbox.home().join(name);
    let from = format!("file://{}", sandbox.repo().display());
    let args = ["clone", "-q"]
        .iter()
        .chain(more)
        .copied()
        .chain([from.as_str(), place.to_str().unwrap()]);
    let args: Vec<&str> = args.collect();
    sandbox.git(&args);
    place
}

#[test]
fn bad_input_is_answered_with_what_to_type() {
    let sandbox = landed();
    sandbox.goal("open", &[]);
    sandbox.run(&["run", "--max", "0"]);
    let shallow = clone(&sandbox, &["--depth", "1"], "shallow");
    let bare = clone(&sandbox, &["--bare"], "bare");
    let (shallow, bare) = (shallow.to_str().unwrap(), bare.to_str().unwrap());
    let commit = commit(&sandbox, "a");
    let cases: [&[&str]; 11] = [
        &["provenance", "nothing"],
        &["provenance", "ope"],
        &["provenance", "open"],
        &["provenance", "main~1^"],
        &["provenance", "HEAD:a.txt"],
        &["provenance", ""],
        &["provenance", "--format", "xml"],
        &["-C", shallow, "provenance", "a"],
        &["-C", shallow, "--json", "provenance"],
        &["-C", bare, "provenance", "--format", "git-ai", "nothing"],
        &["-C", "/", "provenance"],
    ];
    let shown: Vec<String> = cases.iter().map(|case| sandbox.shows(case)).collect();
    assert_snapshot!(shown.join("\n").replace(sandbox.home().to_str().unwrap(), "$HOME"), @r#"
    -- stderr
    error: `nothing` is neither a goal nor a commit here
    hint: `git invisigoth log` lists what landed
    -- exit 1
    -- stderr
    error: there is no goal ope
    hint: did you mean open ?
    -- exit 1
    -- stderr
    error: goal open has not landed, so there is no commit of it
    hint: `git invisigoth show open` says how it stands
    -- exit 1
    -- stderr
    error: commit [id] landed no goal, so nothing is known of who wrote it
    hint: `git invisigoth log` lists what landed
    -- exit 1
    -- stderr
    error: `HEAD:a.txt` is neither a goal nor a commit here
    hint: `git invisigoth log` lists what landed
    -- exit 1
    -- stderr
    error: `` is neither a goal nor a commit here
    hint: `git invisigoth log` lists what landed
    -- exit 1
    -- stderr
    error: invalid value 'xml' for '--format <FORMAT>' [possible values: agent-trace, git-ai]
    hint: `git invisigoth help provenance` tells more
    -- exit 2
    -- stderr
    error: commit [id] or what it was made on is not here: this clone is shallow
    hint: `git fetch --unshallow` brings all of history
    -- exit 1
    {"schema":"invisigoth.provenance/1","format":"agent-trace","commits":[],"left_out":1}
    -- exit 0
    -- stderr
    error: `nothing` is neither a goal nor a commit here
    hint: `git invisigoth log` lists what landed
    -- exit 1
    -- stderr
    error: not in a git repository: /
    hint: `git init` makes one; `git invisigoth demo` needs none
    -- exit 1
    "#);
    // What has none of that wrong works in a clone without a checkout, by goal, commit and landing.
    for name in ["a", &commit, "main~1", "HEAD~1"] {
        let ran: Ran = sandbox.run(&["-C", bare, "--json", "provenance", name]);
        assert_eq!(ran.code, 0, "{name} {}", ran.stderr);
        let said: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(said["commits"][0]["commit"], commit.as_str(), "{name}");
    }
}
