//! Notes that authors left for later: the words below, in a comment, in capitals.

use crate::{
    path::RepoPath,
    survey::{Finding, Kind, language::Language, shown},
};

const WORDS: [(&str, u64); 4] = [("FIXME", 4), ("TODO", 3), ("XXX", 2), ("HACK", 1)];

/// Finds them in the lines of a file, which so many commits changed, and which may hold tests.
pub fn find(path: &RepoPath, lines: &[&str], language: Language, (changes, test): (u32, bool)) -> Vec<Finding> {
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if !WORDS.iter().any(|(word, _)| line.contains(word)) {
            continue;
        }
        let Some(weight) = comment(line, language).and_then(weight) else {
            continue;
        };
        found.push(Finding {
            kind: Kind::Note,
            path: path.clone(),
            line: at + 1,
            text: shown(line),
            remark: String::new(),
            rank: u64::from(!test) * 1_000_000 + u64::from(changes.min(99)) * 10 + weight,
        });
    }
    found
}

/// Returns the comment of a line, without what opens it.
fn comment(line: &str, language: Language) -> Option<&str> {
    let trimmed = line.trim_start();
    let block = !matches!(language, Language::Python | Language::Ruby | Language::Shell);
    if let Some(rest) = trimmed.strip_prefix('*').filter(|_| block) {
        return Some(rest);
    }
    let (mut quote, mut escaped) = (None, false);
    for (at, c) in line.char_indices() {
        let rest = line.get(at..).unwrap_or_default();
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' || (c == '\'' && language.single_quotes()) => quote = Some(c),
            None => {
                if let Some(mark) = language.comments().iter().find(|mark| rest.starts_with(**mark)) {
                    return rest.get(mark.len()..);
                }
            }
        }
    }
    None
}

/// Returns how much a comment weighs that is such a note: it begins with the word, or a colon or a name follows the word.
fn weight(comment: &str) -> Option<u64> {
    let start = comment.trim_start_matches(|c: char| c.is_ascii_punctuation() || c.is_whitespace());
    WORDS.iter().find_map(|(word, weight)| {
        let at = comment.find(word)?;
        let rest = comment.get(at + word.len()..)?;
        let before = comment.get(..at)?.chars().next_back();
        let quoted = comment.get(..at)?.matches('`').count() % 2 == 1;
        let alone = !quoted && !before.is_some_and(|c| c.is_alphanumeric() || "_'\"-".contains(c));
        let first = start.starts_with(word) && (rest.trim().is_empty() || rest.starts_with([' ', ':', '(', '-', '!']));
        // What only names the word, as a rule about such notes does, is none.
        let said = first && *word != "XXX" || rest.starts_with(": ") || (rest.starts_with('(') && rest.contains("):"));
        let said = said || (first && *word == "XXX" && rest.trim().len() > 3);
        (alone && said).then_some(*weight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_stands_in_a_comment_and_is_one() {
        let table = [
            (Language::Rust, "    // TODO: fold accents", true),
            (Language::Rust, "let a = 1; // FIXME(anna): wrong", true),
            (Language::Rust, "/// XXX what if it is empty", true),
            (Language::Rust, "let text = \"// TODO: no comment\";", false),
            (Language::Rust, "let todo = \"TODO\";", false),
            (Language::Rust, "// the words `TODO` and `FIXME` are found", false),
            (Language::Rust, "/// Such as `a.rs:1: // TODO: fold`.", false),
            (Language::Rust, "// finds TODO and FIXME", false),
            (Language::Rust, "// a number such as XXX-XXX", false),
            (Language::Python, "x = 1  # HACK around a bug", true),
            (Language::Python, "x = '# TODO: no'", false),
            (Language::C, " * TODO: free it", true),
            (Language::Script, "a(`// TODO: no`)", false),
            (Language::Go, "// TODOs are counted", false),
        ];
        for (language, line, is_note) in table {
            let found = find(&RepoPath::from_git("a"), &["", line], language, (0, false));
            assert_eq!(!found.is_empty(), is_note, "{line}");
            assert!(
                found.iter().all(|note| note.line == 2 && note.text == line.trim()),
                "{found:?}"
            );
        }
    }

    #[test]
    fn notes_in_tests_come_last() {
        let note = |test| find(&RepoPath::from_git("a"), &["// TODO: a"], Language::Go, (9, test)).remove(0);
        assert!(note(false).rank > note(true).rank);
    }
}
