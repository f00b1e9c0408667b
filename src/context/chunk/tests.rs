use proptest::prelude::*;

use crate::{
    context::chunk::{Chunk, Cutter, Syntax, syntax},
    path::RepoPath,
};

/// One file of every kind, and what becomes of it: each chunk's lines and names.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/chunks");

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = std::fs::read_dir(FIXTURES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|end| end != "chunks"))
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}

fn of(name: &str) -> Syntax {
    syntax(&RepoPath::parse(name).unwrap())
}

fn shown(chunks: &[Chunk]) -> String {
    let line = |chunk: &Chunk| format!("{}-{} {}\n", chunk.first, chunk.last, chunk.names.join(" | "));
    chunks.iter().map(line).collect()
}

/// Says what is wrong with chunks.
fn wrong(text: &[u8], chunks: &[Chunk]) -> Option<String> {
    let mut next = 1;
    for chunk in chunks {
        if chunk.first != next || chunk.last < chunk.first {
            return Some(format!("{}-{} where line {next} is due", chunk.first, chunk.last));
        }
        if chunk.last - chunk.first >= 90 {
            return Some(format!("{}-{} is too long", chunk.first, chunk.last));
        }
        if let Some(name) = chunk
            .names
            .iter()
            .find(|name| name.chars().count() > 80 || name.is_empty())
        {
            return Some(format!("a name of {} characters", name.chars().count()));
        }
        next = chunk.last + 1;
    }
    let lines = text.split_inclusive(|byte| *byte == b'\n').count();
    (usize::try_from(next).unwrap() != lines + 1).then(|| format!("{} of {lines} lines", next - 1))
}

/// Files whose grammar is not in this build are read by lines.
#[test]
fn files_are_cut_as_the_fixtures_say() {
    let mut cutter = Cutter::default();
    for (name, text) in fixtures() {
        let chunks = cutter.cut(of(&name), &text);
        assert_eq!(wrong(&text, &chunks), None, "{name}");
        if of(&name) == Syntax::default() && !name.ends_with(".txt") {
            continue;
        }
        let expected = std::fs::read_to_string(format!("{FIXTURES}/{name}.chunks")).unwrap();
        assert_eq!(shown(&chunks), expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_covered_once(text in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let mut cutter = Cutter::default();
        for number in (0..=13).chain(64..=70) {
            let chunks = cutter.cut(Syntax(number), &text);
            prop_assert_eq!(wrong(&text, &chunks), None);
        }
    }

    #[test]
    fn damaged_code_is_covered_once_and_always_cut_in_the_same_way(
        file in 0_usize..64,
        cuts in proptest::collection::vec((any::<u16>(), 0_usize..40, "[\\[(){}\"'`\\\\\n\t <>#/*;:]{0,6}"), 1..8),
    ) {
        let all = fixtures();
        let (name, text) = &all[file % all.len()];
        let mut text = text.clone();
        for (at, length, put) in cuts {
            let at = usize::from(at) % (text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, put.into_bytes());
        }
        let mut cutter = Cutter::default();
        let chunks = cutter.cut(of(name), &text);
        prop_assert_eq!(wrong(&text, &chunks), None);
        prop_assert_eq!(chunks, Cutter::default().cut(of(name), &text));
    }
}

/// Grammars, and their scanners, must survive it, too; what takes them too long is read by lines.
#[test]
fn brackets_without_end_are_survived() {
    let mut cutter = Cutter::default();
    for open in ["(", "[", "{", "<", "fn f() {", "if x:\n ", "(a=>{", "$(", "#if A\n"] {
        let text = open.repeat(50_000 / open.len());
        for number in 0..=13 {
            let chunks = cutter.cut(Syntax(number), text.as_bytes());
            assert_eq!(wrong(text.as_bytes(), &chunks), None, "{number} {open}");
        }
    }
}
