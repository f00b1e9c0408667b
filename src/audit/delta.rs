//! The rows by which two texts of a memory file differ. A file that only grew is read no further than it grew.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    backlog::{error::BacklogError, history::rows},
    id::{CommitId, GoalId},
};

/// Rows that are in one state of a file only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Delta {
    /// Rows of the older state that the newer one lacks, as they are written.
    pub gone: Vec<String>,
    /// Rows of the newer state that the older one lacks.
    pub added: Vec<String>,
}

/// What names a record: its goal, its commit and its kind, absent for landings.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Deserialize)]
pub struct Head {
    /// The goal.
    pub goal: GoalId,
    /// The commit.
    pub commit: CommitId,
    /// Absent for landings.
    #[serde(default)]
    pub kind: Option<String>,
}

impl Head {
    /// Reads what names the record `row`; `None` where it is none.
    pub fn of(row: &str) -> Option<Self> {
        serde_json::from_str(row).ok()
    }
}

/// Compares two states of a file, each as its texts in order: sealed segments first.
///
/// # Errors
/// When a text is no JSON array.
pub fn between(old: &[&str], new: &[&str]) -> Result<Delta, BacklogError> {
    if let ([old], [new]) = (old, new)
        && let Some(added) = grown(old, new)
    {
        return Ok(Delta {
            gone: Vec::new(),
            added,
        });
    }
    let (old, new) = (all_rows(old)?, all_rows(new)?);
    let head = old.iter().zip(&new).take_while(|(one, two)| one == two).count();
    let rest = old.len().min(new.len()) - head;
    let ends = old.iter().rev().zip(new.iter().rev()).take(rest);
    let tail = ends.take_while(|(one, two)| one == two).count();
    let middle = |all: Vec<&str>| -> Vec<String> {
        let most = all.len() - head - tail;
        all.into_iter().skip(head).take(most).map(str::to_owned).collect()
    };
    let (old, mut added) = (middle(old), middle(new));
    let mut left: HashMap<&str, usize> = HashMap::new();
    for row in &added {
        *left.entry(row).or_default() += 1;
    }
    let mut kept: HashMap<String, usize> = HashMap::new();
    let mut gone = Vec::new();
    for row in old {
        match left.get_mut(row.as_str()).filter(|count| **count > 0) {
            Some(count) => {
                *count -= 1;
                *kept.entry(row).or_default() += 1;
            }
            None => gone.push(row),
        }
    }
    added.retain(|row| match kept.get_mut(row).filter(|count| **count > 0) {
        Some(count) => {
            *count -= 1;
            false
        }
        None => true,
    });
    Ok(Delta { gone, added })
}

fn all_rows<'a>(texts: &[&'a str]) -> Result<Vec<&'a str>, BacklogError> {
    let mut all = Vec::new();
    for text in texts {
        all.extend(rows(text)?);
    }
    Ok(all)
}

/// Returns what stands behind the last row of `old` in `new`, where all before it is the same.
fn grown(old: &str, new: &str) -> Option<Vec<String>> {
    let body = old.trim_end().strip_suffix(']')?.trim_end();
    let tail = new.strip_prefix(body)?.trim_start();
    let tail = match body.ends_with('[') {
        true => tail,
        false => tail
            .strip_prefix(',')
            .or_else(|| tail.starts_with(']').then_some(tail))?,
    };
    let tail = format!("[{tail}");
    let found = rows(&tail).ok()?;
    Some(found.into_iter().map(str::to_owned).collect())
}

/// Words by which keys two JSON objects differ: those of `old`, those of `new`.
pub fn worded(old: &str, new: &str) -> (String, String) {
    let read = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let (Some(one), Some(two)) = (read(old), read(new)) else {
        return (cut(old), cut(new));
    };
    let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
    let differing: Vec<&String> = keys.into_iter().filter(|key| one.get(*key) != two.get(*key)).collect();
    let word = |map: &Map<String, Value>| {
        let part = |key: &&String| match map.get(*key) {
            Some(value) => format!("{key} {}", cut(&value.to_string())),
            None => format!("no {key}"),
        };
        differing.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    if differing.is_empty() {
        return ("these bytes".into(), "the same in other bytes".into());
    }
    (word(&one), word(&two))
}

/// Cuts a text to what fits into a line.
pub fn cut(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(rows: &[&str]) -> Vec<String> {
        rows.iter().map(|row| (*row).to_owned()).collect()
    }

    #[test]
    fn what_was_appended_is_found_whatever_the_layout_and_nothing_is_gone() {
        let one = r#"{"id":"a"}"#;
        let two = r#"{"id":"b","x":[{"id":"c"}]}"#;
        for (old, new) in [
            ("[\n]\n".to_owned(), format!("[\n{two}\n]\n")),
            (format!("[\n{one}\n]\n"), format!("[\n{one},\n{two}\n]\n")),
            (format!("[{one}]"), format!("[{one}, {two}]")),
            (String::new(), format!("[{two}]")),
        ] {
            let delta = between(&[&old], &[&new]).unwrap();
            assert_eq!(delta.added, strings(&[two]), "{old}");
            assert!(delta.gone.is_empty(), "{old}");
        }
        assert_eq!(between(&["[{}]"], &["[{}]"]).unwrap(), Delta::default());
    }

    #[test]
    fn a_row_that_changed_is_gone_and_one_that_was_sealed_is_not() {
        let changed = between(&["[1,2,3]"], &["[1,4,3]"]).unwrap();
        assert_eq!((changed.gone, changed.added), (strings(&["2"]), strings(&["4"])));
        let sealed = between(&["[1,2,3]"], &["[1,2]", "[3,4]"]).unwrap();
        assert_eq!((sealed.gone, sealed.added), (vec![], strings(&["4"])));
        let once = between(&["[1,1]"], &["[1]"]).unwrap();
        assert_eq!((once.gone, once.added), (strings(&["1"]), vec![]));
    }

    #[test]
    fn two_rows_are_worded_by_what_differs() {
        let (old, new) = worded(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3,"c":null}"#);
        assert_eq!((old.as_str(), new.as_str()), ("b 2, no c", "b 3, c null"));
    }
}
