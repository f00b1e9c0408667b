//! Eviction: what becomes of a goal whose candidate does not land. It is tried again on the new head and told why, then
//! alone, then it is parked.
//!
//! Order of effects: the attempt, with all that the next one is told, then the candidate goes. Killed in between, the
//! candidate counts no more (`recall`). What a person made is neither deleted nor asked for again: it waits.

use std::{collections::BTreeSet, fmt::Write as _};

use eyre::Result;

use crate::{
    check::Failed,
    engine::{
        attempt, land, run,
        stored::{self, Eviction, Stored},
        target,
        worker::Worker,
    },
    event::Event,
    facts::{AttemptFact, Fact, Standing},
    git::{
        Repo, advance, attempts, codetree, diff, history,
        merge::{self, Clash},
        refs::{self, RefMove},
        tree,
    },
    id::{CommitId, GoalId},
    path::RepoPath,
    prompt::budget,
    quote,
    schedule::{State, queue::ALONE_AFTER},
};

/// Most bytes of a conflict, and of a log.
const TEXT: usize = 4000;
/// Lines shown around a conflict.
const AROUND: usize = 3;
/// Most commits that are named.
const AGAINST: usize = 8;
/// The beginning of a trailer on candidates that a model made for us.
const OURS: &str = "git-invisigoth:";

/// Why a candidate did not land on `Worker::target`'s tip.
#[derive(Debug)]
pub enum Why {
    /// Bringing its changes into the tip conflicts, in these files.
    Conflict(Vec<RepoPath>),
    /// Its checks fail on the merged code.
    Red(Box<Failed>),
    /// The tip's path classes forbid it: no other attempt would be let through.
    Denied(String),
    /// Commits that stay as they are cannot land in the way that is asked for.
    Unfit(String),
    /// It lands under a further gate, which it did not pass.
    Worse(String),
    /// Nothing is wrong with it, but others were faster each time.
    Moved(String),
}

impl Why {
    /// Words it on one line.
    pub fn words(&self) -> String {
        match self {
            Self::Conflict(paths) => conflict(paths),
            Self::Red(failed) => format!("fails on the merged code: {}", failed.reason()),
            Self::Denied(why) | Self::Unfit(why) | Self::Worse(why) | Self::Moved(why) => why.clone(),
        }
    }
}

/// Words where a candidate conflicts.
pub fn conflict(paths: &[RepoPath]) -> String {
    let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    format!("conflicts with what landed since, in {}", paths.join(", "))
}

/// What became of a goal whose candidate did not land.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Evicted {
    /// It is ready: the next attempt knows why.
    Again(String),
    /// It is ready, and nothing else may be at work beside its next attempt (`ALONE_AFTER`).
    Alone(String),
    /// It waits for a person, its candidate gone: too many did not land.
    Parked(String),
    /// It failed: no further attempt would be let through.
    Failed(String),
    /// Its candidate stays and waits for a person, who made it.
    Waits(String),
    /// Its candidate stays and can land.
    Stays(String),
}

impl Evicted {
    /// Returns the state of the goal, and why.
    pub fn into_parts(self) -> (State, String) {
        match self {
            Self::Again(why) | Self::Alone(why) => (State::Ready, why),
            Self::Parked(why) => (State::Parked, why),
            Self::Failed(why) => (State::Failed, why),
            Self::Waits(why) => (State::Held, why),
            Self::Stays(why) => (State::Candidate, why),
        }
    }
}

/// Takes the candidate of `id`, made by attempt `number`, out of the queue: its goal is worked on again, on the new head, told
/// why. The worker's target must be as the candidate was judged on, with all that landed before it. Takes it in, and says so.
///
/// # Errors
/// When refs or objects cannot be read or written.
pub fn evict(worker: &mut Worker<'_>, id: &GoalId, (candidate, number): (CommitId, u32), why: &Why) -> Result<Evicted> {
    let words = why.words();
    if let Why::Moved(_) = why {
        return Ok(Evicted::Stays(words));
    }
    let mut stored = land::stored_for(&worker.repo, id, candidate, number)?;
    let ours = is_ours(&worker.repo, &stored, (candidate, number))?;
    stored.evicted = met(worker, &stored, candidate, why)?;
    stored.reason.clone_from(&words);
    let retriable = matches!(why, Why::Conflict(_) | Why::Red(_));
    stored.standing = match (ours, retriable) {
        (false, _) => Standing::Open,
        (true, true) => Standing::Evicted,
        (true, false) => Standing::Failed,
    };
    // What the attempt came to is there, but of one of another clone.
    let code = match attempts::code(&worker.repo, id, number)? {
        None if ours => Some(tree::of_commit(&worker.repo, candidate)?),
        _ => None,
    };
    let at = worker.session.clock.now();
    stored::write(&worker.repo, &stored, number, (0, &[]), (code, at))?;
    if !ours {
        return Ok(wait(worker, id, &words));
    }
    drop_candidate(&worker.repo, id, candidate)?;
    if !retriable {
        worker.ended(id, number, Standing::Failed, &words);
        return Ok(Evicted::Failed(words));
    }
    again(worker, id, (number, &stored), words)
}

/// Has the candidate of `id`, made by attempt `number`, wait for a person, and says so: it stays as it is.
///
/// # Errors
/// When the attempt cannot be read or written.
pub fn hold(worker: &mut Worker<'_>, id: &GoalId, (candidate, number): (CommitId, u32), why: &str) -> Result<()> {
    let mut stored = land::stored_for(&worker.repo, id, candidate, number)?;
    stored.standing = Standing::Open;
    why.clone_into(&mut stored.reason);
    let code = match attempts::code(&worker.repo, id, number)? {
        None => Some(tree::of_commit(&worker.repo, candidate)?),
        Some(_) => None,
    };
    let at = worker.session.clock.now();
    stored::write(&worker.repo, &stored, number, (0, &[]), (code, at))?;
    if let Some(candidate) = worker.facts.candidates.get_mut(id) {
        candidate.held = Some(why.to_owned());
    }
    let description = description(worker, id);
    run::held(worker, id, &description, why);
    Ok(())
}

/// True where a model made the candidate for us, and nobody changed it since.
fn is_ours(repo: &Repo, stored: &Stored, (candidate, number): (CommitId, u32)) -> Result<bool> {
    let entry = history::entry(repo, candidate)?;
    let by_us = entry.trailers("Assisted-by").any(|by| by.starts_with(OURS));
    Ok(stored.adopted.is_none() && by_us && is_as_made(repo, stored, (candidate, number))?)
}

/// True where `commit` has the code that attempt `number`, which is `stored`, came to, as far as this clone knows that.
///
/// # Errors
/// When objects cannot be read.
pub fn is_as_made(repo: &Repo, stored: &Stored, (commit, number): (CommitId, u32)) -> Result<bool> {
    let parents = history::parents(repo, commit)?;
    // An attempt of another clone need not be here.
    let (Some(made), Some(parent)) = (attempts::code(repo, &stored.goal, number)?, parents.first()) else {
        return Ok(true);
    };
    let (made, now) = (codetree::strip(repo, made)?, tree::code_of_commit(repo, commit)?);
    if made.id == now.id || *parent == stored.base {
        return Ok(made.id == now.id);
    }
    // We replayed it onto another base.
    let (before, after) = (
        tree::code_of_commit(repo, stored.base)?,
        tree::code_of_commit(repo, *parent)?,
    );
    let moved = merge::three_way(repo, before, after, made)?;
    Ok(moved.is_ok_and(|moved| moved.id == now.id))
}

/// Deletes the goal's branch, unless somebody has it checked out: then it counts no more.
fn drop_candidate(repo: &Repo, id: &GoalId, candidate: CommitId) -> Result<()> {
    let name = refs::candidate_ref(id);
    if advance::checkouts(repo, name.trim_start_matches("refs/heads/"))?.is_empty() {
        // Lost where somebody moved it meanwhile: what is there now is not what was judged.
        refs::swap(repo, &[RefMove::Delete { name, old: candidate }])?;
    }
    Ok(())
}

fn again(worker: &mut Worker<'_>, id: &GoalId, (number, stored): (u32, &Stored), why: String) -> Result<Evicted> {
    let known = worker.facts.attempts.get(id).map_or(number, |known| known.number);
    let fact = AttemptFact {
        number: known.max(number),
        standing: Standing::Evicted,
        reason: why.clone(),
        outdated: false,
        evictions: stored::evictions(&worker.repo, (number, stored), &stored.version)?,
    };
    let (is_parked, alone) = (fact.is_parked(), fact.evictions >= ALONE_AFTER);
    let times = fact.evictions;
    worker.facts.learn(Fact::Attempt(id.clone(), fact));
    let (goal, description) = (id.clone(), description(worker, id));
    if is_parked {
        let why = format!(
            "did not land {times} times: {why}; `git invisigoth retry {}` lets it be tried again",
            quote::quoted(id.as_str())
        );
        worker.session.sink.emit(&Event::Parked {
            goal,
            description,
            why: why.clone(),
        });
        return Ok(Evicted::Parked(why));
    }
    worker.session.sink.emit(&Event::Evicted {
        goal,
        description,
        attempt: number,
        why: why.clone(),
        alone,
    });
    Ok(if alone {
        Evicted::Alone(why)
    } else {
        Evicted::Again(why)
    })
}

/// Takes in that a candidate waits for the person who made it, and says so.
fn wait(worker: &mut Worker<'_>, id: &GoalId, why: &str) -> Evicted {
    if let Some(candidate) = worker.facts.candidates.get_mut(id) {
        candidate.held = Some(why.to_owned());
    }
    let why = format!(
        "{why}; its commits are not ours, so they stay: `git invisigoth merge {}` tries again",
        quote::quoted(id.as_str())
    );
    worker.session.sink.emit(&Event::Held {
        goal: id.clone(),
        description: description(worker, id),
        why: why.clone(),
    });
    Evicted::Waits(why)
}

fn description(worker: &Worker<'_>, id: &GoalId) -> String {
    let open = worker.facts.goals.get(id);
    open.map(|open| open.description.clone()).unwrap_or_default()
}

/// Puts together what the next attempt is told.
fn met(worker: &Worker<'_>, stored: &Stored, candidate: CommitId, why: &Why) -> Result<Option<Eviction>> {
    let (repo, tip) = (&worker.repo, worker.target.tip);
    let (conflict, log, paths) = match why {
        Why::Conflict(paths) if stored.is_as_is() => (None, None, paths.clone()),
        Why::Conflict(paths) => {
            let clashes = merge::clashes(repo, tip, candidate)?;
            let text = words(repo, tip, &clashes)?;
            let text = worker.session.redactor.clean(&text).into_string();
            (Some(bounded(&text)), None, paths.clone())
        }
        Why::Red(failed) => (None, Some(attempt::said(failed, TEXT)), Vec::new()),
        Why::Denied(_) | Why::Unfit(_) | Why::Worse(_) | Why::Moved(_) => return Ok(None),
    };
    let base = match history::parents(repo, candidate)?.first() {
        Some(parent) if !stored.is_as_is() => *parent,
        _ => stored.base,
    };
    Ok(Some(Eviction {
        conflict,
        log,
        against: against(repo, (base, tip), candidate, paths)?,
    }))
}

/// Lists what landed after `base` up to `tip`: what touched the same files as `candidate` first, each the newest first.
fn against(
    repo: &Repo,
    (base, tip): (CommitId, CommitId),
    candidate: CommitId,
    paths: Vec<RepoPath>,
) -> Result<Vec<CommitId>> {
    let mut mine: BTreeSet<RepoPath> = paths.into_iter().collect();
    let (before, after) = (tree::of_commit(repo, base)?, tree::of_commit(repo, candidate)?);
    mine.extend(
        diff::trees(repo, before, after)?
            .into_iter()
            .map(|differs| differs.path),
    );
    let mut found: Vec<(bool, CommitId)> = Vec::new();
    for entry in history::first_parents_since(repo, base, tip)? {
        let commits = match target::members(&entry).as_slice() {
            // What one landing brought is told best by itself, however many commits it has.
            [] | [_] => vec![entry.id],
            many => many.iter().map(|(_, commit)| *commit).collect(),
        };
        for commit in commits {
            let differing = diff::of_commit(repo, commit)?;
            if !differing.is_empty() {
                let is_near = differing.iter().any(|differs| mine.contains(&differs.path));
                found.push((!is_near, commit));
            }
        }
    }
    found.sort_by_key(|(is_far, _)| *is_far);
    found.truncate(AGAINST);
    Ok(found.into_iter().map(|(_, commit)| commit).collect())
}

/// Words conflicts as git has them in files, with what stands around them.
fn words(repo: &Repo, tip: CommitId, clashes: &[Clash]) -> Result<String> {
    let root = tree::of_commit(repo, tip)?;
    let mut text = String::new();
    for Clash { path, text: merged } in clashes {
        let merged = merged.as_deref().filter(|merged| !merged.contains(&0));
        match merged.map(String::from_utf8_lossy) {
            Some(merged) => {
                let _ = writeln!(text, "{path}\n{}", hunks(&merged));
            }
            None => {
                let is_there = path.as_str().is_some_and(|path| {
                    let found = tree::blob_at(repo, root, path);
                    found.is_ok_and(|found| found.is_some())
                });
                let what = if is_there {
                    "both sides changed it, and it cannot be merged line by line"
                } else {
                    "it is no longer there: what landed deleted or renamed it"
                };
                let _ = writeln!(text, "{path}: {what}");
            }
        }
    }
    Ok(text)
}

/// Returns the places of a merged text that have markers, each with a few lines around it.
fn hunks(merged: &str) -> String {
    let lines: Vec<&str> = merged.lines().collect();
    let mut shown = vec![false; lines.len()];
    let mut inside = false;
    for (at, line) in lines.iter().enumerate() {
        let opens = line.starts_with("<<<<<<<");
        inside |= opens;
        let from = at - if opens { at.min(AROUND) } else { 0 };
        let closes = inside && line.starts_with(">>>>>>>");
        let to = at + if closes { AROUND } else { 0 };
        if inside {
            shown.iter_mut().take(to + 1).skip(from).for_each(|shown| *shown = true);
        }
        inside &= !closes;
    }
    let mut text = String::new();
    let mut gap = false;
    for (line, shown) in lines.iter().zip(shown) {
        match (shown, gap) {
            (true, _) => {
                text.push_str(line);
                text.push('\n');
            }
            (false, false) => text.push_str("…\n"),
            (false, true) => {}
        }
        gap = !shown;
    }
    text
}

/// Returns whole lines of `text`, about `TEXT` bytes.
fn bounded(text: &str) -> String {
    budget::ends(text, TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_shown_with_a_few_lines_around_it() {
        let far: String = (0..9).map(|n| format!("line {n}\n")).collect();
        let merged = format!("{far}<<<<<<< target\na\n=======\nb\n>>>>>>> candidate\n{far}");
        assert_eq!(
            hunks(&merged),
            "…\nline 6\nline 7\nline 8\n<<<<<<< target\na\n=======\nb\n>>>>>>> candidate\nline 0\nline 1\nline 2\n…\n"
        );
    }

    #[test]
    fn what_did_not_land_says_why_on_one_line() {
        let path = |path: &str| RepoPath::parse(path).unwrap();
        let why = Why::Conflict(vec![path("a.txt"), path("b.txt")]);
        assert_eq!(why.words(), "conflicts with what landed since, in a.txt, b.txt");
        let failed = Failed {
            ran: Vec::new(),
            new_failures: BTreeSet::new(),
        };
        let why = Why::Red(Box::new(failed));
        assert_eq!(why.words(), "fails on the merged code: checks did not pass");
    }
}
