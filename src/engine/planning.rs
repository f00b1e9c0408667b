//! Planning: asks a model for goals, has its proposals judged, and writes those that hold into the backlog.
//!
//! What a proposal must be is `plan`; what the prompt shows is `surveying`. Nothing is asked where there is no room for a
//! goal. Every answered call is kept, also of a plan that comes to nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use eyre::Result;
use serde::Serialize;

use crate::{
    backlog::{
        Backlog,
        close::{COMPLETED, COMPLETED_SEGMENTS},
        history as rows,
    },
    door::fs,
    engine::{
        asking::{self, Asking, Payer},
        listings::Listings,
        plans::{self, StoredPlan},
        recall::{self, Recalled},
        rewrite,
        session::Session,
        stored, surveying,
        target::Target,
        templates, window,
    },
    event::Event,
    fault::{Fault, Kind},
    git::{Repo, attempts::Of, history, tree},
    goal::{Decision, Goal},
    guard::Policy,
    id::{CommitId, GoalId},
    plan::{
        self, Reading,
        judge::{self, Judged, Known, LeftOut, Limits},
        parse,
        why::Refused,
    },
    prompt::{self, Built, template::Templates},
    provider::{Answer, ProviderError},
    settings::Settings,
    time::{Moment, Stopping},
    transcript::{Exchange, Message, Request, Role, Usage},
};

/// Most replies of one plan: the second after being told why the first is of no use.
const ROUNDS: u32 = 2;

/// What to plan.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// How many goals; `plan.count` where absent.
    pub count: Option<u32>,
    /// What the goals shall be about.
    pub brief: Option<String>,
    /// Whether they are ready at once, whatever `plan.approve` says.
    pub approved: bool,
}

/// What a plan came to.
#[derive(Debug, Serialize)]
pub struct Planned {
    /// The commit that it looked at.
    pub base: CommitId,
    /// `proposed` or `pending`: what the new goals are.
    pub status: Decision,
    /// The new goals.
    pub goals: Vec<Goal>,
    /// Proposals that are no goals, and why.
    pub refused: Vec<Refused>,
    /// Needs that nothing speaks for, and that were left out.
    pub left_out: Vec<LeftOut>,
    /// True where the last reply ended in the middle of its list.
    pub cut: bool,
    /// The model that answered.
    pub model: String,
    /// Replies.
    pub rounds: u32,
    /// What they took.
    pub usage: Usage,
}

/// What is going to be asked.
pub struct Draft {
    /// The first messages.
    pub built: Built,
    /// How many goals.
    pub count: u32,
    target: Target,
    settings: Settings,
    templates: Templates,
    /// When planned goals that are open were made.
    planned_at: BTreeSet<String>,
}

impl Draft {
    /// True where the backlog has goals of `plan`: they carry the time at which it began.
    fn has_goals_of(&self, plan: &StoredPlan) -> bool {
        self.planned_at.contains(&plan.started_at)
    }
}

/// Puts the prompt together. Asks nobody.
///
/// # Errors
/// A fault where there is no room for another goal, or when the repository cannot be read.
pub fn draft(session: &Session, repo: &Repo, order: &Order) -> Result<Draft> {
    let target = Target::read(session, repo)?;
    let known = recall::read(session, repo, &target)?;
    let settings = session.settings_at(repo, Some(target.tip))?.settings;
    let count = room(&known, &settings, order)?;
    let context = surveying::context(session, repo, &target, &known, &mut Listings::default())?;
    let tokens = window::of(session, &settings, &settings.llm.model).tokens;
    let templates = templates::of(repo, tree::code_of_commit(repo, target.tip)?)?;
    let wording = templates.wording(&session.redactor);
    let built = prompt::plan::build(&context, count, order.brief.as_deref(), tokens, wording);
    let built = built.map_err(templates::unbuilt)?;
    Ok(Draft {
        built,
        count,
        target,
        settings,
        templates,
        planned_at: known.backlog.goals().filter_map(|(_, goal)| planned_at(goal)).collect(),
    })
}

fn planned_at(goal: Goal) -> Option<String> {
    (goal.created_by.as_deref() == Some(judge::PLANNER))
        .then_some(goal.created_at)
        .flatten()
}

/// Returns how many goals may be asked for.
fn room(known: &Recalled, settings: &Settings, order: &Order) -> Result<u32, Fault> {
    let most = settings.plan.max_open;
    let open = known.backlog.goals().filter(|(id, goal)| {
        let is_open = known.facts.goals.contains_key(*id) && goal.status != Decision::Rejected;
        is_open && goal.created_by.as_deref() == Some(judge::PLANNER)
    });
    let open = u32::try_from(open.count()).unwrap_or(u32::MAX);
    match most.saturating_sub(open) {
        0 => Err(Fault::new(
            Kind::Person,
            format!("{open} planned goals are open, and `plan.max_open` is {most}"),
        )
        .hint("`git invisigoth list` shows them: `approve ID` and `run`, or make room by `reject ID --why TEXT` or `drop ID`")),
        left => Ok(order.count.unwrap_or(settings.plan.count).min(left)),
    }
}

/// Keeps another plan from being made in this clone at the same time: both would propose the same.
///
/// # Errors
/// A fault where one is being made.
pub fn lock(session: &Session, repo: &Repo) -> Result<fs::Lock> {
    let folder = session.own_dir(repo);
    fs::create_dir_all(&folder)?;
    fs::Lock::try_lock(&folder.join("plan.lock"), "")?.ok_or_else(|| {
        let fault = Fault::new(Kind::Busy, "another plan is being made in this clone");
        fault
            .hint("`git invisigoth list --state proposed` shows what comes of it")
            .into()
    })
}

/// Makes a plan: asks, judges, and writes what holds into the backlog.
///
/// # Errors
/// A fault where nobody can be asked, another plan is being made, or no reply can be read as a plan.
pub fn make(session: &Session, asking: &Asking, order: &Order) -> Result<Planned> {
    let repo = session.repo();
    let _one_at_a_time = lock(session, &repo)?;
    let draft = draft(session, &repo, order)?;
    let mut talk = Talk::begin(session, asking, &repo, draft, order)?;
    let mut again = Vec::new();
    for round in 1..=ROUNDS {
        let reading = match talk.ask(round, &again)? {
            Ok(reading) => reading,
            Err(why) if round < ROUNDS => {
                again = vec![why];
                continue;
            }
            Err(why) => {
                talk.end(&[], &[])?;
                let fault = Fault::new(Kind::Error, format!("the model sent no plan: {why}"));
                return Err(fault
                    .hint("`git invisigoth plan` asks again; `--dry-run` shows the prompt")
                    .into());
            }
        };
        let judged = talk.store(reading, order)?;
        if judged.goals.is_empty() && !judged.refused.is_empty() && round < ROUNDS {
            again = judged
                .refused
                .iter()
                .map(|refused| format!("{}: {}", refused.title, refused.why))
                .collect();
            continue;
        }
        return talk.planned(judged);
    }
    Err(eyre::eyre!("a plan without rounds"))
}

/// What is said while a plan is made.
struct Talk<'a> {
    session: &'a Session,
    asking: &'a Asking,
    repo: &'a Repo,
    draft: Draft,
    messages: Vec<Message>,
    /// False where the endpoint cannot take a schema.
    with_schema: bool,
    /// Answers of a killed plan, the next one first.
    recorded: VecDeque<Exchange>,
    number: u32,
    stored: StoredPlan,
    status: Decision,
}

impl<'a> Talk<'a> {
    fn begin(session: &'a Session, asking: &'a Asking, repo: &'a Repo, draft: Draft, order: &Order) -> Result<Self> {
        let newest = plans::newest(repo)?;
        // One that was killed when its goals were in the backlog has done what it was to do.
        let open = plans::read(repo, newest)?.filter(|plan| !plan.judged && !draft.has_goals_of(plan));
        let recorded = match &open {
            Some(_) => stored::calls(repo, Of::Plan, newest)?,
            None => Vec::new(),
        };
        let auto = order.approved || draft.settings.plan.auto;
        Ok(Self {
            session,
            asking,
            repo,
            messages: draft.built.messages.clone(),
            with_schema: true,
            number: if open.is_some() { newest } else { newest + 1 },
            recorded: recorded.into(),
            stored: StoredPlan {
                base: draft.target.tip,
                judged: false,
                count: draft.count,
                brief: order
                    .brief
                    .as_deref()
                    .map(|brief| session.redactor.clean(brief).into_string()),
                started_at: open.map_or_else(|| session.clock.now().rfc3339(), |plan| plan.started_at),
                provider: asking.provider.name().to_owned(),
                model: draft.settings.llm.model.clone(),
                rounds: 0,
                usage: Usage {
                    cost_usd: Some(0.0),
                    ..Usage::default()
                },
                prompt_hash: draft.built.hash.clone(),
                goals: Vec::new(),
                refused: Vec::new(),
            },
            draft,
            status: if auto { Decision::Pending } else { Decision::Proposed },
        })
    }

    /// Asks for a plan; the inner error is what the model is told.
    fn ask(&mut self, round: u32, again: &[String]) -> Result<std::result::Result<Reading, String>> {
        if !again.is_empty() {
            let wording = self.draft.templates.wording(&self.session.redactor);
            let message = prompt::plan::again(again, self.draft.count, wording);
            self.messages.push(message.map_err(templates::unbuilt)?);
        }
        let reply = self.reply(round)?;
        self.messages.push(Message {
            role: Role::Assistant,
            content: reply.clone(),
        });
        Ok(parse::read(&reply).map_err(|unreadable| unreadable.to_string()))
    }

    fn request(&self) -> Request {
        let llm = &self.draft.settings.llm;
        Request {
            model: llm.model.clone(),
            messages: self.messages.clone(),
            max_tokens: Some(llm.max_tokens),
            reasoning: llm.reasoning.clone(),
            schema: self.with_schema.then(plan::schema),
        }
    }

    /// Returns the text of the next reply, out of a killed plan where it was asked the same.
    fn reply(&mut self, round: u32) -> Result<String> {
        let request = self.request();
        if let Some(at) = self.recorded.iter().position(|call| call.key() == request.key()) {
            let calls: Vec<Exchange> = self.recorded.drain(..=at).collect();
            calls.iter().for_each(|call| self.count(call));
            return Ok(calls.into_iter().next_back().map(|call| call.reply).unwrap_or_default());
        }
        if self.session.stop.stopping() != Stopping::No {
            return Err(Fault::new(Kind::Interrupted, "stopped").into());
        }
        let (count, bytes) = (self.draft.count, request.bytes());
        let asked = || self.session.sink.emit(&Event::Planning { count, round, bytes });
        let payer = Payer {
            goal: None,
            budget_usd: None,
            asked: &asked,
        };
        let began = self.session.clock.now();
        match self.asking.ask(payer, &request, &self.session.stop) {
            Ok(answer) => self.keep(request, &answer, began),
            // Some endpoints know no schemas; a prompt that asks for JSON has to do there.
            Err(ProviderError::BadRequest { status: 400..=422, .. }) if self.with_schema => {
                self.with_schema = false;
                self.reply(round)
            }
            Err(error) => match error.answer() {
                // What came before a cut may hold whole goals.
                Some(answer) if !matches!(error, ProviderError::Shortened(_)) => self.keep(request, answer, began),
                _ => Err(asking::provider_fault(&error).into()),
            },
        }
    }

    /// Keeps an answer before anything is made of it: it is paid for.
    fn keep(&mut self, request: Request, answer: &Answer, began: Moment) -> Result<String> {
        let now = self.session.clock.now();
        let by = (answer, self.stored.provider.as_str());
        let call = asking::exchange(request, by, &self.session.redactor, now.since(began));
        let nth = usize::try_from(self.stored.rounds).unwrap_or(usize::MAX);
        self.count(&call);
        let reply = call.reply.clone();
        plans::write(self.repo, (self.number, &self.stored), (nth, &[call]), now)?;
        Ok(reply)
    }

    fn count(&mut self, call: &Exchange) {
        self.stored.rounds += 1;
        self.stored.usage.add(&call.usage);
        self.stored.model.clone_from(&call.model);
    }

    /// Judges what was read by the backlog as it is now, and writes what holds.
    fn store(&self, reading: Reading, order: &Order) -> Result<Judged> {
        let settings = &self.draft.settings;
        let policy = Policy::new(&settings.paths, &settings.check);
        let limits = Limits {
            count: usize::try_from(order.count.unwrap_or(self.draft.count)).unwrap_or(usize::MAX),
            max_open: usize::try_from(settings.plan.max_open).unwrap_or(usize::MAX),
            policy: &policy,
            created_at: &self.stored.started_at,
        };
        rewrite::add(self.session, |found| {
            let known = known(&found.repo, found.target.tip, &found.known)?;
            let code = tree::code_of_commit(&found.repo, self.stored.base)?;
            let mut judged = judge::judge(reading, &known, &tree::snapshot(&found.repo, code), &limits)?;
            for goal in &mut judged.goals {
                goal.status = self.status;
            }
            let backlog = with(&found.known.backlog, &judged.goals)?;
            Ok((backlog, judged))
        })
    }

    fn end(&mut self, goals: &[Goal], refused: &[Refused]) -> Result<()> {
        self.stored.judged = true;
        self.stored.goals = goals.iter().filter_map(|goal| goal.id.clone()).collect();
        self.stored.refused = refused
            .iter()
            .map(serde_json::to_value)
            .collect::<serde_json::Result<_>>()?;
        plans::write(
            self.repo,
            (self.number, &self.stored),
            (0, &[]),
            self.session.clock.now(),
        )
    }

    fn planned(mut self, judged: Judged) -> Result<Planned> {
        self.end(&judged.goals, &judged.refused)?;
        self.session.sink.emit(&Event::Planned {
            goals: judged.goals.len(),
            refused: judged.refused.len(),
            proposed: self.status == Decision::Proposed,
        });
        Ok(Planned {
            base: self.stored.base,
            status: self.status,
            goals: judged.goals,
            refused: judged.refused,
            left_out: judged.left_out,
            cut: judged.cut,
            model: self.stored.model,
            rounds: self.stored.rounds,
            usage: self.stored.usage,
        })
    }
}

fn with(backlog: &Backlog, goals: &[Goal]) -> Result<Backlog> {
    let rows: Vec<String> = goals
        .iter()
        .map(serde_json::to_string)
        .collect::<serde_json::Result<_>>()?;
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    Ok(backlog.with(&rows).map_err(|error| recall::backlog_fault(&error))?)
}

/// Gathers every goal there is: proposals are compared with all of them.
fn known(repo: &Repo, tip: CommitId, recalled: &Recalled) -> Result<Known> {
    let goals = recalled.backlog.goals();
    let open = goals.filter(|(id, _)| recalled.facts.goals.contains_key(*id));
    let (rejected, open) = open
        .map(|(_, goal)| goal)
        .partition(|goal: &Goal| goal.status == Decision::Rejected);
    Ok(Known {
        open,
        rejected,
        landed: landed(repo, tip, recalled)?,
    })
}

/// Reads what every landed goal asked for: as its completed row words it, else as its commit does.
fn landed(repo: &Repo, tip: CommitId, known: &Recalled) -> Result<Vec<Goal>> {
    let mut goals: BTreeMap<GoalId, Goal> = BTreeMap::new();
    for text in recall::memory_texts(repo, tree::of_commit(repo, tip)?, COMPLETED, COMPLETED_SEGMENTS)? {
        let rows = rows::rows(&text).map_err(|error| recall::backlog_fault(&error.in_file(COMPLETED)))?;
        let asked = rows.into_iter().filter_map(rows::asked);
        goals.extend(asked.filter_map(|goal| Some((goal.id.clone()?, goal))));
    }
    goals.retain(|id, _| known.facts.landed.contains(id));
    for (id, commit) in &known.landed.unsettled {
        if goals.contains_key(id) {
            continue;
        }
        let subject = || Ok::<_, eyre::Report>(history::entry(repo, *commit)?.subject().to_owned());
        let worded = match known.backlog.get(id) {
            Some(goal) => goal,
            None => Goal {
                id: Some(id.clone()),
                description: subject()?,
                ..Goal::default()
            },
        };
        goals.insert(id.clone(), worded);
    }
    Ok(goals.into_values().collect())
}
