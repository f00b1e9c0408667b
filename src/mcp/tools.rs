//! The tools: their names, what a model is told of them, and the schema of what they take. All that there is stands here.
//!
//! Not here: what they do, which is `call`.

use serde_json::{Value, json};

use crate::{commands::claim, mcp::Offer, schedule::State};

/// Most goals of one answer.
pub(super) const MOST_GOALS: u64 = 500;
/// How many goals an answer has where nobody says.
pub(super) const USUAL_GOALS: u64 = 50;
/// Most characters of what a goal is about, in one line.
pub(super) const DESCRIPTION: usize = 500;
/// Most characters of any longer text.
pub(super) const TEXT: usize = 20_000;
/// Most entries of a list that a goal has.
pub(super) const ENTRIES: usize = 50;

/// A tool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tool {
    /// Goals by state.
    List,
    /// Goals that can start.
    Ready,
    /// Everything about a goal.
    Show,
    /// Why it is in its state.
    Why,
    /// Proposes a goal.
    Add,
    /// Says something about a goal.
    Comment,
    /// Takes a goal.
    Claim,
}

const ALL: [Tool; 7] = [
    Tool::List,
    Tool::Ready,
    Tool::Show,
    Tool::Why,
    Tool::Add,
    Tool::Comment,
    Tool::Claim,
];

impl Tool {
    /// Returns its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Ready => "ready",
            Self::Show => "show",
            Self::Why => "why",
            Self::Add => "add",
            Self::Comment => "comment",
            Self::Claim => "claim",
        }
    }

    fn changes(self) -> bool {
        matches!(self, Self::Add | Self::Comment | Self::Claim)
    }

    fn about(self) -> (&'static str, &'static str) {
        match self {
            Self::List => (
                "List goals",
                "Lists goals of the backlog by id, each with its state, what it still needs and what it is about. Without \
                 `states` all open ones.",
            ),
            Self::Ready => (
                "List goals that can start",
                "Lists the goals that can start now, in the order in which they would be worked on: nobody works at them and \
                 all that they need has landed.",
            ),
            Self::Show => (
                "Show a goal",
                "Shows everything about one goal: what it asks, its state, every attempt and why it failed, comments, and the \
                 record of its landing.",
            ),
            Self::Why => (
                "Say why a goal waits",
                "Says why a goal is in its state, which goals it waits for (also through others), and what would settle it: \
                 another landing, or a decision of a person with the command that they would type.",
            ),
            Self::Add => (
                "Propose a goal",
                "Writes a new goal into the backlog. It is only proposed, and nothing works at it, until a person approves it; \
                 unless the user's own settings say otherwise, and the answer says which.",
            ),
            Self::Comment => (
                "Comment on a goal",
                "Adds a comment to an open goal. Whoever works at it next gets to read it. It changes nothing about the \
                 goal's state.",
            ),
            Self::Claim => (
                "Claim a goal",
                "Takes a goal so that no unattended run works at it meanwhile. The answer has what the goal asks, the commit \
                 to begin at, the branch to work on, the checks that must pass, and how the branch is handed in. The claim \
                 ends by itself at `until`; claim again with its `handle` for longer, or with `give_back` to end it. Only \
                 goals that are ready, or that runs failed at, can be claimed.",
            ),
        }
    }

    fn takes(self) -> Value {
        let id = json!({ "type": "string", "description": "The goal's id" });
        let limit = json!({
            "type": "integer", "minimum": 1, "maximum": MOST_GOALS, "default": USUAL_GOALS,
            "description": "Most goals of the answer",
        });
        let text = |about: &str| json!({ "type": "string", "maxLength": TEXT, "description": about });
        let texts = |about: &str| {
            json!({
                "type": "array", "maxItems": ENTRIES, "items": { "type": "string", "maxLength": TEXT },
                "description": about,
            })
        };
        match self {
            Self::List => object(
                &json!({
                    "states": {
                        "type": "array", "items": { "type": "string", "enum": State::ALL.map(State::word) },
                        "description": "Only goals in these states",
                    },
                    "limit": limit,
                }),
                &[],
            ),
            Self::Ready => object(&json!({ "limit": limit }), &[]),
            Self::Show | Self::Why => object(&json!({ "id": id }), &["id"]),
            Self::Add => object(
                &json!({
                    "description": {
                        "type": "string", "minLength": 1, "maxLength": DESCRIPTION,
                        "description": "What is to be done, in one line",
                    },
                    "prompt": text("What whoever works at it is asked, where one line does not say all"),
                    "acceptance": texts("What must be true afterwards, each a sentence or a command"),
                    "files": texts("Files that it is about, the main one first, from the top of the repository"),
                    "needs": texts("Ids of goals that must land before"),
                }),
                &["description"],
            ),
            Self::Comment => object(&json!({ "id": id, "text": text("What to say") }), &["id", "text"]),
            Self::Claim => object(
                &json!({
                    "id": id,
                    "minutes": {
                        "type": "integer", "minimum": 1, "maximum": claim::LONGEST, "default": claim::USUAL,
                        "description": "How many minutes from now the claim ends by itself",
                    },
                    "handle": { "type": "string", "description": "The handle of an earlier answer: renews that claim" },
                    "give_back": { "type": "boolean", "default": false, "description": "End the claim of `handle`" },
                }),
                &["id"],
            ),
        }
    }

    fn listed(self) -> Value {
        let (title, about) = self.about();
        let annotations = match self.changes() {
            false => json!({ "title": title, "readOnlyHint": true, "openWorldHint": false }),
            true => json!({
                "title": title, "readOnlyHint": false, "destructiveHint": false, "idempotentHint": false,
                "openWorldHint": false,
            }),
        };
        json!({
            "name": self.name(),
            "title": title,
            "description": about,
            "inputSchema": self.takes(),
            "annotations": annotations,
        })
    }
}

/// Lists the tools of an offer, always in the same order.
pub(super) fn listed(offer: Offer) -> Vec<Value> {
    offered(offer).map(Tool::listed).collect()
}

/// Finds a tool of an offer.
pub(super) fn find(name: &str, offer: Offer) -> Option<Tool> {
    offered(offer).find(|tool| tool.name() == name)
}

fn offered(offer: Offer) -> impl Iterator<Item = Tool> {
    ALL.into_iter().filter(move |tool| !(offer.read_only && tool.changes()))
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}
