//! Dispatch of `adopt`.

use eyre::Result;

use crate::{
    cli::{args::adopt::Adopt, dispatch, open::Opened},
    commands::{self, Outcome as _},
    engine::adopting::Wish,
};

/// Runs `adopt` and returns the exit code.
///
/// # Errors
/// What kept it from its outcome.
pub(crate) fn run(at: &Opened, args: Adopt) -> Result<u8> {
    let session = at.session()?;
    dispatch::name_target(at, &session);
    let wish = Wish {
        branch: args.branch,
        goal: args.goal.as_deref().map(dispatch::id).transpose()?,
        as_is: args.as_is,
        approve: args.approve,
    };
    let watch = dispatch::watch(at, &session.stop)?;
    match commands::adopt::run(&session, &wish) {
        Ok(outcome) => {
            at.ui.answer(&outcome);
            Ok(dispatch::code(&watch, outcome.kind()))
        }
        Err(error) => dispatch::stopped(at, &watch, error),
    }
}
