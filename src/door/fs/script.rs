//! Executable files of other programs: writes one whole, and moves one out of the way and back as it is.
//!
//! Knows no hook and no shell.

use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{OpenOptionsExt as _, PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
};

use crate::{
    door::{fs::write_atomic, point},
    fault::point::Point,
};

/// What is at a path, links not followed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum There {
    /// Nothing.
    Nothing,
    /// A file: its bytes, and whether its owner may execute it.
    File(Vec<u8>, bool),
    /// A symbolic link.
    Link(PathBuf),
    /// Something else.
    Other,
}

/// Looks what is at `path`.
///
/// # Errors
/// When it is there but cannot be read.
pub fn look(path: &Path) -> io::Result<There> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(error),
    };
    if about.is_symlink() {
        return fs::read_link(path).map(There::Link);
    }
    if !about.is_file() {
        return Ok(There::Other);
    }
    let is_executable = about.permissions().mode() & 0o100 != 0;
    Ok(There::File(fs::read(path)?, is_executable))
}

/// Writes the script at `path`: a new one may be executed by everybody whom the umask lets, one that is there keeps its mode.
///
/// # Errors
/// When something that is no file is there, or it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if look(path)? != There::Nothing {
        return write_atomic(path, bytes);
    }
    let written = point::at(Point::ScriptMade, || {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o777).open(path);
        made.and_then(|mut file| file.write_all(bytes))
    });
    if written.is_err() {
        let _ = point::at(Point::ScriptTakenBack, || fs::remove_file(path));
    }
    written
}

/// Moves what is at `from` to `to`, where nothing may be, with its bytes, mode and times. A relative link leads to the same
/// place afterwards: `deeper` says whether `to` is one folder below `from`, or one above.
///
/// # Errors
/// When something is at `to`, or as the file system says.
pub fn relocate(from: &Path, to: &Path, deeper: bool) -> io::Result<()> {
    if look(to)? != There::Nothing {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is there already", to.display()),
        ));
    }
    let There::Link(leads) = look(from)? else {
        return point::at(Point::ScriptMoved, || fs::rename(from, to));
    };
    let leads = match (leads.is_absolute(), deeper) {
        (true, _) => leads,
        (false, true) => Path::new("..").join(leads),
        // By bytes: as a path, `./` in front of what is left would go, too.
        (false, false) => match leads.as_os_str().as_bytes().strip_prefix(b"../") {
            Some(rest) => PathBuf::from(OsStr::from_bytes(rest)),
            None => leads,
        },
    };
    point::at(Point::ScriptLinked, || symlink(&leads, to))?;
    point::at(Point::ScriptUnlinked, || fs::remove_file(from))
}

/// Removes the folder at `path` where it is empty; anything else there stays.
pub fn remove_empty(path: &Path) {
    let _ = point::at(Point::ScriptFolderRemoved, || fs::remove_dir(path));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_moves_leads_where_it_led_and_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("below")).unwrap();
        fs::write(at("tool"), "x").unwrap();
        for leads in ["tool", "./../tool", "/bin/sh"] {
            symlink(leads, at("hook")).unwrap();
            relocate(&at("hook"), &at("below/hook"), true).unwrap();
            let same = fs::canonicalize(folder.path().join(leads)).ok();
            assert_eq!(fs::canonicalize(at("below/hook")).ok(), same, "{leads}");
            relocate(&at("below/hook"), &at("hook"), false).unwrap();
            assert_eq!(fs::read_link(at("hook")).unwrap().as_os_str(), leads);
            fs::remove_file(at("hook")).unwrap();
        }
    }

    #[test]
    fn nothing_is_overwritten_by_a_move() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::write(&one, "1").unwrap();
        fs::write(&two, "2").unwrap();
        assert_eq!(
            relocate(&one, &two, true).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(&two).unwrap(), b"2");
    }
}
