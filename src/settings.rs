//! Settings: every key there is, its default and its meaning. One row of `KEYS` each.
//!
//! Owns names, kinds and defaults. Where values come from and which source wins is `layers`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;

/// What a value must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// Text.
    Text,
    /// A list of texts; a single text is a list of one.
    List,
    /// A whole number, not negative.
    Count,
    /// Dollars, not negative.
    Dollars,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.key`, as in `invisigoth.toml` and `git config invisigoth.section.key`.
    pub name: &'static str,
    /// What a value must be.
    pub kind: KeyKind,
    /// The default, in TOML; empty where there is none.
    pub default: &'static str,
    /// One line, imperative or descriptive, no full stop.
    pub help: &'static str,
    /// True where a *tracked* file does not count: only the user's own settings may say where keys go and what runs.
    pub own_only: bool,
}

const fn key(name: &'static str, kind: KeyKind, default: &'static str, help: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
        help,
        own_only: false,
    }
}

const fn own(name: &'static str, kind: KeyKind, default: &'static str, help: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
        help,
        own_only: true,
    }
}

/// Every setting, in the order in which `invisigoth.toml.example` and the man page list them.
pub const KEYS: &[Key] = &[
    key(
        "llm.provider",
        KeyKind::Word(&["openrouter", "anthropic", "ollama", "replay", "mock"]),
        "\"openrouter\"",
        "who answers: `openrouter` (any OpenAI-compatible endpoint), `anthropic`, `ollama`, `replay` (recorded calls) or `mock` (a script, no network)",
    ),
    key(
        "llm.model",
        KeyKind::Text,
        "\"openrouter/auto\"",
        "the model's name, as the endpoint knows it",
    ),
    key(
        "llm.fallback",
        KeyKind::List,
        "[]",
        "models that may answer instead, in order, where the first is not available",
    ),
    key(
        "llm.escalate",
        KeyKind::List,
        "[]",
        "models for the rounds after the first, one a round, in order; the last one stays",
    ),
    key(
        "llm.format",
        KeyKind::Word(&["auto", "search-replace", "udiff", "whole", "apply-patch", "str-replace"]),
        "\"auto\"",
        "how models are asked to word their edits; `auto`: as their family does best",
    ),
    key(
        "llm.reasoning",
        KeyKind::Word(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
        "",
        "how hard a reasoning model should think; its own choice where absent",
    ),
    own(
        "llm.base_url",
        KeyKind::Text,
        "\"https://openrouter.ai/api/v1\"",
        "the endpoint, the provider's own where absent; plain http only to this machine, or with `llm.allow_http`",
    ),
    own(
        "llm.allow_http",
        KeyKind::Flag,
        "false",
        "allow plain http to other machines: everyone on the way can read key and code",
    ),
    own(
        "llm.routing",
        KeyKind::Text,
        "",
        "OpenRouter's `provider` object as JSON: `order`, `only`, `ignore`, `zdr`, `max_price` and the like",
    ),
    own(
        "llm.key_env",
        KeyKind::Text,
        "\"OPENROUTER_API_KEY\"",
        "the environment variable that holds the key; where absent `ANTHROPIC_API_KEY` for `anthropic`, none for `ollama`",
    ),
    own(
        "llm.script",
        KeyKind::Text,
        "",
        "the script of provider `mock`: a JSON file, goal id to replies and faults",
    ),
    own(
        "llm.command",
        KeyKind::Text,
        "",
        "a command that answers for provider `mock`: the request as JSON on stdin, the reply on stdout",
    ),
    key("llm.max_tokens", KeyKind::Count, "16000", "most tokens of one reply"),
    key(
        "llm.timeout",
        KeyKind::Count,
        "600",
        "longest wait for one reply, in seconds",
    ),
    key(
        "llm.connect_timeout",
        KeyKind::Count,
        "15",
        "longest wait for a connection, in seconds",
    ),
    key(
        "llm.first_byte_timeout",
        KeyKind::Count,
        "300",
        "longest wait for the first byte of a reply, in seconds",
    ),
    key(
        "llm.idle_timeout",
        KeyKind::Count,
        "120",
        "longest silence within a reply, in seconds",
    ),
    key(
        "llm.stream",
        KeyKind::Flag,
        "true",
        "have replies sent as they are made, so that a silent server is noticed",
    ),
    key(
        "llm.context",
        KeyKind::Count,
        "24000",
        "most tokens of one prompt; of a whole conversation with executor `tools`",
    ),
    own(
        "llm.usd_per_mtok_in",
        KeyKind::Dollars,
        "",
        "dollars for a million prompt tokens, where the endpoint does not report cost; with the other price, caps in dollars hold",
    ),
    own(
        "llm.usd_per_mtok_out",
        KeyKind::Dollars,
        "",
        "dollars for a million reply tokens, where the endpoint does not report cost",
    ),
    key(
        "check.setup",
        KeyKind::List,
        "[]",
        "commands that make a fresh checkout ready, run when their inputs change; on your own code they have the network",
    ),
    key("check.lint", KeyKind::List, "[]", "commands that must pass, run first"),
    key(
        "check.test",
        KeyKind::List,
        "[]",
        "commands that must pass, run after lint; without lint and test nothing runs",
    ),
    key(
        "check.test_file",
        KeyKind::Text,
        "",
        "the command that runs one test file; `{file}` stands for its path",
    ),
    key(
        "check.copy",
        KeyKind::List,
        "[]",
        "ignored files and folders that checks need, copied from your checkout",
    ),
    key(
        "check.env",
        KeyKind::List,
        "[]",
        "environment variables that checks may see besides PATH, HOME, LANG and the like",
    ),
    key(
        "check.timeout",
        KeyKind::Count,
        "1800",
        "longest time of one command, in seconds",
    ),
    key(
        "check.git",
        KeyKind::Flag,
        "false",
        "give checks a throw-away `.git`, for those that ask git something",
    ),
    own(
        "check.sandbox",
        KeyKind::Word(&["auto", "bwrap", "none"]),
        "\"auto\"",
        "what fences checks in: `bwrap`, `none`, or `auto`: bubblewrap where it works",
    ),
    key(
        "check.network",
        KeyKind::Flag,
        "false",
        "let fenced checks use the network, and set-up of code whose lock files are not your branch's",
    ),
    key(
        "check.memory",
        KeyKind::Count,
        "",
        "most address space of one process of a check, in MiB",
    ),
    key(
        "run.max_attempts",
        KeyKind::Count,
        "3",
        "most rounds of an attempt at one goal: one reply each, or one round of work of an executor",
    ),
    key(
        "run.executor",
        KeyKind::Text,
        "\"edit\"",
        "who makes the edit: `edit` (one reply a round), `tools` (a model with a shell, fenced in) or `external:NAME`",
    ),
    key(
        "run.turns",
        KeyKind::Count,
        "40",
        "most turns in one round of executor `tools`",
    ),
    key(
        "run.isolation",
        KeyKind::Word(&["branch", "none"]),
        "\"branch\"",
        "`branch`: a candidate branch and a merge commit per goal; `none`: one plain commit per goal",
    ),
    key(
        "land.target",
        KeyKind::Text,
        "",
        "the branch to land on; the checked-out one where absent",
    ),
    key(
        "land.style",
        KeyKind::Word(&["merge", "linear"]),
        "\"merge\"",
        "`merge`: a merge commit per landing; `linear`: as `run.isolation = \"none\"`",
    ),
    key("budget.max_usd", KeyKind::Dollars, "", "most dollars of one run"),
    key("budget.max_calls", KeyKind::Count, "", "most model calls of one run"),
    key(
        "budget.max_tokens",
        KeyKind::Count,
        "",
        "most tokens, prompts and replies together, of one run",
    ),
    key("budget.max_minutes", KeyKind::Count, "", "most minutes of one run"),
    key("budget.goal_max_usd", KeyKind::Dollars, "", "most dollars of one goal"),
    key(
        "budget.goal_max_calls",
        KeyKind::Count,
        "",
        "most model calls of one goal",
    ),
    key(
        "budget.goal_max_tokens",
        KeyKind::Count,
        "",
        "most tokens, prompts and replies together, of one goal",
    ),
    key(
        "budget.goal_max_minutes",
        KeyKind::Count,
        "",
        "most minutes spent on model calls of one goal",
    ),
    key(
        "budget.day_max_usd",
        KeyKind::Dollars,
        "",
        "most dollars of one day (UTC)",
    ),
    key(
        "budget.day_max_calls",
        KeyKind::Count,
        "",
        "most model calls of one day (UTC)",
    ),
    key(
        "budget.day_max_tokens",
        KeyKind::Count,
        "",
        "most tokens, prompts and replies together, of one day (UTC)",
    ),
    key(
        "budget.day_max_minutes",
        KeyKind::Count,
        "",
        "most minutes spent on model calls of one day (UTC)",
    ),
    key(
        "paths.deny",
        KeyKind::List,
        "[]",
        "further paths that no reply may touch; `dir/` means everything below, `*` any run of characters",
    ),
    key(
        "paths.hold",
        KeyKind::List,
        "[]",
        "further paths whose change waits for a person",
    ),
    key(
        "paths.allow",
        KeyKind::List,
        "[]",
        "paths that need no person although they are build or test configuration",
    ),
];

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

/// What a run settles on. Absent means that nothing was said.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct Settings {
    /// `[llm]`
    pub llm: Llm,
    /// `[check]`
    pub check: Check,
    /// `[run]`
    pub run: Run,
    /// `[land]`
    pub land: Land,
    /// `[budget]`
    pub budget: Budget,
    /// `[paths]`
    pub paths: Paths,
    /// `[executor.NAME]`: programs of the user's own, by name.
    #[serde(rename = "executor")]
    pub executors: BTreeMap<String, External>,
}

/// `[llm]`: who answers.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Llm {
    /// `openrouter`, `anthropic`, `ollama`, `replay` or `mock`.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// Models that may answer instead, in order.
    pub fallback: Vec<String>,
    /// Models for the rounds after the first, in order.
    pub escalate: Vec<String>,
    /// How models are asked to word their edits: a format, or `auto`.
    pub format: String,
    /// How hard a reasoning model should think.
    pub reasoning: Option<String>,
    /// The endpoint.
    pub base_url: String,
    /// Whether plain http may leave this machine.
    pub allow_http: bool,
    /// OpenRouter's `provider` object, as JSON.
    pub routing: Option<String>,
    /// The variable that holds the key.
    pub key_env: String,
    /// The mock's script.
    pub script: Option<String>,
    /// The mock's command.
    pub command: Option<String>,
    /// Most tokens of a reply.
    pub max_tokens: u32,
    /// Longest wait for a reply.
    pub timeout: Duration,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the first byte of a reply.
    pub first_byte_timeout: Duration,
    /// Longest silence within a reply.
    pub idle_timeout: Duration,
    /// Whether replies are sent as they are made.
    pub stream: bool,
    /// Most tokens of a prompt.
    pub context: u32,
    /// Price of a million prompt tokens.
    pub usd_per_mtok_in: Option<f64>,
    /// Price of a million reply tokens.
    pub usd_per_mtok_out: Option<f64>,
}

/// `[check]`: what judges a code tree.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Check {
    /// Commands that make a checkout ready.
    pub setup: Vec<String>,
    /// Commands that must pass first.
    pub lint: Vec<String>,
    /// Commands that must pass then.
    pub test: Vec<String>,
    /// The command for one test file.
    pub test_file: Option<String>,
    /// Ignored files that checks need.
    pub copy: Vec<String>,
    /// Environment that checks may see.
    pub env: Vec<String>,
    /// Longest time of one command.
    pub timeout: Duration,
    /// Whether checks get a throw-away `.git`.
    pub git: bool,
    /// `auto`, `bwrap` or `none`.
    pub sandbox: String,
    /// Whether fenced checks may use the network.
    pub network: bool,
    /// Most address space of one process, in MiB.
    pub memory: Option<u32>,
}

/// How candidates are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A branch per goal and a merge commit per landing.
    Branch,
    /// One plain commit per goal.
    None,
}

/// `[run]`: how goals are worked on.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Run {
    /// Most replies asked for one goal.
    pub max_attempts: u32,
    /// `edit`, `tools` or `external:<name>`.
    pub executor: String,
    /// Most turns in one round of executor `tools`.
    pub turns: u32,
    /// How candidates are kept apart; `land.style = "linear"` means `None` too.
    pub isolation: Isolation,
}

/// `[land]`: where results go.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Land {
    /// The branch; the checked-out one where absent.
    pub target: Option<String>,
}

/// `[budget]`: caps on what is spent.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Budget {
    /// Of one run: `budget.max_*`.
    pub run: Caps,
    /// Of one goal, over all its attempts: `budget.goal_max_*`.
    pub goal: Caps,
    /// Of one day in UTC: `budget.day_max_*`.
    pub day: Caps,
}

/// The most that may be spent on something; absent: no cap.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Caps {
    /// Dollars.
    pub usd: Option<f64>,
    /// Model calls.
    pub calls: Option<u64>,
    /// Tokens of prompts and replies together.
    pub tokens: Option<u64>,
    /// Minutes.
    pub minutes: Option<u64>,
}

/// `[paths]`: what replies may touch, besides the built-in classes.
#[derive(Clone, PartialEq, Debug, Serialize, Default)]
pub struct Paths {
    /// Never.
    pub deny: Vec<String>,
    /// Only with a person's approval.
    pub hold: Vec<String>,
    /// Without one.
    pub allow: Vec<String>,
}

/// `[executor.NAME]`: a program that works in a folder and changes files there.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct External {
    /// Program and arguments.
    pub cmd: Vec<String>,
    /// `stdin`, `arg` or `file`.
    pub prompt: String,
    /// `text`, `codex-jsonl` or `claude-json`.
    pub result: String,
    /// Environment variables that it may see.
    pub env: Vec<String>,
    /// Whether it may use the network.
    pub network: bool,
    /// Longest time of one round.
    pub timeout: Duration,
    /// What it may read and write below the home folder.
    pub home: Vec<String>,
    /// What it may read besides.
    pub read: Vec<String>,
}

impl External {
    /// Returns the program: a path, or a name to be looked up.
    pub fn program(&self, home: Option<&Path>) -> Option<PathBuf> {
        self.cmd.first().map(|program| below_home(program, home))
    }
}

/// Returns the path that `named` stands for: `~/` is the home folder.
pub fn below_home(named: &str, home: Option<&Path>) -> PathBuf {
    match (named.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(named),
    }
}
