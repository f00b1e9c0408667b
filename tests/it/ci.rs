//! `ci`: workflows, job lists, what is said of a pushed candidate, and landing what a remote has.
//!
//! Not here: `land.via = "host"`, which is `host`; what hosts and clusters make of it, which is `tests/peer`.

use std::{fs, path::PathBuf};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, whole};

const WORKFLOW: &str = ".github/workflows/invisigoth.yml";

/// A repository with goal `a`, which writes `a.txt`, and a remote `origin`.
fn with_remote() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.git(&["commit", "-q", "-am", "goal"]);
    sandbox.git(&["init", "-q", "--bare", "-b", "main", "../origin.git"]);
    sandbox.git(&["remote", "add", "origin", "../origin.git"]);
    sandbox.git(&["push", "-q", "origin", "main"]);
    sandbox
}

/// As `with_remote`, with a candidate for `a` that waits.
fn with_candidate() -> Sandbox {
    let sandbox = with_remote();
    sandbox.ok(&["run", "--no-merge"]);
    sandbox
}

/// A clone of the remote, as a runner has it: knows nothing of attempts and candidates.
struct Runner<'s> {
    sandbox: &'s Sandbox,
    place: PathBuf,
}

impl<'s> Runner<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let place = sandbox.home().join("runner");
        let place_text = place.to_str().unwrap();
        sandbox.git(&["clone", "-q", "../origin.git", place_text]);
        for pair in [["user.name", "Runner"], ["user.email", "runner@example.com"]] {
            sandbox.git(&["-C", place_text, "config", pair[0], pair[1]]);
        }
        Self { sandbox, place }
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.sandbox.invisigoth(args).current_dir(&self.place).output().unwrap())
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[&["--json"], args].concat());
        serde_json::from_str(ran.stdout.lines().last().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{args:?}: {error}\n{}{}", ran.stdout, ran.stderr))
    }
}

/// Makes the candidate of `a` anew: the same message but for what `change` does to it, on `parents`, with the tree of the index.
fn forge(sandbox: &Sandbox, parents: &[&str], change: impl Fn(String) -> String) -> String {
    let message = change(sandbox.git(&["log", "-1", "--format=%B", "invisigoth/a"]));
    let file = sandbox.home().join("message");
    fs::write(&file, message).unwrap();
    let tree = sandbox.git(&["write-tree"]);
    let mut args = vec!["commit-tree", &tree, "-F", file.to_str().unwrap()];
    for parent in parents {
        args.extend(["-p", parent]);
    }
    sandbox.git(&args)
}

/// What is said of a point of a commit: state and detail.
fn point(said: &Value, name: &str) -> Vec<String> {
    let points = said["points"].as_array().unwrap().iter();
    let named = points.filter(|point| point["name"] == name);
    named
        .map(|point| {
            let path = point["path"]
                .as_str()
                .map(|path| format!("{path}: "))
                .unwrap_or_default();
            format!(
                "{} {path}{}",
                point["state"].as_str().unwrap(),
                point["detail"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_workflow_is_written_once_and_never_over_yours() {
    let sandbox = Sandbox::ready();
    let first = sandbox.ok(&["ci", "init", "github"]);
    assert!(first.starts_with(&format!("wrote      {WORKFLOW}\n")), "{first}");
    assert!(first.contains("needs      a secret OPENROUTER_API_KEY"), "{first}");
    assert!(first.contains("pull-requests"), "{first}");
    let again = sandbox.ok(&["ci", "init", "github"]);
    assert!(again.starts_with(&format!("unchanged  {WORKFLOW}\n")), "{again}");
    sandbox.write(WORKFLOW, "mine\n");
    fs::remove_file(sandbox.path(".github/actions/invisigoth/action.yml")).unwrap();
    let refused = sandbox.run(&["ci", "init", "github"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("is there already"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(sandbox.read(WORKFLOW), "mine\n");
    assert!(
        !sandbox.path(".github/actions/invisigoth/action.yml").exists(),
        "all or nothing"
    );
    sandbox.ok(&[
        "ci",
        "init",
        "github",
        "--force",
        "--install",
        "./install.sh --no-packages",
    ]);
    assert!(
        sandbox
            .read(WORKFLOW)
            .contains("git invisigoth ci land --remote origin")
    );
    let action = sandbox.read(".github/actions/invisigoth/action.yml");
    assert!(action.contains("|| ./install.sh --no-packages\n"), "{action}");
    assert_eq!(sandbox.git(&["log", "-1", "--format=%s"]), "Set up git-invisigoth");
}

#[test]
fn gitlab_s_own_file_stays_yours() {
    let sandbox = Sandbox::ready();
    sandbox.write(".gitlab-ci.yml", "test:\n  script: make\n");
    let said = sandbox.json(&["ci", "init", "gitlab"]);
    assert_eq!(said["add"]["file"], ".gitlab-ci.yml", "{said}");
    assert_eq!(sandbox.read(".gitlab-ci.yml"), "test:\n  script: make\n");
    sandbox.write(".gitlab-ci.yml", said["add"]["lines"].as_str().unwrap());
    let said = sandbox.json(&["ci", "init", "gitlab"]);
    assert_eq!(said["add"], Value::Null, "{said}");
    fs::remove_file(sandbox.path(".gitlab-ci.yml")).unwrap();
    let said = sandbox.json(&["ci", "init", "gitlab"]);
    assert_eq!(said["files"], json!([".gitlab-ci.yml"]));
}

#[test]
fn a_matrix_lists_what_can_start_in_order() {
    let sandbox = with_remote();
    sandbox.ok(&["add", "--id", "urgent", "--priority", "9", "Goes | first"]);
    sandbox.goal("later", &["a"]);
    let (output, summary) = (sandbox.home().join("output"), sandbox.home().join("summary"));
    let env = [
        ("GITHUB_OUTPUT", output.to_str().unwrap()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let ran = sandbox.run_with(&["ci", "matrix"], &env);
    let list = r#"{"include":[{"goal":"urgent","description":"Goes | first"},{"goal":"a","description":"Goal a"}]}"#;
    assert_eq!((ran.code, ran.stdout), (0, format!("{list}\n")));
    assert_eq!(
        fs::read_to_string(&output).unwrap(),
        format!("any=true\ncount=2\ntip={}\nmatrix={list}\n", sandbox.id("main"))
    );
    assert_snapshot!(fs::read_to_string(&summary).unwrap(), @r"
    ### 2 goals of `main` can start

    | goal | what |
    | --- | --- |
    | urgent | Goes \| first |
    | a | Goal a |
    ");
    let one = sandbox.json(&["ci", "matrix", "--max", "1"]);
    assert_eq!((&one["goals"][0]["goal"], &one["left"]), (&json!("urgent"), &json!(1)));
    let slurm = sandbox.ok(&["ci", "matrix", "--format", "slurm", "--tasks", "9"]);
    assert!(slurm.contains("#SBATCH --array=0-1\n"), "{slurm}");
    assert!(slurm.contains("\n0) set -- urgent ;;\n1) set -- a ;;\n"), "{slurm}");
    let gitlab = sandbox.ok(&["ci", "matrix", "--format", "gitlab"]);
    assert!(gitlab.contains("\n\"goal urgent\":\n"), "{gitlab}");
}

#[test]
fn a_matrix_without_goals_says_so() {
    let sandbox = Sandbox::ready();
    let output = sandbox.home().join("output");
    let ran = sandbox.run_with(&["ci", "matrix"], &[("GITHUB_OUTPUT", output.to_str().unwrap())]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "{\"include\":[]}\n"));
    assert!(ran.stderr.contains("git invisigoth status"), "{}", ran.stderr);
    assert!(fs::read_to_string(&output).unwrap().starts_with("any=false\ncount=0\n"));
    assert_eq!(sandbox.run(&["ci", "matrix", "--exit-code"]).code, 4);
    let gitlab = sandbox.run(&["ci", "matrix", "--format", "gitlab", "--exit-code"]);
    assert!(
        gitlab.code == 4 && gitlab.stdout.contains("\nnothing to do:\n"),
        "{}",
        gitlab.stdout
    );
}

#[test]
fn a_matrix_holds_no_more_than_hosts_take() {
    let sandbox = Sandbox::ready();
    let rows = (0..300).map(|n| format!("{{\"id\":\"g{n:03}\",\"description\":\"x\"}}"));
    sandbox.write(
        "memory/pending_goals.json",
        format!("[\n{}\n]\n", rows.collect::<Vec<_>>().join(",\n")),
    );
    let said = sandbox.json(&["ci", "matrix", "--max", "1000"]);
    assert_eq!(
        (said["goals"].as_array().unwrap().len(), &said["left"]),
        (256, &json!(44))
    );
    assert_eq!(said["goals"][255]["goal"], "g255");
}

#[test]
fn a_runner_knows_what_failed_elsewhere() {
    let sandbox = with_remote();
    sandbox.script(json!({"a": []}));
    assert_eq!(sandbox.run(&["run"]).code, 3);
    sandbox.git(&["push", "-q", "origin", "refs/invisigoth/attempts"]);
    let runner = Runner::new(&sandbox);
    assert_eq!(runner.json(&["ci", "matrix"])["any"], true);
    assert_eq!(
        runner.json(&["ci", "matrix", "--remote", "origin"])["any"],
        false,
        "it is not paid for every night"
    );
    let gone = runner.run(&["ci", "matrix", "--remote", "nowhere"]);
    assert_eq!(gone.code, 1, "{}", gone.stderr);
    assert!(gone.stderr.contains("hint: `git remote --verbose`"), "{}", gone.stderr);
}

#[test]
fn a_ref_whose_name_only_ends_like_one_of_ours_is_not_brought() {
    let sandbox = with_remote();
    let names = [
        "refs/invisigoth/landed/main/refs/notes/invisigoth",
        "refs/heads/x/refs/heads/invisigoth/b",
    ];
    for name in names {
        sandbox.git(&["push", "-q", "origin", &format!("main~1:{name}")]);
    }
    let runner = Runner::new(&sandbox);
    runner.json(&["ci", "matrix", "--remote", "origin"]);
    let here = sandbox.git(&[
        "-C",
        runner.place.to_str().unwrap(),
        "for-each-ref",
        "--format=%(refname)",
    ]);
    for name in names {
        assert!(!here.lines().any(|line| line == name), "{here}");
    }
}

#[test]
fn a_candidate_is_judged_point_by_point() {
    let sandbox = with_candidate();
    assert_snapshot!(sandbox.shows(&["ci", "verify", "invisigoth/a"]), @r"
    ok      commit    one commit on [id] of `main`
    ok      trailers  goal a, attempt 1, by git-invisigoth:mock
    ok      goal      Goal a
    ok      record    attempt 1, 1 round, mock
    ok      paths     1 file, none held
    ok      merge     fits onto [id] of `main`
    ok      checks    on the merged code: test ok
    passed  commit [id] for a may land on `main`
    -- exit 0
    ");
    sandbox.git(&["push", "-q", "origin", "invisigoth/a", "refs/invisigoth/attempts"]);
    let runner = Runner::new(&sandbox);
    let far = runner.json(&["ci", "verify", "origin/invisigoth/a"]);
    assert_eq!(point(&far, "record"), ["warn attempt 1 is not in this clone"]);
    assert_eq!(far["passed"], true);
    let near = runner.json(&["ci", "verify", "--remote", "origin", &sandbox.id("invisigoth/a")]);
    assert_eq!(point(&near, "record"), ["ok attempt 1, 1 round, mock"]);
}

/// Makes a commit that is to be refused.
type Make = fn(&Sandbox) -> String;

/// What it is, how it is made, and the exit code, point and words that it gets.
const NO_CANDIDATES: [(&str, Make, i32, &str, &str); 17] = [
    (
        "a commit too many",
        |s| {
            let a = forge(s, &["invisigoth/a"], |m| m);
            forge(s, &[&a], |m| m)
        },
        1,
        "commit",
        "failed 3 commits that `main` has not",
    ),
    (
        "a merge",
        |s| forge(s, &["main", "invisigoth/a"], |m| m),
        1,
        "commit",
        "failed it has 2 parents",
    ),
    (
        "no parent",
        |s| forge(s, &[], |m| m),
        1,
        "commit",
        "failed it has 0 parents",
    ),
    (
        "the target",
        |s| s.id("main"),
        1,
        "commit",
        "failed it is part of `main` already",
    ),
    (
        "no goal",
        |s| forge(s, &["main"], |m| m.replace("Goal: a\n", "")),
        1,
        "trailers",
        "failed `Goal:` is missing",
    ),
    (
        "two goals",
        |s| forge(s, &["main"], |m| m.replace("Goal: a\n", "Goal: a\nGoal: b\n")),
        1,
        "trailers",
        "failed `Goal:` is there 2 times",
    ),
    (
        "no attempt",
        |s| forge(s, &["main"], |m| m.replace("Attempt: 1", "Attempt: one")),
        1,
        "trailers",
        "failed `Goal:` or `Attempt:` cannot",
    ),
    (
        "no model",
        |s| forge(s, &["main"], |m| m.replace("Assisted-by", "Written-by")),
        1,
        "trailers",
        "failed `Assisted-by:` is missing",
    ),
    (
        "what landed",
        |s| forge(s, &["main"], |m| m.trim_end().to_owned() + "\nLanded: a 1234\n"),
        1,
        "trailers",
        "failed `Landed:` says what landed",
    ),
    (
        "another goal",
        |s| forge(s, &["main"], |m| m.replace("Goal: a\n", "Goal: zzz\n")),
        1,
        "goal",
        "failed there is no goal zzz",
    ),
    (
        "another wording",
        |s| {
            s.write(
                "memory/pending_goals.json",
                s.read("memory/pending_goals.json").replace("Goal a", "Goal A"),
            );
            s.id("invisigoth/a")
        },
        1,
        "goal",
        "failed it was reworded since",
    ),
    (
        "a held goal",
        |s| {
            s.ok(&["hold", "a"]);
            s.id("invisigoth/a")
        },
        5,
        "goal",
        "held it is held",
    ),
    (
        "a denied path",
        |s| {
            s.write(".github/x.yml", "x");
            s.git(&["add", ".github"]);
            forge(s, &["main"], |m| m)
        },
        1,
        "paths",
        "failed .github/x.yml: ",
    ),
    (
        "a held path",
        |s| {
            s.write("check.sh", "exit 0\n");
            s.git(&["add", "check.sh"]);
            forge(s, &["main"], |m| m.replace("Attempt: 1", "Attempt: 7"))
        },
        5,
        "paths",
        "held check.sh: ",
    ),
    (
        "other code",
        |s| {
            s.write("b.txt", "x");
            s.git(&["add", "b.txt"]);
            forge(s, &["main"], |m| m)
        },
        1,
        "record",
        "failed attempt 1 came to other code",
    ),
    (
        "a conflict",
        |s| {
            s.write("a.txt", "mine\n");
            s.commit("mine");
            s.id("invisigoth/a")
        },
        1,
        "merge",
        "failed a.txt: conflicts with what `main`",
    ),
    (
        "a red check",
        |s| {
            s.write("bad", "x");
            s.git(&["add", "bad"]);
            forge(s, &["main"], |m| m.replace("Attempt: 1", "Attempt: 7"))
        },
        1,
        "checks",
        "failed on the merged code test: exit 1 `sh check.sh`",
    ),
];

#[test]
fn what_is_no_candidate_is_named() {
    let mut sandbox = with_candidate();
    let mut before = sandbox.id("main");
    for (what, make, code, name, says) in NO_CANDIDATES {
        let commit = make(&sandbox);
        let ran = sandbox.run(&["--json", "ci", "verify", &commit]);
        assert_eq!(ran.code, code, "{what}: {}{}", ran.stdout, ran.stderr);
        let said: Value = serde_json::from_str(&ran.stdout).unwrap();
        let found = point(&said, name);
        assert!(
            found.iter().any(|found| found.starts_with(says)),
            "{what}: {found:?} in {said}"
        );
        assert_eq!(said["passed"], false, "{what}");
        match what {
            "a conflict" | "a held goal" | "another wording" => {
                sandbox = with_candidate();
                before = sandbox.id("main");
            }
            _ => {
                assert_eq!(sandbox.id("main"), before, "{what}");
                sandbox.git(&["reset", "-q", "--hard"]);
            }
        }
    }
}

#[test]
fn what_cannot_be_judged_at_all_is_an_error() {
    let sandbox = with_candidate();
    let unknown = sandbox.run(&["ci", "verify", "nowhere"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.stderr.contains("`nowhere` names no commit here"),
        "{}",
        unknown.stderr
    );
    sandbox.write("invisigoth.toml", "");
    sandbox.commit("no checks");
    let none = sandbox.run(&["ci", "verify", "invisigoth/a"]);
    assert_eq!(none.code, 7, "{}", none.stderr);
}

#[test]
fn in_actions_what_is_wrong_is_annotated_and_summed_up() {
    let sandbox = with_candidate();
    sandbox.write("bad", "x");
    sandbox.write(".github/a,b.yml", "x");
    sandbox.git(&["add", "bad", ".github"]);
    let summary = sandbox.home().join("summary");
    let env = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let denied = forge(&sandbox, &["main"], |m| m);
    let ran = sandbox.run_with(&["ci", "verify", &denied], &env);
    let annotation = "::error file=.github/a%2Cb.yml,title=invisigoth%3A paths::";
    assert!(
        ran.stderr.lines().any(|line| line.starts_with(annotation)),
        "{}",
        ran.stderr
    );
    assert!(!ran.stdout.contains("checks"), "nothing of it ran: {}", ran.stdout);
    sandbox.git(&["rm", "-q", "--cached", ".github/a,b.yml"]);
    let red = forge(&sandbox, &["main"], |m| m.replace("Attempt: 1", "Attempt: 7"));
    let ran = sandbox.run_with(&["ci", "verify", &red], &env);
    assert!(ran.stderr.contains("%0Abad is there"), "{}", ran.stderr);
    let summary = fs::read_to_string(&summary).unwrap();
    assert!(
        summary.contains("| failed | checks | on the merged code test: exit 1"),
        "{summary}"
    );
    assert!(summary.contains("````text\nbad is there\n````"), "{summary}");
    assert_eq!(summary.matches("### Candidate").count(), 2);
    // Elsewhere these are no commands.
    assert!(!sandbox.run(&["ci", "verify", &red]).stderr.contains("::error"));
}

#[test]
fn landing_takes_what_others_pushed_and_nothing_twice() {
    let sandbox = with_candidate();
    sandbox.git(&["push", "-q", "origin", "invisigoth/a", "refs/invisigoth/attempts"]);
    let runner = Runner::new(&sandbox);
    let alone = runner.run(&["ci", "land"]);
    assert_eq!((alone.code, alone.stdout.as_str()), (0, ""));
    assert!(alone.stderr.contains("no candidate waits"), "{}", alone.stderr);
    let landed = runner.json(&["ci", "land", "--remote", "origin"]);
    assert_eq!(landed["goals"][0]["state"], "landed", "{landed}");
    assert_eq!(
        runner.json(&["show", "a"])["record"]["attempts"],
        1,
        "what it took came with it"
    );
    sandbox.git(&["fetch", "-q", "origin"]);
    assert_eq!(sandbox.landings("origin/main"), ["a"]);
    let there = sandbox.git(&["ls-remote", "origin"]);
    assert!(
        there.contains("refs/notes/invisigoth") && !there.contains("refs/heads/invisigoth/"),
        "{there}"
    );
    let again = runner.run(&["ci", "land", "--remote", "origin"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
    // A job that an engine starts a second time finds its goal done.
    assert_eq!(runner.run(&["run", "a"]).code, 0);
    sandbox.assert_sound();
}

#[test]
fn a_candidate_that_does_not_fit_any_more_ends_with_3() {
    let sandbox = with_candidate();
    sandbox.write("a.txt", "mine\n");
    sandbox.commit("mine");
    let ran = sandbox.run(&["ci", "land"]);
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.ends_with("0 landed · 0 failed · 1 evicted\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("git invisigoth run a"), "{}", ran.stderr);
}
