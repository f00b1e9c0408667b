//! From a path as a reply words it to a path of the repository.
//!
//! An existing file may be named by a unique end of its path; a new one only by its whole path. Decides nothing about
//! content.

use crate::{
    edit::{
        refusal::{Item, Reason},
        work::Work,
    },
    path::RepoPath,
};

/// Returns the file that `text` names: as it is, without a leading `./`, `a/` or `b/`, or by a unique common end.
pub(crate) fn existing(work: &Work<'_>, text: &str) -> Result<RepoPath, Item> {
    let path = exact(work, text)?;
    if work.exists(&path).map_err(|e| unreadable(text, &e))? {
        return Ok(path);
    }
    let mut alike = with_same_end(work, &path).map_err(|e| unreadable(text, &e))?;
    match (alike.pop(), alike.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(Item::new(text, Reason::NoSuchFile, "there is no such file")),
        (Some(last), _) => {
            alike.push(last);
            let names: Vec<String> = alike.iter().map(ToString::to_string).collect();
            let detail = format!("the path fits several files: {}", names.join(", "));
            Err(Item::new(text, Reason::Ambiguous, detail))
        }
    }
}

/// Returns the path that `text` names, whether or not there is such a file. A leading `a/` or `b/` is dropped only
/// where that names a file and no such folder exists.
pub(crate) fn exact(work: &Work<'_>, text: &str) -> Result<RepoPath, Item> {
    let mut bare = text;
    while let Some(rest) = bare.strip_prefix("./") {
        bare = rest;
    }
    let path = RepoPath::parse(bare).map_err(|bad| Item::new(text, Reason::BadPath, bad.why))?;
    for side in ["a", "b"] {
        let rest = bare.strip_prefix(side).and_then(|rest| rest.strip_prefix('/'));
        let Some(inner) = rest.and_then(|rest| RepoPath::parse(rest).ok()) else {
            continue;
        };
        if is_diff_side(work, side, &inner).map_err(|e| unreadable(text, &e))? {
            return Ok(inner);
        }
    }
    Ok(path)
}

fn is_diff_side(work: &Work<'_>, side: &str, inner: &RepoPath) -> std::io::Result<bool> {
    let side = RepoPath::from_git(side.as_bytes());
    Ok(!work.is_folder(&side)? && work.exists(inner)?)
}

/// Every file whose path ends with `path`, and every file whose path `path` ends with.
fn with_same_end(work: &Work<'_>, path: &RepoPath) -> std::io::Result<Vec<RepoPath>> {
    let ends_with = |long: &RepoPath, short: &RepoPath| {
        let rest = long.as_bytes().strip_suffix(short.as_bytes());
        rest.is_some_and(|rest| rest.ends_with(b"/"))
    };
    let all = work.paths()?;
    Ok(all
        .into_iter()
        .filter(|other| ends_with(other, path) || ends_with(path, other))
        .collect())
}

/// Words a failure to read the repository.
pub(crate) fn unreadable(path: &str, error: &std::io::Error) -> Item {
    Item::new(path, Reason::Unreadable, format!("cannot be read: {error}"))
}
