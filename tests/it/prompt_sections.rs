//! `prompt`: its sections, in real repositories: what is shown of files and history, rules, order, budget, and `--explain`.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{
    models::{asking, listed},
    support::{Ran, Sandbox, server::Server, shown::shown, whole},
};

/// A source file of `count` functions; each has eight lines.
fn functions(prefix: &str, count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let _ = writeln!(
            text,
            "/// Does what {prefix} {n} does.\npub fn {prefix}_{n}(input: &str) -> String {{\n    let first = input.trim();\n    let second = first.len() + {n};\n    let third = second * {n};\n    format!(\"{{first}} {{third}}\")\n}}\n"
        );
    }
    text
}

/// The messages of a goal's prompt, one after the other.
fn prompt(sandbox: &Sandbox, id: &str) -> String {
    let said = sandbox.json(&["prompt", id]);
    let messages = said["messages"].as_array().unwrap().iter();
    messages.map(|message| message["content"].as_str().unwrap()).collect()
}

/// The row of a section.
fn row(said: &Value, section: &str) -> Value {
    let mut rows = said["sections"].as_array().unwrap().iter();
    rows.find(|row| row["section"] == section).unwrap().clone()
}

fn tokens(said: &Value, section: &str) -> u64 {
    row(said, section)["tokens"].as_u64().unwrap()
}

/// The part of a prompt below a heading.
fn section<'a>(prompt: &'a str, heading: &str) -> &'a str {
    let (_, below) = prompt.split_once(&format!("\n## {heading}\n")).unwrap_or(("", ""));
    below.split("\n## ").next().unwrap()
}

/// A repository with a large file, and one that has to do with parsing numbers.
fn repository() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.write(
        "src/large.rs",
        functions("large", 2000).replace("large 1500 does", "the retry backoff jitter does"),
    );
    sandbox.write(
        "src/numbers.rs",
        "use crate::digits::parse_digits;\n\n/// Parses a hexadecimal number.\npub fn parse_hexadecimal(text: &str) -> u32 {\n\tparse_digits(text, 16)  \n}\n",
    );
    sandbox.write(
        "src/digits.rs",
        "/// Parses.\npub fn parse_digits(text: &str, base: u32) -> u32 {\n    0\n}\n",
    );
    sandbox.commit("more code");
    sandbox
}

#[test]
fn what_ranks_best_is_shown_as_the_file_has_it() {
    let sandbox = repository();
    sandbox.ok(&[
        "add",
        "Accept a prefix when a hexadecimal number is parsed",
        "--id",
        "a",
    ]);
    let prompt = prompt(&sandbox, "a");
    let shown = section(&prompt, "What else may matter, as it is now");
    // A tab, and blanks at the end of a line.
    assert!(
        shown.contains("\nsrc/numbers.rs\n```\nuse crate::digits::parse_digits;\n")
            && shown.contains("\n\tparse_digits(text, 16)  \n"),
        "{shown}"
    );
    let said = sandbox.json(&["prompt", "a"]);
    let (taken, room) = (
        said["budget"]["taken"].as_u64().unwrap(),
        said["budget"]["prompt"].as_u64().unwrap(),
    );
    assert_eq!((room, taken <= room), (24_000, true), "{said}");
    // No file is named: what ranks has most of the prompt.
    assert!(tokens(&said, "ranked chunks") * 100 / room >= 40, "{said}");
    assert!(taken * 100 / room >= 90, "{said}");
}

#[test]
fn a_large_file_of_the_goal_is_shown_by_what_matters_of_it() {
    let sandbox = repository();
    sandbox.ok(&[
        "add",
        "Cap the retry backoff jitter",
        "--id",
        "a",
        "-f",
        "src/large.rs",
        "-f",
        "src/digits.rs",
    ]);
    let prompt = prompt(&sandbox, "a");
    let files = section(&prompt, "Files of the goal, as they are now");
    assert!(files.contains("Does what the retry backoff jitter does."), "{files}");
    assert!(
        files.contains("\n`src/large.rs` (lines ") && files.contains(" of 16000)\n```\n"),
        "{files}"
    );
    assert!(
        files.contains(" lines left out\n\nThere is more of this file: change only what you see of it"),
        "{files}"
    );
    assert!(files.contains("src/digits.rs\n```\n/// Parses.\n"), "{files}");
    assert!(!section(&prompt, "What else may matter, as it is now").contains("src/large.rs"));
    let said = sandbox.json(&["prompt", "a"]);
    assert!(
        row(&said, "files of the goal")["left_out"][0]
            .as_str()
            .unwrap()
            .starts_with("src/large.rs ("),
        "{said}"
    );
}

#[test]
fn a_reply_that_copies_the_heading_of_lines_changes_that_file() {
    let sandbox = repository();
    sandbox.ok(&["add", "Cap the retry backoff jitter", "--id", "a", "-f", "src/large.rs"]);
    let prompt = prompt(&sandbox, "a");
    let heading = prompt
        .lines()
        .find(|line| line.starts_with("`src/large.rs` (line"))
        .unwrap();
    let edit = "<<<<<<< SEARCH\n/// Does what the retry backoff jitter does.\n=======\n/// Jitters.\n>>>>>>> REPLACE\n";
    for reply in [
        format!("{heading}\n```\n{edit}```\n"),
        format!("```\n{heading}\n{edit}```\n"),
    ] {
        sandbox.git(&["checkout", "-q", "."]);
        let ran = sandbox.fed(&["apply"], &reply);
        assert_eq!(ran.code, 0, "{reply}\n{}{}", ran.stdout, ran.stderr);
        assert!(sandbox.read("src/large.rs").contains("/// Jitters.\n"), "{reply}");
    }
}

#[test]
fn a_file_that_is_asked_for_is_shown_whole() {
    let sandbox = repository();
    sandbox.write("src/long.rs", functions("long", 150));
    sandbox.commit("long");
    sandbox.ok(&["add", "Greet", "--id", "a", "-f", "src/large.rs"]);
    sandbox.script(json!({ "a": ["NEED: src/long.rs\n", whole("a.txt", "x\n")] }));
    let ran = sandbox.run(&["run"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let calls: Vec<Value> = ["000.json", "001.json"]
        .iter()
        .map(|name| sandbox.attempt("a", 1, name))
        .collect();
    let [first, second] = &calls[..] else { panic!() };
    let (before, after) = (&first["request"]["messages"], &second["request"]["messages"]);
    let answer = after[3]["content"].as_str().unwrap();
    assert!(
        answer.contains(&format!("src/long.rs\n```\n{}```\n", functions("long", 150))),
        "{answer}"
    );
    // What was said stays as it was, so that a cache of it is hit.
    assert_eq!(
        after.as_array().unwrap().get(..2).unwrap(),
        before.as_array().unwrap().as_slice()
    );
}

#[test]
fn definitions_that_shown_lines_name_are_given_by_their_first_line() {
    let sandbox = Sandbox::ready();
    let mut text = functions("other", 1500);
    // Too long to be worth its room.
    let long = "    let unused = 0;\n".repeat(85);
    let _ = writeln!(
        text,
        "/// Folds.\npub fn fold_quickly(text: &str, base: u32) -> u32 {{\n{long}}}"
    );
    sandbox.write("src/lib.rs", text);
    sandbox.write(
        "src/numbers.rs",
        "pub fn parse_hexadecimal(text: &str) -> u32 {\n    fold_quickly(text, 16)\n}\n",
    );
    sandbox.commit("code");
    sandbox.ok(&[
        "add",
        "Accept a prefix of a hexadecimal number",
        "--id",
        "a",
        "-f",
        "src/numbers.rs",
    ]);
    let prompt = prompt(&sandbox, "a");
    let definitions = section(&prompt, "Definitions that are used below");
    assert!(
        definitions.contains("src/lib.rs:12002: pub fn fold_quickly(text: &str, base: u32) -> u32\n"),
        "{definitions}"
    );
}

#[test]
fn commits_that_touched_what_is_shown_come_before_the_latest() {
    let sandbox = repository();
    sandbox.write("src/numbers.rs", "pub fn parse_hexadecimal() {}\n");
    sandbox.commit("Drop what numbers had");
    for n in 0..9 {
        sandbox.write("elsewhere.bin", format!("\0{n}"));
        sandbox.commit(&format!("Elsewhere {n}"));
    }
    sandbox.ok(&["add", "Say more", "--id", "a", "-f", "src/numbers.rs"]);
    let prompt = prompt(&sandbox, "a");
    let diffs = section(&prompt, "What the latest commits changed in files that are shown");
    assert!(
        diffs.contains("commit: Drop what numbers had\n--- a/src/numbers.rs\n"),
        "{diffs}"
    );
    assert!(diffs.contains("-\tparse_digits(text, 16)"), "{diffs}");
    assert!(!diffs.contains("Elsewhere"), "{diffs}");
    assert!(section(&prompt, "Latest commits").contains("Elsewhere 8\nElsewhere 7\n"));
}

#[test]
fn every_attempt_that_failed_is_told_once_the_newest_first() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    for replies in [json!(["nothing"]), json!(["nothing"]), json!([whole("bad", "x\n")])] {
        sandbox.script(json!({ "a": replies }));
        sandbox.run(&["run", "--set", "run.max_attempts=1"]);
        sandbox.ok(&["retry", "a"]);
    }
    let told = prompt(&sandbox, "a");
    let told = section(&told, "What went wrong in earlier attempts").to_owned();
    let lines: Vec<&str> = told.lines().filter(|line| line.starts_with("Attempt")).collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(
        lines[0].starts_with("Attempt 3 failed: ") && lines[1].starts_with("Attempts 2 and 1 failed: "),
        "{told}"
    );
    let edited = sandbox.run_with(&["edit", "a"], &[("GIT_EDITOR", "sed -i 's/Goal a/Greet/'")]);
    assert_eq!(edited.code, 0, "{}", edited.stderr);
    assert!(prompt(&sandbox, "a").contains("Attempt 3, when the goal was worded otherwise, failed: "));
}

#[test]
fn goals_share_the_start_of_their_prompts() {
    let sandbox = repository();
    sandbox.write("AGENTS.md", "Be brief.\n".repeat(40));
    sandbox.write("src/AGENTS.md", "Only for src.\n");
    sandbox.commit("rules");
    sandbox.ok(&[
        "add",
        "Accept a prefix of a hexadecimal number",
        "--id",
        "a",
        "-f",
        "src/numbers.rs",
    ]);
    sandbox.ok(&[
        "add",
        "Greet by name",
        "--id",
        "b",
        "--prompt",
        "Say hello.",
        "-f",
        "greet.txt",
    ]);
    sandbox.ok(&["add", "Cap the retry backoff jitter", "--id", "c", "-f", "src/large.rs"]);
    let all = ["a", "b", "c"].map(|id| prompt(&sandbox, id));
    let [first, rest @ ..] = &all;
    for other in rest {
        let shared: usize = first
            .chars()
            .zip(other.chars())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        let (start, _) = first.split_at(shared);
        // All that is stable is in it: orders, rules, outline, the latest commits to their last.
        assert!(
            start.contains("## Latest commits\n\n```\n") && start.contains("\nstart\n```\n"),
            "{start}"
        );
        assert!(shared > 3000, "{shared}");
    }
}

#[test]
fn two_clones_of_one_repository_give_the_same_bytes() {
    let sandbox = repository();
    sandbox.write("AGENTS.md", "Be brief.\n");
    sandbox.ok(&["add", "Cap the retry backoff jitter", "--id", "a", "-f", "src/large.rs"]);
    sandbox.commit("goal");
    let first = sandbox.json(&["prompt", "a"]);
    let other = Sandbox::empty();
    std::fs::remove_dir(other.repo()).unwrap();
    let from = sandbox.repo();
    let cloned = other
        .command("git")
        .args(["clone", "-q", from.to_str().unwrap(), other.repo().to_str().unwrap()])
        .current_dir(other.home())
        .status()
        .unwrap();
    assert!(cloned.success());
    let second = other.json(&["prompt", "a"]);
    for key in ["messages", "sections", "prompt_hash", "left_out"] {
        assert_eq!(first[key], second[key], "{key}");
    }
    // An index that was thrown away is made again, and says the same.
    std::fs::remove_dir_all(other.path(".git/invisigoth/index")).unwrap();
    assert_eq!(other.json(&["prompt", "a"]), second);
}

#[test]
fn what_is_too_large_or_not_in_a_partial_clone_is_named_and_not_read() {
    let sandbox = repository();
    sandbox.write("src/numbers.rs", "pub fn parse_hexadecimal() {}\n");
    sandbox.write("src/table.rs", "//\n".repeat(400_000));
    sandbox.commit("Keep a table of digits");
    sandbox.ok(&[
        "add",
        "Parse hexadecimal numbers by the table",
        "--id",
        "a",
        "--file",
        "src/table.rs",
        "--file",
        "src/digits.rs",
    ]);
    let said = prompt(&sandbox, "a");
    assert!(
        said.contains("src/table.rs: not shown, it is larger than 1 MiB\n"),
        "{said}"
    );
    sandbox.git(&["add", "-A"]);
    sandbox.git(&["commit", "-qm", "Say what to do"]);
    sandbox.git(&["config", "uploadpack.allowFilter", "true"]);
    let (from, to) = (
        format!("file://{}", sandbox.repo().display()),
        sandbox.home().join("clone"),
    );
    sandbox.git(&["clone", "-q", "--filter=blob:none", &from, to.to_str().unwrap()]);
    let ran = Ran::of(&sandbox.invisigoth(&["prompt", "a"]).current_dir(to).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("src/numbers.rs: not shown, it is not in this clone\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn rules_of_folders_and_imports_are_found_and_what_is_wrong_with_them_is_said() {
    let sandbox = repository();
    sandbox.write("AGENTS.md", "Top rule.\n");
    sandbox.write(
        "CLAUDE.md",
        "@AGENTS.md\n@docs/style.md\n@../../etc/passwd\n@~/.claude/mine.md\n",
    );
    sandbox.write("docs/style.md", "Style rule. @../CLAUDE.md\n");
    sandbox.write("src/AGENTS.md", "Rule of src.\n");
    sandbox.write("tests/AGENTS.md", "Rule of tests.\n");
    sandbox.write("CONVENTIONS.md", b"\0binary");
    std::os::unix::fs::symlink("/etc/passwd", sandbox.path(".cursorrules")).unwrap();
    sandbox.commit("rules");
    sandbox.ok(&["add", "Accept a prefix", "--id", "a", "-f", "src/numbers.rs"]);
    let prompt = prompt(&sandbox, "a");
    let top = section(
        &format!("\n{prompt}"),
        "Rules that the repository keeps for its contributors",
    )
    .to_owned();
    assert_eq!(
        (top.matches("Top rule.").count(), top.matches("Style rule.").count()),
        (1, 1),
        "{top}"
    );
    let folders = section(&prompt, "Rules of the folders that are shown, the nearest last");
    assert!(
        folders.contains("src/AGENTS.md\n```\nRule of src.\n") && !folders.contains("Rule of tests."),
        "{folders}"
    );
    assert!(!prompt.contains("root:"), "{prompt}");
    let ran = sandbox.run(&["prompt", "a", "--explain"]);
    for warning in [
        "warning: CLAUDE.md imports ../../etc/passwd, which is outside of the repository: not shown",
        "warning: CLAUDE.md imports ~/.claude/mine.md, which is outside of the repository: not shown",
        "warning: CONVENTIONS.md is not text: not shown",
        "warning: .cursorrules is a link that leads out of the repository: not shown",
    ] {
        assert!(ran.stderr.contains(warning), "{warning}\n{}", ran.stderr);
    }
}

#[test]
fn rules_that_are_too_long_are_cut_and_everybody_is_told() {
    let sandbox = repository();
    sandbox.write("AGENTS.md", "A rule among many.\n".repeat(60_000));
    sandbox.write("src/AGENTS.md", "The nearest rule.\n");
    sandbox.commit("rules");
    sandbox.ok(&["add", "Accept a prefix", "--id", "a", "-f", "src/numbers.rs"]);
    let ran = sandbox.run(&["prompt", "a"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("warning: rules are cut: AGENTS.md (59"),
        "{}",
        ran.stderr
    );
    assert!(ran.stdout.contains(" lines left out\n") && ran.stdout.contains("Left out for lack of room: AGENTS.md ("));
    // Much of the top does not push out what is near.
    assert!(ran.stdout.contains("The nearest rule."), "{}", ran.stdout);
    let said = sandbox.json(&["prompt", "a"]);
    assert!(tokens(&said, "rules") <= 24_000 * 18 / 100, "{said}");
    sandbox.git(&["config", "invisigoth.llm.context", "1000000"]);
    assert!(tokens(&sandbox.json(&["prompt", "a"]), "rules") <= 24 * 1024 / 3 + 1);
}

#[test]
fn a_model_that_holds_less_lowers_the_budget_and_none_raises_it() {
    let server = Server::start(vec![listed()]);
    let sandbox = asking("openrouter", &server.url());
    sandbox.goal("a", &[]);
    let budget = |sandbox: &Sandbox| sandbox.json(&["prompt", "a"])["budget"].clone();
    sandbox.git(&["config", "invisigoth.llm.model", "openrouter/auto"]);
    assert_eq!(budget(&sandbox)["from"], "`llm.context` (default)");
    sandbox.ok(&["models"]);
    assert_eq!(budget(&sandbox)["request"], 32_000);
    sandbox.git(&["config", "invisigoth.llm.fallback", "acme/small"]);
    let lowered = budget(&sandbox);
    assert_eq!(lowered["request"], 32_768 - 16_000);
    assert_eq!(lowered["prompt"], (32_768 - 16_000) / 4 * 3);
    assert_eq!(
        lowered["from"],
        "acme/small holds 32768, less `llm.max_tokens` = 16000 for a reply"
    );
    sandbox.git(&["config", "invisigoth.llm.context", "8000"]);
    assert_eq!(budget(&sandbox)["from"], "`llm.context` (git config)");
    assert_eq!(budget(&sandbox)["request"], 8000);
}

#[test]
fn what_each_section_takes_is_explained() {
    let sandbox = Sandbox::ready();
    sandbox.write("AGENTS.md", "Be brief.\n".repeat(3000));
    sandbox.commit("rules");
    sandbox.ok(&["add", "Greet by name", "--id", "a", "-f", "greet.txt"]);
    let ran = sandbox.run(&["prompt", "a", "--explain"]);
    assert!(
        ran.stdout.lines().all(|line| line.chars().count() <= 80),
        "{}",
        ran.stdout
    );
    assert_snapshot!(shown(&ran, sandbox.home()), @r#"
    The prompt of a takes 5,419 of [n] tokens.
    32,000 in all leave room for what is said later: repairs, files asked for.
    What says so: `llm.context` (default).
    A token is taken to be [n] bytes. Priority 1 is cut last.

    section             tokens  percent  may take  priority  same for all goals
    orders                 737      3 %       all         -  yes
    master prompt           82      0 %       all         -  yes
    rules                4,319     17 %      18 %         2  yes
      left out: AGENTS.md (1722 lines)
    outline                 73      0 %       5 %        11  yes
    latest commits          75      0 %       2 %        10  yes
    rules of folders         0      0 %       4 %         5
    dependencies             0      0 %       8 %         6
    latest changes          94      0 %       8 %         9
    definitions              0      0 %       3 %         8
    ranked chunks           43      0 %    20 % +         7
    files of the goal       61      0 %    40 % +         1
    earlier attempts         0      0 %       4 %         3
    what did not land        0      0 %      12 %         4
    goal                    57      0 %       all         -
    -- stderr
    warning: rules are cut: AGENTS.md (1722 lines)
    -- exit 0
    "#);
    let said = sandbox.json(&["prompt", "a", "--explain"]);
    assert_eq!(said["schema"], "invisigoth.prompt/1");
    assert_eq!(
        row(&said, "files of the goal"),
        json!({ "section": "files of the goal", "tokens": 61, "share": 40, "priority": 1, "stable": false, "left_out": [] })
    );
}

#[test]
fn bad_input() {
    let sandbox = Sandbox::ready();
    for (id, args) in [
        ("missing", &["-f", "gone.txt"][..]),
        ("folder", &["-f", "memory"]),
        ("words", &["--prompt", "the of and"]),
    ] {
        let mut all = vec!["add", "Do it", "--id", id];
        all.extend(args);
        sandbox.ok(&all);
    }
    sandbox.write("bin.dat", b"\0\x01\x02".repeat(1000));
    sandbox.write("latin.txt", b"caf\xe9\n");
    sandbox.write("line.txt", "x".repeat(2_000_000));
    sandbox.commit("odd files");
    sandbox.ok(&[
        "add",
        "Odd files",
        "--id",
        "odd",
        "-f",
        "bin.dat",
        "-f",
        "latin.txt",
        "-f",
        "line.txt",
    ]);
    for id in ["missing", "folder", "words", "odd"] {
        let ran = sandbox.run(&["prompt", id, "--explain"]);
        assert_eq!(ran.code, 0, "{id}: {}", ran.stderr);
    }
    assert!(prompt(&sandbox, "missing").contains("gone.txt does not exist yet."));
    let odd = sandbox.json(&["prompt", "odd"]);
    assert!(prompt(&sandbox, "odd").contains("bin.dat\n```\n[not text, and not shown]\n```\n"));
    assert!(
        odd["left_out"].to_string().contains("line.txt (all of 1 line)"),
        "{odd}"
    );
    sandbox.git(&["config", "invisigoth.llm.context", "100"]);
    let ran = sandbox.run(&["prompt", "odd"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("the goal and the master prompt alone take "),
        "{}",
        ran.stderr
    );
}
