//! Money: what a call may cost at worst and did cost; below it `caps` (what may be spent) and `ledger` (what was).
//!
//! Pure: who is asked, and where the ledger's file is, is for others.

pub mod caps;
pub mod ledger;

use serde::{Deserialize, Serialize};

use crate::{
    money::{caps::OverBudget, ledger::Sum},
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
    /// Returns what the settings say.
    pub fn of(llm: &Llm) -> Self {
        match (llm.provider.as_str(), llm.usd_per_mtok_in, llm.usd_per_mtok_out) {
            ("mock" | "replay", _, _) => Self::Free,
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

/// What one model's calls cost: its prices, and what it takes to fill its cache.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tariff {
    /// What tokens cost.
    pub prices: Prices,
    /// True for Anthropic's models: filling the cache costs a quarter more than reading the prompt, using it a tenth.
    pub cache_writes: bool,
}

/// What a prompt token costs that goes into Anthropic's cache, and one that comes from there, as shares of the price.
const CACHE_WRITE: f64 = 1.25;
const CACHE_READ: f64 = 0.1;

impl Tariff {
    /// Returns the most that one try of `request` can take.
    pub fn worst(self, request: &Request) -> Sum {
        let prompt = prompt_tokens_at_most(request);
        let reply = u64::from(request.max_tokens.unwrap_or(u32::MAX));
        Sum {
            calls: 1,
            tokens: prompt.saturating_add(reply),
            ..Sum::costing(self.cost(prompt, 0, reply))
        }
    }

    /// Returns what an answer cost: what its endpoint says, else what the prices say, if anything does.
    pub fn charged(self, usage: &Usage) -> Option<f64> {
        let said = usage.cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0);
        said.or_else(|| self.cost(usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens))
    }

    /// Of the prompt's tokens, `cached` came from the cache; any other may have gone into it.
    fn cost(self, prompt: u64, cached: u64, reply: u64) -> Option<f64> {
        let Prices::PerMillion { input, .. } = self.prices else {
            return self.prices.cost(prompt, reply);
        };
        let plain = self.prices.cost(prompt, reply)?;
        if !self.cache_writes {
            return Some(plain);
        }
        let (cached, fresh) = (count(cached.min(prompt)), count(prompt.saturating_sub(cached)));
        let change = fresh * (CACHE_WRITE - 1.0) - cached * (1.0 - CACHE_READ);
        Some(plain + change * input / 1e6)
    }
}

/// Exact up to 2^53 tokens.
#[expect(clippy::cast_precision_loss, reason = "no call has that many tokens")]
pub(crate) fn count(tokens: u64) -> f64 {
    tokens as f64
}

/// What a message takes besides its text, in tokens.
const PER_MESSAGE: u64 = 16;

/// Returns the most tokens that the prompt of `request` is likely to be: its texts, its schema, and what goes around them.
fn prompt_tokens_at_most(request: &Request) -> u64 {
    let schema = request
        .schema
        .as_ref()
        .map_or(0, |schema| schema.schema.to_string().len());
    let messages = u64::try_from(request.messages.len()).unwrap_or(u64::MAX);
    worst_tokens(request.bytes().saturating_add(schema)).saturating_add(messages.saturating_mul(PER_MESSAGE))
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
    use crate::transcript::{Message, Role};

    const DEAR: Prices = Prices::PerMillion {
        input: 1_000_000.0,
        output: 2_000_000.0,
    };

    fn request(bytes: usize, max_tokens: u32) -> Request {
        Request {
            model: "m".into(),
            messages: vec![Message {
                role: Role::User,
                content: "x".repeat(bytes),
            }],
            max_tokens: Some(max_tokens),
            reasoning: None,
            schema: None,
        }
    }

    #[test]
    fn the_worst_price_is_every_token_at_its_price() {
        let tariff = |prices, cache_writes| Tariff { prices, cache_writes };
        // 5 bytes are at worst 2 tokens, and 16 go around them: 18 + 2 × 4 dollars
        let worst = tariff(DEAR, false).worst(&request(5, 4));
        assert_eq!((worst.tokens, worst.calls, worst.usd, worst.unknown), (22, 1, 26.0, 0));
        assert_eq!(tariff(DEAR, true).worst(&request(5, 4)).usd, 18.0 * 1.25 + 8.0);
        let unknown = tariff(Prices::Unknown, false).worst(&request(5, 4));
        assert_eq!((unknown.usd, unknown.unknown), (0.0, 1));
        let free = tariff(Prices::Free, true).worst(&request(5, 4));
        assert_eq!((free.usd, free.unknown), (0.0, 0));
    }

    #[test]
    fn what_the_endpoint_says_goes_before_what_prices_say() {
        let tariff = Tariff {
            prices: DEAR,
            cache_writes: false,
        };
        let mut usage = Usage {
            prompt_tokens: 3,
            completion_tokens: 1,
            ..Usage::default()
        };
        assert_eq!(tariff.charged(&usage), Some(5.0));
        for nonsense in [f64::NAN, -1.0, f64::INFINITY] {
            usage.cost_usd = Some(nonsense);
            assert_eq!(tariff.charged(&usage), Some(5.0));
        }
        usage.cost_usd = Some(0.5);
        assert_eq!(tariff.charged(&usage), Some(0.5));
        usage.cost_usd = None;
        let unknown = Tariff {
            prices: Prices::Unknown,
            cache_writes: false,
        };
        assert_eq!(unknown.charged(&usage), None);
        usage.cached_tokens = 2;
        let cached = Tariff {
            prices: DEAR,
            cache_writes: true,
        };
        let cost = cached.charged(&usage).unwrap();
        assert!((cost - (1.25 + 0.2 + 2.0)).abs() < 1e-9, "{cost}");
    }

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
