//! Stored files: written whole under a temporary name, renamed, then never changed again; read piece by piece.
//!
//! The writer of a temporary file holds a lock on it, so that what a killed one left behind is told from what is being
//! written, on whatever machine. Nothing is flushed to the disk: after a power cut a file may be short, and what a file
//! of its name must say is its reader's business.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::fs::{FlockOperation, OFlags};

use crate::{
    door::{
        fs::{NO_LINK, TEMPORARY, remove_if_there, temporary_name},
        point,
    },
    fault::point::Point,
    read_at::ReadAt,
    time::Moment,
};

/// A temporary file that did not change for so long is nobody's, even where the file system knows no locks.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// How often another name is tried when somebody sweeps just the file that was made.
const TRIES: u32 = 16;

/// A stored file, open: it can be read to its end although somebody removes it.
#[derive(Debug)]
pub struct StoredFile {
    file: File,
    len: u64,
}

impl StoredFile {
    /// Opens the file at `path`; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be opened, or is no regular file.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        // A pipe would let us wait for its writer.
        let flags = NO_LINK | OFlags::NONBLOCK.bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let len = about.len();
        Ok(Some(Self { file, len }))
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.len).unwrap_or(0));
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl ReadAt for StoredFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.len)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(into, at)
    }
}

/// Stores `bytes` at `path`, in the place of what is there: readers see all of it or nothing. Nobody may write to it,
/// whom the umask lets may read it.
///
/// # Errors
/// When it cannot be written; then nothing changed.
pub fn store(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = Temporary::beside(path)?;
    point::at(Point::StoredWritten, || temporary.file.write_all(bytes))?;
    point::at(Point::StoredRenamed, || std::fs::rename(&temporary.path, path))?;
    temporary.is_kept = true;
    Ok(())
}

/// A file under a temporary name, locked until this is dropped; then it goes, unless it got its real name.
struct Temporary {
    file: File,
    path: PathBuf,
    is_kept: bool,
}

impl Temporary {
    fn beside(path: &Path) -> io::Result<Self> {
        for _ in 0..TRIES {
            let made = Self::make(path.with_file_name(temporary_name()))?;
            if made.is_ours() {
                return Ok(made);
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn make(path: PathBuf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o444).custom_flags(NO_LINK);
        let file = point::at(Point::StoredMade, || options.open(&path))?;
        let is_kept = false;
        Ok(Self { file, path, is_kept })
    }

    /// Locks it. False where a sweeper saw it before it was locked.
    fn is_ours(&self) -> bool {
        match rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => false,
            // Where there are no locks, sweepers go by age.
            Ok(()) | Err(_) => self.file.metadata().is_ok_and(|about| about.nlink() > 0),
        }
    }
}

/// As for `Lock`: a child that is just being started may hold a copy of the file.
impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = point::at(Point::StoredTakenBack, || std::fs::remove_file(&self.path));
        }
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// Lists the names of the regular files in `folder`, sorted, but those that begin with a dot; none where there is no
/// such folder.
///
/// # Errors
/// When it cannot be read.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = every_name(folder)?;
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

fn every_name(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

/// Removes the temporary files in `folder` that nobody writes to any more, or that did not change for a day by `now`.
///
/// # Errors
/// When the folder cannot be read, or a file cannot be removed; then the others are gone all the same.
pub fn sweep(folder: &Path, now: Moment) -> io::Result<()> {
    let mut done = Ok(());
    for name in every_name(folder)? {
        if name.starts_with(TEMPORARY) {
            let swept = sweep_one(&folder.join(name), now);
            done = done.and(swept);
        }
    }
    done
}

fn sweep_one(path: &Path, now: Moment) -> io::Result<()> {
    let Some(StoredFile { file, .. }) = StoredFile::open(path)? else {
        return Ok(());
    };
    let changed = Moment(file.metadata()?.mtime().saturating_mul(1000));
    // The lock is held until the name is gone: a writer that comes too late finds that out.
    let is_left = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    let swept = match is_left || now.since(changed) > ABANDONED {
        true => remove_if_there(path),
        false => Ok(()),
    };
    let _ = rustix::fs::flock(&file, FlockOperation::Unlock);
    swept
}

#[cfg(test)]
mod tests;
