//! Help: the command line as clap reads it, with the commands by family, so that a newcomer meets first what he needs first.
//!
//! Owns the order of `git invisigoth help`, and no words about any command: those are in `cli::args`.

use std::ffi::OsString;

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::args::Cli;

/// The commands by family. Those of the last one are listed by clap, with its own `help`.
const FAMILIES: &[(&str, &[&str])] = &[
    ("Every day", &["init", "add", "plan", "run", "status", "show"]),
    ("Decide", &["merge", "approve", "reject", "hold", "release", "retry"]),
    ("Change goals", &["edit", "comment", "drop", "import", "export"]),
    (
        "Look closer",
        &[
            "list", "diff", "log", "logs", "report", "cost", "prompt", "context", "template",
        ],
    ),
    ("Steer a run", &["pause", "resume", "stop", "budget", "serve"]),
    (
        "What landed",
        &[
            "undo",
            "adopt",
            "settle",
            "verify",
            "replay",
            "rebuild",
            "provenance",
            "evolve",
        ],
    ),
    ("Other machines", &["sync", "hooks", "ci", "service", "mcp"]),
    (
        "Set up and try out",
        &["demo", "doctor", "config", "models", "check", "apply"],
    ),
    (HELP, &["completion", "man"]),
];

const HELP: &str = "Help";

/// Columns of a command's name, its gap included.
const NAME: usize = 12;

/// Reads a command line.
///
/// # Errors
/// As clap does, help and version among them.
pub fn read(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    Cli::from_arg_matches(&matches)
}

/// Returns the command of a line that could not be read, where there is one on it.
pub fn verb_of(arguments: &[OsString]) -> Option<String> {
    let all = Cli::command();
    let typed = arguments.iter().skip(1).filter_map(|word| word.to_str());
    let mut verbs = typed.filter_map(|word| all.find_subcommand(word).filter(|verb| !verb.is_hide_set()));
    verbs.next().map(|verb| verb.get_name().to_owned())
}

/// Returns the command as it is parsed and shown.
pub fn command() -> Command {
    let all = Cli::command();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}{{all-args}}{{after-help}}",
        families(&all)
    );
    all.help_template(template)
        .subcommand_help_heading(HELP)
        .after_help("`git invisigoth help COMMAND` tells more, `git invisigoth --help` opens the manual.")
        .mut_subcommands(|verb| {
            let is_listed = is_of(HELP, verb.get_name()) || verb.is_hide_set();
            if is_listed { verb } else { verb.hide(true) }
        })
}

/// True where a tip of clap names a command that is not shown.
pub fn names_hidden(tip: &str) -> bool {
    let all = Cli::command();
    let mut hidden = all.get_subcommands().filter(|verb| verb.is_hide_set());
    hidden.any(|verb| tip.contains(&format!("'{}'", verb.get_name())))
}

fn is_of(family: &str, verb: &str) -> bool {
    FAMILIES
        .iter()
        .any(|(name, verbs)| *name == family && verbs.contains(&verb))
}

fn families(all: &Command) -> String {
    let mut text = String::new();
    for (family, verbs) in FAMILIES.iter().filter(|(family, _)| *family != HELP) {
        text.extend([family, ":\n"]);
        for verb in verbs.iter().filter_map(|verb| all.find_subcommand(verb)) {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            text.extend([&format!("  {:NAME$}", verb.get_name()), about.as_str(), "\n"]);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_one_family_and_fits_its_line() {
        let all = Cli::command();
        let shown = all.get_subcommands().filter(|verb| !verb.is_hide_set());
        let mut shown: Vec<&str> = shown.map(Command::get_name).collect();
        let mut listed: Vec<&str> = FAMILIES.iter().flat_map(|(_, verbs)| verbs.iter().copied()).collect();
        shown.sort_unstable();
        listed.sort_unstable();
        assert_eq!(listed, shown);
        let help = command().render_help().to_string();
        for verb in all.get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let about = verb.get_about().unwrap().to_string();
            let line = format!("  {:NAME$}{about}\n", verb.get_name());
            assert_eq!(help.matches(&line).count(), 1, "{line}{help}");
            assert!(line.len() <= 81, "{line}");
        }
        assert!(!help.contains("merge-driver"), "{help}");
    }

    #[test]
    fn a_command_that_is_listed_by_us_has_its_own_help_and_is_suggested() {
        let said = |line: &[&str]| {
            let line: Vec<OsString> = line.iter().map(OsString::from).collect();
            read(&line).unwrap_err().to_string()
        };
        let help = said(&["git-invisigoth", "help", "status"]);
        assert!(help.contains("git invisigoth status [OPTIONS]"), "{help}");
        let unknown = said(&["git-invisigoth", "statu"]);
        assert!(unknown.contains("'status'"), "{unknown}");
    }
}
