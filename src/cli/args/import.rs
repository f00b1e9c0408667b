//! Arguments of `import` and `export`.

use std::path::PathBuf;

use clap::Args;

/// Formats that can be read.
const READ: [&str; 6] = ["seed", "beads", "taskmaster", "speckit", "issues", "checklist"];
/// Formats that can be written.
const WRITTEN: [&str; 3] = ["seed", "beads", "taskmaster"];

/// `import`
#[derive(Args, Debug)]
pub struct Import {
    /// Whose backlog it is
    #[arg(value_name = "FORMAT", value_parser = READ)]
    pub format: String,
    /// The file, the folder that has it at its usual place, or - for standard input
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// How new goals come: ready to run, or waiting for approval as issues always do unless you say otherwise
    #[arg(long = "as", value_name = "STATE", value_parser = ["pending", "proposed"])]
    pub status: Option<String>,
    /// Of issues: those with this label; may be given again
    #[arg(long = "label", value_name = "LABEL", conflicts_with = "all")]
    pub labels: Vec<String>,
    /// Of issues: all of them
    #[arg(long)]
    pub all: bool,
    /// Of Task Master: the tag, instead of master
    #[arg(long, value_name = "NAME")]
    pub tag: Option<String>,
    /// Say what would come, write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// `export`
#[derive(Args, Debug)]
pub struct Export {
    /// Whose file it shall be
    #[arg(value_name = "FORMAT", value_parser = WRITTEN, required_unless_present = "html")]
    pub format: Option<String>,
    /// Write the pages of the dashboard into this folder instead, as a site of files
    #[arg(long, value_name = "DIR", conflicts_with_all = ["format", "onto", "out", "tag"])]
    pub html: Option<PathBuf>,
    /// The tool's file to start from, instead of the one at its usual place
    #[arg(long, value_name = "PATH")]
    pub onto: Option<PathBuf>,
    /// Write to this file, or the seed to this folder, instead of standard output
    #[arg(short, long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Of Task Master: the tag, instead of master
    #[arg(long, value_name = "NAME")]
    pub tag: Option<String>,
}
