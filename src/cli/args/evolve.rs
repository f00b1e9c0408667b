//! `evolve`: its arguments.

use clap::{Args, Subcommand};

/// `evolve`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Evolve {
    /// What to do instead
    #[command(subcommand)]
    pub verb: Option<EvolveVerb>,
    /// Only these goals; where absent those labelled evolve, or all
    #[arg(long = "goal", value_name = "ID", num_args = 1..)]
    pub goals: Vec<String>,
    /// At most so many goals
    #[arg(long, value_name = "N")]
    pub max: Option<usize>,
    /// Say what would be done and measured, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Go on where the program before this one left off
    #[arg(long = "continue", hide = true)]
    pub goes_on: bool,
    /// End at once with 0: the program that installed this one asks whether it starts
    #[arg(long, hide = true)]
    pub first_start: bool,
}

/// `evolve VERB`
#[derive(Subcommand, Debug)]
pub enum EvolveVerb {
    /// List every variant that was tried, landed or refused, with its numbers
    Log,
}
