//! Pages: one file each. A page is a template and its data, made of what commands return; it has no effects.
//!
//! Each is useful without JavaScript: plain links, forms, and addresses that say which filter or focus is on.

pub mod ask;
pub mod bar;
pub mod diff;
pub mod goal;
pub mod goals;
pub mod graph;
pub mod health;
pub mod history;
pub mod inbox;
pub mod lines;
pub mod log;
pub mod queue;
pub mod setup;

use std::{collections::BTreeMap, fmt::Write as _};

use eyre::Result;
use serde::Serialize;
use serde_json::Value;

use crate::{
    engine::session::Session,
    fault::{Fault, Kind},
    web::pages::lines::Tail,
};

/// What was asked for: a path and its query.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// The parts of the path, decoded: `["goals", "goal-7e90"]`; none for the inbox.
    pub path: Vec<String>,
    /// What follows `?`, decoded. Of a name that comes twice the last counts.
    pub query: BTreeMap<String, String>,
}

impl Asked {
    /// Returns the page that stands at `address`, a path with its query, if it has one.
    pub fn at(address: &str) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        Self::of(path, query)
    }

    /// Returns the page that stands at `path` and `query`, as a browser sends them.
    pub fn of(path: &str, query: &str) -> Self {
        let parts = path.split('/').filter(|part| !part.is_empty());
        Self {
            path: parts.map(|part| decoded(part, false)).collect(),
            query: Self::pairs(query).collect(),
        }
    }

    /// Reads the names and values of a query, or of a form: both look the same.
    pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.map(|(name, value)| (decoded(name, true), decoded(value, true)))
    }

    /// Returns a value of the query; `None` where it is absent or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.query
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Returns path and query as an address of this site.
    pub fn address(&self) -> String {
        let mut address: String = self.path.iter().map(|part| format!("/{}", encoded(part))).collect();
        if address.is_empty() {
            address.push('/');
        }
        for (nth, (name, value)) in self.query.iter().enumerate() {
            let mark = if nth == 0 { '?' } else { '&' };
            let _ = write!(address, "{mark}{}={}", encoded(name), encoded(value));
        }
        address
    }

    /// Returns the same address with `name` set to `value`; without it where that is empty.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        if value.is_empty() {
            other.query.remove(name);
        } else {
            other.query.insert(name.to_owned(), value.to_owned());
        }
        other
    }

    /// Returns the address of what stands below this one as `part`.
    #[must_use]
    pub fn below(&self, part: &str) -> Self {
        let mut other = self.clone();
        other.path.push(part.to_owned());
        other
    }
}

/// A page before it is rendered.
#[derive(Debug)]
pub struct Page {
    /// What stands in the title of the browser's tab.
    pub title: String,
    /// The name of its template, without `.html.j2`.
    pub template: &'static str,
    /// The place in the menu that it belongs to: a path without its slash.
    pub place: &'static str,
    /// What the template shows.
    pub data: Value,
    /// Lines that grow at their end, if it has such.
    pub tail: Option<Tail>,
}

impl Page {
    /// Makes one of anything that serialises.
    ///
    /// # Errors
    /// Where `data` does not.
    pub fn new(title: impl Into<String>, template: &'static str, data: impl Serialize) -> Result<Self> {
        Ok(Self {
            title: title.into(),
            template,
            place: template,
            data: serde_json::to_value(data)?,
            tail: None,
        })
    }
}

/// Makes the page that was asked for; where something is missing that it needs, one that says what.
///
/// # Errors
/// A fault for an address at which nothing stands, and as the commands have them.
pub fn make(session: &Session, asked: &Asked) -> Result<Page> {
    at(session, asked).or_else(|error| setup::instead(session, asked, error))
}

fn at(session: &Session, asked: &Asked) -> Result<Page> {
    let path: Vec<&str> = asked.path.iter().map(String::as_str).collect();
    match path.as_slice() {
        [] => inbox::page(session),
        ["graph"] => graph::page(session, asked),
        ["ask", ..] => ask::page(session, asked),
        ["queue"] => queue::page(session),
        ["history"] => history::page(session, asked),
        ["health"] => health::page(session, asked),
        ["goals"] => goals::page(session, asked),
        ["goals", id] => goal::page(session, &goal::id(id)?),
        ["goals", id, "log"] => log::page(session, &goal::id(id)?, asked),
        ["goals", id, "diff"] => diff::page(session, &goal::id(id)?, asked),
        ["goals", id, "prompt"] => goal::prompts(session, &goal::id(id)?, asked),
        ["goals", id, "note"] => goal::note(session, &goal::id(id)?),
        _ => Err(nothing(asked).into()),
    }
}

/// Says that nothing stands at an address.
pub fn nothing(asked: &Asked) -> Fault {
    Fault::new(Kind::Usage, format!("there is no page {}", asked.address()))
}

/// Decodes `%XX`, and `+` where it stands for a space. What is not UTF-8 becomes what nothing is called.
fn decoded(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' if plus => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let both = high.zip(low).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                bytes.push(both.unwrap_or(0));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Encodes what stands between two slashes, or on a side of `=`.
pub fn encoded(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            byte => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        let asked = Asked::of("/goals/a%2Fb%20c", "state=held&q=%C3%A9+x&q=%C3%A9+y&empty=");
        assert_eq!(asked.path, ["goals", "a/b c"]);
        assert_eq!(asked.get("q"), Some("é y"));
        assert_eq!(asked.get("empty"), None);
        assert_eq!(Asked::of("/", ""), Asked::default());
        let (path, query) = asked
            .address()
            .split_once('?')
            .map(|(p, q)| (p.to_owned(), q.to_owned()))
            .unwrap();
        assert_eq!(Asked::of(&path, &query), asked);
    }

    #[test]
    fn what_cannot_be_decoded_is_no_name_of_anything() {
        for bad in ["%", "%f", "%zz", "%ff%fe"] {
            let read = Asked::of(&format!("/goals/{bad}"), "");
            assert!(
                read.path[1].contains(['\0', '\u{fffd}']),
                "{bad} was read as {:?}",
                read.path
            );
        }
    }
}
