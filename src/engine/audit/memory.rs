//! Memory files of commits, read once each, and by what those of two commits differ.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use eyre::{Result, WrapErr as _};

use crate::{
    audit::{
        delta::{self, Delta},
        moves::Moves,
    },
    backlog::{
        close::{COMPLETED, COMPLETED_SEGMENTS, HISTORY, HISTORY_SEGMENTS, PENDING},
        inbox::{self, INBOX},
    },
    git::{Repo, codetree, objects, tree},
    id::{BlobId, CommitId},
};

/// Most texts that are kept: those of two commits.
const KEPT: usize = 12;

/// The files of a commit, by path.
pub type Files = BTreeMap<String, BlobId>;

/// Reads memory files.
pub struct Memory<'r> {
    repo: &'r Repo,
    files: HashMap<CommitId, Rc<Files>>,
    texts: HashMap<BlobId, Rc<str>>,
}

impl<'r> Memory<'r> {
    /// Reads those of `repo`.
    pub fn new(repo: &'r Repo) -> Self {
        Self {
            repo,
            files: HashMap::new(),
            texts: HashMap::new(),
        }
    }

    /// Lists the memory files of a commit.
    ///
    /// # Errors
    /// When trees cannot be read.
    pub fn files(&mut self, commit: CommitId) -> Result<Rc<Files>> {
        if let Some(files) = self.files.get(&commit) {
            return Ok(Rc::clone(files));
        }
        if self.files.len() >= KEPT {
            self.files.clear();
        }
        let files = Rc::new(codetree::memory_files(self.repo, tree::of_commit(self.repo, commit)?)?);
        self.files.insert(commit, Rc::clone(&files));
        Ok(files)
    }

    fn text(&mut self, id: BlobId) -> Result<Rc<str>> {
        if let Some(text) = self.texts.get(&id) {
            return Ok(Rc::clone(text));
        }
        if self.texts.len() >= KEPT {
            self.texts.clear();
        }
        let text: Rc<str> = String::from_utf8(objects::read_blob(self.repo, id)?)
            .wrap_err("a memory file is not UTF-8")?
            .into();
        self.texts.insert(id, Rc::clone(&text));
        Ok(text)
    }

    /// Returns by which rows the memory files of two commits differ.
    ///
    /// # Errors
    /// When a file cannot be read or is no JSON array.
    pub fn moves(&mut self, old: CommitId, new: CommitId) -> Result<Moves> {
        let (old, new) = (self.files(old)?, self.files(new)?);
        if old == new {
            return Ok(Moves::default());
        }
        Ok(Moves {
            pending: self.delta(&old, &new, (PENDING, Some(INBOX)))?,
            completed: self.delta(&old, &new, (COMPLETED, Some(COMPLETED_SEGMENTS)))?,
            history: self.delta(&old, &new, (HISTORY, Some(HISTORY_SEGMENTS)))?,
        })
    }

    fn delta(&mut self, old: &Files, new: &Files, (file, folder): (&str, Option<&str>)) -> Result<Delta> {
        let is_of = |path: &str| path == file || folder.is_some_and(|folder| path.starts_with(folder));
        let mut paths: Vec<&String> = old.keys().chain(new.keys()).filter(|path| is_of(path)).collect();
        paths.retain(|path| old.get(*path) != new.get(*path));
        // Segments first: they were sealed before what is in the open file.
        paths.sort_by_key(|path| (path.as_str() == file, path.as_str()));
        paths.dedup();
        if paths.is_empty() {
            return Ok(Delta::default());
        }
        let mut texts = |files: &Files| -> Result<Vec<Rc<str>>> {
            let texts = paths.iter().filter_map(|path| Some((path, files.get(*path)?)));
            let texts = texts.map(|(path, id)| Ok((path.starts_with(INBOX), self.text(*id)?)));
            texts
                .map(|text| text.map(|(is_one, text)| if is_one { as_array(&text) } else { text }))
                .collect()
        };
        let (before, after) = (texts(old)?, texts(new)?);
        fn all(texts: &[Rc<str>]) -> Vec<&str> {
            texts.iter().map(AsRef::as_ref).collect()
        }
        delta::between(&all(&before), &all(&after)).wrap_err_with(|| format!("reading {file}"))
    }
}

/// Words a file of the inbox as an array, as folding it into the backlog's file does; one that cannot be read has no goal.
fn as_array(text: &str) -> Rc<str> {
    match inbox::row(text.as_bytes()) {
        Ok((_, row)) => format!("[{row}]").into(),
        Err(_) => "[]".into(),
    }
}
