//! Cache: a folder of files that only cost time to lose. A file is named by what it holds and never changes; whoever wants
//! other content puts another file there and removes this one.
//!
//! Any number of processes read, put and remove at once. Knows nothing of what the files mean; a file may be short after a
//! power cut, so its reader must be able to tell. Where nothing can be kept, errors say why and the caller goes on without.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    door::{
        clock::SystemClock,
        env,
        fs::{
            self, Lock,
            stored::{self, StoredFile},
        },
    },
    id::Hash,
    time::Clock as _,
};

/// Hexadecimal digits of the hash in a name.
const DIGITS: usize = 32;

/// The folder.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Names the folder; it is made when the first file is put there.
    pub fn open(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder }
    }

    /// Lists the files whose names begin with `prefix`, sorted.
    ///
    /// # Errors
    /// When the folder is there but cannot be read.
    pub fn list(&self, prefix: &str) -> io::Result<Vec<String>> {
        let mut names = stored::names(&self.folder)?;
        names.retain(|name| name.starts_with(prefix));
        Ok(names)
    }

    /// Opens a file; `None` where it is gone. An open file can be read although somebody removes it.
    ///
    /// # Errors
    /// When it is there but cannot be opened.
    pub fn file(&self, name: &str) -> io::Result<Option<StoredFile>> {
        StoredFile::open(&self.path(name)?)
    }

    /// Reads a whole file; `None` where it is gone.
    ///
    /// # Errors
    /// When it is there but cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.file(name)?.map(StoredFile::read).transpose()
    }

    /// Keeps `bytes` under a name made of `prefix`, their hash and `suffix`, and returns that name. What is kept already is
    /// not written again, unless its file was damaged.
    ///
    /// # Errors
    /// When the folder or the file cannot be made: read-only, full, somebody else's.
    pub fn put(&self, prefix: &str, suffix: &str, bytes: &[u8]) -> io::Result<String> {
        let name = format!("{prefix}{}{suffix}", Hash::of("cache", [bytes]).short(DIGITS));
        let path = self.path(&name)?;
        let kept = self.read(&name).ok().flatten();
        if kept.is_none_or(|kept| kept != bytes) {
            fs::create_dir_all(&self.folder)?;
            stored::store(&path, bytes)?;
        }
        Ok(name)
    }

    /// Removes a file if it is there.
    ///
    /// # Errors
    /// When it is there but cannot be removed.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_if_there(&self.path(name)?)
    }

    /// Takes the folder's lock without waiting, for work that only one process should do; `None` where another has it. It
    /// is free again when it is dropped or its process dies. Nobody needs it to read or to put.
    ///
    /// # Errors
    /// When the lock's file cannot be made, or the file system knows no locks.
    pub fn try_lock(&self) -> io::Result<Option<Lock>> {
        fs::create_dir_all(&self.folder)?;
        Lock::try_lock(&self.folder.join(".lock"), &format!("pid {}\n", env::process_id()))
    }

    /// Removes what killed processes left half written.
    ///
    /// # Errors
    /// When the folder cannot be read or a file cannot be removed.
    pub fn tidy(&self) -> io::Result<()> {
        stored::sweep(&self.folder, SystemClock.now())
    }

    /// Names that begin with a dot are our own.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let wrong = name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']);
        match wrong {
            true => Err(io::ErrorKind::InvalidInput.into()),
            false => Ok(self.folder.join(name)),
        }
    }
}

#[cfg(test)]
mod tests;
