//! `str_replace`: edits as JSON objects, one a line or in an array, as tools for editing take them.
//!
//! Owns which objects are edits. That an old text occurs once is the applier's business.

use serde_json::{Deserializer, Map, Value};

use crate::edit::{
    Action, Edit,
    refusal::{Item, Reason},
};

/// Keys of a call that hold what it is called with.
const CALLS: [&str; 3] = ["input", "arguments", "parameters"];

/// Most lines of an object that are looked at to tell an edit that cannot be read from prose.
const MOST_LINES: usize = 50;

/// Reads the JSON values at the start of `text` if they are edits, up to the end of a line. Returns how many bytes they
/// take; `None` for any other text.
pub(crate) fn read(text: &str, number: usize) -> Result<Option<(Vec<Edit>, usize)>, Item> {
    let mut edits = Vec::new();
    let mut end = 0;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) if !edits.is_empty() || looks_like_edit(rest) => {
                let detail = format!("line {number} of the reply is not sound JSON: {error}");
                return Err(Item::of_reply(Reason::Malformed, detail));
            }
            Some(Err(_)) | None => return Ok(None),
        };
        let Some(some) = of_value(&value)? else {
            return Ok(None);
        };
        edits.extend(some);
        end += values.byte_offset();
        let line_end = text.get(end..).and_then(|rest| rest.find('\n').map(|at| end + at + 1));
        let line_end = line_end.unwrap_or(text.len());
        let left = text.get(end..line_end).unwrap_or_default();
        if left.trim().trim_matches([',', ';']).is_empty() {
            return Ok(Some((edits, line_end)));
        }
        end += left.len() - left.trim_start_matches([' ', ',', ';', '\t']).len();
    }
}

/// True for an object, up to a blank line or its last one, that was meant as an edit, whether or not it can be read.
fn looks_like_edit(text: &str) -> bool {
    let mut is_over = false;
    let lines = text.lines().take(MOST_LINES).take_while(|line| {
        let goes_on = !is_over && !line.trim().is_empty();
        is_over = line.starts_with('}');
        goes_on
    });
    let (mut has_path, mut has_more) = (false, false);
    for line in lines {
        has_path |= names_path(line);
        has_more |= ["\"old_str", "\"new_str", "\"command\""]
            .iter()
            .any(|key| line.contains(key));
    }
    has_path && has_more
}

/// True for a line with the key that says which file an edit in JSON is about.
pub(crate) fn names_path(line: &str) -> bool {
    ["\"path\"", "\"file_path\""].iter().any(|key| {
        let after = line.split_once(key).map(|(_, after)| after.trim_start());
        after.is_some_and(|after| after.starts_with(':'))
    })
}

fn of_value(value: &Value) -> Result<Option<Vec<Edit>>, Item> {
    match value {
        Value::Array(values) if !values.is_empty() => {
            let mut edits = Vec::new();
            for value in values {
                match of_value(value)? {
                    Some(some) => edits.extend(some),
                    None if edits.is_empty() => return Ok(None),
                    None => {
                        return Err(Item::of_reply(
                            Reason::Malformed,
                            "a value of the JSON array is not an edit",
                        ));
                    }
                }
            }
            Ok(Some(edits))
        }
        Value::Object(object) => of_object(object),
        _ => Ok(None),
    }
}

fn of_object(object: &Map<String, Value>) -> Result<Option<Vec<Edit>>, Item> {
    if let Some(inner) = CALLS.iter().find_map(|key| object.get(*key)) {
        return match inner {
            Value::Object(inner) => of_object(inner),
            Value::String(text) => match serde_json::from_str(text) {
                Ok(inner) => of_value(&inner),
                Err(_) => Ok(None),
            },
            _ => Ok(None),
        };
    }
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)).and_then(Value::as_str);
    let Some(path) = text(&["path", "file_path"]) else {
        return Ok(None);
    };
    let old = text(&["old_str", "old_string"]);
    let new = text(&["new_str", "new_string", "insert_text"]);
    let command = text(&["command"]).or(if object.contains_key("insert_line") {
        Some("insert")
    } else if old.is_some() {
        Some("str_replace")
    } else {
        object.contains_key("file_text").then_some("create")
    });
    let Some(command) = command else {
        return Ok(None);
    };
    let malformed = |detail: String| Item::new(path, Reason::Malformed, detail);
    if object
        .values()
        .filter_map(Value::as_str)
        .any(|text| text.contains('\0'))
    {
        return Err(malformed("a text of the JSON object holds a NUL character".to_owned()));
    }
    let missing = |key: &str| malformed(format!("`{command}` needs `{key}`"));
    let action = match command {
        "view" => return Ok(Some(Vec::new())),
        "str_replace" => Action::Swap {
            old: old.ok_or_else(|| missing("old_str"))?.to_owned(),
            new: new.unwrap_or_default().to_owned(),
        },
        "insert" => {
            let after = object.get("insert_line").and_then(Value::as_u64);
            let after = after.and_then(|line| usize::try_from(line).ok());
            Action::Insert {
                after: after.ok_or_else(|| missing("insert_line"))?,
                text: new.ok_or_else(|| missing("new_str"))?.to_owned(),
            }
        }
        "create" => Action::Create {
            content: text(&["file_text"]).ok_or_else(|| missing("file_text"))?.to_owned(),
        },
        other if old.is_some() || new.is_some() => {
            return Err(malformed(format!(
                "`{other}` is not a command: str_replace, insert or create"
            )));
        }
        _ => return Ok(None),
    };
    let path = path.to_owned();
    Ok(Some(vec![Edit { path, action }]))
}
