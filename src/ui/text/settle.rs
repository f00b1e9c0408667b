//! `settle` as text.

use crate::{
    commands::settle::Outcome,
    ui::{
        View,
        look::{Look, count},
        text::{Lines, run},
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        for row in &self.landed {
            lines.add("landed", &format!("{}  by commit {}", row.goal, row.commit.short()));
        }
        for row in &self.taken_back {
            let about = format!("{}  taken back by commit {}", row.goal, row.commit.short());
            lines.add("held", &about);
        }
        for goal in &self.stale {
            lines.add("landed", &format!("{goal}  leaves the backlog"));
        }
        if let Some(commit) = self.commit {
            let records = match self.rows_added {
                0 => String::new(),
                rows => format!("  {} brought back", count(rows, "record", "records")),
            };
            lines.add("commit", &format!("{}{records}", commit.short()));
        }
        for file in &self.mended {
            let left = match file.conflicts.as_slice() {
                [] => String::new(),
                [id] => format!("; in conflict: {id}"),
                [id, rest @ ..] => format!("; in conflict: {id} and {} more", rest.len()),
            };
            lines.add("merged", &format!("{}: both sides are in it{left}", file.path));
        }
        if !self.mended.is_empty() {
            let paths: Vec<&str> = self.mended.iter().map(|file| file.path.as_str()).collect();
            lines.add(
                "next",
                &format!("git add {}, and go on with the merge", paths.join(" ")),
            );
        }
        lines.end() + &run::beside(look, self.beside.as_deref())
    }

    fn aside(&self) -> String {
        match self.commit {
            None if self.mended.is_empty() => "nothing to settle: memory/ says what the commits say".to_owned(),
            _ => String::new(),
        }
    }
}
