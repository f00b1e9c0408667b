//! Points hit: every effect of this program goes through [`at`], so that a test can let it fail, or the process die, before
//! or after any of them.
//!
//! In a build with debug assertions `INVISIGOTH_FAULT` plans what goes wrong (`fault/point`), and `INVISIGOTH_POINTS` names
//! a file that gets a line for each hit. In a release build there is nothing but the effect.

use std::io;

use crate::fault::point::Point;

/// Brings about `effect`, which `point` names.
///
/// # Errors
/// What the effect says; in a test also what was planned, and then nothing was brought about.
#[cfg(not(debug_assertions))]
pub fn at<T, E: From<io::Error>>(_point: Point, effect: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    effect()
}

/// Brings about `effect`, which `point` names.
///
/// # Errors
/// What the effect says; in a test also what was planned, and then nothing was brought about.
#[cfg(debug_assertions)]
pub fn at<T, E: From<io::Error>>(point: Point, effect: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let dies = planned::before(point)?;
    let done = effect();
    if dies {
        planned::die();
    }
    done
}

#[cfg(debug_assertions)]
mod planned {
    use std::{
        ffi::OsString,
        fs::OpenOptions,
        io::{self, Write as _},
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
        thread,
    };

    use rustix::{io::Errno, process::Signal};
    use signal_hook::{consts::SIGSTOP, low_level};

    use crate::{
        door::env,
        fault::point::{Failure, Plan, Point},
    };

    /// What a test wants.
    struct Wanted {
        plan: Option<Plan>,
        trace: Option<OsString>,
        hits: AtomicU64,
    }

    fn wanted() -> io::Result<&'static Wanted> {
        static WANTED: OnceLock<Result<Wanted, String>> = OnceLock::new();
        let wanted = WANTED.get_or_init(|| {
            let (plan, trace) = env::faults();
            let plan = plan.map(|plan| plan.to_string_lossy().parse()).transpose();
            Ok(Wanted {
                plan: plan.map_err(|bad| format!("INVISIGOTH_FAULT: {bad}"))?,
                trace,
                hits: AtomicU64::new(0),
            })
        });
        wanted.as_ref().map_err(|bad| io::Error::other(bad.as_str()))
    }

    /// Lets happen what is planned before the effect; says whether the process is to die after it.
    pub(super) fn before(point: Point) -> io::Result<bool> {
        let wanted = wanted()?;
        let plan = wanted.plan.as_ref().filter(|plan| plan.is_about(point));
        let struck = plan.filter(|plan| plan.strikes(wanted.hits.fetch_add(1, Ordering::SeqCst) + 1));
        if let Some(file) = &wanted.trace {
            let mark = struck.map(|plan| format!(" {}", plan.failure.name()));
            let line = format!("{}{}\n", point.name(), mark.unwrap_or_default());
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(file)?
                .write_all(line.as_bytes())?;
        }
        let errno = match struck.map(|plan| plan.failure) {
            None => return Ok(false),
            Some(Failure::KillAfter) => return Ok(true),
            Some(Failure::Kill) => die(),
            Some(Failure::Stop) => {
                // To this very thread, which would run on for a moment if another one took the signal.
                low_level::raise(SIGSTOP)?;
                return Ok(false);
            }
            Some(Failure::Eio) => Errno::IO,
            Some(Failure::Enospc) => Errno::NOSPC,
            Some(Failure::Emfile) => Errno::MFILE,
        };
        Err(errno.into())
    }

    /// Ends this process as SIGKILL does: no destructor runs, no buffer is flushed.
    pub(super) fn die() -> ! {
        let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
        loop {
            thread::park();
        }
    }
}
