//! A shift: works at what is ready, several goals at a time, and lands what comes of it, until nothing is left to do.
//!
//! One thread leads: it alone knows the facts, starts goals, and takes the queue's turns; the others work and tell of their
//! ends. What to start is decided by `schedule/starts`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    thread,
    time::Duration,
};

use eyre::{Error, Result};

use crate::{
    engine::{
        attempt::{Ended, Passed},
        claims::{self, Claims, Taken},
        footprints::Footprints,
        host, orders, pool,
        queue::{self, Demand, Queue},
        recall,
        remote::Through,
        run::{self, GoalResult, Order},
        runs::Own,
        stored, sync,
        worker::Worker,
        workers::{Note, Workers},
    },
    facts::{Candidate, Fact, Standing},
    fault::{Fault, Kind},
    git::refs,
    goal::Decision,
    id::{CommitId, GoalId},
    schedule::{
        self, State,
        forecast::{self, Forecast, Work},
        starts::{self, Base, InWork, Limits},
    },
    settings::Via,
    time::{Moment, Stopping},
};

/// How long the lead waits for its threads before it looks what people and other processes did.
const TICK: Duration = Duration::from_millis(200);

/// What a run has come to so far.
#[derive(Default)]
pub struct Progress {
    /// Goals that were started, or that others had in hand: each is started once.
    pub tried: BTreeSet<GoalId>,
    /// Each goal that was worked on, in the order of their ends.
    pub results: Vec<GoalResult>,
    /// Goals that could start and did not, for what is in work or waits to land, and why.
    pub waiting: Vec<(GoalId, String)>,
    /// Where it is written down how far the run came.
    pub own: Option<Arc<Own>>,
}

impl Progress {
    /// Takes in what became of a goal, in place of what became of it before.
    fn result(&mut self, result: GoalResult) {
        self.results.retain(|earlier| earlier.goal != result.goal);
        self.results.push(result);
        // A run that is killed has come as far as its last goal.
        if let Some(own) = &self.own {
            own.came();
        }
    }
}

/// Works at `order` until nothing is left to do.
///
/// # Errors
/// A fault when the run itself cannot go on; what is under way comes to its end before.
pub fn work(lead: &mut Worker<'_>, order: &Order, progress: &mut Progress) -> Result<()> {
    sync::begin(lead)?;
    let Some(claims) = lead.claims.clone() else {
        return Ok(());
    };
    let worked = thread::scope(|scope| {
        let mut shift = Shift {
            order,
            progress,
            claims: &claims,
            workers: Workers::new(scope),
            queue: Queue::default(),
            in_hand: BTreeMap::new(),
            mine: BTreeMap::new(),
            footprints: Footprints::default(),
            looked: BTreeSet::new(),
            proposed: BTreeSet::new(),
            again: BTreeSet::new(),
            is_starving: true,
            cut_short: None,
        };
        shift.work(lead)
    });
    lead.pass_turn();
    lead.claims = None;
    let released = claims.release_all(&lead.repo);
    let swept = claims::sweep(lead.session, &lead.repo);
    worked.and(released).and(swept)
}

struct Shift<'a, 'scope, 'env, 's> {
    order: &'a Order,
    progress: &'a mut Progress,
    claims: &'a Claims<'s>,
    workers: Workers<'scope, 'env, 's>,
    queue: Queue,
    /// Goals that threads of ours work on, and since when.
    in_hand: BTreeMap<GoalId, Moment>,
    /// Goals whose candidates this run made and that have not landed, by description.
    mine: BTreeMap<GoalId, String>,
    footprints: Footprints,
    /// Goals that were looked at anew because others had done something at them.
    looked: BTreeSet<GoalId>,
    /// Candidates that the git host knows (`land.via = "host"`).
    proposed: BTreeSet<CommitId>,
    /// Goals that were evicted in this run, to be tried again.
    again: BTreeSet<GoalId>,
    is_starving: bool,
    cut_short: Option<Error>,
}

impl<'s: 'scope, 'scope> Shift<'_, 'scope, '_, 's> {
    fn work(&mut self, lead: &mut Worker<'s>) -> Result<()> {
        self.look_there(lead)?;
        loop {
            if self.cut_short.is_none() {
                self.cut_short = refuse_to_go_on(lead).err();
            }
            let goes_on = self.cut_short.is_none();
            if goes_on {
                self.tend(lead)?;
            }
            // What lands first may free more than what waits now.
            if self.turn(lead)? {
                continue;
            }
            if goes_on {
                let was_starving = self.is_starving;
                let is_stale = self.start(lead)?;
                let starves = self.is_starving && !was_starving;
                if is_stale || starves && self.turn(lead)? {
                    continue;
                }
            }
            if self.workers.busy() == 0 && !self.queue.is_busy() {
                // What others landed meanwhile may be what the rest waits for.
                if goes_on && self.look_there(lead)? {
                    continue;
                }
                if !(goes_on && (self.is_behind() || self.waits_for_others(lead)?)) {
                    break;
                }
            }
            if let Some(note) = self.workers.hear(TICK) {
                self.take_in(lead, note)?;
            }
            self.claims.beat(&lead.repo)?;
        }
        match self.cut_short.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn turn(&mut self, lead: &mut Worker<'s>) -> Result<bool> {
        if self.order.no_merge {
            return Ok(false);
        }
        if lead.settings.land.via == Via::Host {
            return self.propose(lead);
        }
        let is_stopped = lead.session.stop.stopping() != Stopping::No;
        let in_hand: BTreeSet<GoalId> = self.in_hand.keys().cloned().collect();
        let demand = Demand {
            in_hand: &in_hand,
            only: &self.order.only,
            approved: approved(self.order),
            // Whoever asked the run to stop waits for no check; what passed lands.
            may_check: !is_stopped,
            is_starving: self.is_starving || self.cut_short.is_some() || self.in_hand.is_empty(),
            jobs: pool::check_jobs(&lead.settings),
        };
        let mut results = Vec::new();
        let changed = self.queue.turn(lead, &mut self.workers, demand, &mut results);
        for result in results {
            if result.state == State::Ready {
                // It was evicted: it is worked on again in this very run, however many goals that may try.
                self.again.insert(result.goal.clone());
            } else {
                self.again.remove(&result.goal);
            }
            self.mine.remove(&result.goal);
            self.claims.release(&lead.repo, &result.goal)?;
            self.progress.result(result);
        }
        let changed = changed?;
        self.settle_mine(lead);
        Ok(changed)
    }

    /// Has the git host land what would land here.
    fn propose(&mut self, lead: &Worker<'s>) -> Result<bool> {
        let all = queue::eligible(&lead.facts, &self.order.only, approved(self.order));
        // One that is built on another shows only its own changes once that has landed.
        let is_next = |id: &GoalId| {
            let open = lead.facts.goals.get(id);
            open.is_some_and(|open| schedule::is_met(&lead.facts, open))
        };
        let is_new = |candidate: &Candidate| !self.proposed.contains(&candidate.commit);
        let new = all.filter(|(id, candidate)| !self.in_hand.contains_key(*id) && is_new(candidate) && is_next(id));
        let new: Vec<(GoalId, CommitId)> = new.map(|(id, candidate)| (id.clone(), candidate.commit)).collect();
        for (id, commit) in new {
            self.proposed.insert(commit);
            let (state, reason) = match host::offer(lead, &id, commit)? {
                Ok(proposed) => (State::Candidate, proposed.words()),
                Err(fault) => (State::Held, words(&fault)),
            };
            self.mine.remove(&id);
            let open = lead.facts.goals.get(&id);
            self.progress.result(GoalResult {
                description: open.map(|open| open.description.clone()).unwrap_or_default(),
                goal: id,
                state,
                reason,
                commit: Some(commit),
                red_green: None,
            });
        }
        Ok(false)
    }

    /// Looks what people and other processes did, and brings the checkout along now and then.
    fn tend(&mut self, lead: &mut Worker<'s>) -> Result<()> {
        // A batch under test keeps the turn; who edits the backlog meanwhile is heard before it lands.
        if self.queue.is_busy() {
            return Ok(());
        }
        if lead.take_turn()? {
            sync::refresh(lead)?;
            lead.follow_now_and_then()?;
            lead.pass_turn();
        } else {
            lead.look_again()?;
        }
        self.settle_mine(lead);
        Ok(())
    }

    /// Starts what may start; true where the facts were read anew instead.
    fn start(&mut self, lead: &mut Worker<'s>) -> Result<bool> {
        self.progress.waiting.clear();
        // What landed there since may be what would be started, or what it needs.
        if self.is_behind() {
            return Ok(false);
        }
        if self.order.max == Some(0) || run::is_stalled(lead, self.order, self.progress) {
            // To land is no new work: a pause does not keep it.
            self.is_starving = true;
            return Ok(false);
        }
        if orders::paused(lead.session, &lead.repo).is_some() {
            self.is_starving = true;
            if self.workers.busy() == 0 && !self.queue.is_busy() {
                if lead.take_turn()? {
                    // What landed so far must not wait, too.
                    lead.follow()?;
                    lead.pass_turn();
                }
                self.cut_short = orders::wait(lead, None).err();
                lead.step_of(None, None);
                return Ok(true);
            }
            return Ok(false);
        }
        let jobs = usize::try_from(lead.settings.run.jobs).unwrap_or(1);
        if self.in_hand.len() >= jobs {
            self.is_starving = false;
            return Ok(false);
        }
        let limits = Limits {
            jobs,
            stack: usize::try_from(lead.settings.run.stack).unwrap_or(0),
            only: &self.order.only,
            is_red: self.queue.is_red(),
        };
        let mut could = starts::startable(&lead.facts, &limits);
        let room = self.order.max.map(|max| max.saturating_sub(self.progress.tried.len()));
        let mut room = room.unwrap_or(usize::MAX);
        could.retain(|(id, _)| {
            let is_new = !self.progress.tried.contains(id) && room > 0;
            room -= usize::from(is_new);
            is_new || self.again.contains(id)
        });
        let in_work = self.in_work(lead);
        let chosen = starts::starts(&lead.facts, could, &in_work, &limits, |id| self.footprints.of(lead, id));
        self.is_starving = chosen.is_starving;
        self.progress.waiting = chosen.wait;
        for (id, base) in chosen.start {
            if self.begin(lead, &id, &base)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lists what is in work: here, and as candidates that wait.
    fn in_work(&self, lead: &Worker<'_>) -> Vec<InWork> {
        let here = self.in_hand.keys().map(|goal| InWork {
            footprint: self.footprints.of(lead, goal),
            goal: goal.clone(),
            is_candidate: false,
        });
        let waiting = match self.order.no_merge {
            true => BTreeSet::new(),
            false => queue::eligible(&lead.facts, &self.order.only, approved(self.order))
                .map(|(id, _)| id.clone())
                .collect(),
        };
        let waiting = waiting.into_iter().map(|goal| InWork {
            footprint: self.footprints.of(lead, &goal),
            goal,
            is_candidate: true,
        });
        here.chain(waiting).collect()
    }

    /// Claims a goal and starts it, where nobody else has it; true where others did something meanwhile, so that the facts were
    /// read anew.
    fn begin(&mut self, lead: &mut Worker<'s>, id: &GoalId, base: &Base) -> Result<bool> {
        match self.claims.take(&lead.repo, id)? {
            Taken::Ours => {}
            Taken::Theirs(_) => {
                lead.facts.running.insert(id.clone());
                return Ok(false);
            }
            Taken::Landed => {
                self.progress.tried.insert(id.clone());
                return self.look_there(lead);
            }
        }
        let on = match base {
            Base::Tip => None,
            Base::Candidate(on) => lead.facts.candidates.get(on).map(|candidate| candidate.commit),
        };
        let is_gone = on.is_none() && *base != Base::Tip;
        // What others did meanwhile is known once the facts are read anew; whether it can still start is looked at then.
        let is_stale = is_gone || is_stale(lead, id)?;
        if is_gone || is_stale && (self.looked.insert(id.clone()) || lead.facts.landed.contains(id)) {
            self.claims.release(&lead.repo, id)?;
            lead.recall()?;
            return Ok(true);
        }
        self.progress.tried.insert(id.clone());
        self.again.remove(id);
        let now = lead.session.clock.now();
        self.in_hand.insert(id.clone(), now);
        lead.facts.running.insert(id.clone());
        lead.live.take(id, now);
        self.foretell(lead);
        self.workers.start(lead, id, on);
        Ok(false)
    }

    /// Says how long it all goes on, probably.
    fn foretell(&self, lead: &Worker<'_>) {
        let now = lead.session.clock.now();
        let room = self.order.max.map(|max| max.saturating_sub(self.progress.tried.len()));
        let work = Work {
            now,
            in_hand: &self.in_hand,
            tried: &self.progress.tried,
            only: &self.order.only,
            jobs: usize::try_from(lead.settings.run.jobs).unwrap_or(1),
            room: room.unwrap_or(usize::MAX),
        };
        let Forecast { ahead, eta, .. } = forecast::whole(&lead.facts, &work);
        let ends = eta.map(|eta| eta.after(now));
        lead.live.foretell(&lead.facts.durations.landed, (ahead, ends));
    }

    fn take_in(&mut self, lead: &mut Worker<'s>, note: Note) -> Result<()> {
        match note {
            Note::Judged { batch, prefix, verdict } => {
                if let Err(error) = self.queue.judged(batch, prefix, verdict) {
                    self.queue.drop_batch(lead);
                    self.cut_short.get_or_insert(error);
                }
            }
            Note::Ended(id, ended) => {
                if let Some(since) = self.in_hand.remove(&id) {
                    let took = lead.session.clock.now().since(since);
                    lead.facts.durations.of.insert(id.clone(), took);
                    if matches!(ended, Ok(Ended::Passed(_))) {
                        lead.facts.durations.add(took);
                    }
                }
                lead.facts.running.remove(&id);
                lead.live.leave(&id);
                match ended {
                    Ok(ended) => self.ended(lead, &id, ended),
                    Err(error) => {
                        self.cut_short.get_or_insert(error);
                    }
                }
                self.foretell(lead);
                // Its end is on record before others may take it. A remote has nothing of it before it landed.
                if self.claims.remote().is_none() || !self.mine.contains_key(&id) {
                    self.claims.release(&lead.repo, &id)?;
                }
            }
        }
        Ok(())
    }

    fn ended(&mut self, lead: &mut Worker<'s>, id: &GoalId, ended: Ended) {
        let open = lead.facts.goals.get(id);
        let description = open.map(|open| open.description.clone()).unwrap_or_default();
        let (state, reason, commit) = match ended {
            Ended::Failed(number, reason) => {
                lead.ended(id, number, Standing::Failed, &reason);
                (State::Failed, reason, None)
            }
            Ended::Paused(number, over) => {
                let why = recall::pause_words(id, &over);
                lead.ended(id, number, Standing::Paused, &why);
                (State::Blocked, format!("paused: {why}"), None)
            }
            // Another process saw its branch first.
            Ended::Passed(passed) if lead.facts.landed.contains(id) => {
                (State::Landed, String::new(), Some(passed.candidate))
            }
            Ended::Passed(passed) => {
                // It may have been reworded while it was worked on.
                let version = lead.backlog.get(id).map(|goal| goal.version());
                let outdated = version.as_ref() != Some(&passed.stored.version);
                lead.facts
                    .learn(Fact::Candidate(id.clone(), candidate(&passed, outdated)));
                let commit = Some(passed.candidate);
                match &passed.held {
                    Some(why) => (State::Held, run::held(lead, id, &description, why), commit),
                    None if self.order.no_merge => (State::Candidate, String::new(), commit),
                    None => {
                        self.mine.insert(id.clone(), description);
                        return;
                    }
                }
            }
        };
        self.progress.result(GoalResult {
            goal: id.clone(),
            description,
            state,
            reason,
            commit,
            red_green: None,
        });
    }

    /// Says what became of candidates of ours that others landed, or that people do not want any more.
    fn settle_mine(&mut self, lead: &Worker<'_>) {
        let (results, approved) = (&mut self.progress.results, approved(self.order));
        self.mine.retain(|id, description| {
            let candidate = lead.facts.candidates.get(id);
            let is_wanted = lead
                .facts
                .goals
                .get(id)
                .is_some_and(|open| open.decision == Decision::Pending);
            let holds = candidate.and_then(|candidate| candidate.held.as_ref());
            let (state, reason) = if lead.facts.landed.contains(id) {
                (State::Landed, String::new())
            } else if let Some(why) = holds.filter(|_| is_wanted && !approved.contains(id)) {
                (State::Held, run::held(lead, id, description, why))
            } else if is_wanted && candidate.is_some_and(|candidate| !candidate.outdated) {
                return true;
            } else {
                let why = "it was reworded, held or dropped while it was worked on";
                lead.session.say(format!("{id} does not land: {why}"));
                (State::Candidate, why.to_owned())
            };
            results.push(GoalResult {
                goal: id.clone(),
                description: description.clone(),
                state,
                reason,
                commit: candidate.map(|candidate| candidate.commit),
                red_green: None,
            });
            false
        });
    }

    /// True where something landed at the remote that nobody here has taken in: somebody else has the turn.
    fn is_behind(&self) -> bool {
        self.claims.remote().is_some_and(Through::is_behind)
    }

    /// Looks what other clones landed at the remote, where this run lands through one; true where something did.
    fn look_there(&self, lead: &mut Worker<'s>) -> Result<bool> {
        if self.claims.remote().is_none() || !lead.take_turn()? {
            return Ok(false);
        }
        let moved = sync::look(lead);
        lead.pass_turn();
        moved
    }

    /// True where another process works on something that a goal waits for: its end may make that ready.
    fn waits_for_others(&mut self, lead: &mut Worker<'s>) -> Result<bool> {
        let is_stalled = run::is_stalled(lead, self.order, self.progress);
        let has_room = !is_stalled && self.order.max.is_none_or(|max| self.progress.tried.len() < max);
        if !self.mine.is_empty() {
            let is_taken = !lead.take_turn()?;
            lead.pass_turn();
            if is_taken {
                return Ok(true);
            }
        }
        if !lead.facts.has_run() || !has_room {
            return Ok(false);
        }
        lead.recall()?;
        Ok(lead.facts.has_run() && !run::waiting(&lead.facts, &self.order.only).is_empty())
    }
}

/// Returns the goals whose candidates land although a person has to approve them.
fn approved(order: &Order) -> &[GoalId] {
    if order.approve { &order.only } else { &[] }
}

/// Ends the run where its user asked for that.
///
/// # Errors
/// A fault then.
pub fn refuse_to_go_on(lead: &Worker<'_>) -> Result<()> {
    match lead.session.stop.stopping() {
        Stopping::No => Ok(()),
        Stopping::Soon | Stopping::Now => {
            let fault = Fault::new(Kind::Interrupted, "stopped");
            Err(fault.hint("`git invisigoth run` goes on").into())
        }
    }
}

/// True where another process did something at `id`, or landed anything, since the facts were read.
fn is_stale(lead: &mut Worker<'_>, id: &GoalId) -> Result<bool> {
    let tip = lead.target.tip;
    lead.look_again()?;
    let known = lead.facts.attempts.get(id).cloned();
    let number = known.as_ref().map_or(0, |attempt| attempt.number);
    let at = stored::read(&lead.repo, id, number.max(1))?;
    let is_same = match (&known, &at) {
        (Some(known), Some(at)) => at.standing == known.standing,
        (None, None) => true,
        _ => false,
    };
    let candidate: Option<CommitId> = refs::read(&lead.repo, &refs::candidate_ref(id))?;
    let is_known = candidate == lead.facts.candidates.get(id).map(|candidate| candidate.commit);
    let is_last = stored::read(&lead.repo, id, number.max(1) + 1)?.is_none();
    Ok(lead.target.tip != tip || !(is_same && is_known && is_last))
}

/// Words a fault in one line, what to do about it last.
fn words(fault: &Fault) -> String {
    let mut parts = vec![fault.message.clone()];
    parts.extend(fault.hints.iter().cloned());
    parts.join("; ")
}

fn candidate(passed: &Passed, outdated: bool) -> Candidate {
    Candidate {
        commit: passed.candidate,
        base: passed.base,
        attempt: passed.number,
        held: passed.held.clone(),
        outdated,
    }
}
