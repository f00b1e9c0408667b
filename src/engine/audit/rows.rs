//! Rows: what every commit did to the memory files, and which of it nothing explains.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use eyre::Result;

use crate::{
    audit::{
        Divergence, What,
        delta::{Head, cut},
        moves::{self, Before, Lost, Member, Moves},
    },
    backlog::{
        close::{COMPLETED, HISTORY},
        read,
    },
    engine::audit::{
        Auditor, landing,
        memory::{Files, Memory},
        walk::{How, Landed, Node, Walk},
    },
    git::codetree::MASTER_PROMPT,
    id::{CommitId, GoalId},
};

/// What the memory files of all commits that were read have in rows.
#[derive(Default)]
pub struct Rows {
    /// Rows of records by name, with where each came in, in order.
    records: HashMap<Head, Vec<(usize, String)>>,
    /// The names of the records of each commit.
    heads: HashMap<CommitId, Vec<Head>>,
    /// The row of `completed_goals.json` that a landing wrote.
    completed: HashMap<(usize, GoalId), String>,
    /// Where goals landed, by us or by people.
    landed: BTreeMap<GoalId, Vec<usize>>,
    /// Where goals were taken back.
    taken_back: BTreeMap<GoalId, Vec<usize>>,
    /// Landings that took the goal out of the backlog.
    closed: HashSet<(usize, GoalId)>,
    /// Rows that a commit lost, as long as none brought them back.
    lost: Vec<(CommitId, Lost)>,
    /// Landings that a rebase, an amend, a cherry-pick or a squash made anew: nothing binds them to their records.
    rewritten: HashSet<usize>,
    /// The commits of landed goals.
    commits: HashSet<(GoalId, CommitId)>,
}

impl Rows {
    fn begin(&mut self, walk: &Walk) {
        for landed in &walk.landed {
            self.landed.entry(landed.goal.clone()).or_default().push(landed.at);
            self.commits.insert((landed.goal.clone(), landed.commit));
        }
        for (goal, commit) in &walk.by_people {
            let at = walk.index.get(commit).copied().unwrap_or(usize::MAX);
            self.landed.entry(goal.clone()).or_default().push(at);
            self.commits.insert((goal.clone(), *commit));
        }
        self.taken_back = walk.taken_back();
    }

    /// Returns the rows of records of this name, in order.
    pub fn of(&self, head: &Head) -> &[(usize, String)] {
        self.records.get(head).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the rows of all records of a commit, of landings and of what took it back.
    pub fn of_commit(&self, commit: CommitId) -> Vec<&str> {
        let heads = self.heads.get(&commit).into_iter().flatten();
        heads
            .flat_map(|head| self.of(head))
            .map(|(_, row)| row.as_str())
            .collect()
    }

    /// Returns the row that a landing wrote into the completed file.
    pub fn completed(&self, landed: &Landed) -> Option<&str> {
        self.completed
            .get(&(landed.at, landed.goal.clone()))
            .map(String::as_str)
    }

    fn is_lost(&self, row: &str) -> bool {
        self.lost.iter().any(|(_, lost)| lost.row == row)
    }

    /// Returns the goals that were taken back before `at`.
    fn taken_back_before(&self, at: usize) -> impl Iterator<Item = &GoalId> {
        let all = self.taken_back.iter();
        all.filter(move |(_, places)| places.iter().any(|place| *place < at))
            .map(|(goal, _)| goal)
    }

    /// True for a landing that people made anew.
    pub fn is_rewritten(&self, landed: &Landed) -> bool {
        self.rewritten.contains(&landed.at)
    }

    /// Returns where the goal landed last before `at`.
    pub fn landed_before(&self, goal: &GoalId, at: usize) -> Option<usize> {
        let all = self.landed.get(goal)?;
        all.iter().copied().filter(|earlier| *earlier < at).max()
    }

    /// Returns the landing before this one of a goal that was not taken back since, and not in the backlog.
    pub fn closed_twice(&self, landed: &Landed) -> Option<usize> {
        let earlier = self.landed_before(&landed.goal, landed.at)?;
        let between = |at: &usize| (earlier..landed.at).contains(at);
        let taken_back = self
            .taken_back
            .get(&landed.goal)
            .is_some_and(|all| all.iter().any(between));
        (!taken_back && !self.closed.contains(&(landed.at, landed.goal.clone()))).then_some(earlier)
    }

    /// True where the goal landed at all.
    pub fn has_landed(&self, goal: &GoalId) -> bool {
        self.landed.contains_key(goal)
    }

    /// True where a goal landed by this commit.
    pub fn has_commit(&self, goal: &GoalId, commit: CommitId) -> bool {
        self.commits.contains(&(goal.clone(), commit))
    }

    /// True where any row names this commit.
    pub fn has_row_of(&self, goal: &GoalId, commit: CommitId) -> bool {
        let head = Head {
            goal: goal.clone(),
            commit,
            kind: None,
        };
        self.records.contains_key(&head)
    }

    fn take_in(&mut self, at: usize, moves: &Moves) {
        let changed: HashSet<Head> = moves.history.gone.iter().filter_map(|row| Head::of(row)).collect();
        for row in &moves.history.added {
            // What a row was changed to was named already; its note is compared with what it was.
            let Some(head) = Head::of(row).filter(|head| !changed.contains(head)) else {
                continue;
            };
            let known = self.records.entry(head.clone()).or_default();
            if known.is_empty() {
                self.heads.entry(head.commit).or_default().push(head);
            }
            if !known.iter().any(|(_, other)| other == row) {
                known.push((at, row.clone()));
            }
        }
    }
}

/// What happened before a commit, by its place in the walk.
pub struct BeforeAt<'a>(pub &'a Rows, pub &'a Walk, pub usize);

impl Before for BeforeAt<'_> {
    fn landed(&self, goal: &GoalId) -> bool {
        self.0.landed_before(goal, self.2).is_some()
    }

    fn recorded(&self, head: &Head) -> bool {
        // The record of a commit that was made anew still names the old one.
        let is_rewritten = || !self.0.rewritten.is_empty() && !self.1.index.contains_key(&head.commit);
        self.landed(&head.goal) && (self.0.has_commit(&head.goal, head.commit) || is_rewritten())
    }
}

impl Auditor<'_> {
    /// Reads what every commit that is asked for did to the memory files, and names what nothing explains.
    ///
    /// # Errors
    /// When trees cannot be read.
    pub fn read_rows(&mut self, memory: &mut Memory<'_>) -> Result<()> {
        self.rows.begin(self.walk);
        let mut next = 0;
        for (at, node) in self.walk.order.iter().enumerate() {
            while self.walk.landed.get(next).is_some_and(|landed| landed.at < at) {
                next += 1;
            }
            if !node.asked {
                continue;
            }
            let here = self.walk.landed.iter().skip(next);
            let members: Vec<&Landed> = here.take_while(|landed| landed.at == at).collect();
            if members.is_empty() {
                self.other_commit(memory, at, node)?;
            } else {
                self.landing(memory, at, node, &members)?;
            }
        }
        Ok(())
    }

    /// Looks at what a landing did.
    fn landing(&mut self, memory: &mut Memory<'_>, at: usize, node: &Node, members: &[&Landed]) -> Result<()> {
        let id = node.entry.id;
        let Some(parent) = node
            .entry
            .parents
            .first()
            .copied()
            .filter(|parent| self.repo.has(*parent))
        else {
            self.unfit(node, members);
            return Ok(());
        };
        if node.entry.parents.len() == 1
            && let Ok(moves) = memory.moves(parent, id)
            && self.is_picked(node, members, &moves)
        {
            self.rows.rewritten.insert(at);
            self.unexplained(node, &moves);
            self.rows.take_in(at, &moves);
            self.lost(id, &moves, &BTreeSet::new(), false);
            return Ok(());
        }
        if self.unfit(node, members) {
            return Ok(());
        }
        self.landing_code(node, parent, members)?;
        let moves = match memory.moves(parent, id) {
            Ok(moves) => moves,
            Err(error) => {
                self.found(id, None, unreadable(&error));
                return Ok(());
            }
        };
        let landed_at = node.entry.at.rfc3339();
        if let [landed] = members
            && landed.how == How::Plain
            && self.is_made_anew(landed, &moves, &landed_at)
        {
            self.rows.rewritten.insert(at);
            self.rows.take_in(at, &moves);
            self.lost(id, &moves, &BTreeSet::new(), false);
            return Ok(());
        }
        let own: Vec<Member<'_>> = members
            .iter()
            .map(|landed| Member {
                goal: &landed.goal,
                commit: (landed.how == How::Merged).then_some(landed.commit),
                landed_at: &landed_at,
            })
            .collect();
        for member in &own {
            for divergence in moves::member(&moves, member) {
                self.found(id, Some(member.goal), divergence);
            }
        }
        for divergence in moves::others(&moves, &own, &BeforeAt(&self.rows, self.walk, at)) {
            self.found(id, None, divergence);
        }
        let prompt = |files: &Files| files.get(MASTER_PROMPT).copied();
        if prompt(memory.files(parent)?.as_ref()) != prompt(memory.files(id)?.as_ref()) {
            let divergence = Divergence::new(What::Memory, "master_prompt.txt as before", "another one");
            self.found(id, None, divergence);
        }
        self.lost(id, &moves, &BTreeSet::new(), false);
        self.rows.take_in(at, &moves);
        for landed in members {
            let is = |row: &&String| read::id_text(row).is_some_and(|id| id == landed.goal.as_str());
            if let Some(row) = moves.completed.added.iter().find(is) {
                let place = (at, landed.goal.clone());
                self.rows.completed.insert(place.clone(), row.clone());
                if moves.pending.gone.iter().any(|row| is(&row)) {
                    self.rows.closed.insert(place);
                }
            }
        }
        Ok(())
    }

    /// True for a landing that people picked onto another line, so that it keeps the date that it had, or that a squash ends
    /// with, so that it has the words of others too and none of their commits.
    fn is_picked(&self, node: &Node, members: &[&Landed], moves: &Moves) -> bool {
        let at = node.entry.at.rfc3339();
        let mut all = members.iter().filter(|landed| landed.how == How::Merged).peekable();
        let is_squash = |landed: &&Landed| {
            let paragraphs = node.entry.message.trim_end().split("\n\n").count();
            paragraphs > 2 && !self.walk.index.contains_key(&landed.commit)
        };
        all.peek().is_some() && all.all(|landed| has_other_date(landed, moves, &at) || is_squash(landed))
    }

    /// Names a landing whose parents are not what it says.
    fn unfit(&mut self, node: &Node, members: &[&Landed]) -> bool {
        let divergence = landing::parents(&node.entry);
        let is_unfit = divergence.is_some();
        if let Some(divergence) = divergence {
            self.found(node.entry.id, members.first().map(|landed| &landed.goal), divergence);
        }
        is_unfit
    }

    /// True for a plain landing that is not the commit that its row or its note is of: a rebase kept both as they were.
    fn is_made_anew(&self, landed: &Landed, moves: &Moves, landed_at: &str) -> bool {
        let noted = self.noted.names_other(&landed.goal, landed.commit);
        noted || has_other_date(landed, moves, landed_at)
    }

    /// Looks at what any other commit did: of people, or ours that lands nothing.
    fn other_commit(&mut self, memory: &mut Memory<'_>, at: usize, node: &Node) -> Result<()> {
        let mut excused = self.walk.reverted(&node.entry);
        if node.entry.parents.len() > 1 {
            // One side took a goal back, the other still has its rows.
            excused.extend(self.rows.taken_back_before(at).cloned());
        }
        for (nth, parent) in node.entry.parents.iter().enumerate() {
            if !self.walk.node(*parent).is_some_and(|parent| parent.begun) {
                continue;
            }
            let moves = match memory.moves(*parent, node.entry.id) {
                Ok(moves) => moves,
                Err(error) => {
                    self.found(node.entry.id, None, unreadable(&error));
                    return Ok(());
                }
            };
            self.lost(node.entry.id, &moves, &excused, nth > 0);
            if nth == 0 {
                self.unexplained(node, &moves);
                self.undoing(at, node, &moves)?;
                self.rows.take_in(at, &moves);
            }
        }
        Ok(())
    }

    /// Takes in the rows that a commit lost, and those that it brought back as they were.
    fn lost(&mut self, commit: CommitId, moves: &Moves, excused: &BTreeSet<GoalId>, is_other_side: bool) {
        for (delta, file) in [(&moves.completed, COMPLETED), (&moves.history, HISTORY)] {
            let back: Vec<&String> = delta.added.iter().filter(|row| self.rows.is_lost(row)).collect();
            self.rows.lost.retain(|(_, lost)| !back.contains(&&lost.row));
            for lost in moves::lost(delta, file, excused, is_other_side) {
                // What stood in the place of a row that came back was none.
                if !back.iter().any(|row| moves::goal_of(row) == lost.goal) {
                    self.rows.lost.push((commit, lost));
                }
            }
        }
    }

    /// Names the rows that were lost and never came back.
    pub fn name_lost(&mut self) {
        for (commit, lost) in std::mem::take(&mut self.rows.lost) {
            self.found(commit, lost.goal.as_ref(), lost.divergence);
        }
    }

    /// Names rows that a commit which lands nothing brought though nothing landed.
    fn unexplained(&mut self, node: &Node, moves: &Moves) {
        let mut squashed = 0_usize;
        let brought: Vec<Head> = moves.history.added.iter().filter_map(|row| Head::of(row)).collect();
        for row in &moves.history.added {
            match Head::of(row) {
                Some(head) if self.rows.has_commit(&head.goal, head.commit) => {}
                Some(head) if self.is_landed_by_people(&head.goal, head.commit) => {}
                // A squash brings the rows, and leaves the commits behind.
                Some(head) if !self.walk.index.contains_key(&head.commit) => squashed += 1,
                head => {
                    let changed = moves
                        .history
                        .gone
                        .iter()
                        .any(|gone| Head::of(gone) == head && head.is_some());
                    if !changed {
                        let divergence = Divergence::new(
                            What::Row,
                            format!("{HISTORY}: no record of what did not land"),
                            cut(row),
                        );
                        self.found(node.entry.id, head.map(|head| head.goal).as_ref(), divergence);
                    }
                }
            }
        }
        for row in &moves.completed.added {
            let goal: Option<GoalId> = read::id_text(row).and_then(|id| id.parse().ok());
            let known = goal
                .as_ref()
                .is_some_and(|goal| self.rows.has_landed(goal) || brought.iter().any(|head| head.goal == *goal));
            let changed = moves
                .completed
                .gone
                .iter()
                .any(|gone| read::id_text(gone) == read::id_text(row));
            if !known && !changed {
                let expected = format!("{COMPLETED}: no goal that did not land");
                self.found(
                    node.entry.id,
                    goal.as_ref(),
                    Divergence::new(What::Row, expected, cut(row)),
                );
            }
        }
        if squashed > 0 {
            self.audit.squashed.push((node.entry.id, squashed));
        }
    }
}

/// True where a landing's row is of another date than its commit.
fn has_other_date(landed: &Landed, moves: &Moves, landed_at: &str) -> bool {
    let is = |row: &&String| read::id_text(row).is_some_and(|id| id == landed.goal.as_str());
    let row = moves.completed.added.iter().find(is);
    let dated = format!("\"landed_at\":\"{landed_at}\"");
    row.is_some_and(|row| !row.replace(": ", ":").contains(&dated))
}

fn unreadable(error: &eyre::Report) -> Divergence {
    Divergence::new(What::Memory, "memory files that can be read", format!("{error:#}"))
}
