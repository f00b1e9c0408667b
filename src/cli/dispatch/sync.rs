//! Dispatch of `sync`.

use eyre::Result;

use crate::{
    cli::{
        args::sync::Sync,
        dispatch::{conclude, watch},
        open::Opened,
    },
    commands::sync,
};

/// Runs `sync` and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Sync) -> Result<u8> {
    let session = at.session()?;
    let watch = watch(at, &session.stop)?;
    let request = sync::Request {
        remote: args.remote,
        attempts: args.attempts,
    };
    conclude(at, &watch, sync::run(&session, request))
}
