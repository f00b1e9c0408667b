//! Plan: what a model proposes, read and judged before it becomes a goal.
//!
//! Owns the shape of a proposal, what models send instead of it (`parse`), and which proposals become goals (`judge`,
//! `near`). Pure: asks no model, writes no backlog; the code is seen through a `Snapshot` only.

mod cite;
mod fields;
pub mod judge;
mod lenient;
pub mod near;
pub mod needs;
pub mod parse;
mod quoted;
pub mod why;
mod words;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{plan::why::Refused, transcript::Schema};

/// One goal as a model words it. Nothing in it is trusted: see `judge`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Proposal {
    /// What the reply calls it, so that others of the reply can need it; never becomes an id.
    pub handle: String,
    /// One line for people.
    pub description: String,
    /// The file that it is mainly about.
    pub filename: Option<String>,
    /// Further files.
    pub files: Vec<String>,
    /// What a model is asked to do.
    pub prompt: String,
    /// What must be true afterwards.
    pub acceptance: Vec<String>,
    /// Handles of the same reply, or ids of open or landed goals.
    pub needs: Vec<String>,
    /// Why it is worth doing.
    pub reason: String,
    /// Where the reason is seen.
    pub evidence: Vec<Evidence>,
    /// Higher goes first.
    pub priority: i64,
    /// Free words.
    pub labels: Vec<String>,
}

/// A place in the code and what stands there.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Evidence {
    /// The file.
    pub path: String,
    /// The line where the quote starts, from 1.
    pub line: Option<u32>,
    /// Text of the file, word for word.
    pub quote: String,
}

/// What a reply holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reading {
    /// The proposals, in the order of the reply.
    pub proposals: Vec<Proposal>,
    /// What stood among them and could not be read, or is too much.
    pub refused: Vec<Refused>,
    /// True where the reply ends in the middle of its list.
    pub cut: bool,
}

/// Returns the JSON schema that a reply with proposals follows. Each key is required and none may be absent or null, as
/// strict modes want it; empty text and 0 stand for nothing.
pub fn schema() -> Schema {
    Schema {
        name: "plan".to_owned(),
        schema: object(&[("goals", list(&goal()))]),
    }
}

fn goal() -> Value {
    let evidence = object(&[
        ("path", text("file, relative to the top of the repository")),
        ("line", number("line where the quote starts, from 1; 0 if unknown")),
        ("quote", text("text of that file, copied word for word")),
    ]);
    object(&[
        (
            "handle",
            text("short name of this goal, for `needs` of others in this reply"),
        ),
        ("description", text("the goal in one line")),
        ("filename", text("main file, existing or new; empty if there is none")),
        ("files", list(&text("further file"))),
        ("prompt", text("what the programmer is asked to do")),
        (
            "acceptance",
            list(&text("what must be true afterwards and can be checked")),
        ),
        (
            "needs",
            list(&text(
                "handle of a goal in this reply, or id of a known goal, that must land first",
            )),
        ),
        ("reason", text("why it is worth doing")),
        ("evidence", list(&evidence)),
        ("priority", number("higher goes first; 0 is ordinary")),
        ("labels", list(&text("free word"))),
    ])
}

fn object(fields: &[(&str, Value)]) -> Value {
    let keys: Vec<&str> = fields.iter().map(|(key, _)| *key).collect();
    let of: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect();
    json!({ "type": "object", "properties": of, "required": keys, "additionalProperties": false })
}

fn list(of: &Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn text(what: &str) -> Value {
    json!({ "type": "string", "description": what })
}

fn number(what: &str) -> Value {
    json!({ "type": "integer", "description": what })
}
