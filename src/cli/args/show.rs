//! The arguments of `show`.

use clap::Args;

/// `show`
#[derive(Args, Debug)]
pub struct Show {
    /// The goal
    #[arg(value_name = "ID")]
    pub id: String,
    /// Also what happened when, what is done now and which goals wait for it
    #[arg(long)]
    pub timeline: bool,
}
