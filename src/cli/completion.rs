//! Completion: what may stand at a place of the command line, and the scripts by which shells ask for it.
//!
//! The scripts know nothing: they hand over the words to `git-invisigoth complete`. A goal's id comes with its first line;
//! only files of this clone are read, and what goes wrong is no candidate.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::{self, ArgValueCompleter, CompletionCandidate};
use eyre::{Result, WrapErr as _, eyre};

use crate::{
    cli::{
        args::{
            Cli,
            complete::{Complete, Completion, Shell},
        },
        open::Opened,
    },
    commands::list,
    door::{clock::SystemClock, env::Env, fs},
    engine::session::Session,
    event::{Event, Sink},
    schedule::State,
    settings::keys::{KEYS, Key, KeyKind},
};

/// The name by which arguments that are goals go.
const GOAL: &str = "ID";

/// Most candidates for an id: more are no help, and a shell takes its time with them.
const MOST: usize = 200;

/// Which goals a command is for; all that are open where it is not listed.
const STATES: &[(&str, &[State])] = &[
    ("approve", &[State::Proposed, State::Rejected]),
    ("diff", &State::ALL),
    (
        "hold",
        &[
            State::Running,
            State::Candidate,
            State::Ready,
            State::Blocked,
            State::Failed,
            State::Parked,
            State::Held,
        ],
    ),
    ("logs", &State::ALL),
    ("merge", &[State::Candidate, State::Held]),
    ("release", &[State::Held]),
    ("retry", &[State::Failed, State::Parked]),
    ("run", &[State::Ready, State::Failed, State::Parked, State::Blocked]),
    ("show", &State::ALL),
    ("undo", &[State::Landed]),
];

/// Returns the script of `shell`.
pub fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../templates/completion/git-invisigoth.bash"),
        Shell::Zsh => include_str!("../../templates/completion/_git-invisigoth"),
        Shell::Fish => include_str!("../../templates/completion/git-invisigoth.fish"),
    }
}

/// Prints the script, or writes it where the shell looks for it.
///
/// # Errors
/// Without a home folder, or where it cannot be written.
pub fn run(at: &Opened, args: &Completion) -> Result<u8> {
    if !args.install {
        at.ui.print(script(args.shell));
        return Ok(0);
    }
    let path = place(&at.env, args.shell).ok_or_else(|| eyre!("there is no HOME to write below"))?;
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write_atomic(&path, script(args.shell).as_bytes()).wrap_err_with(|| format!("writing {}", path.display()))?;
    at.ui.print(&format!("{}\n", path.display()));
    at.ui.say(&match args.shell {
        Shell::Bash => "new shells complete it, where bash-completion is installed".to_owned(),
        Shell::Fish => "new shells complete it".to_owned(),
        Shell::Zsh => {
            let folder = path.parent().unwrap_or(Path::new("")).display();
            format!("where it is not there yet, put this before `compinit` in .zshrc: fpath=({folder} $fpath)")
        }
    });
    Ok(0)
}

/// Where each shell looks for what a user installs; zsh has no such place, so its folder must be named to it.
fn place(env: &Env, shell: Shell) -> Option<PathBuf> {
    Some(match shell {
        Shell::Bash => env.data_home()?.join("bash-completion/completions/git-invisigoth"),
        Shell::Zsh => env.data_home()?.join("zsh/site-functions/_git-invisigoth"),
        // What is in `completions/` is read for a command of that name only, and this one is also for `git`.
        Shell::Fish => env.config_home()?.join("fish/conf.d/git-invisigoth.fish"),
    })
}

/// Prints what may stand at the place that the shell asks of; nothing is an answer, too. Returns the exit code.
pub fn complete(opened: &Opened, args: Complete) -> u8 {
    opened.ui.print(&candidates(opened, args.at, args.words));
    0
}

/// Returns what may stand at place `at` of `words`, a line each: the word, and behind a tab what it means.
fn candidates(opened: &Opened, at: usize, words: Vec<OsString>) -> String {
    let place = place_of(&opened.place, &words);
    let typed = words.iter().filter_map(|word| word.to_str().map(str::to_owned));
    let mut command = completing(&Asked {
        env: opened.env.clone(),
        place: place.clone(),
        typed: typed.collect(),
    });
    let mut words = words;
    words.resize(words.len().max(at + 1), OsString::new());
    let is_begun = words.get(at).is_some_and(|word| !word.is_empty());
    let mut found = engine::complete(&mut command, words, at, Some(&place)).unwrap_or_default();
    // Options come when a hyphen asks for them, unless there is nothing else.
    let is_option = |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().starts_with(b"-");
    if !is_begun && !found.iter().all(is_option) {
        found.retain(|candidate| !is_option(candidate));
    }
    let line = |candidate: &CompletionCandidate| {
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.lines().next().unwrap_or_default();
        format!("{}\t{help}\n", candidate.get_value().to_string_lossy())
    };
    found.iter().map(line).collect()
}

/// The folder that `-C` leads to.
fn place_of(start: &Path, words: &[OsString]) -> PathBuf {
    let pairs = words.windows(2).filter_map(|pair| match pair {
        [flag, dir] if flag == "-C" => Some(dir),
        _ => None,
    });
    pairs.fold(start.to_owned(), |place, dir| place.join(dir))
}

/// Where a goal is looked for, and what the whole line says.
#[derive(Clone)]
struct Asked {
    env: Env,
    place: PathBuf,
    typed: Vec<String>,
}

/// What a shell asks for is no place for news.
struct Silent;

impl Sink for Silent {
    fn emit(&self, _: &Event) {}
}

/// The commands without those that only git and shells call, and with goals where ids stand.
fn completing(asked: &Asked) -> Command {
    let all = Cli::command();
    let verbs = all.get_subcommands().filter(|verb| !verb.is_hide_set());
    let verbs = verbs.map(|verb| {
        let states = STATES.iter().find(|(name, _)| *name == verb.get_name());
        let states = states.map_or(&[][..], |(_, states)| states);
        filled(verb.clone(), asked, states)
    });
    let global = all.get_arguments().filter(|arg| arg.is_global_set());
    Command::new("git-invisigoth")
        .args(global.map(|arg| with_candidates(arg.clone(), asked, &[])))
        .subcommands(verbs)
}

/// A command and those below it, with what may stand at each place.
fn filled(verb: Command, asked: &Asked, states: &'static [State]) -> Command {
    verb.mut_args(|arg| with_candidates(arg, asked, states))
        .mut_subcommands(|below| filled(below, asked, states))
}

fn with_candidates(arg: Arg, asked: &Asked, states: &'static [State]) -> Arg {
    let name = arg.get_value_names().and_then(|names| names.first()).cloned();
    let asked = asked.clone();
    match name.as_deref().unwrap_or_default() {
        // The id of a new goal is none that is there.
        GOAL if arg.get_id() != "id" || arg.is_positional() => arg.add(ArgValueCompleter::new(move |start: &OsStr| {
            goals(&asked, start, states).unwrap_or_default()
        })),
        "KEY" => arg.add(ArgValueCompleter::new(|start: &OsStr| keys(start, ""))),
        "VALUE" => arg.add(ArgValueCompleter::new(move |start: &OsStr| {
            let key = asked.typed.iter().rev().find_map(|word| key_of(word));
            key.map_or(Vec::new(), |key| values(key, start, ""))
        })),
        "SECTION.KEY=VALUE" => arg.add(ArgValueCompleter::new(pairs)),
        _ => arg,
    }
}

fn key_of(word: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == word)
}

/// The settings whose names begin so, with `end` behind each.
fn keys(start: &OsStr, end: &str) -> Vec<CompletionCandidate> {
    let start = start.to_str().unwrap_or("\n");
    let fits = KEYS.iter().filter(|key| key.name.starts_with(start));
    fits.map(|key| CompletionCandidate::new([key.name, end].concat()).help(Some(key.help.into())))
        .collect()
}

/// The words that a setting can have, with `front` before each.
fn values(key: &Key, start: &OsStr, front: &str) -> Vec<CompletionCandidate> {
    let words: &[&str] = match key.kind {
        KeyKind::Word(words) => words,
        KeyKind::Flag => &["true", "false"],
        KeyKind::Text | KeyKind::List | KeyKind::Count | KeyKind::Dollars => &[],
    };
    let start = start.to_str().unwrap_or("\n");
    let fits = words.iter().filter(|word| word.starts_with(start));
    fits.map(|word| CompletionCandidate::new([front, word].concat()))
        .collect()
}

/// What may be given to `--set`: a setting, and behind the sign its words.
fn pairs(start: &OsStr) -> Vec<CompletionCandidate> {
    let Some((key, value)) = start.to_str().and_then(|typed| typed.split_once('=')) else {
        return keys(start, "=");
    };
    key_of(key).map_or(Vec::new(), |known| {
        values(known, OsStr::new(value), &[key, "="].concat())
    })
}

fn goals(asked: &Asked, start: &OsStr, states: &[State]) -> Result<Vec<CompletionCandidate>> {
    let start = start.to_str().ok_or_else(|| eyre!("no goal's id"))?;
    let session = Session::open(
        &asked.place,
        asked.env.clone(),
        Arc::new(SystemClock),
        Arc::new(Silent),
        &[],
    )?;
    let known = list::run(
        &session,
        &list::Request {
            states: states.to_vec(),
        },
    )?;
    let fits = known.goals.iter().filter(|row| row.goal.as_str().starts_with(start));
    let candidate = |row: &list::Row| {
        let about = format!("{}: {}", row.state, row.description);
        CompletionCandidate::new(row.goal.as_str()).help(Some(about.into()))
    };
    Ok(fits.take(MOST).map(candidate).collect())
}
