//! `import` as text: what came, then what did not, the most important first.

use crate::{
    commands::import::Outcome,
    goal::Decision,
    id::GoalId,
    ui::{View, look::Look, text::Lines},
};

/// How many goals, and how many notes, are shown; `--json` has all.
const SHOWN: usize = 12;

fn goals(count: usize) -> String {
    if count == 1 {
        "1 goal".to_owned()
    } else {
        format!("{count} goals")
    }
}

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let word = if self.dry_run { "would come" } else { "imported" };
        let proposed = self
            .added
            .iter()
            .filter(|came| came.status == Decision::Proposed)
            .count();
        let held = self.added.iter().filter(|came| came.status == Decision::Held).count();
        let how: Vec<String> = [(proposed, "proposed"), (held, "held")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let how = if how.is_empty() {
            String::new()
        } else {
            format!(" ({})", how.join(", "))
        };
        let count = goals(self.added.len());
        lines.add(word, &format!("{count} from {}{how}", self.format));
        for came in self.added.iter().take(SHOWN) {
            lines.add("", &format!("{}  {}", came.goal, came.description));
        }
        more(&mut lines, self.added.len());
        for (word, ids) in [("updated", &self.updated), ("taken out", &self.removed)] {
            if !ids.is_empty() {
                let shown: Vec<&str> = ids.iter().take(SHOWN).map(GoalId::as_str).collect();
                let dots = if ids.len() > SHOWN { ", …" } else { "" };
                lines.add(word, &format!("{}: {}{dots}", ids.len(), shown.join(", ")));
            }
        }
        if self.unchanged > 0 {
            lines.add("unchanged", &self.unchanged.to_string());
        }
        if !self.left_out.is_empty() {
            let kinds: Vec<String> = self
                .left_out
                .iter()
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            lines.add("left out", &kinds.join(", "));
        }
        for left in self.left.iter().take(SHOWN) {
            lines.add("left", &format!("{}: {}", left.goal, left.why));
        }
        more(&mut lines, self.left.len());
        if let Some(settings) = &self.settings {
            for set in &settings.set {
                lines.add("setting", &format!("{} = {}", set.key, set.value));
            }
            let notes = settings.notes.iter().take(SHOWN);
            notes.for_each(|note| lines.add("note", note));
            more(&mut lines, settings.notes.len());
        }
        self.notes.iter().take(SHOWN).for_each(|note| lines.add("note", note));
        more(&mut lines, self.notes.len());
        if self.dry_run {
            lines.raw("nothing was written");
        }
        lines.end()
    }
}

fn more(lines: &mut Lines<'_>, count: usize) {
    if count > SHOWN {
        lines.add("", &format!("and {} more; --json lists all", count - SHOWN));
    }
}
