//! Gathering: what the prompt of a goal shows. The one seam between the repository and `prompt`: retrieval that ranks comes
//! in here.

use std::{collections::BTreeMap, fmt::Write as _, io};

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::Backlog,
    engine::{hand_edits, recall, stored, target::Target},
    facts::Standing,
    git::{
        Repo,
        codetree::MASTER_PROMPT,
        diff,
        history::{self, LogEntry},
        objects, tree,
    },
    goal::Goal,
    id::{CommitId, GoalId, TreeId},
    path::RepoPath,
    prompt::{Context, Way},
    proof,
    reply::family::{self, Asked},
    settings::Llm,
    snapshot::{Listing, Mode, Snapshot, read_path},
    survey, textdiff,
};

/// Files with standing rules of the repository, at its top.
const RULES: [&str; 3] = ["AGENTS.md", "CLAUDE.md", "CONVENTIONS.md"];
/// Most paths of the outline.
const OUTLINE: usize = 400;
/// Commits of the log.
const LOG: usize = 10;
/// Commits whose diffs are shown.
const DIFFS: usize = 3;
/// Most bytes of one diff.
const DIFF_BYTES: usize = 6000;

/// Where a goal is worked on.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// Where goals land.
    pub target: &'a Target,
    /// The commit worked on.
    pub base: CommitId,
    /// Where goals are read whole.
    pub backlog: &'a Backlog,
    /// The goal's newest attempt, 0 where there is none.
    pub newest: u32,
    /// Who is asked, and how.
    pub llm: &'a Llm,
}

/// The listing that was made last. The next goal's base differs by a landing: the listing is brought there by what differs.
#[derive(Default)]
pub struct Listings {
    last: Option<(TreeId, Listing)>,
}

impl Listings {
    /// Lists the code of the stored tree `root`.
    ///
    /// # Errors
    /// When its trees cannot be read.
    pub fn at(&mut self, repo: &Repo, root: TreeId) -> Result<&Listing> {
        let listing = match self.last.take() {
            Some((last, listing)) if last == root => listing,
            Some((last, listing)) => match diff::trees(repo, last, root) {
                Ok(differences) => advanced(listing, differences),
                // The old tree may be gone.
                Err(_) => tree::list(repo, root)?,
            },
            None => tree::list(repo, root)?,
        };
        Ok(&self.last.insert((root, listing)).1)
    }
}

fn advanced(mut listing: Listing, differences: Vec<diff::Differs>) -> Listing {
    for differs in differences {
        let at = listing.binary_search_by(|(path, _)| path.cmp(&differs.path));
        match (at, differs.new) {
            (Ok(at), Some(entry)) => {
                if let Some(item) = listing.get_mut(at) {
                    item.1 = entry;
                }
            }
            (Ok(at), None) => {
                listing.remove(at);
            }
            (Err(at), Some(entry)) => listing.insert(at, (differs.path, entry)),
            (Err(_), None) => {}
        }
    }
    listing
}

/// Gathers what a prompt for `goal` at `place` shows.
///
/// # Errors
/// When the repository cannot be read.
pub fn context(place: Place<'_>, listings: &mut Listings, goal: &Goal) -> Result<Context> {
    let Place {
        repo,
        target,
        base,
        backlog,
        newest,
        llm,
    } = place;
    let code = tree::code_of_commit(repo, base)?;
    let snapshot = tree::snapshot(repo, code);
    let (log, diffs) = recent(repo, base)?;
    Ok(Context {
        master: master_prompt(repo, target, base)?,
        rules: rules(&snapshot)?,
        files: files(&snapshot, goal)?,
        outline: outline(listings.at(repo, code.root)?),
        log,
        diffs,
        dependencies: dependencies(repo, base, goal, backlog)?,
        test_goal: proof::is_test_goal(goal).is_some(),
        asked: asked(llm, goal.model.as_deref().unwrap_or(&llm.model)),
        failures: failures(repo, goal, newest)?,
        way: Way::default(),
    })
}

/// Words the latest commits up to `base` by their subjects, and what the latest of them changed.
///
/// # Errors
/// When history or what it holds cannot be read.
pub fn recent(repo: &Repo, base: CommitId) -> Result<(String, String)> {
    // Many edits of the backlog in a row would leave no room for what was done to the code.
    let mut commits = history::first_parents(repo, base, LOG * 3).wrap_err("reading the recent history")?;
    commits.retain(|entry| entry.subject() != hand_edits::EDITS);
    commits.truncate(LOG);
    // Without ids: they hold the time, and a prompt that is asked again must be the same.
    let log: Vec<&str> = commits.iter().map(LogEntry::subject).collect();
    let mut diffs = Vec::new();
    for entry in commits.iter().filter(|entry| !entry.parents.is_empty()) {
        let diff = commit_diff(repo, entry.id)?;
        if !diff.is_empty() {
            diffs.push(format!("commit: {}\n{diff}", entry.subject()));
        }
        if diffs.len() == DIFFS {
            break;
        }
    }
    Ok((log.join("\n"), diffs.join("\n")))
}

/// Returns how `model` is asked to word its edits.
pub fn asked(llm: &Llm, model: &str) -> Asked {
    family::asked(model, llm.format.parse().unwrap_or_default())
}

/// Reads the root prompt: as the working file has it where the target is checked out here, else as the base has it.
///
/// # Errors
/// When the base cannot be read.
pub fn master_prompt(repo: &Repo, target: &Target, base: CommitId) -> Result<String> {
    let working = recall::is_here(repo, target).then(|| repo.workdir()).flatten();
    let text = match working.and_then(|root| std::fs::read(root.join(MASTER_PROMPT)).ok()) {
        Some(text) => Some(text),
        None => tree::read_file(repo, tree::of_commit(repo, base)?, MASTER_PROMPT)?,
    };
    Ok(text
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .unwrap_or_default())
}

/// Says why the newest attempt at the goal failed.
fn failures(repo: &Repo, goal: &Goal, newest: u32) -> Result<Option<String>> {
    let Some(id) = goal.id.as_ref().filter(|_| newest > 0) else {
        return Ok(None);
    };
    let stored = stored::read(repo, id, newest)?
        .filter(|stored| matches!(stored.standing, Standing::Failed | Standing::Retried));
    Ok(stored.map(|stored| format!("Attempt {newest} failed: {}", stored.reason)))
}

/// Reads the files with standing rules of the repository.
///
/// # Errors
/// When one cannot be read.
pub fn rules(snapshot: &dyn Snapshot) -> io::Result<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for name in RULES {
        let Some(text) = read_path(snapshot, &RepoPath::from_git(name.as_bytes()))? else {
            continue;
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        if !found.iter().any(|(_, known)| *known == text) {
            found.push((name.to_owned(), text));
        }
    }
    Ok(found)
}

fn files(snapshot: &dyn Snapshot, goal: &Goal) -> io::Result<Vec<(String, Option<String>)>> {
    let mut files = Vec::new();
    for name in goal.named_files() {
        let Ok(path) = RepoPath::parse(name) else { continue };
        let text = match snapshot.entry(&path)? {
            Some(entry) if matches!(entry.mode, Mode::File | Mode::Executable) => {
                Some(String::from_utf8_lossy(&snapshot.read(&entry.id)?).into_owned())
            }
            _ => None,
        };
        files.push((name.to_owned(), text));
    }
    Ok(files)
}

/// Lists paths; past the limit folders are given with their counts.
fn outline(listing: &Listing) -> String {
    if listing.len() <= OUTLINE {
        let lines: Vec<String> = listing.iter().map(|(path, _)| path.to_string()).collect();
        return lines.join("\n");
    }
    let mut folders: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (path, _) in listing {
        let path = path.as_bytes();
        let folder = path
            .iter()
            .rposition(|byte| *byte == b'/')
            .and_then(|at| path.get(..at));
        *folders.entry(folder.unwrap_or_default()).or_default() += 1;
    }
    let worded = |(folder, count): (&&[u8], &usize)| match folder {
        [] => format!("(top) ({count} files)"),
        folder => format!("{}/ ({count} files)", RepoPath::from_git(*folder)),
    };
    let mut lines: Vec<String> = folders.iter().take(OUTLINE).map(worded).collect();
    if folders.len() > OUTLINE {
        lines.push(format!("… {} more folders", folders.len() - OUTLINE));
    }
    lines.join("\n")
}

fn dependencies(repo: &Repo, base: CommitId, goal: &Goal, backlog: &Backlog) -> Result<Vec<(GoalId, String, String)>> {
    let mut found = Vec::new();
    if goal.dependencies.is_empty() {
        return Ok(found);
    }
    let landings = history::landings(repo, base, 256)?;
    let members: Vec<(GoalId, CommitId)> = landings.iter().flat_map(crate::engine::target::members).collect();
    for id in &goal.dependencies {
        let Some((_, commit)) = members.iter().find(|(goal, _)| goal == id) else {
            continue;
        };
        let description = match backlog.get(id) {
            Some(goal) => goal.description,
            None => history::entry(repo, *commit)?.subject().to_owned(),
        };
        found.push((id.clone(), description, commit_diff(repo, *commit)?));
    }
    Ok(found)
}

/// Words what a commit changed against its first parent, memory files left out.
///
/// # Errors
/// When its trees or blobs cannot be read.
fn commit_diff(repo: &Repo, commit: CommitId) -> Result<String> {
    let mut text = String::new();
    for differs in diff::of_commit(repo, commit)? {
        if survey::paths::is_output(&differs.path) {
            let _ = writeln!(text, "{}: not shown, a program writes it", differs.path);
            continue;
        }
        let read = |entry: Option<crate::snapshot::Entry>| -> Result<Option<Vec<u8>>> {
            let entry = entry.filter(|entry| entry.mode != Mode::Submodule);
            Ok(entry.map(|entry| objects::read_blob(repo, entry.id)).transpose()?)
        };
        let (old, new) = (read(differs.old)?, read(differs.new)?);
        text.push_str(&textdiff::unified(
            &differs.path.to_string(),
            old.as_deref(),
            new.as_deref(),
        ));
        if text.len() > DIFF_BYTES {
            let end = text
                .char_indices()
                .map(|(at, _)| at)
                .take_while(|at| *at <= DIFF_BYTES)
                .last()
                .unwrap_or(0);
            text.truncate(end);
            text.push_str("\n… cut\n");
            break;
        }
    }
    Ok(text)
}
