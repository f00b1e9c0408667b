//! Talk: the conversation of an attempt with its model. Asks, takes up recorded answers again, and keeps every call.
//!
//! What is paid for is on record before anything else is done with it. What a reply says is not looked at here.

use std::{result::Result as StdResult, time::Duration};

use eyre::Result;

use crate::{
    engine::{asking, attempt::Attempt, draft::Unusable, live::Phase, orders},
    event::Event,
    fault::{Fault, Kind},
    money::{self, caps::OverBudget},
    provider::{Answer, ProviderError},
    time::Stopping,
    transcript::{Exchange, Message, Request, Role},
};

/// Said of a reply that carries a key.
const SECRET: &str = "the reply holds a secret of this machine; leave it out";

/// What was said so far.
#[derive(Default)]
pub struct Talk {
    /// What the next request holds. Only ever appended to, so that endpoints can reuse what they have read.
    pub messages: Vec<Message>,
    /// Every answered call.
    calls: Vec<Exchange>,
    /// How many of them are saved.
    saved: usize,
    /// Answers of a killed run to this very attempt, the next one last: they are paid for and not asked for again.
    recorded: Vec<Exchange>,
}

/// What asking came to.
pub enum Said {
    /// A reply.
    Text(String),
    /// An answer that cannot be used.
    Unusable {
        /// Why.
        unusable: Unusable,
        /// It did not come to its end.
        cut: bool,
    },
    /// The provider will not answer this goal.
    Never(String),
    /// The goal may not spend more.
    Paused(OverBudget),
}

impl Talk {
    /// Begins a talk that takes `recorded` up again, the next one last.
    pub fn new(recorded: Vec<Exchange>) -> Self {
        Self {
            recorded,
            ..Self::default()
        }
    }

    /// Returns the calls that are not saved yet, and the number of the first of them.
    pub fn unsaved(&self) -> (usize, &[Exchange]) {
        (self.saved, self.calls.get(self.saved..).unwrap_or_default())
    }

    /// Takes in that all calls are saved.
    pub fn mark_saved(&mut self) {
        self.saved = self.calls.len();
    }

    /// Returns the number of the call that was answered last, from 0.
    pub fn last_call(&self) -> u32 {
        u32::try_from(self.calls.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Estimates what the next request takes, in tokens.
    pub fn tokens(&self) -> usize {
        let said: usize = self.messages.iter().map(|message| message.content.len()).sum();
        usize::try_from(money::estimated_tokens(said)).unwrap_or(usize::MAX)
    }

    fn answered(&mut self, content: String) {
        self.messages.push(Message {
            role: Role::Assistant,
            content,
        });
    }
}

/// Takes in a call that somebody else made.
pub fn keep(attempt: &mut Attempt<'_, '_>, call: Exchange) {
    let stored = &mut attempt.stored;
    stored.rounds += 1;
    stored.usage.add(&call.usage);
    stored.model.clone_from(&call.model);
    stored.redacted |= call.redacted;
    attempt.talk.calls.push(call);
}

/// Gives up the answers of a killed run: of no use any more, but paid for, and the record says so.
pub fn pass_over(attempt: &mut Attempt<'_, '_>) {
    while let Some(call) = attempt.talk.recorded.pop() {
        set_aside(attempt, call);
    }
}

/// Keeps a recorded call in its place among the others, as one whose edits do not count.
fn set_aside(attempt: &mut Attempt<'_, '_>, call: Exchange) {
    let (talk, stored) = (&mut attempt.talk, &mut attempt.stored);
    stored.rounds += 1;
    stored.usage.add(&call.usage);
    talk.calls.push(call);
    stored.taken_back.push(talk.last_call());
}

/// Asks `model`, in round `round`.
///
/// # Errors
/// A fault when the run itself cannot go on: budget, provider, stopped, disk.
pub fn ask(attempt: &mut Attempt<'_, '_>, model: &str, round: u32) -> Result<Said> {
    let llm = &attempt.worker.settings.llm;
    let request = Request {
        model: model.to_owned(),
        messages: attempt.talk.messages.clone(),
        max_tokens: Some(llm.max_tokens),
        reasoning: llm.reasoning.clone(),
        schema: None,
    };
    if let Some(recorded) = recall(attempt, &request) {
        return Ok(recorded);
    }
    wait(attempt, Some(round))?;
    let session = attempt.worker.session;
    if session.stop.stopping() != Stopping::No {
        attempt.save()?;
        return Err(Fault::new(Kind::Interrupted, "stopped")
            .hint("`git invisigoth run` goes on")
            .into());
    }
    let (goal, bytes) = (attempt.id.clone(), request.bytes());
    let asked = || {
        let goal = goal.clone();
        session.sink.emit(&Event::Asked { goal, round, bytes });
    };
    attempt.worker.step(Phase::Asking, Some(round));
    let began = session.clock.now();
    let payer = asking::Payer {
        goal: Some(&attempt.id),
        budget_usd: attempt.goal.budget_usd,
        asked: &asked,
    };
    let answer = attempt.worker.asking()?.ask(payer, &request, &session.stop);
    let took = session.clock.now().since(began);
    attempt.worker.step(Phase::Applying, Some(round));
    if let Some(over) = answer.as_ref().err().and_then(asking::pauses) {
        return Ok(Said::Paused(over));
    }
    came(attempt, request, answer, took)
}

/// Waits while people want no new work, with what was said so far on record.
///
/// # Errors
/// As `orders::wait`.
pub fn wait(attempt: &mut Attempt<'_, '_>, round: Option<u32>) -> Result<()> {
    if orders::paused(attempt.worker.session, &attempt.worker.repo).is_some() {
        // Where nothing was answered there is nothing to keep: an earlier attempt's end must stay visible.
        if attempt.stored.rounds > 0 {
            attempt.save()?;
        }
        orders::wait(attempt.worker, round)?;
    }
    Ok(())
}

/// Keeps what came of asking, and says what it is good for.
fn came(
    attempt: &mut Attempt<'_, '_>,
    request: Request,
    answer: StdResult<Answer, ProviderError>,
    took: Duration,
) -> Result<Said> {
    match answer {
        Ok(answer) => {
            take(attempt, request, &answer, took);
            let is_secret = attempt.worker.session.redactor.finds(&answer.text);
            attempt.talk.answered(attempt.clean(&answer.text));
            Ok(if is_secret {
                Said::Unusable {
                    unusable: Unusable::of(SECRET),
                    cut: false,
                }
            } else {
                Said::Text(answer.text)
            })
        }
        Err(error) => match error.answer() {
            // It came and it costs, but a cut reply is never applied.
            Some(answer) => {
                take(attempt, request, answer, took);
                attempt.talk.answered(attempt.clean(&answer.text));
                Ok(cut(error.to_string()))
            }
            None if asking::ends_run(&error) => {
                // Where nothing was answered there is nothing to keep: an earlier attempt's end must stay visible.
                if attempt.stored.rounds > 0 {
                    attempt.stored.pause = asking::over(&error);
                    attempt.save()?;
                }
                Err(asking::provider_fault(&error).into())
            }
            None => Ok(Said::Never(error.to_string())),
        },
    }
}

fn cut(why: String) -> Said {
    let message = format!("{why}. Send all blocks again, in a shorter reply.");
    Said::Unusable {
        unusable: Unusable { why, message },
        cut: true,
    }
}

/// Returns the recorded answer to `request`, if a killed run left one. Answers before it are to other questions: they
/// were paid for, and the record says so.
fn recall(attempt: &mut Attempt<'_, '_>, request: &Request) -> Option<Said> {
    let key = request.key();
    let fits = |call: &Exchange| call.key() == key && !call.redacted;
    let before = attempt.talk.recorded.iter().rev().position(fits);
    for _ in 0..before.unwrap_or(attempt.talk.recorded.len()) {
        let call = attempt.talk.recorded.pop()?;
        set_aside(attempt, call);
    }
    let (talk, stored) = (&mut attempt.talk, &mut attempt.stored);
    let call = talk.recorded.pop()?;
    stored.rounds += 1;
    stored.usage.add(&call.usage);
    stored.model.clone_from(&call.model);
    let reply = call.reply.clone();
    talk.answered(reply.clone());
    let said = if call.is_cut() {
        let tokens = call.usage.completion_tokens;
        cut(match call.finish.as_str() {
            "content_filter" => "a filter of the provider ended the reply".to_owned(),
            "shortened" => "the server cut the prompt".to_owned(),
            _ => format!("the reply was cut off after {tokens} tokens"),
        })
    } else {
        Said::Text(reply)
    };
    talk.calls.push(call);
    Some(said)
}

fn take(attempt: &mut Attempt<'_, '_>, request: Request, answer: &Answer, took: Duration) {
    let redactor = &attempt.worker.session.redactor;
    let call = asking::exchange(request, (answer, &attempt.stored.provider), redactor, took);
    keep(attempt, call);
}
