//! `report`: what came of the runs since a moment: landed, failed, held, spent.

use eyre::Result;
use jiff::{
    SignedDuration, SpanRelativeTo, Timestamp,
    civil::Date,
    tz::TimeZone,
};

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
    let text = text.trim();
    let at = of_day(text).or_else(|| Moment::from_rfc3339(text)).or_else(|| before(text, now));
    let Some(at) = at else {
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

/// A day begins at midnight, UTC, as everywhere.
fn of_day(text: &str) -> Option<Moment> {
    let day: Date = text.parse().ok().filter(|_| text.len() == "2026-11-22".len())?;
    let at = day.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Moment(at.as_millisecond()))
}

/// `12h`, `90 min`, `2 days ago`: what has no fixed length, such as a month, is no span.
fn before(text: &str, now: Moment) -> Option<Moment> {
    let span: jiff::Span = text.parse().ok()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let span: SignedDuration = span.abs();
    let now = Timestamp::from_millisecond(now.0).ok()?;
    Some(Moment(now.checked_sub(span).ok()?.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_times_and_spans_are_moments() {
        let now = Moment::from_rfc3339("2026-11-23T07:00:00Z").unwrap();
        for (text, at) in [
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("2026-11-22T22:00:00Z", "2026-11-22T22:00:00Z"),
            ("2026-11-22T22:00:00+02:00", "2026-11-22T20:00:00Z"),
            ("12h", "2026-11-22T19:00:00Z"),
            ("12h ago", "2026-11-22T19:00:00Z"),
            ("90 min", "2026-11-23T05:30:00Z"),
            ("1 week 1 day", "2026-11-15T07:00:00Z"),
            ("PT1H", "2026-11-23T06:00:00Z"),
        ] {
            assert_eq!(moment(text, now).unwrap().rfc3339(), at, "{text}");
        }
        for bad in ["", "nonsense", "1 month", "2026-13-01", "20261122", "12", "2026-11-24", "9999999999h"] {
            let fault = moment(bad, now).unwrap_err().downcast::<Fault>().unwrap();
            assert_eq!(fault.kind, Kind::Usage, "{bad}");
        }
    }
}
