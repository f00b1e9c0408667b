//! What hooks start and do not wait for: a run, a plan, the landing of what was pushed. Decides whether, not how.

use eyre::Result;

use crate::{
    engine::{background, live, runs::By, session::Session},
    git::Repo,
    settings::Start,
};

/// Who starts it, and the folder of its logs.
pub const BY: (By, &str) = (By::Hook, "hooks");

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
    let (_, log) = background::begin(session, repo, BY, words)?;
    Ok(Some(format!(
        "`{}` works in the background, its log is {}",
        words.join(" "),
        log.display()
    )))
}
