//! `undo` and `settle`: their arguments.

use clap::Args;

/// `undo`
#[derive(Args, Debug)]
pub struct Undo {
    /// The goals
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Undo landed goals that depend on them, too
    #[arg(long)]
    pub cascade: bool,
    /// Why; stands in the commit, and as the reason why the goal is held
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    /// End with 4 where there is nothing to do
    #[arg(long)]
    pub exit_code: bool,
}

/// `settle`
#[derive(Args, Debug)]
pub struct Settle {
    /// End with 4 where there is nothing to do
    #[arg(long)]
    pub exit_code: bool,
}
