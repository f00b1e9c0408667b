//! Dispatch of what makes `run` a night.

use eyre::Result;

use crate::{
    cli::args::night::Night,
    door::clock::{self, SystemClock},
    fault::{Fault, Kind},
    schedule::night::Window,
    time::Clock as _,
};

/// Returns the window that `args` ask for; `None` where they ask for no night.
///
/// # Errors
/// A fault for a time that is past.
pub(super) fn window(args: &Night) -> Result<Option<Window>> {
    if !args.is_one() {
        return Ok(None);
    }
    let now = SystemClock.now();
    let until = match args.until {
        None => None,
        Some(until) => Some(until.after(now, &clock::zone()).ok_or_else(past)?),
    };
    Ok(Some(Window::new(now, until, args.length)))
}

fn past() -> Fault {
    Fault::new(Kind::Usage, "the time that `--until` names is past")
        .hint("`--until 07:00` is the next one, `--for 4h` a span")
}
