//! `Dir`: an open folder. Everything below it is reached name by name, and no symbolic link is ever followed, so that what
//! a check or an edit put there cannot lead a read, a write or a deletion elsewhere.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read as _, Write as _},
    os::{fd::OwnedFd, unix::ffi::OsStrExt as _},
    path::Path,
};

use rustix::fs::{self as sys, AtFlags, FileType, Mode, OFlags, RenameFlags};

use crate::{door::point, fault::point::Point, path::RepoPath};

/// What a name in a folder stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
    /// A pipe, a socket or a device.
    Other,
}

/// What the file system says about a name, without following links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Whether the file has further names (hard links).
    pub shared: bool,
    /// Size in bytes.
    pub size: u64,
    /// Change of content: seconds and nanoseconds.
    pub mtime: (i64, u32),
    /// Change of content or of anything else; cannot be set by a program.
    pub ctime: (i64, u32),
    /// The inode.
    pub ino: u64,
}

/// An open folder.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
}

impl Dir {
    /// Opens the folder at `path`. Links above it are the user's own and are followed.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            fd: sys::open(path, flags, Mode::empty())?,
        })
    }

    /// Lists the names in this folder in no particular order.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn names(&self) -> io::Result<Vec<(Vec<u8>, FileKind)>> {
        let mut names = Vec::new();
        for entry in sys::Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let kind = match entry.file_type() {
                FileType::Unknown => self.stat(name)?.map_or(FileKind::Other, |stat| stat.kind),
                known => kind_of(known),
            };
            names.push((name.to_vec(), kind));
        }
        Ok(names)
    }

    /// Looks at `name`; `None` where there is nothing.
    ///
    /// # Errors
    /// When the file system cannot tell.
    pub fn stat(&self, name: &[u8]) -> io::Result<Option<Stat>> {
        match sys::statat(&self.fd, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(raw) => Ok(Some(stat_of(&raw))),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the folder `name` in this one. One that its owner may not use is made usable first, for nobody else: a check
    /// may have taken the permission away.
    ///
    /// # Errors
    /// When it is no folder, or a symbolic link to one.
    pub fn folder(&self, name: &[u8]) -> io::Result<Self> {
        plain(name)?;
        let name = OsStr::from_bytes(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = match sys::openat(&self.fd, name, flags, Mode::empty()) {
            Err(rustix::io::Errno::ACCESS) => {
                point::at(Point::EntryFolderOpened, || {
                    sys::chmodat(&self.fd, name, Mode::from_raw_mode(0o700), AtFlags::empty()).map_err(io::Error::from)
                })?;
                sys::openat(&self.fd, name, flags, Mode::empty())
            }
            other => other,
        };
        Ok(Self { fd: opened? })
    }

    /// Opens the folder `name`, which is made if there is nothing.
    ///
    /// # Errors
    /// When something else has that name.
    pub fn make_folder(&self, name: &[u8]) -> io::Result<Self> {
        plain(name)?;
        let made = point::at(Point::EntryFolderMade, || {
            sys::mkdirat(&self.fd, OsStr::from_bytes(name), Mode::from_raw_mode(0o777)).map_err(io::Error::from)
        });
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => self.folder(name),
        }
    }

    /// Opens the folder that holds `path`; `None` where one of the folders on the way is missing or no folder.
    ///
    /// # Errors
    /// When a folder on the way cannot be opened.
    pub fn parent_of(&self, path: &RepoPath) -> io::Result<Option<Self>> {
        let mut dir = self.clone_handle()?;
        let mut names = path.names().peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                return Ok(Some(dir));
            }
            match dir.folder(name) {
                Ok(below) => dir = below,
                Err(error) if is_absence(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Reads a regular file, or the target of a symbolic link.
    ///
    /// # Errors
    /// When it is something else; a pipe is refused without waiting for its writer.
    pub fn read(&self, name: &[u8]) -> io::Result<Vec<u8>> {
        plain(name)?;
        let name = OsStr::from_bytes(name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match sys::openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => {
                let mut file = File::from(fd);
                let about = file.metadata()?;
                if !about.is_file() {
                    return Err(refusal("it is not a regular file"));
                }
                let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
                file.read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Err(rustix::io::Errno::LOOP) => Ok(sys::readlinkat(&self.fd, name, Vec::new())?.into_bytes()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the file `name`, which must not exist, with `mode` less what the umask takes away.
    ///
    /// # Errors
    /// When the name is taken or the content cannot be written; then nothing stays.
    pub fn create(&self, name: &[u8], content: &[u8], mode: u32) -> io::Result<()> {
        plain(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        point::at(Point::EntryMade, || {
            let fd = sys::openat(&self.fd, OsStr::from_bytes(name), flags, Mode::from_raw_mode(mode))?;
            let written = File::from(fd).write_all(content);
            if written.is_err() {
                let _ = self.unlink(name);
            }
            written
        })
    }

    /// Makes the symbolic link `name`, which must not exist.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn symlink(&self, name: &[u8], target: &[u8]) -> io::Result<()> {
        plain(name)?;
        point::at(Point::EntryLinked, || {
            sys::symlinkat(OsStr::from_bytes(target), &self.fd, OsStr::from_bytes(name)).map_err(io::Error::from)
        })
    }

    /// Sets the permission bits of the regular file `name`.
    ///
    /// # Errors
    /// When it is no file of ours.
    pub fn set_mode(&self, name: &[u8], mode: u32) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = sys::openat(&self.fd, OsStr::from_bytes(name), flags, Mode::empty())?;
        point::at(Point::EntryModeSet, || {
            sys::fchmod(&fd, Mode::from_raw_mode(mode)).map_err(io::Error::from)
        })
    }

    /// Sets when the regular file `name` was last changed.
    ///
    /// # Errors
    /// When it is no file of ours.
    pub fn set_mtime(&self, name: &[u8], mtime: (i64, u32)) -> io::Result<()> {
        let time = sys::Timespec {
            tv_sec: mtime.0,
            tv_nsec: mtime.1.into(),
        };
        let times = sys::Timestamps {
            last_access: time,
            last_modification: time,
        };
        point::at(Point::EntryTimeSet, || {
            sys::utimensat(&self.fd, OsStr::from_bytes(name), &times, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(io::Error::from)
        })
    }

    /// Renames within this folder, replacing what has the name `to`.
    ///
    /// # Errors
    /// As the file system says.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> io::Result<()> {
        plain(to)?;
        point::at(Point::EntryRenamed, || {
            sys::renameat(&self.fd, OsStr::from_bytes(from), &self.fd, OsStr::from_bytes(to)).map_err(io::Error::from)
        })
    }

    /// Lets two names in this folder change places in one step; false where the file system cannot.
    ///
    /// # Errors
    /// As the file system says.
    pub fn exchange(&self, one: &[u8], other: &[u8]) -> io::Result<bool> {
        let (one, other) = (OsStr::from_bytes(one), OsStr::from_bytes(other));
        point::at(Point::EntriesExchanged, || {
            match sys::renameat_with(&self.fd, one, &self.fd, other, RenameFlags::EXCHANGE) {
                Ok(()) => Ok(true),
                Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Removes a name that is no folder.
    ///
    /// # Errors
    /// As the file system says.
    pub fn unlink(&self, name: &[u8]) -> io::Result<()> {
        point::at(Point::EntryRemoved, || {
            sys::unlinkat(&self.fd, OsStr::from_bytes(name), AtFlags::empty()).map_err(io::Error::from)
        })
    }

    /// Removes the folder `name` if it is empty; says whether it did.
    ///
    /// # Errors
    /// As the file system says.
    pub fn remove_if_empty(&self, name: &[u8]) -> io::Result<bool> {
        point::at(Point::EntryFolderRemoved, || {
            match sys::unlinkat(&self.fd, OsStr::from_bytes(name), AtFlags::REMOVEDIR) {
                Ok(()) => Ok(true),
                Err(rustix::io::Errno::NOTEMPTY | rustix::io::Errno::EXIST) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Removes whatever has this name, folders with all they hold; nothing there is fine.
    ///
    /// # Errors
    /// As the file system says.
    pub fn remove(&self, name: &[u8]) -> io::Result<()> {
        let Some(stat) = self.stat(name)? else { return Ok(()) };
        if stat.kind != FileKind::Folder {
            return self.unlink(name);
        }
        let below = self.folder(name)?;
        if stat.mode & 0o700 != 0o700 {
            point::at(Point::EntryFolderFreed, || {
                sys::fchmod(&below.fd, Mode::from_raw_mode(0o700)).map_err(io::Error::from)
            })?;
        }
        for (name, kind) in below.names()? {
            if kind == FileKind::Folder {
                below.remove(&name)?;
            } else {
                below.unlink(&name)?;
            }
        }
        self.remove_if_empty(name)?;
        Ok(())
    }

    /// Returns a second handle to this folder.
    ///
    /// # Errors
    /// When the process has too many open files.
    pub fn clone_handle(&self) -> io::Result<Self> {
        Ok(Self {
            fd: self.fd.try_clone()?,
        })
    }
}

/// True where an error means that there is no such folder: missing, or something else with that name.
fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(rustix::io::Errno::from_raw_os_error),
        Some(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP)
    )
}

fn plain(name: &[u8]) -> io::Result<()> {
    if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') {
        return Err(refusal("it is not a plain name"));
    }
    Ok(())
}

fn refusal(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn kind_of(kind: FileType) -> FileKind {
    match kind {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Folder,
        FileType::Symlink => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

fn stat_of(raw: &sys::Stat) -> Stat {
    Stat {
        kind: kind_of(FileType::from_raw_mode(raw.st_mode)),
        mode: raw.st_mode & 0o7777,
        shared: raw.st_nlink > 1,
        size: u64::try_from(raw.st_size).unwrap_or(0),
        mtime: (raw.st_mtime, u32::try_from(raw.st_mtime_nsec).unwrap_or(0)),
        ctime: (raw.st_ctime, u32::try_from(raw.st_ctime_nsec).unwrap_or(0)),
        ino: raw.st_ino,
    }
}
