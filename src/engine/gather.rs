//! Gathering: what the prompt of a goal shows, whatever ranks best. `wording` adds what was ranked, and what goes with it.

use std::{collections::BTreeMap, fmt::Write as _, io};

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::Backlog,
    context::{
        kind::{self, Why},
        past::Past,
    },
    engine::{hand_edits, listings::Listings, recall, stored, target, target::Target},
    facts::Standing,
    git::{
        Repo, attempts,
        codetree::MASTER_PROMPT,
        diff,
        history::{self, LogEntry},
        objects, tree,
    },
    goal::Goal,
    id::{CommitId, GoalId},
    path::RepoPath,
    prompt::{Context, rules::Rules},
    proof,
    reply::family::{self, Asked},
    settings::Llm,
    snapshot::{Entry, Listing, Mode, Snapshot},
    survey, textdiff,
};

/// Most paths of the outline.
const OUTLINE: usize = 400;
/// Commits of the log.
const LOG: usize = 10;
/// Commits whose diffs are shown.
const DIFFS: usize = 3;
/// Most bytes of one diff.
const DIFF_BYTES: usize = 6000;
/// Most bytes of what one commit changed in files that are shown.
const TOUCHED_BYTES: usize = 2400;
/// Most bytes of what an evicted attempt had changed.
const EVICTED_BYTES: usize = 3000;
/// Most bytes of what one commit changed that landed meanwhile.
const MEANWHILE_BYTES: usize = 2000;
/// Attempts whose failures are told, the newest.
const ATTEMPTS: u32 = 20;
/// Most bytes of why one attempt failed.
const REASON: usize = 600;

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

/// Gathers what a prompt for `goal` at `place` shows, but for rules and what depends on which files are shown.
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
    let listing = listings.at(repo, code.root)?;
    let folders = folders(listing);
    let log: Vec<String> = latest(repo, base, LOG)?
        .iter()
        .map(|entry| entry.subject().to_owned())
        .collect();
    Ok(Context {
        master: master_prompt(repo, target, base)?,
        files: files(&snapshot, goal)?,
        outline: outline(listing, &folders),
        coarse: [
            &folders,
            &coarser(&folders, 3),
            &coarser(&folders, 2),
            &coarser(&folders, 1),
        ]
        .map(listed)
        .to_vec(),
        log: log.join("\n"),
        dependencies: dependencies(repo, base, goal, backlog)?,
        test_goal: proof::asked_test_file(goal).is_some(),
        asked: asked(llm, goal.model.as_deref().unwrap_or(&llm.model)),
        failures: failures(repo, goal, newest)?,
        eviction: eviction(repo, goal, newest)?,
        ..Context::default()
    })
}

/// Words the latest commits up to `base` by their subjects, and what the latest of them changed.
///
/// # Errors
/// When history or what it holds cannot be read.
pub fn recent(repo: &Repo, base: CommitId) -> Result<(String, String)> {
    let commits = latest(repo, base, LOG)?;
    let log: Vec<&str> = commits.iter().map(LogEntry::subject).collect();
    let mut diffs = Vec::new();
    for entry in commits.iter().filter(|entry| !entry.parents.is_empty()) {
        let diff = worded(repo, diff::of_commit(repo, entry.id)?, DIFF_BYTES)?;
        if !diff.is_empty() {
            diffs.push(format!("commit: {}\n{diff}", entry.subject()));
        }
        if diffs.len() == DIFFS {
            break;
        }
    }
    Ok((log.join("\n"), diffs.join("\n")))
}

/// Returns the `most` latest commits up to `base`. Many edits of the backlog in a row would leave no room for what was done
/// to the code. They are told without ids, which hold the time: a prompt that is asked again must be the same.
fn latest(repo: &Repo, base: CommitId, most: usize) -> Result<Vec<LogEntry>> {
    let mut commits = history::first_parents(repo, base, most * 3).wrap_err("reading the recent history")?;
    commits.retain(|entry| entry.subject() != hand_edits::EDITS);
    commits.truncate(most);
    Ok(commits)
}

/// Words what the latest commits of `past` changed in the files that are shown, the newest commit first. Those that touched
/// a `named` file go before those that touched any of the `others`.
///
/// # Errors
/// When what they hold cannot be read.
pub fn touching(repo: &Repo, past: &Past, named: &[RepoPath], others: &[RepoPath]) -> Result<String> {
    let mut commits = past.touched(named);
    commits.truncate(DIFFS);
    for commit in past.touched(others) {
        if commits.len() < DIFFS && !commits.contains(&commit) {
            commits.push(commit);
        }
    }
    commits.sort_unstable();
    let mut diffs = Vec::new();
    for (_, commit) in commits {
        // The first commit shows files as they began, and what they are is shown anyway.
        if history::parents(repo, commit)?.is_empty() {
            continue;
        }
        let mut differing = diff::of_commit(repo, commit)?;
        differing.retain(|differs| named.contains(&differs.path) || others.contains(&differs.path));
        differing.sort_by_key(|differs| !named.contains(&differs.path));
        let text = worded(repo, differing, TOUCHED_BYTES)?;
        if !text.is_empty() {
            let subject = past.subject(commit).unwrap_or_default();
            diffs.push(format!("commit: {subject}\n{text}"));
        }
    }
    Ok(diffs.join("\n"))
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

/// Says why attempts at the goal failed, the newest first, each reason once.
fn failures(repo: &Repo, goal: &Goal, newest: u32) -> Result<Option<String>> {
    let Some(id) = &goal.id else {
        return Ok(None);
    };
    let version = goal.version();
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for number in (1..=newest).rev().take(usize::try_from(ATTEMPTS).unwrap_or(usize::MAX)) {
        let Some(stored) = stored::read(repo, id, number)? else {
            continue;
        };
        let how = match stored.standing {
            Standing::Failed | Standing::Retried if stored.evicted.is_none() => "failed",
            Standing::Failed | Standing::Retried | Standing::Evicted => "passed its checks and did not land",
            Standing::Open | Standing::Paused => continue,
        };
        // What was asked for otherwise may have failed for that.
        let number = if stored.version == version {
            number.to_string()
        } else {
            format!("{number}, when the goal was worded otherwise,")
        };
        let reason = format!("{how}: {}", cut(stored.reason.trim(), REASON));
        match told.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, numbers)) => numbers.push(number),
            None => told.push((reason, vec![number])),
        }
    }
    let lines = told.iter().map(|(reason, numbers)| match numbers.as_slice() {
        [number] => format!("Attempt {number} {reason}"),
        [all @ .., last] => format!("Attempts {} and {last} {reason}", all.join(", ")),
        [] => reason.clone(),
    });
    let lines: Vec<String> = lines.collect();
    Ok((!lines.is_empty()).then(|| lines.join("\n")))
}

/// Tells what the last attempt that came to an end met with, where it passed and did not land: the conflict or the log, what it
/// had changed, and what landed meanwhile.
fn eviction(repo: &Repo, goal: &Goal, newest: u32) -> Result<Vec<(String, String)>> {
    let Some((number, stored)) = last_ended(repo, goal, newest)? else {
        return Ok(Vec::new());
    };
    let Some(evicted) = stored.evicted.filter(|_| stored.version == goal.version()) else {
        return Ok(Vec::new());
    };
    let mut told = Vec::new();
    told.extend(evicted.conflict.map(|text| {
        let name = "Its changes brought into the code as it is now: `target` is what landed, `candidate` what it did";
        (name.to_owned(), text)
    }));
    let log = evicted.log;
    told.extend(log.map(|text| ("What the checks of the merged code printed".to_owned(), text)));
    if let Some(code) = attempts::code(repo, &stored.goal, number)? {
        // A base that left the target may be gone.
        let differing = tree::of_commit(repo, stored.base).and_then(|base| diff::trees(repo, base, code));
        let text = worded(repo, differing.unwrap_or_default(), EVICTED_BYTES)?;
        told.push(("What it had changed".to_owned(), text));
    }
    for commit in evicted.against {
        let (Ok(entry), Ok(differing)) = (history::entry(repo, commit), diff::of_commit(repo, commit)) else {
            continue;
        };
        let name = format!("What landed meanwhile: {}", entry.subject());
        told.push((name, worded(repo, differing, MEANWHILE_BYTES)?));
    }
    Ok(told)
}

/// Returns the newest attempt, or where that one is under way the one before it.
fn last_ended(repo: &Repo, goal: &Goal, newest: u32) -> Result<Option<(u32, stored::Stored)>> {
    let Some(id) = &goal.id else { return Ok(None) };
    for number in [newest, newest.saturating_sub(1)] {
        match stored::read(repo, id, number)? {
            Some(stored) if matches!(stored.standing, Standing::Open | Standing::Paused) => {}
            found => return Ok(found.map(|stored| (number, stored))),
        }
    }
    Ok(None)
}

/// Reads the files with standing rules for the whole repository.
///
/// # Errors
/// When one cannot be read.
pub fn rules(snapshot: &dyn Snapshot) -> io::Result<Vec<(String, String)>> {
    Rules::new(snapshot).top()
}

fn files(snapshot: &dyn Snapshot, goal: &Goal) -> io::Result<Vec<(String, Option<String>)>> {
    let mut files = Vec::new();
    for name in goal.named_files() {
        let Ok(path) = RepoPath::parse(name) else { continue };
        let text = match snapshot.entry(&path)? {
            Some(entry) if matches!(entry.mode, Mode::File | Mode::Executable) => {
                Some(shown(&snapshot.read(&entry.id)?))
            }
            _ => None,
        };
        files.push((name.to_owned(), text));
    }
    Ok(files)
}

/// Returns the content of a file as prompts show it.
pub fn shown(bytes: &[u8]) -> String {
    if bytes.contains(&0) {
        return "[not text, and not shown]\n".to_owned();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

/// Folders, each with the number of files right in it.
type Folders<'a> = BTreeMap<&'a [u8], usize>;

fn folders(listing: &Listing) -> Folders<'_> {
    let mut folders = Folders::new();
    for (path, _) in listing {
        let path = path.as_bytes();
        let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        *folders.entry(path.get(..end).unwrap_or_default()).or_default() += 1;
    }
    folders
}

/// Counts what is below `depth` with the folder above it.
fn coarser<'a>(folders: &Folders<'a>, depth: usize) -> Folders<'a> {
    let mut coarser = Folders::new();
    for (folder, count) in folders {
        let slashes = folder.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let end = slashes.map(|(at, _)| at).nth(depth - 1).unwrap_or(folder.len());
        *coarser.entry(folder.get(..end).unwrap_or_default()).or_default() += count;
    }
    coarser
}

/// Lists paths; past the limit folders with their counts.
fn outline(listing: &Listing, folders: &Folders<'_>) -> String {
    if listing.len() > OUTLINE {
        return listed(folders);
    }
    let lines: Vec<String> = listing.iter().map(|(path, _)| path.to_string()).collect();
    lines.join("\n")
}

/// Lists folders with the number of files below each that is not in another of them.
fn listed(folders: &Folders<'_>) -> String {
    let line = |(folder, count): (&&[u8], &usize)| {
        let files = if *count == 1 { "file" } else { "files" };
        if folder.is_empty() {
            format!("(top) ({count} {files})")
        } else {
            format!("{}/ ({count} {files})", RepoPath::from_git(*folder))
        }
    };
    let mut lines: Vec<String> = folders.iter().take(OUTLINE).map(line).collect();
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
    let members: Vec<(GoalId, CommitId)> = landings.iter().flat_map(target::members).collect();
    for id in &goal.dependencies {
        let Some((_, commit)) = members.iter().find(|(goal, _)| goal == id) else {
            continue;
        };
        let description = match backlog.get(id) {
            Some(goal) => goal.description,
            None => history::entry(repo, *commit)?.subject().to_owned(),
        };
        found.push((
            id.clone(),
            description,
            worded(repo, diff::of_commit(repo, *commit)?, DIFF_BYTES)?,
        ));
    }
    Ok(found)
}

/// Words what differs in about `most` bytes.
fn worded(repo: &Repo, differing: Vec<diff::Differs>, most: usize) -> Result<String> {
    let mut text = String::new();
    for differs in differing {
        if survey::paths::is_output(&differs.path) {
            let _ = writeln!(text, "{}: not shown, a program writes it", differs.path);
            continue;
        }
        if let Some(why) = unread(repo, &differs) {
            let _ = writeln!(text, "{}: not shown, it is {why}", differs.path);
            continue;
        }
        let read = |entry: Option<Entry>| -> Result<Option<Vec<u8>>> {
            let entry = entry.filter(|entry| entry.mode != Mode::Submodule);
            Ok(entry.map(|entry| objects::read_blob(repo, entry.id)).transpose()?)
        };
        let (old, new) = (read(differs.old)?, read(differs.new)?);
        text.push_str(&textdiff::unified(
            &differs.path.to_string(),
            old.as_deref(),
            new.as_deref(),
        ));
        if text.len() > most {
            text = format!("{}\n… cut\n", cut(&text, most));
            break;
        }
    }
    Ok(text)
}

/// Says why what differs is not read: it would take all memory, or a partial clone left it out.
fn unread(repo: &Repo, differs: &diff::Differs) -> Option<&'static str> {
    let blobs = [differs.old, differs.new].into_iter().flatten();
    let mut blobs = blobs.filter(|entry| entry.mode != Mode::Submodule);
    blobs.find_map(|entry| match objects::size(repo, entry.id) {
        Err(_) => Some("not in this clone"),
        Ok(size) => (size > kind::LARGE as u64).then(|| Why::Large.words()),
    })
}

/// Returns at most `most` bytes of `text`, of whole characters.
fn cut(text: &str, most: usize) -> &str {
    let end = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= most)
        .last();
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}
