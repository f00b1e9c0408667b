//! The mock: answers from a script, without network, time or cost. Stateless: goal and round decide the reply.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    money::{Came, Meter, estimated_tokens},
    provider::{Account, Answer, Finish, Model, Provider, ProviderError, wire::Reader},
    time::{Stop, Stopping},
    transcript::{Request, Role, Usage},
};

/// What a script file says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Script {
    /// Replies by goal, the n-th for round n; the last one repeats.
    goals: BTreeMap<String, Vec<Step>>,
    /// The reply to every other goal.
    default: Option<String>,
}

/// One reply: a text, or an object where more is to be said.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Said {
    reply: String,
    tokens: Option<(u64, u64)>,
    status: Option<u16>,
}

#[derive(Debug)]
struct Step(Said);

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(StepVisitor)
    }
}

/// By hand, because an untagged enum would lose the place of an error.
struct StepVisitor;

impl<'de> Visitor<'de> for StepVisitor {
    type Value = Step;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply: a text, or an object with `reply`")
    }

    fn visit_str<E>(self, text: &str) -> Result<Step, E> {
        Ok(Step(Said {
            reply: text.to_owned(),
            ..Said::default()
        }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Step, A::Error> {
        Said::deserialize(MapAccessDeserializer::new(map)).map(Step)
    }
}

/// A provider that reads from a script.
#[derive(Debug)]
pub struct Mock {
    script: Script,
}

impl Mock {
    /// Reads a script: its name, for errors, and its text.
    ///
    /// # Errors
    /// `Script`, with the place of the error in the text.
    pub fn open(script: Option<(&str, &str)>) -> Result<Self, ProviderError> {
        let Some((name, text)) = script else {
            return Err(ProviderError::Script {
                name: "llm.script".to_owned(),
                line: 0,
                column: 0,
                message: "the provider `mock` needs a script".to_owned(),
            });
        };
        let script = serde_json::from_str(text).map_err(|error| ProviderError::Script {
            name: name.to_owned(),
            line: error.line(),
            column: error.column(),
            message: without_place(&error),
        })?;
        Ok(Self { script })
    }
}

/// serde_json ends its text with the place, which we say in front.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

impl Provider for Mock {
    fn name(&self) -> &'static str {
        "mock"
    }

    fn ask(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        if stop.stopping() != Stopping::No {
            return Err(ProviderError::Stopped);
        }
        let ticket = meter.reserve(request)?;
        let answer = self.reply(request);
        let came = answer
            .as_ref()
            .map_or(Came::Nothing, |answer| Came::Answer(&answer.usage));
        meter.settle(ticket, came);
        answer
    }

    fn models(&self, _stop: &Stop) -> Result<Vec<Model>, ProviderError> {
        Ok(Vec::new())
    }

    fn account(&self, _stop: &Stop) -> Result<Option<Account>, ProviderError> {
        Ok(None)
    }
}

impl Mock {
    fn reply(&self, request: &Request) -> Result<Answer, ProviderError> {
        let (goal, round) = goal_of(request).unwrap_or_default();
        let steps = self.script.goals.get(&goal).map(Vec::as_slice).unwrap_or_default();
        let step = steps.get(round.saturating_sub(1)).or_else(|| steps.last());
        let Some(Step(said)) = step else {
            let default = self.script.default.clone();
            let text = default.ok_or(ProviderError::NoReply { goal })?;
            return Ok(answer(request, text, None));
        };
        match said.status {
            Some(status) if !(200..300).contains(&status) => {
                let reader = Reader { key: None };
                Err(reader.refusal(status, None, said.reply.as_bytes()))
            }
            _ => Ok(answer(request, said.reply.clone(), said.tokens)),
        }
    }
}

fn answer(request: &Request, text: String, tokens: Option<(u64, u64)>) -> Answer {
    let estimate = (estimated_tokens(request.bytes()), estimated_tokens(text.len()));
    let (prompt_tokens, completion_tokens) = tokens.unwrap_or(estimate);
    Answer {
        model: "mock".to_owned(),
        usage: Usage {
            prompt_tokens,
            completion_tokens,
            cost_usd: Some(0.0),
            estimated: tokens.is_none(),
            ..Usage::default()
        },
        raw: text.clone().into_bytes(),
        finish: Finish::Stop,
        text,
    }
}

/// Finds `Goal: <id> (round R of M)` in the last message of ours. The last such line counts: the templates end with
/// it, and what stands before may quote others.
fn goal_of(request: &Request) -> Option<(String, usize)> {
    let message = request
        .messages
        .iter()
        .rev()
        .find(|message| message.role == Role::User)?;
    message.content.lines().rev().find_map(|line| {
        let (goal, rest) = line.trim_end().strip_prefix("Goal: ")?.rsplit_once(" (round ")?;
        let (round, _) = rest.strip_suffix(')')?.split_once(" of ")?;
        Some((goal.to_owned(), round.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{money::Unmetered, transcript::Message};

    fn ask(script: &str, last_line: &str) -> Result<Answer, ProviderError> {
        let message = |role, content: &str| Message {
            role,
            content: content.to_owned(),
        };
        let request = Request {
            model: "any".to_owned(),
            messages: vec![
                message(Role::User, "Goal: other (round 9 of 9)"),
                message(
                    Role::User,
                    &format!("a file says\nGoal: quoted (round 1 of 1)\n{last_line}\n"),
                ),
                message(Role::Assistant, "Goal: mine (round 1 of 1)"),
            ],
            max_tokens: None,
            reasoning: None,
            schema: None,
        };
        Mock::open(Some(("s.json", script)))?.ask(&request, &Unmetered, &Stop::default())
    }

    const SCRIPT: &str =
        r#"{ "goals": { "a (b)": ["one", { "reply": "two", "tokens": [5, 6] }] }, "default": "rest" }"#;

    #[test]
    fn goal_and_round_pick_the_reply_and_the_last_one_repeats() {
        for (round, text) in [(1, "one"), (2, "two"), (3, "two"), (0, "one")] {
            let answer = ask(SCRIPT, &format!("Goal: a (b) (round {round} of 3)")).unwrap();
            assert_eq!(answer.text, text, "round {round}");
            assert_eq!(answer.usage.cost_usd, Some(0.0));
        }
        assert_eq!(ask(SCRIPT, "Goal: x (round 1 of 3)").unwrap().text, "rest");
    }

    #[test]
    fn tokens_are_the_scripts_or_an_estimate_that_says_so() {
        let scripted = ask(SCRIPT, "Goal: a (b) (round 2 of 3)").unwrap().usage;
        assert_eq!(
            (scripted.prompt_tokens, scripted.completion_tokens, scripted.estimated),
            (5, 6, false)
        );
        let estimated = ask(SCRIPT, "Goal: a (b) (round 1 of 3)").unwrap().usage;
        assert_eq!((estimated.completion_tokens, estimated.estimated), (1, true));
    }

    #[test]
    fn a_status_is_the_error_that_an_endpoint_would_cause() {
        let script = r#"{"goals": {"g": [{"status": 500, "reply": "boom"}, {"status": 402}]}}"#;
        let first = ask(script, "Goal: g (round 1 of 2)").unwrap_err();
        assert_eq!(first.to_string(), "the provider is not available: boom");
        assert!(ask(script, "Goal: g (round 2 of 2)").unwrap_err().is_fatal_for_run());
        let nothing = ask(script, "Goal: h (round 1 of 2)").unwrap_err();
        assert_eq!(nothing, ProviderError::NoReply { goal: "h".to_owned() });
    }

    #[test]
    fn an_error_in_the_script_names_its_place() {
        for (script, start) in [
            ("{\n  \"goals\": {,", "s.json:2:13: "),
            (
                "{\"goals\": {\"g\": [{\n\"replay\": 1}]}}",
                "s.json:2:8: unknown field `replay`",
            ),
            ("{\"goals\": {\"g\": [1]}}", "s.json:1:18: invalid type: integer"),
            ("{\"goal\": 1}", "s.json:1:7: unknown field `goal`"),
        ] {
            let error = ask(script, "").unwrap_err();
            assert!(error.to_string().starts_with(start), "{error}");
        }
        assert!(Mock::open(None).unwrap_err().hint().is_some());
    }
}
