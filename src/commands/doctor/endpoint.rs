//! `doctor`'s rows about who answers: key, credit, model, context, price. Asks only what costs nothing, and not for long;
//! where nobody answers it goes by the list of models that is kept.

use std::time::Duration;

use crate::{
    commands::doctor::Found,
    door::fs,
    engine::{
        asking,
        models::{self, Listing},
        session::Session,
    },
    layers::{file, read::edits},
    money::Prices,
    provider::{Account, Model, Provider, ProviderError, choice, pricing::exact},
    settings::{Llm, Settings},
};

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most names that are offered in the place of one that there is not.
const NEAREST: usize = 3;
/// Less credit than this is worth a word, in dollars.
const LOW_CREDIT: f64 = 1.0;

/// A prompt that has less room than this, in tokens, shows little more than the goal.
const LEAST_PROMPT: u64 = 4000;

/// Looks at the provider that `settings` name, and asks it where `asks` says so.
pub(crate) fn look(found: &mut Found, session: &Session, settings: &Settings, asks: bool) {
    let mut brief = settings.clone();
    for limit in [
        &mut brief.llm.timeout,
        &mut brief.llm.connect_timeout,
        &mut brief.llm.first_byte_timeout,
        &mut brief.llm.idle_timeout,
    ] {
        *limit = (*limit).min(PATIENCE);
    }
    let llm = &settings.llm;
    match (models::has_models(settings), llm.provider.as_str()) {
        (true, provider) => found.ok("provider", format!("{provider}: {}", llm.model)),
        (false, "mock") if llm.command.is_some() => found.ok("provider", "mock: a command; nobody else is asked"),
        (false, "mock") => found.ok("provider", "mock: a script; nobody is asked"),
        (false, provider) => found.ok("provider", format!("{provider}: recorded calls; nobody is asked")),
    }
    let provider = match asking::open_provider(session, &brief.llm) {
        Ok(provider) => provider,
        Err(fault) => {
            return match no_key(session, &brief) {
                Some((what, fix)) => found.fail("key", what, fix),
                None => found.fail("provider", fault.message, fault.hints.join("; ")),
            };
        }
    };
    match (llm.provider.as_str(), &llm.command, &llm.script) {
        ("mock", Some(command), _) => found.ok("command", command.clone()),
        ("mock", None, Some(script)) => found.ok("script", script.clone()),
        _ => {}
    }
    if models::has_models(settings) {
        found.ok("endpoint", llm.base_url.clone());
        match asks {
            true => ask(found, session, &brief, provider.as_ref()),
            false => unasked(found, session, settings),
        }
    }
}

/// Goes by what is known here alone.
fn unasked(found: &mut Found, session: &Session, settings: &Settings) {
    let name = &settings.llm.key_env;
    match session.key {
        Some(_) => found.ok("key", format!("{name} is set; `git invisigoth doctor` tries it")),
        None => key(found, session, &settings.llm, None),
    }
    if let Some(listing) = models::kept(session, settings) {
        model(found, settings, &listing, " in the list that is kept");
    }
}

/// Says what is wrong and what mends it where all that is wrong is that there is no key.
fn no_key(session: &Session, settings: &Settings) -> Option<(String, String)> {
    let llm = &settings.llm;
    if !models::has_models(settings) {
        return None;
    }
    let Err(error @ ProviderError::NoKey { .. }) = choice::open(llm, session.key.clone()) else {
        return None;
    };
    let repo = session.repo();
    let dotenv = repo.workdir().map(|top| fs::read_text(&top.join(".env")));
    let dotenv = dotenv.and_then(Result::ok).flatten().unwrap_or_default();
    let is_begun = file::dotenv_all(&dotenv).any(|(name, _)| name == llm.key_env);
    let fix = if is_begun {
        format!("write it into .env, behind {}=", llm.key_env)
    } else {
        error.hint().unwrap_or_default().to_owned()
    };
    Some((error.to_string(), fix))
}

fn ask(found: &mut Found, session: &Session, settings: &Settings, provider: &dyn Provider) {
    let account = provider.account(&session.stop);
    let listed = match &account {
        // Nobody is there, or nobody with this key: a second question would only take time.
        Err(
            error @ (ProviderError::Connect { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::Unauthorized { .. }
            | ProviderError::Stopped),
        ) => Err(error.clone()),
        _ => models::ask(session, settings, provider),
    };
    let tried = account.as_ref().map(|_| ()).and(listed.as_ref().map(|_| ()));
    key(found, session, &settings.llm, tried.err());
    credit(found, &account);
    if let Ok(listing) = listed {
        return model(found, settings, &listing, "");
    }
    match models::kept(session, settings) {
        Some(listing) => model(found, settings, &listing, " in the list that is kept"),
        None => found.warn("model", format!("{}: cannot be looked up", settings.llm.model), None),
    }
}

fn key(found: &mut Found, session: &Session, llm: &Llm, error: Option<&ProviderError>) {
    let name = &llm.key_env;
    let is_set = session.key.is_some();
    match error {
        Some(error @ ProviderError::Unauthorized { .. }) => {
            found.fail("key", format!("{name}: {error}"), error.hint().unwrap_or_default());
        }
        _ if !is_set && name.is_empty() => found.ok("key", format!("{} needs none", llm.provider)),
        _ if !is_set => {
            found.ok(
                "key",
                format!("{name} is not set; an endpoint on this machine needs none"),
            );
        }
        Some(error) if !matches!(error, ProviderError::Credit { .. }) => {
            found.warn("key", format!("{name} is set, and was not tried: {error}"), None);
        }
        _ => found.ok("key", format!("{name} is set, and the endpoint answers")),
    }
}

fn credit(found: &mut Found, account: &Result<Option<Account>, ProviderError>) {
    match account {
        Ok(Some(Account { left_usd: Some(left) })) if *left <= 0.0 => {
            found.fail("credit", "nothing is left", "add credit to the provider's account");
        }
        Ok(Some(Account { left_usd: Some(left) })) if *left < LOW_CREDIT => {
            found.warn("credit", format!("only ${left:.2} are left"), None);
        }
        Ok(Some(Account { left_usd: Some(left) })) => found.ok("credit", format!("${left:.2} are left")),
        Ok(Some(Account { left_usd: None })) => found.ok("credit", "nothing caps this key"),
        Err(error @ ProviderError::Credit { .. }) => {
            found.fail("credit", error.to_string(), error.hint().unwrap_or_default());
        }
        // It does not say, or was not reached, which the key's row tells.
        Ok(None) | Err(_) => {}
    }
}

/// `source`: where the list is from, if not from the endpoint itself.
fn model(found: &mut Found, settings: &Settings, listing: &Listing, source: &str) {
    let llm = &settings.llm;
    if listing.models.is_empty() {
        let detail = format!("{}: the endpoint lists no models", llm.model);
        return found.warn("model", detail, None);
    }
    let asked = std::iter::once(&llm.model).chain(&llm.fallback).chain(&llm.escalate);
    let mut there: Vec<&Model> = Vec::new();
    for name in asked {
        match listing.find(name) {
            Some(model) => there.push(model),
            None => {
                let near = nearest(name, listing);
                let fix = match near.as_slice() {
                    [] => "`git invisigoth models` lists what there is".to_owned(),
                    near => format!("perhaps {}", near.join(", ")),
                };
                return found.fail("model", format!("there is no `{name}`{source}"), fix);
            }
        }
    }
    let names: Vec<&str> = there.iter().map(|model| model.id.as_str()).collect();
    let word = if there.len() == 1 { "is" } else { "are" };
    let source = if source.is_empty() { " at the endpoint" } else { source };
    found.ok("model", format!("{} {word}{source}", names.join(", ")));
    context(found, llm, &there);
    price(found, llm, &there);
}

fn nearest<'a>(name: &str, listing: &'a Listing) -> Vec<&'a str> {
    let bare = |id: &str| id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let wanted = bare(name);
    let most = (wanted.chars().count() / 3).max(2);
    let distance = |id: &str| {
        let id = bare(id);
        let within = id.contains(&wanted) || wanted.contains(&id);
        if within { 0 } else { edits(&id, &wanted) }
    };
    let ids = listing.models.iter().map(|model| model.id.as_str());
    let mut near: Vec<(usize, &str)> = ids
        .map(|id| (distance(id), id))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(NEAREST).map(|(_, id)| id).collect()
}

fn context(found: &mut Found, llm: &Llm, models: &[&Model]) {
    let need = u64::from(llm.context).saturating_add(llm.max_tokens.into());
    let asked = format!("{} of prompt and {} of reply", llm.context, llm.max_tokens);
    let least = models
        .iter()
        .filter_map(|model| Some((model.context?, &model.id)))
        .min();
    match least {
        None => found.warn("context", format!("not said; {asked} are asked for"), None),
        Some((has, id)) if has < need => {
            let left = has.saturating_sub(llm.max_tokens.into());
            if left < LEAST_PROMPT {
                found.fail(
                    "context",
                    format!("{id} has {has} tokens, and {asked} are asked for"),
                    "lower `llm.max_tokens`, or choose another `llm.model`",
                );
            } else {
                found.ok(
                    "context",
                    format!(
                        "{id} has {has} tokens: {left} of prompt and {} of reply",
                        llm.max_tokens
                    ),
                );
            }
        }
        Some((has, _)) => found.ok("context", format!("{has} tokens hold {asked}")),
    }
}

fn price(found: &mut Found, llm: &Llm, models: &[&Model]) {
    let of = |model: &Model| match Prices::of(llm, &model.id) {
        Prices::Unknown => model.prices,
        said => said,
    };
    if let Some(model) = models.iter().find(|model| of(model) == Prices::Unknown) {
        return found.warn(
            "price",
            format!("of {} is not known before a call", model.id),
            Some("git config invisigoth.llm.usd-per-mtok-in X && git config invisigoth.llm.usd-per-mtok-out Y"),
        );
    }
    match models.first().map(|model| of(model)) {
        Some(Prices::PerMillion { input, output }) => {
            let detail = format!("{} in, {} out a million tokens", exact(input), exact(output));
            found.ok("price", detail);
        }
        _ => found.ok("price", "free"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Moment;

    fn listing(ids: &[&str]) -> Listing {
        let model = |id: &&str| Model {
            id: (*id).to_owned(),
            context: None,
            prices: Prices::Unknown,
        };
        Listing {
            at: Moment(0),
            models: ids.iter().map(model).collect(),
        }
    }

    #[test]
    fn names_nearby_are_offered_and_others_are_not() {
        let there = listing(&[
            "acme/claude-opus-4",
            "acme/claude-sonnet-4.5",
            "acme/claude-sonnet-4",
            "x/gpt-9",
            "qwen3:8b",
        ]);
        for (said, near) in [
            (
                "acme/claude-sonet-4.5",
                &["acme/claude-sonnet-4.5", "acme/claude-sonnet-4"][..],
            ),
            ("Claude-Sonnet-4", &["acme/claude-sonnet-4.5", "acme/claude-sonnet-4"]),
            ("other/gpt-9", &["x/gpt-9"]),
            ("qwen3", &["qwen3:8b"]),
            ("something-else-entirely", &[]),
        ] {
            let mut found = nearest(said, &there);
            found.truncate(2);
            assert_eq!(found, near, "{said}");
        }
    }
}
