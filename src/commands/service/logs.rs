//! `service logs`: what the service printed, as journald keeps it.

use std::io;

use eyre::{Result, WrapErr as _};

use crate::{
    commands::service::{Units, systemd},
    door::spawn::attached,
    engine::session::Session,
    unit::Scope,
};

/// What to show.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Whose systemd.
    pub scope: Scope,
    /// Go on with what comes.
    pub follow: bool,
    /// So many of the last lines.
    pub lines: Option<u32>,
    /// As JSON Lines.
    pub json: bool,
}

/// Has `journalctl` show it at the person's terminal, and returns its exit code.
///
/// # Errors
/// A fault where there is no journald.
pub fn run(session: &Session, request: Request) -> Result<i32> {
    let units = Units::of(session, request.scope)?;
    let unit = format!("--unit={}", units.names.service());
    let mut words = match request.scope {
        Scope::User => vec!["--user"],
        Scope::System => Vec::new(),
    };
    words.push(&unit);
    if request.follow {
        words.push("--follow");
    }
    let lines = request.lines.map(|lines| format!("--lines={lines}"));
    words.extend(lines.as_deref());
    if request.json {
        words.push("--output=json");
    }
    match attached::run("journalctl", &words, &units.top, &session.env.for_people()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(systemd::missing("journalctl").into()),
        ended => ended.wrap_err("calling journalctl"),
    }
}
