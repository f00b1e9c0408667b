//! Dispatch of `verify`.

use eyre::Result;

use crate::{
    cli::{
        args::verify::Verify,
        dispatch::{conclude, watch},
        open::Opened,
    },
    commands::verify,
};

/// Runs `verify` and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Verify) -> Result<u8> {
    let session = at.session()?;
    let watch = watch(at, &session.stop)?;
    let request = verify::Request {
        range: args.range,
        rerun: args.rerun,
    };
    conclude(at, &watch, verify::run(&session, &request))
}
