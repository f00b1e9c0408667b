//! Which files a survey looks at, and as what. Owns what counts as vendored, generated, a fixture or no text.

use crate::{guard, path::RepoPath, proof, survey::language::Language};

/// What a file is to a survey.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Code that the project is made of.
    Source(Language),
    /// Tests, benchmarks and examples.
    Test(Language),
    /// What users read.
    Doc,
    /// Other text: only names are looked for in it.
    Other,
    /// Nothing that is looked at.
    Skipped,
}

/// Folders of others' code, of output and of data for tests.
const SKIPPED_FOLDERS: &[&str] = &[
    "vendor",
    "vendored",
    "third_party",
    "third-party",
    "thirdparty",
    "node_modules",
    "bower_components",
    "external",
    "deps",
    "dist",
    "target",
    "out",
    "site-packages",
    "fixtures",
    "fixture",
    "__fixtures__",
    "testdata",
    "test_data",
    "test-data",
    "__snapshots__",
    "snapshots",
    "corpus",
    "corpora",
    "generated",
    "__generated__",
    "gen",
    ".yarn",
    ".cargo",
    "locale",
    "locales",
    "i18n",
    "translations",
];

/// Folders of code that is beside the project's own.
const ASIDE: &[&str] = &[
    "test",
    "tests",
    "testing",
    "spec",
    "specs",
    "__tests__",
    "__mocks__",
    "e2e",
    "benches",
    "bench",
    "benchmark",
    "benchmarks",
    "examples",
    "example",
    "samples",
    "sample",
    "demo",
    "demos",
    "fuzz",
    "doc",
    "docs",
    "website",
    "scripts",
    "xtask",
    "hack",
];

/// Names of files that programs write.
const SKIPPED_ENDS: &[&str] = &[
    ".lock",
    "-lock.json",
    "-lock.yaml",
    ".sum",
    ".min.js",
    ".min.css",
    ".map",
    ".snap",
    ".pb.go",
    "_pb2.py",
    "_pb2_grpc.py",
    ".pb.h",
    ".pb.cc",
    ".designer.cs",
    ".g.dart",
    ".svg",
    ".po",
    ".pot",
    ".ipynb",
    ".csv",
    ".tsv",
    ".diff",
    ".patch",
    ".jsonl",
    ".ndjson",
];

/// Ends of names of other text in which names of options and commands may stand.
const OTHER_ENDS: &[&str] = &[
    ".toml", ".json", ".yaml", ".yml", ".cfg", ".ini", ".in", ".am", ".ac", ".cmake", ".mk", ".j2", ".tmpl", ".html",
    ".tpl", ".erb", ".hbs", ".1", ".gradle", ".nix", ".bzl", ".asm", ".s", ".def", ".y", ".l", ".conf", ".service",
];

/// Folders of documents that say what was, or what may be.
const PAST: &[&str] = &[
    "design",
    "designs",
    "rfc",
    "rfcs",
    "adr",
    "adrs",
    "proposals",
    "blog",
    "news",
    "research",
    "archive",
    "internal",
    "releases",
    "changelog",
    "changelogs",
    "decisions",
    "notes",
    "presentations",
    "talks",
    "history",
];

/// Says what the file at `path` is to a survey.
pub fn class(path: &RepoPath) -> Class {
    let Some(text) = path.as_str() else {
        return Class::Skipped;
    };
    let lower = text.to_ascii_lowercase();
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let within = |table: &[&str]| folders.split('/').any(|folder| table.contains(&folder));
    if within(SKIPPED_FOLDERS) || SKIPPED_ENDS.iter().any(|end| name.ends_with(end)) {
        return Class::Skipped;
    }
    if let Some(language) = Language::of(text.rsplit('/').next().unwrap_or(text)) {
        let stem = name.split('.').next().unwrap_or_default();
        let titled = stem == "test" || stem == "tests" || stem.starts_with("test_") || stem.ends_with("_test");
        let beside = titled || within(ASIDE) || guard::is_test_file(path) || proof::is_test_path(text);
        return if beside {
            Class::Test(language)
        } else {
            Class::Source(language)
        };
    }
    if is_doc(folders, name) {
        Class::Doc
    } else if OTHER_ENDS.iter().any(|end| name.ends_with(end)) || !name.contains('.') {
        Class::Other
    } else {
        Class::Skipped
    }
}

/// Pages at the top that users read, by the start of their names.
const MANUALS: &[&str] = &["readme", "guide", "usage", "manual", "faq", "tutorial"];

/// What users read about the present: the README and the guide at the top, and the pages below `doc` and `docs`.
fn is_doc(folders: &str, name: &str) -> bool {
    if ![".md", ".rst", ".adoc", ".markdown"]
        .iter()
        .any(|end| name.ends_with(end))
    {
        return false;
    }
    let past = folders.split('/').any(|folder| PAST.contains(&folder));
    let old = [
        "changelog",
        "changes",
        "history",
        "news",
        "release",
        "migrat",
        "upgrad",
        "todo",
        "roadmap",
        "contribut",
    ];
    let top = folders.split('/').next().unwrap_or_default();
    let about_past = past || old.iter().any(|word| name.contains(word));
    !about_past
        && ((folders.is_empty() && MANUALS.iter().any(|manual| name.starts_with(manual)))
            || matches!(top, "doc" | "docs"))
}

/// True where the name of a file says that programs write it: its text tells nobody what was done.
pub fn is_output(path: &RepoPath) -> bool {
    let name = String::from_utf8_lossy(path.file_name()).to_ascii_lowercase();
    SKIPPED_ENDS.iter().any(|end| name.ends_with(end)) || name.contains(".generated.")
}

/// True where a program wrote the file, as it says of itself.
pub fn is_generated(text: &str) -> bool {
    let marks = [
        "@generated",
        "do not edit",
        "code generated by",
        "autogenerated",
        "auto-generated",
    ];
    text.lines().take(6).any(|line| {
        let line = line.to_ascii_lowercase();
        line.len() < 400 && marks.iter().any(|mark| line.contains(mark))
    }) || text.lines().take(50).any(|line| line.len() > 5000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_a_file_is() {
        let table = [
            ("src/a.rs", Class::Source(Language::Rust)),
            ("src/a/tests.rs", Class::Test(Language::Rust)),
            ("tests/it/a.rs", Class::Test(Language::Rust)),
            ("pkg/a_test.go", Class::Test(Language::Go)),
            ("examples/a.py", Class::Test(Language::Python)),
            ("web/node_modules/x/index.js", Class::Skipped),
            ("tests/fixtures/a.rs", Class::Skipped),
            ("Cargo.lock", Class::Skipped),
            ("static/jquery.min.js", Class::Skipped),
            ("logo.png", Class::Skipped),
            ("README.md", Class::Doc),
            ("docs/guide.md", Class::Doc),
            ("docs/rfcs/1.md", Class::Skipped),
            ("docs/CHANGELOG.md", Class::Skipped),
            ("sub/README.md", Class::Skipped),
            ("Makefile", Class::Other),
            ("a/b.toml", Class::Other),
        ];
        for (path, wanted) in table {
            assert_eq!(class(&RepoPath::from_git(path)), wanted, "{path}");
        }
    }

    #[test]
    fn the_names_of_some_files_say_that_programs_write_them() {
        let is = |path: &str| is_output(&RepoPath::from_git(path));
        assert!(is("Cargo.lock") && is("web/package-lock.json") && is("src/catalog.Generated.ts"));
        assert!(!is("src/lock.rs") && !is("package.json") && !is("generated.rs"));
    }

    #[test]
    fn a_generated_file_says_so_at_its_start_or_has_endless_lines() {
        assert!(is_generated("// Code generated by protoc. DO NOT EDIT.\npackage a\n"));
        assert!(is_generated(&format!("x\n{}\n", "y".repeat(6000))));
        assert!(!is_generated("fn main() {}\n\n\n\n\n\n// DO NOT EDIT lightly\n"));
    }
}
