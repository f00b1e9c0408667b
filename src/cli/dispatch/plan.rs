//! Dispatch of `plan`.

use eyre::Result;

use crate::{
    cli::{
        args::plan::Plan,
        dispatch::{conclude, prompt_text, watch},
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
    conclude(at, &watch, plan::run(&session, &request))
}
