//! Dispatch of `context`.

use std::io::Read as _;

use eyre::{Result, WrapErr as _};

use crate::{
    cli::{
        args::context::Context,
        dispatch::{answer, id},
        open::Opened,
    },
    commands::context::{self, About, Request},
    fault::{Fault, Kind},
};

/// Reads the query and ranks.
///
/// # Errors
/// What kept the command from its outcome.
pub(super) fn run(at: &Opened, args: Context) -> Result<u8> {
    let about = match &args.id {
        Some(goal) => About::Goal(id(goal)?),
        None => About::Text(query(at)?),
    };
    let request = Request {
        about,
        rev: args.rev,
        budget: args.budget,
        explain: args.explain,
        without: args.without,
    };
    answer(at, &context::run(&at.session()?, &request)?)
}

/// Reads the query; bytes that are no UTF-8, as a pasted log may have them, stand between words.
fn query(at: &Opened) -> Result<String> {
    if at.streams.stdin {
        return Err(Fault::new(
            Kind::Usage,
            "there is no query: name a goal, or send a text on standard input",
        )
        .hint("`echo 'Retry after a timeout' | git invisigoth context`")
        .into());
    }
    let mut text = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin
        .take(MOST)
        .read_to_end(&mut text)
        .wrap_err("reading the query from standard input")?;
    Ok(String::from_utf8_lossy(&text).replace('\u{fffd}', " "))
}

/// What is read of a query at most, in bytes.
const MOST: u64 = 1 << 20;
