//! Looking at one file after another: names, notes and definitions, each text let go again.

use crate::{
    context::kind,
    path::RepoPath,
    survey::{
        Finding, Given,
        definition::{self, Source},
        language::Language,
        names::{Names, Seen},
        notes,
    },
};

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Look {
    pub(crate) names: Names,
    pub(crate) sources: Vec<Source>,
    pub(crate) findings: Vec<Finding>,
}

impl Look {
    /// Takes in a source file.
    pub(crate) fn source(&mut self, path: &RepoPath, text: &str, language: Language, given: &Given<'_>) {
        self.names.take(text, Seen::Code);
        if kind::unfit(text.as_bytes()).is_some() {
            return;
        }
        let lines: Vec<&str> = text.lines().collect();
        let changes = given.changes_of(path);
        self.findings
            .extend(notes::find(path, &lines, language, (changes, false)));
        self.sources.push(definition::source(path, &lines, language, changes));
    }

    /// Takes in a file of tests.
    pub(crate) fn test(&mut self, path: &RepoPath, text: &str, language: Language, given: &Given<'_>) {
        self.names.take(text, Seen::Test);
        if kind::unfit(text.as_bytes()).is_some() {
            return;
        }
        let lines: Vec<&str> = text.lines().collect();
        let changes = given.changes_of(path);
        self.findings
            .extend(notes::find(path, &lines, language, (changes, true)));
        let mut source = definition::source(path, &lines, language, changes);
        source.test = true;
        self.sources.push(source);
    }
}
