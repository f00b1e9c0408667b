//! Retry: which failures are worth another try, and how long to wait for it.
//!
//! Waits through `Pause`, so that tests need not; knows no endpoint.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};

use crate::{id::Hash, provider::ProviderError, time::Stop};

/// Waits; returns false as soon as the run is asked to stop.
pub type Wait = dyn Fn(Duration, &Stop) -> bool + Send + Sync;

/// How to wait.
pub struct Pause(pub Box<Wait>);

/// Most tries of one request.
pub const TRIES: u32 = 5;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Longest wait that an endpoint may ask for; beyond it nobody waits.
const PATIENCE: Duration = Duration::from_secs(300);
const SHORTEST: Duration = Duration::from_millis(100);

/// Tries again, later and later.
pub struct Retry {
    pause: Pause,
    seed: String,
}

impl Retry {
    /// Makes a retry for requests to `url`. `salt` tells processes apart that would otherwise come back together.
    pub fn new(pause: Pause, url: &str, salt: u32) -> Self {
        Self {
            pause,
            seed: format!("{url} {salt}"),
        }
    }

    /// Calls until it works, or a failure is not worth another try, or all tries are used.
    ///
    /// # Errors
    /// The last failure; `Stopped` where the run was asked to stop while waiting.
    pub fn run<T>(&self, stop: &Stop, mut call: impl FnMut() -> Result<T, ProviderError>) -> Result<T, ProviderError> {
        let mut attempt = 1;
        loop {
            let error = match call() {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if attempt >= tries(&error) {
                return Err(error);
            }
            let wait = self.wait(attempt, &error);
            tracing::info!(target: "provider", attempt, "waits {:.1} s for another try", wait.as_secs_f64());
            if !self.pause(wait, stop) {
                return Err(ProviderError::Stopped);
            }
            attempt += 1;
        }
    }

    /// Waits as between two tries; returns false as soon as the run is asked to stop.
    pub fn pause(&self, duration: Duration, stop: &Stop) -> bool {
        (self.pause.0)(duration, stop)
    }

    fn wait(&self, attempt: u32, error: &ProviderError) -> Duration {
        asked(error).unwrap_or_else(|| self.backoff(attempt)).max(SHORTEST)
    }

    /// Between half of 1, 2, 4, 8 … seconds and the whole.
    fn backoff(&self, attempt: u32) -> Duration {
        let digits = Hash::of("retry-jitter", [self.seed.as_bytes(), &attempt.to_be_bytes()]).short(8);
        let jitter = f64::from(u32::from_str_radix(&digits, 16).unwrap_or(0)) / f64::from(u32::MAX);
        let doubled = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(6));
        doubled.min(LONGEST).mul_f64(0.5 + jitter / 2.0)
    }
}

/// How long the endpoint asks to wait.
fn asked(error: &ProviderError) -> Option<Duration> {
    match error {
        ProviderError::RateLimited { after, .. } | ProviderError::Unavailable { after, .. } => *after,
        _ => None,
    }
}

/// Most tries that end in this. To come back earlier than asked would only make it worse.
fn tries(error: &ProviderError) -> u32 {
    if asked(error).is_some_and(|wait| wait > PATIENCE) {
        return 1;
    }
    match error {
        ProviderError::RateLimited { .. } | ProviderError::Unavailable { .. } | ProviderError::Connect { .. } => TRIES,
        // Each took long, and may be paid for.
        ProviderError::Silent { .. } => 2,
        _ => 1,
    }
}

/// Reads `Retry-After`: seconds, or a date, which is taken against the answer's own `Date` so that the two clocks
/// need not agree. `None` where it cannot be read.
pub fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let value = value?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let millis = moment(value)?.saturating_sub(moment(date?.trim())?);
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

fn moment(date: &str) -> Option<i64> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(date).ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Runs against failures that `fail` makes, and returns the outcome and the waits in milliseconds.
    fn trial(fail: impl Fn(usize) -> Option<ProviderError>) -> (Result<usize, ProviderError>, Vec<u128>) {
        let waits = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&waits);
        let pause = Pause(Box::new(move |wait, stop| {
            log.lock().unwrap().push(wait.as_millis());
            stop.stopping() == crate::time::Stopping::No
        }));
        let mut calls = 0;
        let outcome = Retry::new(pause, "u", 7).run(&Stop::default(), || {
            calls += 1;
            fail(calls).map_or(Ok(calls), Err)
        });
        let waits = waits.lock().unwrap().clone();
        (outcome, waits)
    }

    fn busy(after: Option<u64>) -> ProviderError {
        ProviderError::Unavailable {
            status: Some(503),
            after: after.map(Duration::from_secs),
            excerpt: String::new(),
        }
    }

    #[test]
    fn waits_double_within_their_jitter_and_end_after_five_tries() {
        let (outcome, waits) = trial(|_| Some(busy(None)));
        assert_eq!(outcome, Err(busy(None)));
        assert_eq!(waits.len(), 4);
        for (wait, most) in waits.iter().zip([1000, 2000, 4000, 8000]) {
            assert!((most / 2..=most).contains(wait), "{wait} of {most}");
        }
        assert_eq!(trial(|n| (n < 3).then(|| busy(None))).0, Ok(3));
    }

    #[test]
    fn retry_after_decides_and_nobody_comes_back_earlier() {
        let (outcome, waits) = trial(|n| [busy(Some(7)), busy(Some(300)), busy(Some(0))].get(n - 1).cloned());
        assert_eq!((outcome, waits), (Ok(4), vec![7000, 300_000, 100]));
        let huge = busy(Some(u64::MAX));
        assert_eq!(trial(|_| Some(huge.clone())), (Err(huge.clone()), Vec::new()));
    }

    #[test]
    fn silence_is_borne_twice() {
        let silent = ProviderError::Silent { limit: FIRST };
        let (outcome, waits) = trial(|_| Some(silent.clone()));
        assert_eq!((outcome, waits.len()), (Err(silent), 1));
    }

    #[test]
    fn what_cannot_change_is_not_tried_again() {
        let excerpt = String::new;
        for error in [
            ProviderError::Unauthorized {
                status: 401,
                excerpt: excerpt(),
            },
            ProviderError::Credit { excerpt: excerpt() },
            ProviderError::BadRequest {
                status: 400,
                excerpt: excerpt(),
            },
            ProviderError::Malformed { excerpt: excerpt() },
        ] {
            assert_eq!(trial(|_| Some(error.clone())), (Err(error.clone()), Vec::new()));
        }
    }

    #[test]
    fn a_stop_while_waiting_ends_it() {
        let stop = Stop::default();
        stop.press();
        let pause = Pause(Box::new(crate::door::wait::pause));
        let outcome = Retry::new(pause, "u", 7).run(&stop, || Err::<(), _>(busy(None)));
        assert_eq!(outcome, Err(ProviderError::Stopped));
    }

    #[test]
    fn dates_are_read_against_the_answers_own_clock() {
        let date = Some("Sun, 22 Nov 2026 09:20:56 GMT");
        assert_eq!(retry_after(Some(" 12 "), None), Some(Duration::from_secs(12)));
        let at = Some("Sun, 22 Nov 2026 09:21:06 GMT");
        assert_eq!(retry_after(at, date), Some(Duration::from_secs(10)));
        assert_eq!(retry_after(date, at), Some(Duration::ZERO));
        for value in [None, Some(""), Some("soon"), Some("-5"), at] {
            assert_eq!(retry_after(value, None), None, "{value:?}");
        }
    }
}
