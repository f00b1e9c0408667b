//! `config`: what counts, where it comes from, and that nothing wrong is written.

use insta::assert_snapshot;

use crate::support::Sandbox;

/// What was run stands in the snapshots only where it is short: the rest is compared.
fn get(sandbox: &Sandbox, key: &str) -> String {
    sandbox.ok(&["config", "get", key]).trim_end().to_owned()
}

#[test]
fn a_setting_is_looked_at_before_it_is_written_and_comments_stay() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(sandbox.shows(&["config", "set", "check.timeout", "60"]), @r"
    set        check.timeout=60
    in         git config --local invisigoth.check.timeout
    now        check.timeout=60  (git config --local invisigoth.check.timeout)
    -- exit 0
    ");
    assert_eq!(sandbox.git(&["config", "invisigoth.check.timeout"]).trim(), "60");
    sandbox.write(
        "invisigoth.toml",
        "# mine\n[check]\ntest = [\"sh check.sh\"] # all of it\n",
    );
    sandbox.commit("Say why");
    assert_snapshot!(sandbox.shows(&["config", "set", "--project", "check.lint", "[\"one\", \"two\"]"]), @r#"
    set        check.lint=["one", "two"]
    in         invisigoth.toml
    now        check.lint=[]  (default)
    note       it counts when invisigoth.toml is committed
    -- exit 0
    "#);
    assert_eq!(
        sandbox.read("invisigoth.toml"),
        "# mine\n[check]\ntest = [\"sh check.sh\"] # all of it\nlint = [\"one\", \"two\"]\n"
    );
    sandbox.commit("Lint");
    assert_eq!(get(&sandbox, "check.lint"), r#"["one", "two"]"#);
    let strong = sandbox.ok(&["--set", "check.timeout=5", "config", "set", "check.timeout", "9"]);
    assert!(
        strong.contains("note       command line, check.timeout is stronger"),
        "{strong}"
    );
    assert_eq!(get(&sandbox, "check.timeout"), "9");
    sandbox.ok(&["config", "unset", "check.timeout"]);
    assert_eq!(get(&sandbox, "Check.TimeOut"), "1800");
    sandbox.ok(&["config", "unset", "--project", "check.lint"]);
    assert!(!sandbox.read("invisigoth.toml").contains("lint"));
    sandbox.ok(&["config", "set", "--global", "executor.mine.cmd", "[\"mine\", \"-\"]"]);
    assert_eq!(get(&sandbox, "executor.mine.cmd"), r#"["mine", "-"]"#);
    assert!(!sandbox.git(&["config", "--local", "--list"]).contains("mine"));
}

#[test]
fn each_setting_names_its_origin() {
    let sandbox = Sandbox::started_with("[check]\ntest = [\"sh check.sh\"]\n[llm]\nbase_url = \"https://elsewhere\"\n");
    sandbox.git(&["config", "invisigoth.llm.model", "one"]);
    let ran = sandbox
        .command(env!("CARGO_BIN_EXE_git-invisigoth"))
        .args(["config", "list", "--show-origin"])
        .env("INVISIGOTH_RUN_MAX_ATTEMPTS", "7")
        .output()
        .unwrap();
    let (said, warned) = (
        String::from_utf8(ran.stdout).unwrap(),
        String::from_utf8(ran.stderr).unwrap(),
    );
    for line in [
        "invisigoth.toml, line 2\tcheck.test=[\"sh check.sh\"]",
        "git config --local invisigoth.llm.model\tllm.model=one",
        "INVISIGOTH_RUN_MAX_ATTEMPTS\trun.max_attempts=7",
        "default\tllm.base_url=https://openrouter.ai/api/v1",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
    assert!(
        warned.contains("warning: invisigoth.toml, line 4: `llm.base_url` does not count in a tracked file"),
        "{warned}"
    );
    let json: serde_json::Value = serde_json::from_str(&sandbox.ok(&["--json", "config", "get", "llm.model"])).unwrap();
    assert_eq!(
        json["settings"][0],
        serde_json::json!({"key": "llm.model", "value": "one", "origin": "git", "place": "git config --local invisigoth.llm.model"})
    );
}

#[test]
fn bad_input_changes_nothing() {
    let sandbox = Sandbox::ready();
    let config = || std::fs::read(sandbox.repo().join(".git/config")).unwrap();
    let (before, file) = (config(), sandbox.read("invisigoth.toml"));
    for (arguments, code, error) in [
        (&["get", "check.tiemout"][..], 2, "did you mean `check.timeout`?"),
        (&["get", "llm.reasoning"], 1, "error: llm.reasoning has no value"),
        (&["set", "check.timeout", "soon"], 2, "must be a whole number"),
        (&["set", "check.timeout", "0"], 2, "must be a whole number from 1"),
        (&["set", "budget.max_usd", "-1"], 2, "must be dollars"),
        (&["set", "check.lint", "[1]"], 2, "must be a list of texts"),
        (&["set", "llm.provider", "nobody"], 2, "must be one of `openrouter`"),
        (&["set", "executor.A/B.cmd", "x"], 2, "cannot be an executor's name"),
        (
            &["set", "--project", "llm.base_url", "https://x"],
            2,
            "does not count in a tracked file",
        ),
        (
            &["set", "--project", "executor.x.cmd", "x"],
            2,
            "does not count in a tracked file",
        ),
        (
            &["set", "--project", "--global", "llm.model", "x"],
            2,
            "cannot be used with",
        ),
        (&["unset", "llm.timeout"], 1, "is not set by `git config --local`"),
        (
            &["unset", "--project", "llm.timeout"],
            1,
            "llm.timeout is not in invisigoth.toml",
        ),
        (&["set", "llm.model"], 2, "required"),
    ] {
        let all: Vec<&str> = ["config"].iter().chain(arguments).copied().collect();
        let ran = sandbox.run(&all);
        assert_eq!(ran.code, code, "{all:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(error), "{all:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{all:?}: {}", ran.stdout);
        assert_eq!(
            (config(), sandbox.read("invisigoth.toml")),
            (before.clone(), file.clone()),
            "{all:?}"
        );
    }
    sandbox.write("invisigoth.toml", "[check\n");
    let ran = sandbox.run(&["config", "set", "--project", "check.lint", "x"]);
    assert_eq!(
        (ran.code, sandbox.read("invisigoth.toml").as_str()),
        (7, "[check\n"),
        "{}",
        ran.stderr
    );
    // What mends broken settings must not need good ones.
    sandbox.git(&["config", "invisigoth.check.timeout", "soon"]);
    assert_eq!(sandbox.run(&["config", "list"]).code, 7);
    sandbox.ok(&["config", "set", "check.timeout", "60"]);
    assert_eq!(get(&sandbox, "check.timeout"), "60");
}
