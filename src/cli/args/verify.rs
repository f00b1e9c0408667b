//! `verify`'s arguments.

use clap::Args;

/// `verify`
#[derive(Args, Debug)]
pub struct Verify {
    /// What landed in A..B, or all that a commit holds; all of the target where absent
    #[arg(value_name = "RANGE")]
    pub range: Option<String>,
    /// Run the gate of each landing again, too; names the first that is red
    #[arg(long)]
    pub rerun: bool,
}
