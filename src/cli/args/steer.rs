//! Arguments of the commands that steer the backlog, and of `pause` and `stop`. Shapes and help only.

use clap::Args;

/// `approve`, `release`
#[derive(Args, Debug)]
pub struct Ids {
    /// The goals
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
}

/// `reject`
#[derive(Args, Debug)]
pub struct Reject {
    /// The goals
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Why; the planner is told
    #[arg(long, value_name = "TEXT")]
    pub why: String,
}

/// `hold`
#[derive(Args, Debug)]
pub struct Hold {
    /// The goals
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

/// `edit`
#[derive(Args, Debug)]
pub struct Edit {
    /// The goal
    #[arg(value_name = "ID")]
    pub id: String,
    /// Open no editor: of values in conflict, those that stand are right
    #[arg(long)]
    pub keep: bool,
}

/// `drop`
#[derive(Args, Debug)]
pub struct Drop {
    /// The goals
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Drop the goals that need them too
    #[arg(long)]
    pub cascade: bool,
}

/// `retry`
#[derive(Args, Debug)]
pub struct Retry {
    /// The goals
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    /// Every goal that has failed
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
}

/// `comment`
#[derive(Args, Debug)]
pub struct Comment {
    /// The goal
    #[arg(value_name = "ID")]
    pub id: String,
    /// What to say: text, @FILE, or - for standard input
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// The line it is about, of what `diff` shows: the next attempt is told with the code
    #[arg(long, value_name = "PATH:LINE")]
    pub at: Option<String>,
    /// Count lines as they were before the change
    #[arg(long, requires = "at")]
    pub old: bool,
}

/// `diff`
#[derive(Args, Debug)]
pub struct Diff {
    /// The goal
    #[arg(value_name = "ID")]
    pub id: String,
    /// Only the paths, and how many lines changed in each
    #[arg(long)]
    pub stat: bool,
}

/// `pause`
#[derive(Args, Debug)]
pub struct Pause {
    /// Why, for whoever looks at `status`
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

/// `stop`
#[derive(Args, Debug)]
pub struct Stop {
    /// Only this run, by its name in `status --json`
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
}
