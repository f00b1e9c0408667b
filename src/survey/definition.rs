//! Definitions by line patterns: what a file defines at its top level, and whether anything is said of it.
//!
//! Patterns, no parser: what is laid out in an unusual way is not seen, which costs a finding and no more.

use crate::{
    path::RepoPath,
    survey::{language::Language, shown},
};

/// One definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Definition {
    /// The line, from 1.
    pub line: usize,
    /// The name.
    pub name: String,
    /// What introduces it: `fn`, `class`.
    pub word: &'static str,
    /// Its line.
    pub text: String,
    /// Whether others can use it.
    pub public: bool,
    /// Whether something is said of it in the way of its language.
    pub documented: bool,
}

impl Definition {
    /// True for what runs.
    pub fn is_function(&self) -> bool {
        match self.word {
            "const" | "let" | "var" => self.text.contains("=>") || self.text.contains("function"),
            word => matches!(word, "fn" | "def" | "function" | "function*" | "func" | "fun"),
        }
    }
}

/// A source file as the rules see it once it was read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: RepoPath,
    pub(crate) language: Language,
    pub(crate) test: bool,
    /// How many lines it has.
    pub(crate) lines: usize,
    pub(crate) changes: u32,
    pub(crate) definitions: Vec<Definition>,
    /// The first line that is not blank.
    pub(crate) first: (usize, String),
    /// Whether it opens with documentation, where its language has such a custom.
    pub(crate) opens_documented: Option<bool>,
    /// Whether it holds tests of its own.
    pub(crate) tests_inside: bool,
}

/// Words of a language that introduce definitions.
struct Grammar {
    /// May stand before.
    modifiers: &'static [&'static str],
    /// Introduce a name.
    keywords: &'static [&'static str],
    /// Most blanks in front of a definition.
    indent: usize,
}

const RUST: Grammar = Grammar {
    modifiers: &[
        "pub",
        "pub(crate)",
        "pub(super)",
        "async",
        "unsafe",
        "default",
        "extern",
        "\"C\"",
    ],
    keywords: &[
        "fn",
        "struct",
        "enum",
        "trait",
        "union",
        "mod",
        "type",
        "const",
        "static",
        "macro_rules!",
    ],
    indent: 0,
};
const PYTHON: Grammar = Grammar {
    modifiers: &["async"],
    keywords: &["def", "class"],
    indent: 0,
};
const SCRIPT: Grammar = Grammar {
    modifiers: &["export", "default", "async", "abstract", "declare"],
    keywords: &[
        "function",
        "function*",
        "class",
        "interface",
        "type",
        "enum",
        "const",
        "let",
        "var",
        "namespace",
    ],
    indent: 0,
};
const GO: Grammar = Grammar {
    modifiers: &[],
    keywords: &["func", "type", "var", "const"],
    indent: 0,
};
const JAVA: Grammar = Grammar {
    modifiers: &[
        "public",
        "private",
        "protected",
        "static",
        "final",
        "abstract",
        "sealed",
        "partial",
        "internal",
        "open",
        "data",
        "suspend",
        "override",
        "inline",
        "case",
        "readonly",
    ],
    keywords: &[
        "class",
        "interface",
        "enum",
        "record",
        "struct",
        "object",
        "trait",
        "fun",
        "func",
        "def",
        "protocol",
        "extension",
    ],
    indent: 0,
};
const RUBY: Grammar = Grammar {
    modifiers: &[],
    keywords: &["class", "module", "def"],
    indent: 2,
};
const PHP: Grammar = Grammar {
    modifiers: &["abstract", "final", "readonly"],
    keywords: &["function", "class", "interface", "trait", "enum"],
    indent: 0,
};

/// Reads a source file.
pub(crate) fn source(path: &RepoPath, lines: &[&str], language: Language, changes: u32) -> Source {
    let end = match language {
        Language::Rust => tests_start(lines),
        _ => None,
    };
    let code = lines.get(..end.unwrap_or(lines.len())).unwrap_or_default();
    let first = code.iter().enumerate().find(|(_, line)| !line.trim().is_empty());
    Source {
        path: path.clone(),
        language,
        test: false,
        lines: code.len(),
        changes,
        definitions: definitions(code, language),
        first: first.map_or((1, String::new()), |(at, line)| (at + 1, shown(line))),
        opens_documented: opens_documented(code, language),
        tests_inside: end.is_some() || lines.iter().any(|line| line.trim() == "#[test]"),
    }
}

/// Returns where the tests of a Rust file begin.
fn tests_start(lines: &[&str]) -> Option<usize> {
    let at = lines.iter().position(|line| *line == "#[cfg(test)]")?;
    let rest = lines.get(at..)?;
    rest.iter()
        .take(4)
        .any(|line| line.starts_with("mod ") || line.starts_with("pub mod ") || line.starts_with("pub(crate) mod "))
        .then_some(at)
}

fn opens_documented(lines: &[&str], language: Language) -> Option<bool> {
    let start = match language {
        Language::Rust => "//!",
        Language::Python => "\"\"\"",
        _ => return None,
    };
    let code = |line: &&&str| {
        let line = line.trim();
        !line.is_empty()
            && !line.starts_with('#')
            && (language != Language::Rust || !line.starts_with("//") || line.starts_with("//!"))
    };
    let first = lines.iter().find(code)?;
    let raw = first.trim_start_matches(['r', 'R', 'u', 'b']);
    Some(
        first.starts_with(start)
            || first.starts_with("/*!")
            || (language == Language::Python && (raw.starts_with(start) || raw.starts_with("'''"))),
    )
}

/// Finds what is defined at the top level of a file.
pub(crate) fn definitions(lines: &[&str], language: Language) -> Vec<Definition> {
    let grammar = match language {
        Language::Rust => &RUST,
        Language::Python => &PYTHON,
        Language::Script => &SCRIPT,
        Language::Go => &GO,
        Language::Java => &JAVA,
        Language::Ruby => &RUBY,
        Language::Php => &PHP,
        Language::C | Language::Shell | Language::Other => return braced(lines, language),
    };
    let mut found: Vec<Definition> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((word, name, public)) = head(line, grammar, language) else {
            continue;
        };
        let overload = language == Language::Python
            && at
                .checked_sub(1)
                .and_then(|at| lines.get(at))
                .is_some_and(|above| above.trim_end().ends_with("overload"));
        if overload || found.last().is_some_and(|last| last.name == name) {
            continue;
        }
        found.push(Definition {
            line: at + 1,
            word,
            text: shown(line),
            public: match language {
                Language::Python => !name.starts_with('_'),
                Language::Go => name.starts_with(|c: char| c.is_ascii_uppercase()),
                _ => public,
            },
            documented: documented(lines, at, language),
            name,
        });
    }
    found
}

/// Reads `<modifiers> <keyword> <name>`.
fn head(line: &str, grammar: &Grammar, language: Language) -> Option<(&'static str, String, bool)> {
    let body = line.trim_start();
    if line.len() - body.len() > grammar.indent || body.is_empty() {
        return None;
    }
    let mut public = false;
    let mut rest = body;
    loop {
        let (word, after) = rest.split_once([' ', '\t'])?;
        let after = after.trim_start();
        let qualifier = word == "const"
            && language == Language::Rust
            && ["fn ", "unsafe ", "async "].iter().any(|w| after.starts_with(w));
        match grammar.keywords.iter().find(|keyword| **keyword == word) {
            Some(keyword) if !qualifier => {
                let name = name(after, language)?;
                let value = matches!(*keyword, "const" | "let" | "var");
                let runs = after.contains("=>") || after.contains("function");
                if language == Language::Script && value && !runs && !(public && *keyword == "const") {
                    return None;
                }
                return Some((keyword, name, public));
            }
            _ if qualifier || grammar.modifiers.contains(&word) => {
                public |= matches!(word, "pub" | "export" | "public");
                rest = after;
            }
            _ => return None,
        }
    }
}

fn name(after: &str, language: Language) -> Option<String> {
    let after = match after.strip_prefix('(').filter(|_| language == Language::Go) {
        Some(receiver) => receiver.split_once(')')?.1.trim_start(),
        None => after.strip_prefix("self.").unwrap_or(after),
    };
    let name: String = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '?' | '!'))
        .collect();
    let name = name.trim_end_matches('!').to_owned();
    (!name.is_empty() && name != "_").then_some(name)
}

/// Reads definitions of C and of shells: a name, brackets, and a brace on the same line or the next.
fn braced(lines: &[&str], language: Language) -> Vec<Definition> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let starts = line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || language == Language::Other {
            continue;
        }
        let next = lines.get(at + 1).is_some_and(|next| next.starts_with('{'));
        let opens = next || line.trim_end().ends_with('{');
        let Some((word, name)) = (if language == Language::C {
            c_name(line)
        } else {
            shell_name(line)
        })
        .filter(|_| opens) else {
            continue;
        };
        found.push(Definition {
            line: at + 1,
            name,
            word,
            text: shown(line),
            public: !line.starts_with("static "),
            documented: documented(lines, at, language),
        });
    }
    found
}

fn c_name(line: &str) -> Option<(&'static str, String)> {
    for word in ["struct", "class", "enum", "union", "namespace"] {
        let rest = line.strip_prefix("typedef ").unwrap_or(line).strip_prefix(word);
        if let Some(rest) = rest.filter(|rest| rest.starts_with(' ') && !rest.contains('(')) {
            return name(rest.trim_start(), Language::C).map(|name| (word, name));
        }
    }
    let (before, _) = line.split_once('(')?;
    let name = before.trim_end().rsplit([' ', '*', '&', '\t']).next()?;
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '~'));
    let control = ["if", "for", "while", "switch", "else", "do", "return"].contains(&name);
    (plain && !control && !name.is_empty() && before.trim_end().len() > name.len() && !before.contains('='))
        .then(|| ("function", name.to_owned()))
}

fn shell_name(line: &str) -> Option<(&'static str, String)> {
    let rest = line.strip_prefix("function ").unwrap_or(line);
    let (name, _) = rest
        .split_once("()")
        .or_else(|| line.starts_with("function ").then(|| rest.split_once(' ')).flatten())?;
    let plain = name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ':'));
    (plain && !name.is_empty()).then(|| ("function", name.to_owned()))
}

fn documented(lines: &[&str], at: usize, language: Language) -> bool {
    if language == Language::Python {
        return docstring(lines, at);
    }
    let mut above = lines.get(..at).unwrap_or_default().iter().rev().map(|line| line.trim());
    let mut within = false;
    let before = above.find(|line| {
        // An attribute may stand on several lines.
        within |= language == Language::Rust && line.ends_with(']');
        let attribute = within
            || line.starts_with("#[")
            || line.starts_with('@')
            || (language == Language::Java && line.starts_with('['));
        within &= !line.starts_with("#[");
        !attribute || line.starts_with("#[doc")
    });
    let Some(before) = before else { return false };
    match language {
        Language::Rust => ["///", "#[doc", "/**"].iter().any(|mark| before.starts_with(mark)) || before.ends_with("*/"),
        Language::Ruby | Language::Shell => before.starts_with('#'),
        _ => before.starts_with("//") || before.ends_with("*/"),
    }
}

/// True where the first line of a body is a string.
fn docstring(lines: &[&str], at: usize) -> bool {
    let mut body = lines.iter().skip(at).take(40);
    let ends = |line: &&&str| {
        let code = line.split(" #").next().unwrap_or_default().trim_end();
        code.ends_with(':') || code.ends_with(": ...") || code.contains("):") || code.contains("]:")
    };
    if body.find(ends).is_none() {
        return false;
    }
    let first = body.find(|line| !line.trim().is_empty()).map(|line| line.trim_start());
    let first = first.unwrap_or_default().trim_start_matches(['r', 'R', 'f', 'u']);
    first.starts_with('"') || first.starts_with('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(language: Language, text: &str) -> Vec<(String, bool, bool)> {
        let lines: Vec<&str> = text.lines().collect();
        let found = source(&RepoPath::from_git("a"), &lines, language, 0).definitions;
        found
            .into_iter()
            .map(|it| (it.name, it.public, it.documented))
            .collect()
    }

    fn says(name: &str, public: bool, documented: bool) -> (String, bool, bool) {
        (name.to_owned(), public, documented)
    }

    #[test]
    fn definitions_of_rust_end_where_its_tests_begin() {
        let text = "//! A\n\n/// Says.\n#[derive(\n    Debug,\n)]\npub struct A;\nimpl A {\n    pub fn b() {}\n}\npub const fn c() {}\n/// Yes.\npub(crate) async fn d() {}\n#[cfg(test)]\nmod tests {\nfn e() {}\n}\n";
        assert_eq!(
            read(Language::Rust, text),
            [says("A", true, true), says("c", true, false), says("d", false, true)]
        );
        let lines: Vec<&str> = text.lines().collect();
        let source = source(&RepoPath::from_git("a"), &lines, Language::Rust, 0);
        assert!(source.tests_inside && source.opens_documented == Some(true));
    }

    #[test]
    fn definitions_of_other_languages() {
        let python = "def a(x,\n      y):\n    \"\"\"Says.\"\"\"\nclass _B:\n    def c(self): pass\nasync def d(): # x\n    return 1\n";
        assert_eq!(
            read(Language::Python, python),
            [says("a", true, true), says("_B", false, false), says("d", true, false)]
        );
        let script = "/** Says. */\nexport default function a() {}\nconst b = 1;\nconst c = () => {};\nexport const D = 2;\n  function e() {}\n";
        assert_eq!(
            read(Language::Script, script),
            [says("a", true, true), says("c", false, false), says("D", true, false)]
        );
        let go = "// A says.\nfunc (r *T) A() {}\nfunc b() {}\ntype C struct {\n";
        assert_eq!(
            read(Language::Go, go),
            [says("A", true, true), says("b", false, false), says("C", true, false)]
        );
        let c = "/* says */\nint main(int argc)\n{\n  if (a) {\n}\nstruct b {\nint c(void);\nstatic char *d(void) {\n";
        assert_eq!(
            read(Language::C, c),
            [
                says("main", true, true),
                says("b", true, false),
                says("d", false, false)
            ]
        );
        assert_eq!(
            read(Language::Shell, "a() {\nfunction b {\necho c()\n"),
            [says("a", true, false), says("b", true, false)]
        );
        assert_eq!(
            read(Language::Java, "/** Says. */\n@Deprecated\npublic final class A {\n"),
            [says("A", true, true)]
        );
    }
}
