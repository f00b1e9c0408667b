//! Attempts: whether what this clone keeps of the work adds up to the record, and makes the code again.

use eyre::Result;

use crate::{
    audit::{
        Divergence, What,
        claims::{self, Said},
        delta::Head,
    },
    backlog::history::asked,
    engine::{
        audit::{Auditor, has_own, walk::Landed},
        replaying::{self, Replayed},
        stored::{self, Stored},
    },
    git::{Repo, history},
    record::{ADOPTED, Record},
    transcript::{Exchange, Usage},
};

/// Most paths that a finding names.
const PATHS: usize = 3;

/// The attempt behind a landing, as this clone keeps it.
pub enum Worked {
    /// It is not here, or the one of this number is another clone's.
    NotHere,
    /// It is here, with its calls.
    Here(Box<Stored>, Vec<Exchange>),
    /// What is here cannot be read; why.
    Broken(String),
}

impl Worked {
    /// Reads it.
    ///
    /// # Errors
    /// When the goal's commit cannot be read.
    pub fn read(repo: &Repo, landed: &Landed, record: &Record) -> Result<Self> {
        let entry = history::entry(repo, landed.commit)?;
        let number = entry.trailers("Attempt").find_map(|number| number.parse().ok());
        let Some(number) = number.filter(|_| record.provider != ADOPTED) else {
            return Ok(Self::NotHere);
        };
        let stored = match stored::read(repo, &landed.goal, number) {
            Ok(stored) => stored,
            Err(error) => return Ok(Self::Broken(format!("{error:#}"))),
        };
        let same = |stored: &Stored| stored.started_at == record.started_at && stored.base == record.base;
        let Some(stored) = stored.filter(same) else {
            return Ok(Self::NotHere);
        };
        Ok(match stored::calls(repo, &landed.goal, number) {
            Ok(calls) => Self::Here(Box::new(stored), calls),
            Err(error) => Self::Broken(format!("{error:#}")),
        })
    }
}

impl Auditor<'_> {
    /// Returns the record of a landing: the row that it wrote, else, where the row comes with the next landing, the note.
    ///
    /// # Errors
    /// When notes cannot be read.
    pub fn record(&mut self, landed: &Landed) -> Result<Option<Record>> {
        let head = Head {
            goal: landed.goal.clone(),
            commit: landed.commit,
            kind: None,
        };
        let rows = self.rows.of(&head);
        let own = rows.iter().find(|(at, _)| *at == landed.at).or(rows.first());
        let line = match own {
            Some((_, row)) => Some(row.clone()),
            None if has_own(landed) => None,
            None => self.noted.line(&head),
        };
        let Some(line) = line else {
            let is_whole = self.walk.order.get(landed.at).is_some_and(|node| !node.cut);
            if is_whole && (has_own(landed) || (self.noted.is_there() && !self.is_newest(landed))) {
                let divergence = Divergence::new(What::Record, "a row in history.json", "none");
                self.found(landed.landing, Some(&landed.goal), divergence);
            }
            return Ok(None);
        };
        if own.is_none() && !self.is_newest(landed) {
            let divergence = Divergence::new(What::Record, "a row in history.json with the next landing", "none");
            self.found(landed.landing, Some(&landed.goal), divergence);
        }
        match serde_json::from_str(&line) {
            Ok(record) => Ok(Some(record)),
            Err(error) => {
                let divergence = Divergence::new(What::Record, "a record", error.to_string());
                self.found(landed.landing, Some(&landed.goal), divergence);
                Ok(None)
            }
        }
    }

    /// True where nothing that is asked for landed after it, so that its row may still be to come.
    fn is_newest(&self, landed: &Landed) -> bool {
        let after = |other: &&Landed| {
            let node = self.walk.order.get(other.at);
            other.at > landed.at && node.is_some_and(|node| node.asked)
        };
        let mut later = self.walk.landed.iter().filter(after);
        !later.any(|later| {
            self.walk
                .holds(self.repo, later.landing, landed.landing)
                .unwrap_or(false)
        })
    }

    /// Compares a record's fields with its commits.
    ///
    /// # Errors
    /// When history cannot be read.
    pub fn fields(&mut self, landed: &Landed, record: &Record) -> Result<()> {
        let (Some(landing), Some(own)) = (self.walk.order.get(landed.at), self.walk.node(landed.commit)) else {
            return Ok(());
        };
        let tip = landing.entry.parents.first().copied();
        let parent = own.entry.parents.first().copied().filter(|_| {
            // A plain landing is made on the tip, whatever its work began with.
            has_own(landed) && !own.cut && record.provider != ADOPTED
        });
        let base_left = match tip {
            Some(tip) => !self.walk.holds(self.repo, tip, record.base)?,
            None => false,
        };
        let said = Said {
            parent,
            base_left,
            landed_at: landing.entry.at.rfc3339(),
        };
        for divergence in claims::fields(record, &said) {
            self.found(landed.landing, Some(&landed.goal), divergence);
        }
        Ok(())
    }

    /// Compares a record with the attempts behind it, and replays them.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn attempt(&mut self, landed: &Landed, record: &Record, worked: &Worked) -> Result<()> {
        let found = match worked {
            Worked::NotHere => {
                let word = match record.provider.as_str() {
                    ADOPTED => "adopted",
                    claims::UNKNOWN => "made by hand",
                    _ if !record.replayable && record.provider.starts_with("external") => "external",
                    _ => "attempt not in this clone",
                };
                self.not_replayed(word);
                return Ok(());
            }
            Worked::Broken(why) => vec![Divergence::new(
                What::Attempt,
                "an attempt that can be read",
                why.clone(),
            )],
            Worked::Here(stored, calls) => {
                let mut found = same_work(record, stored);
                found.extend(called(stored, calls));
                found.extend(self.sums(landed, record, stored)?);
                found.extend(self.replay(landed)?);
                found
            }
        };
        for divergence in found {
            self.found(landed.commit, Some(&landed.goal), divergence);
        }
        Ok(())
    }

    fn not_replayed(&mut self, why: &str) {
        *self.audit.counts.not_replayed.entry(why.to_owned()).or_default() += 1;
    }

    /// Adds up what all attempts since the goal last landed took.
    fn sums(&mut self, landed: &Landed, record: &Record, stored: &Stored) -> Result<Vec<Divergence>> {
        let last = self.rows.landed_before(&landed.goal, landed.at);
        let last = last
            .and_then(|at| self.walk.order.get(at))
            .map(|node| node.entry.at.rfc3339());
        let entry = history::entry(self.repo, landed.commit)?;
        let number: u32 = entry.trailers("Attempt").find_map(|n| n.parse().ok()).unwrap_or(1);
        let (mut replies, mut usage) = (stored.rounds, stored.usage);
        let free = Usage {
            cost_usd: Some(0.0),
            ..Usage::default()
        };
        let mut before = free;
        for number in 1..number {
            let Ok(Some(earlier)) = stored::read(self.repo, &landed.goal, number) else {
                // Without it the sum cannot be told.
                return Ok(Vec::new());
            };
            if last.as_ref().is_none_or(|last| earlier.started_at > *last) {
                replies += earlier.rounds;
                before.add(&earlier.usage);
            }
        }
        usage.add(&before);
        self.audit.counts.summed += 1;
        Ok(claims::sums(record, (replies, &usage)))
    }

    fn replay(&mut self, landed: &Landed) -> Result<Option<Divergence>> {
        let (_, replayed) = replaying::replay(self.session, self.repo, &landed.goal, landed.commit)?;
        match replayed {
            Replayed::Same => self.audit.counts.replayed += 1,
            Replayed::Not(why) => self.not_replayed(why.word()),
            Replayed::Differs { paths, why } => {
                self.audit.counts.replayed += 1;
                let paths: Vec<String> = paths.iter().take(PATHS).map(ToString::to_string).collect();
                let parts = [why.as_str(), &paths.join(", ")].map(str::to_owned);
                let there: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                let expected = "the code of the recorded replies";
                return Ok(Some(Divergence::new(
                    What::Replay,
                    expected,
                    format!("other code: {}", there.join(": ")),
                )));
            }
        }
        Ok(None)
    }

    /// True where the attempt worked on other words than the backlog had on record when it landed: a hand edit that was
    /// not committed, which only the attempt keeps.
    ///
    /// # Errors
    /// When the goal's commit cannot be read.
    pub fn ran_other_words(&mut self, landed: &Landed, version: &str) -> Result<bool> {
        let entry = history::entry(self.repo, landed.commit)?;
        let number: Option<u32> = entry.trailers("Attempt").find_map(|number| number.parse().ok());
        let stored = number.and_then(|number| stored::read(self.repo, &landed.goal, number).ok().flatten());
        let Some(stored) = stored else {
            self.audit.remarks.push(format!(
                "{}: goal {} was worked on in words that are not in this clone",
                landed.commit.short(),
                landed.goal
            ));
            return Ok(true);
        };
        let worked_on = asked(stored.row.get()).map(|goal| goal.version());
        Ok(stored.version == version && worked_on.as_deref() == Some(version))
    }
}

/// Compares what a record and its attempt both say.
fn same_work(record: &Record, stored: &Stored) -> Vec<Divergence> {
    let pairs = [
        ("provider", &record.provider, &stored.provider),
        ("model", &record.model, &stored.model),
        ("prompt_hash", &record.prompt_hash, &stored.prompt_hash),
    ];
    let differ = pairs.into_iter().filter(|(_, record, stored)| record != stored);
    let mut found: Vec<Divergence> = differ
        .map(|(key, record, stored)| {
            Divergence::new(
                What::Attempt,
                format!("{key} {record}, as the record says"),
                format!("{key} {stored}"),
            )
        })
        .collect();
    let replayable = !stored.redacted && stored.executor.is_none();
    if record.replayable != replayable {
        let expected = format!("replayable {}, as the record says", record.replayable);
        found.push(Divergence::new(What::Attempt, expected, replayable.to_string()));
    }
    found
}

/// Compares an attempt's sums with its calls.
fn called(stored: &Stored, calls: &[Exchange]) -> Vec<Divergence> {
    let mut sum = Usage {
        cost_usd: Some(0.0),
        ..Usage::default()
    };
    for call in calls {
        sum.add(&call.usage);
    }
    let mut found = Vec::new();
    if sum.tokens() != stored.usage.tokens() {
        let expected = format!("calls of {} tokens", stored.usage.tokens());
        found.push(Divergence::new(
            What::Cost,
            expected,
            format!("calls of {}", sum.tokens()),
        ));
    }
    if !claims::same_cost(sum.cost_usd, stored.usage.cost_usd) {
        let expected = format!("calls of {:?} dollars", stored.usage.cost_usd);
        found.push(Divergence::new(
            What::Cost,
            expected,
            format!("calls of {:?}", sum.cost_usd),
        ));
    }
    found
}
