//! `report` as text: one screen for the morning. The first line says what happened, what needs somebody follows, numbers are last.

use crate::{
    engine::{
        report::{Landed, Report, Runs, Stuck, Trigger},
        runs::By,
    },
    letters::{columns, one_line},
    money::dollars,
    schedule::State,
    ui::{
        View,
        colour::Style,
        look::{ID, Look, age, count, grouped, seconds},
        text::{LABEL, Lines, at_least},
    },
};

/// Most landed goals that are listed, and most of them with the line that takes them out.
const LANDED: usize = 20;
const UNDONE: usize = 5;
/// Most goals that are listed of those that need somebody.
const STUCK: usize = 8;
/// Most waiting goals that are listed.
const WAITING: usize = 3;

impl View for Report {
    fn text(&self, look: &Look) -> String {
        text(self, look)
    }

    fn aside(&self) -> String {
        if self.runs.count == 0 && self.landed.is_empty() {
            return "nothing ran; `--since 2d` looks further back, `git invisigoth status` says what waits".to_owned();
        }
        String::new()
    }
}

/// Words a report, for whoever prints one.
pub fn text(report: &Report, look: &Look) -> String {
    let mut lines = Lines::new(look);
    lines.raw(&look.paint.paint(Style::Bold, &headline(report, look)));
    landed(&mut lines, look, &report.landed);
    stuck(&mut lines, look, &report.failed);
    stuck(&mut lines, look, &report.held);
    waiting(&mut lines, look, report);
    lines.add("spent", &spent(report, look));
    if report.runs.count > 0 {
        lines.add("runs", &runs(&report.runs));
    }
    let others = report.triggers.iter().any(|trigger| trigger.by != By::Person);
    for trigger in report.triggers.iter().filter(|_| others) {
        lines.add("started", &started(trigger));
    }
    for why in &report.runs.caps {
        fit(&mut lines, look, (Style::Warn, "cap"), why);
    }
    for why in &report.runs.cut_short {
        fit(&mut lines, look, (Style::Warn, "cut short"), why);
    }
    lines.end()
}

/// Words what starts runs: `by the hook, last 2026-11-22 22:00 UTC, which ended; 4 runs on record`.
fn started(trigger: &Trigger) -> String {
    let (by, last, result) = (trigger.by.word(), minutes(&trigger.last_at), &trigger.result);
    let all = count(trigger.runs, "run", "runs");
    format!("by {by}, last {last} UTC: {}; {all} on record", one_line(result))
}

/// Words what happened: `2 landed · 1 failed · $0.42 · 3 h 5 min, since 2026-11-22 22:00 UTC`.
fn headline(report: &Report, look: &Look) -> String {
    let is_in = |landed: &&Landed| landed.undone_at.is_none();
    let mut parts = vec![format!("{} landed", report.landed.iter().filter(is_in).count())];
    let out = report.landed.iter().filter(|landed| !is_in(landed)).count();
    let of = |list: &[Stuck], state: State| list.iter().filter(|stuck| stuck.is_new && stuck.state == state).count();
    let further = [
        (out, "undone"),
        (of(&report.failed, State::Failed), "failed"),
        (of(&report.failed, State::Parked), "parked"),
        (report.held.len(), "held"),
    ];
    let some = further.into_iter().filter(|(number, _)| *number > 0);
    parts.extend(some.map(|(number, word)| format!("{number} {word}")));
    parts.push(at_least(look, report.spent.usd, report.spent.unknown));
    if report.runs.count > 0 {
        parts.push(seconds_or_age(report.runs.seconds));
    }
    let since = minutes(&report.since);
    format!("{}, since {since} UTC", parts.join(&format!(" {} ", look.dot())))
}

fn minutes(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn seconds_or_age(span: f64) -> String {
    match std::time::Duration::try_from_secs_f64(span) {
        Ok(long) if span >= 60.0 => age(long),
        _ => seconds(span),
    }
}

fn landed(lines: &mut Lines<'_>, look: &Look, all: &[Landed]) {
    let id = width(all.iter().take(LANDED).map(|landed| landed.goal.as_str()));
    let left_out = all.len().saturating_sub(LANDED);
    let shown = all.iter().skip(left_out);
    if left_out > 0 {
        let more = format!(
            "{} before these: git invisigoth log -n {}",
            grouped(left_out),
            all.len()
        );
        lines.painted(Style::of(State::Landed), State::Landed.word(), &more);
    }
    let is_short = all.len() <= UNDONE;
    for landed in shown {
        let mut took: Vec<String> = landed
            .red_green
            .map(|count| red_green(look, count))
            .into_iter()
            .collect();
        took.push(count(landed.attempts, "reply", "replies"));
        took.push(dollars(landed.cost_usd));
        took.extend(landed.undone_at.as_ref().map(|_| "undone".to_owned()));
        let took = took.join("  ");
        let style = (Style::of(State::Landed), State::Landed.word());
        row(
            lines,
            look,
            style,
            (landed.goal.as_str(), id, &landed.description, &took),
        );
        if let Some(undo) = landed.undo.as_ref().filter(|_| is_short) {
            under(lines, look, undo);
        }
    }
    if !is_short && all.iter().any(|landed| landed.undo.is_some()) {
        lines.painted(Style::Dim, "undo", "git invisigoth undo ID");
    }
}

fn red_green(look: &Look, count: usize) -> String {
    let arrow = if look.unicode { "→" } else { "->" };
    format!("red{arrow}green {count}")
}

/// What failed before that time is counted only: whoever did not mend it knows of it.
fn stuck(lines: &mut Lines<'_>, look: &Look, all: &[Stuck]) {
    let is_old = |stuck: &&Stuck| !stuck.is_new && stuck.state != State::Held;
    let (old, new): (Vec<&Stuck>, Vec<&Stuck>) = all.iter().partition(is_old);
    let id = width(new.iter().take(STUCK).map(|stuck| stuck.goal.as_str()));
    for stuck in new.iter().take(STUCK) {
        let took = match stuck.attempts {
            0 => String::new(),
            n => format!("{}  {}", count(n, "reply", "replies"), dollars(stuck.cost_usd)),
        };
        let style = (Style::of(stuck.state), stuck.state.word());
        row(lines, look, style, (stuck.goal.as_str(), id, &stuck.description, &took));
        // What holds a goal names the command already, at its end, where it would be cut.
        let why = stuck.reason.split("; `git invisigoth").next().unwrap_or_default();
        if !why.is_empty() {
            under(lines, look, why);
        }
        if let Some(next) = &stuck.next {
            under(lines, look, next);
        }
    }
    let state = all.first().map(|stuck| stuck.state);
    let Some(state) = state else { return };
    let further = new.len().saturating_sub(STUCK);
    if further + old.len() > 0 {
        let parts = [(further, "more"), (old.len(), "from before")];
        let some = parts.into_iter().filter(|(number, _)| *number > 0);
        let parts: Vec<String> = some.map(|(n, word)| format!("{} {word}", grouped(n))).collect();
        let command = format!("{}: git invisigoth list --state {state}", parts.join(", "));
        lines.painted(Style::of(state), state.word(), &command);
    }
}

fn waiting(lines: &mut Lines<'_>, look: &Look, report: &Report) {
    let waiting = &report.waiting;
    if let Some(why) = &waiting.beside {
        fit(
            lines,
            look,
            (Style::Warn, "beside"),
            &format!("results wait beside {}: {why}", report.target),
        );
    }
    let numbers = [
        (waiting.candidates, "passed, to land with the next run"),
        (waiting.ready, "ready"),
        (waiting.blocked.len(), "blocked"),
    ];
    let some = numbers.into_iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = some.map(|(n, word)| format!("{} {word}", grouped(n))).collect();
    if !parts.is_empty() {
        lines.add("waiting", &parts.join(&format!(" {} ", look.dot())));
    }
    let id = width(waiting.blocked.iter().take(WAITING).map(|(id, _)| id.as_str()));
    for (goal, why) in waiting.blocked.iter().take(WAITING) {
        let room = look.width.saturating_sub(LABEL + id + 2);
        lines.raw(&format!(
            "{}{}  {}",
            " ".repeat(LABEL),
            look.cell(goal.as_str(), id),
            look.cut(why, room)
        ));
    }
    if waiting.proposed > 0 {
        let planned = count(waiting.proposed, "planned goal", "planned goals");
        lines.add("proposed", &format!("{planned}: git invisigoth list --state proposed"));
    }
}

fn spent(report: &Report, look: &Look) -> String {
    let spent = &report.spent;
    let mut parts = vec![
        at_least(look, spent.usd, spent.unknown),
        count(spent.calls, "call", "calls"),
        count(spent.tokens, "token", "tokens"),
    ];
    if spent.unknown > 0 {
        parts.push(format!("{} of unknown price", count(spent.unknown, "call", "calls")));
    }
    let each = report.usd_per_landed.filter(|usd| *usd > 0.0);
    let each = each.map(|usd| format!("; {} a landed goal, failures counted", dollars(Some(usd))));
    parts.join(", ") + &each.unwrap_or_default()
}

/// Words what runs did: `2 in 3 h 5 min; 14 checks in 12 min; 3 replies refused`.
fn runs(runs: &Runs) -> String {
    let mut parts = vec![
        format!("{} in {}", runs.count, seconds_or_age(runs.seconds)),
        checks(runs.checks, runs.check_seconds),
    ];
    if runs.refused > 0 {
        parts.push(count(runs.refused, "reply refused", "replies refused"));
    }
    let further = [
        (runs.going_on, "goes on", "go on"),
        (runs.killed, "was killed", "were killed"),
    ];
    let some = further.into_iter().filter(|(n, ..)| *n > 0);
    parts.extend(some.map(|(n, one, many)| count(n, one, many)));
    parts.join("; ")
}

/// Words how many checks ran and how long: `14 checks in 12 min`.
pub(crate) fn checks(number: u64, span: f64) -> String {
    let checks = count(number, "check", "checks");
    if number == 0 {
        checks
    } else {
        format!("{checks} in {}", seconds_or_age(span))
    }
}

fn width<'a>(ids: impl Iterator<Item = &'a str>) -> usize {
    ids.map(columns).max().unwrap_or(0).min(ID)
}

/// Adds a goal's line; its description gives way.
fn row(
    lines: &mut Lines<'_>,
    look: &Look,
    (style, word): (Style, &str),
    (goal, id, description, took): (&str, usize, &str, &str),
) {
    let rest = look.width.saturating_sub(LABEL + id + 2 + columns(took) + 2);
    let description = one_line(description);
    let room = rest.min(if look.is_endless() { columns(&description) } else { 48 });
    let label = look.word(style, word, LABEL);
    lines.raw(&format!(
        "{label}{}  {}  {took}",
        look.cell(goal, id),
        look.cell(&description, room)
    ));
}

fn under(lines: &mut Lines<'_>, look: &Look, about: &str) {
    let room = look.width.saturating_sub(LABEL);
    lines.raw(&format!("{}{}", " ".repeat(LABEL), look.cut(about, room)));
}

fn fit(lines: &mut Lines<'_>, look: &Look, (style, word): (Style, &str), about: &str) {
    lines.painted(style, word, &look.cut(about, look.width.saturating_sub(LABEL)));
}
