//! `service` as text: what was written, done or removed, and how it stands.

use crate::{
    commands::service::{
        control::{self, Order},
        install, status, uninstall,
    },
    schedule::State,
    ui::{View, colour::Style, look::Look, text::Lines},
};

impl View for install::Outcome {
    fn text(&self, look: &Look) -> String {
        if self.printed {
            let shown = self
                .files
                .iter()
                .map(|file| format!("# {}\n{}\n", file.path.display(), file.content));
            return shown.collect();
        }
        let mut lines = Lines::new(look);
        let when = match &self.calendar {
            Some(calendar) => format!("starts {calendar}"),
            None => "starts with the machine".to_owned(),
        };
        let now = if self.started { ", started" } else { "" };
        lines.painted(Style::Good, "installed", &format!("{}, {when}{now}", self.unit));
        for file in &self.files {
            let word = if file.unchanged { "unchanged" } else { "wrote" };
            lines.add(word, &file.path.display().to_string());
        }
        for warning in &self.warnings {
            lines.painted(Style::Warn, "warning", warning);
        }
        let next = if self.started { "status" } else { "start" };
        lines.painted(
            Style::Dim,
            "next",
            &format!("git invisigoth service {next}{}", self.flag),
        );
        lines.end()
    }

    fn aside(&self) -> String {
        if self.printed {
            self.warnings.join("\n")
        } else {
            String::new()
        }
    }
}

impl View for uninstall::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        lines.painted(Style::Good, "stopped", &format!("{}, and disabled", self.unit));
        for path in &self.removed {
            lines.add("removed", &path.display().to_string());
        }
        for path in &self.kept {
            let about = format!("{}  changed by hand; --force removes it", path.display());
            lines.painted(Style::Warn, "kept", &about);
        }
        for warning in &self.warnings {
            lines.painted(Style::Warn, "warning", warning);
        }
        lines.end()
    }
}

impl View for control::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let word = match self.order {
            Order::Start => "started",
            Order::Stop => "stopped",
            Order::Restart => "restarted",
        };
        lines.painted(Style::Good, word, &self.unit);
        match (self.order, &self.timer) {
            (Order::Stop, Some(timer)) => {
                lines.painted(Style::Warn, "timer", &format!("{timer} starts it again at its time"));
            }
            (Order::Stop, None) => {}
            _ => lines.painted(
                Style::Dim,
                "next",
                &format!("git invisigoth service logs -f{}", self.flag),
            ),
        }
        lines.end()
    }
}

impl View for status::Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let style = match self.state.as_str() {
            "active" => Style::Good,
            "failed" => Style::Bad,
            _ => Style::Warn,
        };
        let since = self
            .since
            .as_ref()
            .map(|since| format!(" since {since}"))
            .unwrap_or_default();
        let state = match (self.state.as_str(), self.sub.as_str()) {
            ("", _) => "systemd does not say".to_owned(),
            (state, "") => state.to_owned(),
            (state, sub) => format!("{state} ({sub})"),
        };
        lines.painted(style, "service", &format!("{state}{since}"));
        let enabled = if self.enabled {
            "enabled"
        } else {
            "not enabled: nothing starts it by itself"
        };
        lines.add("unit", &format!("{}, {enabled}", self.unit));
        if let Some(timer) = &self.timer {
            let next = timer.next.as_ref().map_or_else(
                || format!("{} is not active", timer.unit),
                |next| format!("next {next}"),
            );
            lines.add("timer", &next);
        }
        if let Some(last) = &self.last {
            let style = if matches!(last.code, 0 | 3 | 129 | 130 | 143) {
                Style::Good
            } else {
                Style::Bad
            };
            let at = last.at.as_ref().map(|at| format!("{at}, ")).unwrap_or_default();
            lines.painted(style, "last", &format!("{at}exit {}: {}", last.code, last.meaning));
        }
        match &self.unreadable {
            Some(why) => lines.painted(Style::Bad, "goals", why),
            None => lines.add("goals", &self.goals()),
        }
        lines.painted(
            Style::Dim,
            "next",
            &format!("git invisigoth service {}{}", self.next(), self.flag),
        );
        lines.end()
    }
}

impl status::Outcome {
    fn goals(&self) -> String {
        let counts = State::ALL.iter().filter_map(|state| {
            let count = self.goals.get(state.word()).filter(|count| **count > 0)?;
            Some(format!("{count} {}", state.word()))
        });
        let counts: Vec<String> = counts.collect();
        if counts.is_empty() {
            "none".to_owned()
        } else {
            counts.join(", ")
        }
    }

    fn next(&self) -> &'static str {
        match self.state.as_str() {
            "active" => "logs -f",
            "failed" => "logs -n 50",
            _ => "start",
        }
    }
}
