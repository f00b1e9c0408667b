//! Definitions that shown code refers to: where they are and how they begin, so that code can be called right without being
//! shown whole.
//!
//! Names are compared as they are written; what a name means in its place is not asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::{path::RepoPath, survey::definition, survey::language::Language};

/// Most definitions.
const MOST: usize = 60;
/// A name that is defined in more places than this says nothing about which is meant.
const PLACES: usize = 2;
/// Shorter names are everywhere.
const SHORTEST: usize = 3;
/// Longest line of a definition, in characters.
const LONGEST: usize = 160;

/// A file, and the lines of it that are shown.
pub struct File<'a> {
    /// Where it is.
    pub path: &'a RepoPath,
    /// The whole of it.
    pub text: &'a str,
    /// First and last lines that are shown, from 1; none where nothing is.
    pub shown: Vec<(u32, u32)>,
}

/// Returns, a line each as `path:line: text`, what the files define that the shown lines name and that is not shown itself.
/// Those of the first files come first.
pub fn referred(files: &[File<'_>]) -> String {
    let mut used: BTreeSet<&str> = BTreeSet::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for file in files {
        let lines: Vec<&str> = file.text.lines().collect();
        for (_, line) in lines.iter().enumerate().filter(|(at, _)| file.shows(at + 1)) {
            used.extend(identifiers(line));
        }
        let Some(language) = Language::of(&file.path.to_string()) else {
            continue;
        };
        for definition in definition::definitions(&lines, language) {
            *places.entry(definition.name.clone()).or_default() += 1;
            found.push((file, definition.name, definition.line));
        }
    }
    let wanted = found.iter().filter(|(file, name, line)| {
        name.chars().count() >= SHORTEST
            && used.contains(name.as_str())
            && places.get(name).is_some_and(|places| *places <= PLACES)
            && !file.shows(*line)
    });
    let worded = wanted.take(MOST).filter_map(|(file, _, line)| {
        let text = file.text.lines().nth(line.checked_sub(1)?)?;
        let text: String = text
            .trim_end()
            .trim_end_matches('{')
            .trim_end()
            .chars()
            .take(LONGEST)
            .collect();
        Some(format!("{}:{line}: {text}\n", file.path))
    });
    worded.collect()
}

impl File<'_> {
    fn shows(&self, line: usize) -> bool {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.shown.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }
}

fn identifiers(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| word.chars().next().is_some_and(|c| !c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path, text, and the lines that are shown.
    type Shown<'a> = (&'a str, &'a str, &'a [(u32, u32)]);

    fn referred_in(files: &[Shown<'_>]) -> String {
        let paths: Vec<RepoPath> = files.iter().map(|(path, ..)| RepoPath::parse(path).unwrap()).collect();
        let files: Vec<File<'_>> = files
            .iter()
            .zip(&paths)
            .map(|((_, text, shown), path)| File {
                path,
                text,
                shown: shown.to_vec(),
            })
            .collect();
        referred(&files)
    }

    #[test]
    fn what_shown_lines_name_is_given_by_its_first_line() {
        let caller =
            "use crate::b;\nfn main() {\n    b::parse_line(Place::new(), also);\n}\nfn also() {}\nfn unused() {}\n";
        let callee =
            "/// Parses.\npub fn parse_line(place: Place) -> Line {\n}\npub struct Place {\n}\npub fn rest() {}\n";
        assert_eq!(
            referred_in(&[("src/a.rs", caller, &[(2, 4)]), ("src/b.rs", callee, &[])]),
            "src/a.rs:5: fn also() {}\nsrc/b.rs:2: pub fn parse_line(place: Place) -> Line\nsrc/b.rs:4: pub struct Place\n"
        );
    }

    #[test]
    fn what_is_shown_or_stands_in_many_places_is_not_repeated() {
        let caller = "fn main() {\n    run();\n    here();\n}\nfn here() {}\n";
        let other = "pub fn run() {}\n";
        assert_eq!(
            referred_in(&[("a.rs", caller, &[(1, 5)]), ("b.rs", other, &[])]),
            "b.rs:1: pub fn run() {}\n"
        );
        let many = [
            ("a.rs", caller, &[(1, 5)][..]),
            ("b.rs", other, &[]),
            ("c.rs", other, &[]),
            ("d.rs", other, &[]),
        ];
        assert_eq!(referred_in(&many), "");
        assert_eq!(referred_in(&[("a.unknown", caller, &[(1, 2)])]), "");
        assert_eq!(referred_in(&[]), "");
    }
}
