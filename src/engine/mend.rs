//! Mending: memory files of this checkout that a merge left with conflict markers, merged goal by goal.
//!
//! Writes these files and nothing else: what is staged or committed is the person's to decide.

use std::path::Path;

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::{
        Backlog,
        close::{COMPLETED, COMPLETED_SEGMENTS, HISTORY, HISTORY_SEGMENTS, PENDING},
        conflict,
        error::BacklogError,
        inbox::INBOX,
        markers, merge,
    },
    door::fs,
    engine::{recall::backlog_fault, rewrite, session::Session},
    fault::{Fault, Kind},
    git::{Repo, command},
    id::GoalId,
};

/// A file that was mended.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Mended {
    /// Its path.
    pub path: String,
    /// Goals that two sides set a key of to different values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<GoalId>,
}

/// Merges the memory files of this checkout that have conflict markers.
///
/// # Errors
/// A fault for a file that cannot be taken apart; when files cannot be read or written.
pub fn mend(session: &Session, repo: &Repo) -> Result<Vec<Mended>> {
    let Some(root) = repo.workdir() else {
        return Ok(Vec::new());
    };
    let mut mended = Vec::new();
    for path in unmerged(root)? {
        let _one_at_a_time = rewrite::lock(session, repo)?;
        let text = std::fs::read_to_string(root.join(&path)).wrap_err_with(|| format!("reading {path}"))?;
        let merged = merged(session, root, (&path, &text)).map_err(|error| {
            let fault = backlog_fault(&error.in_file(&path));
            Fault::new(Kind::Person, fault.message).hint(format!("take the conflict markers out of {path} by hand"))
        })?;
        fs::write_atomic(&root.join(&path), &merged).wrap_err_with(|| format!("writing {path}"))?;
        mended.push(Mended {
            conflicts: conflicts(&path, &merged),
            path,
        });
    }
    Ok(mended)
}

/// Lists the memory files on disk with conflict markers.
fn unmerged(root: &Path) -> Result<Vec<String>> {
    let mut paths: Vec<String> = [PENDING, COMPLETED, HISTORY].map(str::to_owned).to_vec();
    for folder in [COMPLETED_SEGMENTS, HISTORY_SEGMENTS, INBOX] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
            continue;
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names = names.filter(|name| name.ends_with(".json"));
        let mut names: Vec<String> = names.map(|name| format!("{folder}{name}")).collect();
        names.sort();
        paths.extend(names);
    }
    let mut found = Vec::new();
    for path in paths {
        let text = fs::read(&root.join(&path))
            .wrap_err_with(|| format!("reading {path}"))?
            .unwrap_or_default();
        let is_marker = |line: &[u8]| line.starts_with(b"<<<<<<< ");
        if text.split(|byte| *byte == b'\n').any(is_marker) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Merges one file: what stands between the markers, as a person may have settled some already; else the sides as git has them.
fn merged(session: &Session, root: &Path, (path, text): (&str, &str)) -> Result<Vec<u8>, BacklogError> {
    let stage = |number: u8| {
        let shown = command::output(&session.env, root, &["show", &format!(":{number}:{path}")]);
        shown.ok().filter(|shown| shown.code == 0).map(|shown| shown.stdout)
    };
    let base = stage(1).unwrap_or_default();
    let by_markers = markers::merged(path, text, &base);
    match (by_markers, stage(2), stage(3)) {
        (Ok(Some(merged)), _, _) => Ok(merged),
        (_, Some(ours), Some(theirs)) => merge::file(path, [&base, &ours, &theirs]),
        (Err(error), _, _) => Err(error),
        (Ok(None), _, _) => Err(BacklogError::Conflict {
            line: text.lines().take_while(|line| !line.starts_with("<<<<<<< ")).count() + 1,
        }),
    }
}

fn conflicts(path: &str, bytes: &[u8]) -> Vec<GoalId> {
    let backlog = match path {
        PENDING => Backlog::parse(bytes).unwrap_or_default(),
        _ => return Vec::new(),
    };
    let rows = backlog.rows().filter(|(_, row)| !conflict::of(row).is_empty());
    rows.map(|(id, _)| id.clone()).collect()
}
