//! Processes: starts them with a cleared environment, keeps a bounded part of what they print, and ends whole process
//! trees, also what double-forked away.
//!
//! Knows no shell, no git and no gate. What a check may see is `door/env`'s to say, how long it may take the caller's.

pub mod attached;
pub mod detached;
pub mod output;
pub mod replaced;
pub mod tree;

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::ExitStatus,
    time::{Duration, Instant},
};

use duct::{Expression, Handle};

use crate::{
    check::End,
    door::{
        fs,
        spawn::{
            output::Keeper,
            tree::{Helper, Tree},
        },
    },
    secret::Redactor,
    time::{Stop, Stopping},
};

/// How often a waiting thread looks whether it was asked to stop. An ended child wakes it at once.
const STEP: Duration = Duration::from_millis(40);

/// How often whoever listens is told what came.
const TELL: Duration = Duration::from_millis(100);

/// Told what a process prints while it runs, as it comes: secrets are still in it. `None` says that it is too much, and that
/// nothing more will be told.
pub type Heard<'h> = &'h mut dyn FnMut(Option<&[u8]>);

/// How long a killed process may take to be gone, and its output to be read.
const GRACE: Duration = Duration::from_secs(5);

/// A process to run to its end, with everything that it starts.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// A path, or a name that is looked up in the `PATH` of `env`.
    pub program: OsString,
    /// Its arguments, without its name.
    pub args: Vec<OsString>,
    /// Where it runs.
    pub dir: PathBuf,
    /// All that its environment holds; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads; nothing where empty.
    pub stdin: Vec<u8>,
    /// Its longest time.
    pub timeout: Option<Duration>,
    /// Bytes of its output that are kept, half from the beginning and half from the end.
    pub output_cap: usize,
    /// Takes secrets out of its output, before any of it is left out.
    pub redactor: Redactor,
}

/// What came of a process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// How it ended.
    pub end: End,
    /// What was kept of its output, both streams in the order they were written; where nothing started, why.
    pub output: Vec<u8>,
    /// Bytes left out after the first half of `output`.
    pub omitted: u64,
    /// Wall time until it ended, or was ended.
    pub took: Duration,
}

impl Spawn {
    /// Runs it. When this returns, nothing that it started is left: neither in its process group nor in the background.
    /// `Stopping::Now` ends it at once; `Soon` lets it finish, its limit is near enough.
    pub fn run(&self, stop: &Stop) -> Ended {
        self.ended(stop, None)
    }

    /// As `run`; `heard` is told what comes, at most ten times a second.
    pub fn run_aloud(&self, stop: &Stop, heard: Heard<'_>) -> Ended {
        self.ended(stop, Some(heard))
    }

    fn ended(&self, stop: &Stop, heard: Option<Heard<'_>>) -> Ended {
        let began = Instant::now();
        self.run_since(began, stop, heard).unwrap_or_else(|error| Ended {
            end: End::NotStarted,
            output: error.to_string().into_bytes(),
            omitted: 0,
            took: began.elapsed(),
        })
    }

    /// As `run`, with each stream kept for itself.
    pub fn run_apart(&self, stop: &Stop) -> Apart {
        self.run_apart_since(Instant::now(), stop)
            .unwrap_or_else(|error| Apart {
                end: End::NotStarted,
                stdout: Vec::new(),
                omitted: 0,
                stderr: error.to_string().into_bytes(),
            })
    }

    fn run_apart_since(&self, began: Instant, stop: &Stop) -> io::Result<Apart> {
        let program = find(&self.program, &self.env)?;
        let (out, to_out) = io::pipe()?;
        let (err, to_err) = io::pipe()?;
        let tree = Tree::open()?;
        let mut env = self.env.clone();
        env.push(tree.mark());
        let command = expression(program, &self.args, &self.dir, env)
            .stdout_file(to_out)
            .stderr_file(to_err);
        let handle = tree.start(&fed(&command, &self.stdin))?;
        drop(command);
        let (out, err) = (Keeper::read(out, self.output_cap), Keeper::read(err, self.output_cap));
        let end = end_of(wait(&handle, began, self.timeout, Some(stop)));
        tree.end(&handle);
        let ((stdout, omitted), (stderr, _)) = (out.finish_as_it_came(GRACE), err.finish(GRACE, &self.redactor));
        Ok(Apart {
            end,
            stdout,
            omitted,
            stderr,
        })
    }

    fn run_since(&self, began: Instant, stop: &Stop, mut heard: Option<Heard<'_>>) -> io::Result<Ended> {
        let program = find(&self.program, &self.env)?;
        let (reader, writer) = io::pipe()?;
        let tree = Tree::open()?;
        let mut env = self.env.clone();
        env.push(tree.mark());
        let command = expression(program, &self.args, &self.dir, env)
            .stderr_to_stdout()
            .stdout_file(writer);
        let handle = tree.start(&fed(&command, &self.stdin))?;
        // It holds the writing end: while we have one too, the pipe never ends.
        drop(command);
        let keeper = match heard {
            None => Keeper::read(reader, self.output_cap),
            Some(_) => Keeper::read_aloud(reader, self.output_cap),
        };
        let mut told = began;
        let waited = wait_and(&handle, (began, self.timeout), Some(stop), || {
            if let Some(heard) = heard.as_mut().filter(|_| told.elapsed() >= TELL) {
                heard(keeper.fresh().as_deref());
                told = Instant::now();
            }
        });
        let end = end_of(waited);
        let took = began.elapsed();
        tree.end(&handle);
        if let Some(heard) = heard {
            heard(keeper.last(GRACE).as_deref());
        }
        let (output, omitted) = keeper.finish(GRACE, &self.redactor);
        Ok(Ended {
            end,
            output,
            omitted,
            took,
        })
    }
}

/// What came of a process whose streams were kept apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Apart {
    /// How it ended.
    pub end: End,
    /// What was kept of its standard output.
    pub stdout: Vec<u8>,
    /// Bytes left out after the first half of `stdout`.
    pub omitted: u64,
    /// What was kept of its standard error; where nothing started, why.
    pub stderr: Vec<u8>,
}

/// What a helper program answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Captured {
    /// The exit code; `128 + n` for signal `n`.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// Runs a program of ours (git, a mock) and keeps all it prints. `env` is its whole environment. It has a process group of
/// its own: Ctrl-C asks us to stop, not it. What it leaves in the background on purpose, such as `git maintenance`, stays.
///
/// # Errors
/// `NotFound` where there is no such program or folder; `TimedOut` when it was killed after `timeout`.
pub fn run_captured(
    program: impl AsRef<OsStr>,
    args: &[impl AsRef<OsStr>],
    dir: &Path,
    env: &[(OsString, OsString)],
    stdin: &[u8],
    timeout: Option<Duration>,
) -> io::Result<Captured> {
    let began = Instant::now();
    let program = find(program.as_ref(), env)?;
    let args: Vec<OsString> = args.iter().map(|arg| arg.as_ref().to_owned()).collect();
    let command = expression(program, &args, dir, env.to_vec())
        .stdout_capture()
        .stderr_capture();
    let helper = Helper::start(&fed(&command, stdin))?;
    match wait(&helper.handle, began, timeout, None) {
        Waited::Exited(status) => {
            let output = helper.handle.wait()?;
            Ok(Captured {
                code: exit_code(status),
                stdout: output.stdout.clone(),
                stderr: output.stderr.clone(),
            })
        }
        Waited::Overdue | Waited::Unwanted => {
            helper.kill(GRACE);
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}

fn expression(program: PathBuf, args: &[OsString], dir: &Path, env: Vec<(OsString, OsString)>) -> Expression {
    duct::cmd(program, args)
        .dir(dir)
        .full_env(env)
        .unchecked()
        .before_spawn(|command| {
            command.process_group(0);
            Ok(())
        })
}

fn fed(command: &Expression, stdin: &[u8]) -> Expression {
    if stdin.is_empty() {
        command.stdin_null()
    } else {
        command.stdin_bytes(stdin)
    }
}

#[derive(Clone, Copy)]
enum Waited {
    Exited(ExitStatus),
    Overdue,
    Unwanted,
}

fn wait(handle: &Handle, began: Instant, timeout: Option<Duration>, stop: Option<&Stop>) -> Waited {
    wait_and(handle, (began, timeout), stop, || {})
}

/// As `wait`; calls `meanwhile` at every step.
fn wait_and(
    handle: &Handle,
    (began, timeout): (Instant, Option<Duration>),
    stop: Option<&Stop>,
    mut meanwhile: impl FnMut(),
) -> Waited {
    loop {
        meanwhile();
        let step = Instant::now() + STEP;
        let limit = timeout.and_then(|timeout| began.checked_add(timeout));
        match handle.wait_deadline(limit.map_or(step, |limit| limit.min(step))) {
            Ok(Some(output)) => return Waited::Exited(output.status),
            Ok(None) if limit.is_some_and(|limit| limit <= Instant::now()) => return Waited::Overdue,
            Ok(None) if stop.is_some_and(|stop| stop.stopping() == Stopping::Now) => return Waited::Unwanted,
            Ok(None) => {}
            // Nobody else waits for this child, so this cannot be; a tree that is ended is the safe answer.
            Err(_) => return Waited::Unwanted,
        }
    }
}

fn end_of(waited: Waited) -> End {
    match waited {
        Waited::Exited(status) => End::Exit(exit_code(status)),
        Waited::Overdue => End::TimedOut,
        Waited::Unwanted => End::Stopped,
    }
}

pub(crate) fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(1)
}

/// Looks a program up in the `PATH` that it will have. An absolute path also keeps the standard library on
/// `posix_spawn`, which costs the same however large this process is.
///
/// # Errors
/// `NotFound` where there is none.
pub fn find(program: &OsStr, env: &[(OsString, OsString)]) -> io::Result<PathBuf> {
    if program.as_encoded_bytes().contains(&b'/') {
        return Ok(program.into());
    }
    let path = env
        .iter()
        .find(|(name, _)| name == "PATH")
        .map_or_else(|| OsStr::new("/usr/local/bin:/usr/bin:/bin"), |(_, path)| path);
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(program))
        .find(|file| fs::is_executable(file))
        .ok_or_else(|| {
            let message = format!("there is no program `{}`", program.to_string_lossy());
            io::Error::new(io::ErrorKind::NotFound, message)
        })
}

#[cfg(test)]
mod tests;
