//! The trial: one candidate before the whole gate, on the merged code, and its landing where it passes.
//!
//! Checks, then the ratchet, held-out checks, build and smoke test; nothing lands before all of them passed. What is refused
//! fails, what touches the gate itself waits for a person.

use eyre::{Result, WrapErr as _};

use crate::{
    check::Verified,
    door::fs::installed,
    engine::{
        eviction::{self, Why},
        evolve::{
            archive::{self, Variant, Verdict},
            building, measuring,
            setup::Setup,
            step::{self, Row, State, Step},
        },
        land::{self, Approval},
        members::{self, Fit, Member},
        queue, run,
        session::Session,
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::{diff, tree},
    id::GoalId,
    quote::quoted,
    ratchet::{self, Reading},
    snapshot::CodeTree,
};

/// How often it is tried again because somebody else moved the target.
const TRIES: u32 = 5;

/// How a candidate stood.
enum Stood {
    /// It may land.
    Passed(Verified, Vec<Reading>),
    /// A person must look at it.
    Held(String),
    /// It does not go together with the target, as in any landing.
    Unfit(Why),
    /// The gate refuses it.
    Refused(String, Vec<Reading>),
}

/// Judges the candidate of `id` and lands it; the step that is under way then stands in `state`. Returns what became of it
/// where it did not land.
///
/// # Errors
/// When the repository or the place of the program cannot be written, or a check cannot be run.
pub fn stand(session: &Session, setup: &Setup, id: &GoalId, state: &mut State) -> Result<Option<Row>> {
    let mut worker = Worker::open(session)?;
    worker.begin()?;
    worker.know_base()?;
    worker.land_again()?;
    for _ in 0..TRIES {
        worker.refresh_target()?;
        let only = std::slice::from_ref(id);
        let Some(candidate) = queue::eligible(&worker.facts, only, &[])
            .next()
            .map(|(_, one)| one.clone())
        else {
            let why = "its candidate is gone, or waits for a person".to_owned();
            return Ok(Some(row(&worker, id, (Verdict::Held, why), None)));
        };
        let mut member = members::member(&worker.repo, id, &candidate, Approval::None)?;
        let (verified, readings) = match judge(&mut worker, setup, &mut member)? {
            Stood::Passed(verified, readings) => (verified, readings),
            Stood::Held(why) => return hold(&mut worker, &member, &why).map(Some),
            Stood::Unfit(why) => return refuse(&mut worker, &member, &why, Vec::new()).map(Some),
            Stood::Refused(why, readings) => return refuse(&mut worker, &member, &Why::Worse(why), readings).map(Some),
        };
        let open = worker.facts.goals.get(id);
        let description = open.map(|open| open.description.clone()).unwrap_or_default();
        begin(&mut worker, setup, (&member, readings, &description), state)?;
        let landed = land::swap(&mut worker, std::slice::from_ref(&member), &verified)?;
        if let Some(commit) = landed {
            let checks = (verified.checks(), member.stored.red_green);
            run::landed(&mut worker, id, commit, checks, &description);
            if let Some(why) = worker.follow()? {
                session.say(format!("results wait beside `{}`: {why}", worker.target.branch));
            }
            return Ok(None);
        }
        state.step = None;
        step::write(session, &worker.repo, state)?;
    }
    let what = format!("the target moved {TRIES} times while {id} was judged");
    Err(Fault::new(Kind::Busy, what)
        .hint(format!(
            "`git invisigoth evolve --goal {}` tries again",
            quoted(id.as_str())
        ))
        .into())
}

/// Leads a candidate through the gate.
fn judge(worker: &mut Worker<'_>, setup: &Setup, member: &mut Member) -> Result<Stood> {
    let base = tree::code_of_commit(&worker.repo, worker.target.tip)?;
    let code = match members::fit(worker, member, base, &[])? {
        Fit::Code(code) => code,
        Fit::Held(why) => return Ok(Stood::Held(why)),
        Fit::Refused(why) => return Ok(Stood::Unfit(why)),
        Fit::Later => {
            return Ok(Stood::Unfit(Why::Moved(
                "what it is built on has not landed".to_owned(),
            )));
        }
    };
    if let Some(why) = touches(worker, setup, base, code)? {
        return Ok(Stood::Held(why));
    }
    let verdict = worker
        .checker
        .judge_twice(&worker.repo, code, &worker.gate, &worker.baseline)?;
    let verified = match verdict {
        Ok(verified) => verified,
        Err(failed) => return Ok(Stood::Unfit(Why::Red(failed))),
    };
    let readings = match measuring::measure(worker, setup, base, code)? {
        Ok(readings) => readings,
        Err(why) => return Ok(Stood::Refused(why, Vec::new())),
    };
    let turned = turned(worker, member, code)?;
    if let Some(why) = ratchet::refuses(&setup.metrics, &readings, turned) {
        return Ok(Stood::Refused(why, readings));
    }
    if !measuring::holds_out(worker, setup, base, code)? {
        return Ok(Stood::Refused("a held-out check fails".to_owned(), readings));
    }
    if let Err(why) = building::build(worker, setup, code)? {
        return Ok(Stood::Refused(why, readings));
    }
    Ok(Stood::Passed(verified, readings))
}

/// Counts the tests that fail on the base and pass now: those that it brings, and those that were red there.
fn turned(worker: &mut Worker<'_>, member: &Member, code: CodeTree) -> Result<usize> {
    let brought = member.stored.red_green.unwrap_or(0);
    if brought > 0 || worker.baseline.known_red.is_empty() {
        return Ok(brought);
    }
    let tests = worker.checker.tests_of(&worker.repo, code, &worker.gate)?;
    Ok(tests.passed.intersection(&worker.baseline.known_red).count())
}

/// Says which of what the base measures with the candidate changes, if it does. What is new there measures nothing yet.
fn touches(worker: &Worker<'_>, setup: &Setup, base: CodeTree, code: CodeTree) -> Result<Option<String>> {
    let differing = diff::trees(&worker.repo, base.root, code.root)?;
    let mut touched = differing
        .iter()
        .filter(|differs| differs.old.is_some() && ratchet::guards(&setup.measures, &differs.path).is_some());
    let words = |path| format!("touches {path} (`evolve` measures with it)");
    Ok(touched.next().map(|differs| words(&differs.path)))
}

/// Says what is about to happen, so that a kill leaves nothing half done.
fn begin(
    worker: &mut Worker<'_>,
    setup: &Setup,
    (member, readings, description): (&Member, Vec<Reading>, &str),
    state: &mut State,
) -> Result<()> {
    let install = &setup.install;
    let mark = |path| building::mark(path)?.ok_or_else(|| eyre::eyre!("there is no program at {}", path.display()));
    let new = installed::new_of(install);
    let (old, new) = (mark(install)?, mark(&new)?);
    // While nothing has landed: a disk that is full is found out here.
    installed::keep(install).map_err(|error| building::unwritten(&installed::old_of(install), &error))?;
    let variant = variant(worker, member, (Verdict::Landed, String::new()), readings)?;
    state.step = Some(Step {
        variant,
        description: description.to_owned(),
        install: install.clone(),
        old,
        new,
        failed: String::new(),
    });
    step::write(worker.session, &worker.repo, state)
}

fn variant(
    worker: &Worker<'_>,
    member: &Member,
    (verdict, why): (Verdict, String),
    metrics: Vec<Reading>,
) -> Result<Variant> {
    let number = archive::keep(&worker.repo, &member.id, member.candidate, member.number)?;
    Ok(Variant {
        kind: archive::KIND.to_owned(),
        goal: member.id.clone(),
        number,
        at: worker.session.clock.now().rfc3339(),
        verdict,
        why,
        base: worker.target.tip,
        commit: member.candidate,
        metrics,
        red_green: member.stored.red_green.filter(|turned| *turned > 0),
    })
}

fn hold(worker: &mut Worker<'_>, member: &Member, why: &str) -> Result<Row> {
    let variant = variant(worker, member, (Verdict::Held, why.to_owned()), Vec::new())?;
    archive::note(worker.session, &worker.repo, &variant).wrap_err("noting a variant")?;
    eviction::hold(worker, &member.id, (member.candidate, member.number), why)?;
    Ok(row(worker, &member.id, (Verdict::Held, why.to_owned()), Some(variant)))
}

fn refuse(worker: &mut Worker<'_>, member: &Member, why: &Why, readings: Vec<Reading>) -> Result<Row> {
    let variant = variant(worker, member, (Verdict::Refused, why.words()), readings)?;
    archive::note(worker.session, &worker.repo, &variant).wrap_err("noting a variant")?;
    let row = row(worker, &member.id, (Verdict::Refused, why.words()), Some(variant));
    eviction::evict(worker, &member.id, (member.candidate, member.number), why)?;
    worker.follow()?;
    Ok(row)
}

fn row(worker: &Worker<'_>, id: &GoalId, (verdict, reason): (Verdict, String), variant: Option<Variant>) -> Row {
    let open = worker.facts.goals.get(id);
    Row {
        goal: id.clone(),
        description: open.map(|open| open.description.clone()).unwrap_or_default(),
        verdict,
        reason,
        variant,
    }
}
