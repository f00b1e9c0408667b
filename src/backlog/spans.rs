//! Byte spans of array elements and object members, and the splice that keeps all bytes it need not touch.
//!
//! serde_json reads and validates; here is only where things stand. Knows nothing about goals.

use std::{borrow::Cow, fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::backlog::error::{BacklogError, Lines};

/// Where the elements of one array, or the members of one object, stand in a text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Items {
    /// Just behind the opening bracket.
    pub(crate) open: usize,
    /// At the closing bracket.
    pub(crate) close: usize,
    /// One per element; a member reaches from its key to the end of its value.
    pub(crate) spans: Vec<Range<usize>>,
    /// What stands between a bracket and an element where there is no example to follow.
    gap: &'static str,
}

/// One element of the spliced text.
#[derive(Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// The element with this index, as it is.
    Keep(usize),
    /// Other text in the place of the element with this index.
    Swap(usize, &'a str),
    /// A further element.
    New(&'a str),
}

/// Returns the bytes of `span`; nothing where it is out of bounds.
pub(crate) fn cut(text: &str, span: Range<usize>) -> &str {
    text.get(span).unwrap_or_default()
}

/// Returns where `inner`, a part of `outer`, stands in it.
fn within(outer: &str, inner: &str) -> Range<usize> {
    let start = inner.as_ptr().addr().saturating_sub(outer.as_ptr().addr());
    start..start + inner.len()
}

/// Returns the line ending that `text` uses.
pub(crate) fn newline(text: &str) -> &'static str {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") { "\r\n" } else { "\n" }
}

/// Finds the rows of a memory file: of an array, or of the array `goals` in an object.
pub(crate) fn array(text: &str) -> Result<Items, BacklogError> {
    let broken = |error: serde_json::Error| BacklogError::broken(text, &error);
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows = if body.trim_start().starts_with('[') {
        body
    } else {
        let whole: &RawValue = serde_json::from_str(body).map_err(broken)?;
        let goals = members(whole.get()).and_then(|all| all.into_iter().rev().find(|(key, _)| *key == "\"goals\""));
        let value = goals.map_or(whole.get(), |(_, value)| value);
        if !value.starts_with('[') {
            let at = Lines::of(text).place(within(text, value).start);
            return Err(BacklogError::NotAnArray { at });
        }
        value
    };
    let elements: Vec<&RawValue> = serde_json::from_str(rows).map_err(broken)?;
    let span = within(text, rows.trim());
    Ok(Items {
        open: span.start + 1,
        close: span.end.saturating_sub(1),
        spans: elements.iter().map(|element| within(text, element.get())).collect(),
        gap: newline(text),
    })
}

/// Finds the one value of a text; returns where it starts.
pub(crate) fn only_value(text: &str) -> Result<usize, BacklogError> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: &RawValue = serde_json::from_str(body).map_err(|error| BacklogError::broken(text, &error))?;
    Ok(within(text, value.get()).start)
}

/// One object, its keys and values as they are written.
struct Members<'a>(Vec<(&'a str, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Walk;

        impl<'de> Visitor<'de> for Walk {
            type Value = Vec<(&'de str, &'de str)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::new();
                while let Some((key, value)) = map.next_entry::<&'de RawValue, &'de RawValue>()? {
                    all.push((key.get(), value.get()));
                }
                Ok(all)
            }
        }

        from.deserialize_map(Walk).map(Self)
    }
}

/// Returns keys, quoted, and values of the JSON object `text`, as they are written; `None` for anything else.
fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    serde_json::from_str(text).ok().map(|Members(all)| all)
}

impl Items {
    /// Returns the text with `pieces` for elements, in their order, and where each of them stands then. An element
    /// keeps the separator before it; a further one takes the separator that its neighbours have.
    pub(crate) fn splice(&self, text: &str, pieces: &[Piece<'_>]) -> (String, Self) {
        if pieces.is_empty() && self.spans.is_empty() {
            return (text.to_owned(), self.clone());
        }
        let mut out = String::with_capacity(text.len() + pieces.len());
        out.push_str(cut(text, 0..self.open));
        let mut after = Self {
            open: out.len(),
            gap: self.gap,
            ..Self::default()
        };
        let between = self.separator(text);
        for (nth, piece) in pieces.iter().enumerate() {
            let (own, element) = match *piece {
                Piece::Keep(at) => (Some(at), cut(text, self.span(at))),
                Piece::Swap(at, element) => (Some(at), element),
                Piece::New(element) => (None, element),
            };
            match own {
                _ if nth == 0 => out.push_str(self.lead(text)),
                Some(at) if at > 0 => out.push_str(cut(text, self.span(at - 1).end..self.span(at).start)),
                _ => out.push_str(&between),
            }
            let start = out.len();
            out.push_str(element);
            after.spans.push(start..out.len());
        }
        if !pieces.is_empty() {
            let trail = self.spans.last().map(|last| cut(text, last.end..self.close));
            out.push_str(trail.unwrap_or(self.gap));
        }
        after.close = out.len();
        out.push_str(cut(text, self.close..text.len()));
        (out, after)
    }

    fn span(&self, at: usize) -> Range<usize> {
        self.spans.get(at).cloned().unwrap_or(self.close..self.close)
    }

    fn lead<'a>(&'a self, text: &'a str) -> &'a str {
        match self.spans.first() {
            Some(first) => cut(text, self.open..first.start),
            None => self.gap,
        }
    }

    fn separator<'a>(&'a self, text: &'a str) -> Cow<'a, str> {
        match self.spans.as_slice() {
            [first, second, ..] => cut(text, first.end..second.start).into(),
            _ => format!(",{}", self.lead(text)).into(),
        }
    }
}

/// One row, a JSON object, with the places of its members.
pub(crate) struct Row<'a> {
    text: &'a str,
    keys: Vec<Cow<'a, str>>,
    values: Vec<Range<usize>>,
    items: Items,
}

impl<'a> Row<'a> {
    /// Reads a row; `None` where it is no object.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut row = Self {
            text,
            keys: Vec::new(),
            values: Vec::new(),
            items: Items {
                open: within(text, text.trim()).start + 1,
                close: within(text, text.trim()).end.saturating_sub(1),
                ..Items::default()
            },
        };
        for (key, value) in members(text)? {
            let value = within(text, value);
            row.items.spans.push(within(text, key).start..value.end);
            row.values.push(value);
            let plain = key.trim_matches('"');
            row.keys.push(if plain.contains('\\') {
                serde_json::from_str::<String>(key).ok()?.into()
            } else {
                plain.into()
            });
        }
        Some(row)
    }

    /// Returns keys and values, the values as they are written, with where each value starts.
    pub(crate) fn members(&self) -> impl DoubleEndedIterator<Item = (&str, &'a str, usize)> {
        let values = self.values.iter();
        self.keys
            .iter()
            .zip(values)
            .map(|(key, span)| (key.as_ref(), cut(self.text, span.clone()), span.start))
    }

    /// Returns the value of `key` as it is written; the last one, as JSON readers do.
    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        let mut all = self.members().rev();
        all.find(|(name, _, _)| *name == key).map(|(_, value, _)| value)
    }

    /// Returns the row with `value`, which is JSON, under `key`; all other bytes stay.
    pub(crate) fn with(&self, key: &str, value: &str) -> String {
        if let Some(at) = self.keys.iter().rposition(|name| name == key) {
            let span = self.values.get(at).cloned().unwrap_or_default();
            let before = cut(self.text, 0..span.start);
            return format!("{before}{value}{}", cut(self.text, span.end..self.text.len()));
        }
        let member = format!("{}{}{value}", serde_json::Value::from(key), self.colon());
        let kept = (0..self.keys.len()).map(Piece::Keep);
        let pieces: Vec<Piece<'_>> = kept.chain([Piece::New(&member)]).collect();
        self.items.splice(self.text, &pieces).0
    }

    /// Returns the row without `key`; all other bytes stay.
    pub(crate) fn without(&self, key: &str) -> String {
        self.filtered(|name, _| name != key)
    }

    /// Returns the row with those members only whose key and value `keep` agrees to.
    pub(crate) fn filtered(&self, keep: impl Fn(&str, &str) -> bool) -> String {
        let kept = self
            .members()
            .enumerate()
            .filter(|(_, (key, value, _))| keep(key, value));
        let pieces: Vec<Piece<'_>> = kept.map(|(at, _)| Piece::Keep(at)).collect();
        self.items.splice(self.text, &pieces).0
    }

    /// Returns the colon of the first member with the blanks around it.
    fn colon(&self) -> &str {
        let (Some(member), Some(value)) = (self.items.spans.first(), self.values.first()) else {
            return ":";
        };
        let before = cut(self.text, member.start..value.start);
        before
            .rfind('"')
            .map_or(":", |quote| cut(before, quote + 1..before.len()))
    }
}

/// Returns the row without its line breaks and the indentation after them; JSON has none inside of texts.
pub(crate) fn on_one_line(row: &str) -> Cow<'_, str> {
    if row.contains(['\n', '\r']) {
        row.split(['\n', '\r']).map(str::trim).collect::<String>().into()
    } else {
        row.into()
    }
}
