//! Asking: who answers, and what may still be spent. Opened only where a model will be asked.

use std::{
    result::Result as StdResult,
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
    time::Duration,
};

use eyre::Result;

use crate::{
    door::{fs, wait},
    engine::{
        session::Session,
        spending::{Limits, Spending, Want},
        stored,
        tariffs::Tariffs,
    },
    fault::{Fault, Kind, Passes},
    id::GoalId,
    money::{
        Came, Meter, Prices, Refused, Ticket,
        caps::{self, OverBudget, Scope, What},
        dollars,
        ledger::Sum,
        tariff::Tariff,
    },
    provider::{
        Answer, Provider, ProviderError, choice,
        mock::{Mock, command::Command},
        replay::Replay,
        retry::Pause,
    },
    secret::{Redactor, Secret},
    settings::{Budget, Caps, Llm, Settings},
    time::Stop,
    transcript::{Answered, Exchange, Request},
};

/// A provider, its prices, and what this run spends.
pub struct Asking {
    /// Who answers.
    pub provider: Arc<dyn Provider>,
    llm: Llm,
    key: Option<Secret>,
    spending: Arc<Spending>,
    tariffs: Tariffs,
    budget: Budget,
    dearer: Mutex<Option<String>>,
}

/// For whom a model is asked.
#[derive(Clone, Copy)]
pub struct Payer<'a> {
    /// The goal; absent for planning, which is about none.
    pub goal: Option<&'a GoalId>,
    /// Its own `budget_usd`.
    pub budget_usd: Option<f64>,
    /// Called when the first try has leave: before that nobody was asked.
    pub asked: &'a (dyn Fn() + Sync),
}

/// The meter of one call.
struct Metered<'a> {
    asking: &'a Asking,
    payer: Payer<'a>,
    tariff: Tariff,
    asked: Once,
}

impl Meter for Metered<'_> {
    fn reserve(&self, request: &Request) -> StdResult<Ticket, Refused> {
        if let Some(why) = self.asking.dearer().clone() {
            return Err(Refused::Dearer(why));
        }
        let budget = &self.asking.budget;
        let want = Want {
            goal: self.payer.goal.map_or("", GoalId::as_str),
            model: &request.model,
            worst: self.tariff.worst(request),
        };
        let limits = Limits {
            goal: match self.payer.goal {
                Some(_) => caps::of_goal(budget, self.payer.budget_usd),
                None => Caps::default(),
            },
            run: budget.run,
            day: budget.day,
        };
        // What the settings name was looked at when the run began; a goal may name another model.
        if want.worst.unknown > 0
            && let Some(caps) = [limits.goal, limits.run, limits.day]
                .iter()
                .find(|caps| caps::is_unkeepable(caps))
        {
            return Err(unpriced(caps).into());
        }
        let ticket = self.asking.spending.reserve(&want, &limits)?;
        self.asked.call_once(self.payer.asked);
        Ok(ticket)
    }

    fn settle(&self, ticket: Ticket, came: Came<'_>) {
        let took = match came {
            Came::Nothing => Some(Sum::default()),
            Came::Answer(usage) if usage.estimated && self.tariff.prices != Prices::Free => None,
            Came::Answer(usage) => Some(Sum {
                calls: 1,
                tokens: usage.tokens(),
                ..Sum::costing(self.tariff.charged(usage))
            }),
            Came::Unknown => None,
        };
        let worst = self.asking.spending.settle(&ticket, took);
        if let (Some(took), Some(worst)) = (took, worst) {
            self.asking.look(&took, &worst, self.payer.budget_usd.is_some());
        }
    }
}

impl Asking {
    /// Opens what the settings name. Nothing that costs is sent. `capped` says whether a goal has a cap in dollars of its own.
    /// Where they name whom `before` names, that one goes on, with what is known of its health and its bills.
    ///
    /// # Errors
    /// A fault without key or script, or with a dollar cap and no price.
    pub fn open(
        session: &Session,
        settings: &Settings,
        capped: bool,
        (spending, before): (Arc<Spending>, Option<&Self>),
    ) -> Result<Self> {
        let revealed = |key: &Option<Secret>| key.as_ref().map(|key| key.reveal().to_owned());
        let same =
            before.filter(|before| before.llm == settings.llm && revealed(&before.key) == revealed(&session.key));
        let provider = match same {
            Some(same) => Arc::clone(&same.provider),
            None => Arc::from(open_provider(session, &settings.llm)?),
        };
        let tariffs = Tariffs::of(session, settings, capped);
        if tariffs.default() == Prices::Unknown
            && let Some(unknown) = caps::unkeepable(&settings.budget)
        {
            return Err(Fault::new(Kind::Config, unknown.to_string())
                .hint(unknown.hint())
                .into());
        }
        Ok(Self {
            provider,
            llm: settings.llm.clone(),
            key: session.key.clone(),
            spending,
            tariffs,
            budget: settings.budget,
            dearer: Mutex::new(same.and_then(|same| same.dearer().clone())),
        })
    }

    fn dearer(&self) -> MutexGuard<'_, Option<String>> {
        self.dearer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks within what may still be spent. What the answer cost is what the endpoint says, else what prices say.
    ///
    /// # Errors
    /// As `Provider::ask`.
    pub fn ask(&self, payer: Payer<'_>, request: &Request, stop: &Stop) -> StdResult<Answer, ProviderError> {
        let tariff = self.tariffs.of_model(&request.model);
        let metered = Metered {
            asking: self,
            payer,
            tariff,
            asked: Once::new(),
        };
        let mut outcome = self.provider.ask(request, &metered, stop);
        match &mut outcome {
            Ok(answer) => answer.usage.cost_usd = tariff.charged(&answer.usage),
            Err(
                ProviderError::Cut(answer)
                | ProviderError::Empty(answer)
                | ProviderError::Filtered(answer)
                | ProviderError::Shortened(answer),
            ) => {
                answer.usage.cost_usd = tariff.charged(&answer.usage);
            }
            Err(_) => {}
        }
        outcome
    }

    /// Stops what comes next where an answer came to more than it could at worst: whatever is capped cannot be kept then.
    fn look(&self, took: &Sum, worst: &Sum, capped: bool) {
        let caps = [self.budget.goal, self.budget.run, self.budget.day];
        let dollars_capped = capped || caps.iter().any(|caps| caps.usd.is_some());
        let tokens_capped = caps.iter().any(|caps| caps.tokens.is_some());
        let why = if dollars_capped && worst.unknown == 0 && took.usd > worst.usd + f64::EPSILON {
            let (took, worst) = (dollars(Some(took.usd)), dollars(Some(worst.usd)));
            format!("the last call cost {took}, and by the prices at hand it could cost {worst} at most")
        } else if tokens_capped && took.tokens > worst.tokens {
            format!(
                "the last call took {} tokens, and {} at most were expected",
                took.tokens, worst.tokens
            )
        } else {
            return;
        };
        *self.dearer() = Some(why);
    }
}

fn unpriced(caps: &Caps) -> OverBudget {
    OverBudget {
        scope: Scope::Goal,
        what: What::Usd,
        cap: caps.usd.unwrap_or(0.0),
        spent: 0.0,
        need: None,
    }
}

/// Opens the provider that the settings name. Nothing is sent.
///
/// # Errors
/// A fault without key, script or recorded calls.
pub fn open_provider(session: &Session, llm: &Llm) -> StdResult<Box<dyn Provider>, Fault> {
    match llm.provider.as_str() {
        "mock" => Ok(Box::new(open_mock(session, llm)?)),
        "replay" => {
            let tape = session
                .tape()
                .map_err(|error| Fault::new(Kind::Error, format!("{error:#}")))?;
            if tape.is_empty() {
                let fault = Fault::new(Kind::Config, "this clone has no recorded calls to replay");
                return Err(fault.hint(stored::how_to_fetch(&session.repo())));
            }
            Ok(Box::new(Replay::new(Box::new(tape))))
        }
        _ => choice::open(llm, session.key.clone()).map_err(|error| unopened(&error)),
    }
}

fn open_mock(session: &Session, llm: &Llm) -> StdResult<Mock, Fault> {
    let pause = Pause(Box::new(wait::pause));
    match (&llm.script, &llm.command) {
        (Some(path), None) => {
            let full = session.cwd.join(path);
            let lost = |why: String| {
                Fault::new(Kind::Config, format!("the script {}: {why}", full.display()))
                    .hint("`git config invisigoth.llm.script FILE`")
            };
            let text = fs::read_text(&full).map_err(|error| lost(error.to_string()))?;
            let text = text.ok_or_else(|| lost("is not there".to_owned()))?;
            Mock::script(path, &text, llm.timeout, pause).map_err(|error| unopened(&error))
        }
        (None, Some(text)) => {
            let command = Command {
                text: text.clone(),
                dir: session.cwd.clone(),
                env: session.env.for_checks(&[]),
            };
            Ok(Mock::command(command, llm.timeout, pause))
        }
        (Some(_), Some(_)) => {
            let fault = Fault::new(Kind::Config, "provider `mock` has both a script and a command");
            Err(fault.hint("unset one of `llm.script` and `llm.command`"))
        }
        (None, None) => {
            let fault = Fault::new(Kind::Config, "provider `mock` has no script: `llm.script` is not set");
            Err(fault.hint("`git config invisigoth.llm.script FILE`, or `llm.command`; docs/formats.md has the format"))
        }
    }
}

fn unopened(error: &ProviderError) -> Fault {
    Fault {
        kind: Kind::Config,
        passes: Passes::Never,
        ..provider_fault(error)
    }
}

/// True where asking for another goal now would go wrong too: the goal stays ready.
pub fn ends_run(error: &ProviderError) -> bool {
    error.is_fatal_for_run() || error.is_outage() || matches!(error, ProviderError::Malformed { .. })
}

/// Returns the cap on its goal that kept a call from being made: the goal pauses, and others go on.
pub fn pauses(error: &ProviderError) -> Option<OverBudget> {
    over(error).filter(|over| over.scope == Scope::Goal)
}

/// Returns the cap that kept a call from being made.
pub fn over(error: &ProviderError) -> Option<OverBudget> {
    match error {
        ProviderError::Refused(Refused::Over(over)) => Some(*over),
        _ => None,
    }
}

/// Says whether asking later may help, and when.
fn passes(error: &ProviderError) -> Passes {
    match error {
        ProviderError::RateLimited { after, .. } | ProviderError::Unavailable { after, .. } => Passes::Later(*after),
        error if error.is_outage() => Passes::Later(None),
        _ => Passes::Never,
    }
}

/// Makes the record of a call that a provider of this kind answered.
pub fn exchange(request: Request, (answer, kind): (&Answer, &str), redactor: &Redactor, took: Duration) -> Exchange {
    let answered = Answered {
        text: &answer.text,
        raw: &answer.raw,
        model: &answer.model,
        provider: kind,
        finish: answer.finish.word(),
        usage: answer.usage,
    };
    Exchange::new(request, answered, redactor, took)
}

/// Words a provider's error as a fault.
pub fn provider_fault(error: &ProviderError) -> Fault {
    let kind = match error {
        ProviderError::Stopped => Kind::Interrupted,
        ProviderError::Refused(Refused::Unkept(_)) => Kind::Error,
        ProviderError::Refused(_) => Kind::Budget,
        _ => Kind::Provider,
    };
    let fault = Fault {
        passes: passes(error),
        ..Fault::new(kind, error.to_string())
    };
    match (error, error.hint()) {
        (ProviderError::Refused(Refused::Over(over)), _) => {
            fault.hint(format!("`{}`, then run again", over.raise(None)))
        }
        (_, Some(hint)) => fault.hint(hint),
        (_, None) => fault,
    }
}
