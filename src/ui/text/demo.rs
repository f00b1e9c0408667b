//! `demo` as text: what the scratch repository says about the run, and how to look at it.

use crate::{
    check::CheckRow,
    commands::demo::Outcome,
    engine::run::words,
    money::dollars,
    quote::quoted,
    ui::{
        View,
        colour::Style,
        look::{Look, count, seconds},
        text::Lines,
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let replies: u64 = self
            .landed
            .iter()
            .filter_map(|row| row.record.as_ref())
            .map(|r| u64::from(r.attempts))
            .sum();
        let dot = look.dot();
        let totals = [
            format!("{} landed", self.landed.len()),
            format!("{} failed", self.failed.len()),
            format!("{} (scripted)", dollars(self.cost_usd)),
            seconds(self.seconds),
        ];
        lines.raw(&look.paint.paint(Style::Bold, &totals.join(&format!(" {dot} "))));
        lines.raw("");
        let landed = count(self.landed.len(), "goal", "goals");
        let calls = count(replies, "reply", "replies");
        let proposals = self.planned.goals.len() + self.planned.refused.len();
        lines.add(
            "planned",
            &format!("{} goals of {proposals} proposals", self.planned.goals.len()),
        );
        for refused in &self.planned.refused {
            lines.add("refused", &format!("{}: {}", refused.title, refused.why));
        }
        lines.add(
            "records",
            &format!("{landed} landed with {calls}; each is a note on its commit"),
        );
        for row in &self.failed {
            lines.add(
                "failed",
                &format!("{}: {}; nothing of it is in {}", row.goal, row.reason, self.target),
            );
        }
        let (style, word) = if self.head.passed {
            (Style::Good, "green")
        } else {
            (Style::Bad, "red")
        };
        let checks: Vec<CheckRow> = self.head.checks.iter().map(|row| row.check.clone()).collect();
        lines.painted(
            style,
            word,
            &format!(
                "{} at {}: {}",
                self.target,
                self.head.commit.short(),
                words(&checks, None)
            ),
        );
        lines.add("where", &self.folder);
        lines.add("look", &self.look);
        lines.add("look", &format!("git -C {} invisigoth status", quoted(&self.folder)));
        lines.add("remove", &format!("rm -rf {}", quoted(&self.remove)));
        lines.painted(Style::Dim, "next", "in a repository of yours: git invisigoth init");
        lines.end()
    }
}
