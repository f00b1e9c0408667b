//! Commands: one file per verb. Each has a `Request`, a `run` and an `Outcome` that serialises; faces only translate.
//!
//! An outcome's schema is `invisigoth.<command>/1`. Commands print nothing. `claim` and `why` are for other programs, over
//! MCP, and no verbs of the command line.

pub mod add;
pub mod adopt;
pub mod apply;
pub mod approve;
pub mod budget;
pub mod check;
pub mod ci;
pub mod claim;
pub mod comment;
pub mod config;
pub mod context;
pub mod cost;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod drop;
pub mod edit;
pub mod evolve;
pub mod export;
pub mod hold;
pub mod hook;
pub mod hooks;
pub mod import;
pub mod init;
pub mod list;
pub mod log;
pub mod logs;
pub mod merge;
pub mod merge_driver;
pub mod models;
pub mod pause;
pub mod plan;
pub mod prompt;
pub mod provenance;
pub mod rebuild;
pub mod reject;
pub mod release;
pub mod replay;
pub mod report;
pub mod resume;
pub mod retry;
pub mod run;
pub mod service;
pub mod settle;
pub mod show;
pub mod status;
pub mod stop;
pub mod sync;
pub mod template;
pub mod undo;
pub mod verify;
pub mod why;

use eyre::Report;
use serde::Serialize;

use crate::fault::{Fault, Kind};

/// What every command's outcome can say about itself.
pub trait Outcome: Serialize {
    /// The schema's name: `invisigoth.<command>/1`.
    const SCHEMA: &'static str;

    /// Returns the kind whose exit code the process ends with; `None` for 0.
    fn kind(&self) -> Option<Kind> {
        None
    }
}

/// True for a count of nothing, which documents leave out.
fn is_zero<N: Default + PartialEq>(count: &N) -> bool {
    *count == N::default()
}

/// A JSON document as every face says it: the schema's name, then the rest.
#[derive(Debug, Serialize)]
pub struct Document<T: Serialize> {
    schema: &'static str,
    #[serde(flatten)]
    body: T,
}

impl<'a, O: Outcome> Document<&'a O> {
    /// Makes the document of an outcome.
    pub fn of(outcome: &'a O) -> Self {
        Self {
            schema: O::SCHEMA,
            body: outcome,
        }
    }
}

/// What the document of a fault holds.
#[derive(Debug, Serialize)]
pub struct Failed<'a> {
    error: &'a Fault,
}

impl<'a> Document<Failed<'a>> {
    /// Makes the document of a fault.
    pub fn failed(fault: &'a Fault) -> Self {
        Self {
            schema: "invisigoth.error/1",
            body: Failed { error: fault },
        }
    }
}

/// Finds the fault in an error, and puts what was being done in front of its message; what caused it comes after. An error without
/// a fault becomes one that says its whole chain.
pub fn fault_of(error: &Report) -> (Fault, Vec<String>) {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    let known = error.chain().position(<dyn std::error::Error>::is::<Fault>);
    let found = error.chain().find_map(|cause| cause.downcast_ref::<Fault>());
    match (found, known) {
        (Some(fault), Some(at)) => {
            let message = joined(chain.iter().take(at + 1));
            let causes = chain.iter().skip(at + 1).cloned().collect();
            (
                Fault {
                    message,
                    ..fault.clone()
                },
                causes,
            )
        }
        _ => (Fault::new(Kind::Error, joined(chain.iter())), Vec::new()),
    }
}

/// Joins what was being done and why it did not work; a cause that its context repeats is said once.
fn joined<'a>(parts: impl Iterator<Item = &'a String>) -> String {
    let mut message = String::new();
    for part in parts {
        if message.is_empty() {
            message.clone_from(part);
        } else if !message.ends_with(part.as_str()) {
            message = [&message, ": ", part].concat();
        }
    }
    message
}

/// What tests of commands work with that no program is started for.
#[cfg(test)]
pub(crate) mod tests {
    use std::{path::Path, sync::Arc};

    use crate::{
        door::{clock::SystemClock, env::Env, spawn::run_captured},
        engine::session::Session,
        event::{Event, Sink},
    };

    struct Silence;

    impl Sink for Silence {
        fn emit(&self, _: &Event) {}
    }

    /// Makes a repository with a commit in `folder`, and opens it.
    pub(crate) fn session(folder: &Path) -> Session {
        let env = Env::read().for_checks(&[]);
        let named = ["-c", "user.name=a", "-c", "user.email=a@b"];
        for args in [&["init", "-q"][..], &["commit", "-q", "--allow-empty", "-m", "x"]] {
            let args = [&named, args].concat();
            let ran = run_captured("git", &args, folder, &env, b"", None).unwrap();
            assert_eq!(ran.code, 0, "{args:?}");
        }
        let env = Env::from_pairs(env.into_iter().chain([("HOME".into(), folder.into())]));
        Session::open(folder, env, Arc::new(SystemClock), Arc::new(Silence), &[]).unwrap()
    }
}
