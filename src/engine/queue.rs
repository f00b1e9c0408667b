//! The queue: batches of candidates are merged in memory, checked as one, and land with one commit.
//!
//! Level-triggered: it looks at what waits, whoever made it. What to check next and who goes is decided by
//! `schedule/queue`; here candidates are merged, checks started, and what passed lands. Holds the turn at the target from a
//! batch's making until it has landed or fallen apart.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use eyre::Result;

use crate::{
    backlog::Backlog,
    check::{Baseline, Failed, Gate, Verified},
    engine::{
        eviction::{self, Why},
        land::{self, Approval},
        live::Phase,
        members::{self, Fit, Member},
        run::{self, GoalResult},
        sync,
        worker::Worker,
        workers::{Judged, Workers},
    },
    facts::{Candidate, Fact, Facts},
    git::{history, refs, tree},
    goal::Decision,
    id::{CommitId, GoalId},
    schedule::{
        State,
        queue::{self as batches, Batch, Step, Verdict, Waiting},
        rank::Ranks,
    },
    settings::Isolation,
    snapshot::CodeTree,
    time::Moment,
};

/// The queue of one run.
pub struct Queue {
    batch: Option<UnderTest>,
    /// Numbers batches, so that a late verdict on one that fell apart is told from others.
    number: u64,
    /// How many members the next batch may have.
    size: usize,
    /// Candidates that were seen already.
    seen: BTreeSet<CommitId>,
    /// Candidates that left the queue: only another one of the same goal is looked at again.
    left: BTreeSet<CommitId>,
    /// What waited when nothing came of looking at it last.
    in_vain: Option<Look>,
}

/// What a batch is made of. As long as it stays the same, so does what comes of it.
struct Look {
    tip: CommitId,
    backlog: Arc<Backlog>,
    waiting: Vec<CommitId>,
    may_check: bool,
    is_starving: bool,
}

impl Look {
    fn is_as(&self, other: &Self) -> bool {
        let same = |look: &Self| (look.tip, look.may_check, look.is_starving);
        same(self) == same(other) && self.waiting == other.waiting && Arc::ptr_eq(&self.backlog, &other.backlog)
    }
}

/// A batch under test.
struct UnderTest {
    tip: CommitId,
    members: Vec<Member>,
    /// The code of the tip with the first so many members merged, from one on.
    codes: Vec<CodeTree>,
    gate: Gate,
    baseline: Baseline,
    decided: Batch,
    green: BTreeMap<usize, Verified>,
    red: BTreeMap<usize, Box<Failed>>,
}

/// What the queue is to do for.
#[derive(Clone, Copy)]
pub struct Demand<'a> {
    /// Only these goals; all where empty.
    pub only: &'a [GoalId],
    /// Those whose candidates a person approved by naming them.
    pub approved: &'a [GoalId],
    /// Goals whose attempts have not told of their ends yet, though their candidates may be there.
    pub in_hand: &'a BTreeSet<GoalId>,
    /// False where only what was checked already may land.
    pub may_check: bool,
    /// True where somebody has nothing to do until something lands.
    pub is_starving: bool,
    /// Most checks at a time.
    pub jobs: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            batch: None,
            number: 0,
            size: batches::LARGEST,
            seen: BTreeSet::new(),
            left: BTreeSet::new(),
            in_vain: None,
        }
    }
}

impl Queue {
    /// True while a batch is under test.
    pub fn is_busy(&self) -> bool {
        self.batch.is_some()
    }

    /// True while a batch is known to be red.
    pub fn is_red(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| !batch.red.is_empty())
    }

    /// Lets a batch fall apart; its members wait again.
    pub fn drop_batch(&mut self, lead: &mut Worker<'_>) {
        for member in self.batch.take().iter().flat_map(|batch| &batch.members) {
            lead.live.leave(&member.id);
        }
        lead.pass_turn();
    }

    /// Takes in what a check of batch `number` said.
    ///
    /// # Errors
    /// Where the check could not be run.
    pub fn judged(&mut self, number: u64, prefix: usize, verdict: Result<Judged>) -> Result<()> {
        // One of a batch that fell apart says nothing, nor does it matter how it ended.
        if let Some(batch) = self.batch.as_mut().filter(|_| number == self.number) {
            batch.learn(prefix, verdict?);
        }
        Ok(())
    }

    /// Goes as far as it can without waiting; true where something landed or left the queue, so that other goals may be ready.
    ///
    /// # Errors
    /// When the repository cannot be read or written.
    pub fn turn<'s>(
        &mut self,
        lead: &mut Worker<'s>,
        workers: &mut Workers<'_, '_, 's>,
        demand: Demand<'_>,
        results: &mut Vec<GoalResult>,
    ) -> Result<bool> {
        if self.batch.is_none() && !self.begin(lead, demand, results)? {
            return Ok(false);
        }
        loop {
            let Some(batch) = &mut self.batch else { return Ok(true) };
            match batch.decided.next(demand.jobs.max(1)) {
                // A stop was asked for since it was made.
                Step::Check(_) if !demand.may_check => {
                    self.drop_batch(lead);
                    return Ok(false);
                }
                Step::Check(prefixes) => {
                    for prefix in prefixes {
                        batch.check(lead, workers, (self.number, prefix));
                    }
                }
                Step::Wait => return Ok(false),
                Step::Land { members } => {
                    self.end(lead, demand, (members, None), results)?;
                    return Ok(true);
                }
                Step::Evict { land, culprit } => {
                    self.end(lead, demand, (land, Some(culprit)), results)?;
                    return Ok(true);
                }
            }
        }
    }

    /// Makes a batch of what waits, and takes the turn for it; false where nothing is worth it now.
    fn begin(&mut self, lead: &mut Worker<'_>, demand: Demand<'_>, results: &mut Vec<GoalResult>) -> Result<bool> {
        if !self.has_work(lead, demand)? {
            return Ok(false);
        }
        let now = self.look(lead, demand);
        if self.in_vain.as_ref().is_some_and(|before| before.is_as(&now)) || !lead.take_turn()? {
            return Ok(false);
        }
        sync::refresh(lead)?;
        lead.take_in_edits()?;
        let before = results.len();
        let now = self.look(lead, demand);
        let Some(batch) = self.made(lead, demand, results)? else {
            lead.pass_turn();
            // What other clones have in hand they may give back at any time.
            let is_ours_alone = lead.claims.as_ref().is_none_or(|claims| claims.remote().is_none());
            self.in_vain = is_ours_alone.then_some(now);
            return Ok(results.len() > before);
        };
        self.in_vain = None;
        for member in &batch.members {
            lead.live.take(&member.id, lead.session.clock.now());
            lead.step_of(Some(&member.id), Some((Phase::Landing, None)));
        }
        self.number += 1;
        tracing::debug!(target: "queue", batch = self.number, members = batch.members.len(), "a batch is made");
        self.batch = Some(batch);
        Ok(true)
    }

    /// Looks whether anything waits, also of what other processes made.
    fn has_work(&mut self, lead: &mut Worker<'_>, demand: Demand<'_>) -> Result<bool> {
        self.notice(lead, demand.in_hand)?;
        Ok(self.waiting(lead, demand).next().is_some())
    }

    /// Reads the facts anew where candidates came, changed or went without our doing.
    fn notice(&mut self, lead: &mut Worker<'_>, in_hand: &BTreeSet<GoalId>) -> Result<()> {
        let own: Vec<String> = in_hand.iter().map(refs::candidate_ref).collect();
        let (own, there): (Vec<_>, Vec<_>) = refs::below(&lead.repo, refs::CANDIDATES)?
            .into_iter()
            .partition(|(name, _)| own.contains(name));
        let own: BTreeSet<CommitId> = own.into_iter().map(|(_, commit)| commit).collect();
        let there: BTreeSet<CommitId> = there.into_iter().map(|(_, commit)| commit).collect();
        let known = |commit: &CommitId| {
            self.seen.contains(commit) || lead.facts.candidates.values().any(|one| one.commit == *commit)
        };
        let is_new = !there.iter().all(known);
        let is_gone = lead
            .facts
            .candidates
            .values()
            .any(|one| !there.contains(&one.commit) && !own.contains(&one.commit));
        self.seen = there;
        if is_new || is_gone {
            lead.recall()?;
        }
        Ok(())
    }

    /// True where these members are still as they were checked, and wanted: people hold, amend and delete candidates
    /// meanwhile, also where their edits cannot be recorded.
    fn stand(&mut self, lead: &mut Worker<'_>, demand: Demand<'_>, members: &[Member]) -> Result<bool> {
        self.notice(lead, demand.in_hand)?;
        let wanted: BTreeMap<&GoalId, CommitId> = eligible(&lead.facts, demand.only, demand.approved)
            .map(|(id, candidate)| (id, candidate.commit))
            .collect();
        Ok(members
            .iter()
            .all(|member| wanted.get(&member.id) == Some(&member.candidate)))
    }

    fn look(&self, lead: &Worker<'_>, demand: Demand<'_>) -> Look {
        Look {
            tip: lead.target.tip,
            backlog: Arc::clone(&lead.backlog),
            waiting: self.waiting(lead, demand).map(|(_, one)| one.commit).collect(),
            may_check: demand.may_check,
            is_starving: demand.is_starving,
        }
    }

    fn waiting<'f>(
        &self,
        lead: &'f Worker<'_>,
        demand: Demand<'f>,
    ) -> impl Iterator<Item = (&'f GoalId, &'f Candidate)> {
        let all = eligible(&lead.facts, demand.only, demand.approved);
        all.filter(move |(id, candidate)| !demand.in_hand.contains(*id) && !self.left.contains(&candidate.commit))
    }

    /// Returns the candidates that may land, in the order in which they should.
    fn in_order(&self, lead: &Worker<'_>, demand: Demand<'_>) -> Result<Vec<Waiting>> {
        let mut waiting = Vec::new();
        for (id, candidate) in self.waiting(lead, demand) {
            waiting.push(Waiting {
                goal: id.clone(),
                evictions: lead.facts.evictions(id),
                is_approved: candidate.held.is_some() && demand.approved.contains(id),
                made_at: made_at(lead, candidate.commit)?,
            });
        }
        let ranks = Ranks::of_open(&lead.facts);
        Ok(batches::ordered(&lead.facts, &ranks, waiting))
    }

    /// Merges the longest prefix of what waits that has no conflict. What cannot land by itself leaves the queue here.
    fn made(
        &mut self,
        lead: &mut Worker<'_>,
        demand: Demand<'_>,
        results: &mut Vec<GoalResult>,
    ) -> Result<Option<UnderTest>> {
        let waiting = self.in_order(lead, demand)?;
        let largest = match lead.settings.run.isolation {
            Isolation::Branch => self.size,
            Isolation::None => 1,
        };
        let most = batches::members(&waiting, largest);
        let tip = lead.target.tip;
        // Merging writes trees: not for a look that ends in waiting.
        let is_worth_it = demand.may_check && batches::worth_checking(most, demand.is_starving);
        if !is_worth_it && !stands_on_tip(lead, waiting.first())? {
            return Ok(None);
        }
        let mut on = tree::code_of_commit(&lead.repo, tip)?;
        let (mut members, mut codes) = (Vec::new(), Vec::new());
        for one in waiting.iter().take(most) {
            let Some(candidate) = lead.facts.candidates.get(&one.goal).cloned() else {
                continue;
            };
            // What it needs may just have left the queue.
            if !is_next(&lead.facts, &one.goal, &members) || !sync::claim(lead, &one.goal)? {
                continue;
            }
            let approval = approval(&one.goal, demand.approved);
            let mut member = members::member(&lead.repo, &one.goal, &candidate, approval)?;
            let fit = members::fit(lead, &mut member, on, &members)?;
            if member.candidate != candidate.commit {
                let anew = Candidate {
                    commit: member.candidate,
                    base: tip,
                    ..candidate.clone()
                };
                lead.facts.learn(Fact::Candidate(one.goal.clone(), anew));
            }
            match fit {
                Fit::Code(code) => {
                    on = code;
                    members.push(member);
                    codes.push(code);
                }
                // What it is built on is not wanted now: that keeps nobody else.
                Fit::Later if members.is_empty() => {}
                Fit::Later => break,
                // Against what lands before it, not against the target: it is looked at again then.
                Fit::Refused(Why::Conflict(_)) if !members.is_empty() => break,
                Fit::Held(why) => {
                    self.left.insert(member.candidate);
                    results.push(held(lead, &member, &why));
                    let held = Candidate {
                        commit: member.candidate,
                        held: Some(why),
                        ..candidate
                    };
                    lead.facts.learn(Fact::Candidate(one.goal.clone(), held));
                }
                Fit::Refused(why) => {
                    self.left.insert(member.candidate);
                    results.push(evicted(lead, &member, &why)?);
                }
            }
        }
        if members.is_empty() {
            return Ok(None);
        }
        let mut batch = UnderTest::new(lead, members, codes);
        let known = batch.recall(lead)?;
        if !demand.may_check || !batches::worth_checking(batch.members.len(), demand.is_starving) {
            // What was checked as it is lands at once; the others wait for company.
            batch.cut(known);
        }
        Ok((!batch.members.is_empty()).then_some(batch))
    }

    /// Lands the first `lands` members, and has the culprit leave; the others wait again.
    fn end(
        &mut self,
        lead: &mut Worker<'_>,
        demand: Demand<'_>,
        (lands, culprit): (usize, Option<usize>),
        results: &mut Vec<GoalResult>,
    ) -> Result<()> {
        let Some(mut batch) = self.batch.take() else {
            return Ok(());
        };
        tracing::debug!(target: "queue", batch = self.number, lands, culprit, "it is decided");
        let judged = batch.members.get(..lands + usize::from(culprit.is_some()));
        let is_current = self.is_current(lead, demand, (batch.tip, judged.unwrap_or_default()))?
            && land(lead, &batch, lands, results)?;
        for member in &batch.members {
            lead.live.leave(&member.id);
        }
        // Where something moved meanwhile, who is at fault is looked at anew, on what is there now.
        if let Some(culprit) = culprit.filter(|_| is_current) {
            self.size = batches::next_size(self.size, Verdict::Red);
            if let (Some(member), Some(failed)) = (batch.members.get(culprit), batch.red.remove(&(culprit + 1))) {
                self.left.insert(member.candidate);
                results.push(evicted(lead, member, &Why::Red(failed))?);
            }
        } else {
            self.size = batches::next_size(self.size, Verdict::Green);
        }
        lead.pass_turn();
        Ok(())
    }

    /// True where target and members are still what the checks were about.
    fn is_current(
        &mut self,
        lead: &mut Worker<'_>,
        demand: Demand<'_>,
        (tip, members): (CommitId, &[Member]),
    ) -> Result<bool> {
        // What people did while the checks ran comes first.
        lead.take_in_edits()?;
        sync::refresh(lead)?;
        Ok(lead.target.tip == tip && self.stand(lead, demand, members)?)
    }
}

impl UnderTest {
    fn new(lead: &Worker<'_>, members: Vec<Member>, codes: Vec<CodeTree>) -> Self {
        Self {
            tip: lead.target.tip,
            decided: Batch::new(members.len()),
            members,
            codes,
            gate: lead.gate.clone(),
            baseline: lead.baseline.clone(),
            green: BTreeMap::new(),
            red: BTreeMap::new(),
        }
    }

    /// Takes in verdicts that are known already, and returns the longest prefix that needs no check.
    fn recall(&mut self, lead: &Worker<'_>) -> Result<usize> {
        for (prefix, code) in (1..).zip(self.codes.clone()) {
            if let Some(verified) = lead.checker.recall(&lead.repo, code, &self.gate)? {
                self.learn(prefix, Ok(verified));
            }
        }
        Ok(self.green.keys().copied().max().unwrap_or(0))
    }

    /// Leaves all but the first `members` for later.
    fn cut(&mut self, members: usize) {
        self.members.truncate(members);
        self.codes.truncate(members);
        let mut decided = Batch::new(members);
        for prefix in self.green.keys() {
            decided.learn(*prefix, Verdict::Green);
        }
        self.decided = decided;
    }

    fn learn(&mut self, prefix: usize, verdict: Judged) {
        match verdict {
            Ok(verified) => {
                self.green.insert(prefix, verified);
                self.decided.learn(prefix, Verdict::Green);
            }
            Err(failed) => {
                self.red.insert(prefix, failed);
                self.decided.learn(prefix, Verdict::Red);
            }
        }
    }

    fn check<'s>(&mut self, lead: &Worker<'s>, workers: &mut Workers<'_, '_, 's>, (number, prefix): (u64, usize)) {
        self.decided.started(prefix);
        let Some(code) = prefix.checked_sub(1).and_then(|at| self.codes.get(at)) else {
            return;
        };
        let by = (self.gate.clone(), self.baseline.clone());
        workers.check(lead, (number, prefix), *code, by);
    }
}

/// Lands the first `lands` members; false where somebody else moved the target at that moment.
fn land(lead: &mut Worker<'_>, batch: &UnderTest, lands: usize, results: &mut Vec<GoalResult>) -> Result<bool> {
    let members = batch.members.get(..lands).unwrap_or_default();
    let Some(verified) = batch.green.get(&lands).filter(|_| !members.is_empty()) else {
        return Ok(true);
    };
    let Some(commit) = land::swap(lead, members, verified)? else {
        return Ok(false);
    };
    for member in members {
        let is_last = members.last().is_some_and(|last| last.id == member.id);
        let stands = if is_last { commit } else { member.candidate };
        results.push(landed(lead, member, stands, verified));
    }
    Ok(true)
}

/// True where all that a goal needs has landed, or lands with the members before it.
fn is_next(facts: &Facts, id: &GoalId, before: &[Member]) -> bool {
    let is_there = |need: &GoalId| facts.landed.contains(need) || before.iter().any(|member| member.id == *need);
    facts.goals.get(id).is_some_and(|open| open.needs.iter().all(is_there))
}

fn approval(id: &GoalId, approved: &[GoalId]) -> Approval {
    if approved.contains(id) {
        Approval::Given
    } else {
        Approval::None
    }
}

/// Lists the candidates that may land: current, and wanted as they are.
pub fn eligible<'f>(
    facts: &'f Facts,
    only: &'f [GoalId],
    approved: &'f [GoalId],
) -> impl Iterator<Item = (&'f GoalId, &'f Candidate)> {
    let is_asked = |id: &GoalId, candidate: &Candidate| {
        let is_free = candidate.held.is_none() || approved.contains(id);
        !candidate.outdated && is_free && (only.contains(id) || only.is_empty())
    };
    let is_wanted = |id: &GoalId| match facts.goals.get(id).map(|open| open.decision) {
        Some(Decision::Pending) => true,
        // Naming a goal approves what holds it; it overrules no other decision.
        Some(Decision::Held) => approved.contains(id),
        Some(Decision::Proposed | Decision::Rejected) | None => false,
    };
    facts
        .candidates
        .iter()
        .filter(move |(id, candidate)| is_asked(id, candidate) && is_wanted(id))
}

/// True where a candidate was made on the code of the tip: its own verdict is one on the merged code. What it was made on may
/// be another commit, such as the candidate that landed last.
fn stands_on_tip(lead: &Worker<'_>, first: Option<&Waiting>) -> Result<bool> {
    let Some(candidate) = first.and_then(|first| lead.facts.candidates.get(&first.goal)) else {
        return Ok(false);
    };
    let code = |commit| tree::code_of_commit(&lead.repo, commit).map(|code| code.id);
    Ok(candidate.base == lead.target.tip || code(candidate.base)? == code(lead.target.tip)?)
}

fn made_at(lead: &Worker<'_>, commit: CommitId) -> Result<Moment> {
    Ok(history::entry(&lead.repo, commit)?.at)
}

fn result(
    lead: &Worker<'_>,
    member: &Member,
    (state, reason): (State, String),
    commit: Option<CommitId>,
) -> GoalResult {
    let open = lead.facts.goals.get(&member.id);
    GoalResult {
        goal: member.id.clone(),
        description: open.map(|open| open.description.clone()).unwrap_or_default(),
        state,
        reason,
        commit,
        red_green: member.stored.red_green,
    }
}

fn landed(lead: &mut Worker<'_>, member: &Member, commit: CommitId, verified: &Verified) -> GoalResult {
    let landed = result(lead, member, (State::Landed, String::new()), Some(commit));
    let checks = (verified.checks(), member.stored.red_green);
    run::landed(lead, &member.id, commit, checks, &landed.description);
    landed
}

fn held(lead: &Worker<'_>, member: &Member, why: &str) -> GoalResult {
    let held = result(lead, member, (State::Held, String::new()), Some(member.candidate));
    let reason = run::held(lead, &member.id, &held.description, why);
    GoalResult { reason, ..held }
}

fn evicted(lead: &mut Worker<'_>, member: &Member, why: &Why) -> Result<GoalResult> {
    let left = result(lead, member, (State::Failed, String::new()), None);
    let evicted = eviction::evict(lead, &member.id, (member.candidate, member.number), why)?;
    let (state, reason) = evicted.into_parts();
    Ok(GoalResult { state, reason, ..left })
}

/// Lands a goal that had landed before, without saying so again; it is worked on again where it does not fit any more.
///
/// # Errors
/// When the repository cannot be read or written, or a check cannot be run.
pub fn land_anew(worker: &mut Worker<'_>, id: &GoalId) -> Result<()> {
    let Some(candidate) = worker.facts.candidates.get(id).cloned() else {
        return Ok(());
    };
    let mut member = members::member(&worker.repo, id, &candidate, Approval::Given)?;
    // It was approved when it landed first, where it had to be.
    member.stored.remark = land::stored_for(&worker.repo, id, candidate.commit, candidate.attempt)?.remark;
    match land::alone(worker, &mut member)? {
        land::Outcome::Held(..) => {}
        land::Outcome::Landed(..) => worker.facts.learn(Fact::Landed(id.clone(), worker.target.tip)),
        land::Outcome::Refused(why) => {
            eviction::evict(worker, id, (member.candidate, member.number), &why)?;
        }
    }
    Ok(())
}
