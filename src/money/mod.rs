//! Money: prices and the leave that each try of a call needs; below it `tariff` (what a call may cost and did), `caps`
//! (what may be spent) and `ledger` (what was).
//!
//! Pure: who is asked, and where the ledger's file is, is for others.

pub mod caps;
pub mod ledger;
pub mod tariff;

use serde::{Deserialize, Serialize};

use crate::{
    money::caps::OverBudget,
    settings::Llm,
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
    /// An answer came to more than it could at worst, so no further worst price can be trusted.
    #[error("{0}")]
    Dearer(String),
}

/// What tokens cost, as far as it is known before a call.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prices {
    /// Nothing: the mock, recorded calls, and models of this machine.
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
    /// Returns what the settings say of `model`.
    pub fn of(llm: &Llm, model: &str) -> Self {
        // Its cloud's models are named so, and are not free.
        let is_cloud = model.ends_with("cloud") || llm.base_url.contains("//ollama.com");
        match (llm.provider.as_str(), llm.usd_per_mtok_in, llm.usd_per_mtok_out) {
            ("replay", _, _) => Self::Free,
            (_, Some(input), Some(output)) => Self::PerMillion { input, output },
            ("mock", _, _) => Self::Free,
            ("ollama", _, _) if !is_cloud => Self::Free,
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

    /// Returns what is never less than either: of two models, any may answer.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Free, known) | (known, Self::Free) => known,
            (
                Self::PerMillion { input, output },
                Self::PerMillion {
                    input: other_input,
                    output: other_output,
                },
            ) => Self::PerMillion {
                input: input.max(other_input),
                output: output.max(other_output),
            },
        }
    }
}

/// Exact up to 2^53 tokens.
#[expect(clippy::cast_precision_loss, reason = "no call has that many tokens")]
pub(crate) fn count(tokens: u64) -> f64 {
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

    const DEAR: Prices = Prices::PerMillion {
        input: 1_000_000.0,
        output: 2_000_000.0,
    };

    #[test]
    fn of_models_that_may_answer_the_dearest_counts() {
        let other = Prices::PerMillion {
            input: 2_000_000.0,
            output: 1.0,
        };
        let both = Prices::PerMillion {
            input: 2_000_000.0,
            output: 2_000_000.0,
        };
        assert_eq!(DEAR.or(other), both);
        assert_eq!(DEAR.or(Prices::Free), DEAR);
        assert_eq!(Prices::Free.or(Prices::Unknown), Prices::Unknown);
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
