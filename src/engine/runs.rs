//! Runs: when each run began to work, when it ended and what it did besides calls, in `invisigoth/runs.jsonl` of the shared git
//! directory.
//!
//! Owns the bytes of these lines and the tally that they are made of. What was spent is in the ledger, what became of goals in
//! records and attempts: this is only what neither can say. Losing the file loses times and counts of past runs.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    door::{
        env::Env,
        fs::{self, lines::Lines},
        wait::Stopwatch,
    },
    engine::{session::Session, worker::Worker},
    fault::{Fault, Kind},
    git::Repo,
    time::{Clock, Moment},
};

/// From this size on, in bytes, only the newest runs are kept when one begins.
const LARGE: u64 = 256 * 1024;
/// How many bytes of them.
const KEPT: usize = 128 * 1024;

/// What a process did so far that is counted nowhere else.
#[derive(Debug, Default)]
pub struct Tally {
    checks: AtomicU64,
    millis: AtomicU64,
    refused: AtomicU64,
}

impl Tally {
    /// Counts a command of a gate that ran.
    pub fn checked(&self, took: Duration) {
        self.checks.fetch_add(1, Ordering::Relaxed);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.millis.fetch_add(millis, Ordering::Relaxed);
    }

    /// Counts a reply that could not be used.
    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what was counted so far.
    pub fn now(&self) -> Counts {
        Counts {
            checks: self.checks.load(Ordering::Relaxed),
            check_ms: self.millis.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }
}

/// What was counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Commands of gates that ran.
    pub checks: u64,
    /// How long they took together, in milliseconds.
    pub check_ms: u64,
    /// Replies that could not be used.
    pub refused: u64,
}

impl Counts {
    /// Returns how long the checks took together.
    pub fn check_seconds(&self) -> f64 {
        Duration::from_millis(self.check_ms).as_secs_f64()
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.checks = self.checks.saturating_add(other.checks);
        self.check_ms = self.check_ms.saturating_add(other.check_ms);
        self.refused = self.refused.saturating_add(other.refused);
    }

    fn less(self, before: Self) -> Self {
        Self {
            checks: self.checks.saturating_sub(before.checks),
            check_ms: self.check_ms.saturating_sub(before.check_ms),
            refused: self.refused.saturating_sub(before.refused),
        }
    }
}

/// Who or what started a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", from = "String")]
pub enum By {
    /// Somebody at a shell, or nobody who says.
    #[default]
    Person,
    /// The dashboard.
    Dashboard,
    /// A hook of git.
    Hook,
    /// The service or its timer.
    Service,
    /// A runner of CI, or a cluster.
    Ci,
}

impl By {
    /// The variable in which whoever starts a command says so.
    pub const VARIABLE: &str = "INVISIGOTH_BY";

    /// Every one, as a reader looks for them.
    pub const ALL: [Self; 5] = [Self::Person, Self::Dashboard, Self::Hook, Self::Service, Self::Ci];

    /// Returns the word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Dashboard => "dashboard",
            Self::Hook => "hook",
            Self::Service => "service",
            Self::Ci => "ci",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.word() == word)
    }

    /// Reads who started this process.
    pub fn of(env: &Env) -> Self {
        let said = env.get(Self::VARIABLE).and_then(Self::from_word);
        said.unwrap_or_else(|| if is_in_ci(env) { Self::Ci } else { Self::Person })
    }
}

/// True in a CI job: `CI` is set, and not to no.
pub fn is_in_ci(env: &Env) -> bool {
    env.get("CI").is_some_and(|ci| !matches!(ci, "" | "0" | "false"))
}

/// A word of another version counts as none.
impl From<String> for By {
    fn from(word: String) -> Self {
        Self::from_word(&word).unwrap_or_default()
    }
}

/// Why a run ended before its time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cut {
    /// The exit code of it.
    pub code: u8,
    /// One line.
    pub why: String,
}

/// The line at the beginning of a run.
#[derive(Debug, Serialize, Deserialize)]
struct Began {
    run: String,
    at: Moment,
    #[serde(default)]
    by: By,
}

/// A later line of it: how far it came. The last one counts.
#[derive(Debug, Serialize, Deserialize)]
struct Came {
    of: String,
    at: Moment,
    /// Milliseconds since it began, however the clock was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ms: Option<u64>,
    #[serde(default)]
    ended: bool,
    #[serde(flatten)]
    counts: Counts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<Cut>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Began(Began),
    Came(Came),
}

/// A run, as its lines tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Its name, as that of its lock.
    pub name: String,
    /// Who or what started it.
    pub by: By,
    /// When it began to work.
    pub began: Moment,
    /// When it was heard of last; not before it began, however the clock was set.
    pub heard: Moment,
    /// How long it had lasted by then.
    pub took: Duration,
    /// True where it came to its end; else it goes on, or was killed.
    pub ended: bool,
    /// What it did.
    pub counts: Counts,
    /// Why it ended before its time, if it did.
    pub cut: Option<Cut>,
}

/// The run of this process.
pub struct Own {
    path: PathBuf,
    name: String,
    clock: Arc<dyn Clock>,
    tally: Arc<Tally>,
    before: Counts,
    since: Stopwatch,
}

impl Own {
    /// Writes down that the run of `worker` begins to work.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(worker: &Worker<'_>) -> io::Result<Self> {
        let session = worker.session;
        let path = file(session, &worker.repo);
        let own = Self {
            path,
            name: worker.live.run().to_owned(),
            clock: Arc::clone(&session.clock),
            tally: Arc::clone(&session.tally),
            before: session.tally.now(),
            since: Stopwatch::start(),
        };
        let mut lines = Lines::hold(&own.path)?;
        let text = lines.rest(0)?.unwrap_or_default();
        if u64::try_from(text.len()).unwrap_or(u64::MAX) >= LARGE {
            lines.replace(&newest(&String::from_utf8_lossy(&text)))?;
            lines = Lines::hold(&own.path)?;
        }
        let line = Began {
            run: own.name.clone(),
            at: session.clock.now(),
            by: By::of(&session.env),
        };
        lines.append(&serde_json::to_string(&line)?, false)?;
        Ok(own)
    }

    /// Writes down how far it came. Where it cannot be written the line before stands.
    pub fn came(&self) {
        self.write(false, None);
    }

    /// Writes down that it ended, and why before its time, if so.
    pub fn end(&self, session: &Session, cut: Option<&Fault>) {
        let cut = cut.map(|fault| Cut {
            code: fault.kind.exit_code(),
            why: session.redactor.clean(&fault.message).into_string(),
        });
        self.write(true, cut);
    }

    fn write(&self, ended: bool, cut: Option<Cut>) {
        let line = Came {
            of: self.name.clone(),
            at: self.clock.now(),
            ms: u64::try_from(self.since.elapsed().as_millis()).ok(),
            ended,
            counts: self.tally.now().less(self.before),
            cut,
        };
        let append = |line: String| Lines::hold(&self.path)?.append(&line, false);
        let _ = serde_json::to_string(&line).map_err(io::Error::from).and_then(append);
    }
}

impl Run {
    /// True where it ended at a cap.
    pub fn is_capped(&self) -> bool {
        let code = Kind::Budget.exit_code();
        self.cut.as_ref().is_some_and(|cut| cut.code == code)
    }
}

/// Returns the end of the file, from the beginning of a line on.
fn newest(text: &str) -> String {
    let mut from = text.len().saturating_sub(KEPT);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let (_, end) = text.split_at(from);
    end.split_once('\n').map_or("", |(_, whole)| whole).to_owned()
}

fn file(session: &Session, repo: &Repo) -> PathBuf {
    session.own_dir(repo).join("runs.jsonl")
}

/// Reads the runs of this clone, in the order in which they began.
///
/// # Errors
/// When they cannot be read.
pub fn read(session: &Session, repo: &Repo) -> io::Result<Vec<Run>> {
    let text = fs::read(&file(session, repo))?.unwrap_or_default();
    Ok(of_lines(&String::from_utf8_lossy(&text)))
}

/// What cannot be read was torn by a crash, and is passed over.
fn of_lines(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for line in text.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Began(began)) => runs.push(Run {
                name: began.run,
                by: began.by,
                began: began.at,
                heard: began.at,
                took: Duration::ZERO,
                ended: false,
                counts: Counts::default(),
                cut: None,
            }),
            Ok(Line::Came(came)) => {
                if let Some(run) = runs.iter_mut().rev().find(|run| run.name == came.of) {
                    // Lines of older versions have the clock's time alone.
                    let by_clock = came.at.since(run.began);
                    run.took = came.ms.map_or(by_clock, Duration::from_millis);
                    (run.heard, run.ended) = (run.heard.max(came.at), came.ended);
                    (run.counts, run.cut) = (came.counts, came.cut);
                }
            }
            Err(_) => {}
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_run_counts_and_a_torn_one_does_not() {
        let text = concat!(
            r#"{"run":"a","at":1000}"#,
            "\n",
            r#"{"of":"a","at":2000,"checks":2,"check_ms":30,"refused":0}"#,
            "\n",
            r#"{"run":"b","at":5000}"#,
            "\n",
            r#"{"of":"a","at":4000,"ended":true,"checks":5,"check_ms":70,"refused":1,"cut":{"code":6,"why":"w"}}"#,
            "\n",
            r#"{"of":"b","at":70"#,
        );
        let runs = of_lines(text);
        let told: Vec<(i64, i64, bool, u64, bool)> = runs
            .iter()
            .map(|run| (run.began.0, run.heard.0, run.ended, run.counts.checks, run.is_capped()))
            .collect();
        assert_eq!(told, [(1000, 4000, true, 5, true), (5000, 5000, false, 0, false)]);
    }

    #[test]
    fn who_started_a_run_is_said_or_seen() {
        let by = |pairs: &[(&str, &str)]| By::of(&Env::from_pairs(pairs.iter().copied()));
        assert_eq!(by(&[]), By::Person);
        assert_eq!(by(&[("CI", "true")]), By::Ci);
        assert_eq!(by(&[("CI", "true"), (By::VARIABLE, "service")]), By::Service);
        for no in ["", "0", "false"] {
            assert_eq!(by(&[("CI", no), (By::VARIABLE, "nonsense")]), By::Person);
        }
        for known in By::ALL {
            assert_eq!(by(&[(By::VARIABLE, known.word())]), known);
        }
        let lines = "{\"run\":\"a\",\"at\":1,\"by\":\"hook\"}\n{\"run\":\"b\",\"at\":2}\n{\"run\":\"c\",\"at\":3,\"by\":\"x\"}\n";
        let read: Vec<By> = of_lines(lines).iter().map(|run| run.by).collect();
        assert_eq!(read, [By::Hook, By::Person, By::Person]);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_run_shorter() {
        let text = concat!(
            r#"{"run":"a","at":9000}"#,
            "\n",
            r#"{"of":"a","at":1000,"ms":500,"ended":true,"checks":1}"#,
            "\n",
        );
        let told: Vec<(i64, Duration)> = of_lines(text).iter().map(|run| (run.heard.0, run.took)).collect();
        assert_eq!(told, [(9000, Duration::from_millis(500))]);
    }

    #[test]
    fn of_a_long_file_the_newest_whole_lines_are_kept() {
        let text = "ä-line\n".repeat(40_000);
        let kept = newest(&text);
        assert!(kept.len() <= KEPT && kept.len() > KEPT - 10 && kept.starts_with("ä-line\n"));
    }
}
