//! `ci`: its arguments.

use clap::{Args, Subcommand, ValueEnum};

/// `ci`
#[derive(Args, Debug)]
pub struct Ci {
    /// What to do
    #[command(subcommand)]
    pub verb: CiVerb,
}

/// `ci VERB`
#[derive(Subcommand, Debug)]
pub enum CiVerb {
    /// Write the workflow of a git host, which works at goals, a job each, and lands them
    ///
    /// Says what it needs there. Commits nothing.
    Init(Init),
    /// Print the goals that can start as a list of jobs, the first goes first
    ///
    /// In GitHub Actions it also sets the outputs any, count, tip and matrix.
    Matrix(Matrix),
    /// Judge a pushed candidate: one commit, trailers, paths, record, checks on the merged code
    ///
    /// Writes annotations and a summary in GitHub Actions. 0: it may land, 1: it may not, 5: a person must approve it.
    Verify(Verify),
    /// Land all there is; with land.via=host, open pull requests and settle what was merged
    Land(Land),
}

/// Where CI runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Host {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

/// Who takes the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// strategy.matrix of GitHub Actions
    #[default]
    Github,
    /// A child pipeline of GitLab
    Gitlab,
    /// A batch script: `git invisigoth ci matrix --format slurm | sbatch`
    Slurm,
}

/// `ci init`
#[derive(Args, Debug)]
pub struct Init {
    /// The host
    #[arg(value_name = "HOST", value_enum)]
    pub host: Host,
    /// Write files anew that are there already
    #[arg(long)]
    pub force: bool,
    /// The line of shell that installs git-invisigoth on a runner
    #[arg(long, value_name = "COMMAND")]
    pub install: Option<String>,
}

/// `ci matrix`
#[derive(Args, Debug)]
pub struct Matrix {
    /// Who takes the list
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Github)]
    pub format: Format,
    /// At most N goals; never more than 256
    #[arg(short = 'n', long, value_name = "N")]
    pub max: Option<usize>,
    /// With --format slurm: at most N tasks in the array [default: 4]
    #[arg(long, value_name = "N")]
    pub tasks: Option<usize>,
    /// Bring candidates, attempts and records from this remote first
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,
    /// End with 4 where nothing can start
    #[arg(long)]
    pub exit_code: bool,
}

/// `ci verify`
#[derive(Args, Debug)]
pub struct Verify {
    /// The commit; HEAD where absent
    #[arg(value_name = "REF")]
    pub rev: Option<String>,
    /// Bring it, attempts and records from this remote first
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,
}

/// `ci land`
#[derive(Args, Debug)]
pub struct Land {
    /// Bring candidates from this remote first, and land through it: sync.remote
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,
}
