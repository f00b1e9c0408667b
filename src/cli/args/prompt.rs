//! Arguments of `prompt`.

use clap::Args;

/// `prompt`
#[derive(Args, Debug)]
pub struct Prompt {
    /// The goal
    #[arg(value_name = "ID")]
    pub id: String,
    /// Show what each section takes, what was left out and where the budget comes from, instead of the prompt
    #[arg(long)]
    pub explain: bool,
}
