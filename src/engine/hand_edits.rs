//! Hand edits: what people change in the backlog and the root prompt becomes a commit, so that what a run works on is in
//! history.
//!
//! Records only what is plainly a hand edit; staged and dirty work of the user stays exactly so. A run never needs the
//! recording: an attempt stores the goal it ran.

use std::collections::BTreeSet;

use eyre::Result;

use crate::{
    backlog::{
        Backlog,
        close::PENDING,
        inbox::{self, INBOX},
    },
    engine::{inbox as inboxes, recall, session::Session, target::Target},
    git::{
        Repo, advance,
        codetree::{self, MASTER_PROMPT},
        commit, objects,
        refs::{self, RefMove, Swap},
        tree,
    },
    id::TreeId,
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
    for path in paths(repo, head_tree)? {
        let path = path.as_str();
        let state = advance::file_state(repo, path)?;
        let is_gone = state.content.is_none();
        if is_gone && !path.starts_with(INBOX) {
            continue;
        }
        let content = state.content.unwrap_or_default();
        let head = tree::blob_at(repo, head_tree, path)?;
        let blob = match is_gone {
            true => None,
            false => Some(objects::blob_id(repo, &content)?),
        };
        if blob == head {
            continue;
        }
        if state.untouchable {
            return Ok(Recorded::Skipped(format!(
                "{path} is in conflict or outside the sparse checkout"
            )));
        }
        if state.staged != head && state.staged != blob {
            return Ok(Recorded::Skipped(format!("{path} is staged with other content")));
        }
        let is_valid = match path {
            PENDING => Backlog::parse(&content).is_ok(),
            MASTER_PROMPT => true,
            _ => is_gone || inbox::row(&content).is_ok(),
        };
        if !is_valid {
            return Ok(Recorded::Skipped(format!("{path} is not valid")));
        }
        edits.push((path.to_owned(), content, state.staged != blob));
    }
    if edits.is_empty() {
        return Ok(Recorded::Nothing);
    }
    let here = target
        .checkouts
        .iter()
        .find(|checkout| Some(checkout.workdir.as_path()) == repo.workdir());
    if let Some(why) = here.and_then(|checkout| advance::busy(checkout, session.clock.now())) {
        return Ok(Recorded::Skipped(why));
    }
    write(session, repo, target, edits)
}

/// Lists the files whose edits are recorded. A file of the inbox that is gone is a goal taken out; where the backlog's own file
/// is gone too, as in a sparse checkout, nobody took anything out.
fn paths(repo: &Repo, head_tree: TreeId) -> Result<BTreeSet<String>> {
    let mut paths = BTreeSet::from([PENDING, MASTER_PROMPT].map(str::to_owned));
    if let Some(backlog) = repo
        .workdir()
        .map(|root| root.join(PENDING))
        .filter(|path| path.is_file())
    {
        paths.extend(inboxes::on_disk(&backlog)?.into_keys());
        paths.extend(inboxes::stored(repo, head_tree)?.into_keys());
    }
    Ok(paths)
}

/// Records files, given with their bytes, none for one that is gone, and whether to stage them.
fn write(session: &Session, repo: &Repo, target: &mut Target, edits: Vec<(String, Vec<u8>, bool)>) -> Result<Recorded> {
    let code = tree::code_of_commit(repo, target.head)?;
    let mut files = Vec::new();
    for (path, content, stage) in edits {
        let is_gone = path.starts_with(INBOX) && content.is_empty();
        if let Some(workdir) = repo.workdir().filter(|_| stage) {
            match is_gone {
                true => advance::unstage(&session.env, workdir, &path)?,
                false => advance::stage(&session.env, workdir, &path, objects::write_blob(repo, &content)?)?,
            }
        }
        files.push((path, content));
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
