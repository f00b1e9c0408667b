//! Shell: runs check commands within limits.
