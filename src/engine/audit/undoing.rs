//! An undo: its message, its code, and what it did to the memory files.

use eyre::Result;

use crate::{
    audit::{
        Divergence, Finding, What,
        delta::Head,
        moves::{self, Moves},
    },
    backlog::history::asked,
    engine::{
        audit::{
            Auditor, landing,
            rows::BeforeAt,
            walk::{self, Node},
        },
        recall,
        taking::{self, Member},
        undo,
    },
    git::{Repo, history, merge, tree},
    id::{CommitId, GoalId},
    record::Undone,
    snapshot::CodeTree,
};

impl Auditor<'_> {
    /// Looks at a commit that undoes goals, where it is one of ours.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn undoing(&mut self, at: usize, node: &Node, moves: &Moves) -> Result<()> {
        let goals = walk::taken_back(&node.entry);
        let ours = node.entry.trailers("Settled").next().is_some();
        if goals.is_empty() || !ours || node.cut {
            return Ok(());
        }
        if self.never_landed(at, node, &goals)? {
            return Ok(());
        }
        let undone_at = node.entry.at.rfc3339();
        let members: Vec<moves::Back<'_>> = goals
            .iter()
            .map(|goal| moves::Back {
                goal,
                row: self.last_row(goal, at),
            })
            .collect();
        // A squash brings rows of commits that it leaves behind.
        let heads = moves.history.added.iter().filter_map(|row| Head::of(row));
        let is_squash = heads
            .into_iter()
            .any(|head| !self.walk.index.contains_key(&head.commit));
        if is_squash || moves::is_of_people(moves, &members, &undone_at) {
            return Ok(());
        }
        let of_goal = |back: &moves::Back<'_>| moves::back(moves, back, &undone_at);
        let own = members.iter().map(|back| (Some(back.goal), of_goal(back)));
        let others = moves::not_back(moves, &members, &BeforeAt(&self.rows, self.walk, at));
        let words = message(node, moves, &goals).into_iter().collect();
        let found = own.chain([(None, others), (goals.first(), words)]);
        let named = |goal: Option<&GoalId>, all: Vec<Divergence>| -> Vec<Finding> {
            let all = all.into_iter();
            all.map(|one| Finding::at(node.entry.id, goal, one)).collect()
        };
        let found: Vec<Finding> = found.flat_map(|(goal, all)| named(goal, all)).collect();
        self.undo_code(at, node, &goals)?;
        self.audit.findings.extend(found);
        Ok(())
    }

    /// Names a goal that never landed, and is undone all the same.
    fn never_landed(&mut self, at: usize, node: &Node, goals: &[GoalId]) -> Result<bool> {
        let (Some(parent), false) = (node.entry.parents.first().copied(), self.walk.shallow) else {
            return Ok(false);
        };
        let mut any = false;
        for goal in goals.iter().filter(|goal| self.rows.landed_before(goal, at).is_none()) {
            if recall::landed_row(self.repo, parent, goal)?.is_none() {
                let divergence = Divergence::new(What::Message, "a goal that had landed", format!("`Undo: {goal}`"));
                self.audit
                    .findings
                    .push(Finding::at(node.entry.id, Some(goal), divergence));
                any = true;
            }
        }
        Ok(any)
    }

    /// The row that the goal's newest landing by us wrote, where nobody landed it since.
    fn last_row(&self, goal: &GoalId, at: usize) -> Option<&str> {
        let last = self.rows.landed_before(goal, at)?;
        let mut landed = self.walk.landed.iter();
        self.rows
            .completed(landed.find(|landed| landed.at == last && landed.goal == *goal)?)
    }

    /// Compares the code of an undo with what taking its goals back makes.
    ///
    /// # Errors
    /// When trees cannot be read.
    fn undo_code(&mut self, at: usize, node: &Node, goals: &[GoalId]) -> Result<()> {
        let Some(parent) = node.entry.parents.first().copied() else {
            return Ok(());
        };
        let mut commits = Vec::new();
        for goal in goals {
            let earlier = self.walk.landed.iter().rev();
            let mut earlier = earlier.filter(|landed| landed.at < at && landed.goal == *goal);
            let Some(landed) = earlier.next() else { return Ok(()) };
            if self.walk.node(landed.commit).is_none_or(|own| own.cut) {
                return Ok(());
            }
            if !commits.contains(&landed.commit) {
                commits.push(landed.commit);
            }
        }
        let there = tree::code_of_commit(self.repo, node.entry.id)?;
        for _ in 0..2 {
            if inverse(self.repo, parent, &commits)? == Some(there) {
                return Ok(());
            }
            commits.reverse();
        }
        let names: Vec<String> = commits.iter().map(CommitId::short).collect();
        let expected = format!("the code without {}", names.join(", "));
        self.found(
            node.entry.id,
            goals.first(),
            Divergence::new(What::Code, expected, "other code"),
        );
        Ok(())
    }
}

/// Compares the words of an undo with those that its rows ask for.
fn message(node: &Node, moves: &Moves, goals: &[GoalId]) -> Option<Divergence> {
    let mut undone = moves.history.added.iter().filter_map(|row| Undone::of_line(row));
    let first = undone.find(|undone| goals.contains(&undone.goal))?;
    let described = |goal: &GoalId| {
        let open = moves.pending.added.iter().filter_map(|row| asked(row));
        open.filter(|open| open.id.as_ref() == Some(goal))
            .map(|open| open.description)
            .next()
            .unwrap_or_default()
    };
    let members: Vec<Member> = goals
        .iter()
        .map(|goal| Member {
            goal: goal.clone(),
            description: described(goal),
            commit: first.commit,
        })
        .collect();
    let body = taking::body(&node.entry.message);
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = undo::message(&members, body).text();
    if expected != node.entry.message {
        let (expected, found) = landing::differing_lines(&expected, &node.entry.message);
        return Some(Divergence::new(What::Message, expected, found));
    }
    let (said, why) = (
        one_line(body.unwrap_or_default()),
        one_line(first.why.as_deref().unwrap_or_default()),
    );
    (!said.starts_with(&why) || why.is_empty() != said.is_empty())
        .then(|| Divergence::new(What::Message, format!("why: {why}"), said))
}

/// Takes what each commit changed out of the code of `tip`; `None` where that conflicts.
fn inverse(repo: &Repo, tip: CommitId, commits: &[CommitId]) -> Result<Option<CodeTree>> {
    let mut code = tree::code_of_commit(repo, tip)?;
    for commit in commits {
        let Some(before) = history::parents(repo, *commit)?.first().copied() else {
            return Ok(None);
        };
        let (with, without) = (
            tree::code_of_commit(repo, *commit)?,
            tree::code_of_commit(repo, before)?,
        );
        match merge::three_way(repo, with, code, without)? {
            Ok(merged) => code = merged,
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(code))
}
