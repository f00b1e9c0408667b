//! Reading a reply: what models really send → proposals.
//!
//! Owns where in a reply its list stands and what is said of a reply without one. How broken JSON is read is `lenient`,
//! what the keys of a goal are called is `fields`. Judges nothing.

use serde_json::Value;

use crate::plan::{
    Reading, fields, lenient,
    why::{Refused, Why},
};

/// Largest reply that is read, in bytes.
pub const MOST_BYTES: usize = 1 << 20;
/// Most proposals of a reply that are read.
const MOST_PROPOSALS: usize = 500;
/// How deep a list is looked for inside of objects.
const MOST_WRAPPERS: usize = 4;

/// Keys that hold the list of proposals, folded.
const LISTS: &[&str] = &[
    "goals",
    "tasks",
    "items",
    "proposals",
    "plan",
    "todos",
    "issues",
    "stories",
    "suggestions",
    "improvements",
    "goal",
    "proposedgoals",
    "newgoals",
];

/// A reply without any goal. Its words can be sent back to the model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unreadable {
    /// Nothing at all, or thoughts only.
    #[error("the reply is empty, or holds thoughts only; answer with a JSON object: {{\"goals\": [...]}}")]
    Empty,
    /// More than is read.
    #[error("the reply has {0} bytes, and {MOST_BYTES} is the most; answer with fewer goals")]
    TooLarge(usize),
    /// No JSON.
    #[error(
        "the reply holds no JSON; answer with a JSON object: {{\"goals\": [...]}}, or {{\"goals\": []}} if nothing is worth doing"
    )]
    NoJson,
    /// JSON that is no list of goals.
    #[error(
        "the reply holds JSON but no goals; answer with a JSON object: {{\"goals\": [...]}}, or {{\"goals\": []}} if nothing is worth doing"
    )]
    NoGoals,
    /// It ends before its first goal does.
    #[error("the reply ends before its first goal does; answer with fewer and shorter goals")]
    Cut,
}

/// Reads the proposals of a reply.
///
/// # Errors
/// When there are none, and the reply does not say so with an empty list.
pub fn read(text: &str) -> Result<Reading, Unreadable> {
    if text.len() > MOST_BYTES {
        return Err(Unreadable::TooLarge(text.len()));
    }
    let text = without_thoughts(text.trim_start_matches('\u{feff}'));
    if text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let mut found = Found::default();
    found.all(text, 0);
    found.end()
}

/// Drops thoughts: from a tag at the start to its end, and what is above a closing tag alone.
fn without_thoughts(text: &str) -> &str {
    let mut rest = text;
    for tag in ["think", "thinking", "thought", "reasoning"] {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        while let Some(thoughts) = rest.trim_start().strip_prefix(open.as_str()) {
            rest = thoughts.split_once(close.as_str()).map_or("", |(_, after)| after);
        }
        // The opening one is part of some prompts. Within a text of JSON no line begins or ends there.
        if let Some((before, after)) = rest.rsplit_once(close.as_str()) {
            let alone = before.ends_with('\n') || after.starts_with(['\n', '\r']);
            rest = if alone { after } else { rest };
        }
    }
    rest
}

#[derive(Default)]
struct Found {
    reading: Reading,
    saw_json: bool,
    saw_empty_list: bool,
}

impl Found {
    fn all(&mut self, text: &str, depth: usize) {
        let values = lenient::values(text);
        self.reading.cut |= values.cut;
        for value in values.all {
            // Prose and code hold brackets too.
            self.saw_json |=
                value.is_object() || value.as_array().is_some_and(|items| items.iter().any(Value::is_object));
            self.take(value, depth);
        }
    }

    fn take(&mut self, value: Value, depth: usize) {
        match value {
            Value::Array(items) if items.is_empty() => self.saw_empty_list = true,
            Value::Array(items) => {
                let goals = items.iter().any(fields::is_goal);
                let nested = items.iter().all(|item| item.is_object() || item.is_array()) && !goals;
                for item in items {
                    if nested && depth < MOST_WRAPPERS {
                        self.take(item, depth + 1);
                    } else if goals {
                        self.item(&item);
                    }
                }
            }
            Value::Object(_) if fields::is_goal(&value) => self.item(&value),
            Value::Object(map) => {
                if map.contains_key(lenient::CUT) {
                    self.reading.cut = true;
                }
                for (key, inner) in map {
                    self.inner(&key, inner, depth);
                }
            }
            _ => {}
        }
    }

    fn inner(&mut self, key: &str, inner: Value, depth: usize) {
        let named = LISTS.contains(&fields::folded(key).as_str());
        match inner {
            Value::Array(items) if named && !items.is_empty() => {
                items.iter().for_each(|item| self.item(item));
            }
            Value::Array(items) if depth < MOST_WRAPPERS && (named || !items.is_empty()) => {
                self.take(Value::Array(items), depth + 1);
            }
            Value::Object(map) if named && map.values().any(fields::is_goal) && !map.is_empty() => {
                for (handle, item) in map {
                    self.keyed(handle, item);
                }
            }
            Value::Object(map) if depth < MOST_WRAPPERS && !matches!(key, "properties" | "$defs" | "definitions") => {
                self.take(Value::Object(map), depth + 1);
            }
            // A list inside of a text, as tool calls send it.
            Value::String(text) if depth + 1 < MOST_WRAPPERS && text.trim_start().starts_with(['[', '{']) => {
                self.all(&text, MOST_WRAPPERS - 1);
            }
            _ => {}
        }
    }

    /// A goal whose handle is the key that it stands under.
    fn keyed(&mut self, handle: String, item: Value) {
        if handle == lenient::CUT {
            self.reading.cut = true;
            return;
        }
        let mut item = item;
        if let Value::Object(fields) = &mut item {
            fields.entry("handle").or_insert(Value::String(handle));
        }
        self.item(&item);
    }

    fn item(&mut self, item: &Value) {
        let read = self.reading.proposals.len() + self.reading.refused.len();
        let title = fields::title(item);
        let why = if item.as_object().is_some_and(|map| map.contains_key(lenient::CUT)) {
            self.reading.cut = true;
            Why::Cut
        } else if read >= MOST_PROPOSALS {
            Why::OverRead { most: MOST_PROPOSALS }
        } else {
            match fields::proposal(item, read) {
                Ok(proposal) => return self.reading.proposals.push(proposal),
                Err(why) => why,
            }
        };
        self.reading.refused.push(Refused { title, why });
    }

    fn end(self) -> Result<Reading, Unreadable> {
        let reading = self.reading;
        let only_cut = reading.proposals.is_empty() && reading.cut;
        if only_cut {
            return Err(Unreadable::Cut);
        }
        if !reading.proposals.is_empty() || !reading.refused.is_empty() || self.saw_empty_list {
            return Ok(reading);
        }
        Err(if self.saw_json {
            Unreadable::NoGoals
        } else {
            Unreadable::NoJson
        })
    }
}

#[cfg(test)]
mod tests;
