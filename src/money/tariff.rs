//! Tariff: what a call of one model may cost at worst, and what an answer cost.
//!
//! Pure: which model, and where its prices come from, is for others.

use crate::{
    money::{Prices, count, ledger::Sum, worst_tokens},
    transcript::{Request, Usage},
};

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
}
