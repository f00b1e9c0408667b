//! One row of the backlog read as a `Goal`, as a `GoalHead` where less will do, or as an error that names the key.
//!
//! `null` counts as absent. Changes nothing.

use std::{borrow::Cow, collections::HashSet, fmt, str::FromStr as _};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, Visitor},
};

use crate::{
    backlog::{
        Backlog, conflict,
        error::{BacklogError, Lines, Place, said},
        spans::Row,
    },
    goal::{Decision, Goal},
    id::GoalId,
};

/// What scheduling and listing need of a goal, borrowed from the file's text.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GoalHead<'a> {
    /// One line for people.
    pub description: Cow<'a, str>,
    /// A person's decision.
    pub status: Decision,
    /// Ids of goals that must have landed before.
    pub dependencies: Vec<Cow<'a, str>>,
    /// Higher goes first; 0 where absent.
    pub priority: i64,
    /// Why it was decided as it was.
    pub reason: Option<Cow<'a, str>>,
    /// Keys that two sides set to different values.
    pub conflict: Vec<String>,
}

/// Text that is borrowed unless it has escapes. serde's own `Cow` owns it inside of `Option` and `Vec`.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Take;

        impl<'de> Visitor<'de> for Take {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(text.into())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text.to_owned().into())
            }
        }

        from.deserialize_str(Take).map(Self)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Head<'a> {
    #[serde(borrow)]
    description: Option<Text<'a>>,
    status: Option<Decision>,
    #[serde(borrow)]
    dependencies: Option<Vec<Text<'a>>>,
    priority: Option<i64>,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    conflict: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct OnlyId<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
}

/// Reads the head of a row that was read as a goal before.
pub(crate) fn head(row: &str) -> GoalHead<'_> {
    let Ok(head) = serde_json::from_str::<Head<'_>>(row) else {
        return GoalHead {
            conflict: conflicts(row),
            ..full_head(goal(row).unwrap_or_default())
        };
    };
    let needs = head.dependencies.unwrap_or_default();
    GoalHead {
        description: head.description.map(|Text(text)| text).unwrap_or_default(),
        status: head.status.unwrap_or_default(),
        dependencies: needs.into_iter().map(|Text(text)| text).collect(),
        priority: head.priority.unwrap_or_default(),
        reason: head.reason.map(|Text(text)| text),
        conflict: head.conflict.map_or_else(Vec::new, |_| conflicts(row)),
    }
}

fn conflicts(row: &str) -> Vec<String> {
    conflict::of(row).keys().map(str::to_owned).collect()
}

/// The head of a goal whose row needs the slower reading.
fn full_head(goal: Goal) -> GoalHead<'static> {
    let needs = goal.dependencies.iter();
    GoalHead {
        description: goal.description.into(),
        status: goal.status,
        dependencies: needs.map(|need| need.as_str().to_owned().into()).collect(),
        priority: goal.priority,
        reason: goal.reason.map(Cow::Owned),
        conflict: Vec::new(),
    }
}

/// Reads the id of a row of any memory file, as it stands there.
pub(crate) fn id_text(row: &str) -> Option<Cow<'_, str>> {
    let only: OnlyId<'_> = row.starts_with('{').then(|| serde_json::from_str(row).ok()).flatten()?;
    only.id.map(|Text(id)| id)
}

/// Returns the ids of a backlog's goals and reads nothing else of them; none where it cannot be read. Much less work than
/// `Backlog::parse`, for files that only say which goals were open.
pub fn ids_in(bytes: &[u8]) -> HashSet<String> {
    if let Ok(rows) = serde_json::from_slice::<Vec<OnlyId<'_>>>(bytes) {
        let ids = rows.into_iter().map(|row| row.id.map(|Text(id)| id.into_owned()));
        if let Some(ids) = ids.collect() {
            return ids;
        }
    }
    let backlog = Backlog::parse(bytes).unwrap_or_default();
    backlog.ids().iter().map(|id| id.as_str().to_owned()).collect()
}

/// Reads a row as a goal.
pub(crate) fn goal(row: &str) -> serde_json::Result<Goal> {
    if !row.starts_with('{') {
        return Err(de::Error::custom("a goal is an object"));
    }
    serde_json::from_str(row).or_else(|error| match Row::parse(row) {
        Some(read) => serde_json::from_str(&read.filtered(|_, value| value != "null")),
        None => Err(error),
    })
}

/// A row with the text that it stands in, for errors that name a place.
pub(crate) struct Site<'a> {
    /// The whole text.
    pub(crate) text: &'a str,
    /// Where the row starts.
    pub(crate) start: usize,
    /// The row.
    pub(crate) row: &'a str,
}

impl<'a> Site<'a> {
    /// A row without a text around it.
    pub(crate) fn alone(row: &'a str) -> Self {
        Self {
            text: row,
            start: 0,
            row,
        }
    }

    fn place(&self, offset: usize) -> Place {
        Lines::of(self.text).place(self.start + offset)
    }

    /// Says why the row is no goal.
    pub(crate) fn fault(&self, error: &serde_json::Error) -> BacklogError {
        let Some(row) = Row::parse(self.row) else {
            return BacklogError::NotAnObject { at: self.place(0) };
        };
        let id = row.value("id").unwrap_or("null");
        if id == "null" {
            return BacklogError::NoId { at: self.place(0) };
        }
        let id = serde_json::from_str(id).unwrap_or_else(|_| id.to_owned());
        let mut all = row.members();
        if let Some(fault) = all.find_map(|(key, value, start)| self.member_fault(&id, key, value, start)) {
            return fault;
        }
        let twice = |key: &str| said(error) == format!("duplicate field `{key}`");
        if let Some((key, _, start)) = row.members().rev().find(|(key, _, _)| twice(key)) {
            let (goal, key, at) = (id, key.to_owned(), self.place(start));
            return BacklogError::DuplicateKey { goal, key, at };
        }
        BacklogError::Broken {
            at: self.place(0),
            why: said(error),
        }
    }

    fn member_fault(&self, goal: &str, key: &str, value: &str, start: usize) -> Option<BacklogError> {
        if value == "null" {
            return None;
        }
        let alone = format!("{{{}:{value}}}", serde_json::Value::from(key));
        let error = serde_json::from_str::<Goal>(&alone).err()?;
        let at = self.place(start);
        if key == "id"
            && let Ok(text) = serde_json::from_str::<String>(value)
            && let Err(source) = GoalId::from_str(&text)
        {
            return Some(BacklogError::BadId { at, source });
        }
        let (goal, key, why) = (goal.to_owned(), key.to_owned(), said(&error));
        Some(BacklogError::WrongType { goal, key, at, why })
    }
}
