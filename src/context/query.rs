//! Queries: a text that asks for context, as weighted terms.

use std::collections::HashMap;

use crate::context::terms::{Term, Terms, is_stop};

/// How much of a text is read as a query, in bytes: who pastes a whole log means its beginning.
const LONGEST: usize = 32 * 1024;

/// Most terms of a query; those that come first count.
const MOST: usize = 400;

/// Words that ask for tests, for what people read, and for what programs are told.
const ASKING: [&str; 3] = [
    "test tests testing tested testcase spec specs coverage",
    "readme changelog documentation docs doc document documented tutorial guide manual manpage faq wording typo",
    "ci workflow workflows pipeline toml yaml yml json makefile dockerfile dependency dependencies dependabot packaging",
];

/// Which files beside code a query asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asks {
    /// Tests.
    pub tests: bool,
    /// What people read.
    pub prose: bool,
    /// What programs are told.
    pub config: bool,
}

impl Asks {
    fn of(terms: &mut Terms, weighted: &[(Term, f32)]) -> Self {
        let mut any = |words: &str| {
            let asking = terms.counted(words.as_bytes());
            weighted
                .iter()
                .any(|(term, _)| asking.iter().any(|(known, _)| known == term))
        };
        let [tests, prose, config] = ASKING.map(&mut any);
        Self { tests, prose, config }
    }
}

/// What is asked for.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Query {
    /// Its terms with their weights, in the order of the text, each once.
    pub terms: Vec<(Term, f32)>,
    /// Which files beside code it asks for.
    pub asks: Asks,
    /// What looks like the name of a file or a path, in the order of the text, each once.
    pub named: Vec<String>,
}

impl Query {
    /// Reads `text`. The first line counts most: it says what the rest is about.
    pub fn read(terms: &mut Terms, text: &str) -> Self {
        let text = head(text.trim(), LONGEST);
        let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut weighted: Vec<(Term, f32)> = Vec::new();
        let mut places: HashMap<Term, usize> = HashMap::new();
        let mut weigh = |part: &str, weight: fn(f32) -> f32| {
            for (term, count) in terms.counted(part.as_bytes()) {
                #[expect(clippy::cast_precision_loss, reason = "a count of words in a text of 32 KiB")]
                let more = weight(count as f32);
                let place = *places.entry(term).or_insert(weighted.len());
                match weighted.get_mut(place) {
                    Some((_, known)) => *known += more,
                    None => weighted.push((term, more)),
                }
            }
        };
        weigh(subject, |count| 2.0 * count.min(2.0));
        weigh(body, |count| count.min(3.0).sqrt());
        weighted.retain(|(term, _)| !is_stop(*term));
        weighted.truncate(MOST);
        Self {
            asks: Asks::of(terms, &weighted),
            terms: weighted,
            named: named(text),
        }
    }

    /// True where nothing in the text says what is meant.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.named.is_empty()
    }
}

/// Returns at most `most` bytes from the start, whole characters.
fn head(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Finds words with a dot or a slash inside: what may be names of files.
pub fn named(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let apart =
        |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | '(' | ')' | '[' | ']' | '<' | '>' | ',' | ';');
    for word in text.split(apart) {
        // `src/lib.rs:12` is a place in a file.
        let word = word.split(':').next().unwrap_or(word);
        let word = word.trim_matches(|c| matches!(c, '.' | '/' | '!' | '?' | '*'));
        let inside = word.contains(['/', '.']) && word.len() > 3;
        if inside && found.len() < 50 && !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_most_and_stop_words_not_at_all() {
        let mut terms = Terms::default();
        let query = Query::read(
            &mut terms,
            "Fix deadlock in walker\n\nThe walker sleeps. It sleeps, sleeps and sleeps.",
        );
        let of = |word: &str| {
            let term = Terms::default().counted(word.as_bytes()).first().map(|(term, _)| *term);
            query
                .terms
                .iter()
                .find(|(known, _)| Some(*known) == term)
                .map(|(_, weight)| *weight)
        };
        assert_eq!(of("deadlock"), Some(2.0));
        assert_eq!(of("walker"), Some(3.0));
        assert_eq!(of("sleep"), Some(3.0_f32.sqrt()));
        assert_eq!(of("fix"), None);
        assert!(Query::read(&mut terms, "Fix it.\n").is_empty());
        let asks = |text: &str| Query::read(&mut Terms::default(), text).asks;
        assert_eq!(
            (asks("Document the flag").prose, asks("Document the flag").config),
            (true, false)
        );
        assert!(asks("Bump dependencies").config && !asks("Sleep less").prose);
    }

    #[test]
    fn names_of_files_are_seen() {
        let found = named("See `src/lib.rs:12`, (a.py) and README.md. Not e.g. this/");
        assert_eq!(found, ["src/lib.rs", "a.py", "README.md"]);
    }

    #[test]
    fn a_huge_text_is_read_at_its_beginning() {
        let text = "ä word_".repeat(200_000);
        assert!(Query::read(&mut Terms::default(), &text).terms.len() <= MOST);
    }
}
