//! A step: from a candidate that passed the gate to the new program at work, or all of it taken back.
//!
//! What is under way stands in a file, so that the next `evolve` finishes what a kill cut short, or rolls it back. Order of
//! effects: the new program beside the installed one, the variant's ref, the file, the landing, the swap, the first start,
//! the note; taking back: the file says why, the old program, the undo, the note.

use std::path::PathBuf;

use eyre::{Result, WrapErr as _};
use serde::{Deserialize, Serialize};

use crate::{
    door::fs::{self, installed},
    engine::{
        evolve::{
            archive::{self, Variant, Verdict},
            building,
            setup::Setup,
        },
        session::Session,
        undo,
        worker::Worker,
    },
    git::Repo,
    id::GoalId,
};

/// What stands in the file.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// What is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Whether only goals with the label are done, as it was when it began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub labelled: bool,
    /// What was done before the new program went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Row>,
}

/// A candidate on its way to be the installed program.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// What the archive will say of it.
    pub variant: Variant,
    /// The goal's first line.
    pub description: String,
    /// The installed program.
    pub install: PathBuf,
    /// What told the old program from others.
    pub old: String,
    /// What tells the new one.
    pub new: String,
    /// Why it is taken back, where it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub failed: String,
}

/// What became of one goal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why, where it did not land or did not stay.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The variant, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
}

impl Step {
    /// Returns what became of it.
    fn row(&self) -> Row {
        Row {
            goal: self.variant.goal.clone(),
            description: self.description.clone(),
            verdict: self.variant.verdict,
            reason: self.variant.why.clone(),
            variant: Some(self.variant.clone()),
        }
    }
}

fn file(session: &Session, repo: &Repo) -> PathBuf {
    session.own_dir(repo).join("evolve.json")
}

/// Reads the file. One that cannot be read is said, and counts as none: what it was about can be seen.
///
/// # Errors
/// When it is there but cannot be read at all.
pub fn read(session: &Session, repo: &Repo) -> Result<State> {
    let path = file(session, repo);
    let Some(bytes) = fs::read(&path).wrap_err_with(|| format!("reading {}", path.display()))? else {
        return Ok(State::default());
    };
    Ok(serde_json::from_slice(&bytes).unwrap_or_else(|error| {
        session.say(format!("{} is passed over: {error}", path.display()));
        State::default()
    }))
}

/// Writes the file, or takes it away where there is nothing to say.
///
/// # Errors
/// When it cannot be written.
pub fn write(session: &Session, repo: &Repo, state: &State) -> Result<()> {
    let path = file(session, repo);
    let written = if *state == State::default() {
        fs::remove_if_there(&path)
    } else {
        fs::write_atomic(&path, &serde_json::to_vec_pretty(state)?)
    };
    written.wrap_err_with(|| format!("writing {}", path.display()))
}

/// Finishes what a kill cut short: what had landed is installed or taken back, what had not is as it was. Returns what became
/// of it, where it had landed.
///
/// # Errors
/// As `finish`.
pub fn take_up(session: &Session, setup: &Setup, state: &mut State) -> Result<Option<Row>> {
    let Some(step) = state.step.clone() else {
        return Ok(None);
    };
    let landed = {
        let mut worker = Worker::open(session)?;
        worker.begin()?;
        worker.follow()?;
        worker.facts.landed.contains(&step.variant.goal)
    };
    if landed || !step.failed.is_empty() {
        session.say(format!("going on where it was cut short: {}", step.variant.goal));
        return finish(session, setup, state).map(Some);
    }
    fs::remove_if_there(&installed::new_of(&step.install)).wrap_err("taking a program away that is not wanted")?;
    state.step = None;
    write(session, &session.repo(), state)?;
    Ok(None)
}

/// Installs the program of what landed and starts it; takes both back where that fails.
///
/// # Errors
/// A fault where the installed program cannot be written, and where the landing cannot be undone; the next `evolve` goes on.
pub fn finish(session: &Session, setup: &Setup, state: &mut State) -> Result<Row> {
    let repo = session.repo();
    let Some(step) = state.step.as_mut() else {
        return Err(eyre::eyre!("no step is under way"));
    };
    if step.failed.is_empty() {
        match install(session, &repo, setup, step)? {
            Ok(()) => {
                step.variant.verdict = Verdict::Landed;
                return end(session, &repo, state);
            }
            Err(why) => {
                step.failed = why;
                write(session, &repo, state)?;
            }
        }
    }
    take_back(session, &repo, state)
}

/// Swaps the program in and starts it. Says why that cannot be.
fn install(session: &Session, repo: &Repo, setup: &Setup, step: &Step) -> Result<Result<(), String>> {
    let path = &step.install;
    let now = building::mark(path)?;
    if now.as_deref() != Some(&step.new) {
        if now.is_some() && now.as_deref() != Some(&step.old) {
            session.say(format!(
                "{} is neither the old nor the new program; it stays",
                path.display()
            ));
            return Ok(Ok(()));
        }
        if building::mark(&installed::new_of(path))?.as_deref() != Some(&step.new) {
            return Ok(Err("the new program is gone".to_owned()));
        }
        installed::swap(path).map_err(|error| building::unwritten(path, &error))?;
        session.say(format!("{} is the new program now", path.display()));
    }
    building::first_start(session, repo, setup, path)
}

/// Gives the old program its place back, and undoes the landing.
fn take_back(session: &Session, repo: &Repo, state: &mut State) -> Result<Row> {
    let Some(step) = state.step.as_mut() else {
        return Err(eyre::eyre!("no step is under way"));
    };
    let path = &step.install;
    if building::mark(path)?.as_deref() == Some(&step.new) {
        let kept = building::mark(&installed::old_of(path))?;
        if kept.as_deref() == Some(&step.old) {
            installed::restore(path).map_err(|error| building::unwritten(path, &error))?;
            session.say(format!("{} is the old program again", path.display()));
        } else {
            let old = installed::old_of(path);
            session.say(format!(
                "the old program is not at {} any more; the new one stays",
                old.display()
            ));
        }
    }
    undo(session, &step.variant.goal, &step.failed)?;
    step.variant.verdict = Verdict::RolledBack;
    step.variant.why.clone_from(&step.failed);
    end(session, repo, state)
}

/// Notes what became of the step, which is over then and not before: one that could not be noted is what the next `evolve`
/// goes on with.
fn end(session: &Session, repo: &Repo, state: &mut State) -> Result<Row> {
    let Some(mut step) = state.step.clone() else {
        return Err(eyre::eyre!("no step is under way"));
    };
    step.variant.at = session.clock.now().rfc3339();
    archive::note(session, repo, &step.variant)?;
    fs::remove_if_there(&installed::new_of(&step.install)).wrap_err("taking a program away that is not wanted")?;
    state.step = None;
    write(session, repo, state)?;
    Ok(step.row())
}

fn undo(session: &Session, goal: &GoalId, why: &str) -> Result<()> {
    let mut worker = Worker::open(session)?;
    worker.begin()?;
    if worker.owes()? {
        worker.know_base()?;
        worker.land_again()?;
    }
    // Taken back already, before a kill.
    if !worker.facts.landed.contains(goal) {
        return Ok(());
    }
    let order = undo::Order {
        ids: vec![goal.clone()],
        cascade: false,
        why: Some(why.to_owned()),
    };
    undo::undo(&mut worker, &order)?;
    worker.follow()?;
    Ok(())
}
