//! Live: what each run says of itself while it goes, in the file of its lock, for `status` in another terminal.
//!
//! One file a process: `invisigoth/runs/<run>.lock` in the shared git directory, held as long as the process lives, so that
//! others can tell the dead from the living. What is said in it is only narration: no state is computed from it but which
//! goals are in hand, and losing it costs nothing. One small write for each step of the work, never flushed.

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use eyre::Result;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    door::{
        env,
        fs::{self, Lock},
    },
    engine::session::Session,
    event::{Sink, UnderWay},
    git::Repo,
    id::GoalId,
    schedule::forecast,
    time::{
        Moment,
        eta::{Ends, Eta},
    },
};

/// In seconds.
const A_DAY: i64 = 24 * 60 * 60;

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
    /// There is nothing to do for now.
    Idle,
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
            Self::Idle => "idle",
        }
    }
}

/// What a live process is doing in this clone.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Doing {
    /// The process.
    pub pid: u32,
    /// The name of the run.
    pub run: String,
    /// What it does besides its goals; absent where nothing.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "known")]
    pub phase: Option<Phase>,
    /// When the process began.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub began: Option<Moment>,
    /// When `phase` began.
    #[serde(with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// Model calls of this run so far.
    pub calls: u64,
    /// Dollars of this run so far; `null` where unknown.
    pub cost_usd: Option<f64>,
    /// Goals that are ahead of it, those in hand among them.
    pub ahead: usize,
    /// When it has done them, probably; absent where too few goals landed to tell.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "Ends::lenient")]
    pub ends: Option<Ends>,
    /// The goals in hand, in the order in which they were taken.
    pub goals: Vec<InHand>,
}

/// A goal that a process works on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InHand {
    /// The goal.
    pub goal: GoalId,
    /// The step; absent where the process did not say yet.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known")]
    pub phase: Option<Phase>,
    /// The round of the attempt, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// When the goal was taken in hand.
    #[serde(default, with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub goal_since: Option<Moment>,
    /// When the step began.
    #[serde(default, with = "rfc3339", skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
}

/// A step that another version of the program knows is left out.
fn known<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Phase>, D::Error> {
    let word = Option::<serde_json::Value>::deserialize(from)?;
    Ok(word.and_then(|word| serde_json::from_value(word).ok()))
}

mod rfc3339 {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use crate::time::Moment;

    #[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
    pub(super) fn serialize<S: Serializer>(at: &Option<Moment>, to: S) -> Result<S::Ok, S::Error> {
        at.map(Moment::rfc3339).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Moment>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        Ok(text.as_deref().and_then(Moment::from_rfc3339))
    }
}

impl InHand {
    /// Returns how much longer it takes by goals of the `past`; `None` where it lands already: then others decide.
    pub fn left(&self, past: &[Duration], now: Moment) -> Option<Eta> {
        let since = self.goal_since.filter(|_| self.phase != Some(Phase::Landing))?;
        forecast::left(past, now.since(since))
    }

    /// Words the step and the round: `checking, round 2`; empty where the process did not say.
    pub fn words(&self) -> String {
        let round = self.round.map(|round| format!("round {round}"));
        let phase = self.phase.map(|phase| phase.word().to_owned());
        phase.into_iter().chain(round).collect::<Vec<_>>().join(", ")
    }
}

impl Doing {
    /// Returns what it does at `goal`, if it has it in hand.
    pub fn at(&self, goal: &GoalId) -> Option<&InHand> {
        self.goals.iter().find(|hand| hand.goal == *goal)
    }

    /// True where it was told to pause and does.
    pub fn is_waiting(&self) -> bool {
        let waits = |phase: Option<Phase>| phase == Some(Phase::Waiting);
        waits(self.phase) || !self.goals.is_empty() && self.goals.iter().all(|hand| waits(hand.phase))
    }

    /// Lists what goes on; goals that are to land together are one thing.
    pub fn under_way(&self) -> Vec<UnderWay> {
        let of = |goals, phase: Option<Phase>, round, since| UnderWay {
            goals,
            step: phase.map(Phase::word).unwrap_or_default(),
            round,
            since,
            ends: None,
        };
        let lands = |hand: &&InHand| hand.phase == Some(Phase::Landing);
        let (landing, working): (Vec<&InHand>, Vec<&InHand>) = self.goals.iter().partition(lands);
        let own = self.phase.map(|phase| of(Vec::new(), Some(phase), None, self.since));
        let working = working.into_iter().map(|hand| {
            let since = hand.since.or(hand.goal_since);
            of(vec![hand.goal.clone()], hand.phase, hand.round, since)
        });
        let together = landing.first().map(|first| {
            let goals = landing.iter().map(|hand| hand.goal.clone()).collect();
            of(goals, first.phase, None, first.since)
        });
        own.into_iter().chain(working).chain(together).collect()
    }

    /// Returns what is ahead as one thing that goes on, where that is more than one goal.
    fn whole(&self) -> Option<UnderWay> {
        let several = self.ahead > 1 && !self.goals.is_empty();
        self.ends.filter(|_| several).map(|ends| UnderWay {
            goals: Vec::new(),
            step: UnderWay::LEFT,
            round: None,
            since: None,
            ends: Some(ends),
        })
    }

    fn text(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        text + "\n"
    }

    /// Reads what a process wrote; nothing is known of one that wrote in another way.
    fn parse(text: &str) -> Self {
        serde_json::from_str(text.trim_end()).unwrap_or_default()
    }
}

/// The lock of a run, and what is said in it. Shared by all threads of the run.
pub struct Live {
    said: Mutex<Said>,
    run: String,
    file: PathBuf,
    began: Moment,
    paused: AtomicBool,
}

struct Said {
    lock: Lock,
    doing: Doing,
    sink: Arc<dyn Sink>,
    /// How long goals took that landed, the shortest first.
    past: Vec<Duration>,
    /// When it was said.
    at: Moment,
}

impl Live {
    /// Takes a lock of its own for this process, and removes the files of runs that are no more.
    ///
    /// # Errors
    /// When files cannot be made.
    pub fn begin(session: &Session, repo: &Repo) -> Result<Self> {
        let began = session.clock.now();
        let folder = folder(session, repo);
        fs::create_dir_all(&folder)?;
        remove_dead(&folder, began);
        for nth in 0u32.. {
            let nth = if nth == 0 { String::new() } else { format!("-{nth}") };
            let run = format!("{:014}-{}{nth}", began.0, env::process_id());
            let doing = Doing {
                pid: env::process_id(),
                run: run.clone(),
                began: Some(began),
                cost_usd: Some(0.0),
                ..Doing::default()
            };
            let file = file(&folder, &run);
            // Between its making and its locking another process may have taken it for a dead one's.
            if let Some(lock) = Lock::try_lock(&file, &doing.text())?
                && fs::stamp(&file).is_some()
            {
                let sink = Arc::clone(&session.sink);
                let said = Mutex::new(Said {
                    lock,
                    doing,
                    sink,
                    past: Vec::new(),
                    at: began,
                });
                let paused = AtomicBool::new(false);
                return Ok(Self {
                    said,
                    run,
                    file,
                    began,
                    paused,
                });
            }
        }
        Err(eyre::eyre!("no name is left for this run"))
    }

    /// Returns the name of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Notes whether the run pauses; true where that is new.
    pub fn pause(&self, paused: bool) -> bool {
        self.paused.swap(paused, Ordering::SeqCst) != paused
    }

    /// Returns when the run began.
    pub fn began(&self) -> Moment {
        self.began
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that `goal` is in hand since `at`; one that is stays as it was.
    pub fn take(&self, goal: &GoalId, at: Moment) {
        let mut said = self.said();
        if said.doing.at(goal).is_some() {
            return;
        }
        said.at = at;
        said.doing.goals.push(InHand {
            goal: goal.clone(),
            phase: None,
            round: None,
            goal_since: Some(at),
            since: None,
        });
        said.write();
    }

    /// Says that `goal` is no longer in hand.
    pub fn leave(&self, goal: &GoalId) {
        let mut said = self.said();
        said.doing.goals.retain(|hand| hand.goal != *goal);
        said.write();
    }

    /// Says which step begins at `at`, of `goal` or of the run itself, and what the run has spent by then.
    pub fn step(
        &self,
        goal: Option<&GoalId>,
        step: Option<(Phase, Option<u32>)>,
        at: Moment,
        (calls, cost_usd): (u64, Option<f64>),
    ) {
        let mut said = self.said();
        said.at = at;
        let doing = &mut said.doing;
        (doing.calls, doing.cost_usd) = (calls, cost_usd);
        let (phase, round) = step.unzip();
        match goal.map(|goal| doing.goals.iter_mut().find(|hand| hand.goal == *goal)) {
            Some(Some(hand)) => {
                if (hand.phase, hand.round) != (phase, round.flatten()) {
                    hand.since = Some(at);
                }
                (hand.phase, hand.round) = (phase, round.flatten());
            }
            Some(None) => {}
            None => {
                if doing.phase != phase {
                    doing.since = phase.map(|_| at);
                }
                doing.phase = phase;
            }
        }
        said.write();
    }

    /// Says what is ahead of the run, by goals that landed and took as long as `past`.
    pub fn foretell(&self, past: &[Duration], (ahead, ends): (usize, Option<Ends>)) {
        let mut said = self.said();
        if said.past != past {
            said.past = past.to_vec();
        }
        (said.doing.ahead, said.doing.ends) = (ahead, ends);
        said.write();
    }
}

/// A run that is no more needs no file, and nothing of it goes on.
impl Drop for Live {
    fn drop(&mut self) {
        self.said().sink.show(&[]);
        let _ = fs::remove_if_there(&self.file);
    }
}

impl Said {
    fn write(&mut self) {
        // Only narration: a full disk must not end a run here.
        let text = self.doing.text();
        let _ = self.lock.write(&text);
        let mut under_way = self.doing.under_way();
        for one in &mut under_way {
            if let [goal] = one.goals.as_slice()
                && let Some(hand) = self.doing.at(goal)
            {
                one.ends = hand.left(&self.past, self.at).map(|eta| eta.after(self.at));
            }
        }
        under_way.extend(self.doing.whole());
        self.sink.show(&under_way);
    }
}

/// Returns the folder with one file a run.
pub fn folder(session: &Session, repo: &Repo) -> PathBuf {
    session.own_dir(repo).join("runs")
}

fn file(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{run}.lock"))
}

/// Returns the file of the lock of `run`: as long as somebody holds it, that run lives.
pub fn lock_of(session: &Session, repo: &Repo, run: &str) -> PathBuf {
    file(&folder(session, repo), run)
}

/// Removes the files of dead runs, but of those `named`: they tell that somebody's claim is a dead run's.
pub fn sweep(session: &Session, repo: &Repo, named: &BTreeSet<String>) {
    for path in fs::files_in(&folder(session, repo)).unwrap_or_default() {
        let run = path.file_stem().and_then(|run| run.to_str()).unwrap_or_default();
        if !named.contains(run) {
            remove_if_dead(&path);
        }
    }
}

/// A file of a run is never taken again, so it can go while we hold its lock.
fn remove_if_dead(path: &Path) {
    if let Ok(Some(_lock)) = Lock::try_lock(path, "") {
        let _ = fs::remove_if_there(path);
    }
}

/// Removes the files of runs that have been dead for a day: by then no claim is theirs.
fn remove_dead(folder: &Path, now: Moment) {
    let is_old = |path: &Path| fs::stamp(path).is_some_and(|stamp| now.0 / 1000 - stamp.changed().0 > A_DAY);
    for path in fs::files_in(folder).unwrap_or_default() {
        if is_old(&path) {
            remove_if_dead(&path);
        }
    }
}

/// Reads what each live process does in this clone, the oldest first.
///
/// # Errors
/// When a file is there but cannot be read.
pub fn read(session: &Session, repo: &Repo) -> io::Result<Vec<Doing>> {
    let mut all = Vec::new();
    for path in fs::files_in(&folder(session, repo))? {
        if let Some(text) = Lock::holder(&path)? {
            all.push(Doing::parse(&text));
        }
    }
    all.sort_by(|one, other| (one.began, &one.run).cmp(&(other.began, &other.run)));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{door::clock::SystemClock, event::Event, time::Clock as _};

    struct Nobody;

    impl Sink for Nobody {
        fn emit(&self, _: &Event) {}
    }

    fn live(folder: &Path) -> Live {
        let lock = Lock::try_lock(&folder.join("r.lock"), "").unwrap().unwrap();
        let (doing, sink) = (Doing::default(), Arc::new(Nobody));
        Live {
            said: Mutex::new(Said {
                lock,
                doing,
                sink,
                past: Vec::new(),
                at: Moment(0),
            }),
            run: "r".into(),
            file: folder.join("r.lock"),
            began: Moment(0),
            paused: AtomicBool::new(false),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let hand = InHand {
            goal: "ünï goal".parse().unwrap(),
            phase: Some(Phase::Checking),
            round: Some(2),
            goal_since: Some(Moment(2000)),
            since: Some(Moment(3000)),
        };
        let doing = Doing {
            pid: 12,
            run: "r".into(),
            phase: Some(Phase::Planning),
            began: Some(Moment(1000)),
            since: Some(Moment(4000)),
            calls: 4,
            cost_usd: Some(0.5),
            ahead: 3,
            ends: Some(Ends {
                first: Moment(9000),
                last: Moment(10_000),
            }),
            goals: vec![hand],
        };
        assert_eq!(Doing::parse(&doing.text()), doing);
        let padded = format!("{}      ", doing.text());
        assert_eq!(Doing::parse(&padded), doing);
    }

    #[test]
    fn other_forms_are_read_as_far_as_they_go() {
        let newer = r#"{"pid":7,"mood":1,"calls":2,"ends":"soon","goals":[{"goal":"a","phase":"dreaming","round":3}]}"#;
        let read = Doing::parse(newer);
        assert_eq!((read.pid, read.calls), (7, 2));
        assert_eq!((read.goals[0].phase, read.goals[0].round), (None, Some(3)));
        assert_eq!(Doing::parse("7\na\n"), Doing::default());
    }

    #[test]
    fn a_step_began_when_it_was_first_said_and_ends_with_its_goal() {
        let folder = tempfile::tempdir().unwrap();
        let live = live(folder.path());
        let (a, b): (GoalId, GoalId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let asking = |round| Some((Phase::Asking, Some(round)));
        live.take(&a, Moment(1));
        live.take(&b, Moment(1));
        live.step(Some(&a), asking(1), Moment(2), (0, None));
        live.step(Some(&a), asking(1), Moment(3), (1, None));
        let since = || live.said().doing.at(&a).map(|hand| hand.since);
        assert_eq!((since(), live.said().doing.calls), (Some(Some(Moment(2))), 1));
        live.step(Some(&a), asking(2), Moment(4), (1, None));
        assert_eq!(since(), Some(Some(Moment(4))));
        live.leave(&a);
        let doing = live.said().doing.clone();
        assert_eq!((doing.at(&a), doing.goals.len()), (None, 1));
    }

    #[test]
    fn what_lands_together_is_one_thing_that_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let live = live(folder.path());
        let goals: Vec<GoalId> = ["a", "b", "c"].iter().map(|id| id.parse().unwrap()).collect();
        for (goal, at) in goals.iter().zip(1..) {
            live.take(goal, Moment(at));
        }
        for goal in &goals[..2] {
            live.step(Some(goal), Some((Phase::Landing, None)), Moment(9), (0, None));
        }
        let shown = live.said().doing.under_way();
        let shown: Vec<_> = shown.iter().map(|one| (one.goals.len(), one.step, one.since)).collect();
        assert_eq!(shown, [(1, "", Some(Moment(3))), (2, "landing", Some(Moment(9)))]);
    }

    #[test]
    fn files_of_dead_runs_go_and_those_of_the_living_stay() {
        let folder = tempfile::tempdir().unwrap();
        let live = live(folder.path());
        std::fs::write(folder.path().join("dead.lock"), "{}").unwrap();
        remove_dead(folder.path(), SystemClock.now());
        assert_eq!(fs::files_in(folder.path()).unwrap().len(), 2);
        let later = Moment(SystemClock.now().0 + 1000 * (A_DAY + 60));
        remove_dead(folder.path(), later);
        let left = fs::files_in(folder.path()).unwrap();
        assert_eq!(left, [folder.path().join("r.lock")]);
        drop(live);
        assert!(fs::files_in(folder.path()).unwrap().is_empty());
    }
}
