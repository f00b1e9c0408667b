//! Windows: how many tokens a request may take, and why not more. `llm.context` is a ceiling that keeps prompts cheap
//! however much a model could read; a model that holds less lowers it.

use crate::{
    engine::{models, session::Session},
    prompt::Way,
    settings::Settings,
};

/// What says that it is not more, where no model does.
const CEILING: &str = "`llm.context`";

/// What a request may take: the first prompt, and all that was said since.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Window {
    /// Tokens.
    pub tokens: usize,
    /// What says so, for people.
    pub from: String,
}

/// Returns what a request may take of somebody who works in this way, with the goal's own model if it has one.
pub fn of_way(session: &Session, settings: &Settings, way: Way, model: Option<&str>) -> Window {
    match way {
        // It chooses a model by itself.
        Way::Work => Window {
            tokens: ceiling(settings),
            from: CEILING.to_owned(),
        },
        Way::Edit | Way::Tools => of(session, settings, model.unwrap_or(&settings.llm.model)),
    }
}

/// Returns what a request to `model` may take: any model that may answer in its place must hold it. Asks
/// nobody: what the provider's list said last counts.
pub fn of(session: &Session, settings: &Settings, model: &str) -> Window {
    let llm = &settings.llm;
    let ceiling = Window {
        tokens: ceiling(settings),
        from: CEILING.to_owned(),
    };
    let Some(listing) = models::kept(session, settings) else {
        return ceiling;
    };
    let names = [model].into_iter();
    let names = names.chain(llm.fallback.iter().chain(&llm.escalate).map(String::as_str));
    let holds = |name: &str| listing.find(name).and_then(|known| known.context);
    let Some((least, name)) = names.filter_map(|name| Some((holds(name)?, name))).min() else {
        return ceiling;
    };
    let tokens = usize::try_from(least.saturating_sub(llm.max_tokens.into())).unwrap_or(usize::MAX);
    if tokens >= ceiling.tokens {
        return ceiling;
    }
    let name = session.redactor.clean(name).into_string();
    Window {
        tokens,
        from: format!(
            "{name} holds {least}, less `llm.max_tokens` = {} for a reply",
            llm.max_tokens
        ),
    }
}

/// Returns the tokens of `llm.context`.
pub fn ceiling(settings: &Settings) -> usize {
    usize::try_from(settings.llm.context).unwrap_or(usize::MAX)
}
