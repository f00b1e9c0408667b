//! Why a proposal does not become a goal, in plain words.
//!
//! Owns the words. Which reason holds is `judge`'s business.

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::id::GoalId;

/// A proposal that does not become a goal.
#[derive(Clone, PartialEq, Debug)]
pub struct Refused {
    /// What the proposal calls itself, on one line.
    pub title: String,
    /// The reason.
    pub why: Why,
}

impl Serialize for Refused {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut row = to.serialize_struct("Refused", 3)?;
        row.serialize_field("title", &self.title)?;
        row.serialize_field("kind", self.why.kind())?;
        row.serialize_field("why", &self.why.to_string())?;
        row.end()
    }
}

/// Puts marks around a text, others where backticks are in it.
fn ticked(text: &str) -> String {
    if text.contains('`') {
        format!("“{text}”")
    } else {
        format!("`{text}`")
    }
}

fn only(quote: &str) -> String {
    match quote {
        "" => "nothing".to_owned(),
        quote => format!("only {}", ticked(quote)),
    }
}

/// What a proposal is too like to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Twin {
    /// A goal in the backlog.
    Open(GoalId),
    /// A goal that has landed.
    Landed(GoalId),
    /// A goal that a person rejected.
    Rejected(GoalId),
    /// An earlier proposal of the same reply, by its description.
    Earlier(String),
}

impl std::fmt::Display for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open(id) => write!(f, "open goal {id}"),
            Self::Landed(id) => write!(f, "landed goal {id}"),
            Self::Rejected(id) => write!(f, "rejected goal {id}"),
            Self::Earlier(title) => write!(f, "{} of the same reply", ticked(title)),
        }
    }
}

/// The reason why a proposal is refused: lower case, no full stop.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Why {
    /// An item of the list that is no object with text in it.
    #[error("it is no goal but {0}")]
    NotAGoal(String),
    /// The reply ends within it.
    #[error("the reply ends in the middle of it")]
    Cut,
    /// No line that says what is to be done.
    #[error("it has no description")]
    NoDescription,
    /// Nothing that could be checked afterwards.
    #[error("it does not say what must be true afterwards")]
    NoAcceptance,
    /// No reason.
    #[error("it does not say why")]
    NoReason,
    /// No file.
    #[error("it names no file")]
    NoFile,
    /// No place in the code that shows the reason.
    #[error("it names no place in the code that shows why")]
    NoEvidence,
    /// The place is no file of the planning commit.
    #[error("its evidence names {path}, which is no file here")]
    NoSuchFile {
        /// The path, as the reply words it.
        path: String,
    },
    /// The file does not hold the text.
    #[error("its evidence quotes {path}, which does not say {}", ticked(quote))]
    NotQuoted {
        /// The file.
        path: String,
        /// The quote, shortened.
        quote: String,
    },
    /// The quote could stand anywhere.
    #[error("its evidence quotes {} of {path}, which shows nothing", only(quote))]
    ThinQuote {
        /// The file.
        path: String,
        /// The quote.
        quote: String,
    },
    /// A path that is not inside the repository, or cannot be a file there.
    #[error("it names {path}: {why}")]
    BadPath {
        /// The path, made printable.
        path: String,
        /// The rule that it breaks.
        why: String,
    },
    /// A path that no reply may touch.
    #[error("it names {path}: {why}")]
    DeniedPath {
        /// The path.
        path: String,
        /// The rule.
        why: String,
    },
    /// Much like another one.
    #[error("it is like {twin} ({percent} % alike)")]
    Duplicate {
        /// The other one.
        twin: Twin,
        /// How alike they are.
        percent: u32,
    },
    /// A need that is neither in the reply nor a goal.
    #[error("it needs {}, which is no goal", ticked(need))]
    UnknownNeed {
        /// The need, as the reply words it.
        need: String,
    },
    /// A need that is refused itself.
    #[error("it needs {}, which is refused", ticked(need))]
    RefusedNeed {
        /// The title of what it needs, or the rejected goal's id.
        need: String,
    },
    /// It waits for itself.
    #[error("it waits for itself: {}", chain.join(" → "))]
    Cycle {
        /// Titles, each needing the next one; the last is the first.
        chain: Vec<String>,
    },
    /// It would have to wait for too many others, one after the other.
    #[error(
        "it waits for {depth} goals, one after the other; more than {most} is a guess: plan again when they have landed"
    )]
    TooDeep {
        /// How many.
        depth: usize,
        /// How many may be.
        most: usize,
    },
    /// More goals than were asked for.
    #[error("{most} goals were asked for, and others come first")]
    OverCount {
        /// How many were asked for.
        most: usize,
    },
    /// `plan.max_open` planned goals would be open.
    #[error("`plan.max_open` lets {most} planned goals be open at a time")]
    OverOpen {
        /// How many may be open.
        most: usize,
    },
    /// More proposals than are read.
    #[error("only the first {most} goals of a reply are read")]
    OverRead {
        /// How many are read.
        most: usize,
    },
    /// A text or list beyond its bound.
    #[error("its {field} is {size} long, and {most} is the most")]
    TooLong {
        /// Which one.
        field: &'static str,
        /// Its size in characters, or in items for a list.
        size: usize,
        /// How much may be.
        most: usize,
    },
    /// A text that could drive a terminal or shows in another order than it is read in.
    #[error("its {field} holds {what}")]
    Unprintable {
        /// Which one.
        field: &'static str,
        /// The character, escaped.
        what: String,
    },
}

impl Why {
    /// Returns the word for the kind of reason, as `--json` shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAGoal(_) => "not_a_goal",
            Self::Cut => "cut",
            Self::NoDescription => "no_description",
            Self::NoAcceptance => "no_acceptance",
            Self::NoReason => "no_reason",
            Self::NoFile => "no_file",
            Self::NoEvidence => "no_evidence",
            Self::NoSuchFile { .. } => "no_such_file",
            Self::NotQuoted { .. } => "not_quoted",
            Self::ThinQuote { .. } => "thin_quote",
            Self::BadPath { .. } => "bad_path",
            Self::DeniedPath { .. } => "denied_path",
            Self::Duplicate { .. } => "duplicate",
            Self::UnknownNeed { .. } => "unknown_need",
            Self::RefusedNeed { .. } => "refused_need",
            Self::Cycle { .. } => "cycle",
            Self::TooDeep { .. } => "too_deep",
            Self::OverCount { .. } => "over_count",
            Self::OverOpen { .. } => "over_open",
            Self::OverRead { .. } => "over_read",
            Self::TooLong { .. } => "too_long",
            Self::Unprintable { .. } => "unprintable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_backticks_is_quoted_otherwise() {
        let not_quoted = |quote: &str| {
            let why = Why::NotQuoted {
                path: "a.rs".to_owned(),
                quote: quote.to_owned(),
            };
            why.to_string()
        };
        assert_eq!(
            [not_quoted("fn a"), not_quoted("`fn a`")],
            [
                "its evidence quotes a.rs, which does not say `fn a`",
                "its evidence quotes a.rs, which does not say “`fn a`”"
            ]
        );
        let thin = Why::ThinQuote {
            path: "a.rs".to_owned(),
            quote: String::new(),
        };
        assert_eq!(
            thin.to_string(),
            "its evidence quotes nothing of a.rs, which shows nothing"
        );
    }
}
