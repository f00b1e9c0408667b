//! Members: candidates on their way onto the target, and how each fits onto what lands before it.
//!
//! Merges in memory; a candidate whose base left the target is made anew, and its branch moved. Checks nothing and lands
//! nothing.

use eyre::Result;

use crate::{
    engine::{
        eviction::Why,
        land::{self, Approval},
        recall::{self, Class},
        stored::Stored,
        worker::Worker,
    },
    facts::Candidate,
    git::{
        Repo, branch, history, merge,
        refs::{self, RefMove, Swap},
    },
    id::{CommitId, GoalId},
    settings::Isolation,
    snapshot::CodeTree,
};

/// A candidate on its way onto the target.
#[derive(Clone, Debug)]
pub struct Member {
    /// The goal.
    pub id: GoalId,
    /// Its candidate.
    pub candidate: CommitId,
    /// The attempt that made it.
    pub number: u32,
    /// What that attempt took.
    pub stored: Stored,
    /// Whether a person approved exactly this candidate.
    pub approval: Approval,
}

/// How a member fits onto code that is to land before it.
#[derive(Debug)]
pub enum Fit {
    /// It does, and this is the code with it.
    Code(CodeTree),
    /// By the path classes of the target's head it waits for a person, and why.
    Held(String),
    /// It does not; why, for `eviction::evict`.
    Refused(Why),
    /// It is built on a candidate that does not land before it, or must land as the first; or somebody moved it meanwhile.
    Later,
}

/// Returns what is to land of goal `id`.
///
/// # Errors
/// When its attempt cannot be read.
pub fn member(repo: &Repo, id: &GoalId, candidate: &Candidate, approval: Approval) -> Result<Member> {
    let mut stored = land::stored_for(repo, id, candidate.commit, candidate.attempt)?;
    // What waits because it did not fit needs nobody's approval.
    if candidate.held.is_some() && stored.reason.is_empty() && approval == Approval::Given {
        stored.remark = Some(approved(stored.remark));
    }
    Ok(Member {
        id: id.clone(),
        candidate: candidate.commit,
        number: candidate.attempt,
        stored,
        approval,
    })
}

/// Merges `member` into `on`, the code of the tip with the members `before` it; a candidate whose base is gone is made anew.
///
/// # Errors
/// When history or trees cannot be read or written.
pub fn fit(worker: &Worker<'_>, member: &mut Member, on: CodeTree, before: &[Member]) -> Result<Fit> {
    if member.stored.is_as_is() {
        return as_is(worker, member, on, before);
    }
    let (repo, tip) = (&worker.repo, worker.target.tip);
    let base = history::parents(repo, member.candidate)?.first().copied();
    let lands_before = |base| before.iter().any(|other| other.candidate == base);
    let base = match base {
        Some(base) if lands_before(base) || history::contains(repo, tip, base)? => Some(base),
        Some(base) if worker.facts.candidates.values().any(|other| other.commit == base) => return Ok(Fit::Later),
        _ => None,
    };
    if base.is_none() && !before.is_empty() {
        return Ok(Fit::Later);
    }
    let code = match merge::into(repo, on, member.candidate)? {
        Ok(code) => code,
        Err(paths) => return Ok(Fit::Refused(Why::Conflict(paths))),
    };
    if base.is_none() {
        // Its base was taken out of the target: merging would bring those commits back.
        match replay(worker, &member.id, tip, member.candidate, code)? {
            Some(anew) => member.candidate = anew,
            None => return Ok(Fit::Later),
        }
    }
    let class = recall::classify(repo, member.candidate, base.unwrap_or(tip), &worker.settings)?;
    Ok(admitted(class, member.approval, code))
}

/// Commits that stay as they are land alone, and not without what they were made on.
fn as_is(worker: &Worker<'_>, member: &Member, on: CodeTree, before: &[Member]) -> Result<Fit> {
    let repo = &worker.repo;
    if !before.is_empty() {
        return Ok(Fit::Later);
    }
    if !history::contains(repo, worker.target.tip, member.stored.base)? {
        let why = "what it was made on is no longer part of the target; adopt it again";
        return Ok(Fit::Refused(Why::Unfit(why.to_owned())));
    }
    if worker.settings.run.isolation == Isolation::None {
        let why = "it is to land as it is, and `land.style` is linear";
        return Ok(Fit::Refused(Why::Unfit(why.to_owned())));
    }
    let code = match branch::onto(repo, worker.target.tip, member.candidate)? {
        Ok(code) => code,
        Err(paths) => return Ok(Fit::Refused(Why::Conflict(paths))),
    };
    let class = recall::classify_code(repo, on, code, &worker.settings)?;
    Ok(admitted(class, member.approval, code))
}

fn admitted(class: Class, approval: Approval, code: CodeTree) -> Fit {
    match class {
        Class::Denied(why) => Fit::Refused(Why::Denied(why)),
        Class::Held(why) if approval == Approval::None => Fit::Held(why),
        Class::Held(_) | Class::Free => Fit::Code(code),
    }
}

/// Adds to a remark that a person approved what was held.
pub fn approved(remark: Option<String>) -> String {
    let before = remark.map(|remark| format!("{remark}; ")).unwrap_or_default();
    format!("{before}approved by name on the command line")
}

/// Makes a candidate anew; `None` where somebody moved it meanwhile.
fn replay(worker: &Worker<'_>, id: &GoalId, tip: CommitId, old: CommitId, code: CodeTree) -> Result<Option<CommitId>> {
    let new = merge::replay(&worker.repo, tip, old, code, worker.session.clock.now())?;
    let part = RefMove::Set {
        name: refs::candidate_ref(id),
        old: Some(old),
        new,
        why: "invisigoth: replay on the target".to_owned(),
    };
    Ok((refs::swap(&worker.repo, &[part])? == Swap::Done).then_some(new))
}
