//! `show` as text: everything about one goal.

use crate::{
    commands::show::{
        AttemptRow, Outcome,
        more::{More, Related},
    },
    engine::run::words,
    facts::Standing,
    goal::Goal,
    id::GoalId,
    journal::level::Level,
    letters::one_line,
    money::dollars,
    record::Record,
    schedule::State,
    ui::{
        View,
        colour::Style,
        look::{Look, count},
        text::Lines,
    },
};

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        let why = if self.reason.is_empty() {
            String::new()
        } else {
            format!("  {}", self.reason)
        };
        lines.painted(Style::of(self.state), self.state.word(), &format!("{}{why}", self.id));
        if let Some(goal) = self.goal.as_ref().or(self.asked.as_ref()) {
            asked(&mut lines, goal);
        }
        for (key, values) in self.conflict.values() {
            for value in values {
                lines.painted(Style::Warn, "conflict", &format!("another side set {key} to"));
                lines.indented(value.as_str().unwrap_or(&value.to_string()));
            }
        }
        if let Some(file) = &self.draft {
            lines.add("inbox", &format!("{file} of this branch; open once it is merged"));
        }
        if self.edited_after_landing {
            let what = "after it had landed, which changes nothing; `git invisigoth add` makes it a goal of its own";
            lines.painted(Style::Warn, "edited", what);
        }
        for attempt in &self.attempts {
            tried(&mut lines, attempt, self);
        }
        if let Some(candidate) = self.candidate {
            lines.add("candidate", &candidate.to_string());
        }
        if let Some(record) = &self.record {
            recorded(&mut lines, record);
        }
        if let Some(undone) = &self.undone {
            let why = undone.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            lines.add("undone", &format!("at {}{why}", undone.undone_at));
        }
        if let Some(more) = &self.more {
            around(&mut lines, more);
        }
        if let Some(next) = self.next() {
            lines.painted(Style::Dim, "next", &next);
        }
        lines.end()
    }
}

fn asked(lines: &mut Lines<'_>, goal: &Goal) {
    lines.add("asks", &goal.description);
    let files = goal.named_files();
    if !files.is_empty() {
        lines.add("files", &files.join(", "));
    }
    if !goal.dependencies.is_empty() {
        let needs: Vec<&str> = goal.dependencies.iter().map(GoalId::as_str).collect();
        lines.add("needs", &needs.join(", "));
    }
    for line in &goal.acceptance {
        lines.add("accept", line);
    }
    for line in &goal.evidence {
        lines.add("evidence", line);
    }
    if goal.priority != 0 {
        lines.add("priority", &goal.priority.to_string());
    }
    if !goal.prompt.trim().is_empty() {
        lines.add("prompt", "");
        lines.indented(goal.prompt.trim());
    }
    for comment in &goal.comments {
        lines.add("comment", "");
        lines.indented(comment.trim());
    }
}

fn tried(lines: &mut Lines<'_>, attempt: &AttemptRow, outcome: &Outcome) {
    // Of a goal that landed and is open again.
    let landed = |record: &Record| record.landed_at >= attempt.started_at;
    let has_passed = matches!(outcome.state, State::Landed | State::Candidate | State::Held)
        || outcome.record.as_ref().is_some_and(landed);
    let end = match attempt.standing {
        Standing::Failed => format!("failed: {}", one_line(&attempt.reason)),
        Standing::Evicted => format!("passed, and did not land: {}", one_line(&attempt.reason)),
        Standing::Retried => format!("to be tried again; it had failed: {}", one_line(&attempt.reason)),
        Standing::Paused => "paused at a cap".to_owned(),
        Standing::Open if !attempt.reason.is_empty() && outcome.state != State::Landed => {
            format!("passed, and did not land: {}", one_line(&attempt.reason))
        }
        Standing::Open if has_passed => "passed".to_owned(),
        Standing::Open => "has not come to its end".to_owned(),
    };
    if let Some(branch) = &attempt.adopted {
        let about = [
            attempt.started_at.as_str(),
            &format!("adopted from {}", one_line(branch)),
            &end,
        ];
        lines.add(&format!("attempt {}", attempt.number), &about.join(", "));
        return;
    }
    let rounds = count(attempt.rounds, "reply", "replies");
    let tokens = count(attempt.tokens, "token", "tokens");
    let about = [
        attempt.started_at.as_str(),
        &rounds,
        &one_line(&attempt.model),
        &tokens,
        &dollars(attempt.cost_usd),
        &end,
    ];
    lines.add(&format!("attempt {}", attempt.number), &about.join(", "));
}

fn recorded(lines: &mut Lines<'_>, record: &Record) {
    lines.add("commit", &record.commit.to_string());
    lines.add("landed", &format!("on {} at {}", record.target, record.landed_at));
    lines.add("model", &format!("{} ({})", record.model, record.provider));
    if record.is_unasked() {
        lines.add("took", "not known");
    } else {
        let took = [
            count(record.attempts, "reply", "replies"),
            count(record.tokens, "token", "tokens"),
            dollars(record.cost_usd),
        ];
        lines.add("took", &took.join(", "));
    }
    lines.add("checks", &words(&record.checks, record.red_green));
    if let Some(turned) = record.red_green {
        lines.add(
            "red→green",
            &match turned {
                1 => "1 new test fails without the change and passes with it".to_owned(),
                many => format!("{many} new tests fail without the change and pass with it"),
            },
        );
    }
    if !record.replayable {
        lines.add("replay", "not possible from the recorded replies");
    }
    if let Some(evictions) = record.evictions {
        lines.add("evicted", &times(evictions));
    }
    if let Some(remark) = &record.remark {
        lines.add("remark", remark);
    }
}

/// Words how often a candidate was evicted before one landed.
pub(crate) fn times(evictions: u32) -> String {
    match evictions {
        1 => "once".to_owned(),
        many => format!("{many} times"),
    }
}

/// Words what is around a goal, and a line for each thing that happened.
fn around(lines: &mut Lines<'_>, more: &More) {
    let related = |goals: &[Related]| -> String {
        let one = |goal: &Related| format!("{} ({})", goal.goal, goal.state.map_or("unknown", State::word));
        goals.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    if !more.unblocks.is_empty() {
        lines.add("unblocks", &related(&more.unblocks));
    }
    for step in &more.timeline {
        let round = step.round.map(|round| format!(", round {round}")).unwrap_or_default();
        let at = step.at.as_deref().unwrap_or("now");
        let words = one_line(&step.words);
        let gap = if words.is_empty() { "" } else { "  " };
        let style = match step.level {
            Level::Error => Style::Bad,
            Level::Warn => Style::Warn,
            _ if step.pending => Style::Live,
            _ => Style::Dim,
        };
        lines.painted(style, &step.step, &format!("{at}{round}{gap}{words}"));
    }
}
