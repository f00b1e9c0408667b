//! History: what landed, with what it took, beside the commits of people, a page at a time.

use std::collections::{BTreeMap, BTreeSet};

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::{
        log::commits::{self, Outcome, Request, Whose},
        status,
    },
    engine::{session::Session, steering::typed},
    id::GoalId,
    schedule::State,
    web::pages::{
        Asked, Page,
        setup::{self, Setup},
    },
};

/// Commits on a page.
const MOST: usize = 40;

#[derive(Serialize)]
struct History<'a> {
    log: Outcome,
    /// Goals that are part of the target now, each with the command that takes it out.
    landed: BTreeMap<GoalId, String>,
    /// What is asked for.
    show: &'a str,
    text: &'a str,
    /// True where only some of all commits are shown.
    is_filtered: bool,
    /// True on all pages but the first.
    is_later: bool,
    /// Present where nothing has landed yet.
    setup: Option<Setup>,
}

/// Makes it. The query says which: `show` is `goals` or `people`, `q` a text, `before` a commit.
///
/// # Errors
/// As `log --all` and `status`.
pub fn page(session: &Session, asked: &Asked) -> Result<Page> {
    let show = asked.get("show").filter(|show| ["goals", "people"].contains(show));
    let text = asked.get("q");
    let request = Request {
        max: MOST,
        before: asked.get("before").map(str::to_owned),
        grep: text.map(str::to_owned),
        whose: match show {
            Some("goals") => Whose::Goals,
            Some("people") => Whose::People,
            _ => Whose::All,
        },
    };
    let log = commits::run(session, &request)?;
    let status = status::run(session)?;
    let open: BTreeSet<&GoalId> = status.goals.iter().map(|row| &row.goal).collect();
    let rows = log.commits.iter().flat_map(|one| &one.landed);
    let landed = rows
        .filter(|row| row.undone_at.is_none() && !open.contains(&row.goal))
        .map(|row| (row.goal.clone(), format!("git invisigoth undo {}", typed([&row.goal]))))
        .collect();
    let is_new = status.counts.get(State::Landed.word()).is_none_or(|count| *count == 0);
    let next = match status.goals.is_empty() {
        true => "git invisigoth add \"what to do\"",
        false => "git invisigoth run",
    };
    let history = History {
        landed,
        show: show.unwrap_or_default(),
        text: text.unwrap_or_default(),
        is_filtered: show.is_some() || text.is_some(),
        is_later: request.before.is_some(),
        setup: is_new.then(|| setup::look(session, next)),
        log,
    };
    Page::new("History", "history", history)
}
