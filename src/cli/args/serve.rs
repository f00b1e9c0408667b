//! The arguments of `serve`.

use clap::Args;

/// `serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// The port on this machine; 0 takes one that is free
    #[arg(long, value_name = "N", default_value_t = 7420)]
    pub port: u16,
    /// Show everything, change nothing
    #[arg(long)]
    pub read_only: bool,
    /// Open it in the browser
    #[arg(long)]
    pub open: bool,
}
