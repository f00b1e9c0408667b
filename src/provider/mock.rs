//! The mock: answers from a script or by a command, without network or cost. A script's goal and round decide the reply.
//!
//! Owns which error a scripted fault becomes: the one that an endpoint would cause, tried again as often.

pub mod command;
pub mod script;

#[cfg(test)]
mod tests;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use crate::{
    door::env,
    money::{Meter, estimated_tokens},
    provider::{
        Account, Answer, Finish, Model, Provider, ProviderError,
        mock::{
            command::Command,
            script::{Ending, Script, Step},
        },
        retry::{Pause, Retry},
        tries::{self, Failed},
        wire::Reader,
    },
    time::Stop,
    transcript::{Request, Role, Usage},
};

/// A provider that reads from a script, or asks a command.
pub struct Mock {
    source: Source,
    timeout: Duration,
    retry: Retry,
    /// How many replies to plans were asked for.
    plans: AtomicUsize,
}

enum Source {
    Script(Script),
    Command(Command),
}

impl Mock {
    /// Reads a script: its name, for errors, and its text.
    ///
    /// # Errors
    /// `Script`, with the place of the error in the text.
    pub fn script(name: &str, text: &str, timeout: Duration, pause: Pause) -> Result<Self, ProviderError> {
        Ok(Self::of(Source::Script(Script::parse(name, text)?), timeout, pause))
    }

    /// Has a command answer.
    pub fn command(command: Command, timeout: Duration, pause: Pause) -> Self {
        Self::of(Source::Command(command), timeout, pause)
    }

    fn of(source: Source, timeout: Duration, pause: Pause) -> Self {
        Self {
            source,
            timeout,
            retry: Retry::new(pause, "mock", env::process_id()),
            plans: AtomicUsize::new(0),
        }
    }

    fn send(&self, request: &Request, nth: usize, stop: &Stop) -> Result<Answer, ProviderError> {
        let script = match &self.source {
            Source::Command(command) => {
                let reply = command.ask(request, self.timeout, stop)?;
                let step = Step {
                    reply,
                    ..Step::default()
                };
                return Ok(answer(request, &step));
            }
            Source::Script(script) => script,
        };
        let asked = asked_of(request);
        let step = match &asked {
            Asked::Goal(goal, round) => script.step(goal, *round, nth),
            Asked::Plan => {
                // A plan has no name by which its rounds could be told from those of the next one.
                let first = usize::from(nth == 1);
                let before = self.plans.fetch_add(first, Ordering::Relaxed);
                script.plan_step(before + first, nth)
            }
        };
        let Some(step) = step else {
            return Err(match asked {
                Asked::Goal(goal, _) => ProviderError::NoReply { goal },
                Asked::Plan => ProviderError::NoPlan,
            });
        };
        self.play(request, step, stop)
    }

    fn play(&self, request: &Request, step: &Step, stop: &Stop) -> Result<Answer, ProviderError> {
        let delay = Duration::from_millis(step.delay_ms);
        if !delay.is_zero() && !self.retry.pause(delay.min(self.timeout), stop) {
            return Err(ProviderError::Stopped);
        }
        if delay > self.timeout {
            return Err(ProviderError::Timeout { limit: self.timeout });
        }
        if let Some(status) = step.failure() {
            let reader = Reader { key: None };
            let after = step.retry_after.map(Duration::from_secs);
            return Err(reader.refusal(status, after, step.reply.as_bytes()));
        }
        match step.cut {
            Some(bytes) => Err(ProviderError::Unavailable {
                status: None,
                after: step.retry_after.map(Duration::from_secs),
                excerpt: format!("the connection was cut after {} bytes", bytes.min(step.reply.len())),
            }),
            None => Ok(answer(request, step)),
        }
    }
}

impl Provider for Mock {
    fn name(&self) -> &'static str {
        "mock"
    }

    fn ask(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        let mut nth = 0;
        tries::ask(&self.retry, request, meter, stop, || {
            nth += 1;
            self.send(request, nth, stop).map_err(|error| Failed {
                // A timeout and a cut reply cost what they cost; a status of failure comes before any output.
                charged: matches!(
                    error,
                    ProviderError::Timeout { .. }
                        | ProviderError::Unavailable { status: None, .. }
                        | ProviderError::Stopped
                ),
                error,
            })
        })
    }

    fn models(&self, _stop: &Stop) -> Result<Vec<Model>, ProviderError> {
        Ok(Vec::new())
    }

    fn account(&self, _stop: &Stop) -> Result<Option<Account>, ProviderError> {
        Ok(None)
    }
}

fn answer(request: &Request, step: &Step) -> Answer {
    let estimate = (estimated_tokens(request.bytes()), estimated_tokens(step.reply.len()));
    let (prompt_tokens, completion_tokens) = step.tokens.unwrap_or(estimate);
    Answer {
        model: step.model.clone().unwrap_or_else(|| "mock".to_owned()),
        usage: Usage {
            prompt_tokens,
            completion_tokens,
            cost_usd: Some(step.cost_usd),
            estimated: step.tokens.is_none(),
            ..Usage::default()
        },
        raw: step.reply.clone().into_bytes(),
        finish: match step.finish {
            Ending::Stop => Finish::Stop,
            Ending::Length => Finish::Length,
            Ending::ContentFilter => Finish::Filter,
        },
        text: step.reply.clone(),
    }
}

/// What a request asks for, a goal in which round.
enum Asked {
    /// Work on this goal.
    Goal(String, usize),
    /// A plan.
    Plan,
}

/// Finds `Plan: N goals` on the last line of our last message, or `Goal: <id> (round R of M)` in it. The last such line
/// counts: the templates end with it, and what stands before may quote others. A round may take several turns.
fn asked_of(request: &Request) -> Asked {
    let messages = &request.messages;
    let last = messages.iter().rposition(|message| message.role == Role::User);
    let last = last.unwrap_or_default();
    let before = messages.iter().take(last);
    let turn = 1 + before.filter(|message| message.role == Role::Assistant).count();
    let text = messages.get(last).map_or("", |message| message.content.as_str());
    if text.trim_end().lines().next_back().is_some_and(is_plan) {
        return Asked::Plan;
    }
    let goal = text.lines().rev().find_map(|line| {
        let (goal, rest) = line.trim_end().strip_prefix("Goal: ")?.rsplit_once(" (round ")?;
        let (round, _) = rest.strip_suffix(')')?.split_once(" of ")?;
        Some((goal.to_owned(), round.parse::<usize>().ok()?))
    });
    match goal {
        Some((goal, round)) => Asked::Goal(goal, round.max(turn)),
        None => Asked::Goal(String::new(), 0),
    }
}

fn is_plan(line: &str) -> bool {
    let count = line.strip_prefix("Plan: ").and_then(|rest| rest.strip_suffix(" goals"));
    count.is_some_and(|count| count.parse::<u32>().is_ok())
}
