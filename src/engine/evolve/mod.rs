//! Self-improvement: goals about the program itself land only through a gate that they cannot weaken, and the new program
//! takes the old one's place.
//!
//! Picks the goals, has a run make their candidates, and leads each through the gate (`trial`) and into its place (`step`).
//! One process of a clone at a time. What lands, and how, is `land`'s business; what is better, `ratchet`'s.

pub mod archive;
pub mod building;
pub mod measuring;
pub mod picking;
pub mod setup;
pub mod step;
pub mod trial;

use std::path::PathBuf;

use eyre::Result;

use crate::{
    door::{
        env,
        fs::{self, Lock},
    },
    engine::{
        evolve::{
            archive::Verdict,
            setup::Setup,
            step::{Row, State},
        },
        queue,
        run::{self, GoalResult},
        session::Session,
        target::Target,
    },
    fault::{Fault, Kind},
    git::Repo,
    id::GoalId,
    schedule,
    time::Stopping,
};

/// What to do.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Only these; where empty those with the label, and where no open goal has it, all.
    pub goals: Vec<GoalId>,
    /// At most so many.
    pub max: Option<usize>,
    /// True for the new program that goes on after the old one.
    pub goes_on: bool,
}

/// What it came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Each goal, in order.
    pub rows: Vec<Row>,
    /// The program that is to go on, where one is.
    pub next: Option<PathBuf>,
    /// Why it ended before its time, if it did.
    pub cut_short: Option<Fault>,
}

/// Keeps other processes of the clone out, as long as it lives.
struct Alone(#[expect(dead_code, reason = "it is held, not used")] Lock);

impl Alone {
    fn take(session: &Session, repo: &Repo) -> Result<Self> {
        let folder = session.own_dir(repo);
        fs::create_dir_all(&folder)?;
        let file = folder.join("evolve.lock");
        match Lock::try_lock(&file, &format!("{}\n", env::process_id()))? {
            Some(lock) => Ok(Self(lock)),
            None => {
                let holder = Lock::read_holder(&file).unwrap_or_default();
                let what = format!("another `evolve` is at work in this clone (process {})", holder.trim());
                Err(Fault::new(Kind::Busy, what)
                    .hint("`git invisigoth status` shows what it does")
                    .into())
            }
        }
    }
}

/// Evolves.
///
/// # Errors
/// A fault when it cannot begin. What goes wrong later is in the summary.
pub fn evolve(session: &Session, order: &Order) -> Result<Summary> {
    let repo = session.repo();
    let _alone = Alone::take(session, &repo)?;
    let setup = setup(session, &repo)?;
    let mut state = step::read(session, &repo)?;
    if !order.goes_on {
        state.rows.clear();
        state.labelled = picking::has_labelled(session)?;
    }
    let rows = std::mem::take(&mut state.rows);
    let mut summary = Summary {
        rows,
        ..Summary::default()
    };
    summary.rows.extend(step::take_up(session, &setup, &mut state)?);
    let worked = work(session, &setup, order, (&mut state, &mut summary));
    if summary.next.is_none() && state.step.is_none() {
        step::write(session, &repo, &State::default())?;
    }
    if let Err(error) = worked {
        if summary.rows.is_empty() {
            return Err(error);
        }
        let said = format!("{error:#}");
        let fault = error.downcast::<Fault>();
        summary.cut_short = Some(fault.unwrap_or_else(|_| Fault::new(Kind::Error, said)));
    }
    Ok(summary)
}

fn work(session: &Session, setup: &Setup, order: &Order, (state, summary): (&mut State, &mut Summary)) -> Result<()> {
    loop {
        let tried: Vec<GoalId> = summary.rows.iter().map(|row| row.goal.clone()).collect();
        if order.max.is_some_and(|max| tried.len() >= max) || session.stop.stopping() != Stopping::No {
            return Ok(());
        }
        let Some(id) = picking::next(session, order, state.labelled)?
            .into_iter()
            .find(|id| !tried.contains(id))
        else {
            return Ok(());
        };
        let row = one(session, setup, &id, state)?;
        let is_new = row.verdict == Verdict::Landed && setup.restarts;
        summary.rows.push(row);
        if is_new && goes_on(session, order, (state, summary))? {
            state.rows.clone_from(&summary.rows);
            step::write(session, &session.repo(), state)?;
            summary.next = Some(setup.install.clone());
            return Ok(());
        }
    }
}

fn goes_on(session: &Session, order: &Order, (state, summary): (&State, &Summary)) -> Result<bool> {
    let is_tried = |id: &GoalId| summary.rows.iter().any(|row| row.goal == *id);
    let has_room = order.max.is_none_or(|max| summary.rows.len() < max);
    Ok(has_room && !picking::next(session, order, state.labelled)?.iter().all(is_tried))
}

/// Reads what `[evolve]` asks for.
///
/// # Errors
/// As `Setup::of`; and says what a tracked file says of it in vain.
pub fn setup(session: &Session, repo: &Repo) -> Result<Setup> {
    let target = Target::read(session, repo)?;
    let resolved = session.settings_at(repo, Some(target.tip))?;
    for warning in resolved.warnings.iter().filter(|warning| warning.contains("`evolve.")) {
        session.say(warning);
    }
    Setup::of(session, &resolved.settings)
}

/// Has a candidate made of `id` where there is none, and leads it on.
fn one(session: &Session, setup: &Setup, id: &GoalId, state: &mut State) -> Result<Row> {
    if !has_candidate(session, id)?
        && let Some(row) = attempt(session, id)?
    {
        return Ok(row);
    }
    match trial::stand(session, setup, id, state)? {
        Some(row) => Ok(row),
        None => step::finish(session, setup, state),
    }
}

fn has_candidate(session: &Session, id: &GoalId) -> Result<bool> {
    let (facts, _) = picking::known(session)?;
    Ok(queue::eligible(&facts, std::slice::from_ref(id), &[]).next().is_some())
}

/// Runs an attempt; `None` where its candidate waits to be judged.
fn attempt(session: &Session, id: &GoalId) -> Result<Option<Row>> {
    let order = run::Order {
        only: vec![id.clone()],
        max: Some(1),
        no_merge: true,
        ..run::Order::default()
    };
    let summary = run::run(session, &order)?;
    if let Some(fault) = summary.cut_short {
        return Err(fault.into());
    }
    let result = summary.goals.into_iter().find(|result| result.goal == *id);
    let row = |verdict,
               GoalResult {
                   description, reason, ..
               }| Row {
        goal: id.clone(),
        description,
        verdict,
        reason,
        variant: None,
    };
    match result {
        Some(result) if result.state == schedule::State::Candidate => Ok(None),
        Some(result) if result.state == schedule::State::Held => Ok(Some(row(Verdict::Held, result))),
        Some(result) => Ok(Some(row(Verdict::Failed, result))),
        None => {
            let why = summary.waiting.into_iter().find(|(waits, _)| waits == id);
            Ok(Some(Row {
                goal: id.clone(),
                description: String::new(),
                verdict: Verdict::Failed,
                reason: why.map_or_else(|| "it cannot start now".to_owned(), |(_, why)| why),
                variant: None,
            }))
        }
    }
}
