//! The arguments of `sync`.

use clap::Args;

/// `sync`
#[derive(Args, Debug)]
pub struct Sync {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    /// Share the attempts too: prompts, replies and checks
    #[arg(long)]
    pub attempts: bool,
}
