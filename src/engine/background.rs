//! The background: this program, started by itself as a process that outlives whoever asked for it.
//!
//! Owns the folders of their logs. Starts this program only.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr as _};

use crate::{
    door::{
        env,
        fs::{self, dir::Dir},
        program,
        spawn::detached::{self, Detached},
    },
    engine::{runs::By, session::Session},
    git::Repo,
};

/// How many logs are kept.
const KEPT: usize = 20;

/// Starts this program with `words` in the repository, without anything that git told a hook, and returns its log, which stands
/// in our folder `logs`.
///
/// # Errors
/// When it cannot be started or its log cannot be written.
pub fn begin(
    session: &Session,
    repo: &Repo,
    (by, logs): (By, &str),
    words: &[impl AsRef<str>],
) -> Result<(Detached, PathBuf)> {
    let folder = session.own_dir(repo).join(logs);
    fs::create_dir_all(&folder)?;
    drop_old(&folder)?;
    let name = format!("{:013}-{}.log", session.clock.now().0, env::process_id());
    let log = folder.join(name);
    // A hook of a push runs in the git directory.
    let place = repo.workdir().unwrap_or_else(|| repo.git_dir());
    let mut args = vec![OsString::from("-C"), place.into()];
    args.extend(words.iter().map(|word| OsString::from(word.as_ref())));
    let mut env = session.env.for_background();
    env.retain(|(name, _)| name != By::VARIABLE);
    env.push((By::VARIABLE.into(), by.word().into()));
    let started = detached::start(&program::file()?, &args, place, env, &log);
    Ok((started.wrap_err("starting a command in the background")?, log))
}

/// Names begin with the time, so the first ones are the oldest.
fn drop_old(folder: &Path) -> Result<()> {
    let mut names: Vec<Vec<u8>> = Dir::open(folder)?.names()?.into_iter().map(|(name, _)| name).collect();
    names.sort();
    let old = names.len().saturating_sub(KEPT - 1);
    for name in names.iter().take(old) {
        Dir::open(folder)?.unlink(name)?;
    }
    Ok(())
}
