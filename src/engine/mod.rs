//! The engine: where verbs meet hands. Owns how a goal moves along the sentence of the crate's documentation.
//!
//! Read `run` first, then `attempt` and `land`.

pub mod adopting;
pub mod asking;
pub mod attempt;
pub mod audit;
pub mod checks;
pub mod credit;
pub mod draft;
pub mod executor;
pub mod fenced;
pub mod gather;
pub mod hand_edits;
pub mod indexing;
pub mod land;
pub mod landed;
pub mod linted;
pub mod live;
pub mod models;
pub mod orders;
pub mod outside;
pub mod past;
pub mod planning;
pub mod plans;
pub mod proving;
pub mod queue;
pub mod recall;
pub mod records;
pub mod repair;
pub mod replaying;
pub mod retrieval;
pub mod rewrite;
pub mod run;
pub mod session;
pub mod settle;
pub mod spending;
pub mod steering;
pub mod stored;
pub mod surveying;
pub mod taking;
pub mod talk;
pub mod target;
pub mod tariffs;
pub mod templates;
pub mod undo;
pub mod worker;
