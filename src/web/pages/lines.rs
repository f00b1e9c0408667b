//! What stands at an address besides a page: lines that grow while somebody looks on, and plain text.

use eyre::Result;
use serde_json::Value;

use crate::{
    engine::session::Session,
    web::pages::{Asked, diff, goal, log},
};

/// Lines to which others are added while somebody looks at them; the template finds them as `tail`.
#[derive(Debug)]
pub struct Tail {
    /// The name of the template of a line, which is `line` there.
    pub template: &'static str,
    /// The number of the first one.
    pub first: usize,
    /// The lines.
    pub items: Vec<Value>,
    /// True where their end is the end: what comes is sent. Else they are part of the page like all else.
    pub grows: bool,
}

/// True for an address of plain text, so that nothing need be opened to tell it from a page.
pub fn is_raw(asked: &Asked) -> bool {
    asked.path.last().is_some_and(|last| last == "raw")
}

/// Returns the plain text that was asked for; `None` where the address is one of a page.
///
/// # Errors
/// As `make`.
pub fn raw(session: &Session, asked: &Asked) -> Option<Result<Vec<u8>>> {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["goals", id, "log", "raw"] => Some(goal::id(id).and_then(|id| log::raw(session, &id))),
        ["goals", id, "diff", "raw"] => Some(goal::id(id).and_then(|id| diff::raw(session, &id, asked))),
        _ => None,
    }
}

/// Returns what else tells that a page is no longer as it was, besides what every page is made anew for.
pub fn mark(session: &Session, asked: &Asked) -> String {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["goals", id] | ["goals", id, "log"] => {
            goal::id(id).map_or_else(|_| String::new(), |id| log::mark(session, &id))
        }
        _ => String::new(),
    }
}
