//! Linted: what the lint commands printed about the code tree that was judged last, kept for planning.
//!
//! One file in the git directory; losing it costs nothing but findings.

use eyre::{Result, WrapErr as _};

use crate::{
    check::{Ran, Stage},
    door::fs,
    engine::session::Session,
    git::Repo,
    snapshot::CodeTree,
    survey,
};

const FILE: &str = "lint.log";

/// Keeps what the lint commands among `ran` printed about `code`, its id on the first line.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(session: &Session, repo: &Repo, code: CodeTree, ran: &[Ran]) -> Result<()> {
    let lint = ran.iter().filter(|ran| ran.stage == Stage::Lint);
    let printed = lint.map(|ran| ran.output.as_str()).collect::<Vec<&str>>().join("\n");
    // Written for every check, so only where there is something to read.
    if !survey::lint::warns(&printed) {
        return Ok(());
    }
    let text = format!("{}\n{printed}\n", code.id);
    let folder = session.own_dir(repo);
    fs::create_dir_all(&folder).wrap_err_with(|| format!("making {}", folder.display()))?;
    let file = folder.join(FILE);
    fs::write_atomic(&file, text.as_bytes()).wrap_err_with(|| format!("writing {}", file.display()))
}

/// Returns what they printed about `code`, where it was the last.
///
/// # Errors
/// When the file cannot be read.
pub fn read(session: &Session, repo: &Repo, code: CodeTree) -> Result<Option<String>> {
    let text = fs::read_text(&session.own_dir(repo).join(FILE)).wrap_err("reading what lint printed")?;
    Ok(text.and_then(|text| Some(text.strip_prefix(&format!("{}\n", code.id))?.to_owned())))
}
