//! The budget of a prompt: who gets how much room, and how a text is cut.
//!
//! Owns shares and cuts; which section comes first is said by the caller through the order of its calls.

use serde::Serialize;

use crate::secret::Redactor;

/// Bytes of one token, for the size of prompts: fewer than usual, so that the endpoint's own limit holds.
pub const BYTES_PER_TOKEN: usize = 3;

/// What the frame of a block may take besides its path and text: fences, blank lines and the remark on a cut.
const FRAME: usize = 160;

/// A text as the templates show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Block {
    /// What it is: a path, or a goal and its description.
    pub path: String,
    /// Longer than any run of backticks in the text.
    pub fence: String,
    /// Empty, or ends with a newline.
    pub text: String,
    /// How much of it did not fit, `7 lines`; empty where all did.
    pub left_out: String,
}

impl Block {
    /// Makes a block of a text that fits.
    pub fn new(path: &str, text: String, missing: usize) -> Self {
        Self {
            path: path.to_owned(),
            fence: fence(&text),
            text,
            left_out: if missing > 0 { lines(missing) } else { String::new() },
        }
    }
}

/// Returns a fence that no fence in `text` can end.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.saturating_add(1).max(3))
}

/// A text that waits for room: redacted, and ending with a newline.
pub struct Waiting {
    path: String,
    text: String,
}

impl Waiting {
    /// Returns the bytes that all of it takes, its frame included.
    pub fn need(&self) -> usize {
        frame(&self.path, &self.text) + self.text.len()
    }

    /// Returns its name.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Makes a block of all of it.
    pub fn block(&self) -> Block {
        Block::new(&self.path, self.text.clone(), 0)
    }

    /// Returns how many lines from its start fit into `room` bytes.
    pub fn lines_within(&self, room: usize) -> usize {
        head(&self.text, room).lines().count()
    }
}

/// Room that is given away section by section.
pub struct Room<'a> {
    total: usize,
    left: usize,
    left_out: Vec<String>,
    redactor: &'a Redactor,
}

impl<'a> Room<'a> {
    /// Opens `total` bytes of room, of which `taken` are gone already; `None` if they do not fit. Texts go through
    /// `redactor` before they are cut, so that no half of a secret stays.
    pub fn open(total: usize, taken: usize, redactor: &'a Redactor) -> Option<Self> {
        Some(Self {
            total,
            left: total.checked_sub(taken)?,
            left_out: Vec::new(),
            redactor,
        })
    }

    /// Returns the bytes of `percent` of the whole.
    pub fn share(&self, percent: usize) -> usize {
        self.total.saturating_mul(percent) / 100
    }

    /// Returns the bytes that are left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Returns `text` without secrets, ending with a newline.
    pub fn clean(&self, text: &str) -> String {
        whole_lines(self.redactor.clean(text).as_str())
    }

    /// Makes texts ready to be given room; those that are blank need none.
    pub fn waiting(&self, texts: &[(String, &str)]) -> Vec<Waiting> {
        let texts = texts.iter().filter(|(_, text)| !text.trim().is_empty());
        texts
            .map(|(path, text)| Waiting {
                path: path.clone(),
                text: self.clean(text),
            })
            .collect()
    }

    /// Gives the texts what they need: together at most `percent` of the total, and what is left. Small ones stay
    /// whole as long as possible; a text that gets no room for a single line is left out with its frame.
    pub fn give(&mut self, texts: &[(String, &str)], percent: usize) -> Vec<Block> {
        let waiting = self.waiting(texts);
        let most = self.share(percent);
        self.fit(&waiting, most)
    }

    /// As `give`, with the most bytes.
    pub fn fit(&mut self, texts: &[Waiting], most: usize) -> Vec<Block> {
        let needs: Vec<usize> = texts.iter().map(Waiting::need).collect();
        let grants = share(&needs, self.left.min(most));
        let mut blocks = Vec::new();
        for (Waiting { path, text }, grant) in texts.iter().zip(grants) {
            let frame = frame(path, text);
            let kept = head(text, grant.saturating_sub(frame));
            let missing = text.lines().count() - kept.lines().count();
            if kept.is_empty() {
                self.leave_out(format!("{path} (all of {})", lines(missing)));
                continue;
            }
            if missing > 0 {
                self.leave_out(format!("{path} ({})", lines(missing)));
            }
            self.take(frame + kept.len());
            blocks.push(Block::new(path, kept.to_owned(), missing));
        }
        blocks
    }

    /// Takes `bytes` of what is left.
    pub fn take(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }

    /// Notes what did not fit.
    pub fn leave_out(&mut self, what: String) {
        self.left_out.push(what);
    }

    /// Returns what was left out so far.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Gives one text what it needs, as `give` does.
    pub fn give_one(&mut self, name: &str, text: &str, percent: usize) -> Option<Block> {
        self.give(&[(name.to_owned(), text)], percent).pop()
    }

    /// Returns what was left out, a line each.
    pub fn into_left_out(self) -> Vec<String> {
        self.left_out
    }
}

/// Words a number of lines.
pub fn lines(count: usize) -> String {
    format!("{count} line{}", if count == 1 { "" } else { "s" })
}

/// Returns the bytes that a block takes besides its text where nothing of it is cut.
pub fn frame_of_all(path: &str, text: &str) -> usize {
    path.len() + 2 * fence(text).len() + 6
}

/// Returns the most bytes that a block takes besides its text.
fn frame(path: &str, text: &str) -> usize {
    FRAME + path.len() + 2 * fence(text).len()
}

fn whole_lines(text: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{end}")
}

/// Shares `room` among `needs`: whoever needs least is served first, and no one gets less than an even part of what
/// is left then.
pub fn share(needs: &[usize], mut room: usize) -> Vec<usize> {
    let mut order: Vec<(usize, usize)> = needs.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, need)| *need);
    let mut waiting = order.len();
    let mut grants = vec![0; needs.len()];
    for (at, need) in order {
        let grant = need.min(room / waiting.max(1));
        waiting = waiting.saturating_sub(1);
        room -= grant;
        if let Some(place) = grants.get_mut(at) {
            *place = grant;
        }
    }
    grants
}

/// Returns as many whole lines from the start as fit into `room` bytes.
fn head(text: &str, room: usize) -> &str {
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        if end + line.len() > room {
            break;
        }
        end += line.len();
    }
    text.get(..end).unwrap_or_default()
}

/// Returns whole lines from the start and from the end that fit into `room` bytes, with a line between them that says
/// how many are missing: what fails first stands at the start of an output, what it comes to at the end.
pub fn ends(text: &str, room: usize) -> String {
    let text = whole_lines(text);
    if text.len() <= room {
        return text;
    }
    let start = head(&text, room / 2);
    let rest = text.get(start.len()..).unwrap_or_default();
    let mut from = rest.len();
    for line in rest.split_inclusive('\n').rev() {
        if rest.len() - from + line.len() > room / 2 {
            break;
        }
        from -= line.len();
    }
    let (middle, end) = rest.split_at_checked(from).unwrap_or((rest, ""));
    format!("{start}… {} left out\n{end}", lines(middle.lines().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_needs_are_met_and_the_rest_is_even() {
        assert_eq!(share(&[100, 10, 100], 110), [50, 10, 50]);
        assert_eq!(share(&[5, 5], 100), [5, 5]);
        assert_eq!(share(&[], 100), [0; 0]);
        assert_eq!(share(&[7, 9], 0), [0, 0]);
    }

    #[test]
    fn cuts_keep_whole_lines_and_whole_characters() {
        assert_eq!(head("ab\ncd\nef\n", 7), "ab\ncd\n");
        assert_eq!(head("ääää\n", 3), "");
        assert_eq!(ends("1\n2\n3\n4\n5\n6", 8), "1\n2\n… 2 lines left out\n5\n6\n");
        assert_eq!(ends("1\n2", 4), "1\n2\n");
        assert_eq!(ends("a very long line", 4), "… 1 line left out\n");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        for (text, length) in [("", 3), ("`a` ``b``", 3), ("```\n", 4), ("x`````", 6)] {
            assert_eq!(fence(text).len(), length, "{text}");
        }
    }

    #[test]
    fn no_section_gets_more_than_its_share_or_than_what_is_left() {
        let redactor = Redactor::default();
        let text = "line\n".repeat(1000);
        let mut room = Room::open(2000, 0, &redactor).unwrap();
        let block = room.give_one("log", &text, 50).unwrap();
        assert!((700..=1000).contains(&block.text.len()), "{}", block.text.len());
        assert_eq!(block.left_out, lines(1000 - block.text.lines().count()));
        let mut all = 0;
        while let Some(block) = room.give_one("more", &text, 100) {
            all += block.text.len();
        }
        assert!(all < 1000, "{all}");
        assert_eq!(room.into_left_out().pop().unwrap(), "more (all of 1000 lines)");
        assert!(Room::open(9, 10, &redactor).is_none());
    }
}
