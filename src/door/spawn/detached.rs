//! Programs that go on when we have ended: in a process group of their own, their streams in a file.
//!
//! Knows no hook and no command; whoever starts one says what its environment is.

use std::{ffi::OsString, fs::OpenOptions, io, os::unix::fs::OpenOptionsExt as _, path::Path, time::Duration};

use duct::Handle;

use crate::{
    door::{
        point,
        spawn::{self, tree::Helper},
    },
    fault::point::Point,
};

/// A program that was started and may outlive us.
#[derive(Debug)]
pub struct Detached(Helper);

/// Starts `program` in `dir` with `env` as its whole environment. It reads nothing; what it prints goes to the end of the
/// file `log`, which is made for its owner only.
///
/// # Errors
/// When there is no such program or folder, or the file cannot be written.
pub fn start(
    program: &Path,
    args: &[OsString],
    dir: &Path,
    env: Vec<(OsString, OsString)>,
    log: &Path,
) -> io::Result<Detached> {
    let log = point::at(Point::LogOpened, || {
        OpenOptions::new().create(true).append(true).mode(0o600).open(log)
    })?;
    let command = spawn::expression(program.to_owned(), args, dir, env)
        .stdin_null()
        .stderr_to_stdout()
        .stdout_file(log);
    Helper::start(&command).map(Detached)
}

impl Detached {
    /// Waits, not longer than `patience`, until it has ended, and returns its exit code then.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn ended(&self, patience: Duration) -> io::Result<Option<i32>> {
        let handle: &Handle = &self.0.handle;
        Ok(handle
            .wait_timeout(patience)?
            .map(|output| spawn::exit_code(output.status)))
    }

    /// True where its process has this number.
    pub fn is(&self, pid: u32) -> bool {
        self.0.handle.pids().contains(&pid)
    }

    /// Leaves it to itself. It is waited for in a thread of its own: nothing is left of it in the list of processes once it has
    /// ended, however long we live.
    pub fn leave(self) {
        let waits = std::thread::Builder::new().name("detached".to_owned());
        let _ = waits.spawn(move || drop(self.0.handle.wait()));
    }
}
