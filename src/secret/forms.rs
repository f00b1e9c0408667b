//! The forms that a known key takes on its way through logs and replies: plain, JSON-escaped, URL-encoded, base64, hex.
//!
//! Owns these forms and how they are found. Knows no shapes of keys that it was not told.

use std::{fmt::Write as _, ops::Range};

/// Shorter texts than this are not taken for secrets.
pub const SHORTEST: usize = 8;

/// Most bytes of line breaks and separators between two characters of an encoded key.
const LONGEST_GAP: usize = 8;

/// What a matcher says of one place of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing begins here.
    No,
    /// What follows decides.
    Open,
    /// This is to be taken out.
    Span(Range<usize>),
}

impl Found {
    /// Lets a span begin at `start` instead.
    pub fn from_start(self, start: usize) -> Self {
        match self {
            Self::Span(span) => Self::Span(start..span.end),
            other => other,
        }
    }
}

/// Every form of every known key.
#[derive(PartialEq, Eq, Default)]
pub struct Forms {
    needles: Vec<Needle>,
    /// Which needles begin with a byte.
    by_first: Vec<Vec<usize>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Needle {
    bytes: Vec<u8>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Byte for byte.
    Exact,
    /// Encoders break lines.
    Base64,
    /// Dumps break lines, put spaces or colons between, and differ in case.
    Hex,
}

impl Forms {
    /// Collects the forms of `secrets`.
    pub fn of<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut needles: Vec<Needle> = secrets
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(forms)
            .collect();
        needles.sort();
        needles.dedup();
        let mut by_first = vec![Vec::new(); if needles.is_empty() { 0 } else { 256 }];
        for (number, needle) in needles.iter().enumerate() {
            for first in needle.firsts() {
                if let Some(list) = by_first.get_mut(usize::from(first)) {
                    list.push(number);
                }
            }
        }
        Self { needles, by_first }
    }

    /// Says whether a known key begins at `at`; the longest counts. `whole`: nothing follows `text`.
    pub fn at(&self, text: &[u8], at: usize, whole: bool) -> Found {
        let mut longest = None;
        let first = text.get(at).map_or(0, |byte| usize::from(*byte));
        for needle in self.by_first.get(first).into_iter().flatten() {
            match self.needles.get(*needle).map(|needle| needle.at(text, at, whole)) {
                Some(Found::Open) => return Found::Open,
                Some(Found::Span(span)) => longest = longest.max(Some(span.end)),
                Some(Found::No) | None => {}
            }
        }
        longest.map_or(Found::No, |end| Found::Span(at..end))
    }

    /// True where `text` holds a known key.
    pub fn is_in(&self, text: &[u8]) -> bool {
        !self.needles.is_empty() && (0..text.len()).any(|at| self.at(text, at, true) != Found::No)
    }
}

impl Needle {
    fn firsts(&self) -> Vec<u8> {
        let first = self.bytes.first().copied();
        let upper = first.map(|byte| byte.to_ascii_uppercase());
        let both = first
            .into_iter()
            .chain(upper.filter(|upper| self.kind == Kind::Hex && Some(*upper) != first));
        both.collect()
    }

    fn at(&self, text: &[u8], at: usize, whole: bool) -> Found {
        let mut place = at;
        for (nth, wanted) in self.bytes.iter().enumerate() {
            if nth > 0 && self.kind != Kind::Exact {
                place = self.past_gap(text, place);
            }
            let Some(byte) = text.get(place) else {
                return if whole { Found::No } else { Found::Open };
            };
            let same = match self.kind {
                Kind::Hex => byte.eq_ignore_ascii_case(wanted),
                Kind::Exact | Kind::Base64 => byte == wanted,
            };
            if !same {
                // An escape that is cut in two may yet turn out to be a gap.
                let cut = *byte == b'\\' && place + 1 == text.len() && nth > 0 && self.kind != Kind::Exact;
                return if cut && !whole { Found::Open } else { Found::No };
            }
            place += 1;
        }
        Found::Span(at..place)
    }

    fn past_gap(&self, text: &[u8], from: usize) -> usize {
        let mut place = from;
        while place - from < LONGEST_GAP {
            place += match (text.get(place), text.get(place + 1)) {
                (Some(b'\n' | b'\r'), _) => 1,
                (Some(b' ' | b':'), _) if self.kind == Kind::Hex => 1,
                (Some(b'\\'), Some(b'n' | b'r')) => 2,
                _ => break,
            };
        }
        place
    }
}

fn forms(secret: &str) -> Vec<Needle> {
    let escaped = json(secret);
    let mut exact = vec![secret.to_owned(), escaped.clone(), json(&escaped)];
    exact.push(escaped.replace('/', "\\/"));
    let html = ['<', '>', '&', '\u{7f}'].iter().fold(escaped, |text, c| {
        text.replace(*c, &format!("\\u{:04x}", u32::from(*c)))
    });
    exact.push(html);
    for kept in ["-_.~", "-_.~!'()*", "-_.~/", "-_.!~*'();/?:@&=+$,#"] {
        let upper = percent(secret, kept);
        exact.push(upper.replace("%20", "+"));
        exact.push(lower_escapes(&upper));
        exact.push(upper);
    }
    let encoded = |bytes: String, kind| Needle {
        bytes: bytes.into_bytes(),
        kind,
    };
    let mut all: Vec<Needle> = exact.into_iter().map(|text| encoded(text, Kind::Exact)).collect();
    for skipped in 0..3 {
        let standard = base64_inside(secret.as_bytes(), skipped);
        let url = standard.replace('+', "-").replace('/', "_");
        // JSON writers may escape the slash.
        all.push(encoded(standard.replace('/', "\\/"), Kind::Base64));
        all.push(encoded(standard, Kind::Base64));
        all.push(encoded(url, Kind::Base64));
    }
    all.push(encoded(hex(secret.as_bytes()), Kind::Hex));
    all
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(&quoted).to_owned()
}

/// `kept` are the characters besides letters and digits that stay.
fn percent(text: &str, kept: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.bytes().any(|c| c == byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn lower_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        out.push('%');
        out.push_str(&digits.to_ascii_lowercase());
        out.push_str(rest);
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Returns the base64 characters that `bytes` give wholly by themselves when `skipped` bytes (modulo 3) stand before them
/// and anything after.
fn base64_inside(bytes: &[u8], skipped: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let padded: Vec<u8> = std::iter::repeat_n(0, skipped).chain(bytes.iter().copied()).collect();
    let bit = |nth: usize| {
        let byte = padded.get(nth / 8).copied().unwrap_or(0);
        usize::from(byte >> (7 - nth % 8) & 1)
    };
    let digits = (skipped * 8).div_ceil(6)..padded.len() * 8 / 6;
    digits
        .filter_map(|digit| {
            let value = (0..6).fold(0, |value, nth| value << 1 | bit(digit * 6 + nth));
            DIGITS.get(value).map(|digit| char::from(*digit))
        })
        .collect()
}
