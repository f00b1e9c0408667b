//! Waiting: pauses that see the wish to stop, and time that has passed. Decides nothing about how long to wait.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::time::{Stop, Stopping};

/// Longest time between two looks at `Stop`.
pub const STEP: Duration = Duration::from_millis(50);

/// Time since it was started, which no change of the clock moves.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns how long ago it was started.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits for `duration`. Returns false as soon as the run is asked to stop, however urgently.
pub fn pause(duration: Duration, stop: &Stop) -> bool {
    let start = Instant::now();
    loop {
        if stop.stopping() != Stopping::No {
            return false;
        }
        let left = duration.saturating_sub(start.elapsed());
        if left.is_zero() {
            return true;
        }
        thread::sleep(left.min(STEP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_at_once_when_asked_to_stop() {
        let stop = Stop::default();
        assert!(pause(Duration::ZERO, &stop));
        stop.press();
        assert!(!pause(Duration::from_secs(86_400), &stop));
    }
}
