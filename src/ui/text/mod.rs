//! Outcomes as text, one file per verb. Pure: an outcome and a look in, text out.

pub mod add;
pub mod adopt;
pub mod apply;
pub mod budget;
pub mod check;
pub mod ci;
pub mod config;
pub mod context;
pub mod cost;
pub mod demo;
pub mod doctor;
pub mod estimate;
pub mod evolve;
pub mod export;
pub mod hook;
pub mod hooks;
pub mod import;
pub mod init;
pub mod list;
pub mod log;
pub mod logs;
pub mod merge;
pub mod models;
pub mod pause;
pub mod plan;
pub mod prompt;
pub mod provenance;
pub mod rebuild;
pub mod replay;
pub mod report;
pub mod run;
pub mod service;
pub mod settle;
pub mod show;
pub mod status;
pub mod steer;
pub mod stop;
pub mod sync;
pub mod template;
pub mod undo;
pub mod verify;

use crate::{
    letters::{many_lines, one_line},
    money::dollars,
    ui::{colour::Style, look::Look},
};

/// Width of the words at the start of lines, their gap included.
const LABEL: usize = 11;

/// Words dollars of which so many parts are not known: `$0.42`, `≥ $0.42`, `cost unknown`.
pub(crate) fn at_least(look: &Look, usd: f64, unknown: u64) -> String {
    let sign = if look.unicode { "≥" } else { ">=" };
    match (unknown, usd > 0.0) {
        (0, _) => dollars(Some(usd)),
        (_, false) => "cost unknown".to_owned(),
        (_, true) => format!("{sign} {}", dollars(Some(usd))),
    }
}

/// Lines that each start with a word.
pub(crate) struct Lines<'a> {
    look: &'a Look,
    text: String,
}

impl<'a> Lines<'a> {
    /// Starts without a line.
    pub(crate) fn new(look: &'a Look) -> Self {
        Self {
            look,
            text: String::new(),
        }
    }

    /// Adds a line; control characters in `about` go.
    pub(crate) fn add(&mut self, word: &str, about: &str) {
        self.painted(Style::Bold, word, about);
    }

    /// Adds a line whose word stands out in its own way.
    pub(crate) fn painted(&mut self, style: Style, word: &str, about: &str) {
        let line = format!("{}{}", self.look.word(style, word, LABEL), one_line(about));
        self.raw(&line);
    }

    /// Adds lines of a longer text, indented.
    pub(crate) fn indented(&mut self, text: &str) {
        for line in many_lines(text).lines() {
            self.raw(&format!("    {line}"));
        }
    }

    /// Adds a line as it is.
    pub(crate) fn raw(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// Returns the text.
    pub(crate) fn end(self) -> String {
        self.text
    }
}
