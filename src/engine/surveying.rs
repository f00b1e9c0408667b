//! Surveying: what a plan's prompt shows of a repository and its backlog. The one seam between both and `prompt::plan`.
//!
//! Reads only: runs no command and asks nobody.

use std::collections::BTreeMap;

use crate::{
    backlog::{
        close::{COMPLETED, COMPLETED_SEGMENTS},
        history as rows,
    },
    engine::{
        gather, linted,
        listings::Listings,
        recall::{self, Completed, Recalled},
        session::{self, Session},
        target::Target,
    },
    facts::Standing,
    git::{Repo, diff, history, tree},
    goal::Decision,
    id::CommitId,
    path::RepoPath,
    prompt::plan::PlanContext,
    schedule,
    snapshot::{Listing, Mode, Snapshot as _},
    survey::{self, Given},
};
use eyre::{Result, WrapErr as _};

/// Commits over which changes are counted.
const COMMITS: usize = 500;
/// A commit that changes more files than this says nothing of any of them.
const SWEEPING: usize = 100;
/// Landed goals that are shown.
const LANDED: usize = 100;
/// Most bytes of the README that are shown.
const README: usize = 6 * 1024;

/// Gathers what a plan for `target` shows, as its tip is.
///
/// # Errors
/// When the repository, its settings or its backlog cannot be read.
pub fn context(
    session: &Session,
    repo: &Repo,
    target: &Target,
    known: &Recalled,
    listings: &mut Listings,
) -> Result<PlanContext> {
    let base = target.tip;
    let settings = session.settings_at(repo, Some(base))?.settings;
    let code = tree::code_of_commit(repo, base)?;
    let snapshot = tree::snapshot(repo, code);
    let listing = listings.at(repo, code.root)?;
    let (changes, commits) = churn(repo, base)?;
    let lint = linted::read(session, repo, code)?;
    let given = Given {
        changes: Some(&changes),
        commits,
        lint: lint.as_deref(),
    };
    let seen = survey::survey(&snapshot, listing, &given).wrap_err("looking through the repository")?;
    let (log, diffs) = gather::recent(repo, base)?;
    let backlog = Lists::of(known);
    Ok(PlanContext {
        master: gather::master_prompt(repo, target, base)?,
        rules: gather::rules(&snapshot)?,
        readme: readme(&snapshot, listing)?,
        signals: seen.signals(),
        outline: seen.outline,
        unseen: seen.unseen,
        checks: session::commands(&settings.check)
            .into_iter()
            .map(|(_, command)| command)
            .collect(),
        log,
        diffs,
        landed: landed(repo, base, known)?,
        rejected: backlog.rejected.join("\n"),
        failures: backlog.failed.join("\n"),
        open: backlog.open.join("\n"),
    })
}

/// Counts how many of the latest commits changed each file, and over how many commits that was.
fn churn(repo: &Repo, base: CommitId) -> Result<(BTreeMap<RepoPath, u32>, usize)> {
    let commits = history::first_parents(repo, base, COMMITS + 1).wrap_err("reading the history")?;
    let mut changes: BTreeMap<RepoPath, u32> = BTreeMap::new();
    let mut counted = 0;
    let mut newer = tree::of_commit(repo, base)?;
    for parent in commits.iter().skip(1) {
        let older = tree::of_commit(repo, parent.id)?;
        let differing = diff::trees(repo, older, newer)?;
        newer = older;
        counted += 1;
        if differing.len() > SWEEPING {
            continue;
        }
        for differs in differing {
            *changes.entry(differs.path).or_default() += 1;
        }
    }
    Ok((changes, counted))
}

fn readme(snapshot: &tree::TreeSnapshot<'_>, listing: &Listing) -> Result<Option<(String, String)>> {
    let names = [
        &b"readme.md"[..],
        b"readme.rst",
        b"readme.adoc",
        b"readme.txt",
        b"readme",
    ];
    let is = |path: &RepoPath, name: &[u8]| path.as_bytes().eq_ignore_ascii_case(name);
    let found = names
        .iter()
        .find_map(|name| listing.iter().find(|(path, _)| is(path, name)));
    let Some((path, entry)) = found.filter(|(_, entry)| entry.mode != Mode::Submodule) else {
        return Ok(None);
    };
    if snapshot.size(&entry.id)? > survey::reading::LARGE {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&snapshot.read(&entry.id)?).into_owned();
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        if shown.len() + line.len() > README {
            shown.push_str("… cut\n");
            break;
        }
        shown.push_str(line);
    }
    Ok(Some((path.to_string(), shown)))
}

/// The goals that have not landed, a line each.
#[derive(Default)]
struct Lists {
    open: Vec<String>,
    rejected: Vec<String>,
    failed: Vec<String>,
}

impl Lists {
    fn of(known: &Recalled) -> Self {
        let mut lists = Self::default();
        for (id, open) in &known.facts.goals {
            let description = one_line(&open.description);
            // Only the trailer of some commit names it.
            if description.is_empty() {
                continue;
            }
            let why = one_line(open.reason.as_deref().unwrap_or_default());
            if open.decision == Decision::Rejected {
                lists.rejected.push(joined(&format!("{id}: {description}"), &why));
                continue;
            }
            let state = schedule::state(&known.facts, id).map_or("open", |(state, _)| state.word());
            lists.open.push(format!("{id}: {description} ({state})"));
            let attempt = known.facts.attempts.get(id);
            if let Some(failed) =
                attempt.filter(|it| matches!(it.standing, Standing::Failed | Standing::Retried) || it.is_parked())
            {
                lists
                    .failed
                    .push(joined(&format!("{id}: {description}"), &one_line(&failed.reason)));
            }
        }
        lists
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn joined(what: &str, why: &str) -> String {
    if why.is_empty() {
        what.to_owned()
    } else {
        format!("{what} — {why}")
    }
}

/// Words the goals that have landed, the latest first.
fn landed(repo: &Repo, base: CommitId, known: &Recalled) -> Result<String> {
    let mut lines = Vec::new();
    for (goal, commit) in known.landed.unsettled.iter().rev() {
        let description = match known.backlog.get(goal) {
            Some(goal) => goal.description,
            None => history::entry(repo, *commit)?.subject().to_owned(),
        };
        lines.push(format!("{goal}: {}", one_line(&description)));
    }
    let texts = recall::memory_texts(repo, tree::of_commit(repo, base)?, COMPLETED, COMPLETED_SEGMENTS)?;
    for text in texts.iter().rev() {
        let rows = rows::rows(text).map_err(|error| recall::backlog_fault(&error.in_file(COMPLETED)))?;
        let goals = rows
            .iter()
            .rev()
            .filter_map(|row| serde_json::from_str::<Completed>(row).ok());
        let still = goals.filter(|goal| known.facts.landed.contains(&goal.id));
        lines.extend(still.map(|goal| format!("{}: {}", goal.id, one_line(&goal.description))));
        if lines.len() >= LANDED {
            break;
        }
    }
    lines.truncate(LANDED);
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backlog::{Backlog, inbox::Inbox},
        engine::landed::Landed,
        facts::{AttemptFact, Facts, Open},
    };

    fn open(description: &str, decision: Decision, reason: Option<&str>) -> Open {
        Open {
            description: description.to_owned(),
            decision,
            reason: reason.map(str::to_owned),
            ..Open::default()
        }
    }

    #[test]
    fn goals_are_listed_by_what_became_of_them() {
        let mut facts = Facts::default();
        let goals = [
            ("g-1", open("Fold\naccents", Decision::Pending, None)),
            ("g-2", open("Rewrite it", Decision::Rejected, Some("it is\nfast"))),
            ("g-3", open("Say why", Decision::Proposed, None)),
            ("g-4", open("", Decision::Held, None)),
        ];
        for (id, goal) in goals {
            facts.goals.insert(id.parse().unwrap(), goal);
        }
        let failed = AttemptFact {
            number: 1,
            standing: Standing::Failed,
            reason: "1 test fails".to_owned(),
            outdated: false,
            evictions: 0,
        };
        facts.attempts.insert("g-1".parse().unwrap(), failed);
        let lists = Lists::of(&Recalled {
            facts,
            backlog: Backlog::default(),
            beside: None,
            landed: Landed::default(),
            inbox: Inbox::default(),
            drafts: Inbox::default(),
        });
        assert_eq!(lists.open, ["g-1: Fold accents (failed)", "g-3: Say why (proposed)"]);
        assert_eq!(lists.rejected, ["g-2: Rewrite it — it is fast"]);
        assert_eq!(lists.failed, ["g-1: Fold accents — 1 test fails"]);
    }
}
