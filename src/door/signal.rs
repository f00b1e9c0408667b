//! Signals: Ctrl-C and requests to end become a wish to stop, which everything that waits looks at; and the same for another
//! process of ours.

use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
};

use rustix::process::{Pid, PidfdFlags, Signal};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM},
    flag,
    iterator::Signals,
    low_level,
};

use crate::{
    door::point,
    fault::point::Point,
    time::{Stop, Stopping},
};

/// Ends the process as programs end whose reader went away: by SIGPIPE, without a word.
pub fn die_of_pipe() {
    // Where it cannot be done, the caller ends with its own code.
    let _ = low_level::emulate_default_handler(SIGPIPE);
}

/// The signals that came.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    last: Arc<AtomicI32>,
}

impl Watch {
    /// Returns the exit code of a process that a signal ended, `128 + n`; `None` where none came.
    pub fn exit_code(&self) -> Option<u8> {
        match self.last.load(Ordering::SeqCst) {
            0 => None,
            signal => u8::try_from(128 + signal).ok(),
        }
    }
}

/// From now on, SIGINT raises `stop` by one step (Ctrl-C once: finish what is cheap; twice: leave now), SIGTERM and SIGHUP
/// raise it to the end. A third Ctrl-C ends the process on the spot. `told` is called after each with what is wished now: a
/// first SIGINT alone is `Stopping::Soon`.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn watch(stop: &Stop, told: impl Fn(Stopping) + Send + 'static) -> io::Result<Watch> {
    let pressed_twice = Arc::new(AtomicBool::new(false));
    // Registered first, so that it looks at the flag before the press that raises it.
    flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&pressed_twice))?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let watch = Watch::default();
    let (last, stop) = (Arc::clone(&watch.last), stop.clone());
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            last.store(signal, Ordering::SeqCst);
            if signal == SIGINT {
                stop.press();
            } else {
                stop.now();
            }
            let wished = stop.stopping();
            pressed_twice.store(wished == Stopping::Now, Ordering::SeqCst);
            told(wished);
        }
    })?;
    Ok(watch)
}

/// Presses Ctrl-C at process `pid`, if it holds the file at `path` open. Its number may be another process's by now, or that of
/// another container: none of them is told anything. False where it is not the one.
///
/// # Errors
/// When it may not be told.
pub fn interrupt(pid: u32, path: &Path) -> io::Result<bool> {
    let Some(number) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(false);
    };
    // Whatever comes to have the number after this line is not what it stands for.
    let Ok(process) = rustix::process::pidfd_open(number, PidfdFlags::empty()) else {
        return Ok(false);
    };
    if !holds(pid, path) {
        return Ok(false);
    }
    point::at(Point::ProcessInterrupted, || {
        match rustix::process::pidfd_send_signal(&process, Signal::INT) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    })
}

/// True where process `pid` has the file at `path` open, by its inode.
fn holds(pid: u32, path: &Path) -> bool {
    let Ok(file) = std::fs::metadata(path) else {
        return false;
    };
    let Ok(open) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let mut open = open.flatten().filter_map(|entry| std::fs::metadata(entry.path()).ok());
    open.any(|other| (other.dev(), other.ino()) == (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read as _,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a process of somebody else")]
    fn only_a_process_that_holds_the_file_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let (held, other) = (folder.path().join("held"), folder.path().join("other"));
        std::fs::write(&held, "").unwrap();
        std::fs::write(&other, "").unwrap();
        let file = std::fs::File::open(&held).unwrap();
        // Where the tests run in the background they ignore the signal, and so would what they start.
        let mut child = Command::new("env")
            .args(["--default-signal=INT", "sh", "-c", "echo; exec sleep 1000"])
            .stdin(Stdio::from(file))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        assert!(!interrupt(child.id(), &other).unwrap());
        assert!(!interrupt(u32::MAX, &held).unwrap());
        assert!(interrupt(child.id(), &held).unwrap());
        let ended = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(SIGINT));
        assert!(!interrupt(child.id(), &held).unwrap(), "it is no more");
    }
}
