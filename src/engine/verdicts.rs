//! Verdicts: which code trees passed which gate, shared by all threads of a run and kept as notes on the trees.
//!
//! Losing them costs only time. A tree that both passed and failed one gate has none: both are kept, and it is run again.
//! Runs nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use eyre::Result;

use crate::{
    check::{Failed, Verdict, Verified},
    git::{Repo, notes, refs},
    id::{GateId, Oid},
    snapshot::CodeTree,
    time::Moment,
};

/// The verdicts of this run, and those that are stored.
#[derive(Default)]
pub struct Verdicts {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Of code trees that passed.
    fresh: BTreeMap<Oid, Fresh>,
    /// Of code trees that failed.
    red: BTreeMap<Oid, Verdict>,
    /// Verdicts that contradict each other and are not yet stored.
    void: BTreeMap<Oid, [Verdict; 2]>,
}

struct Fresh {
    verdict: Verdict,
    stored: bool,
}

impl Verdicts {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the proof that `code` passed `gate`, if it did.
    ///
    /// # Errors
    /// When notes cannot be read.
    pub fn recall(&self, repo: &Repo, code: CodeTree, gate: &GateId) -> Result<Option<Verified>> {
        let tree = code.id.0;
        if let Some(fresh) = self.known().fresh.get(&tree) {
            return Ok(Verified::recall(code, gate, &fresh.verdict));
        }
        let stored = stored(repo, tree)?;
        if self.known().void.contains_key(&tree) || is_void(&stored, gate) {
            return Ok(None);
        }
        Ok(stored.iter().find_map(|verdict| Verified::recall(code, gate, verdict)))
    }

    /// Takes in that a run of a gate failed.
    pub fn failed(&self, code: CodeTree, gate: &GateId, failed: &Failed) {
        let verdict = Verdict::of_failed(gate, failed);
        self.known().red.insert(code.id.0, verdict);
    }

    /// Takes in that a run of a gate passed; where another run of the same failed, `Verified::is_flaky`.
    ///
    /// # Errors
    /// When notes cannot be read.
    pub fn passed(&self, repo: &Repo, verified: Verified) -> Result<Verified> {
        let (tree, verdict) = (verified.tree().id.0, verified.verdict());
        let stored_red = is_void(&stored(repo, tree)?, &verdict.gate);
        let mut known = self.known();
        let red = known.red.get(&tree).filter(|red| red.gate == verdict.gate).cloned();
        match red {
            Some(red) => {
                known.fresh.remove(&tree);
                known.void.insert(tree, [red, verdict]);
            }
            None if stored_red => {}
            None => {
                let stored = false;
                known.fresh.insert(tree, Fresh { verdict, stored });
                return Ok(verified);
            }
        }
        Ok(verified.contradicted())
    }

    /// Forgets what was let pass for another base's sake: it says nothing about this one.
    pub fn forget_known_red(&self) {
        self.known().fresh.retain(|_, fresh| fresh.verdict.is_green());
    }

    /// Stores the verdicts that are not stored yet: of all code trees, or only of `needed`, and those that contradict each
    /// other.
    ///
    /// # Errors
    /// When notes cannot be written.
    pub fn store(&self, repo: &Repo, needed: Option<CodeTree>, at: Moment) -> Result<()> {
        let is_needed = |tree: &Oid| needed.is_none_or(|needed| needed.id.0 == *tree);
        let mut lines: Vec<(Oid, String)> = Vec::new();
        let mut known = self.known();
        for (tree, fresh) in &mut known.fresh {
            if fresh.stored || !fresh.verdict.is_green() || !is_needed(tree) {
                continue;
            }
            lines.push((*tree, serde_json::to_string(&fresh.verdict)?));
            fresh.stored = true;
        }
        for (tree, both) in std::mem::take(&mut known.void) {
            for verdict in both {
                lines.push((tree, serde_json::to_string(&verdict)?));
            }
        }
        drop(known);
        if lines.is_empty() {
            return Ok(());
        }
        Ok(notes::add(repo, refs::TESTED, &lines, at)?)
    }
}

/// Reads the stored verdicts on a code tree.
fn stored(repo: &Repo, tree: Oid) -> Result<Vec<Verdict>> {
    let lines = notes::lines(repo, refs::TESTED, tree)?;
    Ok(lines
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

/// True where a run of `gate` failed: one that passed says nothing beside it.
fn is_void(verdicts: &[Verdict], gate: &GateId) -> bool {
    verdicts
        .iter()
        .any(|verdict| verdict.gate == *gate && !verdict.is_green())
}
