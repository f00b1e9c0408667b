//! Hand edits: what people change in the backlog and the root prompt becomes a commit, so that what a run works on is in
//! history.
//!
//! Records only what is plainly a hand edit; staged and dirty work of the user stays exactly so. A run never needs the
//! recording: an attempt stores the goal it ran.

use eyre::Result;

use crate::{
    backlog::{Backlog, close::PENDING},
    engine::{recall, session::Session, target::Target},
    git::{
        Repo, advance,
        codetree::{self, MASTER_PROMPT},
        commit, objects,
        refs::{self, RefMove, Swap},
        tree,
    },
};

/// The subject of such a commit.
pub const EDITS: &str = "Record edits of the backlog";

/// What recording came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// There was nothing to record.
    Nothing,
    /// The edits are a commit on the target now.
    Done,
    /// There are edits, and this is why they stay as they are.
    Skipped(String),
}

/// Records hand edits of the memory files that are a person's, where the target is checked out in this worktree.
///
/// The index goes first and the branch last: killed in between, the edit is staged, and the next call goes on from there.
///
/// # Errors
/// When refs, objects or the index cannot be read or written.
pub fn record_edits(session: &Session, repo: &Repo, target: &mut Target) -> Result<Recorded> {
    if !recall::is_here(repo, target) {
        return Ok(Recorded::Nothing);
    }
    let head_tree = tree::of_commit(repo, target.head)?;
    let mut edits = Vec::new();
    for path in [PENDING, MASTER_PROMPT] {
        let state = advance::file_state(repo, path)?;
        let Some(content) = state.content else { continue };
        let (blob, head) = (objects::blob_id(repo, &content)?, tree::blob_at(repo, head_tree, path)?);
        if Some(blob) == head {
            continue;
        }
        if state.untouchable {
            return Ok(Recorded::Skipped(format!(
                "{path} is in conflict or outside the sparse checkout"
            )));
        }
        if state.staged != head && state.staged != Some(blob) {
            return Ok(Recorded::Skipped(format!("{path} is staged with other content")));
        }
        if path == PENDING && Backlog::parse(&content).is_err() {
            return Ok(Recorded::Skipped(format!("{path} is not valid")));
        }
        edits.push((path, content, state.staged != Some(blob)));
    }
    if edits.is_empty() {
        return Ok(Recorded::Nothing);
    }
    let here = target
        .checkouts
        .iter()
        .find(|checkout| Some(checkout.workdir.as_path()) == repo.workdir());
    if let Some(why) = here.and_then(advance::busy) {
        return Ok(Recorded::Skipped(why));
    }
    write(session, repo, target, edits)
}

fn write(
    session: &Session,
    repo: &Repo,
    target: &mut Target,
    edits: Vec<(&'static str, Vec<u8>, bool)>,
) -> Result<Recorded> {
    let code = tree::code_of_commit(repo, target.head)?;
    let mut files = Vec::new();
    for (path, content, stage) in edits {
        let blob = objects::write_blob(repo, &content)?;
        if let Some(workdir) = repo.workdir().filter(|_| stage) {
            advance::stage(&session.env, workdir, path, blob)?;
        }
        files.push((path.to_owned(), content));
    }
    let memory = codetree::with_memory(repo, code, code.root, &files)?;
    let message = commit::Message {
        subject: EDITS.into(),
        ..commit::Message::default()
    };
    let made = commit::memory_only(repo, memory, &[target.head], &message, session.clock.now())?;
    let name = refs::branch_ref(&target.branch);
    let set = RefMove::Set {
        name,
        old: Some(target.head),
        new: made,
        why: message.subject,
    };
    if refs::swap(repo, &[set])? == Swap::Lost {
        return Ok(Recorded::Skipped(format!("branch `{}` moved meanwhile", target.branch)));
    }
    if target.tip == target.head {
        target.tip = made;
    }
    target.head = made;
    Ok(Recorded::Done)
}
