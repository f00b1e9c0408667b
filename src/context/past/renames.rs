//! Renames: which of the files that are new in a commit is one that is gone in it. Equal content always; alike content
//! where few files come into question, for that has to be read.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use crate::{id::BlobId, path::RepoPath};

/// Most files of equal content that are compared by their paths.
const EQUALS: usize = 32;

/// Most pairs of files that are compared by content.
const PAIRS: usize = 64;

/// Largest file that is worth comparing by content, in bytes.
pub const LARGEST: u64 = 512 * 1024;

/// A file that is new or gone.
pub type Side = (RepoPath, BlobId);

/// Returns for each of `new` which of `gone` it was, if any. `read` reads a blob, where it can be had.
pub fn pair(gone: &[Side], new: &[Side], read: impl FnMut(BlobId) -> Option<Vec<u8>>) -> Vec<Option<usize>> {
    let mut pairs = Pairs {
        gone,
        new,
        of_new: vec![None; new.len()],
        taken: vec![false; gone.len()],
    };
    if !gone.is_empty() && !new.is_empty() {
        pairs.equal();
        pairs.alike(read);
    }
    pairs.of_new
}

struct Pairs<'a> {
    gone: &'a [Side],
    new: &'a [Side],
    of_new: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Pairs<'_> {
    fn join(&mut self, new: usize, gone: usize) {
        if let (Some(of), Some(taken)) = (self.of_new.get_mut(new), self.taken.get_mut(gone))
            && of.is_none()
            && !*taken
        {
            (*of, *taken) = (Some(gone), true);
        }
    }

    /// Joins files of equal content; where several are equal, those whose paths end alike.
    fn equal(&mut self) {
        let mut by_blob: HashMap<BlobId, Vec<usize>> = HashMap::new();
        for (at, (_, blob)) in self.gone.iter().enumerate() {
            let equals = by_blob.entry(*blob).or_default();
            if equals.len() < EQUALS {
                equals.push(at);
            }
        }
        let mut found = Vec::new();
        for (at, (path, blob)) in self.new.iter().enumerate() {
            for other in by_blob.get(blob).into_iter().flatten() {
                let was = self.gone.get(*other).map(|(was, _)| shared_end(was, path));
                found.push((Reverse(was), at, *other));
            }
        }
        found.sort_unstable();
        for (_, new, gone) in found {
            self.join(new, gone);
        }
    }

    fn open(&self) -> (Vec<usize>, Vec<usize>) {
        let new = self.of_new.iter().enumerate().filter(|(_, of)| of.is_none());
        let gone = self.taken.iter().enumerate().filter(|(_, taken)| !**taken);
        (new.map(|(at, _)| at).collect(), gone.map(|(at, _)| at).collect())
    }

    /// Joins files of alike content, the likest first: any two of the same kind where there are few, else those of the same
    /// name.
    fn alike(&mut self, mut read: impl FnMut(BlobId) -> Option<Vec<u8>>) {
        let (new, gone) = self.open();
        let few = new.len() * gone.len() <= PAIRS;
        let mut texts: BTreeMap<BlobId, Option<Vec<u8>>> = BTreeMap::new();
        let mut found = Vec::new();
        let mut left = PAIRS;
        for at in new {
            for other in &gone {
                let (Some((path, blob)), Some((was, old))) = (self.new.get(at), self.gone.get(*other)) else {
                    continue;
                };
                let same = path.file_name() == was.file_name();
                if left == 0 || !(same || few && kind(path) == kind(was)) {
                    continue;
                }
                left -= 1;
                for id in [blob, old] {
                    texts.entry(*id).or_insert_with(|| read(*id));
                }
                if let (Some(Some(text)), Some(Some(before))) = (texts.get(blob), texts.get(old))
                    && let Some(likeness) = likeness(before, text)
                {
                    found.push((Reverse(likeness), Reverse(same), at, *other));
                }
            }
        }
        found.sort_unstable();
        for (_, _, new, gone) in found {
            self.join(new, gone);
        }
    }
}

/// Returns how many bytes two paths share at their ends.
fn shared_end(one: &RepoPath, other: &RepoPath) -> usize {
    let (one, other) = (one.as_bytes().iter().rev(), other.as_bytes().iter().rev());
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Returns what follows the last full stop of the file's name.
fn kind(path: &RepoPath) -> Option<&[u8]> {
    let name = path.file_name();
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    name.get(dot..)
}

/// Returns how many bytes in a thousand two texts share by whole lines, where it is half or more of the longer one.
fn likeness(one: &[u8], other: &[u8]) -> Option<usize> {
    let (short, long) = (one.len().min(other.len()), one.len().max(other.len()));
    if short.saturating_mul(2) < long || short == 0 {
        return None;
    }
    let mut lines: HashMap<&[u8], usize> = HashMap::new();
    for line in one.split_inclusive(|byte| *byte == b'\n') {
        *lines.entry(line).or_default() += 1;
    }
    let mut shared = 0;
    for line in other.split_inclusive(|byte| *byte == b'\n') {
        if let Some(left) = lines.get_mut(line).filter(|left| **left > 0) {
            *left -= 1;
            shared += line.len();
        }
    }
    (shared.saturating_mul(2) >= long).then(|| shared.saturating_mul(1000) / long)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(path: &str, text: &str) -> Side {
        let blob = crate::id::Hash::of("test", [text.as_bytes()]).oid();
        (RepoPath::from_git(path), BlobId(blob))
    }

    /// Each pair as `old -> new`.
    fn paired(gone: &[(&str, &str)], new: &[(&str, &str)]) -> Vec<String> {
        let sides = |list: &[(&str, &str)]| -> Vec<Side> { list.iter().map(|(path, text)| side(path, text)).collect() };
        let (before, after) = (sides(gone), sides(new));
        let read = |id: BlobId| {
            let all = gone.iter().chain(new);
            let found = all.filter(|(path, text)| side(path, text).1 == id);
            found.map(|(_, text)| text.as_bytes().to_vec()).next()
        };
        let of_new = pair(&before, &after, read);
        let named = of_new
            .iter()
            .zip(new)
            .filter_map(|(of, (path, _))| Some(format!("{} -> {path}", gone[(*of)?].0)));
        named.collect()
    }

    #[test]
    fn equal_files_meet_where_their_paths_end_alike() {
        let gone = [("a/__init__.py", ""), ("b/__init__.py", ""), ("a/x.py", "x")];
        let new = [("lib/b/__init__.py", ""), ("lib/a/__init__.py", ""), ("y.py", "x")];
        let expected = [
            "b/__init__.py -> lib/b/__init__.py",
            "a/__init__.py -> lib/a/__init__.py",
            "a/x.py -> y.py",
        ];
        assert_eq!(paired(&gone, &new), expected);
    }

    #[test]
    fn alike_files_meet_and_others_do_not() {
        let text = "one\ntwo\nthree\nfour\n";
        let changed = "one\ntwo\nthree\nfive\n";
        assert_eq!(paired(&[("a.rs", text)], &[("b.rs", changed)]), ["a.rs -> b.rs"]);
        assert!(paired(&[("a.rs", text)], &[("b.py", changed)]).is_empty());
        assert!(paired(&[("a.rs", text)], &[("a.rs", "other\nlines\nonly\nhere\n")]).is_empty());
        assert!(paired(&[("a.rs", "")], &[("b.rs", "x")]).is_empty());
        // The likest one is taken, and each only once.
        let new = [("b.rs", changed), ("c.rs", text)];
        assert_eq!(paired(&[("a.rs", text)], &new), ["a.rs -> c.rs"]);
    }
}
