//! `export --html`: a site of files in a folder. Owns what may be in that folder, and that it is either whole or known not to be.
//!
//! A marker file says which files are of an export, and whether all of them are there. It is written first, saying no, and last,
//! saying yes; the front page comes just before. Nothing but what a marker lists is ever removed, and no link is followed.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr as _};
use serde::{Deserialize, Serialize};

use crate::{
    commands,
    door::fs::{
        self,
        dir::{Dir, FileKind},
    },
    fault::{Fault, Kind},
};

/// What says that a folder is of an export.
const MARKER: &str = ".invisigoth-site.json";
/// What a file is called until it is whole.
const UNFINISHED: &str = ".invisigoth-unfinished";
/// The front page.
const FRONT: &str = "index.html";
/// Who may read a file.
const MODE: u32 = 0o644;

/// A site and where it goes.
#[derive(Debug)]
pub struct Request {
    /// The folder.
    pub dir: PathBuf,
    /// Contents by path, `/` between names.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// What was written.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The folder.
    pub dir: String,
    /// The file to open.
    pub front: String,
    /// How many files it has.
    pub files: usize,
    /// Files of an earlier export that are gone.
    pub removed: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.site/1";
}

#[derive(Serialize, Deserialize)]
struct Marker {
    schema: String,
    /// False while files are written.
    whole: bool,
    files: BTreeSet<String>,
}

impl Marker {
    const SCHEMA: &'static str = "invisigoth.site-marker/1";
}

/// Writes the site.
///
/// # Errors
/// A fault for a folder that is a link, or holds what is not of an export; when files cannot be written.
pub fn run(request: &Request) -> Result<Outcome> {
    let path = &request.dir;
    let dir = open(path)?;
    let before = of_export(&dir, path)?;
    let files: BTreeSet<String> = request.files.keys().cloned().collect();
    mark(&dir, false, before.union(&files).cloned().collect())?;
    let front = |name: &str| name == FRONT;
    let (last, first): (Vec<_>, Vec<_>) = request.files.iter().partition(|(name, _)| front(name));
    for (name, bytes) in first.into_iter().chain(last) {
        write(&dir, name, bytes).wrap_err_with(|| format!("writing {}", path.join(name).display()))?;
    }
    let mut removed = Vec::new();
    for name in before.difference(&files) {
        if remove(&dir, name).wrap_err_with(|| format!("removing {}", path.join(name).display()))? {
            removed.push(name.clone());
        }
    }
    let count = files.len();
    mark(&dir, true, files)?;
    Ok(Outcome {
        dir: path.display().to_string(),
        front: path.join(FRONT).display().to_string(),
        files: count,
        removed,
    })
}

fn open(path: &Path) -> Result<Dir> {
    match std::fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => {}
        Ok(_) => {
            let fault = Fault::new(Kind::Usage, format!("{} is no folder", path.display()));
            return Err(fault.hint("name a folder that is new or empty").into());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(path).wrap_err_with(|| format!("making {}", path.display()))?;
        }
        Err(error) => return Err(error).wrap_err_with(|| format!("looking at {}", path.display())),
    }
    Dir::open(path).wrap_err_with(|| format!("opening {}", path.display()))
}

/// Returns the files of the export before this one; a fault where the folder holds something else.
fn of_export(dir: &Dir, path: &Path) -> Result<BTreeSet<String>> {
    let names = dir.names().wrap_err_with(|| format!("reading {}", path.display()))?;
    let is_marker = |(name, kind): &(Vec<u8>, FileKind)| name == MARKER.as_bytes() && *kind == FileKind::File;
    let not_ours = |name: &(Vec<u8>, FileKind)| name.0 != UNFINISHED.as_bytes();
    if !names.iter().any(not_ours) {
        return Ok(BTreeSet::new());
    }
    let marker = match names.iter().any(is_marker) {
        true => serde_json::from_slice::<Marker>(&dir.read(MARKER.as_bytes())?).ok(),
        false => None,
    };
    let marker = marker.filter(|marker| marker.schema == Marker::SCHEMA);
    let Some(marker) = marker else {
        let fault = Fault::new(
            Kind::Usage,
            format!("{} is not empty, and no export wrote what is in it", path.display()),
        );
        return Err(fault.hint("name a folder that is new or empty").into());
    };
    Ok(marker.files)
}

fn mark(dir: &Dir, whole: bool, files: BTreeSet<String>) -> Result<()> {
    let marker = Marker {
        schema: Marker::SCHEMA.to_owned(),
        whole,
        files,
    };
    let mut text = serde_json::to_vec_pretty(&marker).wrap_err("wording the marker")?;
    text.push(b'\n');
    replace(dir, MARKER.as_bytes(), &text).wrap_err_with(|| format!("writing {MARKER}"))
}

fn write(top: &Dir, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut names: Vec<&str> = path.split('/').collect();
    let last = names.pop().unwrap_or_default();
    let mut dir = top.clone_handle()?;
    for name in names {
        dir = dir.make_folder(name.as_bytes())?;
    }
    replace(&dir, last.as_bytes(), bytes)
}

/// Gives a file its content in one step; a link in its place is replaced, not followed.
fn replace(dir: &Dir, name: &[u8], bytes: &[u8]) -> io::Result<()> {
    let unfinished = UNFINISHED.as_bytes();
    if dir.stat(unfinished)?.is_some() {
        dir.unlink(unfinished)?;
    }
    dir.create(unfinished, bytes, MODE)?;
    dir.rename(unfinished, name)
}

/// Removes a file and the folders that are empty without it; false where it is gone already.
fn remove(top: &Dir, path: &str) -> io::Result<bool> {
    let names: Vec<&[u8]> = path.split('/').map(str::as_bytes).collect();
    let Some((last, folders)) = names.split_last() else {
        return Ok(false);
    };
    let mut dirs = vec![top.clone_handle()?];
    for name in folders {
        let Some(below) = dirs.last().and_then(|dir| dir.folder(name).ok()) else {
            return Ok(false);
        };
        dirs.push(below);
    }
    let Some(dir) = dirs.pop() else { return Ok(false) };
    let is_file = |name: &[u8]| Ok::<_, io::Error>(dir.stat(name)?.is_some_and(|stat| stat.kind == FileKind::File));
    let is_there = is_file(last)?;
    for name in [*last, UNFINISHED.as_bytes()] {
        if is_file(name)? {
            dir.unlink(name)?;
        }
    }
    for (above, name) in dirs.iter().zip(folders).rev() {
        if !above.remove_if_empty(name)? {
            break;
        }
    }
    Ok(is_there)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn files(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), name.as_bytes().to_vec()))
            .collect()
    }

    fn export(dir: &Path, names: &[&str]) -> Result<Outcome> {
        run(&Request {
            dir: dir.to_owned(),
            files: files(names),
        })
    }

    #[test]
    fn pages_that_are_gone_go_and_what_others_put_there_stays() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("a/site");
        export(&dir, &["index.html", "goals/a/index.html", "goals/b/index.html"]).unwrap();
        std::fs::write(dir.join("CNAME"), "example.org").unwrap();
        std::fs::write(dir.join("goals/a/.invisigoth-unfinished"), "half").unwrap();
        let outcome = export(&dir, &["index.html", "goals/b/index.html"]).unwrap();
        assert_eq!(outcome.removed, ["goals/a/index.html"]);
        assert!(!dir.join("goals/a").exists() && dir.join("goals/b/index.html").exists());
        assert!(dir.join("CNAME").exists());
    }

    #[test]
    fn what_no_export_wrote_is_not_written_into() {
        let top = tempfile::tempdir().unwrap();
        let dir = top.path().join("site");
        std::fs::create_dir(&dir).unwrap();
        symlink(&dir, top.path().join("link")).unwrap();
        assert!(export(&top.path().join("link"), &["index.html"]).is_err());
        std::fs::write(dir.join("mine.txt"), "mine").unwrap();
        for marker in [
            None,
            Some("{}"),
            Some("not JSON"),
            Some(r#"{"schema":"x/1","whole":true,"files":["mine.txt"]}"#),
        ] {
            if let Some(text) = marker {
                std::fs::write(dir.join(MARKER), text).unwrap();
            }
            assert!(export(&dir, &["index.html"]).is_err(), "{marker:?}");
            assert!(dir.join("mine.txt").exists() && !dir.join("index.html").exists());
        }
    }

    #[test]
    fn no_link_leads_out_of_the_folder() {
        let top = tempfile::tempdir().unwrap();
        let (dir, out) = (top.path().join("site"), top.path().join("out"));
        export(&dir, &["index.html", "goals/a/index.html", "old/index.html"]).unwrap();
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join("index.html"), "theirs").unwrap();
        std::fs::remove_dir_all(dir.join("old")).unwrap();
        symlink(&out, dir.join("old")).unwrap();
        std::fs::remove_file(dir.join("goals/a/index.html")).unwrap();
        symlink(out.join("index.html"), dir.join("goals/a/index.html")).unwrap();
        // A link to a file is replaced; a folder that is a link by now is none of ours any more.
        export(&dir, &["index.html", "goals/a/index.html"]).unwrap();
        assert_eq!(std::fs::read(out.join("index.html")).unwrap(), b"theirs");
        assert_eq!(
            std::fs::read(dir.join("goals/a/index.html")).unwrap(),
            b"goals/a/index.html"
        );
        assert!(export(&dir, &["index.html", "old/index.html"]).is_err());
        assert_eq!(std::fs::read(out.join("index.html")).unwrap(), b"theirs");
        // That one came to no end, and the marker says so; the next one mends it.
        let whole = || {
            std::fs::read_to_string(dir.join(MARKER))
                .unwrap()
                .contains("\"whole\": true")
        };
        assert!(!whole());
        std::fs::remove_file(dir.join("old")).unwrap();
        export(&dir, &["index.html", "old/index.html"]).unwrap();
        assert!(whole());
    }
}
