//! Reads one source of settings: TOML text, or pairs of names and values.
//!
//! Owns what names and values may look like in each, and the error that names the place. Decides nothing between sources.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use toml_edit::{Array, Document, DocumentMut, Item, TableLike, TomlError};

use crate::{
    layers::{Layer, LayerError, Origin, Pair, Value, executor, metric},
    settings::keys::{KEYS, Key, KeyKind},
};

/// Reads TOML: `invisigoth.toml` or the user's file.
///
/// # Errors
/// Names line and key: broken TOML, an unknown key, a value that does not fit.
pub fn from_toml(text: &str, origin: Origin) -> Result<Layer, LayerError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse(text).map_err(|error| broken(&error, text, origin))?;
    let place = |span: Option<Range<usize>>| match span {
        Some(span) => format!("{origin}, line {}", line(text, span.start).0),
        None => origin.to_string(),
    };
    let (mut pairs, mut executors, mut metrics) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for (section, item) in document.as_table() {
        let Some(table) = item.as_table_like() else {
            return Err(unknown(place(item.span()), section));
        };
        if section == executor::EXECUTORS.section {
            executors = executor::from_table(table, origin, &place)?;
            continue;
        }
        if !is_section(section) {
            let (place, name) = (place(item.span().or(first_span(table))), section.to_owned());
            let closest = sections().min_by_key(|known| edits(known, section)).unwrap_or_default();
            return Err(LayerError::UnknownKey { place, name, closest });
        }
        for (name, item) in table.iter() {
            let name = format!("{section}.{name}");
            if name == metric::METRICS.section {
                metrics = metric::from_item(item, &place)?;
                continue;
            }
            let place = place(item.span());
            let Some(key) = KEYS.iter().find(|key| key.name == name) else {
                return Err(unknown(place, &name));
            };
            let value = toml_value(key, item).map_err(|wanted| wrong(&place, key, wanted))?;
            let name = key.name;
            pairs.push(Pair { name, value, place });
        }
    }
    Ok(Layer {
        origin,
        pairs,
        executors,
        metrics,
    })
}

pub(crate) fn first_span(table: &dyn TableLike) -> Option<Range<usize>> {
    table.iter().find_map(|(_, item)| item.span())
}

/// Reads pairs: `git config` (name `invisigoth.section.key`; one name several times makes a list), the environment
/// (`INVISIGOTH_SECTION_KEY`; others are passed over) or flags (`section.key`). `-`, `_` and case do not matter in names,
/// as git allows no `_`. A list is an array `["…", "…"]`, or one value.
///
/// # Errors
/// Names the pair: an unknown key, a value that does not fit.
pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>, origin: Origin) -> Result<Layer, LayerError>
where
    N: AsRef<str>,
    V: AsRef<str>,
{
    let mut layer = Layer::empty(origin);
    for (name, value) in pairs {
        let (said, text) = (name.as_ref(), value.as_ref().trim());
        let Some(name) = dotted(said, origin) else { continue };
        if origin == Origin::Environment && text.is_empty() {
            continue;
        }
        let place = match origin {
            Origin::Git => format!("git config {said}"),
            Origin::Environment => said.to_owned(),
            Origin::Default | Origin::Project | Origin::User | Origin::Flag => format!("{origin}, {said}"),
        };
        layer.take(&name, text, place)?;
    }
    Ok(layer)
}

/// Reads what `git config` says: scope (`--global`, `--local` …; empty where it has none), name and value of each.
///
/// # Errors
/// As `from_pairs`.
pub fn from_git(said: &[(&str, String, String)]) -> Result<Layer, LayerError> {
    let mut layer = Layer::empty(Origin::Git);
    for (scope, name, value) in said {
        let scope = if scope.is_empty() {
            String::new()
        } else {
            format!("{scope} ")
        };
        layer.take(name, value.trim(), format!("git config {scope}invisigoth.{name}"))?;
    }
    Ok(layer)
}

impl Layer {
    fn empty(origin: Origin) -> Self {
        Self {
            origin,
            pairs: Vec::new(),
            executors: BTreeMap::new(),
            metrics: BTreeMap::new(),
        }
    }

    /// Takes in one pair, its name as `section.key`.
    fn take(&mut self, name: &str, text: &str, place: String) -> Result<(), LayerError> {
        for (family, known) in [
            (&executor::EXECUTORS, &mut self.executors),
            (&metric::METRICS, &mut self.metrics),
        ] {
            if let Some(said) = family.named(name) {
                let (name, key) = family.key(said, &place)?;
                let value = text_value(key, text).map_err(|wanted| wrong(&place, key, wanted))?;
                add(known.entry(name).or_default(), key, value, place);
                return Ok(());
            }
        }
        let wanted = plain(name);
        let Some(key) = KEYS.iter().find(|key| plain(key.name) == wanted) else {
            return Err(unknown(place, name));
        };
        let value = text_value(key, text).map_err(|wanted| wrong(&place, key, wanted))?;
        add(&mut self.pairs, key, value, place);
        Ok(())
    }
}

/// Returns the setting that a person calls `name`, `executor.NAME.KEY` and `evolve.metric.NAME.KEY` included: its whole name,
/// and its key. `-`, `_` and case do not matter.
///
/// # Errors
/// An unknown key, with the closest one there is.
pub fn find(name: &str) -> Result<(String, &'static Key), LayerError> {
    const PLACE: &str = "command line";
    let name = name.strip_prefix("invisigoth.").unwrap_or(name);
    for family in [&executor::EXECUTORS, &metric::METRICS] {
        if let Some(said) = family.named(name) {
            let (name, key) = family.key(said, PLACE)?;
            return Ok((family.setting(&name, key.name), key));
        }
    }
    let wanted = plain(name);
    let key = KEYS.iter().find(|key| plain(key.name) == wanted);
    let key = key.ok_or_else(|| unknown(PLACE.to_owned(), name))?;
    Ok((key.name.to_owned(), key))
}

/// Says whether `text` is a value that `key` can have.
///
/// # Errors
/// What it must be.
pub fn fits(key: &Key, text: &str) -> Result<(), LayerError> {
    let fits = text_value(key, text.trim()).map(|_| ());
    fits.map_err(|wanted| wrong("command line", key, wanted))
}

/// Returns `section.key`, or `None` for an environment variable that is no setting.
fn dotted(said: &str, origin: Origin) -> Option<String> {
    if origin == Origin::Environment {
        let name = said.strip_prefix("INVISIGOTH_")?.to_ascii_lowercase();
        let (section, key) = name.split_once('_')?;
        if section == executor::EXECUTORS.section {
            let (name, key) = key.rsplit_once('_')?;
            return Some(format!("{section}.{}.{key}", name.replace('_', "-")));
        }
        if let Some(said) = name.strip_prefix("evolve_metric_") {
            let (name, key) = said.rsplit_once('_')?;
            return Some(format!("{}.{}.{key}", metric::METRICS.section, name.replace('_', "-")));
        }
        return is_section(section).then(|| format!("{section}.{key}"));
    }
    Some(said.strip_prefix("invisigoth.").unwrap_or(said).to_owned())
}

fn plain(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '-' | '_'));
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

fn sections() -> impl Iterator<Item = &'static str> {
    KEYS.iter()
        .filter_map(|key| key.name.split_once('.'))
        .map(|(section, _)| section)
}

fn is_section(word: &str) -> bool {
    sections().any(|section| section == word)
}

/// Takes in a pair; a list that was said before grows, as with `git config --add`.
fn add(pairs: &mut Vec<Pair>, key: &'static Key, value: Value, place: String) {
    let before = pairs.iter_mut().find(|pair| pair.name == key.name);
    match (before, value) {
        (Some(pair), Value::List(more)) => match &mut pair.value {
            Value::List(list) if !more.is_empty() => list.extend(more),
            other => *other = Value::List(more),
        },
        (Some(pair), value) => *pair = Pair { value, place, ..*pair },
        (None, value) => pairs.push(Pair {
            name: key.name,
            value,
            place,
        }),
    }
}

/// Reads the defaults of `keys`.
pub(crate) fn defaults(keys: &'static [Key]) -> Result<Layer, LayerError> {
    let mut pairs = Vec::new();
    for key in keys.iter().filter(|key| !key.default.is_empty()) {
        let place = format!("default of {}", key.name);
        let item = item_of(key.default).ok_or_else(|| wrong(&place, key, "TOML".into()))?;
        let value = toml_value(key, &item).map_err(|wanted| wrong(&place, key, wanted))?;
        let name = key.name;
        pairs.push(Pair { name, value, place });
    }
    Ok(Layer {
        origin: Origin::Default,
        pairs,
        executors: BTreeMap::new(),
        metrics: BTreeMap::new(),
    })
}

/// Reads one value in TOML notation.
fn item_of(text: &str) -> Option<Item> {
    let mut document: DocumentMut = format!("value = {text}\n").parse().ok()?;
    (document.len() == 1).then(|| document.remove("value")).flatten()
}

type Wanted = Cow<'static, str>;

/// Takes `item` for `key`, or says what it must be.
pub(crate) fn toml_value(key: &Key, item: &Item) -> Result<Value, Wanted> {
    let whole = item.as_integer();
    let value = match key.kind {
        KeyKind::Text | KeyKind::Word(_) => return item.as_str().map_or(Err(wanted(key)), |text| worded(key, text)),
        KeyKind::List => match item.as_str() {
            Some(text) => Some(Value::List(vec![text.to_owned()])),
            None => item.as_array().and_then(texts).map(Value::List),
        },
        KeyKind::Count => return whole.map_or(Err(wanted(key)), |number| counted(key, number)),
        KeyKind::Dollars => {
            let exact = whole.and_then(|number| i32::try_from(number).ok()).map(f64::from);
            return item
                .as_float()
                .or(exact)
                .map_or(Err(wanted(key)), |sum| dollars(key, sum));
        }
        KeyKind::Flag => item.as_bool().map(Value::Flag),
    };
    value.ok_or_else(|| wanted(key))
}

/// Takes `text`, as a person types it outside of TOML, for `key`, or says what it must be.
pub(crate) fn text_value(key: &Key, text: &str) -> Result<Value, Wanted> {
    match key.kind {
        KeyKind::Text | KeyKind::Word(_) => worded(key, text),
        KeyKind::List if text.is_empty() => Ok(Value::List(Vec::new())),
        KeyKind::List if text.starts_with('[') => {
            let item = item_of(text).ok_or_else(|| wanted(key))?;
            toml_value(key, &item)
        }
        KeyKind::List => Ok(Value::List(vec![text.to_owned()])),
        KeyKind::Count => text.parse().map_or(Err(wanted(key)), |number| counted(key, number)),
        KeyKind::Dollars => text.parse().map_or(Err(wanted(key)), |sum| dollars(key, sum)),
        KeyKind::Flag => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(Value::Flag(true)),
            "false" | "no" | "off" | "0" => Ok(Value::Flag(false)),
            _ => Err(wanted(key)),
        },
    }
}

fn texts(array: &Array) -> Option<Vec<String>> {
    array.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Empty text means "none", which only a setting without a default can be.
fn worded(key: &Key, text: &str) -> Result<Value, Wanted> {
    let fits = match key.kind {
        KeyKind::Word(words) => words.contains(&text),
        _ => !text.is_empty() || key.default.is_empty(),
    };
    if fits {
        Ok(Value::Text(text.to_owned()))
    } else {
        Err(wanted(key))
    }
}

fn counted(key: &Key, number: i64) -> Result<Value, Wanted> {
    let count = u32::try_from(number).map_err(|_| wanted(key))?;
    if (least(key)..=most(key)).contains(&count) {
        Ok(Value::Count(count))
    } else {
        Err(wanted(key))
    }
}

fn dollars(key: &Key, sum: f64) -> Result<Value, Wanted> {
    if sum.is_finite() && sum >= 0.0 {
        Ok(Value::Dollars(sum))
    } else {
        Err(wanted(key))
    }
}

/// Nothing could ever be done with 0 seconds, tokens or attempts; 0 calls are a way to try things out, a push need not wait, and
/// a night need not end.
fn least(key: &Key) -> u32 {
    let may_be_none = ["hooks.wait", "run.stalled"].contains(&key.name);
    u32::from(!key.name.starts_with("budget.") && key.default != "0" && !may_be_none)
}

/// Each job has a thread and files of its own, of which a process has only so many.
fn most(key: &Key) -> u32 {
    if key.name.ends_with(".jobs") { 256 } else { u32::MAX }
}

fn wanted(key: &Key) -> Wanted {
    match key.kind {
        KeyKind::Text if key.default.is_empty() => "text".into(),
        KeyKind::Text => "text, not empty".into(),
        KeyKind::List => "a list of texts, as in `[\"one\", \"two\"]`, or one text".into(),
        KeyKind::Count => format!("a whole number from {} to {}", least(key), most(key)).into(),
        KeyKind::Dollars => "dollars, as in `2.50`, not negative".into(),
        KeyKind::Flag => "`true` or `false`".into(),
        KeyKind::Word(words) => format!("one of `{}`", words.join("`, `")).into(),
    }
}

pub(crate) fn wrong(place: &str, key: &Key, wanted: Wanted) -> LayerError {
    LayerError::WrongValue {
        place: place.to_owned(),
        key: key.name,
        wanted,
    }
}

pub(crate) fn broken(error: &TomlError, text: &str, origin: Origin) -> LayerError {
    let (line, column) = line(text, error.span().map_or(0, |span| span.start));
    LayerError::Broken {
        origin,
        line,
        column,
        why: error.message().trim().replace('\n', "; "),
    }
}

/// Returns line and column of `offset`, both from 1.
fn line(text: &str, offset: usize) -> (usize, usize) {
    let above = text.get(..offset).unwrap_or(text);
    let start = above.rfind('\n').map_or(0, |newline| newline + 1);
    (above.matches('\n').count() + 1, above.len() - start + 1)
}

pub(crate) fn unknown(place: String, name: &str) -> LayerError {
    let wanted = plain(name);
    let distance = |key: &&Key| {
        let whole = plain(key.name);
        let bare = whole.split_once('.').map_or(whole.as_str(), |(_, bare)| bare);
        let said = wanted.split_once('.').map_or(wanted.as_str(), |(_, said)| said);
        // A key under the wrong section is nearer than another key under the right one.
        edits(&whole, &wanted).min(edits(bare, said) + 1)
    };
    let closest = KEYS.iter().min_by_key(distance).map_or("", |key| key.name);
    let name = name.to_owned();
    LayerError::UnknownKey { place, name, closest }
}

/// Returns how many letters must be put in, taken out or replaced to get from `one` to `two`.
pub fn edits(one: &str, two: &str) -> usize {
    let mut row: Vec<usize> = (0..=two.chars().count()).collect();
    for (nth, from) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), nth + 1);
        let mut left = nth + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(two.chars()) {
            left = (diagonal + usize::from(from != to)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, left);
        }
    }
    row.last().copied().unwrap_or_default()
}
