//! Finds the function that tests are about.

use std::collections::BTreeSet;

use crate::{
    goal::Goal,
    path::RepoPath,
    proof::{
        Language, Subject, breaks, is_test_path,
        lex::{blank, is_name},
    },
    snapshot::{Snapshot, read_path},
};

/// Most files that are searched, and their longest content in bytes.
const MOST_FILES: usize = 3000;
const LONGEST: usize = 1 << 20;

/// How near a file is to the tests; smaller is nearer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Named,
    SameStem,
    Imported,
    Elsewhere,
}

/// See `proof::subject`.
pub(crate) fn find(goal: &Goal, test_source: &str, snapshot: &dyn Snapshot) -> Option<Subject> {
    let test_path = goal.filename.as_deref()?;
    let language = Language::of(test_path)?;
    let tests = TestText::of(test_source, language);
    let (asked, unmentioned): (Vec<String>, Vec<String>) = goal_names(goal)
        .into_iter()
        .partition(|name| tests.words.contains(name));
    let called = tests.called.iter().filter(|name| !asked.contains(name));
    // What the goal names may be anywhere; a call alone is a weak sign and counts only nearby. What the goal names and the
    // tests never mention comes last, so that tests of nothing are found out.
    let names: Vec<(&String, bool)> = asked
        .iter()
        .map(|name| (name, true))
        .chain(called.map(|name| (name, false)))
        .chain(unmentioned.iter().map(|name| (name, true)))
        .collect();
    let mut files = near_files(goal, test_path, &tests, snapshot);
    files.sort();
    let mut best: Option<(usize, Subject)> = None;
    for (nearness, path) in files.into_iter().take(MOST_FILES) {
        let Some(source) = text(snapshot, &path) else {
            continue;
        };
        let found = names
            .iter()
            .enumerate()
            .take_while(|(rank, _)| best.as_ref().is_none_or(|(known, _)| rank < known))
            .filter(|(_, (_, anywhere))| *anywhere || nearness != Nearness::Elsewhere)
            .find(|(_, (name, _))| source.contains(name.as_str()) && defines(&source, language, name));
        if let Some((rank, (name, _))) = found {
            let name = String::clone(name);
            best = Some((rank, Subject { path, name }));
        }
        if best.as_ref().is_some_and(|(rank, _)| *rank == 0) {
            break;
        }
    }
    best.map(|(_, subject)| subject)
}

fn defines(source: &str, language: Language, name: &str) -> bool {
    breaks::break_function(source, language, name).is_some()
}

fn text(snapshot: &dyn Snapshot, path: &RepoPath) -> Option<String> {
    let bytes = read_path(snapshot, path).ok()??;
    String::from_utf8(bytes).ok().filter(|text| text.len() <= LONGEST)
}

/// Lists the files of the tests' language that hold no tests, with how near they are.
fn near_files(goal: &Goal, test_path: &str, tests: &TestText, snapshot: &dyn Snapshot) -> Vec<(Nearness, RepoPath)> {
    let language = Language::of(test_path);
    let named = goal.named_files();
    let (test_folder, test_name) = test_path.rsplit_once('/').unwrap_or(("", test_path));
    let wanted = tested_stem(test_name);
    let listing = snapshot.listing().unwrap_or_default();
    let near = |path: &RepoPath| {
        let text = path.as_str()?;
        let (folder, name) = text.rsplit_once('/').unwrap_or(("", text));
        if Language::of(text) != language || is_test_path(text) || text == test_path {
            return None;
        }
        let stem = name.split('.').next().unwrap_or(name);
        let parent = folder.rsplit('/').next().unwrap_or(folder);
        let is_root = matches!(stem, "lib" | "mod" | "main" | "__init__" | "index");
        Some(if named.contains(&text) {
            Nearness::Named
        } else if stem == wanted {
            Nearness::SameStem
        } else if tests.imports.contains(stem)
            || (is_root && (tests.imports.contains(parent) || language == Some(Language::Rust)))
            || (language == Some(Language::Go) && folder == test_folder)
        {
            Nearness::Imported
        } else {
            Nearness::Elsewhere
        })
    };
    let files = listing.iter().map(|(path, _)| path);
    files.filter_map(|path| Some((near(path)?, path.clone()))).collect()
}

/// Returns `calc` of `test_calc.py`, `calc_test.go`, `calc.test.ts` and `calc.rs`.
fn tested_stem(name: &str) -> &str {
    let stem = name.split('.').next().unwrap_or(name);
    let stem = stem.strip_prefix("test_").unwrap_or(stem);
    stem.strip_suffix("_test").unwrap_or(stem)
}

/// Lists the functions that a goal's text names: in backquotes, or followed by `()`.
fn goal_names(goal: &Goal) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let texts = [&goal.description, &goal.prompt].into_iter().chain(&goal.acceptance);
    for text in texts {
        let quoted = text.split('`').skip(1).step_by(2);
        let called = text.split_whitespace().filter(|word| word.contains("()"));
        for span in quoted.chain(called) {
            if let Some(name) = function_name(span).filter(|name| !names.contains(name)) {
                names.push(name);
            }
        }
    }
    names
}

/// Reads `add` out of `add`, `add()`, `calc.add(1, 2)` and `Stack::add`; paths and phrases are no names.
fn function_name(span: &str) -> Option<String> {
    let span = span.trim_matches(|c: char| c == '`' || c == '"' || c == '\'');
    let head = span.split('(').next().unwrap_or(span).trim();
    if head.contains(['/', ' ']) || Language::of(head).is_some() && !span.contains('(') {
        return None;
    }
    let last = head.rsplit(['.', ':', '#']).next().unwrap_or(head);
    let is_word = last.starts_with(|c: char| c.is_alphabetic() || c == '_') && last.bytes().all(is_name);
    is_word.then(|| last.to_owned())
}

/// What can be seen in the source of tests.
struct TestText {
    /// Every word.
    words: BTreeSet<String>,
    /// Names that are called: those that are imported first, then in the order of calls.
    called: Vec<String>,
    /// Words of import lines.
    imports: BTreeSet<String>,
}

impl TestText {
    fn of(source: &str, language: Language) -> Self {
        let code = blank(source, language);
        let mut words = BTreeSet::new();
        let mut called: Vec<String> = Vec::new();
        let mut at = 0;
        for part in code.chunk_by(|a, b| is_name(*a) == is_name(*b)) {
            let end = at + part.len();
            if part.first().copied().is_some_and(is_name) {
                let word = source.get(at..end).unwrap_or_default().to_owned();
                let is_call = code.get(end) == Some(&b'(');
                let is_test = word.to_lowercase().starts_with("test");
                if is_call && !is_test && !called.contains(&word) {
                    called.push(word.clone());
                }
                words.insert(word);
            }
            at = end;
        }
        let imports = imports(source);
        called.sort_by_key(|name| !imports.contains(name));
        Self { words, called, imports }
    }
}

/// Collects the words of lines that import; an import over several lines goes on to its closing bracket.
fn imports(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut depth = 0usize;
    for line in source.lines() {
        let text = line.trim_start();
        let starts = ["import ", "from ", "use ", "import(", "import{"]
            .iter()
            .any(|word| text.starts_with(word));
        if starts || depth > 0 || text.contains("require(") {
            let parts = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
            found.extend(parts.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        if starts || depth > 0 {
            depth = (depth + text.matches(['(', '{']).count()).saturating_sub(text.matches([')', '}']).count());
        }
    }
    found
}
