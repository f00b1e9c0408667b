//! `conflict`: what the other side said where two sides changed one key of a goal: `{"prompt":["the other value"]}`.
//!
//! Owns that form. A row may have a key of that name that is none of ours; it stays as it is.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::backlog::spans::Row;

/// The key.
pub const KEY: &str = "conflict";

/// Other values by key; `null` where the other side took the key out.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Conflicts(BTreeMap<String, Vec<Value>>);

impl Conflicts {
    /// True where nothing is left to settle.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns keys and other values.
    pub fn values(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.0.iter().map(|(key, values)| (key.as_str(), values.as_slice()))
    }

    /// Adds another value of `key`, once.
    pub fn add(&mut self, key: &str, value: Value) {
        let values = self.0.entry(key.to_owned()).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }

    /// Takes `key` out: it is settled.
    pub fn settle(&mut self, key: &str) {
        self.0.remove(key);
    }

    fn has(&self, key: &str, value: &Value) -> bool {
        self.0.get(key).is_some_and(|values| values.contains(value))
    }

    /// Merges what became of these on two sides: settled on one is settled, added on either stays.
    #[must_use]
    pub fn merged(&self, ours: &Self, theirs: &Self) -> Self {
        let mut all = Self::default();
        let stays = |other: &Self, key: &str, value: &Value| !self.has(key, value) || other.has(key, value);
        for (side, other) in [(ours, theirs), (theirs, ours)] {
            for (key, values) in side.values() {
                let left = values.iter().filter(|value| stays(other, key, value));
                left.for_each(|value| all.add(key, value.clone()));
            }
        }
        all
    }
}

/// Reads what a row's key `conflict` holds; none where it is not of this form. What says the same as the row is none.
pub fn of(row: &str) -> Conflicts {
    if !row.contains("\"conflict\"") {
        return Conflicts::default();
    }
    let fields: Map<String, Value> = serde_json::from_str(row).unwrap_or_default();
    fields
        .get(KEY)
        .and_then(in_form)
        .map_or_else(Conflicts::default, |all| without_settled(all, &fields))
}

/// True where a row has no key `conflict`, or one of this form.
pub(crate) fn is_one(row: &str) -> bool {
    let value = Row::parse(row).and_then(|row| row.value(KEY).map(str::to_owned));
    value.is_none_or(|value| serde_json::from_str(&value).is_ok_and(|value| in_form(&value).is_some()))
}

fn in_form(value: &Value) -> Option<BTreeMap<String, Vec<Value>>> {
    let pairs = value.as_object()?.iter();
    pairs
        .map(|(key, values)| Some((key.clone(), values.as_array()?.clone())))
        .collect()
}

fn without_settled(mut all: BTreeMap<String, Vec<Value>>, fields: &Map<String, Value>) -> Conflicts {
    for (key, values) in &mut all {
        let now = fields.get(key).cloned().unwrap_or_default();
        values.retain(|value| *value != now);
    }
    all.retain(|_, values| !values.is_empty());
    Conflicts(all)
}

/// Returns the row with these conflicts, less those that say the same as the row; without the key where none is left. All
/// other bytes stay.
pub fn put(row: &str, conflicts: &Conflicts) -> String {
    let fields: Map<String, Value> = serde_json::from_str(row).unwrap_or_default();
    let left = without_settled(conflicts.0.clone(), &fields);
    let there = fields.get(KEY);
    if there.is_some_and(|there| in_form(there).is_none()) {
        return row.to_owned();
    }
    let wanted = (!left.is_empty()).then(|| json!(left.0));
    match (Row::parse(row), wanted) {
        (Some(_), wanted) if there == wanted.as_ref() => row.to_owned(),
        (Some(read), Some(wanted)) => read.with(KEY, &wanted.to_string()),
        (Some(read), None) => read.without(KEY),
        (None, _) => row.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_the_same_as_the_row_is_no_conflict_and_other_bytes_stay() {
        let row = r#"{"id":"a",  "prompt":"p","conflict":{"prompt":["p","q"],"x":[null]}}"#;
        let mut found = of(row);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["prompt"]);
        assert_eq!(
            put(row, &found),
            r#"{"id":"a",  "prompt":"p","conflict":{"prompt":["q"]}}"#
        );
        found.settle("prompt");
        assert_eq!(put(row, &found), r#"{"id":"a",  "prompt":"p"}"#);
    }

    #[test]
    fn a_key_of_that_name_that_is_none_of_ours_stays() {
        for value in ["\"x\"", "[1]", r#"{"prompt":"q"}"#] {
            let row = format!(r#"{{"id":"a","conflict":{value}}}"#);
            assert!(of(&row).is_empty(), "{row}");
            let mut other = Conflicts::default();
            other.add("prompt", json!("p"));
            assert_eq!(put(&row, &other), row);
        }
    }
}
