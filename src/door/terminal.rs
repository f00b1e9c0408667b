//! Terminals: whether a stream is one, how wide it is, and what is typed into it.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

/// Most bytes that are read from standard input.
const MOST: u64 = 64 * 1024 * 1024;

/// Which streams are terminals.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Streams {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// Asks which streams are terminals.
pub fn streams() -> Streams {
    Streams {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
    }
}

/// Returns how many columns the terminal on standard output has; `None` where there is no terminal.
pub fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Returns how many lines the terminal on standard output has; `None` where there is no terminal.
pub fn lines() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_row)).filter(|lines| *lines > 0)
}

/// Returns the columns and lines of the terminal on standard error; `None` where there is no terminal.
pub fn size_of_stderr() -> Option<(usize, usize)> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    Some((usize::from(size.ws_col), usize::from(size.ws_row))).filter(|(columns, lines)| *columns > 0 && *lines > 0)
}

/// Returns the device and the inode of standard error; `None` where it is closed.
pub fn file_of_stderr() -> Option<(u64, u64)> {
    let about = rustix::fs::fstat(io::stderr()).ok()?;
    Some((about.st_dev, about.st_ino))
}

/// Reads one line of standard input, without its line break; empty at the end of input.
///
/// # Errors
/// When it cannot be read.
pub fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(4096).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads all of standard input.
///
/// # Errors
/// When it cannot be read, is no UTF-8 or is larger than 64 MiB.
pub fn all() -> io::Result<String> {
    let mut text = String::new();
    let read = io::stdin().lock().take(MOST).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read >= MOST) {
        return Err(io::Error::other("standard input is larger than 64 MiB"));
    }
    Ok(text)
}
