//! Footprints: what a goal will touch, by its wording and by what its candidate or its last attempt touched.
//!
//! Owns remembering them: they are asked for whenever the lead looks what may start. Whether two meet is `schedule/starts`.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use eyre::Result;

use crate::{
    backlog::Backlog,
    engine::{stored, worker::Worker},
    git::{attempts, diff, tree},
    id::{CommitId, GoalId, TreeId},
    schedule::starts::Footprint,
};

/// Footprints as they were computed last.
#[derive(Default)]
pub struct Footprints {
    known: RefCell<Known>,
}

#[derive(Default)]
struct Known {
    /// What the goals' wording was read from.
    backlog: Option<Arc<Backlog>>,
    of: BTreeMap<GoalId, (Made, Footprint)>,
}

/// What was made of a goal so far: its candidate, its last attempt, and how often it was thrown out of the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Made {
    candidate: Option<(CommitId, CommitId)>,
    attempt: u32,
    evictions: u32,
}

impl Footprints {
    /// Returns the footprint of goal `id`.
    pub fn of(&self, lead: &Worker<'_>, id: &GoalId) -> Footprint {
        let mut known = self.known.borrow_mut();
        let is_current = known
            .backlog
            .as_ref()
            .is_some_and(|read| Arc::ptr_eq(read, &lead.backlog));
        if !is_current {
            known.of.clear();
            known.backlog = Some(Arc::clone(&lead.backlog));
        }
        let candidate = lead.facts.candidates.get(id);
        let made = Made {
            candidate: candidate.map(|candidate| (candidate.base, candidate.commit)),
            attempt: lead.facts.attempts.get(id).map_or(0, |attempt| attempt.number),
            evictions: lead.facts.evictions(id),
        };
        if let Some((_, footprint)) = known.of.get(id).filter(|(before, _)| *before == made) {
            return footprint.clone();
        }
        let footprint = computed(lead, id, made);
        known.of.insert(id.clone(), (made, footprint.clone()));
        footprint
    }
}

fn computed(lead: &Worker<'_>, id: &GoalId, made: Made) -> Footprint {
    let Some(goal) = lead.backlog.get(id) else {
        return Footprint::default();
    };
    // It is a guess anyhow: what cannot be read, such as an attempt of another clone, tells nothing.
    let touched = touched(lead, id, made).unwrap_or_default();
    Footprint::of(&goal, touched, made.evictions)
}

/// Lists the files that the goal's candidate, else its last attempt, changed.
fn touched(lead: &Worker<'_>, id: &GoalId, made: Made) -> Result<Vec<String>> {
    let Some((base, code)) = last(lead, id, made)? else {
        return Ok(Vec::new());
    };
    let differs = diff::trees(&lead.repo, tree::of_commit(&lead.repo, base)?, code)?;
    Ok(differs.into_iter().map(|differs| differs.path.to_string()).collect())
}

fn last(lead: &Worker<'_>, id: &GoalId, made: Made) -> Result<Option<(CommitId, TreeId)>> {
    if let Some((base, commit)) = made.candidate {
        return Ok(Some((base, tree::of_commit(&lead.repo, commit)?)));
    }
    if made.attempt == 0 {
        return Ok(None);
    }
    let code = attempts::code(&lead.repo, id, made.attempt)?;
    let stored = stored::read(&lead.repo, id, made.attempt)?;
    Ok(stored.zip(code).map(|(stored, code)| (stored.base, code)))
}
