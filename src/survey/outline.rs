//! The outline: folders with counts, files with what they define. As much of it as fits, folders before definitions.
//!
//! Where not all files fit, folders in which most work is done show theirs, and the others their count alone.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{snapshot::Listing, survey::definition::Source};

/// Most bytes of an outline.
const MOST: usize = 16 * 1024;
/// How many definitions a file shows, tried in this order until all fits.
const DEFINITIONS: [usize; 4] = [12, 6, 3, 0];
/// How many where only some folders show their files.
const FEW: usize = 3;
/// No folder takes more of an outline than this part.
const PART: usize = 4;

/// Words the outline of a listing.
pub(crate) fn outline(listing: &Listing, sources: &[Source]) -> String {
    let defined: BTreeMap<&[u8], &Source> = sources
        .iter()
        .filter(|source| !source.test)
        .map(|source| (source.path.as_bytes(), source))
        .collect();
    let mut folders: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for (path, _) in listing {
        let path = path.as_bytes();
        folders.entry(folder(path)).or_default().push(path);
    }
    for most in DEFINITIONS {
        let text = with_files(&folders, &defined, most);
        if text.len() <= MOST {
            return text;
        }
    }
    if let Some(text) = busiest(&folders, &defined) {
        return text;
    }
    // Deep folders are the first to be told by their parents alone.
    for depth in (1..=6).rev() {
        let text = folders_only(&folders, depth);
        if text.len() <= MOST {
            return text;
        }
    }
    folders_only(&folders, 0)
}

fn folder(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/');
    end.and_then(|end| path.get(..end)).unwrap_or_default()
}

fn with_files(folders: &BTreeMap<&[u8], Vec<&[u8]>>, defined: &BTreeMap<&[u8], &Source>, most: usize) -> String {
    let mut text = String::new();
    for (folder, paths) in folders {
        heading(&mut text, folder, paths.len());
        files(&mut text, paths, defined, most);
        if text.len() > MOST {
            return text;
        }
    }
    text
}

fn files(text: &mut String, paths: &[&[u8]], defined: &BTreeMap<&[u8], &Source>, most: usize) {
    for path in paths {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let _ = write!(text, "  {}", name.escape_ascii());
        if let Some(source) = defined.get(path).filter(|_| most > 0) {
            let shown: Vec<String> = shown(source, most);
            if !shown.is_empty() {
                let _ = write!(text, ": {}", shown.join(", "));
            }
        }
        text.push('\n');
    }
}

/// Words all folders, and the files of those that change most; `None` where the folders alone are too many.
fn busiest(folders: &BTreeMap<&[u8], Vec<&[u8]>>, defined: &BTreeMap<&[u8], &Source>) -> Option<String> {
    let mut parts: Vec<(u32, String, String)> = Vec::new();
    for (folder, paths) in folders {
        let changes = |path: &&[u8]| defined.get(path).map_or(0, |source| source.changes + 1);
        let (mut head, mut body) = (String::new(), String::new());
        heading(&mut head, folder, paths.len());
        files(&mut body, paths, defined, FEW);
        parts.push((paths.iter().map(changes).sum(), head, body));
    }
    let heads: usize = parts.iter().map(|(_, head, _)| head.len()).sum();
    let mut room = MOST.checked_sub(heads)?;
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|nth| std::cmp::Reverse(parts.get(*nth).map(|(changes, ..)| *changes)));
    for nth in order {
        let Some((changes, _, body)) = parts.get_mut(nth) else {
            continue;
        };
        if *changes > 0 && body.len() <= room.min(MOST / PART) {
            room -= body.len();
        } else {
            body.clear();
        }
    }
    Some(parts.into_iter().map(|(_, head, body)| head + &body).collect())
}

/// Public definitions come before others.
fn shown(source: &Source, most: usize) -> Vec<String> {
    let all = || source.definitions.iter().filter(|it| it.word != "mod");
    let chosen = all().filter(|it| it.public).chain(all().filter(|it| !it.public));
    let mut shown: Vec<String> = chosen.take(most).map(|it| format!("{} {}", it.word, it.name)).collect();
    let more = all().count().saturating_sub(most);
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown
}

fn heading(text: &mut String, folder: &[u8], count: usize) {
    let name = match folder {
        [] => "(top)".to_owned(),
        folder => format!("{}/", folder.escape_ascii()),
    };
    let _ = writeln!(text, "{name} ({count} file{})", if count == 1 { "" } else { "s" });
}

fn folders_only(folders: &BTreeMap<&[u8], Vec<&[u8]>>, depth: usize) -> String {
    let mut counts: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for (folder, paths) in folders {
        let names: Vec<&[u8]> = folder.split(|byte| *byte == b'/').take(depth).collect();
        *counts.entry(names.join(&b'/')).or_default() += paths.len();
    }
    let mut text = String::new();
    for (folder, count) in counts {
        heading(&mut text, &folder, count);
    }
    text
}
