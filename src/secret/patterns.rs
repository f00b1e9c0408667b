//! Shapes of keys: what is taken for a secret although nobody said that it is one.
//!
//! Owns the table of prefixes and the few shapes that a prefix does not tell. Each look at a place is bounded, and what
//! must stand before a key never stands within one, so that time is linear in the text. What looks like a key and is
//! everyday text (hashes, identifiers, placeholders of manuals) must pass: a prompt without it would be wrong.

use std::ops::Range;

use crate::secret::{
    bytes::{
        alnum, base32, base64, between, blank, distinct, has_digit_and_letter, hex, holds, is_example, looks_made,
        loose, of_label, of_password, of_url, token68, upper, word, word_or_dot, word_or_equals, word_or_slash,
    },
    forms::{Found, SHORTEST},
};

/// Bytes before a place that are looked at: the longest escape, such as `\u003d`.
pub const BEHIND: usize = 8;

/// Most bytes of a token.
const TOKEN: usize = 4096;
/// Most bytes of a private key in PEM.
const PEM: usize = 16 * 1024;
/// Most bytes of a user or a password in a URL.
const URL_PART: usize = 256;

/// A prefix that no ordinary word has, and what follows it in a key.
struct Rule {
    prefix: &'static str,
    tail: fn(u8) -> bool,
    least: usize,
    most: usize,
}

const fn rule(prefix: &'static str, tail: fn(u8) -> bool, least: usize) -> Rule {
    Rule {
        prefix,
        tail,
        least,
        most: TOKEN,
    }
}

const fn exact(prefix: &'static str, tail: fn(u8) -> bool, length: usize) -> Rule {
    Rule {
        prefix,
        tail,
        least: length,
        most: length,
    }
}

/// By first letter, so that few are looked at.
const A: &[Rule] = &[
    exact("AKIA", base32, 16),
    exact("ASIA", base32, 16),
    exact("ABIA", base32, 16),
    exact("ACCA", base32, 16),
    exact("AIza", word, 35),
    exact("AGE-SECRET-KEY-1", upper, 58),
    rule("ATATT3", word_or_equals, 60),
];
const D: &[Rule] = &[
    rule("dckr_pat_", word, 27),
    exact("doo_v1_", hex, 64),
    exact("dop_v1_", hex, 64),
];
const G: &[Rule] = &[
    rule("ghp_", alnum, 36),
    rule("gho_", alnum, 36),
    rule("ghu_", alnum, 36),
    rule("ghs_", alnum, 36),
    rule("ghr_", alnum, 36),
    rule("github_pat_", word, 40),
    rule("glpat-", word_or_dot, 20),
    rule("gldt-", word, 20),
    rule("glrt-", word_or_dot, 20),
    rule("glcbt-", word, 20),
    rule("glptt-", hex, 40),
    rule("glft-", word, 20),
    rule("glsoat-", word, 20),
    rule("gloas-", word, 64),
    rule("glagent-", word, 50),
    rule("gsk_", alnum, 40),
    rule("GOCSPX-", word, 28),
];
const H: &[Rule] = &[
    rule("hf_", alnum, 34),
    rule("hvs.", word, 24),
    rule("hooks.slack.com/services/", word_or_slash, 40),
];
const L: &[Rule] = &[exact("lin_api_", alnum, 40)];
const N: &[Rule] = &[exact("npm_", alnum, 36), rule("nvapi-", word, 60)];
const P: &[Rule] = &[rule("pypi-AgE", word, 40), exact("pplx-", alnum, 48)];
const R: &[Rule] = &[rule("rk_live_", alnum, 16), exact("r8_", alnum, 37)];
const S: &[Rule] = &[
    rule("sk-ant-api03-", word, 20),
    rule("sk-ant-admin01-", word, 20),
    rule("sk-ant-oat01-", word, 20),
    rule("sk-ant-ort01-", word, 20),
    rule("sk-ant-sid01-", word, 20),
    rule("sk-ant-", alnum, 20),
    rule("sk-or-v1-", word, 20),
    rule("sk-or-", alnum, 20),
    rule("sk-proj-", word, 20),
    rule("sk-svcacct-", word, 20),
    rule("sk-admin-", word, 20),
    rule("sk-", alnum, 20),
    rule("sk_live_", alnum, 16),
    rule("shpat_", hex, 32),
    rule("sntrys_", word_or_equals, 60),
    rule("SG.", word_or_dot, 50),
];
const X: &[Rule] = &[
    rule("xoxa-", word, 16),
    rule("xoxb-", word, 16),
    rule("xoxe-", word, 16),
    rule("xoxe.", word_or_dot, 16),
    rule("xoxo-", word, 16),
    rule("xoxp-", word, 16),
    rule("xoxr-", word, 16),
    rule("xoxs-", word, 16),
    rule("xoxc-", word, 16),
    rule("xoxd-", word, 16),
    rule("xapp-", word, 16),
    rule("xai-", alnum, 60),
];
const Y: &[Rule] = &[rule("ya29.", word, 20)];

fn rules(first: u8) -> &'static [Rule] {
    match first {
        b'A' => A,
        b'd' => D,
        b'g' | b'G' => G,
        b'h' => H,
        b'l' => L,
        b'n' => N,
        b'p' => P,
        b'r' => R,
        b's' | b'S' => S,
        b'x' => X,
        b'y' => Y,
        _ => &[],
    }
}

/// Adds to `spans` what has the shape of a key and is found from `at` on; returns true where what follows `text` decides.
/// `whole`: nothing follows.
pub fn at(text: &[u8], at: usize, whole: bool, spans: &mut Vec<Range<usize>>) -> bool {
    let Some(first) = text.get(at).copied() else {
        return false;
    };
    let place = Place { text, at, whole };
    match first {
        b':' => add(place.url_password(), spans),
        b'-' => add(place.private_key(), spans),
        b'a'..=b'z' | b'A'..=b'Z' => place.word(first, spans),
        _ => false,
    }
}

fn add(found: Found, spans: &mut Vec<Range<usize>>) -> bool {
    match found {
        Found::Open => return true,
        Found::Span(span) => spans.push(span),
        Found::No => {}
    }
    false
}

/// A place in a text.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a [u8],
    at: usize,
    whole: bool,
}

/// How far something reaches.
enum Reach {
    To(usize),
    No,
    Open,
}

impl<'a> Place<'a> {
    fn word(self, first: u8, spans: &mut Vec<Range<usize>>) -> bool {
        let found = match first {
            b'a' | b'A' => self.header(b"authorization"),
            b'x' | b'X' => self.header(b"x-api-key"),
            b's' | b'S' => self.aws_secret(),
            _ => Found::No,
        };
        let shaped = |byte| matches!(byte, b'b' | b'B' | b'e');
        let mut open = add(found, spans);
        if (shaped(first) || !rules(first).is_empty()) && self.begins_a_word() {
            for rule in rules(first) {
                open |= add(self.token(rule), spans);
            }
            open |= match first {
                b'b' | b'B' => add(self.bearer(), spans),
                b'e' => add(self.web_token(), spans),
                _ => false,
            };
        }
        open
    }

    fn byte(self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    fn part(self, span: Range<usize>) -> &'a [u8] {
        self.text.get(span).unwrap_or_default()
    }

    /// True where no letter, digit, `_` or `-` stands before, unless as the end of an escape: `\n`, `%3D`, `\u003d`.
    fn begins_a_word(self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).and_then(|at| self.byte(at));
        let digits = |most: usize| (1..=most).all(|back| before(back).is_some_and(hex));
        before(1).is_none_or(|last| !word(last))
            || before(2) == Some(b'\\') && before(1).is_some_and(|last| b"nrtbf".contains(&last))
            || before(3) == Some(b'%') && digits(2)
            || before(6) == Some(b'\\') && before(5) == Some(b'u') && digits(4)
    }

    /// Reads `wanted` at `from`, letters in any case.
    fn literal(self, from: usize, wanted: &[u8]) -> Reach {
        let there = self.part(from..self.text.len().min(from + wanted.len()));
        if wanted
            .get(..there.len())
            .is_none_or(|start| !start.eq_ignore_ascii_case(there))
        {
            Reach::No
        } else if there.len() == wanted.len() {
            Reach::To(from + wanted.len())
        } else if self.whole {
            Reach::No
        } else {
            Reach::Open
        }
    }

    /// Reads at most `most` bytes of a set; where there are more of them it is nothing.
    fn run(self, from: usize, set: fn(u8) -> bool, most: usize) -> Reach {
        let there = self.part(from..self.text.len().min(from + most + 1));
        let length = there.iter().take_while(|byte| set(**byte)).count();
        if length > most {
            Reach::No
        } else if from + length == self.text.len() && !self.whole {
            Reach::Open
        } else {
            Reach::To(from + length)
        }
    }

    fn token(self, rule: &Rule) -> Found {
        let prefix = rule.prefix.as_bytes();
        let there = self.part(self.at..self.text.len().min(self.at + prefix.len()));
        if !prefix.starts_with(there) {
            return Found::No;
        }
        let from = match self.literal(self.at, prefix) {
            Reach::To(end) => end,
            Reach::No => return Found::No,
            Reach::Open => return Found::Open,
        };
        self.value(from, rule.tail, (rule.least, rule.most), |token| {
            looks_made(token) && !is_example(token)
        })
        .from_start(self.at)
    }

    /// Reads a value of a set with a length in `lengths`, if it `fits` and no identifier goes on after it.
    fn value(
        self,
        from: usize,
        set: fn(u8) -> bool,
        (least, most): (usize, usize),
        fits: impl Fn(&[u8]) -> bool,
    ) -> Found {
        let end = match self.run(from, set, most) {
            Reach::To(end) => end,
            Reach::No => return Found::No,
            Reach::Open => return Found::Open,
        };
        let goes_on = self.byte(end).is_some_and(|next| alnum(next) || next == b'_');
        if end - from < least || goes_on || !fits(self.part(from..end)) {
            return Found::No;
        }
        Found::Span(from..end)
    }

    /// `Authorization: Bearer …` as a header or in code; the value alone is taken out.
    fn header(self, name: &'static [u8]) -> Found {
        let from = match self.literal(self.at, name) {
            Reach::To(end) => end,
            Reach::No => return Found::No,
            Reach::Open => return Found::Open,
        };
        let from = match self.run(from, between, 16) {
            Reach::To(end) if end > from => end,
            Reach::Open => return Found::Open,
            _ => return Found::No,
        };
        if name == b"x-api-key" {
            return self.value(from, token68, (16, TOKEN), has_digit_and_letter);
        }
        for (scheme, fits) in SCHEMES {
            match self.literal(from, scheme) {
                Reach::Open => return Found::Open,
                Reach::No => {}
                Reach::To(end) => {
                    return match self.run(end, blank, 4) {
                        Reach::To(from) if from > end => self.value(from, token68, (12, TOKEN), fits),
                        Reach::Open => Found::Open,
                        _ => Found::No,
                    };
                }
            }
        }
        Found::No
    }

    /// `Bearer …` without a header's name.
    fn bearer(self) -> Found {
        match self.literal(self.at, b"bearer") {
            Reach::No => Found::No,
            Reach::Open => Found::Open,
            Reach::To(end) => match self.run(end, blank, 4) {
                Reach::To(from) if from > end => self.value(from, token68, (20, TOKEN), |token| {
                    has_digit_and_letter(token) && distinct(token) >= 8
                }),
                Reach::Open => Found::Open,
                _ => Found::No,
            },
        }
    }

    /// A signed JSON web token: three segments, the first two of which begin an object.
    fn web_token(self) -> Found {
        let mut from = self.at;
        for nth in 0..3 {
            if nth < 2 {
                match self.literal(from, b"ey") {
                    Reach::To(_) => {}
                    Reach::No => return Found::No,
                    Reach::Open => return Found::Open,
                }
            }
            let end = match self.run(from, word, 2 * TOKEN) {
                Reach::To(end) => end,
                Reach::No => return Found::No,
                Reach::Open => return Found::Open,
            };
            let least = if nth == 2 { 10 } else { 15 };
            if end - from < least || nth < 2 && self.byte(end) != Some(b'.') {
                return Found::No;
            }
            from = end + usize::from(nth < 2);
        }
        Found::Span(self.at..from)
    }

    /// `secret_access_key = "…"` in any spelling, with the 40 characters of an AWS key; these alone are taken out.
    fn aws_secret(self) -> Found {
        let mut from = self.at;
        for (word, needed) in [(&b"secret"[..], true), (b"access", false), (b"key", true)] {
            if from > self.at && self.byte(from).is_some_and(|byte| byte == b'_' || byte == b'-') {
                from += 1;
            }
            match self.literal(from, word) {
                Reach::To(end) => from = end,
                Reach::Open => return Found::Open,
                Reach::No if needed => return Found::No,
                Reach::No => {}
            }
        }
        let assigned = |end| self.part(from..end).iter().any(|byte| b":=,".contains(byte));
        let like_theirs = |token: &[u8]| {
            let letter = |is: fn(&u8) -> bool| token.iter().any(is);
            letter(u8::is_ascii_lowercase) && letter(u8::is_ascii_uppercase) && looks_made(token) && !is_example(token)
        };
        match self.run(from, between, 16) {
            Reach::To(end) if assigned(end) => self.value(end, base64, (40, 40), like_theirs),
            Reach::Open => Found::Open,
            _ => Found::No,
        }
    }

    /// The password of `scheme://user:password@host`, looked for at the colon of the scheme; it alone is taken out.
    fn url_password(self) -> Found {
        let schemed = self.at.checked_sub(1).and_then(|at| self.byte(at)).is_some_and(alnum);
        let user = match self.literal(self.at, b"://") {
            Reach::To(end) if schemed => end,
            Reach::Open if schemed => return Found::Open,
            _ => return Found::No,
        };
        let from = match self.run(user, of_url, URL_PART) {
            Reach::To(end) if self.byte(end) == Some(b':') => end + 1,
            Reach::Open => return Found::Open,
            _ => return Found::No,
        };
        let end = match self.run(from, of_password, URL_PART) {
            Reach::To(end) if self.byte(end) == Some(b'@') => end,
            Reach::Open => return Found::Open,
            _ => return Found::No,
        };
        let password = self.part(from..end);
        let ordinary = password == self.part(user..from.saturating_sub(1))
            || password.first().is_some_and(|first| b"$%{*".contains(first))
            || ORDINARY
                .iter()
                .any(|word| password.eq_ignore_ascii_case(word.as_bytes()));
        match self.byte(end + 1) {
            None if !self.whole => Found::Open,
            Some(host) if alnum(host) || host == b'[' => {
                if password.len() < SHORTEST || distinct(password) < 4 || ordinary {
                    Found::No
                } else {
                    Found::Span(from..end)
                }
            }
            _ => Found::No,
        }
    }

    /// A private key in PEM, also inside a string with escaped line breaks, and also where its end is missing.
    fn private_key(self) -> Found {
        let label = match self.literal(self.at, b"-----BEGIN ") {
            Reach::To(end) => end,
            Reach::No => return Found::No,
            Reach::Open => return Found::Open,
        };
        let from = match self.run(label, of_label, 64) {
            Reach::To(end) => end,
            Reach::No => return Found::No,
            Reach::Open => return Found::Open,
        };
        if !holds(self.part(label..from), b"PRIVATE KEY") {
            return Found::No;
        }
        match self.literal(from, b"-----") {
            Reach::To(body) => self.key_body(body),
            Reach::No => Found::No,
            Reach::Open => Found::Open,
        }
    }

    fn key_body(self, from: usize) -> Found {
        let (mut place, mut run, mut longest) = (from, 0, 0);
        // Where the end is missing, the key goes no further than the string that it began in.
        let mut last = None;
        let mut quoted = false;
        while place - from < PEM {
            let Some(byte) = self.byte(place) else {
                if !self.whole {
                    return Found::Open;
                }
                break;
            };
            if base64(byte) {
                run += 1;
                longest = longest.max(run);
                last = if quoted { last } else { Some(place + 1) };
            } else if loose(byte) {
                run = 0;
                quoted |= b"\"'`".contains(&byte);
                match self.literal(place, b"-----END ") {
                    Reach::To(label) if longest >= 32 => return self.key_end(label),
                    Reach::To(_) => return Found::No,
                    Reach::Open => return Found::Open,
                    // Another block begins.
                    Reach::No if self.part(place..place + 5) == b"-----" => break,
                    Reach::No => {}
                }
            } else {
                break;
            }
            place += 1;
        }
        match last {
            Some(last) if longest >= 32 => Found::Span(self.at..last),
            _ => Found::No,
        }
    }

    fn key_end(self, label: usize) -> Found {
        let end = match self.run(label, of_label, 64) {
            Reach::To(end) => end,
            Reach::No => return Found::Span(self.at..label),
            Reach::Open => return Found::Open,
        };
        match self.literal(end, b"-----") {
            Reach::To(end) => Found::Span(self.at..end),
            Reach::No => Found::Span(self.at..end),
            Reach::Open => Found::Open,
        }
    }
}

type Fits = fn(&[u8]) -> bool;

/// How `Authorization` values begin, and what their rest is like.
const SCHEMES: [(&[u8], Fits); 3] = [
    (b"bearer", has_digit_and_letter),
    (b"token", has_digit_and_letter),
    (b"basic", looks_made),
];

/// Passwords that are written down to show where one goes.
const ORDINARY: &[&str] = &[
    "password",
    "passw0rd",
    "postgres",
    "changeme",
    "changeit",
    "yourpassword",
    "your-password",
    "your_password",
];
