//! Keeping: which commands keep a journal, what `INVISIGOTH_LOG` asks for, and what is said of the journal at the end.
//!
//! What stands in a journal is decided elsewhere.

use std::sync::Arc;

use eyre::Result;
use serde_json::{Map, Value};

use crate::{
    cli::{args::Verb, open::Opened},
    door::env::Env,
    engine::{logging, session::Session},
    fault::{Fault, Kind},
    journal::{
        diagnosis::{self, Listeners, Say},
        level::{Level, TARGETS, Wanted},
    },
    letters::one_line,
    ui::colour::Style,
};

/// The variable that says which lines are wanted.
const VARIABLE: &str = "INVISIGOTH_LOG";

/// Returns the command's name where it keeps a journal: what works at goals does, what looks or decides does not.
pub fn name(verb: &Verb) -> Option<&'static str> {
    match verb {
        Verb::Run(run) => (!run.dry_run).then_some("run"),
        Verb::Plan(_) => Some("plan"),
        Verb::Merge(_) => Some("merge"),
        Verb::Adopt(_) => Some("adopt"),
        Verb::Undo(_) => Some("undo"),
        Verb::Settle(_) => Some("settle"),
        Verb::Sync(_) => Some("sync"),
        Verb::Ci(_) => Some("ci"),
        Verb::Evolve(_) => Some("evolve"),
        _ => None,
    }
}

/// Reads which lines are wanted; `None` where nobody said. What git starts by itself does not ask.
///
/// # Errors
/// A fault where it cannot be read.
pub fn wanted(env: &Env, verb: Option<&Verb>) -> Result<Option<Wanted>> {
    let is_by_git = matches!(verb, Some(Verb::Hook(_) | Verb::MergeDriver(_) | Verb::Complete(_)));
    let Some(text) = env.get(VARIABLE).filter(|_| !is_by_git) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(wanted) => Ok(Some(wanted)),
        Err(bad) => {
            let fault = Fault::new(Kind::Config, format!("{VARIABLE}={text}: {bad}"));
            let levels = Level::ALL.map(Level::word).join(", ");
            Err(fault
                .hint(format!("a level is one of {levels}, off; `{VARIABLE}=debug`"))
                .hint(format!(
                    "or by target ({}): `{VARIABLE}=info,provider=debug`",
                    TARGETS.join(", ")
                ))
                .into())
        }
    }
}

/// Lets `session` keep a journal, where the command is one that does, and lets diagnoses be heard where they are wanted.
pub fn begin(at: &Opened, session: &mut Session) {
    let wanted = at.wanted.clone().unwrap_or_default();
    if wanted.is_off() {
        return;
    }
    let ui = Arc::clone(&at.ui);
    let trouble = Box::new(move |line: &str| ui.complain(&format!("warning: {line}")));
    let journal = at
        .kept_as
        .map(|verb| logging::keep(session, verb, wanted.clone(), trouble));
    if let Some(journal) = &journal {
        // Opened once: the first session of a command is its only one.
        let _ = at.journal.set(Arc::clone(journal));
    }
    let ui = Arc::clone(&at.ui);
    let say = || -> Box<Say> {
        Box::new(move |level, words| {
            let line = format!("{level:<5} {}", one_line(words));
            ui.tell(level, &ui.manner.stderr.paint(Style::Dim, &line));
        })
    };
    let say = at.wanted.as_ref().map(|_| say());
    if journal.is_some() || say.is_some() {
        diagnosis::listen(&wanted, Listeners { journal, say });
    }
}

/// Keeps how the command ended, and says where its journal is if it did not end well.
pub fn end(at: &Opened, code: u8, error: Option<&str>) {
    let Some(journal) = at.journal.get() else { return };
    let mut fields = Map::new();
    fields.insert("code".to_owned(), code.into());
    if let Some(error) = error {
        fields.insert("error".to_owned(), Value::String(error.to_owned()));
    }
    let is_failure = is_failure(code);
    let level = if is_failure { Level::Error } else { Level::Info };
    journal.ended(level, fields);
    if let Some(path) = journal.path().filter(|_| is_failure) {
        let word = at.ui.manner.stderr.paint(Style::Live, "log:");
        at.ui.tell(Level::Info, &format!("{word} {}", path.display()));
    }
}

/// A person who is asked, who stopped it, or for whom there was nothing to do needs no log.
fn is_failure(code: u8) -> bool {
    let fine = [Kind::Usage, Kind::Nothing, Kind::Person].map(Kind::exit_code);
    code != 0 && code < 128 && !fine.contains(&code)
}
