//! Dispatch of `evolve`, and the new program that goes on in this one's place.

use std::{ffi::OsString, path::Path};

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{
        args::evolve::{Evolve, EvolveVerb},
        dispatch::{answer, code, ids, name_target, stopped, watch},
        open::Opened,
    },
    commands::{Outcome as _, evolve},
    door::{program, spawn::replaced},
    engine::evolve::Order,
};

/// What the new program is told besides what this one was.
const GO_ON: &str = "--continue";

/// Runs it and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: &Evolve) -> Result<u8> {
    if let Some(EvolveVerb::Log) = args.verb {
        return answer(at, &evolve::log(&at.session()?)?);
    }
    let session = at.session()?;
    if args.first_start {
        return Ok(0);
    }
    let order = Order {
        goals: ids(&args.goals)?,
        max: args.max,
        goes_on: args.goes_on,
    };
    if args.dry_run {
        return answer(at, &evolve::dry(&session, &order)?);
    }
    name_target(at, &session);
    let watch = watch(at, &session.stop)?;
    let outcome = match evolve::run(&session, &order) {
        Ok(outcome) => outcome,
        Err(error) => return stopped(at, &watch, error),
    };
    if let Some(next) = &outcome.next {
        return go_on(at, next);
    }
    at.ui.answer(&outcome);
    if let Some(fault) = outcome.cut_short.as_ref().filter(|_| !at.ui.manner.json) {
        at.ui.fault(fault, &[]);
    }
    Ok(code(&watch, outcome.kind()))
}

/// Has the new program take this process over; what was done so far it knows.
fn go_on(at: &Opened, program: &Path) -> Result<u8> {
    at.ui.say(&format!("{} goes on", program.display()));
    let mut args: Vec<OsString> = program::arguments().into_iter().skip(1).collect();
    if !args.iter().any(|arg| arg == GO_ON) {
        args.push(GO_ON.into());
    }
    let error = replaced::exec(program, &args);
    Err(error).wrap_err_with(|| format!("starting {}", program.display()))
}
