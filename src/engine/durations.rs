//! Durations: reads how long goals take from the records of those that landed last.
//!
//! Owns which records count. What is urgent by them is `schedule/rank`.

use std::time::Duration;

use eyre::Result;

use crate::{
    backlog::{close::HISTORY, history as rows},
    engine::recall,
    facts::Durations,
    git::{Repo, tree},
    id::CommitId,
    record::Record,
    schedule::rank,
    time::Moment,
};

/// Reads the records at `tip` that are not sealed yet: the newest, and at most a few hundred. For the start of a run; what
/// the run itself sees, such as how long an attempt took that failed, it adds.
///
/// # Errors
/// When the history file cannot be read.
pub fn read(repo: &Repo, tip: CommitId) -> Result<Durations> {
    Ok(of(&records(repo, tip)?))
}

/// Reads the records themselves, in order of landing.
///
/// # Errors
/// As `read`.
pub fn records(repo: &Repo, tip: CommitId) -> Result<Vec<Record>> {
    let text = tree::read_file(repo, tree::of_commit(repo, tip)?, HISTORY)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let rows = rows::rows(&text).map_err(|error| recall::backlog_fault(&error.in_file(HISTORY)))?;
    Ok(landings(&rows))
}

fn landings(rows: &[&str]) -> Vec<Record> {
    rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect()
}

/// Returns how long the goals of these records took. Of one that landed, was taken back and is open again, the newest record
/// counts by itself, too.
pub fn of(records: &[Record]) -> Durations {
    let taken = |record: &Record| took(record).map(|took| (record.goal.clone(), took));
    let all: Vec<_> = records.iter().filter_map(taken).collect();
    let mut landed: Vec<Duration> = all.iter().map(|(_, took)| *took).collect();
    landed.sort_unstable();
    Durations {
        typical: rank::median(&landed),
        landed,
        of: all.into_iter().collect(),
    }
}

/// Returns how long a goal took; `None` for one that nobody worked at.
fn took(record: &Record) -> Option<Duration> {
    let began = Moment::from_rfc3339(&record.started_at)?;
    let landed = Moment::from_rfc3339(&record.landed_at)?;
    (!record.is_unasked()).then(|| landed.since(began))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_what_was_asked_for_is_typical() {
        let row = |goal: &str, provider: &str, ends: &str| {
            let attempts = u32::from(provider != "adopted");
            let commit = "1".repeat(40);
            format!(
                r#"{{"goal":"{goal}","commit":"{commit}","target":"main","base":"{commit}","provider":"{provider}","model":"m",
                "started_at":"2026-01-01T00:00:00Z","landed_at":"2026-01-01T00:{ends}Z","attempts":{attempts},"tokens":1,
                "cost_usd":null,"checks":[],"prompt_hash":"0","sandbox":"none","version":"0"}}"#
            )
        };
        let rows = [
            row("a", "mock", "50:00"),
            row("b", "mock", "01:00"),
            row("c", "adopted", "59:00"),
            row("a", "mock", "02:00"),
            r#"{"kind":"undo","goal":"a"}"#.to_owned(),
        ];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let durations = of(&landings(&rows));
        assert_eq!(durations.typical, Some(Duration::from_secs(120)));
        assert_eq!(durations.landed, [60, 120, 3000].map(Duration::from_secs));
        let each: Vec<(&str, u64)> = durations
            .of
            .iter()
            .map(|(id, took)| (id.as_str(), took.as_secs()))
            .collect();
        assert_eq!(each, [("a", 120), ("b", 60)]);
        assert_eq!(of(&[]), Durations::default());
    }
}
