//! `Fault`: an error for the person at the terminal: what happened, what to type next, which exit code.
//!
//! Code that branches on an error has an enum of its own; here it ends up when nobody below could handle it. Faults that
//! tests provoke on purpose are planned in `point`.

pub mod point;

use std::{fmt, time::Duration};

use serde::Serialize;

/// What kind of fault it is; decides the exit code, which docs and man page list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Something went wrong: 1
    Error,
    /// The command line is wrong: 2
    Usage,
    /// The run ended with failed or blocked goals: 3
    Unfinished,
    /// Nothing to do, with `--exit-code`: 4
    Nothing,
    /// A person is needed: 5
    Person,
    /// The budget is used up: 6
    Budget,
    /// Not configured: 7
    Config,
    /// Another process is at it, try later: 8
    Busy,
    /// No sandbox where one is demanded: 9
    Sandbox,
    /// The provider failed: 10
    Provider,
    /// Ctrl-C: 130
    Interrupted,
}

impl Kind {
    /// Every kind, by exit code.
    pub const ALL: [Self; 11] = [
        Self::Error,
        Self::Usage,
        Self::Unfinished,
        Self::Nothing,
        Self::Person,
        Self::Budget,
        Self::Config,
        Self::Busy,
        Self::Sandbox,
        Self::Provider,
        Self::Interrupted,
    ];

    /// Returns what it means, for the manual page.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Error => "something went wrong",
            Self::Usage => "the command line is wrong",
            Self::Unfinished => "the run ended with failed or blocked goals",
            Self::Nothing => "there was nothing to do (only with --exit-code)",
            Self::Person => "a person is needed",
            Self::Budget => "the budget is used up",
            Self::Config => "something is not configured; `git invisigoth doctor` says what",
            Self::Busy => "another process is at it, try later",
            Self::Sandbox => "there is no sandbox where one is demanded",
            Self::Provider => "the provider failed",
            Self::Interrupted => "stopped by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP",
        }
    }

    /// Returns what helps where nobody knows better.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Error | Self::Sandbox => "`git invisigoth doctor` checks every precondition",
            Self::Usage => "`git invisigoth help` lists all commands",
            Self::Unfinished | Self::Nothing | Self::Person => "`git invisigoth status` says why, and what needs you",
            Self::Budget => "`git invisigoth budget` shows the caps and what is spent",
            Self::Config => "`git invisigoth config list` shows each setting and where it comes from",
            Self::Busy => "`git invisigoth status` shows who is at work",
            Self::Provider => "`git invisigoth doctor` tries the endpoint",
            Self::Interrupted => "`git invisigoth status` shows how far it came",
        }
    }

    /// Returns the exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Error => 1,
            Self::Usage => 2,
            Self::Unfinished => 3,
            Self::Nothing => 4,
            Self::Person => 5,
            Self::Budget => 6,
            Self::Config => 7,
            Self::Busy => 8,
            Self::Sandbox => 9,
            Self::Provider => 10,
            Self::Interrupted => 130,
        }
    }
}

/// Whether what went wrong may be right later, although nobody does anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Passes {
    /// It needs somebody, or something, to change.
    #[default]
    Never,
    /// It may; how long that takes, where somebody said so.
    Later(Option<Duration>),
}

/// An error with hints. Travels inside an `eyre::Report`; `cli` looks for it along the chain.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    /// Decides the exit code.
    pub kind: Kind,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// What to do about it, each a line; commands in backquotes.
    pub hints: Vec<String>,
    /// Whether it may be right later by itself.
    #[serde(skip)]
    pub passes: Passes,
}

impl Fault {
    /// Makes a fault without a hint.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
            passes: Passes::Never,
        }
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns it with a hint, as whoever reads it must know how to go on.
    #[must_use]
    pub fn hinted(self) -> Self {
        let kind = self.kind;
        match self.hints.is_empty() {
            true => self.hint(kind.hint()),
            false => self,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
