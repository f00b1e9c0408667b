//! `verify`: arguments → request → outcome.

use eyre::Result;

use crate::{
    cli::{
        args::verify::Verify,
        dispatch::{answer, stopped, watch},
        open::Opened,
    },
    commands::verify,
};

/// Looks, and stops where it is asked to.
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
    match verify::run(&session, &request) {
        Ok(outcome) => answer(at, &outcome),
        Err(error) => stopped(at, &watch, error),
    }
}
