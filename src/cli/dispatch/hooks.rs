//! Dispatch of `hooks` and `hook`.

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{
        args::{
            self,
            hooks::{Hooks, HooksVerb},
        },
        dispatch::{answer, conclude, watch},
        open::Opened,
    },
    commands::{
        hook::{self, received},
        hooks::{self, Request, What, script},
    },
    door::terminal,
    settings::Start,
    ui::View as _,
};

/// Runs `hooks` and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Hooks) -> Result<u8> {
    let (what, names, start) = match args.verb {
        HooksVerb::Install(args) => {
            let start = match (args.run, args.plan) {
                (true, true) => Some(Start::RunPlan),
                (true, false) => Some(Start::Run),
                (false, true) => Some(Start::Plan),
                (false, false) => None,
            };
            (What::Install, args.names.names, start)
        }
        HooksVerb::Uninstall(args) => (What::Uninstall, args.names, None),
        HooksVerb::Status(args) => (What::Status, args.names, None),
    };
    answer(at, &hooks::run(&at.session()?, &Request { what, names, start })?)
}

/// Runs `hook` and returns the exit code. What it says goes beside the answer: git hands the standard output of some hooks on
/// to whoever reads its own.
///
/// # Errors
/// What kept the hook from its end, where git is to be stopped by it.
pub(super) fn called(at: &Opened, args: args::Hook) -> Result<u8> {
    if args.name == "received" {
        let session = at.session()?;
        let watch = watch(at, &session.stop)?;
        return conclude(at, &watch, received::land(&session));
    }
    let reads = script::hook(&args.name).is_some_and(|hook| hook.reads);
    let stdin = match reads && !at.streams.stdin {
        true => terminal::all().wrap_err("reading what git says")?,
        false => String::new(),
    };
    let request = hook::Request {
        stdin,
        name: args.name,
        args: args.args,
    };
    let session = match at.session() {
        Ok(session) => session,
        // A push is a person's: what cannot be opened keeps the notes here, and nothing else.
        Err(error) if request.name == "pre-push" => {
            at.ui.complain(&format!("notes stay here: {error:#}"));
            return Ok(0);
        }
        Err(error) => return Err(error),
    };
    let outcome = hook::run(&session, &request)?;
    if at.ui.manner.json {
        return answer(at, &outcome);
    }
    let text = outcome.text(&at.ui.manner.look);
    if !text.is_empty() {
        at.ui.say(text.trim_end());
    }
    Ok(0)
}
