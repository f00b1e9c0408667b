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
            complete::{Completion, Shell},
        },
        open::Opened,
    },
    commands::list,
    door::{clock::SystemClock, env::Env, fs},
    engine::session::Session,
    event::{Event, Sink},
    schedule::State,
};

/// The name by which arguments that are goals go.
const GOAL: &str = "ID";

/// Most candidates for an id: more are no help, and a shell takes its time with them.
const MOST: usize = 200;

/// Which goals a command is for; all that are open where it is not listed.
const STATES: &[(&str, &[State])] = &[
    ("approve", &[State::Proposed]),
    ("merge", &[State::Candidate, State::Held]),
    ("retry", &[State::Failed, State::Blocked]),
    ("undo", &[State::Landed]),
    ("replay", &[State::Landed]),
    ("verify", &[State::Landed]),
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

/// Returns what may stand at place `at` of `words`, a line each: the word, and behind a tab what it means.
pub fn candidates(opened: &Opened, at: usize, words: Vec<OsString>) -> String {
    let place = place_of(&opened.place, &words);
    let mut command = completing(&Asked {
        env: opened.env.clone(),
        place: place.clone(),
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

/// Where a goal is looked for.
#[derive(Clone)]
struct Asked {
    env: Env,
    place: PathBuf,
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
        verb.clone().mut_args(|arg| with_goals(arg, asked, states))
    });
    Command::new("git-invisigoth")
        .args(all.get_arguments().filter(|arg| arg.is_global_set()))
        .subcommands(verbs)
}

fn with_goals(arg: Arg, asked: &Asked, states: &'static [State]) -> Arg {
    let is_goal = |names: &[clap::builder::Str]| names.iter().any(|name| name == GOAL);
    if !arg.get_value_names().is_some_and(is_goal) {
        return arg;
    }
    let asked = asked.clone();
    arg.add(ArgValueCompleter::new(move |start: &OsStr| {
        goals(&asked, start, states).unwrap_or_default()
    }))
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
