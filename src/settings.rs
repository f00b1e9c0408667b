//! Settings: what a run settles on, section by section. Where values come from and which source wins is `layers`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;

pub mod keys;

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
    /// `[sync]`
    pub sync: Sync,
    /// `[plan]`
    pub plan: Planning,
    /// `[budget]`
    pub budget: Budget,
    /// `[paths]`
    pub paths: Paths,
    /// `[hooks]`
    pub hooks: Hooks,
    /// `[notify]`
    pub notify: Notify,
    /// `[evolve]`
    pub evolve: Evolve,
    /// `[mcp]`
    pub mcp: Mcp,
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
    /// Most gates at a time; as many as half the processors where absent.
    pub jobs: Option<u32>,
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
    /// Most goals worked on at a time.
    pub jobs: u32,
    /// How many candidates that have not landed yet a goal may be built on; 0: none.
    pub stack: u32,
    /// How many goals in a row may come to nothing before a night ends; 0: any number.
    pub stalled: u32,
    /// How often a night looks for work that it cannot notice at once.
    pub idle: Duration,
}

/// `[land]`: where results go.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Land {
    /// The branch; the checked-out one where absent.
    pub target: Option<String>,
    /// Who lands.
    pub via: Via,
    /// Whether objects and refs are synced to disk before a landing counts.
    pub durable: bool,
    /// Whether `refs/notes/ai` tells other programs who wrote which lines.
    pub provenance: bool,
}

/// Who brings candidates onto the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// We do.
    Invisigoth,
    /// The git host, by pull requests.
    Host,
}

/// `[sync]`: other clones.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Sync {
    /// The remote that claims and landings go through; none where absent.
    pub remote: Option<String>,
}

/// `[plan]`: how goals are proposed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Planning {
    /// Whether planned goals are ready at once, without a person's approval.
    pub auto: bool,
    /// How many goals are asked for at once.
    pub count: u32,
    /// Most planned goals that may be open at a time.
    pub max_open: u32,
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
    /// From so many dollars on, a run asks before it begins.
    pub confirm: Option<f64>,
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

/// `[hooks]`: what hooks of git do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Hooks {
    /// Whether a target whose newest commit has no verdict is not pushed.
    pub require_verdict: bool,
    /// What is started after a commit or a merge.
    pub start: Start,
    /// Longest time that a push waits for what it brought to be landed.
    pub wait: Duration,
}

/// What a hook starts in the background.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Nothing.
    #[default]
    Nothing,
    /// `run`
    Run,
    /// `plan`
    Plan,
    /// `run --plan`
    RunPlan,
}

/// `[notify]`: who is told what happened in a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Notify {
    /// Program and arguments; nobody where empty.
    pub command: Vec<String>,
    /// A URL.
    pub webhook: Option<String>,
    /// How the webhook wants it: `json`, `ntfy` or `slack`.
    pub format: String,
    /// What they are told of.
    pub on: Vec<String>,
}

/// `[mcp]`: what other programs may do with the backlog.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Mcp {
    /// True where a goal that they add is to be done, and not only proposed.
    pub adds_pending: bool,
}

/// `[evolve]`: how a program improves itself.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Evolve {
    /// Commands that build the program.
    pub build: Vec<String>,
    /// The built program, from the top of the repository.
    pub binary: Option<String>,
    /// The file that it takes the place of; this program's own where absent.
    pub install: Option<String>,
    /// Commands that try the new program.
    pub smoke: Vec<String>,
    /// Checks that no model sees.
    pub holdout: Vec<String>,
    /// Paths that are measured with as the base has them.
    pub base: Vec<String>,
    /// Whether the new program goes on with what is left.
    pub restart: Restart,
    /// Numbers that must not get worse, by name.
    #[serde(rename = "metric")]
    pub metrics: BTreeMap<String, Measure>,
}

/// Who goes on after a program was swapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// The new program where it is this one.
    #[default]
    Auto,
    /// The new program.
    Always,
    /// This one.
    Never,
}

/// `[evolve.metric.NAME]`: a command that prints a number. Empty where nothing was said.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Measure {
    /// Shell text.
    pub cmd: String,
    /// `higher` or `lower`.
    pub better: String,
    /// How much worse, and how much better, counts as the same: a number, or a part as in `2%`.
    pub tolerance: String,
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
