//! Arguments of `adopt`. Shapes and help only.

use clap::Args;

/// `adopt`
#[derive(Args, Debug)]
pub struct Adopt {
    /// A branch, of this clone or of a remote; also a tag or a commit
    #[arg(value_name = "BRANCH")]
    pub branch: String,
    /// The open goal that it answers, instead of a new one
    #[arg(long, value_name = "ID")]
    pub goal: Option<String>,
    /// Land its commits as they are, instead of one commit that is made of them
    #[arg(long)]
    pub as_is: bool,
    /// Approve what it changes of build and test configuration, lock files and existing tests
    #[arg(long)]
    pub approve: bool,
}
