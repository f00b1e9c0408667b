//! Test goals: which goals ask for tests, and how to see that such tests can fail.
//!
//! Owns the proof: new tests ran and passed, and fail once the function that they are about is broken. Runs nothing.

mod breaks;
mod lex;
pub mod red_green;
mod subject;

use std::collections::BTreeSet;

use crate::{
    check::Tests,
    goal::Goal,
    path::RepoPath,
    snapshot::{Snapshot, read_path},
};

/// A language whose functions can be found and broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// `.py`
    Python,
    /// `.rs`
    Rust,
    /// `.go`
    Go,
    /// `.js`, `.ts` and their kin
    JavaScript,
}

impl Language {
    /// Tells the language by the end of a file's name.
    pub fn of(path: &str) -> Option<Self> {
        let (_, extension) = path.rsplit_once('.')?;
        match extension {
            "py" => Some(Self::Python),
            "rs" => Some(Self::Rust),
            "go" => Some(Self::Go),
            _ => SCRIPTS.contains(&extension).then_some(Self::JavaScript),
        }
    }
}

const SCRIPTS: [&str; 8] = ["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts"];

/// The function that tests are about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The file that defines it.
    pub path: RepoPath,
    /// Its name, without its class or module.
    pub name: String,
}

/// A file in which the subject is broken: with it the new tests must fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutation {
    /// The file.
    pub path: RepoPath,
    /// What it holds then.
    pub content: Vec<u8>,
}

/// True where a file of this name holds tests by the custom of its language.
pub fn is_test_path(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    match extension {
        "py" => stem.starts_with("test_") || stem.ends_with("_test"),
        "go" => stem.ends_with("_test"),
        "rs" => folders.split('/').any(|folder| folder == "tests"),
        "rb" => stem.ends_with("_spec"),
        "java" => stem.ends_with("Test"),
        _ => SCRIPTS.contains(&extension) && (stem.ends_with(".test") || stem.ends_with(".spec")),
    }
}

/// Returns the test file that `goal` asks for, if it asks for one.
pub fn asked_test_file(goal: &Goal) -> Option<&str> {
    goal.filename.as_deref().filter(|name| is_test_path(name))
}

/// Finds the function that the tests in `test_source` are about: one that the goal names and the tests mention, else one
/// that the tests import and call. It must be defined outside test files, in the tests' own language.
pub fn subject(goal: &Goal, test_source: &str, snapshot: &dyn Snapshot) -> Option<Subject> {
    subject::find(goal, test_source, snapshot)
}

/// Makes every function `name` in `source` fail when it is called; `None` where there is none with a body.
///
/// The failure is put before the body instead of replacing it, so that types are still inferred and no import or
/// variable becomes unused: the tests must fail by running, not because the code no longer compiles.
pub fn break_function(source: &str, language: Language, name: &str) -> Option<String> {
    breaks::break_function(source, language, name)
}

/// Breaks the subject in its file; `None` where that file or the function is not there.
pub fn mutation(subject: &Subject, snapshot: &dyn Snapshot) -> Option<Mutation> {
    let language = Language::of(subject.path.as_str()?)?;
    let bytes = read_path(snapshot, &subject.path).ok()??;
    let broken = break_function(std::str::from_utf8(&bytes).ok()?, language, &subject.name)?;
    Some(Mutation {
        path: subject.path.clone(),
        content: broken.into_bytes(),
    })
}

/// Decides whether `ran`, the tests of one file, counts as new tests that pass. `before` is the same file's tests at the
/// base, `None` where there was no such file.
///
/// # Errors
/// Says what is missing, for the next round.
pub fn accept(before: Option<&Tests>, ran: &Tests) -> Result<(), String> {
    let failed = ran.counts().failed.max(ran.failed.len());
    if failed > 0 {
        return Err(format!("{failed} of its tests fail{}", listed(&ran.failed)));
    }
    let none = Tests::default();
    let before = before.unwrap_or(&none);
    let skipped: BTreeSet<String> = ran.skipped.difference(&before.skipped).cloned().collect();
    let unnamed = ran.counts().skipped.saturating_sub(before.counts().skipped);
    if !skipped.is_empty() || unnamed > 0 {
        let count = skipped.len().max(unnamed);
        let names = listed(&skipped);
        return Err(format!(
            "{count} of its new tests are skipped or expected to fail{names}"
        ));
    }
    let known = |name: &&String| before.passed.contains(*name) || before.failed.contains(*name);
    let new = ran.passed.iter().filter(|name| !known(name)).count();
    let all_named = ran.counted.is_none() && before.counted.is_none();
    let more = ran.counts().passed > before.ran();
    if new > 0 || (!all_named && more) {
        Ok(())
    } else if ran.ran() == 0 {
        Err("none of its tests ran".to_owned())
    } else {
        Err("it adds no test that ran".to_owned())
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    const MOST: usize = 5;
    if names.is_empty() {
        return String::new();
    }
    let shown: Vec<&str> = names.iter().take(MOST).map(String::as_str).collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!(": {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests;
