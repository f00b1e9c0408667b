//! `merge` as text: what remains to be said when the goals' own lines are printed.

use crate::{
    commands::merge::Outcome,
    engine::run::GoalResult,
    quote::quoted,
    schedule::State,
    ui::{View, look::Look, text::run},
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let beside = run::beside(look, self.beside.as_deref());
        if self.goals.is_empty() {
            return beside;
        }
        beside + &totals(look, &self.goals)
    }

    fn aside(&self) -> String {
        if let Some(next) = again(&self.goals) {
            return next;
        }
        match (self.held.first(), self.goals.is_empty()) {
            (Some(held), _) => format!(
                "held candidates wait to be named: git invisigoth merge {}",
                quoted(held.as_str())
            ),
            (None, true) => "no candidate waits".to_owned(),
            (None, false) => String::new(),
        }
    }
}

/// Words what became of candidates: `2 landed · 0 failed · 1 evicted`.
pub(crate) fn totals(look: &Look, goals: &[GoalResult]) -> String {
    let number = |state: State| goals.iter().filter(|goal| goal.state == state).count();
    let mut parts = vec![
        format!("{} landed", number(State::Landed)),
        format!("{} failed", number(State::Failed)),
    ];
    let further = [
        (State::Ready, "evicted"),
        (State::Parked, "parked"),
        (State::Held, "held"),
        (State::Candidate, "candidate"),
    ];
    let some = further.into_iter().filter(|(state, _)| number(*state) > 0);
    parts.extend(some.map(|(state, word)| format!("{} {word}", number(state))));
    parts.join(&format!(" {} ", look.dot())) + "\n"
}

/// Says how a goal that was evicted is tried again.
pub(crate) fn again(goals: &[GoalResult]) -> Option<String> {
    let evicted = goals.iter().find(|goal| goal.state == State::Ready)?;
    let id = quoted(evicted.goal.as_str());
    Some(format!(
        "evicted goals are ready for another attempt: git invisigoth run {id}"
    ))
}
