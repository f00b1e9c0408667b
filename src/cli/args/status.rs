//! The arguments of `status`.

use std::time::Duration;

use clap::Args;

/// `status`
#[derive(Args, Debug)]
pub struct Status {
    /// Show it again when something changes, looking every SECONDS, until Ctrl-C
    #[arg(short, long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1", value_parser = seconds)]
    pub watch: Option<Duration>,
    /// Draw open goals below those that they need
    #[arg(short, long)]
    pub graph: bool,
    /// Of the drawing: only this goal, what it needs and what needs it
    #[arg(long, value_name = "ID", requires = "graph")]
    pub focus: Option<String>,
    /// Of the drawing: landed goals too, which are only counted otherwise
    #[arg(long, requires = "graph")]
    pub landed: bool,
    /// Print it for scripts: a line a goal, columns apart by tabs, the same in every version
    #[arg(long, conflicts_with = "graph")]
    pub porcelain: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().unwrap_or(f64::NAN);
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it must be a number of seconds, 0.1 or more".to_owned())
    }
}
