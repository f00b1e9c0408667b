//! Time as a value: where it comes from is `door/clock`; here is only what can be said about it.

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

    /// Reads RFC 3339; `None` for anything else.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Self(at.as_millisecond()))
    }

    /// Returns how long after `earlier` this is; zero if the clock went back.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
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
