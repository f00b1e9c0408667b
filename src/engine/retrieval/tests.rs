use std::{collections::BTreeMap, fmt::Write as _};

use super::*;
use crate::{context::rank::weights, engine::past::tests::Fixture};

const WORDS: [&str; 12] = [
    "walker", "sleep", "entry", "parser", "token", "lexer", "socket", "retry", "timeout", "cache", "segment", "render",
];

const PATHS: [&str; 14] = [
    "walker.rs",
    "src/walker.rs",
    "src/lexer/mod.rs",
    "src/lexer",
    "src/token.py",
    "src/token_test.py",
    "third/socket.c",
    "third/deep/socket.c",
    "docs/cache.md",
    "settings.toml",
    "a-b/c.go",
    "a/c.go",
    "a",
    "memory/history.json",
];

const RULES: [&str; 4] = [
    "third/** linguist-vendored\n",
    "*.py linguist-generated\n",
    "*.c -linguist-vendored\nwalker.rs binary\n",
    "* text\n",
];

/// Numbers that look like chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.below(5) {
            let (name, body) = (self.word(), self.below(30));
            let _ = writeln!(text, "fn {name}() {{");
            (0..body).for_each(|_| writeln!(text, "    {}({});", self.word(), self.word()).unwrap());
            text.push_str("}\n\n");
        }
        text
    }
}

/// Files by path: mode and text.
type Files = BTreeMap<String, (&'static str, String)>;

/// Changes one file or two; a path that is a folder and a file at once loses the older one.
fn change(files: &mut Files, chance: &mut Chance) {
    let path = PATHS[chance.below(PATHS.len())].to_owned();
    let known: Vec<String> = files.keys().cloned().collect();
    let other = known.get(chance.below(known.len().max(1))).cloned().unwrap_or_default();
    let put = |files: &mut Files, path: String, file: (&'static str, String)| {
        files.retain(|known, _| !known.starts_with(&format!("{path}/")) && !path.starts_with(&format!("{known}/")));
        files.insert(path, file);
    };
    match chance.below(9) {
        0 => {
            files.remove(&other);
        }
        1 => {
            if let Some(file) = files.remove(&other) {
                put(files, path, file);
            }
        }
        2 => {
            if let Some(file) = files.get(&other).cloned() {
                put(files, path, file);
            }
        }
        3 => {
            if let Some((mode, _)) = files.get_mut(&other) {
                *mode = ["100644", "100755", "120000"][chance.below(3)];
            }
        }
        4 => {
            let at = [".gitattributes", "src/.gitattributes"][chance.below(2)];
            let rules = RULES[chance.below(RULES.len())].to_owned();
            put(files, at.to_owned(), ("100644", rules));
        }
        _ => {
            let text = chance.text();
            put(files, path, ("100644", text));
        }
    }
}

/// Makes a history of so many commits, the oldest first.
fn history(fixture: &Fixture, chance: &mut Chance, commits: usize) -> Vec<CommitId> {
    let (mut files, mut stream) = (Files::new(), String::new());
    for at in 0..commits {
        for _ in 0..=chance.below(4) {
            change(&mut files, chance);
        }
        let said = format!("Let {} {} the {}", chance.word(), chance.word(), chance.word());
        let _ = write!(
            stream,
            "commit refs/heads/main\ncommitter a <a@b> {} +0000\ndata {}\n{said}\ndeleteall\n",
            1_600_000_000 + at,
            said.len()
        );
        for (path, (mode, text)) in &files {
            let _ = write!(stream, "M {mode} inline {path}\ndata {}\n{text}\n", text.len());
        }
    }
    fixture.git_in(&fixture.work(), &["fast-import", "--quiet"], stream.as_bytes());
    let all = fixture.git(&["rev-list", "--reverse", "main"]);
    all.lines().map(|line| line.parse().unwrap()).collect()
}

/// All that a retrieval says of a commit.
fn said(retrieval: &mut Retrieval, repo: &Repo, cache: &Cache, commit: CommitId) -> Vec<String> {
    retrieval.at(repo, cache, commit).unwrap();
    let index = |retrieval: &Retrieval| {
        let files = retrieval.index().files().map(|(_, file)| format!("{file:?}"));
        files
            .chain([format!("{:?}", retrieval.index().totals())])
            .collect::<Vec<_>>()
    };
    let mut all = index(retrieval);
    for text in [
        "Let the walker sleep\nand retry each entry",
        "src/lexer/mod.rs token_test",
        "document socket.c",
        "absent",
    ] {
        let found = retrieval.ask(repo, cache, text, &weights()).unwrap();
        for scored in &found.ranking.files {
            let path = &retrieval.index().file(scored.file).unwrap().path;
            all.push(format!(
                "{path} {} {:?}",
                scored.score.to_bits(),
                scored.signals.map(f32::to_bits)
            ));
        }
        all.extend([200.0, 1000.0].map(|budget| format!("{:?}", retrieval.pack(&found, budget, &pack::odds()))));
    }
    all
}

#[test]
fn from_commit_to_commit_is_the_same_as_anew_at_each() {
    for seed in 0..4 {
        let fixture = Fixture::new();
        let mut chance = Chance(seed);
        let commits = history(&fixture, &mut chance, 30);
        let repo = fixture.repo();
        let folders = tempfile::tempdir().unwrap();
        let cache = |name: String| Cache::open(&folders.path().join(name));
        let (stays, mut resident) = (cache("stays".into()), Retrieval::default());
        let mut ways: Vec<CommitId> = commits.clone();
        ways.extend((0..15).map(|_| commits[chance.below(commits.len())]));
        for (at, commit) in ways.into_iter().enumerate() {
            let fresh = match at % 3 {
                0 => stays.clone(),
                _ => cache(at.to_string()),
            };
            let expected = said(&mut Retrieval::default(), &repo, &fresh, commit);
            assert_eq!(
                said(&mut resident, &repo, &stays, commit),
                expected,
                "seed {seed}, step {at}"
            );
        }
    }
}

#[test]
fn rules_beside_the_repository_count_from_the_next_commit_on() {
    let fixture = Fixture::new();
    let commits = history(&fixture, &mut Chance(9), 12);
    let (repo, folder) = (fixture.repo(), tempfile::tempdir().unwrap());
    let cache = Cache::open(folder.path());
    let mut resident = Retrieval::default();
    resident.at(&repo, &cache, commits[10]).unwrap();
    let before = resident.index().totals().files;
    std::fs::create_dir_all(fixture.work().join(".git/info")).unwrap();
    std::fs::write(fixture.work().join(".git/info/attributes"), "* linguist-vendored\n").unwrap();
    resident.at(&repo, &cache, commits[11]).unwrap();
    assert!(before > 0);
    assert_eq!(resident.index().totals().files, 0);
}

#[test]
fn a_commit_that_cannot_be_read_is_an_error_and_the_next_one_is_not() {
    let fixture = Fixture::new();
    let commits = history(&fixture, &mut Chance(5), 8);
    let (repo, folder) = (fixture.repo(), tempfile::tempdir().unwrap());
    let cache = Cache::open(folder.path());
    let mut resident = Retrieval::default();
    assert!(resident.ask(&repo, &cache, "walker", &weights()).is_err());
    resident.at(&repo, &cache, commits[3]).unwrap();
    let none: CommitId = "0123456789012345678901234567890123456789".parse().unwrap();
    assert!(resident.at(&repo, &cache, none).is_err());
    assert!(resident.ask(&repo, &cache, "walker", &weights()).is_err());
    let expected = said(&mut Retrieval::default(), &repo, &cache, commits[7]);
    assert_eq!(said(&mut resident, &repo, &cache, commits[7]), expected);
}
