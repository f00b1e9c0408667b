//! Claims: no goal is worked on twice, whatever runs beside this one in the clone.
//!
//! Owns when a holder counts as dead. A claim of this clone lives as long as the lock file of its run is held; one of another
//! machine as long as it is renewed. An early theft costs at most an answer: landing moves the target by compare-and-swap.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    door::{env, fs, fs::Lock, host},
    engine::session::Session,
    git::{
        Repo,
        claims::{self, Claim, Holder, Of},
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
    held: Mutex<BTreeMap<String, Claim>>,
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
        };
        Self {
            session,
            holder,
            held: Mutex::default(),
        }
    }

    /// Claims a goal. One that this run holds already is not given out twice.
    ///
    /// # Errors
    /// When claims cannot be read or written.
    pub fn take(&self, repo: &Repo, goal: &GoalId) -> Result<Taken> {
        self.take_of(repo, goal.into())
    }

    /// As `take`, of a goal or of landing on a target.
    ///
    /// # Errors
    /// As `take`.
    pub fn take_of(&self, repo: &Repo, of: Of<'_>) -> Result<Taken> {
        for _ in 0..TRIES {
            let stale = claims::read(repo, of)?;
            if let Some(claim) = &stale
                && is_alive(self.session, repo, claim)?
            {
                return Ok(Taken::Theirs(claim.holder.clone()));
            }
            let now = self.session.clock.now();
            if let Some(claim) = claims::take(repo, of, &self.holder, stale.as_ref(), now)? {
                self.held().insert(claim.key.clone(), claim);
                return Ok(Taken::Ours);
            }
        }
        // Others are at it all the time, whoever holds it at the moment.
        Ok(Taken::Theirs(Holder::default()))
    }

    /// Gives a goal back. One that somebody took over stays theirs.
    ///
    /// # Errors
    /// When the ref cannot be written.
    pub fn release(&self, repo: &Repo, goal: &GoalId) -> Result<()> {
        self.release_of(repo, goal.into())
    }

    /// As `release`, of a goal or of landing on a target.
    ///
    /// # Errors
    /// As `release`.
    pub fn release_of(&self, repo: &Repo, of: Of<'_>) -> Result<()> {
        let held = self.held().remove(&of.key());
        held.map_or(Ok(()), |claim| Ok(claims::release(repo, &claim)?))
    }

    /// Gives back all that is still held.
    ///
    /// # Errors
    /// When a ref cannot be written.
    pub fn release_all(&self, repo: &Repo) -> Result<()> {
        let held = std::mem::take(&mut *self.held());
        held.values().try_for_each(|claim| Ok(claims::release(repo, claim)?))
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Claim>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the goals that living holders work on.
///
/// # Errors
/// When claims cannot be read.
pub fn running(session: &Session, repo: &Repo) -> Result<BTreeSet<GoalId>> {
    let mut goals = BTreeSet::new();
    for claim in claims::all(repo)? {
        if claim.goal.is_some() && is_alive(session, repo, &claim)? {
            goals.extend(claim.goal);
        }
    }
    Ok(goals)
}

/// Returns the file whose lock a run holds as long as it lives.
pub fn lock_file(session: &Session, repo: &Repo, run: &str) -> PathBuf {
    session.own_dir(repo).join("runs").join(format!("{run}.lock"))
}

/// True where the holder of a claim of this clone is alive, or may be for all that is known here.
///
/// # Errors
/// When the lock of its run cannot be tested.
pub fn is_alive(session: &Session, repo: &Repo, claim: &Claim) -> Result<bool> {
    if Lock::holder(&lock_file(session, repo, &claim.holder.run))?.is_some() {
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
