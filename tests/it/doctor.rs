//! `doctor`: every precondition, and what mends it.

use insta::assert_snapshot;

use crate::support::{Ran, Sandbox, shown::shown};

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
    ok    provider    mock: a script
    ok    script      $HOME/script.json
    ok    cap         none needed: a script costs nothing
    ok    backlog     0 open goals, 0 landed
    ok    notes       git log shows the records
    ok    rewriting   records follow a rebase or amend
    ok    merging     the merge driver joins memory files
    ok    slots       $HOME/.cache/invisigoth: [n] GiB free
    warn  manual      `git invisigoth --help` finds no page
                      fix: git invisigoth man --install
    warn  sandbox     none, as bubblewrap does not work here: setting up uid map: Permission denied: checks run with your rights and can read your files
                      fix: let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings
    17 ok · 2 to know · 0 to mend
    -- exit 0
    "#);
    assert_snapshot!(told(&sandbox, &["--json", "doctor"]), @r#"
    {"schema":"invisigoth.doctor/1","rows":[{"name":"git","state":"ok","detail":"[version]"},{"name":"repository","state":"ok","detail":"$HOME/repo"},{"name":"identity","state":"ok","detail":"git knows who commits"},{"name":"branches","state":"ok","detail":"invisigoth/<goal> is free for candidates"},{"name":"operation","state":"ok","detail":"no merge or rebase stands half done"},{"name":"target","state":"ok","detail":"main at [id]"},{"name":"settings","state":"ok","detail":"invisigoth.toml is valid on main"},{"name":"origins","state":"ok","detail":"invisigoth.toml: check.test; git config: llm.provider, llm.script"},{"name":"checks","state":"ok","detail":"test `sh check.sh`"},{"name":"provider","state":"ok","detail":"mock: a script"},{"name":"script","state":"ok","detail":"$HOME/script.json"},{"name":"cap","state":"ok","detail":"none needed: a script costs nothing"},{"name":"backlog","state":"ok","detail":"0 open goals, 0 landed"},{"name":"notes","state":"ok","detail":"git log shows the records"},{"name":"rewriting","state":"ok","detail":"records follow a rebase or amend"},{"name":"merging","state":"ok","detail":"the merge driver joins memory files"},{"name":"slots","state":"ok","detail":"$HOME/.cache/invisigoth: [n] GiB free"},{"name":"manual","state":"warn","detail":"`git invisigoth --help` finds no page","fix":"git invisigoth man --install"},{"name":"sandbox","state":"warn","detail":"none, as bubblewrap does not work here: setting up uid map: Permission denied: checks run with your rights and can read your files","fix":"let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings"}]}
    -- exit 0
    "#);
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
    warn  manual      `git invisigoth --help` finds no page
                      fix: git invisigoth man --install
    warn  sandbox     none, as bubblewrap does not work here: setting up uid map: Permission denied: checks run with your rights and can read your files
                      fix: let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings
    5 ok · 2 to know · 2 to mend
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
