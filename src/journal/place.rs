//! Where journals are: a folder a repository, in it files of runs, named by when the process began and its number; a run that
//! says much goes on in further parts.
//!
//! Owns their names, their order and how many are kept. Reads and writes no line.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{door::fs, door::fs::growing, time::Moment};

/// Most bytes of one file; the line that goes beyond is its last.
pub const PART: u64 = 4 << 20;
/// Most bytes of all files that nobody writes any more, beside a new one.
const ALL: u64 = 7 * PART;
/// Most files.
const FILES: usize = 100;
/// How the names end.
const END: &str = ".jsonl";

/// A file of a journal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Part {
    /// The run.
    pub run: String,
    /// From 1.
    pub number: u32,
    /// Where it is.
    pub path: PathBuf,
}

/// Returns the name of a run that began at `at` in process `pid`; `nth` tells apart what would have one name.
pub fn run(at: Moment, pid: u32, nth: u32) -> String {
    let at: String = at.rfc3339().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    match nth {
        0 => format!("{at}-{pid}"),
        nth => format!("{at}-{pid}-{nth}"),
    }
}

/// Returns the file of part `number` of `run`.
pub fn file(folder: &Path, run: &str, number: u32) -> PathBuf {
    match number {
        1 => folder.join(format!("{run}{END}")),
        number => folder.join(format!("{run}.{number}{END}")),
    }
}

fn part(path: PathBuf) -> Option<Part> {
    let name = path.file_name()?.to_str()?.strip_suffix(END)?;
    let (run, number) = match name.split_once('.') {
        None => (name, 1),
        Some((run, number)) => (run, number.parse().ok()?),
    };
    let run = run.to_owned();
    Some(Part { run, number, path })
}

/// Lists the files in `folder`, the oldest first; none where there is no folder.
///
/// # Errors
/// When it cannot be read.
pub fn parts(folder: &Path) -> io::Result<Vec<Part>> {
    let mut parts: Vec<Part> = fs::files_in(folder)?.into_iter().filter_map(part).collect();
    parts.sort();
    Ok(parts)
}

/// Removes the oldest files beyond what is kept; those that are being written stay.
///
/// # Errors
/// When the folder cannot be read, or a file cannot be removed.
pub fn sweep(folder: &Path) -> io::Result<()> {
    let (mut files, mut bytes) = (0, 0_u64);
    for part in parts(folder)?.into_iter().rev() {
        files += 1;
        bytes = bytes.saturating_add(std::fs::metadata(&part.path).map_or(0, |about| about.len()));
        if files > FILES - 1 || bytes > ALL {
            growing::remove_if_left(&part.path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::fs::growing::Growing;

    #[test]
    fn parts_stand_in_the_order_in_which_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (run(Moment(1_000), 7, 0), run(Moment(2_000), 3, 1));
        assert_eq!(one, "19700101T000001Z-7");
        for (run, number) in [(&two, 1), (&one, 10), (&one, 1), (&one, 2)] {
            std::fs::write(file(folder.path(), run, number), "").unwrap();
        }
        std::fs::write(folder.path().join("else.txt"), "").unwrap();
        let parts = parts(folder.path()).unwrap();
        let parts: Vec<(&str, u32)> = parts.iter().map(|part| (part.run.as_str(), part.number)).collect();
        assert_eq!(
            parts,
            [
                (one.as_str(), 1),
                (one.as_str(), 2),
                (one.as_str(), 10),
                (two.as_str(), 1)
            ]
        );
    }

    #[test]
    fn the_oldest_go_first_and_what_is_being_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let held = file(folder.path(), "0", 1);
        let _held = Growing::create(&held).unwrap();
        for nth in 1..=4 {
            std::fs::write(file(folder.path(), &nth.to_string(), 1), "x").unwrap();
        }
        let large = std::fs::File::create(file(folder.path(), "5", 1)).unwrap();
        large.set_len(ALL - 2).unwrap();
        sweep(folder.path()).unwrap();
        let left: Vec<String> = parts(folder.path()).unwrap().into_iter().map(|part| part.run).collect();
        assert_eq!(left, ["0", "3", "4", "5"]);
        for nth in 10..200 {
            std::fs::write(file(folder.path(), &format!("9{nth}"), 1), "").unwrap();
        }
        sweep(folder.path()).unwrap();
        assert_eq!(parts(folder.path()).unwrap().len(), FILES);
    }
}
