//! `merge-driver`: joins two sides of a memory file, for `git merge`, `rebase` and the like. Called by git, see `init`.

use std::path::Path;

use eyre::{Result, WrapErr as _};

use crate::{backlog::merge, door::fs};

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

/// Joins and writes the result over `ours`, the side that git merges into: where both changed one key of a goal, its value
/// stays.
///
/// # Errors
/// When a side is not a valid memory file; git then reports a conflict and `ours` is untouched.
pub fn run(request: Request<'_>) -> Result<()> {
    let read = |path: &Path| std::fs::read(path).wrap_err_with(|| format!("reading {}", path.display()));
    let (base, ours, theirs) = (read(request.base)?, read(request.ours)?, read(request.theirs)?);
    let joined = merge::file(request.path, [&base, &ours, &theirs]).map_err(|error| error.in_file(request.path))?;
    fs::write_atomic(request.ours, &joined).wrap_err("writing the joined file")
}
