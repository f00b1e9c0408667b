//! The arguments of `provenance`.

use clap::{Args, ValueEnum};

/// `provenance`
#[derive(Args, Debug)]
pub struct Provenance {
    /// Goals that landed, or commits; all that landed, the oldest first, where none is named
    #[arg(value_name = "GOAL|REV")]
    pub of: Vec<String>,
    /// In whose words
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub format: Format,
}

/// Formats of others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// Agent Trace 0.1.0: a JSON record a line
    #[default]
    AgentTrace,
    /// The Git AI standard 3.0.0: what `refs/notes/ai` says
    GitAi,
}
