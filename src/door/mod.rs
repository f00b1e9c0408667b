//! Doors: the only effects outside gix. No policy.

pub mod clock;
pub mod env;
pub mod fs;
pub mod http;
pub mod spawn;
pub mod wait;
