//! Source text as the walls see it: code without comments and strings, paths, function bodies, test-only parts.
//!
//! Owns a lexer for what is written here, laid out by rustfmt. It judges nothing, and it is no Rust parser: macros that
//! build paths out of parts would get past it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One file.
pub(crate) struct Source {
    /// From the top of the repository, with `/`.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Comments and the insides of strings are blanks; lines stay where they are.
    pub(crate) code: String,
    /// `code` with test-only items as blanks too; all blanks for a file that only tests see.
    pub(crate) shipped: String,
}

impl Source {
    /// Reads a text as the file at `path`.
    pub(crate) fn of(path: &str, text: &str) -> Self {
        let code = without_comments_and_strings(text);
        let shipped = if is_test_file(path) {
            blank(&code)
        } else {
            without_tests(&code)
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            shipped,
        }
    }

    /// True for `tests.rs` and what is outside `src`.
    pub(crate) fn is_test(&self) -> bool {
        is_test_file(&self.path)
    }
}

fn is_test_file(path: &str) -> bool {
    !path.starts_with("src/") || path.ends_with("/tests.rs")
}

/// Returns the top of the repository.
pub(crate) fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Reads a file of the repository; empty where it is not there.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_default()
}

/// Reads every Rust file below `folder`, by path. A file that its parent declares for tests only counts as one.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&top().join(folder), &mut paths);
    paths.sort();
    let mut all: Vec<Source> = paths
        .iter()
        .map(|path| {
            let name = path
                .strip_prefix(top())
                .unwrap_or(path)
                .to_string_lossy()
                .replace('\\', "/");
            Source::of(&name, &fs::read_to_string(path).unwrap_or_default())
        })
        .collect();
    let helpers: Vec<String> = all.iter().flat_map(test_modules).collect();
    for source in all.iter_mut().filter(|source| helpers.contains(&source.path)) {
        source.shipped = blank(&source.code);
    }
    all
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.ends_with("tests/fixtures") {
            // Data of tests, some of which happens to be Rust.
        } else if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

/// Returns the files that `source` declares as `#[cfg(test)] mod name;`.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = source.path.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
    let mut lines = source.code.lines().map(str::trim);
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]"
            && let Some(rest) = lines.next().and_then(|line| line.split("mod ").nth(1))
            && let Some(name) = rest.strip_suffix(';')
        {
            found.push(format!("{folder}/{name}.rs"));
        }
    }
    found
}

fn blank(code: &str) -> String {
    code.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect()
}

/// What the lexer is in.
enum In {
    Code,
    Line,
    Block(usize),
    Text { hashes: usize, raw: bool },
}

/// Blanks comments and the insides of strings and characters. Quotation marks stay.
pub(crate) fn without_comments_and_strings(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut out, mut state, mut i) = (String::with_capacity(text.len()), In::Code, 0);
    while i < chars.len() {
        let (kept, step, next) = match &state {
            In::Code => in_code(&chars, i),
            In::Line => (false, 1, (at(i) == '\n').then_some(In::Code)),
            In::Block(depth) => match (at(i), at(i + 1)) {
                ('/', '*') => (false, 2, Some(In::Block(depth + 1))),
                ('*', '/') => (
                    false,
                    2,
                    Some(if *depth == 1 { In::Code } else { In::Block(depth - 1) }),
                ),
                _ => (false, 1, None),
            },
            In::Text { raw: false, .. } if at(i) == '\\' => (false, 2, None),
            In::Text { hashes, .. } => {
                let closes = at(i) == '"' && (1..=*hashes).all(|n| at(i + n) == '#');
                (closes, if closes { 1 + hashes } else { 1 }, closes.then_some(In::Code))
            }
        };
        for c in (i..i + step).map(at).filter(|c| *c != '\0') {
            out.push(if kept || c == '\n' { c } else { ' ' });
        }
        i += step;
        state = next.unwrap_or(state);
    }
    out
}

/// Reads one step of plain code: whether it is kept, how long it is, and what begins after it.
fn in_code(chars: &[char], i: usize) -> (bool, usize, Option<In>) {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let starts_word = i == 0 || !word(at(i - 1));
    match (at(i), at(i + 1)) {
        ('/', '/') => (false, 2, Some(In::Line)),
        ('/', '*') => (false, 2, Some(In::Block(1))),
        ('"', _) => (true, 1, Some(In::Text { hashes: 0, raw: false })),
        ('b', 'r') if starts_word && matches!(at(i + 2), '"' | '#') => raw(chars, i, 2),
        ('r', '"' | '#') if starts_word => raw(chars, i, 1),
        ('\'', '\\') => {
            let end = (i + 3..i + 14).find(|end| at(*end) == '\'').unwrap_or(i + 3);
            (false, end + 1 - i, None)
        }
        ('\'', _) if at(i + 2) == '\'' => (false, 3, None),
        _ => (true, 1, None),
    }
}

fn raw(chars: &[char], i: usize, prefix: usize) -> (bool, usize, Option<In>) {
    let hashes = chars.iter().skip(i + prefix).take_while(|c| **c == '#').count();
    match chars.get(i + prefix + hashes) {
        Some('"') => (true, prefix + hashes + 1, Some(In::Text { hashes, raw: true })),
        // `r#type` is a name.
        _ => (true, prefix, None),
    }
}

/// Blanks each item that stands behind `#[cfg(test)]`, up to its closing brace or semicolon.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("#[cfg(test)]") {
        let end = item_end(after);
        let (item, behind) = after.split_at(end);
        out.push_str(before);
        out.push_str(&blank("#[cfg(test)]"));
        out.push_str(&blank(item));
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Returns where the item at the start of `code` ends.
fn item_end(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// Returns every path of two or more parts with its line, imports spelled out: `use a::{b, c::d}` is `a::b` and `a::c::d`.
pub(crate) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(in_word) {
        let (_, at_word) = rest.split_at(start);
        rest = tree(at_word, String::new(), &mut found);
    }
    let ends: Vec<usize> = code.match_indices('\n').map(|(at, _)| at).collect();
    let line = |left: usize| ends.partition_point(|end| *end < code.len() - left) + 1;
    let found = found
        .into_iter()
        .map(|(left, path): (usize, String)| (line(left), path.replace("::self", "")));
    found.filter(|(_, path)| path.contains("::")).collect()
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Reads one path, or a tree of them, behind `prefix`; returns what follows it. A path is found with how much of the code
/// was left where its last part begins.
fn tree<'a>(code: &'a str, prefix: String, found: &mut Vec<(usize, String)>) -> &'a str {
    let mut path = prefix;
    let mut rest = code;
    loop {
        let end = rest.find(|c: char| !in_word(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        path.push_str(word);
        match behind.strip_prefix("::") {
            Some(more) if more.starts_with('{') => return group(more.trim_start_matches('{'), &path, found),
            Some(more) if more.starts_with(in_word) => {
                path.push_str("::");
                rest = more;
            }
            Some(more) if more.starts_with('*') => {
                found.push((more.len(), format!("{path}::*")));
                return more.trim_start_matches('*');
            }
            _ => {
                found.push((rest.len(), path));
                return behind;
            }
        }
    }
}

fn group<'a>(code: &'a str, path: &str, found: &mut Vec<(usize, String)>) -> &'a str {
    let mut rest = code;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if let Some(behind) = rest.strip_prefix('}') {
            return behind;
        }
        if let Some(behind) = rest.strip_prefix("as ") {
            let end = behind.find([',', '}']).unwrap_or(behind.len());
            rest = behind.get(end..).unwrap_or_default();
        } else if let Some(behind) = rest.strip_prefix('*') {
            found.push((rest.len(), format!("{path}::*")));
            rest = behind;
        } else if rest.starts_with(in_word) {
            rest = tree(rest, format!("{path}::"), found);
        } else {
            return rest;
        }
    }
}

/// Returns each function: the line where it begins, its name, and how many lines it has.
pub(crate) fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        let before = text.split("fn ").next().unwrap_or_default();
        let words = ["pub", "pub(crate)", "const", "async", "extern", "unsafe", "default"];
        let Some(rest) = text.get(before.len()..).and_then(|rest| rest.strip_prefix("fn ")) else {
            continue;
        };
        if !before.split_whitespace().all(|word| words.contains(&word)) {
            continue;
        }
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let closes = |line: &&str| line.len() - line.trim_start().len() == indent && line.trim_start().starts_with('}');
        let one_line = line.trim_end().ends_with(['}', ';']);
        let more = if one_line {
            0
        } else {
            lines.iter().skip(at + 1).position(closes).map_or(0, |n| n + 1)
        };
        found.push((at + 1, name, more + 1));
    }
    found
}
