//! The table of settings against itself, and the page that is made of it.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use crate::settings::keys::{
    KEYS, Key, KeyKind,
    named::{EXECUTOR_KEYS, METRIC_KEYS},
};

/// What a value must be, in a cell of a table.
fn kind(key: &Key) -> String {
    match key.kind {
        KeyKind::Text => "text".to_owned(),
        KeyKind::List => "list of texts".to_owned(),
        KeyKind::Count => "number".to_owned(),
        KeyKind::Dollars => "dollars".to_owned(),
        KeyKind::Flag => "`true` or `false`".to_owned(),
        KeyKind::Word(words) => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn table(page: &mut String, section: &str, keys: &[&Key]) {
    page.push_str("\n| key | type | default | counts in | |\n|---|---|---|---|---|\n");
    for key in keys {
        let default = if key.default.is_empty() {
            "none".to_owned()
        } else {
            format!("`{}`", key.default)
        };
        let counts = if key.own_only { "own" } else { "all" };
        let name = format!("{section}{}", key.name);
        let _ = writeln!(
            page,
            "| `{name}` | {} | {default} | {counts} | {} |",
            kind(key),
            key.help
        );
    }
}

/// Returns the page about all settings.
fn page() -> String {
    let mut page = include_str!("head.md").to_owned();
    let mut sections: Vec<&str> = Vec::new();
    for key in KEYS {
        let section = key.name.split('.').next().unwrap_or_default();
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    for section in sections {
        let of_it: Vec<&Key> = KEYS
            .iter()
            .filter(|key| key.name.split('.').next() == Some(section))
            .collect();
        let _ = writeln!(page, "\n## {section}");
        table(&mut page, "", &of_it);
    }
    page.push_str("\n## executor.NAME\nA program of your own as executor: [executors.md](../executors.md).\n");
    table(&mut page, "executor.NAME.", &EXECUTOR_KEYS.iter().collect::<Vec<_>>());
    page.push_str("\n## evolve.metric.NAME\nA number that `evolve` watches: [evolve.md](../evolve.md).\n");
    table(
        &mut page,
        "evolve.metric.NAME.",
        &METRIC_KEYS.iter().collect::<Vec<_>>(),
    );
    page
}

/// `INVISIGOTH_BLESS=1` writes the page instead of comparing it.
#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
fn blessing() -> bool {
    std::env::var_os("INVISIGOTH_BLESS").is_some()
}

#[test]
fn the_page_about_settings_is_made_of_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/settings.md");
    let now = page();
    if blessing() {
        fs::write(&file, &now).unwrap();
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == now,
        "docs/guide/settings.md is old: `INVISIGOTH_BLESS=1 cargo test --lib settings` writes it"
    );
}

#[test]
fn every_setting_has_a_name_of_its_own_and_one_line_of_words() {
    let mut names = BTreeSet::new();
    for key in KEYS {
        assert!(names.insert(key.name), "{} is there twice", key.name);
        let is_one = !key.help.is_empty() && !key.help.contains(['\n', '|']) && !key.help.ends_with('.');
        assert!(is_one, "{}: {}", key.name, key.help);
    }
}
