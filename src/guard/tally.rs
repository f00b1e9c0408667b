//! How many tests, assertions and skips a file has, counted by the words that each language uses for them.
//!
//! A count, no parser: good enough to see that a change took tests away, not to say which.

use std::collections::BTreeSet;

use crate::guard::classes;

/// What a file has of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) tests: usize,
    pub(crate) asserts: usize,
    pub(crate) skips: usize,
}

impl Tally {
    /// Says how this is weaker than `before`, if it is.
    pub(crate) fn weaker_than(self, before: Self) -> Option<String> {
        if self.tests < before.tests {
            return Some(format!("it has {} tests instead of {}", self.tests, before.tests));
        }
        if self.skips > before.skips {
            return Some("it skips tests that were not skipped".to_owned());
        }
        if self.asserts < before.asserts {
            return Some(format!(
                "it asserts {} times instead of {}",
                self.asserts, before.asserts
            ));
        }
        None
    }
}

/// The words of one family of languages.
struct Words {
    /// Ends of file names.
    ends: &'static [&'static str],
    /// What a line starts with that makes a test.
    tests: &'static [&'static str],
    /// What stands anywhere in a line that skips one.
    skips: &'static [&'static str],
    /// What a comment line starts with.
    comments: &'static [&'static str],
}

const SLASHES: &[&str] = &["//", "/*", "* "];

const FAMILIES: [Words; 8] = [
    Words {
        ends: &[".rs"],
        tests: &[
            "#[test",
            "#[tokio::test",
            "#[async_std::test",
            "#[rstest",
            "#[case",
            "#[wasm_bindgen_test",
            "#[quickcheck",
            "#[sqlx::test",
            "#[actix",
            "#[bench",
        ],
        skips: &["#[ignore", ", ignore)", "#[cfg(any())", "#[cfg(false)", "#![cfg("],
        comments: SLASHES,
    },
    Words {
        ends: &[".py"],
        tests: &["def test", "async def test", "class Test", "@pytest.mark.parametrize"],
        skips: &[
            "mark.skip",
            "mark.xfail",
            "pytest.skip",
            "pytest.xfail",
            "pytest.importorskip",
            "unittest.skip",
            "@skip",
            "skipTest(",
            "SkipTest",
            "expectedFailure",
            "__test__ = False",
            "collect_ignore",
            "if False:",
        ],
        comments: &["#"],
    },
    Words {
        ends: &[".go"],
        tests: &["func Test", "func Benchmark", "func Fuzz", "func Example", "t.Run("],
        skips: &["t.Skip", "b.Skip", "f.Skip", "//go:build ignore"],
        comments: SLASHES,
    },
    Words {
        ends: &[
            ".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte",
        ],
        tests: &[
            "it(",
            "test(",
            "it.each",
            "test.each",
            "it.only",
            "test.only",
            "it.concurrent",
            "test.concurrent",
            "Deno.test",
        ],
        skips: &[
            ".skip(",
            ".skip.",
            ".only(",
            ".todo(",
            ".fixme(",
            "skipIf(",
            "xit(",
            "xtest(",
            "xdescribe(",
            "fit(",
            "fdescribe(",
            ".failing(",
        ],
        comments: SLASHES,
    },
    Words {
        ends: &[".java", ".kt", ".scala", ".cs", ".swift", ".dart", ".groovy"],
        tests: &[
            "@Test",
            "@ParameterizedTest",
            "@RepeatedTest",
            "[Fact",
            "[Theory",
            "[Test",
            "func test",
            "test(",
            "testWidgets(",
            "\"should",
            "it(",
        ],
        skips: &[
            "@Disabled",
            "@Ignore",
            "[Ignore",
            "Skip =",
            "XCTSkip",
            "assumeTrue(",
            "skip:",
            "Assume.",
        ],
        comments: SLASHES,
    },
    Words {
        ends: &[".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"],
        tests: &[
            "TEST(",
            "TEST_F(",
            "TEST_P(",
            "TEST_CASE(",
            "BOOST_AUTO_TEST_CASE(",
            "SCENARIO(",
            "void test",
            "static void test",
        ],
        skips: &["GTEST_SKIP", "DISABLED_", "#if 0", "[.]"],
        comments: SLASHES,
    },
    Words {
        ends: &[".rb", ".ex", ".exs", ".sh", ".bats", ".t", ".lua", ".pl"],
        tests: &[
            "def test",
            "test \"",
            "test '",
            "it \"",
            "it '",
            "it(",
            "specify",
            "scenario",
            "property \"",
            "@test",
            "test_",
            "subtest",
        ],
        skips: &["skip", "pending", "xit ", "xdescribe ", "xcontext ", "@tag :"],
        comments: &["#"],
    },
    Words {
        ends: &[".php"],
        tests: &[
            "public function test",
            "function test",
            "#[Test",
            "@test",
            "it(",
            "test(",
        ],
        skips: &["markTestSkipped", "markTestIncomplete", "->skip(", "->todo("],
        comments: SLASHES,
    },
];

/// Starts of words that assert.
const ASSERTS: [&str; 12] = [
    "assert",
    "debug_assert",
    "prop_assert",
    "expect",
    "should",
    "require",
    "refute",
    "raises",
    "XCTAssert",
    "CHECK",
    "ASSERT_",
    "EXPECT_",
];
/// Calls that fail a Go test.
const FAILS: [&str; 4] = ["t.Error", "t.Fatal", "t.Fail", "panic("];

/// Counts for `raw`, the content of `path` (folded). A file that is none of tests counts only from its first test on:
/// programs assert too.
pub(crate) fn of(path: &str, raw: &[u8]) -> Tally {
    let Some(words) = FAMILIES
        .iter()
        .find(|words| words.ends.iter().any(|end| path.ends_with(end)))
    else {
        return Tally::default();
    };
    let text = String::from_utf8_lossy(raw);
    let is_test = classes::is_test(path);
    let mut tally = Tally::default();
    let mut begun = is_test;
    let mut commented = false;
    for line in text.lines().map(str::trim) {
        commented = (commented || (line.starts_with("/*") && words.comments == SLASHES)) && !line.contains("*/");
        if commented {
            continue;
        }
        begun = begun || line.starts_with("#[cfg(test)]") || (path.ends_with(".rs") && starts_test(words, line));
        if begun {
            tally.count(words, line);
        }
    }
    tally
}

fn starts_test(words: &Words, line: &str) -> bool {
    words.tests.iter().any(|word| line.starts_with(word))
}

impl Tally {
    fn count(&mut self, words: &Words, line: &str) {
        self.skips += usize::from(words.skips.iter().any(|word| line.contains(word)));
        let is_comment = words.comments.iter().any(|mark| line.starts_with(mark));
        if is_comment {
            return;
        }
        self.tests += usize::from(starts_test(words, line));
        self.asserts += asserts(line);
    }
}

/// Returns the names of the tests in `raw`, for languages where they stand in the line, or the one below.
pub(crate) fn names(path: &str, raw: &[u8]) -> BTreeSet<String> {
    let starts: &[&str] = match path.rsplit_once('.').map(|(_, end)| end) {
        Some("py") if classes::is_test(path) => &["def test", "async def test", "class Test"],
        Some("go") if classes::is_test(path) => &["func Test", "func Benchmark", "func Fuzz", "func Example"],
        Some("rs") => &[],
        _ => return BTreeSet::new(),
    };
    let rust = FAMILIES.first().filter(|_| starts.is_empty());
    let text = String::from_utf8_lossy(raw);
    let mut names = BTreeSet::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        marked = marked || rust.is_some_and(|words| starts_test(words, line));
        let is_test = starts.iter().any(|start| line.starts_with(start)) || marked && is_function(line);
        if is_test {
            marked = false;
            names.extend(name_of(line));
        }
    }
    names
}

fn is_function(line: &str) -> bool {
    line.split_whitespace().any(|word| word == "fn") && !line.starts_with("//")
}

/// Reads what follows the word for a function or a class.
fn name_of(line: &str) -> Option<String> {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut words = words.skip_while(|word| !matches!(*word, "fn" | "def" | "func" | "class"));
    words.nth(1).filter(|name| !name.is_empty()).map(str::to_owned)
}

fn asserts(line: &str) -> usize {
    let names = line.split(|c: char| !c.is_alphanumeric() && c != '_');
    let asserting = names
        .filter(|name| ASSERTS.iter().any(|word| name.starts_with(word)))
        .count();
    asserting + FAILS.iter().map(|call| line.matches(call).count()).sum::<usize>()
}
