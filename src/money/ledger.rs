//! The ledger of spending: one line before each try of a call and one after it, folded into sums by day, goal and model.
//!
//! Owns the bytes of these lines and what they add up to. A try without its second line counts its worst price until
//! somebody proves otherwise. Reads and writes no file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What something took, or may take.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sum {
    /// Dollars, as far as they are known.
    pub usd: f64,
    /// Calls whose dollars are not known.
    #[serde(skip_serializing_if = "is_zero")]
    pub unknown: u64,
    /// Tokens of prompts and replies together.
    pub tokens: u64,
    /// Calls.
    pub calls: u64,
    /// Time spent in calls that ended, in milliseconds.
    #[serde(rename = "ms")]
    pub millis: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Sum {
    /// Starts with dollars, or with one call whose dollars are unknown; nothing else.
    pub fn costing(usd: Option<f64>) -> Self {
        Self {
            usd: usd.unwrap_or(0.0),
            unknown: u64::from(usd.is_none()),
            ..Self::default()
        }
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.usd += other.usd;
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.calls = self.calls.saturating_add(other.calls);
        self.millis = self.millis.saturating_add(other.millis);
    }

    /// Returns the dollars, where all of them are known.
    pub fn known_usd(&self) -> Option<f64> {
        (self.unknown == 0).then_some(self.usd)
    }
}

/// The line before a try: what it may take at worst.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reserved {
    /// Unique among all tries.
    pub id: String,
    /// Which run.
    pub run: String,
    /// Which goal; empty for a call that is about none.
    #[serde(default)]
    pub goal: String,
    /// Which model was asked.
    #[serde(default)]
    pub model: String,
    /// When, RFC 3339 UTC.
    pub at: String,
    /// Dollars at worst; `null` where unknown.
    pub usd: Option<f64>,
    /// Tokens at worst.
    pub tokens: u64,
    /// 1.
    pub calls: u64,
}

impl Reserved {
    fn worst(&self) -> Sum {
        Sum {
            tokens: self.tokens,
            calls: self.calls,
            ..Sum::costing(self.usd)
        }
    }

    fn key(&self) -> Key {
        (day(&self.at).to_owned(), self.goal.clone(), self.model.clone())
    }
}

/// The line after a try: what it came to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Settled {
    /// The try.
    pub settles: String,
    /// Dollars; `null` where unknown.
    pub usd: Option<f64>,
    /// Tokens.
    pub tokens: u64,
    /// 1, or 0 for a try that cost nothing.
    pub calls: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

impl Settled {
    fn sum(&self) -> Sum {
        Sum {
            tokens: self.tokens,
            calls: self.calls,
            millis: self.ms,
            ..Sum::costing(self.usd)
        }
    }
}

/// The line of a compacted ledger: all tries of a day at a goal with a model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Summed {
    day: String,
    goal: String,
    model: String,
    #[serde(flatten)]
    sum: Sum,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Reserved(Reserved),
    Settled(Settled),
    Summed(Summed),
}

/// Day, goal, model.
type Key = (String, String, String);

/// What the lines of a ledger add up to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ledger {
    open: BTreeMap<String, Reserved>,
    sums: BTreeMap<Key, Sum>,
    /// Of lines that were not summed up yet.
    runs: BTreeMap<String, Sum>,
}

impl Ledger {
    /// Takes in further lines and returns how many bytes they were. A last line without its end was torn by a crash: it
    /// waits until more is written behind it. What cannot be read then is passed over: a torn first line means that
    /// nothing was sent, a torn second one that the worst stands.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole = bytes.get(..end).unwrap_or_default();
        for line in whole.split(|byte| *byte == b'\n') {
            match serde_json::from_slice(line) {
                Ok(Line::Reserved(reserved)) => {
                    self.open.entry(reserved.id.clone()).or_insert(reserved);
                }
                Ok(Line::Settled(settled)) => self.settle(&settled),
                Ok(Line::Summed(Summed { day, goal, model, sum })) => {
                    self.sums.entry((day, goal, model)).or_default().add(&sum);
                }
                Err(_) => {}
            }
        }
        end
    }

    fn settle(&mut self, settled: &Settled) {
        let Some(reserved) = self.open.remove(&settled.settles) else {
            return;
        };
        let sum = settled.sum();
        self.sums.entry(reserved.key()).or_default().add(&sum);
        self.runs.entry(reserved.run).or_default().add(&sum);
    }

    fn total(&self, of: impl Fn(&str, &str) -> bool) -> Sum {
        let mut total = Sum::default();
        for ((day, goal, _), sum) in &self.sums {
            if of(day, goal) {
                total.add(sum);
            }
        }
        for reserved in self.open.values() {
            if of(day(&reserved.at), &reserved.goal) {
                total.add(&reserved.worst());
            }
        }
        total
    }

    /// Returns what all tries for `goal` took, at worst where nobody knows.
    pub fn goal(&self, goal: &str) -> Sum {
        self.total(|_, of| of == goal)
    }

    /// Returns what all tries of a day, such as `2026-11-22`, took, at worst where nobody knows.
    pub fn day(&self, day: &str) -> Sum {
        self.total(|of, _| of == day)
    }

    /// Returns what all tries from a day on took, at worst where nobody knows.
    pub fn since(&self, day: &str) -> Sum {
        self.total(|of, _| of >= day)
    }

    /// Returns what the newest run took, as far as its lines were not summed up.
    pub fn last_run(&self) -> Option<Sum> {
        let open = self.open.values().map(|reserved| &reserved.run);
        let newest = self.runs.keys().chain(open).max()?;
        let mut sum = self.runs.get(newest).copied().unwrap_or_default();
        for reserved in self.open.values().filter(|reserved| reserved.run == *newest) {
            sum.add(&reserved.worst());
        }
        Some(sum)
    }

    /// Returns the lines of a ledger that adds up to the same, as few as can be. Tries that are not settled stay as they
    /// are: their second line may still come.
    ///
    /// # Errors
    /// Never in practice: all fields are plain data.
    pub fn compacted(&self) -> serde_json::Result<String> {
        let mut text = String::new();
        for ((day, goal, model), sum) in &self.sums {
            let summed = Summed {
                day: day.clone(),
                goal: goal.clone(),
                model: model.clone(),
                sum: *sum,
            };
            text.push_str(&serde_json::to_string(&summed)?);
            text.push('\n');
        }
        for reserved in self.open.values() {
            text.push_str(&serde_json::to_string(reserved)?);
            text.push('\n');
        }
        Ok(text)
    }
}

/// Returns the day of an RFC 3339 time.
pub fn day(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}

#[cfg(test)]
mod tests;
