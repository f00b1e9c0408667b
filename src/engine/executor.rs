//! Executors: who makes the edit of a round. Each gives changes against the base, admitted by the guard, or says why not.
//!
//! What comes of the changes is judged elsewhere, by checks alone: no executor's word counts.

mod edit;

use eyre::Result;

use crate::{
    engine::{attempt::Attempt, draft::Unusable, repair::Rounds},
    goal::Goal,
    guard::Admitted,
    money::caps::OverBudget,
    prompt::repair::Feedback,
    settings::Settings,
};

/// Who works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Executor {
    /// A model that answers with edits, one reply a round.
    Edit,
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
        let named = goal.executor.as_deref().unwrap_or(&settings.run.executor);
        match named {
            "edit" => Ok(Self::Edit),
            other => Err(format!("there is no executor `{other}`: `edit`")),
        }
    }

    /// Words the first prompt; returns why there is none.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn begin(self, attempt: &mut Attempt<'_, '_>, rounds: &Rounds) -> Result<Option<String>> {
        match self {
            Self::Edit => edit::begin(attempt, rounds),
        }
    }

    /// Works for one round.
    ///
    /// # Errors
    /// A fault when the run itself cannot go on.
    pub fn work(self, attempt: &mut Attempt<'_, '_>, rounds: &Rounds) -> Result<Work> {
        match self {
            Self::Edit => edit::work(attempt, rounds),
        }
    }

    /// Words what the next round is told; returns why it cannot be told.
    ///
    /// # Errors
    /// As `begin`.
    pub fn tell(self, attempt: &mut Attempt<'_, '_>, rounds: &Rounds, feedback: &Feedback) -> Result<Option<String>> {
        match self {
            Self::Edit => edit::tell(attempt, rounds, feedback),
        }
    }
}
