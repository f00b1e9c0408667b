//! `stop` as text: what ends by itself now.

use crate::{
    commands::stop::Outcome,
    engine::live::Doing,
    ui::{View, colour::Style, look::Look, text::Lines},
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for doing in &self.runs {
            lines.painted(Style::Warn, "stopping", &ending(doing));
        }
        lines.painted(Style::Dim, "next", "git invisigoth status");
        lines.end()
    }
}

fn ending(doing: &Doing) -> String {
    let pid = doing.pid;
    match doing.goals.as_slice() {
        [] => format!("process {pid}"),
        [hand] => format!("process {pid} ends what it does at {}", hand.goal),
        hands => format!("process {pid} ends what it does at {} goals", hands.len()),
    }
}
