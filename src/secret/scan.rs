//! Scanning: takes secrets out of text that comes in pieces, as if it had come whole.
//!
//! Owns what is held back until it is decided, which is bounded, and what stands in the place of a secret. Which text is
//! a secret is said by `forms` and `patterns`.

use std::{fmt, ops::Range, sync::Arc};

use crate::secret::{
    forms::{Forms, Found},
    patterns,
};

/// What stands in the place of a secret.
const PLACEHOLDER: &[u8] = b"[redacted]";

/// Takes secrets out of a stream. Bytes are held back as long as they may be part of a secret: as a rule the last word,
/// never more than the longest shape in `patterns` or form of a known key.
pub struct Stream {
    live: Arc<Forms>,
    /// What is not decided, with a few bytes before it that say where words begin.
    buffer: Vec<u8>,
    /// Up to here the buffer was given out or taken out.
    done: usize,
    /// The first place of which is not known what begins there.
    open: usize,
    /// What is to be taken out and was not yet, or not wholly.
    spans: Vec<Range<usize>>,
    changed: bool,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl Stream {
    /// Makes a stream that knows `live` keys.
    pub fn of(live: Arc<Forms>) -> Self {
        Self {
            live,
            buffer: Vec::new(),
            done: 0,
            open: 0,
            spans: Vec::new(),
            changed: false,
        }
    }

    /// Takes in the next piece and returns what of the text so far is decided and was not returned yet.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.buffer.extend_from_slice(piece);
        let out = self.advance(false);
        self.forget();
        out
    }

    /// Returns what was held back: nothing follows. The stream can be used anew then.
    pub fn finish(&mut self) -> Vec<u8> {
        let out = self.advance(true);
        self.buffer.clear();
        self.spans.clear();
        (self.done, self.open) = (0, 0);
        out
    }

    /// True where something was taken out so far.
    pub fn changed(&self) -> bool {
        self.changed
    }

    fn advance(&mut self, whole: bool) -> Vec<u8> {
        self.find(whole);
        self.spans.sort_by_key(|span| span.start);
        let mut out = Vec::with_capacity(self.open.saturating_sub(self.done));
        let decided = self.spans.partition_point(|span| span.start < self.open);
        for span in self.spans.drain(..decided) {
            // Spans that overlap leave one placeholder.
            if span.start >= self.done {
                out.extend_from_slice(self.buffer.get(self.done..span.start).unwrap_or_default());
                out.extend_from_slice(PLACEHOLDER);
                self.changed = true;
            }
            self.done = self.done.max(span.end);
        }
        if let Some(plain) = self.buffer.get(self.done..self.open) {
            out.extend_from_slice(plain);
            self.done = self.open;
        }
        out
    }

    /// Moves `open` on as far as what is there decides.
    fn find(&mut self, whole: bool) {
        while self.open < self.buffer.len() {
            let known = self.spans.len();
            let live = self.live.at(&self.buffer, self.open, whole);
            let undecided = live == Found::Open || patterns::at(&self.buffer, self.open, whole, &mut self.spans);
            if undecided {
                self.spans.truncate(known);
                return;
            }
            if let Found::Span(span) = live {
                self.spans.push(span);
            }
            self.open += 1;
        }
    }

    fn forget(&mut self) {
        let gone = self.open.saturating_sub(patterns::BEHIND);
        self.buffer.drain(..gone);
        self.open -= gone;
        self.done = self.done.saturating_sub(gone);
        for span in &mut self.spans {
            *span = span.start.saturating_sub(gone)..span.end.saturating_sub(gone);
        }
    }
}
