//! History: walking commits, reading messages and trailers.
//!
//! Owns which ancestors are trusted for "landed": memory files of the nearest commits that we made, and the trailers of
//! what lies beyond them.

use std::collections::{BinaryHeap, HashMap, HashSet};

use gix::{revision::walk::Sorting, traverse::commit::simple::CommitTimeOrder};

use crate::{
    git::{Doing as _, GitError, Repo, Result, gix_id, oid},
    id::{CommitId, GoalId},
    time::Moment,
};

/// Lines that hosts put below the message of a squash.
const OF_HOSTS: [&str; 2] = ["Co-authored-by: ", "Signed-off-by: "];

/// A commit as a log shows it.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// The commit.
    pub id: CommitId,
    /// Its parents, first the line that it continues.
    pub parents: Vec<CommitId>,
    /// The whole message.
    pub message: String,
    /// The committer's date.
    pub at: Moment,
}

impl LogEntry {
    /// Returns the first line.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// Returns the values of a trailer of the last paragraph, in order.
    pub fn trailers<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        trailers(&self.message, key)
    }
}

/// Returns the values of trailer `key` in the last paragraph of `message`, or above what a host put below that.
pub fn trailers<'a>(message: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    closing(message)
        .lines()
        .filter_map(move |line| line.strip_prefix(key)?.strip_prefix(": "))
        .map(str::trim)
}

/// Returns the end of a message from its last paragraph on that is more than what hosts add to a squash: a rule, and who
/// worked on it, in paragraphs of their own.
fn closing(message: &str) -> &str {
    let added = |line: &str| {
        let is_rule = line.starts_with("---") && line.chars().all(|c| c == '-');
        is_rule || OF_HOSTS.iter().any(|key| line.starts_with(key))
    };
    let message = message.trim_end();
    let mut rest = message;
    while let Some((above, last)) = rest.rsplit_once("\n\n") {
        if !last.lines().all(added) {
            return message.split_at(above.len()).1;
        }
        rest = above.trim_end();
    }
    ""
}

/// Reads one commit.
///
/// # Errors
/// When there is none of that id.
pub fn entry(repo: &Repo, id: CommitId) -> Result<LogEntry> {
    let commit = repo
        .gix
        .find_commit(gix_id(id.0))
        .doing(|| format!("reading commit {id}"))?;
    let decoded = commit.decode().doing(|| format!("decoding commit {id}"))?;
    let time = decoded.committer().doing(|| format!("decoding commit {id}"))?.seconds();
    Ok(LogEntry {
        id,
        parents: decoded.parents().map(|parent| CommitId(oid(&parent))).collect(),
        message: decoded.message.to_string(),
        at: Moment(time.saturating_mul(1000)),
    })
}

/// Reads a commit's parents.
///
/// # Errors
/// As `entry`.
pub fn parents(repo: &Repo, id: CommitId) -> Result<Vec<CommitId>> {
    Ok(entry(repo, id)?.parents)
}

/// Reads a commit's message.
///
/// # Errors
/// As `entry`.
pub fn message(repo: &Repo, id: CommitId) -> Result<String> {
    Ok(entry(repo, id)?.message)
}

/// Returns up to `most` commits along the first parents of `tip`, the newest first.
///
/// # Errors
/// When one cannot be read. A shallow clone simply ends.
pub fn first_parents(repo: &Repo, tip: CommitId, most: usize) -> Result<Vec<LogEntry>> {
    let mut found = Vec::new();
    let mut next = Some(tip);
    while let Some(id) = next.filter(|_| found.len() < most) {
        let here = entry(repo, id)?;
        next = here
            .parents
            .first()
            .copied()
            .filter(|parent| repo.gix.has_object(gix_id(parent.0)));
        found.push(here);
    }
    Ok(found)
}

/// Returns the commits along the first parents of `tip` that `from` does not hold, the newest first.
///
/// # Errors
/// When one cannot be read. A shallow clone simply ends.
pub fn first_parents_since(repo: &Repo, from: CommitId, tip: CommitId) -> Result<Vec<LogEntry>> {
    let mut found = Vec::new();
    let mut next = Some(tip);
    while let Some(id) = next {
        if !repo.gix.has_object(gix_id(id.0)) || contains(repo, from, id)? {
            break;
        }
        let here = entry(repo, id)?;
        next = here.parents.first().copied();
        found.push(here);
    }
    Ok(found)
}

/// True where `old` is `new` or one of its ancestors.
///
/// # Errors
/// When history cannot be read.
pub fn contains(repo: &Repo, new: CommitId, old: CommitId) -> Result<bool> {
    if new == old {
        return Ok(true);
    }
    if !repo.gix.has_object(gix_id(old.0)) {
        return Ok(false);
    }
    match repo.gix.merge_bases_many(gix_id(new.0), &[gix_id(old.0)]) {
        Ok(bases) => Ok(bases.iter().any(|base| CommitId(oid(base)) == old)),
        Err(error) if error.dominant_class() == Some(gix::error::Class::NotFound) => Ok(false),
        Err(error) => Err(error).doing(|| format!("comparing {new} and {old}")),
    }
}

/// What the commits between a tip and the nearest commits of ours say.
#[derive(Clone, Debug, Default)]
pub struct Beyond {
    /// The nearest ancestors whose memory files are trusted.
    pub trusted: Vec<CommitId>,
    /// The commits nearer to the tip, the newest first.
    pub newer: Vec<LogEntry>,
}

/// Walks from `tip` over all parents, the newest commits first, and stops at commits of ours with a `Landed:` or `Settled:`
/// trailer, but not at copies of them. Right after a landing this reads one commit.
///
/// # Errors
/// When history cannot be read.
pub fn beyond(repo: &Repo, tip: CommitId) -> Result<Beyond> {
    let mut found = Beyond::default();
    let mut seen = HashSet::new();
    let mut open: BinaryHeap<(Moment, CommitId)> = BinaryHeap::new();
    let mut read = HashMap::new();
    let mut visit = |id: CommitId, open: &mut BinaryHeap<_>, read: &mut HashMap<_, _>| -> Result<()> {
        if seen.insert(id) && repo.gix.has_object(gix_id(id.0)) {
            let here = entry(repo, id)?;
            open.push((here.at, id));
            read.insert(id, here);
        }
        Ok(())
    };
    visit(tip, &mut open, &mut read)?;
    while let Some((_, id)) = open.pop() {
        let Some(here) = read.remove(&id) else { continue };
        if is_trusted(&here) {
            found.trusted.push(id);
            continue;
        }
        for parent in &here.parents {
            visit(*parent, &mut open, &mut read)?;
        }
        found.newer.push(here);
    }
    beyond_indeed(repo, found)
}

/// True for a commit of ours whose memory files say what landed. A copy that a rebase made has their changes on other files, so
/// it is only read for what its trailers say: it has not the parents that they name. A landing with one parent is no such
/// copy, as a rebase drops merges or makes them anew: it is a squash of several, or picked, and its files have all of it.
fn is_trusted(entry: &LogEntry) -> bool {
    let is_parent = |id: &str| entry.parents.iter().any(|parent| parent.to_string() == id);
    let mut landed = entry.trailers("Landed").filter_map(|value| value.rsplit_once(' '));
    let is_single = entry.parents.len() == 1;
    landed.any(|(_, commit)| is_parent(commit) || is_single)
        || entry.trailers("Settled").next().is_some()
            && (entry.trailers("Base").all(is_parent) || is_single && has_landings_within(&entry.message))
}

/// True for a message that a host puts together of several: in ours, such a line stands in the last paragraph only.
fn has_landings_within(message: &str) -> bool {
    let above = message.trim_end().rsplit_once("\n\n").map_or("", |(above, _)| above);
    above.lines().any(|line| line.starts_with("Landed: "))
}

/// Drops what a trusted commit already had before it: a branch from an older state that was merged leads back there.
fn beyond_indeed(repo: &Repo, mut found: Beyond) -> Result<Beyond> {
    let all = found.trusted.clone();
    let known_by =
        |trusted: &CommitId, id: CommitId| -> Result<bool> { Ok(*trusted != id && contains(repo, *trusted, id)?) };
    let known = |id: CommitId| {
        all.iter().try_fold(false, |known, trusted| {
            Ok::<_, GitError>(known || known_by(trusted, id)?)
        })
    };
    let mut trusted = Vec::new();
    for id in &all {
        if !known(*id)? {
            trusted.push(*id);
        }
    }
    let mut newer = Vec::new();
    for entry in found.newer {
        if !(says_something(&entry) && known(entry.id)?) {
            newer.push(entry);
        }
    }
    (found.trusted, found.newer) = (trusted, newer);
    Ok(found)
}

/// True where a commit may land a goal or take one back. All others need not be looked for.
fn says_something(entry: &LogEntry) -> bool {
    ["Goal: ", "Undo: ", "This reverts commit "]
        .iter()
        .any(|word| entry.message.contains(word))
}

/// True where an ancestor of `tip` is the work of `attempt` at `goal`, or work at it since the RFC 3339 time `since`. Reads
/// all of history.
///
/// # Errors
/// When history cannot be read.
pub fn has_landed(repo: &Repo, tip: CommitId, goal: &GoalId, (attempt, since): (u32, &str)) -> Result<bool> {
    let doing = || format!("walking history from {tip}");
    let attempt = attempt.to_string();
    for info in repo.gix.rev_walk([gix_id(tip.0)]).all().doing(doing)? {
        let here = entry(repo, CommitId(oid(&info.doing(doing)?.id)))?;
        let is_its = || here.trailers("Attempt").any(|number| number == attempt) || here.at.rfc3339().as_str() >= since;
        if here.trailers("Goal").any(|id| id == goal.as_str()) && is_its() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns the newest commit that `is_it` says yes to, of `tip` and all its ancestors. A shallow clone simply ends.
///
/// # Errors
/// When history cannot be read.
pub fn search(repo: &Repo, tip: CommitId, mut is_it: impl FnMut(&LogEntry) -> bool) -> Result<Option<LogEntry>> {
    let doing = || format!("walking history from {tip}");
    let walk = repo.gix.rev_walk([gix_id(tip.0)]);
    let walk = walk.sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
    for info in walk.all().doing(doing)? {
        let here = entry(repo, CommitId(oid(&info.doing(doing)?.id)))?;
        if is_it(&here) {
            return Ok(Some(here));
        }
    }
    Ok(None)
}

/// Reads the commits that landed, newest first: those with `Landed:` or `Goal:` trailers among the ancestors of `tip`.
/// Stops after `most`.
///
/// # Errors
/// When history cannot be read.
pub fn landings(repo: &Repo, tip: CommitId, most: usize) -> Result<Vec<LogEntry>> {
    let walk = repo.gix.rev_walk([gix_id(tip.0)]).first_parent_only().all();
    let walk = walk.doing(|| format!("walking history from {tip}"))?;
    let mut found = Vec::new();
    for info in walk {
        if found.len() >= most {
            break;
        }
        let info = info.doing(|| format!("walking history from {tip}"))?;
        let here = entry(repo, CommitId(oid(&info.id)))?;
        let ours = here.trailers("Landed").next().is_some() || here.trailers("Goal").next().is_some();
        if ours {
            found.push(here);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_stand_last_but_for_what_hosts_add() {
        for (message, found) in [
            ("subject\n\nbody\n\nGoal: a\n", &["a"][..]),
            ("subject\n\nGoal: a\nGoal: b\n", &["a", "b"]),
            ("subject\n\nGoal: a\n\nCo-authored-by: B <b@c>\n", &["a"]),
            (
                "subject\n\nGoal: a\n\n---------\n\nCo-authored-by: B <b@c>\nSigned-off-by: D <d@e>\n",
                &["a"],
            ),
            ("subject\n\nGoal: a\n\nand then\n", &[]),
            ("subject\n\nGoal: a\n\nand then\n\nCo-authored-by: B <b@c>\n", &[]),
            ("Goal: a\n", &[]),
            ("Goal: a\n\nCo-authored-by: B <b@c>\n", &[]),
        ] {
            assert_eq!(trailers(message, "Goal").collect::<Vec<_>>(), found, "{message}");
        }
        let both = "subject\n\nGoal: a\nCo-authored-by: A <a@b>\n\nCo-authored-by: B <b@c>\n";
        assert_eq!(trailers(both, "Co-authored-by").count(), 2);
    }
}
