//! The walls: what the source must look like, as tests. Each names file and line, and what to do about it.
//!
//! Owns the tables of rows and doors below. Where a wall is in the way, change the code; where the wall is wrong, change
//! its table here and `docs/ARCHITECTURE.md` with it, and say why in the commit.

mod can_fail;
mod points;
mod source;

use std::collections::BTreeSet;

use source::{Source, functions, paths, read, sources};

/// The rows, from low to high, and the modules in each. A new top-level module stands in exactly one of them.
const ROWS: &[(Row, &[&str])] = &[
    (
        Row::Nouns,
        &[
            "check",
            "event",
            "facts",
            "fault",
            "goal",
            "id",
            "path",
            "read_at",
            "record",
            "secret",
            "settings",
            "snapshot",
            "time",
            "transcript",
        ],
    ),
    (
        Row::Verbs,
        &[
            "audit",
            "backlog",
            "ci",
            "context",
            "detect",
            "edit",
            "fence",
            "foreign",
            "graph",
            "guard",
            "layers",
            "letters",
            "money",
            "plan",
            "prompt",
            "proof",
            "provenance",
            "quote",
            "ratchet",
            "reply",
            "schedule",
            "survey",
            "textdiff",
            "unit",
            "verdict",
        ],
    ),
    (Row::Doors, &["door"]),
    (Row::Hands, &["cache", "git", "journal", "provider", "shell", "slot"]),
    (Row::Engine, &["engine"]),
    (Row::Commands, &["commands"]),
    (Row::Faces, &["cli", "mcp", "ui", "web"]),
];

/// The only imports between two modules of a row where neither is a noun or a verb.
const SIDEWAYS: &[(&str, &str)] = &[("slot", "git"), ("cli", "ui"), ("cli", "web"), ("cli", "mcp")];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Row {
    Nouns,
    Verbs,
    Doors,
    Hands,
    Engine,
    Commands,
    Faces,
}

impl Row {
    /// The number of the row in `src/lib.rs`.
    fn number(self) -> u32 {
        match self {
            Self::Nouns => 1,
            Self::Verbs => 2,
            Self::Doors | Self::Hands => 3,
            Self::Engine | Self::Commands => 4,
            Self::Faces => 5,
        }
    }
}

/// What stands behind a door: a path as code writes it, and the files and folders of `src` that may.
const DOORS: &[(&str, &[&str])] = &[
    ("gix", &["git/"]),
    ("duct", &["door/spawn"]),
    ("ureq", &["door/http"]),
    ("minijinja", &["prompt/template", "web/render.rs"]),
    ("axum", &["web/"]),
    ("futures_util", &["web/"]),
    ("hyper", &["web/"]),
    ("hyper_util", &["web/"]),
    ("tokio", &["web/"]),
    ("rust_stemmers", &["context/terms.rs"]),
    ("tree_sitter", &["context/lang"]),
    ("tree_sitter_bash", &["context/lang"]),
    ("tree_sitter_c", &["context/lang"]),
    ("tree_sitter_c_sharp", &["context/lang"]),
    ("tree_sitter_cpp", &["context/lang"]),
    ("tree_sitter_go", &["context/lang"]),
    ("tree_sitter_java", &["context/lang"]),
    ("tree_sitter_javascript", &["context/lang"]),
    ("tree_sitter_php", &["context/lang"]),
    ("tree_sitter_python", &["context/lang"]),
    ("tree_sitter_ruby", &["context/lang"]),
    ("tree_sitter_rust", &["context/lang"]),
    ("tree_sitter_typescript", &["context/lang"]),
    ("toml_edit", &["layers/", "detect/", "backlog/sheet"]),
    ("similar", &["edit/", "textdiff"]),
    ("saphyr_parser", &["foreign/config.rs"]),
    (
        "tracing",
        &[
            "engine/",
            "git/command.rs",
            "journal/diagnosis.rs",
            "provider/",
            "shell/",
        ],
    ),
    ("tracing_subscriber", &["journal/diagnosis.rs"]),
    ("indicatif", &["ui/live.rs"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("rustix", &["door/"]),
    ("signal_hook", &["door/"]),
    ("sha2", &["id.rs"]),
    ("base64", &["transcript.rs"]),
    // The date of `Retry-After`, and where this machine is.
    ("jiff", &["time", "provider/retry.rs", "ui", "door/clock.rs"]),
    // Below row 4 code branches on errors, so they are enums.
    ("eyre", &["engine/", "commands/", "cli", "ui", "web", "mcp", "main.rs"]),
    ("std::time::SystemTime", &["door/clock.rs"]),
    ("std::time::Instant", &["door/"]),
    ("std::process::Command", &["door/spawn"]),
    // The binary's exit code is no effect before it ends.
    ("std::process", &["door/", "cli", "main.rs"]),
    ("std::env", &["door/", "cli", "main.rs"]),
    ("std::net", &["door/"]),
    ("std::fs", &["door/"]),
    ("std::os::unix::fs", &["door/"]),
    ("std::io::stdin", &["cli"]),
    ("std::io::stdout", &["cli", "ui"]),
    ("std::io::stderr", &["cli", "ui"]),
];

/// What is no effect although it stands in such a path: constants of the build, splitting a string, and reading files.
const NO_EFFECT: &[&str] = &[
    "std::env::consts",
    "std::env::split_paths",
    "std::fs::metadata",
    "std::fs::read",
    "std::fs::read_dir",
    "std::fs::read_link",
    "std::fs::read_to_string",
    "std::fs::symlink_metadata",
    "std::os::unix::fs::MetadataExt",
];

/// Words that no code may hold outside tests, whoever may import what.
const FORBIDDEN: &[(&str, &str)] = &[
    (".unwrap()", "return an error, or say with a default what is meant"),
    (".expect(", "return an error"),
    ("panic!(", "return an error"),
    ("unimplemented!(", "finish it or leave it out"),
    ("todo!(", "finish it or leave it out"),
    ("#[allow(", "use `#[expect(lint, reason = …)]`"),
    ("#![allow(", "use `#![expect(lint, reason = …)]`"),
    ("super::", "write `crate::…`"),
];

/// Words that no test may hold.
const FORBIDDEN_IN_TESTS: &[(&str, &str)] = &[
    ("#[ignore", "a test runs, or it goes"),
    ("#[should_panic", "test for the error"),
    ("thread::sleep", "wait for the event"),
];

/// The user's choice of packages: each does real work.
const CHOSEN: &[&str] = &[
    "gix",
    "clap",
    "serde",
    "serde_json",
    "ureq",
    "toml_edit",
    "similar",
    "duct",
    "minijinja",
    "eyre",
];

const FILE_LINES: usize = 600;
const MOD_LINES: usize = 260;
const MAIN_LINES: usize = 15;
const FUNCTION_LINES: usize = 80;
const ARCHITECTURE_LINES: usize = 150;
/// What `Cargo.lock` holds, with room for a few more. Raise it in the commit that adds a package, and say what for.
/// The dashboard came with 20: axum, hyper and tokio, and what they are made of.
const PACKAGES: usize = 325;

fn row_of(module: &str) -> Option<Row> {
    ROWS.iter()
        .find(|(_, modules)| modules.contains(&module))
        .map(|(row, _)| *row)
}

/// Returns the top-level module of a file: `git` for `src/git/refs.rs`.
fn module_of(path: &str) -> &str {
    let below = path.strip_prefix("src/").unwrap_or(path);
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}

/// Says why `from` may not import `to`, if it may not.
fn looks_up(from: &str, to: &str) -> Option<String> {
    if from == to || from == "main" || from == "lib" {
        return None;
    }
    let (Some(low), Some(high)) = (row_of(from), row_of(to)) else {
        let unplaced = if row_of(from).is_none() { from } else { to };
        return Some(format!("`{unplaced}` stands in no row of `ROWS`"));
    };
    let within = low == high && matches!(low, Row::Nouns | Row::Verbs);
    if high < low || within || SIDEWAYS.contains(&(from, to)) {
        return None;
    }
    let how = if low == high { "beside" } else { "above" };
    Some(format!(
        "`{from}` ({low:?}) imports `{to}` ({high:?}), which stands {how} it"
    ))
}

fn wrong_imports(source: &Source) -> Vec<String> {
    let from = module_of(&source.path);
    // Tests too: what a module's tests import, the module can be tested without.
    let paths = paths(&source.code).into_iter();
    paths
        .filter_map(|(line, path)| {
            let to = path.strip_prefix("crate::")?.split("::").next()?.to_owned();
            // A name that begins with a capital is an item of `lib.rs`; there is none.
            let why = looks_up(from, &to)?;
            Some(format!("{}:{line}: {why}", source.path))
        })
        .collect()
}

fn begins_with(path: &str, start: &str) -> bool {
    path.strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Finds what is used outside its door. Tests may write files and look at the environment.
fn wrong_doors(source: &Source) -> Vec<String> {
    let file = source.path.strip_prefix("src/").unwrap_or(&source.path);
    let mut found = Vec::new();
    for (line, path) in paths(&source.shipped) {
        if NO_EFFECT.iter().any(|harmless| begins_with(&path, harmless)) {
            continue;
        }
        let about = DOORS.iter().filter(|(what, _)| begins_with(&path, what));
        // Of two that fit, the longer one says it.
        let Some((what, doors)) = about.max_by_key(|(what, _)| what.len()) else {
            continue;
        };
        if !doors.iter().any(|door| file.starts_with(door)) {
            found.push(format!(
                "{}:{line}: `{path}`: `{what}` stands only behind {}",
                source.path,
                doors.join(", ")
            ));
        }
    }
    found
}

fn too_long(source: &Source) -> Vec<String> {
    let most = match source.path.as_str() {
        "src/main.rs" => MAIN_LINES,
        path if path.ends_with("/mod.rs") => MOD_LINES,
        _ => FILE_LINES,
    };
    let lines = source.text.lines().count();
    let file = (lines > most).then(|| format!("{}:{lines}: more than {most} lines", source.path));
    let functions = functions(&source.code)
        .into_iter()
        .filter(|(_, _, lines)| *lines > FUNCTION_LINES);
    let functions = functions.map(|(line, name, lines)| {
        format!(
            "{}:{line}: fn {name} has {lines} lines, more than {FUNCTION_LINES}",
            source.path
        )
    });
    file.into_iter().chain(functions).collect()
}

fn without_head(source: &Source) -> Option<String> {
    let exempt = source.path.ends_with("/tests.rs");
    let missing = !exempt && !source.text.starts_with("//! ");
    missing.then(|| {
        format!(
            "{}:1: opens without `//! ` (what it owns, what it must not do)",
            source.path
        )
    })
}

fn forbidden_words(source: &Source) -> Vec<String> {
    let search = |code: &str, words: &[(&str, &str)]| -> Vec<String> {
        let found = |(line, text): (usize, &str)| -> Vec<String> {
            let words = words.iter().filter(|(word, _)| text.contains(word));
            words
                .map(|(word, why)| format!("{}:{}: `{word}`: {why}", source.path, line + 1))
                .collect()
        };
        code.lines().enumerate().flat_map(found).collect()
    };
    let mut all = if source.is_test() {
        Vec::new()
    } else {
        search(&source.shipped, FORBIDDEN)
    };
    // What `shipped` blanks is tests; the doors may sleep.
    let tests: Vec<&str> = source
        .code
        .lines()
        .zip(source.shipped.lines())
        .map(|(code, shipped)| match shipped.trim() {
            "" => code,
            _ => "",
        })
        .collect();
    all.extend(search(&tests.join("\n"), FORBIDDEN_IN_TESTS));
    all.extend(unfinished(source));
    all
}

/// Finds comments that promise work. In strings and between backquotes the words are data: runners print them.
fn unfinished(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (at, (text, code)) in source.text.lines().zip(source.code.lines()).enumerate() {
        let comment = text
            .get(code.trim_end().len()..)
            .and_then(|rest| rest.split_once("//"))
            .map(|(_, comment)| comment);
        let prose = comment.unwrap_or_default().split('`').step_by(2);
        let words = prose.flat_map(str::split_whitespace);
        let promises = words.filter(|word| {
            ["TODO", "FIXME", "XXX", "HACK"]
                .iter()
                .any(|mark| word.starts_with(mark))
        });
        found.extend(promises.map(|word| format!("{}:{}: `{word}`: finish it or leave it out", source.path, at + 1)));
    }
    found
}

/// Returns the packages of `CHOSEN` that no shipped code uses.
fn unused<'a>(all: &[Source], chosen: &[&'a str]) -> Vec<&'a str> {
    let used: BTreeSet<String> = all
        .iter()
        .flat_map(|source| paths(&source.shipped))
        .filter_map(|(_, path)| path.split("::").next().map(str::to_owned))
        .collect();
    chosen.iter().copied().filter(|name| !used.contains(*name)).collect()
}

/// Finds calls of `Report::new` outside the one file that runs gates: who makes reports makes proofs.
fn reports_made(source: &Source) -> Vec<String> {
    let calls = paths(&source.shipped)
        .into_iter()
        .filter(|(_, path)| path.ends_with("Report::new"));
    let wrong = calls.filter(|_| source.path != "src/engine/checks.rs");
    wrong
        .map(|(line, _)| format!("{}:{line}: only engine/checks.rs makes reports", source.path))
        .collect()
}

/// Compares the modules of `lib.rs`, under its headings `// row N: …`, with `ROWS`, and with what stands in `src`.
fn misplaced(lib: &str, rows: &[(Row, &[&str])], entries: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut number = 0;
    let mut declared = BTreeSet::new();
    for (at, line) in lib.lines().enumerate() {
        if let Some(rest) = line.strip_prefix("// row ") {
            number = rest.chars().next().and_then(|c| c.to_digit(10)).unwrap_or(0);
        }
        let Some(name) = line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) else {
            continue;
        };
        declared.insert(name.to_owned());
        let stands: Vec<u32> = rows
            .iter()
            .filter(|(_, modules)| modules.contains(&name))
            .map(|(row, _)| row.number())
            .collect();
        match stands.as_slice() {
            [row] if *row == number => {}
            [row] => found.push(format!(
                "src/lib.rs:{}: `{name}` under row {number}, in `ROWS` in row {row}",
                at + 1
            )),
            [] => found.push(format!(
                "src/lib.rs:{}: `{name}` stands in no row of `ROWS`: place it",
                at + 1
            )),
            _ => found.push(format!(
                "src/lib.rs:{}: `{name}` stands in more than one row of `ROWS`",
                at + 1
            )),
        }
    }
    let orphans = entries.iter().filter(|name| !declared.contains(*name));
    found.extend(orphans.map(|name| format!("src/{name}: lib.rs does not declare it as `pub mod {name};`")));
    found
}

/// Returns the verbs of `src/commands` that none of `texts` shows as typed.
fn undocumented(files: &[String], texts: &[String]) -> Vec<String> {
    let verbs = files
        .iter()
        .filter_map(|path| path.strip_prefix("src/commands/")?.strip_suffix(".rs"));
    let verbs = verbs
        .filter(|name| *name != "mod" && !name.contains('/'))
        .map(|name| name.replace('_', "-"));
    let shows = |verb: &str| {
        let typed = [
            format!("`{verb}`"),
            format!("`{verb} "),
            format!("git invisigoth {verb}"),
        ];
        texts.iter().any(|text| typed.iter().any(|typed| text.contains(typed)))
    };
    verbs.filter(|verb| !shows(verb)).collect()
}

/// Fails with every finding on a line of its own.
fn none(wall: &str, found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "{wall}\n  {}\n", found.join("\n  "));
}

#[test]
fn imports_only_look_down() {
    none(
        "a row imports only rows below it",
        sources("src").iter().flat_map(wrong_imports),
    );
}

#[test]
fn each_crate_stays_behind_its_door() {
    none("one door each", sources("src").iter().flat_map(wrong_doors));
}

#[test]
fn files_and_functions_are_short() {
    let all = ["src", "tests", "benches"].into_iter().flat_map(sources);
    none(
        "cut it where it says two things",
        all.flat_map(|source| too_long(&source)),
    );
}

#[test]
fn every_file_says_what_it_owns() {
    let all = ["src", "tests", "benches"].into_iter().flat_map(sources);
    none(
        "every file opens with its head",
        all.filter_map(|source| without_head(&source)),
    );
}

#[test]
fn nothing_is_unfinished_and_nothing_panics() {
    let all = ["src", "tests", "benches"].into_iter().flat_map(sources);
    none(
        "words that must not stand there",
        all.flat_map(|source| forbidden_words(&source)),
    );
}

#[test]
fn each_chosen_package_does_real_work() {
    none(
        "no shipped code uses",
        unused(&sources("src"), CHOSEN).into_iter().map(str::to_owned),
    );
}

#[test]
fn reports_are_made_in_one_place() {
    none("a proof comes from a run", sources("src").iter().flat_map(reports_made));
}

#[test]
fn every_module_stands_in_one_row() {
    let all = sources("src");
    let modules = all.iter().map(|source| module_of(&source.path).to_owned());
    let entries = modules.filter(|name| name != "lib" && name != "main").collect();
    none("five rows", misplaced(&read("src/lib.rs"), ROWS, &entries));
}

#[test]
fn every_command_is_documented() {
    let files: Vec<String> = sources("src/commands").into_iter().map(|source| source.path).collect();
    assert!(!files.is_empty(), "src/commands is not where it was");
    none(
        "a page shows each verb: README.md or docs/guide.md, those that only programs or browsers ask for the page about them",
        undocumented(
            &files,
            &["README.md", "docs/guide.md", "docs/mcp.md", "docs/guide/dashboard.md"].map(read),
        ),
    );
}

#[test]
fn the_lock_file_stays_small() {
    let packages = read("Cargo.lock").lines().filter(|line| *line == "[[package]]").count();
    assert!(
        (1..=PACKAGES).contains(&packages),
        "Cargo.lock: {packages} packages, more than {PACKAGES}"
    );
}

#[test]
fn the_architecture_stays_one_read() {
    let lines = read("docs/ARCHITECTURE.md").lines().count();
    assert!(
        (1..=ARCHITECTURE_LINES).contains(&lines),
        "docs/ARCHITECTURE.md: {lines} lines of {ARCHITECTURE_LINES}"
    );
}
