//! Reports: the folder beside a slot into which a command may write JUnit files, which tell its tests by name.
//!
//! Owns that nothing of an earlier command is read. What the files say is `verdict`'s.

use std::{io, path::Path};

use crate::door::fs::dir::{Dir, FileKind};

/// Its name in the slot's cache folder.
pub const NAME: &str = "junit";
/// Most files that are read.
const MOST: usize = 2000;
/// Largest file that is read, in bytes.
const LARGEST: u64 = 8 << 20;

/// Makes the folder in `cache`, empty.
///
/// # Errors
/// When something is there that cannot be taken away.
pub fn empty(cache: &Path) -> io::Result<()> {
    let cache = Dir::open(cache)?;
    cache.remove(NAME.as_bytes())?;
    cache.make_folder(NAME.as_bytes()).map(|_| ())
}

/// Reads the files in it that end in `.xml`, by name. Links and what is too large are passed over.
///
/// # Errors
/// When a file cannot be read.
pub fn read(cache: &Path) -> io::Result<Vec<Vec<u8>>> {
    let folder = Dir::open(cache)?.folder(NAME.as_bytes())?;
    let mut names: Vec<Vec<u8>> = folder
        .names()?
        .into_iter()
        .filter(|(name, kind)| *kind == FileKind::File && name.ends_with(b".xml"))
        .map(|(name, _)| name)
        .collect();
    names.sort();
    let mut files = Vec::new();
    for name in names.iter().take(MOST) {
        if folder.stat(name)?.is_some_and(|stat| stat.size <= LARGEST) {
            files.push(folder.read(name)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn only_what_was_written_since_and_is_a_file_of_its_own_is_read() {
        let cache = tempfile::tempdir().unwrap();
        empty(cache.path()).unwrap();
        let folder = cache.path().join(NAME);
        fs::write(folder.join("old.xml"), "old").unwrap();
        empty(cache.path()).unwrap();
        fs::write(cache.path().join("secret"), "secret").unwrap();
        symlink("../secret", folder.join("link.xml")).unwrap();
        fs::write(folder.join("b.xml"), "b").unwrap();
        fs::write(folder.join("a.xml"), "a").unwrap();
        fs::write(folder.join("note.txt"), "n").unwrap();
        assert_eq!(read(cache.path()).unwrap(), [b"a", b"b"]);
    }

    #[test]
    fn a_link_in_its_place_is_taken_away_and_not_followed() {
        let (cache, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("kept.xml"), "k").unwrap();
        symlink(other.path(), cache.path().join(NAME)).unwrap();
        assert!(read(cache.path()).is_err());
        empty(cache.path()).unwrap();
        assert!(other.path().join("kept.xml").exists());
        assert_eq!(read(cache.path()).unwrap(), Vec::<Vec<u8>>::new());
    }
}
