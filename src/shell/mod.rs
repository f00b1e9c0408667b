//! Shell: runs check commands within limits. What the output means is `verdict`'s business; nothing is read here.

use std::{ffi::OsString, path::Path, time::Duration};

use crate::{
    check::{End, Stage},
    door::spawn::{Ended, Heard, Spawn},
    secret::Redactor,
    time::Stop,
};

/// What a command may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Its longest time.
    pub timeout: Duration,
    /// All that its environment holds.
    pub env: Vec<(OsString, OsString)>,
    /// Program and arguments that the shell is started by: a fence, or nothing.
    pub before: Vec<OsString>,
    /// Bytes of its output that are kept.
    pub output_cap: usize,
    /// Takes secrets out of its output, before any of it is left out.
    pub redactor: Redactor,
}

/// What came of a command, before anybody read its output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawRan {
    /// Which command of the gate.
    pub stage: Stage,
    /// The shell text.
    pub command: String,
    /// How it ended. A command that the shell does not find is `Exit(127)`; without a shell or folder it is `NotStarted`.
    pub end: End,
    /// Wall time.
    pub took: Duration,
    /// What it printed, both streams in order, with a line in the place of what was too much; where nothing started, why.
    pub output: Vec<u8>,
}

/// Runs `command` in a shell in `dir`. When this returns, nothing that it started is left.
pub fn run(command: &str, stage: Stage, dir: &Path, limits: &Limits, stop: &Stop) -> RawRan {
    let spawn = spawn(command, dir, limits);
    ran(command, stage, spawn.run(stop))
}

/// As `run`; `heard` is told what it prints while it runs.
pub fn run_aloud(
    command: &str,
    stage: Stage,
    dir: &Path,
    limits: &Limits,
    (stop, heard): (&Stop, Heard<'_>),
) -> RawRan {
    let spawn = spawn(command, dir, limits);
    ran(command, stage, spawn.run_aloud(stop, heard))
}

fn spawn(command: &str, dir: &Path, limits: &Limits) -> Spawn {
    let shell = ["sh", "-c", command].map(OsString::from);
    let mut words = limits.before.iter().cloned().chain(shell);
    Spawn {
        program: words.next().unwrap_or_default(),
        args: words.collect(),
        dir: dir.to_owned(),
        env: limits.env.clone(),
        stdin: Vec::new(),
        timeout: Some(limits.timeout),
        output_cap: limits.output_cap,
        redactor: limits.redactor.clone(),
    }
}

fn ran(command: &str, stage: Stage, ended: Ended) -> RawRan {
    let millis = u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(target: "check", stage = stage.word(), millis, "{command}: {:?}", ended.end);
    RawRan {
        stage,
        command: command.to_owned(),
        end: ended.end,
        took: ended.took,
        output: joined(ended),
    }
}

fn joined(ended: Ended) -> Vec<u8> {
    let mut output = ended.output;
    if ended.omitted > 0 {
        let line = format!("\n[{} bytes left out]\n", ended.omitted);
        let middle = output.len() / 2;
        output.splice(middle..middle, line.into_bytes());
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::env::Env;

    fn ran_with(command: &str, output_cap: usize) -> RawRan {
        let limits = Limits {
            timeout: Duration::from_secs(60),
            env: Env::read().for_checks(&[]),
            before: Vec::new(),
            output_cap,
            redactor: Redactor::default(),
        };
        let dir = tempfile::tempdir().unwrap();
        run(command, Stage::Test, dir.path(), &limits, &Stop::default())
    }

    #[test]
    fn both_streams_come_in_the_order_they_were_written() {
        let ran = ran_with("echo one; echo two >&2; echo three; exit 5", 100);
        assert_eq!(ran.end, End::Exit(5));
        assert_eq!(ran.output, b"one\ntwo\nthree\n");
    }

    #[test]
    fn a_line_stands_for_what_was_left_out() {
        let ran = ran_with("printf 0123456789", 6);
        assert_eq!(ran.output, b"012\n[4 bytes left out]\n789");
    }

    #[test]
    fn without_a_shell_nothing_starts() {
        let limits = Limits {
            timeout: Duration::from_secs(60),
            env: vec![("PATH".into(), "/nowhere".into())],
            before: Vec::new(),
            output_cap: 100,
            redactor: Redactor::default(),
        };
        let ran = run("true", Stage::Lint, Path::new("/"), &limits, &Stop::default());
        assert_eq!(ran.end, End::NotStarted);
    }
}
