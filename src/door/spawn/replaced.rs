//! Programs that take this process over: same process id, streams and environment.
//!
//! Whoever calls it has nothing left to do: no destructor runs.

use std::{ffi::OsString, io, os::unix::process::CommandExt as _, path::Path, process::Command};

use crate::{door::point, fault::point::Point};

/// Has `program` take this process over; returns only where that fails.
#[expect(
    clippy::disallowed_methods,
    reason = "duct starts children; this process is to become another"
)]
pub fn exec(program: &Path, args: &[OsString]) -> io::Error {
    let gone = point::at(Point::ProcessReplaced, || Err(Command::new(program).args(args).exec()));
    match gone {
        Err(error) => error,
        Ok(never) => never,
    }
}
