//! `plan`: a model proposes goals; those that hold are in the backlog afterwards. `plan --dry-run` shows what it would be asked.

use std::sync::Arc;

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    engine::{
        asking::Asking,
        planning::{self, Order, Planned},
        session::Session,
        spending::Spending,
        target::Target,
        tariffs,
    },
    transcript::Message,
};

/// What to plan.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The order.
    pub order: Order,
    /// Show the prompt, and ask nobody.
    pub dry_run: bool,
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// A plan was made.
    Planned {
        /// What it came to.
        #[serde(flatten)]
        plan: Planned,
        /// True for a provider that is a script.
        scripted: bool,
    },
    /// It only says what would be asked.
    Dry {
        /// How many goals.
        count: u32,
        /// What would be sent.
        messages: Vec<Message>,
        /// As the record will have it.
        prompt_hash: String,
        /// What did not fit.
        left_out: Vec<String>,
    },
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.plan/1";
}

/// Plans.
///
/// # Errors
/// A fault where nobody can be asked, there is no room for a goal, or no reply can be read as a plan.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    if request.dry_run {
        let draft = planning::draft(session, &repo, &request.order)?;
        return Ok(Outcome::Dry {
            count: draft.count,
            messages: draft.built.messages,
            prompt_hash: draft.built.hash,
            left_out: draft.built.left_out,
        });
    }
    let target = Target::read(session, &repo)?;
    let settings = session.settings_at(&repo, Some(target.tip))?.settings;
    let scripted = tariffs::is_scripted(&settings.llm);
    let spending = Spending::open(session, !scripted).wrap_err("opening the ledger of spending")?;
    let asking = Asking::open(session, &settings, false, (Arc::new(spending), None))?;
    Ok(Outcome::Planned {
        plan: planning::make(session, &asking, &request.order)?,
        scripted,
    })
}
