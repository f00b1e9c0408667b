//! Which of several hits a block means: by the line it names, by the anchors before it, by the block before it, by the
//! end of the file. Nothing else settles it.

use crate::edit::{
    block::{Place, Wording},
    find::{Tier, key},
    indent::indent_of,
};

/// Where a block may go, in a file that it was found in.
pub(crate) struct Spot<'a> {
    /// The lines of the file.
    pub(crate) file: &'a [&'a str],
    /// How many lines the block takes.
    pub(crate) size: usize,
    /// What the reply says of its place.
    pub(crate) place: &'a Place,
    /// Which kind of block it is.
    pub(crate) wording: Wording,
    /// The line after the block before, for blocks that follow one another.
    pub(crate) cursor: usize,
}

/// Why no hit was taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Unsettled {
    /// This anchor is not in the file, or not after the one before it.
    Anchor(String),
    /// The anchors are there, but no hit is after them.
    BeforeAnchors(Vec<usize>),
    /// These hits are all possible.
    Several(Vec<usize>),
}

impl Spot<'_> {
    /// Takes the one hit that is meant.
    pub(crate) fn settle(&self, hits: Vec<usize>) -> Result<usize, Unsettled> {
        let must_follow = self.wording == Wording::Patch;
        if must_follow
            && let Some(last) = self.first_chain()?
            && hits.iter().all(|hit| hit + self.size <= last)
        {
            return Err(Unsettled::BeforeAnchors(hits));
        }
        if let [only] = hits.as_slice() {
            return Ok(*only);
        }
        if let Some(named) = self.place.line.and_then(|line| line.checked_sub(1))
            && hits.contains(&named)
        {
            return Ok(named);
        }
        let mut left = hits.clone();
        if self.place.at_end {
            Self::narrow(&mut left, |hit| self.is_at_end(hit));
        }
        if must_follow {
            Self::narrow(&mut left, |hit| hit >= self.cursor);
        }
        if !self.place.anchors.is_empty() {
            Self::narrow(&mut left, |hit| self.is_in_scope(hit));
            if let Ok(Some(last)) = self.first_chain() {
                Self::narrow(&mut left, |hit| hit + self.size > last);
            }
        }
        match left.as_slice() {
            [only] => Ok(*only),
            _ => Err(Unsettled::Several(hits)),
        }
    }

    fn narrow(hits: &mut Vec<usize>, fits: impl Fn(usize) -> bool) {
        if hits.iter().any(|hit| fits(*hit)) {
            hits.retain(|hit| fits(*hit));
        }
    }

    /// True where nothing but blank lines follows.
    fn is_at_end(&self, hit: usize) -> bool {
        let rest = self.file.get(hit + self.size..).unwrap_or_default();
        rest.iter().all(|line| line.trim().is_empty())
    }

    /// The last line of the first chain of anchors, each after the one before; `None` without anchors.
    fn first_chain(&self) -> Result<Option<usize>, Unsettled> {
        let mut from = if self.wording == Wording::Patch { self.cursor } else { 0 };
        let mut last = None;
        for anchor in &self.place.anchors {
            let Some(at) = (from..self.file.len()).find(|at| self.is_anchor(*at, anchor)) else {
                return Err(Unsettled::Anchor(anchor.clone()));
            };
            last = Some(at);
            from = at + 1;
        }
        Ok(last)
    }

    /// True where `hit` stands in what the last anchor before it opens, that one in what the anchor before it opens, and
    /// so on.
    fn is_in_scope(&self, hit: usize) -> bool {
        let mut inner = hit + self.size - 1;
        let mut from = hit;
        for anchor in self.place.anchors.iter().rev() {
            let Some(at) = (0..=inner).rev().find(|at| self.is_anchor(*at, anchor)) else {
                return false;
            };
            if from >= at && from >= self.scope_end(at) {
                return false;
            }
            let Some(above) = at.checked_sub(1) else {
                return self.place.anchors.first() == Some(anchor);
            };
            inner = above;
            from = at;
        }
        true
    }

    fn is_anchor(&self, at: usize, anchor: &str) -> bool {
        let Some(line) = self.file.get(at) else {
            return false;
        };
        let (line, anchor) = (key(line, Tier::Plain), key(anchor, Tier::Plain));
        let after = line.strip_prefix(anchor.as_ref());
        !anchor.is_empty() && after.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    }

    /// The line after what the line at `at` opens: what is indented further, or, for a heading, all up to the next
    /// heading of the kind.
    fn scope_end(&self, at: usize) -> usize {
        let opener = self.file.get(at).copied().unwrap_or_default();
        let mark = opener.trim_start().chars().next().filter(|c| !c.is_alphanumeric());
        let depth = indent_of(opener).len();
        let mut is_deep = false;
        for (below, line) in self.file.iter().enumerate().skip(at + 1) {
            let text = line.trim_start();
            let closes = text.starts_with(['}', ')', ']', '{']);
            if text.is_empty() || closes {
                continue;
            }
            if indent_of(line).len() > depth {
                is_deep = true;
                continue;
            }
            let heading = mark.is_some_and(|mark| text.starts_with(mark));
            if is_deep || heading || mark.is_none() {
                return below;
            }
        }
        self.file.len()
    }
}
