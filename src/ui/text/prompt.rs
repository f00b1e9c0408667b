//! `prompt` as text: every message below a heading with who says it.

use crate::{
    commands::prompt::Outcome,
    transcript::{Message, Role},
    ui::{
        View,
        colour::Style,
        look::{Look, many_lines},
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        messages(look, &self.messages)
    }

    fn aside(&self) -> String {
        let left_out = self
            .left_out
            .iter()
            .map(|what| format!("left out for lack of room: {what}\n"));
        let hash = format!("prompt_hash {}", self.prompt_hash);
        left_out.chain([hash]).collect()
    }
}

/// Words messages, each below a heading with who says it.
pub(crate) fn messages(look: &Look, all: &[Message]) -> String {
    let mut text = String::new();
    for message in all {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let heading = look.paint.paint(Style::Bold, &format!("=== {role} ==="));
        text.push_str(&[&heading, "\n", many_lines(message.content.trim_end()).as_str(), "\n"].concat());
    }
    text
}
