//! Promises: what the documentation names in backticks and the code does not have. Flags, functions, options, variables,
//! subcommands and files.
//!
//! Owns when to keep quiet: documentation also names what belongs to others. Where a page's names of a sort are mostly not
//! found, that page is about something else, and nothing is said of that sort.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use crate::{
    path::RepoPath,
    snapshot::{Entry, Listing},
    survey::{
        Finding, Kind,
        names::{Name, Names},
        reading::Reading,
        shown,
    },
};

/// Most pages that are read.
const PAGES: usize = 200;
/// So much of a hundred names of a sort on a page has to be found before the rest is missed.
const FOUND: usize = 75;

/// What a name looks like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Sort {
    Flag,
    Function,
    Word,
    Variable,
    File,
}

/// Something that a page names.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    path: RepoPath,
    line: usize,
    text: String,
    span: String,
    sort: Sort,
    /// Any of them will do.
    names: Vec<Name>,
    /// A file that is there.
    kept: bool,
}

impl Promise {
    /// Returns the names by which it is looked for.
    pub(crate) fn wanted(&self) -> Vec<Name> {
        self.names.clone()
    }
}

/// Reads what the pages name.
pub(crate) fn read(
    reading: &mut Reading<'_>,
    pages: &[(RepoPath, Entry)],
    listing: &Listing,
) -> io::Result<Vec<Promise>> {
    let paths = Paths::of(listing);
    let mut found = Vec::new();
    for (path, entry) in pages.iter().take(PAGES) {
        let Some(text) = reading.text(entry)? else { continue };
        for (at, line) in prose(&text) {
            for span in spans(line) {
                let Some((sort, names, kept)) = sort_of(span, line, path, &paths) else {
                    continue;
                };
                found.push(Promise {
                    path: path.clone(),
                    line: at + 1,
                    text: shown(line),
                    span: span.to_owned(),
                    sort,
                    names,
                    kept,
                });
            }
        }
    }
    Ok(found)
}

/// Returns the promises that nothing keeps, where most of their sort on their page are kept.
pub(crate) fn broken(promises: Vec<Promise>, names: &Names) -> Vec<Finding> {
    let kept = |promise: &Promise| promise.kept || promise.names.iter().any(|name| names.anywhere(*name));
    let mut sums: BTreeMap<(RepoPath, Sort), (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for promise in &promises {
        let (found, missing) = sums.entry((promise.path.clone(), promise.sort)).or_default();
        let set = if kept(promise) { found } else { missing };
        set.insert(promise.span.clone());
    }
    let ours: BTreeSet<&str> = promises.iter().filter(|it| kept(it)).filter_map(prefix).collect();
    let ours: BTreeSet<String> = ours.into_iter().map(str::to_owned).collect();
    let about_us = |promise: &Promise| {
        // Variables of the environment are shared by all programs but for their prefix.
        if promise.sort == Sort::Variable && !prefix(promise).is_some_and(|prefix| ours.contains(prefix)) {
            return false;
        }
        let sums = sums.get(&(promise.path.clone(), promise.sort));
        sums.is_some_and(|(found, missing)| {
            found.len() >= 3 && found.len() * 100 >= (found.len() + missing.len()) * FOUND
        })
    };
    let mut told = BTreeSet::new();
    promises
        .into_iter()
        .filter(|promise| !kept(promise) && about_us(promise))
        .filter(|promise| told.insert(promise.span.clone()))
        .map(|promise| Finding {
            kind: Kind::Promise,
            rank: u64::from(promise.path.file_name().to_ascii_lowercase().starts_with(b"readme")),
            remark: format!("nothing in the code is called {}", promise.span),
            path: promise.path,
            line: promise.line,
            text: promise.text,
        })
        .collect()
}

fn prefix(promise: &Promise) -> Option<&str> {
    let (prefix, _) = promise
        .span
        .split_once('_')
        .filter(|_| promise.sort == Sort::Variable)?;
    Some(prefix)
}

/// Returns the lines outside fenced blocks that speak of the present and of this project.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            fenced = !fenced;
            return false;
        }
        let lower = line.to_ascii_lowercase();
        let elsewhere = ELSEWHERE.iter().any(|word| lower.contains(word));
        !fenced && !line.starts_with("    ") && !elsewhere
    })
}

/// What a line says that is about the past, the future, an example, or somebody else.
const ELSEWHERE: &[&str] = &[
    "removed",
    "deprecated",
    "renamed",
    "no longer",
    "used to",
    "formerly",
    "previously",
    "instead of",
    "unlike",
    "planned",
    "not yet",
    "future",
    "upstream",
    "e.g.",
    "for example",
    "for instance",
    "such as",
    "example",
    "say ",
    "does not exist",
    "there is no",
    "suppose",
    "imagine",
    "whatever",
    "like `",
    "third-party",
    "your own",
    "you can define",
    "custom",
    "http://",
    "https://",
];

/// Programs of others: what stands beside their names is theirs.
const OTHERS: &[&str] = &[
    "git",
    "cargo",
    "rustc",
    "rustup",
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "node",
    "pip",
    "pip3",
    "pipx",
    "python",
    "python3",
    "pytest",
    "docker",
    "podman",
    "kubectl",
    "helm",
    "make",
    "cmake",
    "gcc",
    "clang",
    "go",
    "curl",
    "wget",
    "apt",
    "apt-get",
    "brew",
    "sudo",
    "ssh",
    "bash",
    "sh",
    "zsh",
    "fish",
    "sed",
    "awk",
    "grep",
    "find",
    "tar",
    "jq",
    "vim",
    "systemctl",
    "uv",
    "ruff",
    "gh",
    "bun",
    "deno",
    "java",
    "mvn",
    "gradle",
    "ruby",
    "gem",
    "bundle",
    "php",
    "composer",
    "perl",
    "bwrap",
    "gdb",
    "perf",
];

fn spans(line: &str) -> Vec<&str> {
    let parts: Vec<&str> = line.split('`').collect();
    // A double backtick or an open one: what is inside and what outside cannot be told.
    if parts.len().is_multiple_of(2) || line.contains("``") {
        return Vec::new();
    }
    let others = |span: &str| OTHERS.contains(&span.split_whitespace().next().unwrap_or_default());
    let (mut inside, mut before) = (Vec::new(), "");
    for (at, part) in parts.into_iter().enumerate() {
        if at.is_multiple_of(2) {
            before = part;
        } else if others(part) {
            return Vec::new();
        } else if !before.ends_with('[') {
            // Links lead to what is described elsewhere.
            inside.push(part);
        }
    }
    inside
}

fn sort_of(span: &str, line: &str, page: &RepoPath, paths: &Paths<'_>) -> Option<(Sort, Vec<Name>, bool)> {
    if span.len() > 80 || span.contains(['<', '*', '$', '…', '\\', '"']) || span.contains("...") {
        return None;
    }
    if let Some(rest) = span.strip_prefix("--") {
        return flag(rest).map(|names| (Sort::Flag, names, false));
    }
    if span.contains(char::is_whitespace) {
        return None;
    }
    if let Some((callee, _)) = span.split_once('(').filter(|_| span.ends_with(')')) {
        return function(callee).map(|names| (Sort::Function, names, false));
    }
    if let Some(kept) = paths.kept(span, page) {
        return Some((Sort::File, Vec::new(), kept));
    }
    let word = span.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && span.starts_with(|c: char| c.is_ascii_alphabetic());
    if !word || span.len() < 5 || line.contains("import ") {
        return None;
    }
    let names: Vec<Name> = Name::of(span).into_iter().collect();
    if span.contains('_') && !span.chars().any(|c| c.is_ascii_lowercase()) {
        return Some((Sort::Variable, names, false));
    }
    (span.trim_matches('_').contains('_') && !span.chars().any(|c| c.is_ascii_uppercase())).then_some((
        Sort::Word,
        names,
        false,
    ))
}

/// Flags that programs of others have, and that a page about building or installing names.
const COMMON_FLAGS: &[&str] = &[
    "help",
    "version",
    "release",
    "features",
    "all-features",
    "no-default-features",
    "workspace",
    "save-dev",
    "global",
    "user",
    "editable",
    "recursive",
    "locked",
    "frozen-lockfile",
    "recurse-submodules",
    "depth",
    "prefix",
    "no-verify",
    "amend",
    "force",
];

fn flag(rest: &str) -> Option<Vec<Name>> {
    let end = rest.find(['=', ' ', '[']).unwrap_or(rest.len());
    let name = rest.get(..end)?;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if name.len() < 3 || !plain || COMMON_FLAGS.contains(&name) {
        return None;
    }
    let without = name.strip_prefix("no-").and_then(Name::of);
    Some(Name::of(name).into_iter().chain(without).collect())
}

fn function(callee: &str) -> Option<Vec<Name>> {
    let name = callee.rsplit(['.', ':', '#', '>']).next()?.trim_end_matches('!');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (plain && name.len() >= 4).then(|| Name::of(name).into_iter().collect())
}

/// The paths of a listing, to look others up.
struct Paths<'a> {
    all: BTreeSet<&'a [u8]>,
    tops: BTreeSet<&'a [u8]>,
    names: BTreeSet<&'a [u8]>,
}

impl<'a> Paths<'a> {
    fn of(listing: &'a Listing) -> Self {
        let paths = || listing.iter().map(|(path, _)| path);
        Self {
            all: paths().map(RepoPath::as_bytes).collect(),
            tops: paths().filter_map(|path| path.names().next()).collect(),
            names: paths().map(RepoPath::file_name).collect(),
        }
    }

    /// Says whether a path of this repository is there; `None` for what is no such path.
    fn kept(&self, span: &str, page: &RepoPath) -> Option<bool> {
        let span = span.split('#').next()?.trim_start_matches("./");
        let span = span.split_once(':').map_or(span, |(path, _)| path);
        let (folders, name) = span.trim_end_matches('/').rsplit_once('/')?;
        let extension = name.rsplit_once('.')?.1;
        let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c)) && !span.contains("..");
        let top = folders.split('/').next()?;
        if !plain
            || extension.is_empty()
            || extension.len() > 5
            || !self.tops.contains(top.as_bytes())
            || !span.is_ascii()
        {
            return None;
        }
        let beside = page.parents().next().map(|folder| format!("{folder}/{span}"));
        let there = |path: &str| self.all.contains(path.as_bytes());
        Some(there(span) || beside.is_some_and(|path| there(&path)) || self.names.contains(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(span: &str) -> Option<Sort> {
        let listing: Listing = Vec::new();
        let page = RepoPath::from_git("README.md");
        sort_of(span, "", &page, &Paths::of(&listing)).map(|(sort, ..)| sort)
    }

    #[test]
    fn a_span_is_sorted_by_its_looks() {
        let table = [
            ("--dry-run", Some(Sort::Flag)),
            ("--count=N", Some(Sort::Flag)),
            ("--help", None),
            ("slug_of(text)", Some(Sort::Function)),
            ("a::b::parse()", Some(Sort::Function)),
            ("max_open", Some(Sort::Word)),
            ("MAX_OPEN", Some(Sort::Variable)),
            ("true", None),
            ("a sentence of words", None),
            ("--<name>", None),
        ];
        for (span, sort) in table {
            assert_eq!(sorted(span), sort, "{span}");
        }
    }

    #[test]
    fn spans_of_lines_about_other_programs_are_left_alone() {
        assert_eq!(spans("use `a` and `b`"), ["a", "b"]);
        assert_eq!(spans("as `git merge --no-ff` does with `--squash`"), [""; 0]);
        assert_eq!(spans("as [`nix`] has `a`"), ["a"]);
        assert_eq!(spans("an open ` one"), [""; 0]);
        let told: Vec<usize> = prose("a\n```\nb\n```\nwas removed\nc\n").map(|(at, _)| at).collect();
        assert_eq!(told, [0, 5]);
    }
}
