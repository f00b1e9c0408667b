//! Time as a value: where it comes from is `door/clock`; here is only what can be said about it.

pub mod eta;
pub mod local;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// Returns the moment that is so many seconds after the epoch.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Returns the whole seconds since the epoch, as git records them.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns RFC 3339 in UTC to the second: `2026-11-22T09:20:56Z`.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.seconds())
            .unwrap_or_default()
            .to_string()
    }

    /// Returns RFC 3339 in UTC to the millisecond: `2026-11-22T09:20:56.042Z`.
    pub fn rfc3339_millis(self) -> String {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        format!("{at:.3}")
    }

    /// Reads RFC 3339; `None` for anything else.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Self(at.as_millisecond()))
    }

    /// Reads what a person says: a day such as `2026-11-22` (its midnight in UTC), RFC 3339, or a span before `now` such as `12h`,
    /// `90 min` or `2 days ago`. `None` for anything else, such as a month, which has no fixed length.
    pub fn from_words(text: &str, now: Self) -> Option<Self> {
        let text = text.trim();
        let of_day = || Self::from_rfc3339(&format!("{text}T00:00:00Z"));
        let before = || {
            let span: jiff::Span = text.parse().ok()?;
            let span = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
            let millis = i64::try_from(span.abs().as_millis()).ok()?;
            Some(Self(now.0.checked_sub(millis)?))
        };
        of_day().or_else(|| Self::from_rfc3339(text)).or_else(before)
    }

    /// Returns how long after `earlier` this is; zero if the clock went back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Returns the moment that is so `long` after this one.
    pub fn after(self, long: Duration) -> Self {
        Self(self.0.saturating_add(millis(long)))
    }

    /// Returns the moment that is so `long` before this one.
    pub fn before(self, long: Duration) -> Self {
        Self(self.0.saturating_sub(millis(long)))
    }
}

fn millis(long: Duration) -> i64 {
    i64::try_from(long.as_millis()).unwrap_or(i64::MAX)
}

/// Where time comes from.
pub trait Clock: Send + Sync {
    /// Returns the time of day.
    fn now(&self) -> Moment;
}

/// How urgently a run was asked to stop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stopping {
    /// Go on.
    No,
    /// Finish what is cheap, start nothing (Ctrl-C once).
    Soon,
    /// Leave now (Ctrl-C twice, SIGTERM).
    Now,
}

/// The wish to stop, shared by everything that waits. The signal handlers of the binary raise it.
#[derive(Clone, Default, Debug)]
pub struct Stop {
    level: Arc<AtomicU8>,
}

impl Stop {
    /// Raises the urgency by one step.
    pub fn press(&self) {
        let _ = self
            .level
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| Some(n.saturating_add(1)));
    }

    /// Asks to leave now.
    pub fn now(&self) {
        self.level.store(2, Ordering::SeqCst);
    }

    /// Returns what was asked.
    pub fn stopping(&self) -> Stopping {
        match self.level.load(Ordering::SeqCst) {
            0 => Stopping::No,
            1 => Stopping::Soon,
            _ => Stopping::Now,
        }
    }
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
            ("-12h", "2026-11-22T19:00:00Z"),
            ("12h ago", "2026-11-22T19:00:00Z"),
            ("90 min", "2026-11-23T05:30:00Z"),
            ("1 week 1 day", "2026-11-15T07:00:00Z"),
            ("PT1H", "2026-11-23T06:00:00Z"),
            ("2026-11-24", "2026-11-24T00:00:00Z"),
        ] {
            assert_eq!(Moment::from_words(text, now).unwrap().rfc3339(), at, "{text}");
        }
        for bad in ["", "nonsense", "1 month", "2026-13-01", "12", "9999999999999999h"] {
            assert_eq!(Moment::from_words(bad, now), None, "{bad}");
        }
    }
}
