//! Red to green: which tests a change adds, how they run against the code before it, and which tests a goal names.
//!
//! Owns what the proof needs to know of files and names. Runs nothing.

use std::collections::BTreeSet;

use crate::{check::Tests, goal::Goal, guard, path::RepoPath};

/// The tests that a change adds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Added {
    /// How many there are more than before.
    pub tests: usize,
    /// What to lay over the code before the change, so that only its tests are there.
    pub files: Vec<(RepoPath, Vec<u8>)>,
}

impl Added {
    /// Takes in a file that the change wrote: what it was, if it was, and what it is.
    pub fn take(&mut self, path: &RepoPath, old: Option<&[u8]>, new: &[u8]) {
        let more = guard::tests_added(path, old.unwrap_or_default(), new);
        if guard::is_test_file(path) {
            self.tests += more;
            self.files.push((path.clone(), new.to_vec()));
        } else if more > 0
            && let Some(mixed) = with_tests_of(old.unwrap_or_default(), new)
        {
            self.tests += more;
            self.files.push((path.clone(), mixed));
        }
    }
}

/// Puts the test module of the Rust file `new` in the place of that of `old`; `None` where it has none at its end.
fn with_tests_of(old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let (old, new) = (std::str::from_utf8(old).ok()?, std::str::from_utf8(new).ok()?);
    let tests = new.get(test_module(new)?..)?;
    let code = test_module(old).map_or(old, |at| old.get(..at).unwrap_or(old));
    Some(format!("{}\n\n{tests}", code.trim_end()).into_bytes())
}

/// Finds `#[cfg(test)] mod tests {` that nothing but its own end follows.
fn test_module(source: &str) -> Option<usize> {
    let at = source.rfind("\n#[cfg(test)]\n")? + 1;
    let mut lines = source
        .get(at..)?
        .lines()
        .skip(1)
        .skip_while(|line| line.starts_with("#["));
    let opens = lines
        .next()
        .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'));
    let last = lines.skip_while(|line| *line != "}").skip(1);
    (opens && last.into_iter().all(|line| line.trim().is_empty())).then_some(at)
}

/// Returns the names of tests that the acceptance of `goal` mentions: words that end in `test_…` or `Test…`, or that are
/// paths of a test such as `tests/test_x.py::test_y` or `wrap::tests::long`.
pub fn named(goal: &Goal) -> Vec<String> {
    let is_inner = |c: char| c.is_alphanumeric() || "_:./-".contains(c);
    let words = goal
        .acceptance
        .iter()
        .flat_map(|line| line.split(move |c| !is_inner(c)));
    let words = words.map(|word| word.trim_matches([':', '.', '/', '-']));
    let mut named: Vec<String> = words.filter(|word| is_name(word)).map(str::to_owned).collect();
    named.dedup();
    named
}

fn is_name(word: &str) -> bool {
    let last = last_part(word);
    let is_file = word
        .rsplit_once('.')
        .is_some_and(|(_, end)| end == last && !last.starts_with("test_"));
    let upper = |rest: &str| rest.starts_with(char::is_uppercase);
    !is_file && (last.len() > 5 && last.starts_with("test_") || last.strip_prefix("Test").is_some_and(upper))
        || is_in_tests(word) && last.starts_with(|c: char| c.is_alphabetic()) && !is_file
}

/// Most paths with `::` in them are of code: `Config::load`, `std::fs`.
fn is_in_tests(word: &str) -> bool {
    let mut above = word.rsplit("::").skip(1).flat_map(|part| part.split(['/', '.']));
    above.any(|part| {
        let part = part.to_ascii_lowercase();
        part == "test" || part == "tests" || part.starts_with("test_") || part.ends_with("_test")
    })
}

/// True where `name` may be none of a test after all: `TestClient` is one in Go, and where tests have such names.
pub fn is_doubtful(name: &str, ran: &Tests) -> bool {
    let is_alike = |name: &str| name.starts_with("Test");
    let all = ran.passed.iter().chain(&ran.failed).chain(&ran.skipped);
    is_alike(name) && !all.flat_map(|ran| parts(ran)).any(is_alike)
}

fn parts(name: &str) -> impl DoubleEndedIterator<Item = &str> {
    name.split([':', '.', '/', '>', ' '])
}

fn last_part(name: &str) -> &str {
    parts(name).next_back().unwrap_or(name)
}

/// Returns those of `names` that mean the same test as `wanted`.
pub fn matching<'a>(wanted: &str, names: impl IntoIterator<Item = &'a String>) -> Vec<&'a String> {
    let wanted = last_part(wanted);
    names.into_iter().filter(|name| last_part(name) == wanted).collect()
}

/// True where `name` is a test of the module or class that `wanted` is.
fn is_below(wanted: &str, name: &str) -> bool {
    let wanted = last_part(wanted);
    let is_above = wanted.starts_with("test_") || wanted.starts_with("Test");
    is_above && parts(name).any(|part| part == wanted)
}

/// Says what is wrong with a test that the goal's acceptance names, after the candidate's tests `ran`.
///
/// # Errors
/// The sentence for the next round.
pub fn accept_named(wanted: &str, ran: &Tests) -> Result<(), String> {
    let is_test = [&ran.failed, &ran.passed, &ran.skipped]
        .into_iter()
        .any(|names| !matching(wanted, names).is_empty());
    let has = |names: &BTreeSet<String>| {
        if is_test {
            !matching(wanted, names).is_empty()
        } else {
            names.iter().any(|name| is_below(wanted, name))
        }
    };
    if has(&ran.failed) {
        return Err(format!("the goal's acceptance names `{wanted}`, and it fails"));
    }
    if has(&ran.passed) {
        return Ok(());
    }
    let how = if !has(&ran.skipped) {
        "no such test ran"
    } else {
        "it was skipped"
    };
    Err(format!("the goal's acceptance names `{wanted}`, and {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tests_are_told_from_files_and_words() {
        let goal = Goal {
            acceptance: vec![
                "`tests/test_a.py::test_zero` passes, and test_one_two.".to_owned(),
                "TestParse in parse_test.go, wrap::tests::long; tests/test_b.py is green: Testing, e.g. std::io.rs"
                    .to_owned(),
                "`Config::load` calls std::fs, latest::version too".to_owned(),
            ],
            ..Goal::default()
        };
        let expected = [
            "tests/test_a.py::test_zero",
            "test_one_two",
            "TestParse",
            "wrap::tests::long",
        ];
        assert_eq!(named(&goal), expected);
    }

    #[test]
    fn a_module_or_class_of_tests_means_all_of_them_and_other_words_none() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let python = Tests {
            passed: set(&["tests/test_m.py::TestLoad::test_a", "tests/test_m.py::test_b"]),
            ..Tests::default()
        };
        for named in ["test_m", "TestLoad", "test_b"] {
            assert_eq!(accept_named(named, &python), Ok(()));
        }
        let failed = Tests {
            failed: set(&["tests/test_b.py::test_x", "tests/test_m.py::test_y"]),
            ..python.clone()
        };
        assert!(accept_named("test_m", &failed).is_err() && accept_named("TestLoad", &failed).is_ok());
        assert_eq!(
            accept_named("test_b", &failed),
            Ok(()),
            "a test goes before a file of that name"
        );
        assert!(!is_doubtful("TestLoad", &python) && !is_doubtful("test_c", &python));
        let rust = Tests {
            passed: set(&["m::tests::loads"]),
            ..Tests::default()
        };
        assert!(is_doubtful("TestClient", &rust) && !is_doubtful("test_c", &rust));
    }

    #[test]
    fn only_the_test_module_of_a_rust_file_goes_over_the_old_code() {
        let old = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {}\n}\n";
        let new = old
            .replace("fn f() {}", "fn f() {}\nfn g() {}")
            .replace("    fn a() {}\n", "    fn a() {}\n    #[test]\n    fn b() {}\n");
        let path = RepoPath::from_git(b"src/f.rs".as_slice());
        let mut added = Added::default();
        added.take(&path, Some(old.as_bytes()), new.as_bytes());
        let mixed = new.replace("\nfn g() {}", "");
        assert_eq!(
            added,
            Added {
                tests: 1,
                files: vec![(path, mixed.into_bytes())]
            }
        );
    }

    #[test]
    fn a_file_whose_tests_cannot_be_cut_out_is_not_tried() {
        let mut added = Added::default();
        let path = RepoPath::from_git(b"src/f.rs".as_slice());
        added.take(&path, None, b"#[test]\nfn a() {}\nfn g() {}\n");
        added.take(
            &path,
            None,
            b"fn g() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {}\n}\nfn h() {}\n",
        );
        assert_eq!(added, Added::default());
    }

    #[test]
    fn a_named_test_must_have_run_and_passed() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let ran = Tests {
            passed: set(&["t.py::test_good"]),
            failed: set(&["t.py::test_bad"]),
            skipped: set(&["t.py::test_later"]),
            counted: None,
        };
        assert_eq!(accept_named("test_good", &ran), Ok(()));
        for (wanted, why) in [
            ("test_bad", "it fails"),
            ("test_later", "it was skipped"),
            ("test_x", "no such test ran"),
        ] {
            assert!(accept_named(wanted, &ran).unwrap_err().ends_with(why), "{wanted}");
        }
    }
}
