//! Git hosts: the workflows that `ci init` writes, read by GitHub's own parser and run as GitLab runs them.
//!
//! Not here: what our commands say by themselves, which is `tests/it`.

use std::{env, fs, path::Path, process::Output};

use serde_json::json;

use crate::{
    peers,
    support::{Ran, Sandbox, whole},
};

fn parsed(sandbox: &Sandbox, workflow: &Path) -> Ran {
    let node = peers::find("node");
    let script = peers::find("workflow-parser");
    let output = sandbox
        .command(node.to_str().unwrap())
        .arg(script)
        .arg(workflow)
        .output()
        .unwrap();
    Ran::of(&output)
}

#[test]
fn github_s_own_parser_takes_the_workflow() {
    let sandbox = Sandbox::ready();
    sandbox.ok(&["ci", "init", "github"]);
    let path = sandbox.path(".github/workflows/invisigoth.yml");
    let ran = parsed(&sandbox, &path);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, "plan\ngoal plan\nverify\nland goal plan verify\n");
    let workflow = fs::read_to_string(&path).unwrap();
    for (right, wrong, says) in [
        ("runs-on:", "run-on:", "Unexpected value 'run-on'"),
        (
            "    needs: plan\n",
            "    needs: plam\n",
            "depends on unknown job 'plam'",
        ),
        ("fromJSON(needs", "fromJSON((needs", "Unexpected symbol: 'EOF'"),
    ] {
        assert!(workflow.contains(right), "{right}");
        fs::write(&path, workflow.replacen(right, wrong, 1)).unwrap();
        let ran = parsed(&sandbox, &path);
        assert_eq!(ran.code, 1, "{wrong}: {}", ran.stdout);
        assert!(ran.stderr.contains(says), "{wrong}: {}", ran.stderr);
    }
}

#[test]
fn github_s_own_parser_takes_the_workflow_of_releases() {
    let sandbox = Sandbox::ready();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows/release.yml");
    let ran = parsed(&sandbox, &path);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout, "build\npublish build\n");
}

/// Runs a pipeline of the repository as GitLab does, its jobs as processes here, one after the other.
fn pipeline(sandbox: &Sandbox, source: &str) -> Output {
    // The line of `curl` is what starts the next wave.
    let path = sandbox.with_program("curl", "echo wave >> \"$HOME/waves\"");
    let binary = Path::new(env!("CARGO_BIN_EXE_git-invisigoth"));
    let node = peers::find("node");
    let folders = [binary.parent().unwrap(), node.parent().unwrap()].map(Path::to_owned);
    let path = env::join_paths(env::split_paths(&path).chain(folders)).unwrap();
    sandbox
        .command(node.to_str().unwrap())
        .arg(peers::find("gitlab-ci-local"))
        .args(["--force-shell-executor", "--concurrency", "1"])
        .args(["--variable", &format!("CI_PIPELINE_SOURCE={source}")])
        .env("GCL_IGNORE_PREDEFINED_VARS", "CI_PIPELINE_SOURCE")
        .env("PATH", path)
        .output()
        .unwrap()
}

#[test]
fn gitlab_plans_works_at_goals_and_lands_in_waves() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")], "b": [whole("b.txt", "b\n")], "c": [whole("c.txt", "c\n")]}));
    sandbox.goal("a", &[]);
    sandbox.goal("b", &["a"]);
    sandbox.goal("c", &[]);
    sandbox.ok(&["ci", "init", "gitlab"]);
    sandbox.write(".gitignore", ".gitlab-ci-local/\ninvisigoth-goals.yml\n");
    sandbox.commit("goals");
    sandbox.git(&["init", "-q", "--bare", "-b", "main", "../origin.git"]);
    let origin = sandbox.home().join("origin.git");
    sandbox.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
    sandbox.git(&["push", "-q", "origin", "main"]);
    // What the emulation knows of the project, it reads from an address.
    sandbox.git(&[
        "remote",
        "add",
        "gcl-origin",
        "https://gitlab.example/group/project.git",
    ]);
    for (landed, waves) in [(&["a", "c"][..], 1), (&["a", "c", "b"], 1)] {
        sandbox.git(&["checkout", "-q", "-B", "main", "refs/remotes/origin/main"]);
        let output = pipeline(&sandbox, "web");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        for job in ["invisigoth-plan", "invisigoth-goals", "invisigoth-land"] {
            let passed = said.lines().any(|line| line.contains("PASS") && line.contains(job));
            assert!(passed, "{job}: {said}");
        }
        assert!(!said.contains("FAIL"), "{said}");
        sandbox.git(&["fetch", "-q", "origin"]);
        assert_eq!(sandbox.landings("refs/remotes/origin/main"), landed, "{said}");
        let asked = fs::read_to_string(sandbox.home().join("waves")).unwrap_or_default();
        assert_eq!(asked.lines().count(), waves, "{said}");
    }
    // What each took is at the remote, too.
    let there = sandbox.git(&["ls-remote", "origin"]);
    for name in ["refs/notes/invisigoth", "refs/invisigoth/attempts"] {
        assert!(there.contains(name), "{there}");
    }
    sandbox.assert_sound();
}

#[test]
fn gitlab_judges_a_pushed_candidate_and_lands_it() {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    sandbox.ok(&["ci", "init", "gitlab"]);
    sandbox.write(".gitignore", ".gitlab-ci-local/\n");
    sandbox.commit("goals");
    sandbox.ok(&["run", "--no-merge"]);
    sandbox.git(&["init", "-q", "--bare", "-b", "main", "../origin.git"]);
    let origin = sandbox.home().join("origin.git");
    sandbox.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
    sandbox.git(&["push", "-q", "origin", "main", "invisigoth/a"]);
    sandbox.git(&["switch", "-q", "invisigoth/a"]);
    let output = pipeline(&sandbox, "push");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("may land on `main`"), "{said}");
    assert!(said.contains("landed   a"), "{said}");
    assert_eq!(sandbox.landings("main"), ["a"]);
}
