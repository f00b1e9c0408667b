//! `complete` and `completion`: their arguments.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

/// `complete`
#[derive(Args, Debug)]
pub struct Complete {
    /// Which of the words is to be completed, from 0
    pub at: usize,
    /// The words of the command line, the program's name first
    #[arg(last = true)]
    pub words: Vec<OsString>,
}

/// `completion`
#[derive(Args, Debug)]
pub struct Completion {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
    /// Write it where the shell looks for it, and say what else is needed
    #[arg(long)]
    pub install: bool,
}

/// A shell that can complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Shell {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}
