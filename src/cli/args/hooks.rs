//! `hooks`: its arguments.

use clap::{Args, Subcommand};

/// `hooks`
#[derive(Args, Debug)]
pub struct Hooks {
    /// What to do
    #[command(subcommand)]
    pub verb: HooksVerb,
}

/// `hooks VERB`
#[derive(Subcommand, Debug)]
pub enum HooksVerb {
    /// Install them, beside those that are there
    Install(Install),
    /// Take them away; what was there before is as it was, byte for byte
    Uninstall(Names),
    /// Say of each whether it is ours, chained, foreign, absent or outdated
    Status(Names),
}

/// `hooks install`
#[derive(Args, Debug)]
pub struct Install {
    /// Only these; those that fit the repository where absent
    #[command(flatten)]
    pub names: Names,
    /// Start `run` in the background after each commit and merge: hooks.start
    #[arg(long)]
    pub run: bool,
    /// Start `plan`; with --run, `run --plan`
    #[arg(long)]
    pub plan: bool,
}

/// Names of hooks.
#[derive(Args, Debug)]
pub struct Names {
    /// Only these hooks, such as pre-commit
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}
