//! `template`: its arguments.

use clap::{Args, Subcommand};

/// `template`
#[derive(Args, Debug)]
pub struct Template {
    /// What to do; list where absent
    #[command(subcommand)]
    pub verb: Option<TemplateVerb>,
}

/// `template VERB`
#[derive(Subcommand, Debug)]
pub enum TemplateVerb {
    /// List all templates, and which of them this repository has of its own
    List(At),
    /// Print a template as it counts, to begin your own with
    Show(Show),
    /// Render all templates with samples; 1 where something is wrong
    ///
    /// Names file and line, and the variable that there is not.
    Check(Check),
}

/// `template list`
#[derive(Args, Debug)]
pub struct At {
    /// As of this commit; the head of the target where absent
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
}

/// `template show`
#[derive(Args, Debug)]
pub struct Show {
    /// The template, such as goal.md.j2
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Print ours, also where this repository has its own
    #[arg(long)]
    pub builtin: bool,
    /// Print what it is given instead: name, kind and meaning of each variable
    #[arg(long, conflicts_with = "builtin")]
    pub variables: bool,
    /// As of a commit
    #[command(flatten)]
    pub at: At,
}

/// `template check`
#[derive(Args, Debug)]
pub struct Check {
    /// As of a commit
    #[command(flatten)]
    pub at: At,
    /// Look at the files in the working tree, before you commit them
    #[arg(long, conflicts_with = "rev")]
    pub working: bool,
}
