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
            Auditor,
            rows::BeforeAt,
            walk::{self, Node},
        },
        recall, taking,
    },
    git::{Repo, commit::Message, history, merge, tree},
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
        let parent = node.entry.parents.first().map(ToString::to_string);
        let is_copy = node.entry.trailers("Base").any(|base| Some(base) != parent.as_deref());
        if is_squash || is_copy || moves::is_of_people(moves, &members, &undone_at) {
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
        let (mut commits, mut wholes) = (Vec::new(), Vec::new());
        for goal in goals {
            let mut earlier = self.walk.landed.iter().rev();
            let last = self.rows.landed_before(goal, at);
            let landed = earlier.find(|landed| Some(landed.at) == last && landed.goal == *goal);
            let Some(landed) = landed else { return Ok(()) };
            let Some(own) = self.walk.node(landed.commit).filter(|own| !own.cut) else {
                return Ok(());
            };
            if !commits.contains(&landed.commit) {
                commits.push(landed.commit);
                // A branch that landed as it is has all of its work only in what landed it.
                wholes.push(match own.entry.trailers("Goal").next() {
                    Some(_) => landed.commit,
                    None => landed.landing,
                });
            }
        }
        let there = tree::code_of_commit(self.repo, node.entry.id)?;
        for _ in 0..2 {
            if inverse(self.repo, parent, &wholes)? == Some(there) {
                return Ok(());
            }
            wholes.reverse();
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
    let subject = match goals {
        [only] => {
            let mut open = moves.pending.added.iter().filter_map(|row| asked(row));
            let goal = open.find(|open| open.id.as_ref() == Some(only));
            let about = goal.map(|goal| goal.description).filter(|about| !about.is_empty());
            about.map_or_else(|| format!("Undo {only}"), |about| format!("Undo {only}: {about}"))
        }
        // Of many only some are named.
        all => format!("Undo {}", all.first()?),
    };
    let wanted = Message {
        subject,
        body: String::new(),
        trailers: Vec::new(),
    };
    let (wanted, there) = (wanted.text(), node.entry.subject());
    let wanted = wanted.trim_end();
    let is_right = if goals.len() == 1 {
        there == wanted
    } else {
        there.starts_with(wanted)
    };
    if !is_right {
        return Some(Divergence::new(What::Message, wanted, there));
    }
    let settled: Vec<&str> = node.entry.trailers("Settled").collect();
    let named: Vec<&str> = goals.iter().map(GoalId::as_str).collect();
    if settled != named {
        let expected = format!("`Settled: {}`", named.join(", "));
        return Some(Divergence::new(What::Message, expected, settled.join(", ")));
    }
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = one_line(taking::body(&node.entry.message).unwrap_or_default());
    let why = one_line(first.why.as_deref().unwrap_or_default());
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
