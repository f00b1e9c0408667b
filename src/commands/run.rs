//! `run`: works through the backlog; `run --dry-run`: says what it would do, and asks nobody.

pub mod start;

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        estimate::{self, Estimate},
        executor::Executor,
        gather::Place,
        night::{self, Told},
        planning::{self, Planned},
        recall,
        run::{self, Order, Summary},
        session::Session,
        target::Target,
        templates, window,
        wording::{self, Order as Wording, Shelf},
    },
    fault::Kind,
    git::tree,
    goal::Decision,
    id::GoalId,
    prompt::Way,
    schedule::{self, night::Window},
};

/// What to run.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only these; all that are ready where empty.
    pub only: Vec<GoalId>,
    /// At most so many.
    pub max: Option<usize>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// Leave candidates on their branches.
    pub no_merge: bool,
    /// What to plan when nothing is ready.
    pub plan: Option<planning::Order>,
    /// Go on and on, as long as this.
    pub night: Option<Window>,
    /// End with 4 where there is nothing to do.
    pub exit_code: bool,
}

/// A goal that would run.
#[derive(Debug, Serialize)]
pub struct Would {
    /// The goal.
    pub goal: GoalId,
    /// Its first line.
    pub description: String,
    /// Size of its first prompt, in bytes.
    pub prompt_bytes: usize,
    /// What did not fit into it.
    pub left_out: Vec<String>,
}

/// What came of it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It ran.
    Ran {
        /// What it came to.
        #[serde(flatten)]
        summary: Box<Summary>,
        /// The night, where it was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        night: Option<Box<Told>>,
        /// Whether "nothing to do" has an exit code of its own.
        #[serde(skip)]
        exit_code: bool,
    },
    /// It only said what it would do.
    Dry {
        /// Goals that would start, in order. Those that wait for one of them follow when it has landed.
        would_run: Vec<Would>,
        /// Goals that wait, and why.
        waiting: Vec<(GoalId, String)>,
        /// What it will probably cost; absent where nobody wants money for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        estimate: Option<Estimate>,
    },
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.run/1";

    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Dry { .. } => None,
            Self::Ran { summary, exit_code, .. } => kind(summary, *exit_code),
        }
    }
}

/// Returns the kind of end that a summary tells of: what cut it short, else failed, else held, else blocked goals.
pub fn kind(summary: &Summary, exit_code: bool) -> Option<Kind> {
    use schedule::State;
    let any = |state: State| summary.goals.iter().any(|result| result.state == state);
    if let Some(fault) = &summary.cut_short {
        Some(fault.kind)
    } else if [State::Failed, State::Parked, State::Ready, State::Blocked]
        .into_iter()
        .any(any)
        || !summary.waiting.is_empty()
    {
        Some(Kind::Unfinished)
    } else if any(State::Held) || summary.plans.iter().any(waits) {
        Some(Kind::Person)
    } else if summary.goals.is_empty() && exit_code {
        Some(Kind::Nothing)
    } else {
        None
    }
}

/// True where planned goals wait for a person.
fn waits(plan: &Planned) -> bool {
    plan.status == Decision::Proposed && !plan.goals.is_empty()
}

/// Runs.
///
/// # Errors
/// A fault when it cannot start.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    if request.dry_run {
        return dry(session, request);
    }
    let order = order(request);
    let (summary, night) = match request.night {
        None => (run::run(session, &order)?, None),
        Some(window) => {
            let night::Outcome { summary, night } = night::run(session, &order, window)?;
            (summary, Some(night))
        }
    };
    Ok(Outcome::Ran {
        summary: Box::new(summary),
        night: night.map(Box::new),
        exit_code: request.exit_code,
    })
}

fn order(request: &Request) -> Order {
    Order {
        only: request.only.clone(),
        max: request.max,
        no_merge: request.no_merge,
        approve: false,
        plan: request.plan.clone(),
        night: None,
    }
}

/// Estimates what `request` will cost; `None` where nobody wants money for it.
///
/// # Errors
/// When the repository or the backlog cannot be read.
pub fn estimate(session: &Session, request: &Request) -> Result<Option<Estimate>> {
    estimate::of(session, &order(request))
}

fn dry(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    for id in &request.only {
        if schedule::state(&known.facts, id).is_none() {
            return Err(run::unknown_goal(&known.facts, id).into());
        }
    }
    let settings = session.settings_at(&repo, Some(target.tip))?.settings;
    let mut would_run = Vec::new();
    let templates = templates::of(&repo, tree::code_of_commit(&repo, target.tip)?)?;
    let mut shelf = Shelf::open(session, &repo);
    let wanted = |id: &&&GoalId| request.only.is_empty() || request.only.contains(**id);
    let most = request.max.unwrap_or(usize::MAX);
    for id in schedule::ready(&known.facts, &request.only)
        .iter()
        .filter(wanted)
        .take(most)
    {
        let Some(goal) = known.backlog.get(id) else { continue };
        let place = Place {
            repo: &repo,
            target: &target,
            base: target.tip,
            backlog: &known.backlog,
            newest: known.facts.attempts.get(*id).map_or(0, |attempt| attempt.number),
            llm: &settings.llm,
        };
        let way = Executor::of(&goal, &settings).map_or(Way::Edit, |executor| executor.way());
        let order = Wording {
            goal: &goal,
            way,
            round: (1, goal.max_attempts.unwrap_or(settings.run.max_attempts)),
            tokens: window::of_way(session, &settings, way, goal.model.as_deref()).tokens,
            wording: templates.wording(&session.redactor),
        };
        let built = wording::first(place, &mut shelf, &order)?
            .map_err(templates::unbuilt)?
            .built;
        would_run.push(Would {
            goal: (*id).clone(),
            description: goal.description.clone(),
            prompt_bytes: built.messages.iter().map(|message| message.content.len()).sum(),
            left_out: built.left_out,
        });
    }
    Ok(Outcome::Dry {
        estimate: estimate(session, request)?,
        would_run,
        waiting: run::waiting(&known.facts, &request.only),
    })
}
