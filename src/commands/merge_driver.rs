//! `merge-driver`: joins two sides of a memory file, for `git merge`, `rebase` and the like. Called by git, see `init`.

use std::path::Path;

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::{Backlog, history as rows, merge},
    door::fs,
};

/// The files that git hands over: base, ours (also the result), theirs; and the path that they are about.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `%O`
    pub base: &'a Path,
    /// `%A`
    pub ours: &'a Path,
    /// `%B`
    pub theirs: &'a Path,
    /// `%P`
    pub path: &'a str,
}

/// Joins and writes the result over `ours`.
///
/// # Errors
/// When a side is not a valid memory file; git then reports a conflict and `ours` is untouched.
pub fn run(request: Request<'_>) -> Result<()> {
    let read = |path: &Path| std::fs::read(path).wrap_err_with(|| format!("reading {}", path.display()));
    let (base, ours, theirs) = (read(request.base)?, read(request.ours)?, read(request.theirs)?);
    let joined = if request.path.ends_with("pending_goals.json") {
        let (base, ours, theirs) = (Backlog::parse(&base)?, Backlog::parse(&ours)?, Backlog::parse(&theirs)?);
        merge::merge(&base, &ours, &theirs).0.to_bytes()
    } else {
        let (ours, theirs) = (String::from_utf8(ours)?, String::from_utf8(theirs)?);
        let known = rows::rows(&ours)?;
        let new: Vec<String> = rows::union(&known, &rows::rows(&theirs)?)
            .into_iter()
            .skip(known.len())
            .map(str::to_owned)
            .collect();
        rows::append(&ours, &new)?.into_bytes()
    };
    fs::write_atomic(request.ours, &joined).wrap_err("writing the joined file")
}
