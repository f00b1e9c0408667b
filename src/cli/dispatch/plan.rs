//! `plan`: its arguments as a request.

use eyre::Result;

use crate::{
    cli::{
        args::plan::Plan,
        dispatch::{answer, prompt_text, stopped, watch},
        open::Opened,
    },
    commands::plan::{self, Request},
    engine::planning::Order,
};

/// Runs it and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Plan) -> Result<u8> {
    let brief = args.brief.map(|brief| prompt_text(&at.place, brief)).transpose()?;
    let request = Request {
        order: Order {
            count: args.count,
            brief,
            approved: args.yes,
        },
        dry_run: args.dry_run,
    };
    let session = at.session()?;
    let watch = watch(at, &session.stop)?;
    match plan::run(&session, &request) {
        Ok(outcome) => answer(at, &outcome),
        Err(error) => stopped(at, &watch, error),
    }
}
