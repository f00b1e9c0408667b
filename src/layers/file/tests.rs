use crate::{
    layers::{
        Origin,
        file::{Commands, dotenv, example, project_file, set},
        read::from_toml,
        resolve,
    },
    settings::keys::KEYS,
};

#[test]
fn the_example_in_the_repository_lists_every_setting() {
    assert_eq!(include_str!("../../../invisigoth.toml.example"), example());
}

#[test]
fn the_example_uncommented_is_a_valid_file() {
    let is_setting = |line: &str| line.split_once(" = ").is_some_and(|(name, _)| !name.contains(' '));
    let lines = example();
    let lines = lines.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if is_setting(rest) => rest,
        _ => line,
    });
    let text: Vec<&str> = lines.collect();
    let layer = from_toml(&text.join("\n"), Origin::User).unwrap();
    assert_eq!(layer.pairs.len(), KEYS.len());
}

#[test]
fn the_environment_example_names_the_default_key_variable() {
    let key = resolve(&[]).unwrap().settings.llm.key_env;
    let text = include_str!("../../../.env.example");
    assert_eq!(dotenv(text, &key), None);
    assert_eq!(
        dotenv(&text.replace(&format!("{key}="), &format!("{key}=sk-1")), &key).as_deref(),
        Some("sk-1")
    );
}

#[test]
fn a_project_file_holds_what_was_found() {
    let found = Commands {
        lint: vec!["ruff check .".into()],
        test: vec!["pytest -k \"a\"".into(), "tox".into()],
        test_file: Some("pytest {file}".into()),
        setup: Vec::new(),
    };
    let check = |text: &str| {
        resolve(&[from_toml(text, Origin::Project).unwrap()])
            .unwrap()
            .settings
            .check
    };
    let got = check(&project_file(&found));
    assert_eq!(
        (got.lint, got.test, got.test_file, got.setup),
        (found.lint, found.test, found.test_file, found.setup)
    );
    let empty = project_file(&Commands::default());
    assert!(empty.contains("\n# lint = []\n"), "{empty}");
    assert!(check(&empty).lint.is_empty());
}

#[test]
fn set_keeps_comments_and_layout() {
    let text = "# top\n[llm] # who\nmodel  =  \"a\"  # mine\n\n# last\n";
    assert_eq!(set(text, "llm.model", "b").unwrap(), text.replace("\"a\"", "\"b\""));
    let more = set(text, "check.lint", "[\"x\", \"y\"]").unwrap();
    assert!(
        more.starts_with(text.trim_end_matches("\n# last\n")) && more.contains("# last\n"),
        "{more}"
    );
    assert!(more.contains("[check]\nlint = [\"x\", \"y\"]\n"), "{more}");
    assert_eq!(set("", "run.max_attempts", "5").unwrap(), "[run]\nmax_attempts = 5\n");
    let windows = text.replace('\n', "\r\n");
    assert_eq!(
        set(&windows, "llm.model", "b").unwrap(),
        windows.replace("\"a\"", "\"b\"")
    );
    assert!(
        set(text, "llm.modl", "b")
            .unwrap_err()
            .to_string()
            .contains("did you mean `llm.model`?")
    );
    assert!(
        set(text, "run.max_attempts", "0")
            .unwrap_err()
            .to_string()
            .contains("whole number")
    );
    assert!(
        set("llm = 1\n", "llm.model", "b")
            .unwrap_err()
            .to_string()
            .contains("in a table")
    );
    assert!(
        set("[llm\n", "llm.model", "b")
            .unwrap_err()
            .to_string()
            .contains("line 1")
    );
}

#[test]
fn dotenv_reads_the_one_variable() {
    let cases = [
        ("KEY=abc", Some("abc")),
        ("\u{feff}KEY=abc", Some("abc")),
        ("# KEY=x\n  export KEY = abc # mine\r\n", Some("abc")),
        ("KEY=a#b", Some("a#b")),
        ("KEY='a # b' # c", Some("a # b")),
        ("KEY=\"a\\\"b\\\\\" # c", Some("a\"b\\")),
        ("KEY=old\nKEY=new\nKEY2=x\nMYKEY=y", Some("new")),
        ("KEY=\n", None),
        ("KEY= # none", None),
        ("KEYS=x\nOTHER KEY=x", None),
    ];
    for (text, want) in cases {
        assert_eq!(dotenv(text, "KEY").as_deref(), want, "{text:?}");
    }
}
