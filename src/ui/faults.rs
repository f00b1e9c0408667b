//! Faults as text and as JSON: what happened, and what to type next; and whether anybody reads at all. Decides no exit code.

use std::{io, sync::PoisonError};

use crate::{
    commands::Document,
    fault::Fault,
    journal::level::Level,
    letters::many_lines,
    ui::{Ui, colour::Style},
};

impl Ui {
    /// Prints a fault, with a hint in any case, and `causes` below it when told to be verbose.
    pub fn fault(&self, fault: &Fault, causes: &[String]) {
        let fault = &fault.clone().hinted();
        if self.manner.json {
            return self.json_line(&Document::failed(fault));
        }
        let paint = self.manner.stderr;
        let tell = |level, style, word: &str, about: &str| {
            let line = format!("{} {}", paint.paint(style, word), many_lines(about));
            self.tell(level, &line);
        };
        tell(Level::Error, Style::Bad, "error:", &fault.message);
        for hint in &fault.hints {
            tell(Level::Info, Style::Live, "hint:", hint);
        }
        for cause in causes.iter().filter(|_| self.manner.verbose) {
            tell(Level::Info, Style::Dim, "caused by:", cause);
        }
    }

    /// True where whoever read the answer went away.
    pub fn is_unread(&self) -> bool {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble
            .as_ref()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }
}
