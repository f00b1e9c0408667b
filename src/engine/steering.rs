//! Steering: what the commands by which a person steers the backlog share. They name goals, each must be in a state that
//! fits, and keys of its row are set: of all of them, or of none.
//!
//! Owns no decision: which states fit is the command's.

use eyre::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    backlog::{Backlog, close, error::BacklogError},
    engine::{
        landed,
        recall::{self, Recalled, backlog_fault},
        rewrite::{self, Found},
        run,
        session::Session,
    },
    facts::{Facts, Open, Standing},
    fault::{Fault, Kind},
    git::Repo,
    goal::Decision,
    id::{CommitId, GoalId},
    quote,
    schedule::{self, State},
};

/// An open goal that a command was asked to steer, as it stands.
pub struct Met<'f> {
    /// The goal.
    pub id: &'f GoalId,
    /// What scheduling knows of it.
    pub open: &'f Open,
    /// Its state.
    pub state: State,
    /// Why.
    pub why: String,
    /// The cap that keeps its next call from being made, and the command that raises it.
    pub pause: Option<&'f str>,
    /// The commit by which people took it back after it had landed, if they did.
    pub was_taken_back: Option<CommitId>,
}

/// What a person decided about a goal.
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// Its reason.
    pub reason: Reason,
}

/// What becomes of the reason that a goal's row holds.
pub enum Reason {
    /// It stays.
    Keep,
    /// It spoke of a decision that no longer holds.
    Clear,
    /// This one.
    Set(String),
}

/// What steering made of one goal.
#[derive(Debug, Serialize)]
pub struct Steered {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// Its state before.
    pub before: State,
    /// Its state now.
    pub state: State,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// True where a live run is working at it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub running: bool,
    /// Open goals that need it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needed_by: Vec<GoalId>,
}

impl Met<'_> {
    /// True where the paths that its candidate touches hold it, and no decision of a person.
    pub fn is_held_by_paths(&self) -> bool {
        self.state == State::Held && self.open.decision == Decision::Pending
    }

    /// The fault of a goal whose state does not fit; says which command does.
    pub fn misfit(&self, what: &str) -> Fault {
        let (id, state) = (self.id, self.state);
        let how = match state {
            _ if self.is_held_by_paths() => format!("held: its candidate {}", self.why),
            _ if self.pause.is_some() => "paused at a cap".to_owned(),
            _ => state.word().to_owned(),
        };
        Fault::new(Kind::Error, format!("goal {id} is {how}; {what}")).hint(self.next())
    }

    fn next(&self) -> String {
        let (id, typed) = (quote::quoted(self.id.as_str()), typed([self.id]));
        match self.state {
            _ if self.pause.is_some() => format!("`git invisigoth show {typed}` says which cap to raise"),
            State::Proposed => format!("`git invisigoth approve {typed}`, or `git invisigoth reject {id} --why TEXT`"),
            State::Rejected => format!("`git invisigoth approve {typed}` takes it up after all"),
            State::Held if self.is_held_by_paths() => format!("`git invisigoth merge {typed}` approves and lands it"),
            State::Held => format!("`git invisigoth release {typed}`"),
            State::Candidate => format!("`git invisigoth merge {typed}` lands it"),
            State::Ready => format!("`git invisigoth run {typed}`"),
            State::Failed | State::Parked => format!("`git invisigoth retry {typed}` lets it be tried again"),
            State::Running => "`git invisigoth status` shows what the run does".to_owned(),
            State::Blocked | State::Landed => format!("`git invisigoth show {typed}`"),
        }
    }
}

/// Looks at each of `ids`, each once.
///
/// # Errors
/// A fault for an unknown goal, and for one that has landed.
pub fn meet<'f>(known: &'f Recalled, ids: &'f [GoalId]) -> Result<Vec<Met<'f>>, Fault> {
    let mut met: Vec<Met<'f>> = Vec::with_capacity(ids.len());
    for id in ids {
        if met.iter().all(|other| other.id != id) {
            met.push(meet_one(known, id)?);
        }
    }
    Ok(met)
}

/// Looks at `id`.
///
/// # Errors
/// As `meet`.
pub fn meet_one<'f>(known: &'f Recalled, id: &'f GoalId) -> Result<Met<'f>, Fault> {
    let facts = &known.facts;
    let (Some(open), Some((state, why))) = (facts.goals.get(id), schedule::state(facts, id)) else {
        return Err(not_open(facts, id));
    };
    let attempt = facts.attempts.get(id);
    let mut back = known.landed.reopened.iter();
    Ok(Met {
        id,
        open,
        pause: attempt
            .filter(|attempt| state == State::Blocked && attempt.standing == Standing::Paused)
            .map(|attempt| attempt.reason.as_str()),
        state,
        why,
        was_taken_back: back.find(|back| back.goal == *id).map(|back| back.by),
    })
}

/// The fault of a goal that cannot be steered: it has landed, or nothing has that id.
pub fn not_open(facts: &Facts, id: &GoalId) -> Fault {
    if !facts.landed.contains(id) {
        return run::unknown_goal(facts, id);
    }
    let typed = typed([id]);
    let hint =
        format!("`git invisigoth diff {typed}` shows what it changed, `git invisigoth undo {typed}` takes it back");
    Fault::new(Kind::Error, format!("goal {id} has landed")).hint(hint)
}

/// Puts a decision about each of `ids` into the backlog, all of them or none.
///
/// # Errors
/// Those of `decide`; a fault for a goal that is not open, or when the backlog cannot be read or written.
pub fn decide(
    session: &Session,
    ids: &[GoalId],
    decide: impl Fn(&Met<'_>) -> Result<Decided, Fault>,
) -> Result<Vec<Steered>> {
    let decided = rewrite::change(session, |found| {
        let met = meet(&found.known, ids)?;
        let mut backlog = found.known.backlog.clone();
        let mut facts = found.known.facts.clone();
        for met in &met {
            let decided = decide(met)?;
            backlog = with_row(found, &backlog, met.id)?;
            backlog = written(&backlog, met.id, &decided).map_err(|error| backlog_fault(&error))?;
            if let Some(open) = facts.goals.get_mut(met.id) {
                open.decision = decided.decision;
                open.reason = backlog.get(met.id).and_then(|goal| goal.reason);
            }
        }
        let steered = met.iter().map(|met| steered(&facts, met)).collect();
        Ok((backlog, steered))
    });
    all_or_none(ids, decided)
}

/// Says of a fault that stopped a command on several goals that none of them was changed.
///
/// # Errors
/// That of `result`.
pub fn all_or_none<T>(ids: &[GoalId], result: Result<T>) -> Result<T> {
    if ids.len() < 2 {
        return result;
    }
    result.map_err(|error| match error.downcast::<Fault>() {
        Ok(fault) => fault.hint("nothing was changed, of the other goals neither").into(),
        Err(error) => error,
    })
}

fn written(backlog: &Backlog, id: &GoalId, decided: &Decided) -> Result<Backlog, BacklogError> {
    let backlog = backlog.set(id, "status", &json!(decided.decision))?;
    match &decided.reason {
        Reason::Keep => Ok(backlog),
        Reason::Clear => backlog.set(id, "reason", &Value::Null),
        Reason::Set(text) => backlog.set(id, "reason", &json!(text)),
    }
}

/// Says what became of `met` by `facts`.
pub fn steered(facts: &Facts, met: &Met<'_>) -> Steered {
    let (state, reason) = schedule::state(facts, met.id).unwrap_or((met.state, String::new()));
    Steered {
        goal: met.id.clone(),
        description: met.open.description.clone(),
        before: met.state,
        state,
        reason,
        running: facts.is_in_run(met.id),
        needed_by: needed_by(facts, met.id),
    }
}

/// Writes ids of goals as they are typed after a command.
pub fn typed<'i>(ids: impl IntoIterator<Item = &'i GoalId>) -> String {
    let words: Vec<String> = ids.into_iter().map(|id| quote::quoted(id.as_str())).collect();
    // An id that looks like an option is one, unless `--` goes before.
    let end = if words.iter().any(|word| word.starts_with('-')) {
        "-- "
    } else {
        ""
    };
    format!("{end}{}", words.join(" "))
}

/// Lists the open goals that need `id`.
pub fn needed_by(facts: &Facts, id: &GoalId) -> Vec<GoalId> {
    let needing = facts.goals.iter().filter(|(_, open)| open.needs.contains(id));
    needing.map(|(id, _)| id.clone()).collect()
}

/// Returns `backlog` with a row for `id`, as held, where people took the goal back and it has none.
///
/// # Errors
/// A fault where its row waits beside the branch; when the completed files cannot be read.
pub fn with_row(found: &Found, backlog: &Backlog, id: &GoalId) -> Result<Backlog> {
    with_row_at(&found.repo, &found.known, backlog, id)
}

/// As `with_row`, of facts that were read without the lock.
///
/// # Errors
/// As `with_row`.
pub fn with_row_at(repo: &Repo, known: &Recalled, backlog: &Backlog, id: &GoalId) -> Result<Backlog> {
    if backlog.raw(id).is_some() {
        return Ok(backlog.clone());
    }
    let back = known.landed.reopened.iter().find(|back| back.goal == *id);
    let (Some(back), Some(tip)) = (back, known.facts.tip) else {
        let message = format!("goal {id} came back by results that your checkout does not have yet");
        let hint = "`git invisigoth status` says why they wait; once it followed, type this again";
        return Err(Fault::new(Kind::Person, message).hint(hint).into());
    };
    let completed = recall::landed_row(repo, tip, id)?;
    let held = close::with_held(backlog, id, completed.as_deref(), &landed::reverted(back.by));
    Ok(held.map_err(|error| backlog_fault(&error))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_to_paste_holds_an_id_as_one_word() {
        let (id, open) = ("a $(b)".parse().unwrap(), Open::default());
        for state in State::ALL.into_iter().filter(|state| *state != State::Running) {
            let met = Met {
                id: &id,
                open: &open,
                state,
                why: String::new(),
                pause: None,
                was_taken_back: None,
            };
            let hints = met.misfit("no").hints;
            assert!(
                hints.iter().all(|hint| hint.contains(" 'a $(b)'")),
                "{state}: {hints:?}"
            );
        }
        let facts = Facts {
            landed: [id.clone()].into(),
            ..Facts::default()
        };
        assert!(
            not_open(&facts, &id)
                .hints
                .iter()
                .all(|hint| hint.contains("undo 'a $(b)'"))
        );
        assert_eq!(typed([&"-x".parse().unwrap()]), "-- -x");
    }
}
