//! What can be wrong with a memory file, and where. Reads nothing itself; the caller knows the file's name.

use std::fmt;

use crate::id::{BadGoalId, GoalId};

/// A place in a text, as editors count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In bytes, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Where the lines of a text start, so that many places cost one pass.
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            starts: std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect(),
        }
    }

    pub(crate) fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        Place {
            line,
            column: offset.saturating_sub(start) + 1,
        }
    }
}

/// Why a memory file cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum BacklogError {
    /// Bytes that are no UTF-8.
    #[error("{at}: this is not UTF-8 text")]
    NotText {
        /// The first bad byte.
        at: Place,
    },
    /// A merge was left unfinished.
    #[error("line {line}: a conflict marker; the file is not merged yet")]
    Conflict {
        /// The marker's line, from 1.
        line: usize,
    },
    /// No JSON.
    #[error("{at}: broken JSON: {why}")]
    Broken {
        /// Where reading stopped.
        at: Place,
        /// What the JSON reader said.
        why: String,
    },
    /// JSON, but neither an array nor an object with an array `goals`.
    #[error("{at}: expected an array of rows, or an object with an array `goals`")]
    NotAnArray {
        /// Where it starts.
        at: Place,
    },
    /// A row that is text, a number or the like.
    #[error("{at}: a row must be an object `{{…}}`")]
    NotAnObject {
        /// The row.
        at: Place,
    },
    /// A row without `id`.
    #[error("{at}: this row has no `id`")]
    NoId {
        /// The row.
        at: Place,
    },
    /// An id that cannot be one.
    #[error("{at}: {source}")]
    BadId {
        /// The id.
        at: Place,
        /// The rule that it breaks.
        source: BadGoalId,
    },
    /// Two rows with one id.
    #[error("goal `{id}` is there twice: {first}, and {at}")]
    DuplicateId {
        /// The id.
        id: GoalId,
        /// The earlier row.
        first: Place,
        /// The later row.
        at: Place,
    },
    /// One key twice in a row.
    #[error("{at}: goal `{goal}` has the key `{key}` twice")]
    DuplicateKey {
        /// The goal's id, or what stands there.
        goal: String,
        /// The key.
        key: String,
        /// The second one.
        at: Place,
    },
    /// A known key with a value that it cannot have.
    #[error("{at}: goal `{goal}`, key `{key}`: {why}")]
    WrongType {
        /// The goal's id, or what stands there.
        goal: String,
        /// The key.
        key: String,
        /// The value.
        at: Place,
        /// What was expected.
        why: String,
    },
    /// A change of a goal that is not there.
    #[error("there is no goal `{id}`")]
    NoSuchGoal {
        /// The id.
        id: GoalId,
    },
    /// A change of an id: others depend on it.
    #[error("the id of goal `{id}` cannot be changed")]
    FixedId {
        /// The id.
        id: GoalId,
    },
    /// One of several files is wrong.
    #[error("{path}: {source}")]
    In {
        /// Which file.
        path: String,
        /// What is wrong with it.
        source: Box<Self>,
    },
}

impl BacklogError {
    /// Says which file it is about.
    #[must_use]
    pub fn in_file(self, path: &str) -> Self {
        Self::In {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }

    /// True where a merge was left unfinished.
    pub fn is_unmerged(&self) -> bool {
        match self {
            Self::Conflict { .. } => true,
            Self::In { source, .. } => source.is_unmerged(),
            _ => false,
        }
    }

    /// Takes over what the JSON reader said about `text`; a conflict marker is named as the cause where there is one.
    pub(crate) fn broken(text: &str, error: &serde_json::Error) -> Self {
        let marker = |line: &str| {
            ["<<<<<<< ", "||||||| ", ">>>>>>> "]
                .iter()
                .any(|start| line.starts_with(start))
        };
        if let Some(above) = text.lines().position(marker) {
            return Self::Conflict { line: above + 1 };
        }
        Self::Broken {
            at: Place {
                line: error.line(),
                column: error.column(),
            },
            why: said(error),
        }
    }
}

/// Returns the message without the place, which counts from the start of a row.
pub(crate) fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&suffix).unwrap_or(&text).to_owned()
}
