//! Integration tests: the real binary, real git, real processes.

fn main() {}
