//! Checks: what a gate runs, what came of it, and `Verified`, the token without which nothing is committed or landed.
//!
//! Owns when a report counts as passed. Runs nothing itself.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    id::{GateId, Hash},
    secret::Clean,
    snapshot::CodeTree,
};

/// Which of a gate's commands it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Makes a slot ready: installs dependencies.
    Setup,
    /// `check.lint`
    Lint,
    /// `check.test`
    Test,
    /// `check.test_file` with the goal's test file
    TestFile,
}

impl Stage {
    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Lint => "lint",
            Self::Test => "test",
            Self::TestFile => "test file",
        }
    }
}

/// What fences a gate's commands in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sandbox {
    /// Nothing: they run with the user's rights.
    #[default]
    None,
    /// Bubblewrap.
    Bwrap,
}

impl Sandbox {
    /// Returns the word of a record.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bwrap => "bwrap",
        }
    }
}

/// The commands and limits that judge a code tree. Read from the base while a goal is executed, from the target head when
/// it lands; never from the candidate.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gate {
    /// Shell commands in the order they run; set-up commands first.
    pub commands: Vec<(Stage, String)>,
    /// The command that runs one test file, with `{file}` in the place of its path.
    pub test_file: Option<String>,
    /// Environment variables that the commands may see besides the usual.
    pub env: Vec<String>,
    /// Ignored paths that are copied from the user's checkout into a slot.
    pub copy: Vec<String>,
    /// Longest time of one command.
    pub timeout: Duration,
    /// Whether the slot gets a throw-away `.git`.
    pub git: bool,
    /// What fences the commands in.
    pub sandbox: Sandbox,
    /// Whether fenced commands have the network.
    pub network: bool,
    /// Most address space of one process, in MiB.
    pub memory: Option<u32>,
    /// What else decides the outcome: tool versions and allowed environment, as text.
    pub fingerprint: String,
}

impl Gate {
    /// Returns the id: equal gates judge alike.
    pub fn id(&self) -> GateId {
        let mut parts: Vec<String> = self
            .commands
            .iter()
            .map(|(stage, command)| format!("{} {command}", stage.word()))
            .collect();
        parts.push(self.copy.join("\u{1f}"));
        parts.push(format!("{} {}", self.timeout.as_millis(), self.git));
        parts.push(self.fingerprint.clone());
        parts.push(format!("{} {} {:?}", self.sandbox.word(), self.network, self.memory));
        GateId(Hash::of("gate", parts.iter().map(String::as_bytes)).short(16))
    }

    /// True where there is neither lint nor test.
    pub fn is_empty(&self) -> bool {
        !self.commands.iter().any(|(stage, _)| *stage != Stage::Setup)
    }
}

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// By itself, with this exit code; `128 + n` for signal `n`.
    Exit(i32),
    /// Killed, with its whole process tree, after its time limit.
    TimedOut,
    /// Killed because the run was asked to stop.
    Stopped,
    /// Could not be started: no such program or folder.
    NotStarted,
}

/// Identities of the tests that a command reported, as far as its output could be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tests {
    /// Names that passed.
    pub passed: BTreeSet<String>,
    /// Names that failed.
    pub failed: BTreeSet<String>,
    /// Names that were skipped, ignored or expected to fail.
    pub skipped: BTreeSet<String>,
    /// What the runner counted, where it counted more tests than it named.
    pub counted: Option<Counts>,
}

/// How many tests a runner says there were.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that were skipped, ignored or expected to fail.
    pub skipped: usize,
}

impl Tests {
    /// Returns the runner's counts, or how many names there are where all are named.
    pub fn counts(&self) -> Counts {
        self.counted.unwrap_or(Counts {
            passed: self.passed.len(),
            failed: self.failed.len(),
            skipped: self.skipped.len(),
        })
    }

    /// Returns how many tests ran: passed or failed.
    pub fn ran(&self) -> usize {
        let counts = self.counts();
        counts.passed + counts.failed
    }

    /// True where some test failed whose name is not known, so that it cannot be told from known failures.
    pub fn has_unnamed_failures(&self) -> bool {
        self.counts().failed > self.failed.len()
    }
}

/// What came of one command.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Which command of the gate.
    pub stage: Stage,
    /// The shell text.
    pub command: String,
    /// How it ended.
    pub end: End,
    /// Wall time.
    pub took: Duration,
    /// What it printed, both streams in order, trimmed from the middle and without ANSI sequences.
    pub output: Clean,
    /// The tests that it reported, if a reader knew its output.
    pub tests: Option<Tests>,
}

impl Ran {
    /// True for exit code 0.
    pub fn passed(&self) -> bool {
        self.end == End::Exit(0)
    }

    /// Returns the exit code as a record has it: 124 for a timeout, 127 where nothing started, 130 where stopped.
    pub fn exit(&self) -> i32 {
        match self.end {
            End::Exit(code) => code,
            End::TimedOut => 124,
            End::NotStarted => 127,
            End::Stopped => 130,
        }
    }
}

/// How the base judged itself before anything was paid for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Tests that fail without us. With names known, "no landing adds a failure" is the rule.
    pub known_red: BTreeSet<String>,
    /// Commands that are red at the base, with all their failures in `known_red`.
    pub red: BTreeSet<String>,
}

/// The outcome of a gate on a code tree.
#[derive(Clone, Debug)]
pub struct Report {
    tree: CodeTree,
    gate: GateId,
    ran: Vec<Ran>,
}

/// A report that did not pass: what failed, for the next round and for people.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Everything that ran.
    pub ran: Vec<Ran>,
    /// Names of tests that fail and did not fail at the base, where they could be read.
    pub new_failures: BTreeSet<String>,
}

impl Failed {
    /// Returns the command that decided.
    pub fn culprit(&self) -> Option<&Ran> {
        self.ran.iter().rev().find(|ran| !ran.passed())
    }

    /// Returns one line: the stage and what failed.
    pub fn reason(&self) -> String {
        let Some(ran) = self.culprit() else {
            return "checks did not pass".to_owned();
        };
        let what = match ran.end {
            End::TimedOut => format!("ran over its limit of {} s", ran.took.as_secs()),
            End::NotStarted => "could not be started".to_owned(),
            End::Stopped => "was stopped".to_owned(),
            End::Exit(_) if !self.new_failures.is_empty() => match self.new_failures.len() {
                1 => "1 new failure".to_owned(),
                n => format!("{n} new failures"),
            },
            End::Exit(code) => match ran.output.as_str().lines().next() {
                // What is wrong with new tests is our own sentence.
                Some(why) if ran.stage == Stage::TestFile && ran.tests.is_none() => why.to_owned(),
                _ => format!("exit {code}"),
            },
        };
        format!("{}: {what}", ran.stage.word())
    }
}

impl Report {
    /// Puts together what a gate's commands said about `tree`. Only `engine/checks.rs` calls this (held by `tidy`).
    pub fn new(tree: CodeTree, gate: GateId, ran: Vec<Ran>) -> Self {
        Self { tree, gate, ran }
    }

    /// Returns what ran.
    pub fn ran(&self) -> &[Ran] {
        &self.ran
    }

    /// Turns the report into the token, if every command passed, or failed with nothing but tests that were known
    /// to be red at the base.
    ///
    /// # Errors
    /// Returns the failed commands and the new failures.
    pub fn verify(self, baseline: &Baseline) -> Result<Verified, Box<Failed>> {
        let mut new_failures = BTreeSet::new();
        let mut passed = true;
        for ran in &self.ran {
            let failing = ran.tests.as_ref().map(|tests| &tests.failed);
            let new: BTreeSet<String> = failing
                .into_iter()
                .flatten()
                .filter(|name| !baseline.known_red.contains(*name))
                .cloned()
                .collect();
            let excused = baseline.red.contains(&ran.command)
                && matches!(ran.end, End::Exit(_))
                && failing.is_some_and(|failed| !failed.is_empty())
                && !ran.tests.as_ref().is_some_and(Tests::has_unnamed_failures);
            passed &= ran.passed() || (excused && new.is_empty());
            if !ran.passed() {
                new_failures.extend(new);
            }
        }
        if passed {
            let checks = self.ran.iter().map(CheckRow::of).collect();
            Ok(Verified {
                tree: self.tree,
                gate: self.gate,
                checks,
                flaky: false,
            })
        } else {
            Err(Box::new(Failed {
                ran: self.ran,
                new_failures,
            }))
        }
    }
}

/// One check in a record: `{cmd, exit, seconds}`, and how many tests ran where that could be read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CheckRow {
    /// `setup`, `lint`, `test` or `test_file`.
    pub stage: Stage,
    /// The shell text, cut at 80 characters.
    pub cmd: String,
    /// The exit code.
    pub exit: i32,
    /// Wall time, in milliseconds precision.
    pub seconds: f64,
    /// Tests that ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<usize>,
    /// Tests that failed, where any did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<usize>,
}

impl CheckRow {
    /// Takes from `ran` what a record keeps.
    pub fn of(ran: &Ran) -> Self {
        let millis = u32::try_from(ran.took.as_millis()).unwrap_or(u32::MAX);
        Self {
            stage: ran.stage,
            cmd: ran.command.chars().take(80).collect(),
            exit: ran.exit(),
            seconds: f64::from(millis) / 1000.0,
            tests: ran.tests.as_ref().map(Tests::ran),
            failed: ran.tests.as_ref().map(|tests| tests.failed.len()).filter(|n| *n > 0),
        }
    }
}

/// A verdict as it is stored about a code tree (`refs/notes/invisigoth-tested`), one line a gate; two where runs of the same gate
/// contradict each other, which makes both void.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The gate that passed.
    pub gate: GateId,
    /// What it ran.
    pub checks: Vec<CheckRow>,
}

impl Verdict {
    /// Returns the verdict of commands that did not pass.
    pub fn of_failed(gate: &GateId, failed: &Failed) -> Self {
        Self {
            gate: gate.clone(),
            checks: failed.ran.iter().map(CheckRow::of).collect(),
        }
    }

    /// True where every command passed. Else it counts only beside the base whose failures were let pass.
    pub fn is_green(&self) -> bool {
        self.checks.iter().all(|row| row.exit == 0)
    }
}

/// Proof that a code tree passed a gate. The fields are private: only `Report::verify` and `Verified::recall` make one.
#[derive(Clone, Debug)]
pub struct Verified {
    tree: CodeTree,
    gate: GateId,
    checks: Vec<CheckRow>,
    flaky: bool,
}

impl Verified {
    /// Recalls a stored verdict for `tree`; `None` if it was another gate's.
    pub fn recall(tree: CodeTree, gate: &GateId, verdict: &Verdict) -> Option<Self> {
        (verdict.gate == *gate).then(|| Self {
            tree,
            gate: gate.clone(),
            checks: verdict.checks.clone(),
            flaky: false,
        })
    }

    /// Says that the same code failed the same gate in another run.
    #[must_use]
    pub fn contradicted(self) -> Self {
        Self { flaky: true, ..self }
    }

    /// True where the same code failed the same gate in another run: one of both runs was chance.
    pub fn is_flaky(&self) -> bool {
        self.flaky
    }

    /// Returns the code tree that passed.
    pub fn tree(&self) -> CodeTree {
        self.tree
    }

    /// Returns the gate that it passed.
    pub fn gate(&self) -> &GateId {
        &self.gate
    }

    /// Returns what ran.
    pub fn checks(&self) -> &[CheckRow] {
        &self.checks
    }

    /// Returns what to store, so that this code tree is not tested by this gate again.
    pub fn verdict(&self) -> Verdict {
        Verdict {
            gate: self.gate.clone(),
            checks: self.checks.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_with_another_fence_is_another_gate() {
        let open = Gate::default();
        let fenced = Gate {
            sandbox: Sandbox::Bwrap,
            ..Gate::default()
        };
        let online = Gate {
            network: true,
            ..fenced.clone()
        };
        let small = Gate {
            memory: Some(64),
            ..fenced.clone()
        };
        let ids: BTreeSet<String> = [open, fenced, online, small].iter().map(|gate| gate.id().0).collect();
        assert_eq!(ids.len(), 4);
    }
}
