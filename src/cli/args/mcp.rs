//! The arguments of `mcp`.

use clap::Args;

/// `mcp`
#[derive(Args, Debug)]
pub struct Mcp {
    /// Offer only the tools that change nothing
    #[arg(long)]
    pub read_only: bool,
}
