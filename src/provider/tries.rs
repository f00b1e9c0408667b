//! Tries: how one request is asked up to several times, each with leave, and when an answer is of use.
//!
//! Knows no endpoint: the mock fails and goes on just as a real one does.

use crate::{
    door::wait::Stopwatch,
    money::{Came, Meter},
    provider::{Answer, Finish, ProviderError, retry::Retry},
    time::{Stop, Stopping},
    transcript::Request,
};

/// Why a try brought no answer.
pub struct Failed {
    /// What happened.
    pub error: ProviderError,
    /// True where it may have cost something all the same.
    pub charged: bool,
}

impl Failed {
    /// A failure that cannot have cost anything.
    pub fn free(error: ProviderError) -> Self {
        Self { error, charged: false }
    }

    /// A failure that may have cost something.
    pub fn charged(error: ProviderError) -> Self {
        Self { error, charged: true }
    }
}

/// Asks by `send` until it works or no further try is worth it. Each try has the leave of `meter` first.
///
/// # Errors
/// The last failure, or what is wrong with the answer.
pub fn ask(
    retry: &Retry,
    request: &Request,
    meter: &dyn Meter,
    stop: &Stop,
    mut send: impl FnMut() -> Result<Answer, Failed>,
) -> Result<Answer, ProviderError> {
    let mut once = || {
        if stop.stopping() != Stopping::No {
            return Err(ProviderError::Stopped);
        }
        let ticket = meter.reserve(request)?;
        let began = Stopwatch::start();
        let outcome = send();
        diagnose(&outcome, began);
        let came = match &outcome {
            Ok(answer) => Came::Answer(&answer.usage),
            Err(failed) if failed.charged => Came::Unknown,
            Err(_) => Came::Nothing,
        };
        meter.settle(ticket, came);
        outcome.map_err(|failed| failed.error)
    };
    let first = retry.run(stop, &mut once)?;
    if !is_cold(&first) {
        return usable(first);
    }
    // A model that was just loaded may answer nothing at all, once. Should asking again fail, what the first
    // answer cost must still be booked.
    let Ok(mut second) = retry.run(stop, &mut once) else {
        return usable(first);
    };
    second.usage.add(&first.usage);
    usable(second)
}

fn diagnose(outcome: &Result<Answer, Failed>, began: Stopwatch) {
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(answer) => {
            let model = answer.model.as_str();
            tracing::debug!(target: "provider", model, millis, finish = ?answer.finish, "answered");
        }
        Err(Failed { error, charged }) => {
            tracing::warn!(target: "provider", status = status(error), millis, charged, "no answer: {error}");
        }
    }
}

/// Returns what the endpoint answered, as far as the failure tells.
fn status(error: &ProviderError) -> Option<u16> {
    match error {
        ProviderError::Unauthorized { status, .. } | ProviderError::BadRequest { status, .. } => Some(*status),
        ProviderError::Credit { .. } => Some(402),
        ProviderError::RateLimited { .. } => Some(429),
        ProviderError::Unavailable { status, .. } => *status,
        _ => None,
    }
}

fn is_cold(answer: &Answer) -> bool {
    answer.text.trim().is_empty() && matches!(answer.finish, Finish::Stop | Finish::Other)
}

/// Returns an answer that can be used.
///
/// # Errors
/// `Cut`, `Empty`, `Filtered` or `Shortened`, with the answer.
pub fn usable(answer: Answer) -> Result<Answer, ProviderError> {
    match answer.finish {
        Finish::Length => Err(ProviderError::Cut(Box::new(answer))),
        _ if answer.text.trim().is_empty() => Err(ProviderError::Empty(Box::new(answer))),
        Finish::Filter => Err(ProviderError::Filtered(Box::new(answer))),
        Finish::Shortened => Err(ProviderError::Shortened(Box::new(answer))),
        Finish::Stop | Finish::Other => Ok(answer),
    }
}
