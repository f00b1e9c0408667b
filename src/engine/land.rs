//! Landing: a candidate whose checks pass on the merged code becomes part of the target, with its goal's move and record.
//!
//! Order of effects: objects, target (or `landed/<target>`), then notes, and candidates go last. Killed after the target
//! moved, the next command copies missing notes from `history.json`, which the landing commit holds.

use std::collections::BTreeMap;

use eyre::Result;

use crate::{
    backlog::close::{self, COMPLETED, COMPLETED_SEGMENTS, HISTORY, HISTORY_SEGMENTS, MemoryFiles, PENDING},
    check::{CheckRow, Failed, Verified},
    engine::{
        attempt::Passed,
        landed,
        live::Phase,
        recall::{self, Class},
        session,
        stored::{self, Begun, Stored},
        worker::Worker,
    },
    facts::Standing,
    git::{
        Repo, branch, codetree,
        commit::{Author, Message},
        history,
        merge::{self, Merge},
        notes,
        refs::{self, Land, Landing, RefMove},
        tree,
    },
    id::{CommitId, GoalId},
    path::RepoPath,
    record::Record,
    settings::Isolation,
    snapshot::CodeTree,
    transcript::Usage,
};

/// How landing a candidate came out.
#[derive(Debug)]
pub enum Outcome {
    /// It is part of the target: the candidate that landed, and the checks of the merged code.
    Landed(CommitId, Vec<CheckRow>),
    /// By the path classes of the target's head it waits for a person: the candidate, and why.
    Held(CommitId, String),
    /// It does not fit, or its checks fail on the merged code; why.
    Refused(String),
}

/// Whether a person approved this very candidate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approval {
    /// Nobody did.
    None,
    /// By naming it, or by having let it land before.
    Given,
}

/// The trailer of those who did the work together with the author.
pub const CO_AUTHOR: &str = "Co-authored-by";

/// How often a landing is tried again because somebody else moved the target.
const TRIES: u32 = 5;

/// Lands what an attempt made, right after it was made.
///
/// # Errors
/// When the repository cannot be read or written, or a check cannot be run.
pub fn attempt(worker: &mut Worker<'_>, id: &GoalId, passed: &Passed) -> Result<Outcome> {
    candidate(worker, id, passed.candidate, &passed.stored, Approval::None)
}

/// Lands `candidate` of goal `id`: merges it onto the tip, judges the merged code by the target head's gate, lands.
///
/// # Errors
/// As `attempt`.
pub fn candidate(
    worker: &mut Worker<'_>,
    id: &GoalId,
    candidate: CommitId,
    stored: &Stored,
    approval: Approval,
) -> Result<Outcome> {
    let is_in_hand = worker.live.doing().goal.as_ref() == Some(id);
    if !is_in_hand {
        worker.live.take(Some(id), worker.session.clock.now());
    }
    worker.step(Phase::Landing, None);
    let outcome = onto_target(worker, id, candidate, stored, approval);
    if !is_in_hand {
        worker.live.take(None, worker.session.clock.now());
    }
    outcome
}

fn onto_target(
    worker: &mut Worker<'_>,
    id: &GoalId,
    mut candidate: CommitId,
    stored: &Stored,
    approval: Approval,
) -> Result<Outcome> {
    for _ in 0..TRIES {
        worker.refresh_target()?;
        let tip = worker.target.tip;
        let Fit { code, base } = match fit(worker, candidate, stored)? {
            Ok(fit) => fit,
            Err(why) => return Ok(Outcome::Refused(why)),
        };
        if base.is_none() {
            // Its base was taken out of the target: merging would bring those commits back.
            candidate = replay(worker, id, tip, candidate, code)?;
        }
        let settings = worker.session.settings_at(&worker.repo, Some(tip))?.settings;
        let class = if stored.is_as_is() {
            recall::classify_code(&worker.repo, tree::code_of_commit(&worker.repo, tip)?, code, &settings)?
        } else {
            recall::classify(&worker.repo, candidate, base.unwrap_or(tip), &settings)?
        };
        match class {
            Class::Denied(why) => return Ok(Outcome::Refused(why)),
            Class::Held(why) if approval == Approval::None => return Ok(Outcome::Held(candidate, why)),
            Class::Held(_) | Class::Free => {}
        }
        let gate = session::gate(worker.session, &worker.repo, &settings)?;
        let verified = match worker.checker.judge(&worker.repo, code, &gate, &worker.baseline)? {
            Ok(verified) => verified,
            Err(failed) => return Ok(Outcome::Refused(on_merged(&failed))),
        };
        if let Some(landed) = swap(worker, id, candidate, stored, &verified)? {
            return Ok(Outcome::Landed(landed, verified.checks().to_vec()));
        }
    }
    Ok(Outcome::Refused(format!(
        "the target moved {TRIES} times while it was landing"
    )))
}

/// How a candidate fits onto the tip.
struct Fit {
    /// The merged code.
    code: CodeTree,
    /// What it was made on, as long as that is part of the target.
    base: Option<CommitId>,
}

/// Merges a candidate onto the tip; says why where it does not fit.
fn fit(worker: &Worker<'_>, candidate: CommitId, stored: &Stored) -> Result<std::result::Result<Fit, String>> {
    let (repo, tip) = (&worker.repo, worker.target.tip);
    let as_is = stored.is_as_is();
    let base = if as_is {
        Some(stored.base)
    } else {
        history::parents(repo, candidate)?.first().copied()
    };
    let base = match base {
        Some(base) if history::contains(repo, tip, base)? => Some(base),
        _ => None,
    };
    if as_is && base.is_none() {
        // Commits that stay as they are cannot be made anew without what was taken out of the target.
        return Ok(Err(
            "what it was made on is no longer part of the target; adopt it again".to_owned(),
        ));
    }
    if as_is && worker.settings.run.isolation == Isolation::None {
        return Ok(Err("it is to land as it is, and `land.style` is linear".to_owned()));
    }
    let merged = if as_is {
        branch::onto(repo, tip, candidate)?
    } else {
        match merge::onto(repo, tip, &[candidate])? {
            Merge::Clean(code) => Ok(code),
            Merge::Conflict { paths, .. } => Err(paths),
        }
    };
    Ok(match merged {
        Ok(code) => Ok(Fit { code, base }),
        Err(paths) => Err(conflict(&paths)),
    })
}

/// Words where a candidate conflicts.
pub fn conflict(paths: &[RepoPath]) -> String {
    let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
    format!("conflicts with what landed since, in {}", paths.join(", "))
}

/// Adds to a remark that a person approved what was held.
pub fn approved(remark: Option<String>) -> String {
    let before = remark.map(|remark| format!("{remark}; ")).unwrap_or_default();
    format!("{before}approved by name on the command line")
}

fn on_merged(failed: &Failed) -> String {
    format!("on the merged code {}", failed.reason())
}

fn replay(worker: &Worker<'_>, id: &GoalId, tip: CommitId, old: CommitId, code: CodeTree) -> Result<CommitId> {
    let new = merge::replay(&worker.repo, tip, old, code, worker.session.clock.now())?;
    let name = refs::candidate_ref(id);
    let why = "invisigoth: replay on the target".to_owned();
    refs::swap(
        &worker.repo,
        &[RefMove::Set {
            name,
            old: Some(old),
            new,
            why,
        }],
    )?;
    Ok(new)
}

/// Makes the landing commit and moves the target; `None` if it was moved by somebody else.
fn swap(
    worker: &mut Worker<'_>,
    id: &GoalId,
    candidate: CommitId,
    stored: &Stored,
    verified: &Verified,
) -> Result<Option<CommitId>> {
    worker.target.look(&worker.repo)?;
    let repo = &worker.repo;
    let (tip, at) = (worker.target.tip, worker.session.clock.now());
    let before = spent_before(worker, id, candidate, stored)?;
    let record = record(worker, candidate, (stored, &before), verified, at.rfc3339());
    let line = record.to_line()?;
    let plain = worker.settings.run.isolation == Isolation::None;
    let closing = close::Landing {
        goal: id,
        row: Some(stored.row.get().to_owned()),
        commit: (!plain).then_some(candidate),
        landed_at: record.landed_at.clone(),
        record_line: if plain { String::new() } else { line.clone() },
    };
    let landings = vec![closing];
    let own = Closing {
        landings,
        ..Closing::default()
    };
    let files = close(worker, tip, own, &record.landed_at)?;
    let memory = codetree::with_memory(repo, verified.tree(), tree::of_commit(repo, tip)?, &files)?;
    let message = if plain {
        plain_message(repo, id, candidate)?
    } else {
        landing_message(id, candidate, repo)?
    };
    let (name, old) = worker.target.landing_ref();
    let candidates = [candidate];
    let landing = Landing {
        name: &name,
        old,
        before: worker.target.begins_to_wait(),
        tip,
        candidates: if plain { &[] } else { &candidates },
        message: &message,
        at,
    };
    // The plain commit is the work itself, so it is by whoever did it.
    let author = plain.then(|| Author::of(repo, candidate)).transpose()?;
    let prepared = refs::prepare_by(repo, verified, memory, &landing, author.as_ref())?;
    let commit = if plain { prepared.commit() } else { candidate };
    let line = Record { commit, ..record }.to_line()?;
    if plain {
        // This commit cannot hold its own row, so its note goes first: with the target moved, it would be all there is.
        notes::add(repo, refs::NOTES, &[(commit.0, line.clone())], at)?;
    }
    match refs::land(repo, &landing, prepared)? {
        Land::Moved => Ok(None),
        Land::Landed(head) => {
            if plain {
                // The branch held the work until here; the plain commit stands for it now.
                let name = refs::candidate_ref(id);
                refs::swap(repo, &[RefMove::Delete { name, old: candidate }])?;
            }
            worker.landed(head, vec![(commit, line)]);
            Ok(Some(commit))
        }
    }
}

/// Words the commit that lands `candidate`.
///
/// # Errors
/// When the candidate cannot be read.
pub fn landing_message(id: &GoalId, candidate: CommitId, repo: &Repo) -> Result<Message> {
    let entry = history::entry(repo, candidate)?;
    Ok(Message {
        subject: format!("Land {id}: {}", entry.subject()),
        body: String::new(),
        trailers: vec![("Landed", format!("{id} {candidate}"))],
    })
}

/// The one commit of `isolation = "none"`: it closes its goal itself, so its memory files can be trusted.
fn plain_message(repo: &Repo, id: &GoalId, candidate: CommitId) -> Result<Message> {
    let entry = history::entry(repo, candidate)?;
    let body = entry.message.trim_end().split_once("\n\n").map_or("", |(_, rest)| rest);
    let body = body.rsplit_once("\n\n").map_or("", |(body, _)| body);
    let first = |key: &'static str| entry.trailers(key).next().map(|value| (key, value.to_owned()));
    let mut trailers: Vec<(&'static str, String)> = ["Goal", "Attempt", "Goal-Version", "Assisted-by"]
        .into_iter()
        .filter_map(first)
        .collect();
    trailers.extend(entry.trailers(CO_AUTHOR).map(|value| (CO_AUTHOR, value.to_owned())));
    trailers.push(("Settled", id.to_string()));
    Ok(Message {
        subject: entry.subject().to_owned(),
        body: body.to_owned(),
        trailers,
    })
}

/// Adds up what earlier attempts at a goal took since it last landed: they are part of what its commit cost.
fn spent_before(worker: &Worker<'_>, id: &GoalId, candidate: CommitId, stored: &Stored) -> Result<(u32, Usage)> {
    let number = if stored.is_as_is() {
        stored::as_is(&worker.repo, &id.ref_part(), candidate)?.map(|(number, _)| number)
    } else {
        let entry = history::entry(&worker.repo, candidate)?;
        entry.trailers("Attempt").find_map(|n| n.parse().ok())
    };
    let number: u32 = number.unwrap_or(1);
    let free = Usage {
        cost_usd: Some(0.0),
        ..Usage::default()
    };
    let mut before = (0, free);
    if number <= 1 {
        return Ok(before);
    }
    let records = recall::records(&worker.repo, worker.target.tip)?;
    let landed = records
        .iter()
        .rev()
        .find(|record| record.goal == *id)
        .map(|record| &record.landed_at);
    for number in 1..number {
        let Some(earlier) = stored::read(&worker.repo, id, number)? else {
            continue;
        };
        if landed.is_none_or(|landed| earlier.started_at > *landed) {
            before.0 += earlier.rounds;
            before.1.add(&earlier.usage);
        }
    }
    Ok(before)
}

fn record(
    worker: &Worker<'_>,
    candidate: CommitId,
    (stored, before): (&Stored, &(u32, Usage)),
    verified: &Verified,
    landed_at: String,
) -> Record {
    let mut usage = stored.usage;
    usage.add(&before.1);
    Record {
        goal: stored.goal.clone(),
        commit: candidate,
        target: worker.target.branch.clone(),
        base: stored.base,
        started_at: stored.started_at.clone(),
        landed_at,
        provider: stored.provider.clone(),
        model: stored.model.clone(),
        attempts: stored.rounds + before.0,
        tokens: usage.tokens(),
        cost_usd: usage.cost_usd,
        checks: verified.checks().iter().chain(&stored.proof).cloned().collect(),
        prompt_hash: stored.prompt_hash.clone(),
        sandbox: worker.gate.sandbox.word().into(),
        version: env!("CARGO_PKG_VERSION").into(),
        known_red: (!worker.baseline.known_red.is_empty()).then_some(worker.baseline.known_red.len()),
        red_green: stored.red_green,
        replayable: !stored.redacted && stored.executor.is_none() && stored.adopted.is_none(),
        remark: stored.remark.clone(),
    }
}

/// What a commit of ours does to the memory files, besides what people did to goals since the tip's were written.
#[derive(Default)]
pub struct Closing<'a> {
    /// Goals that land.
    pub landings: Vec<close::Landing<'a>>,
    /// Landed goals that it takes back.
    pub reopened: Vec<close::Reopened<'a>>,
    /// Further lines for `history.json`.
    pub lines: Vec<String>,
}

/// Computes the memory files of a commit of ours on `tip`: its own moves and records, and every goal that landed or was
/// taken back by people since the tip's files were written. `at` is RFC 3339 UTC.
///
/// # Errors
/// When memory files cannot be read.
pub fn close(worker: &Worker<'_>, tip: CommitId, own: Closing<'_>, at: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = memory_files(&worker.repo, tip)?;
    let people = &worker.by_people;
    if !(people.reopened.is_empty() && people.unsettled.is_empty() && own.reopened.is_empty()) {
        // A goal that comes back after long has its words in a sealed segment.
        let root = tree::of_commit(&worker.repo, tip)?;
        for (path, text) in &mut files.segments {
            *text = tree::read_file(&worker.repo, root, path)?.unwrap_or_default();
        }
    }
    let mine: Vec<GoalId> = own.reopened.iter().map(|back| back.goal.clone()).collect();
    let by_people = people.unsettled.iter().map(|(goal, commit)| close::Landing {
        goal,
        record_line: String::new(),
        commit: Some(*commit),
        landed_at: at.to_owned(),
        row: None,
    });
    let closings: Vec<close::Landing<'_>> = by_people.chain(own.landings).collect();
    // With `isolation = "none"` a commit cannot hold its own record row: it appears with the next landing.
    let late = worker.unwritten.iter().chain(&own.lines).map(String::as_str);
    let late: Vec<&str> = late.collect();
    let reopened = people.reopened.iter().filter(|back| !mine.contains(&back.goal));
    let reopened = reopened.map(|back| close::Reopened {
        goal: &back.goal,
        reason: landed::reverted(back.by),
        row: back.row.as_deref(),
    });
    let reopened: Vec<close::Reopened<'_>> = reopened.chain(own.reopened).collect();
    let stale = people.stale.iter().filter(|goal| !mine.contains(goal));
    let stale: Vec<GoalId> = stale.cloned().collect();
    Ok(close::close(&files, &closings, &reopened, &late, &stale).map_err(|error| recall::backlog_fault(&error))?)
}

/// Reads the memory files of a commit.
///
/// # Errors
/// When trees or blobs cannot be read.
pub fn memory_files(repo: &Repo, commit: CommitId) -> Result<MemoryFiles> {
    let root = tree::of_commit(repo, commit)?;
    let read = |path: &str| -> Result<Vec<u8>> { Ok(tree::read_file(repo, root, path)?.unwrap_or_default()) };
    let mut segments = BTreeMap::new();
    for folder in [COMPLETED_SEGMENTS, HISTORY_SEGMENTS] {
        // Their names number the next one; what is in them is not needed to append.
        segments.extend(
            tree::names_in(repo, root, folder)?
                .into_iter()
                .map(|name| (format!("{folder}{name}"), Vec::new())),
        );
    }
    Ok(MemoryFiles {
        pending: read(PENDING)?,
        completed: read(COMPLETED)?,
        history: read(HISTORY)?,
        segments,
    })
}

/// Reads what the attempt behind a candidate took. A candidate without one, whoever made it, lands with what can be known.
///
/// # Errors
/// When the attempt cannot be read.
pub fn stored_for(repo: &Repo, id: &GoalId, candidate: CommitId, number: u32) -> Result<Stored> {
    if let Some(stored) = stored::read(repo, id, number)? {
        return Ok(stored);
    }
    let entry = history::entry(repo, candidate)?;
    let row = format!("{{\"id\":{}}}", serde_json::Value::from(id.as_str()));
    Ok(Stored::begun(Begun {
        goal: id.clone(),
        row: serde_json::value::RawValue::from_string(row)?,
        version: entry.trailers("Goal-Version").next().unwrap_or_default().to_owned(),
        base: entry.parents.first().copied().unwrap_or(candidate),
        started_at: entry.at.rfc3339(),
    }))
}

/// Marks the goal's attempt as failed, because its candidate could not land, and takes the candidate away.
///
/// # Errors
/// When refs or objects cannot be written.
pub fn refuse(worker: &mut Worker<'_>, id: &GoalId, (candidate, number): (CommitId, u32), why: &str) -> Result<()> {
    let mut stored = stored_for(&worker.repo, id, candidate, number)?;
    stored.standing = Standing::Failed;
    stored.reason = why.to_owned();
    let code = tree::of_commit(&worker.repo, candidate)?;
    stored::write(
        &worker.repo,
        &stored,
        number,
        (0, &[]),
        (Some(code), worker.session.clock.now()),
    )?;
    refs::swap(
        &worker.repo,
        &[RefMove::Delete {
            name: refs::candidate_ref(id),
            old: candidate,
        }],
    )?;
    worker.ended(id, number, Standing::Failed, why);
    Ok(())
}
