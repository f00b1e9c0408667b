//! `apply`: applies a model's reply to the files of a folder. Needs no repository.

use std::path::Path;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    door::fs::{apply, folder::Folder},
    edit::{self, Applied, block::Placed},
    fault::{Fault, Kind},
    reply::{self, Format},
    snapshot::Change,
};

/// What to apply, and where.
#[derive(Clone, Debug)]
pub struct Request {
    /// The reply.
    pub reply: String,
    /// The format that was asked.
    pub format: Format,
}

/// What changed.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// `wrote PATH` or `deleted PATH`, in order of path.
    pub changes: Vec<(&'static str, String)>,
    /// Where each block went, and how strictly its lines were compared: `exact`, `trailing`, `shift`, `trim`, `plain`.
    pub placed: Vec<Placed>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.apply/1";
}

/// Applies the reply to the files below `folder`: all of it, or nothing.
///
/// # Errors
/// A fault whose message is what a model would be told; nothing is changed then.
pub fn run(folder: &Path, request: &Request) -> Result<Outcome> {
    let refused =
        |refusal: String| Fault::new(Kind::Error, refusal).hint("`git invisigoth help apply` lists the formats");
    let edits = reply::parse(&request.reply, request.format).map_err(|refusal| refused(refusal.to_string()))?;
    let snapshot = Folder::open(folder)?;
    let Applied { changes, placed } = edit::apply(&snapshot, &edits).map_err(|refusal| refused(refusal.to_string()))?;
    apply::apply_changes(folder, &changes).wrap_err("writing the changes; what was written is taken back")?;
    let said = |change: &Change| {
        if matches!(change, Change::Delete) {
            "deleted"
        } else {
            "wrote"
        }
    };
    Ok(Outcome {
        changes: changes
            .iter()
            .map(|(path, change)| (said(change), path.to_string()))
            .collect(),
        placed,
    })
}
