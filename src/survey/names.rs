//! Names: whether certain words occur in code, however they are spelled. Keeps none of the text.
//!
//! `no-commit`, `no_commit`, `noCommit` and `NO_COMMIT` are one name here: a flag is seldom spelled in the code as it is
//! on the command line.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A name, by the hash of its letters and digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Name(u64);

const START: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
}

impl Name {
    /// Takes the letters and digits of `text` for a name; `None` where there is none.
    pub fn of(text: &str) -> Option<Self> {
        let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
        let hash = letters.fold(START, step);
        (hash != START).then_some(Self(hash))
    }
}

/// Where a name was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// In what the project is made of.
    Code,
    /// In tests.
    Test,
}

/// The names that are looked for, and where each was seen.
#[derive(Default)]
pub struct Names {
    wanted: HashMap<Name, (bool, bool), BuildHasherDefault<Plain>>,
}

/// Takes hashes for their own hash.
#[derive(Default)]
struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().copied().fold(START, step);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

impl Names {
    /// Looks for `names` in all that is taken from now on.
    pub fn want(&mut self, names: impl IntoIterator<Item = Name>) {
        for name in names {
            self.wanted.entry(name).or_default();
        }
    }

    /// Takes the words of `text`, also those that hyphens join.
    pub fn take(&mut self, text: &str, seen: Seen) {
        if self.wanted.is_empty() {
            return;
        }
        let (mut word, mut joined, mut hyphens) = (START, START, false);
        for byte in text.bytes().chain([b' ']) {
            match byte {
                b'_' => {}
                b'-' if word != START => {
                    self.meet(word, seen);
                    (word, hyphens) = (START, true);
                }
                byte if byte.is_ascii_alphanumeric() => {
                    word = step(word, byte);
                    joined = step(joined, byte);
                }
                _ if joined != START => {
                    self.meet(word, seen);
                    if hyphens {
                        self.meet(joined, seen);
                    }
                    (word, joined, hyphens) = (START, START, false);
                }
                _ => {}
            }
        }
    }

    fn meet(&mut self, hash: u64, seen: Seen) {
        if let Some((code, test)) = self.wanted.get_mut(&Name(hash)) {
            match seen {
                Seen::Code => *code = true,
                Seen::Test => *test = true,
            }
        }
    }

    /// True where a name that is looked for was seen anywhere.
    pub fn anywhere(&self, name: Name) -> bool {
        self.wanted.get(&name).is_some_and(|(code, test)| *code || *test)
    }

    /// True where it was seen in tests.
    pub fn in_tests(&self, name: Name) -> bool {
        self.wanted.get(&name).is_some_and(|(_, test)| *test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_spelled() {
        for text in [
            "no-commit",
            "--no-commit=x",
            "self.no_commit()",
            "noCommit",
            "NO_COMMIT",
            "x no-commit\n",
        ] {
            let mut names = Names::default();
            names.want(Name::of("no-commit"));
            names.take(text, Seen::Code);
            assert!(names.anywhere(Name::of("noCommit").unwrap()), "{text}");
            assert!(!names.in_tests(Name::of("noCommit").unwrap()), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_word_is_another_name() {
        let mut names = Names::default();
        names.want(Name::of("commit"));
        names.take("commits nocommit recommit", Seen::Test);
        assert!(!names.anywhere(Name::of("commit").unwrap()));
        names.take("no-commit", Seen::Test);
        assert!(
            names.in_tests(Name::of("commit").unwrap()),
            "a part between hyphens is a word"
        );
        assert_eq!(Name::of("--"), None);
    }
}
