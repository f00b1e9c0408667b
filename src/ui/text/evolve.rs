//! `evolve` as text: what became of each goal, with the numbers that decided.

use crate::{
    commands::evolve::{Dry, Log, Outcome},
    engine::evolve::archive::{Variant, Verdict},
    quote::quoted,
    ui::{
        View,
        colour::Style,
        look::{Look, count},
        text::Lines,
    },
};

impl View for Outcome {
    /// What each goal came to was said when it was known, but for what was taken back; here are the numbers.
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for row in &self.goals {
            if row.verdict == Verdict::RolledBack {
                let about = format!("{}  {}", row.goal, row.description);
                lines.painted(style(row.verdict), row.verdict.word(), about.trim_end());
                lines.indented(&row.reason);
            }
            let numbers = row.variant.as_ref().map(numbers).unwrap_or_default();
            if !numbers.is_empty() {
                lines.painted(Style::Dim, "measured", &format!("{}  {numbers}", row.goal));
            }
        }
        let of = |verdict: Verdict| self.goals.iter().filter(|row| row.verdict == verdict).count();
        let all = Verdict::ALL.into_iter().filter(|verdict| of(*verdict) > 0);
        let totals: Vec<String> = all
            .map(|verdict| format!("{} {}", of(verdict), verdict.word()))
            .collect();
        if !totals.is_empty() {
            lines.raw(&totals.join(&format!(" {} ", look.dot())));
        }
        lines.end()
    }

    fn aside(&self) -> String {
        let held = self.goals.iter().find(|row| row.verdict == Verdict::Held);
        match (held, self.goals.is_empty()) {
            (Some(row), _) => format!(
                "what touches the gate waits for you: git invisigoth diff {0}, then git invisigoth merge {0}",
                quoted(row.goal.as_str())
            ),
            (None, true) if self.cut_short.is_none() => "no goal about the program is ready".to_owned(),
            (None, _) => String::new(),
        }
    }
}

impl View for Dry {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for goal in &self.goals {
            lines.add("would try", goal.as_str());
        }
        let metrics = match self.metrics.as_slice() {
            [] => "none: only a test that turns green lets a goal land".to_owned(),
            metrics => metrics.join(", "),
        };
        lines.add("watches", &metrics);
        lines.add("held out", &count(self.holdout, "check", "checks"));
        lines.add("of base", &self.base.join(", "));
        lines.add("installs", &self.install);
        let next = if self.restarts {
            "the new program"
        } else {
            "this program"
        };
        lines.add("goes on", next);
        lines.end()
    }

    fn aside(&self) -> String {
        if self.goals.is_empty() {
            "no goal about the program is ready".to_owned()
        } else {
            String::new()
        }
    }
}

impl View for Log {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for variant in &self.variants {
            let Variant {
                at,
                goal,
                number,
                commit,
                ..
            } = variant;
            let about = format!("{at}  {goal} #{number}  {}", commit.short());
            lines.painted(style(variant.verdict), variant.verdict.word(), &about);
            if !variant.why.is_empty() {
                lines.indented(&variant.why);
            }
            lines.indented(&numbers(variant));
        }
        lines.end()
    }

    fn aside(&self) -> String {
        if self.variants.is_empty() {
            "nothing was tried yet".to_owned()
        } else {
            String::new()
        }
    }
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Landed => Style::Good,
        Verdict::Held => Style::Warn,
        Verdict::Failed | Verdict::Refused | Verdict::RolledBack => Style::Bad,
    }
}

/// Words the numbers of base and candidate: `size 12 → 10  red→green 1`.
fn numbers(variant: &Variant) -> String {
    let readings = variant.metrics.iter();
    let readings = readings.map(|reading| format!("{} {} → {}", reading.name, reading.base, reading.now));
    let turned = variant.red_green.map(|turned| format!("red→green {turned}"));
    readings.chain(turned).collect::<Vec<_>>().join("  ")
}
