//! How an answer ended, in the words that records have for it.

use crate::provider::Finish;

impl Finish {
    /// Returns the word that records have for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Filter => "content_filter",
            Self::Shortened => "shortened",
            Self::Other => "other",
        }
    }

    /// Reads what `word` returns; anything else is `Other`.
    pub fn of_word(word: &str) -> Self {
        let all = [Self::Stop, Self::Length, Self::Filter, Self::Shortened];
        all.into_iter()
            .find(|finish| finish.word() == word)
            .unwrap_or(Self::Other)
    }
}
