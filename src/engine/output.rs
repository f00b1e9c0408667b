//! Output: what the checks of an attempt print while they run, in a file of its own beside the journals, for a person who
//! looks on in another terminal or in the browser.
//!
//! Only narration: nothing is computed from it, and losing it costs nothing. Every line went through the redactor; a file
//! grows at most ten times a second, and no command's part of it beyond a bound.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    check::{Ran, Stage},
    door::fs::{self, growing, growing::Growing, stored::StoredFile},
    engine::{logging, session::Session},
    git::Repo,
    id::GoalId,
    secret::scan::Stream,
};

/// Most bytes of one command.
const MOST: usize = 512 * 1024;
/// Lines of its end that are put down where there was more.
const END: usize = 200;
/// Most bytes of all files that nobody writes any more, and how many of them.
const ALL: u64 = 32 << 20;
const FILES: usize = 200;
/// How our own lines begin; what checks print loses it.
const MARK: char = '\u{1e}';

/// The file of an attempt at a goal.
pub struct Output {
    path: PathBuf,
    round: u32,
    file: Option<Growing>,
    is_lost: bool,
}

/// A line of our own: what begins, or how it ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Mark {
    /// When, RFC 3339 UTC with milliseconds.
    at: String,
    #[serde(flatten)]
    said: Said,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    Began { round: u32, stage: Stage, cmd: String },
    Ended { exit: i32, seconds: f64 },
}

/// What one command printed.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Part {
    /// The attempt, from 1.
    pub attempt: u32,
    /// Its round, from 1.
    pub round: u32,
    /// Which command of the gate.
    pub stage: Stage,
    /// The shell text.
    pub cmd: String,
    /// When it began, RFC 3339 UTC.
    pub at: String,
    /// Its exit code; absent while it runs, or where the run was killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// How long it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// What it printed, a line each, with terminal sequences.
    pub lines: Vec<String>,
}

impl Output {
    /// Returns the output of attempt `number` at `goal`; nothing is written yet.
    pub fn of(session: &Session, repo: &Repo, goal: &GoalId, number: u32) -> Self {
        Self {
            path: file(&folder(session, repo), goal, number),
            round: 1,
            file: None,
            is_lost: false,
        }
    }

    /// Says which round it is.
    #[must_use]
    pub fn round(self, round: u32) -> Self {
        Self { round, ..self }
    }

    /// Begins with a command of `stage`; what it prints goes to what this returns.
    pub fn begin<'o>(&'o mut self, session: &'o Session, stage: Stage, command: &str) -> Writing<'o> {
        let cmd = session.redactor.clean(command).into_string();
        let said = Said::Began {
            round: self.round,
            stage,
            cmd,
        };
        self.mark(session, said);
        Writing {
            stream: session.redactor.stream(),
            output: self,
            session,
            open: Vec::new(),
            bytes: 0,
            is_whole: true,
        }
    }

    fn mark(&mut self, session: &Session, said: Said) {
        let at = session.clock.now().rfc3339_millis();
        if let Ok(text) = serde_json::to_string(&Mark { at, said }) {
            self.append(&format!("{MARK}{text}"));
        }
    }

    /// What cannot be written is not worth ending a run for.
    fn append(&mut self, lines: &str) {
        if self.file.is_none() && !self.is_lost {
            self.file = create(&self.path);
            self.is_lost = self.file.is_none();
        }
        if let Some(file) = &mut self.file {
            let _ = file.append(lines);
        }
    }
}

/// An attempt that is taken up again after a kill begins its file anew.
fn create(path: &Path) -> Option<Growing> {
    let folder = path.parent()?;
    fs::create_private_dir_all(folder).ok()?;
    sweep(folder);
    growing::remove_if_left(path).ok()?;
    Growing::create(path).ok()
}

/// Removes the oldest files beyond what is kept; those that are being written stay.
fn sweep(folder: &Path) {
    let mut files = fs::files_in(folder).unwrap_or_default();
    files.sort_by_key(|path| std::cmp::Reverse(fs::stamp(path).map(fs::Stamp::changed)));
    let mut bytes = 0_u64;
    for (nth, path) in files.iter().enumerate() {
        bytes = bytes.saturating_add(std::fs::metadata(path).map_or(0, |about| about.len()));
        if nth + 1 >= FILES || bytes > ALL {
            let _ = growing::remove_if_left(path);
        }
    }
}

/// A command whose output is written down.
pub struct Writing<'o> {
    output: &'o mut Output,
    session: &'o Session,
    stream: Stream,
    /// What came of a line so far.
    open: Vec<u8>,
    bytes: usize,
    /// False from when it was too much.
    is_whole: bool,
}

impl Writing<'_> {
    /// Takes in what came; `None` from when it was too much to be told.
    pub fn take(&mut self, came: Option<&[u8]>) {
        match came.filter(|came| self.bytes + came.len() <= MOST) {
            Some(came) if self.is_whole => {
                self.bytes += came.len();
                let clean = self.stream.push(came);
                self.open.extend(clean);
                if let Some(end) = self.open.iter().rposition(|byte| *byte == b'\n') {
                    let rest = self.open.split_off(end);
                    let lines = std::mem::replace(&mut self.open, rest.get(1..).unwrap_or_default().to_vec());
                    self.put(&lines);
                }
            }
            _ => self.is_whole = false,
        }
    }

    /// Says how it ended. Where not all of it was told, its end follows, as it is kept.
    pub fn end(mut self, ran: &Ran) {
        if self.is_whole {
            let rest = self.stream.finish();
            self.open.extend(rest);
            let open = std::mem::take(&mut self.open);
            if !open.is_empty() {
                self.put(&open);
            }
        } else {
            let lines: Vec<&str> = ran.output.as_str().lines().collect();
            let from = lines.len().saturating_sub(END);
            let last = lines.get(from..).unwrap_or_default();
            let text = format!("… too much to show while it ran; its end:\n{}", last.join("\n"));
            self.put(text.as_bytes());
        }
        let said = Said::Ended {
            exit: ran.exit(),
            seconds: ran.took.as_secs_f64(),
        };
        self.output.mark(self.session, said);
    }

    fn put(&mut self, lines: &[u8]) {
        self.output.append(&String::from_utf8_lossy(lines).replace(MARK, ""));
    }
}

/// Returns the folder of these files, beside the journals.
pub fn folder(session: &Session, repo: &Repo) -> PathBuf {
    logging::folder(session, repo).with_file_name("output")
}

/// Returns the file of attempt `number` at `goal`.
fn file(folder: &Path, goal: &GoalId, number: u32) -> PathBuf {
    folder.join(format!("{}@{number}.log", goal.ref_part()))
}

/// Returns the files there are of `goal`, with the number of the attempt.
pub fn files(session: &Session, repo: &Repo, goal: &GoalId) -> Vec<(u32, PathBuf)> {
    let start = format!("{}@", goal.ref_part());
    let number = |path: &Path| {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(&start)?.strip_suffix(".log")?.parse().ok()
    };
    let all = fs::files_in(&folder(session, repo)).unwrap_or_default();
    let mut found: Vec<(u32, PathBuf)> = all
        .into_iter()
        .filter_map(|path| Some((number(&path)?, path)))
        .collect();
    found.sort();
    found
}

/// Reads what the checks of every attempt at `goal` printed, as far as it is still there.
///
/// # Errors
/// When a file is there but cannot be read.
pub fn read(session: &Session, repo: &Repo, goal: &GoalId) -> std::io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (number, path) in files(session, repo, goal) {
        if let Some(file) = StoredFile::open(&path)? {
            parts.extend(parse(number, &String::from_utf8_lossy(&file.read()?)));
        }
    }
    Ok(parts)
}

fn parse(attempt: u32, text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in text.split_terminator('\n') {
        let mark = line.strip_prefix(MARK).map(serde_json::from_str::<Mark>);
        match (mark, parts.last_mut()) {
            (
                Some(Ok(Mark {
                    at,
                    said: Said::Began { round, stage, cmd },
                })),
                _,
            ) => parts.push(Part {
                attempt,
                round,
                stage,
                cmd,
                at,
                exit: None,
                seconds: None,
                lines: Vec::new(),
            }),
            (
                Some(Ok(Mark {
                    said: Said::Ended { exit, seconds },
                    ..
                })),
                Some(part),
            ) => {
                (part.exit, part.seconds) = (Some(exit), Some(seconds));
            }
            (None, Some(part)) => part.lines.push(line.to_owned()),
            // A line of another version, or one before the first mark.
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_far_as_they_go() {
        let began = r#"{"at":"2026-11-22T09:20:56.042Z","began":{"round":2,"stage":"test","cmd":"sh check.sh"}}"#;
        let ended = r#"{"at":"2026-11-22T09:20:57.042Z","ended":{"exit":1,"seconds":1.0}}"#;
        let text =
            format!("before\n{MARK}{began}\none\n\n{MARK}{{\"odd\":1}}\ntwo\n{MARK}{ended}\n{MARK}{began}\nopen");
        let parts = parse(3, &text);
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].attempt, parts[0].round, parts[0].exit), (3, 2, Some(1)));
        assert_eq!(parts[0].lines, ["one", "", "two"]);
        assert_eq!(
            (parts[1].exit, parts[1].lines.as_slice()),
            (None, &["open".to_owned()][..])
        );
    }
}
