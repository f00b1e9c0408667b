//! Progress: prints events while a command goes on. A goal's last line is part of the answer; everything else is said
//! beside it, or shown by live lines where there is a terminal for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use crate::{
    check::CheckRow,
    door::clock::{self, SystemClock},
    engine::run::{GoalResult, words},
    event::{Event, Sink, UnderWay},
    id::{CommitId, GoalId},
    letters::one_line,
    schedule::State,
    time::{Clock as _, Moment},
    ui::{
        Ui, look,
        rows::{self, Columns, Row},
    },
};

/// Prints events. With `--json`, each as a line of JSON where the command is one that streams.
pub struct Progress {
    ui: Arc<Ui>,
    streams: bool,
    target: OnceLock<String>,
    seen: Mutex<Seen>,
}

/// What is remembered of the events so far.
#[derive(Default)]
struct Seen {
    columns: Columns,
    rounds: BTreeMap<GoalId, Vec<Vec<CheckRow>>>,
    turned: BTreeMap<GoalId, usize>,
    printed: BTreeSet<GoalId>,
}

impl Progress {
    /// Prints to `ui`; `streams` says whether events are part of a JSON answer.
    pub fn new(ui: Arc<Ui>, streams: bool) -> Self {
        Self {
            ui,
            streams,
            target: OnceLock::new(),
            seen: Mutex::default(),
        }
    }

    /// Names the branch that goals land on, for what is said of goals that did not.
    pub fn target(&self, branch: &str) {
        // Known once: a run has one target.
        let _ = self.target.set(branch.to_owned());
    }

    /// Prints the line of a goal, unless an event had it printed already.
    pub fn result(&self, result: &GoalResult) {
        let about = match result.state {
            State::Landed => None,
            _ => Some(result.reason.as_str()),
        };
        self.row(result.state, (&result.goal, &result.description), about, result.commit);
    }

    fn row(&self, state: State, (goal, description): (&GoalId, &str), about: Option<&str>, commit: Option<CommitId>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.printed.insert(goal.clone()) {
            return;
        }
        let rounds = seen.rounds.remove(goal).unwrap_or_default();
        let turned = seen.turned.remove(goal);
        let untouched = || {
            self.target
                .get()
                .map(|target| format!("; {target} untouched"))
                .unwrap_or_default()
        };
        let about = match (state, about) {
            (State::Failed, Some(why)) => format!("{}{}", one_line(why), untouched()),
            (State::Candidate, Some("")) => rows::checks(&rounds),
            (_, Some(about)) => one_line(about),
            (_, None) => rows::checks(&rounds),
        };
        let about = match turned {
            Some(count) => format!("{about}  red→green {count}"),
            None => about,
        };
        // A held goal's reason is long, and the commit is no result yet.
        let commit = commit.filter(|_| matches!(state, State::Landed | State::Candidate));
        let commit = commit.map(|commit| commit.short()).unwrap_or_default();
        let row = Row {
            state,
            id: goal.as_str(),
            description,
            about: &about,
            commit: &commit,
        };
        let line = seen.columns.line(&self.ui.manner.look, &row);
        self.ui.print(&(line + "\n"));
    }

    fn checked(&self, goal: &GoalId, round: u32, checks: &[CheckRow], why: Option<&str>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.rounds.entry(goal.clone()).or_default().push(checks.to_vec());
        drop(seen);
        match why {
            Some(why) => self.step("checked", goal, &format!("round {round}, {}", one_line(why))),
            None => self.pass(&format!("checked  {goal}  round {round}, {}", words(checks, None))),
        }
    }

    /// Notes tests that turned from red to green, for the goal's line.
    fn turned(&self, goal: &GoalId, red_green: Option<usize>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = red_green {
            seen.turned.insert(goal.clone(), count);
        }
    }

    /// False for a candidate that an earlier run made.
    fn has_rounds(&self, goal: &GoalId) -> bool {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rounds
            .contains_key(goal)
    }

    fn evicted(&self, goal: &GoalId, why: &str, alone: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // What is checked from here on is another attempt.
        seen.rounds.remove(goal);
        drop(seen);
        let next = if alone {
            "the next attempt runs alone"
        } else {
            "to be done again"
        };
        self.step("evicted", goal, &format!("{}; {next}", one_line(why)));
    }

    fn step(&self, word: &str, goal: &GoalId, about: &str) {
        self.ui.say(&format!("{word:<9}{goal}  {about}"));
    }

    fn waits(&self, why: &str, until: Option<&str>) {
        let now = SystemClock.now();
        let at = until.and_then(Moment::from_rfc3339);
        let until = at.map(|at| format!("until {}: ", clock::zone().words(at, now)));
        let line = format!("waiting  {}{}", until.unwrap_or_default(), one_line(why));
        self.ui.say(&line);
    }

    /// Says what live lines show as long as it matters, where there are none.
    fn pass(&self, line: &str) {
        if self.ui.lines().is_none() || self.ui.manner.verbose {
            self.ui.say(line);
        }
    }

    fn text(&self, event: &Event) {
        match event {
            Event::Baseline { base } => {
                let base = base.short();
                self.pass(&format!("checking {base} before anything is asked"));
            }
            Event::Started { goal, description } => {
                let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.columns.widen(goal.as_str());
                // It may have ended before in the same night.
                seen.printed.remove(goal);
                drop(seen);
                let description = self.ui.clean(&one_line(description));
                self.pass(&format!("working  {goal}  {description}"));
                if let Some(lines) = self.ui.lines() {
                    lines.describe(goal, description);
                }
            }
            Event::Asked { goal, round, bytes } => {
                let bytes = look::count(*bytes, "byte", "bytes");
                self.pass(&format!("asked    {goal}  round {round}, {bytes}"));
            }
            Event::Planning { count, round, bytes } => {
                let goals = look::count(*count, "goal", "goals");
                let bytes = look::count(*bytes, "byte", "bytes");
                let line = format!("planning  {goals} asked for, round {round}, {bytes}");
                self.pass(&line);
            }
            Event::Planned {
                goals,
                refused,
                proposed,
            } => {
                let goals = look::count(*goals, "goal", "goals");
                let word = if *proposed { "proposed" } else { "added" };
                self.ui.say(&format!("planned   {goals} {word}, {refused} refused"));
            }
            Event::Refused { goal, round, why } => {
                self.step("refused", goal, &format!("round {round}, {}", one_line(why)));
            }
            Event::Checked {
                goal,
                round,
                checks,
                why,
            } => self.checked(goal, *round, checks, why.as_deref()),
            Event::Landed {
                goal,
                description,
                commit,
                checks,
                red_green,
            } => {
                self.turned(goal, *red_green);
                let about = (!self.has_rounds(goal)).then_some(checks.as_str());
                self.row(State::Landed, (goal, description), about, Some(*commit));
            }
            Event::Evicted { goal, why, alone, .. } => self.evicted(goal, why, *alone),
            Event::Parked { goal, description, why } => self.row(State::Parked, (goal, description), Some(why), None),
            Event::Failed { goal, description, why } => {
                self.row(State::Failed, (goal, description), Some(why), None);
            }
            Event::Held { goal, description, why } => self.row(State::Held, (goal, description), Some(why), None),
            Event::Paused { goal, description, why } => {
                self.row(
                    State::Blocked,
                    (goal, description),
                    Some(&format!("paused: {why}")),
                    None,
                );
            }
            // The outcome says so.
            Event::Ended { .. } => {}
            Event::Waiting { why, until, .. } => self.waits(why.as_str(), until.as_deref()),
            Event::Said { line } => self.ui.say(&one_line(line.as_str())),
        }
    }
}

impl Sink for Progress {
    fn emit(&self, event: &Event) {
        match (self.ui.manner.json, self.streams) {
            (true, true) => self.ui.json_line(event),
            (true, false) => {}
            (false, _) => self.text(event),
        }
    }

    fn show(&self, under_way: &[UnderWay]) {
        if let Some(lines) = self.ui.lines() {
            lines.show(under_way);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;
    use crate::{
        check::Stage,
        secret::{Redactor, Secret},
        ui::{Manner, colour::Paint, look::Look},
    };

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn told(events: &[Event], json: bool) -> (String, String) {
        let plain = Paint { on: false };
        let look = Look {
            paint: plain,
            width: 96,
            unicode: true,
        };
        let (out, err) = (Kept::default(), Kept::default());
        let manner = Manner {
            look,
            stderr: plain,
            quiet: false,
            verbose: false,
            json,
        };
        let ui = Ui::onto(manner, Box::new(out.clone()), Box::new(err.clone()));
        ui.redact(&Redactor::new([&Secret::new("sk-secret-1234")]));
        let progress = Progress::new(Arc::new(ui), true);
        progress.target("main");
        events.iter().for_each(|event| progress.emit(event));
        let text = |kept: &Kept| String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        (text(&out), text(&err))
    }

    fn tests(exit: i32, failed: Option<usize>) -> Vec<CheckRow> {
        vec![CheckRow {
            stage: Stage::Test,
            cmd: "t".into(),
            exit,
            seconds: 0.1,
            tests: Some(7),
            failed,
        }]
    }

    #[test]
    fn a_repaired_goal_ends_in_one_line_of_the_answer() {
        let goal: GoalId = "goal-81c0".parse().unwrap();
        let (description, commit) = ("Tests for slug".to_owned(), "7".repeat(40).parse().unwrap());
        let checked = |round, checks, why: Option<&str>| Event::Checked {
            goal: goal.clone(),
            round,
            checks,
            why: why.map(str::to_owned),
        };
        let events = [
            checked(1, tests(1, Some(1)), Some("test: 1 new failure")),
            checked(2, tests(0, None), None),
            Event::Landed {
                goal: goal.clone(),
                description,
                commit,
                checks: "test ok 7".into(),
                red_green: None,
            },
        ];
        let (out, err) = told(&events, false);
        let line = "landed   goal-81c0  Tests for slug          test 1 of 7 failed, repaired, ok 7           7777777\n";
        assert_eq!(out, line);
        assert_eq!(
            err.lines().next(),
            Some("checked  goal-81c0  round 1, test: 1 new failure")
        );
        assert_eq!(told(&events, true).0.lines().count(), 3);
    }

    #[test]
    fn what_a_failed_goal_says_is_redacted_and_stays_on_its_line() {
        let event = Event::Failed {
            goal: "g".parse().unwrap(),
            description: "a\u{1b}[2J".into(),
            why: "test: sk-secret-1234\nmore".into(),
        };
        let (out, _) = told(&[event], false);
        assert_eq!(
            out,
            "failed   g          a [2J                   test: [redacted] more; main untouched\n"
        );
    }
}
