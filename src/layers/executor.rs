//! Executors of the user's own: what sources say of them, `executor.NAME.KEY`.
//!
//! Owns the rule that no tracked file says what runs. Starts nothing.

use std::{collections::BTreeMap, ops::Range};

use toml_edit::TableLike;

use crate::{
    layers::{
        Layer, LayerError, Origin, Pair,
        family::{Family, Said},
        read::{defaults, first_span},
    },
    settings::{External, keys::named::EXECUTOR_KEYS},
};

/// What can be said of an executor.
pub(crate) static EXECUTORS: Family = Family {
    section: "executor",
    what: "an executor's name",
    keys: EXECUTOR_KEYS,
};

/// Reads `[executor]` and what is below it.
pub(crate) fn from_table(
    table: &dyn TableLike,
    origin: Origin,
    place: &dyn Fn(Option<Range<usize>>) -> String,
) -> Result<BTreeMap<String, Vec<Pair>>, LayerError> {
    let mut all = BTreeMap::new();
    for (name, item) in table.iter() {
        if let (Origin::Project, Some(keys)) = (origin, item.as_table_like()) {
            let place = place(item.span().or(first_span(keys)));
            let name = name.to_owned();
            return Err(LayerError::NotYours { place, name });
        }
        all.extend([EXECUTORS.pairs((name, item), place)?]);
    }
    Ok(all)
}

/// Takes in a source that is stronger than those before it.
pub(crate) fn take<'a>(said: &mut Said<'a>, layer: &'a Layer) {
    for (name, pairs) in &layer.executors {
        said.take(layer.origin, (name, pairs));
    }
}

/// Returns those that can be used, by name.
pub(crate) fn settle(said: Said<'_>, warnings: &mut Vec<String>) -> Result<BTreeMap<String, External>, LayerError> {
    let mut all = BTreeMap::new();
    for (name, chosen) in said.settle(&defaults(EXECUTOR_KEYS)?) {
        let external = chosen.external();
        if external.cmd.is_empty() {
            warnings.push(format!("`executor.{name}` has no `cmd`, so it cannot be used"));
        } else {
            all.insert(name, external);
        }
    }
    Ok(all)
}

/// Returns the part of `invisigoth.toml.example` that says how to set one up.
pub(crate) fn example() -> String {
    let head = "# A program of your own as executor, for `run.executor = \"external:NAME\"`: never in a tracked file. Write it into\n\
                # your own config.toml, or `git config invisigoth.executor.NAME.KEY VALUE`. docs/executors.md has recipes.\n";
    EXECUTORS.example(head, "[\"mytool\", \"--model\", \"{model}\", \"-\"]")
}

#[cfg(test)]
mod tests {
    use crate::layers::{
        Origin,
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
