//! Names: what a path says: the terms of its folders and of its file name, and the name as a whole.

use crate::{
    context::terms::{Term, Terms},
    path::RepoPath,
};

/// What a term of the file name counts, in tenths.
const NAME: u32 = 10;

/// What a term of a folder counts, in tenths.
const FOLDER: u32 = 4;

/// What a path says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::context) struct Names {
    /// Its terms, each with how much it counts, in tenths.
    pub(in crate::context) terms: Vec<(Term, u32)>,
    /// What all of them count, in tenths.
    pub(in crate::context) sum: u32,
    /// The file name, without its suffix and what marks a test; `None` where that has no term.
    pub(in crate::context) stem: Option<Term>,
    /// The file name.
    pub(in crate::context) whole: Term,
}

impl Names {
    /// Reads a path: the last name counts whole, without its suffix; folders count less.
    pub(in crate::context) fn of(terms: &mut Terms, path: &RepoPath) -> Self {
        let mut counts: Vec<(Term, u32)> = Vec::new();
        let mut levels = path.as_bytes().rsplit(|byte| *byte == b'/');
        let mut count = |level: &[u8], weight: u32| {
            terms.each(level, |term| {
                match counts.iter_mut().find(|(known, _)| *known == term) {
                    Some((_, count)) => *count += weight,
                    None => counts.push((term, weight)),
                }
            });
        };
        let name = without_suffix(levels.next().unwrap_or_default());
        count(name, NAME);
        levels.for_each(|folder| count(folder, FOLDER));
        Self {
            sum: counts.iter().map(|(_, count)| count).sum(),
            terms: counts,
            stem: untested(name).and_then(|name| terms.counted(name.as_bytes()).last().map(|(term, _)| *term)),
            whole: Self::whole(path.file_name()),
        }
    }

    /// Returns the term that a file name is. Names that differ only in case have the same.
    pub(in crate::context) fn whole(name: &[u8]) -> Term {
        Term::whole(&String::from_utf8_lossy(name))
    }
}

/// Returns a file name without its last dot and what follows, unless it begins there.
fn without_suffix(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 => name.get(..dot).unwrap_or(name),
        _ => name,
    }
}

/// Returns a file name without what comes after its first dot and what marks a test: the stem of `test_slug.py`,
/// `slug_test.go`, `SlugTest.java` and `slug.spec.ts` is `slug`.
fn untested(name: &[u8]) -> Option<&str> {
    let name = name.split(|byte| *byte == b'.').find(|part| !part.is_empty())?;
    let name = std::str::from_utf8(name).ok()?;
    let before = ["test_", "Test"]
        .iter()
        .find_map(|mark| name.strip_prefix(mark))
        .unwrap_or(name);
    let marks = ["_test", "_tests", "Tests", "Test", "Spec", "_spec", "IT"];
    let stem = marks
        .iter()
        .find_map(|mark| before.strip_suffix(mark))
        .unwrap_or(before);
    Some(if stem.is_empty() { name } else { stem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Names {
        Names::of(&mut Terms::default(), &RepoPath::from_git(path))
    }

    fn term(word: &str) -> Term {
        Terms::default().counted(word.as_bytes())[0].0
    }

    #[test]
    fn the_file_name_counts_whole_and_folders_less() {
        let count = |path: &str, word: &str| {
            let names = of(path);
            names
                .terms
                .iter()
                .find(|(known, _)| *known == term(word))
                .map(|(_, count)| *count)
        };
        assert_eq!(count("walk/walk.rs", "walk"), Some(14));
        assert_eq!(count("walk/lib.rs", "walk"), Some(4));
        assert_eq!(count("walk/lib.rs", "rs"), None);
        // A dot of a folder begins no suffix of the file.
        assert_eq!(count("v1.2/Makefile", "makefile"), Some(10));
        assert_eq!(count("docs/.gitkeep", "gitkeep"), Some(10));
        assert_eq!(of("walk/walk.rs").sum, 14);
        let odd = of("_/\u{ff}.7");
        assert_eq!(
            (odd.whole, of("-").stem, of("-").sum),
            (Names::whole("\u{ff}.7".as_bytes()), None, 0)
        );
    }

    #[test]
    fn a_stem_is_the_name_without_suffix_and_marks_of_tests() {
        for name in [
            "slug.rs",
            "test_slug.py",
            "a/slug_test.go",
            "SlugTest.java",
            "slug.spec.ts",
            "TestSlug.php",
        ] {
            assert_eq!(of(name).stem, Some(term("slug")), "{name}");
        }
        assert_eq!(of("Test.java").stem, Some(term("test")));
        assert_ne!(of("slugs_of_all.rs").stem, Some(term("slug")));
    }
}
