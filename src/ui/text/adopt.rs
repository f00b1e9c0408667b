//! `adopt` as text: what remains to be said when the goal's own line is printed.

use crate::{
    commands::adopt::Outcome,
    letters::one_line,
    schedule::State,
    ui::{
        View,
        look::{Look, count},
        text::run,
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let beside = run::beside(look, self.beside.as_deref());
        let branch = one_line(&self.branch);
        match self.state {
            State::Landed | State::Held => {
                let commits = count(self.commits, "commit", "commits");
                let how = match (self.as_is, self.commits) {
                    (false, 1) => "",
                    (false, _) => " as one",
                    (true, 1) => " as it is",
                    (true, _) => " as they are",
                };
                let word = if self.state == State::Landed {
                    "adopted"
                } else {
                    "waiting"
                };
                let remark = self.remark.as_deref().map(one_line).unwrap_or_default();
                let known = format!("branch {branch}");
                let remark = remark.strip_prefix(&known).unwrap_or(&remark).trim_start_matches("; ");
                let remark = if remark.is_empty() {
                    String::new()
                } else {
                    format!("; {remark}")
                };
                format!("{beside}{word:<9}{branch}: {commits}{how}{remark}\n")
            }
            _ => format!(
                "refused  {branch}: {}; {} and {branch} untouched\n{beside}",
                one_line(&self.reason),
                self.target
            ),
        }
    }

    fn aside(&self) -> String {
        self.hint
            .as_ref()
            .map(|hint| format!("hint: {hint}"))
            .unwrap_or_default()
    }
}
