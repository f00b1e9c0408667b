//! `service uninstall`: stops and disables the service of this repository, and removes what `service install` wrote.
//!
//! Keeps what a person wrote or changed, and everything of the repository: goals, records, refs, caches.

use std::path::PathBuf;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands::{
        self,
        service::{
            Units, allowed, found, remove_empty,
            systemd::{Systemd, last_words},
        },
    },
    door::fs,
    engine::session::Session,
    unit::{
        Scope,
        mark::{self, Whose},
        names::{self, TEMPLATE},
    },
};

/// Which service.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Whose systemd.
    pub scope: Scope,
    /// Remove also what a person changed.
    pub force: bool,
}

/// What was removed.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The service.
    pub unit: String,
    /// Files that are gone.
    pub removed: Vec<PathBuf>,
    /// Files that were changed by hand, and stay.
    pub kept: Vec<PathBuf>,
    /// What systemd did not do.
    pub warnings: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.service-uninstall/1";
}

/// Removes the service.
///
/// # Errors
/// A fault where there is none, or something cannot be removed.
pub fn run(session: &Session, request: Request) -> Result<Outcome> {
    allowed(request.scope, "uninstall")?;
    let units = Units::of(session, request.scope)?.installed()?;
    let systemd = Systemd::find(session, request.scope)?;
    let mut outcome = Outcome {
        unit: units.names.service(),
        removed: Vec::new(),
        kept: Vec::new(),
        warnings: Vec::new(),
    };
    let mut all = vec![units.names.service()];
    if units.has_timer() {
        // The timer first, so that it starts nothing anew.
        all.insert(0, units.names.timer());
    }
    let words: Vec<&str> = ["disable", "--now"]
        .into_iter()
        .chain(all.iter().map(String::as_str))
        .collect();
    let said = systemd.ask(&words)?;
    if said.code != 0 {
        outcome
            .warnings
            .push(format!("`systemctl {}`: {}", words.join(" "), last_words(&said)));
    }
    for name in [units.names.repository(), units.names.schedule()] {
        remove(&units, &name, request.force, &mut outcome)?;
    }
    for (kind, template) in [
        ("service", names::service_template()),
        ("timer", names::timer_template()),
    ] {
        if !is_used(&units, kind)? {
            remove(&units, &template, request.force, &mut outcome)?;
        }
    }
    for words in [&["daemon-reload"][..], &["reset-failed", &outcome.unit]] {
        // A unit that is gone may have no state to reset.
        let _ = systemd.ask(words)?;
    }
    tidy(session, &units);
    Ok(outcome)
}

fn remove(units: &Units, name: &str, force: bool, outcome: &mut Outcome) -> Result<()> {
    let path = units.folder.join(name);
    let there = fs::read(&path).wrap_err_with(|| format!("reading {}", path.display()))?;
    let Some(there) = there else { return Ok(()) };
    if !force && mark::whose(&String::from_utf8_lossy(&there)) != Whose::Ours {
        outcome.kept.push(path);
        return Ok(());
    }
    fs::remove_if_there(&path).wrap_err_with(|| format!("removing {}", path.display()))?;
    if let Some(folder) = path.parent() {
        remove_empty(folder, &units.folder);
    }
    outcome.removed.push(path);
    Ok(())
}

/// True while some repository has a unit of this kind.
fn is_used(units: &Units, kind: &str) -> Result<bool> {
    let end = format!(".{kind}.d");
    let folders = fs::folders_in(&units.folder).wrap_err_with(|| format!("reading {}", units.folder.display()))?;
    let is_ours = |name: &str| name.starts_with(TEMPLATE) && name.ends_with(&end);
    Ok(folders.iter().any(|name| is_ours(name)))
}

/// Folders that `service install` may have made go, where nothing is in them.
fn tidy(session: &Session, units: &Units) {
    let Some(home) = session.env.home().filter(|_| units.scope == Scope::User) else {
        return;
    };
    remove_empty(&units.folder, &home);
    for folder in found::own_folders(session) {
        remove_empty(&folder, &home);
    }
}
