//! `report`: what came of the runs since a moment: landed, failed, held, spent.

use eyre::Result;

use crate::{
    commands,
    engine::{
        report::{self, Report},
        session::Session,
    },
    fault::{Fault, Kind},
    time::Moment,
};

/// From when on.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// A day, a time in RFC 3339, or a span before now; where absent, the last 24 hours, or since the newest run began where that is
    /// longer ago.
    pub since: Option<String>,
}

impl commands::Outcome for Report {
    const SCHEMA: &'static str = "invisigoth.report/1";
}

/// Reads it. Changes nothing.
///
/// # Errors
/// A fault for a time that is none or has not come yet; when what it is read from cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Report> {
    let now = session.clock.now();
    let since = match &request.since {
        None => report::usual(session)?,
        Some(text) => moment(text, now)?,
    };
    report::of(session, since)
}

fn moment(text: &str, now: Moment) -> Result<Moment> {
    let Some(at) = Moment::from_words(text, now) else {
        let fault = Fault::new(Kind::Usage, format!("`{text}` is no time"));
        return Err(fault
            .hint("`--since 12h`, `--since 2026-11-22` or `--since 2026-11-22T22:00:00Z`")
            .into());
    };
    if at > now {
        return Err(Fault::new(Kind::Usage, format!("{} has not come yet", at.rfc3339())).into());
    }
    Ok(at)
}
