//! Text for people and programs: prints outcomes, events and faults. Knows no arguments and decides no exit code.
//!
//! Standard output is the answer and nothing else; everything that is said besides goes to standard error. All of it
//! passes the redactor.

pub mod colour;
pub mod faults;
pub mod live;
pub mod look;
pub mod priority;
pub mod progress;
pub mod rows;
pub mod text;

use std::{
    io::{self, Write},
    sync::{Mutex, OnceLock, PoisonError},
};

use serde::Serialize;

use crate::{
    commands::{Document, Outcome},
    journal::level::Level,
    letters::one_line,
    secret::Redactor,
    ui::{
        colour::{Paint, Style},
        live::Lines,
        look::Look,
    },
};

/// How to print.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manner {
    /// What the reader's terminal can show.
    pub look: Look,
    /// Colours of standard error.
    pub stderr: Paint,
    /// Say nothing besides the answer.
    pub quiet: bool,
    /// Say more about errors.
    pub verbose: bool,
    /// Print JSON instead of text.
    pub json: bool,
}

/// An outcome as text for people.
pub trait View {
    /// Returns the answer.
    fn text(&self, look: &Look) -> String;

    /// Returns what is worth saying besides the answer.
    fn aside(&self) -> String {
        String::new()
    }
}

/// Where output goes.
pub struct Ui {
    /// How to print.
    pub manner: Manner,
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    redactor: OnceLock<Redactor>,
    lines: Option<Lines>,
    /// Whether each line of standard error begins with its priority, for the system's journal.
    priorities: bool,
    trouble: Mutex<Option<io::Error>>,
    pager: Option<(String, Page)>,
}

/// Shows a text in a pager; false where there is none.
pub type Page = Box<dyn Fn(&str) -> bool + Send + Sync>;

impl Ui {
    /// Prints to the process's own streams.
    pub fn new(manner: Manner) -> Self {
        Self::onto(manner, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Prints to streams of one's own.
    pub fn onto(manner: Manner, stdout: Box<dyn Write + Send>, stderr: Box<dyn Write + Send>) -> Self {
        Self {
            manner,
            stdout: Mutex::new(stdout),
            stderr: Mutex::new(stderr),
            redactor: OnceLock::new(),
            lines: None,
            priorities: false,
            trouble: Mutex::new(None),
            pager: None,
        }
    }

    /// Shows answers by `page`, in the pager of this name.
    #[must_use]
    pub fn with_pager(mut self, name: String, page: Page) -> Self {
        self.pager = Some((name, page));
        self
    }

    /// Shows what goes on by `lines`.
    #[must_use]
    pub fn with_lines(mut self, lines: Lines) -> Self {
        self.lines = Some(lines);
        self
    }

    /// Has each line of standard error begin with its priority, as the system's journal reads them.
    #[must_use]
    pub fn with_priorities(mut self) -> Self {
        self.priorities = true;
        self
    }

    /// Returns the lines that show what goes on, where there is a terminal for them.
    pub fn lines(&self) -> Option<&Lines> {
        self.lines.as_ref()
    }

    /// From now on, takes the secrets that `redactor` knows out of everything.
    pub fn redact(&self, redactor: &Redactor) {
        // Set once a process: the session is opened once.
        let _ = self.redactor.set(redactor.clone());
    }

    /// Prints a part of the answer as it is.
    pub fn print(&self, text: &str) {
        let text = self.clean(text);
        let print = || {
            let mut stdout = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        };
        if let Err(error) = self.beside_lines(print) {
            self.trouble
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(error);
        }
    }

    /// Prints a text that may be longer than a screen: in the pager, where there is one.
    pub fn read(&self, text: &str) {
        let Some((name, page)) = self.pager.as_ref().filter(|_| !text.is_empty()) else {
            return self.print(text);
        };
        if !self.beside_lines(|| page(&self.clean(text))) {
            self.complain(&format!("warning: the pager cannot be started: {}", one_line(name)));
            self.print(text);
        }
    }

    /// Says something besides the answer, unless told to be quiet.
    pub fn say(&self, line: &str) {
        if !self.manner.quiet {
            self.tell(Level::Info, &self.manner.stderr.paint(Style::Dim, line));
        }
    }

    /// Says a line besides the answer, even when told to be quiet.
    pub fn complain(&self, line: &str) {
        self.tell(Level::Warn, line);
    }

    /// As `complain`, of something that matters so much.
    pub fn tell(&self, level: Level, line: &str) {
        let line = self.clean(line);
        let line = priority::put(self.priorities.then_some(level), line);
        self.beside_lines(|| {
            let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
            // Where nobody listens there is nobody to tell.
            let _ = writeln!(stderr, "{line}").and_then(|()| stderr.flush());
        });
    }

    fn beside_lines<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.lines {
            Some(lines) => lines.beside(print),
            None => print(),
        }
    }

    /// Asks on standard error, without a line break.
    pub fn ask(&self, question: &str) {
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
    }

    /// Prints an outcome.
    pub fn answer<O: Outcome + View>(&self, outcome: &O) {
        if self.manner.json {
            self.document(outcome);
            return;
        }
        self.read(&outcome.text(&self.manner.look));
        let aside = outcome.aside();
        if !aside.is_empty() {
            self.say(aside.trim_end());
        }
    }

    /// Prints an outcome as one JSON document on a line.
    pub fn document<O: Outcome>(&self, outcome: &O) {
        self.json_line(&Document::of(outcome));
    }

    /// Prints anything as JSON on a line.
    pub fn json_line<T: Serialize>(&self, value: &T) {
        match serde_json::to_string(value) {
            Ok(line) => self.print(&(line + "\n")),
            Err(error) => self.complain(&format!("error: this cannot be said in JSON: {error}")),
        }
    }

    /// True where an answer could not be written: whoever read it went away, as a rule.
    pub fn is_cut_off(&self) -> bool {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Returns what kept the answer from being printed, if anything did. A reader that went away is no trouble.
    ///
    /// # Errors
    /// When standard output could not be written.
    pub fn finish(&self) -> io::Result<()> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        match trouble {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes secrets out of a text.
    pub fn clean(&self, text: &str) -> String {
        match self.redactor.get() {
            Some(redactor) => redactor.clean(text).into_string(),
            None => text.to_owned(),
        }
    }
}
