//! Notes: the record's other replica. Each must say what the row says; what was never noted here is no divergence.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;

use crate::{
    audit::{
        Divergence, What, claims,
        delta::{Head, cut, worded},
    },
    engine::audit::{Auditor, Scope, landing, walk::Landed},
    git::{Repo, config, notes, refs},
    id::{CommitId, GoalId, Oid},
    quote::quoted,
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
            if self.audit.counts.records > 0 {
                self.audit
                    .remarks
                    .push("this clone has no notes: only the rows of history.json are looked at".into());
                let remote = config::remote(self.repo).unwrap_or_else(|| "REMOTE".to_owned());
                self.audit.hints.push(format!(
                    "`git fetch {} {1}:{1}` brings the notes",
                    quoted(&remote),
                    refs::NOTES
                ));
            }
            return Ok(());
        };
        let mut missing: Vec<(&Landed, String)> = Vec::new();
        let mut seen: BTreeSet<CommitId> = BTreeSet::new();
        for landed in &self.walk.landed {
            let node = self.walk.order.get(landed.at);
            // What is no landing has no rows to compare.
            let stands = node.is_some_and(|node| node.asked && landing::parents_fit(&node.entry));
            if !stands || self.rows.is_rewritten(landed) || !seen.insert(landed.commit) {
                continue;
            }
            let rows = self.rows.of_commit(landed.commit);
            match lines.get(&landed.commit) {
                Some(lines) if !rows.is_empty() => {
                    self.audit.counts.notes += 1;
                    // git copies lines to the commits that a rebase makes; they name those that they were on.
                    let is_copy = |line: &&String| Head::of(line).is_some_and(|head| head.commit != landed.commit);
                    let (copies, lines): (Vec<&String>, Vec<&String>) = lines.iter().partition(is_copy);
                    let mut found = claims::note(&rows, &lines);
                    let words = copies
                        .into_iter()
                        .filter_map(|line| self.other_words(landed.commit, line));
                    found.extend(words.map(|(_, divergence)| divergence));
                    let mut unsaid = rows.iter().filter(|row| !lines.iter().any(|line| *line == **row));
                    if let Some(row) = unsaid.next().filter(|_| found.is_empty()) {
                        missing.push((landed, (*row).to_owned()));
                    }
                    for divergence in found {
                        self.found(landed.commit, Some(&landed.goal), divergence);
                    }
                }
                // Without a row it is to come, or `record` named that there is none.
                Some(_) => {}
                None => missing.extend(rows.first().map(|row| (landed, (*row).to_owned()))),
            }
        }
        self.not_noted(&missing)?;
        self.strays(&lines, scope)
    }

    /// Tells notes that were taken away from those that never came here.
    fn not_noted(&mut self, missing: &[(&Landed, String)]) -> Result<()> {
        let lines = missing.iter().take(GONE);
        let lines: Vec<(Oid, &str)> = lines.map(|(landed, row)| (landed.commit.0, row.as_str())).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let ever = notes::ever(self.repo, refs::NOTES, &lines, MOVES)?;
        let mut absent = Vec::new();
        for (at, (landed, _)) in missing.iter().enumerate() {
            if ever.contains(&at) {
                let divergence = Divergence::new(What::Note, "the record", "it was taken away");
                self.found(landed.commit, Some(&landed.goal), divergence);
            } else {
                absent.push(landed.commit.short());
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
                let asked = self.walk.node(*commit).is_some_and(|node| node.asked);
                if asked && let Some((goal, divergence)) = self.other_words(*commit, line) {
                    self.found(*commit, goal.as_ref(), divergence);
                    continue;
                }
                let Ok(record) = serde_json::from_str::<Record>(line) else {
                    continue;
                };
                if asked {
                    if !self.is_landed_by_people(&record.goal, *commit) {
                        let divergence = Divergence::new(
                            What::Note,
                            "no record of what did not land",
                            format!("goal {}", record.goal),
                        );
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

    /// Compares a line that followed its goal to a commit of people with the row of that name.
    fn other_words(&self, commit: CommitId, line: &str) -> Option<(Option<GoalId>, Divergence)> {
        let Some(head) = Head::of(line) else {
            let mut by_people = self.walk.by_people.iter();
            let (goal, _) = by_people.find(|(_, by)| *by == commit)?;
            let divergence = Divergence::new(What::Note, "no line but the record's", cut(line));
            return Some((Some(goal.clone()), divergence));
        };
        let rows = self.rows.of(&head);
        let (_, row) = rows.last().filter(|_| rows.iter().all(|(_, row)| row != line))?;
        let (expected, there) = worded(row, line);
        Some((Some(head.goal), Divergence::new(What::Note, expected, there)))
    }

    /// True where a commit of people landed the goal: by a trailer, or as the revert of what had taken it back.
    pub fn is_landed_by_people(&self, goal: &GoalId, commit: CommitId) -> bool {
        let mut by_people = self.walk.by_people.iter();
        let node = self.walk.node(commit);
        by_people.any(|(landed, by)| *by == commit && landed == goal)
            || node.is_some_and(|node| self.walk.reverted(&node.entry).contains(goal))
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
