//! The winning values as `Settings`. Decides nothing but that `land.style = "linear"` means no isolation, and what
//! endpoint and key variable are where nobody named any.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    layers::{Layer, Origin, Pair, Value},
    settings::{
        Budget, Caps, Check, Evolve, External, Hooks, Isolation, Land, Llm, Mcp, Measure, Notify, Paths, Planning,
        Restart, Run, Settings, Start, Sync, Via,
    },
};

/// Providers with an endpoint of their own: name, `llm.base_url`, `llm.key_env`. The defaults in `KEYS` are OpenRouter's.
const ENDPOINTS: &[(&str, &str, &str)] = &[
    ("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY"),
    ("ollama", "http://127.0.0.1:11434", ""),
];

/// Returns endpoint and key variable of a provider that has its own.
fn endpoint_of(provider: &str) -> Option<(&'static str, &'static str)> {
    let (_, base_url, key_env) = ENDPOINTS.iter().find(|(name, ..)| *name == provider)?;
    Some((base_url, key_env))
}

/// The strongest value of each setting so far, and its source.
pub(crate) type Winners<'a> = BTreeMap<&'static str, (Origin, &'a Pair)>;

/// A tracked file may name a provider, but not lead the user's own endpoint or key to another one.
pub(crate) fn drop_foreign_provider<'a>(chosen: &mut Winners<'a>, defaults: &'a Layer) -> Option<String> {
    const PROVIDER: &str = "llm.provider";
    let own = ["llm.base_url", "llm.key_env"]
        .into_iter()
        .find(|name| chosen.get(name).is_some_and(|(origin, _)| *origin > Origin::Project))?;
    let Some((
        Origin::Project,
        Pair {
            value: Value::Text(provider),
            ..
        },
    )) = chosen.get(PROVIDER)
    else {
        return None;
    };
    endpoint_of(provider)?;
    let warning = format!(
        "invisigoth.toml: `{PROVIDER}` = \"{provider}\" does not count, as your own `{own}` may be for another; \
         say it yourself: `git config invisigoth.{PROVIDER} {provider}`"
    );
    let default = defaults.pairs.iter().find(|pair| pair.name == PROVIDER)?;
    chosen.insert(default.name, (Origin::Default, default));
    Some(warning)
}

/// The winners by name. Kinds were checked when they were read.
pub(crate) struct Chosen<'a>(pub(crate) Winners<'a>);

impl Chosen<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(|(_, pair)| &pair.value)
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    fn count(&self, name: &str) -> Option<u32> {
        match self.value(name) {
            Some(Value::Count(count)) => Some(*count),
            _ => None,
        }
    }

    fn number(&self, name: &str) -> u32 {
        self.count(name).unwrap_or_default()
    }

    fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.number(name).into())
    }

    fn dollars(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Some(Value::Dollars(dollars)) => Some(*dollars),
            _ => None,
        }
    }

    fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Flag(true)))
    }

    /// Puts the winners where `Settings` has them.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            llm: self.llm(),
            check: self.check(),
            run: Run {
                max_attempts: self.number("run.max_attempts"),
                executor: self.word("run.executor"),
                turns: self.number("run.turns"),
                isolation: if self.word("run.isolation") == "none" || self.word("land.style") == "linear" {
                    Isolation::None
                } else {
                    Isolation::Branch
                },
                jobs: self.number("run.jobs"),
                stack: self.number("run.stack"),
                stalled: self.number("run.stalled"),
                idle: self.seconds("run.idle"),
            },
            land: Land {
                target: self.text("land.target"),
                via: match self.word("land.via").as_str() {
                    "host" => Via::Host,
                    _ => Via::Invisigoth,
                },
                durable: self.flag("land.durable"),
                provenance: self.word("land.provenance") == "git-ai",
            },
            sync: Sync {
                remote: self.text("sync.remote"),
            },
            plan: Planning {
                auto: self.word("plan.approve") == "auto",
                count: self.number("plan.count"),
                max_open: self.number("plan.max_open"),
            },
            budget: Budget {
                run: self.caps("budget.max"),
                goal: self.caps("budget.goal_max"),
                day: self.caps("budget.day_max"),
                confirm: self.dollars("budget.confirm"),
            },
            paths: Paths {
                deny: self.list("paths.deny"),
                hold: self.list("paths.hold"),
                allow: self.list("paths.allow"),
            },
            hooks: Hooks {
                require_verdict: self.flag("hooks.require_verdict"),
                start: match self.word("hooks.start").as_str() {
                    "run" => Start::Run,
                    "plan" => Start::Plan,
                    "run-plan" => Start::RunPlan,
                    _ => Start::Nothing,
                },
                wait: self.seconds("hooks.wait"),
            },
            notify: Notify {
                command: self.list("notify.command"),
                webhook: self.text("notify.webhook"),
                format: self.word("notify.format"),
                on: self.list("notify.on"),
            },
            evolve: self.evolve(),
            mcp: Mcp {
                adds_pending: self.word("mcp.add") == "pending",
            },
            executors: BTreeMap::new(),
        }
    }

    fn evolve(&self) -> Evolve {
        Evolve {
            build: self.list("evolve.build"),
            binary: self.text("evolve.binary"),
            install: self.text("evolve.install"),
            smoke: self.list("evolve.smoke"),
            holdout: self.list("evolve.holdout"),
            base: self.list("evolve.base"),
            restart: match self.word("evolve.restart").as_str() {
                "always" => Restart::Always,
                "never" => Restart::Never,
                _ => Restart::Auto,
            },
            metrics: BTreeMap::new(),
        }
    }

    /// Puts the winners of one metric where `Measure` has them.
    pub(crate) fn measure(&self) -> Measure {
        Measure {
            cmd: self.word("cmd"),
            better: self.word("better"),
            tolerance: self.word("tolerance"),
        }
    }

    /// Puts the winners of one executor where `External` has them.
    pub(crate) fn external(&self) -> External {
        External {
            cmd: self.list("cmd"),
            prompt: self.word("prompt"),
            result: self.word("result"),
            env: self.list("env"),
            network: self.flag("network"),
            timeout: self.seconds("timeout"),
            home: self.list("home"),
            read: self.list("read"),
        }
    }

    fn caps(&self, prefix: &str) -> Caps {
        let count = |what: &str| self.count(&format!("{prefix}_{what}")).map(u64::from);
        Caps {
            usd: self.dollars(&format!("{prefix}_usd")),
            calls: count("calls"),
            tokens: count("tokens"),
            minutes: count("minutes"),
        }
    }

    /// Returns what somebody set, else the provider's own value, else the default.
    fn own(&self, name: &str, value: Option<&str>) -> String {
        match (self.0.get(name), value) {
            (Some((Origin::Default, _)), Some(value)) => value.to_owned(),
            _ => self.word(name),
        }
    }

    fn llm(&self) -> Llm {
        let provider = self.word("llm.provider");
        let (base_url, key_env) = endpoint_of(&provider).unzip();
        Llm {
            provider,
            model: self.word("llm.model"),
            fallback: self.list("llm.fallback"),
            escalate: self.list("llm.escalate"),
            format: self.word("llm.format"),
            reasoning: self.text("llm.reasoning"),
            base_url: self.own("llm.base_url", base_url),
            allow_http: self.flag("llm.allow_http"),
            routing: self.text("llm.routing"),
            key_env: self.own("llm.key_env", key_env),
            script: self.text("llm.script"),
            command: self.text("llm.command"),
            max_tokens: self.number("llm.max_tokens"),
            timeout: self.seconds("llm.timeout"),
            connect_timeout: self.seconds("llm.connect_timeout"),
            first_byte_timeout: self.seconds("llm.first_byte_timeout"),
            idle_timeout: self.seconds("llm.idle_timeout"),
            stream: self.flag("llm.stream"),
            context: self.number("llm.context"),
            usd_per_mtok_in: self.dollars("llm.usd_per_mtok_in"),
            usd_per_mtok_out: self.dollars("llm.usd_per_mtok_out"),
        }
    }

    fn check(&self) -> Check {
        Check {
            setup: self.list("check.setup"),
            lint: self.list("check.lint"),
            test: self.list("check.test"),
            test_file: self.text("check.test_file"),
            copy: self.list("check.copy"),
            env: self.list("check.env"),
            timeout: self.seconds("check.timeout"),
            git: self.flag("check.git"),
            sandbox: self.word("check.sandbox"),
            network: self.flag("check.network"),
            memory: self.count("check.memory"),
            jobs: self.count("check.jobs"),
        }
    }
}
