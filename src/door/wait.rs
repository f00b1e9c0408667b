//! Waiting: pauses and slow work that both see the wish to stop. Decides nothing about how long to wait.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use crate::time::{Stop, Stopping};

/// Longest time between two looks at `Stop`.
const STEP: Duration = Duration::from_millis(50);

/// Why slow work gave no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interrupt {
    /// The run was asked to leave now.
    Stopped,
    /// The thread that did the work could not be started, or ended without a result.
    Died,
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

/// Does `work` on a thread of its own and waits for its result, but leaves it behind when the run is asked to
/// leave now. `Stop` pressed once waits: what is under way is paid for.
///
/// # Errors
/// Says why there is no result.
pub fn interruptible<T: Send + 'static>(
    stop: &Stop,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Interrupt> {
    let (to, from) = mpsc::sync_channel(1);
    let started = thread::Builder::new().name("wait".to_owned()).spawn(move || {
        // The receiver is gone when the run left without the result.
        let _ = to.send(work());
    });
    if started.is_err() {
        return Err(Interrupt::Died);
    }
    loop {
        match from.recv_timeout(STEP) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Err(Interrupt::Died),
            Err(RecvTimeoutError::Timeout) if stop.stopping() == Stopping::Now => return Err(Interrupt::Stopped),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Returns a number that differs between processes which wait for the same thing at the same time.
pub fn salt() -> u32 {
    std::process::id()
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

    #[test]
    fn slow_work_is_left_behind_only_when_asked_to_leave_now() {
        let stop = Stop::default();
        stop.press();
        assert_eq!(interruptible(&stop, || 7), Ok(7));
        stop.now();
        let (hold, held) = mpsc::channel::<()>();
        let forever = move || held.recv().is_ok();
        assert_eq!(interruptible(&stop, forever), Err(Interrupt::Stopped));
        drop(hold);
    }
}
