//! Claims: no goal is worked on twice, whatever runs beside this one in the clone.
//!
//! Owns when a holder counts as dead. A claim of this clone lives as long as the lock file of its run is held; one of another
//! machine as long as it is renewed; one outside of runs until a time that it names. An early theft costs at
//! most an answer: landing moves the target by compare-and-swap.

pub mod outside;
pub mod there;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    door::{env, fs, fs::Lock, host},
    engine::{
        claims::there::Pushed,
        live,
        remote::{MOST, Through},
        session::Session,
    },
    git::{
        Repo,
        claims::{self, Claim, Holder},
        remote::{Push, Sent},
    },
    id::{CommitId, GoalId},
    time::Moment,
};

/// How long a claim of another machine counts without being renewed.
pub const TTL: Duration = Duration::from_secs(15 * 60);

/// How often a claim is renewed.
pub const BEAT: Duration = Duration::from_secs(5 * 60);

/// How much older than the newest claim one must be, beyond `TTL`, to count as dead without having been watched: clocks
/// differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60 * 60);

/// How often a claim is tried that others take and give back meanwhile.
const TRIES: u32 = 20;

/// How asking for a goal came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Taken {
    /// It is this run's.
    Ours,
    /// Somebody who is alive works on it.
    Theirs(Holder),
    /// It has landed.
    Landed,
}

/// The claims of one run, for all its threads.
pub struct Claims<'s> {
    session: &'s Session,
    holder: Holder,
    through: Option<Through>,
    held: Mutex<BTreeMap<String, Held>>,
    common: Mutex<Common>,
    /// Claims that the remote still has although they were given back.
    owed: Mutex<Vec<Push>>,
    beaten: Mutex<Moment>,
}

/// The commit that claims of this run share.
#[derive(Default)]
struct Common {
    made: Option<Claim>,
    /// What was claimed by such a one: once for each, so that what is given back never comes to look as if it were held.
    used: BTreeSet<String>,
}

/// A claim that is held.
struct Held {
    claim: Claim,
    /// What the remote has of it.
    there: Option<CommitId>,
}

impl<'s> Claims<'s> {
    /// Begins to claim for `run`, whose lock file is held already.
    pub fn open(session: &'s Session, run: &str) -> Self {
        let pid = env::process_id();
        let holder = Holder {
            run: run.to_owned(),
            host: session.env.hostname(),
            boot: host::boot(),
            pid,
            started: host::started(pid).unwrap_or_default(),
            outside: None,
        };
        Self {
            session,
            holder,
            through: None,
            held: Mutex::default(),
            common: Mutex::default(),
            owed: Mutex::default(),
            beaten: Mutex::new(session.clock.now()),
        }
    }

    /// Claims at a remote too, so that other clones see it.
    #[must_use]
    pub fn through(self, through: Through) -> Self {
        Self {
            through: Some(through),
            ..self
        }
    }

    /// Returns the remote that is claimed at and landed through, if there is one.
    pub fn remote(&self) -> Option<&Through> {
        self.through.as_ref()
    }

    /// Claims a goal. One that this run holds already is not given out twice.
    ///
    /// # Errors
    /// When claims cannot be read or written, or the remote cannot be reached.
    pub fn take(&self, repo: &Repo, goal: &GoalId) -> Result<Taken> {
        let (taken, name) = (self.try_take(repo, goal)?, claims::name(goal));
        match &taken {
            Taken::Ours => tracing::debug!(target: "claim", "{name} is taken"),
            Taken::Landed => tracing::debug!(target: "claim", "{name} has landed"),
            Taken::Theirs(holder) => {
                let Holder { host, pid, .. } = holder;
                tracing::debug!(target: "claim", of_host = host, of_pid = pid, "{name} is somebody else's");
            }
        }
        Ok(taken)
    }

    fn try_take(&self, repo: &Repo, goal: &GoalId) -> Result<Taken> {
        let claim = match self.take_here(repo, goal)? {
            Ok(claim) => claim,
            Err(holder) => return Ok(Taken::Theirs(holder)),
        };
        let Some(through) = &self.through else {
            return Ok(self.hold(claim, None));
        };
        self.settle_debts(repo)?;
        let here = claim.clone();
        match there::push(self.session, repo, through, (goal, claim)) {
            Ok(Pushed::Ours(claim)) => {
                let there = Some(claim.commit);
                Ok(self.hold(claim, there))
            }
            not => {
                let now = claims::read(repo, goal)?.filter(|now| now.holder == here.holder);
                now.map_or(Ok(()), |now| claims::release(repo, &now))?;
                match not? {
                    Pushed::Not(taken) => Ok(taken),
                    Pushed::Ours(_) => Ok(Taken::Ours),
                }
            }
        }
    }

    /// Claims in this clone; says who holds it, where somebody else does.
    fn take_here(&self, repo: &Repo, goal: &GoalId) -> Result<std::result::Result<Claim, Holder>> {
        // One thread at a time: two that share a commit would both be let make the ref.
        let mut common = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..TRIES {
            let stale = claims::read(repo, goal)?;
            if let Some(claim) = &stale
                && is_alive(self.session, repo, claim)?
            {
                return Ok(Err(claim.holder.clone()));
            }
            let now = self.session.clock.now();
            let taken = match stale.is_none() && claims::is_named(goal) && common.used.insert(goal.ref_part()) {
                true => claims::take_by(repo, goal, self.common(repo, &mut common, now)?)?,
                false => claims::take(repo, goal, &self.holder, stale.as_ref(), now)?,
            };
            if let Some(claim) = taken {
                return Ok(Ok(claim));
            }
        }
        // Others are at it all the time, whoever holds it at the moment.
        Ok(Err(Holder::default()))
    }

    /// Returns the commit to share, made anew where it is too old to tell when a goal was claimed, or was collected.
    fn common<'c>(&self, repo: &Repo, common: &'c mut Common, now: Moment) -> Result<&'c Claim> {
        let made = match common.made.take().filter(|made| now.since(made.at) < BEAT) {
            Some(made) if claims::is_there(repo, &made)? => made,
            _ => claims::common(repo, &self.holder, now)?,
        };
        Ok(common.made.insert(made))
    }

    fn hold(&self, claim: Claim, there: Option<CommitId>) -> Taken {
        self.held().insert(claim.key.clone(), Held { claim, there });
        Taken::Ours
    }

    /// True where this run holds the claim on a goal.
    pub fn holds(&self, goal: &GoalId) -> bool {
        self.held().contains_key(&goal.ref_part())
    }

    /// Gives a goal back. One that somebody took over stays theirs.
    ///
    /// # Errors
    /// When the ref cannot be written.
    pub fn release(&self, repo: &Repo, goal: &GoalId) -> Result<()> {
        let held = self.held().remove(&goal.ref_part());
        held.map_or(Ok(()), |held| self.give_back(repo, &held))
    }

    /// Gives back all that is still held.
    ///
    /// # Errors
    /// When a ref cannot be written.
    pub fn release_all(&self, repo: &Repo) -> Result<()> {
        let held = std::mem::take(&mut *self.held());
        held.values().try_for_each(|held| self.give_back(repo, held))
    }

    /// At the remote first: a claim that is left there is known as this clone's as long as it is here.
    fn give_back(&self, repo: &Repo, held: &Held) -> Result<()> {
        if let Some(there) = held.there {
            self.owed().push(Push {
                name: format!("{}{}", claims::CLAIMS, held.claim.key),
                old: Some(there),
                new: None,
            });
            self.settle_debts(repo)?;
        }
        Ok(claims::release(repo, &held.claim)?)
    }

    /// Takes away at the remote what was given back. What cannot be now is tried again.
    fn settle_debts(&self, repo: &Repo) -> Result<()> {
        let Some(through) = &self.through else { return Ok(()) };
        let mut owed = std::mem::take(&mut *self.owed());
        while !owed.is_empty() {
            let rest = owed.split_off(owed.len().min(MOST));
            if let Sent::Unknown(_) = through.push(repo, &owed, false)? {
                owed.extend(rest);
                self.owed().append(&mut owed);
                return Ok(());
            }
            // A refused one is somebody else's by now.
            owed = rest;
        }
        Ok(())
    }

    /// Returns what a push that lands `goals` takes away at the remote; it fails where a claim was lost. At most `most`.
    pub fn fence(&self, goals: &[&GoalId], most: usize) -> Vec<Push> {
        let held = self.held();
        let part = |goal: &&GoalId| {
            let old = held.get(&goal.ref_part())?.there?;
            Some(Push {
                name: claims::name(goal),
                old: Some(old),
                new: None,
            })
        };
        goals.iter().filter_map(part).take(most).collect()
    }

    /// Notes that the remote has these claims no more.
    pub fn gone_there(&self, parts: &[Push]) {
        let mut held = self.held();
        for part in parts.iter().filter(|part| part.new.is_none()) {
            let held = held.get_mut(part.name.trim_start_matches(claims::CLAIMS));
            if let Some(held) = held.filter(|held| held.there == part.old) {
                held.there = None;
            }
        }
    }

    /// Renews all that is held at the remote, where it is time. One that somebody took over is theirs: its landing will be
    /// refused.
    ///
    /// # Errors
    /// When refs or objects cannot be written.
    pub fn beat(&self, repo: &Repo) -> Result<()> {
        let Some(through) = &self.through else { return Ok(()) };
        let now = self.session.clock.now();
        {
            let mut beaten = self.beaten.lock().unwrap_or_else(PoisonError::into_inner);
            if now.since(*beaten) < BEAT {
                return Ok(());
            }
            *beaten = now;
        }
        self.settle_debts(repo)?;
        let mut held = self.held();
        let mut parts = Vec::new();
        for held in held.values_mut().filter(|held| held.there.is_some()) {
            let Some(renewed) = claims::renew(repo, &held.claim, None, now)? else {
                tracing::warn!(target: "claim", "{} was taken over by somebody", held.claim.key);
                continue;
            };
            parts.push(Push {
                name: format!("{}{}", claims::CLAIMS, renewed.key),
                old: held.there,
                new: Some(renewed.commit),
            });
            held.claim = renewed;
        }
        let mut is_refused = false;
        for parts in parts.chunks(MOST) {
            let sent = through.push(repo, parts, false)?;
            is_refused |= matches!(sent, Sent::Refused(_));
            let stayed = |part: &Push| match &sent {
                Sent::Done => false,
                Sent::Refused(rows) => rows.iter().any(|(name, _)| *name == part.name),
                Sent::Unknown(_) => true,
            };
            for part in parts.iter().filter(|part| !stayed(part)) {
                let of = held.values_mut().find(|held| Some(held.claim.commit) == part.new);
                if let Some(held) = of {
                    held.there = part.new;
                }
            }
        }
        if is_refused {
            self.find_own(repo, through, &mut held)?;
        }
        Ok(())
    }

    /// Takes in which claims of this run the remote has: where the answer to a push was lost, it is a later one than is known.
    fn find_own(&self, repo: &Repo, through: &Through, held: &mut BTreeMap<String, Held>) -> Result<()> {
        // What cannot be looked up now is at the next beat.
        if through.fetch(repo, false).is_err() {
            return Ok(());
        }
        let there = through.claims(repo)?.into_iter();
        for claim in there.filter(|claim| claim.holder == self.holder) {
            if let Some(held) = held.get_mut(&claim.key).filter(|held| held.there.is_some()) {
                held.there = Some(claim.commit);
            }
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owed(&self) -> MutexGuard<'_, Vec<Push>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the goals that living holders work on, and of those outside of runs who has which until when.
///
/// # Errors
/// When claims cannot be read.
pub fn running(session: &Session, repo: &Repo) -> Result<(BTreeSet<GoalId>, BTreeMap<GoalId, String>)> {
    let (mut goals, mut outside) = (BTreeSet::new(), BTreeMap::new());
    for claim in claims::all(repo)? {
        let Some(goal) = claim.goal.clone() else { continue };
        if !is_alive(session, repo, &claim)? {
            continue;
        }
        if let Some(holder) = &claim.holder.outside {
            outside.insert(goal.clone(), outside::words(holder));
        }
        goals.insert(goal);
    }
    Ok((goals, outside))
}

/// Removes what dead runs left: their claims in this clone, then the files of their locks. A claim that was given back can
/// come to stand again where a person packed refs at that moment.
///
/// # Errors
/// When claims cannot be read or released.
pub fn sweep(session: &Session, repo: &Repo) -> Result<()> {
    let mut named = BTreeSet::new();
    for claim in claims::all(repo)? {
        if is_alive(session, repo, &claim)? {
            named.insert(claim.holder.run);
        } else {
            claims::release(repo, &claim)?;
        }
    }
    live::sweep(session, repo, &named);
    Ok(())
}

/// True where the holder of a claim of this clone is alive, or may be for all that is known here.
///
/// # Errors
/// When the lock of its run cannot be tested.
pub fn is_alive(session: &Session, repo: &Repo, claim: &Claim) -> Result<bool> {
    if let Some(outside) = &claim.holder.outside {
        return Ok(session.clock.now() < outside.until);
    }
    if Lock::holder(&live::lock_of(session, repo, &claim.holder.run))?.is_some() {
        return Ok(true);
    }
    // A clone that several machines share: not every such file system tells one of the locks of another.
    let is_own = claim.holder.host == session.env.hostname();
    Ok(!is_own && !is_expired(session, repo, claim, claim.at)?)
}

/// What was first seen when, of claims whose holders cannot be asked.
#[derive(Default, Serialize, Deserialize)]
#[serde(transparent)]
struct Seen(BTreeMap<String, (CommitId, Moment)>);

/// True where a claim of another machine counts as dead: this clone saw it unchanged for `TTL`, by its own clock; or nobody
/// watched, and it is far older than `newest`, which is when the newest claim was made.
///
/// # Errors
/// When what was seen cannot be kept.
pub fn is_expired(session: &Session, repo: &Repo, claim: &Claim, newest: Moment) -> Result<bool> {
    if newest.since(claim.at) > TTL + CLOCKS_DIFFER {
        return Ok(true);
    }
    let path = session.own_dir(repo).join("seen.json");
    let text = fs::read(&path)?.unwrap_or_default();
    let mut seen: Seen = serde_json::from_slice(&text).unwrap_or_default();
    let now = session.clock.now();
    match seen.0.get(&claim.key) {
        Some((commit, first)) if *commit == claim.commit => Ok(now.since(*first) >= TTL),
        _ => {
            seen.0.retain(|_, (_, first)| now.since(*first) < 8 * TTL);
            seen.0.insert(claim.key.clone(), (claim.commit, now));
            fs::create_dir_all(&session.own_dir(repo))?;
            fs::write_atomic(&path, &serde_json::to_vec(&seen)?)?;
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests;
