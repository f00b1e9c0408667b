//! `context` as text: lines below their file, or a table of signals.

use crate::{
    commands::context::Outcome,
    ui::{
        View,
        colour::Style,
        look::{Look, many_lines, one_line},
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        match &self.signals {
            Some(signals) => table(signals, look),
            None => self.lines(look),
        }
    }

    fn aside(&self) -> String {
        let tokens: f32 = self.items.iter().map(|item| item.tokens).sum();
        format!(
            "{} files, {tokens:.0} tokens of {}",
            self.items.len(),
            self.commit.short()
        )
    }
}

impl Outcome {
    fn lines(&self, look: &Look) -> String {
        let mut text = String::new();
        for file in &self.shown {
            for (first, last, lines) in &file.pieces {
                let heading = format!("{}:{first}-{last}", one_line(&file.path.to_string()));
                text.push_str(&look.paint.paint(Style::Bold, &heading));
                text.push('\n');
                text.push_str(&many_lines(lines.trim_end_matches('\n')));
                text.push_str("\n\n");
            }
        }
        text
    }
}

fn table(signals: &[crate::commands::context::Explained], look: &Look) -> String {
    let Some(first) = signals.first() else {
        return "no file says anything about it\n".to_owned();
    };
    let names = first.signals.iter().map(|(name, _)| format!("{name:>8}"));
    let heading = format!("{:>6}{}  file", "score", names.collect::<String>());
    let mut text = look.paint.paint(Style::Bold, &heading);
    text.push('\n');
    for file in signals {
        let values: String = file.signals.iter().map(|(_, value)| format!("{value:>8.2}")).collect();
        let path = one_line(&file.path.to_string());
        text.extend([format!("{:>6.2}{values}  {path}\n", file.score)]);
    }
    text
}
