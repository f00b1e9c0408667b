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
        Key {
            day: day(&self.at).to_owned(),
            goal: self.goal.clone(),
            model: self.model.clone(),
            run: self.run.clone(),
        }
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

/// The line of a compacted ledger: all tries of a run on a day at a goal with a model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Summed {
    #[serde(flatten)]
    key: Key,
    /// When the first of them was made; older versions kept the day alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    from: String,
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

/// What tries are summed up by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
struct Key {
    day: String,
    goal: String,
    model: String,
    /// Empty in lines of older versions.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    run: String,
}

/// A try, or several that were summed up.
#[derive(Clone, PartialEq, Debug)]
struct Came {
    /// When the first of them was made; a day where no more is known.
    at: String,
    sum: Sum,
}

/// What the lines of a ledger add up to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ledger {
    open: BTreeMap<String, Reserved>,
    came: BTreeMap<Key, Vec<Came>>,
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
                Ok(Line::Summed(Summed { key, from, sum })) => {
                    let at = if from.is_empty() { key.day.clone() } else { from };
                    self.came.entry(key).or_default().push(Came { at, sum });
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
        let (key, sum) = (reserved.key(), settled.sum());
        let came = Came { at: reserved.at, sum };
        self.came.entry(key).or_default().push(came);
    }

    /// Adds up what `of` wants by goal, run and time.
    fn total(&self, of: impl Fn(&str, &str, &str) -> bool) -> Sum {
        let mut total = Sum::default();
        for (key, came) in &self.came {
            let wanted = came.iter().filter(|came| of(&key.goal, &key.run, &came.at));
            wanted.for_each(|came| total.add(&came.sum));
        }
        for reserved in self.open.values() {
            if of(&reserved.goal, &reserved.run, &reserved.at) {
                total.add(&reserved.worst());
            }
        }
        total
    }

    /// Returns what all tries for `goal` took, at worst where nobody knows.
    pub fn goal(&self, goal: &str) -> Sum {
        self.total(|of, _, _| of == goal)
    }

    /// Returns what all tries of a day, such as `2026-11-22`, took, at worst where nobody knows.
    pub fn day(&self, day_of: &str) -> Sum {
        self.total(|_, _, at| day(at) == day_of)
    }

    /// Returns what all tries from a day, or a time in RFC 3339 UTC, on took, at worst where nobody knows.
    pub fn since(&self, time: &str) -> Sum {
        self.total(|_, _, at| at >= time)
    }

    /// As `since`, of the tries for `goal`.
    pub fn goal_since(&self, goal: &str, time: &str) -> Sum {
        self.total(|of, _, at| of == goal && at >= time)
    }

    /// Returns what the newest run took.
    pub fn last_run(&self) -> Option<Sum> {
        let open = self.open.values().map(|reserved| &reserved.run);
        let known = self.came.keys().map(|key| &key.run).filter(|run| !run.is_empty());
        let newest = known.chain(open).max()?;
        Some(self.total(|_, run, _| run == newest))
    }

    /// Returns the lines of a ledger that adds up to the same, as few as can be. Tries that are not settled stay as they
    /// are: their second line may still come.
    ///
    /// # Errors
    /// Never in practice: all fields are plain data.
    pub fn compacted(&self) -> serde_json::Result<String> {
        let mut text = String::new();
        for (key, came) in &self.came {
            let mut sum = Sum::default();
            came.iter().for_each(|came| sum.add(&came.sum));
            let first = came.iter().map(|came| came.at.as_str()).min();
            let summed = Summed {
                key: key.clone(),
                from: first.filter(|at| *at != key.day).unwrap_or_default().to_owned(),
                sum,
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
