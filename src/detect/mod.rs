//! Detection: which set-up, lint and test commands a project has, from the files at its top.
//!
//! Owns the rule that an untouched project must pass what is detected: where a stricter command could be red for
//! reasons of its own (a newer linter, an unpinned tool), it is named in a note and not taken.

mod go;
mod node;
mod python;
mod requirements;
mod rust;

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use crate::{
    path::RepoPath,
    snapshot::{Snapshot, read_path},
};

/// A kind of project that is known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Ecosystem {
    /// `Cargo.toml`
    Rust,
    /// `pyproject.toml`, `setup.py`, `setup.cfg` or requirements files
    Python,
    /// `package.json`
    Node,
    /// `go.mod`
    Go,
    /// A `Makefile` with a `test` target, where nothing else is known
    Make,
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::Node => "Node",
            Self::Go => "Go",
            Self::Make => "make",
        })
    }
}

/// What was found; the lists are what `[check]` of the settings takes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Detected {
    /// What the project is made of.
    pub ecosystems: Vec<Ecosystem>,
    /// Commands that make a fresh checkout ready.
    pub setup: Vec<String>,
    /// Commands that must pass first.
    pub lint: Vec<String>,
    /// Commands that must pass then.
    pub test: Vec<String>,
    /// The command that runs one test file, with `{file}` for its path.
    pub test_file: Option<String>,
    /// Ignored files that checks need.
    pub copy: Vec<String>,
    /// What a person should know or may want to add: sentences.
    pub notes: Vec<String>,
}

/// Finds the commands of the project in `snapshot`. What cannot be read counts as absent.
pub fn detect(snapshot: &dyn Snapshot) -> Detected {
    let files = Files::of(snapshot);
    let mut found = Detected::default();
    rust::detect(&files, &mut found);
    python::detect(&files, &mut found);
    node::detect(&files, &mut found);
    go::detect(&files, &mut found);
    if found.ecosystems.is_empty() {
        make(&files, &mut found);
    }
    if let Some(example) = [".env.example", ".env.sample", ".env.template"]
        .iter()
        .find(|f| files.has(f))
    {
        let note = format!("There is `{example}`: if checks need `.env`, add it to `check.copy`.");
        found.notes.push(note);
    }
    found
}

fn make(files: &Files<'_>, found: &mut Detected) {
    let makefile = ["GNUmakefile", "makefile", "Makefile"]
        .iter()
        .find_map(|name| files.text(name));
    let is_rule = |line: &str| {
        let target = line.split_once(':').filter(|(_, rest)| !rest.starts_with('='));
        let target = target.filter(|_| !line.starts_with(['\t', ' ']));
        target.is_some_and(|(names, _)| names.split_whitespace().any(|name| name == "test"))
    };
    if makefile.is_some_and(|text| text.lines().any(is_rule)) {
        found.ecosystems.push(Ecosystem::Make);
        found.test.push("make test".to_owned());
    }
}

/// The files of a snapshot, as detection asks for them.
pub(crate) struct Files<'a> {
    snapshot: &'a dyn Snapshot,
    paths: BTreeSet<String>,
}

impl<'a> Files<'a> {
    fn of(snapshot: &'a dyn Snapshot) -> Self {
        let listing = snapshot.listing().unwrap_or_default();
        let paths = listing.iter().filter_map(|(path, _)| path.as_str().map(str::to_owned));
        Self {
            snapshot,
            paths: paths.collect(),
        }
    }

    /// True where `path` is a file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Returns every path, sorted.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }

    /// Returns the text of a file.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let path = RepoPath::parse(path).ok()?;
        let bytes = read_path(self.snapshot, &path).ok()??;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns a TOML file.
    pub(crate) fn toml(&self, path: &str) -> Option<toml_edit::DocumentMut> {
        self.text(path)?.parse().ok()
    }

    /// True where the ignore file at the top names `folder`. Rules elsewhere are not looked for: what they would make
    /// unnecessary does no harm.
    pub(crate) fn ignores(&self, folder: &str) -> bool {
        let rules = self.text(".gitignore").unwrap_or_default();
        rules.lines().any(|rule| {
            let rule = rule.trim();
            let rule = rule.strip_prefix("**/").unwrap_or(rule);
            let rule = rule.strip_prefix('/').unwrap_or(rule);
            let rule = rule
                .strip_suffix("/*")
                .or_else(|| rule.strip_suffix("/**"))
                .unwrap_or(rule);
            rule.strip_suffix('/').unwrap_or(rule) == folder
        })
    }
}

#[cfg(test)]
mod tests;
