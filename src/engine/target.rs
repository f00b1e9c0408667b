//! The target: the branch that goals land on, and the tip that later goals build on.
//!
//! While the branch is checked out it cannot move under its user, so results gather on `refs/invisigoth/landed/<target>`
//! and the checkout follows when it is idle.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;

use crate::{
    backlog::{close::PENDING, merge},
    engine::{hand_edits::EDITS, inbox, recall::backlog_fault, session::Session},
    fault::{Fault, Kind},
    git::{
        Repo,
        advance::{self, Checkout, Forward},
        codetree,
        commit::{self, Message},
        forward,
        history::{self, LogEntry},
        refs::{self, Head, RefMove},
        tree,
    },
    id::{CommitId, GoalId},
    time::Moment,
};

/// Where goals land.
#[derive(Clone, Debug)]
pub struct Target {
    /// The branch's short name.
    pub branch: String,
    /// The branch's commit.
    pub head: CommitId,
    /// `landed/<target>`, if it stands.
    pub landed: Option<CommitId>,
    /// What the branch was when results began to wait, if `landed/<target>` stands.
    pub base: Option<CommitId>,
    /// What is built upon: `landed` where it continues the branch, else the branch.
    pub tip: CommitId,
    /// Worktrees that have the branch checked out.
    pub checkouts: Vec<Checkout>,
}

impl Target {
    /// Reads the target.
    ///
    /// # Errors
    /// A fault with a hint for an unborn branch and a detached HEAD.
    pub fn read(session: &Session, repo: &Repo) -> Result<Self> {
        let head = refs::head(repo)?;
        let wanted = session.settings(repo)?.land.target;
        let branch = match (wanted, &head) {
            (Some(branch), _) => branch,
            (None, Head::Branch(branch, _)) => branch.clone(),
            (None, Head::Detached(_)) => {
                if let Some(branch) = advance::rebasing(repo.git_dir()) {
                    let fault = Fault::new(Kind::Person, format!("a rebase of `{branch}` is in progress"));
                    return Err(fault.hint("`git rebase --continue`, or `git rebase --abort`").into());
                }
                let fault = Fault::new(Kind::Error, "HEAD is detached, so there is no branch to land on");
                return Err(fault
                    .hint("`git switch BRANCH`, or `git config invisigoth.land.target BRANCH`")
                    .into());
            }
        };
        Self::of(repo, branch)
    }

    /// Reads the same target again: a run stays with it whatever its user checks out meanwhile.
    ///
    /// # Errors
    /// A fault where the branch is gone.
    pub fn again(&self, repo: &Repo) -> Result<Self> {
        Self::of(repo, self.branch.clone())
    }

    fn of(repo: &Repo, branch: String) -> Result<Self> {
        let Some(at) = refs::read(repo, &refs::branch_ref(&branch))? else {
            let fault = Fault::new(Kind::Error, format!("branch `{branch}` has no commit yet"));
            return Err(fault
                .hint("`git commit --allow-empty -m \"Start\"` makes the first one")
                .into());
        };
        let mut target = Self {
            checkouts: advance::checkouts(repo, &branch)?,
            head: at,
            landed: refs::read(repo, &refs::landed_ref(&branch))?,
            base: refs::read(repo, &refs::base_ref(&branch))?,
            branch,
            tip: at,
        };
        if let Some(landed) = target.landed
            && target.is_continued_by(repo, landed)?
        {
            target.tip = landed;
        }
        Ok(target)
    }

    /// True where `landed` continues the branch as it is now. A branch that was reset behind what the results were built on is
    /// not continued: they would bring back the commits that its user took away.
    fn is_continued_by(&self, repo: &Repo, landed: CommitId) -> Result<bool> {
        let behind = match self.base {
            Some(base) => !history::contains(repo, self.head, base)?,
            None => false,
        };
        Ok(!behind && history::contains(repo, landed, self.head)?)
    }

    /// Returns the ref move that notes where results begin to wait; `None` where they wait already or need not.
    pub fn begins_to_wait(&self) -> Option<RefMove> {
        let (name, old) = self.landing_ref();
        (old.is_none() && name == refs::landed_ref(&self.branch)).then(|| RefMove::Set {
            name: refs::base_ref(&self.branch),
            old: self.base,
            new: self.head,
            why: "invisigoth: results wait".into(),
        })
    }

    fn forget_base(&self) -> Option<RefMove> {
        let name = refs::base_ref(&self.branch);
        self.base.map(|old| RefMove::Delete { name, old })
    }

    /// Returns the ref that a landing moves, and what it is now.
    pub fn landing_ref(&self) -> (String, Option<CommitId>) {
        if self.checkouts.is_empty() && self.landed.is_none() {
            (refs::branch_ref(&self.branch), Some(self.head))
        } else {
            (refs::landed_ref(&self.branch), self.landed)
        }
    }

    /// Commits memory files on the tip and moves the target there; `None` where somebody else moved it meanwhile.
    ///
    /// # Errors
    /// When objects or refs cannot be written.
    pub fn commit_memory(
        &self,
        repo: &Repo,
        files: &[(String, Vec<u8>)],
        message: &Message,
        at: Moment,
    ) -> Result<Option<CommitId>> {
        let made = memory_commit(repo, self.tip, files, message, at)?;
        let (name, old) = self.landing_ref();
        let set = RefMove::Set {
            name,
            old,
            new: made,
            why: message.subject.clone(),
        };
        let moves: Vec<RefMove> = self.begins_to_wait().into_iter().chain([set]).collect();
        Ok((refs::swap(repo, &moves)? == refs::Swap::Done).then_some(made))
    }

    /// True where results wait for the checkout.
    pub fn is_waiting(&self) -> bool {
        self.tip != self.head
    }

    /// Returns why results wait beside the branch, if they do.
    ///
    /// # Errors
    /// When a checkout cannot be looked at.
    pub fn beside(&self, session: &Session, repo: &Repo) -> Result<Option<String>> {
        if !self.is_waiting() {
            return Ok(None);
        }
        for checkout in &self.checkouts {
            if let Some(why) = advance::waits(repo, &session.env, checkout, (self.head, self.tip), session.clock.now())?
            {
                return Ok(Some(why));
            }
        }
        Ok(Some("the next `run` or `merge` brings them in".to_owned()))
    }

    /// Looks again which worktrees have the branch checked out: people switch branches while checks run.
    ///
    /// # Errors
    /// When the list of worktrees cannot be read.
    pub fn look(&mut self, repo: &Repo) -> Result<()> {
        self.checkouts = advance::checkouts(repo, &self.branch)?;
        Ok(())
    }

    /// Takes away what a fast-forward that was killed left in the checkouts; says why a person has to, where that is so.
    ///
    /// # Errors
    /// When something there cannot be read or removed.
    pub fn mend(&self, session: &Session, repo: &Repo) -> Result<Option<String>> {
        for checkout in &self.checkouts {
            if let Some(why) = forward::finish(repo, &session.env, checkout, &session.stop)? {
                return Ok(Some(why));
            }
        }
        Ok(None)
    }

    /// Brings the branch to the tip: by its ref where nobody has it checked out, else as `git merge --ff-only` does in
    /// each checkout that is idle. Returns why results wait, if they do.
    ///
    /// # Errors
    /// When refs or trees cannot be read or written.
    pub fn advance(&mut self, session: &Session, repo: &Repo) -> Result<Option<String>> {
        self.look(repo)?;
        if let Some(why) = self.mend(session, repo)? {
            return Ok(Some(why));
        }
        if !self.is_waiting() {
            self.drop_landed(repo)?;
            return Ok(None);
        }
        if self.checkouts.is_empty() {
            let set = RefMove::Set {
                name: refs::branch_ref(&self.branch),
                old: Some(self.head),
                new: self.tip,
                why: "invisigoth: land".into(),
            };
            if refs::swap(repo, &[set])? == refs::Swap::Lost {
                return Ok(Some(format!("branch `{}` was moved meanwhile", self.branch)));
            }
        }
        for checkout in &self.checkouts {
            // git moves the branch itself with the first checkout; two checkouts of one branch are a forced rarity.
            let waits =
                advance::fast_forward(repo, &session.env, checkout, (self.head, self.tip), session.clock.now())?;
            if let Forward::Waits(why) = waits {
                return Ok(Some(why));
            }
        }
        self.head = self.tip;
        self.drop_landed(repo)?;
        Ok(None)
    }

    /// Deletes `landed/<target>` and candidates, once the real branch contains them.
    fn drop_landed(&mut self, repo: &Repo) -> Result<()> {
        let mut stale = Vec::new();
        let landed = match self.landed {
            Some(landed) if history::contains(repo, self.head, landed)? => Some(landed),
            _ => None,
        };
        if let Some(landed) = landed {
            stale.push(RefMove::Delete {
                name: refs::landed_ref(&self.branch),
                old: landed,
            });
            stale.extend(self.forget_base());
        }
        for (name, commit) in refs::below(repo, refs::CANDIDATES)? {
            let short = name.trim_start_matches("refs/heads/");
            // Whoever looks at it there must not find himself on a branch without commits.
            if history::contains(repo, self.head, commit)? && advance::checkouts(repo, short)?.is_empty() {
                stale.push(RefMove::Delete { name, old: commit });
            }
        }
        if !stale.is_empty() && refs::swap(repo, &stale)? == refs::Swap::Done && landed.is_some() {
            (self.landed, self.base) = (None, None);
        }
        Ok(())
    }

    /// Takes in that a landing moved the tip to `head`.
    pub fn moved(&mut self, head: CommitId) {
        let (name, _) = self.landing_ref();
        if name == refs::branch_ref(&self.branch) {
            self.head = head;
        } else {
            if self.landed.is_none() {
                self.base = Some(self.head);
            }
            self.landed = Some(head);
        }
        self.tip = head;
    }

    /// Returns the head of what waits beside the branch, where a person moved the branch away from it.
    ///
    /// # Errors
    /// When history cannot be read.
    pub fn left_behind(&self, repo: &Repo) -> Result<Option<CommitId>> {
        let Some(landed) = self.landed else { return Ok(None) };
        let is_here = self.is_continued_by(repo, landed)? || history::contains(repo, self.head, landed)?;
        Ok((!is_here).then_some(landed))
    }

    /// Where a person moved the branch away from what had landed beside it: makes the members candidates again, keeps what was
    /// undone in refs of its own, and drops `landed/<target>`, so that all of it is done anew on the branch as it is now.
    /// Edits of the backlog, which nothing else remembers, are made anew at once, as a commit at `at`. Returns the members in
    /// the order in which they landed.
    ///
    /// # Errors
    /// When refs or commits cannot be read or written; a fault where the branch's backlog is broken.
    pub fn reconcile(&mut self, repo: &Repo, at: Moment) -> Result<Vec<GoalId>> {
        let mut again = Vec::new();
        let Some(landed) = self.left_behind(repo)? else {
            return Ok(again);
        };
        let mut moves = Vec::new();
        let waiting = self.waiting(repo, landed)?;
        let edited = self.edited_anew(repo, &waiting, at)?;
        let (landings, undone) = last_said(&waiting);
        for (goal, commit) in landings {
            let name = refs::candidate_ref(&goal);
            again.push(goal);
            if refs::read(repo, &name)?.is_none() {
                moves.push(RefMove::Set {
                    name,
                    old: None,
                    new: commit,
                    why: "invisigoth: land anew".into(),
                });
            }
        }
        for (goal, commit) in undone {
            let name = refs::undone_ref(&goal);
            moves.push(RefMove::Set {
                old: refs::read(repo, &name)?,
                name,
                new: commit,
                why: "invisigoth: undo anew".into(),
            });
        }
        let name = refs::landed_ref(&self.branch);
        match edited {
            Some(new) => moves.extend([
                RefMove::Set {
                    name,
                    old: Some(landed),
                    new,
                    why: "invisigoth: edit anew".into(),
                },
                RefMove::Set {
                    name: refs::base_ref(&self.branch),
                    old: self.base,
                    new: self.head,
                    why: "invisigoth: results wait".into(),
                },
            ]),
            None => {
                moves.push(RefMove::Delete { name, old: landed });
                moves.extend(self.forget_base());
            }
        }
        if refs::swap(repo, &moves)? == refs::Swap::Done {
            (self.landed, self.base) = (edited, edited.map(|_| self.head));
            self.tip = edited.unwrap_or(self.head);
        }
        Ok(again)
    }

    /// Merges the edits of the backlog among `waiting` with the branch's own, and returns the commit that makes them on it;
    /// `None` where the branch has them all.
    fn edited_anew(&self, repo: &Repo, waiting: &[LogEntry], at: Moment) -> Result<Option<CommitId>> {
        let text = |root| Ok::<_, eyre::Report>(tree::read_file(repo, root, PENDING)?.unwrap_or_default());
        let head = tree::of_commit(repo, self.head)?;
        let (was, inbox) = (text(head)?, inbox::stored(repo, head)?);
        let (mut pending, mut folded) = (was.clone(), BTreeSet::new());
        for entry in waiting.iter().filter(|entry| entry.subject() == EDITS) {
            let Some(parent) = entry.parents.first() else { continue };
            let (before, after) = (tree::of_commit(repo, *parent)?, tree::of_commit(repo, entry.id)?);
            pending = merge::file(PENDING, [&text(before)?, &pending, &text(after)?])
                .map_err(|error| backlog_fault(&error))?;
            let (old, kept) = (inbox::stored(repo, before)?, inbox::stored(repo, after)?);
            let gone = old.into_iter().filter(|(path, _)| !kept.contains_key(path));
            folded.extend(gone.filter_map(|(path, bytes)| (inbox.get(&path) == Some(&bytes)).then_some(path)));
        }
        if pending == was && folded.is_empty() {
            return Ok(None);
        }
        let folded = folded.into_iter().map(|path| (path, Vec::new()));
        let files: Vec<(String, Vec<u8>)> = folded.chain([(PENDING.to_owned(), pending)]).collect();
        let message = Message {
            subject: EDITS.into(),
            ..Message::default()
        };
        memory_commit(repo, self.head, &files, &message, at).map(Some)
    }

    /// Returns the commits that wait beside the branch, up to `landed`, the oldest first.
    fn waiting(&self, repo: &Repo, landed: CommitId) -> Result<Vec<LogEntry>> {
        let mut entries = Vec::new();
        let mut next = Some(landed);
        while let Some(id) = next {
            if self.base == Some(id) || history::contains(repo, self.head, id)? {
                break;
            }
            let entry = history::entry(repo, id)?;
            next = entry.parents.first().copied();
            entries.push(entry);
        }
        entries.reverse();
        Ok(entries)
    }
}

/// Makes the commit of memory files on `parent`; moves no ref.
fn memory_commit(
    repo: &Repo,
    parent: CommitId,
    files: &[(String, Vec<u8>)],
    message: &Message,
    at: Moment,
) -> Result<CommitId> {
    let code = tree::code_of_commit(repo, parent)?;
    let memory = codetree::with_memory(repo, code, code.root, files)?;
    Ok(commit::memory_only(repo, memory, &[parent], message, at)?)
}

type Said = (GoalId, CommitId);

/// Returns what commits, the oldest first, come to: the landings that they end with, and the undos that are needed for it.
/// What was landed and undone is undone all the same: its goal must not start again by itself.
fn last_said(entries: &[LogEntry]) -> (Vec<Said>, BTreeMap<GoalId, CommitId>) {
    let mut landings: Vec<Said> = Vec::new();
    let mut undone = BTreeMap::new();
    let mut landed_here = BTreeSet::new();
    for entry in entries {
        for goal in entry.trailers("Undo").filter_map(|goal| goal.parse::<GoalId>().ok()) {
            landings.retain(|(other, _)| *other != goal);
            undone.insert(goal, entry.id);
        }
        for (goal, commit) in members(entry) {
            if undone.contains_key(&goal) && landed_here.contains(&goal) {
                undone.remove(&goal);
            }
            // What it was undone of is on the branch, where it had landed before.
            if !undone.contains_key(&goal) {
                landed_here.insert(goal.clone());
            }
            landings.retain(|(other, _)| *other != goal);
            landings.push((goal, commit));
        }
    }
    (landings, undone)
}

/// Returns the goals that a commit landed, with their candidates.
pub fn members(entry: &LogEntry) -> Vec<(GoalId, CommitId)> {
    let landed = entry.trailers("Landed").filter_map(|value| {
        let (goal, commit) = value.rsplit_once(' ')?;
        Some((goal.parse().ok()?, commit.parse().ok()?))
    });
    let mut members: Vec<_> = landed.collect();
    if members.is_empty() {
        members.extend(
            entry
                .trailers("Goal")
                .filter_map(|goal| Some((goal.parse().ok()?, entry.id))),
        );
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commits that say `+a` (land) or `-a` (undo), numbered from 1.
    fn said(words: &[&str]) -> (Vec<String>, Vec<String>) {
        let entry = |(nth, word): (usize, &&str)| {
            let id: CommitId = format!("{:040x}", nth + 1).parse().unwrap();
            let trailer = match word.split_at(1) {
                ("+", goal) => format!("Landed: {goal} {id}"),
                (_, goal) => format!("Undo: {goal}\nSettled: {goal}"),
            };
            LogEntry {
                id,
                parents: Vec::new(),
                message: format!("subject\n\n{trailer}\n"),
                at: Moment(0),
            }
        };
        let entries: Vec<LogEntry> = words.iter().enumerate().map(entry).collect();
        let (landings, undone) = last_said(&entries);
        let word = |(goal, commit): (GoalId, CommitId)| {
            let commit = commit.to_string();
            format!("{goal}{}", commit.trim_start_matches('0'))
        };
        (
            landings.into_iter().map(word).collect(),
            undone.into_iter().map(word).collect(),
        )
    }

    #[test]
    fn what_waits_comes_to_the_newest_that_is_said_of_each_goal() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (case, landings, undone) in [
            (&["+a", "+b"][..], &["a1", "b2"][..], &[][..]),
            (&["+a", "-a", "+b"], &["b3"], &["a2"]),
            (&["-a"], &[], &["a1"]),
            (&["+a", "-a", "+a"], &["a3"], &[]),
            (&["-a", "+a"], &["a2"], &["a1"]),
            (&["-a", "+a", "-a"], &[], &["a3"]),
        ] {
            assert_eq!(said(case), (words(landings), words(undone)), "{case:?}");
        }
    }
}
