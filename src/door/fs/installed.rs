//! Installed programs: one takes another's place in a single step, and the old one stays beside it.
//!
//! Knows the names beside a program (`NAME.new`, `NAME.old`), and nothing of who builds or tries it.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::{
    door::{
        fs::{NO_LINK, remove_if_there, sync_folders, temporary_name},
        point,
    },
    fault::point::Point,
};

/// Returns where a program waits that is to take the place of `install`.
pub fn new_of(install: &Path) -> PathBuf {
    beside(install, ".new")
}

/// Returns where the program stays whose place another took.
pub fn old_of(install: &Path) -> PathBuf {
    beside(install, ".old")
}

fn beside(install: &Path, end: &str) -> PathBuf {
    let mut name = install.file_name().map(OsString::from).unwrap_or_default();
    name.push(end);
    install.with_file_name(name)
}

/// Writes the program `from` beside `install`, with the permissions of what is there, and to the disk. Where that fails,
/// nothing stays of it.
///
/// # Errors
/// When `from` is no regular file, or as the file system says.
pub fn stage(from: &Path, install: &Path) -> io::Result<()> {
    let new = new_of(install);
    remove_if_there(&new)?;
    let mut from = OpenOptions::new().read(true).custom_flags(NO_LINK).open(from)?;
    if !from.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let kept = std::fs::metadata(install)?.permissions();
    let staged = point::at(Point::ProgramStaged, || {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o700).custom_flags(NO_LINK);
        let mut to = options.open(&new)?;
        io::copy(&mut from, &mut to)?;
        to.set_permissions(kept)?;
        to.sync_all()
    });
    if staged.is_err() {
        let _ = remove_if_there(&new);
    }
    staged
}

/// Keeps the program at `install` as `NAME.old`, whatever was kept there before.
///
/// # Errors
/// As the file system says.
pub fn keep(install: &Path) -> io::Result<()> {
    let temporary = install.with_file_name(temporary_name());
    let kept = point::at(Point::ProgramKept, || {
        // A second name takes no room, where the file system has such.
        if std::fs::hard_link(install, &temporary).is_err() {
            std::fs::copy(install, &temporary)?;
            File::open(&temporary)?.sync_all()?;
        }
        std::fs::rename(&temporary, old_of(install))
    });
    // Where both names meant the same file already, renaming took none away.
    let _ = remove_if_there(&temporary);
    kept
}

/// Gives the place of `install` to the program that waits beside it.
///
/// # Errors
/// As the file system says; the old program is there then.
pub fn swap(install: &Path) -> io::Result<()> {
    point::at(Point::ProgramSwapped, || std::fs::rename(new_of(install), install))?;
    sync_folders(&[install.to_owned()])
}

/// Gives the place of `install` back to the program that was kept.
///
/// # Errors
/// As the file system says; what is there stays then.
pub fn restore(install: &Path) -> io::Result<()> {
    let temporary = install.with_file_name(temporary_name());
    let restored = point::at(Point::ProgramRestored, || {
        if std::fs::hard_link(old_of(install), &temporary).is_err() {
            std::fs::copy(old_of(install), &temporary)?;
            File::open(&temporary)?.sync_all()?;
        }
        std::fs::rename(&temporary, install)
    });
    let _ = remove_if_there(&temporary);
    restored?;
    sync_folders(&[install.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    #[test]
    fn a_program_takes_another_s_place_and_gives_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let (built, install) = (folder.path().join("built"), folder.path().join("tool"));
        fs::write(&install, "one").unwrap();
        fs::set_permissions(&install, fs::Permissions::from_mode(0o750)).unwrap();
        fs::write(&built, "two").unwrap();
        stage(&built, &install).unwrap();
        assert_eq!(fs::read(&install).unwrap(), b"one");
        keep(&install).unwrap();
        keep(&install).unwrap();
        swap(&install).unwrap();
        let about = fs::metadata(&install).unwrap();
        assert_eq!(
            (fs::read(&install).unwrap(), about.permissions().mode() & 0o777),
            (b"two".to_vec(), 0o750)
        );
        assert_eq!(fs::read(old_of(&install)).unwrap(), b"one");
        restore(&install).unwrap();
        restore(&install).unwrap();
        assert_eq!(fs::read(&install).unwrap(), b"one");
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["built", "tool", "tool.old"]);
    }

    #[test]
    fn a_link_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        let (built, install) = (folder.path().join("built"), folder.path().join("tool"));
        fs::write(&install, "one").unwrap();
        std::os::unix::fs::symlink(&install, &built).unwrap();
        assert!(stage(&built, &install).is_err());
        assert!(stage(folder.path(), &install).is_err());
        assert!(!new_of(&install).exists());
    }
}
