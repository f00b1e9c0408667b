//! Context: which lines of the repository belong into the prompt of a goal.
//!
//! A blob is cut into chunks (`chunk`, by `lang` or `format`) and read as terms (`terms`); what came of it, its `digest`, is
//! kept by blob id (`segment`), and `index` knows which files have it. A `query` ranks files and chunks (`rank`) by what they
//! say, what they define, where they lie, and what past commits with such words touched (`past`, `votes`); `pack` takes what
//! fits into a budget.
//!
//! Pure: the engine reads blobs, and writes down and opens what is kept.

pub mod chunk;
pub mod digest;
mod format;
pub mod index;
pub mod kind;
mod lang;
mod lines;
mod names;
pub mod pack;
pub mod past;
pub mod query;
pub mod rank;
#[cfg(test)]
mod sample;
pub mod segment;
pub mod terms;
pub mod votes;

/// The version of all that is kept of blobs and commits, as its files have it in their first bytes. Count it up when one
/// and the same blob or commit gives something else than before: by other terms (`terms`), other chunks or names (`chunk`,
/// `lang`, `format`), other files being unfit (`kind::unfit`), other messages or renames (`past`), or another way to write
/// it down (`segment`, `past::kept`). Files of other versions are removed, and made again.
const VERSION: [u8; 3] = *b"001";
