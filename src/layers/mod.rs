//! Layers: settings from several sources; the strongest source wins, and each value knows where it came from.
//!
//! Owns the order of sources and what a *tracked* file may not say. Reads no file and no environment.

mod chosen;
mod executor;
mod family;
pub mod file;
mod metric;
pub mod read;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::Serialize;

use crate::{
    layers::{
        chosen::{Chosen, Winners, drop_foreign_provider},
        family::Said,
    },
    settings::{
        Settings,
        keys::{KEYS, Key},
    },
};

/// A source of settings, the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `settings::keys::KEYS`
    Default,
    /// `invisigoth.toml` as tracked at the base commit
    Project,
    /// The user's file, `$XDG_CONFIG_HOME/invisigoth/config.toml`
    User,
    /// `git config invisigoth.*`
    Git,
    /// `INVISIGOTH_<SECTION>_<KEY>`
    Environment,
    /// The command line
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "default",
            Self::Project => "invisigoth.toml",
            Self::User => "your config.toml",
            Self::Git => "git config",
            Self::Environment => "environment",
            Self::Flag => "command line",
        })
    }
}

/// A value of the kind that its key asks for.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// `KeyKind::Text` and `KeyKind::Word`
    Text(String),
    /// `KeyKind::List`
    List(Vec<String>),
    /// `KeyKind::Count`
    Count(u32),
    /// `KeyKind::Dollars`
    Dollars(f64),
    /// `KeyKind::Flag`
    Flag(bool),
}

/// One setting of one source.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// `Key::name`; of an executor's pair the last part.
    pub name: &'static str,
    /// The value.
    pub value: Value,
    /// Where it was said, for people: file and line, or the variable's name.
    pub place: String,
}

/// What one source says. Read by `layers::read`.
#[derive(Clone, PartialEq, Debug)]
pub struct Layer {
    /// The source.
    pub origin: Origin,
    /// In the order in which they were said; a later one wins.
    pub pairs: Vec<Pair>,
    /// What is said of executors of the user's own, by their names.
    pub executors: BTreeMap<String, Vec<Pair>>,
    /// What is said of metrics, by their names.
    pub metrics: BTreeMap<String, Vec<Pair>>,
}

/// Why a source cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LayerError {
    /// No TOML.
    #[error("{origin}, line {line}, column {column}: {why}")]
    Broken {
        /// The source.
        origin: Origin,
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
        /// What the TOML reader said.
        why: String,
    },
    /// No such setting.
    #[error("{place}: there is no setting `{name}`; did you mean `{closest}`?")]
    UnknownKey {
        /// Where it was said.
        place: String,
        /// As it was said.
        name: String,
        /// The most similar one there is.
        closest: &'static str,
    },
    /// A value that the setting cannot have.
    #[error("{place}: `{key}` must be {wanted}")]
    WrongValue {
        /// Where it was said.
        place: String,
        /// The setting.
        key: &'static str,
        /// What it must be.
        wanted: Cow<'static, str>,
    },
    /// A tracked file that says what runs with the user's rights.
    #[error(
        "{place}: `executor.{name}` cannot be set up in a tracked file, as it says what runs with your rights; set it up in your own config.toml, or by `git config invisigoth.executor.{name}.cmd …`"
    )]
    NotYours {
        /// Where it was said.
        place: String,
        /// The executor.
        name: String,
    },
    /// A name that no executor or metric can have.
    #[error("{place}: `{name}` cannot be {what}: up to 32 small letters, digits and `-`")]
    BadName {
        /// Where it was said.
        place: String,
        /// As it was said.
        name: String,
        /// What it is the name of.
        what: &'static str,
    },
}

/// What all sources together settle on.
#[derive(Clone, PartialEq, Debug)]
pub struct Resolved {
    /// The settings.
    pub settings: Settings,
    /// Every setting that has a value, by name, those of executors as `executor.NAME.KEY`, of metrics as
    /// `evolve.metric.NAME.KEY`.
    pub values: BTreeMap<String, Effective>,
    /// What was said and does not count, a line each.
    pub warnings: Vec<String>,
}

/// The value of a setting that counts, and where it comes from.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Effective {
    /// The value.
    pub value: Value,
    /// The source.
    pub origin: Origin,
    /// Where it was said, for people.
    pub place: String,
}

impl Effective {
    fn of((origin, pair): &(Origin, &Pair)) -> Self {
        Self {
            value: pair.value.clone(),
            origin: *origin,
            place: match origin {
                Origin::Default => origin.to_string(),
                _ => pair.place.clone(),
            },
        }
    }
}

/// Lets the strongest of `layers` win, setting by setting; they may come in any order. Defaults need no layer.
///
/// # Errors
/// Never for layers that `layers::read` made, while the defaults in `KEYS` are valid.
pub fn resolve(layers: &[Layer]) -> Result<Resolved, LayerError> {
    let defaults = read::defaults(KEYS)?;
    let mut sources: Vec<&Layer> = std::iter::once(&defaults).chain(layers).collect();
    sources.sort_by_key(|layer| layer.origin);
    let mut chosen = Winners::new();
    let mut warnings = Vec::new();
    let mut executors = Said::of(&executor::EXECUTORS);
    let mut metrics = Said::of(&metric::METRICS);
    for layer in sources {
        executor::take(&mut executors, layer);
        metric::take(&mut metrics, layer, &mut warnings);
        for pair in &layer.pairs {
            if layer.origin == Origin::Project && known(pair.name).is_some_and(|key| key.own_only) {
                warnings.push(does_not_count(pair));
            } else {
                chosen.insert(pair.name, (layer.origin, pair));
            }
        }
    }
    warnings.extend(drop_foreign_provider(&mut chosen, &defaults));
    chosen.retain(|_, (_, pair)| !matches!(&pair.value, Value::Text(text) if text.is_empty()));
    let named = chosen
        .iter()
        .map(|(name, said)| ((*name).to_owned(), Effective::of(said)));
    let values = named.chain(executors.values()).chain(metrics.values()).collect();
    let mut settings = Chosen(chosen).settings();
    settings.executors = executor::settle(executors, &mut warnings)?;
    settings.evolve.metrics = metric::settle(metrics)?;
    Ok(Resolved {
        settings,
        values,
        warnings,
    })
}

fn known(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

fn does_not_count(pair: &Pair) -> String {
    let Pair { name, place, .. } = pair;
    let own = name.replace('_', "-");
    format!("{place}: `{name}` does not count in a tracked file; say it yourself: `git config invisigoth.{own} …`")
}

#[cfg(test)]
mod tests;
