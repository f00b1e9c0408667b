//! The arguments of `logs`.

use clap::Args;

/// `logs`
#[derive(Args, Debug)]
pub struct Logs {
    /// Only what is about this goal
    #[arg(value_name = "ID")]
    pub id: Option<String>,
    /// Go on with whatever is logged, by any run, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Also what the checks of the goal printed, in every attempt that is still there
    #[arg(long, requires = "id", conflicts_with = "follow")]
    pub output: bool,
    /// What every run logged since then, such as 90m, 8h, 7d, 2026-11-22 or 2026-11-22T20:00:00Z; dates are in UTC
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub since: Option<String>,
}
