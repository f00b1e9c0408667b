//! Dispatch of `config`.

use eyre::Result;

use crate::{
    cli::{
        args::config::{Config, ConfigVerb},
        dispatch::answer,
        open::Opened,
    },
    commands::config::{self, Request, Set},
};

/// Runs it and returns the exit code.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Config) -> Result<u8> {
    let session = at.session()?;
    let show = |key, show_origin| config::run(&session, &Request { key, show_origin });
    let set = |key, value, place| config::set(&session, &Set { key, value, place });
    match args.verb {
        None => answer(at, &show(None, false)?),
        Some(ConfigVerb::List(args)) => answer(at, &show(None, args.show_origin)?),
        Some(ConfigVerb::Get(args)) => answer(at, &show(Some(args.key), args.show_origin)?),
        Some(ConfigVerb::Set(args)) => answer(at, &set(args.key, Some(args.value), args.place.place())?),
        Some(ConfigVerb::Unset(args)) => answer(at, &set(args.key, None, args.place.place())?),
    }
}
