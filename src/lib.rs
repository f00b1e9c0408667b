//! git-invisigoth works through a backlog of goals in a git repository, unattended.
//!
//! One sentence is the whole program:
//!
//! > **goal → context → prompt → reply → edit → tree → checks → commit → note → land.**
//!
//! Each arrow is owned by one module and is a type. The modules stand in five rows, and imports only look down
//! (held by `tests/it/tidy.rs`):
//!
//! 1. **nouns**: data and what can be said about it; no effects;
//! 2. **verbs**: data in, data out; repository content only through [`snapshot::Snapshot`];
//! 3. **doors and hands**: `door` has the only effects outside gix, hands use doors and never each other;
//! 4. **engine and commands**: where verbs meet hands; one file per command;
//! 5. **faces**: translate what a person typed into a request, and an outcome into text.
//!
//! This library exists for the binary and its tests; it promises no stable interface. Start reading at
//! `engine/run.rs`, then `engine/attempt.rs` and `engine/land.rs`.

// row 1: nouns
pub mod check;
pub mod event;
pub mod facts;
pub mod fault;
pub mod goal;
pub mod id;
pub mod path;
pub mod read_at;
pub mod record;
pub mod secret;
pub mod settings;
pub mod snapshot;
pub mod time;
pub mod transcript;

// row 2: verbs
pub mod audit;
pub mod backlog;
pub mod ci;
pub mod context;
pub mod detect;
pub mod edit;
pub mod fence;
pub mod foreign;
pub mod graph;
pub mod guard;
pub mod layers;
pub mod letters;
pub mod money;
pub mod plan;
pub mod prompt;
pub mod proof;
pub mod provenance;
pub mod quote;
pub mod ratchet;
pub mod reply;
pub mod schedule;
pub mod survey;
pub mod textdiff;
pub mod unit;
pub mod verdict;

// row 3: doors, then hands
pub mod door;

pub mod cache;
pub mod git;
pub mod journal;
pub mod provider;
pub mod shell;
pub mod slot;

// row 4: engine and commands
pub mod engine;

pub mod commands;

// row 5: faces
pub mod cli;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod ui;
#[cfg(feature = "web")]
pub mod web;
