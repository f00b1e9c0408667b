//! The wall around effects: what changes something outside the process happens only in functions that hit a point, and each
//! point is hit at one place.
//!
//! Owns the list of words that such effects are written with.

use invisigoth::fault::point::Point;

use super::{
    none,
    source::{Source, functions, sources},
};

/// How effects are written, and below which folders of `src` they could be. Reading is none, and neither is what is printed.
const EFFECTS: &[(&str, &[&str])] = &[
    ("std::fs::rename(", &["door/"]),
    ("std::fs::remove_", &["door/"]),
    ("std::fs::create_dir", &["door/"]),
    ("std::fs::copy(", &["door/"]),
    ("std::fs::hard_link(", &["door/"]),
    ("std::fs::set_permissions(", &["door/"]),
    ("std::fs::write(", &["door/"]),
    ("DirBuilder::new()", &["door/"]),
    ("File::create", &["door/"]),
    (".write(true)", &["door/"]),
    (".append(true)", &["door/"]),
    (".write_all(", &["door/"]),
    (".write_all_at(", &["door/"]),
    (".set_len(", &["door/"]),
    ("LockExclusive", &["door/"]),
    ("sys::renameat", &["door/"]),
    ("sys::mkdirat", &["door/"]),
    ("sys::symlinkat", &["door/"]),
    ("sys::linkat", &["door/"]),
    ("sys::unlinkat", &["door/"]),
    ("sys::chmodat", &["door/"]),
    ("sys::fchmod", &["door/"]),
    ("sys::utimensat", &["door/"]),
    ("live().start(", &["door/"]),
    ("command.run()", &["door/"]),
    ("self.call()", &["door/http"]),
    (".edit_reference", &["git/"]),
    ("gix.objects.write", &["git/"]),
    (".write_object(", &["git/"]),
    (".write_blob(", &["git/"]),
    ("worktree::state::checkout(", &["git/"]),
    ("\"merge\", \"--ff-only\"", &["git/"]),
    ("\"update-index\"", &["git/"]),
];

/// Functions that need no point of their own, and why.
const EXEMPT: &[(&str, &str, &str)] = &[
    (
        "src/door/point.rs",
        "before",
        "it writes the trace of the hits themselves",
    ),
    ("src/door/fs.rs", "write_atomic", "`replace` calls what it writes with"),
    ("src/door/fs.rs", "write_private", "as `write_atomic`"),
    ("src/door/fs/lines.rs", "replace", "as `write_atomic`"),
    (
        "src/door/fs/stored.rs",
        "is_ours",
        "it locks a file that nobody else can want",
    ),
    (
        "src/door/fs/stored.rs",
        "sweep_one",
        "as `is_ours`; the removal has its point",
    ),
];

/// Finds functions with an effect and without a point. `code` may hold strings, for some effects are words given to git.
fn pointless(source: &Source) -> Vec<String> {
    let file = source.path.strip_prefix("src/").unwrap_or(&source.path);
    let words = EFFECTS
        .iter()
        .filter(|(_, places)| places.iter().any(|place| file.starts_with(place)));
    let words: Vec<&str> = words.map(|(word, _)| *word).collect();
    let text: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for (line, name, lines) in functions(&source.shipped) {
        let body: Vec<&str> = text.iter().skip(line - 1).take(lines).copied().collect();
        let body = body.join("\n");
        let is_exempt = EXEMPT
            .iter()
            .any(|(path, exempt, _)| *path == source.path && *exempt == name);
        if is_exempt || body.contains("point::at(") {
            continue;
        }
        let effects = words.iter().filter(|word| body.contains(**word));
        found.extend(effects.map(|word| format!("{}:{line}: fn {name}: `{word}` outside `point::at`", source.path)));
    }
    found
}

/// Says of each point that is not hit at exactly one place where it is hit.
fn not_once(all: &[Source]) -> Vec<String> {
    let named = |source: &Source, point: Point| -> Vec<String> {
        let word = format!("Point::{point:?}");
        let is = |line: &str| {
            let rest = line.split(&word).nth(1);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        };
        let lines = source.shipped.lines().enumerate().filter(|(_, line)| is(line));
        lines.map(|(at, _)| format!("{}:{}", source.path, at + 1)).collect()
    };
    let mut found = Vec::new();
    for point in Point::ALL {
        let outside = all.iter().filter(|source| source.path != "src/fault/point.rs");
        let places: Vec<String> = outside.flat_map(|source| named(source, *point)).collect();
        if places.len() != 1 {
            found.push(format!(
                "Point::{point:?} is hit at {} places: {}",
                places.len(),
                places.join(", ")
            ));
        }
    }
    found
}

#[test]
fn effects_happen_where_a_point_is_hit() {
    none(
        "an effect goes through `point::at`, so that tests can let it fail",
        sources("src").iter().flat_map(pointless),
    );
}

#[test]
fn each_point_is_hit_at_one_place() {
    none("a point names one place", not_once(&sources("src")));
}

#[test]
fn an_effect_without_a_point_is_found() {
    let found = |path: &str, body: &str| pointless(&Source::of(path, &format!("fn f() {{\n    {body}\n}}\n")));
    assert_eq!(
        found("src/door/fs.rs", "std::fs::rename(a, b)?;"),
        ["src/door/fs.rs:1: fn f: `std::fs::rename(` outside `point::at`"]
    );
    assert_eq!(
        found("src/git/refs.rs", "repo.gix.edit_references_as(edits, who)").len(),
        1
    );
    assert_eq!(
        found("src/git/x.rs", "command::output(env, dir, &[\"merge\", \"--ff-only\"])").len(),
        1
    );
    assert!(
        found(
            "src/door/fs.rs",
            "point::at(Point::FileRenamed, || std::fs::rename(a, b))"
        )
        .is_empty()
    );
    assert!(found("src/door/fs.rs", "std::fs::read(a)").is_empty());
    let twice = Source::of(
        "src/door/x.rs",
        "fn f() {\n    Point::FileRenamed;\n    Point::FileRenamed;\n}\n",
    );
    let all = not_once(&[twice]);
    assert!(
        all.contains(&"Point::FileRenamed is hit at 2 places: src/door/x.rs:2, src/door/x.rs:3".to_owned()),
        "{all:?}"
    );
    assert!(all.contains(&"Point::FileWritten is hit at 0 places: ".to_owned()));
}
