//! The journal: what a process says while it works, kept as JSON Lines in a file of its own.
//!
//! Owns writing it: the first event makes the file, each line is one write, a full file is followed by the next part. What
//! cannot be written is told once and keeps nobody from anything. Knows no session, no repository and no person.

pub mod diagnosis;
pub mod level;
pub mod line;
pub mod place;
pub mod reading;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};

use crate::{
    door::{
        env,
        fs::{self, growing::Growing},
    },
    event::{Event, Sink, UnderWay},
    journal::{
        level::{Level, Wanted},
        line::{Head, Line},
    },
    secret::Redactor,
    time::{Clock, Moment},
};

/// How often another name is tried for a run whose name is taken.
const TRIES: u32 = 16;

/// Told of what cannot be written.
pub type Trouble = dyn Fn(&str) + Send + Sync;

/// What a journal is made of.
pub struct Journal {
    folder: PathBuf,
    wanted: Wanted,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
    trouble: Box<Trouble>,
    first: Map<String, Value>,
    began: Moment,
    written: Mutex<Written>,
}

/// What was written so far.
#[derive(Default)]
struct Written {
    file: Option<Growing>,
    run: String,
    number: u32,
    is_told: bool,
}

impl Journal {
    /// Begins a journal in `folder`, where nothing is written before something happens; `first` is what its first line says
    /// of the process.
    pub fn new(
        folder: PathBuf,
        wanted: Wanted,
        (redactor, clock): (Redactor, Arc<dyn Clock>),
        first: Map<String, Value>,
        trouble: Box<Trouble>,
    ) -> Self {
        let began = clock.now();
        Self {
            folder,
            wanted,
            redactor,
            clock,
            trouble,
            first,
            began,
            written: Mutex::default(),
        }
    }

    /// Returns the file that is written, once there is one.
    pub fn path(&self) -> Option<PathBuf> {
        let written = self.written();
        let path = || place::file(&self.folder, &written.run, written.number);
        written.file.as_ref().map(|_| path())
    }

    /// Keeps an event, if it is wanted.
    pub fn event(&self, event: &Event) {
        if let Some(line) = Line::of(event).filter(|line| self.wanted.has("run", line.level)) {
            self.keep(line, true);
        }
    }

    /// Keeps a diagnosis. It makes no file by itself: what looks around leaves nothing behind.
    pub fn diagnosis(&self, line: Line) {
        self.keep(line, false);
    }

    /// Keeps how the process ended, if it kept anything before.
    pub fn ended(&self, level: Level, fields: Map<String, Value>) {
        let event = "ended".to_owned();
        let line = Line {
            level,
            goal: None,
            event,
            fields,
        };
        if self.wanted.has("run", level) {
            self.keep(line, false);
        }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, line: Line, begins: bool) {
        let mut written = self.written();
        if written.file.is_none() && !begins {
            return;
        }
        if let Err(error) = self.append(&mut written, line) {
            let is_told = std::mem::replace(&mut written.is_told, true);
            drop(written);
            if !is_told {
                (self.trouble)(&format!("nothing is logged in {}: {error}", self.folder.display()));
            }
        }
    }

    fn append(&self, written: &mut Written, line: Line) -> io::Result<()> {
        match &written.file {
            None => self.begin(written)?,
            Some(file) if file.bytes() >= place::PART => self.go_on(written),
            Some(_) => {}
        }
        self.line(written, line, self.clock.now())
    }

    fn line(&self, written: &mut Written, line: Line, at: Moment) -> io::Result<()> {
        let Written { file, run, .. } = written;
        let head = Head {
            at,
            run,
            pid: env::process_id(),
        };
        let text = line.json(&head, &self.redactor);
        file.as_mut().map_or(Ok(()), |file| file.append(&text))
    }

    fn begin(&self, written: &mut Written) -> io::Result<()> {
        // A folder that could not be made is not asked for with every line.
        if written.is_told {
            return Ok(());
        }
        fs::create_private_dir_all(&self.folder)?;
        let _ = place::sweep(&self.folder);
        for nth in 0..TRIES {
            let run = place::run(self.began, env::process_id(), nth);
            match Growing::create(&place::file(&self.folder, &run, 1)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    (written.file, written.run, written.number) = (Some(made?), run, 1);
                    let began = Line {
                        level: Level::Info,
                        goal: None,
                        event: "began".to_owned(),
                        fields: self.first.clone(),
                    };
                    return self.line(written, began, self.began);
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Goes on in another file. Where none can be made, the one that is full goes on.
    fn go_on(&self, written: &mut Written) {
        let number = written.number + 1;
        if let Ok(made) = Growing::create(&place::file(&self.folder, &written.run, number)) {
            (written.file, written.number) = (Some(made), number);
            let _ = place::sweep(&self.folder);
        }
    }
}

/// A face and the journal, both told of everything.
pub struct Both {
    face: Arc<dyn Sink>,
    journal: Arc<Journal>,
}

impl Both {
    /// Puts them together.
    pub fn new(face: Arc<dyn Sink>, journal: Arc<Journal>) -> Self {
        Self { face, journal }
    }
}

impl Sink for Both {
    fn emit(&self, event: &Event) {
        self.face.emit(event);
        self.journal.event(event);
    }

    fn show(&self, under_way: &[UnderWay]) {
        self.face.show(under_way);
    }
}

/// Returns where the journals of a repository are, below `state_home`.
pub fn folder(state_home: &Path, repo_id: &str) -> PathBuf {
    state_home.join("invisigoth").join(repo_id).join("log")
}

#[cfg(test)]
mod tests;
