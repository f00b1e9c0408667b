//! A run: what keeps it from beginning, plans where nothing is ready, and what it came to. The work itself is a `shift`.

use std::{sync::Arc, time::Duration};

use eyre::{Result, eyre};
use serde::Serialize;

use crate::{
    check::{CheckRow, Stage},
    door::wait::Stopwatch,
    engine::{
        durations,
        executor::Executor,
        live::Phase,
        night, orders,
        planning::{self, Planned},
        purse::Kept,
        report,
        runs::Own,
        session::{self, Session},
        shift::{self, Progress},
        steering, tariffs, templates,
        worker::Worker,
    },
    event::Event,
    facts::{Fact, Facts},
    fault::{Fault, Kind},
    git::tree,
    goal::{Decision, Goal},
    id::{CommitId, GoalId},
    schedule::{self, State},
    settings::{Caps, Settings},
};

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Only these; all that are ready where empty.
    pub only: Vec<GoalId>,
    /// At most so many.
    pub max: Option<usize>,
    /// Leave candidates as they are.
    pub no_merge: bool,
    /// Naming a goal in `only` approves the candidate that waits for a person.
    pub approve: bool,
    /// What to plan when nothing is ready.
    pub plan: Option<planning::Order>,
    /// What the night knows of which this is a round.
    pub night: Option<Tonight>,
}

/// What a night tells its rounds.
#[derive(Clone, Copy, Debug)]
pub struct Tonight {
    /// What is left of its window, if it has one.
    pub left: Option<Duration>,
    /// Goals in a row of which nothing landed so far.
    pub in_a_row: u32,
    /// Whether this is the first round: what a goal would need must be there, although none is ready.
    pub is_first: bool,
    /// Whether to say where no goal can land in what is left.
    pub warns: bool,
}

/// What became of one goal.
#[derive(Clone, Debug, Serialize)]
pub struct GoalResult {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// `landed`, `candidate`, `failed`, `held`, `blocked` where it pauses, `ready` where it was evicted, or `parked`.
    pub state: State,
    /// Why, where it did not land.
    pub reason: String,
    /// The commit that landed or waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// Tests that failed before and pass now, of one that landed, where that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub red_green: Option<usize>,
}

/// What a run came to.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Each goal that was worked on, in order.
    pub goals: Vec<GoalResult>,
    /// Goals that wait, and why.
    pub waiting: Vec<(GoalId, String)>,
    /// What was planned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Planned>,
    /// Model calls.
    pub calls: u64,
    /// Dollars; `None` where unknown.
    pub cost_usd: Option<f64>,
    /// True for a provider that is a script.
    pub scripted: bool,
    /// Dollars by landed goals, those of failures and plans among them; absent where nothing landed or a price is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_per_landed: Option<f64>,
    /// Commands of gates that ran.
    pub checks: u64,
    /// How long these took together.
    pub check_seconds: f64,
    /// Replies that could not be used.
    pub refused: u64,
    /// Wall time.
    pub seconds: f64,
    /// Why results wait beside the branch, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// Why the run ended before its time, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<Fault>,
    /// How many goals were started.
    #[serde(skip)]
    pub tried: usize,
    /// Whether the base was checked.
    #[serde(skip)]
    pub based: bool,
}

/// Runs `order`.
///
/// # Errors
/// A fault when it cannot start. What goes wrong later is in the summary.
pub fn run(session: &Session, order: &Order) -> Result<Summary> {
    round(session, order, &mut None)
}

/// Runs `order` as a part of the run that `kept` is of; begins one where there is none yet.
///
/// # Errors
/// As `run`.
pub fn round(session: &Session, order: &Order, kept: &mut Option<Kept>) -> Result<Summary> {
    let began = Stopwatch::start();
    let mut worker = Worker::join(session, kept.clone())?;
    let own = kept.take().and_then(|kept| kept.own);
    *kept = Some(Kept {
        live: Arc::clone(&worker.live),
        purse: Arc::clone(&worker.purse),
        own: own.clone(),
    });
    refuse_unready(&worker, order)?;
    if worker.take_turn()? {
        worker.begin()?;
    }
    worker.facts.durations = durations::read(&worker.repo, worker.target.tip)?;
    let mut done = Done { own, ..Done::default() };
    let cut_short = work(&mut worker, order, &mut done).err();
    let Done {
        progress,
        plans,
        based,
        own,
    } = done;
    let (goals, waits, tried) = (progress.results, progress.waiting, progress.tried.len());
    // What was checked and landed is saved whatever cut the run short.
    let followed = worker.finish();
    let error = cut_short.or(followed.as_ref().err().map(|error| eyre!("{error:#}")));
    let cut_short = error.map(|error| {
        let said = format!("{error:#}");
        error
            .downcast::<Fault>()
            .map_or_else(|_| Fault::new(Kind::Error, said), resumable)
    });
    if let Some(fault) = &cut_short {
        tracing::error!(target: "run", "it ended before its time: {fault}");
    }
    let beside = followed.ok().flatten();
    let counts = session.tally.now();
    let (calls, cost_usd) = worker.spent();
    let mut waiting = waiting(&worker.facts, &order.only);
    if cut_short.is_none() {
        waiting.extend(waits);
    }
    waiting.retain(|(id, _)| goals.iter().all(|result| result.goal != *id));
    let summary = Summary {
        usd_per_landed: report::per_landed(landed_of(&goals), cost_usd),
        checks: counts.checks,
        check_seconds: counts.check_seconds(),
        refused: counts.refused,
        goals,
        waiting,
        plans,
        calls,
        cost_usd,
        // A program of the user's own pays by itself.
        scripted: worker.settings.llm.provider == "mock" && cost_usd.is_some(),
        seconds: seconds(began.elapsed()),
        beside,
        cut_short,
        tried,
        based,
    };
    if let Some(kept) = kept {
        kept.own = own;
    }
    if order.night.is_none() {
        end(session, kept.as_ref(), &summary);
    }
    Ok(summary)
}

/// Tells that a run ended that worked at something.
pub fn end(session: &Session, kept: Option<&Kept>, summary: &Summary) {
    let Some(own) = kept.and_then(|kept| kept.own.as_ref()) else {
        return;
    };
    own.end(session, summary.cut_short.as_ref());
    if !summary.goals.is_empty() || summary.calls > 0 || summary.cut_short.is_some() {
        session.sink.emit(&ended(summary));
    }
}

fn ended(summary: &Summary) -> Event {
    let number = |states: &[State]| {
        let of = summary.goals.iter().filter(|result| states.contains(&result.state));
        of.count()
    };
    Event::Ended {
        landed: number(&[State::Landed]),
        failed: number(&[State::Failed, State::Parked]),
        held: number(&[State::Held]),
        waiting: summary.waiting.len(),
        calls: summary.calls,
        cost_usd: summary.cost_usd,
        seconds: summary.seconds,
        cut_short: summary.cut_short.clone(),
    }
}

/// Counts the goals that landed.
pub fn landed_of(goals: &[GoalResult]) -> usize {
    goals.iter().filter(|result| result.state == State::Landed).count()
}

/// Returns seconds, to the millisecond.
pub fn seconds(long: Duration) -> f64 {
    (long.as_secs_f64() * 1000.0).round() / 1000.0
}

/// Says what keeps `order` from being begun, before anything is done or paid for.
fn refuse_unready(worker: &Worker<'_>, order: &Order) -> Result<()> {
    refuse_unfit(&worker.facts, &order.only)?;
    if order.plan.is_some() && !ends(order, &worker.settings) {
        return Err(endless().into());
    }
    if let Some(paused) = orders::paused(worker.session, &worker.repo) {
        return Err(orders::fault(&paused).into());
    }
    let ready = schedule::ready(&worker.facts, &order.only);
    // Whoever is going to wait for goals is told now what they will lack.
    let is_ahead = order.night.is_some_and(|night| night.is_first);
    if ready.is_empty() && order.plan.is_none() && !is_ahead {
        return Ok(());
    }
    if worker.gate.is_empty() {
        return Err(session::no_checks().into());
    }
    // Before checks run on the base, and before anything is paid for.
    templates::of(&worker.repo, tree::code_of_commit(&worker.repo, worker.target.tip)?)?;
    // A program of the user's own has its own key.
    let asks = |goal: &Goal| Executor::of(goal, &worker.settings).map_or(true, |executor| executor.asks());
    let of_goal = |id: &&GoalId| worker.backlog.get(id).is_none_or(|goal| asks(&goal));
    let any = order.plan.is_some() || ready.iter().any(of_goal);
    if any || ready.is_empty() && asks(&Goal::default()) {
        worker.asking()?;
    }
    Ok(())
}

/// Whoever stopped a run is told how it goes on, whatever was under way.
fn resumable(fault: Fault) -> Fault {
    if fault.kind == Kind::Interrupted && fault.hints.is_empty() {
        return fault.hint("`git invisigoth run` goes on");
    }
    fault
}

/// Lists the goals that are blocked, and why; of `only`, where it names any.
pub fn waiting(facts: &Facts, only: &[GoalId]) -> Vec<(GoalId, String)> {
    let asked = |id: &&GoalId| only.is_empty() || only.contains(id);
    let blocked = |id: &GoalId| match schedule::state(facts, id) {
        Some((State::Blocked, why)) => Some((id.clone(), why)),
        _ => None,
    };
    facts.goals.keys().filter(asked).filter_map(blocked).collect()
}

/// A goal that is named must be known, and no decision may keep it from being done.
fn refuse_unfit(facts: &Facts, only: &[GoalId]) -> Result<()> {
    for id in only {
        let Some((state, _)) = schedule::state(facts, id) else {
            return Err(unknown_goal(facts, id).into());
        };
        let by_paths = facts
            .candidates
            .get(id)
            .is_some_and(|candidate| candidate.held.is_some());
        let verb = match state {
            State::Proposed | State::Rejected => "approve",
            State::Held if by_paths => "merge",
            State::Held => "release",
            _ => continue,
        };
        let fault = Fault::new(Kind::Person, format!("goal {id} is {state}, so nothing was run"));
        return Err(fault
            .hint(format!("`git invisigoth {verb} {}`", steering::typed([id])))
            .into());
    }
    Ok(())
}

/// The fault of a goal id that nothing has, with the nearest one that something has.
pub fn unknown_goal(facts: &Facts, id: &GoalId) -> Fault {
    let fault = Fault::new(Kind::Error, format!("there is no goal {id}"));
    let near = facts
        .goals
        .keys()
        .chain(&facts.landed)
        .find(|other| *other != id && other.as_str().starts_with(id.as_str()));
    match near {
        Some(near) => fault.hint(format!("did you mean {near} ?")),
        None => fault.hint("`git invisigoth list` shows them"),
    }
}

/// The fault of a goal that is not open: it has landed, or nothing has that id.
pub fn not_open(facts: &Facts, id: &GoalId) -> Fault {
    if facts.landed.contains(id) {
        let hint = format!("`git invisigoth show {}`", steering::typed([id]));
        Fault::new(Kind::Error, format!("goal {id} has landed")).hint(hint)
    } else {
        unknown_goal(facts, id)
    }
}

/// What a run has done so far.
#[derive(Default)]
struct Done {
    progress: Progress,
    plans: Vec<Planned>,
    based: bool,
    own: Option<Arc<Own>>,
}

/// True where something keeps a run that plans from going on for ever. A script comes to its end.
fn ends(order: &Order, settings: &Settings) -> bool {
    let caps = [settings.budget.run, settings.budget.day];
    let has_window = order.night.is_some_and(|night| night.left.is_some());
    has_window
        || order.max.is_some()
        || tariffs::is_scripted(&settings.llm)
        || caps.iter().any(|caps| *caps != Caps::default())
}

fn endless() -> Fault {
    Fault::new(
        Kind::Config,
        "`run --plan` goes on until a cap is reached, and there is none",
    )
    .hint("`git invisigoth run --plan --max-usd 5`, `--max 10`, or `git invisigoth config set budget.max_minutes 60`")
}

fn work(worker: &mut Worker<'_>, order: &Order, done: &mut Done) -> Result<()> {
    let has_work = |facts: &Facts| !schedule::ready(facts, &order.only).is_empty() || !facts.candidates.is_empty();
    let is_alone = worker.settings.sync.remote.is_none();
    if !has_work(&worker.facts) && order.plan.is_none() && is_alone && !worker.owes()? {
        return Ok(());
    }
    // Where this cannot be kept, goals still can be worked at.
    if done.own.is_none() {
        done.own = Own::begin(worker).ok().map(Arc::new);
    }
    done.progress.own.clone_from(&done.own);
    let is_quiet = order.night.is_some_and(|night| !night.is_first) && order.plan.is_none();
    if is_quiet && !has_work(&worker.facts) {
        // Looking for work at a remote, again and again, is worth no word.
        worker.know_base()?;
    } else {
        worker.check_base()?;
    }
    done.based = true;
    if let Some(night) = order.night.filter(|night| night.warns) {
        night::warn(worker, night.left)?;
    }
    worker.step_of(None, None);
    if worker.take_turn()? {
        worker.land_again()?;
    }
    loop {
        shift::work(worker, order, &mut done.progress)?;
        let goes_on = has_room(order, &done.progress) && !is_stalled(worker, order, &done.progress);
        let Some(plan) = order.plan.as_ref().filter(|_| goes_on) else {
            return Ok(());
        };
        let results = &done.progress.results;
        if done.plans.last().is_some_and(|last| !has_landed(last, results)) {
            worker
                .session
                .say("no goal of the last plan landed, so there is no further plan");
            return Ok(());
        }
        if order.night.is_some() && !plan.approved && !worker.settings.plan.auto && has_proposals(&worker.facts) {
            return Ok(());
        }
        let made = match add_plan(worker, plan) {
            Ok(made) => made,
            // A night goes on with what people approve.
            Err(error) if order.night.is_some() && needs_a_person(&error) => {
                worker.session.say(format!("no plan: {error:#}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let goes_on = made.status == Decision::Pending && !made.goals.is_empty();
        done.plans.push(made);
        if !goes_on {
            // What people approved or added while the model was thinking.
            return shift::work(worker, order, &mut done.progress);
        }
    }
}

/// True where planned goals wait for a person: more of them would wait, too.
fn has_proposals(facts: &Facts) -> bool {
    let is_proposed = |id: &GoalId| matches!(schedule::state(facts, id), Some((State::Proposed, _)));
    facts.goals.keys().any(is_proposed)
}

fn needs_a_person(error: &eyre::Report) -> bool {
    let fault = error.downcast_ref::<Fault>();
    fault.is_some_and(|fault| fault.kind == Kind::Person)
}

/// True where so many goals in a row came to nothing that the night ends.
pub fn is_stalled(worker: &Worker<'_>, order: &Order, progress: &Progress) -> bool {
    let Some(night) = order.night else { return false };
    let states = progress.results.iter().map(|result| result.state);
    let in_a_row = schedule::night::in_a_row(night.in_a_row, states);
    schedule::night::is_stalled(in_a_row, worker.settings.run.stalled)
}

fn has_room(order: &Order, progress: &Progress) -> bool {
    order.max.is_none_or(|max| progress.tried.len() < max)
}

/// Planning on after a plan of which nothing came would spend a whole cap on the same.
fn has_landed(plan: &Planned, results: &[GoalResult]) -> bool {
    let landed = |goal: &Goal| {
        let is = |result: &&GoalResult| Some(&result.goal) == goal.id.as_ref() && result.state == State::Landed;
        results.iter().any(|result| is(&result))
    };
    plan.goals.iter().any(landed)
}

fn add_plan(worker: &mut Worker<'_>, order: &planning::Order) -> Result<Planned> {
    let session = worker.session;
    orders::wait(worker, None)?;
    shift::refuse_to_go_on(worker)?;
    // What landed must be in the branch that the plan looks at, and so must what people wrote meanwhile.
    take_in(worker)?;
    worker.step(Phase::Planning, None);
    let made = planning::make(session, &*worker.asking()?, order)?;
    worker.step_of(None, None);
    take_in(worker)?;
    Ok(made)
}

/// Brings the checkout along and takes in what people did, where nobody else is landing.
fn take_in(worker: &mut Worker<'_>) -> Result<()> {
    if worker.take_turn()? {
        worker.follow()?;
        worker.refresh_target()?;
        worker.take_in_edits()?;
        worker.pass_turn();
    } else {
        worker.look_again()?;
    }
    Ok(())
}

/// Says that a candidate waits for a person, and returns the words.
pub fn held(worker: &Worker<'_>, id: &GoalId, description: &str, why: &str) -> String {
    let typed = steering::typed([id]);
    let why = format!("{why}; `git invisigoth merge {typed}` approves and lands it");
    worker.session.sink.emit(&Event::Held {
        goal: id.clone(),
        description: description.to_owned(),
        why: why.clone(),
    });
    why
}

/// Takes in that `id` landed, and says so.
pub fn landed(
    worker: &mut Worker<'_>,
    id: &GoalId,
    commit: CommitId,
    (checks, red_green): (&[CheckRow], Option<usize>),
    description: &str,
) {
    worker.facts.learn(Fact::Landed(id.clone(), worker.target.tip));
    worker.session.sink.emit(&Event::Landed {
        goal: id.clone(),
        description: description.to_owned(),
        commit,
        checks: words(checks, None),
        red_green,
    });
}

/// Words checks for one line: `lint ok  test ok 4  red→green 1`.
pub fn words(checks: &[CheckRow], red_green: Option<usize>) -> String {
    let word = |row: &CheckRow| {
        let tests = row.tests.map(|n| format!(" {n}")).unwrap_or_default();
        format!(
            "{} {}{tests}",
            row.stage.word(),
            if row.exit == 0 { "ok" } else { "failed" }
        )
    };
    let shown = checks.iter().filter(|row| row.stage != Stage::Setup);
    let turned = red_green.map(|count| format!("red→green {count}"));
    shown.map(word).chain(turned).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_told_to_the_millisecond_however_long_it_took() {
        assert!((seconds(Duration::from_micros(1_234_567)) - 1.235).abs() < 1e-9);
        let two_months = Duration::from_secs(60 * 24 * 60 * 60);
        assert!((seconds(two_months) - two_months.as_secs_f64()).abs() < 1e-3);
    }

    #[test]
    fn a_hint_to_paste_holds_an_id_as_one_word() {
        let id: GoalId = "a; rm -r b".parse().unwrap();
        let facts = Facts {
            landed: [id.clone()].into(),
            ..Facts::default()
        };
        assert_eq!(not_open(&facts, &id).hints, ["`git invisigoth show 'a; rm -r b'`"]);
    }
}
