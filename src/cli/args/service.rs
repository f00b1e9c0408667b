//! `service`: its arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `service`
#[derive(Args, Debug)]
pub struct Service {
    /// What to do
    #[command(subcommand)]
    pub verb: ServiceVerb,
    /// The machine's service, which works as the repository's owner; as root
    #[arg(long, global = true)]
    pub system: bool,
}

/// `service VERB`
#[derive(Subcommand, Debug)]
pub enum ServiceVerb {
    /// Write the units for this repository and have systemd start it with the machine, or at set times
    ///
    /// It runs `git invisigoth run --forever`, hardened, with the PATH of now. Starts nothing yet without --now.
    Install(Install),
    /// Stop it and remove what install wrote; goals, records and refs stay
    Uninstall(Uninstall),
    /// Start it now
    Start,
    /// Stop it: what is under way ends first
    Stop,
    /// Stop it and start it again
    Restart,
    /// Show whether it runs, when it runs next, how it ended last, and how many goals are left
    Status,
    /// Show what it printed
    Logs(Logs),
}

/// `service install`
#[derive(Args, Debug)]
pub struct Install {
    /// When to start, in systemd's words, such as 'Mon..Fri 22:00'; without it, with the machine
    #[arg(long, value_name = "WHEN")]
    pub on_calendar: Option<String>,
    /// End each run at this time of day
    #[arg(long, value_name = "HH:MM")]
    pub until: Option<String>,
    /// End each run after this time, such as 8h or 90m
    #[arg(long = "for", value_name = "SPAN")]
    pub span: Option<String>,
    /// The file of variables that the key stands in
    #[arg(long, value_name = "PATH", conflicts_with = "credential")]
    pub env_file: Option<PathBuf>,
    /// The file that holds the key alone, by the name of the key's variable
    #[arg(long, value_name = "NAME:PATH")]
    pub credential: Option<String>,
    /// Start it, too
    #[arg(long)]
    pub now: bool,
    /// Write also over units that were changed by hand
    #[arg(long)]
    pub force: bool,
    /// Show the units and write nothing
    #[arg(long, visible_alias = "dry-run", conflicts_with = "now")]
    pub print: bool,
}

/// `service uninstall`
#[derive(Args, Debug)]
pub struct Uninstall {
    /// Remove also units that were changed by hand
    #[arg(long)]
    pub force: bool,
}

/// `service logs`
#[derive(Args, Debug)]
pub struct Logs {
    /// Go on with what comes
    #[arg(short, long)]
    pub follow: bool,
    /// The last N lines
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<u32>,
}
