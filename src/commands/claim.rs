//! `claim`: takes a goal for somebody outside of runs, and says all that it takes to work at it and to hand it in.
//!
//! Decides nothing about the goal, and makes no branch: what is handed in goes through `adopt`, with its gate.

use std::time::Duration;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        claims::outside,
        recall::{self, Recalled},
        run,
        session::{self, Session},
        steering,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, claims::Outside, refs},
    goal::Goal,
    id::{CommitId, GoalId},
    quote,
    schedule::{self, State},
};

/// How branches begin that answer claimed goals.
const BRANCH: &str = "work/";
/// Longest time of a claim, in minutes.
pub const LONGEST: u64 = 8 * 60;
/// How long a claim lasts where nobody says, in minutes.
pub const USUAL: u64 = 60;

/// What is wanted with a goal.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goal.
    pub id: GoalId,
    /// Who claims it: a short name for people.
    pub by: String,
    /// How many minutes from now the claim ends by itself; at most `LONGEST`.
    pub minutes: u64,
    /// What an earlier answer gave, to renew that claim or to give it back.
    pub handle: Option<String>,
    /// Give it back.
    pub give_back: bool,
}

/// A claim, or that it was given back.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal.
    pub goal: GoalId,
    /// True where it was given back.
    pub given_back: bool,
    /// What to work at and how, where it was claimed.
    #[serde(flatten)]
    pub work: Option<Work>,
}

/// What to work at and how.
#[derive(Debug, Serialize)]
pub struct Work {
    /// What renews this claim or gives it back.
    pub handle: String,
    /// When the claim ends by itself, RFC 3339 in UTC.
    pub until: String,
    /// What the goal asks.
    pub asks: Goal,
    /// Why the newest attempt at it did not get there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub failed: String,
    /// The branch that it is to land on.
    pub target: String,
    /// The commit to begin at.
    pub base: CommitId,
    /// The branch to work on; nothing makes it but the command below.
    pub branch: String,
    /// True where that branch is there already, from an earlier claim.
    pub branch_exists: bool,
    /// Makes the branch in a folder of its own, so that this checkout stays as it is.
    pub begin: String,
    /// The commands that must pass on the merged code.
    pub checks: Vec<String>,
    /// What a person, or a hook of theirs, types once the branch has its commits.
    pub hand_in: String,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.claim/1";
}

/// Claims a goal, renews a claim, or gives one back.
///
/// # Errors
/// A fault for an unknown goal, one that cannot start or that somebody works at, and a claim that is not the handle's.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let id = &request.id;
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    if request.give_back {
        return give_back(&repo, request, &known);
    }
    refuse_own_branch(&target)?;
    let failed = refuse_unfit(&known, request)?;
    let long = Duration::from_secs(60 * request.minutes.clamp(1, LONGEST));
    let outside = Outside {
        by: session.redactor.clean(&request.by).into_string(),
        until: session.clock.now().after(long),
    };
    let taken = outside::claim(session, &repo, id, (outside, request.handle.as_deref()))?;
    let settings = session.settings_at(&repo, Some(target.tip))?.settings;
    let branch = format!("{BRANCH}{}", id.ref_part());
    let branch_exists = refs::read(&repo, &refs::branch_ref(&branch))?.is_some();
    Ok(Outcome {
        goal: id.clone(),
        given_back: false,
        work: Some(Work {
            handle: taken.handle,
            until: taken.until.rfc3339(),
            asks: known.backlog.get(id).unwrap_or_default(),
            failed,
            begin: begin(&repo, &branch, (branch_exists, target.tip)),
            base: target.tip,
            hand_in: format!(
                "git invisigoth adopt {} --goal {}",
                quote::quoted(&branch),
                quote::quoted(id.as_str())
            ),
            branch,
            branch_exists,
            checks: session::commands(&settings.check)
                .into_iter()
                .map(|(_, command)| command)
                .collect(),
            target: target.branch,
        }),
    })
}

fn give_back(repo: &Repo, request: &Request, known: &Recalled) -> Result<Outcome> {
    let id = &request.id;
    let Some(handle) = &request.handle else {
        let fault = Fault::new(Kind::Usage, "giving a goal back takes the handle of its claim");
        return Err(fault.hint("the answer to the claim has it").into());
    };
    if schedule::state(&known.facts, id).is_none() {
        return Err(run::unknown_goal(&known.facts, id).into());
    }
    if !outside::give_back(repo, id, handle)? {
        let fault = Fault::new(Kind::Error, format!("goal {id} is not held by this claim"));
        return Err(fault.hint("there is nothing to give back: it has ended").into());
    }
    Ok(Outcome {
        goal: id.clone(),
        given_back: true,
        work: None,
    })
}

/// Who is at work on a claimed goal's branch has it checked out; nothing is to land there.
fn refuse_own_branch(target: &Target) -> Result<(), Fault> {
    if !target.branch.starts_with(BRANCH) {
        return Ok(());
    }
    let fault = Fault::new(
        Kind::Config,
        format!(
            "goals would land on `{}`, which is a branch of somebody's work",
            target.branch
        ),
    );
    Err(fault.hint("`git config invisigoth.land.target BRANCH` names the branch that goals land on"))
}

/// Returns why the newest attempt failed, where one did. Only what could start, or what runs failed at, can be claimed: all
/// else waits for a person, for other goals, or for whoever is at it.
fn refuse_unfit(known: &Recalled, request: &Request) -> Result<String> {
    let (facts, id) = (&known.facts, &request.id);
    let met = steering::meet_one(known, id)?;
    let fault = match (met.state, schedule::state(facts, id)) {
        (State::Ready, _) => return Ok(String::new()),
        (State::Failed | State::Parked, why) => return Ok(why.map(|(_, why)| why).unwrap_or_default()),
        // Who claimed it may renew that.
        (State::Running, _) if facts.claimed.contains_key(id) => return Ok(String::new()),
        (State::Running, _) => Fault::new(Kind::Busy, format!("a run works at goal {id}")),
        (State::Blocked, Some((_, why))) => {
            let fault = Fault::new(Kind::Error, format!("goal {id} cannot start: {why}"));
            return Err(fault.hint("ask why it waits, or take one that is ready").into());
        }
        _ => return Err(met.misfit("so nobody can claim it").into()),
    };
    Err(fault.hint("take another one that is ready").into())
}

/// Words the command that makes the branch in a folder beside the repository's own.
fn begin(repo: &Repo, branch: &str, (exists, base): (bool, CommitId)) -> String {
    let place = repo.workdir().unwrap_or_else(|| repo.common_dir());
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned());
    let part = branch.trim_start_matches(BRANCH);
    let folder = place.with_file_name(format!("{}-{part}", name.unwrap_or_default()));
    let folder = quote::quoted(&folder.to_string_lossy());
    let branch = quote::quoted(branch);
    match exists {
        true => format!("git worktree add {folder} {branch}"),
        false => format!("git worktree add -b {branch} {folder} {base}"),
    }
}
