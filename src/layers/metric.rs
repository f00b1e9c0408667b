//! Numbers that self-improvement must not make worse: what sources say of them, `evolve.metric.NAME.KEY`.
//!
//! Owns the rule that no tracked file says what is measured. Measures nothing.

use std::{collections::BTreeMap, ops::Range};

use toml_edit::Item;

use crate::{
    layers::{
        Layer, LayerError, Origin, Pair,
        family::{Family, Said},
        read,
    },
    settings::{Measure, keys::named::METRIC_KEYS},
};

/// What can be said of a metric.
pub(crate) static METRICS: Family = Family {
    section: "evolve.metric",
    what: "a metric's name",
    keys: METRIC_KEYS,
};

/// Reads `[evolve.metric]` and what is below it.
pub(crate) fn from_item(
    item: &Item,
    place: &dyn Fn(Option<Range<usize>>) -> String,
) -> Result<BTreeMap<String, Vec<Pair>>, LayerError> {
    let Some(table) = item.as_table_like() else {
        return Err(read::unknown(place(item.span()), METRICS.section));
    };
    table.iter().map(|named| METRICS.pairs(named, place)).collect()
}

/// Takes in a source that is stronger than those before it; what a tracked file says goes to `warnings`.
pub(crate) fn take<'a>(said: &mut Said<'a>, layer: &'a Layer, warnings: &mut Vec<String>) {
    for (name, pairs) in &layer.metrics {
        if layer.origin == Origin::Project {
            let place = pairs.first().map_or("invisigoth.toml", |pair| &pair.place);
            let own = METRICS.setting(name, "cmd");
            let setting = own.trim_end_matches(".cmd");
            warnings.push(format!(
                "{place}: `{setting}` does not count in a tracked file; say it yourself: `git config invisigoth.{own} …`"
            ));
        } else {
            said.take(layer.origin, (name, pairs));
        }
    }
}

/// Returns them by name, complete or not: one that was left out in silence would guard nothing.
pub(crate) fn settle(said: Said<'_>) -> Result<BTreeMap<String, Measure>, LayerError> {
    let defaults = read::defaults(METRIC_KEYS)?;
    let settled = said.settle(&defaults);
    Ok(settled.map(|(name, chosen)| (name, chosen.measure())).collect())
}

/// Returns the part of `invisigoth.toml.example` that says how to set one up.
pub(crate) fn example() -> String {
    let head = "# A number that `evolve` must not make worse, and has to make better: never in a tracked file. Write it into your\n\
                # own config.toml, or `git config invisigoth.evolve.metric.NAME.KEY VALUE`. docs/evolve.md has examples.\n";
    METRICS.example(head, "\"sh benches/size.sh\"")
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
