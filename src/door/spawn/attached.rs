//! Programs that a person sits at: an editor, a pager. They share our streams and our terminal.
//!
//! Keeps nothing of what they print, and sets no limit: a person ends them.

use std::{
    ffi::OsString,
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{
    SigId,
    consts::{SIGINT, SIGQUIT},
    flag, low_level,
};

use crate::{
    door::{point, spawn},
    fault::point::Point,
};

/// While it lives, Ctrl-C at the keyboard is the program's, not ours.
struct Deaf(Vec<SigId>);

impl Deaf {
    fn new() -> io::Result<Self> {
        let mut deaf = Self(Vec::new());
        for signal in [SIGINT, SIGQUIT] {
            deaf.0.push(flag::register(signal, Arc::new(AtomicBool::new(false)))?);
        }
        Ok(deaf)
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        for id in self.0.drain(..) {
            low_level::unregister(id);
        }
    }
}

/// Runs a program at the person's terminal until it ends, and returns its exit code; `128 + n` for signal `n`. `env` is its
/// whole environment.
///
/// # Errors
/// `NotFound` where there is no such program or folder.
pub fn run(program: &str, args: &[&str], dir: &Path, env: &[(OsString, OsString)]) -> io::Result<i32> {
    let program = spawn::find(program.as_ref(), env)?;
    ended(&duct::cmd(program, args).dir(dir).full_env(env.iter().cloned()))
}

fn ended(command: &duct::Expression) -> io::Result<i32> {
    let _deaf = Deaf::new()?;
    let command = command.unchecked();
    let ended = point::at(Point::AttachedStarted, || command.run())?;
    Ok(spawn::exit_code(ended.status))
}

/// Signs that make a line one for a shell, as git tells.
const OF_A_SHELL: &str = "|&;<>()$`\\\"' \t\n*?[#~=%";

/// Has a pager show `text` and waits for its end, however the person ends it; false where there is no such program, or it could
/// not be started. `line` is a program, or a line of shell, as git has it; `env` is its whole environment.
pub fn page(line: &str, text: &str, dir: &Path, env: &[(OsString, OsString)]) -> bool {
    // As the shell says it: not found, or no program.
    shown(line, text, dir, env).is_ok_and(|code| !matches!(code, 126 | 127))
}

fn shown(line: &str, text: &str, dir: &Path, env: &[(OsString, OsString)]) -> io::Result<i32> {
    let command = match line.contains(|c| OF_A_SHELL.contains(c)) {
        true => duct::cmd(spawn::find("sh".as_ref(), env)?, ["-c", line]),
        false => duct::cmd(spawn::find(line.as_ref(), env)?, None::<&str>),
    };
    // Nobody is told of a pipe that broke: whoever saw enough ends the pager.
    let command = command.stdin_bytes(text.as_bytes());
    ended(&command.dir(dir).full_env(env.iter().cloned()))
}
