//! Arguments: what a person may type. Shapes and help only; what they mean is in `cli::dispatch`.

pub mod adopt;
pub mod ci;
pub mod complete;
pub mod config;
pub mod context;
pub mod evolve;
pub mod hooks;
pub mod import;
pub mod logs;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod night;
pub mod plan;
pub mod prompt;
pub mod provenance;
pub mod report;
#[cfg(feature = "web")]
pub mod serve;
pub mod service;
pub mod show;
pub mod status;
pub mod steer;
pub mod sync;
pub mod template;
pub mod undo;
pub mod verify;

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf};

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use crate::{schedule::State, ui::colour::When};

/// Works through a backlog of goals in a git repository, unattended: one checked commit per goal.
#[derive(Parser, Debug)]
#[command(
    name = "git-invisigoth",
    bin_name = "git invisigoth",
    version,
    disable_help_subcommand = false,
    subcommand_value_name = "COMMAND",
    max_term_width = 100
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Options that every command takes.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Work in DIR instead of the current folder
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub place: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but the answer
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more about errors
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto, global = true)]
    pub color: Colour,
    /// Show nothing in a pager
    #[arg(long, global = true)]
    pub no_pager: bool,
    /// Set any setting for this call, such as check.timeout=60
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE", value_parser = pair, global = true)]
    pub set: Vec<(String, String)>,
}

/// When to use colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Colour {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl From<Colour> for When {
    fn from(colour: Colour) -> Self {
        match colour {
            Colour::Auto => Self::Auto,
            Colour::Always => Self::Always,
            Colour::Never => Self::Never,
        }
    }
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Verb {
    /// Make this repository ready: detected checks, an empty backlog
    Init(Init),
    /// Add a goal to the backlog; prints its id
    Add(Add),
    /// Have a model propose goals
    Plan(plan::Plan),
    /// Work through the goals that are ready, one or several at a time
    Run(Run),
    /// Land candidates whose checks pass on the merged code
    Merge(Merge),
    /// Improve the program itself, behind a gate that it cannot weaken
    ///
    /// Goals land only where no watched number gets worse and one gets better, and their program passes its smoke test. Then
    /// it takes the place of the installed one. docs/evolve.md has the setup.
    Evolve(evolve::Evolve),
    /// Take in a branch of somebody: same checks, landing and record
    Adopt(adopt::Adopt),
    /// Show what needs you, what runs, and why the rest waits
    Status(status::Status),
    /// Begin nothing new until `resume`, also in a live run
    ///
    /// What is under way ends first: the call that is awaited, its checks, its landing.
    Pause(steer::Pause),
    /// Take a `pause` back; a run that waits goes on
    Resume,
    /// Have live runs stop, as Ctrl-C in their terminals does
    ///
    /// What is under way ends, nothing new begins, and nothing is lost. Only processes of this machine are told.
    Stop(steer::Stop),
    /// List goals, one a line
    List(List),
    /// Show everything about one goal
    Show(show::Show),
    /// Show what a goal changes
    ///
    /// Its candidate, the commit that landed, or what its last attempt came to.
    Diff(steer::Diff),
    /// Agree to proposed goals
    Approve(steer::Ids),
    /// Say no to goals, for a reason that is remembered
    Reject(steer::Reject),
    /// Let goals wait until they are released
    Hold(steer::Hold),
    /// Let goals that were held be done
    Release(steer::Ids),
    /// Let goals that failed be tried again as they are
    Retry(steer::Retry),
    /// Say something about a goal to whoever works at it next
    Comment(steer::Comment),
    /// Edit a goal in your editor
    Edit(steer::Edit),
    /// Take goals out of the backlog
    Drop(steer::Drop),
    /// List what landed, and what it took
    Log(Log),
    /// Say what came of the runs since last night: landed, failed, spent
    Report(report::Report),
    /// Show what runs said while they worked, or follow it
    ///
    /// Of the newest run, unless told since when. Times are local. The lines stand in files below `XDG_STATE_HOME`; which
    /// of them are written is said by INVISIGOTH_LOG, such as debug or info,provider=debug, which also shows diagnoses on
    /// standard error.
    Logs(logs::Logs),
    /// Add up what goals took, by goal, model or day
    Cost(Cost),
    /// Show the caps on spending and what is spent; or raise one
    Budget(Budget),
    /// Have CI runners and clusters work at goals
    Ci(ci::Ci),
    /// Have systemd run it by itself, at night for instance
    Service(service::Service),
    /// Let other programs feed and work at the backlog, over MCP
    ///
    /// Speaks the Model Context Protocol on standard input and output; docs/mcp.md has the setup of clients. Nothing through
    /// it approves, lands, changes settings or runs commands.
    #[cfg(feature = "mcp")]
    Mcp(mcp::Mcp),
    /// Show everything in a browser, and act on it there
    #[cfg(feature = "web")]
    Serve(serve::Serve),
    /// Run set-up, lint and test on a commit, as a run would
    Check(Check),
    /// Show which lines of the repository a goal or a text is about
    ///
    /// The text is read from standard input. Asks nobody.
    Context(context::Context),
    /// Print the prompt that a goal would get; asks nobody
    Prompt(prompt::Prompt),
    /// Apply a reply from standard input to the files of this folder
    Apply(Apply),
    /// Watch it work in a scratch repository: no key, no network
    ///
    /// The replies are scripted.
    Demo(Demo),
    /// List the models that can be asked, with context and price
    ///
    /// Costs nothing.
    Models(Models),
    /// Check every precondition, and name what mends it
    Doctor,
    /// Unite the replicas of the records: notes and history.json
    Rebuild,
    /// Apply recorded replies again, offline, and compare the code
    ///
    /// Those of landed goals and of candidates; the code must be the same.
    Replay(Replay),
    /// Take landed goals out again, checked like any landing
    ///
    /// They come back as held, until `release`.
    Undo(undo::Undo),
    /// Bring memory/ in line with what people did to the history
    ///
    /// After a rebase, squash, cherry-pick, host's merge or revert; landing does so too.
    Settle(undo::Settle),
    /// Make target and records of this clone and a remote the same
    ///
    /// What both landed apart is joined and checked. Without REMOTE the one that `git fetch` takes.
    Sync(sync::Sync),
    /// Show or set the settings, and say where each comes from
    Config(config::Config),
    /// List, show and check the templates of prompts, yours among them
    Template(template::Template),
    /// Compare what landed with what must be there, offline
    ///
    /// Names the first commit that diverges; writes nothing.
    Verify(verify::Verify),
    /// Say which lines a model wrote, in the words of other tools
    ///
    /// As Agent Trace records, or as the notes of the Git AI standard that landing keeps in refs/notes/ai.
    Provenance(provenance::Provenance),
    /// Take goals over from another tool's backlog
    Import(import::Import),
    /// Write how goals stand here into another tool's file
    Export(import::Export),
    /// Install the hooks of git, beside those that are there
    Hooks(hooks::Hooks),
    /// Print or install the manual pages
    Man(Man),
    /// Print or install the completion script of a shell
    Completion(complete::Completion),
    /// Say what may stand at a place of the command line; the scripts of `completion` call this
    #[command(hide = true)]
    Complete(complete::Complete),
    /// Do what a hook of git asks for; the scripts in hooks/ call this
    #[command(hide = true)]
    Hook(Hook),
    /// Join two sides of a memory file; git calls this
    #[command(name = "merge-driver", hide = true)]
    MergeDriver(MergeDriver),
}

/// `init`
#[derive(Args, Debug)]
pub struct Init {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Write the files and leave the commit to you
    #[arg(long, conflicts_with = "undo")]
    pub no_commit: bool,
    /// Take back what an earlier init did
    #[arg(long)]
    pub undo: bool,
}

/// `add`
#[derive(Args, Debug)]
pub struct Add {
    /// What is to be done, in one line
    pub description: String,
    /// A file that it is about, the main one first
    #[arg(short, long = "file", value_name = "PATH")]
    pub files: Vec<String>,
    /// What the model is asked: text, @FILE, or - for standard input
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub prompt: Option<String>,
    /// A goal that must land before
    #[arg(short = 'N', long = "needs", value_name = "ID")]
    pub needs: Vec<String>,
    /// Something that must be true afterwards
    #[arg(short, long = "accept", value_name = "TEXT")]
    pub accept: Vec<String>,
    /// The goal's id, instead of one that is made up
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Higher goes first
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub priority: i64,
}

/// `run`
#[derive(Args, Debug)]
pub struct Run {
    /// Only these goals
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Stop after N goals
    #[arg(long, value_name = "N")]
    pub max: Option<usize>,
    /// Work at N goals at a time: run.jobs
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<u32>,
    /// Say which goals would run and why others wait; ask no model
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Leave candidates on their branches
    #[arg(long)]
    pub no_merge: bool,
    /// When nothing is ready, plan, and go on with what is planned, until a cap is reached
    #[arg(long, conflicts_with_all = ["ids", "dry_run"])]
    pub plan: bool,
    /// Do not ask: neither what it may cost (budget.confirm), nor about planned goals (plan.approve=auto)
    #[arg(short, long)]
    pub yes: bool,
    /// What planned goals shall be about: text, @FILE, or - for standard input
    #[arg(short, long, value_name = "TEXT", requires = "plan", allow_hyphen_values = true)]
    pub brief: Option<String>,
    /// What makes it a night.
    #[command(flatten)]
    pub night: night::Night,
    /// End with 4 where there is nothing to do
    #[arg(long)]
    pub exit_code: bool,
    /// The model: llm.model
    #[arg(short, long, value_name = "NAME")]
    pub model: Option<String>,
    /// Who answers: llm.provider
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Most model calls: budget.max_calls
    #[arg(long, value_name = "N")]
    pub max_calls: Option<u64>,
    /// Most dollars: budget.max_usd
    #[arg(long, value_name = "X")]
    pub max_usd: Option<String>,
    /// Claim goals at this remote and land through it: sync.remote
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,
    /// Wait for the disk itself before a branch moves, against power cuts: land.durable
    #[arg(long)]
    pub durable: bool,
}

impl Run {
    /// Returns the settings that the shortcuts stand for.
    pub fn settings(&self) -> Vec<(String, String)> {
        let pairs = [
            ("llm.model", self.model.clone()),
            ("llm.provider", self.provider.clone()),
            ("run.jobs", self.jobs.map(|n| n.to_string())),
            ("budget.max_calls", self.max_calls.map(|n| n.to_string())),
            ("budget.max_usd", self.max_usd.clone()),
            ("sync.remote", self.remote.clone()),
            ("land.durable", self.durable.then(|| "true".to_owned())),
        ];
        pairs
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }
}

/// `merge`
#[derive(Args, Debug)]
pub struct Merge {
    /// Only these goals; naming one that is held approves exactly its candidate
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Wait for the disk itself before a branch moves, against power cuts: land.durable
    #[arg(long)]
    pub durable: bool,
}

impl Merge {
    /// Returns the settings that the shortcuts stand for.
    pub fn settings(&self) -> Vec<(String, String)> {
        let durable = self.durable.then(|| ("land.durable".to_owned(), "true".to_owned()));
        durable.into_iter().collect()
    }
}

/// `list`
#[derive(Args, Debug)]
pub struct List {
    /// Only goals in this state; may be given again
    #[arg(
        short,
        long = "state",
        value_name = "STATE",
        value_parser = PossibleValuesParser::new(State::ALL.map(State::word)).try_map(|word| state(&word))
    )]
    pub states: Vec<State>,
}

/// `log`
#[derive(Args, Debug)]
pub struct Log {
    /// At most N goals, or commits with --all
    #[arg(short = 'n', long = "max", value_name = "N", default_value = "20")]
    pub max: NonZeroUsize,
    /// List every commit of the branch, those of people among them
    #[arg(short, long)]
    pub all: bool,
    /// Only what came before COMMIT
    #[arg(long, value_name = "COMMIT", requires = "all")]
    pub before: Option<String>,
    /// Only commits whose first line, author, goals or models hold TEXT
    #[arg(long, value_name = "TEXT", requires = "all")]
    pub grep: Option<String>,
}

/// `cost`
#[derive(Args, Debug)]
pub struct Cost {
    /// What each line is about
    #[arg(long, value_name = "WHAT", default_value = "goal", value_parser = ["goal", "model", "day"])]
    pub by: String,
    /// Only work that began on this day or later, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    pub since: Option<String>,
}

/// `budget`
#[derive(Args, Debug)]
pub struct Budget {
    /// What to do besides showing them
    #[command(subcommand)]
    pub verb: Option<BudgetVerb>,
}

/// `budget VERB`
#[derive(Subcommand, Debug)]
pub enum BudgetVerb {
    /// Set a cap: `budget raise GOAL USD`, or of this clone's settings with --run, --day or --goals
    Raise(Raise),
}

/// `budget raise`
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("scope").args(["run", "day", "goals"]))]
pub struct Raise {
    /// The goal, unless --run, --day or --goals is there; then the most dollars
    #[arg(value_name = "GOAL|USD", num_args = 0..=2)]
    pub words: Vec<String>,
    /// The caps on a run
    #[arg(long)]
    pub run: bool,
    /// The caps on a day
    #[arg(long)]
    pub day: bool,
    /// The caps on every goal that has none of its own
    #[arg(long)]
    pub goals: bool,
    /// Most model calls
    #[arg(long, value_name = "N", requires = "scope")]
    pub calls: Option<String>,
    /// Most tokens of prompts and replies together
    #[arg(long, value_name = "N", requires = "scope")]
    pub tokens: Option<String>,
    /// Most minutes
    #[arg(long, value_name = "N", requires = "scope")]
    pub minutes: Option<String>,
}

/// `check`
#[derive(Args, Debug)]
pub struct Check {
    /// The commit; HEAD where absent
    #[arg(value_name = "REV")]
    pub rev: Option<String>,
}

/// `apply`
#[derive(Args, Debug)]
pub struct Apply {
    /// The format of the reply
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = ["search-replace", "udiff", "whole", "apply-patch", "str-replace", "auto"])]
    pub format: String,
}

/// `demo`
#[derive(Args, Debug)]
pub struct Demo {
    /// Make it in DIR, which must be empty or not there, instead of a temporary folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// `models`
#[derive(Args, Debug)]
pub struct Models {
    /// Only models whose names hold FILTER
    #[arg(value_name = "FILTER")]
    pub filter: Option<String>,
    /// Ask the endpoint, instead of taking a list that is at most a day old
    #[arg(long)]
    pub refresh: bool,
}

/// `replay`
#[derive(Args, Debug)]
pub struct Replay {
    /// Commits that landed, candidates, ranges such as v1..main, or goals
    #[arg(value_name = "COMMIT", required = true)]
    pub specs: Vec<String>,
}

/// `man`
#[derive(Args, Debug)]
pub struct Man {
    /// Write all pages, where `git invisigoth --help` finds them
    #[arg(long)]
    pub install: bool,
    /// Write them to DIR instead of ../share/man/man1 beside the program
    #[arg(long, value_name = "DIR", requires = "install")]
    pub dir: Option<PathBuf>,
}

/// `hook`
#[derive(Args, Debug)]
pub struct Hook {
    /// The hook's name
    pub name: String,
    /// What git hands to the hook
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// `merge-driver`
#[derive(Args, Debug)]
pub struct MergeDriver {
    /// %O
    pub base: PathBuf,
    /// %A
    pub ours: PathBuf,
    /// %B
    pub theirs: PathBuf,
    /// %P
    pub path: String,
}

/// Returns every `--set` of a command line. Of an option that stands before and behind the command, clap keeps the latter only.
pub fn all_set(arguments: &[OsString]) -> Vec<(String, String)> {
    let mut words = arguments
        .iter()
        .filter_map(|word| word.to_str())
        .take_while(|word| *word != "--");
    let mut set = Vec::new();
    while let Some(word) = words.next() {
        let said = match word.strip_prefix("--set") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        set.extend(said.and_then(|said| pair(said).ok()));
    }
    set
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains('.') => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("it must look like section.key=value".to_owned()),
    }
}

fn state(word: &str) -> Result<State, String> {
    let known = State::ALL.into_iter().find(|state| state.word() == word);
    known.ok_or_else(|| format!("a state is one of {}", State::ALL.map(State::word).join(", ")))
}
