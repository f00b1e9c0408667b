//! Landing: a candidate whose checks pass on the merged code becomes part of the target, with its goal's move and record.
//!
//! Order of effects: objects, target (or `landed/<target>`), then notes, and candidates go last. Killed after the target
//! moved, the next command copies missing notes from `history.json`, which the landing commit holds.

use std::collections::BTreeMap;

use eyre::{Result, eyre};

use crate::{
    backlog::{
        Backlog,
        close::{self, COMPLETED, COMPLETED_SEGMENTS, HISTORY, HISTORY_SEGMENTS, MemoryFiles, PENDING},
    },
    check::{CheckRow, Verified},
    engine::{
        eviction::Why,
        inbox, landed,
        members::{self, Fit, Member},
        recall,
        stored::{self, Begun, Stored},
        sync, taking,
        worker::Worker,
    },
    git::{
        Repo, codetree,
        commit::{Author, Message},
        history, notes,
        refs::{self, Land, Landing, Prepared, RefMove},
        tree,
    },
    id::{CommitId, GoalId, Oid},
    record::Record,
    settings::Isolation,
    time::Moment,
    transcript::Usage,
};

/// How landing a candidate came out.
#[derive(Debug)]
pub enum Outcome {
    /// It is part of the target: the candidate that landed, and the checks of the merged code.
    Landed(CommitId, Vec<CheckRow>),
    /// By the path classes of the target's head it waits for a person: the candidate, and why.
    Held(CommitId, String),
    /// It does not fit, or its checks fail on the merged code; why, for `eviction::evict`.
    Refused(Why),
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

/// Lands one member at once: merges it onto the tip, judges the merged code by the target head's gate, lands.
///
/// # Errors
/// When the repository cannot be read or written, or a check cannot be run.
pub fn alone(worker: &mut Worker<'_>, member: &mut Member) -> Result<Outcome> {
    let tries = sync::tries(worker, TRIES);
    for _ in 0..tries {
        sync::refresh(worker)?;
        let before = tree::code_of_commit(&worker.repo, worker.target.tip)?;
        let code = match members::fit(worker, member, before, &[])? {
            Fit::Code(code) => code,
            Fit::Held(why) => return Ok(Outcome::Held(member.candidate, why)),
            Fit::Refused(why) => return Ok(Outcome::Refused(why)),
            Fit::Later => {
                return Ok(Outcome::Refused(Why::Moved(
                    "what it is built on has not landed".to_owned(),
                )));
            }
        };
        let verified = match worker
            .checker
            .judge(&worker.repo, code, &worker.gate, &worker.baseline)?
        {
            Ok(verified) => verified,
            Err(failed) => return Ok(Outcome::Refused(Why::Red(failed))),
        };
        if let Some(landed) = swap(worker, std::slice::from_ref(member), &verified)? {
            return Ok(Outcome::Landed(landed, verified.checks().to_vec()));
        }
    }
    Ok(Outcome::Refused(Why::Moved(format!(
        "the target moved {tries} times while it was landing"
    ))))
}

/// Lands `members` with one commit, whose code is what `verified` says; `None` if the target was moved by somebody else.
/// Returns the commit that stands for the last of them.
///
/// # Errors
/// When objects, notes or refs cannot be read or written.
pub fn swap(worker: &mut Worker<'_>, members: &[Member], verified: &Verified) -> Result<Option<CommitId>> {
    if worker.settings.run.isolation == Isolation::None {
        return match members {
            [member] => plain(worker, member, verified),
            _ => Err(eyre!("with one plain commit per goal, goals land one by one")),
        };
    }
    worker.target.look(&worker.repo)?;
    let at = worker.session.clock.now();
    let records = records(worker, members, verified, at)?;
    let mut lines = Vec::with_capacity(records.len());
    for record in &records {
        lines.push((record.commit, once(&worker.repo, record)?));
    }
    let closing = members
        .iter()
        .zip(&lines)
        .map(|(member, (commit, line))| close::Landing {
            goal: &member.id,
            row: Some(member.stored.row.get().to_owned()),
            commit: Some(*commit),
            landed_at: at.rfc3339(),
            record_line: line.clone(),
        });
    let own = Closing {
        landings: closing.collect(),
        ..Closing::default()
    };
    let said: Vec<(&GoalId, CommitId)> = members.iter().map(|member| (&member.id, member.candidate)).collect();
    let message = landing_message(&said, &worker.repo)?;
    let candidates: Vec<CommitId> = members.iter().map(|member| member.candidate).collect();
    let (landing, prepared) = prepare(worker, own, verified, (&candidates, &message, None), at)?;
    match sync::land(worker, &landing, prepared, &sync::Of::new(members, &lines))? {
        Land::Moved => Ok(None),
        Land::Landed(head) => {
            worker.landed(head, lines);
            Ok(candidates.last().copied())
        }
    }
}

/// Lands `member` as one plain commit, which is the work itself: by whoever did it, and with the goal's move.
fn plain(worker: &mut Worker<'_>, member: &Member, verified: &Verified) -> Result<Option<CommitId>> {
    worker.target.look(&worker.repo)?;
    let at = worker.session.clock.now();
    let record = records(worker, std::slice::from_ref(member), verified, at)?;
    let own = Closing {
        landings: vec![close::Landing {
            goal: &member.id,
            row: Some(member.stored.row.get().to_owned()),
            commit: None,
            landed_at: at.rfc3339(),
            record_line: String::new(),
        }],
        ..Closing::default()
    };
    let repo = &worker.repo;
    let message = plain_message(repo, &member.id, member.candidate)?;
    let author = Author::of(repo, member.candidate)?;
    let (landing, prepared) = prepare(worker, own, verified, (&[], &message, Some(&author)), at)?;
    let commit = prepared.commit();
    let mut lines = Vec::new();
    for record in record {
        lines.push((commit, once(repo, &Record { commit, ..record })?));
    }
    // This commit cannot hold its own row, so its note goes first: with the target moved, it would be all there is.
    let noted: Vec<(Oid, String)> = lines.iter().map(|(commit, line)| (commit.0, line.clone())).collect();
    notes::add(repo, refs::NOTES, &noted, at)?;
    let of = sync::Of::new(std::slice::from_ref(member), &lines);
    match sync::land(worker, &landing, prepared, &of)? {
        Land::Moved => Ok(None),
        Land::Landed(head) => {
            // The branch held the work until here; the plain commit stands for it now.
            let (name, old) = (refs::candidate_ref(&member.id), member.candidate);
            refs::swap(repo, &[RefMove::Delete { name, old }])?;
            worker.landed(head, lines);
            Ok(Some(commit))
        }
    }
}

fn records(worker: &Worker<'_>, members: &[Member], verified: &Verified, at: Moment) -> Result<Vec<Record>> {
    let of = |member: &Member| {
        let before = spent_before(worker, member)?;
        let stored = (&member.stored, &before);
        Ok(record(worker, member.candidate, stored, verified, at.rfc3339()))
    };
    members.iter().map(of).collect()
}

/// Returns a record's line as it is noted already, where this very landing was begun before: killed between its note and
/// its commit, or undone by a person's move of the branch. Its checks may have taken another time now; it is told once.
fn once(repo: &Repo, record: &Record) -> Result<String> {
    let is_this = |noted: &Record| {
        let commands = |record: &Record| record.checks.iter().map(|check| check.cmd.clone()).collect::<Vec<_>>();
        (&noted.goal, &noted.target, &noted.landed_at) == (&record.goal, &record.target, &record.landed_at)
            && commands(noted) == commands(record)
    };
    let noted = notes::lines(repo, refs::NOTES, record.commit.0)?;
    let mut noted = noted
        .into_iter()
        .filter(|line| serde_json::from_str(line).is_ok_and(|noted| is_this(&noted)));
    match noted.next() {
        Some(line) => Ok(line),
        None => Ok(record.to_line()?),
    }
}

/// Words the commit that lands `members`, by goal and candidate.
///
/// # Errors
/// When a candidate cannot be read.
pub fn landing_message(members: &[(&GoalId, CommitId)], repo: &Repo) -> Result<Message> {
    let mut subjects = Vec::with_capacity(members.len());
    for (id, candidate) in members {
        subjects.push(format!("{id}: {}", history::entry(repo, *candidate)?.subject()));
    }
    let (subject, body) = match subjects.as_slice() {
        [one] => (format!("Land {one}"), String::new()),
        many => (format!("Land {} goals", many.len()), format!("* {}", many.join("\n* "))),
    };
    let landed = members
        .iter()
        .map(|(id, candidate)| ("Landed", format!("{id} {candidate}")));
    Ok(Message {
        subject,
        body,
        trailers: landed.collect(),
    })
}

/// The one commit of `isolation = "none"`: it closes its goal itself, so its memory files can be trusted.
fn plain_message(repo: &Repo, id: &GoalId, candidate: CommitId) -> Result<Message> {
    let entry = history::entry(repo, candidate)?;
    let body = taking::body(&entry.message).unwrap_or_default();
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

/// What earlier attempts at a goal came to, since it last landed.
struct Before {
    rounds: u32,
    usage: Usage,
    evictions: u32,
}

/// Adds up what earlier attempts at a goal took since it last landed: they are part of what its commit cost.
fn spent_before(worker: &Worker<'_>, member: &Member) -> Result<Before> {
    let (id, candidate) = (&member.id, member.candidate);
    let number = if member.stored.is_as_is() {
        stored::as_is(&worker.repo, &id.ref_part(), candidate)?.map(|(number, _)| number)
    } else {
        let entry = history::entry(&worker.repo, candidate)?;
        entry.trailers("Attempt").find_map(|n| n.parse().ok())
    };
    let number: u32 = number.unwrap_or(1);
    let mut before = Before {
        rounds: 0,
        usage: Usage {
            cost_usd: Some(0.0),
            ..Usage::default()
        },
        evictions: 0,
    };
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
            before.rounds += earlier.rounds;
            before.usage.add(&earlier.usage);
            before.evictions += u32::from(earlier.evicted.is_some());
        }
    }
    Ok(before)
}

fn record(
    worker: &Worker<'_>,
    candidate: CommitId,
    (stored, before): (&Stored, &Before),
    verified: &Verified,
    landed_at: String,
) -> Record {
    let mut usage = stored.usage;
    usage.add(&before.usage);
    Record {
        goal: stored.goal.clone(),
        commit: candidate,
        target: worker.target.branch.clone(),
        base: stored.base,
        started_at: stored.started_at.clone(),
        landed_at,
        provider: stored.provider.clone(),
        model: stored.model.clone(),
        attempts: stored.rounds + before.rounds,
        tokens: usage.tokens(),
        cost_usd: usage.cost_usd,
        checks: verified.checks().iter().chain(&stored.proof).cloned().collect(),
        prompt_hash: stored.prompt_hash.clone(),
        sandbox: worker.gate.sandbox.word().into(),
        version: env!("CARGO_PKG_VERSION").into(),
        known_red: (!worker.baseline.known_red.is_empty()).then_some(worker.baseline.known_red.len()),
        red_green: stored.red_green,
        replayable: !stored.redacted && stored.executor.is_none() && stored.adopted.is_none(),
        remark: remark(stored, verified),
        evictions: (before.evictions > 0).then_some(before.evictions),
    }
}

/// The remark of a record where checks failed at first.
const SECOND_RUN: &str = "checks passed on the second run";

fn remark(stored: &Stored, verified: &Verified) -> Option<String> {
    let second = verified.is_flaky().then(|| SECOND_RUN.to_owned());
    let both = [stored.remark.clone(), second];
    both.into_iter()
        .flatten()
        .reduce(|before, after| format!("{before}; {after}"))
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

/// Makes the commit that brings `verified` and `own` to the tip: of these candidates, with this message, and of the work of an
/// author where it has no candidates. Moves no ref; what it gives back says which one is to move.
///
/// # Errors
/// When memory files cannot be read, or objects cannot be written.
pub fn prepare<'a>(
    worker: &Worker<'_>,
    own: Closing<'_>,
    verified: &Verified,
    (candidates, message, author): (&'a [CommitId], &'a Message, Option<&Author>),
    at: Moment,
) -> Result<(Landing<'a>, Prepared)> {
    let (repo, target) = (&worker.repo, &worker.target);
    let files = close(worker, target.tip, own, &at.rfc3339())?;
    let memory = codetree::with_memory(repo, verified.tree(), tree::of_commit(repo, target.tip)?, &files)?;
    let (name, old) = target.landing_ref();
    let landing = Landing {
        name,
        old,
        before: target.begins_to_wait(),
        tip: target.tip,
        candidates,
        message,
        at,
    };
    let prepared = refs::prepare_by(repo, verified, memory, &landing, author)?;
    Ok((landing, prepared))
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
    let inbox = inbox::stored(repo, root)?;
    Ok(MemoryFiles {
        inbox,
        pending: read(PENDING)?,
        completed: read(COMPLETED)?,
        history: read(HISTORY)?,
        segments,
    })
}

/// Reads the open goals of a commit, those of its inbox among them.
///
/// # Errors
/// A fault with the place where the backlog is broken; when trees or blobs cannot be read.
pub fn open(repo: &Repo, commit: CommitId) -> Result<Backlog> {
    let files = memory_files(repo, commit)?;
    Ok(files.open().map_err(|error| recall::backlog_fault(&error))?)
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
