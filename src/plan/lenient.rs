//! JSON as models send it: found in prose, and read although it is broken.
//!
//! Owns what is forgiven: comments, commas too many or too few, quotes of other kinds or none, quotes and line breaks
//! within a text, Python's and JavaScript's literals, brackets that are not closed, and an end in the middle. Sound JSON is
//! read as it is, before anything is forgiven. Linear: what was read for nothing counts, and there is only so much of it.
//! Knows nothing of goals.

use serde_json::{Map, Number, Value};

/// The key of an object that the text ends within.
pub(crate) const CUT: &str = "\u{0}cut";
/// Deepest nesting.
const MOST_DEPTH: usize = 64;
/// How often unsound text is tried as sound JSON.
const MOST_TRIES: usize = 16;
/// How far is looked ahead, in bytes.
const AHEAD: usize = 160;
/// Longest name without quotes, in characters.
const MOST_NAME: usize = 64;

/// What a text holds.
#[derive(Default)]
pub(crate) struct Values {
    pub(crate) all: Vec<Value>,
    /// True where the text ends within one of them.
    pub(crate) cut: bool,
}

/// Finds every JSON value of a text that is an object or a list, in its order.
pub(crate) fn values(text: &str) -> Values {
    let mut found = Values::default();
    let (mut at, mut tries) = (0, 0);
    let mut fuel = text.len().saturating_mul(4).saturating_add(4096);
    while let Some(start) = text.get(at..).and_then(|rest| rest.find(['{', '['])).map(|to| at + to) {
        let rest = text.get(start..).unwrap_or_default();
        // A box of a checklist is no list.
        if rest.starts_with("[ ]") {
            at = start + 3;
            continue;
        }
        if tries < MOST_TRIES {
            let mut sound = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
            if let Some(Ok(value)) = sound.next() {
                at = start + sound.byte_offset();
                found.all.push(value);
                continue;
            }
            tries += 1;
        }
        let mut reader = Reader::new(rest);
        let value = reader.value(Place::Item, 0);
        let Some(left) = usize::checked_sub(fuel, reader.at.max(1)) else {
            break;
        };
        fuel = left;
        match value {
            Some(value) => {
                at = start + reader.at;
                found.cut |= reader.cut;
                found.all.push(value);
            }
            // Nothing that deep is meant.
            None if reader.too_deep => at = start + reader.at.max(1),
            None => at = start + 1,
        }
    }
    found
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Field,
    Item,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// True once the text has ended within a value.
    cut: bool,
    too_deep: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            cut: false,
            too_deep: false,
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, what: &str) -> bool {
        let is_next = self.rest().starts_with(what);
        if is_next {
            self.at += what.len();
        }
        is_next
    }

    /// True at the end of the text, or of the fence that it stands in.
    fn is_over(&self) -> bool {
        self.rest().is_empty() || self.rest().starts_with("```") || self.rest().starts_with("~~~")
    }

    /// Passes over whitespace and comments.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let bare = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            self.at += rest.len() - bare.len();
            let comment = if bare.starts_with("//") || bare.starts_with('#') {
                bare.find('\n').unwrap_or(bare.len())
            } else if bare.starts_with("/*") {
                bare.find("*/").map_or(bare.len(), |end| end + 2)
            } else if bare.starts_with("<!--") {
                bare.find("-->").map_or(bare.len(), |end| end + 3)
            } else {
                return;
            };
            self.at += comment;
        }
    }

    /// Reads the value that begins here; `None` where none does.
    fn value(&mut self, place: Place, depth: usize) -> Option<Value> {
        self.space();
        self.too_deep |= depth > MOST_DEPTH;
        if self.too_deep || self.is_over() {
            return None;
        }
        match self.peek()? {
            '{' => self.object(depth),
            '[' => self.list(']', depth),
            '(' if depth > 0 => self.list(')', depth),
            c if closing(c).is_some() => Some(Value::String(self.string(place))),
            'r' | 'b' | 'u' | 'f' if self.is_prefixed() => {
                self.bump();
                Some(Value::String(self.string(place)))
            }
            _ if place == Place::Field || depth > 1 => self.bare(),
            c if depth > 0 && (c.is_ascii_digit() || c == '-' || self.is_literal()) => self.bare(),
            _ => None,
        }
    }

    fn is_literal(&self) -> bool {
        ["null", "None", "true", "True", "false", "False"]
            .iter()
            .any(|word| self.rest().starts_with(word))
    }

    /// `r"…"` and the like.
    fn is_prefixed(&self) -> bool {
        self.rest().chars().nth(1).is_some_and(|c| matches!(c, '"' | '\''))
    }

    fn list(&mut self, close: char, depth: usize) -> Option<Value> {
        self.bump();
        let mut items: Vec<Value> = Vec::new();
        loop {
            self.space();
            if self.is_over() {
                self.cut = true;
                break;
            }
            match self.peek()? {
                c if c == close => {
                    self.bump();
                    break;
                }
                ',' | ';' | '.' | '…' => {
                    self.bump();
                }
                '}' | ']' | ')' if depth > 0 => break,
                _ => match self.value(Place::Item, depth + 1) {
                    Some(value) if self.cut && !matches!(value, Value::Object(_) | Value::Array(_)) => break,
                    Some(value) => items.push(value),
                    None if items.is_empty() || self.too_deep && depth > 0 => return None,
                    None if self.too_deep => {
                        self.cut = true;
                        break;
                    }
                    None => {
                        self.bump();
                    }
                },
            }
            if self.cut {
                break;
            }
        }
        Some(Value::Array(items))
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.bump();
        let mut map = Map::new();
        loop {
            self.space();
            if self.is_over() {
                self.cut = true;
            } else {
                match self.peek()? {
                    '}' => {
                        self.bump();
                        break;
                    }
                    ',' | ';' => {
                        self.bump();
                        continue;
                    }
                    // It was not closed, and what it stands in goes on.
                    ']' | ')' | '{' if depth > 0 && !map.is_empty() => break,
                    _ => self.field(&mut map, depth)?,
                }
            }
            if self.cut {
                map.insert(CUT.to_owned(), Value::Bool(true));
                break;
            }
        }
        Some(Value::Object(map))
    }

    /// Reads a key and its value. What is neither is passed over, once there was a key.
    fn field(&mut self, map: &mut Map<String, Value>, depth: usize) -> Option<()> {
        let start = self.at;
        let key = match self.peek()? {
            c if closing(c).is_some() => self.string(Place::Key),
            _ => self.name(),
        };
        if self.cut {
            return Some(());
        }
        self.space();
        if self.is_over() {
            self.cut = true;
            return Some(());
        }
        let parted = self.eat(":") || self.eat("=>") || self.eat("=");
        if !parted || key.is_empty() {
            if map.is_empty() {
                return None;
            }
            // Something between two fields: one character of it.
            if self.at == start || key.is_empty() {
                self.at = start;
                self.bump();
            }
            return Some(());
        }
        self.space();
        let value = match self.peek() {
            Some(',' | '}') => Value::Null,
            _ => self.value(Place::Field, depth + 1).unwrap_or_default(),
        };
        if self.is_over() {
            self.cut = true;
        }
        map.insert(key, value);
        Some(())
    }

    fn name(&mut self) -> String {
        let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$');
        let name: String = self.rest().chars().take_while(is_part).take(MOST_NAME).collect();
        self.at += name.len();
        name
    }

    /// Reads a number, a literal, or a word without quotes.
    fn bare(&mut self) -> Option<Value> {
        let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | '#' | '@');
        let word: String = self.rest().chars().take_while(is_part).take(4 * MOST_NAME).collect();
        if word.is_empty() {
            return None;
        }
        self.at += word.len();
        if self.rest().is_empty() {
            self.cut = true;
        }
        Some(match word.as_str() {
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            "null" | "None" | "nil" | "undefined" | "NaN" | "NULL" => Value::Null,
            _ => number(&word).unwrap_or(Value::String(word)),
        })
    }

    /// Reads a text, whatever quotes stand around it. Its own quotes need not be escaped: one that nothing follows which
    /// follows a value is part of it.
    fn string(&mut self, place: Place) -> String {
        let mut out = String::new();
        loop {
            self.one_string(place, &mut out);
            // `"a" + "b"`
            let end = self.at;
            self.space();
            let joined = !self.cut && place != Place::Key && self.eat("+") && {
                self.space();
                self.peek().and_then(closing).is_some()
            };
            if !joined {
                self.at = end;
                return out;
            }
        }
    }

    fn one_string(&mut self, place: Place, out: &mut String) {
        for triple in ["\"\"\"", "'''"] {
            if self.eat(triple) {
                match self.rest().find(triple) {
                    Some(end) => {
                        out.push_str(self.rest().get(..end).unwrap_or_default().trim());
                        self.at += end + triple.len();
                    }
                    None => self.cut = true,
                }
                return;
            }
        }
        let Some(close) = self.bump().and_then(closing) else {
            return;
        };
        while let Some(c) = self.bump() {
            if c == '\\' {
                self.escaped(out);
            } else if c == close && self.ends(close, place) {
                return;
            } else {
                out.push(c);
            }
        }
        self.cut = true;
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self, out: &mut String) {
        let Some(c) = self.bump() else {
            return;
        };
        match c {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' | 'f' => {}
            '"' | '\\' | '/' | '\'' | '`' => out.push(c),
            '\n' => {}
            'u' => match self.unit() {
                Some(high @ 0xd800..=0xdbff) => {
                    let low = self.eat("\\u").then(|| self.unit()).flatten().unwrap_or_default();
                    let pair = char::decode_utf16([high, low]).next().and_then(Result::ok);
                    out.push(pair.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(unit) => out.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
                None => out.push_str("\\u"),
            },
            // No escape of JSON: a path or a pattern was meant.
            _ => {
                out.push('\\');
                out.push(c);
            }
        }
    }

    fn unit(&mut self) -> Option<u16> {
        let unit = u16::from_str_radix(self.rest().get(..4)?, 16).ok()?;
        self.at += 4;
        Some(unit)
    }

    /// True where the quote just read ends its text: what follows is what follows a value, or a key.
    fn ends(&self, close: char, place: Place) -> bool {
        let rest = self.rest();
        let cut = (0..=AHEAD.min(rest.len()))
            .rev()
            .find(|end| rest.is_char_boundary(*end));
        let ahead = rest.get(..cut.unwrap_or_default()).unwrap_or_default();
        let bare = ahead.trim_start();
        let broken = ahead.get(..ahead.len() - bare.len()).unwrap_or_default().contains('\n');
        let mut chars = bare.chars();
        match chars.next() {
            None | Some('}' | ']' | ')') => true,
            Some(':') => place == Place::Key,
            Some('=') => place == Place::Key,
            Some(',') => goes_on(chars.as_str(), close, place),
            Some('/' | '#' | '<') => {
                bare.starts_with("//") || bare.starts_with("/*") || (broken && bare.starts_with('#'))
            }
            Some('`') => bare.starts_with("```"),
            Some('+') => chars.as_str().trim_start().starts_with(close),
            // Two quotes and then what follows a value: the second one ends it.
            Some(c) if c == close && ahead.starts_with(close) => {
                let after = chars.as_str().trim_start();
                !(after.is_empty() || after.starts_with(['}', ']', ',']))
            }
            // A comma is missing between two lines, or between two items.
            Some(c) if closing(c).is_some() => broken || place == Place::Item || is_key(bare),
            Some('{') => place == Place::Item,
            Some(_) => broken && is_key(bare),
        }
    }
}

/// True where what follows a comma can follow a value.
fn goes_on(after: &str, close: char, place: Place) -> bool {
    let after = after.trim_start();
    match after.chars().next() {
        None | Some('}' | ']' | ')' | '/' | '#' | ',') => true,
        Some('{' | '[' | '(') => place == Place::Item,
        Some(c) if closing(c).is_some() => place != Place::Field || c != close || is_key(after),
        Some(_) if place == Place::Item => {
            let word: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
            matches!(word.as_str(), "null" | "None" | "true" | "True" | "false" | "False") || number(&word).is_some()
        }
        Some(_) => is_key(after),
    }
}

/// True where a key stands, with or without quotes, and a colon behind it.
fn is_key(text: &str) -> bool {
    let mut chars = text.chars();
    let name = match chars.next().and_then(closing) {
        Some(close) => match chars.as_str().split_once(close) {
            Some((name, rest)) => return !name.is_empty() && rest.trim_start().starts_with([':', '=']),
            // The key goes on beyond what is looked at.
            None => return text.chars().count() > MOST_NAME,
        },
        None => text.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-')),
    };
    name.len() < text.len() && name.trim_start().starts_with(':')
}

/// Returns the quote that closes what `open` opens.
fn closing(open: char) -> Option<char> {
    Some(match open {
        '"' | '\'' | '`' => open,
        '“' | '”' | '„' => '”',
        '‘' | '’' => '’',
        '«' => '»',
        _ => return None,
    })
}

fn number(word: &str) -> Option<Value> {
    let word = word.trim_start_matches('+');
    let starts = word
        .trim_start_matches('-')
        .starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if !starts {
        return None;
    }
    let plain: String = word.chars().filter(|c| *c != '_').collect();
    let whole = plain.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| plain.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number))
}
