//! `doctor`: every precondition, and what mends it.

use std::fs;

use insta::assert_snapshot;

use serde_json::json;

use crate::{
    models::{asking, listed},
    support::{
        Ran, Sandbox,
        server::{Scripted, Server, nobody},
        shown::shown,
    },
};

const KEY: &str = "sk-canary-0a1b2c3d4e5f";

/// The rows about who answers, from `provider` to `cap`, and the exit code.
fn rows(sandbox: &Sandbox, url: &str, key: &str, args: &[&str]) -> String {
    let ran = sandbox.run_with(&[&["doctor"], args].concat(), &[(key, KEY)]);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(KEY), "{}", ran.stdout);
    let lines = ran.stdout.lines();
    let rows: Vec<&str> = lines
        .skip_while(|line| !line.contains("provider    "))
        .take_while(|line| !line.contains("cap         "))
        .collect();
    format!("{}\n-- exit {}", rows.join("\n").replace(url, "[url]"), ran.code)
}

fn credit(left: &serde_json::Value) -> Scripted {
    let body = json!({ "data": { "label": "sk-or-v1-x", "limit_remaining": left, "is_free_tier": false } });
    Scripted::status(200, &body.to_string())
}

/// Masks what differs between machines: the version of git, the unit of what is free. A `man` that finds nothing and a
/// `bwrap` that may not do its work stand in for the machine's.
fn told(sandbox: &Sandbox, args: &[&str]) -> String {
    let version = sandbox.git(&["--version"]);
    let version = version.trim_start_matches("git version ");
    let mut command = sandbox.invisigoth(args);
    sandbox.with_program(
        "bwrap",
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1",
    );
    command.env("PATH", sandbox.with_program("man", "exit 16"));
    let text = shown(&Ran::of(&command.output().unwrap()), sandbox.home());
    ["MiB", "TiB"]
        .iter()
        .fold(text.replace(version, "[version]"), |text, unit| {
            text.replace(unit, "GiB")
        })
}

#[test]
fn it_shows_every_precondition() {
    let sandbox = Sandbox::ready();
    assert_snapshot!(told(&sandbox, &["doctor"]), @r#"
    ok    git         [version]
    ok    repository  $HOME/repo
    ok    identity    git knows who commits
    ok    branches    invisigoth/<goal> is free for candidates
    ok    operation   no merge or rebase stands half done
    ok    target      main at [id]
    ok    settings    invisigoth.toml is valid on main
    ok    origins     invisigoth.toml: check.test; git config: llm.provider, llm.script
    ok    checks      test `sh check.sh`
    ok    provider    mock: a script; nobody is asked
    ok    script      $HOME/script.json
    ok    cap         none needed: a script costs nothing
    ok    backlog     0 open, 0 landed
    ok    notes       git log shows the records
    ok    rewriting   records follow a rebase or amend
    ok    merging     the merge driver joins memory files
    ok    slots       $HOME/.cache/invisigoth: [n] GiB free
    ok    logs        $HOME/.local/state/invisigoth/[id]/log
    warn  manual      `git invisigoth --help` finds no page
                      fix: git invisigoth man --install
    warn  sandbox     none, as bubblewrap does not work here: setting up uid map: Permission denied: checks run with your rights and can read your files
                      fix: let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings
    18 ok · 2 to know · 0 to mend
    -- exit 0
    "#);
    assert_snapshot!(told(&sandbox, &["--json", "doctor"]), @r#"
    {"schema":"invisigoth.doctor/1","rows":[{"name":"git","state":"ok","detail":"[version]"},{"name":"repository","state":"ok","detail":"$HOME/repo"},{"name":"identity","state":"ok","detail":"git knows who commits"},{"name":"branches","state":"ok","detail":"invisigoth/<goal> is free for candidates"},{"name":"operation","state":"ok","detail":"no merge or rebase stands half done"},{"name":"target","state":"ok","detail":"main at [id]"},{"name":"settings","state":"ok","detail":"invisigoth.toml is valid on main"},{"name":"origins","state":"ok","detail":"invisigoth.toml: check.test; git config: llm.provider, llm.script"},{"name":"checks","state":"ok","detail":"test `sh check.sh`"},{"name":"provider","state":"ok","detail":"mock: a script; nobody is asked"},{"name":"script","state":"ok","detail":"$HOME/script.json"},{"name":"cap","state":"ok","detail":"none needed: a script costs nothing"},{"name":"backlog","state":"ok","detail":"0 open, 0 landed"},{"name":"notes","state":"ok","detail":"git log shows the records"},{"name":"rewriting","state":"ok","detail":"records follow a rebase or amend"},{"name":"merging","state":"ok","detail":"the merge driver joins memory files"},{"name":"slots","state":"ok","detail":"$HOME/.cache/invisigoth: [n] GiB free"},{"name":"logs","state":"ok","detail":"$HOME/.local/state/invisigoth/[id]/log"},{"name":"manual","state":"warn","detail":"`git invisigoth --help` finds no page","fix":"git invisigoth man --install"},{"name":"sandbox","state":"warn","detail":"none, as bubblewrap does not work here: setting up uid map: Permission denied: checks run with your rights and can read your files","fix":"let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings"}]}
    -- exit 0
    "#);
}

#[test]
fn it_says_which_template_of_ones_own_is_wrong_before_a_run_does() {
    let sandbox = Sandbox::ready();
    fs::create_dir_all(sandbox.path(".invisigoth/templates")).unwrap();
    let row = |sandbox: &Sandbox| {
        let rows = sandbox.json(&["doctor"])["rows"].as_array().unwrap().clone();
        let ours = rows.into_iter().filter(|row| row["name"] == "templates");
        ours.map(|row| format!("{} {}", row["state"].as_str().unwrap(), row["detail"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert!(row(&sandbox).is_empty(), "there is none");
    sandbox.write(".invisigoth/templates/goal.md.j2", "# {{ id }}\n{{ descripton }}\n");
    let wrong = ".invisigoth/templates/goal.md.j2 line 2: `descripton` is undefined; did you mean `description`?";
    assert_eq!(row(&sandbox), [format!("warn not committed: {wrong}")]);
    sandbox.commit("templates");
    assert_eq!(row(&sandbox), [format!("fail {wrong}")]);
    assert_eq!(sandbox.run(&["doctor"]).code, 7);
    sandbox.write(".invisigoth/templates/goal.md.j2", "# {{ id }}\n{{ description }}\n");
    let differ = "warn those in your working tree differ; what is committed counts";
    assert_eq!(row(&sandbox), [format!("fail {wrong}"), differ.to_owned()]);
    sandbox.commit("mended");
    assert_eq!(row(&sandbox), ["ok 1 of your own on main, in order"]);
}

#[test]
fn it_names_what_mends_it_and_works_outside_a_repository() {
    let sandbox = Sandbox::bare_git();
    sandbox.git(&["config", "--unset", "user.email"]);
    assert_snapshot!(told(&sandbox, &["doctor"]), @r#"
    ok    git         [version]
    ok    repository  $HOME/repo
    fail  identity    git does not know who you are: user.name or user.email is not set
                      fix: git config user.name "Your Name" && git config user.email you@example.org
    ok    branches    invisigoth/<goal> is free for candidates
    ok    operation   no merge or rebase stands half done
    fail  target      branch `main` has no commit yet
                      fix: `git commit --allow-empty -m "Start"` makes the first one
    ok    slots       $HOME/.cache/invisigoth: [n] GiB free
    ok    logs        $HOME/.local/state/invisigoth/[id]/log
    warn  manual      `git invisigoth --help` finds no page
                      fix: git invisigoth man --install
    warn  sandbox     none, as bubblewrap does not work here: setting up uid map: Permission denied: checks run with your rights and can read your files
                      fix: let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings
    6 ok · 2 to know · 2 to mend
    -- exit 7
    "#);
    assert_snapshot!(told(&Sandbox::empty(), &["doctor"]), @r#"
    ok    git         [version]
    fail  repository  not in a git repository: $HOME/repo
                      fix: `git init` makes one; `git invisigoth demo` needs none
    ok    slots       $HOME/.cache/invisigoth: [n] GiB free
    warn  manual      `git invisigoth --help` finds no page
                      fix: git invisigoth man --install
    warn  sandbox     none, as bubblewrap does not work here: setting up uid map: Permission denied: checks run with your rights and can read your files
                      fix: let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings
    2 ok · 2 to know · 1 to mend
    -- exit 7
    "#);
}

#[test]
fn it_tries_key_credit_model_context_and_price() {
    let server = Server::start(vec![credit(&json!(12.5)), listed()]);
    let sandbox = asking("openrouter", &server.url());
    let large = ["--set", "llm.model=acme/large"];
    assert_snapshot!(rows(&sandbox, &server.url(), "OPENROUTER_API_KEY", &large), @r#"
    ok    provider    openrouter: acme/large
    ok    endpoint    [url]
    ok    key         OPENROUTER_API_KEY is set, and the endpoint answers
    ok    credit      $12.50 are left
    ok    model       acme/large is at the endpoint
    ok    context     200000 tokens hold 32000 of prompt and 16000 of reply
    ok    price       $3.00 in, $15.00 out a million tokens
    -- exit 0
    "#);
    let asked: Vec<String> = server
        .asked()
        .iter()
        .map(|asked| asked.head.lines().next().unwrap().to_owned())
        .collect();
    assert_eq!(asked, ["GET /v1/key HTTP/1.1", "GET /v1/models HTTP/1.1"]);
}

#[test]
fn it_says_what_will_not_do() {
    let server = Server::start(vec![credit(&json!(0)), listed()]);
    let sandbox = asking("openrouter", &server.url());
    let wrong = ["--set", "llm.model=acme/smal"];
    assert_snapshot!(rows(&sandbox, &server.url(), "OPENROUTER_API_KEY", &wrong), @r#"
    ok    provider    openrouter: acme/smal
    ok    endpoint    [url]
    ok    key         OPENROUTER_API_KEY is set, and the endpoint answers
    fail  credit      nothing is left
                      fix: add credit to the provider's account
    fail  model       there is no `acme/smal`
                      fix: perhaps acme/small, acme/small:free
    -- exit 7
    "#);
    let empty = r#"{"error":{"message":"Insufficient credits","code":402}}"#;
    let server = Server::start(vec![Scripted::status(402, empty), listed()]);
    let sandbox = asking("openrouter", &server.url());
    let small = ["--set", "llm.model=acme/small"];
    assert_snapshot!(rows(&sandbox, &server.url(), "OPENROUTER_API_KEY", &small), @r#"
    ok    provider    openrouter: acme/small
    ok    endpoint    [url]
    ok    key         OPENROUTER_API_KEY is set, and the endpoint answers
    fail  credit      the account has no credit left: Insufficient credits
                      fix: add credit to the provider's account, or choose a cheaper `llm.model`
    ok    model       acme/small is at the endpoint
    ok    context     acme/small has 32768 tokens: 16768 of prompt and 16000 of reply
    ok    price       $0.075 in, $0.30 out a million tokens
    -- exit 7
    "#);
    let refusing = Server::start(vec![Scripted::status(
        401,
        r#"{"error":{"message":"No auth credentials found","code":401}}"#,
    )]);
    let sandbox = asking("openrouter", &refusing.url());
    assert_snapshot!(rows(&sandbox, &refusing.url(), "OPENROUTER_API_KEY", &[]), @r#"
    ok    provider    openrouter: openrouter/auto
    ok    endpoint    [url]
    fail  key         OPENROUTER_API_KEY: the provider refuses the key (401): No auth credentials found
                      fix: put a valid key into the environment variable that `llm.key_env` names
    warn  model       openrouter/auto: cannot be looked up
    -- exit 7
    "#);
    assert_eq!(refusing.asked().len(), 1);
}

#[test]
fn offline_it_goes_by_the_list_that_is_kept() {
    let url = nobody();
    let sandbox = asking("openrouter", &url);
    assert_snapshot!(rows(&sandbox, &url, "OPENROUTER_API_KEY", &[]), @r#"
    ok    provider    openrouter: openrouter/auto
    ok    endpoint    [url]
    warn  key         OPENROUTER_API_KEY is set, and was not tried: the provider cannot be reached: Connection refused (os error 111)
    warn  model       openrouter/auto: cannot be looked up
    -- exit 0
    "#);
    let server = Server::start(vec![listed()]);
    let sandbox = asking("openrouter", &server.url());
    sandbox.ok(&["models"]);
    let url = server.url();
    drop(server);
    assert_snapshot!(rows(&sandbox, &url, "OPENROUTER_API_KEY", &[]), @r#"
    ok    provider    openrouter: openrouter/auto
    ok    endpoint    [url]
    warn  key         OPENROUTER_API_KEY is set, and was not tried: the provider cannot be reached: Connection refused (os error 111)
    ok    model       openrouter/auto is in the list that is kept
    ok    context     2000000 tokens hold 32000 of prompt and 16000 of reply
    warn  price       of openrouter/auto is not known before a call
                      fix: git config invisigoth.llm.usd-per-mtok-in X && git config invisigoth.llm.usd-per-mtok-out Y
    -- exit 0
    "#);
}

#[test]
fn anthropics_list_tries_the_key() {
    let body = r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#;
    let server = Server::start(vec![Scripted::status(401, body)]);
    let sandbox = asking("anthropic", &server.url());
    assert_snapshot!(rows(&sandbox, &server.url(), "ANTHROPIC_API_KEY", &[]), @r#"
    ok    provider    anthropic: openrouter/auto
    ok    endpoint    [url]
    fail  key         ANTHROPIC_API_KEY: the provider refuses the key (401): invalid x-api-key
                      fix: put a valid key into the environment variable that `llm.key_env` names
    warn  model       openrouter/auto: cannot be looked up
    -- exit 7
    "#);
}

#[test]
fn ollama_needs_no_key_and_is_free() {
    let body = json!({ "models": [{ "model": "qwen3:latest", "details": { "context_length": 32_768 } }] });
    let server = Server::start(vec![Scripted::status(200, &body.to_string())]);
    let url = server.url().trim_end_matches("/v1").to_owned();
    let sandbox = asking("ollama", &url);
    assert_snapshot!(rows(&sandbox, &url, "OPENROUTER_API_KEY", &["--set", "llm.model=qwen3"]), @r#"
    ok    provider    ollama: qwen3
    ok    endpoint    [url]
    ok    key         ollama needs none
    ok    model       qwen3:latest is at the endpoint
    ok    context     qwen3:latest has 32768 tokens: 16768 of prompt and 16000 of reply
    ok    price       free
    -- exit 0
    "#);
}

#[test]
fn both_examples_copied_leave_nothing_to_mend_but_the_key() {
    let sandbox = Sandbox::new();
    for (example, name) in [("invisigoth.toml.example", "invisigoth.toml"), (".env.example", ".env")] {
        let text = fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(example)).unwrap();
        sandbox.write(name, text.replace("\n# test = []\n", "\ntest = [\"sh check.sh\"]\n"));
    }
    sandbox.write(".gitignore", ".env\n");
    sandbox.commit("settings");
    sandbox.ok(&["init", "--yes"]);
    let complaints = |path: &std::ffi::OsStr| {
        let ran = Ran::of(&sandbox.invisigoth(&["doctor"]).env("PATH", path).output().unwrap());
        let lines = ran.stdout.lines().filter(|line| !line.starts_with("ok "));
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        format!("{text}-- exit {}", ran.code)
    };
    // Once the program is installed, `man` finds its page; and this is about no machine's own bubblewrap.
    sandbox.with_program("bwrap", "exit 0");
    let path = sandbox.with_program("man", "exit 0");
    assert_snapshot!(complaints(&path), @r"
    fail  key         there is no key for openrouter.ai: `OPENROUTER_API_KEY` is not set
                      fix: write it into .env, behind OPENROUTER_API_KEY=
    19 ok · 0 to know · 1 to mend
    -- exit 7
    ");
    fs::remove_file(sandbox.path(".env")).unwrap();
    assert_snapshot!(complaints(&path), @r"
    fail  key         there is no key for openrouter.ai: `OPENROUTER_API_KEY` is not set
                      fix: export it, or write it into an untracked .env; `git invisigoth demo` needs none
    19 ok · 0 to know · 1 to mend
    -- exit 7
    ");
}
