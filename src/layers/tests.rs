use crate::{
    layers::{
        Layer, Origin, Resolved,
        read::{from_pairs, from_toml},
        resolve,
    },
    settings::Isolation,
};

fn toml(text: &str) -> Layer {
    from_toml(text, Origin::Project).unwrap()
}

fn pairs(pairs: &[(&str, &str)], origin: Origin) -> Layer {
    from_pairs(pairs.iter().copied(), origin).unwrap()
}

fn resolved(layers: &[Layer]) -> Resolved {
    resolve(layers).unwrap()
}

#[test]
fn defaults_are_those_of_the_table() {
    let Resolved {
        settings,
        values,
        warnings,
    } = resolved(&[]);
    assert_eq!(settings.llm.base_url, "https://openrouter.ai/api/v1");
    assert_eq!((settings.llm.timeout.as_secs(), settings.run.max_attempts), (600, 3));
    assert_eq!(
        (settings.llm.script, settings.budget.run.usd, settings.land.target),
        (None, None, None)
    );
    assert_eq!(settings.run.isolation, Isolation::Branch);
    assert_eq!(values["llm.model"].origin, Origin::Default);
    assert!(!values.contains_key("land.target") && warnings.is_empty());
}

#[test]
fn the_strongest_source_wins_whatever_their_order() {
    let mut layers = vec![
        pairs(&[("llm.model", "flag")], Origin::Flag),
        pairs(
            &[("INVISIGOTH_LLM_MODEL", "env"), ("INVISIGOTH_LAND_TARGET", "env")],
            Origin::Environment,
        ),
        pairs(
            &[("invisigoth.llm.model", "git"), ("invisigoth.land.target", "git")],
            Origin::Git,
        ),
        from_toml("check.timeout = 7\nllm.model = \"user\"", Origin::User).unwrap(),
        toml("[check]\ntimeout = 5\nlint = \"one\"\n"),
    ];
    for _ in 0..2 {
        let Resolved { settings, values, .. } = resolved(&layers);
        assert_eq!(
            (settings.llm.model.as_str(), settings.land.target.as_deref()),
            ("flag", Some("env"))
        );
        assert_eq!(
            (settings.check.timeout.as_secs(), settings.check.lint),
            (7, vec!["one".to_owned()])
        );
        assert_eq!(
            (values["check.timeout"].origin, values["check.lint"].origin),
            (Origin::User, Origin::Project)
        );
        layers.reverse();
    }
}

#[test]
fn a_tracked_file_cannot_say_where_the_key_goes() {
    let text = "[llm]\nmodel = \"m\"\nbase_url = \"https://evil.example\"\n";
    let Resolved {
        settings,
        values,
        warnings,
    } = resolved(&[toml(text)]);
    assert_eq!(
        (settings.llm.model.as_str(), values["llm.base_url"].origin),
        ("m", Origin::Default)
    );
    assert_eq!(settings.llm.base_url, "https://openrouter.ai/api/v1");
    assert_eq!(
        warnings,
        [
            "invisigoth.toml, line 3: `llm.base_url` does not count in a tracked file; say it yourself: \
          `git config invisigoth.llm.base-url …`"
        ]
    );
    let own = resolved(&[from_toml(text, Origin::User).unwrap()]);
    assert_eq!(
        (own.settings.llm.base_url.as_str(), own.warnings.len()),
        ("https://evil.example", 0)
    );
}

#[test]
fn linear_landing_means_no_isolation() {
    assert_eq!(
        resolved(&[toml("land.style = \"linear\"")]).settings.run.isolation,
        Isolation::None
    );
    assert_eq!(
        resolved(&[toml("run.isolation = \"none\"")]).settings.run.isolation,
        Isolation::None
    );
}

#[test]
fn lists_come_from_many_values_an_array_or_one_value() {
    let lists = |list: &[(&str, &str)], origin| resolved(&[pairs(list, origin)]).settings.check.test;
    let name = "invisigoth.check.test";
    assert_eq!(lists(&[(name, "a b"), (name, "c")], Origin::Git), ["a b", "c"]);
    assert_eq!(lists(&[(name, "a"), (name, ""), (name, "c")], Origin::Git), ["c"]);
    assert_eq!(
        lists(&[("INVISIGOTH_CHECK_TEST", "[\"a, b\", 'c']")], Origin::Environment),
        ["a, b", "c"]
    );
    assert_eq!(lists(&[("check.test", "make test")], Origin::Flag), ["make test"]);
}

#[test]
fn names_are_known_in_the_form_that_their_source_allows() {
    let git = pairs(
        &[
            ("invisigoth.check.test-file", "t {file}"),
            ("invisigoth.llm.maxtokens", "9"),
        ],
        Origin::Git,
    );
    let settings = resolved(&[git]).settings;
    assert_eq!(
        (settings.check.test_file.as_deref(), settings.llm.max_tokens),
        (Some("t {file}"), 9)
    );
    let env = [
        ("INVISIGOTH_RUN_MAX_ATTEMPTS", "2"),
        ("INVISIGOTH_CHILD", "1"),
        ("HOME", "/"),
        ("INVISIGOTH_LLM_MODEL", ""),
    ];
    let settings = resolved(&[pairs(&env, Origin::Environment)]).settings;
    assert_eq!(
        (settings.run.max_attempts, settings.llm.model.as_str()),
        (2, "openrouter/auto")
    );
}

#[test]
fn faults_in_toml_name_the_line() {
    let cases = [
        (
            "[llm]\nmodle = \"x\"",
            "invisigoth.toml, line 2: there is no setting `llm.modle`; did you mean `llm.model`?",
        ),
        (
            "\nmodel = \"x\"",
            "invisigoth.toml, line 2: there is no setting `model`; did you mean `llm.model`?",
        ),
        (
            "[run]\ntimeout = 1",
            "invisigoth.toml, line 2: there is no setting `run.timeout`; did you mean `llm.timeout`?",
        ),
        (
            "\n[checks]\nlint = []",
            "invisigoth.toml, line 2: there is no setting `checks`; did you mean `check`?",
        ),
        (
            "[check]\n\ntimeout = 0",
            "invisigoth.toml, line 3: `check.timeout` must be a whole number from 1 to 4294967295",
        ),
        (
            "run.max_attempts = 0",
            "invisigoth.toml, line 1: `run.max_attempts` must be a whole number from 1 to 4294967295",
        ),
        (
            "budget.max_usd = -1",
            "invisigoth.toml, line 1: `budget.max_usd` must be dollars, as in `2.50`, not negative",
        ),
        (
            "check.git = \"yes\"",
            "invisigoth.toml, line 1: `check.git` must be `true` or `false`",
        ),
        (
            "llm.provider = \"x\"",
            "invisigoth.toml, line 1: `llm.provider` must be one of `openrouter`, `anthropic`, `ollama`, `replay`, `mock`",
        ),
        (
            "llm.model = \"\"",
            "invisigoth.toml, line 1: `llm.model` must be text, not empty",
        ),
        (
            "check.lint = [1]",
            "invisigoth.toml, line 1: `check.lint` must be a list of texts, as in `[\"one\", \"two\"]`, or one text",
        ),
    ];
    for (text, want) in cases {
        assert_eq!(from_toml(text, Origin::Project).unwrap_err().to_string(), want);
    }
    let broken = from_toml("[llm]\nmodel = \"x", Origin::User).unwrap_err().to_string();
    assert!(broken.starts_with("your config.toml, line 2, column "), "{broken}");
    assert_eq!(
        resolved(&[toml("budget.max_usd = 2\nbudget.max_calls = 0")])
            .settings
            .budget
            .run
            .usd,
        Some(2.0)
    );
}

#[test]
fn faults_in_pairs_name_the_pair() {
    let fault = |name: &str, value: &str, origin| from_pairs([(name, value)], origin).unwrap_err().to_string();
    assert_eq!(
        fault("INVISIGOTH_CHECK_TESTS", "x", Origin::Environment),
        "INVISIGOTH_CHECK_TESTS: there is no setting `check.tests`; did you mean `check.test`?"
    );
    assert_eq!(
        fault("invisigoth.check.git", "maybe", Origin::Git),
        "git config invisigoth.check.git: `check.git` must be `true` or `false`"
    );
    assert!(fault("check.lint", "[ -f x ] && make", Origin::Flag).contains("must be a list"));
    assert!(fault("llm.context", "many", Origin::Flag).contains("a whole number"));
}

#[test]
fn endpoint_and_key_follow_the_provider_unless_somebody_named_them() {
    let of = |layers: &[Layer]| {
        let llm = resolved(layers).settings.llm;
        (llm.provider, llm.base_url, llm.key_env)
    };
    let said =
        |provider: &str, base_url: &str, key_env: &str| (provider.to_owned(), base_url.to_owned(), key_env.to_owned());
    let openrouter = said("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY");
    let anthropic = said("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY");
    let tracked = toml("[llm]\nprovider = \"anthropic\"\n");
    let own = |name: &str, value: &str| pairs(&[(name, value)], Origin::Git);
    assert_eq!(of(&[]), openrouter);
    assert_eq!(of(std::slice::from_ref(&tracked)), anthropic);
    assert_eq!(
        of(&[own("invisigoth.llm.provider", "ollama")]),
        said("ollama", "http://127.0.0.1:11434", "")
    );
    let mine = [
        tracked.clone(),
        own("invisigoth.llm.provider", "anthropic"),
        own("invisigoth.llm.keyenv", "MINE"),
    ];
    assert_eq!(of(&mine), said("anthropic", "https://api.anthropic.com/v1", "MINE"));
    for (name, value) in [("llm.base_url", "https://mine.example/v1"), ("llm.key_env", "MINE")] {
        let Resolved {
            settings,
            warnings,
            values,
        } = resolved(&[tracked.clone(), own(name, value)]);
        assert_eq!(settings.llm.provider, "openrouter", "{name}");
        assert_eq!(values["llm.provider"].origin, Origin::Default);
        assert!(
            warnings[0].contains(name) && warnings[0].contains("git config"),
            "{warnings:?}"
        );
    }
}
