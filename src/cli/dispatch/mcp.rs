//! Dispatch of `mcp`: standard input and output are the protocol's, until the input ends.

use std::io;

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{args::mcp::Mcp, open::Opened},
    mcp::{self, Offer},
};

/// Runs `mcp` and returns the exit code.
///
/// # Errors
/// When no answer can be written.
pub(super) fn run(at: &Opened, args: &Mcp) -> Result<u8> {
    let offer = Offer {
        read_only: args.read_only,
    };
    if at.streams.stdin {
        at.ui
            .say("this speaks to programs, not to people: docs/mcp.md has the setup; Ctrl-D ends it");
    }
    mcp::serve(io::stdin(), io::stdout().lock(), offer, || at.session()).wrap_err("answering over standard output")?;
    Ok(0)
}
