//! Conflict markers: a memory file that a merge was left in the middle of, taken apart again.
//!
//! Owns how both sides are told from such a text, and their merge. Knows nothing of git.

use crate::backlog::{error::BacklogError, merge};

/// The sides of a text with conflict markers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sides {
    /// What the sides come from, where the markers tell; else nothing.
    pub base: String,
    /// The side above.
    pub ours: String,
    /// The side below.
    pub theirs: String,
}

/// Which part of a conflict a line is in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Outside,
    Ours,
    Base,
    Theirs,
}

/// Takes a text apart; `None` where it has no complete conflict, or a marker stands where none can.
pub fn sides(text: &str) -> Option<Sides> {
    let (mut sides, mut part, mut found, mut has_base) = (Sides::default(), Part::Outside, false, true);
    for line in text.split_inclusive('\n') {
        let is = |mark: &str| line.trim_end().split(' ').next() == Some(mark);
        part = match part {
            Part::Outside if is("<<<<<<<") => Part::Ours,
            Part::Ours if is("|||||||") => Part::Base,
            Part::Ours if is("=======") => {
                has_base = false;
                Part::Theirs
            }
            Part::Base if is("=======") => Part::Theirs,
            Part::Theirs if is(">>>>>>>") => {
                found = true;
                Part::Outside
            }
            Part::Outside => {
                [&mut sides.base, &mut sides.ours, &mut sides.theirs]
                    .into_iter()
                    .for_each(|side| side.push_str(line));
                continue;
            }
            Part::Ours => {
                sides.ours.push_str(line);
                continue;
            }
            Part::Base => {
                sides.base.push_str(line);
                continue;
            }
            Part::Theirs => {
                sides.theirs.push_str(line);
                continue;
            }
        };
    }
    if !has_base {
        sides.base.clear();
    }
    (found && part == Part::Outside).then_some(sides)
}

/// Merges the memory file `path` out of a text with conflict markers; `None` where it cannot be taken apart. The base is what
/// the markers tell, else `base`; without one no goal of either side is lost.
///
/// # Errors
/// When a side is no valid memory file.
pub fn merged(path: &str, text: &str, base: &[u8]) -> Result<Option<Vec<u8>>, BacklogError> {
    let Some(Sides {
        base: told,
        ours,
        theirs,
    }) = sides(text)
    else {
        return Ok(None);
    };
    let [ours, theirs] = [&ours, &theirs].map(|side| trailing_comma(side));
    // A base that cannot be read tells nothing.
    let told = trailing_comma(&told);
    let base = if told.is_empty() { base } else { told.as_bytes() };
    let joined = merge::file(path, [base, ours.as_bytes(), theirs.as_bytes()]);
    let joined = joined.or_else(|_| merge::file(path, [b"", ours.as_bytes(), theirs.as_bytes()]));
    joined.map(Some)
}

/// Returns a text without the comma that a row keeps where the rows behind it are on the other side only.
fn trailing_comma(text: &str) -> String {
    let Some((rows, end)) = text.trim_end().rsplit_once(']') else {
        return text.to_owned();
    };
    match rows.trim_end().strip_suffix(',') {
        Some(rows) => format!("{rows}\n]{end}\n"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backlog::{Backlog, close::PENDING};

    #[test]
    fn goals_of_both_sides_come_out_of_a_text_with_markers() {
        let text = "[\n{\"id\":\"a\"},\n<<<<<<< HEAD\n{\"id\":\"b\"}\n=======\n{\"id\":\"c\"},\n{\"id\":\"d\"}\n>>>>>>> other\n]\n";
        let merged = merged(PENDING, text, b"").unwrap().unwrap();
        let ids = Backlog::parse(&merged).unwrap();
        let ids: Vec<&str> = ids.ids().iter().map(crate::id::GoalId::as_str).collect();
        assert_eq!(ids, ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_base_between_the_sides_tells_what_was_taken_out() {
        let text = "[\n<<<<<<< HEAD\n||||||| 1234567\n{\"id\":\"a\"}\n=======\n{\"id\":\"a\"},\n{\"id\":\"b\"}\n>>>>>>> other\n]\n";
        let merged = merged(PENDING, text, b"").unwrap().unwrap();
        assert_eq!(String::from_utf8(merged).unwrap(), "[\n{\"id\":\"b\"}\n]\n");
    }

    #[test]
    fn half_a_conflict_is_left_alone() {
        for text in [
            "[]\n",
            "<<<<<<< a\n[]\n",
            "<<<<<<< a\n=======\n",
            ">>>>>>> a\n",
            "<<<<<<< a\n=======\n<<<<<<< a\n",
        ] {
            assert_eq!(sides(text), None, "{text}");
        }
    }
}
