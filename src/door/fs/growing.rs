//! A file that only grows and that one process writes: held by its writer, so that whoever sweeps can tell what is still
//! being written from what is left.
//!
//! Nothing is flushed to the disk. Knows nothing of what the lines mean; a file that several share is `lines`.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::fs::{FlockOperation, OFlags};

use crate::{
    door::{
        fs::{NO_LINK, remove_if_there},
        point,
    },
    fault::point::Point,
};

/// The file, held until this is dropped or the process ends.
#[derive(Debug)]
pub struct Growing {
    file: File,
    bytes: u64,
    /// True where the last line may lack its end.
    torn: bool,
}

impl Growing {
    /// Makes the file at `path`, for its owner only.
    ///
    /// # Errors
    /// `AlreadyExists` where something has that name, or was swept away before it was held; else when it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(0o600).custom_flags(NO_LINK);
        let file = point::at(Point::GrowingMade, || options.open(path))?;
        // Where there are no locks, sweepers find none either.
        let _ = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
        if file.metadata()?.nlink() == 0 {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok(Self {
            file,
            bytes: 0,
            torn: false,
        })
    }

    /// Appends `line`, which has no line break, and a line break in one write.
    ///
    /// # Errors
    /// When it cannot be written whole; the next line begins on one of its own all the same.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        let before = if self.torn { "\n" } else { "" };
        let whole = [before, line, "\n"].concat();
        let done = point::at(Point::GrowingAppended, || self.file.write_all(whole.as_bytes()));
        self.torn = done.is_err();
        done?;
        self.bytes += u64::try_from(whole.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Returns how many bytes were appended.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// As for `Lock`: a child that is just being started may hold a copy of the file.
impl Drop for Growing {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// Removes the file at `path` where no process writes to it any more; true where it is gone.
///
/// # Errors
/// When it cannot be opened or removed.
pub fn remove_if_left(path: &Path) -> io::Result<bool> {
    let flags = NO_LINK | OFlags::NONBLOCK.bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        opened => opened?,
    };
    if rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK) {
        return Ok(false);
    }
    remove_if_there(path).map(|()| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_made_once_grows_by_lines_and_stays_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut held = Growing::create(&path).unwrap();
        held.append("one").unwrap();
        assert_eq!(Growing::create(&path).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(!remove_if_left(&path).unwrap());
        held.append("two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(held.bytes(), 8);
        drop(held);
        assert!(remove_if_left(&path).unwrap() && !path.exists());
        assert!(remove_if_left(&path).unwrap());
    }

    #[test]
    fn after_a_line_that_was_cut_short_the_next_one_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let mut held = Growing::create(&path).unwrap();
        held.torn = true;
        held.append("next").unwrap();
        held.append("last").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "\nnext\nlast\n");
    }
}
