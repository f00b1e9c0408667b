//! Near-duplicates: how alike two goals are by what they say and which files they name.
//!
//! Owns the likeness and the index that finds the nearest goal. Knows no states; what follows from a likeness is
//! `judge`'s business.
//!
//! Words are compared, not meanings: weighed by how rare they are among the known goals, endings cut, synonyms made one,
//! names of code split. Words that either goal has for itself count against it, so do other numbers, other flags and names
//! of code, opposites, a test or a page about a thing beside the thing itself; the same main file counts for it, other files
//! against. A good idea that is refused is lost, a duplicate costs a call, so the bound is the highest one that loses no
//! recall on the pairs it was fitted to.
//!
//! Measured on the 214 labelled pairs of `tests/fixtures/duplicates.json`, nearly all of them without prompts:
//! precision 1.00 and recall 0.71 on the 136 that words and weights were chosen on, 0.94 and 0.72 on the 78 held out.
//! What is missed is said in other words altogether ("Show the elapsed time after each build", "Print how long a build
//! took"), or in another language.

use std::collections::{BTreeSet, HashMap};

use crate::{goal::Goal, plan::words};

/// From here on two goals are duplicates.
const DUPLICATE: f64 = 0.67;
/// How many goals are compared in full.
const MOST_COMPARED: usize = 24;
/// What a word counts that a paraphrase swaps for another.
const GENERIC: f64 = 0.3;

/// How much of the likeness two goals lose that have no word in common.
const CONTRAST: f64 = 0.5;
/// Prompts that are less alike ask for something else, whatever the descriptions say.
const UNLIKE_BODIES: f64 = 0.35;

/// The nearest goal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Near {
    /// Its place in the index, from 0, in the order of `add`.
    pub nth: usize,
    /// How alike they are, from 0 to 1.
    pub likeness: f64,
}

impl Near {
    /// True where they are so alike that one of them is enough.
    pub fn is_duplicate(&self) -> bool {
        self.likeness >= DUPLICATE
    }

    /// Returns the likeness as a whole number of hundredths.
    pub fn percent(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is from 0 to 100"
        )]
        let percent = (self.likeness.clamp(0.0, 1.0) * 100.0).round() as u32;
        percent
    }
}

/// What is compared of a goal.
#[derive(Debug)]
struct Traits {
    /// Words of the description, by number, sorted.
    head: Vec<u32>,
    /// Words of description and prompt, sorted.
    all: Vec<u32>,
    /// Words of the prompt, sorted.
    body: Vec<u32>,
    /// Names of code and of flags in the description.
    names: BTreeSet<String>,
    files: BTreeSet<String>,
    main: Option<String>,
    kind: Kind,
    numbers: BTreeSet<String>,
    evidence: BTreeSet<String>,
    /// The description, folded.
    said: String,
}

/// What a goal brings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Code,
    Removal,
    Tests,
    Docs,
    Bench,
}

/// Goals that can be searched for the nearest one.
#[derive(Debug, Default)]
pub struct Index {
    numbers: HashMap<String, u32>,
    words: Vec<Word>,
    goals: Vec<Traits>,
}

#[derive(Debug)]
struct Word {
    text: String,
    generic: bool,
    /// The goals that have it in their description or prompt.
    goals: Vec<usize>,
}

impl Index {
    /// Adds a goal.
    pub fn add(&mut self, goal: &Goal) {
        let traits = self.traits(goal);
        let nth = self.goals.len();
        for word in &traits.all {
            if let Some(word) = usize::try_from(*word).ok().and_then(|at| self.words.get_mut(at)) {
                word.goals.push(nth);
            }
        }
        self.goals.push(traits);
    }

    /// Returns the goal that is most like `goal`, the first of several; `None` where nothing is in common.
    pub fn nearest(&mut self, goal: &Goal) -> Option<Near> {
        let traits = self.traits(goal);
        let mut sums = vec![0.0; self.goals.len()];
        for number in &traits.all {
            let weight = self.weight(*number);
            for nth in self.word(*number).map(|word| &word.goals).into_iter().flatten() {
                sums.get_mut(*nth).into_iter().for_each(|sum| *sum += weight);
            }
        }
        let mut shared: Vec<(usize, f64)> = sums.into_iter().enumerate().filter(|(_, sum)| *sum > 0.0).collect();
        shared.sort_by(|(a, x), (b, y)| y.total_cmp(x).then(a.cmp(b)));
        shared.truncate(MOST_COMPARED);
        let compared = shared.into_iter().filter_map(|(nth, _)| {
            let likeness = self.likeness(&traits, self.goals.get(nth)?);
            Some(Near { nth, likeness })
        });
        compared.max_by(|a, b| a.likeness.total_cmp(&b.likeness).then(b.nth.cmp(&a.nth)))
    }

    fn traits(&mut self, goal: &Goal) -> Traits {
        let words = words::comparable(&goal.description);
        let kind = kind(&words::comparable(&words::without_names(&goal.description)));
        let numbers = words.iter().filter(|word| word.chars().all(|c| c.is_ascii_digit()));
        let numbers = numbers.cloned().collect();
        let said = words.join(" ");
        let head = self.number(words);
        let body = self.number(words::comparable(&goal.prompt));
        let mut all = body.clone();
        all.extend(&head);
        all.sort_unstable();
        all.dedup();
        let named = goal.named_files();
        Traits {
            head,
            all,
            body,
            names: words::names(&goal.description),
            main: named.first().map(|file| (*file).to_owned()),
            files: named.into_iter().map(str::to_owned).collect(),
            kind,
            numbers,
            evidence: goal.evidence.iter().filter_map(|line| place(line)).collect(),
            said,
        }
    }

    fn number(&mut self, words: Vec<String>) -> Vec<u32> {
        let mut all: Vec<u32> = Vec::with_capacity(words.len());
        for text in words {
            let next = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
            let number = *self.numbers.entry(text).or_insert_with_key(|text| {
                self.words.push(Word {
                    text: text.clone(),
                    generic: words::is_generic(text),
                    goals: Vec::new(),
                });
                next
            });
            all.push(number);
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    fn word(&self, number: u32) -> Option<&Word> {
        usize::try_from(number).ok().and_then(|at| self.words.get(at))
    }

    /// What a word counts: less the more goals have it, and much less where a paraphrase swaps it.
    fn weight(&self, number: u32) -> f64 {
        let Some(word) = self.word(number) else {
            return 0.0;
        };
        #[expect(clippy::cast_precision_loss, reason = "counts of goals are small")]
        let (goals, having) = (self.goals.len() as f64, word.goals.len() as f64);
        let rare = ((goals + 2.0) / (having + 1.0)).ln() / (goals + 2.0).ln();
        let weight = 0.4 + 0.6 * rare.clamp(0.0, 1.0);
        if word.generic { weight * GENERIC } else { weight }
    }

    fn likeness(&self, a: &Traits, b: &Traits) -> f64 {
        if a.said == b.said && !a.said.is_empty() && a.files_agree(b) && !a.other_names(b) {
            return 1.0;
        }
        let heads = 2.0 * self.common(&a.head, &b.head) / (self.sum(&a.head) + self.sum(&b.head)).max(0.01);
        let covered = |head: &[u32], all: &[u32]| self.common(head, all) / self.sum(head).max(0.01);
        let (one, two) = (covered(&a.head, &b.all), covered(&b.head, &a.all));
        // One of two often says more; what counts is how much of the other it says.
        let covered = 0.7 * one.max(two) + 0.3 * one.min(two);
        let mut likeness = 0.3 * heads + 0.7 * covered;
        if !a.body.is_empty() && !b.body.is_empty() {
            let bodies = 2.0 * self.common(&a.body, &b.body) / (self.sum(&a.body) + self.sum(&b.body)).max(0.01);
            likeness = Self::with_bodies(likeness, bodies, self.is_thin(&a.head, &b.head));
        }
        // Of a thing there are many tests and many pages, each about something else.
        let contrast = if a.kind == Kind::Code { CONTRAST } else { 2.0 * CONTRAST };
        likeness *= a.conflicts(b, self) * (1.0 - contrast * self.own(&a.head, &b.head));
        likeness.clamp(0.0, 0.99)
    }

    /// Takes in how alike the prompts are. They are worded anew each time: they lower a likeness only where the descriptions
    /// share next to nothing that says what the goal is about.
    fn with_bodies(heads: f64, bodies: f64, thin: bool) -> f64 {
        let both = 0.6 * heads + 0.4 * (1.5 * bodies).min(1.0);
        match (thin, bodies < UNLIKE_BODIES) {
            (false, _) => both.max(heads),
            (true, false) => both,
            (true, true) => 0.55 * both,
        }
    }

    fn is_thin(&self, a: &[u32], b: &[u32]) -> bool {
        let shared = a.iter().filter(|word| b.binary_search(word).is_ok());
        let telling = shared.filter(|word| self.word(**word).is_some_and(|word| !word.generic));
        telling.count() < 2
    }

    /// Returns how much of both is words of its own, by weight; of the two the one with less.
    fn own(&self, a: &[u32], b: &[u32]) -> f64 {
        let own = |one: &[u32], other: &[u32]| (self.sum(one) - self.common(one, other)) / self.sum(one).max(0.01);
        own(a, b).min(own(b, a))
    }

    fn sum(&self, words: &[u32]) -> f64 {
        words.iter().map(|word| self.weight(*word)).sum()
    }

    /// What the words weigh that both have; words that begin alike count in part.
    fn common(&self, a: &[u32], b: &[u32]) -> f64 {
        let mut sum = 0.0;
        for word in a {
            if b.binary_search(word).is_ok() {
                sum += self.weight(*word);
            } else if let Some(text) = self.word(*word).map(|word| word.text.as_str()) {
                let alike = b.iter().filter(|other| a.binary_search(other).is_err());
                let alike = alike
                    .filter_map(|other| self.word(*other))
                    .any(|other| begin_alike(text, &other.text));
                if alike {
                    sum += 0.8 * self.weight(*word);
                }
            }
        }
        sum
    }

    fn has(&self, traits: &Traits, word: &str) -> bool {
        self.numbers
            .get(word)
            .is_some_and(|number| traits.head.binary_search(number).is_ok())
    }
}

impl Traits {
    /// True where both name code or flags, and none in common.
    fn other_names(&self, other: &Self) -> bool {
        !self.names.is_empty() && !other.names.is_empty() && self.names.is_disjoint(&other.names)
    }

    fn files_agree(&self, other: &Self) -> bool {
        self.files.is_empty() || other.files.is_empty() || !self.files.is_disjoint(&other.files)
    }

    /// What speaks for or against two goals being one, besides their words.
    fn conflicts(&self, other: &Self, index: &Index) -> f64 {
        let mut factor = 1.0;
        if self.kind != other.kind {
            factor *= 0.5;
        }
        if self.numbers != other.numbers {
            let either = self.numbers.is_empty() || other.numbers.is_empty();
            factor *= if either { 0.85 } else { 0.5 };
        }
        let other_names = self.other_names(other);
        if other_names {
            factor *= 0.6;
        }
        let opposite = words::opposites().iter().any(|(one, two)| {
            let only = |traits: &Self, has: &str, lacks: &str| index.has(traits, has) && !index.has(traits, lacks);
            only(self, one, two) && only(other, two, one) || only(self, two, one) && only(other, one, two)
        });
        if opposite {
            factor *= 0.5;
        }
        if !self.files.is_empty() && !other.files.is_empty() {
            // Functions of one file are many.
            factor *= if self.files.is_disjoint(&other.files) {
                0.7
            } else if other_names {
                1.0
            } else if self.main == other.main {
                1.25
            } else {
                1.1
            };
        }
        if !self.evidence.is_disjoint(&other.evidence) {
            factor *= 1.2;
        }
        factor
    }
}

/// Path and quote of a line of evidence; the line number moves.
fn place(line: &str) -> Option<String> {
    let (path, rest) = line.split_once(':')?;
    let (_, quote) = rest.split_once(':')?;
    Some(format!("{path}:{}", quote.trim()))
}

fn kind(words: &[String]) -> Kind {
    let has = |word: &str| words.iter().any(|other| other == word);
    if words.iter().take(2).any(|word| word == "remove") {
        Kind::Removal
    } else if has("benchmark") {
        Kind::Bench
    } else if has("test") {
        Kind::Tests
    } else if has("document") || has("readme") {
        Kind::Docs
    } else {
        Kind::Code
    }
}

/// True for words of which the shorter is most of the longer, or nearly: `serialis` and `serialize`.
fn begin_alike(a: &str, b: &str) -> bool {
    let same = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longer = a.chars().count().max(b.chars().count());
    same >= 4 && same * 10 >= longer * 7
}

#[cfg(test)]
mod tests;
