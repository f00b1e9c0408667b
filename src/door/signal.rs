//! Signals: Ctrl-C and requests to end become a wish to stop, which everything that waits looks at.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
    iterator::Signals,
};

use crate::time::{Stop, Stopping};

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
/// raise it to the end. A third Ctrl-C ends the process on the spot. `on_first` is called when the first SIGINT was taken
/// in, so that the person knows what waits and how to leave at once.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn watch(stop: &Stop, on_first: impl Fn() + Send + 'static) -> io::Result<Watch> {
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
            pressed_twice.store(stop.stopping() == Stopping::Now, Ordering::SeqCst);
            if signal == SIGINT && stop.stopping() == Stopping::Soon {
                on_first();
            }
        }
    })?;
    Ok(watch)
}
