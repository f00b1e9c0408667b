//! Scripts of the mock: what a file may say, and how a mistake in it is worded.
//!
//! Owns the grammar. A goal has rounds; a round is one step, or an array of steps: the tries of that round.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::provider::ProviderError;

/// What a script file says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Rounds by goal; the last one repeats.
    goals: BTreeMap<String, Vec<Round>>,
    /// Rounds of a plan; the last one repeats.
    plan: Vec<Round>,
    /// Every round of every other goal.
    default: Option<Round>,
}

/// What a round is answered, try by try; the last one repeats. Never empty.
#[derive(Debug)]
struct Round(Vec<Step>);

/// One answer, or one fault.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    /// The reply; with a status of failure the body of the error.
    pub reply: String,
    /// Tokens of prompt and reply; estimated where absent.
    pub tokens: Option<(u64, u64)>,
    /// The status, 200 where absent.
    pub status: Option<u16>,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// How long the answer takes, in milliseconds.
    pub delay_ms: u64,
    /// The connection breaks after so many bytes of the reply.
    pub cut: Option<usize>,
    /// Why the reply ended.
    pub finish: Ending,
    /// Dollars.
    pub cost_usd: f64,
    /// So many rounds, or tries, in a row; 1 where absent.
    pub times: Option<u32>,
    /// The model that answers; `mock` where absent.
    pub model: Option<String>,
}

/// Why a reply ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The model was done.
    #[default]
    Stop,
    /// It reached the most tokens.
    Length,
    /// A filter ended it.
    ContentFilter,
}

impl Script {
    /// Reads a script. `name` is for errors.
    ///
    /// # Errors
    /// `Script`, with the place of the mistake and what is allowed there.
    pub fn parse(name: &str, text: &str) -> Result<Self, ProviderError> {
        serde_json::from_str(text).map_err(|error| ProviderError::Script {
            name: name.to_owned(),
            line: error.line(),
            column: error.column(),
            message: without_place(&error),
        })
    }

    /// Returns the answer to try `nth` (from 1) of `round` (from 1) of a goal.
    pub fn step(&self, goal: &str, round: usize, nth: usize) -> Option<&Step> {
        let rounds = self.goals.get(goal).map(Vec::as_slice).unwrap_or_default();
        let Round(tries) = nth_of(rounds, round, Round::repeats).or(self.default.as_ref())?;
        nth_of(tries, nth, Step::repeats)
    }

    /// Returns the answer to try `nth` (from 1) of `round` (from 1) of a plan. What stands for every other goal does not
    /// stand for a plan.
    pub fn plan_step(&self, round: usize, nth: usize) -> Option<&Step> {
        let Round(tries) = nth_of(&self.plan, round, Round::repeats)?;
        nth_of(tries, nth, Step::repeats)
    }
}

impl Round {
    fn repeats(&self) -> usize {
        match self.0.as_slice() {
            [only] => only.repeats(),
            _ => 1,
        }
    }
}

impl Step {
    fn repeats(&self) -> usize {
        usize::try_from(self.times.unwrap_or(1)).unwrap_or(usize::MAX)
    }

    /// Returns the status where it is one of failure.
    pub fn failure(&self) -> Option<u16> {
        self.status.filter(|status| !(200..300).contains(status))
    }

    fn check(self) -> Result<Self, &'static str> {
        if self.status.is_some_and(|status| !(100..600).contains(&status)) {
            return Err("`status` is a number from 100 to 599");
        }
        if self.times == Some(0) {
            return Err("`times` is at least 1");
        }
        if self.cost_usd < 0.0 {
            return Err("`cost_usd` is not negative");
        }
        if self.failure().is_some() && (self.cut.is_some() || self.finish != Ending::Stop) {
            return Err("`cut` and `finish` go with a reply, not with a status of failure");
        }
        Ok(self)
    }
}

/// Returns the n-th item, counted from 1, each as often as it repeats; the last one for all beyond.
fn nth_of<T>(items: &[T], nth: usize, repeats: impl Fn(&T) -> usize) -> Option<&T> {
    let mut left = nth.max(1);
    for item in items {
        let times = repeats(item);
        if left <= times {
            return Some(item);
        }
        left -= times;
    }
    items.last()
}

impl<'de> Deserialize<'de> for Round {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RoundVisitor)
    }
}

/// By hand, because an untagged enum would lose the place of an error.
struct RoundVisitor;

impl<'de> Visitor<'de> for RoundVisitor {
    type Value = Round;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a step (a text, or an object with `reply` or `status`), or an array of steps: the tries of one round",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Round, E> {
        StepVisitor.visit_str(text).map(|step| Round(vec![step]))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Round, A::Error> {
        StepVisitor.visit_map(map).map(|step| Round(vec![step]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Round, A::Error> {
        let mut tries = Vec::new();
        while let Some(step) = seq.next_element_seed(StepVisitor)? {
            tries.push(step);
        }
        if tries.is_empty() {
            return Err(A::Error::custom("an array of tries holds at least one step"));
        }
        Ok(Round(tries))
    }
}

struct StepVisitor;

impl<'de> DeserializeSeed<'de> for StepVisitor {
    type Value = Step;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Step, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StepVisitor {
    type Value = Step;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step: a text, or an object with `reply` or `status`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Step, E> {
        Ok(Step {
            reply: text.to_owned(),
            ..Step::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
        let step = Step::deserialize(MapAccessDeserializer::new(map))?;
        step.check().map_err(A::Error::custom)
    }
}

/// serde_json ends its text with the place, which we say in front.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}
