//! Failures: what follows from each `ProviderError`, for the run, for the goal, for the budget and for a person.
//!
//! Pure. Which failure it is was decided before.

use crate::{
    money::Refused,
    provider::{Answer, ProviderError},
};

impl ProviderError {
    /// True where every other request would fail in the same way, so that a run should end.
    pub fn is_fatal_for_run(&self) -> bool {
        match self {
            Self::Unauthorized { .. }
            | Self::Credit { .. }
            | Self::RateLimited { .. }
            | Self::Connect { .. }
            | Self::Insecure { .. }
            | Self::Settings { .. }
            | Self::NoKey { .. }
            | Self::Script { .. }
            | Self::Command { .. }
            | Self::NotRecorded { .. }
            | Self::Refused(_)
            | Self::Stopped => true,
            // No such endpoint, or it has moved: the address is wrong, not the request.
            Self::BadRequest { status, .. } => matches!(status, 300..=399 | 404 | 405),
            Self::Unavailable { .. }
            | Self::Malformed { .. }
            | Self::Empty(_)
            | Self::Cut(_)
            | Self::Filtered(_)
            | Self::Shortened(_)
            | Self::Timeout { .. }
            | Self::Silent { .. }
            | Self::NoReply { .. }
            | Self::NoPlan => false,
        }
    }

    /// True where the goal is not to blame and asking later may help.
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::RateLimited { .. }
                | Self::Unavailable { .. }
                | Self::Connect { .. }
                | Self::Timeout { .. }
                | Self::Silent { .. }
        )
    }

    /// Returns what came although it cannot be used: it counts for the budget.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Empty(answer) | Self::Cut(answer) | Self::Filtered(answer) | Self::Shortened(answer) => Some(answer),
            _ => None,
        }
    }

    /// Returns what a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unauthorized { .. } => "put a valid key into the environment variable that `llm.key_env` names",
            Self::Credit { .. } => "add credit to the provider's account, or choose a cheaper `llm.model`",
            Self::BadRequest { .. } if self.is_fatal_for_run() => "check `llm.base_url` and `llm.model`",
            Self::BadRequest { .. } => "check `llm.model`, `llm.max_tokens` and `llm.context`",
            Self::RateLimited { .. } | Self::Unavailable { .. } => "run again later",
            Self::Malformed { .. } => {
                "check that `llm.base_url` is an OpenAI-compatible endpoint; it often ends in /v1"
            }
            Self::Empty(_) => "run again, or choose another `llm.model`",
            Self::Cut(_) => "raise `llm.max_tokens`, lower `llm.reasoning`, or split the goal",
            Self::Filtered(_) => "word the goal in another way, or choose another `llm.model`",
            Self::Shortened(_) => "lower `llm.context`, or choose an `llm.model` that holds more",
            Self::Connect { .. } => "check the network and `llm.base_url`",
            Self::Timeout { .. } => "raise `llm.timeout`, or choose a faster `llm.model`",
            Self::Silent { .. } => {
                "raise `llm.first_byte_timeout` or `llm.idle_timeout`, or choose a faster `llm.model`"
            }
            Self::Settings { .. } => "`git invisigoth doctor` shows where each setting comes from",
            Self::Insecure { .. } => "set `llm.base_url` to an https address",
            Self::NoKey { .. } => "export it, or write it into an untracked .env; `git invisigoth demo` needs none",
            Self::Script { .. } => "correct the file that `llm.script` names",
            Self::Command { .. } => "correct the command that `llm.command` names",
            Self::NotRecorded { .. } => {
                "prompt, model and limits must be as they were recorded; another `llm.provider` asks anew"
            }
            Self::NoPlan => "add `\"plan\": [\"…\"]` to the file that `llm.script` names",
            Self::NoReply { .. } => "add the goal, or a `default`, to the file that `llm.script` names",
            Self::Refused(Refused::Over(_)) => "`git invisigoth budget` shows the caps and raises them",
            Self::Refused(Refused::Dearer(_)) => "correct `llm.usd_per_mtok_*`, or look at the endpoint's bill",
            Self::Refused(Refused::Unkept(_)) => "make room on the disk, then run again",
            Self::Stopped => return None,
        })
    }
}
