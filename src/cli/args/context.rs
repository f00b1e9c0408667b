//! `context`'s arguments.

use clap::Args;

/// `context`
#[derive(Args, Debug)]
pub struct Context {
    /// The goal whose text is the query; without it the query is read from standard input
    pub id: Option<String>,
    /// The commit whose files are shown
    ///
    /// HEAD where the query is read; for a goal, where goals land.
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Most tokens of what is shown, headings included, at four bytes each
    #[arg(long, value_name = "TOKENS", default_value_t = 8192)]
    pub budget: u32,
    /// Say what adds to the score of each file, and why one that the query names is not shown
    #[arg(long)]
    pub explain: bool,
    /// Rank without a signal, to see what it earns; can be repeated
    #[arg(long, value_name = "SIGNAL", hide = true)]
    pub without: Vec<String>,
}
