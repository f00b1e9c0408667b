//! Every setting there is: its name, kind, default and meaning. One row of `KEYS` each; `named` has the settings that what a
//! user names has of its own.
//!
//! Owns names, kinds and defaults; reads nothing.

pub mod named;

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
        "32000",
        "most tokens of one request; a model that holds less lowers it; a first prompt takes at most three quarters of it, half with executor `tools`",
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
        "check.jobs",
        KeyKind::Count,
        "",
        "most code trees that are checked at a time; where absent, one for every two processors",
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
    key("run.jobs", KeyKind::Count, "1", "most goals worked on at a time"),
    key(
        "run.stack",
        KeyKind::Count,
        "0",
        "how many candidates that have not landed yet a goal may be built on",
    ),
    key(
        "run.stalled",
        KeyKind::Count,
        "5",
        "how many goals in a row may come to nothing before `run --forever` ends; 0: any number",
    ),
    key(
        "run.idle",
        KeyKind::Count,
        "30",
        "how often `run --forever` looks for work that it cannot notice at once, in seconds",
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
    key(
        "land.via",
        KeyKind::Word(&["invisigoth", "host"]),
        "\"invisigoth\"",
        "`invisigoth`: candidates land here; `host`: they become pull requests, and the git host merges them",
    ),
    key(
        "land.durable",
        KeyKind::Flag,
        "false",
        "sync objects and refs to disk before a landing counts: it then outlives a power failure too",
    ),
    key(
        "land.provenance",
        KeyKind::Word(&["git-ai", "none"]),
        "\"git-ai\"",
        "`git-ai`: notes in `refs/notes/ai` tell other programs which lines of a landed commit a model wrote; `none`: nobody is told",
    ),
    own(
        "sync.remote",
        KeyKind::Text,
        "",
        "the remote that runs claim goals and land through, as `--remote`; this clone alone where absent",
    ),
    key(
        "plan.approve",
        KeyKind::Word(&["ask", "auto"]),
        "\"ask\"",
        "`ask`: planned goals wait for `approve`; `auto`: they are ready at once",
    ),
    key(
        "plan.count",
        KeyKind::Count,
        "8",
        "how many goals `plan` asks for at once",
    ),
    key(
        "plan.max_open",
        KeyKind::Count,
        "20",
        "most planned goals that may be open at a time",
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
        "budget.confirm",
        KeyKind::Dollars,
        "",
        "`run` asks before it begins where it may cost more dollars than this",
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
    key(
        "hooks.require_verdict",
        KeyKind::Flag,
        "false",
        "refuse, in hook `pre-push`, to push a target whose newest commit has no verdict here: `check` gives it one",
    ),
    own(
        "hooks.start",
        KeyKind::Word(&["nothing", "run", "plan", "run-plan"]),
        "\"nothing\"",
        "what hooks `post-commit` and `post-merge` start in the background: `run`, `plan`, or `run --plan`",
    ),
    own(
        "hooks.wait",
        KeyKind::Count,
        "300",
        "longest time, in seconds, that a push waits for what hook `post-receive` checks and lands; 0: not at all",
    ),
    own(
        "notify.command",
        KeyKind::List,
        "[]",
        "program and arguments that are told what happened in a run: JSON on stdin, no shell reads them",
    ),
    own(
        "notify.webhook",
        KeyKind::Text,
        "",
        "the URL that is told what happened in a run; plain http only to this machine",
    ),
    key(
        "notify.format",
        KeyKind::Word(&["json", "ntfy", "slack"]),
        "\"json\"",
        "how the webhook wants it: our own JSON, or as ntfy or Slack read it",
    ),
    key(
        "notify.on",
        KeyKind::List,
        "[\"needs-you\", \"finished\", \"budget\", \"stalled\"]",
        "what somebody is told of; also `landed` and `failed`",
    ),
    own(
        "evolve.build",
        KeyKind::List,
        "[]",
        "commands that build the program that `evolve` improves, such as `cargo build --release --locked`",
    ),
    own(
        "evolve.binary",
        KeyKind::Text,
        "",
        "the built program, from the top of the repository, such as `target/release/git-invisigoth`",
    ),
    own(
        "evolve.install",
        KeyKind::Text,
        "",
        "the file whose place the built program takes; where absent the one of the running `git-invisigoth`",
    ),
    own(
        "evolve.smoke",
        KeyKind::List,
        "[]",
        "commands that try the new program, `$NEW`, in a scratch repository; where absent `--version` and `demo` of `git-invisigoth`",
    ),
    own(
        "evolve.holdout",
        KeyKind::List,
        "[]",
        "held-out checks: commands that must pass before `evolve` lands anything, and that no model hears of",
    ),
    own(
        "evolve.base",
        KeyKind::List,
        "[\"tests/\", \"benches/\"]",
        "files and folders that metrics and held-out checks see as the base has them; changing one waits for a person",
    ),
    own(
        "evolve.restart",
        KeyKind::Word(&["auto", "always", "never"]),
        "\"auto\"",
        "whether the new program goes on with the goals that are left; `auto`: where it is `git-invisigoth` itself",
    ),
    own(
        "mcp.add",
        KeyKind::Word(&["proposed", "pending"]),
        "\"proposed\"",
        "what goals are that programs add through `mcp`: only proposed, until you approve them, or to be done at once",
    ),
];

#[cfg(test)]
mod tests;
