//! `pause` and `resume` as text: what happens now, and what to type later.

use crate::{
    commands::{pause, resume},
    engine::live::Doing,
    ui::{View, colour::Style, look::Look, text::Lines},
};

impl View for pause::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let since = self.paused.since.as_deref().filter(|_| self.already);
        let since = since
            .map(|since| format!("since {since} already; "))
            .unwrap_or_default();
        let what = match self.runs.as_slice() {
            [] => "no run is at work, and none begins".to_owned(),
            runs => runs.iter().map(finishing).collect::<Vec<_>>().join("; "),
        };
        lines.painted(Style::Warn, "paused", &format!("{since}{what}"));
        if let Some(why) = &self.paused.why {
            lines.add("why", why);
        }
        lines.painted(Style::Dim, "next", "git invisigoth resume");
        lines.end()
    }
}

fn finishing(doing: &Doing) -> String {
    let pid = doing.pid;
    match (doing.goals.as_slice(), doing.phase) {
        _ if doing.is_waiting() => format!("the run (process {pid}) waits"),
        ([hand], _) => match hand.phase {
            Some(phase) => format!(
                "the run (process {pid}) ends {} {}, then waits",
                phase.word(),
                hand.goal
            ),
            None => format!("the run (process {pid}) is at {}, then waits", hand.goal),
        },
        ([], _) => format!("the run (process {pid}) begins no goal"),
        (hands, _) => format!(
            "the run (process {pid}) ends the step of {} goals, then waits",
            hands.len()
        ),
    }
}

impl View for resume::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        match (&self.was, self.runs.as_slice()) {
            (None, _) => lines.add("resumed", "nothing was paused"),
            (Some(_), [doing]) => lines.add("resumed", &format!("the run (process {}) goes on", doing.pid)),
            (Some(_), [_, _, ..]) => lines.add("resumed", &format!("{} runs go on", self.runs.len())),
            (Some(_), []) => {
                lines.add("resumed", "no run is at work");
                lines.painted(Style::Dim, "next", "git invisigoth run");
            }
        }
        lines.end()
    }
}
