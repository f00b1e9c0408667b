//! Claims outside of runs: a program that is no run of ours takes a goal, so that no run works at it meanwhile.
//!
//! Such a claim ends by itself at a time that it names: nothing is known of the process behind it, which may be started anew at
//! any moment. Nothing of it lands by itself; it decides nothing but who works at a goal.

use eyre::Result;

use crate::{
    door::host,
    engine::{claims, session::Session},
    fault::{Fault, Kind},
    git::{
        Repo,
        claims::{Claim, Holder, Outside, all, read, release, take},
    },
    id::GoalId,
    time::Moment,
};

/// Most goals that are claimed outside of runs at a time: one program must not keep a whole backlog from the runs.
pub const MOST: usize = 8;

/// A claim that was taken, or taken again for longer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Taken {
    /// What its holder shows to renew it or to give it back.
    pub handle: String,
    /// When it ends by itself.
    pub until: Moment,
}

/// Words who has a goal, and until when.
pub fn words(outside: &Outside) -> String {
    format!("claimed by {} until {}", outside.by, outside.until.rfc3339())
}

/// Claims `goal` for `outside`; of one that is held already the claim is renewed, where `handle` is its own.
///
/// # Errors
/// A fault where somebody who is alive works on it, or too many are claimed already; or when claims cannot be read or written.
pub fn claim(
    session: &Session,
    repo: &Repo,
    goal: &GoalId,
    (outside, handle): (Outside, Option<&str>),
) -> Result<Taken> {
    let standing = read(repo, goal)?;
    let alive = match &standing {
        Some(claim) => claims::is_alive(session, repo, claim)?,
        None => false,
    };
    let own = standing.as_ref().filter(|claim| is_of(claim, handle));
    if let Some(claim) = standing.as_ref().filter(|_| alive && own.is_none()) {
        return Err(taken(goal, &claim.holder).into());
    }
    if handle.is_some() && own.is_none() {
        let fault = Fault::new(Kind::Error, format!("the claim on goal {goal} has ended"));
        return Err(fault.hint("claim it anew, without a handle").into());
    }
    if own.is_none() {
        refuse_too_many(session, repo)?;
    }
    let until = outside.until;
    let holder = Holder {
        run: match own {
            Some(claim) => claim.holder.run.clone(),
            None => format!("claim-{}", host::nonce()),
        },
        host: session.env.hostname(),
        outside: Some(outside),
        ..Holder::default()
    };
    match take(repo, goal, &holder, standing.as_ref(), session.clock.now())? {
        Some(claim) => Ok(Taken {
            handle: claim.holder.run,
            until,
        }),
        None => Err(taken(goal, &Holder::default()).into()),
    }
}

/// Gives a goal back; true where the claim was the one of `handle`.
///
/// # Errors
/// When the ref cannot be read or written.
pub fn give_back(repo: &Repo, goal: &GoalId, handle: &str) -> Result<bool> {
    let Some(claim) = read(repo, goal)?.filter(|claim| is_of(claim, Some(handle))) else {
        return Ok(false);
    };
    release(repo, &claim)?;
    Ok(true)
}

/// Ends the claim on a goal whose work was handed in, whoever outside of runs has it.
///
/// # Errors
/// When the ref cannot be read or written.
pub fn end(repo: &Repo, goal: &GoalId) -> Result<()> {
    match read(repo, goal)?.filter(|claim| claim.holder.outside.is_some()) {
        Some(claim) => Ok(release(repo, &claim)?),
        None => Ok(()),
    }
}

fn is_of(claim: &Claim, handle: Option<&str>) -> bool {
    claim.holder.outside.is_some() && handle == Some(claim.holder.run.as_str())
}

fn refuse_too_many(session: &Session, repo: &Repo) -> Result<()> {
    let mut count = 0;
    for claim in all(repo)?.iter().filter(|claim| claim.holder.outside.is_some()) {
        count += usize::from(claims::is_alive(session, repo, claim)?);
    }
    if count < MOST {
        return Ok(());
    }
    let fault = Fault::new(
        Kind::Busy,
        format!("{count} goals are claimed already, and no more may be at a time"),
    );
    Err(fault.hint("give one back, or wait until one ends").into())
}

fn taken(goal: &GoalId, holder: &Holder) -> Fault {
    let who = match &holder.outside {
        Some(outside) => format!("goal {goal} is {}", words(outside)),
        None => format!("a run works at goal {goal}"),
    };
    Fault::new(Kind::Busy, who).hint("`git invisigoth status` shows who works at what; take another one that is ready")
}
