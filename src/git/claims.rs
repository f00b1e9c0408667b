//! Claims: who works on a goal, as refs that move by compare-and-swap.
//!
//! A claim is a commit of its own kind: no two runs make the same object, for gix lets two make one and the same ref at once.
//! Its parent is the claim that it took over or renews, so the chain grows, and a longer one is a later holder's. What nobody
//! held takes no object of its own: claims of one run share a commit, and the name of the ref says the goal. Owns names and
//! bytes; whether a claim's holder is alive is not known here.

use serde::{Deserialize, Serialize};

use crate::{
    door::host,
    git::{
        Doing as _, Repo, Result, commit, history, objects,
        refs::{self, RefMove, Swap},
    },
    id::{CommitId, GoalId},
    time::Moment,
};

/// Where claims are.
pub const CLAIMS: &str = "refs/invisigoth/claims/";

/// Returns the name of the ref by which a goal is claimed.
pub fn name(goal: &GoalId) -> String {
    format!("{CLAIMS}{}", goal.ref_part())
}

/// True where the ref's name says which goal it is of, so that its commit need not.
pub fn is_named(goal: &GoalId) -> bool {
    named(&goal.ref_part()).as_ref() == Some(goal)
}

/// Returns the goal that a ref's last part is, where it is no mapping of its id.
fn named(key: &str) -> Option<GoalId> {
    key.parse().ok().filter(|goal: &GoalId| goal.ref_part() == key)
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
    /// Who it is and until when, where it is nobody's run: no process tells whether such a holder lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
}

/// Somebody outside of runs who holds a claim until a time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outside {
    /// The name that they gave.
    pub by: String,
    /// When the claim ends by itself.
    pub until: Moment,
}

/// A claim as its ref holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The last part of the ref's name.
    pub key: String,
    /// The goal, where it says which in a way that is known here.
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
    /// Absent where the ref's name says it.
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
        .map(|(name, commit)| of_commit(repo, name.strip_prefix(prefix).unwrap_or(&name), commit))
        .collect())
}

/// Reads a claim; `None` where there is none.
///
/// # Errors
/// When its ref cannot be read.
pub fn read(repo: &Repo, goal: &GoalId) -> Result<Option<Claim>> {
    let commit = refs::read(repo, &name(goal))?;
    Ok(commit.map(|commit| of_commit(repo, &goal.ref_part(), commit)))
}

/// Reads the claim that `commit` is. Of one that cannot be read nobody is known to be the holder.
pub fn of_commit(repo: &Repo, key: &str, commit: CommitId) -> Claim {
    let entry = history::entry(repo, commit);
    let at = entry.as_ref().map_or(Moment::default(), |entry| entry.at);
    let said: Option<Said> = entry.ok().and_then(|entry| serde_json::from_str(&entry.message).ok());
    let goal = said.as_ref().and_then(|said| said.goal.clone().or_else(|| named(key)));
    let said = said.unwrap_or(Said {
        goal: None,
        holder: Holder::default(),
        at,
        nonce: String::new(),
    });
    Claim {
        key: key.to_owned(),
        goal,
        holder: said.holder,
        at: said.at,
        commit,
    }
}

/// Makes the commit of claims that a run takes within a while of `at`; no ref names it yet.
///
/// # Errors
/// When objects cannot be written.
pub fn common(repo: &Repo, holder: &Holder, at: Moment) -> Result<Claim> {
    make(repo, (String::new(), None), holder, &[], at)
}

/// True where a commit that no ref need have named is still there: `git gc` may have taken it.
///
/// # Errors
/// When the store cannot be opened.
pub fn is_there(repo: &Repo, claim: &Claim) -> Result<bool> {
    Ok(objects::missing(repo, [claim.commit.0])?.is_empty())
}

/// Takes what nobody holds by a commit that other claims of the run have too; `None` where somebody else was first. Only for
/// what `is_named`, by one thread of the run at a time, and once for each.
///
/// # Errors
/// When the ref cannot be written.
pub fn take_by(repo: &Repo, goal: &GoalId, common: &Claim) -> Result<Option<Claim>> {
    let claim = Claim {
        key: goal.ref_part(),
        goal: Some(goal.clone()),
        ..common.clone()
    };
    put(repo, claim, None)
}

/// Takes what nobody holds, or what `stale` does not hold any more; `None` where somebody else was first.
///
/// # Errors
/// When objects or the ref cannot be written.
pub fn take(repo: &Repo, goal: &GoalId, holder: &Holder, stale: Option<&Claim>, at: Moment) -> Result<Option<Claim>> {
    let old = stale.map(|claim| claim.commit);
    let parents: Vec<CommitId> = old.into_iter().collect();
    let claim = make(repo, (goal.ref_part(), Some(goal.clone())), holder, &parents, at)?;
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
