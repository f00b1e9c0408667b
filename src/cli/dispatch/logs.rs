//! Dispatch of `logs`: how it is shown, once or as it comes.

use std::time::Duration;

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{
        args::logs::Logs,
        dispatch::{answer, id},
        open::Opened,
    },
    commands::logs::{self, Following, Request},
    door::{signal, wait},
    fault::{Fault, Kind},
    time::Moment,
    ui::text::logs::{self as text, Words},
};

/// How often it looks whether something came.
const LOOK: Duration = Duration::from_millis(250);

/// Shows it.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: &Logs) -> Result<u8> {
    let session = at.session()?;
    let request = Request {
        goal: args.id.as_deref().map(id).transpose()?,
        since: args
            .since
            .as_deref()
            .map(|text| since(text, session.clock.now()))
            .transpose()?,
        output: args.output,
    };
    if !args.follow {
        return answer(at, &logs::run(&session, &request)?);
    }
    let signals = signal::watch(&session.stop, |_| {}).wrap_err("listening for signals")?;
    let mut following = Following::begin(&session, request)?;
    let mut words = Words::default();
    let mut damaged = 0;
    let mut read = following.more()?;
    if read.lines.is_empty() {
        at.ui.say("nothing to show yet; Ctrl-C ends it");
    }
    loop {
        for line in &read.lines {
            match at.ui.manner.json {
                true => at.ui.json_line(line),
                false => at.ui.print(&words.line(&at.ui.manner.look, line)),
            }
        }
        damaged += read.damaged;
        if at.ui.is_cut_off() || !wait::pause(LOOK, &session.stop) {
            if damaged > 0 {
                at.ui.say(&text::damaged(damaged));
            }
            return Ok(match at.ui.is_cut_off() {
                true => 0,
                false => signals.exit_code().unwrap_or(Kind::Interrupted.exit_code()),
            });
        }
        read = following.more()?;
    }
}

fn since(text: &str, now: Moment) -> Result<Moment> {
    let unclear = || Fault::new(Kind::Usage, format!("`{text}` is no time"));
    let found = Moment::from_words(text, now);
    Ok(found.ok_or_else(|| unclear().hint("`--since 90m`, `--since 7d` or `--since 2026-11-22T20:00:00Z`"))?)
}
