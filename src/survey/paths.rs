//! Which files a survey looks at, and as what. Owns which folders count as vendored, output or fixtures; what a file is by
//! itself is said by `context::kind`.

use crate::{
    context::kind::{self, Kind},
    path::RepoPath,
    proof,
    snapshot::Mode,
    survey::language::Language,
};

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

/// Folders of code that is beside the project's own, other than tests.
const ASIDE: &[&str] = &[
    "examples", "example", "samples", "sample", "demo", "demos", "doc", "docs", "website", "scripts", "xtask", "hack",
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
    let kind = kind::of(path, Mode::File);
    if within(SKIPPED_FOLDERS) || matches!(kind, Kind::Data | Kind::Skipped(_)) {
        return Class::Skipped;
    }
    if let Some(language) = Language::of(text.rsplit('/').next().unwrap_or(text)) {
        let beside = kind == Kind::Test || within(ASIDE) || proof::is_test_path(text);
        return if beside {
            Class::Test(language)
        } else {
            Class::Source(language)
        };
    }
    if is_doc(folders, name) {
        Class::Doc
    } else if kind != Kind::Prose || name.ends_with(".1") || !name.contains('.') {
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

/// True where the name of a file says that it is data, or none of what a prompt shows: its text tells nobody what was done.
pub fn is_output(path: &RepoPath) -> bool {
    matches!(kind::of(path, Mode::File), Kind::Data | Kind::Skipped(_))
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
}
