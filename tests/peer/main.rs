//! Peers: programs of others, of which each speaks a protocol that we speak too, as clients or servers of the real binary.
//!
//! Run by `cargo test --test peer` alone, for it needs what `tests/peer/install.sh` installs; what is missing fails, with
//! the command. Not here: what needs git and sh only, which is `tests/it`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the sandbox starts the real binary, stock git and the peers"
)]
#![expect(unreachable_pub, reason = "what tests share is public among them")]

/// The sandbox of `tests/it`: a fresh home, a real repository, the real binary.
#[expect(dead_code, reason = "tests/it uses the rest of it")]
#[path = "../it/support/mod.rs"]
mod support;

/// The API: schemathesis, a validator, Prometheus.
#[cfg(feature = "web")]
mod api;

/// The dashboard in a real browser.
mod browser;

/// Codex: what another agent made on a branch, adopted.
mod codex;

/// Four clones and one remote.
mod crowd;
/// Faults at every point: kills, errors of the disk, `git gc`.
mod faults;
/// Git hosts: workflows, read and run.
mod hosts;

/// The Model Context Protocol: official clients.
#[cfg(feature = "mcp")]
mod mcp;

/// A night in small, with everything that goes wrong in one.
mod night;

/// Finding peers, starting and ending them.
mod peers;

/// Systemd: units, read and rated.
mod service;

/// Shells that complete.
mod shells;

/// `llmock`: faults of a model's server, and a verdict on its client.
mod llmock;
