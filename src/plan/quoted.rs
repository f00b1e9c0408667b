//! Evidence looked up in the code: whether a file says what a proposal quotes, and on which line.
//!
//! Owns what counts as the same text. Whitespace does not, where there is any; letters and signs do.

use std::{collections::HashMap, io};

use crate::{
    path::RepoPath,
    plan::{Evidence, fields, why::Why},
    snapshot::{Mode, Snapshot},
};

/// Fewest letters and digits that a quote has; an ideograph counts as two.
const FEWEST: usize = 6;
/// Fewest letters of a quote that is one plain word: `return` and `continue` stand in every file.
const FEWEST_OF_WORD: usize = 12;
/// Most characters of a quote that a goal keeps.
const MOST: usize = 200;

/// A file without its whitespace, and where its lines were.
struct Squeezed {
    text: String,
    /// The offset in `text` at which each line starts, whether or not anything of it is left.
    lines: Vec<usize>,
}

impl Squeezed {
    fn of(text: &str) -> Self {
        let mut squeezed = Self {
            text: String::with_capacity(text.len()),
            lines: Vec::new(),
        };
        for line in text.lines() {
            squeezed.lines.push(squeezed.text.len());
            squeezed.text.extend(line.chars().filter(|c| !c.is_whitespace()));
        }
        squeezed
    }

    /// Returns the line, from 1, that holds what is at `at`.
    fn line_of(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// Returns the line where `part` starts, of several the one nearest to `wanted`.
    fn find(&self, part: &str, wanted: Option<u32>) -> Option<usize> {
        let wanted = wanted.and_then(|line| usize::try_from(line).ok()).unwrap_or(1);
        let places = self.text.match_indices(part).map(|(at, _)| self.line_of(at));
        places.min_by_key(|line| line.abs_diff(wanted))
    }
}

/// Looks quotes up, reading each file once.
pub(crate) struct Quoted<'a> {
    code: &'a dyn Snapshot,
    files: HashMap<String, Option<Squeezed>>,
}

impl<'a> Quoted<'a> {
    pub(crate) fn new(code: &'a dyn Snapshot) -> Self {
        Self {
            code,
            files: HashMap::new(),
        }
    }

    pub(crate) fn code(&self) -> &'a dyn Snapshot {
        self.code
    }

    /// Returns the evidence as a goal keeps it, `path:line: quote`.
    ///
    /// # Errors
    /// When the code cannot be read; within, why it is no evidence.
    pub(crate) fn find(&mut self, evidence: &Evidence) -> io::Result<Result<String, Why>> {
        let (path, quote) = (evidence.path.trim(), evidence.quote.trim());
        let path = path.strip_prefix("./").unwrap_or(path);
        let shown = || fields::printable(path, 80);
        let Some(file) = self.file(path)? else {
            return Ok(Err(Why::NoSuchFile { path: shown() }));
        };
        let short = || fields::printable(quote, 80);
        if is_thin(quote) {
            return Ok(Err(Why::ThinQuote {
                path: shown(),
                quote: short(),
            }));
        }
        let found = wordings(quote).into_iter().find_map(|quote| {
            let line = file.find(&squeezed(quote), evidence.line)?;
            Some((line, quote.to_owned()))
        });
        let Some((line, quote)) = found else {
            return Ok(Err(Why::NotQuoted {
                path: shown(),
                quote: short(),
            }));
        };
        let words: Vec<&str> = quote.split_whitespace().collect();
        let quote = fields::printable(&words.join(" "), MOST);
        Ok(Ok(format!("{path}:{line}: {quote}")))
    }

    fn file(&mut self, path: &str) -> io::Result<Option<&Squeezed>> {
        if !self.files.contains_key(path) {
            let file = read(self.code, path)?;
            self.files.insert(path.to_owned(), file);
        }
        Ok(self.files.get(path).and_then(Option::as_ref))
    }
}

fn read(code: &dyn Snapshot, path: &str) -> io::Result<Option<Squeezed>> {
    let Ok(path) = RepoPath::parse(path) else {
        return Ok(None);
    };
    match code.entry(&path)? {
        Some(entry) if matches!(entry.mode, Mode::File | Mode::Executable) => {
            let bytes = code.read(&entry.id)?;
            Ok(Some(Squeezed::of(&String::from_utf8_lossy(&bytes))))
        }
        Some(_) | None => Ok(None),
    }
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn weight(quote: &str) -> usize {
    let letters = quote.chars().filter(|c| c.is_alphanumeric());
    letters.map(|c| if u32::from(c) >= 0x2e80 { 2 } else { 1 }).sum()
}

fn is_thin(quote: &str) -> bool {
    let letters = quote.trim_matches(|c: char| !c.is_alphanumeric());
    let is_word = letters.chars().all(|c| c.is_ascii_alphabetic());
    let camel = letters.chars().skip(1).any(|c| c.is_ascii_uppercase());
    weight(quote) < if is_word && !camel { FEWEST_OF_WORD } else { FEWEST }
}

/// The quote, and what it may mean: without dots for what was left out at its ends, without a line number before it.
fn wordings(quote: &str) -> Vec<&str> {
    let mut all = vec![quote];
    let open = quote.trim_end_matches(['…', '.']).trim_start_matches(['…', '.']).trim();
    all.push(open);
    let digits = quote.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = digits.len() < quote.len();
    let after = digits
        .trim_start()
        .strip_prefix(['|', ':', '\t'])
        .or_else(|| digits.strip_prefix("  "));
    all.extend(after.filter(|_| numbered).map(str::trim));
    for mark in ["`", "\"", "'"] {
        let inside = quote.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
        all.extend(inside.map(str::trim));
    }
    all.retain(|wording| !is_thin(wording));
    all
}
