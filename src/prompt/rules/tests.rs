//! Which files with rules are found, and what becomes of those that cannot be shown.

use super::*;
use crate::snapshot::MapSnapshot;

fn path(name: &str) -> RepoPath {
    RepoPath::parse(name).unwrap()
}

fn snapshot(files: &[(&str, &[u8])]) -> MapSnapshot {
    files.iter().fold(MapSnapshot::default(), |snapshot, (name, content)| {
        // `->` makes a link.
        match content.strip_prefix(b"-> ") {
            Some(target) => snapshot.with(path(name), Mode::Symlink, target),
            None => snapshot.with(path(name), Mode::File, *content),
        }
    })
}

/// Returns the names of what is shown, and the warnings.
fn read(files: &[(&str, &[u8])], shown: &[&str]) -> (Vec<String>, Vec<String>) {
    let snapshot = snapshot(files);
    let mut rules = Rules::new(&snapshot);
    let mut found = rules.top().unwrap();
    let shown: Vec<RepoPath> = shown.iter().map(|name| path(name)).collect();
    found.extend(rules.folders(&shown).unwrap());
    (
        found.into_iter().map(|(name, _)| name).collect(),
        rules.warnings().to_vec(),
    )
}

#[test]
fn rules_of_the_top_come_first_and_the_nearest_last() {
    let files: &[(&str, &[u8])] = &[
        ("AGENTS.md", b"top"),
        (".cursorrules", b"cursor"),
        (".github/copilot-instructions.md", b"copilot"),
        ("CONVENTIONS.md", b"conventions"),
        ("CLAUDE.md", b"claude"),
        ("src/AGENTS.md", b"src"),
        ("src/deep/er/AGENTS.md", b"deeper"),
        ("src/deep/CLAUDE.md", b"deep"),
        ("other/AGENTS.md", b"other"),
        ("src/CONVENTIONS.md", b"of the top alone"),
    ];
    assert_eq!(
        read(files, &["src/deep/er/a.rs", "src/b.rs", "top.rs"]).0,
        [
            "AGENTS.md",
            "CLAUDE.md",
            "CONVENTIONS.md",
            ".github/copilot-instructions.md",
            ".cursorrules",
            "src/AGENTS.md",
            "src/deep/CLAUDE.md",
            "src/deep/er/AGENTS.md",
        ]
    );
    assert_eq!(read(files, &["top.rs"]).0.len(), 5);
}

#[test]
fn files_of_rules_are_known_as_such() {
    let snapshot = snapshot(&[("CLAUDE.md", b"x @docs/a.md"), ("docs/a.md", b"a"), ("docs/b.md", b"b")]);
    let mut rules = Rules::new(&snapshot);
    rules.top().unwrap();
    for (name, is) in [
        ("CLAUDE.md", true),
        ("docs/a.md", true),
        ("deep/er/AGENTS.md", true),
        ("docs/b.md", false),
    ] {
        assert_eq!(rules.is_rules(&path(name)), is, "{name}");
    }
}

#[test]
fn what_is_said_already_is_not_said_again() {
    for files in [
        &[
            ("AGENTS.md", &b"same\n"[..]),
            ("CLAUDE.md", b"same"),
            ("a/AGENTS.md", b"\nsame\n"),
        ][..],
        &[("AGENTS.md", b"same"), ("CLAUDE.md", b"-> AGENTS.md")],
        &[("AGENTS.md", b"same"), ("CLAUDE.md", b"@AGENTS.md\n")],
        &[("AGENTS.md", b"same"), ("a/AGENTS.md", b"-> ../AGENTS.md")],
    ] {
        assert_eq!(
            read(files, &["a/b.rs"]),
            (vec!["AGENTS.md".to_owned()], vec![]),
            "{files:?}"
        );
    }
}

#[test]
fn imports_follow_the_file_that_names_them() {
    let files: &[(&str, &[u8])] = &[
        (
            "CLAUDE.md",
            b"See @docs/a.md, @missing and `@docs/code.md`.\n```\n@docs/code.md\n```\n@types/node",
        ),
        ("docs/a.md", b"a @b.md and @../README"),
        ("docs/b.md", b"b"),
        ("docs/code.md", b"code"),
        ("README", b"readme"),
        ("AGENTS.md", b"@docs/code.md is for CLAUDE.md alone"),
    ];
    assert_eq!(
        read(files, &[]),
        (
            ["AGENTS.md", "CLAUDE.md", "docs/a.md", "docs/b.md", "README"]
                .map(str::to_owned)
                .to_vec(),
            vec![]
        )
    );
}

#[test]
fn imports_lead_five_files_deep() {
    let texts: Vec<(String, Vec<u8>)> = (0..9)
        .map(|n| (format!("{n}.md"), format!("{n} @{}.md", n + 1).into_bytes()))
        .chain([("CLAUDE.md".to_owned(), b"top @0.md".to_vec())])
        .collect();
    let files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_slice()))
        .collect();
    let (found, warnings) = read(&files, &[]);
    assert_eq!(found, ["CLAUDE.md", "0.md", "1.md", "2.md", "3.md", "4.md"]);
    assert_eq!(warnings, ["4.md imports 5.md, more than 5 files deep: not shown"]);
}

#[test]
fn bad_input() {
    let large = vec![b'x'; (2 << 20) + 1];
    let table: &[Row<'_>] = &[
        ("no rules at all", &[("src/a.rs", b"")], &[], &[]),
        ("an empty file", &[("AGENTS.md", b" \n")], &[], &[]),
        (
            "binary",
            &[("AGENTS.md", b"a\0b")],
            &[],
            &["AGENTS.md is not text: not shown"],
        ),
        (
            "invalid UTF-8",
            &[("AGENTS.md", b"caf\xe9")],
            &["AGENTS.md"],
            &["AGENTS.md is not UTF-8: what is not is shown as `\u{fffd}`"],
        ),
        (
            "larger than is read",
            &[("AGENTS.md", &large)],
            &[],
            &["AGENTS.md has more than 2 MiB: not shown"],
        ),
        (
            "a link to the outside",
            &[("AGENTS.md", b"-> ../../etc/passwd")],
            &[],
            &["AGENTS.md is a link that leads out of the repository: not shown"],
        ),
        (
            "an absolute link",
            &[("AGENTS.md", b"-> /etc/passwd")],
            &[],
            &["AGENTS.md is a link that leads out of the repository: not shown"],
        ),
        (
            "a link to itself",
            &[("AGENTS.md", b"-> AGENTS.md")],
            &[],
            &["AGENTS.md is a link that leads to itself: not shown"],
        ),
        (
            "a link to nothing",
            &[("AGENTS.md", b"-> a.md")],
            &[],
            &["AGENTS.md is a link to a.md, which is not there: not shown"],
        ),
    ];
    hold(table);
}

#[test]
fn bad_imports() {
    hold(&[
        (
            "an import from the outside",
            &[("CLAUDE.md", b"x @../../etc/passwd @~/.claude/mine.md @/etc/host.conf")],
            &["CLAUDE.md"],
            &[
                "CLAUDE.md imports ../../etc/passwd, which is outside of the repository: not shown",
                "CLAUDE.md imports ~/.claude/mine.md, which is outside of the repository: not shown",
                "CLAUDE.md imports /etc/host.conf, which is outside of the repository: not shown",
            ],
        ),
        (
            "an import of a link",
            &[("CLAUDE.md", b"x @a.md"), ("a.md", b"-> /etc/passwd")],
            &["CLAUDE.md"],
            &["CLAUDE.md imports a.md, which is a link: not shown"],
        ),
        (
            "an import of a folder and of nothing",
            &[("CLAUDE.md", b"x @docs @gone.md"), ("docs/a", b"a")],
            &["CLAUDE.md"],
            &["CLAUDE.md imports gone.md, which is not there"],
        ),
        (
            "an import of a binary file",
            &[("CLAUDE.md", b"x @a.png"), ("a.png", b"\0")],
            &["CLAUDE.md"],
            &["a.png is not text: not shown"],
        ),
        (
            "a cycle",
            &[
                ("CLAUDE.md", b"x @a.md"),
                ("a.md", b"a @CLAUDE.md @b.md"),
                ("b.md", b"b @a.md @b.md"),
            ],
            &["CLAUDE.md", "a.md", "b.md"],
            &[],
        ),
    ]);
}

/// What there is, what of it is shown, and what is said.
type Row<'a> = (&'a str, &'a [(&'a str, &'a [u8])], &'a [&'a str], &'a [&'a str]);

fn hold(table: &[Row<'_>]) {
    for (what, files, found, warnings) in table {
        let (is, said) = read(files, &["src/a.rs"]);
        assert_eq!(is, *found, "{what}");
        assert_eq!(said, *warnings, "{what}");
    }
}

#[test]
fn there_is_an_end_to_files_of_rules() {
    let texts: Vec<(String, Vec<u8>)> = (0..99)
        .map(|n| (format!("r{n}.md"), format!("{n}").into_bytes()))
        .collect();
    let all: String = (0..99).map(|n| format!("@r{n}.md ")).collect();
    let mut files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_slice()))
        .collect();
    files.push(("CLAUDE.md", all.as_bytes()));
    let (found, warnings) = read(&files, &[]);
    assert_eq!(found.len(), FILES - 1);
    assert!(
        warnings[0].starts_with("there are more than 64 files of rules"),
        "{warnings:?}"
    );
}
