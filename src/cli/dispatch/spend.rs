//! What a run will cost: said before it begins, and asked about where a person wants that.

use eyre::{Result, WrapErr as _};

use crate::{
    cli::open::Opened,
    commands::run::{self, Request},
    door::terminal,
    engine::{estimate::Estimate, session::Session},
    fault::{Fault, Kind},
    money::dollars,
    ui::text::estimate,
};

/// Says what `request` will cost; false where the person does not want that.
///
/// # Errors
/// A fault where nobody is there who could be asked, and no cap in dollars bounds it.
pub(super) fn agreed(at: &Opened, session: &Session, request: &Request, is_agreed: bool) -> Result<bool> {
    // What keeps a run from being begun is for the run to say.
    let Ok(Some(told)) = run::estimate(session, request) else {
        return Ok(true);
    };
    let line = estimate::line(&told, &at.ui.manner.look);
    if is_agreed || !told.is_to_confirm() {
        at.ui.say(&line);
        return Ok(true);
    }
    if at.streams.stdin && at.streams.stderr {
        at.ui.complain(&line);
        at.ui.ask("Go on? [y/N] ");
        let said = terminal::line().wrap_err("reading the answer")?;
        return Ok(matches!(said.trim().to_ascii_lowercase().as_str(), "y" | "yes"));
    }
    at.ui.say(&line);
    // Whoever set a cap agreed to it before: nobody is there in a night.
    match told.cap_usd {
        Some(_) => Ok(true),
        None => Err(unasked(&told).into()),
    }
}

fn unasked(told: &Estimate) -> Fault {
    let may = match told.usd {
        Some([_, most]) => format!("may cost {}", dollars(Some(most))),
        None => "costs nobody knows what".to_owned(),
    };
    let confirm = dollars(told.confirm);
    let what = format!("this run {may}, budget.confirm is {confirm}, and there is no terminal to ask at");
    Fault::new(Kind::Person, what)
        .hint("`git invisigoth run --yes`")
        .hint("or `git invisigoth config set budget.max_usd 5`, a cap that no run passes")
}
