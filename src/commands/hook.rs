//! `hook`: what the scripts in `hooks/` hand over to. Writes notes only, never a file of the checkout.

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::close::{HISTORY, HISTORY_SEGMENTS},
    commands,
    engine::{recall, records, session::Session},
    fault::{Fault, Kind},
    git::{
        refs::{self, Head},
        tree,
    },
};

/// What a hook did.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Rows of `history.json` that had no note.
    pub notes_added: usize,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.hook/1";
}

/// Runs hook `name`. `post-merge` notes the records that a merge or pull brought in `history.json`: git does not fetch
/// notes by itself. Does nothing where our own fast-forward fired the hook.
///
/// # Errors
/// A fault for a hook that is not known; an error when notes cannot be read or written.
pub fn run(session: &Session, name: &str) -> Result<Outcome> {
    if name != "post-merge" {
        return Err(Fault::new(Kind::Usage, format!("there is no hook `{name}`"))
            .hint("`post-merge` is the one there is")
            .into());
    }
    let repo = session.repo();
    let head = match refs::head(&repo)? {
        Head::Branch(_, head) => head,
        Head::Detached(head) => Some(head),
    };
    let Some(head) = head.filter(|_| session.env.get("INVISIGOTH_CHILD").is_none()) else {
        return Ok(Outcome { notes_added: 0 });
    };
    let texts = recall::memory_texts(&repo, tree::of_commit(&repo, head)?, HISTORY, HISTORY_SEGMENTS)?;
    let notes_added = records::unite_notes(&repo, &texts, session.clock.now())?;
    Ok(Outcome { notes_added })
}
