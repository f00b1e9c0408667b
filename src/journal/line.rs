//! A line of the journal as it is written: a JSON object without any secret in it.
//!
//! Owns which keys a line begins with and how much each event matters. Writes nothing.

use serde_json::{Map, Value};

use crate::{event::Event, journal::level::Level, secret::Redactor, time::Moment};

/// Longest text in a line, in bytes; what is beyond is left out.
const LONGEST: usize = 4096;

/// What a line says besides when and who.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// The goal that it is about.
    pub goal: Option<String>,
    /// What happened: the name of an event, or `diagnosed`.
    pub event: String,
    /// The rest.
    pub fields: Map<String, Value>,
}

/// Whose line it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    /// When.
    pub at: Moment,
    /// The run.
    pub run: &'a str,
    /// The process.
    pub pid: u32,
}

impl Line {
    /// Takes in an event; `None` where it cannot be said in JSON.
    pub fn of(event: &Event) -> Option<Self> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(event) else {
            return None;
        };
        let mut take = |key: &str| match fields.shift_remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        Some(Self {
            level: level(event),
            event: take("event")?,
            goal: take("goal"),
            fields,
        })
    }

    /// Words it as JSON on one line, without what `redactor` takes out of any text in it.
    pub fn json(mut self, head: &Head<'_>, redactor: &Redactor) -> String {
        let mut texts = String::new();
        self.goal.iter().for_each(|goal| gather(goal, &mut texts));
        self.fields.values().for_each(|value| gather_all(value, &mut texts));
        // One look at all of them: as a rule there is nothing to be taken out. Nothing is cut before: half of a key is not known.
        if redactor.clean(&texts).changed() {
            self.goal = self.goal.map(|goal| redactor.clean(&goal).into_string());
            let mut clean = |text: &mut String| *text = redactor.clean(text).into_string();
            self.fields.values_mut().for_each(|value| each_text(value, &mut clean));
        }
        self.fields
            .values_mut()
            .for_each(|value| each_text(value, &mut shorten));
        let mut all = Map::new();
        let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
        put("at", head.at.rfc3339_millis().into());
        put("level", self.level.word().into());
        put("run", head.run.into());
        put("pid", head.pid.into());
        put("event", self.event.into());
        if let Some(goal) = self.goal {
            put("goal", goal.into());
        }
        for (key, value) in self.fields {
            all.entry(key).or_insert(value);
        }
        Value::Object(all).to_string()
    }
}

fn gather(text: &str, texts: &mut String) {
    texts.push_str(text);
    texts.push('\n');
}

fn gather_all(value: &Value, texts: &mut String) {
    match value {
        Value::String(text) => gather(text, texts),
        Value::Array(values) => values.iter().for_each(|value| gather_all(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| gather_all(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn shorten(text: &mut String) {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
}

/// Has `change` see every text of a value, however deep it stands.
fn each_text(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| each_text(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| each_text(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns how much an event matters.
fn level(event: &Event) -> Level {
    match event {
        Event::Failed { .. } | Event::Parked { .. } => Level::Error,
        Event::Refused { .. } | Event::Evicted { .. } | Event::Held { .. } | Event::Paused { .. } => Level::Warn,
        Event::Checked { why: Some(_), .. } => Level::Warn,
        _ => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    const HEAD: Head<'_> = Head {
        at: Moment(1_764_000_000_123),
        run: "r",
        pid: 7,
    };

    #[test]
    fn an_event_is_a_line_that_says_when_who_and_how_much_it_matters() {
        let event = Event::Refused {
            goal: "g".parse().unwrap(),
            round: 2,
            why: "no edit".into(),
        };
        let line = Line::of(&event).unwrap().json(&HEAD, &Redactor::default());
        assert_eq!(
            line,
            r#"{"at":"2025-11-24T16:00:00.123Z","level":"warn","run":"r","pid":7,"event":"refused","goal":"g","round":2,"why":"no edit"}"#
        );
    }

    #[test]
    fn no_text_of_a_line_holds_a_secret_however_deep_it_stands() {
        let redactor = Redactor::new([&Secret::new("q8Zr\"41xKq8Zr")]);
        let fields = serde_json::json!({"checks": [{"cmd": "echo q8Zr\"41xKq8Zr"}], "n": 1, "why": "x".repeat(9000)});
        let Value::Object(fields) = fields else { unreachable!() };
        let line = Line {
            level: Level::Info,
            goal: Some("q8Zr\"41xKq8Zr".into()),
            event: "e".into(),
            fields,
        };
        let line = line.json(&HEAD, &redactor);
        assert!(!line.contains("41xK"), "{line}");
        assert_eq!(line.matches("[redacted]").count(), 2);
        assert!(line.len() < 5000 && line.contains("x…\""));
    }

    #[test]
    fn a_secret_that_stands_where_a_text_is_cut_is_taken_out_whole() {
        let secret = "q8Zr41xKq8Zr41xK";
        let redactor = Redactor::new([&Secret::new(secret)]);
        let mut fields = Map::new();
        let why = ["x".repeat(LONGEST - 12).as_str(), secret].concat();
        fields.insert("why".to_owned(), why.into());
        let line = Line {
            level: Level::Info,
            goal: None,
            event: "e".into(),
            fields,
        };
        let line = line.json(&HEAD, &redactor);
        assert!(!line.contains("q8Zr") && line.contains("[redacted]"), "{line}");
    }
}
