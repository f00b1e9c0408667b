//! The queue: every first-parent commit of the target has a code tree that passed, no candidate is lost, none lands twice;
//! whatever is in a batch, and whatever people and kills do while it is under test.
//!
//! Not here: what an evicted goal is told, which is `eviction`; several clones, which are `sync`.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::support::{
    Ran, Sandbox,
    pause::{PAUSE, Pause},
    whole,
};

/// Says which code is judged: the names and the content of its text files.
const JUDGED: &str = r#"code="$(echo *.txt) $(cat *.txt | cksum)"; echo "$code" >> "$HOME/judged"
"#;
const PASSED: &str = r#"echo "$code" >> "$HOME/passed"
"#;
/// Code with `a.txt` and `b.txt`: no candidate by itself.
const MERGED: &str = "[ -e a.txt ] && [ -e b.txt ]";

/// A repository whose check does `what` between saying which code it judges and that it passed.
fn judging(what: &str, jobs: usize) -> Sandbox {
    let settings = format!("[check]\ntest = [\"sh check.sh\"]\njobs = {jobs}\n");
    Sandbox::set_up(&format!("{JUDGED}{what}\n{PASSED}"), &settings)
}

/// Candidates of these goals, each of which writes a file of its name.
fn candidates(sandbox: &Sandbox, goals: &str) {
    let replies = goals.chars().map(|id| {
        let reply = whole(&format!("{id}.txt"), &format!("{id}\n"));
        (id.to_string(), json!([reply]))
    });
    sandbox.script(Value::Object(replies.collect()));
    for id in goals.chars() {
        sandbox.goal(&id.to_string(), &[]);
    }
    sandbox.commit("goals");
    sandbox.ok(&["run", "--no-merge"]);
}

/// Does `what` once in the user's checkout, while the merged code of `a` and `b` is judged.
fn meanwhile(what: &str) -> String {
    format!(
        "if {MERGED} && [ ! -e \"$HOME/done\" ]; then : > \"$HOME/done\"; (cd \"$HOME/repo\" && {what}) || exit 1; fi"
    )
}

fn words(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let text = fs::read_to_string(sandbox.home().join(name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// How often each code was judged.
fn judged(sandbox: &Sandbox) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for code in words(sandbox, "judged") {
        *counts.entry(code).or_default() += 1;
    }
    counts
}

/// How often code with these files was judged, and no others but `greet.txt`.
fn times(sandbox: &Sandbox, files: &str) -> usize {
    let all = words(sandbox, "judged");
    let code = |line: &&String| line.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ') == files;
    all.iter().filter(code).count()
}

/// The sentence: each first-parent commit of `branch` passed, each of `goals` landed once, and stock git is content.
fn assert_kept(sandbox: &Sandbox, case: &str, branch: &str, goals: &str) {
    let mut landings = sandbox.landings(branch);
    landings.sort();
    assert_eq!(landings.concat(), goals, "{case}");
    assert_green(sandbox, case, branch);
    sandbox.assert_sound();
}

fn assert_green(sandbox: &Sandbox, case: &str, branch: &str) {
    let passed = words(sandbox, "passed");
    let begin = sandbox.id("main~0^{/settings}");
    for commit in sandbox
        .git(&["rev-list", "--first-parent", branch, &format!("^{begin}")])
        .lines()
    {
        let names = sandbox.git(&["ls-tree", "--name-only", commit]);
        let names: Vec<&str> = names.lines().filter(|name| name.ends_with(".txt")).collect();
        let cats: String = names
            .iter()
            .map(|name| format!("git cat-file blob {commit}:{name}; "))
            .collect();
        let sum = sandbox.sh("sh", &["-c", &format!("{{ {cats} }} | cksum")]).stdout;
        let code = format!("{} {}", names.join(" "), sum.trim());
        assert!(
            passed.contains(&code),
            "{case}: {commit} has {code}, which never passed\n{passed:#?}"
        );
    }
}

fn parents(sandbox: &Sandbox, commit: &str) -> usize {
    sandbox
        .git(&["rev-list", "--parents", "-n1", commit])
        .split(' ')
        .count()
        - 1
}

fn said(ran: &Ran) -> String {
    format!("exit {}\n{}{}", ran.code, ran.stdout, ran.stderr)
}

#[test]
fn what_waits_lands_as_one_merge_commit_that_was_judged_once_and_members_come_out_again() {
    let sandbox = judging("", 1);
    candidates(&sandbox, "abcde");
    let before = sandbox.refs();
    let tip = sandbox.id("main");
    sandbox.ok(&["merge"]);
    let mut expected = vec![tip];
    expected.extend(
        "abcde"
            .chars()
            .map(|id| before[&format!("refs/heads/invisigoth/{id}")].clone()),
    );
    let line = sandbox.git(&["rev-list", "--parents", "-n1", "main"]);
    assert_eq!(line.split(' ').skip(1).collect::<Vec<_>>(), expected);
    let trailers = sandbox.git(&["log", "-1", "--format=%(trailers:key=Landed,valueonly)", "main"]);
    let goals: Vec<String> = "abcde"
        .chars()
        .zip(&expected[1..])
        .map(|(id, commit)| format!("{id} {commit}"))
        .collect();
    assert_eq!(trailers.trim(), goals.join("\n"));
    assert_eq!(times(&sandbox, "a.txt b.txt c.txt d.txt e.txt greet.txt"), 1);
    assert!(
        judged(&sandbox).values().all(|times| *times == 1),
        "{:#?}",
        judged(&sandbox)
    );
    let history = sandbox.read("memory/history.json");
    for (id, commit) in "abcde".chars().zip(&expected[1..]) {
        let note = sandbox.git(&["notes", "--ref=invisigoth", "show", commit]);
        assert!(
            note.contains(&format!("\"goal\":\"{id}\"")) && history.contains(&note),
            "{note}\n{history}"
        );
    }
    assert_kept(&sandbox, "a batch", "main", "abcde");
    sandbox.ok(&["verify"]);

    sandbox.ok(&["undo", "c"]);
    sandbox.git(&["revert", "--no-edit", &expected[4]]);
    assert_eq!([sandbox.state("c"), sandbox.state("d")], ["held", "held"]);
    assert_eq!(sandbox.read("e.txt"), "e\n");
    assert!(!sandbox.path("c.txt").exists() && !sandbox.path("d.txt").exists());
}

#[test]
fn the_culprit_in_the_middle_goes_and_the_others_land() {
    for jobs in [1, 4] {
        // Each passes by itself; `b` and `c` do not fit together.
        let clash = "[ ! -e b.txt ] || [ ! -e c.txt ] || { echo 'b and c clash'; exit 1; }";
        let sandbox = judging(clash, jobs);
        candidates(&sandbox, "abcde");
        let case = format!("{jobs} jobs");
        let ran = sandbox.run(&["merge"]);
        assert_eq!(ran.code, 3, "{case}: {}", said(&ran));
        assert_eq!(sandbox.landings("main"), ["a", "b", "d", "e"], "{case}");
        assert_kept(&sandbox, &case, "main", "abde");
        let log = sandbox.attempt("c", 1, "attempt.json")["evicted"]["log"].clone();
        assert!(log.as_str().unwrap().contains("b and c clash"), "{case}: {log}");
        assert_eq!(sandbox.state("c"), "ready", "{case}");
        assert!(
            ran.stdout.contains("4 landed · 0 failed · 1 evicted"),
            "{case}: {}",
            said(&ran)
        );
    }
}

#[test]
fn checks_that_fail_once_land_the_batch_on_record_and_are_not_taken_for_a_verdict() {
    let once = format!("if {MERGED} && [ ! -e \"$HOME/done\" ]; then : > \"$HOME/done\"; exit 1; fi");
    for jobs in [1, 4] {
        let sandbox = judging(&once, jobs);
        candidates(&sandbox, "abc");
        let case = format!("{jobs} jobs");
        sandbox.ok(&["merge"]);
        assert_kept(&sandbox, &case, "main", "abc");
        if jobs > 1 {
            // The second look at the whole does not wait for the search.
            assert_eq!(parents(&sandbox, "main"), 4, "{case}");
        }
        let remark = sandbox.json(&["show", "c"])["record"]["remark"].clone();
        assert_eq!(remark, "checks passed on the second run", "{case}");
        let (whole, before) = (
            "a.txt b.txt c.txt greet.txt",
            times(&sandbox, "a.txt b.txt c.txt greet.txt"),
        );
        assert_eq!(before, 2, "{case}");
        // It gave both verdicts, so the next run judges it again.
        sandbox.script(json!({"z": [whole_file("z")]}));
        sandbox.goal("z", &[]);
        sandbox.ok(&["run"]);
        assert_eq!(times(&sandbox, whole), 3, "{case}");
    }
}

fn whole_file(id: &str) -> String {
    whole(&format!("{id}.txt"), &format!("{id}\n"))
}

#[test]
fn of_two_that_conflict_the_second_leaves_and_what_stands_behind_it_lands() {
    let sandbox = judging("", 1);
    let same = |text: &str| whole("greet.txt", text);
    sandbox.script(json!({
        "a": [same("from a\n")], "b": [same("from b\n"), whole_file("b")], "c": [whole_file("c")], "d": [whole_file("d")],
    }));
    for id in ["a", "b", "c", "d"] {
        sandbox.goal(id, &[]);
    }
    sandbox.commit("goals");
    sandbox.ok(&["run", "--no-merge"]);
    let summary = sandbox.json(&["run"]);
    // Only the one that conflicts is asked for again.
    assert_eq!(summary["calls"], 1, "{summary}");
    assert_kept(&sandbox, "a conflict", "main", "abcd");
}

#[test]
fn thirty_goals_with_four_at_a_time_judge_no_code_twice() {
    let sandbox = judging("", 4);
    let ids: Vec<String> = (10..40).map(|nth| format!("g{nth}")).collect();
    sandbox.script(Value::Object(
        ids.iter().map(|id| (id.clone(), json!([whole_file(id)]))).collect(),
    ));
    let rows: Vec<String> = ids
        .iter()
        .map(|id| {
            json!({"id": id, "description": id, "prompt": "", "dependencies": [], "status": "pending"}).to_string()
        })
        .collect();
    sandbox.write("memory/pending_goals.json", format!("[\n{}\n]\n", rows.join(",\n")));
    sandbox.commit("goals");
    sandbox.ok(&["run", "--jobs", "4"]);
    let mut landings = sandbox.landings("main");
    landings.sort();
    assert_eq!(landings, ids);
    assert_green(&sandbox, "30 goals", "main");
    let twice: Vec<String> = judged(&sandbox)
        .into_iter()
        .filter(|(_, times)| *times > 1)
        .map(|(code, _)| code)
        .collect();
    assert_eq!(twice, Vec::<String>::new());
    sandbox.ok(&["verify"]);
}

#[test]
fn a_target_that_moves_under_a_batch_gets_it_anew() {
    // What is done, and how often code of both goals is judged then.
    for (case, what, expected) in [
        (
            "code",
            "echo mine > m.txt && git add m.txt && git commit -qm mine m.txt",
            2,
        ),
        ("an empty commit", "git commit -q --allow-empty -m empty", 1),
        (
            "memory",
            "echo Mind. >> memory/master_prompt.txt && git commit -qm prompt memory/master_prompt.txt",
            1,
        ),
        ("a hand edit", "echo Mind. >> memory/master_prompt.txt", 1),
        ("a reset", "git reset -q --hard main~1", 1),
        ("another checkout", "git switch -q -c other", 1),
    ] {
        let sandbox = judging(&meanwhile(what), 1);
        candidates(&sandbox, "ab");
        sandbox.git(&["commit", "-q", "--allow-empty", "-m", "to be reset"]);
        let ran = sandbox.run(&["merge"]);
        assert_eq!(ran.code, 0, "{case}: {}", said(&ran));
        assert_kept(&sandbox, case, "main", "ab");
        let both = judged(&sandbox)
            .into_iter()
            .filter(|(code, _)| code.starts_with("a.txt b.txt"));
        assert_eq!(both.map(|(_, times)| times).sum::<usize>(), expected, "{case}");
        assert_eq!(
            sandbox.git(&["log", "--format=%s", "main"]).contains("to be reset"),
            case != "a reset",
            "{case}"
        );
        if case == "code" {
            assert_eq!(sandbox.git(&["show", "main:m.txt"]), "mine");
        }
    }
}

#[test]
fn a_target_that_is_deleted_under_a_batch_loses_no_candidate() {
    let sandbox = judging(&meanwhile("git switch -q -c other && git branch -D main"), 1);
    candidates(&sandbox, "ab");
    sandbox.git(&["config", "invisigoth.land.target", "main"]);
    let tip = sandbox.id("main");
    let ran = sandbox.run(&["merge"]);
    assert_eq!(ran.code, 1, "{}", said(&ran));
    sandbox.git(&["branch", "main", &tip]);
    sandbox.ok(&["merge"]);
    assert_kept(&sandbox, "deleted", "main", "ab");
}

/// What a person does to the row of `b`.
fn row(edit: &str) -> String {
    format!("sed -i '/\"id\":\"b\"/{edit}' memory/pending_goals.json")
}

#[test]
fn what_a_person_says_of_a_member_under_test_is_heard_before_it_lands() {
    let amend = "export GIT_INDEX_FILE=$HOME/index GIT_COMMITTER_NAME=P GIT_COMMITTER_EMAIL=p@x && git read-tree invisigoth/b &&
        git update-index --add --cacheinfo 100644,$(echo mine | git hash-object -w --stdin),p.txt && new=$(git log -1 --format=%B invisigoth/b |
        git commit-tree $(git write-tree) -p invisigoth/b^) && git update-ref refs/heads/invisigoth/b $new";
    let held = row("s/\"pending\"/\"held\"/");
    let unrecorded = format!(
        "cp memory/pending_goals.json x && echo ' ' >> memory/pending_goals.json && git add memory && mv x memory/pending_goals.json && {held}"
    );
    for (case, what, lands, state) in [
        ("held", held.clone(), "a", "held"),
        ("held in an edit that cannot be recorded", unrecorded, "a", "held"),
        ("dropped", row("s/\"pending\"/\"rejected\"/"), "a", "rejected"),
        ("reworded", row("s/Goal b/Another goal/"), "a", "ready"),
        ("reprioritised", row("s/}/,\"priority\":3}/"), "ab", "landed"),
        ("deleted", "git branch -qD invisigoth/b".to_owned(), "a", "ready"),
        ("amended", amend.to_owned(), "ab", "landed"),
    ] {
        let sandbox = judging(&meanwhile(&what), 1);
        candidates(&sandbox, "ab");
        let ran = sandbox.run(&["merge"]);
        assert!([0, 5].contains(&ran.code), "{case}: {}", said(&ran));
        let branch = if sandbox.refs().contains_key("refs/invisigoth/landed/main") {
            "refs/invisigoth/landed/main"
        } else {
            "main"
        };
        assert_kept(&sandbox, case, branch, lands);
        assert_eq!(sandbox.state("b"), state, "{case}: {}", said(&ran));
        let has_mine = sandbox.git(&["ls-tree", "--name-only", branch]).contains("p.txt");
        assert_eq!(has_mine, case == "amended", "{case}");
    }
}

#[test]
fn settings_that_change_under_a_batch_hold_for_it() {
    let strict = "echo '[ ! -e b.txt ]' > strict.sh && printf '[check]\\ntest = [\"sh check.sh\", \"sh strict.sh\"]\\n' > invisigoth.toml";
    let hold = "printf '[paths]\\nhold = [\"b.txt\"]\\n' >> invisigoth.toml";
    for (case, what, state) in [
        ("a stricter gate", strict, "ready"),
        ("a path that is held", hold, "held"),
    ] {
        let sandbox = judging(
            &meanwhile(&format!("{what} && git add *.sh *.toml && git commit -qm settings")),
            1,
        );
        candidates(&sandbox, "ab");
        let ran = sandbox.run(&["merge"]);
        assert!([0, 3].contains(&ran.code), "{case}: {}", said(&ran));
        assert_eq!(
            (sandbox.landings("main"), sandbox.state("b").as_str()),
            (vec!["a".to_owned()], state),
            "{case}: {}",
            said(&ran)
        );
    }
}

#[test]
fn what_is_red_without_us_is_no_members_fault() {
    // A failing test that can be read by its name.
    let red = r#"printf 'running 1 test\ntest t::x ... FAILED\n\nfailures:\n    t::x\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n'; echo "$code" >> "$HOME/passed"; exit 101"#;
    let sandbox = judging(red, 1);
    candidates(&sandbox, "ab");
    sandbox.ok(&["merge"]);
    assert_kept(&sandbox, "known red", "main", "ab");
}

#[test]
fn adopted_branches_stand_in_the_queue_like_any_other_and_what_is_held_lands_alone() {
    let sandbox = judging("", 1);
    for (branch, file) in [("feature", "f.txt"), ("exact", "x.txt")] {
        sandbox.git(&["switch", "-q", "-c", branch, "main"]);
        sandbox.write(file, "by hand\n");
        sandbox.git(&["add", file]);
        sandbox.git(&["commit", "-q", "-m", branch]);
        sandbox.git(&["switch", "-q", "main"]);
    }
    sandbox.write(
        "invisigoth.toml",
        "[check]\ntest = [\"sh check.sh\"]\n[paths]\nhold = [\"f.txt\", \"h.txt\", \"x.txt\"]\n",
    );
    sandbox.commit("hold");
    sandbox.goal("f", &[]);
    sandbox.goal("x", &[]);
    sandbox.run(&["adopt", "feature", "--goal", "f"]);
    sandbox.run(&["adopt", "exact", "--goal", "x", "--as-is"]);
    let replies = ["a", "h", "i"].map(|id| (id.to_owned(), json!([whole_file(id)])));
    sandbox.script(Value::Object(replies.into_iter().collect()));
    for id in ["a", "h", "i"] {
        sandbox.goal(id, &[]);
    }
    sandbox.run(&["run", "--no-merge", "a", "h", "i"]);
    let all = ["merge", "a", "f", "h", "i", "x"];
    sandbox.ok(&all);
    assert_kept(&sandbox, "adopted", "main", "afhix");
    for commit in sandbox
        .git(&["log", "--format=%H", "--grep=^Landed: [fhx] ", "main"])
        .lines()
    {
        assert_eq!(parents(&sandbox, commit), 2);
    }
    assert_eq!(
        sandbox
            .git(&["log", "--format=%H", "--grep=^Landed: [fhx] ", "main"])
            .lines()
            .count(),
        3
    );
    sandbox.ok(&["verify"]);
}

#[test]
fn a_candidate_on_a_stack_lands_with_its_base_or_is_made_anew_after_it() {
    for case in ["with it", "reworded", "evicted"] {
        let sandbox = judging("", 1);
        sandbox.git(&["config", "invisigoth.run.stack", "2"]);
        sandbox.script(json!({"a": [whole("a.txt", "a\n"), whole("a.txt", "a again\n")], "b": [whole_file("b")]}));
        sandbox.goal("a", &[]);
        sandbox.goal("b", &["a"]);
        sandbox.commit("goals");
        sandbox.ok(&["run", "--no-merge"]);
        let base = sandbox.id("invisigoth/a");
        assert_eq!(sandbox.id("invisigoth/b^"), base, "{case}");
        match case {
            "reworded" => {
                let text = sandbox.read("memory/pending_goals.json");
                sandbox.write("memory/pending_goals.json", text.replace("Goal a", "Another goal"));
                sandbox.commit("reword");
            }
            "evicted" => {
                sandbox.write("a.txt", "a person's\n");
                sandbox.commit("mine");
            }
            _ => {}
        }
        let merged = sandbox.run(&["merge"]);
        if case == "with it" {
            assert_eq!(parents(&sandbox, "main"), 3, "{}", said(&merged));
        } else {
            assert_eq!(
                sandbox.landings("main"),
                Vec::<String>::new(),
                "{case}: {}",
                said(&merged)
            );
            let ran = sandbox.run(&["run"]);
            assert_eq!(ran.code, 0, "{case}: {}", said(&ran));
            assert_ne!(sandbox.read("a.txt"), "a person's\n", "{case}");
        }
        assert_kept(&sandbox, case, "main", "ab");
    }
}

/// Judges merged code only after the test lets it.
fn pausing() -> String {
    format!("if {MERGED}; then {PAUSE} fi")
}

#[test]
fn a_batch_whose_holder_is_killed_is_landed_by_the_next_and_nobody_lands_beside_a_living_one() {
    let sandbox = judging(&pausing(), 1);
    candidates(&sandbox, "ab");
    let mut pause = Pause::new(&sandbox);
    let run = pause.start(&sandbox, &["run"]);
    let busy = sandbox.run(&["merge"]);
    assert_eq!((busy.code, sandbox.landings("main").len()), (8, 0), "{}", said(&busy));
    run.signal(&sandbox, "KILL");
    run.end();
    pause.go();
    sandbox.ok(&["merge"]);
    assert_kept(&sandbox, "killed", "main", "ab");
}

#[test]
fn a_run_that_is_stopped_under_a_batch_searches_no_further_and_loses_nobody() {
    for (case, verdict) in [("green", ":"), ("red", "exit 1")] {
        // The check goes on once the run has heard of the signal.
        let stop = "kill -INT $(cat \"$HOME/pid\"); until grep -q stopping \"$HOME/err\"; do :; done";
        let once = format!("if {MERGED} && [ ! -e \"$HOME/done\" ]; then : > \"$HOME/done\"; {stop}; {verdict}; fi");
        let sandbox = judging(&once, 1);
        candidates(&sandbox, "abc");
        let run = "echo $$ > \"$HOME/pid\"; exec \"$0\" run 2> \"$HOME/err\"";
        let ran = sandbox.sh("sh", &["-c", run, env!("CARGO_BIN_EXE_git-invisigoth")]);
        assert_eq!(ran.code, 130, "{case}: {}", said(&ran));
        let merged = words(&sandbox, "judged");
        let merged = merged.iter().filter(|code| code.starts_with("a.txt b.txt"));
        assert_eq!(merged.count(), 1, "{case}");
        sandbox.ok(&["merge"]);
        assert_kept(&sandbox, case, "main", "abc");
    }
}

#[test]
fn a_late_verdict_on_a_batch_that_has_landed_says_nothing_of_the_next() {
    // The first batch is `a` to `h`: red at first, then green; its first half is still judged when `i` to `l` are, of which the
    // last does not fit.
    let check = r#"[ -e a.txt ] || { echo "$code" >> "$HOME/passed"; exit 0; }
if [ -e h.txt ] && [ ! -e i.txt ] && [ ! -e "$HOME/once" ]; then : > "$HOME/once"; exit 1; fi
if [ -e d.txt ] && [ ! -e e.txt ]; then read -r go < "$HOME/late"; fi
if [ -e i.txt ] && [ ! -e "$HOME/done" ]; then : > "$HOME/done"; echo go > "$HOME/late"; fi
[ ! -e l.txt ] || exit 1"#;
    let sandbox = judging(check, 4);
    assert_eq!(
        sandbox
            .sh("mkfifo", &[sandbox.home().join("late").to_str().unwrap()])
            .code,
        0
    );
    candidates(&sandbox, "abcdefghijkl");
    let ran = sandbox.run(&["merge"]);
    assert_eq!(ran.code, 3, "{}", said(&ran));
    assert_kept(&sandbox, "late", "main", "abcdefghijk");
    assert_eq!(times(&sandbox, "a.txt b.txt c.txt d.txt greet.txt"), 1);
}

#[test]
fn beside_a_dirty_checkout_batches_wait_and_follow() {
    let sandbox = judging("", 1);
    candidates(&sandbox, "ab");
    sandbox.write("a.txt", "not committed\n");
    sandbox.ok(&["merge"]);
    assert_eq!(
        (sandbox.landings("main").len(), sandbox.read("a.txt").as_str()),
        (0, "not committed\n")
    );
    assert_kept(&sandbox, "beside", "refs/invisigoth/landed/main", "ab");
    fs::remove_file(sandbox.path("a.txt")).unwrap();
    sandbox.ok(&["merge"]);
    assert_kept(&sandbox, "after", "main", "ab");
    assert_eq!(
        (sandbox.read("a.txt"), sandbox.git(&["status", "--short"])),
        ("a\n".to_owned(), String::new())
    );
}

#[test]
fn without_isolation_each_lands_as_a_plain_commit_that_passed() {
    let sandbox = judging("", 1);
    sandbox.git(&["config", "invisigoth.run.isolation", "none"]);
    candidates(&sandbox, "abc");
    sandbox.ok(&["merge"]);
    assert_green(&sandbox, "plain", "main");
    let last = sandbox.git(&["log", "-3", "--format=%(trailers:key=Goal,valueonly)%P", "main"]);
    let plain: Vec<&str> = last.split_whitespace().filter(|word| word.len() == 1).collect();
    assert_eq!(
        (plain, last.split_whitespace().count()),
        (vec!["c", "b", "a"], 6),
        "{last}"
    );
}

#[test]
fn a_goal_reworded_while_it_is_worked_on_does_not_land_as_it_was() {
    let sandbox = judging(&format!("if [ -e b.txt ]; then {PAUSE} fi"), 1);
    sandbox.script(json!({"b": [whole_file("b")]}));
    sandbox.goal("b", &[]);
    sandbox.commit("goal");
    let mut pause = Pause::new(&sandbox);
    let run = pause.start(&sandbox, &["run"]);
    let text = sandbox
        .read("memory/pending_goals.json")
        .replace("Goal b", "Another goal");
    sandbox.write("memory/pending_goals.json", text);
    // The run takes it in before the check ends.
    let is_recorded = || sandbox.git(&["log", "-1", "--format=%s", "main"]) == "Record edits of the backlog";
    assert!((0..10_000).any(|_| is_recorded()));
    pause.go();
    let ran = run.end();
    assert_eq!(sandbox.landings("main"), Vec::<String>::new(), "{}", said(&ran));
    assert_eq!(sandbox.state("b"), "ready", "{}", said(&ran));
}
