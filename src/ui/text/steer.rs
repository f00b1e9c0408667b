//! Outcomes of the commands that steer the backlog, as text: a line for each goal with what was done, its id, what it is and its
//! state now.

use crate::{
    commands::{approve, comment, drop, edit, hold, reject, release, retry},
    engine::steering::Steered,
    id::GoalId,
    letters::columns,
    quote::quoted,
    schedule::State,
    ui::{
        View,
        colour::Style,
        look::Look,
        text::{LABEL, Lines},
    },
};

/// Least columns of a description.
const DESCRIPTION: usize = 16;

/// A line for each goal: `approved   a  Make a  (ready)`.
fn lines(look: &Look, word: &str, goals: &[Steered]) -> String {
    listed(look, word, goals, now)
}

/// As `lines`, of commands that decide nothing about a state: `comment    a  Make a  (failed)`.
fn line(look: &Look, word: &str, goal: &Steered) -> String {
    listed(look, word, std::slice::from_ref(goal), |goal| {
        format!("({})", goal.state)
    })
}

fn listed(look: &Look, word: &str, goals: &[Steered], now: impl Fn(&Steered) -> String) -> String {
    let mut lines = Lines::new(look);
    let mut line = |goal: &Steered, about: &str| {
        let fixed = LABEL + columns(goal.goal.as_str()) + 2 + 2 + columns(about);
        let room = look.width.saturating_sub(fixed).max(DESCRIPTION);
        let description = look.cut(&goal.description, room);
        lines.painted(
            Style::of(goal.state),
            word,
            &format!("{}  {description}  {about}", goal.goal),
        );
    };
    for goal in goals {
        line(goal, &now(goal));
    }
    lines.end()
}

/// Words what a goal is now: `(ready)`, `(blocked: needs b (ready))`.
fn now(goal: &Steered) -> String {
    match goal.reason.as_str() {
        "" => format!("({})", goal.state),
        why => format!("({}: {why})", goal.state),
    }
}

fn joined(ids: &[GoalId]) -> String {
    let all: Vec<&str> = ids.iter().map(GoalId::as_str).collect();
    all.join(", ")
}

/// Says what a decision that keeps goals from being done means for a live run and for goals that need them.
fn consequences(goals: &[Steered]) -> String {
    let mut said = Vec::new();
    for goal in goals {
        let id = &goal.goal;
        if goal.running {
            said.push(format!(
                "a run is at work at {id}; it looks again before it lands anything"
            ));
        }
        if !goal.needed_by.is_empty() {
            said.push(format!("{} cannot start without {id}", joined(&goal.needed_by)));
        }
    }
    said.join("\n")
}

impl View for approve::Outcome {
    fn text(&self, look: &Look) -> String {
        lines(look, "approved", &self.goals)
    }

    fn aside(&self) -> String {
        let held = self.goals.iter().filter(|goal| goal.state == State::Held);
        let said = held.map(|goal| {
            let id = quoted(goal.goal.as_str());
            format!("`git invisigoth merge {id}` approves its candidate and lands it")
        });
        said.collect::<Vec<_>>().join("\n")
    }
}

impl View for release::Outcome {
    fn text(&self, look: &Look) -> String {
        lines(look, "released", &self.goals)
    }
}

impl View for reject::Outcome {
    fn text(&self, look: &Look) -> String {
        lines(look, "rejected", &self.goals)
    }

    fn aside(&self) -> String {
        consequences(&self.goals)
    }
}

impl View for hold::Outcome {
    fn text(&self, look: &Look) -> String {
        lines(look, "held", &self.goals)
    }

    fn aside(&self) -> String {
        consequences(&self.goals)
    }
}

impl View for retry::Outcome {
    fn text(&self, look: &Look) -> String {
        lines(look, "retry", &self.goals)
    }

    fn aside(&self) -> String {
        match (&self.running, self.goals.is_empty()) {
            (_, true) => "no goal has failed or is parked".to_owned(),
            (Some(running), _) => {
                format!("the run that is at work at {running} tries none of them again; the next one does")
            }
            (None, _) => String::new(),
        }
    }
}

impl View for comment::Outcome {
    fn text(&self, look: &Look) -> String {
        line(look, "comment", &self.goal)
    }

    fn aside(&self) -> String {
        let id = quoted(self.goal.goal.as_str());
        match self.goal.state {
            State::Running => "the attempt under way does not see it; the next one does".to_owned(),
            state @ (State::Failed | State::Parked) => {
                format!("it stays {state}: `git invisigoth retry {id}` lets it be tried again")
            }
            State::Candidate => "its candidate was made without it".to_owned(),
            _ => String::new(),
        }
    }
}

impl View for edit::Outcome {
    fn text(&self, look: &Look) -> String {
        if self.changed.is_empty() {
            return String::new();
        }
        line(look, "edited", &self.goal)
    }

    fn aside(&self) -> String {
        match self.changed.as_slice() {
            [] => "nothing was changed".to_owned(),
            _ if self.goal.running => "a run is at work at it; it looks again before it lands anything".to_owned(),
            _ => String::new(),
        }
    }
}

impl View for drop::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for row in &self.goals {
            let candidate = row.candidate.map(|id| format!("  (its candidate was {})", id.short()));
            let candidate = candidate.unwrap_or_default();
            let fixed = LABEL + columns(row.goal.as_str()) + 2 + columns(&candidate);
            let description = look.cut(&row.description, look.width.saturating_sub(fixed).max(DESCRIPTION));
            lines.add("dropped", &format!("{}  {description}{candidate}", row.goal));
        }
        lines.end()
    }

    fn aside(&self) -> String {
        let mut said = Vec::new();
        for row in &self.goals {
            if row.running {
                said.push(format!(
                    "a run is at work at {}; it looks again before it lands anything",
                    row.goal
                ));
            }
            said.extend(row.stays.as_ref().map(|why| format!("branch {why}, so it stays")));
        }
        said.join("\n")
    }
}
