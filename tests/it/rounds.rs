//! What follows a round that did not do, and the proof that tests which a change brings fail without it. The test runner
//! is a script that prints what `cargo test` prints: each line of a file `tests/*.py` names a test and the file that must
//! be there for it to pass.

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, whole};

const RUNNER: &str = r#"
set -- tests/*.py
[ -e "$1" ] || set --
passed=0 failed=0 list=
for file; do
    while read -r def name wants; do
            name=${name%():}
        if [ -e "$wants" ]; then passed=$((passed + 1)) how=ok; else failed=$((failed + 1)) how=FAILED; fi
        list="${list}test $name ... $how
"
    done < "$file"
done
result=ok; [ $failed = 0 ] || result=FAILED
printf 'running %s tests\n%s\ntest result: %s. %s passed; %s failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n' \
    $((passed + failed)) "$list" $result $passed $failed
[ $failed = 0 ]
"#;

const TESTS: &str = "def test_a(): a.txt\ndef test_b(): b.txt\ndef test_c(): c.txt\n";

/// Asks `replies` of one goal, with `keys` besides, and settings `set`.
fn asked(replies: &Value, keys: &Value, set: &[&str]) -> (Sandbox, Ran) {
    let sandbox = Sandbox::checking(RUNNER);
    sandbox.write("tests/test_old.py", "def test_old(): greet.txt\n");
    let mut row = json!({"id": "g", "description": "Goal g"});
    row.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    sandbox.write("memory/pending_goals.json", format!("[\n{row}\n]\n"));
    sandbox.commit("tests");
    sandbox.script(json!({"g": replies}));
    let mut args = vec!["run"];
    args.extend(set.iter().flat_map(|set| ["--set", set]));
    let ran = sandbox.run(&args);
    sandbox.assert_sound();
    (sandbox, ran)
}

fn reason(sandbox: &Sandbox) -> String {
    sandbox.attempt("g", 1, "attempt.json")["reason"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn files(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| whole(name, "x\n"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_same_failure_twice_is_not_paid_for_a_third_time() {
    let replies = json!([
        whole("tests/test_new.py", TESTS),
        whole("other.txt", "x\n"),
        files(&["a.txt", "b.txt", "c.txt"])
    ]);
    let (sandbox, ran) = asked(&replies, &json!({}), &["run.max_attempts=5"]);
    assert_eq!(ran.code, 3);
    assert_eq!(reason(&sandbox), "2 rounds, no progress: test: 3 new failures");
}

#[test]
fn a_stronger_model_gets_the_failure_that_stays_and_the_record_names_it() {
    let replies = json!([whole("tests/test_new.py", TESTS), files(&["a.txt", "b.txt", "c.txt"])]);
    let (sandbox, ran) = asked(
        &replies,
        &json!({}),
        &["llm.model=small", "llm.escalate=[\"large\", \"huge\"]"],
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let models = [0, 1].map(|nth| sandbox.attempt("g", 1, &format!("00{nth}.json"))["request"]["model"].clone());
    assert_eq!(models, ["small", "large"]);
}

#[test]
fn edits_that_make_it_worse_are_taken_back_and_the_best_tree_stays() {
    let better = format!("{}\n{}", whole("tests/test_new.py", TESTS), files(&["a.txt", "b.txt"]));
    let replies = json!([better, "DELETE a.txt\nDELETE b.txt\n", whole("c.txt", "x\n")]);
    let (sandbox, ran) = asked(&replies, &json!({}), &["llm.escalate=[\"m\", \"n\"]"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.attempt("g", 1, "attempt.json")["taken_back"], json!([1]));
    let said = sandbox.attempt("g", 1, "002.json")["request"]["messages"].to_string();
    assert!(said.contains("your last edits were taken back"), "{said}");
    assert_eq!(sandbox.json(&["replay", "g"])["goals"][0]["verdict"], "same");
    assert_eq!(sandbox.read("a.txt"), "x\n");
    // Where nothing better comes, the attempt keeps the best.
    let (sandbox, ran) = asked(
        &replies,
        &json!({}),
        &["llm.escalate=[\"m\", \"n\"]", "run.max_attempts=2"],
    );
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let kept = sandbox.git(&["ls-tree", "-r", "--name-only", "refs/invisigoth/attempts"]);
    assert!(kept.lines().any(|path| path.ends_with("g@1.tree/a.txt")), "{kept}");
}

#[test]
fn a_model_sees_the_files_that_it_asks_for_once_and_loses_no_round() {
    let replies = json!(["NEED: greet.txt\nNEED: gone.txt\n", whole("a.txt", "x\n")]);
    let (sandbox, ran) = asked(&replies, &json!({}), &["run.max_attempts=1"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = sandbox.attempt("g", 1, "001.json")["request"]["messages"][3]["content"].clone();
    let said = said.as_str().unwrap();
    assert!(
        said.contains("greet.txt\n```\nhello\n```") && said.contains("gone.txt does not exist"),
        "{said}"
    );
    let replies = json!(["NEED: tests\nNEED: tests/test_old.py\n", whole("a.txt", "x\n")]);
    let (sandbox, _) = asked(&replies, &json!({}), &[]);
    let said = sandbox.attempt("g", 1, "001.json")["request"]["messages"].to_string();
    assert!(said.contains("[a folder; only files are shown]"), "{said}");
    assert!(!said.contains("tests does not exist"), "{said}");
    let (sandbox, _) = asked(&json!(["NEED: greet.txt\n"]), &json!({}), &["run.max_attempts=1"]);
    assert_eq!(
        reason(&sandbox),
        "2 rounds, reply: files are shown only once; send the edits"
    );
}

#[test]
fn a_new_test_must_fail_without_the_change() {
    let tests = |line: &str| whole("tests/test_new.py", line);
    let idle = tests("def test_idle(): greet.txt\n");
    let honest = format!(
        "{}\n{}",
        tests("def test_a(): a.txt\ndef test_idle(): greet.txt\n"),
        whole("a.txt", "x\n")
    );
    let (sandbox, ran) = asked(
        &json!([format!("{idle}\n{}", whole("a.txt", "x\n")), honest]),
        &json!({}),
        &[],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("red→green 1"), "{}", ran.stdout);
    let said = sandbox.attempt("g", 1, "001.json")["request"]["messages"][3]["content"].clone();
    assert!(said.as_str().unwrap().contains("pass without the change too"), "{said}");
    let note: Value = serde_json::from_str(&sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])).unwrap();
    assert_eq!(note["red_green"], json!(1));
    assert!(
        sandbox.ok(&["show", "g"]).contains("red→green  1 new test"),
        "{}",
        sandbox.ok(&["show", "g"])
    );
}

#[test]
fn code_that_lacks_only_its_proof_is_not_taken_back() {
    let tests = |line: &str| whole("tests/test_new.py", line);
    let idle = format!("{}\n{}", tests("def test_a(): greet.txt\n"), whole("a.txt", "x\n"));
    let replies = json!([tests("def test_a(): a.txt\n"), idle, tests("def test_a(): a.txt\n")]);
    let (sandbox, ran) = asked(&replies, &json!({}), &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.attempt("g", 1, "attempt.json")["taken_back"], Value::Null);
    assert_eq!(sandbox.read("a.txt"), "x\n");
}

#[test]
fn a_test_that_the_acceptance_names_must_run_and_must_have_been_red() {
    let named = json!({"acceptance": ["`test_a` passes"]});
    let cases = [
        (whole("a.txt", "x\n"), "no such test ran"),
        (
            format!(
                "{}\n{}",
                whole("tests/test_new.py", "def test_a(): greet.txt\ndef test_b(): b.txt\n"),
                files(&["b.txt"])
            ),
            "it passes without",
        ),
    ];
    for (reply, why) in cases {
        let (sandbox, ran) = asked(&json!([reply]), &named, &["run.max_attempts=1"]);
        assert_eq!(ran.code, 3, "{}", ran.stdout);
        assert!(reason(&sandbox).contains(why), "{}", reason(&sandbox));
    }
    let reply = format!(
        "{}\n{}",
        whole("tests/test_new.py", "def test_a(): a.txt\n"),
        files(&["a.txt"])
    );
    let (_, ran) = asked(&json!([reply]), &named, &["run.max_attempts=1"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// Prints nothing that names a test; the report does. `old` fails whatever is done, `new` where the file `bad` is.
const REPORTING: &str = r#"
bad= ; [ ! -e bad ] || bad='<failure message="bad is there"/>'
cat > "$INVISIGOTH_JUNIT/report.xml" <<END
<testsuites><testsuite name="s"><testcase classname="s" name="old"><failure message="red"/></testcase>
<testcase classname="s" name="new">$bad</testcase></testsuite></testsuites>
END
exit 1
"#;

#[test]
fn a_junit_report_tells_known_failures_from_new_ones() {
    let sandbox = Sandbox::checking(REPORTING);
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("bad", "x\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &[]);
    let ran = sandbox.run(&["run", "--set", "run.max_attempts=1"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(
        (sandbox.state("a").as_str(), sandbox.state("b").as_str()),
        ("landed", "failed")
    );
    assert_eq!(sandbox.json(&["show", "a"])["record"]["known_red"], 1);
    assert_eq!(sandbox.json(&["show", "b"])["reason"], "test: 1 new failure");
}
