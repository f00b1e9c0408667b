//! Live: what a run says of itself while it goes, in the file of its lock, for `status` in another terminal.
//!
//! Only narration: no state is computed from it but which goal is running, and losing it costs nothing. One small write for
//! each step of the work, never flushed. Owns the bytes of that file.

use std::{io, path::PathBuf};

use eyre::Result;
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    door::{
        env,
        fs::{self, Lock},
    },
    engine::{orders, session::Session},
    fault::{Fault, Kind},
    git::Repo,
    id::GoalId,
    time::Moment,
};

/// A step of the work, as a reader names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// A model or a program works at an answer.
    Asking,
    /// The answer becomes code.
    Applying,
    /// Checks run, on the base where no goal is named.
    Checking,
    /// A candidate is brought onto the target.
    Landing,
    /// It was told to pause.
    Waiting,
    /// A model proposes goals.
    Planning,
}

impl Phase {
    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Applying => "applying",
            Self::Checking => "checking",
            Self::Landing => "landing",
            Self::Waiting => "waiting",
            Self::Planning => "planning",
        }
    }
}

/// What a live process is doing in this clone.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Doing {
    /// The process.
    pub pid: u32,
    /// The goal in hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// The step; absent where the process did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The round of the attempt, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// When the process began.
    #[serde(serialize_with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub began: Option<Moment>,
    /// When it took the goal in hand.
    #[serde(serialize_with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub goal_since: Option<Moment>,
    /// When the step began.
    #[serde(serialize_with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// Model calls of this run so far.
    pub calls: u64,
    /// Dollars of this run so far; `null` where unknown.
    pub cost_usd: Option<f64>,
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn rfc3339<S: Serializer>(at: &Option<Moment>, to: S) -> std::result::Result<S::Ok, S::Error> {
    at.map(Moment::rfc3339).serialize(to)
}

/// The third line of the file; the first is the process, the second the goal. Older programs wrote the first two only.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct More {
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal_since: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Moment>,
    calls: u64,
    usd: Option<f64>,
}

impl Doing {
    /// Words the step and the round: `checking, round 2`; empty where the process did not say.
    pub fn words(&self) -> String {
        let round = self.round.map(|round| format!("round {round}"));
        let phase = self.phase.map(|phase| phase.word().to_owned());
        phase.into_iter().chain(round).collect::<Vec<_>>().join(", ")
    }

    fn text(&self) -> String {
        let more = More {
            phase: self.phase.map(|phase| phase.word().to_owned()),
            round: self.round,
            began: self.began,
            goal_since: self.goal_since,
            since: self.since,
            calls: self.calls,
            usd: self.cost_usd,
        };
        let goal = self.goal.as_ref().map_or("", GoalId::as_str);
        let more = serde_json::to_string(&more).unwrap_or_default();
        format!("{}\n{goal}\n{more}\n", self.pid)
    }

    /// Reads what a process wrote. What is not there, or in a way of another version, is left out.
    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let mut line = || lines.next().unwrap_or_default().trim_end();
        let (pid, goal, more) = (line(), line(), line());
        let more: More = serde_json::from_str(more).unwrap_or_default();
        let phase = more.phase.map(serde_json::Value::String);
        Self {
            pid: pid.parse().unwrap_or(0),
            goal: goal.parse().ok(),
            phase: phase.and_then(|word| serde_json::from_value(word).ok()),
            round: more.round,
            began: more.began,
            goal_since: more.goal_since,
            since: more.since,
            calls: more.calls,
            cost_usd: more.usd,
        }
    }
}

/// The lock of a clone, and what its holder says in it.
#[derive(Debug)]
pub struct Live {
    lock: Lock,
    doing: Doing,
}

impl Live {
    /// Takes the lock.
    ///
    /// # Errors
    /// A fault when another process holds it, or it cannot be taken.
    pub fn begin(session: &Session, repo: &Repo) -> Result<Self> {
        let doing = Doing {
            pid: env::process_id(),
            began: Some(session.clock.now()),
            cost_usd: Some(0.0),
            ..Doing::default()
        };
        fs::create_dir_all(&session.own_dir(repo))?;
        match Lock::try_lock(&file(session, repo), &doing.text())? {
            Some(lock) => Ok(Self { lock, doing }),
            None => Err(busy(session, repo).into()),
        }
    }

    /// Returns what it says.
    pub fn doing(&self) -> &Doing {
        &self.doing
    }

    /// Says which goal is in hand, at `at`.
    pub fn take(&mut self, goal: Option<&GoalId>, at: Moment) {
        self.doing.goal_since = goal.is_some().then_some(at);
        self.doing.goal = goal.cloned();
        (self.doing.phase, self.doing.round, self.doing.since) = (None, None, None);
        self.write();
    }

    /// Says which step begins at `at`, and what the run has spent by then.
    pub fn step(&mut self, (phase, round): (Phase, Option<u32>), at: Moment, (calls, cost_usd): (u64, Option<f64>)) {
        let doing = &mut self.doing;
        if doing.phase != Some(phase) || doing.round != round {
            doing.since = Some(at);
        }
        (doing.phase, doing.round) = (Some(phase), round);
        (doing.calls, doing.cost_usd) = (calls, cost_usd);
        self.write();
    }

    fn write(&mut self) {
        // Only narration: a full disk must not end a run here.
        let _ = self.lock.write(&self.doing.text());
    }
}

/// Returns the file of the lock.
pub fn file(session: &Session, repo: &Repo) -> PathBuf {
    session.own_dir(repo).join("run.lock")
}

/// Reads what a live process does in this clone; `None` where none is at work.
///
/// # Errors
/// When the file is there but cannot be read.
pub fn read(session: &Session, repo: &Repo) -> io::Result<Option<Doing>> {
    let text = Lock::holder(&file(session, repo))?;
    Ok(text.map(|text| Doing::parse(&text)))
}

fn busy(session: &Session, repo: &Repo) -> Fault {
    let holder = Lock::read_holder(&file(session, repo)).unwrap_or_default();
    let pid = Doing::parse(&holder).pid;
    let fault = Fault::new(
        Kind::Busy,
        format!("another run is at work in this clone (process {pid})"),
    );
    let fault = fault.hint("`git invisigoth status` shows what it does");
    match orders::paused(session, repo) {
        Some(_) => fault.hint(format!(
            "it is told to pause: `git invisigoth resume`, or end it: `kill -INT {pid}`"
        )),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let doing = Doing {
            pid: 12,
            goal: Some("ünï goal".parse().unwrap()),
            phase: Some(Phase::Checking),
            round: Some(2),
            began: Some(Moment(1)),
            goal_since: Some(Moment(2)),
            since: Some(Moment(3)),
            calls: 4,
            cost_usd: Some(0.5),
        };
        assert_eq!(Doing::parse(&doing.text()), doing);
        let padded = format!("{}      ", doing.text());
        assert_eq!(Doing::parse(&padded), doing);
    }

    #[test]
    fn older_and_newer_forms_are_read_as_far_as_they_go() {
        let old = Doing {
            pid: 7,
            goal: Some("a".parse().unwrap()),
            ..Doing::default()
        };
        assert_eq!(Doing::parse("7\na\n"), old);
        let newer = "7\na\n{\"phase\":\"dreaming\",\"round\":3,\"mood\":1,\"calls\":2,\"usd\":null}\n";
        let read = Doing::parse(newer);
        assert_eq!((read.phase, read.round, read.calls), (None, Some(3), 2));
        assert_eq!(Doing::parse("7\n\n").goal, None);
        assert_eq!(Doing::parse("").pid, 0);
    }

    #[test]
    fn a_step_began_when_it_was_first_said_and_ends_with_its_goal() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::try_lock(&folder.path().join("run.lock"), "").unwrap().unwrap();
        let mut live = Live {
            lock,
            doing: Doing::default(),
        };
        live.take(Some(&"a".parse().unwrap()), Moment(1));
        live.step((Phase::Asking, Some(1)), Moment(2), (0, None));
        live.step((Phase::Asking, Some(1)), Moment(3), (1, None));
        assert_eq!((live.doing.since, live.doing.calls), (Some(Moment(2)), 1));
        live.step((Phase::Asking, Some(2)), Moment(4), (1, None));
        assert_eq!(live.doing.since, Some(Moment(4)));
        live.take(None, Moment(5));
        let now = (
            live.doing.phase,
            live.doing.round,
            live.doing.since,
            live.doing.goal_since,
        );
        assert_eq!(now, (None, None, None, None));
    }
}
