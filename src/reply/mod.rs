//! Replies: model text → edits. Owns the formats that models are asked for and what they send instead.
