//! `plan` as text: each new goal with its reason, then what was refused and why, then what to type.

use crate::{
    commands::plan::Outcome,
    engine::{planning::Planned, steering::typed},
    goal::{Decision, Goal},
    id::GoalId,
    letters::one_line,
    money::dollars,
    ui::{
        View,
        colour::Style,
        look::{Look, count},
        text::{Lines, prompt::messages},
    },
};

/// Most refused proposals that are listed.
const REFUSED: usize = 20;
/// Most ids in the command that approves them.
const IDS: usize = 5;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        match self {
            Self::Planned { plan, scripted } => planned(look, plan, *scripted),
            Self::Dry { messages: all, .. } => messages(look, all),
        }
    }

    fn aside(&self) -> String {
        let Self::Dry {
            prompt_hash,
            left_out,
            messages,
            ..
        } = self
        else {
            return String::new();
        };
        let left_out = left_out
            .iter()
            .map(|what| format!("left out for lack of room: {what}\n"));
        let bytes: usize = messages.iter().map(|message| message.content.len()).sum();
        let last = format!("dry run: no model was asked; {bytes} bytes, prompt_hash {prompt_hash}");
        left_out.chain([last]).collect()
    }
}

fn planned(look: &Look, plan: &Planned, scripted: bool) -> String {
    let mut lines = Lines::new(look);
    let word = match plan.status {
        Decision::Proposed => "proposed",
        _ => "ready",
    };
    for goal in &plan.goals {
        add(&mut lines, word, goal);
    }
    for refused in plan.refused.iter().take(REFUSED) {
        let why = format!("{}: {}", one_line(&refused.title), refused.why);
        lines.painted(Style::Dim, "refused", &why);
    }
    if let Some(more) = plan.refused.len().checked_sub(REFUSED).filter(|more| *more > 0) {
        lines.painted(Style::Dim, "refused", &format!("{more} more; `--json` has them all"));
    }
    for left_out in &plan.left_out {
        lines.painted(
            Style::Dim,
            "note",
            &format!(
                "{} need not wait for {}: nothing speaks for it",
                left_out.goal, left_out.need
            ),
        );
    }
    if plan.cut {
        lines.painted(
            Style::Warn,
            "note",
            "the reply was cut off; `llm.max_tokens` may be too low",
        );
    }
    lines.add("plan", &totals(look, plan, scripted));
    lines.painted(Style::Dim, "next", &next(plan));
    lines.end()
}

fn add(lines: &mut Lines<'_>, word: &str, goal: &Goal) {
    let id = goal.id.as_ref().map_or("", |id| id.as_str());
    lines.add(word, &format!("{id}  {}", one_line(&goal.description)));
    if let Some(reason) = &goal.reason {
        lines.add("", &format!("why: {}", one_line(reason)));
    }
    if let Some(evidence) = goal.evidence.first() {
        lines.add("", &format!("see: {}", one_line(evidence)));
    }
    for acceptance in goal.acceptance.iter().take(1) {
        lines.add("", &format!("done when: {}", one_line(acceptance)));
    }
    if !goal.dependencies.is_empty() {
        let needs: Vec<&str> = goal.dependencies.iter().map(GoalId::as_str).collect();
        lines.add("", &format!("needs {}", needs.join(", ")));
    }
}

fn totals(look: &Look, plan: &Planned, scripted: bool) -> String {
    let scripted = if scripted { " (scripted)" } else { "" };
    let parts = [
        count(plan.goals.len(), "goal", "goals"),
        format!("{} refused", plan.refused.len()),
        format!("at {}", plan.base.short()),
        count(plan.rounds, "reply", "replies"),
        format!("{}{scripted}", dollars(plan.usage.cost_usd)),
    ];
    parts.join(&format!(" {} ", look.dot()))
}

fn next(plan: &Planned) -> String {
    let named = plan.goals.iter().filter_map(|goal| goal.id.as_ref()).take(IDS);
    match (plan.goals.as_slice(), plan.status) {
        ([], _) => "git invisigoth plan --brief TEXT".to_owned(),
        (_, Decision::Proposed) => format!("git invisigoth approve {}", typed(named)),
        _ => "git invisigoth run".to_owned(),
    }
}
