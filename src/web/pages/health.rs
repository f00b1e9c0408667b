//! Health: how each precondition stands, what is spent and how fast, what runs did, and every setting with where it comes from.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::{
        budget, config,
        doctor::{Row, Standing},
        report,
    },
    engine::{
        live::{self, Doing},
        report::{Runs, Trigger},
        session::Session,
    },
    layers::Origin,
    web::pages::{Asked, Page, setup},
};

/// How far back runs are listed.
const SINCE: &str = "7d";
/// How many of them.
const RUNS: usize = 20;

#[derive(Serialize)]
struct Health {
    rows: Vec<Row>,
    to_mend: usize,
    to_know: usize,
    /// Absent where it cannot be read.
    budget: Option<budget::Outcome>,
    live: Vec<Doing>,
    runs: Option<Runs>,
    /// What starts runs here.
    triggers: Vec<Trigger>,
    settings: Vec<Setting>,
    warnings: Vec<String>,
    /// True where settings at their default are shown, too.
    all: bool,
    defaults: usize,
    version: &'static str,
    logs: Option<String>,
}

/// A setting, as it may be shown to anybody.
#[derive(Serialize)]
struct Setting {
    key: String,
    value: String,
    origin: Origin,
    place: String,
}

/// Makes it. What cannot be read is left out: why that is stands among the rows.
///
/// # Errors
/// Never but where its data cannot be written as JSON.
pub fn page(session: &Session, asked: &Asked) -> Result<Page> {
    let rows = setup::rows(session);
    let number = |state: Standing| rows.iter().filter(|row| row.state == state).count();
    let all = asked.get("settings") == Some("all");
    let config = config::run(session, &config::Request::default()).ok();
    let (settings, warnings) = config.map_or_else(Default::default, |config| (config.settings, config.warnings));
    let settings: Vec<Setting> = settings.into_iter().map(|row| shown(session, row)).collect();
    let is_default = |setting: &&Setting| setting.origin == Origin::Default;
    let since = report::Request {
        since: Some(SINCE.to_owned()),
    };
    let report = report::run(session, &since).ok();
    let (mut runs, triggers) = report.map(|report| (report.runs, report.triggers)).unzip();
    if let Some(runs) = &mut runs {
        runs.each.truncate(RUNS);
    }
    let logs = rows.iter().find(|row| row.name == "logs");
    let health = Health {
        to_mend: number(Standing::Fail),
        to_know: number(Standing::Warn),
        budget: budget::run(session).ok(),
        live: live::read(session, &session.repo()).unwrap_or_default(),
        runs,
        triggers: triggers.unwrap_or_default(),
        defaults: settings.iter().filter(is_default).count(),
        settings: settings
            .into_iter()
            .filter(|one| all || one.origin != Origin::Default)
            .collect(),
        warnings,
        all,
        version: env!("CARGO_PKG_VERSION"),
        logs: logs.map(|row| row.detail.clone()),
        rows,
    };
    Page::new("Health", "health", health)
}

/// A setting may hold what must not leave, such as an address that whoever knows it can write to.
fn shown(session: &Session, row: config::Row) -> Setting {
    Setting {
        key: row.key,
        value: session.redactor.clean(&row.said.value.to_string()).into_string(),
        origin: row.said.origin,
        place: row.said.place,
    }
}
