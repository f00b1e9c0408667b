//! Doors: the only effects outside gix. No policy.

pub mod clock;
pub mod env;
pub mod fs;
pub mod host;
pub mod http;
pub mod point;
pub mod program;
pub mod random;
pub mod signal;
pub mod spawn;
pub mod terminal;
pub mod wait;
