//! `config`: its arguments.

use clap::{Args, Subcommand};

use crate::commands::config::Place;

/// `config`
#[derive(Args, Debug)]
pub struct Config {
    /// What to do; list where absent
    #[command(subcommand)]
    pub verb: Option<ConfigVerb>,
}

/// `config VERB`
#[derive(Subcommand, Debug)]
pub enum ConfigVerb {
    /// List every setting that has a value
    List(List),
    /// Print the value of one setting
    Get(Get),
    /// Set one, after looking whether it can have that value
    Set(Set),
    /// Take one back
    Unset(Unset),
}

/// `config list`
#[derive(Args, Debug)]
pub struct List {
    /// Say where each comes from
    #[arg(long)]
    pub show_origin: bool,
}

/// `config get`
#[derive(Args, Debug)]
pub struct Get {
    /// The setting, such as check.timeout
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Say where it comes from
    #[arg(long)]
    pub show_origin: bool,
}

/// `config set`
#[derive(Args, Debug)]
pub struct Set {
    /// The setting, such as check.timeout
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Its value; of a list one text, or ["one", "two"]
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub value: String,
    /// Where it is written
    #[command(flatten)]
    pub place: Where,
}

/// `config unset`
#[derive(Args, Debug)]
pub struct Unset {
    /// The setting
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Where it is written
    #[command(flatten)]
    pub place: Where,
}

/// Where a setting is written: `git config` of this clone unless another place is named.
#[derive(Args, Debug)]
pub struct Where {
    /// For all your repositories: git config --global
    #[arg(long, conflicts_with = "project")]
    pub global: bool,
    /// For everybody: invisigoth.toml, which you then commit
    #[arg(long)]
    pub project: bool,
}

impl Where {
    /// Returns the place.
    pub fn place(&self) -> Place {
        match (self.global, self.project) {
            (true, _) => Place::Global,
            (_, true) => Place::Project,
            _ => Place::Clone,
        }
    }
}
