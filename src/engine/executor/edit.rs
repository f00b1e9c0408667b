//! Executor `edit`: one reply a round, in an edit format, applied to what the rounds before made of the base.

use eyre::Result;

use crate::{
    engine::{
        attempt::Attempt,
        executor::{self, Work},
        gather,
        repair::Rounds,
        talk::{self, Said},
        templates,
    },
    git::tree,
    guard::Policy,
    prompt::{
        PromptError, Way,
        repair::{self, Feedback},
    },
    reply::need,
};

/// Asks once and applies the reply.
pub(super) fn work(attempt: &mut Attempt<'_, '_>, rounds: &Rounds) -> Result<Work> {
    let text = match talk::ask(attempt, rounds.model(), rounds.number().0)? {
        Said::Text(text) => text,
        Said::Unusable { unusable, cut } => return Ok(Work::Unusable { unusable, cut }),
        Said::Paused(over) => return Ok(Work::Paused(over)),
        Said::Never(why) => return Ok(Work::Never(format!("provider: {why}"))),
    };
    let worker = &attempt.worker;
    let base = tree::snapshot(&worker.repo, attempt.draft.base_code);
    let policy = Policy::new(&worker.settings.paths, &worker.settings.check);
    let format = gather::asked(&worker.settings.llm, rounds.model()).format;
    Ok(match attempt.draft.take((&text, format), &base, &policy) {
        Ok(admitted) => Work::Done(admitted),
        Err(unusable) => match need::paths(&text) {
            needs if needs.is_empty() => Work::Unusable { unusable, cut: false },
            needs => Work::Needs(needs),
        },
    })
}

/// Appends what the next round is told, or says why it cannot be told.
pub(super) fn tell(attempt: &mut Attempt<'_, '_>, rounds: &Rounds, feedback: &Feedback) -> Result<Option<String>> {
    let worker = &attempt.worker;
    let context = executor::room(worker, &attempt.goal, Way::Edit);
    // The conversation as a whole is what the model must take in.
    let tokens = context.saturating_sub(attempt.talk.tokens());
    let wording = attempt.templates.wording(&worker.session.redactor);
    match repair::message(&attempt.goal, rounds.number(), feedback, tokens, wording) {
        Ok(message) => {
            attempt.talk.messages.push(message);
            Ok(None)
        }
        Err(PromptError::TooLarge { .. }) => Ok(Some(executor::FULL.to_owned())),
        Err(error) => Err(templates::unbuilt(error)),
    }
}
