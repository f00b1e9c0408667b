//! Colours of terminal output as data: spans of text with the numbers of the attributes that hold for them.
//!
//! Owns which sequences mean something on a page: colours and weight. Every other sequence and control character is dropped,
//! and characters that turn the direction of text, or hide it, become visible. Makes no HTML.

use std::iter::Peekable;

use serde::Serialize;

use crate::verdict::text;

/// Longest line that is shown, in characters; what is beyond is left out.
const LONGEST: usize = 4000;

/// A piece of a line with its attributes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Span {
    /// The text, without any control character but tabs.
    pub text: String,
    /// Attributes by their numbers: 1 to 4, 9, 30 to 37, 40 to 47, 90 to 97, 100 to 107.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sgr: Vec<u8>,
}

/// What holds for the text that follows.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Style {
    /// Bold, faint, italic, underlined, struck out.
    weights: [bool; 5],
    front: Option<u8>,
    back: Option<u8>,
}

/// The number of each weight, in the order of `Style::weights`.
const WEIGHTS: [u8; 5] = [1, 2, 3, 4, 9];

/// Reads lines one after the other: what one sets holds for the next ones, too.
#[derive(Clone, Default)]
pub struct Reader {
    style: Style,
}

impl Reader {
    /// Reads a line, without its line feed. Of one that was overwritten by carriage returns the last state stays.
    pub fn line(&mut self, line: &str) -> Vec<Span> {
        let mut pieces = Pieces::default();
        let mut chars = line.chars().peekable();
        let mut overwrite = false;
        while let Some(c) = chars.next() {
            match c {
                '\u{1b}' if chars.next_if_eq(&'[').is_some() => self.sequence(&mut chars),
                '\u{1b}' => text::escape(&mut chars),
                '\u{9b}' => self.sequence(&mut chars),
                '\r' => overwrite = true,
                '\u{8}' => pieces.pop(),
                _ if c.is_control() && c != '\t' => {}
                _ => {
                    if std::mem::take(&mut overwrite) {
                        pieces = Pieces::default();
                    }
                    pieces.push(if is_deceptive(c) { '\u{fffd}' } else { c }, self.style);
                }
            }
        }
        pieces.spans()
    }

    /// Reads the parameters of a control sequence; those of `m` set attributes.
    fn sequence(&mut self, chars: &mut Peekable<impl Iterator<Item = char>>) {
        let mut parameters = String::new();
        while let Some(c) = chars.next_if(|c| (' '..='?').contains(c)) {
            parameters.push(c);
        }
        if chars.next_if(|c| ('@'..='~').contains(c)) == Some('m') {
            self.style.set(&parameters);
        }
    }
}

impl Style {
    fn set(&mut self, parameters: &str) {
        // Sub-parameters stand behind colons: `38:5:n`.
        let mut numbers = parameters.split([';', ':']).map(|text| match text {
            "" => Some(0),
            text => text.parse::<u32>().ok(),
        });
        while let Some(number) = numbers.next() {
            match number {
                None => return,
                Some(0) => *self = Self::default(),
                Some(22) => (self.weights[0], self.weights[1]) = (false, false),
                Some(23) => self.weights[2] = false,
                Some(24) => self.weights[3] = false,
                Some(29) => self.weights[4] = false,
                Some(38) => self.front = extended(&mut numbers).or(self.front),
                Some(39) => self.front = None,
                Some(48) => self.back = extended(&mut numbers).map(|front| front + 10).or(self.back),
                Some(49) => self.back = None,
                Some(number) => self.set_plain(number),
            }
        }
    }

    fn set_plain(&mut self, number: u32) {
        let Ok(number) = u8::try_from(number) else { return };
        if let Some((_, on)) = WEIGHTS
            .iter()
            .zip(&mut self.weights)
            .find(|(weight, _)| **weight == number)
        {
            *on = true;
        }
        match number {
            30..=37 | 90..=97 => self.front = Some(number),
            40..=47 | 100..=107 => self.back = Some(number),
            _ => {}
        }
    }

    fn numbers(self) -> Vec<u8> {
        let weights = WEIGHTS.iter().zip(self.weights).filter(|(_, on)| *on);
        weights
            .map(|(weight, _)| *weight)
            .chain(self.front)
            .chain(self.back)
            .collect()
    }
}

/// Reads `5;n` or `2;r;g;b`, and returns the number of the plain colour that comes nearest.
fn extended(numbers: &mut impl Iterator<Item = Option<u32>>) -> Option<u8> {
    let mut next = || numbers.next().flatten().and_then(|number| u8::try_from(number).ok());
    match next()? {
        5 => Some(match next()? {
            low @ 0..8 => 30 + low,
            bright @ 8..16 => 82 + bright,
            cube @ 16..232 => {
                let cube = cube - 16;
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                nearest(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
            grey => nearest(8 + 10 * (grey - 232), 8 + 10 * (grey - 232), 8 + 10 * (grey - 232)),
        }),
        2 => Some(nearest(next()?, next()?, next()?)),
        _ => None,
    }
}

/// Returns the plain colour for the front: one bit a channel, bright where the strongest is.
fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    let most = red.max(green).max(blue);
    let bit = |channel: u8, bit: u8| if most > 40 && channel > most / 2 { bit } else { 0 };
    let colour = bit(red, 1) | bit(green, 2) | bit(blue, 4);
    match (colour, most) {
        (0, _) => 30,
        (7, ..=160) => 90,
        (_, 201..) => 90 + colour,
        _ => 30 + colour,
    }
}

/// True for what turns the direction of text around, or takes no room: a line must say what it seems to say.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The characters of a line with their styles.
#[derive(Default)]
struct Pieces(Vec<(char, Style)>);

impl Pieces {
    fn push(&mut self, c: char, style: Style) {
        if self.0.len() < LONGEST {
            self.0.push((c, style));
        } else if self.0.len() == LONGEST {
            self.0.push(('…', Style::default()));
        }
    }

    fn pop(&mut self) {
        self.0.pop();
    }

    fn spans(self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut last = None;
        for (c, style) in self.0 {
            match spans.last_mut().filter(|_| last == Some(style)) {
                Some(span) => span.text.push(c),
                None => spans.push(Span {
                    text: c.to_string(),
                    sgr: style.numbers(),
                }),
            }
            last = Some(style);
        }
        spans
    }
}

/// Returns the text of a line without its attributes.
pub fn plain(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(String, Vec<u8>)> {
        let spans = Reader::default().line(line);
        spans.into_iter().map(|span| (span.text, span.sgr)).collect()
    }

    fn span(text: &str, sgr: &[u8]) -> (String, Vec<u8>) {
        (text.to_owned(), sgr.to_vec())
    }

    #[test]
    fn colours_and_weights_are_read_and_end_where_they_are_reset() {
        assert_eq!(
            read("a\u{1b}[1;31mb\u{1b}[39mc\u{1b}[md"),
            [span("a", &[]), span("b", &[1, 31]), span("c", &[1]), span("d", &[])]
        );
        assert_eq!(read("\u{1b}[38;5;9mx"), [span("x", &[91])]);
        assert_eq!(read("\u{1b}[38:5:2mx"), [span("x", &[32])]);
        assert_eq!(read("\u{1b}[48;2;250;10;10mx"), [span("x", &[101])]);
        assert_eq!(read("\u{1b}[38;5;244mx"), [span("x", &[90])]);
        let mut reader = Reader::default();
        reader.line("\u{1b}[32mone");
        assert_eq!(
            reader.line("two")[0].sgr,
            [32],
            "a colour holds beyond the end of its line"
        );
    }

    #[test]
    fn what_is_hostile_stays_text_or_goes() {
        let inert = [
            ("\u{1b}]0;title\u{7}x", "x"),
            ("\u{1b}]8;;javascript:alert(1)\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}[2J\u{1b}[1;1Hx", "x"),
            ("\u{1b}P1$r\u{1b}\\x", "x"),
            ("\u{1b}[8mhidden", "hidden"),
            ("\u{9b}31mx\0\u{1}", "x"),
            ("old\rnew", "new"),
            ("ab\u{8}c", "ac"),
            ("a\u{202e}b\u{200b}c", "a\u{fffd}b\u{fffd}c"),
            ("\u{1b}[99999999999999999999mx", "x"),
            ("\u{1b}[38;5mx", "x"),
            ("\u{1b}[38;2;300;0;0mx", "x"),
            ("\u{1b}[", ""),
            ("\u{1b}", ""),
            ("<script>", "<script>"),
        ];
        for (line, wanted) in inert {
            assert_eq!(plain(&Reader::default().line(line)), wanted, "{line:?}");
        }
        assert!(plain(&Reader::default().line(&"x".repeat(9000))).chars().count() <= LONGEST + 1);
    }
}
