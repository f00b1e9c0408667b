//! Finds where a reply leaves code out: a comment such as `// ... existing code ...` in the place of lines.
//!
//! Such a comment is a note to a reader, not content: written to a file it would delete what it stands for.

const LEADERS: [&str; 7] = ["//", "#", "--", "/*", "<!--", ";", "%"];
const WORDS: [&str; 9] = [
    "existing code",
    "rest of",
    "remaining",
    "remains the same",
    "remain the same",
    "unchanged",
    "other code",
    "previous code",
    "same as before",
];

/// Returns the first line of `new` that stands for code left out and that `old` does not have.
pub(crate) fn left_out<'a>(old: &str, new: &'a str) -> Option<&'a str> {
    let mut notes = new.lines().filter(|line| is_note(line));
    notes.find(|note| !old.lines().any(|line| line.trim() == note.trim()))
}

fn is_note(line: &str) -> bool {
    let line = line.trim();
    let Some(comment) = LEADERS.iter().find_map(|leader| line.strip_prefix(leader)) else {
        return false;
    };
    let comment = comment.trim_start_matches(['/', '#', '*', '-', ' ', '(', '[']);
    let folded = comment.to_lowercase();
    (folded.starts_with("...") || folded.starts_with('…')) && WORDS.iter().any(|word| folded.contains(word))
}
