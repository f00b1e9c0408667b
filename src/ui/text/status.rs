//! `status` as text: one screen of 80 columns, first what needs a person. Every line starts with a word to grep for.

use crate::{
    commands::status::{Outcome, Row},
    money::caps::Scope,
    schedule::State,
    ui::{
        View,
        colour::Style,
        look::{Look, columns, one_line},
        text::{Lines, budget},
    },
};

/// States in the order in which they are shown, and how many goals of each.
const SHOWN: [(State, usize); 7] = [
    (State::Held, 15),
    (State::Failed, 15),
    (State::Proposed, 5),
    (State::Running, 15),
    (State::Candidate, 15),
    (State::Ready, 10),
    (State::Blocked, 10),
];

/// Most commands that raise a cap.
const RAISES: usize = 5;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let shown = |state: State, most: usize| self.goals.iter().filter(move |row| row.state == state).take(most);
        let ids = SHOWN.iter().flat_map(|(state, most)| shown(*state, *most));
        let id = ids.map(|row| columns(row.goal.as_str())).max().unwrap_or(0).min(24);
        for (state, most) in SHOWN {
            for row in shown(state, most) {
                lines.raw(&line(look, row, id));
            }
            let number = self.goals.iter().filter(|row| row.state == state).count();
            if let Some(more) = number.checked_sub(most).filter(|more| *more > 0) {
                let command = format!(
                    "{} and {more} more: git invisigoth list --state {state}",
                    look.ellipsis()
                );
                lines.painted(Style::of(state), state.word(), &command);
            }
        }
        for command in self.raises() {
            lines.add("raise", command);
        }
        lines.add("goals", &self.totals(look));
        // Where results wait, the branch itself is not there yet.
        let at = if self.beside.is_some() {
            ", its results at"
        } else {
            " at"
        };
        lines.add("target", &format!("{}{at} {}", self.target, self.tip.short()));
        if let Some(why) = &self.beside {
            lines.painted(
                Style::Warn,
                "waiting",
                &format!("results are beside {}: {why}", self.target),
            );
        }
        for row in &self.budget {
            let spent = budget::spent(look, &row.spent, &row.caps);
            let when = match row.scope {
                Scope::Run => "in the newest run",
                Scope::Day | Scope::Goal => "today (UTC)",
            };
            lines.add("budget", &format!("{spent} {when}"));
        }
        lines.painted(Style::Dim, "next", &self.next());
        lines.end()
    }
}

impl Outcome {
    fn number(&self, state: State) -> usize {
        self.counts.get(state.word()).copied().unwrap_or(0)
    }

    fn totals(&self, look: &Look) -> String {
        let parts = State::ALL.iter().filter(|state| self.number(**state) > 0);
        let parts: Vec<String> = parts.map(|state| format!("{} {state}", self.number(*state))).collect();
        if parts.is_empty() {
            "none yet".to_owned()
        } else {
            parts.join(&format!(" {} ", look.dot()))
        }
    }

    /// Lists what makes goals go on that pause: a command that is cut is of no use to anybody.
    fn raises(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for (_, command) in self.goals.iter().filter_map(paused) {
            if !all.contains(&command) && all.len() < RAISES {
                all.push(command);
            }
        }
        all
    }

    fn next(&self) -> String {
        let first = |state: State| self.goals.iter().find(|row| row.state == state);
        let known: usize = self.counts.values().sum();
        if let Some(row) = first(State::Held) {
            format!("git invisigoth show {}", row.goal)
        } else if let Some(row) = first(State::Failed) {
            format!("git invisigoth show {}", row.goal)
        } else if first(State::Ready).is_some() {
            "git invisigoth run".to_owned()
        } else if self.goals.iter().any(|row| paused(row).is_some()) {
            "git invisigoth budget".to_owned()
        } else if first(State::Candidate).is_some() {
            "git invisigoth merge".to_owned()
        } else if known == 0 {
            "git invisigoth add \"what to do\"".to_owned()
        } else {
            "git invisigoth log".to_owned()
        }
    }
}

/// Splits why a goal pauses into the cap and the command that raises it.
fn paused(row: &Row) -> Option<(&str, &str)> {
    let is_paused = row.state == State::Blocked && row.reason.starts_with("paused");
    row.reason.split_once("; ").filter(|_| is_paused)
}

/// The description gives way to the reason, which is what the line is for.
fn line(look: &Look, row: &Row, id: usize) -> String {
    let room = look.width.min(100).saturating_sub(11 + id + 2).max(30);
    let reason = one_line(paused(row).map_or(row.reason.as_str(), |(why, _)| why));
    let head = format!("{}{}  ", look.state(row.state, 11), look.cell(row.goal.as_str(), id));
    if reason.is_empty() {
        return head + &look.cut(&row.description, room);
    }
    let description = room
        .saturating_sub(columns(&reason) + 2)
        .clamp(16, 40)
        .min(columns(&one_line(&row.description)).max(16));
    format!(
        "{head}{}  {}",
        look.cell(&row.description, description),
        look.cut(&reason, room.saturating_sub(description + 2))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::colour::Paint;

    fn row(state: State, id: &str, reason: &str) -> Row {
        Row {
            goal: id.parse().unwrap(),
            state,
            reason: reason.into(),
            description: "What it is about".into(),
        }
    }

    #[test]
    fn one_screen_says_first_what_needs_a_person() {
        let look = Look {
            paint: Paint { on: false },
            width: 80,
            unicode: true,
        };
        let mut goals: Vec<Row> = (0..12).map(|n| row(State::Ready, &format!("r{n:02}"), "")).collect();
        goals.push(row(State::Failed, "bad", "3 rounds, test: 2 new failures"));
        goals.push(row(State::Blocked, "later", &format!("needs {}", "x".repeat(80))));
        let pause = "paused: 2 of 2 model calls made; git invisigoth budget raise --goals --calls 4";
        goals.extend(["p1", "p2"].map(|id| row(State::Blocked, id, pause)));
        let counts = [("failed", 1), ("ready", 12), ("blocked", 3)].into();
        let tip = "1".repeat(40).parse().unwrap();
        let text = Outcome {
            target: "main".into(),
            tip,
            counts,
            goals,
            beside: None,
            budget: Vec::new(),
        }
        .text(&look);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "failed     bad    What it is about  3 rounds, test: 2 new failures"
        );
        assert_eq!(lines[1], "ready      r00    What it is about");
        assert_eq!(lines[11], "ready      … and 2 more: git invisigoth list --state ready");
        assert_eq!(
            lines[13],
            "blocked    p1     What it is about  paused: 2 of 2 model calls made"
        );
        assert_eq!(lines[15], "raise      git invisigoth budget raise --goals --calls 4");
        assert_eq!(lines[16], "goals      12 ready · 3 blocked · 1 failed");
        assert_eq!(lines[18], "next       git invisigoth show bad");
        assert!(lines.iter().all(|line| columns(line) <= 80), "{text}");
    }
}
