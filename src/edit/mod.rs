//! Edits: edits + snapshot → changes, all or none, in memory. Writes nothing.
