//! Arguments of `run` that make it a night. Shapes and help only.

use std::time::Duration;

use clap::Args;

use crate::time::local::{self, Until};

/// `run --forever`
#[derive(Args, Debug, Default)]
pub struct Night {
    /// Go on and on: wait where nothing is ready, at caps and for the provider
    #[arg(long, conflicts_with_all = ["ids", "dry_run"])]
    pub forever: bool,
    /// As --forever, until the next 07:00 here, or a moment such as 2026-11-22T07:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with_all = ["ids", "dry_run"])]
    pub until: Option<Until>,
    /// As --forever, for 4h, 90m or the like
    #[arg(long = "for", value_name = "SPAN", value_parser = local::span, conflicts_with_all = ["ids", "dry_run"])]
    pub length: Option<Duration>,
}

impl Night {
    /// True where it is a night.
    pub fn is_one(&self) -> bool {
        self.forever || self.until.is_some() || self.length.is_some()
    }
}
