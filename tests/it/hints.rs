//! Hints: every command line of ours that code, pages and templates tell people to type is one that can be typed.

use std::{fs, path::Path};

use clap::Command;
use invisigoth::cli::help;

use crate::support::typed::{lines, unknown, wrong};

#[test]
fn what_is_wrong_with_hints_is_found() {
    assert_eq!(
        wrong("error: x\nhint: `git invisigoth status` says why"),
        Vec::<String>::new()
    );
    assert_eq!(wrong("landed a\nerror: x"), ["an error without a hint"]);
    assert_eq!(wrong("error: x\nhint: `git invisigoth aprove ID`"), ["aprove"]);
}

fn look(all: &Command, path: &Path, wrong: &mut Vec<String>, seen: &mut usize) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            look(all, &entry.unwrap().path(), wrong, seen);
        }
    } else if let Ok(text) = fs::read_to_string(path) {
        for line in lines(&text) {
            *seen += 1;
            let place = path.display();
            wrong.extend(unknown(all, &line).map(|what| format!("{place}: {what} in {line:?}")));
        }
    }
}

#[test]
fn every_command_that_people_are_told_to_type_is_there() {
    let mut all = help::command();
    all.build();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for part in [
        "src",
        "docs",
        "templates",
        "hooks",
        "README.md",
        "invisigoth.toml.example",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(part);
        look(&all, &path, &mut wrong, &mut seen);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 200, "{seen}");
    // It can fail.
    let said = |line: &str| unknown(&all, &lines(line).next().unwrap());
    assert_eq!(said("`git invisigoth aprove ID`").as_deref(), Some("aprove"));
    assert_eq!(
        said("`git invisigoth drop ID --force`").as_deref(),
        Some("drop --force")
    );
    assert_eq!(said("`git invisigoth config set KEY VALUE --project`"), None);
}

#[test]
fn an_id_with_blanks_is_quoted_where_it_is_to_be_typed() {
    let sandbox = crate::support::Sandbox::ready();
    for (id, needs) in [("a b", &[][..]), ("it's", &["a b"])] {
        sandbox.goal(id, needs);
    }
    for (line, said) in [
        (&["show", "a b"][..], "git invisigoth run 'a b'"),
        (&["diff", "a b"], "`git invisigoth show 'a b'`"),
        (&["drop", "a b"], "`git invisigoth drop --cascade 'a b'`"),
        (&["diff", "it's"], "`git invisigoth show 'it'\\''s'`"),
        (&["add", "x", "--id", "a b"], "`git invisigoth show 'a b'`"),
        (&["merge", "a b"], "`git invisigoth run 'a b'`"),
        (&["replay", "a b"], "`git invisigoth show 'a b'`"),
        (&["provenance", "a b"], "`git invisigoth show 'a b'`"),
    ] {
        let ran = sandbox.run(line);
        assert!([ran.stdout, ran.stderr].concat().contains(said), "{line:?}");
    }
}
