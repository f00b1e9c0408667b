//! File system: atomic writes, locks, the folder snapshot.
