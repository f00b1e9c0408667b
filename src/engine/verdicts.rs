//! Verdicts: which code trees passed which gate, shared by all threads of a run and kept as notes on the trees.
//!
//! Losing them costs only time. Runs nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use eyre::Result;

use crate::{
    check::{Verdict, Verified},
    git::{Repo, notes, refs},
    id::{GateId, Oid},
    snapshot::CodeTree,
    time::Moment,
};

/// The verdicts of this run, and those that are stored.
#[derive(Default)]
pub struct Verdicts {
    fresh: Mutex<BTreeMap<Oid, Fresh>>,
}

struct Fresh {
    verdict: Verdict,
    stored: bool,
}

impl Verdicts {
    fn fresh(&self) -> MutexGuard<'_, BTreeMap<Oid, Fresh>> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the proof that `code` passed `gate`, if it did.
    ///
    /// # Errors
    /// When notes cannot be read.
    pub fn recall(&self, repo: &Repo, code: CodeTree, gate: &GateId) -> Result<Option<Verified>> {
        if let Some(fresh) = self.fresh().get(&code.id.0) {
            return Ok(Verified::recall(code, gate, &fresh.verdict));
        }
        let stored = notes::lines(repo, refs::TESTED, code.id.0)?;
        let verdicts = stored
            .iter()
            .filter_map(|line| serde_json::from_str::<Verdict>(line).ok());
        Ok(verdicts
            .into_iter()
            .filter(Verdict::is_green)
            .find_map(|verdict| Verified::recall(code, gate, &verdict)))
    }

    /// Takes in a verdict.
    pub fn learn(&self, verified: &Verified) {
        let fresh = Fresh {
            verdict: verified.verdict(),
            stored: false,
        };
        self.fresh().insert(verified.tree().id.0, fresh);
    }

    /// Forgets what was let pass for another base's sake: it says nothing about this one.
    pub fn forget_known_red(&self) {
        self.fresh().retain(|_, fresh| fresh.verdict.is_green());
    }

    /// Stores the verdicts that are not stored yet: of all code trees, or only of `needed`.
    ///
    /// # Errors
    /// When notes cannot be written.
    pub fn store(&self, repo: &Repo, needed: Option<CodeTree>, at: Moment) -> Result<()> {
        let is_needed = |tree: &Oid| needed.is_none_or(|needed| needed.id.0 == *tree);
        let mut lines: Vec<(Oid, String)> = Vec::new();
        for (tree, fresh) in self.fresh().iter_mut() {
            if fresh.stored || !fresh.verdict.is_green() || !is_needed(tree) {
                continue;
            }
            lines.push((*tree, serde_json::to_string(&fresh.verdict)?));
            fresh.stored = true;
        }
        if lines.is_empty() {
            return Ok(());
        }
        Ok(notes::add(repo, refs::TESTED, &lines, at)?)
    }
}
