//! Pieces: files of which some lines are shown. Owns how such lines are cut and headed, in a form that replies can copy:
//! the path, the lines in brackets, a fence with the text as the file has it.

use crate::prompt::budget::{Block, Room, frame_of_all};

/// A file, and the lines of it that are to be shown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(serde::Deserialize))]
pub struct Piece {
    /// Where it is.
    pub path: String,
    /// The whole file: what is cut out of it must be redacted with what stands around it.
    pub text: String,
    /// First and last line of each range, from 1, inclusive, ascending, not touching.
    pub ranges: Vec<(u32, u32)>,
}

/// Lines of a file, ready to be shown.
pub struct Cut {
    /// The first line and the last.
    pub range: (usize, usize),
    /// Path and lines, path in backticks, `(lines 3–9 of 40)`; of a whole file the path.
    pub heading: String,
    /// Ends with a newline.
    pub text: String,
}

impl Cut {
    /// Returns the bytes that it takes.
    pub fn need(&self) -> usize {
        frame_of_all(&self.heading, &self.text) + self.text.len()
    }

    /// Makes a block of it.
    pub fn into_block(self) -> Block {
        Block::new(&self.heading, self.text, 0)
    }

    /// Returns how many lines it has.
    pub fn lines(&self) -> usize {
        self.range.1.saturating_sub(self.range.0) + 1
    }
}

/// Cuts `ranges` out of the file `text` at `path`, without secrets. Where taking a secret out joined lines, those around
/// it are left out: their numbers would be wrong.
pub fn cut(path: &str, text: &str, ranges: &[(u32, u32)], room: &Room<'_>) -> Vec<Cut> {
    let cleaned = room.clean(text);
    let raw: Vec<&str> = text.lines().collect();
    let kept: Vec<&str> = cleaned.split_inclusive('\n').collect();
    let same = |(raw, kept): &(&&str, &&str)| **raw == kept.trim_end_matches(['\r', '\n']);
    let (start, end) = if raw.len() == kept.len() {
        (raw.len(), 0)
    } else {
        let start = raw.iter().zip(&kept).take_while(same).count();
        (start, raw.iter().rev().zip(kept.iter().rev()).take_while(same).count())
    };
    let mut cuts = Vec::new();
    for (first, last) in ranges {
        let number = |line: u32| usize::try_from(line).unwrap_or(usize::MAX);
        let (first, last) = (number(*first).max(1), number(*last).min(raw.len()));
        let at = if last <= start {
            first - 1
        } else if first > raw.len() - end.min(raw.len()) {
            // Counted from the end, which is as it was.
            (first - 1 + kept.len()).saturating_sub(raw.len())
        } else {
            continue;
        };
        let lines: String = kept
            .iter()
            .skip(at)
            .take((last + 1).saturating_sub(first))
            .copied()
            .collect();
        if !lines.is_empty() {
            cuts.push(Cut {
                range: (first, last),
                heading: heading(path, (first, last), raw.len()),
                text: lines,
            });
        }
    }
    cuts
}

fn heading(path: &str, (first, last): (usize, usize), all: usize) -> String {
    if (first, last) == (1, all) {
        path.to_owned()
    } else if first == last {
        format!("`{path}` (line {first} of {all})")
    } else {
        format!("`{path}` (lines {first}–{last} of {all})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Redactor, Secret};

    fn cuts(text: &str, ranges: &[(u32, u32)], redactor: &Redactor) -> Vec<(String, String)> {
        let room = Room::open(9000, 0, redactor).unwrap();
        let cuts = cut("a.rs", text, ranges, &room);
        cuts.into_iter().map(|cut| (cut.heading, cut.text)).collect()
    }

    fn pair(heading: &str, text: &str) -> (String, String) {
        (heading.to_owned(), text.to_owned())
    }

    #[test]
    fn lines_are_cut_as_the_file_has_them() {
        let none = Redactor::default();
        assert_eq!(
            cuts("1\n\t2 \r\n3\n4", &[(1, 1), (2, 3), (4, 9), (7, 8)], &none),
            [
                pair("`a.rs` (line 1 of 4)", "1\n"),
                pair("`a.rs` (lines 2–3 of 4)", "\t2 \r\n3\n"),
                pair("`a.rs` (line 4 of 4)", "4\n"),
            ]
        );
        assert_eq!(cuts("1\n2\n", &[(1, 2)], &none), [pair("a.rs", "1\n2\n")]);
        assert_eq!(cuts("", &[(1, 3)], &none), []);
        assert_eq!(cuts("1\n", &[(0, 0), (3, 2)], &none), []);
    }

    #[test]
    fn half_of_a_secret_is_not_cut_out_and_numbers_stay_right() {
        let redactor = Redactor::new([&Secret::new("first-half\nsecond-half")]);
        let text = "1\nkey = first-half\nsecond-half\n4\n5\n";
        assert_eq!(
            cuts(text, &[(1, 1), (2, 2), (3, 4), (5, 5)], &redactor),
            [pair("`a.rs` (line 1 of 5)", "1\n"), pair("`a.rs` (line 5 of 5)", "5\n")]
        );
        let redactor = Redactor::new([&Secret::new("one-line-secret")]);
        assert_eq!(
            cuts("1\na = one-line-secret\n", &[(2, 2)], &redactor),
            [pair("`a.rs` (line 2 of 2)", "a = [redacted]\n")]
        );
    }
}
