//! `pre-commit`: whether the memory files and settings that are about to be committed can be read.
//!
//! Looks at the index that git hands to the hook, and at what differs from HEAD there. Writes nothing, changes no index.

use std::collections::BTreeSet;

use eyre::Result;

use crate::{
    backlog::{
        Backlog,
        close::{COMPLETED, COMPLETED_SEGMENTS, HISTORY, HISTORY_SEGMENTS, PENDING},
        deps::{self, DepFault},
        error::BacklogError,
        history,
        inbox::INBOX,
    },
    engine::session::SETTINGS_FILE,
    fault::{Fault, Kind},
    git::{
        Repo,
        codetree::MASTER_PROMPT,
        objects,
        refs::{self, Head},
        staged::{self, Staged},
        tree,
    },
    id::GoalId,
    layers::{self, Origin, read},
};

/// The folder of memory files.
const MEMORY: &str = "memory/";

/// Looks at what is staged and returns how many files that were.
///
/// # Errors
/// A fault that names every file that is broken, with the place; an error when the index cannot be read.
pub fn check(repo: &Repo) -> Result<usize> {
    let all = staged::below(repo, SETTINGS_FILE, MEMORY)?;
    let root = match refs::head(repo)? {
        Head::Branch(_, Some(head)) | Head::Detached(head) => Some(tree::of_commit(repo, head)?),
        Head::Branch(_, None) => None,
    };
    let mut changed = Vec::new();
    for staged in &all {
        let before = root.map(|root| tree::blob_at(repo, root, &staged.path)).transpose()?;
        if before.flatten() != Some(staged.blob) {
            changed.push(staged);
        }
    }
    let mut wrong = Vec::new();
    for staged in &changed {
        wrong.extend(fault_of(repo, &all, staged)?);
    }
    if wrong.is_empty() {
        return Ok(changed.len());
    }
    let fault = Fault::new(Kind::Error, wrong.join("\n"));
    Err(fault
        .hint("mend it, `git add` it and commit again; `git commit --no-verify` commits it as it is")
        .into())
}

fn fault_of(repo: &Repo, all: &[Staged], staged: &Staged) -> Result<Option<String>> {
    let path = staged.path.as_str();
    if !staged.is_file {
        return Ok(is_known(path).then(|| format!("{path}: it is no regular file")));
    }
    if !is_known(path) {
        return Ok(None);
    }
    let bytes = objects::read_blob(repo, staged.blob)?;
    let wrong = |error: BacklogError| error.in_file(path).to_string();
    if path == PENDING {
        return match Backlog::parse(&bytes) {
            Ok(backlog) => dependency(repo, all, &backlog),
            Err(error) => Ok(Some(wrong(error))),
        };
    }
    if path.starts_with(INBOX) {
        // A row of its own; a bracket in front moves no line.
        return Ok(Backlog::parse(&[b"[", bytes.as_slice(), b"]"].concat())
            .err()
            .map(wrong));
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let broken = Backlog::parse(error.as_bytes()).err().map(wrong);
            return Ok(Some(
                broken.unwrap_or_else(|| format!("{path}: this is not UTF-8 text")),
            ));
        }
    };
    Ok(match path {
        SETTINGS_FILE => read::from_toml(&text, Origin::Project)
            .and_then(|layer| layers::resolve(&[layer]))
            .err()
            .map(|error| error.to_string()),
        MASTER_PROMPT => None,
        path if is_completed(path) => history::landed_ids(&text).err().map(wrong),
        _ => history::rows(&text).err().map(wrong),
    })
}

fn is_completed(path: &str) -> bool {
    path == COMPLETED || path.starts_with(COMPLETED_SEGMENTS)
}

/// What else people keep below `memory/` is their own.
fn is_known(path: &str) -> bool {
    let is_json = std::path::Path::new(path).extension().is_some_and(|end| end == "json");
    [SETTINGS_FILE, MASTER_PROMPT, PENDING, HISTORY].contains(&path)
        || is_completed(path)
        || (is_json && (path.starts_with(HISTORY_SEGMENTS) || path.starts_with(INBOX)))
}

/// Names the first dependency that can never be met. Which goals landed is read only where one is unknown.
fn dependency(repo: &Repo, all: &[Staged], backlog: &Backlog) -> Result<Option<String>> {
    let mut needs: Vec<(&GoalId, Vec<GoalId>)> = Vec::new();
    for (id, head) in backlog.heads() {
        let parsed: Result<Vec<GoalId>, _> = head.dependencies.iter().map(|need| need.parse()).collect();
        match parsed {
            Ok(parsed) => needs.push((id, parsed)),
            Err(error) => return Ok(Some(at(backlog, Some(id), &error.to_string()))),
        }
    }
    let graph: Vec<(&GoalId, &[GoalId])> = needs.iter().map(|(id, needs)| (*id, needs.as_slice())).collect();
    let mut wrong = deps::check(&graph, &BTreeSet::new());
    if wrong.iter().any(|wrong| matches!(wrong, DepFault::Unknown { .. })) {
        wrong = deps::check(&graph, &elsewhere(repo, all)?);
    }
    Ok(wrong.first().map(|wrong| at(backlog, wrong.goal(), &wrong.to_string())))
}

fn at(backlog: &Backlog, goal: Option<&GoalId>, wrong: &str) -> String {
    let place = goal.and_then(|goal| backlog.place(goal));
    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{PENDING}: {place}{wrong}")
}

/// The goals that landed, and those of the inbox, as they are staged.
fn elsewhere(repo: &Repo, all: &[Staged]) -> Result<BTreeSet<GoalId>> {
    let mut ids = BTreeSet::new();
    for staged in all.iter().filter(|staged| staged.is_file) {
        let read = || objects::read_blob(repo, staged.blob);
        if is_completed(&staged.path) {
            // A file that cannot be read has its own fault.
            let text = String::from_utf8_lossy(&read()?).into_owned();
            ids.extend(history::landed_ids(&text).into_iter().flatten());
        } else if staged.path.starts_with(INBOX)
            && let Ok(backlog) = Backlog::parse(&[b"[", read()?.as_slice(), b"]"].concat())
        {
            ids.extend(backlog.ids().iter().cloned());
        }
    }
    Ok(ids)
}
