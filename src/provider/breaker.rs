//! Circuit breaker: after several failures in a row an endpoint is left alone for a while, then tried once.
//!
//! Pure: the time is told.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Calls that must fail in a row, each after all its tries.
pub const FAILURES: u32 = 3;

/// How long an endpoint is left alone.
const PAUSE: Duration = Duration::from_secs(60);

/// What a call came to, as far as the endpoint's health goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// It answered, if only to refuse.
    Answered,
    /// It was out of order.
    Out,
    /// Nothing was learnt: the call was not made, or left.
    Untold,
}

/// The breaker of one endpoint, shared by all threads.
#[derive(Default)]
pub struct Breaker {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    /// While the breaker is open: until when nobody calls.
    open_until: Option<Duration>,
    /// While it is half open: one call is under way.
    probing: bool,
}

impl Breaker {
    /// Asks for leave to call at `now`. After the pause one call has it, and the others wait for what it learns.
    ///
    /// # Errors
    /// How long the endpoint is still left alone.
    pub fn enter(&self, now: Duration) -> Result<(), Duration> {
        let mut state = self.state();
        match state.open_until {
            None => Ok(()),
            Some(until) if until > now => Err(until.saturating_sub(now)),
            Some(_) if state.probing => Err(PAUSE),
            Some(_) => {
                state.probing = true;
                Ok(())
            }
        }
    }

    /// Learns at `now` what a call came to that had leave.
    pub fn learn(&self, health: Health, now: Duration) {
        let mut state = self.state();
        match health {
            Health::Answered => *state = State::default(),
            Health::Untold => state.probing = false,
            Health::Out => {
                state.probing = false;
                state.failures = state.failures.saturating_add(1);
                if state.failures >= FAILURES {
                    state.open_until = Some(now.saturating_add(PAUSE));
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn broken() -> Breaker {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert_eq!(breaker.enter(SECOND), Ok(()));
            breaker.learn(Health::Out, SECOND);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_end_calls_until_the_pause_has_passed() {
        let breaker = broken();
        assert_eq!(breaker.enter(SECOND), Err(PAUSE));
        assert_eq!(breaker.enter(PAUSE), Err(SECOND));
        assert_eq!(breaker.enter(SECOND + PAUSE), Ok(()));
    }

    #[test]
    fn one_call_probes_and_the_others_wait_for_it() {
        let breaker = broken();
        let later = SECOND + PAUSE;
        assert_eq!((breaker.enter(later), breaker.enter(later)), (Ok(()), Err(PAUSE)));
        breaker.learn(Health::Out, later);
        assert_eq!(breaker.enter(later), Err(PAUSE));
        assert_eq!(breaker.enter(later + PAUSE), Ok(()));
        breaker.learn(Health::Untold, later + PAUSE);
        assert_eq!(breaker.enter(later + PAUSE), Ok(()));
        breaker.learn(Health::Answered, later + PAUSE);
        assert_eq!((breaker.enter(later), breaker.enter(later)), (Ok(()), Ok(())));
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let breaker = Breaker::default();
        for health in [Health::Out, Health::Out, Health::Answered, Health::Out, Health::Out] {
            breaker.learn(health, SECOND);
        }
        assert_eq!(breaker.enter(SECOND), Ok(()));
    }
}
