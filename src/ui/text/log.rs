//! `log` as text: a landed goal a line, with what it took; with `--all` a commit a line.

use crate::{
    commands::log::{
        Outcome, Row,
        commits::{self, Commit, What},
    },
    engine::run::words,
    id::GoalId,
    letters::{columns, one_line},
    money::dollars,
    ui::{
        View,
        colour::Style,
        look::{ID, Look, count},
        text::show,
    },
};

/// Longest column of subjects.
const SUBJECT: usize = 40;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let widest = |of: fn(&Row) -> usize| self.landed.iter().map(of).max().unwrap_or(0);
        let id = widest(|row| columns(row.goal.as_str())).min(ID);
        let subject = widest(|row| columns(&row.subject)).min(SUBJECT);
        self.landed.iter().map(|row| line(look, row, (id, subject))).collect()
    }

    fn aside(&self) -> String {
        if self.landed.is_empty() {
            "nothing has landed yet".to_owned()
        } else {
            String::new()
        }
    }
}

impl View for commits::Outcome {
    fn text(&self, look: &Look) -> String {
        let subject = self.commits.iter().map(|one| columns(&one.subject)).max().unwrap_or(0);
        let lines = self.commits.iter().map(|one| commit(look, one, subject.min(SUBJECT)));
        lines.collect()
    }

    fn aside(&self) -> String {
        match self.next {
            Some(next) => format!("older ones: git invisigoth log --all --before {}", next.short()),
            None if self.commits.is_empty() => "no commit is like that".to_owned(),
            None => String::new(),
        }
    }
}

fn commit(look: &Look, one: &Commit, subject: usize) -> String {
    let landed = one.landed.iter().map(|row| row.goal.as_str());
    let goals: Vec<&str> = landed.chain(one.takes_back.iter().map(GoalId::as_str)).collect();
    let about = match one.what {
        What::Landing => format!("landed {}", goals.join(", ")),
        What::Undo => format!("took back {}", goals.join(", ")),
        What::Record => "backlog".to_owned(),
        What::Person => format!("by {}", one.author),
    };
    let id = look.paint.paint(Style::Warn, &one.commit.short());
    let line = format!("{}  {}", look.cell(&one.subject, subject), one_line(&about));
    format!("{id}  {}\n", line.trim_end())
}

fn line(look: &Look, row: &Row, (id, subject): (usize, usize)) -> String {
    let took = match &row.record {
        None => "no record".to_owned(),
        Some(record) if record.is_unasked() => {
            let parts = [
                look.cut(&record.model, 30),
                record.provider.clone(),
                words(&record.checks, record.red_green),
            ];
            parts.join("  ").trim_end().to_owned()
        }
        Some(record) => {
            let parts = [
                look.cut(&record.model, 30),
                count(record.attempts, "reply", "replies"),
                count(record.tokens, "token", "tokens"),
                dollars(record.cost_usd),
                words(&record.checks, record.red_green),
            ];
            let evicted = record
                .evictions
                .map(|times| format!("  evicted {}", show::times(times)));
            format!("{}{}", parts.join("  ").trim_end(), evicted.unwrap_or_default())
        }
    };
    let took = match &row.undone_at {
        Some(at) => format!("undone {at}  {took}"),
        None => took,
    };
    let commit = look.paint.paint(Style::Warn, &row.commit.short());
    format!(
        "{commit}  {}  {}  {took}\n",
        look.cell(row.goal.as_str(), id),
        look.cell(&row.subject, subject)
    )
}
