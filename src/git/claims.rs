//! Claims: who works on a goal, or lands on a target, as refs that move by compare-and-swap.
//!
//! A claim is a commit of its own kind: no two are the same object, for gix lets two make one and the same ref at once. Its
//! parent is the claim that it took over or renews, so the chain grows, and a longer one is a later holder's. Owns names and bytes;
//! whether a claim's holder is alive is not known here.

use serde::{Deserialize, Serialize};

use crate::{
    door::host,
    git::{
        Doing as _, Repo, Result, commit, history, objects,
        refs::{self, RefMove, Swap},
    },
    id::{CommitId, GoalId, Hash},
    time::Moment,
};

/// Where claims are.
pub const CLAIMS: &str = "refs/invisigoth/claims/";

/// How the key of the place at a target begins; no goal's part of a ref name begins so.
const LANDING: &str = "_land-";

/// What is claimed.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// The work at a goal.
    Goal(&'a GoalId),
    /// Landing on the branch of that name: one at a time.
    Target(&'a str),
}

impl<'a> From<&'a GoalId> for Of<'a> {
    fn from(goal: &'a GoalId) -> Self {
        Self::Goal(goal)
    }
}

impl Of<'_> {
    /// Returns the last part of the ref's name.
    pub fn key(self) -> String {
        match self {
            Self::Goal(goal) => goal.ref_part(),
            Self::Target(branch) => format!("{LANDING}{}", Hash::of("target", [branch.as_bytes()]).short(10)),
        }
    }

    /// Returns the name of the ref.
    pub fn name(self) -> String {
        format!("{CLAIMS}{}", self.key())
    }

    fn goal(self) -> Option<GoalId> {
        match self {
            Self::Goal(goal) => Some(goal.clone()),
            Self::Target(_) => None,
        }
    }
}

/// Who holds a claim.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Holder {
    /// The run.
    pub run: String,
    /// The machine.
    pub host: String,
    /// Which start of the machine, and which space of process numbers.
    pub boot: String,
    /// The process.
    pub pid: u32,
    /// When that process was started, in ticks since the machine was.
    pub started: u64,
}

/// A claim as its ref holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The last part of the ref's name.
    pub key: String,
    /// The goal, where it is one that is claimed.
    pub goal: Option<GoalId>,
    /// Who holds it; empty where the commit does not say in a way that is known here.
    pub holder: Holder,
    /// When it was made or last renewed, by its holder's clock.
    pub at: Moment,
    /// What the ref is at.
    pub commit: CommitId,
}

/// The message of a claim's commit.
#[derive(Serialize, Deserialize)]
struct Said {
    goal: Option<GoalId>,
    holder: Holder,
    at: Moment,
    nonce: String,
}

/// Lists the claims of this clone, by key.
///
/// # Errors
/// When refs cannot be listed.
pub fn all(repo: &Repo) -> Result<Vec<Claim>> {
    all_below(repo, CLAIMS)
}

/// Lists the claims below `prefix`, which are those of a remote as they were fetched.
///
/// # Errors
/// As `all`.
pub fn all_below(repo: &Repo, prefix: &str) -> Result<Vec<Claim>> {
    let named = refs::below(repo, prefix)?.into_iter();
    Ok(named
        .map(|(name, commit)| of_commit(repo, name.trim_start_matches(prefix), commit))
        .collect())
}

/// Reads a claim; `None` where there is none.
///
/// # Errors
/// When its ref cannot be read.
pub fn read(repo: &Repo, of: Of<'_>) -> Result<Option<Claim>> {
    let commit = refs::read(repo, &of.name())?;
    Ok(commit.map(|commit| of_commit(repo, &of.key(), commit)))
}

/// Reads the claim that `commit` is. Of one that cannot be read nobody is known to be the holder.
pub fn of_commit(repo: &Repo, key: &str, commit: CommitId) -> Claim {
    let entry = history::entry(repo, commit);
    let at = entry.as_ref().map_or(Moment::default(), |entry| entry.at);
    let said = entry.ok().and_then(|entry| serde_json::from_str(&entry.message).ok());
    let said = said.unwrap_or(Said {
        goal: None,
        holder: Holder::default(),
        at,
        nonce: String::new(),
    });
    Claim {
        key: key.to_owned(),
        goal: said.goal,
        holder: said.holder,
        at: said.at,
        commit,
    }
}

/// Takes what nobody holds, or what `stale` does not hold any more; `None` where somebody else was first.
///
/// # Errors
/// When objects or the ref cannot be written.
pub fn take(repo: &Repo, of: Of<'_>, holder: &Holder, stale: Option<&Claim>, at: Moment) -> Result<Option<Claim>> {
    let old = stale.map(|claim| claim.commit);
    let parents: Vec<CommitId> = old.into_iter().collect();
    let claim = make(repo, (of.key(), of.goal()), holder, &parents, at)?;
    put(repo, claim, old)
}

/// Makes a claim anew, so that its age is counted from `at`; after `after`, where it takes over one that a remote has.
/// `None` where it is not held any more.
///
/// # Errors
/// As `take`.
pub fn renew(repo: &Repo, held: &Claim, after: Option<CommitId>, at: Moment) -> Result<Option<Claim>> {
    // A successor of what is there: some hosts take nothing else.
    let parents = [after.unwrap_or(held.commit)];
    let claim = make(repo, (held.key.clone(), held.goal.clone()), &held.holder, &parents, at)?;
    put(repo, claim, Some(held.commit))
}

/// Gives a claim back. One that somebody took over meanwhile is theirs.
///
/// # Errors
/// When the ref cannot be written.
pub fn release(repo: &Repo, claim: &Claim) -> Result<()> {
    let name = format!("{CLAIMS}{}", claim.key);
    let old = claim.commit;
    refs::swap(repo, &[RefMove::Delete { name, old }]).map(|_| ())
}

/// Returns the length of a claim's chain: a higher number is a later holder.
///
/// # Errors
/// When the chain cannot be read.
pub fn fence(repo: &Repo, claim: &Claim) -> Result<usize> {
    Ok(history::first_parents(repo, claim.commit, usize::MAX)?.len())
}

fn make(
    repo: &Repo,
    (key, goal): (String, Option<GoalId>),
    holder: &Holder,
    parents: &[CommitId],
    at: Moment,
) -> Result<Claim> {
    let said = Said {
        goal,
        holder: holder.clone(),
        at,
        nonce: host::nonce(),
    };
    let text = serde_json::to_string(&said).doing(|| "wording a claim".into())? + "\n";
    let root = objects::write_empty_tree(repo)?;
    let commit = commit::write_unsigned(repo, root, parents, &text, at)?;
    Ok(Claim {
        key,
        goal: said.goal,
        holder: said.holder,
        at,
        commit,
    })
}

fn put(repo: &Repo, claim: Claim, old: Option<CommitId>) -> Result<Option<Claim>> {
    let set = RefMove::Set {
        name: format!("{CLAIMS}{}", claim.key),
        old,
        new: claim.commit,
        why: "invisigoth: claim".into(),
    };
    Ok((refs::swap(repo, &[set])? == Swap::Done).then_some(claim))
}
