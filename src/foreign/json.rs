//! JSON of others: values read leniently, keys kept that nobody here has a word for, and errors that name a line.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, error::Category};

use crate::{backlog::error::said, foreign::ForeignError};

/// Words what the JSON reader said of a whole document.
pub(crate) fn fault(error: &serde_json::Error) -> ForeignError {
    let line = error.line().max(1);
    match error.classify() {
        Category::Eof => ForeignError::Cut { line },
        Category::Io | Category::Syntax | Category::Data => ForeignError::Broken { line, why: said(error) },
    }
}

/// Reads a whole document.
pub(crate) fn document<T: DeserializeOwned>(text: &str) -> Result<T, ForeignError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| fault(&error))
}

/// Returns the text under `key`, a number as its digits; empty for anything else.
pub(crate) fn text(item: &Map<String, Value>, key: &str) -> String {
    item.get(key).map(word).unwrap_or_default()
}

/// Returns a text as it is, and a number as its digits; empty for anything else.
pub(crate) fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// Returns the elements under `key`; none for what is no array.
pub(crate) fn list<'a>(item: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    item.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the keys of `item` that `said` does not say in the same way.
pub(crate) fn kept(item: &Map<String, Value>, said: &Map<String, Value>) -> Map<String, Value> {
    let other = |(key, value): &(&String, &Value)| said.get(key.as_str()) != Some(value);
    let rest = item.iter().filter(other);
    rest.map(|(key, value)| (key.clone(), value.clone())).collect()
}
