//! Fixtures are what the runners really printed: `tests/fixtures/verdict/NNN_name/{output.txt,command.txt,expected.json}`.
//! `INVISIGOTH_BLESS=1` writes `expected.json` anew, to be read before it is committed.
use std::{fs, path::Path};

use serde_json::{Value, json};

use super::*;

fn as_json(tests: Option<&Tests>) -> Value {
    let Some(tests) = tests else {
        return Value::Null;
    };
    let mut value = json!({ "passed": tests.passed, "failed": tests.failed, "skipped": tests.skipped });
    if let Some(counts) = tests.counted {
        value["counted"] = json!([counts.passed, counts.failed, counts.skipped]);
    }
    value
}

#[test]
fn every_runner_is_read_as_it_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/verdict");
    let mut folders: Vec<_> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 14, "{}", folders.len());
    for folder in folders {
        let output = fs::read(folder.join("output.txt")).unwrap();
        let command = fs::read_to_string(folder.join("command.txt")).unwrap();
        let tests = if command.starts_with("junit") {
            read_reports(&[output])
        } else {
            read(&clean_output(&output, usize::MAX), command.trim())
        };
        let got = as_json(tests.as_ref());
        let file = folder.join("expected.json");
        if option_env!("INVISIGOTH_BLESS").is_some() {
            fs::write(&file, format!("{got:#}\n")).unwrap();
        }
        let expected: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(got, expected, "{}", folder.display());
    }
}

#[test]
fn output_without_a_runners_end_is_no_verdict() {
    for cut in [
        "=== test session starts ===\ntest_a.py::test_a PASSED [ 50%]\n",
        "test_x (mod.C.test_x) ... ok\n",
        "TAP version 13\n# Subtest: a\nok 1 - a\n",
        "--- PASS: TestX (0.00s)\n",
        "PASS a.test.js\n  ✓ adds (2 ms)\n",
        "error: could not compile `x`\n",
        "",
    ] {
        assert_eq!(read(cut, "make test"), None, "{cut}");
    }
    assert_eq!(
        read_reports(&[b"<testsuites><testsuite><testcase name=\"a\"/></testsuite>".to_vec()]),
        None
    );
}

#[test]
fn what_a_failing_test_printed_is_no_verdict() {
    let inner = "running 1 test\ntest inner ... ok\n\ntest result";
    let output = format!(
        "running 1 test\ntest outer ... FAILED\n\nfailures:\n\n---- outer stdout ----\n{inner}\n\nfailures:\n    outer\n\n\
         test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
    );
    let tests = read(&output, "cargo test").unwrap();
    assert!(tests.passed.is_empty(), "{tests:?}");
    assert_eq!(tests.failed, ["binary: outer".to_owned()].into());
}

#[test]
fn doc_examples_keep_their_names_when_lines_move() {
    let run = |a: u32, b: u32| {
        let output = format!(
            "   Doc-tests x\n\nrunning 2 tests\ntest src/lib.rs - f (line {b}) ... FAILED\n\
             test src/lib.rs - f (line {a}) ... ok\n\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n"
        );
        read(&output, "cargo test").unwrap()
    };
    assert_eq!(run(2, 9), run(12, 101));
    assert_eq!(run(2, 9).failed, ["doc x: src/lib.rs - f #2".to_owned()].into());
}

#[test]
fn a_tap_plan_that_was_not_kept_is_a_failure() {
    let tests = read("TAP version 13\n1..3\nok 1 - a\nok 2 - b\n", "tape").unwrap();
    assert_eq!(tests.failed, ["1 of 3 planned tests did not report".to_owned()].into());
}

#[test]
fn the_reader_that_the_command_names_is_asked_first() {
    let output = "1..1\nok 1 - a\n=== 2 passed in 0.01s ===\n";
    assert_eq!(read(output, "pytest -q").unwrap().ran(), 2);
    assert_eq!(read(output, "tape x.js").unwrap().ran(), 1);
    assert_eq!(read(output, "make test").unwrap().ran(), 3);
}

#[test]
fn terminal_sequences_and_overwritten_lines_are_gone() {
    let raw = b"\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link\x1b]8;;\x07\n 1%\r 50%\r100%\r\n\
                a\x00b\x08c\td\xff\n\x1b]0;open title\nnext \xc2\x9b2Jend\x1b(B";
    assert_eq!(clean_output(raw, 1000), "red link\n100%\nac\td\u{fffd}\n\nnext end");
}

#[test]
fn trimming_keeps_whole_lines_of_both_ends_within_the_cap() {
    let text: String = (0..1000).map(|n| format!("line {n} ä\n")).collect();
    for cap in [0, 1, 5, 40, 41, 100, 999, 5000] {
        let out = clean_output(text.as_bytes(), cap);
        assert!(out.len() <= cap, "{cap}: {}", out.len());
    }
    let out = clean_output(text.as_bytes(), 200);
    assert!(out.starts_with("line 0 ä\nline 1 ä\n"), "{out}");
    assert!(out.ends_with("\nline 999 ä"), "{out}");
    let kept = out.lines().count() - 1;
    assert!(
        out.contains(&format!("\n… {} lines left out …\n", 1000 - kept)),
        "{out}"
    );
    let long = clean_output("ä".repeat(500).as_bytes(), 101);
    assert!(long.len() <= 101 && long.contains('…'), "{long}");
}

#[test]
fn a_prompt_that_must_be_trimmed_has_the_first_failure_first() {
    let noise = "compiling something\n".repeat(300);
    for (block, after) in [
        (
            "---- a::b stdout ----\npanicked at src/a.rs:3\nleft: 1\n",
            "\n---- c stdout ----\nother\n",
        ),
        ("____ test_x ____\n\nE  assert 1 == 2\n", "____ test_y ____\nE other\n"),
        ("--- FAIL: TestX (0.00s)\n    x_test.go:3: got 1\n", "FAIL\n"),
        (
            "error[E0308]: mismatched types\n --> src/a.rs:1:2\n",
            "\nerror[E0999]: other\n",
        ),
    ] {
        let output = format!("{noise}{block}{after}{noise}");
        let out = for_prompt(&output, 800);
        assert!(out.starts_with(block.trim_end()), "{out}");
        assert!(out.len() <= 800);
        assert!(out.ends_with("compiling something"), "{out}");
        assert_eq!(for_prompt(&output, output.len()), output);
    }
}
