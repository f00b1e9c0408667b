//! `prompt` as text: every message below a heading with who says it.

use crate::{
    commands::prompt::{Outcome, Recorded},
    letters::{many_lines, one_line},
    transcript::{Message, Role},
    ui::{
        View,
        colour::Style,
        look::{Look, grouped},
        text::Lines,
    },
};

/// Most lines on what was left out of a section.
const LEFT_OUT: usize = 5;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        if self.explain {
            explained(self, look)
        } else {
            messages(look, &self.messages)
        }
    }

    fn aside(&self) -> String {
        let mut lines: Vec<String> = self.warnings.iter().map(|line| format!("warning: {line}")).collect();
        let of_rules = self.sections.iter().filter(|row| row.section.starts_with("rules"));
        let cut: Vec<&str> = of_rules.flat_map(|row| &row.left_out).map(String::as_str).collect();
        if !cut.is_empty() {
            lines.push(format!("warning: rules are cut: {}", cut.join(", ")));
        }
        if self.explain {
            return lines.join("\n");
        }
        lines.extend(
            self.left_out
                .iter()
                .map(|what| format!("left out for lack of room: {what}")),
        );
        lines.push(format!("prompt_hash {}", self.prompt_hash));
        lines.join("\n")
    }
}

impl View for Recorded {
    fn text(&self, look: &Look) -> String {
        let mut text = String::new();
        for call in &self.calls {
            text.push_str(&messages(look, &call.asked));
            let reply = Message {
                role: Role::Assistant,
                content: call.reply.clone(),
            };
            text.push_str(&messages(look, &[reply]));
        }
        text
    }

    fn aside(&self) -> String {
        match self.calls.is_empty() {
            true => "no call is recorded: a program of somebody did the work, or it was adopted".to_owned(),
            false => String::new(),
        }
    }
}

/// Words what each section takes, a line each, with what was left out of it below.
fn explained(outcome: &Outcome, look: &Look) -> String {
    let (goal, budget) = (&outcome.goal, &outcome.budget);
    let mut lines = Lines::new(look);
    lines.raw(&format!(
        "The prompt of {goal} takes {} of {} tokens.",
        grouped(budget.taken),
        grouped(budget.prompt)
    ));
    if budget.prompt < budget.request {
        lines.raw(&format!(
            "{} in all leave room for what is said later: repairs, files asked for.",
            grouped(budget.request)
        ));
    }
    lines.raw(&format!("What says so: {}.", one_line(&budget.from)));
    lines.raw("A token is taken to be 3 bytes. Priority 1 is cut last.");
    lines.raw("");
    lines.raw("section             tokens  percent  may take  priority  same for all goals");
    for row in &outcome.sections {
        let may = row.share.map_or_else(
            || "all".to_owned(),
            |share| match row.section {
                "files of the goal" | "ranked chunks" => format!("{share} % +"),
                _ => format!("{share} %"),
            },
        );
        let percent = row.tokens.saturating_mul(100) / budget.prompt.max(1);
        let priority = row
            .priority
            .map_or_else(|| "-".to_owned(), |priority| priority.to_string());
        let stable = if row.stable { "yes" } else { "" };
        let line = format!(
            "{:<18}  {:>6}  {percent:>5} %  {may:>8}  {priority:>8}  {stable}",
            row.section,
            grouped(row.tokens)
        );
        lines.raw(line.trim_end());
        for what in row.left_out.iter().take(LEFT_OUT) {
            lines.raw(&format!(
                "  {}",
                look.cut(&format!("left out: {what}"), look.width.saturating_sub(2))
            ));
        }
        if row.left_out.len() > LEFT_OUT {
            lines.raw(&format!("  left out: {} more", row.left_out.len() - LEFT_OUT));
        }
    }
    lines.end()
}

/// Words messages, each below a heading with who says it.
pub(crate) fn messages(look: &Look, all: &[Message]) -> String {
    let mut text = String::new();
    for message in all {
        let heading = look
            .paint
            .paint(Style::Bold, &format!("=== {} ===", message.role.word()));
        text.push_str(&[&heading, "\n", many_lines(message.content.trim_end()).as_str(), "\n"].concat());
    }
    text
}
