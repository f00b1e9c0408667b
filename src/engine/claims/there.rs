//! Claims at a remote: the same claim, pushed, so that other clones see it.
//!
//! Owns when a holder in another clone counts as dead, and what a refused push of a claim means.

use eyre::Result;

use crate::{
    door::{fs::Lock, host},
    engine::{
        claims::{Taken, is_expired},
        live,
        remote::{Seen, Through},
        session::Session,
        target,
    },
    fault::{Fault, Kind},
    git::{
        Repo,
        claims::{self, Claim, Holder},
        history,
        remote::{Push, Sent},
    },
    id::{CommitId, GoalId},
    time::Moment,
};

/// How often a claim is pushed that others are at too.
const TRIES: u32 = 20;

/// How pushing a claim came out.
pub enum Pushed {
    /// The remote has it, as this one.
    Ours(Claim),
    /// It is not to be had.
    Not(Taken),
}

/// Pushes a claim that is held in this clone.
///
/// # Errors
/// A fault where the remote cannot be reached, or takes no claims.
pub fn push(session: &Session, repo: &Repo, through: &Through, (goal, mut held): (&GoalId, Claim)) -> Result<Pushed> {
    let mut unmoved = through.unmoved();
    let mut last = Vec::new();
    for _ in 0..TRIES {
        let there = through.claim(repo, goal)?;
        if let Some(claim) = &there {
            if is_alive(session, repo, through, claim)? {
                // What was seen may be long over.
                let seen = through.fetch(repo, false)?;
                if let Some(landed) = landed(repo, through, goal, seen)? {
                    return Ok(Pushed::Not(landed));
                }
                match through.claim(repo, goal)? {
                    Some(now) if now.commit == claim.commit => {
                        return Ok(Pushed::Not(Taken::Theirs(claim.holder.clone())));
                    }
                    _ => continue,
                }
            }
            match claims::renew(repo, &held, Some(claim.commit), session.clock.now())? {
                Some(renewed) => held = renewed,
                None => return Ok(Pushed::Not(Taken::Theirs(Holder::default()))),
            }
        }
        let part = Push {
            name: claims::name(goal),
            old: there.map(|claim| claim.commit),
            new: Some(held.commit),
        };
        let parts: Vec<Push> = [part].into_iter().chain(unmoved.clone()).collect();
        match through.push(repo, &parts, true)? {
            Sent::Done => return Ok(Pushed::Ours(held)),
            Sent::Unknown(why) => {
                // It may have arrived: then it is seen as ours.
                let seen = through.fetch(repo, false).map_err(|_| through.unreachable(&why))?;
                if through
                    .claim(repo, goal)?
                    .is_some_and(|claim| claim.commit == held.commit)
                {
                    return Ok(landed(repo, through, goal, seen)?.map_or(Pushed::Ours(held), Pushed::Not));
                }
            }
            Sent::Refused(rows) => {
                let seen = through.fetch(repo, false)?;
                if let Some(landed) = landed(repo, through, goal, seen)? {
                    return Ok(Pushed::Not(landed));
                }
                // The goal is not among what landed meanwhile.
                unmoved = seen.target.map(|target| Push {
                    name: through.target(),
                    old: Some(target),
                    new: Some(target),
                });
                last = rows;
            }
        }
    }
    let fault = Fault::new(
        Kind::Busy,
        format!("remote `{}` takes no claims: {}", through.name(), words(&last)),
    );
    Err(fault
        .hint("a host that takes refs below `refs/invisigoth/` is needed; `git invisigoth sync` works with others")
        .into())
}

fn words(rows: &[(String, String)]) -> String {
    let rows: Vec<String> = rows.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    rows.join("; ")
}

/// Says that a goal landed there since what is continued here, where it did.
fn landed(repo: &Repo, through: &Through, goal: &GoalId, seen: Seen) -> Result<Option<Taken>> {
    let Some(tip) = seen.target else {
        return Ok(None);
    };
    if through.known() == Some(tip) {
        return Ok(None);
    }
    through.fell_behind();
    Ok(has_landed(repo, through.known(), tip, goal)?.then_some(Taken::Landed))
}

/// True where a commit of `tip` that `known` has not lands `goal`.
fn has_landed(repo: &Repo, known: Option<CommitId>, tip: CommitId, goal: &GoalId) -> Result<bool> {
    let new = match known {
        Some(known) => history::first_parents_since(repo, known, tip)?,
        None => history::first_parents(repo, tip, usize::MAX)?,
    };
    Ok(new
        .iter()
        .any(|entry| target::members(entry).iter().any(|(id, _)| id == goal)))
}

/// True where the holder of a claim at the remote is alive, or may be for all that is known here.
///
/// # Errors
/// When claims cannot be read.
pub fn is_alive(session: &Session, repo: &Repo, through: &Through, claim: &Claim) -> Result<bool> {
    if let Some(alive) = certain(session, repo, &claim.holder)? {
        return Ok(alive);
    }
    let newest = through.claims(repo)?.iter().map(|claim| claim.at).max();
    Ok(!is_expired(session, repo, claim, newest.unwrap_or(Moment::default()))?)
}

/// Says whether a holder is alive, where this machine can tell: its run is one of this clone, or its process one of this start
/// of this machine.
fn certain(session: &Session, repo: &Repo, holder: &Holder) -> Result<Option<bool>> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let lock = live::lock_of(session, repo, &holder.run);
    if holder.run.chars().all(plain) && lock.exists() {
        return Ok(Some(Lock::holder(&lock)?.is_some()));
    }
    let is_here = !holder.boot.is_empty() && holder.boot == host::boot() && holder.host == session.env.hostname();
    Ok(is_here.then(|| host::started(holder.pid) == Some(holder.started)))
}
