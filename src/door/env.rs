//! The environment of this process: the only reader of variables.
