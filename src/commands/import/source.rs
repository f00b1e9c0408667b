//! Where an import reads: a file, the usual places below a folder, or standard input.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::close::{COMPLETED, PENDING},
    commands::import::{Request, fault},
    door::{fs, terminal},
    fault::{Fault, Kind},
    foreign::{
        ForeignError, Format, MAX_DOCUMENT, MAX_LINE, Read, beads, checklist, issues, seed, speckit, taskmaster,
    },
};

/// Why a file of lines was not read to its end.
enum Stop {
    Io(std::io::Error),
    Foreign(ForeignError),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

pub(crate) fn read(request: &Request) -> Result<Read> {
    let path = request.path.as_deref();
    match (request.format, path) {
        (Format::Seed, None) => Err(usage("the original is a folder, not standard input").into()),
        (Format::Seed, Some(folder)) => read_seed(folder),
        (Format::Beads, Some(path)) => read_issues(&beads_file(path)?),
        (Format::Beads, None) => {
            let mut reader = beads::Reader::default();
            let text = terminal::all().wrap_err("reading standard input")?;
            for line in text.split_inclusive('\n') {
                take_line(&mut reader, line.as_bytes()).map_err(|error| fault(&error, None))?;
            }
            Ok(reader.end())
        }
        (Format::Speckit, Some(path)) => read_features(path),
        (format, path) => {
            let (text, place) = match path {
                Some(path) => {
                    let file = if format == Format::Taskmaster {
                        tasks_file(path)?
                    } else {
                        path.to_owned()
                    };
                    (document(&file)?, Some(file))
                }
                None => (terminal::all().wrap_err("reading standard input")?, None),
            };
            let read = match format {
                Format::Taskmaster => taskmaster::read(&text, request.tag.as_deref()),
                Format::Issues => issues::read(&text, &request.labels),
                Format::Speckit => speckit::read("feature", &text),
                Format::Checklist | Format::Seed | Format::Beads => Ok(checklist::read(&text)),
            };
            Ok(read.map_err(|error| fault(&error, place.as_deref()))?)
        }
    }
}

fn usage(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Usage, message)
}

fn missing(path: &Path) -> Fault {
    usage(format!("there is no file {}", path.display()))
}

/// Reads a document whole, up to a size that memory can bear.
pub(crate) fn document(path: &Path) -> Result<String> {
    let size = std::fs::metadata(path).map_err(|_| missing(path))?;
    if size.is_dir() {
        return Err(usage(format!("{} is a folder", path.display())).into());
    }
    if size.len() > MAX_DOCUMENT {
        let message = format!("{} is larger than {} MiB", path.display(), MAX_DOCUMENT >> 20);
        return Err(Fault::new(Kind::Error, message).hint("nothing was changed").into());
    }
    let bytes = fs::read(path).wrap_err_with(|| format!("reading {}", path.display()))?;
    let text = String::from_utf8(bytes.ok_or_else(|| missing(path))?);
    Ok(text.map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count() + 1;
        fault(&ForeignError::NotText { line }, Some(path))
    })?)
}

/// Returns `path`, or the first of `names` below it where it is a folder.
fn below(path: &Path, names: &[&str], hint: &str) -> Result<PathBuf> {
    if !path.is_dir() {
        return if path.exists() {
            Ok(path.to_owned())
        } else {
            Err(missing(path).into())
        };
    }
    let found = names.iter().map(|name| path.join(name)).find(|file| file.is_file());
    found.ok_or_else(|| {
        usage(format!(
            "{}: there is no {} in it",
            path.display(),
            names.join(" and no ")
        ))
        .hint(hint)
        .into()
    })
}

/// Returns the file of beads below `path`.
pub(crate) fn beads_file(path: &Path) -> Result<PathBuf> {
    let names = [".beads/issues.jsonl", "issues.jsonl", ".beads/beads.jsonl"];
    below(path, &names, "`bd export -o .beads/issues.jsonl` writes it")
}

/// Returns the file of Task Master below `path`.
pub(crate) fn tasks_file(path: &Path) -> Result<PathBuf> {
    let names = [".taskmaster/tasks/tasks.json", "tasks/tasks.json", "tasks.json"];
    below(path, &names, "name the file tasks.json")
}

fn take_line(reader: &mut beads::Reader, line: &[u8]) -> Result<(), ForeignError> {
    match line.strip_suffix(b"\n") {
        Some(bare) => reader.line(bare, true),
        None => reader.line(line, false),
    }
}

fn read_issues(path: &Path) -> Result<Read> {
    let mut reader = beads::Reader::default();
    let each = |line: &[u8]| take_line(&mut reader, line).map_err(Stop::Foreign);
    match fs::each_line(path, MAX_LINE, each) {
        Ok(()) => Ok(reader.end()),
        Err(Stop::Foreign(error)) => Err(fault(&error, Some(path)).into()),
        Err(Stop::Io(error)) => Err(error).wrap_err_with(|| format!("reading {}", path.display())),
    }
}

/// Reads the open and the completed goals of the original in `folder`; empty where it has none.
pub(crate) fn seed_texts(folder: &Path) -> Result<[String; 2]> {
    let text = |name: &str| {
        let path = folder.join(name);
        if path.exists() {
            document(&path)
        } else {
            Ok(String::new())
        }
    };
    Ok([text(PENDING)?, text(COMPLETED)?])
}

fn read_seed(folder: &Path) -> Result<Read> {
    if !folder.join("memory").is_dir() {
        let fault = usage(format!("{}: there is no memory/ in it", folder.display()));
        return Err(fault.hint("name the folder that holds memory/ and config.yaml").into());
    }
    let [pending, completed] = seed_texts(folder)?;
    // Each is tried alone first, so that the error names the right one.
    seed::read("", &completed).map_err(|error| fault(&error, Some(&folder.join(COMPLETED))))?;
    let place = folder.join(PENDING);
    Ok(seed::read(&pending, &completed).map_err(|error| fault(&error, Some(&place)))?)
}

/// Reads one feature's tasks, or those of every feature below `path`.
fn read_features(path: &Path) -> Result<Read> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        files = if path.join("tasks.md").is_file() {
            vec![path.join("tasks.md")]
        } else {
            features(path)?
        };
    }
    let mut all = Read::default();
    for file in files {
        let folder = file.parent().and_then(Path::file_name);
        let feature = folder.map_or_else(|| "feature".to_owned(), |name| name.to_string_lossy().into_owned());
        let read = speckit::read(&feature, &document(&file)?);
        all.join(read.map_err(|error| fault(&error, Some(&file)))?);
    }
    Ok(all)
}

fn features(path: &Path) -> Result<Vec<PathBuf>> {
    let specs = if path.join("specs").is_dir() {
        path.join("specs")
    } else {
        path.to_owned()
    };
    let entries = std::fs::read_dir(&specs).wrap_err_with(|| format!("reading {}", specs.display()))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path().join("tasks.md")));
    let mut files: Vec<PathBuf> = files.filter(|file| file.is_file()).collect();
    files.sort();
    if files.is_empty() {
        return Err(usage(format!("{}: no folder in it has a tasks.md", specs.display())).into());
    }
    Ok(files)
}
