//! Feeds each wall something that it must find: a wall that finds nothing may be blind.

use std::collections::BTreeMap;

use crate::tidy::*;

fn at(path: &str, text: &str) -> Source {
    Source::of(path, text)
}

#[test]
fn imports() {
    let nested = "use std::fmt;\nuse crate::{\n    id::{Oid, Hash},\n    engine::{run, checks::Checker},\n};\n";
    let found = wrong_imports(&at("src/edit/mod.rs", nested));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|line| line.starts_with("src/edit/mod.rs:4: `edit` (Verbs) imports `engine`")),
        "{found:?}"
    );
    for (file, path, wrong) in [
        ("src/id.rs", "crate::goal::Goal", false),
        ("src/id.rs", "crate::guard::admit", true),
        ("src/guard.rs", "crate::reply::parse", false),
        ("src/door/fs.rs", "crate::git::Repo", true),
        ("src/git/refs.rs", "crate::shell::run", true),
        ("src/slot/mod.rs", "crate::git::tree", false),
        ("src/git/tree.rs", "crate::slot::Slot", true),
        ("src/engine/run.rs", "crate::commands::add", true),
        ("src/commands/add.rs", "crate::engine::run", false),
        ("src/commands/add.rs", "crate::ui::text", true),
        ("src/cli/mod.rs", "crate::ui::text", false),
        ("src/ui/mod.rs", "crate::cli::parse", true),
        ("src/web/mod.rs", "crate::ui::text", true),
        ("src/id.rs", "crate::nowhere::x", true),
    ] {
        let found = wrong_imports(&at(file, &format!("//! x\nfn f() {{ {path}(); }}\n")));
        assert_eq!(!found.is_empty(), wrong, "{file} {path}: {found:?}");
    }
    let only_text = "// crate::engine::run\nconst A: &str = \"crate::engine::run\";\n";
    assert!(wrong_imports(&at("src/id.rs", only_text)).is_empty());
}

#[test]
fn doors() {
    for (file, code, wrong) in [
        ("src/engine/run.rs", "use gix::ObjectId;", true),
        ("src/git/refs.rs", "use gix::ObjectId;", false),
        ("src/engine/run.rs", "let a = repo.gix.head();", false),
        ("src/git/command.rs", "use std::process::Command;", true),
        ("src/git/command.rs", "use std::{fmt, process::{Command, Stdio}};", true),
        ("src/engine/run.rs", "let a = std::process::id();", true),
        ("src/engine/run.rs", "use std::time::{Duration, SystemTime};", true),
        ("src/engine/run.rs", "use std::time::Duration;", false),
        ("src/engine/run.rs", "let a = std::env::var(\"A\");", true),
        ("src/engine/run.rs", "let a = std::env::consts::OS;", false),
        ("src/engine/run.rs", "let a = std::fs::read(p);", false),
        ("src/engine/run.rs", "let a = std::fs::write(p, b);", true),
        ("src/engine/run.rs", "use std::{fs, io};", true),
        ("src/engine/run.rs", "use std::fs::{self, File};", true),
        ("src/slot/mod.rs", "let a = std::fs::remove_dir_all(p);", true),
        ("src/door/fs.rs", "let a = std::fs::write(p, b);", false),
        ("src/edit/mod.rs", "use eyre::Result;", true),
        (
            "src/engine/run.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() { std::fs::write(p, b); }\n}\n",
            false,
        ),
    ] {
        let found = wrong_doors(&at(file, code));
        assert_eq!(!found.is_empty(), wrong, "{file} {code}: {found:?}");
    }
}

#[test]
fn sizes() {
    let long = |lines: usize| "//! x\n".repeat(lines);
    assert_eq!(too_long(&at("src/git/refs.rs", &long(601))).len(), 1);
    assert_eq!(too_long(&at("src/git/refs.rs", &long(600))).len(), 0);
    assert_eq!(too_long(&at("src/git/mod.rs", &long(261))).len(), 1);
    assert_eq!(too_long(&at("src/main.rs", &long(16))).len(), 1);
    let function = |lines: usize| {
        format!(
            "impl A {{\n    pub fn f() {{\n{}    }}\n}}\n",
            "        a();\n".repeat(lines)
        )
    };
    let found = too_long(&at("src/a.rs", &function(79)));
    assert_eq!(found, ["src/a.rs:2: fn f has 81 lines, more than 80"]);
    assert!(too_long(&at("src/a.rs", &function(78))).is_empty());
}

#[test]
fn heads() {
    assert!(without_head(&at("src/a.rs", "use x;\n")).is_some());
    assert!(without_head(&at("tests/it/a.rs", "")).is_some());
    assert!(without_head(&at("src/a.rs", "//! What.\n")).is_none());
    assert!(without_head(&at("src/a/tests.rs", "use x;\n")).is_none());
}

#[test]
fn words() {
    for (file, code, wrong) in [
        ("src/a.rs", "fn f() {\n    a.unwrap();\n}\n", true),
        ("src/a.rs", "fn f() {\n    a.unwrap_or(1);\n}\n", false),
        ("src/a.rs", "fn f() {\n    panic!(\"x\");\n}\n", true),
        ("src/a.rs", "#![allow(dead_code)]\n", true),
        ("src/a.rs", "use super::b;\n", true),
        ("src/a.rs", "// TODO: later\n", true),
        ("src/a.rs", "fn f() {} // FIXME\n", true),
        (
            "src/a.rs",
            "/// Reads `# TODO why`, which runners print.\nconst A: &str = \" # TODO\";\n",
            false,
        ),
        (
            "src/a.rs",
            "#[cfg(test)]\nmod tests {\n    \n    fn f() { a.unwrap(); }\n}\n",
            false,
        ),
        (
            "src/a.rs",
            "#[cfg(test)]\nmod tests {\n    fn f() { thread::sleep(x); }\n}\n",
            true,
        ),
        ("src/door/wait.rs", "fn f() {\n    thread::sleep(x);\n}\n", false),
        ("tests/it/a.rs", "#[ignore]\nfn f() { a.unwrap(); }\n", true),
        ("tests/it/a.rs", "fn f() { a.unwrap(); }\n", false),
    ] {
        let found = forbidden_words(&at(file, code));
        assert_eq!(!found.is_empty(), wrong, "{file} {code}: {found:?}");
    }
}

#[test]
fn packages() {
    let only_tests = at(
        "src/a.rs",
        "use serde::Serialize;\n#[cfg(test)]\nmod tests {\n    use gix::Url;\n}\n// eyre::Result\n",
    );
    assert_eq!(unused(&[only_tests], &["serde", "gix", "eyre"]), ["gix", "eyre"]);
}

#[test]
fn reports() {
    let call = "fn f() {\n    let a = Report::new(code, gate, ran);\n}\n";
    assert_eq!(
        reports_made(&at("src/engine/land.rs", call)),
        ["src/engine/land.rs:2: only engine/checks.rs makes reports"]
    );
    assert!(reports_made(&at("src/engine/checks.rs", call)).is_empty());
    assert!(!reports_made(&at("src/engine/land.rs", "use crate::check::Report::new;")).is_empty());
}

#[test]
fn rows() {
    let rows: &[(Row, &[&str])] = &[(Row::Nouns, &["id", "twice"]), (Row::Verbs, &["edit", "twice"])];
    let lib = "// row 1: nouns\npub mod id;\npub mod edit;\npub mod new;\npub mod twice;\n";
    let entries = ["id", "edit", "new", "twice", "orphan"]
        .map(str::to_owned)
        .into_iter()
        .collect();
    let found: BTreeMap<usize, String> = misplaced(lib, rows, &entries).into_iter().enumerate().collect();
    let expected = [
        "`edit` under row 1, in `ROWS` in row 2",
        "`new` stands in no row",
        "`twice` stands in more",
        "src/orphan",
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (at, part) in expected.iter().enumerate() {
        assert!(
            found.get(&at).is_some_and(|line| line.contains(part)),
            "{part}: {found:?}"
        );
    }
}

#[test]
fn documents() {
    let files = [
        "src/commands/mod.rs",
        "src/commands/add.rs",
        "src/commands/merge_driver.rs",
    ]
    .map(str::to_owned);
    assert_eq!(
        undocumented(&files, &["| `add DESCRIPTION` |".to_owned()]),
        ["merge-driver"]
    );
    assert_eq!(
        undocumented(&files, &["in addition, `merge-driver`".to_owned()]),
        ["add"]
    );
}

#[test]
fn the_lexer() {
    let text = "let a = 'x'; /* b /* c */ d */ let s: &'a str = r#\"no \" crate::x\"#; // e\nlet q = '\"'; b\"\\\"z\"";
    let code = source::without_comments_and_strings(text);
    assert_eq!(code.lines().count(), 2);
    for (word, kept) in [
        ("let a", true),
        ("c", false),
        ("&'a str", true),
        ("crate", false),
        ("let q", true),
        ("z", false),
    ] {
        assert_eq!(code.contains(word), kept, "{word}: {code}");
    }
    let tests = source::without_tests("a();\n#[cfg(test)]\nmod tests {\n    b { c }\n}\nd();\n");
    assert_eq!(tests.split_whitespace().collect::<Vec<_>>(), ["a();", "d();"]);
    let found = paths("use a::{b as c, d::{self, e}, f::*};\nx = g::h(i);");
    let expected = [(1, "a::b"), (1, "a::d"), (1, "a::d::e"), (1, "a::f::*"), (2, "g::h")];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}
