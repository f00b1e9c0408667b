//! `service status`: whether the service runs, when it runs next, how it ended last, and how the repository stands.

use std::collections::BTreeMap;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::{
        self,
        service::{Units, flag, systemd::Systemd},
        status,
    },
    engine::session::Session,
    fault::Kind,
    unit::Scope,
};

/// What is asked of the service.
const SERVICE: [&str; 9] = [
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "ActiveEnterTimestamp",
    "Result",
    "ExecMainCode",
    "ExecMainStatus",
    "ExecMainExitTimestamp",
];

/// What is asked of its timer.
const TIMER: [&str; 3] = ["ActiveState", "UnitFileState", "NextElapseUSecRealtime"];

/// How the service stands.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The service.
    pub unit: String,
    /// `active`, `inactive`, `failed` …, as systemd says.
    pub state: String,
    /// As systemd says in detail: `running`, `dead`, `auto-restart` …
    pub sub: String,
    /// Since when it runs, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whether it begins without a person.
    pub enabled: bool,
    /// Its timer, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<Timer>,
    /// How it ended last, if it ever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// How many goals are in each state; none where that cannot be read.
    pub goals: BTreeMap<&'static str, usize>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// What our command line says for whose systemd it is.
    #[serde(skip)]
    pub flag: &'static str,
}

/// The timer.
#[derive(Debug, Serialize)]
pub struct Timer {
    /// Its unit.
    pub unit: String,
    /// When it starts the service next, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An end.
#[derive(Debug, Serialize)]
pub struct Last {
    /// The exit code; `128 + n` for signal `n`.
    pub code: i32,
    /// What that means.
    pub meaning: String,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.service-status/1";
}

/// Asks systemd and the repository.
///
/// # Errors
/// A fault where there is no service or systemd does not answer.
pub fn run(session: &Session, scope: Scope) -> Result<Outcome> {
    let systemd = Systemd::find(session, scope)?;
    let units = Units::of(session, scope)?.installed()?;
    let unit = units.names.service();
    let said = Said(systemd.properties(&unit, &SERVICE)?);
    let mut enabled = said.is_enabled();
    let timer = if units.has_timer() {
        let name = units.names.timer();
        let timer = Said(systemd.properties(&name, &TIMER)?);
        enabled = timer.is_enabled();
        Some(Timer {
            unit: name,
            next: timer.time("NextElapseUSecRealtime"),
        })
    } else {
        None
    };
    let state = said.get("ActiveState");
    let (goals, unreadable) = match status::run(session) {
        Ok(outcome) => (outcome.counts, None),
        Err(error) => (BTreeMap::new(), Some(format!("{error:#}"))),
    };
    Ok(Outcome {
        since: said.time("ActiveEnterTimestamp").filter(|_| state == "active"),
        last: said.last(),
        state,
        sub: said.get("SubState"),
        enabled,
        timer,
        unit,
        goals,
        unreadable,
        flag: flag(scope),
    })
}

/// Properties of a unit.
struct Said(BTreeMap<String, String>);

impl Said {
    fn get(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }

    fn time(&self, name: &str) -> Option<String> {
        Some(self.get(name)).filter(|time| !matches!(time.as_str(), "" | "n/a" | "0" | "infinity"))
    }

    fn is_enabled(&self) -> bool {
        self.get("UnitFileState").starts_with("enabled")
    }

    fn last(&self) -> Option<Last> {
        let status: i32 = self.get("ExecMainStatus").parse().ok()?;
        // As `waitid` says it: 1 exited, 2 and 3 by a signal, 0 not yet.
        let (code, result) = match (self.get("ExecMainCode").as_str(), self.get("Result")) {
            ("1", result) => (status, result),
            ("2" | "3", result) => (128 + status, result),
            _ => return None,
        };
        let why = if result == "start-limit-hit" {
            "; it failed too often, and `git invisigoth service start` tries again"
        } else {
            ""
        };
        Some(Last {
            code,
            meaning: format!("{}{why}", meaning(code, &result)),
            at: self.time("ExecMainExitTimestamp"),
        })
    }
}

/// Says what an exit code of the service means, in the words of the manual where it is one of ours.
fn meaning(code: i32, result: &str) -> &'static str {
    let ours = Kind::ALL.iter().find(|kind| i32::from(kind.exit_code()) == code);
    match (code, result) {
        (_, "timeout") => "it did not end in time and was killed; what was under way is taken up again",
        (_, "oom-kill") => "the machine had no memory left",
        (0, _) => "all was done",
        (129 | 130 | 143, _) => "it was told to stop",
        (137, _) => "it was killed; what was under way is taken up again",
        (200, _) => "the repository's folder is gone",
        (203, _) => "the program is gone or moved: `git invisigoth service install` notes where it is",
        (216 | 217, _) => "its user is gone",
        (226, _) => "a folder that it needs is gone: `git invisigoth service install` makes them anew",
        (243, _) => "the file of its key cannot be read",
        _ => ours.map_or("it ended by a fault: `git invisigoth service logs` shows it", |kind| {
            kind.meaning()
        }),
    }
}
