//! Syncing with a remote: the target, the records and, where asked, the attempts of two clones become the same.
//!
//! Owns the order: all is made as objects, checked, pushed by compare-and-swap, and only then do refs move here. Killed before
//! the push, nothing has happened; after it, the next time finds it there. Verdicts on code trees never leave this clone.

mod join;

use std::sync::Arc;

use eyre::Result;

use crate::{
    engine::{
        claims::{Claims, Taken},
        eviction::Why,
        members::Member,
        provenance,
        remote::{MOST, Seen, Through},
        sync::join::Joined,
        target::members,
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::{
        Repo,
        attempts::join as attempts,
        history, notes,
        refs::{self, Land, Landing, Prepared, RefMove, Swap},
        remote::{Push, Sent},
    },
    id::{CommitId, GoalId, Oid},
    quote,
};

/// How often it is tried again because others are at it too.
const TRIES: u32 = 20;

/// How often a refusal is taken for a race although nothing moved: hosts word neither in one way.
const PATIENCE: u32 = 3;

/// What came and went.
#[derive(Debug, Default)]
pub struct Synced {
    /// What the target was here and there.
    pub before: (Option<CommitId>, Option<CommitId>),
    /// What it is now in both.
    pub target: Option<CommitId>,
    /// Goals that landed anew on what the remote had, and why others of them do not fit any more.
    pub joined: Vec<(GoalId, Option<String>)>,
    /// Records that came, and that went.
    pub notes: (usize, usize),
    /// Attempts that came, and that went.
    pub attempts: (usize, usize),
}

/// Makes both the same.
///
/// # Errors
/// A fault where the remote cannot be reached or takes nothing, or where both went apart in a way that a person must join.
pub fn sync(worker: &mut Worker<'_>, through: &Through, with_attempts: bool) -> Result<Synced> {
    let mut refused = 0;
    let base = through.seen(&worker.repo)?.attempts;
    let first = worker.target.tip;
    let mut there = None;
    for _ in 0..TRIES {
        let seen = through.fetch(&worker.repo, with_attempts)?;
        let before = *there.get_or_insert(seen.target);
        let (made, joined) = target(worker, through, seen)?;
        let noted = Notes::unite(worker, through, (seen, &[]))?;
        let mut parts: Vec<Push> = part(&through.target(), seen.target, Some(made)).into_iter().collect();
        parts.extend(noted.parts());
        match through.push(&worker.repo, &parts, true)? {
            Sent::Done => {}
            Sent::Unknown(why) => return Err(through.unreachable(&why).into()),
            Sent::Refused(rows) => {
                let now = through.fetch(&worker.repo, with_attempts)?;
                refused = if now == seen { refused + 1 } else { 0 };
                if refused >= PATIENCE && !is_left_out(worker, through, &rows) {
                    return Err(through.refused(&rows).into());
                }
                continue;
            }
        }
        let mut synced = Synced {
            before: (Some(first), before),
            target: Some(made),
            notes: moved(|head| notes::count(&worker.repo, head), noted.records.sides())?,
            ..Synced::default()
        };
        noted.take(worker)?;
        if !move_to(worker, made)? {
            // Somebody moved the target here meanwhile; what was pushed is there the next time.
            continue;
        }
        for (goal, why) in &joined {
            join::refuse(worker, goal, why.as_ref())?;
        }
        synced.joined = joined
            .into_iter()
            .map(|(goal, why)| (goal, why.map(|(_, why)| why.words())))
            .collect();
        through.continues(Some(made));
        if with_attempts {
            synced.attempts = share_attempts(worker, through, base)?;
        }
        return Ok(synced);
    }
    Err(Fault::new(Kind::Busy, "the target moves all the time, here or there")
        .hint("`git invisigoth sync` again")
        .into())
}

fn part(name: &str, old: Option<CommitId>, new: Option<CommitId>) -> Option<Push> {
    (old != new).then(|| Push {
        name: name.to_owned(),
        old,
        new,
    })
}

/// Counts what came and what went: what the united have beyond what was here, and beyond what was there.
fn moved(
    count: impl Fn(Option<CommitId>) -> crate::git::Result<usize>,
    (here, there, united): (Option<CommitId>, Option<CommitId>, Option<CommitId>),
) -> Result<(usize, usize)> {
    let all = count(united)?;
    Ok((all.saturating_sub(count(here)?), all.saturating_sub(count(there)?)))
}

type Refusal = Option<(CommitId, Why)>;

/// Returns what the target becomes, as objects: whichever continues the other, or what joins both.
fn target(worker: &mut Worker<'_>, through: &Through, seen: Seen) -> Result<(CommitId, Vec<(GoalId, Refusal)>)> {
    let ours = worker.target.tip;
    let Some(theirs) = seen.target else {
        return Ok((ours, Vec::new()));
    };
    if history::contains(&worker.repo, ours, theirs)? {
        return Ok((ours, Vec::new()));
    }
    if history::contains(&worker.repo, theirs, ours)? {
        return Ok((theirs, Vec::new()));
    }
    match join::join(worker, (theirs, through.name()))? {
        Joined::Made(made, goals) => Ok((made, goals)),
        Joined::Apart(why) => {
            let branch = &worker.target.branch;
            let fault = Fault::new(
                Kind::Person,
                format!("`{branch}` and that of remote `{}` went apart: {why}", through.name()),
            );
            Err(fault
                .hint(format!(
                    "`git pull --no-rebase {} {}` joins them by hand",
                    quote::quoted(through.name()),
                    quote::quoted(branch)
                ))
                .into())
        }
    }
}

/// Moves the target here, by its ref where nobody has it checked out, else beside it; false where somebody else moved it.
fn move_to(worker: &mut Worker<'_>, made: CommitId) -> Result<bool> {
    worker.target.look(&worker.repo)?;
    if worker.target.tip == made {
        return Ok(true);
    }
    let (name, old) = worker.target.landing_ref();
    let set = RefMove::Set {
        name,
        old,
        new: made,
        why: "invisigoth: sync".into(),
    };
    let moves: Vec<RefMove> = worker.target.begins_to_wait().into_iter().chain([set]).collect();
    let done = refs::swap(&worker.repo, &moves)? == Swap::Done;
    worker.look_again()?;
    Ok(done)
}

/// A notes ref as it is here, as it is there, and united as objects.
struct United {
    name: &'static str,
    here: Option<CommitId>,
    there: Option<CommitId>,
    all: Option<CommitId>,
}

impl United {
    fn sides(&self) -> (Option<CommitId>, Option<CommitId>, Option<CommitId>) {
        (self.here, self.there, self.all)
    }

    fn take(&self, repo: &Repo) -> Result<()> {
        let Some(new) = self.all.filter(|_| self.here != self.all) else {
            return Ok(());
        };
        let set = RefMove::Set {
            name: self.name.to_owned(),
            old: self.here,
            new,
            why: "notes: unite".into(),
        };
        // Where somebody else wrote meanwhile, the next time unites.
        refs::swap(repo, &[set])?;
        Ok(())
    }
}

/// The notes that travel.
struct Notes {
    records: United,
    /// `None` where other programs are not told.
    authorship: Option<United>,
}

impl Notes {
    /// Unites the notes here with those that were `seen` there, and adds what lands with the records `lines`.
    fn unite(worker: &Worker<'_>, through: &Through, (seen, lines): (Seen, &[(Oid, String)])) -> Result<Self> {
        let (repo, at) = (&worker.repo, worker.session.clock.now());
        let here = refs::read(repo, refs::NOTES)?;
        let united = notes::join(repo, here, seen.notes, at)?;
        let records = United {
            name: refs::NOTES,
            here,
            there: seen.notes,
            all: notes::with(repo, united, lines, at)?,
        };
        let told = || provenance::united(worker, seen.authorship, lines);
        let authorship = through.tells().then(told).flatten().map(|(here, all)| United {
            name: refs::AUTHORSHIP,
            here,
            there: seen.authorship,
            all,
        });
        Ok(Self { records, authorship })
    }

    fn each(&self) -> impl Iterator<Item = &United> {
        std::iter::once(&self.records).chain(&self.authorship)
    }

    fn parts(&self) -> impl Iterator<Item = Push> {
        self.each().filter_map(|notes| part(notes.name, notes.there, notes.all))
    }

    fn take(&self, worker: &Worker<'_>) -> Result<()> {
        self.each().try_for_each(|notes| notes.take(&worker.repo))
    }
}

/// True where a push was refused for the notes for other programs alone: they stay here then.
fn is_left_out(worker: &Worker<'_>, through: &Through, rows: &[(String, String)]) -> bool {
    let left = through.leaves_out(rows);
    if let Some((name, why)) = rows.first().filter(|_| left) {
        worker.session.say(format!(
            "{name} stays here: remote `{}` does not take it: {why}",
            through.name()
        ));
    }
    left
}

fn share_attempts(worker: &Worker<'_>, through: &Through, base: Option<CommitId>) -> Result<(usize, usize)> {
    let (repo, at) = (&worker.repo, worker.session.clock.now());
    let mut refused = 0;
    for _ in 0..TRIES {
        let (here, there) = (refs::read(repo, refs::ATTEMPTS)?, through.seen(repo)?.attempts);
        let united = attempts::join(repo, base, (here, there), at)?;
        let Some(new) = united else { return Ok((0, 0)) };
        match through.push(
            repo,
            &part(refs::ATTEMPTS, there, united).into_iter().collect::<Vec<_>>(),
            true,
        )? {
            Sent::Done => {}
            Sent::Unknown(why) => return Err(through.unreachable(&why).into()),
            Sent::Refused(rows) => {
                let now = through.fetch(repo, true)?.attempts;
                refused = if now == there { refused + 1 } else { 0 };
                if refused >= PATIENCE {
                    return Err(through.refused(&rows).into());
                }
                continue;
            }
        }
        let set = RefMove::Set {
            name: refs::ATTEMPTS.to_owned(),
            old: here,
            new,
            why: "attempts: unite".into(),
        };
        if here == united || refs::swap(repo, &[set])? == Swap::Done {
            return moved(|head| attempts::count(repo, head), (here, there, united));
        }
    }
    Err(Fault::new(Kind::Busy, "the attempts move all the time, here or there").into())
}

/// Takes in what others landed at the remote that this run lands through, and joins it where both went apart. Nothing is
/// pushed but a join.
///
/// # Errors
/// As `sync`.
pub fn follow(worker: &mut Worker<'_>, through: &Through) -> Result<()> {
    let seen = through.fetch(&worker.repo, false)?;
    let Some(theirs) = seen.target else {
        through.continues(None);
        return Ok(());
    };
    if !history::contains(&worker.repo, worker.target.tip, theirs)? {
        if !history::contains(&worker.repo, theirs, worker.target.tip)? {
            sync(worker, through, false)?;
            return Ok(());
        }
        for _ in 0..TRIES {
            if move_to(worker, theirs)? {
                break;
            }
        }
    }
    Notes::unite(worker, through, (seen, &[]))?.take(worker)?;
    if history::contains(&worker.repo, worker.target.tip, theirs)? {
        through.continues(Some(theirs));
    }
    Ok(())
}

/// What a landing is of.
pub struct Of<'a> {
    /// The goals.
    goals: Vec<&'a GoalId>,
    /// Their records, by what they are noted on.
    lines: Vec<(Oid, String)>,
}

impl<'a> Of<'a> {
    /// Says that `members` land, with these records.
    pub fn new(members: &'a [Member], lines: &[(CommitId, String)]) -> Self {
        Self {
            goals: members.iter().map(|member| &member.id).collect(),
            lines: lines.iter().map(|(commit, line)| (commit.0, line.clone())).collect(),
        }
    }
}

/// Lands what was prepared: at the remote first, where this run lands through one, and only then here.
///
/// # Errors
/// As `refs::land`; a fault where the remote cannot be reached, or does not take it: nothing moved then.
pub fn land(worker: &Worker<'_>, landing: &Landing<'_>, prepared: Prepared, of: &Of<'_>) -> Result<Land> {
    let Some((claims, through)) = worker
        .claims
        .as_ref()
        .and_then(|claims| Some((claims, claims.remote()?)))
    else {
        return Ok(refs::land(&worker.repo, landing, prepared)?);
    };
    let (repo, made) = (&worker.repo, prepared.commit());
    let mut refused = 0;
    loop {
        let seen = through.seen(repo)?;
        let continued = match seen.target {
            // People may have taken back here what is there.
            Some(there) => history::contains(repo, landing.tip, there)?,
            None => true,
        };
        if seen.target != through.known() || !continued {
            through.fell_behind();
            return Ok(Land::Moved);
        }
        let noted = Notes::unite(worker, through, (seen, &of.lines))?;
        let mut parts: Vec<Push> = part(&through.target(), seen.target, Some(made)).into_iter().collect();
        parts.extend(noted.parts());
        let fence = claims.fence(&of.goals, MOST.saturating_sub(parts.len()));
        parts.extend(fence.iter().cloned());
        refs::prove(repo, landing, prepared)?;
        let why = match through.push(repo, &parts, true)? {
            Sent::Done => {
                claims.gone_there(&fence);
                through.continues(Some(made));
                noted.take(worker)?;
                return Ok(refs::land(repo, landing, prepared)?);
            }
            Sent::Unknown(why) => Err(why),
            Sent::Refused(rows) => Ok(rows),
        };
        let now = through.fetch(repo, false).map_err(|error| match &why {
            Err(why) => through.unreachable(why).into(),
            Ok(_) => error,
        })?;
        if let Some(tip) = now.target
            && history::contains(repo, tip, made)?
        {
            // It had arrived, whatever the answer.
            claims.gone_there(&fence);
            through.fell_behind();
            return Ok(if tip == made {
                refs::land(repo, landing, prepared)?
            } else {
                Land::Moved
            });
        }
        let rows = why.unwrap_or_default();
        if now.target != seen.target {
            through.fell_behind();
            return Ok(Land::Moved);
        }
        if let Some(lost) = fence
            .iter()
            .find(|part| rows.iter().any(|(name, _)| *name == part.name))
        {
            // Somebody took this run for dead. What it made is as good as theirs, and lands without the claim.
            claims.gone_there(std::slice::from_ref(lost));
            continue;
        }
        refused = if now == seen { refused + 1 } else { 0 };
        if refused >= PATIENCE && !is_left_out(worker, through, &rows) {
            return Err(through.refused(&rows).into());
        }
    }
}

/// Reads the target again, in case somebody moved it, at the remote too where this run lands through one and knows that it
/// moved there.
///
/// # Errors
/// As `Worker::refresh_target` and `follow`.
pub fn refresh(worker: &mut Worker<'_>) -> Result<()> {
    let claims = worker.claims.clone();
    match claims.as_ref().and_then(|claims| claims.remote()) {
        Some(through) if through.is_behind() => look(worker).map(|_| ()),
        _ => worker.refresh_target(),
    }
}

/// Looks what others landed at the remote that this run lands through, and takes it in; true where that moved the target.
///
/// # Errors
/// As `refresh`.
pub fn look(worker: &mut Worker<'_>) -> Result<bool> {
    let claims = worker.claims.clone();
    let Some(through) = claims.as_ref().and_then(|claims| claims.remote()) else {
        return Ok(false);
    };
    worker.refresh_target()?;
    let before = worker.target.tip;
    follow(worker, through)?;
    let after = worker.target.tip;
    // What landed there passed there; what people wrote may be red without us.
    let new = history::first_parents_since(&worker.repo, before, after)?;
    if new.iter().any(|entry| members(entry).is_empty()) {
        worker.check_base()?;
    }
    // What others added to the backlog is read from the checkout.
    if before != after {
        worker.follow()?;
        worker.recall()?;
    }
    worker.refresh_target()?;
    Ok(before != after)
}

/// Begins to claim goals for this run, at the remote that the settings name too.
///
/// # Errors
/// A fault where there is no such remote.
pub fn begin(worker: &mut Worker<'_>) -> Result<()> {
    let claims = Claims::open(worker.session, worker.live.run());
    let claims = match &worker.settings.sync.remote {
        Some(name) => claims.through(Through::open(
            worker.session,
            &worker.repo,
            name,
            (&worker.target.branch, provenance::is_told(&worker.settings)),
        )?),
        None => claims,
    };
    worker.claims = Some(Arc::new(claims));
    Ok(())
}

/// Claims a goal whose candidate is to land at a remote; false where somebody else works on it, or has landed it. Without a
/// remote the turn at the target is enough.
///
/// # Errors
/// As `Claims::take`.
pub fn claim(worker: &Worker<'_>, goal: &GoalId) -> Result<bool> {
    match worker.claims.as_ref().filter(|claims| claims.remote().is_some()) {
        Some(claims) => Ok(claims.holds(goal) || claims.take(&worker.repo, goal)? == Taken::Ours),
        None => Ok(true),
    }
}

/// How often a landing is tried: others may land all the time at a remote.
pub fn tries(worker: &Worker<'_>, alone: u32) -> u32 {
    let shared = worker.claims.as_ref().is_some_and(|claims| claims.remote().is_some());
    if shared { alone * 10 } else { alone }
}
