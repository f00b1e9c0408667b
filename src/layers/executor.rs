//! Executors of the user's own: what sources say of them, `executor.NAME.KEY`.
//!
//! Owns names and the rule that no tracked file says what runs. Starts nothing.

use std::{collections::BTreeMap, ops::Range};

use toml_edit::TableLike;

use crate::{
    layers::{
        Effective, Layer, LayerError, Origin, Pair,
        chosen::Chosen,
        file::sample,
        read::{self, defaults, edits, first_span, toml_value, wrong},
    },
    settings::{
        External,
        keys::{EXECUTOR_KEYS, Key},
    },
};

/// The section that they stand in.
pub(crate) const SECTION: &str = "executor";

/// What the name of one is called where it cannot be one.
const WHAT: &str = "an executor's name";

/// Longest name.
const MOST_NAME: usize = 32;

/// Reads `[executor]` and what is below it.
pub(crate) fn from_table(
    table: &dyn TableLike,
    origin: Origin,
    place: &dyn Fn(Option<Range<usize>>) -> String,
) -> Result<BTreeMap<String, Vec<Pair>>, LayerError> {
    let mut all = BTreeMap::new();
    for (name, item) in table.iter() {
        let Some(keys) = item.as_table_like() else {
            return Err(read::unknown(place(item.span()), &format!("{SECTION}.{name}")));
        };
        let first = place(item.span().or(first_span(keys)));
        if origin == Origin::Project {
            let name = name.to_owned();
            return Err(LayerError::NotYours { place: first, name });
        }
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

/// Returns executor and key where `name` is that of such a setting.
pub(crate) fn named(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(SECTION)?.strip_prefix('.')?.rsplit_once('.')
}

/// Returns the checked name of the executor, and its key.
pub(crate) fn key((name, said): (&str, &str), place: &str) -> Result<(String, &'static Key), LayerError> {
    let name = checked(name, WHAT, place)?;
    let key = EXECUTOR_KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(said));
    let closest = || EXECUTOR_KEYS.iter().min_by_key(|key| edits(key.name, said));
    match key {
        Some(key) => Ok((name, key)),
        None => Err(LayerError::UnknownKey {
            place: place.to_owned(),
            name: format!("{SECTION}.{name}.{said}"),
            closest: closest().map_or("", |key| key.name),
        }),
    }
}

/// Returns `name` where it can be one: of an executor, or of what `what` says.
pub(crate) fn checked(name: &str, what: &'static str, place: &str) -> Result<String, LayerError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > MOST_NAME || !name.chars().all(fits) {
        return Err(LayerError::BadName {
            place: place.to_owned(),
            name: name.to_owned(),
            what,
        });
    }
    Ok(name.to_owned())
}

/// What all sources say, the weakest first.
#[derive(Default)]
pub(crate) struct Said<'a>(BTreeMap<&'a str, BTreeMap<&'static str, (Origin, &'a Pair)>>);

impl<'a> Said<'a> {
    /// Takes in a source that is stronger than those before it.
    pub(crate) fn take(&mut self, layer: &'a Layer) {
        for (name, pairs) in &layer.executors {
            let known = self.0.entry(name).or_default();
            known.extend(pairs.iter().map(|pair| (pair.name, (layer.origin, pair))));
        }
    }

    /// Returns what was said, as `executor.NAME.KEY`.
    pub(crate) fn values(&self) -> impl Iterator<Item = (String, Effective)> {
        self.0.iter().flat_map(|(name, pairs)| {
            let pairs = pairs.iter();
            pairs.map(move |(key, said)| (format!("{SECTION}.{name}.{key}"), Effective::of(said)))
        })
    }

    /// Returns those that can be used, by name.
    pub(crate) fn settle(self, warnings: &mut Vec<String>) -> Result<BTreeMap<String, External>, LayerError> {
        let defaults = defaults(EXECUTOR_KEYS)?;
        let mut all = BTreeMap::new();
        for (name, said) in self.0 {
            let usual = defaults.pairs.iter().map(|pair| (pair.name, (Origin::Default, pair)));
            let mut chosen: BTreeMap<&'static str, (Origin, &Pair)> = usual.collect();
            chosen.extend(said);
            let external = Chosen(chosen).external();
            if external.cmd.is_empty() {
                warnings.push(format!("`{SECTION}.{name}` has no `cmd`, so it cannot be used"));
            } else {
                all.insert(name.to_owned(), external);
            }
        }
        Ok(all)
    }
}

/// Returns the part of `invisigoth.toml.example` that says how to set one up.
pub(crate) fn example() -> String {
    let mut text = String::from(
        "\n\
         # A program of your own as executor, for `run.executor = \"external:NAME\"`: never in a tracked file. Write it into\n\
         # your own config.toml, or `git config invisigoth.executor.NAME.KEY VALUE`. docs/executors.md has recipes.\n\
         # [executor.NAME]\n",
    );
    for key in EXECUTOR_KEYS {
        let sample = match key.name {
            "cmd" => "[\"mytool\", \"--model\", \"{model}\", \"-\"]".to_owned(),
            _ => sample(key),
        };
        text.push_str(&format_args!("#   {}\n#   {} = {sample}\n", key.help, key.name).to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{
        read::{from_pairs, from_toml},
        resolve,
    };

    const CODEX: &str = "[executor.codex]\ncmd = [\"codex\", \"exec\"]\nresult = \"codex-jsonl\"\n";

    #[test]
    fn an_executor_comes_from_all_of_the_user_s_own_sources() {
        let git = [
            ("invisigoth.executor.codex.env", "OPENAI_API_KEY"),
            ("invisigoth.executor.codex.env", "OPENAI_BASE_URL"),
        ];
        let env = [
            ("INVISIGOTH_EXECUTOR_CODEX_TIMEOUT", "9"),
            ("INVISIGOTH_EXECUTOR_MY_TOOL_CMD", "my"),
        ];
        let layers = [
            from_pairs(env, Origin::Environment).unwrap(),
            from_toml(CODEX, Origin::User).unwrap(),
            from_pairs(git, Origin::Git).unwrap(),
        ];
        let executors = resolve(&layers).unwrap().settings.executors;
        let codex = &executors["codex"];
        assert_eq!(
            (codex.cmd.as_slice(), codex.timeout.as_secs()),
            (&["codex".into(), "exec".into()][..], 9)
        );
        assert_eq!(codex.env, ["OPENAI_API_KEY", "OPENAI_BASE_URL"]);
        assert_eq!(
            (codex.prompt.as_str(), codex.result.as_str(), codex.network),
            ("stdin", "codex-jsonl", true)
        );
        assert_eq!(executors["my-tool"].cmd, ["my"]);
    }

    #[test]
    fn a_tracked_file_sets_up_none() {
        let error = from_toml(CODEX, Origin::Project).unwrap_err().to_string();
        assert!(
            error.starts_with("invisigoth.toml, line 1: `executor.codex` cannot be set up in a tracked file"),
            "{error}"
        );
    }

    #[test]
    fn mistakes_are_named() {
        let fault = |text: &str| from_toml(text, Origin::User).unwrap_err().to_string();
        assert_eq!(
            fault("[executor.x]\ncmd = [\"y\"]\ncommand = 1"),
            "your config.toml, line 3: there is no setting `executor.x.command`; did you mean `cmd`?"
        );
        assert!(fault("[executor.\"a/b\"]\ncmd = [\"y\"]").contains("cannot be an executor's name"));
        assert!(fault("executor.x = 1").contains("there is no setting `executor.x`"));
        let lone = resolve(&[from_toml("[executor.x]\nenv = [\"K\"]", Origin::User).unwrap()]).unwrap();
        assert_eq!(lone.warnings, ["`executor.x` has no `cmd`, so it cannot be used"]);
        assert!(lone.settings.executors.is_empty());
    }
}
