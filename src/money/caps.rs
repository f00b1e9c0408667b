//! Caps: the most that may be spent on a goal, in a run and in a day, and whether one more try could pass one of them.
//!
//! Pure: sums in, leave or refusal out.

use serde::{Deserialize, Serialize};

use crate::{
    id::GoalId,
    money::{count, dollars, ledger::Sum},
    quote::quoted,
    settings::{Budget, Caps},
};

/// What a cap holds for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One goal, over all its attempts.
    Goal,
    /// One run.
    Run,
    /// One day in UTC.
    Day,
}

/// What a cap counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Dollars.
    Usd,
    /// Model calls.
    Calls,
    /// Tokens of prompts and replies together.
    Tokens,
    /// Minutes.
    Minutes,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Usd, Self::Calls, Self::Tokens, Self::Minutes];

    /// Returns the end of its setting's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Usd => "usd",
            Self::Calls => "calls",
            Self::Tokens => "tokens",
            Self::Minutes => "minutes",
        }
    }

    /// Returns the cap on it, if there is one.
    pub fn cap(self, caps: &Caps) -> Option<f64> {
        match self {
            Self::Usd => caps.usd,
            Self::Calls => caps.calls.map(count),
            Self::Tokens => caps.tokens.map(count),
            Self::Minutes => caps.minutes.map(count),
        }
    }

    /// Words an amount of it, without its unit but for dollars.
    pub fn amount(self, amount: f64) -> String {
        match self {
            Self::Usd => dollars(Some(amount)),
            Self::Calls | Self::Tokens | Self::Minutes => amount.to_string(),
        }
    }

    /// Returns how much of it `sum` is.
    pub fn of(self, sum: &Sum) -> f64 {
        match self {
            Self::Usd => sum.usd,
            Self::Calls => count(sum.calls),
            Self::Tokens => count(sum.tokens),
            Self::Minutes => count(sum.millis) / 60_000.0,
        }
    }
}

impl Scope {
    /// Returns the setting that caps `what` in this scope, as `git config` names it.
    pub fn key(self, what: What) -> String {
        let prefix = match self {
            Self::Goal => "goal-max",
            Self::Run => "max",
            Self::Day => "day-max",
        };
        format!("invisigoth.budget.{prefix}-{}", what.word())
    }

    /// Returns the caps on this scope.
    pub fn caps(self, budget: &Budget) -> Caps {
        match self {
            Self::Goal => budget.goal,
            Self::Run => budget.run,
            Self::Day => budget.day,
        }
    }
}

/// Returns the caps on a goal: its own `budget_usd` goes before the setting for all goals.
pub fn of_goal(budget: &Budget, own_usd: Option<f64>) -> Caps {
    Caps {
        usd: own_usd.or(budget.goal.usd),
        ..budget.goal
    }
}

/// Words caps: `$5.00, 100 calls`; empty where there are none.
pub fn words(caps: &Caps) -> String {
    let word = |what: What| {
        let amount = what.amount(what.cap(caps)?);
        Some(match what {
            What::Usd => amount,
            What::Calls | What::Tokens | What::Minutes => format!("{amount} {}", what.word()),
        })
    };
    What::ALL.into_iter().filter_map(word).collect::<Vec<_>>().join(", ")
}

/// A cap that the next try could pass.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("the budget of {} is used up: {}", self.whose(), self.words())]
pub struct OverBudget {
    /// What the cap holds for.
    pub scope: Scope,
    /// What it counts.
    pub what: What,
    /// The cap.
    pub cap: f64,
    /// Spent so far, as far as it is known.
    pub spent: f64,
    /// What the try may take at worst; absent where that is unknown.
    pub need: Option<f64>,
}

/// Sums of decimal fractions miss the cap by less than this when they should meet it.
const ROUNDING: f64 = 1e-9;

impl OverBudget {
    /// Says whose budget it is: `this run`.
    pub fn whose(&self) -> &'static str {
        match self.scope {
            Scope::Goal => "this goal",
            Scope::Run => "this run",
            Scope::Day => "this day (UTC)",
        }
    }

    /// Words what is spent and what is needed: `$0.42 of $0.50 spent, the next call may cost $0.11`.
    pub fn words(&self) -> String {
        let (spent, cap) = (self.spent, self.cap);
        match (self.what, self.need) {
            (What::Usd, need) => {
                let said = format!("{} of {} spent", dollars(Some(spent)), dollars(Some(cap)));
                match need {
                    Some(need) => format!("{said}, the next call may cost {}", dollars(Some(need))),
                    None => format!("{said}, and the price of a call is not known"),
                }
            }
            (What::Calls, _) => format!("{spent} of {cap} model calls made"),
            (What::Tokens, need) => {
                let need = need
                    .map(|need| format!(", the next call may take {need}"))
                    .unwrap_or_default();
                format!("{spent} of {cap} tokens used{need}")
            }
            (What::Minutes, _) => format!("{spent:.1} of {cap} minutes used"),
        }
    }

    /// Returns the command that raises the cap to where the try fits, and about twice as far as before.
    pub fn raise(&self, goal: Option<&GoalId>) -> String {
        let need = self.spent + self.need.unwrap_or(0.0);
        let next = need.max(self.cap * 2.0);
        match (self.what, self.scope, goal) {
            (What::Usd, Scope::Goal, Some(goal)) => {
                let goal = quoted(goal.as_str());
                format!("git invisigoth budget raise {goal} {:.2}", cents(next))
            }
            (What::Usd, scope, _) => format!("git invisigoth budget raise {} {:.2}", flag(scope), cents(next)),
            (what, scope, _) => {
                let next = next.ceil().max(1.0);
                format!("git invisigoth budget raise {} --{} {next}", flag(scope), what.word())
            }
        }
    }

    /// Returns this refusal under caps of today, where it still holds.
    pub fn under(&self, caps: &Caps) -> Option<Self> {
        let cap = self.what.cap(caps)?;
        let over = Self { cap, ..*self };
        (!over.fits()).then_some(over)
    }

    fn fits(&self) -> bool {
        match self.need {
            Some(need) => self.spent + need <= self.cap + ROUNDING,
            None => self.spent < self.cap,
        }
    }
}

/// Rounded up: what was rounded down would not do.
fn cents(usd: f64) -> f64 {
    (usd * 100.0 - ROUNDING).ceil() / 100.0
}

fn flag(scope: Scope) -> &'static str {
    match scope {
        Scope::Goal => "--goals",
        Scope::Run => "--run",
        Scope::Day => "--day",
    }
}

/// Asks whether one more try fits, of which `worst` is the most that it can take. Where its price is unknown, and for
/// minutes, only a cap that is reached already says no.
///
/// # Errors
/// Names the first cap that the try could pass.
pub fn check(scope: Scope, caps: &Caps, spent: &Sum, worst: &Sum) -> Result<(), OverBudget> {
    for what in What::ALL {
        let Some(cap) = what.cap(caps) else { continue };
        let need = match what {
            What::Usd if worst.unknown > 0 => None,
            What::Minutes => None,
            _ => Some(what.of(worst)),
        };
        let over = OverBudget {
            scope,
            what,
            cap,
            spent: what.of(spent),
            need,
        };
        if !over.fits() {
            return Err(over);
        }
    }
    Ok(())
}

/// Returns the scope whose cap in dollars nothing can keep: prices are unknown, and neither calls nor tokens are capped.
pub fn unkeepable(budget: &Budget) -> Option<UnknownPrice> {
    [Scope::Run, Scope::Day, Scope::Goal]
        .into_iter()
        .find(|scope| is_unkeepable(&scope.caps(budget)))
        .map(|scope| UnknownPrice { scope })
}

/// True where a cap in dollars stands alone.
pub fn is_unkeepable(caps: &Caps) -> bool {
    caps.usd.is_some() && caps.calls.is_none() && caps.tokens.is_none()
}

/// A cap in dollars that could be overrun by one call, because nobody knows what a call costs before it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{}` cannot be kept: the price of a call is not known", self.setting())]
pub struct UnknownPrice {
    /// What the cap holds for.
    pub scope: Scope,
}

impl UnknownPrice {
    /// Returns what to do about it.
    pub fn hint(self) -> String {
        format!(
            "`git invisigoth budget raise {} --calls 100` caps calls as well; or set `llm.usd_per_mtok_in` and `llm.usd_per_mtok_out`",
            flag(self.scope)
        )
    }

    fn setting(self) -> String {
        let key = self.scope.key(What::Usd).replace('-', "_");
        key.trim_start_matches("invisigoth.").to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(usd: f64) -> Caps {
        Caps {
            usd: Some(usd),
            ..Caps::default()
        }
    }

    fn sum(usd: Option<f64>, calls: u64, tokens: u64) -> Sum {
        Sum {
            calls,
            tokens,
            ..Sum::costing(usd)
        }
    }

    #[test]
    fn each_cap_refuses_what_could_pass_it_and_nothing_else() {
        let caps = |calls, tokens, minutes| Caps {
            usd: None,
            calls,
            tokens,
            minutes,
        };
        let minutes = |millis| Sum {
            millis,
            ..Sum::default()
        };
        let next = sum(Some(0.25), 1, 100);
        let rows: [(Caps, Sum, Option<What>); 12] = [
            (Caps::default(), sum(Some(1e9), u64::MAX, u64::MAX), None),
            (usd(1.0), sum(Some(0.75), 9, 9), None),
            (usd(1.0), sum(Some(0.76), 9, 9), Some(What::Usd)),
            (usd(0.0), Sum::default(), Some(What::Usd)),
            (caps(Some(3), None, None), sum(None, 2, 0), None),
            (caps(Some(3), None, None), sum(None, 3, 0), Some(What::Calls)),
            (caps(Some(0), None, None), Sum::default(), Some(What::Calls)),
            (caps(None, Some(300), None), sum(None, 0, 200), None),
            (caps(None, Some(300), None), sum(None, 0, 201), Some(What::Tokens)),
            (caps(None, None, Some(1)), minutes(59_999), None),
            (caps(None, None, Some(1)), minutes(60_000), Some(What::Minutes)),
            (caps(Some(3), Some(300), Some(1)), sum(Some(9.0), 2, 200), None),
        ];
        for (caps, spent, refused) in rows {
            let said = check(Scope::Day, &caps, &spent, &next);
            assert_eq!(said.err().map(|over| over.what), refused, "{caps:?} {spent:?}");
        }
    }

    #[test]
    fn sums_of_decimal_fractions_reach_the_cap_exactly() {
        let mut spent = Sum::default();
        for _ in 0..3 {
            assert_eq!(check(Scope::Run, &usd(0.3), &spent, &sum(Some(0.1), 1, 0)), Ok(()));
            spent.add(&sum(Some(0.1), 1, 0));
        }
        assert!(check(Scope::Run, &usd(0.3), &spent, &sum(Some(0.1), 1, 0)).is_err());
    }

    #[test]
    fn with_an_unknown_price_a_cap_says_no_once_it_is_reached() {
        let next = sum(None, 1, 1 << 40);
        assert_eq!(check(Scope::Run, &usd(1.0), &sum(Some(0.99), 1, 1), &next), Ok(()));
        let over = check(Scope::Run, &usd(1.0), &sum(Some(1.0), 1, 1), &next).unwrap_err();
        assert_eq!(over.need, None);
    }

    #[test]
    fn a_dollar_cap_needs_a_price_or_another_cap_of_the_same_scope() {
        let mut budget = Budget {
            day: usd(1.0),
            ..Budget::default()
        };
        let unknown = unkeepable(&budget).unwrap();
        assert_eq!(
            (
                unknown.to_string().as_str(),
                unknown
                    .hint()
                    .contains("`git invisigoth budget raise --day --calls 100`")
            ),
            (
                "`budget.day_max_usd` cannot be kept: the price of a call is not known",
                true
            )
        );
        budget.run.calls = Some(1);
        assert!(unkeepable(&budget).is_some());
        budget.day.tokens = Some(1);
        assert_eq!(unkeepable(&budget), None);
    }

    #[test]
    fn a_refusal_says_what_is_spent_and_how_to_raise_the_cap() {
        let goal: GoalId = "goal-12ab".parse().unwrap();
        let over = check(Scope::Goal, &usd(0.5), &sum(Some(0.42), 3, 0), &sum(Some(0.11), 1, 0)).unwrap_err();
        assert_eq!(over.words(), "$0.42 of $0.50 spent, the next call may cost $0.11");
        assert_eq!(over.raise(Some(&goal)), "git invisigoth budget raise goal-12ab 1.00");
        let odd: GoalId = "a; rm -rf ~".parse().unwrap();
        assert_eq!(over.raise(Some(&odd)), "git invisigoth budget raise 'a; rm -rf ~' 1.00");
        assert!(over.under(&usd(0.52)).is_some_and(|over| over.cap == 0.52));
        assert_eq!(over.under(&usd(0.53)), None);
        assert_eq!(over.under(&Caps::default()), None);
        let run = OverBudget {
            scope: Scope::Run,
            what: What::Calls,
            cap: 2.0,
            spent: 2.0,
            need: Some(1.0),
        };
        assert_eq!(
            run.to_string(),
            "the budget of this run is used up: 2 of 2 model calls made"
        );
        assert_eq!(run.raise(Some(&goal)), "git invisigoth budget raise --run --calls 4");
    }
}
