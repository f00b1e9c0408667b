//! Notes: the record's other replica. Each must say what the row says; what was never noted here is no divergence.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;

use crate::{
    audit::{Divergence, What, claims, delta::Head},
    engine::audit::{Auditor, Scope},
    git::{Repo, config, notes, refs},
    id::{CommitId, GoalId, Oid},
    record::Record,
};

/// How far back the notes' own history is looked through for notes that are gone, and for how many.
const MOVES: usize = 512;
const GONE: usize = 64;

/// All notes.
pub struct Noted {
    /// The lines of each; `None` where there is no notes ref.
    lines: Option<BTreeMap<CommitId, Vec<String>>>,
}

impl Noted {
    /// Reads them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(repo: &Repo) -> Result<Self> {
        if refs::read(repo, refs::NOTES)?.is_none() {
            return Ok(Self { lines: None });
        }
        let objects = notes::annotated(repo, refs::NOTES)?;
        let lines = notes::lines_of_all(repo, refs::NOTES, &objects)?;
        let commits = objects.into_iter().map(CommitId);
        Ok(Self {
            lines: Some(commits.zip(lines).collect()),
        })
    }

    /// True where this clone has notes at all.
    pub fn is_there(&self) -> bool {
        self.lines.as_ref().is_some_and(|lines| !lines.is_empty())
    }

    /// True where the note on `commit` records a landing of `goal` by another commit, and none by this one.
    pub fn names_other(&self, goal: &GoalId, commit: CommitId) -> bool {
        let lines = self.lines.as_ref().and_then(|lines| lines.get(&commit));
        let heads: Vec<Head> = lines.into_iter().flatten().filter_map(|line| Head::of(line)).collect();
        let mut of_goal = heads.iter().filter(|head| head.goal == *goal && head.kind.is_none());
        of_goal.clone().next().is_some() && of_goal.all(|head| head.commit != commit)
    }

    /// Returns the noted line of this name.
    pub fn line(&self, head: &Head) -> Option<String> {
        let lines = self.lines.as_ref()?.get(&head.commit)?;
        lines.iter().find(|line| Head::of(line).as_ref() == Some(head)).cloned()
    }
}

impl Auditor<'_> {
    /// Compares notes with rows, both ways.
    ///
    /// # Errors
    /// When notes cannot be read.
    pub fn judge_notes(&mut self, scope: &Scope) -> Result<()> {
        let Some(lines) = self.noted.lines.take().filter(|lines| !lines.is_empty()) else {
            if self.audit.records > 0 {
                self.audit
                    .remarks
                    .push("this clone has no notes: only the rows of history.json are looked at".into());
                let remote = config::remote(self.repo).unwrap_or_else(|| "REMOTE".to_owned());
                self.audit
                    .hints
                    .push(format!("`git fetch {remote} {0}:{0}` brings the notes", refs::NOTES));
            }
            return Ok(());
        };
        let mut missing: Vec<(GoalId, CommitId)> = Vec::new();
        let mut seen: BTreeSet<CommitId> = BTreeSet::new();
        for landed in &self.walk.landed {
            let asked = self.walk.order.get(landed.at).is_some_and(|node| node.asked);
            if !asked || self.rows.is_rewritten(landed) || !seen.insert(landed.commit) {
                continue;
            }
            let rows = self.rows.of_commit(landed.commit);
            match lines.get(&landed.commit) {
                Some(lines) if !rows.is_empty() => {
                    self.audit.notes += 1;
                    let found = claims::note(&rows, lines);
                    let unsaid = found.is_empty() && rows.iter().any(|row| !lines.iter().any(|line| line == row));
                    if unsaid {
                        missing.push((landed.goal.clone(), landed.commit));
                    }
                    for divergence in found {
                        self.found(landed.commit, Some(&landed.goal), divergence);
                    }
                }
                None if !rows.is_empty() => missing.push((landed.goal.clone(), landed.commit)),
                // Its row is to come, or `record` named that there is none.
                Some(_) | None => {}
            }
        }
        self.not_noted(&missing)?;
        self.strays(&lines, scope)
    }

    /// Tells notes that were taken away from those that never came here.
    fn not_noted(&mut self, missing: &[(GoalId, CommitId)]) -> Result<()> {
        let objects: Vec<Oid> = missing.iter().take(GONE).map(|(_, commit)| commit.0).collect();
        if objects.is_empty() {
            return Ok(());
        }
        let ever = notes::ever(self.repo, refs::NOTES, &objects, MOVES)?;
        let mut absent = Vec::new();
        for (goal, commit) in missing {
            if ever.contains(&commit.0) {
                let divergence = Divergence::new(What::Note, "the record", "it was taken away");
                self.found(*commit, Some(goal), divergence);
            } else {
                absent.push(commit.short());
            }
        }
        if !absent.is_empty() {
            let named = absent.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
            let more = if absent.len() > 3 { " …" } else { "" };
            self.audit
                .remarks
                .push(format!("{} without a note here: {named}{more}", absent.len()));
            self.audit
                .hints
                .push("`git invisigoth rebuild` notes what history.json has".into());
        }
        Ok(())
    }

    /// Looks at notes on commits that landed nothing: noted as landed on this branch, and not on it any more.
    fn strays(&mut self, lines: &BTreeMap<CommitId, Vec<String>>, scope: &Scope) -> Result<()> {
        let of_landed: BTreeSet<CommitId> = self.walk.landed.iter().map(|landed| landed.commit).collect();
        for (commit, lines) in lines.iter().filter(|(commit, _)| !of_landed.contains(commit)) {
            for line in lines {
                let Ok(record) = serde_json::from_str::<Record>(line) else {
                    continue;
                };
                if self.walk.node(*commit).is_some_and(|node| node.asked) {
                    let goal = record.goal.as_str();
                    let by_people = self.walk.by_people.iter();
                    if !by_people
                        .clone()
                        .any(|(landed, by)| by == commit && landed.as_str() == goal)
                    {
                        let divergence =
                            Divergence::new(What::Note, "no record of what did not land", format!("goal {goal}"));
                        self.found(*commit, Some(&record.goal), divergence);
                    }
                } else if self.is_gone(&record, *commit, scope)? {
                    let expected = format!("it is on {}, as its note says", record.target);
                    let divergence = Divergence::new(What::Target, expected, "the branch does not hold it");
                    self.found(*commit, Some(&record.goal), divergence);
                }
            }
        }
        Ok(())
    }

    /// True where a record says that a goal landed on the branch that is looked at, and nothing there knows of it.
    fn is_gone(&self, record: &Record, commit: CommitId, scope: &Scope) -> Result<bool> {
        let here = scope.branch.as_ref() == Some(&record.target) && !self.walk.shallow;
        if !here || self.walk.node(commit).is_some() || self.rows.has_landed(&record.goal) {
            return Ok(false);
        }
        // It waits to land anew, or came with a squash.
        let waits = refs::read(self.repo, &refs::candidate_ref(&record.goal))?.is_some();
        Ok(!waits && !self.rows.has_row_of(&record.goal, record.commit))
    }
}
