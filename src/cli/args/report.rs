//! The arguments of `report`.

use clap::Args;

/// `report`
#[derive(Args, Debug)]
pub struct Report {
    /// From when on: a day (UTC), a time in RFC 3339, or a span before now such as `12h`
    ///
    /// Without it: the last 24 hours, or since the newest run began where that is longer ago.
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub since: Option<String>,
}
