//! Money: what a call may cost at worst, what calls did cost, and the caps of a run.
//!
//! Pure: who is asked, and where sums are kept, is for others.

use serde::{Deserialize, Serialize};

use crate::{
    settings::{Budget, Llm},
    transcript::{Request, Usage},
};

/// Gives leave for each try of a call before anything is sent, and books what it came to.
pub trait Meter: Sync {
    /// Sets the worst price of one try of `request` aside.
    ///
    /// # Errors
    /// Names the cap that the try could pass, or says why it cannot be set aside; nothing may be sent then.
    fn reserve(&self, request: &Request) -> Result<Ticket, Refused>;

    /// Books what the try came to.
    fn settle(&self, ticket: Ticket, came: Came<'_>);
}

/// Leave for one try, to be settled.
#[derive(PartialEq, Eq, Debug)]
#[must_use = "a try that is not settled counts its worst price"]
pub struct Ticket(pub u64);

/// What a try came to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Came<'a> {
    /// Nothing that costs: it was never sent, or refused with a status before any output.
    Nothing,
    /// An answer, usable or not.
    Answer(&'a Usage),
    /// Nobody can tell: it was cut, or left behind. Counts its worst price.
    Unknown,
}

/// Gives leave for everything and books nothing.
#[cfg(test)]
pub struct Unmetered;

#[cfg(test)]
impl Meter for Unmetered {
    fn reserve(&self, _request: &Request) -> Result<Ticket, Refused> {
        Ok(Ticket(0))
    }

    fn settle(&self, _ticket: Ticket, _came: Came<'_>) {}
}

/// Why a try has no leave.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Refused {
    /// It could pass a cap.
    #[error(transparent)]
    Over(#[from] OverBudget),
    /// Its price cannot be written down, so a crash would lose it.
    #[error("what a call may cost cannot be set aside: {0}")]
    Unkept(String),
}

/// What tokens cost, as far as it is known before a call.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prices {
    /// Nothing: the mock, and models of this machine.
    Free,
    /// Dollars per million tokens.
    PerMillion {
        /// Of the prompt.
        input: f64,
        /// Of the reply.
        output: f64,
    },
    /// Only known after each call, if at all.
    Unknown,
}

impl Prices {
    /// Returns what the settings say.
    pub fn of(llm: &Llm) -> Self {
        match (llm.provider.as_str(), llm.usd_per_mtok_in, llm.usd_per_mtok_out) {
            ("mock", _, _) => Self::Free,
            (_, Some(input), Some(output)) => Self::PerMillion { input, output },
            // Its cloud's models are named so, and are not free.
            ("ollama", _, _) if !llm.model.ends_with("cloud") => Self::Free,
            _ => Self::Unknown,
        }
    }

    /// Returns the dollars for so many tokens, if that is known.
    pub fn cost(self, prompt_tokens: u64, completion_tokens: u64) -> Option<f64> {
        match self {
            Self::Free => Some(0.0),
            Self::PerMillion { input, output } => {
                Some((count(prompt_tokens) * input + count(completion_tokens) * output) / 1e6)
            }
            Self::Unknown => None,
        }
    }
}

/// Exact up to 2^53 tokens.
#[expect(clippy::cast_precision_loss, reason = "no call has that many tokens")]
fn count(tokens: u64) -> f64 {
    tokens as f64
}

/// Estimates the tokens of so many bytes where nobody counted them: 3.5 bytes each, rounded up.
pub fn estimated_tokens(bytes: usize) -> u64 {
    tokens_at(bytes, 7)
}

/// Returns the most tokens that so many bytes of code or prose are likely to be: 2.5 bytes each, rounded up.
pub fn worst_tokens(bytes: usize) -> u64 {
    tokens_at(bytes, 5)
}

fn tokens_at(bytes: usize, half_bytes: u64) -> u64 {
    u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_mul(2)
        .div_ceil(half_bytes)
}

/// A cap in dollars that could be overrun by one call, because nobody knows what a call costs before it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`budget.max_usd` cannot be kept: the price of a call is not known")]
pub struct UnknownPrice;

impl UnknownPrice {
    /// Returns what to do about it.
    pub fn hint(self) -> &'static str {
        "set `llm.usd_per_mtok_in` and `llm.usd_per_mtok_out`, or `budget.max_calls` as well"
    }
}

/// A cap that the next call would pass.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum OverBudget {
    /// `budget.max_calls`
    #[error("the budget is used up: {cap} model calls")]
    Calls {
        /// The cap.
        cap: u64,
    },
    /// `budget.max_usd`
    #[error(
        "the next call may cost {}, and {} of {} are spent",
        dollars(*need),
        dollars(Some(*spent)),
        dollars(Some(*cap))
    )]
    Dollars {
        /// The cap.
        cap: f64,
        /// Dollars spent so far, as far as they are known.
        spent: f64,
        /// Worst price of the next call; absent where it is unknown.
        need: Option<f64>,
    },
}

/// What a run may still spend.
#[derive(Clone, PartialEq, Debug)]
pub struct Purse {
    max_usd: Option<f64>,
    max_calls: Option<u64>,
    prices: Prices,
    calls: u64,
    spent: f64,
    all_known: bool,
}

impl Purse {
    /// Opens a purse with the caps of `budget`.
    ///
    /// # Errors
    /// A cap in dollars that nothing can keep: neither prices nor a cap on calls are known.
    pub fn open(budget: &Budget, prices: Prices) -> Result<Self, UnknownPrice> {
        if budget.run.usd.is_some() && budget.run.calls.is_none() && prices == Prices::Unknown {
            return Err(UnknownPrice);
        }
        Ok(Self {
            max_usd: budget.run.usd,
            max_calls: budget.run.calls,
            prices,
            calls: 0,
            spent: 0.0,
            all_known: true,
        })
    }

    /// Asks whether one more call fits: a prompt of so many bytes, a reply of at most so many tokens. With unknown
    /// prices only a cap that is already reached says no.
    ///
    /// # Errors
    /// Names the cap that the call could pass.
    pub fn may_call(&self, request_bytes: usize, max_tokens: u32) -> Result<(), OverBudget> {
        if let Some(cap) = self.max_calls
            && self.calls >= cap
        {
            return Err(OverBudget::Calls { cap });
        }
        let need = self.prices.cost(worst_tokens(request_bytes), u64::from(max_tokens));
        match self.max_usd {
            Some(cap) if !self.fits(cap, need) => Err(OverBudget::Dollars {
                cap,
                spent: self.spent,
                need,
            }),
            _ => Ok(()),
        }
    }

    fn fits(&self, cap: f64, need: Option<f64>) -> bool {
        // Sums of decimal fractions miss the cap by less than this when they should meet it.
        const ROUNDING: f64 = 1e-9;
        match need {
            Some(need) => self.spent + need <= cap + ROUNDING,
            None => self.spent < cap,
        }
    }

    /// Books a call that was made. Where nobody says what it cost, the prices do.
    pub fn spend(&mut self, usage: &Usage) {
        self.calls = self.calls.saturating_add(1);
        let said = usage.cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0);
        let cost = said.or_else(|| self.prices.cost(usage.prompt_tokens, usage.completion_tokens));
        self.all_known &= cost.is_some();
        self.spent += cost.unwrap_or(0.0);
    }

    /// Returns the calls made and the dollars spent; no dollars where the cost of a call is unknown.
    pub fn spent(&self) -> (u64, Option<f64>) {
        (self.calls, self.all_known.then_some(self.spent))
    }
}

/// Returns dollars as people read them: to the cent from a dollar up, to four places below, or `unknown`.
pub fn dollars(amount: Option<f64>) -> String {
    match amount {
        None => "unknown".to_owned(),
        Some(amount) if amount >= 1.0 => format!("${amount:.2}"),
        Some(amount) if amount > 0.0 && amount < 0.0001 => "<$0.0001".to_owned(),
        Some(amount) => {
            let text = format!("{amount:.4}");
            let text = text.strip_suffix('0').unwrap_or(&text);
            format!("${}", text.strip_suffix('0').unwrap_or(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Caps;

    const DEAR: Prices = Prices::PerMillion {
        input: 1_000_000.0,
        output: 2_000_000.0,
    };

    fn purse(max_usd: Option<f64>, max_calls: Option<u64>, prices: Prices) -> Result<Purse, UnknownPrice> {
        let run = Caps {
            usd: max_usd,
            calls: max_calls,
            ..Caps::default()
        };
        let budget = Budget {
            run,
            ..Budget::default()
        };
        Purse::open(&budget, prices)
    }

    fn cost(cost_usd: Option<f64>) -> Usage {
        Usage {
            cost_usd,
            ..Usage::default()
        }
    }

    #[test]
    fn worst_price_decides_before_the_call() {
        let mut purse = purse(Some(10.0), None, DEAR).unwrap();
        // 5 bytes are at worst 2 tokens: 2 + 2 × 4 dollars
        assert_eq!(purse.may_call(5, 4), Ok(()));
        assert!(purse.may_call(6, 4).is_err());
        purse.spend(&cost(Some(1.0)));
        let error = purse.may_call(5, 4).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the next call may cost $10.00, and $1.00 of $10.00 are spent"
        );
    }

    #[test]
    fn sums_of_decimal_fractions_reach_the_cap_exactly() {
        let prices = Prices::PerMillion {
            input: 100_000.0,
            output: 0.0,
        };
        let mut purse = purse(Some(0.3), None, prices).unwrap();
        for _ in 0..3 {
            assert_eq!(purse.may_call(2, 0), Ok(()));
            purse.spend(&cost(Some(0.1)));
        }
        assert!(purse.may_call(2, 0).is_err());
    }

    #[test]
    fn calls_are_counted() {
        let mut purse = purse(None, Some(1), Prices::Free).unwrap();
        assert_eq!(purse.may_call(0, 0), Ok(()));
        purse.spend(&cost(Some(0.0)));
        assert_eq!(purse.may_call(0, 0), Err(OverBudget::Calls { cap: 1 }));
    }

    #[test]
    fn a_dollar_cap_needs_prices_or_a_cap_on_calls() {
        assert_eq!(purse(Some(1.0), None, Prices::Unknown), Err(UnknownPrice));
        assert!(purse(None, None, Prices::Unknown).is_ok());
        let mut purse = purse(Some(1.0), Some(9), Prices::Unknown).unwrap();
        assert_eq!(purse.may_call(1 << 30, 1 << 30), Ok(()));
        purse.spend(&cost(Some(1.0)));
        assert!(purse.may_call(0, 0).is_err());
    }

    #[test]
    fn an_unknown_cost_makes_the_sum_unknown_unless_prices_say_it() {
        let mut unknown = purse(None, None, Prices::Unknown).unwrap();
        assert_eq!(unknown.spent(), (0, Some(0.0)));
        unknown.spend(&cost(None));
        assert_eq!(unknown.spent(), (1, None));
        let mut priced = purse(None, None, DEAR).unwrap();
        priced.spend(&Usage {
            prompt_tokens: 3,
            completion_tokens: 1,
            ..Usage::default()
        });
        priced.spend(&cost(Some(f64::NAN)));
        assert_eq!(priced.spent(), (2, Some(5.0)));
    }

    #[test]
    fn dollars_read_well() {
        let shown: Vec<String> = [0.0, 0.0004, 0.00001, 0.5, 0.0123, 1.0, 12.346]
            .map(|n| dollars(Some(n)))
            .into();
        assert_eq!(
            shown,
            ["$0.00", "$0.0004", "<$0.0001", "$0.50", "$0.0123", "$1.00", "$12.35"]
        );
        assert_eq!(dollars(None), "unknown");
    }
}
