//! Scanning a segment: all its terms with their postings, in order, some thousand at a time.

use std::ops::Range;

use crate::context::{
    segment::{
        Broken,
        read::{Posting, Segment, decode},
    },
    terms::Term,
};

/// How many parts of the fan-out are read at once.
const BATCH: usize = 256;

/// The terms of a segment.
pub struct Scan<'a> {
    segment: &'a Segment,
    /// The parts that were not read.
    fans: Range<usize>,
    /// Terms that were read, and where their lists are in `postings`.
    entries: std::vec::IntoIter<(Term, Range<u32>)>,
    postings: Vec<u8>,
    list: Range<u32>,
}

impl<'a> Scan<'a> {
    /// Begins before the first term.
    pub fn of(segment: &'a Segment) -> Self {
        Self {
            segment,
            fans: 0..segment.fans(),
            entries: Vec::new().into_iter(),
            postings: Vec::new(),
            list: 0..0,
        }
    }

    /// Goes on to the next term; `None` behind the last.
    ///
    /// # Errors
    /// When the segment cannot be read, or is damaged there.
    pub fn advance(&mut self) -> Result<Option<Term>, Broken> {
        loop {
            if let Some((term, list)) = self.entries.next() {
                self.list = list;
                return Ok(Some(term));
            }
            if self.fans.is_empty() {
                return Ok(None);
            }
            self.load()?;
        }
    }

    /// Reads where the term is that `advance` returned, into `found`.
    ///
    /// # Errors
    /// When the list is damaged.
    pub fn postings(&self, found: &mut Vec<Posting>) -> Result<(), Broken> {
        let list = self.list.start as usize..self.list.end as usize;
        decode(
            self.postings.get(list).unwrap_or_default(),
            self.segment.chunk_count(),
            found,
        )
    }

    fn load(&mut self) -> Result<(), Broken> {
        let end = self.fans.end.min(self.fans.start.saturating_add(BATCH));
        let batch = self.fans.start..end;
        self.fans.start = end;
        let (dictionary, lists) = self.segment.parts(batch.clone())?;
        self.postings.resize((lists.end - lists.start) as usize, 0);
        self.segment.read_postings(lists.start, &mut self.postings)?;
        let mut entries = Vec::new();
        for fan in batch {
            let mut part = self.segment.part(fan, &dictionary)?;
            while let Some((term, list)) = part.advance()? {
                entries.push((term, list.start - lists.start..list.end - lists.start));
            }
        }
        self.entries = entries.into_iter();
        Ok(())
    }
}
