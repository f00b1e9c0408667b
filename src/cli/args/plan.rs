//! `plan`: its arguments.

use clap::Args;

/// `plan`
#[derive(Args, Debug)]
pub struct Plan {
    /// How many goals to ask for: plan.count
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub count: Option<u32>,
    /// What they shall be about: text, @FILE, or - for standard input
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub brief: Option<String>,
    /// Show what the model would be asked; ask nobody
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Make them ready at once, without your approval: plan.approve=auto
    #[arg(short, long)]
    pub yes: bool,
    /// The model: llm.model
    #[arg(short, long, value_name = "NAME")]
    pub model: Option<String>,
    /// Who answers: llm.provider
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
}

impl Plan {
    /// Returns the settings that the shortcuts stand for.
    pub fn settings(&self) -> Vec<(String, String)> {
        let pairs = [
            ("llm.model", self.model.clone()),
            ("llm.provider", self.provider.clone()),
        ];
        let said = pairs
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)));
        said.collect()
    }
}
