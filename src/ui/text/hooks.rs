//! `hooks` as text.

use crate::{
    commands::hooks::{Outcome, Paste, Row, State, What},
    settings::Start,
    ui::{View, colour::Style, look::Look, text::Lines},
};

/// Width of the names of hooks.
const NAME: usize = 14;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let folder = match (self.foreign_folder, self.what) {
            (false, _) => self.folder.clone(),
            (true, What::Status) => format!("{}, as core.hooksPath says", self.folder),
            (true, _) => format!("{}, as core.hooksPath says: nothing was written there", self.folder),
        };
        let label = match (self.foreign_folder, self.what) {
            (false, What::Install) => "installed",
            (false, What::Uninstall) => "removed",
            (true, _) | (_, What::Status) => "hooks",
        };
        lines.add(label, &folder);
        for row in &self.hooks {
            let style = match row.state {
                State::Ours | State::Chained => Style::Good,
                State::Outdated => Style::Warn,
                State::Foreign | State::Absent => Style::Dim,
            };
            lines.painted(style, word(row.state), &format!("{:NAME$}{}", row.hook, about(row)));
        }
        let started = match self.start {
            Start::Nothing => "",
            Start::Run => "run",
            Start::Plan => "plan",
            Start::RunPlan => "run --plan",
        };
        if !started.is_empty() {
            lines.add(
                "starts",
                &format!("`{started}` in the background, after commits and merges"),
            );
        }
        for note in &self.notes {
            lines.painted(Style::Warn, "note", note);
        }
        lines.end()
    }

    fn aside(&self) -> String {
        let line = |paste: &Paste| format!("hint: put this line into {}:\n  {}", paste.file, paste.line);
        self.paste.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Ours => "ours",
        State::Chained => "chained",
        State::Foreign => "foreign",
        State::Absent => "absent",
        State::Outdated => "outdated",
    }
}

fn about(row: &Row) -> String {
    let by = row.by.map(|by| format!(" (with {by})")).unwrap_or_default();
    match (row.done, row.state) {
        (Some(done), State::Foreign) => format!("{done}{}", row.by.map(|by| format!(": {by}'s")).unwrap_or_default()),
        (Some(done), _) => format!("{done}{by}"),
        (None, State::Outdated) => format!("`git invisigoth hooks install {}` renews it{by}", row.hook),
        (None, State::Foreign) => format!("not ours{}", row.by.map(|by| format!(": {by}'s")).unwrap_or_default()),
        (None, _) => format!("{}{by}", row.about),
    }
}
