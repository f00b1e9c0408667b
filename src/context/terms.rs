//! Terms: what text is compared by. Identifiers are split into their words, which are stemmed; each identifier of several
//! words is a term as a whole, too.
//!
//! Owns how text becomes terms, and which words say nothing. A change here makes what is kept useless: count
//! `context::VERSION` up.

use std::{collections::HashMap, sync::LazyLock};

use rust_stemmers::{Algorithm, Stemmer};

/// A word or a whole identifier, as `BITS` bits of a hash: of a million terms, one query in thirty thousand meets another
/// term's bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Term(u64);

/// How many bits of a term are kept.
const BITS: u32 = 40;

/// Longest run of letters and digits that is read; the rest of a longer one is data.
const LONGEST: usize = 80;

impl Term {
    /// Returns the term of one word as it stands.
    fn of(kind: u8, word: &[u8]) -> Self {
        Self(hashed(kind, word) >> 24)
    }

    /// Returns the term of a whole identifier, whether it has one word or several.
    pub fn whole(identifier: &str) -> Self {
        let lower = identifier.trim_matches('_').to_lowercase();
        Self::of(b'=', lower.as_bytes())
    }

    /// Returns the first `bits` bits, up to 24.
    pub fn fan(self, bits: u32) -> u64 {
        self.0.checked_shr(BITS.saturating_sub(bits)).unwrap_or(0)
    }

    /// Returns what is behind the first `bits` bits.
    pub fn below(self, bits: u32) -> u64 {
        self.0 & Self::mask(bits)
    }

    /// True where `below` can stand behind `bits` bits.
    pub fn holds(below: u64, bits: u32) -> bool {
        below & !Self::mask(bits) == 0
    }

    fn mask(bits: u32) -> u64 {
        let end = 1_u64.checked_shl(BITS.saturating_sub(bits)).unwrap_or(0);
        end.wrapping_sub(1)
    }

    /// Returns the term of which the first `bits` bits are `fan`, and the others `below`.
    pub fn joined(fan: u64, below: u64, bits: u32) -> Self {
        Self(fan.checked_shl(BITS.saturating_sub(bits)).unwrap_or(0) | below)
    }
}

/// FNV-1a, and a finalizer so that all bits take part.
fn hashed(kind: u8, word: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = word.iter().fold(step(start, &kind), step);
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

/// Reads text as terms; remembers the identifiers that it saw.
pub struct Terms {
    stemmer: Stemmer,
    known: HashMap<u64, Box<[Term]>>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            stemmer: Stemmer::create(Algorithm::English),
            known: HashMap::new(),
        }
    }
}

impl Terms {
    /// Most identifiers that are remembered.
    const MEMORY: usize = 200_000;

    /// Calls `found` for every term of `text`, in its order.
    pub fn each(&mut self, text: &[u8], mut found: impl FnMut(Term)) {
        if self.known.len() > Self::MEMORY {
            self.known.clear();
        }
        for word in words(text) {
            let key = hashed(b' ', word);
            let stemmer = &self.stemmer;
            let terms = self.known.entry(key).or_insert_with(|| split(stemmer, word));
            terms.iter().copied().for_each(&mut found);
        }
    }

    /// Returns the terms of `text` with how often each is in it, in the order of their first use.
    pub fn counted(&mut self, text: &[u8]) -> Vec<(Term, u32)> {
        let mut counted: Vec<(Term, u32)> = Vec::new();
        let mut places: HashMap<Term, usize> = HashMap::new();
        self.each(text, |term| {
            let place = *places.entry(term).or_insert(counted.len());
            match counted.get_mut(place) {
                Some((_, count)) => *count += 1,
                None => counted.push((term, 1)),
            }
        });
        counted
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Returns runs of letters, digits and `_`; every byte beyond ASCII counts as a letter. Single digits are none.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| !is_word(*byte)).filter_map(|word| {
        let word = word.get(..LONGEST).unwrap_or(word);
        let digits = word.iter().all(u8::is_ascii_digit);
        let says_something = if digits { word.len() > 1 } else { !word.is_empty() };
        says_something.then_some(word)
    })
}

fn split(stemmer: &Stemmer, word: &[u8]) -> Box<[Term]> {
    match std::str::from_utf8(word) {
        Ok(word) if word.is_ascii() => split_ascii(stemmer, word),
        _ => split_other(&String::from_utf8_lossy(word)),
    }
}

/// Splits at `_`, where capitals begin, and between letters and digits.
fn split_ascii(stemmer: &Stemmer, word: &str) -> Box<[Term]> {
    let parts: Vec<&[u8]> = parts(word.as_bytes());
    let several = parts.len() > 1;
    let mut terms: Vec<Term> = Vec::with_capacity(parts.len() + 1);
    for part in parts.iter().filter(|part| part.len() > 1 || !several) {
        let lower = String::from_utf8_lossy(part).to_ascii_lowercase();
        terms.push(Term::of(b'w', stemmer.stem(&lower).as_bytes()));
    }
    if several {
        terms.push(Term::whole(word));
    }
    terms.into()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Letter {
    Upper,
    Lower,
    Digit,
    Other,
}

fn letter(byte: u8) -> Letter {
    match byte {
        b'A'..=b'Z' => Letter::Upper,
        b'a'..=b'z' => Letter::Lower,
        b'0'..=b'9' => Letter::Digit,
        _ => Letter::Other,
    }
}

fn parts(word: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 1..=word.len() {
        let (before, here) = (word.get(at - 1).map(|b| letter(*b)), word.get(at).map(|b| letter(*b)));
        let after = word.get(at + 1).map(|b| letter(*b));
        let together = match (before, here) {
            (Some(Letter::Upper), Some(Letter::Lower)) => true,
            // `HTTPServer` is `HTTP` and `Server`.
            (Some(Letter::Upper), Some(Letter::Upper)) => after != Some(Letter::Lower),
            (before, here) => before == here,
        };
        if !together {
            if before != Some(Letter::Other) {
                found.extend(word.get(start..at));
            }
            start = at;
        }
    }
    found
}

/// Words beyond ASCII: as they are, in lower case; where words are not set apart, each two characters.
fn split_other(word: &str) -> Box<[Term]> {
    let lower: Vec<char> = word.to_lowercase().chars().collect();
    let text = |chars: &[char]| Term::of(b'w', chars.iter().collect::<String>().as_bytes());
    match lower.iter().any(|c| unspaced(*c)) && lower.len() > 2 {
        true => lower.windows(2).map(text).collect(),
        false => Box::new([text(&lower)]),
    }
}

/// Kana, Han and Thai.
fn unspaced(c: char) -> bool {
    matches!(c, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Words that say nothing about what a commit touches: English function words, and what nearly every commit does.
const STOPS: &str = "a an the and or but if then else when while for to of in on at by with from into as is are was were be \
    been being it its this that these those there here not no nor so such than too very can could will would should may \
    might must do does did done has have had having we you they he she i our your their them us me my also only just more \
    most some any all each other another which who whom what where why how about after before again over under out up \
    down off same own now new old fix fixes fixed fixing add adds added adding remove removes removed removing use uses \
    used using make makes made making allow allows allowed instead ensure avoid avoids support supports change changes \
    changed update updates updated improve improves improved handle handles handling properly correctly correct issue \
    bug problem because since due via per see e g etc pr commit patch small minor bit thanks";

/// True for terms that say nothing in a query.
pub fn is_stop(term: Term) -> bool {
    static KNOWN: LazyLock<std::collections::HashSet<Term>> = LazyLock::new(|| {
        let mut known = std::collections::HashSet::new();
        Terms::default().each(STOPS.as_bytes(), |term| {
            known.insert(term);
        });
        known
    });
    KNOWN.contains(&term)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(word: &str) -> Vec<String> {
        let parts = parts(word.as_bytes());
        parts
            .into_iter()
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect()
    }

    #[test]
    fn identifiers_are_split_where_words_begin() {
        for (word, expected) in [
            ("read_line", "read line"),
            ("readLine", "read Line"),
            ("HTTPServer", "HTTP Server"),
            ("__init__", "init"),
            ("sha256sum", "sha 256 sum"),
            ("MAX_SIZE", "MAX SIZE"),
            ("x", "x"),
            ("_", ""),
            ("A1b", "A 1 b"),
        ] {
            assert_eq!(parted(word).join(" "), expected, "{word}");
        }
    }

    #[test]
    fn forms_of_a_word_and_ways_to_write_a_name_meet() {
        let mut terms = Terms::default();
        let mut of = |text: &str| terms.counted(text.as_bytes());
        assert_eq!(of("parsing"), of("parse"));
        assert_eq!(of("Parsers"), of("parser"));
        assert!(of("scanGenericCommand").contains(&(Term::whole("scangenericcommand"), 1)));
        assert_eq!(of("x y 7"), of("y x").into_iter().rev().collect::<Vec<_>>());
        assert_eq!(of("Größe GRÖSSE größe").first().map(|(_, count)| *count), Some(2));
        assert_eq!(of("設定を読む").len(), 4);
        assert!(of("").is_empty());
    }

    #[test]
    fn words_of_every_commit_say_nothing() {
        let mut terms = Terms::default();
        assert!(
            terms
                .counted(b"Fixes the handling of")
                .iter()
                .all(|(term, _)| is_stop(*term))
        );
        assert!(!terms.counted(b"deadlock").iter().any(|(term, _)| is_stop(*term)));
    }

    #[test]
    fn a_term_is_its_first_bits_and_the_others() {
        let term = Term::whole("scan");
        for bits in [0, 1, 12, 24] {
            assert_eq!(Term::joined(term.fan(bits), term.below(bits), bits), term);
        }
    }
}
