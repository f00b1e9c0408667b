//! Digests: what is kept of one blob: its chunks with their terms. Nothing in it depends on where the blob lies.

use std::collections::HashMap;

use crate::context::{
    chunk::{Chunk, Cutter, Syntax},
    terms::{Term, Terms},
};

/// What is kept of a chunk.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Piece {
    /// How many lines it has.
    pub lines: u32,
    /// How many bytes it has.
    pub bytes: u32,
    /// Its terms, sorted.
    pub terms: Vec<Use>,
}

/// A term in a chunk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Use {
    /// The term.
    pub term: Term,
    /// How often it is there, at least 1.
    pub count: u32,
    /// Whether a name that the chunk defines has it.
    pub defined: bool,
}

/// Makes digests; keeps parsers and known words from blob to blob.
#[derive(Default)]
pub struct Digester {
    cutter: Cutter,
    terms: Terms,
    counts: HashMap<Term, (u32, bool)>,
}

impl Digester {
    /// Digests `text`: its chunks in order, every line in one.
    pub fn digest(&mut self, syntax: Syntax, text: &[u8]) -> Vec<Piece> {
        let chunks = self.cutter.cut(syntax, text);
        let mut lines = text.split_inclusive(|byte| *byte == b'\n');
        let mut rest = text;
        let mut pieces = Vec::with_capacity(chunks.len());
        for chunk in &chunks {
            let count = chunk.last.saturating_sub(chunk.first).saturating_add(1);
            let taken = usize::try_from(count).unwrap_or(usize::MAX);
            let bytes = lines.by_ref().take(taken).map(<[u8]>::len).sum();
            let (here, after) = rest.split_at_checked(bytes).unwrap_or((rest, &[]));
            rest = after;
            pieces.push(self.piece(chunk, here, count));
        }
        pieces
    }

    fn piece(&mut self, chunk: &Chunk, text: &[u8], lines: u32) -> Piece {
        let counts = &mut self.counts;
        counts.clear();
        self.terms.each(text, |term| {
            let (count, _) = counts.entry(term).or_default();
            *count = count.saturating_add(1);
        });
        for name in &chunk.names {
            let mut defined = |term| {
                // A name may be put together of words that stand apart in the text.
                let (count, defined) = counts.entry(term).or_default();
                (*count, *defined) = ((*count).max(1), true);
            };
            self.terms.each(name.as_bytes(), &mut defined);
            defined(Term::whole(name));
        }
        let uses = counts
            .drain()
            .map(|(term, (count, defined))| Use { term, count, defined });
        let mut terms: Vec<Use> = uses.collect();
        terms.sort_unstable();
        Piece {
            lines,
            bytes: u32::try_from(text.len()).unwrap_or(u32::MAX),
            terms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_one_piece_with_its_terms() {
        let text: String = (0..100).map(|at| format!("line number_{at}\n")).collect();
        let pieces = Digester::default().digest(Syntax::default(), text.as_bytes());
        assert_eq!(pieces.iter().map(|piece| piece.lines).sum::<u32>(), 100);
        assert_eq!(
            pieces.iter().map(|piece| piece.bytes as usize).sum::<usize>(),
            text.len()
        );
        let has = |at: usize, name: &str| {
            let term = Term::whole(name);
            pieces[at].terms.iter().any(|used| used.term == term && !used.defined)
        };
        assert!(has(0, "number_0") && !has(0, "number_99") && has(pieces.len() - 1, "number_99"));
    }
}
