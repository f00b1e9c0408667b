//! `context` as text: lines below their file, or a table of what speaks for each file.

use std::fmt::Write as _;

use crate::{
    commands::context::{Choice, Explained, Outcome, Reasons, heading},
    letters::{columns, many_lines, one_line},
    ui::{
        View,
        colour::Style,
        look::{Look, count, grouped, pad},
    },
};

/// Columns of a number.
const NUMBER: usize = 5;

/// Least columns of a path.
const PATH: usize = 20;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        match &self.explained {
            Some(explained) => explained.table(look),
            None => self.lines(look),
        }
    }

    fn aside(&self) -> String {
        let mut lines = Vec::new();
        if self.explained.is_none() {
            lines.push(self.summary());
        }
        lines.extend(unread(&self.of));
        lines.join("\n")
    }
}

impl Outcome {
    fn lines(&self, look: &Look) -> String {
        let mut text = String::new();
        for file in &self.shown {
            for (first, last, lines) in &file.pieces {
                let heading = heading(&file.path, *first, *last);
                text.push_str(&look.paint.paint(Style::Bold, &one_line(&heading)));
                text.push('\n');
                text.push_str(&many_lines(lines));
                text.push_str("\n\n");
            }
        }
        text
    }

    fn summary(&self) -> String {
        let Choice {
            commit,
            read,
            matched,
            budget,
            ..
        } = &self.of;
        let of = format!(
            "{} of {} in {} were ranked",
            grouped(*matched),
            count(*read, "file", "files"),
            commit.short()
        );
        let budget = grouped(*budget);
        if self.items.is_empty() {
            return match matched {
                0 => format!("nothing to show: {of}"),
                _ => format!("nothing fits into {budget} tokens; {of}"),
            };
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of tokens")]
        let tokens = self.items.iter().map(|item| item.tokens).sum::<f32>().ceil() as u64;
        format!(
            "lines of {}, {} of {budget} tokens; {of}",
            count(self.items.len(), "file", "files"),
            grouped(tokens)
        )
    }
}

/// Says that files could not be read.
fn unread(of: &Choice) -> Option<String> {
    let files = count(of.unread, "file", "files");
    (of.unread > 0).then(|| {
        format!("{files} could not be read and are known by path only; `git fetch --refetch --no-filter` brings all")
    })
}

/// Says why no past commit speaks.
fn silent(explained: &Explained) -> Option<String> {
    let past = explained.signals.iter().position(|signal| signal.name == "past")?;
    let added = |file: &Reasons| file.adds.get(past).is_some_and(|value| *value > 0.0);
    if explained.files.iter().any(added) {
        return None;
    }
    let commits = count(explained.of.commits, "commit is", "commits are");
    Some(match (explained.of.shallow, explained.of.commits) {
        (true, _) => {
            format!("No past commit speaks: {commits} in this shallow clone; `git fetch --unshallow` brings all.")
        }
        (false, 0 | 1) => format!("No past commit speaks: {commits} known so far."),
        (false, _) => format!("No past commit speaks: {commits} known, none with such words that changed few files."),
    })
}

impl Explained {
    fn table(&self, look: &Look) -> String {
        let of = &self.of;
        let best = match self.files.len() {
            0 => "No file has anything to do with the query".to_owned(),
            best => format!(
                "The best {best} of {} files, and what adds to the score of each",
                grouped(of.matched)
            ),
        };
        let mut text = format!("{best}, at {}\n", of.commit.short());
        if !self.files.is_empty() {
            text.push_str(&self.rows(look));
            text.push_str(&self.legend());
        }
        if !self.left_out.is_empty() {
            text.push_str("\nNamed by the query, but not shown:\n");
        }
        for left in &self.left_out {
            let _ = writeln!(text, "  {}: it is {}", one_line(&left.path.to_string()), left.why);
        }
        if let Some(line) = silent(self) {
            let _ = writeln!(text, "\n{line}");
        }
        text
    }

    /// Returns the signals that add anything, by place, with their names.
    fn speaking(&self) -> Vec<(usize, &'static str)> {
        let adds = |at: usize| {
            self.files
                .iter()
                .any(|file| file.adds.get(at).is_some_and(|value| *value > 0.0))
        };
        let named = self.signals.iter().enumerate().map(|(at, signal)| (at, signal.name));
        named.filter(|(at, _)| adds(*at)).collect()
    }

    fn rows(&self, look: &Look) -> String {
        let speaking = self.speaking();
        let width = |name: &str| columns(name).max(NUMBER - 1);
        let kinds: Vec<String> = self.files.iter().map(kind).collect();
        let widest = kinds.iter().map(|kind| columns(kind)).max().unwrap_or_default();
        let names: String = speaking
            .iter()
            .map(|(_, name)| format!("{name:>0$}", width(name) + 1))
            .collect();
        let heading = format!("{:>NUMBER$}{names}  {}path", "score", pad("kind", widest + 2));
        let room = look.width.saturating_sub(columns(&heading) - columns("path")).max(PATH);
        let mut text = look.paint.paint(Style::Bold, &heading) + "\n";
        for (file, kind) in self.files.iter().zip(kinds) {
            let value = |(at, name): &(usize, &'static str)| {
                let value = file.adds.get(*at).copied().unwrap_or_default();
                let shown = if value > 0.0 {
                    format!("{value:.2}")
                } else {
                    String::new()
                };
                format!("{shown:>0$}", width(name) + 1)
            };
            let values: String = speaking.iter().map(value).collect();
            let path = ending(look, &one_line(&file.path.to_string()), room);
            let _ = writeln!(
                text,
                "{:>NUMBER$.2}{values}  {}{path}",
                file.score,
                pad(&kind, widest + 2)
            );
        }
        text
    }

    fn legend(&self) -> String {
        let mut text = "\nWhat a signal says, and what it adds at most:\n".to_owned();
        for (at, name) in self.speaking() {
            if let Some(signal) = self.signals.get(at) {
                let _ = writeln!(text, "  {name:<7} {:>4.2}  {}", signal.most, signal.says);
            }
        }
        text.push_str("  kind          what is not code loses a little, unless the query asks for it\n");
        text
    }
}

/// Returns what a file is, and what that takes off.
fn kind(file: &Reasons) -> String {
    match file.handicap > 0.0 {
        true => format!("{} -{:.1}", file.kind, file.handicap),
        false => file.kind.to_owned(),
    }
}

/// Returns the end of `path` in at most `width` columns: the name of a file tells most.
fn ending(look: &Look, path: &str, width: usize) -> String {
    if columns(path) <= width {
        return path.to_owned();
    }
    let room = width.saturating_sub(columns(look.ellipsis()));
    let mut kept: Vec<char> = Vec::new();
    let mut used = 0;
    for c in path.chars().rev() {
        used += columns(&c.to_string());
        if used > room {
            break;
        }
        kept.push(c);
    }
    let end: String = kept.into_iter().rev().collect();
    format!("{}{end}", look.ellipsis())
}
