//! README.md and `docs/`: every block of commands is run as it stands, or says visibly why it is not; every link leads somewhere.
//!
//! Not here: commands within sentences and tables, which `hints` looks at; pages that are made of tables of the code, which
//! stand beside those.

/// Blocks and links of a page.
mod page;
/// Where blocks run.
mod place;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::Mutex,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use invisigoth::cli::help;

use crate::{
    docs::{
        page::{Block, Mark, Shell},
        place::PLACES,
    },
    support::{Ran, Sandbox, shown::shown, typed},
};

/// How many blocks run at a time.
const AT_A_TIME: usize = 4;

/// Reads a file of this repository.
fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lists README.md and every page below `docs`, from the top of the repository.
fn pages() -> BTreeSet<String> {
    let mut found = BTreeSet::from(["README.md".to_owned()]);
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder);
        for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
            let name = format!("{folder}/{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                folders.push(name);
            } else if name.ends_with(".md") {
                found.insert(name);
            }
        }
    }
    found
}

/// Returns what is wrong with `ran`, against what the page shows below the command.
fn unlike(sandbox: &Sandbox, ran: &Ran, wanted: i32, shows: &str) -> Option<String> {
    if ran.code != wanted {
        return Some(format!(
            "ended with {}, not {wanted}\n{}{}",
            ran.code, ran.stdout, ran.stderr
        ));
    }
    let masked = |text: &str| {
        let ran = Ran {
            code: 0,
            stdout: format!("{}\n", text.trim_end()),
            stderr: String::new(),
        };
        shown(&ran, sandbox.home())
    };
    // What a command says while it works is not its answer; one without an answer has only that.
    let said = if ran.stdout.trim().is_empty() {
        &ran.stderr
    } else {
        &ran.stdout
    };
    let is_alike = shows.trim().is_empty() || page::fits(&masked(shows), &masked(said));
    (!is_alike).then(|| format!("shows\n{shows}\nand the command said\n{said}"))
}

/// Runs a block and returns what went wrong.
fn run(block: &Block, place: &str, exit: i32) -> Result<(), String> {
    let Some((_, make)) = PLACES.iter().find(|(name, _)| *name == place) else {
        let names: Vec<&str> = PLACES.iter().map(|(name, _)| *name).collect();
        return Err(format!("`{place}` is none of {names:?}"));
    };
    let sandbox = make();
    for (at, step) in block.steps.iter().enumerate() {
        let wanted = if at + 1 == block.steps.len() { exit } else { 0 };
        let ran = place::typed(&sandbox, &block.up_to(at), step);
        if let Some(wrong) = unlike(&sandbox, &ran, wanted, &step.shows) {
            return Err(format!("`{}` {wrong}", step.command));
        }
    }
    Ok(())
}

/// Says what a block lacks that is to be run, or whose commands are to be looked at.
fn judged(block: &Block) -> Result<(), String> {
    match (&block.shell, &block.mark) {
        (Shell::None, None) => block.no_commands(),
        (Shell::None, Some(_)) => Err("a mark, and no commands: is it `sh` or `console`?".to_owned()),
        (_, None) => Err("`<!-- runs: … -->` or `<!-- not run: … -->` must stand above it".to_owned()),
        (_, Some(Mark::Not(why))) if why.split_whitespace().count() < 3 => Err(format!("`{why}` is no reason")),
        (_, Some(Mark::Not(_))) => block.names_only_what_there_is(&read),
        (_, Some(Mark::Runs { place, exit })) => run(block, place, *exit),
    }
}

#[test]
fn every_block_of_commands_does_what_its_page_says() {
    let blocks: Vec<Block> = pages()
        .iter()
        .flat_map(|name| page::blocks(name, &read(name)))
        .collect();
    let runs = blocks
        .iter()
        .filter(|block| matches!(block.mark, Some(Mark::Runs { .. })));
    assert!(runs.count() > 10, "few blocks are run");
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = judged(block) {
                        wrong
                            .lock()
                            .unwrap()
                            .push(format!("{}:{}: {what}", block.page, block.line));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n\n"));
}

#[test]
fn every_script_that_a_sentence_names_is_there() {
    let mut wrong = Vec::new();
    for name in pages() {
        let codes = page::codes(&read(&name));
        let found = codes.iter().filter_map(|code| page::there(code, &read).err());
        wrong.extend(found.map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_row_of_a_table_of_commands_names_what_there_is() {
    let mut all = help::command();
    all.build();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for name in pages() {
        for line in page::rows(&read(&name)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            seen += 1;
            wrong.extend(typed::unknown(&all, &words).map(|what| format!("{name}: {what} in `{line}`")));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 60, "{seen}");
    // It can fail.
    let rows = page::rows("| command | |\n|---|---|\n| `list [--stat S]`, `--fast` | x |\n");
    assert_eq!(rows, ["list [--stat S]", "list --fast"]);
    let words: Vec<&str> = rows[1].split(' ').collect();
    assert_eq!(typed::unknown(&all, &words).as_deref(), Some("list --fast"));
}

#[test]
fn a_block_that_does_not_do_it_is_found() {
    let found = |text: &str| judged(&page::blocks("x.md", text)[0]).err().unwrap_or_default();
    let mark = "<!-- runs: in a repository that is set up -->\n";
    for (text, wrong) in [
        ("```\nanything\n```\n".to_owned(), "says not what it holds"),
        ("```sh\ntrue\n```\n".to_owned(), "must stand above it"),
        ("<!-- not run: slow -->\n```sh\ntrue\n```\n".to_owned(), "is no reason"),
        (
            "<!-- not run: nobody has that here -->\n```sh\npackaging/gone.sh\n```\n".to_owned(),
            "packaging/gone.sh is not there",
        ),
        (
            "<!-- not run: nobody has that here -->\n```sh\n./install.sh --purify\n```\n".to_owned(),
            "./install.sh knows no --purify",
        ),
        ("```toml\n$ git invisigoth run\n```\n".to_owned(), "holds a command"),
        (format!("{mark}```sh\ngit invisigoth show nobody\n```\n"), "ended with"),
        (
            format!("{mark}```console\n$ cat greet.txt\nhello to you\n```\n"),
            "the command said\nhello",
        ),
        (
            "<!-- runs: on the moon -->\n```sh\ntrue\n```\n".to_owned(),
            "is none of",
        ),
    ] {
        assert!(found(&text).contains(wrong), "{text}{}", found(&text));
    }
    for text in [
        format!("{mark}```console\n$ cat greet.txt\nhel…\n$ echo 1; echo 2\n…\n2\n```\n"),
        "<!-- runs: in an empty folder; ends with 2 -->\n```console\n$ git invisigoth frobnicate\n```\n".to_owned(),
    ] {
        assert_eq!(found(&text), "", "{text}");
    }
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut wrong = Vec::new();
    let mut linked = BTreeSet::new();
    let all: Vec<String> = pages().into_iter().chain(["CHANGELOG.md".to_owned()]).collect();
    for name in &all {
        for link in page::links(&read(name)) {
            match page::lead(name, &link) {
                Ok(to) => linked.insert(to),
                Err(what) => {
                    wrong.push(format!("{name}: {what}"));
                    continue;
                }
            };
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let lost: Vec<&String> = all.iter().filter(|name| !linked.contains(*name)).collect();
    assert_eq!(
        lost,
        ["README.md"],
        "no page leads there, and only the first needs none"
    );
    // It can fail.
    assert_eq!(
        page::links("[a](b.md) `[c](d.md)` <img src=\"e.svg\">"),
        ["b.md", "e.svg"]
    );
    for (link, what) in [("gone.md", "gone.md is not there"), ("#gone", "has no heading #gone")] {
        assert!(page::lead("README.md", link).unwrap_err().contains(what));
    }
}
