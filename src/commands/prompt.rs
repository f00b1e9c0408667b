//! `prompt`: shows the first prompt that a goal would get. Asks nobody.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{executor::Executor, gather, recall, run, session::Session, target::Target, templates},
    git::tree,
    id::GoalId,
    prompt::{self, Way},
    transcript::Message,
};

/// The prompt.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal.
    pub goal: GoalId,
    /// What would be sent.
    pub messages: Vec<Message>,
    /// As the record will have it.
    pub prompt_hash: String,
    /// What did not fit.
    pub left_out: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.prompt/1";
}

/// Builds the prompt of goal `id`.
///
/// # Errors
/// A fault for an unknown goal, or when the repository cannot be read.
pub fn run(session: &Session, id: &GoalId) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let Some(goal) = known.backlog.get(id) else {
        return Err(run::unknown_goal(&known.facts, id).into());
    };
    let settings = session.settings_at(&repo, Some(target.tip))?.settings;
    let templates = templates::of(&repo, tree::code_of_commit(&repo, target.tip)?)?;
    let tokens = usize::try_from(settings.llm.context).unwrap_or(usize::MAX);
    let place = gather::Place {
        repo: &repo,
        target: &target,
        base: target.tip,
        backlog: &known.backlog,
        newest: known.facts.attempts.get(id).map_or(0, |attempt| attempt.number),
        llm: &settings.llm,
    };
    let mut context = gather::context(place, &mut gather::Listings::default(), &goal)?;
    context.way = Executor::of(&goal, &settings).map_or(Way::Edit, |executor| executor.way());
    let rounds = goal.max_attempts.unwrap_or(settings.run.max_attempts);
    let wording = templates.wording(&session.redactor);
    let built = prompt::build(&goal, &context, (1, rounds), tokens, wording).map_err(templates::unbuilt)?;
    Ok(Outcome {
        goal: id.clone(),
        messages: built.messages,
        prompt_hash: built.hash,
        left_out: built.left_out,
    })
}
