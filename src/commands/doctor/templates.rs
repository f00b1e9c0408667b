//! The row about a repository's own templates: whether a run could word its prompts. Nothing is asked.

use crate::{
    commands::{
        doctor::Found,
        template::{self, Request},
    },
    engine::session::Session,
    prompt::template::Flaw,
};

/// Looks at those that are committed, and at those that are not; says nothing where there are none.
pub(crate) fn look(found: &mut Found, session: &Session) {
    let committed = match template::check(session, &Request::default()) {
        Ok(checked) => checked,
        Err(error) => return found.failed("templates", &error),
    };
    if let Some(what) = worded(&committed.flaws) {
        found.fail("templates", what, "git invisigoth template check");
    } else if !committed.own.is_empty() {
        let count = committed.own.len();
        let at = committed.at.name;
        found.ok("templates", format!("{count} of your own on {at}, in order"));
    }
    if !committed.at.uncommitted {
        return;
    }
    let request = Request {
        working: true,
        ..Request::default()
    };
    let working = template::check(session, &request);
    let wrong = working.ok().and_then(|checked| worded(&checked.flaws));
    let (detail, fix) = match wrong {
        Some(what) => (
            format!("not committed: {what}"),
            "git invisigoth template check --working",
        ),
        None => (
            "those in your working tree differ; what is committed counts".to_owned(),
            "git add .invisigoth/templates && git commit",
        ),
    };
    found.warn("templates", detail, Some(fix));
}

/// Words the first of what is wrong, and how much more there is.
fn worded(flaws: &[Flaw]) -> Option<String> {
    let (first, rest) = flaws.split_first()?;
    Some(match rest.len() {
        0 => first.to_string(),
        more => format!("{first}; and {more} more"),
    })
}
