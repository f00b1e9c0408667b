//! Source files that no test names: neither the file nor anything that it defines.

use std::collections::BTreeSet;

use crate::{
    path::RepoPath,
    snapshot::Entry,
    survey::{
        Finding, Kind,
        definition::Source,
        language::Language,
        names::{Name, Names},
    },
};

/// Shorter files are left alone, in lines.
const SHORT: usize = 30;
/// Names that say nothing of where they are defined.
const COMMON: &[&str] = &[
    "main", "mod", "lib", "index", "init", "new", "run", "test", "tests", "setup", "get", "set", "util", "utils",
    "types", "common", "helpers", "config", "app", "error", "errors", "base", "core", "model", "models",
];

/// Returns the names by which tests may mean a source file; none where it is not judged.
pub(crate) fn wanted(source: &Source) -> Vec<Name> {
    if !is_judged(source) {
        return Vec::new();
    }
    let stem = stem(&source.path);
    let defined = source.definitions.iter().map(|it| it.name.as_str());
    let telling = defined.chain([stem.as_str()]).filter(|name| is_telling(name));
    telling.filter_map(Name::of).collect()
}

fn is_judged(source: &Source) -> bool {
    let judged = !matches!(source.language, Language::Shell | Language::Other);
    let runs = source
        .definitions
        .iter()
        .any(|it| it.is_function() || it.word == "class");
    let header = source.path.as_bytes().ends_with(b".h") || source.path.as_bytes().ends_with(b".hpp");
    judged && !header && !source.test && !source.tests_inside && source.lines >= SHORT && runs
}

fn is_telling(name: &str) -> bool {
    name.len() >= 3 && !COMMON.contains(&name.to_ascii_lowercase().as_str()) && !name.starts_with("__")
}

fn stem(path: &RepoPath) -> String {
    let name = String::from_utf8_lossy(path.file_name()).into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// Finds the files that no test names, the largest of what changes most first.
pub(crate) fn find(sources: &[Source], tests: &[(RepoPath, Entry, Language)], names: &Names) -> Vec<Finding> {
    let titles: BTreeSet<String> = tests.iter().map(|(path, ..)| title(path)).collect();
    let mut found = Vec::new();
    for source in sources {
        let wanted = wanted(source);
        let own = title(&source.path);
        let titled = titles.contains(&own);
        if wanted.is_empty() || titled || wanted.iter().any(|name| names.in_tests(*name)) {
            continue;
        }
        let Some(first) = source
            .definitions
            .iter()
            .find(|it| it.is_function() || it.word == "class")
        else {
            continue;
        };
        let lines = u64::try_from(source.lines).unwrap_or(u64::MAX);
        found.push(Finding {
            kind: Kind::Untested,
            path: source.path.clone(),
            line: first.line,
            text: first.text.clone(),
            remark: format!("{lines} lines"),
            rank: lines.saturating_mul(u64::from(source.changes) + 1),
        });
    }
    found
}

/// Returns the name of a file without what says that it holds tests.
fn title(path: &RepoPath) -> String {
    let stem = stem(path).to_lowercase();
    let stem = stem.strip_prefix("test_").unwrap_or(&stem);
    let ends = ["_test", "_tests", "_spec", "-test", "test", "tests"];
    let stem = ends.iter().find_map(|end| stem.strip_suffix(end)).unwrap_or(stem);
    stem.replace(['_', '-'], "")
}
