//! The audit of a history: gathers what `audit` compares, commit by commit, the oldest first. Reads only.
//!
//! Owns what counts as landed, what cannot be told in this clone, and which commit is named first.

pub mod attempts;
pub mod gates;
pub mod landing;
pub mod memory;
pub mod notes;
pub mod rows;
pub mod undoing;
pub mod walk;

use std::collections::{BTreeMap, HashMap};

use eyre::Result;
use serde::Serialize;

use crate::{
    audit::{Divergence, Finding, What},
    engine::{
        audit::{
            attempts::Worked,
            memory::Memory,
            notes::Noted,
            rows::Rows,
            walk::{How, Landed, Walk},
        },
        session::Session,
        stored,
    },
    git::{Repo, refs},
    id::{CommitId, GoalId},
};

/// What to audit.
#[derive(Clone, Debug)]
pub struct Scope {
    /// What need not be looked at: this commit and what it holds.
    pub from: Option<CommitId>,
    /// What is looked at, with all that it holds.
    pub tip: CommitId,
    /// The branch that the tip is of, where all of it is asked for.
    pub branch: Option<String>,
}

/// How much was looked at.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    /// Landings of goals that were looked at.
    pub goals: usize,
    /// Commits of goals that were looked at.
    pub commits: usize,
    /// Records that were looked at.
    pub records: usize,
    /// Notes that were compared with their records.
    pub notes: usize,
    /// Goals whose recorded replies made the same code again.
    pub replayed: usize,
    /// How many could not be replayed, by why.
    pub not_replayed: BTreeMap<String, usize>,
    /// Records whose sums were compared with the calls behind them.
    pub summed: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Audit {
    /// How much was looked at.
    pub counts: Counts,
    /// How many were judged by more than the tracked settings name.
    pub own_settings: usize,
    /// Goals that people landed by a rebase, a squash or by hand: there is no record to compare.
    pub by_people: usize,
    /// Commits that brought records of commits which are not in this history, and how many.
    pub squashed: Vec<(CommitId, usize)>,
    /// What diverges, the oldest commit first.
    pub findings: Vec<Finding>,
    /// What cannot be told here.
    pub remarks: Vec<String>,
    /// What to type so that more can be told.
    pub hints: Vec<String>,
    /// The landings that were looked at, in order.
    pub landings: Vec<Landing>,
    index: HashMap<CommitId, usize>,
}

/// A landing, for whoever judges it again.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The commit.
    pub commit: CommitId,
    /// The goal.
    pub goal: GoalId,
    /// How many tests its record says were red before it.
    pub known_red: usize,
}

impl Audit {
    /// Brings the findings into the order of their commits.
    pub fn sort(&mut self) {
        let index = &self.index;
        self.findings
            .sort_by_key(|finding| index.get(&finding.commit).copied().unwrap_or(usize::MAX));
    }
}

/// What the auditor holds in its hands.
pub struct Auditor<'a> {
    /// The session.
    pub session: &'a Session,
    /// The repository, with new objects in memory.
    pub repo: &'a Repo,
    /// The commits.
    pub walk: &'a Walk,
    /// The rows that commits brought.
    pub rows: Rows,
    /// The notes.
    pub noted: Noted,
    /// The sums.
    pub audit: Audit,
    /// The commands of the gates.
    gates: gates::Gates,
}

/// Audits what `scope` names.
///
/// # Errors
/// When the repository cannot be read. What diverges is no error.
pub fn audit(session: &Session, scope: &Scope) -> Result<Audit> {
    let repo = session.repo().as_stored().in_memory();
    let walk = Walk::of(&repo, scope.from, scope.tip)?;
    let mut auditor = Auditor {
        session,
        repo: &repo,
        walk: &walk,
        rows: Rows::default(),
        noted: Noted::read(&repo)?,
        audit: Audit::default(),
        gates: gates::Gates::default(),
    };
    auditor.read_rows(&mut Memory::new(&repo))?;
    auditor.name_lost();
    for landed in &walk.landed {
        auditor.landed(landed)?;
    }
    auditor.judge_notes(scope)?;
    let asked = |commit: &CommitId| walk.node(*commit).is_some_and(|node| node.asked);
    auditor.audit.by_people += walk.by_people.iter().filter(|(_, commit)| asked(commit)).count();
    auditor.tell();
    let mut audit = auditor.audit;
    audit.index = walk.index;
    audit.sort();
    Ok(audit)
}

impl Auditor<'_> {
    /// Takes in a divergence.
    pub fn found(&mut self, commit: CommitId, goal: Option<&GoalId>, divergence: Divergence) {
        self.audit.findings.push(Finding::at(commit, goal, divergence));
    }

    /// Looks at one goal that landed.
    fn landed(&mut self, landed: &Landed) -> Result<()> {
        let Some(node) = self.walk.order.get(landed.at).filter(|node| node.asked) else {
            return Ok(());
        };
        self.audit.counts.goals += 1;
        if self.rows.is_rewritten(landed) {
            self.audit.by_people += 1;
            return Ok(());
        }
        if !landing::parents_fit(&node.entry) {
            // `read_rows` named it; nothing else can be said of it.
            return Ok(());
        }
        self.twice(landed)?;
        let record = self.record(landed)?;
        self.audit.landings.push(Landing {
            commit: landed.landing,
            goal: landed.goal.clone(),
            known_red: record.as_ref().and_then(|record| record.known_red).unwrap_or_default(),
        });
        self.own_commit(landed, record.as_ref())?;
        let Some(record) = record else { return Ok(()) };
        self.audit.counts.records += 1;
        self.fields(landed, &record)?;
        self.gate(landed, &record)?;
        let worked = Worked::read(self.repo, landed, &record)?;
        self.attempt(landed, &record, &worked)?;
        Ok(())
    }

    /// A goal lands again only after it was taken back.
    ///
    /// # Errors
    /// When history cannot be read.
    fn twice(&mut self, landed: &Landed) -> Result<()> {
        let Some(earlier) = self.rows.closed_twice(landed) else {
            return Ok(());
        };
        let Some(earlier) = self.walk.order.get(earlier).map(|node| node.entry.id) else {
            return Ok(());
        };
        if !self.walk.holds(self.repo, landed.landing, earlier)? {
            let (one, two) = (earlier.short(), landed.landing.short());
            let goal = &landed.goal;
            let remark =
                format!("goal {goal} landed by {one} and by {two}, on lines of history that were merged later");
            self.audit.remarks.push(remark);
            return Ok(());
        }
        let expected = format!("one landing, {}", earlier.short());
        let divergence = Divergence::new(What::Twice, expected, "another one, though nothing took the goal back");
        self.found(landed.landing, Some(&landed.goal), divergence);
        Ok(())
    }

    /// Says what cannot be told here.
    fn tell(&mut self) {
        let audit = &mut self.audit;
        if self.walk.shallow {
            audit
                .remarks
                .push("this clone is shallow: what lies before its end is not looked at".into());
            audit.hints.push("`git fetch --unshallow` brings the rest".into());
        }
        if let [(first, _), rest @ ..] = audit.squashed.as_slice() {
            let records: usize = audit.squashed.iter().map(|(_, records)| records).sum();
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            audit.remarks.push(format!(
                "{records} records are of commits that are not in this history: {}{more} brought them (a squash?)",
                first.short()
            ));
        }
        if audit.own_settings > 0 {
            audit.remarks.push(format!(
                "{} judged by own settings too: not all commands are in invisigoth.toml",
                audit.own_settings
            ));
        }
        let people = audit.by_people;
        if people > 0 {
            let remark = format!("{people} landed by people (rebase, squash, by hand): no record is expected");
            audit.remarks.push(remark);
        }
        let absent = audit.counts.not_replayed.contains_key("attempt not in this clone");
        if absent && !matches!(refs::read(self.repo, refs::ATTEMPTS), Ok(Some(_))) {
            audit.hints.push(stored::how_to_fetch(self.repo));
        }
    }
}

/// True for a landing with a commit of the goal's own.
pub fn has_own(landed: &Landed) -> bool {
    landed.how == How::Merged
}
