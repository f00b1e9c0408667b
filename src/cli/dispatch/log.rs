//! Dispatch of `log`: which of its two lists is asked for.

use eyre::Result;

use crate::{
    cli::{args::Log, dispatch::answer, open::Opened},
    commands::log::{
        self,
        commits::{self, Whose},
    },
};

/// Lists goals that landed, or commits.
pub(super) fn run(at: &Opened, args: Log) -> Result<u8> {
    let (session, max) = (at.session()?, args.max.get());
    if !args.all {
        return answer(at, &log::run(&session, log::Request { max })?);
    }
    let request = commits::Request {
        max,
        before: args.before,
        grep: args.grep,
        whose: Whose::All,
    };
    answer(at, &commits::run(&session, &request)?)
}
