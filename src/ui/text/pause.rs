//! `pause` and `resume` as text: what happens now, and what to type later.

use crate::{
    commands::{pause, resume},
    engine::live::{Doing, Phase},
    ui::{View, colour::Style, look::Look, text::Lines},
};

impl View for pause::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let since = self.paused.since.as_deref().filter(|_| self.already);
        let since = since
            .map(|since| format!("since {since} already; "))
            .unwrap_or_default();
        let what = match &self.run {
            Some(doing) => finishing(doing),
            None => "no run is at work, and none begins".to_owned(),
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
    match (&doing.goal, doing.phase) {
        (_, Some(Phase::Waiting)) => format!("the run (process {pid}) waits"),
        (Some(goal), Some(phase)) => format!("the run (process {pid}) ends {} {goal}, then waits", phase.word()),
        (Some(goal), None) => format!("the run (process {pid}) is at {goal}, then waits"),
        (None, _) => format!("the run (process {pid}) begins no goal"),
    }
}

impl View for resume::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        match (&self.was, &self.run) {
            (None, _) => lines.add("resumed", "nothing was paused"),
            (Some(_), Some(doing)) => lines.add("resumed", &format!("the run (process {}) goes on", doing.pid)),
            (Some(_), None) => {
                lines.add("resumed", "no run is at work");
                lines.painted(Style::Dim, "next", "git invisigoth run");
            }
        }
        lines.end()
    }
}
