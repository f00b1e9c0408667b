//! Dispatch of `template`.

use eyre::Result;

use crate::{
    cli::{
        args::template::{Template, TemplateVerb},
        dispatch::answer,
        open::Opened,
    },
    commands::template::{self, Request, Show},
};

/// Runs it and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Template) -> Result<u8> {
    let session = at.session()?;
    let of = |rev| Request { rev, working: false };
    match args.verb {
        None => answer(at, &template::list(&session, &of(None))?),
        Some(TemplateVerb::List(args)) => answer(at, &template::list(&session, &of(args.rev))?),
        Some(TemplateVerb::Show(args)) => {
            let show = Show {
                name: args.name,
                builtin: args.builtin,
                variables: args.variables,
            };
            answer(at, &template::show(&session, &of(args.at.rev), &show)?)
        }
        Some(TemplateVerb::Check(args)) => {
            let request = Request {
                rev: args.at.rev,
                working: args.working,
            };
            answer(at, &template::check(&session, &request)?)
        }
    }
}
