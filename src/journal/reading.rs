//! Reading a journal: lines as they were kept, by whichever version, and a tail that follows them.
//!
//! A line that cannot be read is counted and passed over. Reads only; what a line means to a person is told elsewhere.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    door::fs::stored::StoredFile,
    journal::{
        level::Level,
        place::{self, Part},
    },
    read_at::ReadAt as _,
    time::Moment,
};

/// A line as it was kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// When.
    pub at: Moment,
    /// How much it matters.
    pub level: Level,
    /// The run.
    pub run: String,
    /// The goal that it is about.
    pub goal: Option<String>,
    /// What happened.
    pub event: String,
    /// The rest.
    pub fields: Map<String, Value>,
    /// The whole line.
    pub text: Box<RawValue>,
}

impl Serialize for Kept {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(to)
    }
}

/// Reads a line; `None` where it is none of a journal.
fn parse(line: &[u8]) -> Option<Kept> {
    let text: Box<RawValue> = serde_json::from_slice(line).ok()?;
    let mut fields: Map<String, Value> = serde_json::from_str(text.get()).ok()?;
    fields.shift_remove("pid");
    let mut take = |key: &str| match fields.shift_remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let at = Moment::from_rfc3339(&take("at")?)?;
    let level = take("level").and_then(|word| serde_json::from_value(word.into()).ok());
    Some(Kept {
        at,
        level: level.unwrap_or(Level::Info),
        run: take("run")?,
        goal: take("goal"),
        event: take("event")?,
        fields,
        text,
    })
}

/// What was read.
#[derive(Debug, Default)]
pub struct Read {
    /// In the order in which they were written, run after run.
    pub lines: Vec<Kept>,
    /// How many lines cannot be read.
    pub damaged: usize,
}

impl Read {
    fn take(&mut self, bytes: &[u8]) {
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match parse(line) {
                Some(kept) => self.lines.push(kept),
                None => self.damaged += 1,
            }
        }
    }
}

/// Reads all of `parts`. One that was swept away meanwhile has nothing to say.
///
/// # Errors
/// When one is there but cannot be read.
pub fn read(parts: &[Part]) -> io::Result<Read> {
    let mut read = Read::default();
    for part in parts {
        read.take(&from(&part.path, 0)?);
    }
    Ok(read)
}

/// As `read`, of the lines about `goal` alone: others are passed over unread, and are not counted where they are damaged.
///
/// # Errors
/// As `read`.
pub fn read_about(parts: &[Part], goal: &str) -> io::Result<Read> {
    let named = format!("\"goal\":{}", Value::from(goal));
    let mut read = Read::default();
    for part in parts {
        let bytes = from(&part.path, 0)?;
        let text = String::from_utf8_lossy(&bytes);
        for line in text.lines().filter(|line| line.contains(&named)) {
            read.take(line.as_bytes());
        }
    }
    read.lines.retain(|line| line.goal.as_deref() == Some(goal));
    Ok(read)
}

fn from(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let Some(file) = StoredFile::open(path)? else {
        return Ok(Vec::new());
    };
    let more = file.len()?.saturating_sub(offset);
    let mut bytes = vec![0; usize::try_from(more).unwrap_or(0)];
    file.read_at(offset, &mut bytes)?;
    Ok(bytes)
}

/// Follows what is written in a folder, from file to file and from run to run.
#[derive(Debug)]
pub struct Tail {
    folder: PathBuf,
    /// How far each file was read.
    offsets: BTreeMap<PathBuf, u64>,
}

impl Tail {
    /// Begins with what is there of the runs that `wanted` names, and goes on with whatever comes.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn new(folder: PathBuf, wanted: impl Fn(&str) -> bool) -> io::Result<Self> {
        let mut offsets = BTreeMap::new();
        for part in place::parts(&folder)?.into_iter().filter(|part| !wanted(&part.run)) {
            let len = std::fs::metadata(&part.path).map_or(0, |about| about.len());
            offsets.insert(part.path, len);
        }
        Ok(Self { folder, offsets })
    }

    /// Reads what came since: whole lines only.
    ///
    /// # Errors
    /// When something is there but cannot be read.
    pub fn more(&mut self) -> io::Result<Read> {
        let mut read = Read::default();
        let parts = place::parts(&self.folder)?;
        self.offsets
            .retain(|path, _| parts.iter().any(|part| part.path == *path));
        for part in parts {
            let offset = self.offsets.entry(part.path.clone()).or_default();
            if std::fs::metadata(&part.path).is_ok_and(|about| about.len() <= *offset) {
                continue;
            }
            let bytes = from(&part.path, *offset)?;
            let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            read.take(bytes.get(..end).unwrap_or_default());
            *offset += u64::try_from(end).unwrap_or(0);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event: &str) -> String {
        format!(
            r#"{{"at":"2026-11-22T09:20:56.042Z","level":"warn","run":"r","pid":1,"event":"{event}","goal":"g","why":"x"}}"#
        )
    }

    fn events(read: &Read) -> Vec<&str> {
        read.lines.iter().map(|line| line.event.as_str()).collect()
    }

    #[test]
    fn damaged_and_torn_lines_are_counted_and_the_others_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = place::file(folder.path(), "r", 1);
        let text = format!(
            "{}\n\0\0{{\n\n[1]\n{}\n{}",
            line("one"),
            line("two"),
            "{\"at\":\"2026-11"
        );
        std::fs::write(&path, text).unwrap();
        let read = read(&place::parts(folder.path()).unwrap()).unwrap();
        assert_eq!((events(&read), read.damaged), (vec!["one", "two"], 3));
        let first = &read.lines[0];
        assert_eq!(
            (first.level, first.goal.as_deref(), first.at),
            (Level::Warn, Some("g"), Moment(1_795_339_256_042))
        );
        assert_eq!(first.fields.len(), 1, "{:?}", first.fields);
        assert_eq!(serde_json::to_string(first).unwrap(), line("one"));
    }

    #[test]
    fn a_tail_reads_on_over_parts_runs_and_what_is_swept_away() {
        let folder = tempfile::tempdir().unwrap();
        let at = |run, number| place::file(folder.path(), run, number);
        std::fs::write(at("a", 1), line("old") + "\n").unwrap();
        std::fs::write(at("b", 1), line("one") + "\n" + "{\"at\":").unwrap();
        let mut tail = Tail::new(folder.path().to_owned(), |run| run == "b").unwrap();
        let mut more = || -> Vec<String> {
            let read = tail.more().unwrap();
            events(&read).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(more(), ["one"]);
        std::fs::write(at("b", 1), [line("one"), line("two"), String::new()].join("\n")).unwrap();
        std::fs::write(at("b", 2), line("three") + "\n").unwrap();
        std::fs::write(at("a", 1), [line("old"), line("late"), String::new()].join("\n")).unwrap();
        assert_eq!(more(), ["late", "two", "three"]);
        std::fs::remove_file(at("b", 1)).unwrap();
        std::fs::write(at("c", 1), line("four") + "\n").unwrap();
        assert_eq!(more(), ["four"]);
        assert!(more().is_empty());
    }
}
