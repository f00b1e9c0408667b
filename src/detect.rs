//! Detection: which set-up, lint and test commands a project has, from the files at its top.
