//! Prompts: goal and context in, messages out. What stays the same comes first, the goal last, and a repair is
//! appended, so that endpoints can reuse what they have read already.
//!
//! `first`, `repair` and `plan` build messages. What they show is shared out by `sections` within a `budget`, cut by `piece`
//! and worded by `template`; `rules` (with `imports`) and `definitions` find some of it.
//!
//! Pure and repeatable: no clock, no path outside the repository, everything through the redactor. What goes into the
//! context is gathered elsewhere.

use crate::{
    goal::Goal,
    id::{GoalId, Hash},
    prompt::{
        budget::{BYTES_PER_TOKEN, Room},
        piece::Piece,
        sections::{About, Spent},
        template::{Flaw, Templates},
    },
    reply::family::Asked,
    secret::Redactor,
    transcript::{Message, Role},
};

pub mod budget;
pub mod definitions;
pub mod first;
pub mod imports;
pub mod piece;
pub mod plan;
pub mod repair;
pub mod rules;
pub mod sections;
pub mod template;

/// How a model is to work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Way {
    /// It replies with edits.
    #[default]
    Edit,
    /// It changes files in a folder by means of its own.
    Work,
    /// It acts in a folder through us, one action a turn.
    Tools,
}

/// What the repository says to a goal. Paths are relative to its top; texts are UTF-8.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default))]
pub struct Context {
    /// The root prompt of the repository's owner.
    pub master: String,
    /// Files that tell contributors what to do, wherever they change something: path and text.
    pub rules: Vec<(String, String)>,
    /// As `rules`, for the folders of the files that are shown, the nearest last.
    pub folder_rules: Vec<(String, String)>,
    /// The files that the goal names: path and text, or nothing where there is no such file yet.
    pub files: Vec<(String, Option<String>)>,
    /// What matters of those files that are too large to be shown whole: path, and the first and the last line of each
    /// range, from 1, inclusive, ascending, not touching.
    pub parts: Vec<(String, Vec<(u32, u32)>)>,
    /// What else matters to the goal, the best file first.
    pub chunks: Vec<Piece>,
    /// Definitions that the chunks refer to, one a line.
    pub definitions: String,
    /// What there is in the repository.
    pub outline: String,
    /// The same in fewer words, and in still fewer.
    pub coarse: Vec<String>,
    /// The latest commits.
    pub log: String,
    /// The latest changes to the files that are shown.
    pub diffs: String,
    /// Goals that this one builds on: id, description, and what they changed.
    pub dependencies: Vec<(GoalId, String, String)>,
    /// Whether the goal asks for tests only.
    pub test_goal: bool,
    /// How the model is asked to word its edits.
    pub asked: Asked,
    /// What went wrong in earlier attempts.
    pub failures: Option<String>,
    /// What the candidate of the last attempt met with, where it did not land: name and text.
    pub eviction: Vec<(String, String)>,
    /// How the model is to work.
    pub way: Way,
}

/// The messages of a first round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// Standing orders, then everything else.
    pub messages: Vec<Message>,
    /// SHA-256 over the messages, 16 hex digits.
    pub hash: String,
    /// What did not fit, by name and lines.
    pub left_out: Vec<String>,
    /// What each part took, in the order of the prompt.
    pub spent: Vec<Spent>,
}

impl Built {
    /// True where nothing of a section was left out.
    pub fn has_all(&self, about: About) -> bool {
        let name = sections::name(about);
        self.spent
            .iter()
            .all(|row| row.section != name || row.left_out.is_empty())
    }
}

/// Why there is no prompt.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PromptError {
    /// Standing orders and goal alone are too large.
    #[error("the goal and the master prompt alone take {need} of {budget} tokens")]
    TooLarge {
        /// Tokens that they take.
        need: usize,
        /// `llm.context`
        budget: usize,
    },
    /// A goal without an id cannot be asked for.
    #[error("the goal has no id")]
    NoId,
    /// A template is wrong.
    #[error("{0}")]
    Template(#[from] Box<Flaw>),
}

/// What makes text of values.
#[derive(Clone, Copy)]
pub struct Wording<'a> {
    /// Words them.
    pub templates: &'a Templates,
    /// Sees what they came to before it leaves.
    pub redactor: &'a Redactor,
}

/// Room for headings, introductions and the line that names what was left out, in bytes.
const FRAME: usize = 1200;

/// Opens what is left of `budget_tokens` beside the frame and `taken` bytes that have their place already.
///
/// # Errors
/// When not even these fit.
pub(crate) fn room(budget_tokens: usize, taken: usize, redactor: &Redactor) -> Result<Room<'_>, PromptError> {
    let taken = taken.saturating_add(FRAME);
    let total = budget_tokens.saturating_mul(BYTES_PER_TOKEN);
    Room::open(total, taken, redactor).ok_or(PromptError::TooLarge {
        need: taken.div_ceil(BYTES_PER_TOKEN),
        budget: budget_tokens,
    })
}

fn id_of(goal: &Goal) -> Result<&str, PromptError> {
    goal.id.as_ref().map(GoalId::as_str).ok_or(PromptError::NoId)
}

fn message(role: Role, text: &str, redactor: &Redactor) -> Message {
    Message {
        role,
        content: redactor.clean(text).into_string(),
    }
}

fn hash(messages: &[Message]) -> String {
    let parts = messages.iter().flat_map(|message| {
        let role: &[u8] = match message.role {
            Role::System => b"system",
            Role::User => b"user",
            Role::Assistant => b"assistant",
        };
        [role, message.content.as_bytes()]
    });
    Hash::of("prompt", parts).short(16)
}

#[cfg(test)]
mod tests;
