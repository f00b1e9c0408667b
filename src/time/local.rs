//! Local time: times of day as people type and read them, and spans. Owns the words; where this machine is, and what time it
//! is, is told.

use std::{str::FromStr, time::Duration};

use jiff::{Span, SpanRelativeTo, Timestamp, Zoned, civil, tz::TimeZone};

use crate::time::Moment;

/// The time zone of a machine.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Wraps a time zone.
    pub fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// Returns a moment with its date and time of day here; the epoch for one that is beyond all calendars.
    pub fn at(&self, moment: Moment) -> Zoned {
        stamp(moment).unwrap_or_default().to_zoned(self.0.clone())
    }

    /// Words a moment that is to come as a clock on the wall shows it: `07:00:00`, and the day where it is not that of `now`:
    /// `Tue 07:00`.
    pub fn words(&self, at: Moment, now: Moment) -> String {
        let (at, now) = (self.at(at), self.at(now));
        let format = if at.date() == now.date() {
            "%H:%M:%S"
        } else if at.since(&now).is_ok_and(|far| far.get_hours() < 24 * 6) {
            "%a %H:%M"
        } else {
            "%F %H:%M"
        };
        at.strftime(format).to_string()
    }
}

fn stamp(moment: Moment) -> Option<Timestamp> {
    Timestamp::from_millisecond(moment.0).ok()
}

/// Until when, as a person says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// The next time that clocks show this.
    Clock(civil::Time),
    /// This very moment.
    At(Moment),
}

/// Why a text is no time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadTime {
    /// Neither form.
    #[error("a time is like 07:00 (the next one here), or like 2026-11-22T07:00:00Z")]
    NoTime,
    /// Not a span.
    #[error("a span is like 4h, 90m or 1h30m, and longer than nothing")]
    NoSpan,
}

impl FromStr for Until {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, BadTime> {
        let text = text.trim();
        if let Some(at) = Moment::from_rfc3339(text) {
            return Ok(Self::At(at));
        }
        // `civil::Time` reads parts of dates, too, which is not what anybody means here.
        let digits = text.split(':').all(|part| matches!(part.len(), 1 | 2));
        let padded = match text.split_once(':') {
            Some((hours, rest)) => format!("{hours:0>2}:{rest}"),
            None => return Err(BadTime::NoTime),
        };
        let time = padded.parse().map_err(|_| BadTime::NoTime)?;
        if digits {
            Ok(Self::Clock(time))
        } else {
            Err(BadTime::NoTime)
        }
    }
}

impl Until {
    /// Returns the moment after `now` that is meant; `None` for one that is past. A time that clocks skip, where summer time
    /// begins, is as much later.
    pub fn after(self, now: Moment, zone: &Zone) -> Option<Moment> {
        let time = match self {
            Self::At(at) => return (at > now).then_some(at),
            Self::Clock(time) => time,
        };
        let today = stamp(now)?.to_zoned(zone.0.clone()).date();
        let on = |date: civil::Date| {
            let zoned = date.to_datetime(time).to_zoned(zone.0.clone()).ok()?;
            Some(Moment(zoned.timestamp().as_millisecond())).filter(|at| *at > now)
        };
        on(today).or_else(|| on(today.tomorrow().ok()?))
    }
}

/// Reads a span such as `4h`, `90m`, `1h30m` or `PT4H`.
///
/// # Errors
/// Where it is none, or none that lasts.
pub fn span(text: &str) -> Result<Duration, BadTime> {
    let span: Span = text.trim().parse().map_err(|_| BadTime::NoSpan)?;
    let long = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| BadTime::NoSpan)?;
    let long = Duration::try_from(long).map_err(|_| BadTime::NoSpan)?;
    if long.is_zero() { Err(BadTime::NoSpan) } else { Ok(long) }
}

/// Words how long something takes: `40 s`, `12 min`, `1 h 30 min`.
pub fn words(long: Duration) -> String {
    let seconds = long.as_secs_f64().round().max(0.0);
    let whole = long.saturating_add(Duration::from_millis(500)).as_secs();
    match (whole / 3600, whole % 3600 / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) if whole.is_multiple_of(60) || minutes >= 10 => format!("{minutes} min"),
        (0, minutes) => format!("{minutes} min {} s", whole % 60),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Zone {
        // Last Sundays of March and October, without a database of zones.
        Zone::new(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap())
    }

    fn at(text: &str) -> Moment {
        Moment::from_rfc3339(text).unwrap()
    }

    fn until(text: &str, now: &str) -> Option<String> {
        let until: Until = text.parse().unwrap();
        until.after(at(now), &berlin()).map(Moment::rfc3339)
    }

    #[test]
    fn a_time_of_day_is_the_next_one_here() {
        let next = |text, now| until(text, now).unwrap();
        assert_eq!(next("07:00", "2026-11-22T21:00:00Z"), "2026-11-23T06:00:00Z");
        assert_eq!(next("7:00", "2026-11-22T05:59:59Z"), "2026-11-22T06:00:00Z");
        assert_eq!(next("07:00", "2026-11-22T06:00:00Z"), "2026-11-23T06:00:00Z");
        assert_eq!(next("00:30", "2026-11-22T22:59:00Z"), "2026-11-22T23:30:00Z");
    }

    #[test]
    fn the_nights_on_which_clocks_change_have_the_same_morning() {
        let next = |text, now| until(text, now).unwrap();
        // An hour is missing in March, and there twice in October.
        assert_eq!(next("07:00", "2026-03-28T21:00:00Z"), "2026-03-29T05:00:00Z");
        assert_eq!(next("07:00", "2026-10-24T20:00:00Z"), "2026-10-25T06:00:00Z");
        assert_eq!(next("02:30", "2026-03-28T21:00:00Z"), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn a_moment_is_itself_and_no_past_one() {
        let text = "2026-11-23T07:00:00+01:00";
        assert_eq!(until(text, "2026-11-22T21:00:00Z").unwrap(), "2026-11-23T06:00:00Z");
        assert_eq!(until(text, "2026-11-23T06:00:00Z"), None);
    }

    #[test]
    fn what_is_no_time_or_span_is_refused() {
        for bad in [
            "",
            "7",
            "25:00",
            "07:60",
            "-1:00",
            "soon",
            "2026-11-22",
            "T07",
            "07:00x",
        ] {
            assert_eq!(bad.parse::<Until>(), Err(BadTime::NoTime), "{bad}");
        }
        for bad in ["", "4", "0h", "-4h", "4 parsecs", "1 month"] {
            assert_eq!(span(bad), Err(BadTime::NoSpan), "{bad}");
        }
    }

    #[test]
    fn spans_are_read_and_worded() {
        for (text, seconds, worded) in [
            ("4h", 14_400, "4 h"),
            ("90m", 5400, "1 h 30 min"),
            ("1h30m", 5400, "1 h 30 min"),
            ("PT4H", 14_400, "4 h"),
            ("2 days", 172_800, "48 h"),
            ("45s", 45, "45 s"),
            ("90s", 90, "1 min 30 s"),
            ("10m 20s", 620, "10 min"),
        ] {
            let long = span(text).unwrap();
            assert_eq!((long.as_secs(), words(long).as_str()), (seconds, worded), "{text}");
        }
    }

    #[test]
    fn a_moment_is_worded_as_the_clock_here_shows_it() {
        let now = at("2026-11-22T21:00:00Z");
        let words = |text| berlin().words(at(text), now);
        assert_eq!(words("2026-11-22T21:15:07Z"), "22:15:07");
        assert_eq!(words("2026-11-23T06:00:00Z"), "Mon 07:00");
        assert_eq!(words("2027-01-01T06:00:00Z"), "2027-01-01 07:00");
    }
}
