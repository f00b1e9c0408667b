//! Test goals: which goals ask for tests, and how to see that such tests can fail.
