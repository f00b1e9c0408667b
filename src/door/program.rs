//! This program itself: where it is, how it was called. Nothing else reads arguments.

use std::{ffi::OsString, io, path::PathBuf};

/// Returns the arguments, the program's name first.
pub fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// Returns where the program's file is, links resolved.
///
/// # Errors
/// When the operating system does not tell.
pub fn file() -> io::Result<PathBuf> {
    std::env::current_exe()?.canonicalize()
}
