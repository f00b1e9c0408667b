//! Replay: answers from recorded calls, by the key of the request. Never uses the network, costs nothing.
//!
//! Owns which recorded answer comes when, and how a miss is worded. Where calls are kept is the tape's business.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fmt::Write as _,
    io,
    sync::{Mutex, PoisonError},
};

use crate::{
    money::{Came, Meter},
    provider::{Account, Answer, Finish, Model, Provider, ProviderError, tries},
    textdiff,
    time::{Stop, Stopping},
    transcript::{Exchange, Request, Tape, Usage},
};

/// Most lines of the difference that a miss shows.
const LINES: usize = 40;

/// A provider that plays a tape.
pub struct Replay {
    tape: Box<dyn Tape>,
    /// Answers given so far, by key.
    given: Mutex<HashMap<String, usize>>,
}

impl Replay {
    /// Plays `tape` from its start.
    pub fn new(tape: Box<dyn Tape>) -> Self {
        Self {
            tape,
            given: Mutex::default(),
        }
    }

    fn answer(&self, request: &Request) -> Result<Answer, ProviderError> {
        let key = request.key();
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = given.entry(key.clone()).or_default();
        let found = self.tape.find(&key).map_err(|error| unreadable(&error))?;
        let times = found.len();
        let Some(call) = found.into_iter().nth(*nth) else {
            return Err(miss(match times {
                0 => self.nearest(request)?,
                1 => "the request was recorded once, and that answer was given already".to_owned(),
                times => format!("the request was recorded {times} times, and all answers were given already"),
            }));
        };
        *nth += 1;
        if call.redacted {
            return Err(miss("the recorded answer held a secret that was taken out".to_owned()));
        }
        Ok(recorded(&call))
    }

    fn nearest(&self, request: &Request) -> Result<String, ProviderError> {
        let nearest = self.tape.nearest(request).map_err(|error| unreadable(&error))?;
        Ok(match nearest {
            None => "no call is recorded in this clone".to_owned(),
            Some(call) => format!(
                "no recorded call answers this request; how the nearest one differs:\n{}",
                difference(&call.request, request)
            ),
        })
    }
}

fn unreadable(error: &io::Error) -> ProviderError {
    miss(format!("recorded calls cannot be read: {error}"))
}

fn miss(message: String) -> ProviderError {
    ProviderError::NotRecorded { message }
}

fn recorded(call: &Exchange) -> Answer {
    Answer {
        text: call.reply.clone(),
        model: call.model.clone(),
        usage: Usage {
            cost_usd: Some(0.0),
            ..call.usage
        },
        raw: call.raw_bytes(),
        finish: Finish::of_word(&call.finish),
    }
}

/// Words how `old` became `new`: what was asked for, and the lines of each message.
fn difference(old: &Request, new: &Request) -> String {
    let mut text = String::new();
    let mut field = |name: &str, old: String, new: String| {
        if old != new {
            let _ = writeln!(text, "{name}: {old} was recorded, {new} is asked");
        }
    };
    let most = |request: &Request| request.max_tokens.map_or("none".to_owned(), |most| most.to_string());
    let reasoning = |request: &Request| request.reasoning.clone().unwrap_or("none".to_owned());
    let schema = |request: &Request| {
        let schema = request.schema.as_ref();
        schema.map_or("none".to_owned(), |schema| format!("{} {}", schema.name, schema.schema))
    };
    field("model", old.model.clone(), new.model.clone());
    field("max_tokens", most(old), most(new));
    field("reasoning", reasoning(old), reasoning(new));
    field("schema", schema(old), schema(new));
    for at in 0..old.messages.len().max(new.messages.len()) {
        let (before, after) = (old.messages.get(at), new.messages.get(at));
        let who = before.or(after).map_or("nobody", |message| message.role.word());
        let name = format!("message {} ({who})", at + 1);
        let [before, after] = [before, after].map(|message| message.map(|message| message.content.as_bytes()));
        text.push_str(&textdiff::unified(&name, before, after));
    }
    shortened(&text)
}

fn shortened(text: &str) -> String {
    let all = text.lines().count();
    let mut lines: Vec<&str> = text.lines().take(LINES).collect();
    let more = format!("… {} more lines", all.saturating_sub(LINES));
    if all > LINES {
        lines.push(&more);
    }
    lines.join("\n")
}

impl Provider for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn ask(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        if stop.stopping() != Stopping::No {
            return Err(ProviderError::Stopped);
        }
        let ticket = meter.reserve(request)?;
        let answer = self.answer(request);
        let came = answer
            .as_ref()
            .map_or(Came::Nothing, |answer| Came::Answer(&answer.usage));
        meter.settle(ticket, came);
        tries::usable(answer?)
    }

    fn models(&self, _stop: &Stop) -> Result<Vec<Model>, ProviderError> {
        Ok(Vec::new())
    }

    fn account(&self, _stop: &Stop) -> Result<Option<Account>, ProviderError> {
        Ok(None)
    }
}
