//! File system: whole-file writes that are never seen half done, locks that die with their holder, and below them
//! `dir` (an open folder that follows no link), `folder` (a folder read as a snapshot), `installed` (programs), `lines` (a
//! shared file that only grows), `growing` (one that only its writer grows), `script` (executable files of others), `stored`
//! (files that never change) and `apply` (changes written to one).
//!
//! Knows nothing of repositories, slots or what the bytes mean.

pub mod apply;
pub mod dir;
pub mod folder;
pub mod growing;
pub mod installed;
pub mod lines;
pub mod script;
pub mod stored;

use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, OFlags};

use crate::{
    door::{host, point},
    fault::point::Point,
};

/// Never follow a link in the place of the file, and never hand the file to a child process.
const NO_LINK: i32 = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).bits().cast_signed();

/// Most bytes that the holder of a lock may say.
const MOST_SAID: u64 = 1 << 20;

/// How temporary names begin.
const TEMPORARY: &str = ".invisigoth-";

/// Reads the file at `path`; `None` where there is none.
///
/// # Errors
/// When it is there but cannot be read.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the file at `path` as text; `None` where there is none.
///
/// # Errors
/// When it is there but cannot be read, or is no UTF-8.
pub fn read_text(path: &Path) -> io::Result<Option<String>> {
    let text = read(path)?.map(String::from_utf8).transpose();
    text.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Calls `each` with every line of the file at `path`, its line feed included; a line longer than `most` bytes comes in
/// its first `most` + 1 bytes, and the rest of it as a further line.
///
/// # Errors
/// When it cannot be read, or what `each` returns.
pub fn each_line<E: From<io::Error>>(
    path: &Path,
    most: u64,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut file = io::BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut file).take(most.saturating_add(1)).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        each(&line)?;
    }
}

/// Replaces the file at `path` in one step: readers see the old bytes or the new ones. Permission bits stay; a new file
/// gets `0644` less what the umask takes away.
///
/// # Errors
/// When `path` is a symbolic link or no file, or cannot be written; then the old file stands.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let kept = match std::fs::symlink_metadata(path) {
        Ok(about) if about.is_file() => Some(about.permissions()),
        Ok(_) => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mode = if kept.is_some() { 0o600 } else { 0o644 };
    replace(path, mode, |file| {
        file.write_all(bytes)?;
        kept.map_or(Ok(()), |kept| file.set_permissions(kept))
    })
}

/// As `write_atomic`, into a new file that its owner alone can read, whatever was there before.
///
/// # Errors
/// When it cannot be written; then the old file stands.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, 0o600, |file| file.write_all(bytes))
}

/// Writes a new file beside `path` by `write`, and gives it that name. Where either fails, nothing stays of it.
fn replace(path: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let temporary = path.with_file_name(temporary_name());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode).custom_flags(NO_LINK);
    let written = point::at(Point::FileWritten, || write(&mut options.open(&temporary)?));
    let renamed = written.and_then(|()| point::at(Point::FileRenamed, || std::fs::rename(&temporary, path)));
    if renamed.is_err() {
        let _ = point::at(Point::FileTakenBack, || std::fs::remove_file(&temporary));
    }
    renamed
}

/// Overwrites the small file at `path` in place with `text`, padded with spaces to `width` bytes. One write of a fixed
/// length neither frees nor allocates blocks, which makes it far cheaper than a rename where it happens for every check.
///
/// # Errors
/// When `text` is longer than `width` or the file cannot be written.
pub fn write_padded(path: &Path, text: &str, width: usize) -> io::Result<()> {
    if text.len() > width {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the text is longer than its field",
        ));
    }
    point::at(Point::FilePadded, || {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .custom_flags(NO_LINK)
            .open(path)?;
        file.write_all_at(format!("{text:width$}").as_bytes(), 0)
    })
}

/// Removes the file at `path` if it is there.
///
/// # Errors
/// When it is there but cannot be removed.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match point::at(Point::FileRemoved, || std::fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Lists the files in the folder at `path`, by name; none where there is no folder.
///
/// # Errors
/// When it cannot be read.
pub fn files_in(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in entries_in(path)? {
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn entries_in(path: &Path) -> io::Result<Vec<std::fs::DirEntry>> {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Lists the names of the folders in the folder at `path`; none where there is no folder. Names that are no UTF-8 are left out.
///
/// # Errors
/// When it cannot be read.
pub fn folders_in(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in entries_in(path)? {
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

/// Makes the folder at `path` and those above it.
///
/// # Errors
/// When something else is in the way.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    point::at(Point::FolderMade, || std::fs::create_dir_all(path))
}

/// Makes the folder at `path` and those above it, those that are new for their owner only.
///
/// # Errors
/// When something else is in the way.
pub fn create_private_dir_all(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    point::at(Point::PrivateFolderMade, || {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    })
}

/// Waits until the contents of those of `files` that are there are on the disk.
///
/// # Errors
/// When one cannot be opened or the disk refuses.
pub fn sync(files: &[PathBuf]) -> io::Result<()> {
    point::at(Point::Synced, || files.iter().try_for_each(|file| sync_one(file)))
}

/// Waits until the names in the folders of `files`, and of the folders above those, are on the disk.
///
/// # Errors
/// As `sync`.
pub fn sync_folders(files: &[PathBuf]) -> io::Result<()> {
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let above: BTreeSet<&Path> = folders.iter().filter_map(|folder| folder.parent()).collect();
    folders.union(&above).try_for_each(|folder| sync_one(folder))
}

fn sync_one(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// True where the owner may execute the file at `path`.
pub fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// Returns whose the file or folder at `path` is, by number, and its permission bits.
///
/// # Errors
/// When there is none.
pub fn owner_and_mode(path: &Path) -> io::Result<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|about| (about.uid(), about.mode() & 0o7777))
}

/// An exclusive lock. The kernel frees it when the holder dies, however that happens; child processes do not inherit it.
#[derive(Debug)]
pub struct Lock {
    file: File,
    /// The most bytes that the file held since the lock was taken.
    longest: usize,
}

impl Lock {
    /// Takes the lock at `path` without waiting and writes `text` into the file, for people who ask who holds it; `None` if
    /// somebody else has it. The file stays when the lock is freed: removing it would let two hold it at once.
    ///
    /// # Errors
    /// When the file cannot be opened, or the file system knows no locks.
    pub fn try_lock(path: &Path, text: &str) -> io::Result<Option<Self>> {
        let taken = point::at(Point::LockTaken, || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o644)
                .custom_flags(NO_LINK)
                .open(path)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => file.set_len(0).map(|()| Some(file)),
                Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
                Err(error) => Err(error.into()),
            }
        });
        let Some(file) = taken? else { return Ok(None) };
        let mut lock = Self { file, longest: 0 };
        lock.write(text)?;
        Ok(Some(lock))
    }

    /// Replaces what the file says, by one write: whoever reads it meanwhile sees no empty file. What the text is shorter
    /// than the longest before, spaces fill.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.longest = self.longest.max(text.len());
        let gap = self.longest.saturating_sub(text.len());
        let text = format!("{text}{}", " ".repeat(gap));
        point::at(Point::LockSaid, || self.file.write_all_at(text.as_bytes(), 0))
    }

    /// Reads what the holder of the lock at `path` wrote; `None` where nobody holds it now.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn holder(path: &Path) -> io::Result<Option<String>> {
        let Ok(file) = File::open(path) else { return Ok(None) };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => Self::read_holder(path).map(Some),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads what the last holder wrote; empty where nobody did.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn read_holder(path: &Path) -> io::Result<String> {
        let mut text = Vec::new();
        match File::open(path) {
            Ok(file) => file.take(MOST_SAID).read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// A child that another thread is just starting holds a copy of the file until it runs its program; closing ours would not
/// free the lock before that, unlocking does.
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// What tells one state of a file from the next without reading it: inode, size, and time of change to the nanosecond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
    written: (i64, i64),
}

impl Stamp {
    /// Returns when the file was changed last, by the clock of its file system: seconds and nanoseconds.
    pub fn changed(self) -> (i64, i64) {
        self.changed
    }

    /// Returns when its bytes were written last, which a copy may keep: seconds and nanoseconds.
    pub fn written(self) -> (i64, i64) {
        self.written
    }
}

/// Returns the stamp of the file at `path`; `None` where there is none.
pub fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let about = std::fs::metadata(path).ok()?;
    Some(Stamp {
        inode: about.ino(),
        size: about.size(),
        changed: (about.ctime(), about.ctime_nsec()),
        written: (about.mtime(), about.mtime_nsec()),
    })
}

/// Names a folder so that a copy of it has another name: its real path and its inode.
pub fn identity(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let inode = std::fs::metadata(path).map_or(0, |about| about.ino());
    format!("{}\n{inode}", real.display())
}

/// Returns the bytes that are free for us on the file system of `path`.
///
/// # Errors
/// When there is no such path.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let about = rustix::fs::statvfs(path)?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Returns a name that nobody can guess, so that nobody can have planted something under it.
fn temporary_name() -> String {
    format!("{TEMPORARY}{}", host::nonce())
}

#[cfg(test)]
mod tests;
