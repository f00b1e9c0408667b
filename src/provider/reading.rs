//! Reading: one answer out of the bytes that come, as a stream or whole, whichever the server chose to send.
//!
//! Pure and incremental. Says what is wrong with an answer; what follows from that is `endpoint`'s.

use std::ops::ControlFlow;

use serde_json::Value;

use crate::{
    door::http::LARGEST_BODY,
    provider::{
        dialect::{Dialect, Framing, Gathered, Said},
        sse::{Event, Events, NotText},
    },
};

/// Why there is no answer in what came.
#[derive(Clone, PartialEq, Debug)]
pub enum Trouble {
    /// The endpoint says something else.
    Said {
        /// What it says.
        said: Said,
        /// True where it had begun to answer.
        amid: bool,
    },
    /// It is no answer of this dialect, and would be none the next time.
    Nonsense,
    /// It ended before it was complete, or holds bytes that are no text: the next may be whole.
    Broken(&'static str),
    /// It came whole, and is larger than `LARGEST_BODY`.
    TooLarge,
    /// It went on beyond what was asked for.
    RunOn(Box<Gathered>),
}

/// One answer, so far.
pub struct Reading<'a> {
    dialect: &'a dyn Dialect,
    /// Most events of a stream that hold something.
    most: u64,
    taken: u64,
    shape: Shape,
    raw: Vec<u8>,
    gathered: Gathered,
    trouble: Option<Trouble>,
}

enum Shape {
    /// Only white space came so far.
    Unknown,
    Whole,
    Stream(Events),
}

/// The answer, and its bytes as they came.
pub type Read = (Result<Gathered, Trouble>, Vec<u8>);

impl<'a> Reading<'a> {
    /// Begins an answer of at most so many events, where it comes as a stream.
    pub fn new(dialect: &'a dyn Dialect, most: u64) -> Self {
        Self {
            dialect,
            most,
            taken: 0,
            shape: Shape::Unknown,
            raw: Vec::new(),
            gathered: Gathered::default(),
            trouble: None,
        }
    }

    /// Takes in the next bytes; says whether more can change anything. `lines`: the server says that they are one JSON
    /// document a line.
    pub fn feed(&mut self, bytes: &[u8], lines: bool) -> ControlFlow<()> {
        self.raw.extend_from_slice(bytes);
        if let Shape::Stream(events) = &mut self.shape {
            let came = events.feed(bytes);
            self.take(came);
        } else if matches!(self.shape, Shape::Unknown)
            && let Some(shape) = shape_of(bytes, self.dialect.framing(), lines)
        {
            self.shape = shape;
            if let Shape::Stream(events) = &mut self.shape {
                let came = events.feed(&self.raw);
                self.take(came);
            }
        }
        if !matches!(self.shape, Shape::Stream(_)) && self.raw.len() > LARGEST_BODY {
            self.trouble = Some(Trouble::TooLarge);
        }
        if self.gathered.done || self.trouble.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Ends the answer.
    pub fn end(mut self) -> Read {
        match &mut self.shape {
            Shape::Stream(events) => {
                let came = events.end();
                self.take(came);
                let outcome = self.streamed();
                (outcome, self.raw)
            }
            Shape::Whole | Shape::Unknown => {
                let outcome = self.trouble.take().map_or_else(|| self.whole(), Err);
                (outcome, self.raw)
            }
        }
    }

    fn take(&mut self, came: Vec<Result<Event, NotText>>) {
        for event in came {
            // What comes after the end is none of ours.
            if self.gathered.done || self.trouble.is_some() {
                return;
            }
            let Ok(event) = event else {
                self.trouble = Some(Trouble::Broken("the reply holds bytes that are no text"));
                return;
            };
            self.taken += 1;
            if let Err(said) = self.dialect.take(&mut self.gathered, &event.name, &event.data) {
                self.trouble = Some(Trouble::Said {
                    said,
                    amid: !self.gathered.text.is_empty() || self.taken > 1,
                });
            } else if self.taken > self.most {
                self.trouble = Some(Trouble::RunOn(Box::new(self.gathered.clone())));
            }
        }
    }

    fn streamed(&mut self) -> Result<Gathered, Trouble> {
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        if self.gathered.done || self.gathered.finish.is_some() {
            return Ok(std::mem::take(&mut self.gathered));
        }
        Err(Trouble::Broken("the reply ended before it was complete"))
    }

    fn whole(&self) -> Result<Gathered, Trouble> {
        let body = match serde_json::from_slice::<Value>(without_bom(&self.raw)) {
            Ok(body) => body,
            Err(error) if error.is_eof() => return Err(Trouble::Broken("the answer ended before it was complete")),
            Err(_) => return self.lines().unwrap_or(Err(Trouble::Nonsense)),
        };
        if !body.is_object() {
            return Err(Trouble::Nonsense);
        }
        let gathered = self
            .dialect
            .whole(&body)
            .map_err(|said| Trouble::Said { said, amid: false })?;
        if gathered.done || gathered.finish.is_some() || !gathered.text.is_empty() {
            return Ok(gathered);
        }
        Err(Trouble::Nonsense)
    }

    /// A stream of lines begins as a whole answer does; only the second line tells them apart.
    fn lines(&self) -> Option<Result<Gathered, Trouble>> {
        if self.dialect.framing() != Framing::Lines {
            return None;
        }
        let mut reading = Self::new(self.dialect, self.most);
        reading.shape = Shape::Stream(Events::new(Framing::Lines));
        // Whatever this says, `end` says it too.
        let _ = reading.feed(&self.raw, true);
        Some(reading.end().0)
    }
}

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Tells by the first byte that is neither white space nor of a BOM: servers name the wrong content type, and answer in
/// the other shape than was asked for.
fn shape_of(bytes: &[u8], framing: Framing, lines: bool) -> Option<Shape> {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || b"\xef\xbb\xbf".contains(byte);
    let first = bytes.iter().find(|byte| !blank(byte))?;
    Some(match (first, framing) {
        (b'{', Framing::Lines) if lines => Shape::Stream(Events::new(Framing::Lines)),
        (b':' | b'a'..=b'z', Framing::Sse) => Shape::Stream(Events::new(Framing::Sse)),
        _ => Shape::Whole,
    })
}

#[cfg(test)]
mod tests;
