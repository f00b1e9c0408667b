//! Repair messages: what a model is told after a round that did not do, and the files as they are then.
//!
//! Owns how a trouble is worded. When there is another round is the engine's to say.

use serde::Serialize;

use crate::{
    goal::Goal,
    prompt::{
        self, PromptError, Wording,
        budget::{BYTES_PER_TOKEN, Block, ends},
        sections::parted,
        template::Template,
    },
    secret::Redactor,
    transcript::{Message, Role},
};

/// Most of a failing output or of a refusal that goes into a repair, in bytes.
const TROUBLE: usize = 8 * 1024;

/// Why there is another round.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Trouble {
    /// The reply was refused as a whole: the reasons.
    Refused(String),
    /// It was applied and a check failed.
    Failed {
        /// What the check printed.
        output: String,
        /// Its edits made things worse and were taken back.
        #[cfg_attr(test, serde(default))]
        taken_back: bool,
    },
    /// It asked to see these files.
    Needed(Vec<String>),
}

impl Trouble {
    fn text(&self) -> &str {
        match self {
            Self::Refused(text) | Self::Failed { output: text, .. } => text,
            Self::Needed(_) => "",
        }
    }

    fn is_taken_back(&self) -> bool {
        matches!(self, Self::Failed { taken_back: true, .. })
    }

    /// Returns its two ends, redacted, in at most half of `budget_tokens`.
    fn block(&self, budget_tokens: usize, redactor: &Redactor) -> Block {
        let most = TROUBLE.min(budget_tokens.saturating_mul(BYTES_PER_TOKEN) / 2);
        Block::new("", ends(redactor.clean(self.text()).as_str(), most), 0)
    }

    /// Returns its first line, for people.
    pub fn first_line(&self) -> String {
        let text = match self {
            Self::Needed(_) => "the model asked for more files",
            Self::Refused(_) | Self::Failed { .. } => self.text(),
        };
        text.lines().next().unwrap_or_default().to_owned()
    }
}

/// What a model is told after a round that did not do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Feedback {
    /// Why the reply did not do.
    pub trouble: Trouble,
    /// The files that it touched, as they are now: path and text, or nothing where there is none.
    pub files: Vec<(String, Option<String>)>,
}

#[derive(Serialize)]
struct RepairView<'a> {
    id: &'a str,
    round: u32,
    rounds: u32,
    kind: &'a str,
    taken_back: bool,
    trouble: Block,
    files: Vec<Block>,
    missing: Vec<&'a str>,
}

#[derive(Serialize)]
struct ReworkView<'a> {
    id: &'a str,
    round: u32,
    rounds: u32,
    refused: bool,
    taken_back: bool,
    trouble: Block,
}

/// Builds the message that follows a round of work in a folder: what went wrong with it. What the files hold then the
/// reader sees there.
///
/// # Errors
/// When the budget is too small for the reason alone, or a template is wrong.
pub fn rework(
    goal: &Goal,
    round: (u32, u32),
    trouble: &Trouble,
    budget_tokens: usize,
    wording: Wording<'_>,
) -> Result<Message, PromptError> {
    let Wording { templates, redactor } = wording;
    let block = trouble.block(budget_tokens, redactor);
    prompt::room(budget_tokens, block.text.len(), redactor)?;
    let view = ReworkView {
        id: prompt::id_of(goal)?,
        round: round.0,
        rounds: round.1,
        refused: matches!(trouble, Trouble::Refused(_)),
        taken_back: trouble.is_taken_back(),
        trouble: block,
    };
    let text = templates.render(Template::Rework, view)?;
    Ok(prompt::message(Role::User, &text, redactor))
}

/// Builds the message that follows a reply which did not do, in at most `budget_tokens`. It is appended to the
/// conversation; what was said before is never said anew.
///
/// # Errors
/// When the budget is too small for the reason alone, or a template is wrong.
pub fn message(
    goal: &Goal,
    round: (u32, u32),
    feedback: &Feedback,
    budget_tokens: usize,
    wording: Wording<'_>,
) -> Result<Message, PromptError> {
    let Wording { templates, redactor } = wording;
    let kind = match &feedback.trouble {
        Trouble::Refused(_) => "refused",
        Trouble::Failed { .. } => "failed",
        Trouble::Needed(_) => "needed",
    };
    let trouble = feedback.trouble.block(budget_tokens, redactor);
    let mut room = prompt::room(budget_tokens, trouble.text.len(), redactor)?;
    let (present, missing) = parted(&feedback.files);
    let view = RepairView {
        id: prompt::id_of(goal)?,
        round: round.0,
        rounds: round.1,
        kind,
        taken_back: feedback.trouble.is_taken_back(),
        trouble,
        files: room.give(&present, 100),
        missing,
    };
    let text = templates.render(Template::Repair, view)?;
    Ok(prompt::message(Role::User, &text, redactor))
}
