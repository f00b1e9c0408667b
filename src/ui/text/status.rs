//! `status` as text: one screen of 80 columns, first what needs a person. Every line starts with a word to grep for.
//!
//! Below it `porcelain` (for scripts) and `graph` (what needs what), and in `screen` how many lines each kind of goal gets.

pub mod graph;
pub mod porcelain;
mod screen;

use crate::{
    commands::status::{Outcome, Row, today},
    engine::live::{Doing, InHand, Phase},
    letters::{columns, one_line},
    money::{caps::Scope, dollars},
    quote::quoted,
    schedule::State,
    time::Moment,
    ui::{
        View,
        colour::Style,
        look::{ID, Look, age, count, grouped, pad},
        text::{LABEL, Lines, at_least, budget},
    },
};

/// Most commands that raise a cap.
const RAISES: usize = 2;
/// How many goals that landed are named.
const LANDED: usize = 3;

impl View for Outcome {
    fn text(&self, look: &Look) -> String {
        let mut lines = Lines::new(look);
        self.pause(&mut lines, look);
        let shown = screen::shown(|state| self.of(state).count());
        let ids = shown.iter().flat_map(|(state, most)| self.of(*state).take(*most));
        let landed = self.today.landed.iter().take(LANDED).map(|row| row.goal.as_str());
        let id = width_of(look, ids.map(|row| row.goal.as_str()).chain(landed));
        self.sections(&mut lines, look, (&shown, id));
        self.landed(&mut lines, look, id);
        self.standing(&mut lines, look);
        for command in self.raises() {
            lines.add("raise", command);
        }
        for part in self.totals(look) {
            lines.add("goals", &part);
        }
        // Where results wait, the branch itself is not there yet.
        let at = if self.beside.is_some() {
            ", its results at"
        } else {
            " at"
        };
        lines.add("target", &format!("{}{at} {}", self.target, self.tip.short()));
        for (word, command) in self.next() {
            lines.painted(Style::Dim, word, &command);
        }
        lines.end()
    }
}

/// Adds a line that gives way to the width of a terminal.
fn fitting(lines: &mut Lines<'_>, look: &Look, (style, word): (Style, &str), about: &str) {
    lines.painted(style, word, &look.cut(about, look.width.saturating_sub(LABEL)));
}

impl Outcome {
    fn pause(&self, lines: &mut Lines<'_>, look: &Look) {
        let Some(paused) = &self.paused else { return };
        let since = paused.since.as_deref().and_then(Moment::from_rfc3339);
        let since = since.map(|since| format!("for {}", age(self.at.since(since))));
        let what = match self.runs.as_slice() {
            [] => "no run begins",
            runs if runs.iter().all(Doing::is_waiting) => "the run waits",
            _ => "the run ends its step, then waits",
        };
        let parts: Vec<String> = since.into_iter().chain([what.to_owned()]).collect();
        let why = paused.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        fitting(
            lines,
            look,
            (Style::Warn, "paused"),
            &format!("{}{why}", parts.join(", ")),
        );
    }

    fn sections(&self, lines: &mut Lines<'_>, look: &Look, (shown, id): (&[(State, usize)], usize)) {
        for &(state, most) in shown {
            for row in self.of(state).take(most) {
                lines.raw(&line(look, &self.cells(row, look), id));
            }
            if state == State::Running {
                self.run(lines, look);
            }
            let more = self.of(state).count().saturating_sub(most);
            if more > 0 {
                let more = grouped(more);
                let command = format!(
                    "{} and {more} more: git invisigoth list --state {state}",
                    look.ellipsis()
                );
                lines.painted(Style::of(state), state.word(), &command);
            }
        }
    }

    fn of(&self, state: State) -> impl Iterator<Item = &Row> {
        self.goals.iter().filter(move |row| row.state == state)
    }

    fn cells<'a>(&'a self, row: &'a Row, look: &Look) -> Cells<'a> {
        let hand = self.runs.iter().find_map(|run| run.at(&row.goal));
        let reason = match (row.state, row.position, hand) {
            (State::Running, _, Some(hand)) => working(hand, self.at, row.eta.map(|eta| look.left(eta))),
            (State::Ready, Some(position), _) => format!("{position} of {}", self.number(State::Ready)),
            _ => paused(row).map_or(row.reason.as_str(), |(why, _)| why).to_owned(),
        };
        Cells {
            state: row.state,
            id: row.goal.as_str(),
            description: &row.description,
            reason,
        }
    }

    /// What the live processes are and took so far.
    fn run(&self, lines: &mut Lines<'_>, look: &Look) {
        for doing in &self.runs {
            fitting(lines, look, (Style::Live, "run"), &self.at_work(doing, look));
        }
    }

    fn at_work(&self, doing: &Doing, look: &Look) -> String {
        let mut parts = vec![format!("process {}", doing.pid)];
        if let Some(began) = doing.began {
            parts.push(age(self.at.since(began)));
        }
        if doing.goals.is_empty() {
            match (doing.phase, doing.since) {
                (Some(Phase::Checking), Some(since)) => {
                    parts.push(format!("checking the base for {}", age(self.at.since(since))));
                }
                (Some(phase), _) => parts.push(phase.word().to_owned()),
                (None, _) => {}
            }
        }
        parts.push(count(doing.calls, "call", "calls"));
        parts.push(dollars(doing.cost_usd));
        if let Some(eta) = doing.ends.and_then(|ends| ends.left(self.at)) {
            let ahead = grouped(doing.ahead);
            parts.push(format!("{ahead} ahead, {} left", look.about(eta)));
        }
        parts.join(", ")
    }

    fn landed(&self, lines: &mut Lines<'_>, look: &Look, id: usize) {
        for row in self.today.landed.iter().take(LANDED) {
            let cells = Cells {
                state: State::Landed,
                id: row.goal.as_str(),
                description: &row.subject,
                reason: took(row, self.at),
            };
            lines.raw(&line(look, &cells, id));
        }
        let spent = &self.today.spent;
        let mut parts = Vec::new();
        if self.today.count > 0 {
            parts.push(format!("{} landed", grouped(self.today.count)));
        }
        // Where the day has a cap, its line says it.
        if spent.calls > 0 && self.budget.iter().all(|row| row.scope != Scope::Day) {
            parts.push(at_least(look, spent.usd, spent.unknown));
            parts.push(count(spent.calls, "call", "calls"));
            parts.push(count(spent.tokens, "token", "tokens"));
        }
        if !parts.is_empty() {
            fitting(
                lines,
                look,
                (Style::Good, "today"),
                &format!("{} (UTC)", parts.join(", ")),
            );
        }
    }

    fn standing(&self, lines: &mut Lines<'_>, look: &Look) {
        for row in &self.budget {
            let spent = budget::spent(look, &row.spent, &row.caps);
            let when = match row.scope {
                Scope::Run => "in the newest run",
                Scope::Day | Scope::Goal => "today (UTC)",
            };
            fitting(lines, look, (Style::Bold, "budget"), &format!("{spent} {when}"));
        }
        self.conflicts(lines, look);
        if let Some(why) = &self.beside {
            let why = format!("results are beside {}: {why}", self.target);
            fitting(lines, look, (Style::Warn, "waiting"), &why);
        }
    }

    /// Names a goal whose keys two sides set differently, and how many more there are.
    fn conflicts(&self, lines: &mut Lines<'_>, look: &Look) {
        let mut all = self.goals.iter().filter(|row| !row.conflict.is_empty());
        let Some(row) = all.next() else { return };
        let more = match all.count() {
            0 => String::new(),
            more => format!(", {more} more"),
        };
        let command = format!("git invisigoth show {}", quoted(row.goal.as_str()));
        let about = format!("{} ({}){more}: {command}", row.goal, row.conflict.join(", "));
        fitting(lines, look, (Style::Warn, "conflict"), &about);
    }

    fn number(&self, state: State) -> usize {
        self.counts.get(state.word()).copied().unwrap_or(0)
    }

    /// Words how many goals there are of each state, in as many lines as that takes.
    fn totals(&self, look: &Look) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for state in State::ALL.into_iter().filter(|state| self.number(*state) > 0) {
            let number = format!("{} {state}", self.number(state));
            match lines.last_mut() {
                Some(line) if LABEL + columns(line) + 3 + columns(&number) <= look.width => {
                    line.extend([" ", look.dot(), " ", &number]);
                }
                _ => lines.push(number),
            }
        }
        if lines.is_empty() {
            lines.push("none yet".to_owned());
        }
        lines
    }

    /// Lists what makes goals go on that pause: a command that is cut is of no use to anybody.
    fn raises(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for (_, command) in self.goals.iter().filter_map(paused) {
            if !all.contains(&command) && all.len() < RAISES {
                all.push(command);
            }
        }
        all
    }

    /// Lists what to type now: what there is to see first, then what settles it.
    fn next(&self) -> Vec<(&'static str, String)> {
        let mut next = Vec::new();
        if self.paused.is_some() {
            next.push(("next", "git invisigoth resume".to_owned()));
        }
        let needs = [State::Held, State::Failed, State::Parked, State::Proposed].map(|state| self.of(state).next());
        if let Some(row) = needs.into_iter().flatten().next() {
            let id = quoted(row.goal.as_str());
            next.push(("next", format!("git invisigoth show {id}")));
            next.extend(row.next.clone().map(|command| ("or", command)));
        }
        if next.is_empty() {
            next.push(("next", self.go_on().to_owned()));
        }
        next
    }

    fn go_on(&self) -> &'static str {
        if !self.runs.is_empty() {
            "git invisigoth status --watch"
        } else if !self.has_checks {
            "git invisigoth init"
        } else if self.number(State::Ready) > 0 {
            "git invisigoth run"
        } else if self.goals.iter().any(|row| paused(row).is_some()) {
            "git invisigoth budget"
        } else if self.number(State::Candidate) > 0 {
            "git invisigoth merge"
        } else if self.counts.values().sum::<usize>() == 0 {
            "git invisigoth add \"what to do\""
        } else {
            "git invisigoth log"
        }
    }
}

/// Words what the run does with the goal in hand: `checking 12 s, round 2, 4–9 min left`; where nobody knows what is left, how
/// long it went on: `checking 12 s, round 2, 3 min in all`.
fn working(hand: &InHand, at: Moment, left: Option<String>) -> String {
    let since = |began: Option<Moment>| began.map(|began| age(at.since(began)));
    let phase = hand.phase.map(|phase| match since(hand.since) {
        Some(age) => format!("{} {age}", phase.word()),
        None => phase.word().to_owned(),
    });
    let round = hand.round.map(|round| format!("round {round}"));
    let whole = since(hand.goal_since).map(|age| format!("{age} in all"));
    phase
        .into_iter()
        .chain(round)
        .chain(left.or(whole))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Words a landing: its commit, how long ago it was, what it cost.
fn took(row: &today::Row, at: Moment) -> String {
    let ago = Moment::from_rfc3339(&row.at).map(|landed| format!("{} ago", age(at.since(landed))));
    let parts = [Some(row.commit.short()), ago, Some(dollars(row.cost_usd))];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

/// Splits why a goal pauses into the cap and the command that raises it.
fn paused(row: &Row) -> Option<(&str, &str)> {
    row.reason.split_once("; ").filter(|_| row.is_capped())
}

/// What stands on the line of a goal.
struct Cells<'a> {
    state: State,
    id: &'a str,
    description: &'a str,
    reason: String,
}

fn width_of<'a>(look: &Look, ids: impl Iterator<Item = &'a str>) -> usize {
    let widest = ids.map(columns).max().unwrap_or(0);
    if look.is_endless() { widest } else { widest.min(ID) }
}

/// The description gives way to the reason, which is what the line is for.
fn line(look: &Look, cells: &Cells<'_>, id: usize) -> String {
    let room = look.width.min(120).saturating_sub(LABEL + id + 2).max(30);
    let reason = one_line(&cells.reason);
    let text = one_line(cells.description);
    let head = |id: &str| format!("{}{id}  ", look.state(cells.state, LABEL));
    if look.is_endless() {
        let reason = if reason.is_empty() {
            reason
        } else {
            format!("  {reason}")
        };
        return format!("{}{}{reason}", head(&pad(&one_line(cells.id), id)), pad(&text, 16));
    }
    let head = head(&look.cell(cells.id, id));
    if reason.is_empty() {
        return head + &look.cut(&text, room);
    }
    let description = room
        .saturating_sub(columns(&reason) + 2)
        .clamp(16, 40)
        .min(columns(&text).max(16));
    format!(
        "{head}{}  {}",
        look.cell(&text, description),
        look.cut(&reason, room.saturating_sub(description + 2))
    )
}

#[cfg(test)]
mod tests;
