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
    /// Show what was said in this attempt, instead of what would be asked next
    #[arg(long, value_name = "N", conflicts_with = "explain")]
    pub attempt: Option<u32>,
}
