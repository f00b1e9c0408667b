//! Settings of what a user names: executors and metrics, as many as they like, each with the same keys.
//!
//! Owns these keys; reads nothing.

use crate::settings::keys::{Key, KeyKind, own};

/// What a user says of an executor of their own, as `executor.NAME.KEY`. None of it counts in a tracked file.
pub const EXECUTOR_KEYS: &[Key] = &[
    own(
        "cmd",
        KeyKind::List,
        "",
        "program and arguments; `{prompt}`, `{model}`, `{dir}` and `{files}` are filled in, no shell reads them",
    ),
    own(
        "prompt",
        KeyKind::Word(&["stdin", "arg", "file"]),
        "\"stdin\"",
        "how it gets the prompt: on stdin, or in the place of `{prompt}` as text or as the name of a file",
    ),
    own(
        "result",
        KeyKind::Word(&["text", "codex-jsonl", "claude-json"]),
        "\"text\"",
        "what it prints: where its last words, tokens and cost are read from",
    ),
    own(
        "env",
        KeyKind::List,
        "[]",
        "environment variables that it may see, such as the one with its key",
    ),
    own("network", KeyKind::Flag, "true", "let it use the network"),
    own(
        "timeout",
        KeyKind::Count,
        "1800",
        "longest time of one round, in seconds",
    ),
    own(
        "home",
        KeyKind::List,
        "[]",
        "files and folders below your home folder that it may read and write, such as `~/.codex`",
    ),
    own(
        "read",
        KeyKind::List,
        "[]",
        "further files and folders that it may read, such as the folder that it is installed in",
    ),
];

/// What a user says of a number that `evolve` watches, as `evolve.metric.NAME.KEY`. None of it counts in a tracked file.
pub const METRIC_KEYS: &[Key] = &[
    own(
        "cmd",
        KeyKind::Text,
        "",
        "a command whose last word printed is the number, run with the base's tests, benches and scripts",
    ),
    own("better", KeyKind::Word(&["higher", "lower"]), "", "which way is better"),
    own(
        "tolerance",
        KeyKind::Text,
        "\"0\"",
        "how far apart two numbers count as the same: a number, or a part of the base's, as in `2%`",
    ),
];
