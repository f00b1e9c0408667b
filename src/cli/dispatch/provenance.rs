//! Dispatch of `provenance`.

use crate::{
    cli::{args::provenance as args, dispatch::answer, open::Opened},
    commands::provenance::{self, Format, Request},
};

/// Tells who wrote which lines.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: args::Provenance) -> eyre::Result<u8> {
    let request = Request {
        of: args.of,
        format: match args.format {
            args::Format::AgentTrace => Format::AgentTrace,
            args::Format::GitAi => Format::GitAi,
        },
    };
    answer(at, &provenance::run(&at.session()?, &request)?)
}
