//! What hooks start and do not wait for: a run, a plan, the landing of what was pushed.
//!
//! Owns the folder of their logs. Starts this program only.

use std::{ffi::OsString, path::PathBuf};

use eyre::{Result, WrapErr as _};

use crate::{
    door::{
        env,
        fs::{self, dir::Dir},
        program,
        spawn::detached::{self, Detached},
    },
    engine::{live, session::Session},
    git::Repo,
    settings::Start,
};

/// How many logs are kept.
const KEPT: usize = 20;

/// Starts what `hooks.start` names, and says so. Not in the middle of a rebase or the like, and not beside a run: it takes in
/// what changed by itself.
///
/// # Errors
/// When settings cannot be read, or nothing can be started.
pub fn start(session: &Session, repo: &Repo) -> Result<Option<String>> {
    let words: &[&str] = match session.settings(repo)?.hooks.start {
        Start::Nothing => return Ok(None),
        Start::Run => &["run"],
        Start::Plan => &["plan"],
        Start::RunPlan => &["run", "--plan"],
    };
    if repo.operation_in_progress().is_some() || !live::read(session, repo)?.is_empty() {
        return Ok(None);
    }
    let (_, log) = begin(session, repo, words)?;
    Ok(Some(format!(
        "`{}` works in the background, its log is {}",
        words.join(" "),
        log.display()
    )))
}

/// Starts this program with `words` in the repository, without anything that git told the hook, and returns its log.
///
/// # Errors
/// When it cannot be started or its log cannot be written.
pub fn begin(session: &Session, repo: &Repo, words: &[&str]) -> Result<(Detached, PathBuf)> {
    let folder = session.own_dir(repo).join("hooks");
    fs::create_dir_all(&folder)?;
    drop_old(&folder)?;
    let name = format!("{:013}-{}.log", session.clock.now().0, env::process_id());
    let log = folder.join(name);
    // A hook of a push runs in the git directory.
    let place = repo.workdir().unwrap_or_else(|| repo.git_dir());
    let mut args = vec![OsString::from("-C"), place.into()];
    args.extend(words.iter().map(OsString::from));
    let started = detached::start(&program::file()?, &args, place, session.env.for_background(), &log);
    Ok((started.wrap_err("starting a command in the background")?, log))
}

/// Names begin with the time, so the first ones are the oldest.
fn drop_old(folder: &std::path::Path) -> Result<()> {
    let mut names: Vec<Vec<u8>> = Dir::open(folder)?.names()?.into_iter().map(|(name, _)| name).collect();
    names.sort();
    let old = names.len().saturating_sub(KEPT - 1);
    for name in names.iter().take(old) {
        Dir::open(folder)?.unlink(name)?;
    }
    Ok(())
}
