//! `merge` as text: what remains to be said when the goals' own lines are printed.

use crate::{
    commands::merge::Outcome,
    detect::quoted,
    engine::run::GoalResult,
    schedule::State,
    ui::{View, look::Look, text::run},
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let number = |state: State| self.goals.iter().filter(|goal| goal.state == state).count();
        let beside = self
            .beside
            .as_ref()
            .map(|why| run::beside(look, why))
            .unwrap_or_default();
        if self.goals.is_empty() {
            return beside;
        }
        let (landed, failed) = (number(State::Landed), number(State::Failed));
        let further = [(State::Ready, "evicted"), (State::Parked, "parked")].map(|(state, word)| match number(state) {
            0 => String::new(),
            number => format!(" {} {number} {word}", look.dot()),
        });
        format!(
            "{beside}{landed} landed {} {failed} failed{}\n",
            look.dot(),
            further.concat()
        )
    }

    fn aside(&self) -> String {
        let is_evicted = |goal: &&GoalResult| goal.state == State::Ready;
        if let Some(evicted) = self.goals.iter().find(is_evicted) {
            let id = quoted(evicted.goal.as_str());
            return format!("evicted goals are ready for another attempt: git invisigoth run {id}");
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
