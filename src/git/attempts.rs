//! Attempts: one ref to a parentless commit over a tree `xx/<goal>@<n>.<name>`, so that forgetting really drops.
//!
//! An attempt has `attempt.json`, one `NNN.json` per answered call, and the candidate's tree as `tree`, which keeps it from
//! `git gc` while checks run. `xx` is made of the goal's name, so that no tree grows large; there is no tree per attempt,
//! for it would be one more object written for every goal. Each write unites by path with what others wrote.

pub mod join;

use std::collections::BTreeMap;

use gix::objs::tree::EntryKind;

use crate::{
    git::{
        GitError, Repo, Result, codetree, commit, gix_id, objects,
        refs::{self, RefMove, Swap},
        tree,
    },
    id::{BlobId, GoalId, Hash, TreeId},
    time::Moment,
};

/// Files of one attempt, by name within its tree.
pub type Files = Vec<(String, Vec<u8>)>;

/// Where plans stand among the goals; no goal's part of a ref name begins so.
pub const PLAN: &str = "_plan";

/// What an attempt is at.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// A goal.
    Goal(&'a GoalId),
    /// A plan.
    Plan,
}

impl<'a> From<&'a GoalId> for Of<'a> {
    fn from(goal: &'a GoalId) -> Self {
        Self::Goal(goal)
    }
}

impl Of<'_> {
    fn part(self) -> String {
        match self {
            Self::Goal(goal) => goal.ref_part(),
            Self::Plan => PLAN.to_owned(),
        }
    }

    fn place(self, number: u32) -> String {
        let part = self.part();
        let folder = Hash::of("attempt", [part.as_bytes()]).short(2);
        format!("{folder}/{part}@{number}")
    }
}

/// Writes files of attempt `number` at `goal`, and the candidate's tree if there is one.
///
/// # Errors
/// When objects or the ref cannot be written, or the race for the ref is lost ten times.
pub fn save(
    repo: &Repo,
    (of, number): (Of<'_>, u32),
    files: &Files,
    candidate: Option<TreeId>,
    at: Moment,
) -> Result<()> {
    let place = of.place(number);
    let named = files
        .iter()
        .map(|(name, content)| (format!("{place}.{name}"), content.as_slice()));
    let candidate = candidate.map(|tree| (format!("{place}.tree"), tree));
    unite(
        repo,
        named,
        candidate.as_ref(),
        (&format!("attempt {number} at {}", of.part()), at),
    )
}

/// Writes the file `name` of several attempts, all of them or none.
///
/// # Errors
/// As `save`.
pub fn save_each(repo: &Repo, name: &str, each: &[(GoalId, u32, Vec<u8>)], (why, at): (&str, Moment)) -> Result<()> {
    let named = each
        .iter()
        .map(|(goal, number, content)| (format!("{}.{name}", Of::from(goal).place(*number)), content.as_slice()));
    unite(repo, named, None, (why, at))
}

/// Unites files, and a tree if there is one, with what the ref holds.
fn unite<'f>(
    repo: &Repo,
    files: impl Iterator<Item = (String, &'f [u8])>,
    candidate: Option<&(String, TreeId)>,
    (why, at): (&str, Moment),
) -> Result<()> {
    let blobs: Vec<(String, BlobId)> = files
        .map(|(path, content)| Ok((path, objects::write_blob(repo, content)?)))
        .collect::<Result<_>>()?;
    for _ in 0..10 {
        let head = refs::read(repo, refs::ATTEMPTS)?;
        let root = match head {
            Some(head) => tree::of_commit(repo, head)?,
            None => objects::write_empty_tree(repo)?,
        };
        let root = codetree::edit(repo, root, |editor| {
            for (path, BlobId(blob)) in &blobs {
                editor.upsert(path.split('/'), EntryKind::Blob, gix_id(*blob))?;
            }
            if let Some((path, TreeId(tree))) = candidate {
                editor.upsert(path.split('/'), EntryKind::Tree, gix_id(*tree))?;
            }
            Ok(())
        })?;
        let made = commit::write_unsigned(repo, root, &[], "Attempts of git-invisigoth\n", at)?;
        let set = RefMove::Set {
            name: refs::ATTEMPTS.to_owned(),
            old: head,
            new: made,
            why: why.to_owned(),
        };
        if head == Some(made) || refs::swap(repo, &[set])? == Swap::Done {
            return Ok(());
        }
    }
    Err(GitError::new("the attempts ref was moved by others ten times in a row"))
}

/// Returns the number of the newest attempt by the goal's part of a ref name. Reads names only.
///
/// # Errors
/// When trees cannot be read.
pub fn newest(repo: &Repo) -> Result<BTreeMap<String, u32>> {
    let mut newest = BTreeMap::new();
    let Some(head) = refs::read(repo, refs::ATTEMPTS)? else {
        return Ok(newest);
    };
    let root = tree::of_commit(repo, head)?;
    for folder in folders(repo, root)? {
        for row in objects::rows(repo, folder)? {
            let name = row.text();
            let Some((goal, rest)) = name.rsplit_once('@') else {
                continue;
            };
            let Some(Ok(number)) = rest.split('.').next().map(str::parse::<u32>) else {
                continue;
            };
            let highest = newest.entry(goal.to_owned()).or_insert(0);
            *highest = number.max(*highest);
        }
    }
    Ok(newest)
}

/// Reads the file `name` of every attempt at every goal.
///
/// # Errors
/// When trees or blobs cannot be read.
pub fn every(repo: &Repo, name: &str) -> Result<Vec<Vec<u8>>> {
    let Some(head) = refs::read(repo, refs::ATTEMPTS)? else {
        return Ok(Vec::new());
    };
    let end = format!(".{name}");
    let mut found = Vec::new();
    for folder in folders(repo, tree::of_commit(repo, head)?)? {
        for row in objects::rows(repo, folder)? {
            if row.kind == EntryKind::Blob && row.name.ends_with(end.as_bytes()) {
                found.push(objects::read_blob(repo, BlobId(row.id))?);
            }
        }
    }
    Ok(found)
}

/// Returns the records of all answered calls, by goal, attempt and call. Reads names only.
///
/// # Errors
/// When trees cannot be read.
pub fn calls(repo: &Repo) -> Result<Vec<BlobId>> {
    let Some(head) = refs::read(repo, refs::ATTEMPTS)? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for folder in folders(repo, tree::of_commit(repo, head)?)? {
        for row in objects::rows(repo, folder)? {
            let place = call_of(&row.text()).filter(|_| row.kind == EntryKind::Blob);
            found.extend(place.map(|place| (place, BlobId(row.id))));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

/// Reads `<goal>@<n>.<NNN>.json`.
fn call_of(name: &str) -> Option<(String, u32, u32)> {
    let (goal, rest) = name.rsplit_once('@')?;
    let (attempt, call) = rest.strip_suffix(".json")?.split_once('.')?;
    Some((goal.to_owned(), attempt.parse().ok()?, call.parse().ok()?))
}

/// Lists the folders that attempts are in.
fn folders(repo: &Repo, root: TreeId) -> Result<Vec<TreeId>> {
    let rows = objects::rows(repo, root)?.into_iter();
    let folders = rows.filter(|row| row.kind == EntryKind::Tree);
    Ok(folders.map(|row| TreeId(row.id)).collect())
}

/// Reads one file of an attempt.
///
/// # Errors
/// When it cannot be read; `None` where there is none.
pub fn read<'a>(repo: &Repo, of: impl Into<Of<'a>>, number: u32, name: &str) -> Result<Option<Vec<u8>>> {
    let Some(head) = refs::read(repo, refs::ATTEMPTS)? else {
        return Ok(None);
    };
    tree::read_file(
        repo,
        tree::of_commit(repo, head)?,
        &format!("{}.{name}", of.into().place(number)),
    )
}

/// Returns the code that an attempt came to, as a stored tree; `None` where it made none.
///
/// # Errors
/// When trees cannot be read.
pub fn code(repo: &Repo, goal: &GoalId, number: u32) -> Result<Option<TreeId>> {
    let Some(head) = refs::read(repo, refs::ATTEMPTS)? else {
        return Ok(None);
    };
    tree::folder_at(
        repo,
        tree::of_commit(repo, head)?,
        &format!("{}.tree", Of::from(goal).place(number)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_other_files_and_stand_in_numeric_order() {
        let names = ["g@10.000.json", "g@2.010.json", "g@2.002.json", "a@b@1.000.json"];
        let mut found: Vec<_> = names.iter().filter_map(|name| call_of(name)).collect();
        found.sort();
        let place = |goal: &str, attempt, call| (goal.to_owned(), attempt, call);
        assert_eq!(
            found,
            [
                place("a@b", 1, 0),
                place("g", 2, 2),
                place("g", 2, 10),
                place("g", 10, 0)
            ]
        );
        for other in ["g@1.attempt.json", "g@1.tree", "g", "g@x.000.json"] {
            assert_eq!(call_of(other), None, "{other}");
        }
    }
}
