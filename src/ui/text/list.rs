//! `list` as text: a goal a line, in columns.

use crate::{
    commands::list::Outcome,
    id::GoalId,
    letters::columns,
    ui::{
        View,
        look::{ID, Look},
    },
};

/// Longest reason.
const REASON: usize = 40;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let id = self
            .goals
            .iter()
            .map(|row| columns(row.goal.as_str()))
            .max()
            .unwrap_or(0)
            .min(ID);
        let mut text = String::new();
        for row in &self.goals {
            let needs: Vec<&str> = row.needs.iter().map(GoalId::as_str).collect();
            let mut remarks = String::new();
            if row.priority != 0 {
                remarks = format!("  (priority {})", row.priority);
            }
            if !needs.is_empty() {
                remarks = format!("{remarks}  (needs {})", needs.join(", "));
            }
            if let Some(reason) = &row.reason {
                remarks = format!("{remarks}  ({})", look.cut(reason, REASON));
            }
            if !row.conflict.is_empty() {
                remarks = format!("{remarks}  (conflict: {})", row.conflict.join(", "));
            }
            if row.draft {
                remarks = format!("{remarks}  (on this branch)");
            }
            // The description gives way to what stands behind it.
            let room = look.width.saturating_sub(10 + id + 2).max(30);
            let description = room.saturating_sub(columns(&remarks)).max(16);
            let about = look.cut(&row.description, description) + &remarks;
            let line = format!(
                "{}{}  {}",
                look.state(row.state, 10),
                look.cell(row.goal.as_str(), id),
                look.cut(&about, room)
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn aside(&self) -> String {
        match (self.goals.is_empty(), self.is_whole) {
            (false, _) => String::new(),
            (true, false) => "no goals in these states".to_owned(),
            (true, true) => "no goal is open; `git invisigoth add \"what to do\"` adds one".to_owned(),
        }
    }
}
