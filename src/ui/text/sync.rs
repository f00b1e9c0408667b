//! `sync` as text.

use crate::{
    commands::sync::{Outcome, Shared},
    ui::{
        View,
        look::{Look, grouped},
        text::{Lines, run},
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let at = self.commit.map(|commit| commit.short()).unwrap_or_default();
        let how = match (self.pulled, self.pushed) {
            (false, false) => "as it was, here and there".to_owned(),
            (true, false) => format!("brought from {}", self.remote),
            (false, true) => format!("brought to {}", self.remote),
            (true, true) => format!("joined with that of {}", self.remote),
        };
        lines.add("target", &format!("{} at {at}  {how}", self.target));
        for again in &self.again {
            match &again.refused {
                None => lines.add("landed", &format!("{}  anew, on what {} had", again.goal, self.remote)),
                Some(why) => lines.add("failed", &format!("{}  {why}", again.goal)),
            }
        }
        lines.add("records", &shared(self.records, &self.remote));
        if let Some(attempts) = self.attempts {
            lines.add("attempts", &shared(attempts, &self.remote));
        }
        lines.end() + &run::beside(look, self.beside.as_deref())
    }
}

fn shared(both: Shared, remote: &str) -> String {
    match (both.came, both.went) {
        (0, 0) => "the same already".to_owned(),
        (came, went) => format!("{} came from {remote}, {} went to it", grouped(came), grouped(went)),
    }
}
