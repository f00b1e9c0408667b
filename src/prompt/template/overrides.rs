//! Templates of the repository's own: found below `.invisigoth/templates/` of a snapshot, by the names of ours.
//!
//! Owns names and limits of the files. What is in them is judged by rendering.

use std::{collections::BTreeMap, io};

use crate::{
    path::RepoPath,
    prompt::template::{
        Flaw, Templates,
        builtin::{self, Ours},
        variables,
    },
    snapshot::{Entry, Mode, Snapshot},
};

/// The folder of a repository's own templates.
pub const FOLDER: &str = ".invisigoth/templates/";

/// Largest file, in KiB.
const MOST_KIB: u64 = 64;

/// What a repository has.
#[derive(Debug)]
pub struct Found {
    /// The templates that count; whatever is flawed is left out, or fails when it is rendered.
    pub templates: Templates,
    /// What is wrong with files, names and syntax.
    pub flaws: Vec<Flaw>,
}

/// Reads the templates of a repository.
///
/// # Errors
/// When the snapshot cannot be read.
pub fn read(snapshot: &dyn Snapshot) -> io::Result<Found> {
    let (mut own, mut flaws) = (BTreeMap::new(), Vec::new());
    for folder in FOLDER.match_indices('/').filter_map(|(end, _)| FOLDER.get(..end)) {
        if snapshot.entry(&RepoPath::from_git(folder))?.is_some() {
            flaws.push(Flaw::of_file(
                folder.to_owned(),
                "it is no folder, and links are not followed",
            ));
        }
    }
    for file in files(snapshot)? {
        let path = String::from_utf8_lossy(&file).into_owned();
        let name = path.strip_prefix(FOLDER).unwrap_or_default();
        let Some(known) = builtin::find(name).map(|ours| ours.name) else {
            flaws.push(unknown(name));
            continue;
        };
        match source(snapshot, &RepoPath::from_git(file))? {
            Ok(source) => {
                own.insert(known, source);
            }
            Err(why) => flaws.push(Flaw::of_file(path, why)),
        }
    }
    let (templates, unreadable) = Templates::new(own);
    flaws.extend(unreadable);
    Ok(Found { templates, flaws })
}

/// Lists what is below the folder, as deep as names of ours go.
fn files(snapshot: &dyn Snapshot) -> io::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    if snapshot.is_folder(&RepoPath::from_git(FOLDER.trim_end_matches('/')))? {
        open.push(FOLDER.as_bytes().to_vec());
    }
    while let Some(start) = open.pop() {
        for name in snapshot.names_below(&start)? {
            let path = [start.as_slice(), &name].concat();
            let start_of_ours = [&name[..], b"/"].concat();
            let is_ours = |ours: &Ours| ours.name.as_bytes().starts_with(&start_of_ours);
            match snapshot.is_folder(&RepoPath::from_git(path.clone()))? {
                true if start == FOLDER.as_bytes() && builtin::ALL.iter().any(is_ours) => {
                    open.push([&path[..], b"/"].concat());
                }
                _ => found.push(path),
            }
        }
    }
    found.sort();
    Ok(found)
}

fn unknown(name: &str) -> Flaw {
    Flaw {
        near: variables::nearest(name, &builtin::names()),
        ..Flaw::of_file(format!("{FOLDER}{name}"), "no template has this name")
    }
}

/// Reads one, or says why it cannot be one.
fn source(snapshot: &dyn Snapshot, path: &RepoPath) -> io::Result<Result<String, String>> {
    let Some(Entry {
        mode: Mode::File | Mode::Executable,
        id,
    }) = snapshot.entry(path)?
    else {
        return Ok(Err("it is no file, and links are not followed".to_owned()));
    };
    if snapshot.size(&id)? > MOST_KIB << 10 {
        return Ok(Err(format!("it has more than {MOST_KIB} KiB")));
    }
    let text = String::from_utf8(snapshot.read(&id)?);
    Ok(text.map_err(|_| "it is not UTF-8".to_owned()))
}
