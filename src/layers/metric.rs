//! Numbers that self-improvement must not make worse: what sources say of them, `evolve.metric.NAME.KEY`.
//!
//! Owns names and the rule that no tracked file says what is measured. Measures nothing.

use std::{collections::BTreeMap, ops::Range};

use toml_edit::Item;

use crate::{
    layers::{
        Effective, Layer, LayerError, Origin, Pair,
        chosen::Chosen,
        executor::checked,
        file::sample,
        read::{self, defaults, edits, first_span, toml_value, wrong},
    },
    settings::{
        Measure,
        keys::{Key, METRIC_KEYS},
    },
};

/// The section that they stand in.
pub(crate) const SECTION: &str = "evolve.metric";

/// What the name of one is called where it cannot be one.
const WHAT: &str = "a metric's name";

/// Reads `[evolve.metric]` and what is below it.
pub(crate) fn from_item(
    item: &Item,
    place: &dyn Fn(Option<Range<usize>>) -> String,
) -> Result<BTreeMap<String, Vec<Pair>>, LayerError> {
    let Some(table) = item.as_table_like() else {
        return Err(read::unknown(place(item.span()), SECTION));
    };
    let mut all = BTreeMap::new();
    for (name, item) in table.iter() {
        let Some(keys) = item.as_table_like() else {
            return Err(read::unknown(place(item.span()), &format!("{SECTION}.{name}")));
        };
        let first = place(item.span().or(first_span(keys)));
        let mut pairs = Vec::new();
        for (said, item) in keys.iter() {
            let place = place(item.span());
            let (_, key) = key((name, said), &place)?;
            let value = toml_value(key, item).map_err(|wanted| wrong(&place, key, wanted))?;
            let name = key.name;
            pairs.push(Pair { name, value, place });
        }
        all.insert(checked(name, WHAT, &first)?, pairs);
    }
    Ok(all)
}

/// Returns metric and key where `name` is that of such a setting.
pub(crate) fn named(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(SECTION)?.strip_prefix('.')?.rsplit_once('.')
}

/// Returns the checked name of the metric, and its key.
pub(crate) fn key((name, said): (&str, &str), place: &str) -> Result<(String, &'static Key), LayerError> {
    let name = checked(name, WHAT, place)?;
    let key = METRIC_KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(said));
    let closest = || METRIC_KEYS.iter().min_by_key(|key| edits(key.name, said));
    match key {
        Some(key) => Ok((name, key)),
        None => Err(LayerError::UnknownKey {
            place: place.to_owned(),
            name: format!("{SECTION}.{name}.{said}"),
            closest: closest().map_or("", |key| key.name),
        }),
    }
}

/// What all sources say, the weakest first.
#[derive(Default)]
pub(crate) struct Said<'a>(BTreeMap<&'a str, BTreeMap<&'static str, (Origin, &'a Pair)>>);

impl<'a> Said<'a> {
    /// Takes in a source that is stronger than those before it; what a tracked file says goes to `warnings`.
    pub(crate) fn take(&mut self, layer: &'a Layer, warnings: &mut Vec<String>) {
        for (name, pairs) in &layer.metrics {
            if layer.origin == Origin::Project {
                let place = pairs.first().map_or("invisigoth.toml", |pair| &pair.place);
                warnings.push(format!(
                    "{place}: `{SECTION}.{name}` does not count in a tracked file; say it yourself: `git config invisigoth.{SECTION}.{name}.cmd …`"
                ));
                continue;
            }
            let known = self.0.entry(name).or_default();
            known.extend(pairs.iter().map(|pair| (pair.name, (layer.origin, pair))));
        }
    }

    /// Returns what was said, as `evolve.metric.NAME.KEY`.
    pub(crate) fn values(&self) -> impl Iterator<Item = (String, Effective)> {
        self.0.iter().flat_map(|(name, pairs)| {
            let pairs = pairs.iter();
            pairs.map(move |(key, said)| (format!("{SECTION}.{name}.{key}"), Effective::of(said)))
        })
    }

    /// Returns them by name, complete or not: one that was left out in silence would guard nothing.
    pub(crate) fn settle(self) -> Result<BTreeMap<String, Measure>, LayerError> {
        let defaults = defaults(METRIC_KEYS)?;
        let settled = self.0.into_iter().map(|(name, said)| {
            let usual = defaults.pairs.iter().map(|pair| (pair.name, (Origin::Default, pair)));
            let mut chosen: BTreeMap<&'static str, (Origin, &Pair)> = usual.collect();
            chosen.extend(said);
            (name.to_owned(), Chosen(chosen).measure())
        });
        Ok(settled.collect())
    }
}

/// Returns the part of `invisigoth.toml.example` that says how to set one up.
pub(crate) fn example() -> String {
    let mut text = String::from(
        "\n\
         # A number that `evolve` must not make worse, and has to make better: never in a tracked file. Write it into your\n\
         # own config.toml, or `git config invisigoth.evolve.metric.NAME.KEY VALUE`. docs/evolve.md has examples.\n\
         # [evolve.metric.NAME]\n",
    );
    for key in METRIC_KEYS {
        let sample = match key.name {
            "cmd" => "\"sh benches/size.sh\"".to_owned(),
            _ => sample(key),
        };
        text.push_str(&format_args!("#   {}\n#   {} = {sample}\n", key.help, key.name).to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::layers::{
        Origin,
        read::{from_pairs, from_toml},
        resolve,
    };

    const SIZE: &str = "[evolve]\nbuild = [\"make\"]\n[evolve.metric.size]\ncmd = \"wc -c\"\nbetter = \"lower\"\n";

    #[test]
    fn a_metric_comes_from_all_of_the_user_s_own_sources() {
        let git = [("invisigoth.evolve.metric.size.tolerance", "2%")];
        let env = [("INVISIGOTH_EVOLVE_METRIC_MY_TIME_CMD", "time")];
        let layers = [
            from_toml(SIZE, Origin::User).unwrap(),
            from_pairs(git, Origin::Git).unwrap(),
            from_pairs(env, Origin::Environment).unwrap(),
        ];
        let resolved = resolve(&layers).unwrap();
        let evolve = resolved.settings.evolve;
        let size = &evolve.metrics["size"];
        assert_eq!(
            (size.cmd.as_str(), size.better.as_str(), size.tolerance.as_str()),
            ("wc -c", "lower", "2%")
        );
        let time = &evolve.metrics["my-time"];
        assert_eq!((time.cmd.as_str(), time.better.as_str()), ("time", ""));
        assert_eq!(evolve.build, ["make"]);
        assert!(resolved.values.contains_key("evolve.metric.size.cmd"));
    }

    #[test]
    fn in_a_tracked_file_none_counts_and_that_is_said() {
        let resolved = resolve(&[from_toml(SIZE, Origin::Project).unwrap()]).unwrap();
        assert!(resolved.settings.evolve.metrics.is_empty() && resolved.settings.evolve.build.is_empty());
        let said = resolved.warnings.join("\n");
        assert!(said.contains("line 2: `evolve.build` does not count"), "{said}");
        assert!(said.contains("line 4: `evolve.metric.size` does not count"), "{said}");
    }

    #[test]
    fn mistakes_are_named() {
        let fault = |text: &str| from_toml(text, Origin::User).unwrap_err().to_string();
        assert_eq!(
            fault("[evolve.metric.x]\ncommand = \"y\""),
            "your config.toml, line 2: there is no setting `evolve.metric.x.command`; did you mean `cmd`?"
        );
        assert!(fault("[evolve.metric.\"a/b\"]\ncmd = \"y\"").contains("cannot be a metric's name"));
        assert!(fault("[evolve.metric.x]\nbetter = \"more\"").contains("must be one of `higher`, `lower`"));
        assert!(fault("[evolve]\nmetric = 1").contains("there is no setting `evolve.metric`"));
    }
}
