//! Manual pages, made of the arguments, the exit codes and the settings: `git-invisigoth.1`, which has all commands as
//! sections, and a page per command. `git invisigoth --help` opens the first: git asks man, not us.

use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory as _};
use eyre::{Result, WrapErr as _, eyre};

use crate::{
    cli::args::Cli,
    fault::Kind,
    settings::keys::{
        KEYS, Key, KeyKind,
        named::{EXECUTOR_KEYS, METRIC_KEYS},
    },
};

const FILES: &[(&str, &str)] = &[
    (
        "memory/pending_goals.json",
        "the backlog: an array, one goal per line; edit it by hand or with `git invisigoth add`",
    ),
    (
        "memory/inbox/",
        "goals that a branch adds, a file each; a landing moves them into the backlog",
    ),
    (
        "memory/completed_goals.json",
        "goals that landed; written by landing only",
    ),
    (
        "memory/history.json",
        "what each landing took; the same lines are notes on the commits",
    ),
    ("memory/master_prompt.txt", "the start of every prompt; yours to edit"),
    ("invisigoth.toml", "settings of the repository"),
    ("$XDG_CONFIG_HOME/invisigoth/config.toml", "your own settings"),
    (
        "invisigoth/spending.jsonl in the git directory",
        "the ledger: what each call to a model may cost and did",
    ),
    (".env", "may hold the provider's key, where git does not track it"),
    (
        "refs/heads/invisigoth/<goal>",
        "a candidate: one commit whose checks passed and that has not landed",
    ),
    (
        "refs/invisigoth/landed/<target>",
        "what landed while the checked-out target could not move",
    ),
    (
        "refs/invisigoth/attempts",
        "prompts, replies and outputs of every attempt",
    ),
    ("refs/notes/invisigoth", "the records: git log --notes=invisigoth"),
    (
        "refs/invisigoth/variants/",
        "what evolve tried; its numbers are in refs/notes/invisigoth-metrics",
    ),
    (
        "$XDG_CACHE_HOME/invisigoth",
        "slots: the folders in which checks run; lists of models",
    ),
    (
        "$XDG_STATE_HOME/invisigoth/",
        "logs of every repository; `git invisigoth logs` shows them, INVISIGOTH_LOG says what is in them",
    ),
];

const EXAMPLES: &[(&str, &str)] = &[
    ("git invisigoth demo", "Watch it work: no key, no network."),
    ("git invisigoth init", "Make this repository ready."),
    (
        "git invisigoth add 'Parse dates without a time zone' --file src/date.rs --accept '2026-11-22 is read as UTC'",
        "Add a goal; its id is printed.",
    ),
    (
        "git invisigoth run --dry-run",
        "See what would run, and how large its prompt is.",
    ),
    (
        "git invisigoth run --max-usd 2",
        "Work until nothing is ready, for two dollars at most.",
    ),
    (
        "git invisigoth models claude",
        "See which models there are of that name, and their prices.",
    ),
    ("git invisigoth status --json | jq .counts", "Ask from a script."),
    (
        "git log --graph --notes=invisigoth",
        "See what landed, with its records.",
    ),
    (
        "curl ... | git invisigoth apply",
        "Apply a model's reply to the files here.",
    ),
];

/// Returns `git-invisigoth.1`.
///
/// # Errors
/// Never in practice: it is made in memory.
pub fn page() -> Result<String> {
    let command = built();
    let mut page = rendered(|out| man(&command, "git-invisigoth").render_title(out))?;
    page.push_str(&name("git-invisigoth", &command));
    page.push_str(".SH SYNOPSIS\n\\fBgit invisigoth\\fR [\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]\n");
    page.push_str(&description());
    page.push_str(".SH COMMANDS\n");
    for verb in shown(&command) {
        page.push_str(&section(verb));
        page.push_str(&shown(verb).map(section).collect::<String>());
    }
    page.push_str(".SH OPTIONS\n");
    page.push_str(
        &command
            .get_arguments()
            .filter(|arg| arg.is_global_set())
            .map(option)
            .collect::<String>(),
    );
    page.push_str(&settings());
    page.push_str(&items(
        "FILES",
        FILES.iter().map(|(name, about)| (escaped(name), escaped(about))),
    ));
    let codes = Kind::ALL
        .iter()
        .map(|kind| (kind.exit_code().to_string(), escaped(kind.meaning())));
    let done = ("0".to_owned(), "done".to_owned());
    page.push_str(&items("EXIT STATUS", std::iter::once(done).chain(codes)));
    page.push_str(".SH EXAMPLES\n");
    for (line, about) in EXAMPLES {
        page.push_str(&example(line, about));
    }
    page.push_str(".SH SEE ALSO\n\\fBgit\\fR(1), \\fBgit\\-notes\\fR(1), \\fBgit\\-log\\fR(1)\n");
    Ok(page)
}

/// Returns every page with its file's name.
///
/// # Errors
/// As `page`.
pub fn pages() -> Result<Vec<(String, String)>> {
    let mut pages = vec![("git-invisigoth.1".to_owned(), page()?)];
    let command = built();
    for verb in shown(&command) {
        let title = format!("git-invisigoth-{}", verb.get_name());
        let man = man(verb, &title);
        let below: String = shown(verb).map(section).collect();
        let below = if below.is_empty() {
            below
        } else {
            format!(".SH COMMANDS\n{below}")
        };
        let parts = [
            rendered(|out| man.render_title(out))?,
            name(&title, verb),
            format!(".SH SYNOPSIS\n\\fB{}\\fR\n", escaped(&usage(verb))),
            below,
            rendered(|out| man.render_options_section(out))?,
            ".SH SEE ALSO\n\\fBgit\\-invisigoth\\fR(1)\n".to_owned(),
        ];
        pages.push((format!("{title}.1"), parts.concat()));
    }
    Ok(pages)
}

/// Returns where man looks for pages of a program at `file`: `../share/man/man1` beside its folder, without `MANPATH`.
///
/// # Errors
/// Where the program has no folder above its own.
pub fn beside(file: &Path) -> Result<PathBuf> {
    let prefix = file.parent().and_then(Path::parent);
    Ok(prefix
        .ok_or_else(|| eyre!("{} has no folder above its own; say --dir", file.display()))?
        .join("share/man/man1"))
}

fn example(line: &str, about: &str) -> String {
    format!(
        ".PP\n{}\n.PP\n.RS 4\n.nf\n\\fB{}\\fR\n.fi\n.RE\n",
        escaped(about),
        escaped(line)
    )
}

fn man(command: &Command, title: &str) -> clap_mangen::Man {
    let source = format!("git-invisigoth {}", env!("CARGO_PKG_VERSION"));
    // The date is a space, because an empty one is left out and what follows would take its place.
    clap_mangen::Man::new(command.clone())
        .title(title)
        .date(" ")
        .source(source)
        .manual("Git Manual")
}

fn rendered(render: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> Result<String> {
    let mut text = Vec::new();
    render(&mut text).wrap_err("making a manual page")?;
    String::from_utf8(text).wrap_err("making a manual page")
}

fn name(title: &str, command: &Command) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    format!(".SH NAME\n{} \\- {}\n", escaped(title), escaped(&about))
}

fn usage(verb: &Command) -> String {
    let usage = verb.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").to_owned()
}

fn built() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

fn description() -> String {
    let paragraphs = [
        "git invisigoth takes goals out of a backlog in the repository, asks a model for an edit, and runs the project's \
         own lint and tests on it. What fails goes back to the model, a few times. What passes becomes one commit on a \
         branch of its own, and lands when the checks pass on the merged code as well. What it took is recorded in a git \
         note on the commit.",
        "A goal may need other goals: it starts when they have landed. A goal that fails does not stop the others. The \
         working tree and the index of the user are left alone; a checked-out target follows by fast-forward when nobody \
         is at work in it.",
    ];
    let text: String = paragraphs
        .iter()
        .map(|text| format!(".PP\n{}\n", escaped(text)))
        .collect();
    format!(".SH DESCRIPTION\n{text}")
}

fn section(verb: &Command) -> String {
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    // What stands below the first line, where a command has more to say.
    let more = verb.get_long_about().map(ToString::to_string).unwrap_or_default();
    let more = more.strip_prefix(&about).unwrap_or_default().trim();
    let about = [about.as_str(), ". ", more].concat();
    let own = verb
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help"));
    let options: String = own.map(option).collect();
    format!(
        ".SS {}\n{}\n{options}",
        escaped(&usage(verb)),
        escaped(about.trim_end())
    )
}

fn option(arg: &Arg) -> String {
    let flags: Vec<String> = [
        arg.get_short().map(|short| format!("-{short}")),
        arg.get_long().map(|long| format!("--{long}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let takes = arg.get_action().takes_values();
    let value = arg
        .get_value_names()
        .filter(|_| takes)
        .and_then(|names| names.first())
        .map(ToString::to_string);
    let value = value.map(|name| format!("\\fI{}\\fR", escaped(&name)));
    let head = match (flags.is_empty(), value) {
        (true, value) => value.unwrap_or_default(),
        (false, None) => format!("\\fB{}\\fR", escaped(&flags.join(", "))),
        (false, Some(value)) => format!("\\fB{}\\fR {value}", escaped(&flags.join(", "))),
    };
    let mut help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| takes)
        .map(|value| value.get_name().to_owned())
        .collect();
    if !words.is_empty() {
        help = format!("{help}: {}", words.join(", "));
    }
    format!(".TP\n{head}\n{}\n", escaped(&help))
}

fn settings() -> String {
    let intro = "From weak to strong: default, invisigoth.toml as committed, your own config.toml, git config \
                 invisigoth.SECTION.KEY (with - for _), the variable INVISIGOTH_SECTION_KEY, --set SECTION.KEY=VALUE.";
    let executor = EXECUTOR_KEYS.iter().map(|key| {
        let (name, about) = setting(key);
        (format!("executor.NAME.{name}"), about)
    });
    let metric = METRIC_KEYS.iter().map(|key| {
        let (name, about) = setting(key);
        (format!("evolve.metric.NAME.{name}"), about)
    });
    let all = KEYS.iter().map(setting).chain(metric).chain(executor);
    items_with(&format!(".SH SETTINGS\n{}\n", escaped(intro)), all)
}

fn setting(key: &Key) -> (String, String) {
    let kind = match key.kind {
        KeyKind::Text => "text".to_owned(),
        KeyKind::List => "list of texts".to_owned(),
        KeyKind::Count => "number".to_owned(),
        KeyKind::Dollars => "dollars".to_owned(),
        KeyKind::Flag => "true or false".to_owned(),
        KeyKind::Word(words) => words.join(" or "),
    };
    let default = if key.default.is_empty() {
        "none".to_owned()
    } else {
        key.default.to_owned()
    };
    let own = if key.own_only {
        " Does not count in invisigoth.toml: only you may set it."
    } else {
        ""
    };
    let about = format!("{} ({kind}; default {default}).{own}", key.help);
    (escaped(key.name), escaped(&about))
}

fn items(title: &str, items: impl Iterator<Item = (String, String)>) -> String {
    items_with(&format!(".SH {title}\n"), items)
}

fn items_with(head: &str, items: impl Iterator<Item = (String, String)>) -> String {
    let body: String = items
        .map(|(name, about)| format!(".TP\n\\fB{name}\\fR\n{about}\n"))
        .collect();
    format!("{head}{body}")
}

/// Makes text safe for roff: a hyphen is no dash that may break, and no line begins a request.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let lines = text.lines().map(|line| {
        if line.starts_with(['.', '\'']) {
            format!("\\&{line}")
        } else {
            line.to_owned()
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_command_setting_and_exit_code() {
        let page = page().unwrap();
        for verb in shown(&built()) {
            assert!(
                page.contains(&format!(".SS git invisigoth {}", escaped(verb.get_name()))),
                "{}",
                verb.get_name()
            );
        }
        for key in KEYS {
            assert!(page.contains(&format!("\\fB{}\\fR", escaped(key.name))), "{}", key.name);
        }
        for key in EXECUTOR_KEYS {
            assert!(
                page.contains(&format!("\\fBexecutor.NAME.{}\\fR", key.name)),
                "{}",
                key.name
            );
        }
        for kind in Kind::ALL {
            assert!(page.contains(&format!("\\fB{}\\fR\n", kind.exit_code())), "{kind:?}");
        }
        assert!(!page.contains("merge\\-driver"));
    }

    #[test]
    fn no_text_becomes_a_request_of_roff() {
        assert_eq!(
            escaped(".so /etc/passwd\n'x -y \\z"),
            "\\&.so /etc/passwd\n\\&'x \\-y \\ez"
        );
    }
}
