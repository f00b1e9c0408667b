//! Patterns over folded paths: `*` is any run of characters. A built-in one without a slash is a name anywhere, one with a
//! slash at its end a folder anywhere, one with a slash within a path from the top.
//!
//! Owns how patterns are compared, in time that is nothing beside reading a tree. What they stand for is in `classes`.

/// Built-in patterns, taken apart: each file of a tree is compared with all of them.
#[derive(Default)]
pub(crate) struct Table {
    names: Globs,
    folders: Globs,
    paths: Vec<&'static str>,
}

/// Patterns for one name, by the byte that they end with; those that end with a star last.
struct Globs(Vec<Vec<Glob>>);

impl Default for Globs {
    fn default() -> Self {
        Self((0..=Self::STAR).map(|_| Vec::new()).collect())
    }
}

impl Globs {
    const STAR: usize = 64;

    fn slot(byte: u8) -> usize {
        usize::from(byte & 63)
    }

    fn add(&mut self, pattern: &'static str) {
        let slot = match pattern.bytes().last() {
            Some(b'*') | None => Self::STAR,
            Some(byte) => Self::slot(byte),
        };
        if let Some(globs) = self.0.get_mut(slot) {
            globs.push(Glob::of(pattern));
        }
    }

    fn any(&self, text: &str) -> bool {
        let slots = [text.bytes().last().map_or(Self::STAR, Self::slot), Self::STAR];
        let mut globs = slots
            .into_iter()
            .filter_map(|slot| self.0.get(slot))
            .flatten()
            .peekable();
        globs.peek().is_some() && {
            let bytes = bytes_of(text);
            globs.any(|glob| glob.is(text, bytes))
        }
    }
}

/// A pattern for one name.
struct Glob {
    /// What stands before, between and behind the stars.
    pieces: Vec<&'static str>,
    /// Which bytes it has: a name that lacks one of them needs no closer look.
    bytes: u64,
}

/// Returns which bytes are in `text`, a bit for each kind.
fn bytes_of(text: &str) -> u64 {
    text.bytes().fold(0, |bytes, byte| bytes | 1 << (byte & 63))
}

impl Glob {
    fn of(pattern: &'static str) -> Self {
        Self {
            pieces: pattern.split('*').collect(),
            bytes: pattern.split('*').fold(0, |bytes, piece| bytes | bytes_of(piece)),
        }
    }

    fn is(&self, text: &str, bytes: u64) -> bool {
        if self.bytes & !bytes != 0 {
            return false;
        }
        match self.pieces.as_slice() {
            [] => text.is_empty(),
            [whole] => text == *whole,
            [start, middle @ .., end] => {
                let inner = text.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
                inner.is_some_and(|inner| {
                    let mut rest = Some(inner.as_bytes());
                    for piece in middle {
                        rest = rest.and_then(|rest| behind(rest, piece.as_bytes()));
                    }
                    rest.is_some()
                })
            }
        }
    }
}

/// Returns what stands behind the first `piece`. For texts of a few bytes, for which a searcher costs more than the search.
fn behind<'a>(text: &'a [u8], piece: &[u8]) -> Option<&'a [u8]> {
    let at = (0..=text.len()).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(piece)))?;
    text.get(at + piece.len()..)
}

impl Table {
    /// Takes patterns apart.
    pub(crate) fn of(tables: &[&[&'static str]]) -> Self {
        let mut table = Self::default();
        for pattern in tables.iter().copied().flatten() {
            match pattern.strip_suffix('/') {
                Some(folder) => table.folders.add(folder),
                None if pattern.contains('/') => table.paths.push(pattern),
                None => table.names.add(pattern),
            }
        }
        table
    }

    /// True where a pattern stands for `path` or for a folder that it is in.
    pub(crate) fn is(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.is_name(name) || self.is_below(path) || self.paths.iter().any(|pattern| matches(pattern, path))
    }

    /// True where a pattern stands for a file called `name`, in whichever folder.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        self.names.any(name)
    }

    /// True where a pattern stands for one of `folders`, names with slashes between them.
    pub(crate) fn is_below(&self, folders: &str) -> bool {
        folders.split('/').any(|name| self.folders.any(name))
    }
}

/// True where `pattern` stands for the whole of `text`: `*` is any run of characters, a slash at the end everything
/// below. Takes time in proportion to both lengths at most.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let below = if pattern.ends_with('/') { "*" } else { "" };
    let mut pieces = pattern.split('*').chain(below.split('*').skip(1)).peekable();
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some((_, after)) = rest.split_once(piece) else {
            return false;
        };
        rest = after;
    }
    true
}
