//! Sheet: one goal's row as TOML for a person's editor, where text of several lines reads as such, and what they changed.
//!
//! Says which keys change, never the row itself: keys that were not touched keep their bytes. Opens no editor.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use toml_edit::{Array, Document, InlineTable, Item, Key, TableLike, Value as Toml};

use crate::{backlog::conflict, goal::Goal, id::GoalId, path::RepoPath, quote};

/// Keys that are shown in this order, also where the row does not have them.
const ALWAYS: [&str; 8] = [
    "description",
    "prompt",
    "filename",
    "files",
    "acceptance",
    "dependencies",
    "priority",
    "status",
];

/// Why a sheet cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct SheetError {
    /// How many lines stand before the one in question; `None` where it is about no line.
    pub line: Option<usize>,
    /// What is wrong, on one line.
    pub why: String,
}

type Fields = Map<String, Value>;

/// Words the row of goal `id` as a sheet. A row that is no object makes one without keys.
pub fn write(id: &GoalId, row: &str) -> String {
    let mut fields: Fields = serde_json::from_str(row).unwrap_or_default();
    fields.retain(|key, value| key != "id" && !value.is_null());
    let mut text = format!(
        "# Goal {id}. Save and leave to change it; an empty file changes nothing.\n\
         # Also read: labels, model, executor, max_attempts, budget_usd, reason, comments.\n"
    );
    if conflict::is_one(row) {
        fields.shift_remove(conflict::KEY);
        text.push_str(&in_conflict(id, row));
    }
    let first = ALWAYS.map(|key| {
        let value = fields.shift_remove(key).unwrap_or_else(|| default(key));
        (key.to_owned(), value)
    });
    let mut untold = Vec::new();
    for (key, value) in first.into_iter().chain(fields) {
        let Some(said) = said(&value) else {
            untold.push(key);
            continue;
        };
        let about = if key == "status" {
            "  # pending, proposed, rejected or held"
        } else {
            ""
        };
        text.extend([Key::new(key).to_string().as_str(), " = ", &said, about, "\n"]);
    }
    if !untold.is_empty() {
        text.extend(["# Not shown, and kept: ", &in_comment(&untold.join(", ")), "\n"]);
    }
    text
}

/// Words what other sides set keys to, in comments.
fn in_conflict(id: &GoalId, row: &str) -> String {
    let conflicts = conflict::of(row);
    let mut text = String::new();
    for (key, values) in conflicts.values() {
        for value in values {
            let said = match value {
                Value::String(text) => text.clone(),
                Value::Null => "(taken out)".to_owned(),
                other => other.to_string(),
            };
            text.extend(["# Conflict: another side set `", &in_comment(key), "` to:\n"]);
            let lines = said.lines().map(|line| format!("#   {}\n", in_comment(line)));
            text.extend(lines);
        }
    }
    if !text.is_empty() {
        let id = quote::quoted(id.as_str());
        text.extend([
            "# Change that key and it is settled; `git invisigoth edit ",
            &id,
            " --keep` keeps what stands here.\n",
        ]);
    }
    text
}

/// Returns a text as it can stand in a comment, which ends at a line break and holds no other control character but tabs.
fn in_comment(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Returns the keys that differ between `sheet`, as it was written for `row`, and `edited`, with their values; `null` where
/// one is gone.
///
/// # Errors
/// Says what in `edited` is no TOML or fits no goal.
pub fn changes(id: &GoalId, row: &str, edited: &str) -> Result<Vec<(String, Value)>, SheetError> {
    let before = fields(&write(id, row))?;
    let mut after = fields(edited)?;
    if after.shift_remove("id").is_some_and(|said| said != json!(id)) {
        return Err(at_key(edited, "id", "the id of a goal cannot change"));
    }
    let row: Fields = serde_json::from_str(row).unwrap_or_default();
    let mut changes = Vec::new();
    for key in before
        .keys()
        .filter(|key| row.contains_key(*key) && !after.contains_key(*key))
    {
        changes.push((key.clone(), Value::Null));
    }
    let changed = after.into_iter().filter(|(key, value)| before.get(key) != Some(value));
    for (key, value) in changed {
        fits(&key, &value).map_err(|why| at_key(edited, &key, &why))?;
        changes.push((key, value));
    }
    match changes.iter().find(|(key, _)| key == "description") {
        Some((key, value)) if value.as_str().is_none_or(|text| text.trim().is_empty()) => {
            Err(at_key(edited, key, "a goal needs a description"))
        }
        _ => Ok(changes),
    }
}

/// True where nothing but comments and blank lines is left.
pub fn is_blank(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || line.starts_with('#'))
}

fn default(key: &str) -> Value {
    match key {
        "files" | "acceptance" | "dependencies" => json!([]),
        "priority" => json!(0),
        "status" => json!("pending"),
        _ => json!(""),
    }
}

/// Says why `value` is none for `key`.
fn fits(key: &str, value: &Value) -> Result<(), String> {
    let goal: Goal = serde_json::from_value(json!({ key: value })).map_err(|error| format!("`{key}`: {error}"))?;
    let paths = goal.named_files();
    let twice = |list: &[String]| list.iter().collect::<BTreeSet<_>>().len() < list.len();
    if key == "files" && twice(&goal.files) {
        return Err("`files`: a file is there twice".to_owned());
    }
    paths
        .into_iter()
        .try_for_each(|path| RepoPath::parse(path).map(drop).map_err(|bad| format!("`{key}`: {bad}")))
}

/// Words a value; `None` where TOML has no word for it.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if is_plain(text) => Some(format!("'''\n{text}'''")),
        Value::Array(list) if !list.is_empty() => {
            let list: Vec<String> = list
                .iter()
                .map(|one| Some(format!("    {},\n", toml(one)?)))
                .collect::<Option<_>>()?;
            Some(format!("[\n{}]", list.concat()))
        }
        other => Some(toml(other)?.to_string()),
    }
}

/// True for text of several lines that can stand as it is, without escapes.
fn is_plain(text: &str) -> bool {
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    text.contains('\n') && !text.contains("'''") && !text.ends_with('\'') && !text.contains(odd)
}

fn toml(value: &Value) -> Option<Toml> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(is) => Toml::from(*is),
        Value::Number(number) => match (number.as_i64(), number.is_f64()) {
            (Some(number), _) => Toml::from(number),
            (None, true) => Toml::from(number.as_f64()?),
            (None, false) => return None,
        },
        Value::String(text) => Toml::from(text.as_str()),
        Value::Array(list) => Toml::Array(list.iter().map(toml).collect::<Option<Array>>()?),
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| Some((Key::new(key), toml(value)?)));
            Toml::InlineTable(pairs.collect::<Option<InlineTable>>()?)
        }
    })
}

fn fields(text: &str) -> Result<Fields, SheetError> {
    let document = Document::parse(text).map_err(|error| SheetError {
        line: error.span().map(|span| line_of(text, span.start)),
        why: one_line(error.message()),
    })?;
    object(document.as_table()).ok_or_else(|| SheetError {
        line: None,
        why: "a number here is none that JSON can say".to_owned(),
    })
}

fn object(table: &dyn TableLike) -> Option<Fields> {
    let fields = table.iter().map(|(key, item)| Some((key.to_owned(), json_of(item)?)));
    fields.collect()
}

fn json_of(item: &Item) -> Option<Value> {
    match item {
        Item::None => None,
        Item::Value(value) => json_value(value),
        Item::Table(table) => object(table).map(Value::Object),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| object(table).map(Value::Object)).collect(),
    }
}

fn json_value(value: &Toml) -> Option<Value> {
    match value {
        Toml::String(text) => Some(json!(text.value())),
        Toml::Integer(number) => Some(json!(number.value())),
        Toml::Float(number) => serde_json::Number::from_f64(*number.value()).map(Value::Number),
        Toml::Boolean(is) => Some(json!(is.value())),
        Toml::Datetime(moment) => Some(json!(moment.value().to_string())),
        Toml::Array(list) => list.iter().map(json_value).collect(),
        Toml::InlineTable(table) => object(table).map(Value::Object),
    }
}

fn at_key(text: &str, key: &str, why: &str) -> SheetError {
    let span = Document::parse(text)
        .ok()
        .and_then(|document| document.as_table().key(key).and_then(Key::span));
    SheetError {
        line: span.map(|span| line_of(text, span.start)),
        why: one_line(why),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
