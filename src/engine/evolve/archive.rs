//! The archive: every variant that was measured stays under a ref, with its numbers in a note.
//!
//! Owns both formats. Judges nothing; what a line says was true when it was written.

use std::collections::BTreeMap;

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    engine::session::Session,
    git::{
        Repo, notes,
        refs::{self, RefMove, Swap},
    },
    id::{CommitId, GoalId, Oid},
    ratchet::Reading,
};

/// What became of a goal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No candidate came of it.
    Failed,
    /// It waits for a person.
    Held,
    /// The gate did not let it through.
    Refused,
    /// It landed, and the new program is at work.
    Landed,
    /// It landed, and was taken back with its program.
    RolledBack,
}

impl Verdict {
    /// Every verdict, the best first.
    pub const ALL: [Self; 5] = [Self::Landed, Self::RolledBack, Self::Refused, Self::Failed, Self::Held];

    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Landed => "landed",
            Self::RolledBack => "undone",
        }
    }
}

/// A candidate that was judged: a line of the note on its commit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Variant {
    /// Always `variant`: tells the line from others.
    pub kind: String,
    /// The goal.
    pub goal: GoalId,
    /// Which of the goal's variants it is.
    pub number: u32,
    /// When it was judged, RFC 3339 UTC.
    pub at: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, where it did not land or did not stay.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What it was measured against.
    pub base: CommitId,
    /// The candidate.
    pub commit: CommitId,
    /// Numbers of base and candidate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Reading>,
    /// Tests that fail on the base and pass with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub red_green: Option<usize>,
}

/// The word of such a line.
pub const KIND: &str = "variant";

/// Keeps `commit` as a variant of `goal`, with the first number from `from` on that is free, and returns that.
///
/// # Errors
/// When refs cannot be read or written.
pub fn keep(repo: &Repo, goal: &GoalId, commit: CommitId, from: u32) -> Result<u32> {
    let mut number = from.max(1);
    loop {
        let name = refs::variant_ref(goal, number);
        match refs::read(repo, &name)? {
            Some(there) if there == commit => return Ok(number),
            Some(_) => number += 1,
            None => {
                let why = "evolve: variant".to_owned();
                let (old, new) = (None, commit);
                if refs::swap(repo, &[RefMove::Set { name, old, new, why }])? == Swap::Done {
                    return Ok(number);
                }
            }
        }
    }
}

/// Notes what became of a variant.
///
/// # Errors
/// When the note cannot be written.
pub fn note(session: &Session, repo: &Repo, variant: &Variant) -> Result<()> {
    let line = serde_json::to_string(variant)?;
    Ok(notes::add(
        repo,
        refs::METRICS,
        &[(variant.commit.0, line)],
        session.clock.now(),
    )?)
}

/// Lists every variant, as it stands now, the newest first.
///
/// # Errors
/// When refs or notes cannot be read.
pub fn all(repo: &Repo) -> Result<Vec<Variant>> {
    let kept = refs::below(repo, refs::VARIANTS)?;
    let commits: Vec<Oid> = kept.iter().map(|(_, commit)| commit.0).collect();
    let lines = notes::lines_of_all(repo, refs::METRICS, &commits)?;
    // Lines only come to a note: of each variant the last word counts, however two clones' lines were joined.
    let mut newest: BTreeMap<(GoalId, u32), Variant> = BTreeMap::new();
    for variant in lines.iter().flatten().filter_map(|line| parse(line)) {
        let key = (variant.goal.clone(), variant.number);
        let is_newer = |old: &Variant| (&variant.at, variant.verdict) >= (&old.at, old.verdict);
        if newest.get(&key).is_none_or(is_newer) {
            newest.insert(key, variant);
        }
    }
    let mut all: Vec<Variant> = newest.into_values().collect();
    all.sort_by(|a, b| (&b.at, &b.goal, b.number).cmp(&(&a.at, &a.goal, a.number)));
    Ok(all)
}

fn parse(line: &str) -> Option<Variant> {
    let variant: Variant = serde_json::from_str(line).ok()?;
    (variant.kind == KIND).then_some(variant)
}
