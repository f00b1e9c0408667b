//! Guard: which changes a reply may make. `admit` is the only maker of `Admitted`, the only thing `git/tree` writes.
