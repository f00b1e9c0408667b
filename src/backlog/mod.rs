//! The backlog files' text: parse, splice, merge. Writes no file.
