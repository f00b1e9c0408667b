//! Executors: who makes the edit of a round. Each gives changes against the base, admitted by the guard, or says why not.
//!
//! What comes of the changes is judged elsewhere, by checks alone: no executor's word counts.

mod edit;
mod external;
mod leave;
mod place;
mod said;
mod tools;

use std::path::PathBuf;

use eyre::Result;

use crate::{
    door::{env::Env, fs, spawn},
    engine::{
        attempt::Attempt,
        draft::Unusable,
        gather,
        repair::Rounds,
        templates, window,
        wording::{self, Order, Worded},
        worker::Worker,
    },
    goal::Goal,
    guard::Admitted,
    money::caps::OverBudget,
    prompt::{PromptError, Way, repair::Feedback},
    settings::{External, Settings},
};

/// Why a round cannot be told what went wrong.
const FULL: &str = "the conversation fills `llm.context`, or what the model holds";

/// Who works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Executor {
    /// A model that answers with edits, one reply a round.
    Edit,
    /// A model that acts in a fenced folder, one action a turn.
    Tools,
    /// A program of the user's own, which works in a folder.
    External {
        /// The executor's name, as in `executor.NAME`.
        name: String,
        /// How it is started.
        external: External,
    },
}

/// What a round of work came to, before any check.
pub enum Work {
    /// Changes.
    Done(Admitted),
    /// Nothing that could be used.
    Unusable {
        /// Why.
        unusable: Unusable,
        /// The reply reached its most tokens.
        cut: bool,
    },
    /// The model wants to see these files first.
    Needs(Vec<String>),
    /// Nobody will do this goal: why.
    Never(String),
    /// The goal may not spend more.
    Paused(OverBudget),
}

impl Executor {
    /// Chooses who works at `goal`.
    ///
    /// # Errors
    /// Names an executor that there is not.
    pub fn of(goal: &Goal, settings: &Settings) -> Result<Self, String> {
        Self::named(goal.executor.as_deref().unwrap_or(&settings.run.executor), settings)
    }

    /// Returns the executor of this name.
    ///
    /// # Errors
    /// As `of`.
    pub fn named(named: &str, settings: &Settings) -> Result<Self, String> {
        match (named, named.strip_prefix("external:")) {
            ("edit", _) => Ok(Self::Edit),
            ("tools", _) => Ok(Self::Tools),
            (_, Some(name)) => match settings.executors.get(name) {
                Some(external) => Ok(Self::External {
                    name: name.to_owned(),
                    external: external.clone(),
                }),
                None => Err(format!(
                    "executor `{named}` is not set up: `git config invisigoth.executor.{name}.cmd …`; docs/executors.md has recipes"
                )),
            },
            (other, None) => Err(format!(
                "there is no executor `{other}`: `edit`, `tools` or `external:NAME`"
            )),
        }
    }

    /// Returns the word for it, as in `run.executor`.
    pub fn word(&self) -> String {
        match self {
            Self::Edit => "edit".to_owned(),
            Self::Tools => "tools".to_owned(),
            Self::External { name, .. } => format!("external:{name}"),
        }
    }

    /// True where it asks a model through us.
    pub fn asks(&self) -> bool {
        !matches!(self, Self::External { .. })
    }

    /// Returns how its prompt is worded.
    pub fn way(&self) -> Way {
        match self {
            Self::Edit => Way::Edit,
            Self::Tools => Way::Tools,
            Self::External { .. } => Way::Work,
        }
    }

    /// Words the first prompt; returns why there is none.
    ///
    /// # Errors
    /// When the repository cannot be read, or all goals would meet with the same: no sandbox.
    pub fn begin(&self, attempt: &mut Attempt<'_, '_>, rounds: &Rounds) -> Result<Option<String>> {
        let refused = match self {
            Self::Edit => None,
            Self::Tools => place::refused(attempt, place::Bare::Never)?,
            Self::External { .. } => place::refused(attempt, place::Bare::WhereSaid)?,
        };
        match refused {
            Some(why) => Ok(Some(why)),
            None => word(attempt, rounds, self.way()),
        }
    }

    /// Works for one round.
    ///
    /// # Errors
    /// A fault when the run itself cannot go on.
    pub fn work(&self, attempt: &mut Attempt<'_, '_>, rounds: &Rounds) -> Result<Work> {
        match self {
            Self::Edit => edit::work(attempt, rounds),
            Self::Tools => tools::work(attempt, rounds),
            Self::External { name, external } => external::work(attempt, rounds, (name, external)),
        }
    }

    /// Words what the next round is told; returns why it cannot be told.
    ///
    /// # Errors
    /// As `begin`.
    pub fn tell(&self, attempt: &mut Attempt<'_, '_>, rounds: &Rounds, feedback: &Feedback) -> Result<Option<String>> {
        match self {
            Self::Edit => edit::tell(attempt, rounds, feedback),
            Self::Tools => tools::tell(attempt, rounds, feedback),
            Self::External { .. } => external::tell(attempt, rounds, feedback),
        }
    }
}

/// Finds the program of `external` on this machine.
///
/// # Errors
/// Says what is not there.
pub fn program(external: &External, env: &Env) -> Result<PathBuf, String> {
    let program = external.program(env.home().as_deref()).unwrap_or_default();
    let has_folder = program.components().count() > 1;
    if has_folder && !program.is_absolute() {
        return Err(format!(
            "`{}` must be a name, or a path from `/` or `~/`",
            program.display()
        ));
    }
    if has_folder && !fs::is_executable(&program) {
        return Err(format!("there is no program `{}`", program.display()));
    }
    spawn::find(program.as_os_str(), &env.for_checks(&[])).map_err(|error| error.to_string())
}

/// Words the first prompt, or says why there is none.
fn word(attempt: &mut Attempt<'_, '_>, rounds: &Rounds, way: Way) -> Result<Option<String>> {
    let worker = &mut *attempt.worker;
    let place = gather::Place {
        repo: &worker.repo,
        target: &worker.target,
        base: attempt.stored.base,
        backlog: &worker.backlog,
        // The one before: an attempt that is taken up again must be worded as it was, or what it paid for is lost.
        newest: attempt.number.saturating_sub(1),
        llm: &worker.settings.llm,
    };
    let order = Order {
        goal: &attempt.goal,
        way,
        round: rounds.number(),
        tokens: room(worker, &attempt.goal, way),
        wording: attempt.templates.wording(&worker.session.redactor),
    };
    match wording::first(place, &mut worker.shelf, &order)? {
        Ok(Worded { built, .. }) => {
            attempt.talk.messages = built.messages;
            attempt.stored.prompt_hash = built.hash;
            Ok(None)
        }
        Err(error @ PromptError::TooLarge { .. }) => Ok(Some(format!("prompt: {error}"))),
        Err(error) => Err(templates::unbuilt(error)),
    }
}

/// Returns the tokens that a conversation about `goal` may take.
fn room(worker: &Worker<'_>, goal: &Goal, way: Way) -> usize {
    window::of_way(worker.session, &worker.settings, way, goal.model.as_deref()).tokens
}
