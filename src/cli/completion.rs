//! Completion scripts: clap's, and what they need to complete `git invisigoth` as well as `git-invisigoth`.

use clap::{Command, CommandFactory as _};
use eyre::{Result, WrapErr as _};

use crate::cli::args::{Cli, Shell};

/// git's own completion calls this for `git invisigoth`, also behind `git -C dir` and aliases, with the words in `words`
/// and the command's place in `__git_cmd_idx`. It hands them over as if `git-invisigoth` had been typed.
const BASH: &str = r#"
_git_invisigoth() {
    local at=${__git_cmd_idx:-1}
    local -a COMP_WORDS=(git-invisigoth "${words[@]:at+1}")
    local COMP_CWORD=$((cword - at))
    _git__invisigoth git-invisigoth "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
}
"#;

/// Returns the script of `shell`.
///
/// # Errors
/// Never in practice: it is made in memory.
pub fn script(shell: Shell) -> Result<String> {
    let mut command = shown();
    let mut script = Vec::new();
    let kind = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(kind, &mut command, "git-invisigoth", &mut script);
    let script = String::from_utf8(script).wrap_err("making a completion script")?;
    Ok(match shell {
        // clap_complete 4.6 spells a program's name with a hyphen in two ways, so that nothing below a command is
        // completed (clap issue 6421). Where it is mended this does nothing.
        Shell::Bash => script.replace("git__subcmd__invisigoth", "git__invisigoth") + BASH,
        // git's zsh completion shows this line beside the command's name.
        Shell::Zsh => script.replacen(
            "#compdef git-invisigoth\n",
            "#compdef git-invisigoth\n#description work through a backlog of goals, one checked commit each\n",
            1,
        ),
        Shell::Fish => script,
    })
}

/// The commands without those that only git calls.
fn shown() -> Command {
    let all = Cli::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set());
    Command::new("git-invisigoth")
        .args(all.get_arguments())
        .subcommands(verbs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_is_handed_the_function_that_clap_made() {
        let script = script(Shell::Bash).unwrap();
        for part in [
            "_git__invisigoth() {",
            "\n_git_invisigoth() {",
            "    _git__invisigoth git-invisigoth ",
        ] {
            assert!(script.contains(part), "{part}");
        }
        assert!(!script.contains("merge-driver"));
        assert!(!script.contains("git__subcmd__"));
        assert!(
            super::script(Shell::Zsh)
                .unwrap()
                .starts_with("#compdef git-invisigoth\n#description ")
        );
    }
}
