//! Undoing: the checked inverse of what a goal landed becomes part of the target, and the goal comes back as held.
//!
//! Order of effects: objects, target (or `landed/<target>`), then notes; stale candidates go last. Killed after the target
//! moved, the next command copies missing notes from `history.json`, which the commit holds; a candidate that is part of the
//! target counts no more. Nothing is taken out that the gate of the target's head refuses.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;

use crate::{
    backlog::close,
    check::{Baseline, CheckRow, Failed, Verified},
    engine::{
        land::{self, Closing},
        landed, recall, run, session, settle, steering,
        taking::{self, Member},
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::{
        advance,
        commit::Message,
        history, merge,
        refs::{self, Land, RefMove},
        tree,
    },
    goal::Decision,
    id::{CommitId, GoalId},
    record::Undone,
    snapshot::CodeTree,
    time::Stopping,
    verdict,
};

/// How often it is tried again because somebody else moved the target.
const TRIES: u32 = 5;
/// Most characters of the reason in a record's line; the commit has all of it.
const WHY: usize = 200;
/// Most bytes of a failing check's output in a fault.
const OUTPUT_BYTES: usize = 1200;

/// What to undo.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// The goals.
    pub ids: Vec<GoalId>,
    /// Landed goals that depend on them, too.
    pub cascade: bool,
    /// Why, in a person's words, without secrets.
    pub why: Option<String>,
}

/// What was undone.
#[derive(Debug)]
pub struct Done {
    /// The goals, in the order in which they were taken out.
    pub members: Vec<Member>,
    /// The commit that takes them out.
    pub commit: CommitId,
    /// The checks of the code without them.
    pub checks: Vec<CheckRow>,
    /// True where people had changed all of it since, so that no code was left to take out.
    pub nothing_left: bool,
}

/// What undoing came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was undone; `None` where nothing was to be.
    pub done: Option<Done>,
    /// Goals that had been taken back before, and by what.
    pub already: Already,
}

/// Goals that had been taken back before, and by what.
type Already = Vec<(GoalId, String)>;

/// Looks whether `order` can be undone, as far as that can be told without changing anything.
///
/// # Errors
/// A fault as `undo` has it.
pub fn look(worker: &Worker<'_>, order: &Order) -> Result<()> {
    // What a moved branch left behind has not landed anew yet.
    if worker.owes()? {
        return Ok(());
    }
    let (ids, _) = sorted(worker, &order.ids)?;
    taking::members(worker, &ids, order.cascade).map(|_| ())
}

/// Undoes.
///
/// # Errors
/// A fault for a goal that is unknown or never landed, where landed goals depend on one, where the inverse conflicts with
/// what landed since, and where the checks fail without it; nothing was changed then.
pub fn undo(worker: &mut Worker<'_>, order: &Order) -> Result<Outcome> {
    for _ in 0..TRIES {
        if worker.look_again()? {
            worker.land_again()?;
        }
        let (ids, already) = sorted(worker, &order.ids)?;
        if ids.is_empty() {
            return Ok(Outcome { done: None, already });
        }
        let members = taking::members(worker, &ids, order.cascade)?;
        let code = inverse(worker, &members)?;
        let judged = judge(worker, code, &members)?;
        if let Some(done) = swap(worker, members, order.why.as_deref(), &judged)? {
            return Ok(Outcome {
                done: Some(done),
                already,
            });
        }
    }
    Err(Fault::new(
        Kind::Busy,
        format!("the target moved {TRIES} times meanwhile; nothing was undone"),
    )
    .into())
}

/// Tells goals that have landed from those that were taken back already.
fn sorted(worker: &Worker<'_>, ids: &[GoalId]) -> Result<(Vec<GoalId>, Already)> {
    let facts = &worker.facts;
    let (mut landed, mut already) = (Vec::new(), Vec::new());
    for id in ids.iter().collect::<BTreeSet<_>>() {
        if facts.landed.contains(id) {
            landed.push(id.clone());
            continue;
        }
        let by_people = worker.by_people.reopened.iter().find(|back| back.goal == *id);
        if let Some(back) = by_people {
            already.push((id.clone(), landed::reverted(back.by)));
        } else if recall::landed_row(&worker.repo, worker.target.tip, id)?.is_some() {
            already.push((id.clone(), "it was taken back before".to_owned()));
        } else if facts.goals.contains_key(id) {
            let fault = Fault::new(
                Kind::Error,
                format!("goal {id} has not landed, so there is nothing to undo"),
            );
            return Err(fault
                .hint(format!(
                    "`git invisigoth drop {}` takes it out of the backlog",
                    steering::typed([id])
                ))
                .into());
        } else {
            return Err(run::unknown_goal(facts, id).into());
        }
    }
    Ok((landed, already))
}

/// Takes the members out of the tip's code, one after the other.
fn inverse(worker: &Worker<'_>, members: &[Member]) -> Result<CodeTree> {
    let mut code = tree::code_of_commit(&worker.repo, worker.target.tip)?;
    let mut taken = BTreeSet::new();
    for member in members {
        // One commit may be the work of several goals.
        if !taken.insert(member.commit) {
            continue;
        }
        match merge::inverse(&worker.repo, code, member.whole)? {
            Ok(without) => code = without,
            Err(paths) => return Err(taking::conflict(worker, member, &paths)?.into()),
        }
    }
    Ok(code)
}

/// Judges the code without the members by the gate of the tip. What is red there already is not their undoing's doing; it is
/// only looked at where something is red. Returns how many tests were let pass for that, too.
fn judge(worker: &mut Worker<'_>, code: CodeTree, members: &[Member]) -> Result<(Verified, usize)> {
    let tip = worker.target.tip;
    worker.settings = worker.session.settings_at(&worker.repo, Some(tip))?.settings;
    worker.gate = session::gate(worker.session, &worker.repo, &worker.settings)?;
    if worker.gate.is_empty() {
        return Err(session::no_checks().into());
    }
    worker
        .session
        .say(format!("checking the code without {}", names(members)));
    let own = tree::code_of_commit(&worker.repo, tip)?;
    worker.checker.trust(own);
    let strict = Baseline::default();
    let failed = match worker.checker.judge(&worker.repo, code, &worker.gate, &strict)? {
        Ok(verified) => return Ok((verified, 0)),
        Err(failed) => failed,
    };
    let base = worker.know_base();
    if worker.session.stop.stopping() != Stopping::No {
        base?;
    } else if base.is_err() {
        let tip = tip.short();
        let hint = format!("they fail with it too: `git invisigoth check {tip}` shows how");
        return Err(refused(members, &failed).hint(hint).into());
    }
    if worker.baseline.red.is_empty() {
        return Err(built_upon(refused(members, &failed)).into());
    }
    match worker
        .checker
        .judge(&worker.repo, code, &worker.gate, &worker.baseline)?
    {
        Ok(verified) => Ok((verified, worker.baseline.known_red.len())),
        Err(failed) => Err(built_upon(refused(members, &failed)).into()),
    }
}

fn built_upon(fault: Fault) -> Fault {
    fault.hint("nothing was changed; what landed since may build on it: `git invisigoth log` lists it")
}

fn refused(members: &[Member], failed: &Failed) -> Fault {
    let output = failed
        .culprit()
        .map(|ran| verdict::for_prompt(ran.output.as_str(), OUTPUT_BYTES));
    let output = output.unwrap_or_default();
    let message = format!(
        "without {} the checks fail: {}\n{output}",
        names(members),
        failed.reason()
    );
    Fault::new(Kind::Error, message.trim_end())
}

fn names(members: &[Member]) -> String {
    let goals: Vec<&GoalId> = members.iter().map(|member| &member.goal).collect();
    settle::names(&goals)
}

/// Makes the commit and moves the target; `None` where somebody else moved it.
fn swap(
    worker: &mut Worker<'_>,
    members: Vec<Member>,
    why: Option<&str>,
    (verified, known_red): &(Verified, usize),
) -> Result<Option<Done>> {
    worker.target.look(&worker.repo)?;
    let (tip, at) = (worker.target.tip, worker.session.clock.now());
    let lines = lines(worker, &members, (why, &at.rfc3339()), (verified, *known_red))?;
    let open = land::open(&worker.repo, tip)?;
    let own = Closing {
        reopened: members
            .iter()
            .map(|member| close::Reopened {
                goal: &member.goal,
                reason: reason(member, why),
                row: open.raw(&member.goal).filter(|_| !is_unsettled(worker, &member.goal)),
            })
            .collect(),
        lines: lines.iter().map(|(_, line)| line.clone()).collect(),
        ..Closing::default()
    };
    let repo = &worker.repo;
    let nothing_left = tree::code_of_commit(repo, tip)?.id == verified.tree().id;
    let message = message(&members, why, tip);
    let (landing, prepared) = land::prepare(worker, own, verified, (&[], &message, None), at)?;
    // Beside a checkout it would be landed for sure, and only done anew by the next command.
    if refs::read(repo, &refs::branch_ref(&worker.target.branch))? != Some(worker.target.head) {
        return Ok(None);
    }
    let commit = match refs::land(repo, &landing, prepared)? {
        Land::Moved => return Ok(None),
        Land::Landed(commit) => commit,
    };
    worker.landed(commit, lines);
    drop_candidates(worker, &members)?;
    worker.recall()?;
    Ok(Some(Done {
        members,
        commit,
        checks: verified.checks().to_vec(),
        nothing_left,
    }))
}

/// True where a person's commit landed the goal and no file of ours says so yet: it is closed first.
fn is_unsettled(worker: &Worker<'_>, goal: &GoalId) -> bool {
    worker.by_people.unsettled.iter().any(|(other, _)| other == goal)
}

/// Words one line of the record for each member; each hangs on the commit that it takes out.
fn lines(
    worker: &Worker<'_>,
    members: &[Member],
    (why, at): (Option<&str>, &str),
    (verified, known_red): (&Verified, usize),
) -> Result<Vec<(CommitId, String)>> {
    let line = |member: &Member| {
        let undone = Undone {
            kind: Undone::KIND.to_owned(),
            goal: member.goal.clone(),
            commit: member.commit,
            target: worker.target.branch.clone(),
            undone_at: at.to_owned(),
            why: why.map(|why| why.chars().take(WHY).collect()),
            checks: verified.checks().to_vec(),
            sandbox: worker.gate.sandbox.word().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            known_red: (known_red > 0).then_some(known_red),
        };
        Ok((member.commit, undone.to_line()?))
    };
    members.iter().map(line).collect()
}

/// Words why a goal is held. The commit that says so cannot name itself.
fn reason(member: &Member, why: Option<&str>) -> String {
    let undone = format!("commit {} was undone", member.commit.short());
    match why {
        Some(why) => format!("{undone}: {why}"),
        None => undone,
    }
}

fn message(members: &[Member], why: Option<&str>, tip: CommitId) -> Message {
    let about = match members {
        [only] if !only.description.is_empty() => format!("{}: {}", only.goal, only.description),
        _ => names(members),
    };
    let goals = || members.iter().map(|member| &member.goal);
    let undone = goals().map(|goal| ("Undo", goal.to_string()));
    Message {
        subject: format!("Undo {about}"),
        body: why.unwrap_or_default().to_owned(),
        trailers: undone.chain(settle::trailers(goals(), tip)).collect(),
    }
}

/// Deletes the branches on which the undone work may still stand; one that a person looks at stays.
fn drop_candidates(worker: &Worker<'_>, members: &[Member]) -> Result<()> {
    let repo = &worker.repo;
    let mut stale = Vec::new();
    for member in members {
        let name = refs::candidate_ref(&member.goal);
        let short = name.trim_start_matches("refs/heads/");
        if let Some(old) = refs::read(repo, &name)?
            && old == member.commit
            && advance::checkouts(repo, short)?.is_empty()
        {
            stale.push(RefMove::Delete { name, old });
        }
    }
    if !stale.is_empty() {
        // One that moved meanwhile is somebody's work.
        refs::swap(repo, &stale)?;
    }
    Ok(())
}

/// Does anew what had been undone beside a branch that a person then moved. What does not fit any more stays landed, and is
/// said.
///
/// # Errors
/// When the repository cannot be read or written, or a check cannot be run.
pub fn anew(worker: &mut Worker<'_>) -> Result<()> {
    let mut waiting: BTreeMap<CommitId, Vec<RefMove>> = BTreeMap::new();
    for (name, old) in refs::below(&worker.repo, refs::UNDONE)? {
        waiting.entry(old).or_default().push(RefMove::Delete { name, old });
    }
    for (commit, done) in waiting {
        let entry = history::entry(&worker.repo, commit)?;
        let goals: Vec<GoalId> = entry.trailers("Undo").filter_map(|goal| goal.parse().ok()).collect();
        let why = taking::body(&entry.message);
        let (landed, open): (Vec<GoalId>, Vec<GoalId>) =
            goals.into_iter().partition(|goal| worker.facts.landed.contains(goal));
        if !landed.is_empty() {
            let names: Vec<&str> = landed.iter().map(GoalId::as_str).collect();
            let (branch, names) = (&worker.target.branch, names.join(", "));
            worker
                .session
                .say(format!("branch `{branch}` moved: {names} undone anew on it"));
        }
        hold(worker, &open, why)?;
        let order = Order {
            ids: landed,
            cascade: false,
            why: why.map(str::to_owned),
        };
        if let Err(error) = undo(worker, &order) {
            let fault = error.downcast::<Fault>()?;
            if fault.kind != Kind::Error {
                return Err(fault.into());
            }
            let said = fault.message.lines().next().unwrap_or_default();
            worker.session.say(format!("undone before, and landed now: {said}"));
        }
        refs::swap(&worker.repo, &done)?;
    }
    Ok(())
}

/// Holds goals that had landed and were undone beside the branch, and on the branch never landed.
fn hold(worker: &mut Worker<'_>, goals: &[GoalId], why: Option<&str>) -> Result<()> {
    let is_pending = |goal: &&GoalId| {
        let open = worker.facts.goals.get(*goal);
        open.is_some_and(|open| open.decision == Decision::Pending)
    };
    let goals: Vec<&GoalId> = goals.iter().filter(is_pending).collect();
    if goals.is_empty() {
        return Ok(());
    }
    let open = land::open(&worker.repo, worker.target.tip)?;
    let own = Closing {
        reopened: goals
            .iter()
            .map(|goal| close::Reopened {
                goal,
                reason: why.map_or_else(|| "it was undone".to_owned(), |why| format!("it was undone: {why}")),
                row: open.raw(goal),
            })
            .collect(),
        ..Closing::default()
    };
    let at = worker.session.clock.now().rfc3339();
    let files = land::close(worker, worker.target.tip, own, &at)?;
    let names: Vec<&str> = goals.iter().map(|goal| goal.as_str()).collect();
    let message = Message {
        subject: format!("Hold {}", names.join(", ")),
        body: String::new(),
        trailers: settle::trailers(goals.iter().copied(), worker.target.tip),
    };
    if let Some(made) = settle::memory_commit(worker, &files, &message)? {
        worker.landed(made, Vec::new());
        worker.recall()?;
    }
    Ok(())
}
