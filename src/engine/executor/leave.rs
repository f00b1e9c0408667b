//! Leave for a program that pays for its calls by itself: none of them goes through our meter.
//!
//! Each start is a try in the ledger of spending: one call, of unknown cost unless the program tells, and the time that it
//! takes. So caps on calls and minutes hold; one on dollars alone could not be kept.

use eyre::Result;

use crate::{
    engine::{
        asking,
        attempt::Attempt,
        spending::{Limits, Want},
    },
    fault::{Fault, Kind},
    money::{
        Refused, Ticket,
        caps::{self, OverBudget, Scope},
        ledger::Sum,
    },
    provider::ProviderError,
    settings::Caps,
    transcript::Usage,
};

/// Whether a program may be started.
pub(super) enum Leave {
    /// It may; to be settled.
    Given(Ticket),
    /// The goal may not spend more.
    Paused(OverBudget),
}

/// Asks for leave to start the program `name` once more.
///
/// # Errors
/// A fault that names a cap on the run or the day, or one that nobody could keep.
pub(super) fn ask(attempt: &mut Attempt<'_, '_>, name: &str) -> Result<Leave> {
    let budget = attempt.worker.settings.budget;
    let limits = Limits {
        goal: caps::of_goal(&budget, attempt.goal.budget_usd),
        run: budget.run,
        day: budget.day,
    };
    if [limits.run, limits.day, limits.goal].iter().any(is_unkeepable) {
        let why = "a cap in dollars cannot be kept: nobody knows what a program of your own will spend";
        let hint =
            "cap its starts as well: `git config invisigoth.budget.max-calls N`, and `goal-max-calls`, `day-max-calls`";
        return Err(Fault::new(Kind::Config, why).hint(hint).into());
    }
    let want = Want {
        goal: attempt.id.as_str(),
        model: name,
        worst: took(&Usage::default()),
    };
    let refused = match attempt.worker.spending()?.reserve(&want, &limits) {
        Ok(ticket) => return Ok(Leave::Given(ticket)),
        Err(refused) => refused,
    };
    match refused {
        Refused::Over(over) if over.scope == Scope::Goal => Ok(Leave::Paused(over)),
        refused => {
            let error = ProviderError::Refused(refused);
            if attempt.stored.rounds > 0 {
                attempt.stored.pause = asking::over(&error);
                attempt.save()?;
            }
            Err(asking::provider_fault(&error).into())
        }
    }
}

/// Books what a start took, as far as the program tells.
///
/// # Errors
/// When the ledger cannot be opened.
pub(super) fn settle(attempt: &mut Attempt<'_, '_>, ticket: &Ticket, usage: &Usage) -> Result<()> {
    attempt.worker.spending()?.settle(ticket, Some(took(usage)));
    Ok(())
}

/// Frees what was set aside for a start that never came to be.
///
/// # Errors
/// As `settle`.
pub(super) fn free(attempt: &mut Attempt<'_, '_>, ticket: &Ticket) -> Result<()> {
    attempt.worker.spending()?.settle(ticket, Some(Sum::default()));
    Ok(())
}

fn took(usage: &Usage) -> Sum {
    Sum {
        calls: 1,
        tokens: usage.tokens(),
        ..Sum::costing(usage.cost_usd)
    }
}

/// Tokens are known afterwards only, so that a cap on them is no help.
fn is_unkeepable(caps: &Caps) -> bool {
    caps.usd.is_some() && caps.calls.is_none() && caps.minutes.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_alone_cannot_be_kept() {
        let dollars = Caps {
            usd: Some(5.0),
            tokens: Some(9),
            ..Caps::default()
        };
        assert!(is_unkeepable(&dollars));
        let calls = Some(3);
        assert!(!is_unkeepable(&Caps { calls, ..dollars }) && !is_unkeepable(&Caps::default()));
        let minutes = Some(3);
        assert!(!is_unkeepable(&Caps { minutes, ..dollars }));
    }

    #[test]
    fn a_start_that_tells_nothing_is_one_call_of_unknown_cost() {
        let sum = took(&Usage::default());
        assert_eq!((sum.calls, sum.unknown, sum.known_usd()), (1, 1, None));
        let told = Usage {
            cost_usd: Some(0.5),
            ..Usage::default()
        };
        assert_eq!(took(&told).known_usd(), Some(0.5));
    }
}
