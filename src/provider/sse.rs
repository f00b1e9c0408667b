//! Events of a stream: server-sent events, or one JSON document a line, out of bytes that come in any pieces.
//!
//! Pure and incremental. What an event means is the dialect's.

use crate::provider::dialect::Framing;

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its data, lines joined by LF.
    pub data: String,
}

/// The stream is no UTF-8: what stands in it cannot be trusted to the byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotText;

/// What is known of a stream so far.
pub struct Events {
    framing: Framing,
    line: Vec<u8>,
    first: bool,
    /// The last byte was CR, so a LF that follows belongs to it.
    after_cr: bool,
    name: String,
    data: Option<String>,
}

impl Events {
    /// Begins a stream.
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            line: Vec::new(),
            first: true,
            after_cr: false,
            name: String::new(),
            data: None,
        }
    }

    /// Takes in the next bytes, and returns the events that they complete; `NotText` in place of a line that is none.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<Result<Event, NotText>> {
        let mut events = Vec::new();
        while let Some((&first, rest)) = bytes.split_first() {
            if std::mem::take(&mut self.after_cr) && first == b'\n' {
                bytes = rest;
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let Some((line, rest)) = end.and_then(|end| bytes.split_at_checked(end)) else {
                self.line.extend_from_slice(bytes);
                break;
            };
            self.line.extend_from_slice(line);
            self.after_cr = rest.first() == Some(&b'\r');
            bytes = rest.get(1..).unwrap_or_default();
            events.extend(self.line_ended());
        }
        events
    }

    /// Ends the stream. The last event counts although nothing ends it: whether it is whole shows in its data.
    pub fn end(&mut self) -> Vec<Result<Event, NotText>> {
        let mut events = Vec::new();
        if !self.line.is_empty() {
            events.extend(self.line_ended());
        }
        events.extend(self.dispatch().map(Ok));
        events
    }

    fn line_ended(&mut self) -> Option<Result<Event, NotText>> {
        let bytes = std::mem::take(&mut self.line);
        let Ok(mut line) = std::str::from_utf8(&bytes) else {
            return Some(Err(NotText));
        };
        if std::mem::take(&mut self.first) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        let event = match self.framing {
            Framing::Sse => self.field(line),
            Framing::Lines => (!line.trim().is_empty()).then(|| Event {
                name: String::new(),
                data: line.to_owned(),
            }),
        };
        event.map(Ok)
    }

    fn field(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("event", _) => value.clone_into(&mut self.name),
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", none) => *none = Some(value.to_owned()),
            // A comment, or `id`, `retry` and whatever else: nothing of the answer.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let data = self.data.take()?;
        Some(Event { name, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(framing: Framing, pieces: &[&[u8]]) -> Result<Vec<(String, String)>, NotText> {
        let mut events = Events::new(framing);
        let mut all = Vec::new();
        for piece in pieces {
            all.extend(events.feed(piece));
        }
        all.extend(events.end());
        let plain = |event: Event| (event.name, event.data);
        all.into_iter().map(|event| event.map(plain)).collect()
    }

    fn one(text: &str) -> Vec<(String, String)> {
        read(Framing::Sse, &[text.as_bytes()]).unwrap()
    }

    fn pair(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn each_rule_of_server_sent_events_is_kept() {
        for (text, events) in [
            ("data: a\n\ndata: b\n\n", vec![pair("", "a"), pair("", "b")]),
            ("data: a\r\n\r\ndata: b\r\r", vec![pair("", "a"), pair("", "b")]),
            ("data:a\n\n", vec![pair("", "a")]),
            ("data:  a \n\n", vec![pair("", " a ")]),
            ("data: a\ndata\ndata: b\n\n", vec![pair("", "a\n\nb")]),
            (": OPENROUTER PROCESSING\n\n:\n\ndata: a\n\n", vec![pair("", "a")]),
            ("event: ping\n\ndata: a\n\n", vec![pair("", "a")]),
            ("event: x\nid: 7\nretry: 1\nfoo\ndata: a\n\n", vec![pair("x", "a")]),
            ("\u{feff}data: a\n\n", vec![pair("", "a")]),
            ("data: a\n\n\u{feff}data: b\n\n", vec![pair("", "a")]),
            ("data: a", vec![pair("", "a")]),
            ("data: a\u{85}\u{2028}b\n\n", vec![pair("", "a\u{85}\u{2028}b")]),
            ("", vec![]),
        ] {
            assert_eq!(one(text), events, "{text:?}");
        }
    }

    #[test]
    fn lines_are_events_and_empty_ones_are_none() {
        let read = read(Framing::Lines, &[b"\xef\xbb\xbf{\"a\":1}\r\n\n {} \n{\"b\":2}"]).unwrap();
        assert_eq!(read, [pair("", "{\"a\":1}"), pair("", " {} "), pair("", "{\"b\":2}")]);
    }

    #[test]
    fn bytes_that_are_no_text_are_never_guessed_at() {
        assert_eq!(read(Framing::Sse, &[b"data: \xff\n\n"]), Err(NotText));
        assert_eq!(read(Framing::Lines, &[b"{\"a\": \"\xc3\"}"]), Err(NotText));
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_events(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "data: ", "data:", "data", "event: e", ": c", "\r\n", "\n", "\r", "é€🦀", "{\"a\":1}", "\u{feff}", "[DONE]", " ",
                ]),
                0..24,
            ),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
            lines: bool,
        ) {
            let text = parts.concat().into_bytes();
            let framing = if lines { Framing::Lines } else { Framing::Sse };
            let whole = read(framing, &[&text]);
            let single: Vec<&[u8]> = text.chunks(1).collect();
            prop_assert_eq!(read(framing, &single), whole.clone());
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            at.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for to in at {
                pieces.push(&text[from..to]);
                from = to;
            }
            pieces.push(&text[from..]);
            prop_assert_eq!(read(framing, &pieces), whole);
        }
    }
}
