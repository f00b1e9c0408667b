//! Missing documentation, by the custom of each repository: where most public definitions are described, those that are
//! not; where nobody describes anything, nothing.

use crate::survey::{Finding, Kind, definition::Source, language::Language};

/// Languages with a custom of describing definitions.
const JUDGED: [Language; 5] = [
    Language::Rust,
    Language::Python,
    Language::Script,
    Language::Go,
    Language::Java,
];
/// So much of a hundred has to be described before the rest is missed.
const CUSTOM: usize = 50;
/// With fewer of a kind no custom can be told.
const FEW: usize = 8;

/// Finds public definitions and modules that nothing is said of.
pub(crate) fn find(sources: &[Source]) -> Vec<Finding> {
    let mut found = Vec::new();
    for language in JUDGED {
        let own: Vec<&Source> = sources
            .iter()
            .filter(|source| !source.test && source.language == language && !is_private(source))
            .collect();
        found.extend(definitions(&own));
        found.extend(modules(&own));
    }
    found
}

/// Modules that say by their names that they are nobody else's business.
fn is_private(source: &Source) -> bool {
    let hidden = |name: &[u8]| name.starts_with(b"_") && !name.starts_with(b"__init__");
    source.language == Language::Python && source.path.names().any(hidden)
}

fn is_custom(described: usize, all: usize) -> bool {
    all >= FEW && described * 100 >= all * CUSTOM
}

fn definitions(own: &[&Source]) -> Vec<Finding> {
    let public = || {
        own.iter()
            .flat_map(|source| source.definitions.iter().map(move |it| (*source, it)))
            .filter(|(_, it)| it.public && it.word != "mod")
    };
    let described = public().filter(|(_, it)| it.documented).count();
    if !is_custom(described, public().count()) {
        return Vec::new();
    }
    let missing = public().filter(|(_, it)| !it.documented && it.name != "main");
    missing
        .map(|(source, it)| Finding {
            kind: Kind::Undocumented,
            path: source.path.clone(),
            line: it.line,
            text: it.text.clone(),
            remark: String::new(),
            rank: u64::from(source.changes),
        })
        .collect()
}

fn modules(own: &[&Source]) -> Vec<Finding> {
    let judged: Vec<&&Source> = own
        .iter()
        .filter(|source| source.opens_documented.is_some() && source.lines >= 10)
        .collect();
    let described = judged
        .iter()
        .filter(|source| source.opens_documented == Some(true))
        .count();
    if !is_custom(described, judged.len()) {
        return Vec::new();
    }
    let missing = judged.iter().filter(|source| source.opens_documented == Some(false));
    missing
        .map(|source| Finding {
            kind: Kind::Undocumented,
            path: source.path.clone(),
            line: source.first.0,
            text: source.first.1.clone(),
            remark: "nothing says what this file is for".to_owned(),
            rank: u64::from(source.changes) + 1,
        })
        .collect()
}
