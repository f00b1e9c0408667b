//! Export to the original's layout. It runs whatever is in its file, from the top, and looks at no dependency: only goals
//! that may run are written, each behind what it needs.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use crate::{
    foreign::{
        ForeignError, Format,
        export::{Base, Exported, Now, Ours},
        json,
    },
    goal::Decision,
};

pub(crate) fn export(base: Base<'_>, ours: &[Ours]) -> Result<Exported, ForeignError> {
    let old_pending = rows(base.main)?;
    let old_completed = rows(base.completed)?;
    let mut exported = Exported::default();
    let by_id: HashMap<&str, &Ours> = ours
        .iter()
        .map(|own| (own.origin(Format::Seed).unwrap_or(own.id.as_str()), own))
        .collect();
    let mut completed = old_completed.clone();
    let mut known: HashSet<String> = completed.iter().map(|row| json::text(row, "id")).collect();
    let mut pending = Vec::new();
    let mut seen = HashSet::new();
    for row in old_pending.iter().filter(|row| !known.contains(&json::text(row, "id"))) {
        match by_id.get(json::text(row, "id").as_str()) {
            None => pending.push(row.clone()),
            Some(own) => {
                seen.insert(&own.id);
                match own.now {
                    Now::Decided(Decision::Pending, _) if !own.is_edited => pending.push(row.clone()),
                    Now::Decided(Decision::Pending, _) => pending.push(fields(own)),
                    _ => {}
                }
            }
        }
    }
    for own in ours {
        let id = own.origin(Format::Seed).unwrap_or(own.id.as_str()).to_owned();
        match &own.now {
            Now::Landed { .. } if known.insert(id) => {
                completed.push(fields(own));
                exported.told.push(own.id.clone());
            }
            Now::Decided(Decision::Pending, _) if !seen.contains(&own.id) => {
                pending.push(fields(own));
                exported.added.push(own.id.clone());
            }
            Now::Decided(Decision::Held | Decision::Proposed | Decision::Rejected, _) => {
                exported.notes.push(format!(
                    "{} is left out: it must not run, and there every goal does",
                    own.id
                ));
            }
            _ => {}
        }
    }
    let pending = in_order(&pending);
    let files = [
        ("memory/pending_goals.json", text(base.main, &old_pending, &pending)),
        (
            "memory/completed_goals.json",
            text(base.completed, &old_completed, &completed),
        ),
    ];
    exported.files.extend(files.map(|(name, text)| (name.to_owned(), text)));
    Ok(exported)
}

fn rows(text: &str) -> Result<Vec<Map<String, Value>>, ForeignError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    json::document(text)
}

/// Words a goal as the original does: its six fields are always there.
fn fields(own: &Ours) -> Map<String, Value> {
    let goal = &own.goal;
    let mut row = Map::new();
    row.insert("id".into(), own.origin(Format::Seed).unwrap_or(own.id.as_str()).into());
    row.insert("description".into(), goal.description.as_str().into());
    row.insert("filename".into(), goal.filename.as_deref().unwrap_or_default().into());
    row.insert("prompt".into(), goal.request().into());
    row.insert("dependencies".into(), json!(goal.dependencies));
    row.insert("status".into(), "pending".into());
    let rest = own
        .row
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "imported" | "seed" | "commit" | "landed_at"));
    for (key, value) in rest {
        row.entry(key.as_str()).or_insert_with(|| value.clone());
    }
    row.extend(own.kept(Format::Seed));
    if let Now::Landed { commit, at } = &own.now {
        row.insert("status".into(), "complete".into());
        row.insert("commit".into(), commit.as_str().into());
        row.insert("landed_at".into(), at.as_str().into());
    }
    row
}

/// Puts each row behind those that it needs, else as they are.
fn in_order(rows: &[Map<String, Value>]) -> Vec<Map<String, Value>> {
    let ids: HashMap<String, usize> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| (json::text(row, "id"), at))
        .collect();
    let mut waits: Vec<BTreeSet<usize>> = Vec::new();
    let mut frees: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
    for (at, row) in rows.iter().enumerate() {
        let on = json::list(row, "dependencies")
            .iter()
            .filter_map(|need| ids.get(&json::word(need)).copied());
        let on: BTreeSet<usize> = on.filter(|on| *on != at).collect();
        for other in &on {
            frees.get_mut(*other).into_iter().for_each(|frees| frees.push(at));
        }
        waits.push(on);
    }
    let mut ready: BTreeSet<usize> = (0..rows.len())
        .filter(|at| waits.get(*at).is_some_and(BTreeSet::is_empty))
        .collect();
    let mut order = Vec::new();
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for next in frees.get(at).into_iter().flatten() {
            if let Some(left) = waits.get_mut(*next)
                && left.remove(&at)
                && left.is_empty()
            {
                ready.insert(*next);
            }
        }
    }
    let done: HashSet<usize> = order.iter().copied().collect();
    order.extend((0..rows.len()).filter(|at| !done.contains(at)));
    order.iter().filter_map(|at| rows.get(*at).cloned()).collect()
}

/// Prints rows as the original does, or gives the old text back where they are the old ones.
fn text(before: &str, old: &[Map<String, Value>], new: &[Map<String, Value>]) -> String {
    if !before.trim().is_empty() && old == new {
        return before.to_owned();
    }
    let text = serde_json::to_string_pretty(new).unwrap_or_default();
    format!("{text}\n")
}
