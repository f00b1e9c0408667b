//! The Python original: `memory/pending_goals.json` and `memory/completed_goals.json`, arrays of goals with our own words.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{
    foreign::{ForeignError, Item, Read, Standing, json, text},
    goal::Goal,
};

/// The original's words for a goal that waits.
const OPEN: &[&str] = &["", "pending", "open", "todo", "ready", "active", "in_progress"];

/// Reads both files; empty text for one that is not there.
///
/// # Errors
/// Where one of them is broken JSON, or no array of goals.
pub fn read(pending: &str, completed: &str) -> Result<Read, ForeignError> {
    let mut read = Read::default();
    for goal in goals(completed)? {
        let origin = json::text(&goal, "id");
        if !origin.is_empty() {
            let (id, standing) = (text::clean(&origin), Standing::Closed);
            let ours = id.parse().ok();
            read.items.push(Item {
                origin,
                id,
                ours,
                standing,
                ..Item::default()
            });
        }
    }
    let closed: HashSet<String> = read.items.iter().map(|item| item.origin.clone()).collect();
    for goal in goals(pending)? {
        let item = item(goal);
        // A goal that is in both was completed: the original wrote that file first.
        if !closed.contains(&item.origin) {
            read.items.push(item);
        }
    }
    Ok(read)
}

fn goals(document: &str) -> Result<Vec<Map<String, Value>>, ForeignError> {
    if document.trim().is_empty() {
        return Ok(Vec::new());
    }
    let document: Value = json::document(document)?;
    let rows = match document {
        Value::Array(rows) => rows,
        Value::Object(mut file) => match file.remove("goals") {
            Some(Value::Array(rows)) => rows,
            _ => return Err(unfit()),
        },
        _ => return Err(unfit()),
    };
    let object = |row: Value| match row {
        Value::Object(goal) => Ok(goal),
        _ => Err(unfit()),
    };
    rows.into_iter().map(object).collect()
}

fn unfit() -> ForeignError {
    ForeignError::Unfit("a file of goals is an array of objects".to_owned())
}

fn item(mut row: Map<String, Value>) -> Item {
    let description = json::text(&row, "description");
    let origin = match json::text(&row, "id") {
        id if id.is_empty() => format!(
            "goal-{}",
            text::short_hash(&[&description, &json::text(&row, "prompt")])
        ),
        id => id,
    };
    let status = json::text(&row, "status").to_ascii_lowercase();
    let standing = match status.as_str() {
        "complete" | "completed" | "done" => Standing::Closed,
        "rejected" => Standing::Rejected,
        "held" | "proposed" => Standing::Held(format!("{status} there")),
        open if OPEN.contains(&open) => Standing::Open,
        other => Standing::Held(text::clean(&format!("`{other}` there"))),
    };
    let needs = json::list(&row, "dependencies")
        .iter()
        .map(json::word)
        .filter(|need| !need.is_empty())
        .collect();
    for key in ["id", "dependencies", "status"] {
        row.shift_remove(key);
    }
    // What is worded as our own fields are is taken as it is; the rest is kept under a name of its own.
    let mut odd = Map::new();
    let mut fields = Map::new();
    for (key, value) in row {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        let fits = !value.is_null() && serde_json::from_value::<Goal>(alone.into()).is_ok() && key != "imported";
        if fits {
            fields.insert(key, value)
        } else {
            odd.insert(key, value)
        };
    }
    let mut goal: Goal = serde_json::from_value(fields.clone().into()).unwrap_or_default();
    goal.filename = goal.filename.filter(|name| !name.is_empty());
    let (line, whole) = text::one_line(&description);
    if !whole && goal.prompt.trim().is_empty() {
        goal.prompt = text::clean(&description);
    }
    goal.description = line;
    let said = serde_json::to_value(&goal).unwrap_or_default();
    let said = said.as_object().cloned().unwrap_or_default();
    odd.extend(json::kept(&fields, &said));
    let id = text::clean(&origin);
    Item {
        ours: id.parse().ok(),
        id,
        origin,
        standing,
        goal,
        needs,
        kept: odd,
        ..Item::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_s_fields_are_ours_and_others_are_kept() {
        let pending = r#"[{"id":"goal_001","description":"A","filename":"a.py","prompt":"P","dependencies":["goal_000"],
            "status":"pending","priority":"high","mood":{"b":1}},{"id":"goal_000","description":"Z"}]"#;
        let completed = r#"[{"id":"goal_000","description":"Z","status":"complete"}]"#;
        let read = read(pending, completed).unwrap();
        assert_eq!(read.items.len(), 2);
        let goal = &read.items[1];
        assert_eq!(
            (goal.goal.filename.as_deref(), goal.needs.as_slice()),
            (Some("a.py"), ["goal_000".to_owned()].as_slice())
        );
        assert_eq!(goal.kept.keys().collect::<Vec<_>>(), ["priority", "mood"]);
    }

    #[test]
    fn what_is_no_array_of_goals_is_refused() {
        for bad in ["{}", "[1]", "7", "[{\"id\":"] {
            assert!(read(bad, "").is_err(), "{bad}");
        }
        assert_eq!(read("", " ").unwrap(), Read::default());
    }
}
