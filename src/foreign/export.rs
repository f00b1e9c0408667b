//! Export: how goals stand here, written into the file of the tool that they came from. What was not imported from there
//! keeps its bytes; wordings that were edited here are not written over theirs.

mod seed;
mod tasks;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::{
    backlog::{error, spans::Row},
    foreign::{
        ForeignError, Format, beads, json,
        take::{self, Mark},
    },
    goal::{Decision, Goal},
    id::GoalId,
};

/// How a goal stands here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Now {
    /// It landed.
    Landed {
        /// The commit.
        commit: String,
        /// RFC 3339 UTC.
        at: String,
    },
    /// It is open, with a person's decision and its reason.
    Decided(Decision, String),
}

/// One goal of ours.
#[derive(Clone, Debug)]
pub struct Ours {
    /// Its id.
    pub id: GoalId,
    /// What it asks.
    pub goal: Goal,
    /// How it stands.
    pub now: Now,
    row: Map<String, Value>,
    mark: Option<Mark>,
    /// Whether a person changed something about it since it was imported.
    is_edited: bool,
}

impl Ours {
    /// Reads an open goal's row, or that of a landed one; `landed` has commit and time.
    pub fn read(id: &GoalId, row: &str, landed: Option<(String, String)>) -> Option<Self> {
        let mut fields: Map<String, Value> = serde_json::from_str(row).ok()?;
        let mark = take::mark(row);
        let is_edited = mark.as_ref().is_none_or(|mark| !take::is_as_imported(&fields, mark));
        if landed.is_some() {
            // `completed` is no decision of a person.
            fields.shift_remove("status");
        }
        let goal: Goal = serde_json::from_value(fields.clone().into()).ok()?;
        let now = match landed {
            Some((commit, at)) => Now::Landed { commit, at },
            None => Now::Decided(goal.status, goal.reason.clone().unwrap_or_default()),
        };
        Some(Self {
            id: id.clone(),
            goal,
            now,
            row: fields,
            mark,
            is_edited,
        })
    }

    fn origin(&self, format: Format) -> Option<&str> {
        let mark = self.mark.as_ref()?;
        (mark.from == format.word()).then_some(mark.id.as_str())
    }

    fn kept(&self, format: Format) -> Map<String, Value> {
        let kept = self.row.get(format.word()).and_then(Value::as_object);
        kept.cloned().unwrap_or_default()
    }

    /// True where a person decided something that the tool should know, or it landed.
    fn has_news(&self) -> bool {
        self.is_edited || matches!(self.now, Now::Landed { .. })
    }

    /// True for goals that are written into another tool's list although they do not come from there.
    fn is_worth_telling(&self) -> bool {
        matches!(self.now, Now::Decided(Decision::Pending | Decision::Held, _))
    }
}

/// What an export comes to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Exported {
    /// Text of each file, with its path below the folder that it belongs to.
    pub files: Vec<(String, String)>,
    /// Goals whose state was written.
    pub told: Vec<GoalId>,
    /// Goals that were written anew.
    pub added: Vec<GoalId>,
    /// What a person should know, a line each.
    pub notes: Vec<String>,
}

/// What an export starts from: the files of the tool as they are, empty where there are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Base<'a> {
    /// The file, or the seed's pending goals.
    pub main: &'a str,
    /// The seed's completed goals.
    pub completed: &'a str,
    /// The tag of Task Master.
    pub tag: Option<&'a str>,
}

/// Writes `ours` into `base`; `at` is the time, RFC 3339 UTC.
///
/// # Errors
/// Where `base` is broken, or the format is one that is only read.
pub fn export(format: Format, base: Base<'_>, ours: &[Ours], at: &str) -> Result<Exported, ForeignError> {
    match format {
        Format::Beads => issues(base.main, ours, at),
        Format::Taskmaster => tasks::export(base, ours),
        Format::Seed => seed::export(base, ours),
        Format::Speckit | Format::Issues | Format::Checklist => {
            Err(ForeignError::Unfit(format!("`{format}` is read, and not written")))
        }
    }
}

/// Returns the object `text` with other values under some keys; all other bytes stay.
fn with(text: &str, changes: &[(&str, Value)]) -> String {
    let mut text = text.to_owned();
    for (key, value) in changes {
        if let Some(row) = Row::parse(&text) {
            text = row.with(key, &value.to_string());
        }
    }
    text
}

fn issues(base: &str, ours: &[Ours], at: &str) -> Result<Exported, ForeignError> {
    let by_origin: HashMap<&str, &Ours> = ours
        .iter()
        .filter_map(|own| Some((own.origin(Format::Beads)?, own)))
        .collect();
    let by_id: HashMap<&str, &Ours> = ours.iter().map(|own| (own.id.as_str(), own)).collect();
    let mut exported = Exported::default();
    let mut seen: HashSet<&GoalId> = HashSet::new();
    let mut text = String::with_capacity(base.len());
    let body = base.trim_start_matches('\u{feff}');
    text.push_str(base.strip_suffix(body).unwrap_or_default());
    for (nth, line) in body.split_inclusive('\n').enumerate() {
        let bare = line.trim_end_matches(['\n', '\r']);
        if bare.trim().is_empty() {
            text.push_str(line);
            continue;
        }
        let issue: Map<String, Value> = serde_json::from_str(bare).map_err(|error| {
            let why = format!("not an issue of beads as JSON: {}", error::said(&error));
            ForeignError::Broken { line: nth + 1, why }
        })?;
        let reference = json::text(&issue, "external_ref");
        let fresh = reference.strip_prefix("invisigoth:").and_then(|id| by_id.get(id));
        let own = by_origin.get(json::text(&issue, "id").as_str()).or(fresh);
        let Some(own) = own else {
            text.push_str(line);
            continue;
        };
        seen.insert(&own.id);
        let changes = if own.has_news() || beads::is_closed_by_us(&issue) {
            beads::changes(&issue, &own.now, at)
        } else {
            Vec::new()
        };
        if !changes.is_empty() {
            exported.told.push(own.id.clone());
        }
        text.push_str(&with(bare, &changes));
        text.push_str(line.get(bare.len()..).unwrap_or("\n"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for own in ours.iter().filter(|own| !seen.contains(&own.id)) {
        let Some(issue) = unseen_issue(own, &by_id, at) else {
            continue;
        };
        text.push_str(&Value::Object(issue).to_string());
        text.push('\n');
        exported.added.push(own.id.clone());
    }
    exported.files.push((".beads/issues.jsonl".to_owned(), text));
    Ok(exported)
}

/// Returns a goal that the base does not have as an issue, where it is one.
fn unseen_issue(own: &Ours, by_id: &HashMap<&str, &Ours>, at: &str) -> Option<Map<String, Value>> {
    let mut issue = if let Some(origin) = own.origin(Format::Beads) {
        let mut issue = beads::said(&own.goal, origin);
        issue.extend(own.kept(Format::Beads));
        issue
    } else if own.is_worth_telling() {
        let named = |need: &GoalId| {
            let known = by_id.get(need.as_str());
            known
                .and_then(|own| own.origin(Format::Beads))
                .unwrap_or(need.as_str())
                .to_owned()
        };
        let needs: Vec<String> = own.goal.dependencies.iter().map(named).collect();
        beads::fresh(&own.goal, own.id.as_str(), &needs)
    } else {
        return None;
    };
    if own.has_news() {
        for (key, value) in beads::changes(&issue, &own.now, at) {
            issue.insert(key.to_owned(), value);
        }
    }
    Some(issue)
}

#[cfg(test)]
mod tests;
