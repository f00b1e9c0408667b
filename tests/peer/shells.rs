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

/// Words that are no goals: settings, and what they can be.
const WORDS: [(&str, &str, &[&str]); 3] = [
    ("git invisigoth config get", "check.tim", &["check.timeout"]),
    ("git invisigoth config set plan.approve", "a", &["ask", "auto"]),
    ("git invisigoth retry", "al", &[]),
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
    let goals = TYPED.map(|(typed, inside)| (typed, inside, "al", &["al-beta", "alpha"][..]));
    let words = WORDS.map(|(typed, start, fits)| (typed, true, start, fits));
    for (typed, inside, start, fits) in goals.into_iter().chain(words) {
        let script = format!(
            r#"source /usr/share/bash-completion/bash_completion || exit
            COMP_LINE="{typed} {start}" COMP_WORDS=({typed} {start}) COMP_TYPE=9
            COMP_POINT=${{#COMP_LINE}} COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _completion_loader "${{COMP_WORDS[0]}}"
            [[ $(complete -p "${{COMP_WORDS[0]}}") =~ -F\ ([^ ]+) ]]
            "${{BASH_REMATCH[1]}}" "${{COMP_WORDS[0]}}" {start} show
            echo "${{COMPREPLY[*]}}""#
        );
        let said = run(&sandbox, &["bash", "--norc"], &script, inside);
        assert_eq!(said.split_whitespace().collect::<Vec<_>>(), fits, "{typed}");
    }
}

#[test]
fn zsh_completes_goals() {
    let sandbox = ready("zsh");
    let goals = TYPED.map(|(typed, inside)| (typed, inside, "al-", "al-beta"));
    let (typed, start, fits) = WORDS[0];
    for (typed, inside, start, fits) in goals.into_iter().chain([(typed, true, start, fits[0])]) {
        // One Tab completes the only word that fits; the line is then made one that prints itself.
        let script = format!(
            r#"zmodload zsh/zpty || exit
            zpty shell zsh -f -i
            zpty -w shell 'PS1=; fpath=($HOME/.local/share/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D'
            zpty -n -w shell $'{typed} {start}\t"\C-aprint -r -- "said $((40 + 2)) \n'
            zpty -r shell line $'*said 42 *\n'
            print -r -- "$line""#
        );
        let said = run(&sandbox, &["zsh", "-f"], &script, inside);
        let line = said.lines().find(|line| line.starts_with("said 42 ")).unwrap_or(&said);
        assert_eq!(line.trim_end(), format!("said 42 {typed} {fits}"), "{said:?}");
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
    for (typed, start, fits) in WORDS {
        let said = run(&sandbox, &["fish"], &format!("complete -C '{typed} {start}'"), true);
        let words: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(words, fits, "{typed}");
    }
}
