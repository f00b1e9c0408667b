//! What a record claims, against the commits that it is about and the attempt that it sums up.

use std::collections::BTreeSet;

use crate::{
    audit::{
        Divergence, What,
        delta::{Head, cut, worded},
    },
    check::Stage,
    id::CommitId,
    record::Record,
    transcript::Usage,
};

/// The provider's word in records of candidates that people made.
pub const UNKNOWN: &str = "unknown";

/// What the commits say.
#[derive(Clone, Debug)]
pub struct Said {
    /// The parent of the goal's commit; `None` where this clone ends before it.
    pub parent: Option<CommitId>,
    /// True where the record's base is not in the target's history: the commit was made anew on another one.
    pub base_left: bool,
    /// The landing's date, RFC 3339 UTC.
    pub landed_at: String,
}

/// Compares a record's fields with its commits.
pub fn fields(record: &Record, said: &Said) -> Vec<Divergence> {
    let mut found = Vec::new();
    let mut differ = |expected: String, there: String| {
        found.push(Divergence::new(What::Record, expected, there));
    };
    if let Some(parent) = said.parent
        && record.base != parent
        && !said.base_left
    {
        differ(
            format!("base {}", parent.short()),
            format!("base {}", record.base.short()),
        );
    }
    if record.landed_at != said.landed_at {
        differ(
            format!("landed_at {}", said.landed_at),
            format!("landed_at {}", record.landed_at),
        );
    }
    if !["bwrap", "none"].contains(&record.sandbox.as_str()) {
        differ("sandbox bwrap or none".into(), format!("sandbox {}", record.sandbox));
    }
    if record.cost_usd.is_some_and(|usd| usd < 0.0 || !usd.is_finite()) {
        differ("a cost".into(), format!("cost_usd {:?}", record.cost_usd));
    }
    for row in record.checks.iter().filter(|row| row.exit != 0) {
        if record.known_red.is_none() {
            found.push(Divergence::new(
                What::Checks,
                format!("exit 0 of `{}`", row.cmd),
                format!("exit {}", row.exit),
            ));
        }
    }
    found
}

/// How the commands in a record stand to the gate that had to judge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Gated {
    /// They are the gate's.
    Same,
    /// They are more, or others: somebody's own settings.
    Own,
    /// These of the gate are missing.
    Lacks(Vec<String>),
}

/// Compares the commands of a record with those of the tracked settings (`tracked`) and of all settings here (`here`).
pub fn gate(record: &Record, tracked: &[(Stage, String)], here: &[(Stage, String)]) -> Gated {
    let judges = |stage: Stage| matches!(stage, Stage::Lint | Stage::Test);
    let short = |commands: &[(Stage, String)]| -> Vec<(Stage, String)> {
        let all = commands.iter().filter(|(stage, _)| judges(*stage));
        all.map(|(stage, command)| (*stage, command.chars().take(80).collect()))
            .collect()
    };
    let rows = record.checks.iter().filter(|row| judges(row.stage));
    let ran: Vec<(Stage, String)> = rows.map(|row| (row.stage, row.cmd.clone())).collect();
    let tracked = short(tracked);
    if ran == tracked {
        return Gated::Same;
    }
    if ran == short(here) {
        return Gated::Own;
    }
    let lacking = tracked.into_iter().filter(|command| !ran.contains(command));
    let lacking: Vec<String> = lacking.map(|(_, command)| command).collect();
    if lacking.is_empty() {
        Gated::Own
    } else {
        Gated::Lacks(lacking)
    }
}

/// Compares what a record says that a goal took with what its attempts took: replies, and usage.
pub fn sums(record: &Record, (replies, usage): (u32, &Usage)) -> Vec<Divergence> {
    let mut found = Vec::new();
    let mut differ = |expected: String, there: String| {
        found.push(Divergence::new(What::Cost, expected, there));
    };
    if record.attempts != replies {
        differ(format!("attempts {replies}"), format!("attempts {}", record.attempts));
    }
    if record.tokens != usage.tokens() {
        differ(
            format!("tokens {}", usage.tokens()),
            format!("tokens {}", record.tokens),
        );
    }
    if !same_cost(record.cost_usd, usage.cost_usd) {
        differ(
            format!("cost_usd {}", dollars(usage.cost_usd)),
            format!("cost_usd {}", dollars(record.cost_usd)),
        );
    }
    found
}

/// True where two sums are the same but for how they were added up.
pub fn same_cost(one: Option<f64>, two: Option<f64>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => (one - two).abs() <= 1e-9 * one.abs().max(two.abs()).max(1.0),
        (one, two) => one.is_none() && two.is_none(),
    }
}

fn dollars(usd: Option<f64>) -> String {
    usd.map_or_else(|| "null".into(), |usd| usd.to_string())
}

/// The lines of the note on a goal's commit against the rows of its landings: each row must be a line, and each further
/// line must tell of the same work, landed earlier on a head that was left since.
pub fn note(rows: &[&str], lines: &[impl AsRef<str>]) -> Vec<Divergence> {
    let mut left: BTreeSet<&str> = lines.iter().map(AsRef::as_ref).collect();
    let mut lacking = Vec::new();
    for row in rows {
        if !left.remove(*row) {
            lacking.push(*row);
        }
    }
    let mut found = Vec::new();
    for row in lacking {
        let is_other = |line: &&str| is_of_the_same(row, line);
        let other = left.iter().copied().find(is_other);
        if let Some(line) = other {
            left.remove(line);
            let (expected, there) = worded(row, line);
            found.push(Divergence::new(What::Note, expected, there));
        }
    }
    for line in left {
        if !rows.iter().any(|row| is_earlier(line, row)) && !is_undo(line) {
            found.push(Divergence::new(What::Note, "no line but the record's", cut(line)));
        }
    }
    found
}

fn is_of_the_same(row: &str, line: &str) -> bool {
    let (row, line) = (Head::of(row), Head::of(line));
    row.is_some() && row == line
}

fn is_undo(line: &str) -> bool {
    Head::of(line).is_some_and(|head| head.kind.is_some())
}

/// True where `line` records the work of `row`, landed before it or within the same second.
fn is_earlier(line: &str, row: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Record>(text).ok();
    let (Some(line), Some(row)) = (read(line), read(row)) else {
        return false;
    };
    let work = |record: &Record| {
        let Record {
            goal,
            commit,
            base,
            started_at,
            provider,
            model,
            prompt_hash,
            ..
        } = record.clone();
        (goal, commit, base, started_at, provider, model, prompt_hash)
    };
    work(&line) == work(&row)
        && line.landed_at <= row.landed_at
        && (line.attempts, line.tokens) == (row.attempts, row.tokens)
        && same_cost(line.cost_usd, row.cost_usd)
}

#[cfg(test)]
mod tests;
