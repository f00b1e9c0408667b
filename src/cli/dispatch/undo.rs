//! Dispatch of `undo` and `settle`.

use eyre::Result;

use crate::{
    cli::{
        args::undo::{Settle, Undo},
        dispatch::{conclude, ids, watch},
        open::Opened,
    },
    commands::{settle, undo},
};

/// Runs `undo` and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Undo) -> Result<u8> {
    let session = at.session()?;
    let watch = watch(at, &session.stop)?;
    let request = undo::Request {
        ids: ids(&args.ids)?,
        cascade: args.cascade,
        why: args.why.filter(|why| !why.trim().is_empty()),
        exit_code: args.exit_code,
    };
    conclude(at, &watch, undo::run(&session, request))
}

/// Runs `settle` and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn settle(at: &Opened, args: &Settle) -> Result<u8> {
    let session = at.session()?;
    let watch = watch(at, &session.stop)?;
    let request = settle::Request {
        exit_code: args.exit_code,
    };
    conclude(at, &watch, settle::run(&session, request))
}
