//! The clock: the only place that asks what time it is, and in which time zone. When a run pretends another time, that is the session's
//! business; nothing is read from the environment here.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;

use crate::time::{Clock, Moment, local::Zone};

/// The time of day of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that all others are asked to use"
    )]
    fn now(&self) -> Moment {
        let millis = |age: std::time::Duration| i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Moment(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(age) => millis(age),
            Err(before) => -millis(before.duration()),
        })
    }
}

/// Returns the time zone of this machine, or of `TZ`; UTC where nothing says.
pub fn zone() -> Zone {
    Zone::new(TimeZone::system())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_milliseconds_since_1970() {
        let year = SystemClock.now().rfc3339();
        assert!(year.as_str() > "2025", "{year}");
        assert!(year.as_str() < "2300", "{year}");
    }
}
