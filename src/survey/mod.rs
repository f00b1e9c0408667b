//! Survey: what in a repository may be worth a goal, each finding with its place and the text that stands there.
//!
//! One file a rule: `promise`, `notes`, `lint`, `untested`, `docs`, `hot`. Before them `paths` says what a file is, `reading`
//! reads it, and `look` takes out `names` and `definition`s.
//!
//! Pure: content comes through `Snapshot`, counts of changes and lint output as plain data. Reads no more than it is
//! allowed to and says what it left unread. A rule that is mostly wrong about a repository keeps quiet there.

use std::{collections::BTreeMap, io};

use crate::{
    path::RepoPath,
    snapshot::{Listing, Snapshot},
    survey::{
        look::Look,
        names::Seen,
        reading::{Files, Reading},
    },
};

pub mod definition;
pub mod docs;
pub mod hot;
pub mod language;
pub mod lint;
pub mod look;
pub mod names;
pub mod notes;
pub mod outline;
pub mod paths;
pub mod promise;
pub mod reading;
pub mod untested;

#[cfg(test)]
mod tests;

/// Most bytes of a line that is shown.
const MOST_TEXT: usize = 160;

/// Why something was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The documentation names what is nowhere in the code.
    Promise,
    /// A remark that its author left for later.
    Note,
    /// A linter says so.
    Lint,
    /// No test names the file or what it defines.
    Untested,
    /// A public definition, or a module, that nothing is said of where others are described.
    Undocumented,
    /// A large file that often changes.
    Hot,
}

impl Kind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Promise,
        Self::Note,
        Self::Lint,
        Self::Untested,
        Self::Undocumented,
        Self::Hot,
    ];

    /// Returns what the findings of this kind have in common.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Promise => "Documentation that names what was not found in the code",
            Self::Note => "Remarks that authors left for later",
            Self::Lint => "Warnings of the project's own lint",
            Self::Untested => "Source files that no test seems to name",
            Self::Undocumented => "Public definitions and modules without documentation",
            Self::Hot => "Large files that change often",
        }
    }

    /// Returns how many findings of this kind are kept.
    fn most(self) -> usize {
        match self {
            Self::Note => 40,
            Self::Promise | Self::Lint | Self::Untested | Self::Undocumented => 25,
            Self::Hot => 8,
        }
    }
}

/// One thing that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Why.
    pub kind: Kind,
    /// The file.
    pub path: RepoPath,
    /// The line, from 1.
    pub line: usize,
    /// That line as it stands there, without blanks at its ends; only the start of a long one.
    pub text: String,
    /// What is known besides; may be empty.
    pub remark: String,
    /// Higher comes first among its kind.
    rank: u64,
}

impl Finding {
    /// Words it on one line: `path:line: text`, with the remark in front.
    pub fn worded(&self) -> String {
        let Self {
            path,
            line,
            text,
            remark,
            ..
        } = self;
        if remark.is_empty() {
            format!("{path}:{line}: {text}")
        } else {
            format!("[{remark}] {path}:{line}: {text}")
        }
    }
}

/// What is known of a repository besides its content.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// How many of the latest commits changed a file.
    pub changes: Option<&'a BTreeMap<RepoPath, u32>>,
    /// How many commits that count is made over.
    pub commits: usize,
    /// What the lint commands printed about this very state.
    pub lint: Option<&'a str>,
}

impl Given<'_> {
    fn changes_of(&self, path: &RepoPath) -> u32 {
        self.changes
            .and_then(|changes| changes.get(path))
            .copied()
            .unwrap_or_default()
    }
}

/// What a survey comes to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Survey {
    /// Folders, and files with what they define.
    pub outline: String,
    /// By kind, the weightiest first.
    pub findings: Vec<Finding>,
    /// Says what was not looked at; empty where all was.
    pub unseen: String,
}

impl Survey {
    /// Returns headings with the lines below them.
    pub fn signals(&self) -> Vec<(String, String)> {
        let of = |kind: Kind| -> Vec<String> {
            let found = self.findings.iter().filter(|finding| finding.kind == kind);
            found.map(Finding::worded).collect()
        };
        Kind::ALL
            .into_iter()
            .map(|kind| (kind.heading().to_owned(), of(kind).join("\n")))
            .filter(|(_, lines)| !lines.is_empty())
            .collect()
    }
}

/// Looks at the state of a repository.
///
/// # Errors
/// When content cannot be read.
pub fn survey(snapshot: &dyn Snapshot, listing: &Listing, given: &Given<'_>) -> io::Result<Survey> {
    let mut reading = Reading::of(snapshot);
    let mut files = Files::of(listing, given);
    let promises = promise::read(&mut reading, &files.docs, listing)?;
    let mut look = Look::default();
    for promise in &promises {
        look.names.want(promise.wanted());
    }
    files.order();
    for (path, entry, language) in &files.sources {
        if let Some(text) = reading.text(entry)? {
            look.source(path, &text, *language, given);
        }
    }
    for source in &look.sources {
        look.names.want(untested::wanted(source));
    }
    for (path, entry, language) in &files.tests {
        if let Some(text) = reading.text(entry)? {
            look.test(path, &text, *language, given);
        }
    }
    // What is large among the others is seldom code: that it is not read makes no promise doubtful.
    let whole = reading.is_whole();
    for (_, entry) in &files.others {
        if let Some(text) = reading.text(entry)? {
            look.names.take(&text, Seen::Code);
        }
    }
    let mut findings = look.findings;
    if whole && !reading.ran_out() {
        findings.extend(promise::broken(promises, &look.names));
    }
    findings.extend(untested::find(&look.sources, &files.tests, &look.names));
    findings.extend(docs::find(&look.sources));
    findings.extend(hot::find(&look.sources, given.commits));
    if let Some(output) = given.lint {
        findings.extend(lint::find(output, snapshot)?);
    }
    Ok(Survey {
        outline: outline::outline(listing, &look.sources),
        findings: ranked(findings),
        unseen: reading.unseen(),
    })
}

fn ranked(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| (a.kind, b.rank, &a.path, a.line).cmp(&(b.kind, a.rank, &b.path, b.line)));
    findings.dedup_by(|a, b| a.kind == b.kind && a.path == b.path && a.line == b.line);
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        if kept.iter().filter(|other| other.kind == finding.kind).count() < finding.kind.most() {
            kept.push(finding);
        }
    }
    kept
}

/// Returns a line as a finding shows it: without blanks at its ends, and no more than its start.
pub(crate) fn shown(line: &str) -> String {
    let line = line.trim();
    let end = line
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= MOST_TEXT)
        .last()
        .unwrap_or(0);
    line.get(..end).unwrap_or_default().trim_end().to_owned()
}
