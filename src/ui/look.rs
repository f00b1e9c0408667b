//! `Look`: how text must be made for the reader: width, colour, characters. Holds no stream.

use crate::{
    letters,
    schedule::State,
    time::eta::Eta,
    ui::colour::{Paint, Style},
};

/// Longest column of goals' ids.
pub const ID: usize = 24;

/// What the reader's terminal can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// Colours of standard output.
    pub paint: Paint,
    /// Columns.
    pub width: usize,
    /// False where only ASCII can be shown.
    pub unicode: bool,
}

impl Look {
    /// Returns the sign between two parts of a line.
    pub fn dot(&self) -> &'static str {
        if self.unicode { "·" } else { "-" }
    }

    /// Returns the sign for what was left out.
    pub fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// Returns the sign between the ends of a range.
    pub fn dash(&self) -> &'static str {
        if self.unicode { "–" } else { "-" }
    }

    /// Words how long something takes: `about 4–9 min`, `up to 9 min`.
    pub fn about(&self, eta: Eta) -> String {
        let words = eta.words(self.dash(), "up to ");
        match words.starts_with("up to") {
            true => words,
            false => ["about ", &words].concat(),
        }
    }

    /// Words how much longer something takes, in few columns: `4–9 min left`, `<9 min left`.
    pub fn left(&self, eta: Eta) -> String {
        eta.words(self.dash(), "<") + " left"
    }

    /// Returns a state's word, padded and painted.
    pub fn state(&self, state: State, width: usize) -> String {
        self.word(Style::of(state), state.word(), width)
    }

    /// Returns any word, padded and painted.
    pub fn word(&self, style: Style, word: &str, width: usize) -> String {
        self.paint.paint(style, &pad(word, width))
    }

    /// Returns `text` on one line, without control characters, in at most `width` columns.
    pub fn cut(&self, text: &str, width: usize) -> String {
        letters::cut(text, width, self.ellipsis())
    }

    /// True where lines are not cut: what reads them is no terminal.
    pub fn is_endless(&self) -> bool {
        self.width == usize::MAX
    }

    /// Returns `text` as `cut` does, then filled with spaces.
    pub fn cell(&self, text: &str, width: usize) -> String {
        pad(&self.cut(text, width), width)
    }
}

/// Fills `text` with spaces.
pub fn pad(text: &str, width: usize) -> String {
    let gap = width.saturating_sub(letters::columns(text));
    format!("{text}{}", " ".repeat(gap))
}

/// Returns `1 reply`, `2 replies` and the like.
pub fn count(n: impl TryInto<u64>, one: &str, many: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// Returns a number with its thousands apart: `12,345`.
pub fn grouped(n: impl TryInto<u64>) -> String {
    letters::grouped(n.try_into().unwrap_or(u64::MAX))
}

/// Returns a span of time: `0.4 s`, `6 s`, `2 min 5 s`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 0.95 {
        return format!("{seconds:.1} s");
    }
    let whole = std::time::Duration::try_from_secs_f64(seconds.round())
        .unwrap_or_default()
        .as_secs();
    match (whole / 60, whole % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// Returns how long something goes on, to what matters of it: `0.4 s`, `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`.
pub fn age(span: std::time::Duration) -> String {
    let whole = span.as_secs();
    match whole {
        0..60 => seconds(span.as_secs_f64().min(59.4)),
        60..3600 => format!("{} min", whole / 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole / 60 % 60),
        _ => format!("{} d {} h", whole / 86_400, whole / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASCII: Look = Look {
        paint: Paint { on: false },
        width: 80,
        unicode: false,
    };
    const UNICODE: Look = Look { unicode: true, ..ASCII };

    #[test]
    fn text_is_cut_by_columns_and_says_so() {
        assert_eq!(UNICODE.cut("Slug from a title", 17), "Slug from a title");
        assert_eq!(UNICODE.cut("Slug from a title", 10), "Slug from…");
        assert_eq!(ASCII.cut("Slug from a title", 10), "Slug fr...");
        assert_eq!(UNICODE.cut("目標目標", 5), "目標…");
        assert_eq!(letters::columns(&UNICODE.cell("目標", 7)), 7);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(count(1, "reply", "replies"), "1 reply");
        let spans: Vec<String> = [0.04, 0.96, 6.4, 59.6, 125.0].map(seconds).into();
        assert_eq!(spans, ["0.0 s", "1 s", "6 s", "1 min 0 s", "2 min 5 s"]);
        let ages = [59_900, 60_000, 3_599_000, 7_500_000, 100_000_000]
            .map(std::time::Duration::from_millis)
            .map(age);
        assert_eq!(ages, ["59 s", "1 min", "59 min", "2 h 5 min", "1 d 3 h"]);
    }
}
