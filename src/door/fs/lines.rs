//! A file that only grows, by whole lines, and that several processes share: held alone while it is read and written.
//!
//! The lock is on the file itself and dies with its holder. Knows nothing of what the lines mean.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use rustix::fs::FlockOperation;

use crate::{
    door::{
        fs::{NO_LINK, replace},
        point,
    },
    fault::point::Point,
};

/// The file, held alone until this is dropped.
#[derive(Debug)]
pub struct Lines {
    file: File,
    path: PathBuf,
    inode: u64,
    is_new: bool,
}

impl Lines {
    /// Opens the file at `path`, made where there is none, and waits until nobody else holds it.
    ///
    /// # Errors
    /// When it is a link or no file, cannot be made, or the file system knows no locks.
    pub fn hold(path: &Path) -> io::Result<Self> {
        loop {
            let file = point::at(Point::LinesHeld, || {
                let file = OpenOptions::new()
                    .read(true)
                    .append(true)
                    .create(true)
                    .mode(0o644)
                    .custom_flags(NO_LINK)
                    .open(path)?;
                rustix::io::retry_on_intr(|| rustix::fs::flock(&file, FlockOperation::LockExclusive))?;
                Ok::<_, io::Error>(file)
            })?;
            let about = file.metadata()?;
            // Whoever held it may have put another file in its place meanwhile.
            if std::fs::symlink_metadata(path).is_ok_and(|now| now.ino() == about.ino()) {
                return Ok(Self {
                    file,
                    path: path.to_owned(),
                    inode: about.ino(),
                    is_new: about.len() == 0,
                });
            }
        }
    }

    /// Returns what tells this file from one that was put in its place.
    pub fn inode(&self) -> u64 {
        self.inode
    }

    /// Reads from byte `offset` to the end; `None` where the file is shorter.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn rest(&mut self, offset: u64) -> io::Result<Option<Vec<u8>>> {
        if self.file.metadata()?.len() < offset {
            return Ok(None);
        }
        self.file.seek(SeekFrom::Start(offset))?;
        let mut rest = Vec::new();
        self.file.read_to_end(&mut rest)?;
        Ok(Some(rest))
    }

    /// Appends `line` and a newline in one write, behind a torn line's end where there is one; with `sync` it is on the disk
    /// when this returns.
    ///
    /// # Errors
    /// When it cannot be written whole.
    pub fn append(&mut self, line: &str, sync: bool) -> io::Result<()> {
        let torn = if self.is_torn()? { "\n" } else { "" };
        point::at(Point::LineAppended, || {
            self.file.write_all(format!("{torn}{line}\n").as_bytes())?;
            if sync {
                self.file.sync_data()?;
                if self.is_new {
                    sync_folder(&self.path)?;
                }
            }
            Ok(())
        })
    }

    fn is_torn(&mut self) -> io::Result<bool> {
        if self.file.metadata()?.len() == 0 {
            return Ok(false);
        }
        self.file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        self.file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    }

    /// Puts a file that holds `text` in its place: whoever comes next finds one or the other, whole.
    ///
    /// # Errors
    /// When it cannot be written; then the old file stands.
    pub fn replace(self, text: &str) -> io::Result<()> {
        replace(&self.path, 0o644, |file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })?;
        sync_folder(&self.path)
    }
}

/// As for `Lock`: a child that is just being started may hold a copy of the file.
impl Drop for Lines {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.file, FlockOperation::Unlock);
    }
}

/// A new name is on the disk when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_torn_line_gets_its_end_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        Lines::hold(&path).unwrap().append("one", true).unwrap();
        std::fs::write(&path, "one\ntor").unwrap();
        Lines::hold(&path).unwrap().append("two", false).unwrap();
        assert_eq!(read(&path), "one\ntor\ntwo\n");
        let mut held = Lines::hold(&path).unwrap();
        assert_eq!(held.rest(8).unwrap().unwrap(), b"two\n");
        assert_eq!(held.rest(13).unwrap(), None);
    }

    #[test]
    fn many_at_once_lose_no_line_although_the_file_is_replaced_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for nth in 0..50 {
                        let mut held = Lines::hold(path).unwrap();
                        held.append(&format!("{worker} {nth}"), false).unwrap();
                        if nth % 10 == worker {
                            let all = String::from_utf8(held.rest(0).unwrap().unwrap()).unwrap();
                            held.replace(&all).unwrap();
                        }
                    }
                });
            }
        });
        let mut lines: Vec<String> = read(&path).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 200);
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 200);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("lines"), folder.path().join("other"));
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(Lines::hold(&path).is_err());
        assert!(!other.exists());
    }
}
