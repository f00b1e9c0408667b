//! Landed: which goals have landed, computed from the memory files that are trusted and from the trailers of the commits
//! beyond them.
//!
//! Owns what a commit says of goals: that it lands them, or takes them back. Writes nothing; `settle` brings the files in
//! line.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hash,
};

use eyre::Result;
use serde_json::Value;

use crate::{
    backlog::{
        Backlog,
        close::{COMPLETED, COMPLETED_SEGMENTS, PENDING},
        history as rows,
        read::ids_in,
    },
    engine::{recall, target},
    fault::{Fault, Kind},
    git::{
        Repo,
        history::{self, LogEntry},
        merge::{self, Merge},
        tree,
    },
    id::{CommitId, GoalId},
};

/// How many reverts of reverts are followed.
const REVERTS: u32 = 16;

/// What has landed.
#[derive(Debug, Default)]
pub struct Landed {
    /// All of it.
    pub landed: BTreeSet<GoalId>,
    /// What landed since the tip's memory files were written, with the commits.
    pub unsettled: Vec<(GoalId, CommitId)>,
    /// What people took back since then.
    pub reopened: Vec<Reopened>,
    /// What has a row in the backlog all the same: it landed before its row was recorded.
    pub stale: Vec<GoalId>,
}

/// A landed goal that people took back.
#[derive(Debug)]
pub struct Reopened {
    /// The goal.
    pub goal: GoalId,
    /// The commit that took it back.
    pub by: CommitId,
    /// Its row in the backlog of that commit: the revert of a landing brings it back.
    pub row: Option<String>,
}

/// Computes which goals have landed: what the nearest commits of ours say in their memory files, and the trailers of the
/// commits beyond them, the oldest first.
///
/// # Errors
/// When history or a memory file cannot be read.
pub fn landed(repo: &Repo, tip: CommitId) -> Result<Landed> {
    let beyond = history::beyond(repo, tip)?;
    let mut landed = trusted(repo, tip, &beyond.trusted)?;
    let mut reopened: BTreeMap<GoalId, CommitId> = BTreeMap::new();
    let mut unsettled: Vec<(GoalId, CommitId)> = Vec::new();
    for entry in beyond.newer.iter().rev() {
        let said = of_commit(repo, entry);
        for goal in said.takes_back {
            landed.remove(&goal);
            unsettled.retain(|(other, _)| *other != goal);
            reopened.insert(goal, entry.id);
        }
        for goal in said.lands {
            reopened.remove(&goal);
            if landed.insert(goal.clone()) {
                unsettled.push((goal, entry.id));
            }
        }
    }
    let reopened = reopened.into_iter().map(|(goal, by)| {
        let text = tree::read_file(repo, tree::of_commit(repo, by)?, PENDING)?.unwrap_or_default();
        let row = Backlog::parse(&text)
            .ok()
            .and_then(|open| open.raw(&goal).map(str::to_owned));
        Ok(Reopened { goal, by, row })
    });
    Ok(Landed {
        landed,
        unsettled,
        reopened: reopened.collect::<Result<_>>()?,
        stale: Vec::new(),
    })
}

/// Words why a goal is open again.
pub fn reverted(commit: CommitId) -> String {
    format!("taken back by commit {}", commit.short())
}

/// What a commit says of goals.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Goals that it lands, by our trailers or by reverting what took them back.
    pub lands: Vec<GoalId>,
    /// Goals that it takes back.
    pub takes_back: Vec<GoalId>,
}

/// Reads what a commit says of goals.
pub fn of_commit(repo: &Repo, entry: &LogEntry) -> Said {
    said(repo, entry, (0, &mut HashMap::new()))
}

/// What was read of commits that others revert, by how far they are from the one that was asked for.
type Known = HashMap<(CommitId, u32), Said>;

/// Reads what a commit says: by our trailers, or as a person's `git revert` of a commit that says something: then it says
/// the contrary.
fn said(repo: &Repo, entry: &LogEntry, (depth, known): (u32, &mut Known)) -> Said {
    let mut said = Said {
        lands: target::members(entry).into_iter().map(|(goal, _)| goal).collect(),
        takes_back: entry.trailers("Undo").filter_map(|goal| goal.parse().ok()).collect(),
    };
    // As git writes it: in a line of the body. Indented, or as a subject, it is the wording of somebody.
    let lines = entry.message.lines().skip(1).filter(|_| depth < REVERTS);
    for id in once(lines.filter_map(reverted_by)) {
        // A message may name many, and those the same ones again: each is read once.
        let contrary = match known.get(&(id, depth)) {
            Some(contrary) => contrary.clone(),
            // One that is not here, as in a shallow clone, says nothing.
            None => match history::entry(repo, id) {
                Ok(reverted) => self::said(repo, &reverted, (depth + 1, &mut *known)),
                Err(_) => Said::default(),
            },
        };
        said.takes_back.extend(contrary.lands.iter().cloned());
        said.lands.extend(contrary.takes_back.iter().cloned());
        known.insert((id, depth), contrary);
    }
    Said {
        lands: once(said.lands),
        takes_back: once(said.takes_back),
    }
}

/// Returns each once, in their order.
fn once<T: Clone + Eq + Hash>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    all.into_iter().filter(|one| seen.insert(one.clone())).collect()
}

/// Returns the commit that a line of a message says it reverts.
fn reverted_by(line: &str) -> Option<CommitId> {
    let rest = line.strip_prefix("This reverts commit ")?;
    let id: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    id.parse().ok()
}

/// True where all that `tip` has beyond `sound` on its first-parent line are commits of ours: their code passed before they
/// were made. Looks at a few dozen of them at most.
///
/// # Errors
/// When commits cannot be read.
pub fn are_landings(repo: &Repo, sound: CommitId, tip: CommitId) -> Result<bool> {
    let mut at = tip;
    for _ in 0..64 {
        if at == sound {
            return Ok(true);
        }
        let entry = history::entry(repo, at)?;
        let is_ours = ["Landed", "Undo", "Settled"]
            .iter()
            .any(|key| entry.trailers(key).next().is_some());
        match entry.parents.first() {
            Some(parent) if is_ours => at = *parent,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// Reads which goals the trusted commits' memory files call landed: those in the completed files that are not open again.
/// Where lines of history were merged, a goal that one of them took back has not landed, unless the other landed it anew
/// and its work is in the code of `tip`: where both took it back, git's merge leaves work out that came back the same.
fn trusted(repo: &Repo, tip: CommitId, commits: &[CommitId]) -> Result<BTreeSet<GoalId>> {
    let all: Vec<Files> = commits
        .iter()
        .map(|commit| Files::read(repo, *commit))
        .collect::<Result<_>>()?;
    let mut landed: BTreeSet<GoalId> = BTreeSet::new();
    for files in &all {
        landed.extend(files.completed.iter().filter(|id| !files.is_open(id)).cloned());
    }
    if all.len() > 1 {
        let rows: Vec<BTreeMap<GoalId, Vec<String>>> = all.iter().map(Files::rows).collect::<Result<_>>()?;
        let lines: Vec<Line<'_>> = all.iter().zip(&rows).collect();
        let mut kept = BTreeSet::new();
        for goal in landed {
            if has_landed(repo, tip, &goal, &lines)? {
                kept.insert(goal);
            }
        }
        landed = kept;
    }
    Ok(landed)
}

/// What a line of history that was merged says, with its completed rows by goal.
type Line<'a> = (&'a Files, &'a BTreeMap<GoalId, Vec<String>>);

fn has_landed(repo: &Repo, tip: CommitId, goal: &GoalId, lines: &[Line<'_>]) -> Result<bool> {
    for (_, took) in lines.iter().filter(|(files, _)| files.is_open(goal)) {
        let seen = took.get(goal).map(Vec::as_slice).unwrap_or_default();
        let landings = lines.iter().filter(|(files, _)| !files.is_open(goal));
        // A line that landed it and knows of a row that the taking back did not know landed it anew.
        let mut anew = landings
            .filter_map(|(_, own)| own.get(goal)?.last())
            .filter(|row| !seen.contains(row));
        let Some(row) = anew.next() else { return Ok(false) };
        if !seen.is_empty() && !is_in_code(repo, tip, row)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// True where the code of `tip` has what the commit of a completed row changed, or where nobody can tell.
fn is_in_code(repo: &Repo, tip: CommitId, row: &str) -> Result<bool> {
    let fields: Value = serde_json::from_str(row).unwrap_or_default();
    let commit = fields.get("commit").and_then(Value::as_str);
    let Some(commit) = commit.and_then(|commit| commit.parse::<CommitId>().ok()) else {
        return Ok(true);
    };
    if !repo.has(commit) || history::parents(repo, commit)?.iter().any(|parent| !repo.has(*parent)) {
        return Ok(true);
    }
    let code = tree::code_of_commit(repo, tip)?;
    Ok(match merge::onto(repo, tip, &[commit])? {
        Merge::Clean(again) => again.id == code.id,
        // What was built on it since.
        Merge::Conflict { .. } => true,
    })
}

/// What the memory files of one commit say.
struct Files {
    texts: Vec<String>,
    completed: Vec<GoalId>,
    open: HashSet<String>,
}

impl Files {
    fn read(repo: &Repo, commit: CommitId) -> Result<Self> {
        let root = tree::of_commit(repo, commit)?;
        let texts = recall::memory_texts(repo, root, COMPLETED, COMPLETED_SEGMENTS)?;
        let mut completed = Vec::new();
        for text in &texts {
            let found = rows::landed_ids(text).map_err(|error| {
                Fault::new(Kind::Error, format!("{COMPLETED} of commit {commit}: {error}"))
                    .hint("`git invisigoth rebuild` makes it anew from notes and history")
            })?;
            completed.extend(found);
        }
        let open = tree::read_file(repo, root, PENDING)?.unwrap_or_default();
        Ok(Self {
            texts,
            completed,
            open: ids_in(&open),
        })
    }

    fn is_open(&self, goal: &GoalId) -> bool {
        self.open.contains(goal.as_str())
    }

    /// Returns the completed rows by goal, the newest last.
    fn rows(&self) -> Result<BTreeMap<GoalId, Vec<String>>> {
        let mut all: BTreeMap<GoalId, Vec<String>> = BTreeMap::new();
        let mut ids = self.completed.iter();
        for text in &self.texts {
            let rows = rows::rows(text).map_err(|error| recall::backlog_fault(&error.in_file(COMPLETED)))?;
            for (row, id) in rows.into_iter().zip(ids.by_ref()) {
                all.entry(id.clone()).or_default().push(row.to_owned());
            }
        }
        Ok(all)
    }
}
