//! Rules: the files in which a repository tells contributors what to do. At its top `AGENTS.md`, `CLAUDE.md` and others;
//! in folders the first two. `CLAUDE.md` imports others by `@path`.
//!
//! Reads regular files of one snapshot and nothing beside it. What a file says is not judged; how much of it is shown is
//! up to its section.

use std::{collections::BTreeSet, io};

use crate::{
    path::RepoPath,
    prompt::imports,
    snapshot::{Mode, Snapshot},
};

/// Files with rules at the top of a repository; those with `true` import others.
const TOP: [(&str, bool); 7] = [
    ("AGENTS.md", false),
    ("CLAUDE.md", true),
    (".claude/CLAUDE.md", true),
    ("CONVENTIONS.md", false),
    ("GEMINI.md", false),
    (".github/copilot-instructions.md", false),
    (".cursorrules", false),
];
/// Files with rules for a folder.
const IN_FOLDERS: [(&str, bool); 2] = [("AGENTS.md", false), ("CLAUDE.md", true)];
/// How far imports lead.
const DEPTH: usize = 5;
/// Most files of rules.
const FILES: usize = 64;
/// Largest file that is read, in bytes.
const LARGEST: u64 = 2 * 1024 * 1024;

/// Reads rules; each file and each text once.
pub struct Rules<'a> {
    snapshot: &'a dyn Snapshot,
    read: BTreeSet<RepoPath>,
    texts: BTreeSet<String>,
    warnings: Vec<String>,
}

/// Paths, each with what stands there.
type Read = Vec<(String, String)>;

impl<'a> Rules<'a> {
    /// Begins with nothing read.
    pub fn new(snapshot: &'a dyn Snapshot) -> Self {
        Self {
            snapshot,
            read: BTreeSet::new(),
            texts: BTreeSet::new(),
            warnings: Vec::new(),
        }
    }

    /// Reads the rules for the whole repository.
    ///
    /// # Errors
    /// When the snapshot cannot be read.
    pub fn top(&mut self) -> io::Result<Read> {
        let mut found = Read::new();
        for (name, imports) in TOP {
            self.take(&RepoPath::from_git(name.as_bytes()), imports.then_some(0), &mut found)?;
        }
        Ok(found)
    }

    /// Reads the rules for the folders that the files `shown` are in, the nearest last.
    ///
    /// # Errors
    /// When the snapshot cannot be read.
    pub fn folders<'p>(&mut self, shown: impl IntoIterator<Item = &'p RepoPath>) -> io::Result<Read> {
        let folders: BTreeSet<RepoPath> = shown.into_iter().flat_map(RepoPath::parents).collect();
        let mut folders: Vec<RepoPath> = folders
            .into_iter()
            .filter(|folder| !folder.as_bytes().is_empty())
            .collect();
        folders.sort_by_key(|folder| folder.names().count());
        let mut found = Read::new();
        for folder in folders {
            for (name, imports) in IN_FOLDERS {
                let path = RepoPath::from_git([folder.as_bytes(), b"/", name.as_bytes()].concat());
                self.take(&path, imports.then_some(0), &mut found)?;
            }
        }
        Ok(found)
    }

    /// True for a file of rules: what it says is shown as such or, in a folder of which nothing is shown, not at all.
    pub fn is_rules(&self, path: &RepoPath) -> bool {
        self.read.contains(path) || IN_FOLDERS.iter().any(|(name, _)| path.file_name() == name.as_bytes())
    }

    /// Returns what was not read or not in full, a line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Takes `path` in, and behind it what it imports, where that has a `depth`.
    fn take(&mut self, path: &RepoPath, depth: Option<usize>, found: &mut Read) -> io::Result<()> {
        let Some(file) = self.followed(path)? else {
            return Ok(());
        };
        if !self.read.insert(file.clone()) {
            return Ok(());
        }
        if self.read.len() > FILES {
            self.warn(format!(
                "there are more than {FILES} files of rules: {path} is not shown"
            ));
            return Ok(());
        }
        let Some(text) = self.text(&file)? else {
            return Ok(());
        };
        let named = depth.map(|_| imports::named(&text)).unwrap_or_default();
        // One that says nothing but what to read instead is not worth its room.
        let only_imports = depth.is_some() && imports::is_all(&text);
        if !only_imports && !text.trim().is_empty() && self.texts.insert(text.trim().to_owned()) {
            found.push((path.to_string(), text));
        }
        for import in named {
            self.import(path, &import, depth.unwrap_or(0) + 1, found)?;
        }
        Ok(())
    }

    /// Follows links to a regular file of the repository.
    fn followed(&mut self, path: &RepoPath) -> io::Result<Option<RepoPath>> {
        let mut at = path.clone();
        for _ in 0..DEPTH {
            let Some(entry) = self.snapshot.entry(&at)? else {
                if at != *path {
                    self.warn(format!("{path} is a link to {at}, which is not there: not shown"));
                }
                return Ok(None);
            };
            match entry.mode {
                Mode::File | Mode::Executable => return Ok(Some(at)),
                Mode::Submodule => return Ok(None),
                Mode::Symlink => {
                    let target = self.snapshot.read(&entry.id)?;
                    let Some(next) = imports::beside(&at, &target) else {
                        self.warn(format!("{path} is a link that leads out of the repository: not shown"));
                        return Ok(None);
                    };
                    at = next;
                }
            }
        }
        self.warn(format!("{path} is a link that leads to itself: not shown"));
        Ok(None)
    }

    fn text(&mut self, file: &RepoPath) -> io::Result<Option<String>> {
        let Some(entry) = self.snapshot.entry(file)? else {
            return Ok(None);
        };
        if self.snapshot.size(&entry.id)? > LARGEST {
            self.warn(format!("{file} has more than {} MiB: not shown", LARGEST / 1024 / 1024));
            return Ok(None);
        }
        let bytes = self.snapshot.read(&entry.id)?;
        if bytes.contains(&0) {
            self.warn(format!("{file} is not text: not shown"));
            return Ok(None);
        }
        if std::str::from_utf8(&bytes).is_err() {
            self.warn(format!("{file} is not UTF-8: what is not is shown as `\u{fffd}`"));
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    fn import(&mut self, from: &RepoPath, import: &str, depth: usize, found: &mut Read) -> io::Result<()> {
        // The end of a sentence is no part of a name, unless there is such a file.
        let trimmed = import.trim_end_matches(|c: char| c.is_ascii_punctuation() && !matches!(c, '/' | '_'));
        let mut target = imports::beside(from, import.as_bytes());
        if let Some(path) = &target
            && self.snapshot.entry(path)?.is_none()
        {
            target = imports::beside(from, trimmed.as_bytes());
        }
        let Some(target) = target else {
            if imports::is_file_name(trimmed) {
                self.warn(format!(
                    "{from} imports {trimmed}, which is outside of the repository: not shown"
                ));
            }
            return Ok(());
        };
        match self.snapshot.entry(&target)?.map(|entry| entry.mode) {
            Some(Mode::File | Mode::Executable) if depth > DEPTH => {
                self.warn(format!(
                    "{from} imports {target}, more than {DEPTH} files deep: not shown"
                ));
            }
            Some(Mode::File | Mode::Executable) => self.take(&target, Some(depth), found)?,
            Some(Mode::Symlink) => self.warn(format!("{from} imports {target}, which is a link: not shown")),
            Some(Mode::Submodule) | None => {
                if trimmed.ends_with(".md") {
                    self.warn(format!("{from} imports {target}, which is not there"));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
