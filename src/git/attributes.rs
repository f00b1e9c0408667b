//! Attributes: what the `.gitattributes` of a tree, and `info/attributes` of the repository, say of its files.
//!
//! Owns which of these files count: those of the tree, never those of a checkout, and not the person's own, so that a bare
//! repository and every machine read the same. What follows from marks is the business of `context::kind`.

use std::{collections::HashMap, io::ErrorKind, sync::Arc};

use gix::{
    attrs::{
        Search, StateRef,
        search::{MetadataCollection, Outcome},
    },
    bstr::ByteSlice as _,
    glob::pattern::Case,
};

use crate::{
    context::kind::Marks,
    git::{Doing as _, Repo, Result, objects},
    id::BlobId,
    path::RepoPath,
    snapshot::{Listing, Mode},
};

/// The name of such files.
const NAME: &str = ".gitattributes";

/// Larger ones are not read, in bytes: a pattern of a million costs each path of a million.
const LARGE: u64 = 1024 * 1024;

/// Longer lines are not read, in bytes, as by git.
const LONGEST_LINE: usize = 2048;

/// What is asked for.
const ASKED: [&str; 4] = [
    "linguist-vendored",
    "linguist-generated",
    "linguist-documentation",
    "diff",
];

/// The rules of one tree. Free where it has none.
pub struct Attributes {
    sources: Vec<(RepoPath, BlobId)>,
    info: Vec<u8>,
    case: Case,
    /// By folder: empty for the top, else without a slash at its end.
    rules: HashMap<Vec<u8>, Search>,
    over_all: Option<Search>,
    blank: Outcome,
}

/// Reads the rules of the tree that `listing` lists. Costs as much as its `.gitattributes` have bytes; those that are not
/// in this clone say nothing.
///
/// # Errors
/// When `info/attributes` cannot be read.
pub fn of(repo: &Repo, listing: &Listing) -> Result<Attributes> {
    read(repo, sources(listing), info(repo)?)
}

/// As `of`; returns `earlier` itself where the same files make up the rules.
///
/// # Errors
/// As `of`.
pub fn since(repo: &Repo, listing: &Listing, earlier: &Arc<Attributes>) -> Result<Arc<Attributes>> {
    let (sources, info) = (sources(listing), info(repo)?);
    if sources == earlier.sources && info == earlier.info {
        return Ok(Arc::clone(earlier));
    }
    read(repo, sources, info).map(Arc::new)
}

/// True where `info/attributes` is as it was when `earlier` was read.
///
/// # Errors
/// When `info/attributes` cannot be read.
pub fn has_same_info(repo: &Repo, earlier: &Attributes) -> Result<bool> {
    Ok(info(repo)? == earlier.info)
}

/// True where a change of the file at `path` changes rules.
fn is_source(path: &RepoPath) -> bool {
    let folders = path.as_bytes().strip_suffix(NAME.as_bytes());
    folders.is_some_and(|folders| folders.is_empty() || folders.ends_with(b"/"))
}

fn sources(listing: &Listing) -> Vec<(RepoPath, BlobId)> {
    let files = listing.iter().filter(|(path, _)| is_source(path));
    // git follows no link there.
    let files = files.filter(|(_, entry)| matches!(entry.mode, Mode::File | Mode::Executable));
    files.map(|(path, entry)| (path.clone(), entry.id)).collect()
}

fn info(repo: &Repo) -> Result<Vec<u8>> {
    let file = repo.common_dir().join("info").join("attributes");
    match std::fs::read(&file) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Vec::new()),
        read => read.doing(|| format!("reading {}", file.display())),
    }
}

fn read(repo: &Repo, sources: Vec<(RepoPath, BlobId)>, info: Vec<u8>) -> Result<Attributes> {
    let mut texts = Vec::new();
    for (path, id) in &sources {
        // A partial clone may have left it out.
        let size = objects::size(repo, *id).ok();
        let text = size
            .filter(|size| *size <= LARGE)
            .and_then(|_| objects::read_blob(repo, *id).ok());
        texts.extend(text.map(|text| (path.clone(), text)));
    }
    let folds = repo.gix.config_snapshot().boolean("core.ignoreCase").unwrap_or(false);
    let mut made = Attributes {
        case: if folds { Case::Fold } else { Case::Sensitive },
        rules: HashMap::new(),
        over_all: None,
        blank: Outcome::default(),
        sources,
        info,
    };
    made.take(&texts).doing(|| "reading attributes".into())?;
    Ok(made)
}

impl Attributes {
    /// Takes in the texts from the top down, then what is over them: a macro's last definition counts.
    fn take(&mut self, texts: &[(RepoPath, Vec<u8>)]) -> std::io::Result<()> {
        let all = || {
            texts
                .iter()
                .map(|(_, text)| text.as_slice())
                .chain([self.info.as_slice()])
        };
        let words = words_that_matter(all());
        let mut known = MetadataCollection::default();
        // Only for its built-in macro, `binary`.
        Search::new_globals(std::iter::empty::<std::path::PathBuf>(), &mut Vec::new(), &mut known)?;
        let mut tops: Vec<&(RepoPath, Vec<u8>)> = texts.iter().collect();
        tops.sort_by_key(|(path, _)| path.as_bytes().len());
        for (path, text) in tops {
            let (lines, top) = (lines_that_matter(text, &words), path.as_bytes() == NAME.as_bytes());
            if lines.is_empty() {
                continue;
            }
            let mut search = Search::default();
            let below = std::path::Path::new("");
            search.add_patterns_buffer(&lines, path.below(below), Some(below), &mut known, top)?;
            let folder = path.as_bytes().strip_suffix(NAME.as_bytes()).unwrap_or_default();
            self.rules
                .insert(folder.strip_suffix(b"/").unwrap_or(folder).to_vec(), search);
        }
        let lines = lines_that_matter(&self.info, &words);
        if !lines.is_empty() {
            let mut search = Search::default();
            search.add_patterns_buffer(&lines, "info/attributes".into(), None, &mut known, true)?;
            self.over_all = Some(search);
        }
        self.blank.initialize_with_selection(&known, ASKED);
        Ok(())
    }

    /// True where nothing is said of any file.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.over_all.is_none()
    }

    /// Returns what is said of the file at `path`. Costs as much as there are rules for it.
    pub fn marks(&self, path: &RepoPath) -> Marks {
        if self.is_empty() {
            return Marks::default();
        }
        let mut found = self.blank.clone();
        let bytes = path.as_bytes();
        let slashes = bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
        let folders = slashes.filter_map(|(at, _)| bytes.get(..at)).chain([b"".as_slice()]);
        let nearest = folders.filter_map(|folder| self.rules.get(folder));
        let _done = self.over_all.iter().chain(nearest).any(|search| {
            search.pattern_matching_relative_path(bytes.as_bstr(), self.case, Some(false), &mut found);
            found.is_done()
        });
        marks(&found)
    }
}

fn marks(found: &Outcome) -> Marks {
    let mut states = found.iter_selected().map(|found| found.assignment.state);
    // As linguist reads them: every value says yes but `false`.
    let mut says = || match states.next() {
        Some(StateRef::Set) => Some(true),
        Some(StateRef::Unset) => Some(false),
        Some(StateRef::Value(value)) => Some(value.as_bstr() != "false"),
        Some(StateRef::Unspecified) | None => None,
    };
    let (vendored, generated, documentation) = (says(), says(), says());
    // A value of this one names a program that words differences of text.
    let binary = matches!(states.next(), Some(StateRef::Unset));
    Marks {
        vendored: vendored == Some(true),
        generated,
        documentation: documentation == Some(true),
        binary,
    }
}

/// Returns the words without one of which a line says nothing of what is asked for.
fn words_that_matter<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = vec![b"linguist-".to_vec()];
    let mut binary = false;
    for text in texts {
        // Most only name programs that word differences: nothing is binary for that.
        binary |= text.contains_str("-diff") || text.contains_str("binary");
        let macros = text.lines().filter_map(|line| line.split_once_str("[attr]"));
        let names = macros.filter_map(|(_, rest)| rest.fields().next());
        words.extend(names.map(<[u8]>::to_vec));
    }
    if binary {
        words.extend([b"diff".to_vec(), b"binary".to_vec()]);
    }
    words
}

fn lines_that_matter(text: &[u8], words: &[Vec<u8>]) -> Vec<u8> {
    let matters = |line: &&[u8]| line.len() <= LONGEST_LINE && words.iter().any(|word| line.contains_str(word));
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = text.lines().filter(matters);
    lines.flat_map(|line| [line, b"\n"]).flatten().copied().collect()
}
