//! HTTP: one blocking request at a time through ureq.
