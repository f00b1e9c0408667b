//! Completion in real shells: bash with bash-completion, zsh, fish, each for `git-invisigoth` and, by its own completion of
//! git, for `git invisigoth`, also in another folder by `-C`.
//!
//! Nothing waits for a time: a shell is typed ahead to, and read to the line that it prints last.

use std::process::{Command, Stdio};

use crate::support::Sandbox;

/// What is typed in front of an id that begins with `al`, in the repository or outside of it.
const TYPED: [(&str, bool); 3] = [
    ("git-invisigoth show", true),
    ("git invisigoth show", true),
    ("git -C repo invisigoth show", false),
];

/// A repository with two goals, and the scripts where `completion --install` puts them.
fn ready(shell: &str) -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.goal("alpha", &[]);
    sandbox.goal("al-beta", &[]);
    let binary = sandbox.home().join("bin/git-invisigoth");
    std::fs::create_dir_all(binary.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_git-invisigoth"), &binary).unwrap();
    sandbox.ok(&["completion", shell, "--install"]);
    sandbox
}

/// Runs a script in `shell`; fails where that is not installed.
fn run(sandbox: &Sandbox, shell: &[&str], script: &str, inside: bool) -> String {
    let path = std::env::var("PATH").unwrap();
    let (program, arguments) = shell.split_first().unwrap();
    let mut command: Command = sandbox.command(program);
    command
        .args(arguments)
        .arg("-c")
        .arg(script)
        .env("PATH", format!("{}/bin:{path}", sandbox.home().display()))
        .env("TERM", "dumb")
        .stderr(Stdio::inherit());
    if !inside {
        command.current_dir(sandbox.home());
    }
    let done = command
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install the package {program}"));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn bash_completes_goals() {
    let sandbox = ready("bash");
    for (typed, inside) in TYPED {
        let script = format!(
            r#"source /usr/share/bash-completion/bash_completion || exit
            COMP_LINE="{typed} al" COMP_WORDS=({typed} al) COMP_TYPE=9
            COMP_POINT=${{#COMP_LINE}} COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _completion_loader "${{COMP_WORDS[0]}}"
            [[ $(complete -p "${{COMP_WORDS[0]}}") =~ -F\ ([^ ]+) ]]
            "${{BASH_REMATCH[1]}}" "${{COMP_WORDS[0]}}" al show
            echo "${{COMPREPLY[*]}}""#
        );
        let said = run(&sandbox, &["bash", "--norc"], &script, inside);
        assert_eq!(
            said.split_whitespace().collect::<Vec<_>>(),
            ["al-beta", "alpha"],
            "{typed}"
        );
    }
}

#[test]
fn zsh_completes_goals() {
    let sandbox = ready("zsh");
    for (typed, inside) in TYPED {
        // One Tab completes the only id that fits; the line is then made one that prints itself.
        let script = format!(
            r#"zmodload zsh/zpty || exit
            zpty shell zsh -f -i
            zpty -w shell 'PS1=; fpath=($HOME/.local/share/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D'
            zpty -n -w shell $'{typed} al-\t"\C-aprint -r -- "said $((40 + 2)) \n'
            zpty -r shell line $'*said 42 *\n'
            print -r -- "$line""#
        );
        let said = run(&sandbox, &["zsh", "-f"], &script, inside);
        let line = said.lines().find(|line| line.starts_with("said 42 ")).unwrap_or(&said);
        assert_eq!(line.trim_end(), format!("said 42 {typed} al-beta"), "{said:?}");
    }
}

#[test]
fn fish_completes_goals() {
    let sandbox = ready("fish");
    for (typed, inside) in TYPED {
        let said = run(&sandbox, &["fish"], &format!("complete -C '{typed} al'"), inside);
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines,
            ["al-beta\tready: Goal al-beta", "alpha\tready: Goal alpha"],
            "{typed}"
        );
    }
}
