//! This program itself: where it is, how it was called. Nothing else reads arguments.

use std::{ffi::OsString, io, path::PathBuf};

/// Returns the arguments, the program's name first.
pub fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// What Linux puts behind the name of a program whose file is not there any more.
const GONE: &str = " (deleted)";

/// Returns where the program's file is, links resolved; where it was replaced since the start, as by an upgrade, that of the
/// new one.
///
/// # Errors
/// When the operating system does not tell, or nothing took the place of the file.
pub fn file() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    path.canonicalize().or_else(|error| {
        let whole = path.to_str().and_then(|path| path.strip_suffix(GONE));
        let found = whole.and_then(|path| PathBuf::from(path).canonicalize().ok());
        found.ok_or_else(|| io::Error::new(error.kind(), format!("{} is gone", path.display())))
    })
}
