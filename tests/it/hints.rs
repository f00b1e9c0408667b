//! Hints: every command line of ours that code, pages and templates tell people to type is one that can be typed.

use std::{fs, path::Path};

use clap::Command;
use invisigoth::cli::help;

/// What follows the name in prose and is no command.
const PROSE: [&str; 3] = ["works", "takes", "adds"];

/// Every `git invisigoth WORD …` of a text, up to where the line of the command ends.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split("git invisigoth ").skip(1).map(|rest| {
        let line = rest.split(['`', '\n', '"', '|', ';', ',', '(', ')', '\\']).next();
        line.unwrap_or_default().split_whitespace().collect()
    })
}

/// Says what in `line` is unknown.
pub fn unknown(all: &Command, line: &[&str]) -> Option<String> {
    let is_word = |word: &&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    let verb = line.first().copied().filter(is_word)?;
    // Behind it may stand the end of a sentence, a tag of a page, or what a client's own settings add.
    let verb = verb.split(['.', ':', '<']).next().unwrap_or_default();
    if PROSE.contains(&verb) {
        return None;
    }
    let Some(mut command) = all.find_subcommand(verb) else {
        return Some(verb.to_owned());
    };
    for word in &line[1..] {
        if let Some(below) = command.find_subcommand(word) {
            command = below;
        }
        let Some(flag) = word.trim_start_matches('[').strip_prefix("--") else {
            continue;
        };
        let flag: String = flag
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '-')
            .collect();
        let knows = |command: &Command| command.get_arguments().any(|arg| arg.get_long() == Some(&flag));
        if !flag.is_empty() && flag != "help" && !knows(command) && !knows(all) {
            return Some(format!("{} --{flag}", command.get_name()));
        }
    }
    None
}

/// Says what is wrong with the hints of what a command said: none below an error, or a command of ours that is not there.
pub fn wrong(said: &str) -> Vec<String> {
    let mut all = help::command();
    all.build();
    let is = |word: &'static str| move |line: &&str| line.starts_with(word);
    let hints: Vec<&str> = said.lines().filter(is("hint: ")).collect();
    let is_left = said.lines().any(|line| is("error: ")(&line)) && hints.is_empty();
    let left = is_left.then(|| "an error without a hint".to_owned());
    let unknown = hints
        .iter()
        .flat_map(|hint| lines(hint))
        .filter_map(|line| unknown(&all, &line));
    left.into_iter().chain(unknown).collect()
}

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
    ] {
        let ran = sandbox.run(line);
        assert!([ran.stdout, ran.stderr].concat().contains(said), "{line:?}");
    }
}
