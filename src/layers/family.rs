//! Families: settings of things that a user names, `SECTION.NAME.KEY`, such as executors and metrics.
//!
//! Owns their names and how sources add up. What a family is for, and where a tracked file stands, is its own file's.

use std::{collections::BTreeMap, ops::Range};

use toml_edit::Item;

use crate::{
    layers::{
        Effective, Layer, LayerError, Origin, Pair,
        chosen::{Chosen, Winners},
        file::sample,
        read::{self, edits, first_span, toml_value, wrong},
    },
    settings::keys::Key,
};

/// Longest name.
const MOST_NAME: usize = 32;

/// A family.
pub(crate) struct Family {
    /// The section that they stand in.
    pub section: &'static str,
    /// What a name is called where it cannot be one.
    pub what: &'static str,
    /// What can be said of each.
    pub keys: &'static [Key],
}

impl Family {
    /// Reads the table of one.
    pub(crate) fn pairs(
        &self,
        (name, item): (&str, &Item),
        place: &dyn Fn(Option<Range<usize>>) -> String,
    ) -> Result<(String, Vec<Pair>), LayerError> {
        let Some(table) = item.as_table_like() else {
            return Err(read::unknown(place(item.span()), &format!("{}.{name}", self.section)));
        };
        let first = place(item.span().or(first_span(table)));
        let mut pairs = Vec::new();
        for (said, item) in table.iter() {
            let place = place(item.span());
            let (_, key) = self.key((name, said), &place)?;
            let value = toml_value(key, item).map_err(|wanted| wrong(&place, key, wanted))?;
            let name = key.name;
            pairs.push(Pair { name, value, place });
        }
        Ok((self.checked(name, &first)?, pairs))
    }

    /// Returns name and key where `setting` is one of the family.
    pub(crate) fn named<'n>(&self, setting: &'n str) -> Option<(&'n str, &'n str)> {
        setting.strip_prefix(self.section)?.strip_prefix('.')?.rsplit_once('.')
    }

    /// Returns the checked name, and its key.
    pub(crate) fn key(&self, (name, said): (&str, &str), place: &str) -> Result<(String, &'static Key), LayerError> {
        let name = self.checked(name, place)?;
        let key = self.keys.iter().find(|key| key.name.eq_ignore_ascii_case(said));
        let closest = || self.keys.iter().min_by_key(|key| edits(key.name, said));
        match key {
            Some(key) => Ok((name, key)),
            None => Err(LayerError::UnknownKey {
                place: place.to_owned(),
                name: self.setting(&name, said),
                closest: closest().map_or("", |key| key.name),
            }),
        }
    }

    /// Returns the whole name of a setting.
    pub(crate) fn setting(&self, name: &str, key: &str) -> String {
        format!("{}.{name}.{key}", self.section)
    }

    fn checked(&self, name: &str, place: &str) -> Result<String, LayerError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > MOST_NAME || !name.chars().all(fits) {
            return Err(LayerError::BadName {
                place: place.to_owned(),
                name: name.to_owned(),
                what: self.what,
            });
        }
        Ok(name.to_owned())
    }

    /// Returns the part of `invisigoth.toml.example` that says how to set one up: below `head`, with `cmd` as its command.
    pub(crate) fn example(&self, head: &str, cmd: &str) -> String {
        let mut text = format!("\n{head}# [{}.NAME]\n", self.section);
        for key in self.keys {
            let sample = match key.name {
                "cmd" => cmd.to_owned(),
                _ => sample(key),
            };
            text.push_str(&format_args!("#   {}\n#   {} = {sample}\n", key.help, key.name).to_string());
        }
        text
    }
}

/// What all sources say of a family, the weakest first.
pub(crate) struct Said<'a> {
    family: &'static Family,
    all: BTreeMap<&'a str, BTreeMap<&'static str, (Origin, &'a Pair)>>,
}

impl<'a> Said<'a> {
    /// Begins with nothing said.
    pub(crate) fn of(family: &'static Family) -> Self {
        let all = BTreeMap::new();
        Self { family, all }
    }

    /// Takes in what a source says of one that is stronger than those before it.
    pub(crate) fn take(&mut self, origin: Origin, (name, pairs): (&'a str, &'a [Pair])) {
        let known = self.all.entry(name).or_default();
        known.extend(pairs.iter().map(|pair| (pair.name, (origin, pair))));
    }

    /// Returns what was said, by the whole names of settings.
    pub(crate) fn values(&self) -> impl Iterator<Item = (String, Effective)> {
        let family = self.family;
        self.all.iter().flat_map(move |(name, pairs)| {
            let pairs = pairs.iter();
            pairs.map(move |(key, said)| (family.setting(name, key), Effective::of(said)))
        })
    }

    /// Returns the winners of each by name, over `defaults` of the family's keys.
    pub(crate) fn settle<'d>(self, defaults: &'d Layer) -> impl Iterator<Item = (String, Chosen<'d>)>
    where
        'a: 'd,
    {
        self.all.into_iter().map(|(name, said)| {
            let usual = defaults.pairs.iter().map(|pair| (pair.name, (Origin::Default, pair)));
            let mut chosen: Winners<'d> = usual.collect();
            chosen.extend(said);
            (name.to_owned(), Chosen(chosen))
        })
    }
}
