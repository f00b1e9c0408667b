//! Goals that ask for tests: accepted only where the new tests ran, passed, and fail with the function broken. The runner is
//! a script that prints what `cargo test` prints, so that git and sh are all it takes.

use serde_json::{Value, json};

use crate::support::{Sandbox, whole};

/// Runs "tests" of one file: a line `calls double` fails where the function panics, `ignored` is skipped, `fails` fails.
const RUNNER: &str = r#"
file=$1
[ -e "$file" ] || { echo "error: no test target"; exit 101; }
passed=0 failed=0 ignored=0
echo "running $(grep -c '^fn ' "$file") tests"
while read -r word name what; do
    [ "$word" = fn ] || continue
    case $what in
    *ignored*) echo "test $name ... ignored"; ignored=$((ignored + 1)); continue ;;
    *fails*) bad=1 ;;
    *double*) if grep -q 'panic!\|unreachable!\|todo!' src/calc.rs; then bad=1; else bad=0; fi ;;
    *) bad=0 ;;
    esac
    if [ $bad = 1 ]; then
        echo "test $name ... FAILED"; failed=$((failed + 1))
    else
        echo "test $name ... ok"; passed=$((passed + 1))
    fi
done < "$file"
if [ $failed = 0 ]; then result=ok; else result=FAILED; fi
echo
echo "test result: $result. $passed passed; $failed failed; $ignored ignored; 0 measured; 0 filtered out; finished in 0.00s"
[ $failed = 0 ]
"#;

const SETTINGS: &str =
    "[check]\ntest = [\"sh check.sh\"]\ntest_file = \"sh run_tests.sh {file}\"\n[run]\nmax_attempts = 1\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::set_up("true\n", SETTINGS);
    sandbox.write("run_tests.sh", RUNNER);
    sandbox.write("src/calc.rs", "pub fn double(n: i32) -> i32 {\n    n * 2\n}\n");
    sandbox.write("tests/old.rs", "fn old -> double\n");
    sandbox.commit("calc");
    sandbox
}

/// Lets a goal for `tests/calc.rs` be answered with `tests`; returns the exit code and why it failed.
fn answer(sandbox: &Sandbox, file: &str, tests: &str) -> (i32, String) {
    sandbox.script(json!({"t": [whole(file, tests)]}));
    sandbox.ok(&["add", "--id", "t", "--file", file, "Test `double` in src/calc.rs"]);
    let ran = sandbox.run(&["run"]);
    let why = sandbox.attempt("t", 1, "attempt.json")["reason"]
        .as_str()
        .unwrap()
        .to_owned();
    // The next answer is to another goal.
    (ran.code, format!("{why}{}", ran.stderr))
}

fn record(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&sandbox.git(&["notes", "--ref", "invisigoth", "show", "HEAD^2"])).unwrap()
}

#[test]
fn tests_that_fail_when_the_function_is_broken_land() {
    let sandbox = sandbox();
    let (code, why) = answer(&sandbox, "tests/calc.rs", "fn doubles -> double\nfn again -> double\n");
    assert_eq!(code, 0, "{why}");
    assert_eq!(sandbox.landings("main"), ["t"]);
    assert_eq!(record(&sandbox)["remark"], Value::Null);
    // The broken function was never more than a file in a slot.
    assert!(!sandbox.git(&["show", "HEAD:src/calc.rs"]).contains('!'));
    assert!(
        !sandbox
            .git(&["log", "--all", "-p", "--", "src/calc.rs"])
            .contains("panic")
    );
}

#[test]
fn tests_that_still_pass_when_the_function_is_broken_are_refused() {
    let sandbox = sandbox();
    // They name the function, and do not call it.
    let (code, why) = answer(&sandbox, "tests/calc.rs", "// double\nfn doubles -> nothing\n");
    assert_eq!(code, 3, "{why}");
    assert_eq!(sandbox.landings("main"), [""; 0]);
    assert!(why.contains("test file"), "{why}");
    let told = sandbox.attempt("t", 1, "attempt.json");
    assert_eq!(told["standing"], "failed");
}

#[test]
fn the_model_is_told_that_its_tests_do_not_test() {
    let sandbox = sandbox();
    sandbox.git(&["config", "invisigoth.run.max-attempts", "2"]);
    let useless = whole("tests/calc.rs", "// double\nfn doubles -> nothing\n");
    sandbox.script(json!({"t": [useless, whole("tests/calc.rs", "fn doubles -> double\n")]}));
    sandbox.ok(&[
        "add",
        "--id",
        "t",
        "--file",
        "tests/calc.rs",
        "Test `double` in src/calc.rs",
    ]);
    sandbox.ok(&["run"]);
    let told = sandbox.attempt("t", 1, "001.json")["request"]["messages"].to_string();
    assert!(told.contains("still pass when `double`"), "{told}");
}

#[test]
fn tests_that_are_skipped_or_do_not_run_or_fail_are_refused() {
    for (tests, says) in [
        ("fn doubles -> double ignored\n", "skipped"),
        ("fn doubles -> double\nfn more -> double ignored\n", "skipped"),
        ("// double, later\n", "none of its tests ran"),
        ("fn doubles -> double fails\n", "exit 1"),
    ] {
        let sandbox = sandbox();
        sandbox.git(&["config", "invisigoth.run.max-attempts", "2"]);
        let (code, why) = answer(&sandbox, "tests/calc.rs", tests);
        assert_eq!(code, 3, "{tests}: {why}");
        assert_eq!(sandbox.landings("main"), [""; 0], "{tests}");
        let told = sandbox.attempt("t", 1, "001.json")["request"]["messages"].to_string();
        assert!(told.contains(says), "{tests}: {told}");
    }
}

#[test]
fn a_file_that_has_tests_already_needs_a_new_one() {
    let sandbox = sandbox();
    let (code, why) = answer(&sandbox, "tests/old.rs", "// double is tested\nfn old -> double\n");
    assert_eq!((code, sandbox.landings("main")), (3, vec![]), "{why}");
    let pending = sandbox
        .read("memory/pending_goals.json")
        .replace("Test `double`", "Test `double` more");
    sandbox.write("memory/pending_goals.json", pending);
    sandbox.script(json!({"t": [whole("tests/old.rs", "fn old -> double\nfn new -> double\n")]}));
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["t"]);
}

#[test]
fn where_the_function_is_not_found_the_record_says_that_it_was_not_tried() {
    let sandbox = sandbox();
    sandbox.script(json!({"t": [whole("tests/other.rs", "fn works -> nothing\n")]}));
    sandbox.ok(&[
        "add",
        "--id",
        "t",
        "--file",
        "tests/other.rs",
        "Test what cannot be named",
    ]);
    sandbox.ok(&["run"]);
    let remark = record(&sandbox)["remark"].as_str().unwrap_or_default().to_owned();
    assert!(remark.contains("not found"), "{remark}");
    assert!(sandbox.read("memory/history.json").contains(&remark));
}

#[test]
fn without_a_command_for_one_file_the_record_says_so() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"t": [whole("tests/calc.rs", "fn doubles -> double\n")]}));
    sandbox.ok(&["add", "--id", "t", "--file", "tests/calc.rs", "Test `double`"]);
    sandbox.ok(&["run"]);
    assert!(record(&sandbox)["remark"].as_str().unwrap().contains("check.test_file"));
}

#[test]
fn a_goal_that_asks_for_no_tests_gets_no_such_proof() {
    let sandbox = sandbox();
    sandbox.script(json!({"t": [whole("src/calc.rs", "pub fn double(n: i32) -> i32 {\n    n + n\n}\n")]}));
    sandbox.ok(&["add", "--id", "t", "--file", "src/calc.rs", "Add instead"]);
    sandbox.ok(&["run"]);
    assert_eq!(record(&sandbox)["remark"], Value::Null);
}
