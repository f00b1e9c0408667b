//! Dispatch of `ci`.

use eyre::Result;

use crate::{
    ci::Host,
    cli::{
        args::ci::{self, Ci, CiVerb},
        dispatch::{answer, code, lines_of, name_target, stopped, watch},
        open::Opened,
    },
    commands::{
        Outcome as _,
        ci::{init, land, matrix, verify},
    },
};

/// Runs it and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Ci) -> Result<u8> {
    match args.verb {
        CiVerb::Init(args) => {
            let request = init::Request {
                host: match args.host {
                    ci::Host::Github => Host::Github,
                    ci::Host::Gitlab => Host::Gitlab,
                },
                force: args.force,
                install: args.install,
            };
            answer(at, &init::run(&at.session()?, &request)?)
        }
        CiVerb::Matrix(args) => {
            let request = matrix::Request {
                format: match args.format {
                    ci::Format::Github => matrix::Format::Github,
                    ci::Format::Gitlab => matrix::Format::Gitlab,
                    ci::Format::Slurm => matrix::Format::Slurm,
                },
                max: args.max,
                tasks: args.tasks,
                remote: args.remote,
                exit_code: args.exit_code,
            };
            answer(at, &matrix::run(&at.session()?, &request)?)
        }
        CiVerb::Verify(args) => judge(at, args),
        CiVerb::Land(args) => bring_in(at, args),
    }
}

fn judge(at: &Opened, args: ci::Verify) -> Result<u8> {
    let session = at.session()?;
    let watch = watch(at, &session.stop)?;
    let request = verify::Request {
        rev: args.rev,
        remote: args.remote,
    };
    match verify::run(&session, &request) {
        Ok(outcome) => {
            // Standard output stays the answer; Actions read commands from both streams.
            outcome.annotations.iter().for_each(|line| at.ui.complain(line));
            answer(at, &outcome)
        }
        Err(error) => stopped(at, &watch, error),
    }
}

fn bring_in(at: &Opened, args: ci::Land) -> Result<u8> {
    let session = at.session()?;
    name_target(at, &session);
    let watch = watch(at, &session.stop)?;
    match land::run(&session, &land::Request { remote: args.remote }) {
        Ok(outcome) => {
            lines_of(at, &outcome.goals);
            at.ui.answer(&outcome);
            Ok(code(&watch, outcome.kind()))
        }
        Err(error) => stopped(at, &watch, error),
    }
}
