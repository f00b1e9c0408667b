//! `Refusal`: why a reply was not applied, worded for the model that wrote it, and in one line for people.
//!
//! Owns the reasons and the message. Finds nothing out itself: `nearest` and the applier do.

use std::fmt;

/// Why one block was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The reply holds nothing to apply.
    NoEdit,
    /// A marker is missing, out of sequence or without a path.
    Malformed,
    /// The lines to be replaced are not in the file.
    NotFound,
    /// The lines, or the path, fit several places.
    Ambiguous,
    /// There is no such file.
    NoSuchFile,
    /// The new lines are there already, the old ones are not.
    AlreadyApplied,
    /// The path is unfit for a repository, or leads through a symlink, a submodule or a file.
    BadPath,
    /// The block, or the whole reply, changes nothing.
    NoChange,
    /// The block would fill a new file, but the file exists and holds something.
    NotEmpty,
    /// The file is not UTF-8 text.
    NotText,
    /// The path is one that no reply may change.
    Denied,
    /// The repository could not be read; not the model's fault.
    Unreadable,
}

impl Reason {
    /// Returns the word for it in messages and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoEdit => "no-edit",
            Self::Malformed => "malformed",
            Self::NotFound => "not-found",
            Self::Ambiguous => "ambiguous",
            Self::NoSuchFile => "no-such-file",
            Self::AlreadyApplied => "already-applied",
            Self::BadPath => "bad-path",
            Self::NoChange => "no-change",
            Self::NotEmpty => "not-empty",
            Self::NotText => "not-text",
            Self::Denied => "denied",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One line of a file, with its number from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NumberedLine {
    /// From 1.
    pub number: usize,
    /// Without its line ending.
    pub text: String,
}

/// What is wrong with one block, or with the reply as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// The path as the reply words it; absent where the reply as a whole is meant.
    pub path: Option<String>,
    /// The kind of fault.
    pub reason: Reason,
    /// What is wrong, one sentence without a full stop.
    pub detail: String,
    /// The block as the reply has it; empty where that would not help.
    pub block: String,
    /// The closest real lines of the file.
    pub near: Vec<NumberedLine>,
}

impl Item {
    /// Makes an item about `path`.
    pub fn new(path: &str, reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..Self::of_reply(reason, detail)
        }
    }

    /// Makes an item about the reply as a whole.
    pub fn of_reply(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            path: None,
            reason,
            detail: detail.into(),
            block: String::new(),
            near: Vec::new(),
        }
    }

    /// Adds the block as the reply has it.
    #[must_use]
    pub fn with_block(mut self, block: String) -> Self {
        self.block = block;
        self
    }

    /// Adds the closest real lines.
    #[must_use]
    pub fn with_near(mut self, near: Vec<NumberedLine>) -> Self {
        self.near = near;
        self
    }

    fn line(&self) -> String {
        let path = self.path.iter().map(|path| format!("{path}: "));
        let line: String = path
            .chain([format!("{}: {}", self.reason.word(), self.detail)])
            .collect();
        line.chars()
            .flat_map(|c| {
                if c.is_control() {
                    c.escape_default().collect()
                } else {
                    vec![c]
                }
            })
            .collect()
    }
}

/// A reply that was not applied: one item per fault. `Display` is the message to the model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// Never empty.
    pub items: Vec<Item>,
}

/// Longest block that the message repeats, in lines.
const MOST_BLOCK_LINES: usize = 40;
/// Longest line that the message repeats, in characters.
const MOST_LINE_CHARS: usize = 300;

impl Refusal {
    /// Returns one line for people: the first fault, and how many more there are.
    pub fn first_line(&self) -> String {
        let first = self.items.first().map(Item::line).unwrap_or_default();
        match self.items.len() {
            0 | 1 => first,
            n => format!("{first} (and {} more)", n - 1),
        }
    }

    /// Returns the reason of the first fault.
    pub fn reason(&self) -> Reason {
        self.items.first().map_or(Reason::NoEdit, |item| item.reason)
    }
}

impl From<Item> for Refusal {
    fn from(item: Item) -> Self {
        Self { items: vec![item] }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.items.len() {
            1 => writeln!(f, "Your reply was refused.")?,
            n => writeln!(f, "Your reply was refused for {n} reasons.")?,
        }
        for item in &self.items {
            writeln!(f, "\n{}.", item.line())?;
            write_block(f, &item.block)?;
            if !item.near.is_empty() {
                writeln!(f, "The closest lines of the file, with their numbers:")?;
            }
            for NumberedLine { number, text } in &item.near {
                writeln!(f, "{number:>5} | {}", shortened(text))?;
            }
        }
        write!(f, "\nNothing was applied. Send all blocks again.")
    }
}

fn write_block(f: &mut fmt::Formatter<'_>, block: &str) -> fmt::Result {
    if block.is_empty() {
        return Ok(());
    }
    writeln!(f, "The block:")?;
    for line in block.lines().take(MOST_BLOCK_LINES) {
        writeln!(f, "{}", shortened(line))?;
    }
    match block.lines().count().saturating_sub(MOST_BLOCK_LINES) {
        0 => Ok(()),
        left => writeln!(f, "({left} more lines)"),
    }
}

fn shortened(line: &str) -> String {
    let mut short: String = line.chars().take(MOST_LINE_CHARS).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
