//! `prompt`: shows the first prompt that a goal would get, or what was said in an attempt. Asks nobody.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        executor::Executor,
        gather::Place,
        recall, run,
        session::Session,
        stored,
        target::Target,
        templates,
        window::{self, Window},
        wording::{self, Order, Shelf, Worded},
    },
    fault::{Fault, Kind},
    git::tree,
    id::GoalId,
    layers::Resolved,
    prompt::{Way, budget::BYTES_PER_TOKEN, first, sections::Spent},
    quote::quoted,
    transcript::{Message, Usage},
};

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// The goal.
    pub id: GoalId,
    /// Whether what each section takes is shown instead of the prompt.
    pub explain: bool,
}

/// The prompt.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal.
    pub goal: GoalId,
    /// What would be sent.
    pub messages: Vec<Message>,
    /// As the record will have it.
    pub prompt_hash: String,
    /// What did not fit.
    pub left_out: Vec<String>,
    /// What a reader should know of how it was gathered.
    pub warnings: Vec<String>,
    /// Its room.
    pub budget: Budget,
    /// What each part takes, in the order of the prompt.
    pub sections: Vec<Spent>,
    /// Whether people are shown the sections.
    #[serde(skip)]
    pub explain: bool,
}

/// The room of a prompt. A token is taken to be three bytes, fewer than usual, so that the endpoint's own limit holds.
#[derive(Debug, Serialize)]
pub struct Budget {
    /// Tokens that this prompt takes.
    pub taken: usize,
    /// Tokens that it may take.
    pub prompt: usize,
    /// Tokens that a request may take when all is said.
    pub request: usize,
    /// What says so.
    pub from: String,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.prompt/1";
}

/// A call of an attempt, and its answer.
#[derive(Debug, Serialize)]
pub struct Call {
    /// What was asked: of the first call all, later on what came after the answer before.
    pub asked: Vec<Message>,
    /// The answer.
    pub reply: String,
    /// Which model answered.
    pub model: String,
    /// Why the answer ended.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub finish: String,
    /// What it took.
    pub usage: Usage,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// True where its edits do not count: they were taken back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub taken_back: bool,
}

/// What was said in an attempt.
#[derive(Debug, Serialize)]
pub struct Recorded {
    /// The goal.
    pub goal: GoalId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// The calls, in order; none where a program of somebody did the work.
    pub calls: Vec<Call>,
}

impl commands::Outcome for Recorded {
    const SCHEMA: &'static str = "invisigoth.prompt.recorded/1";
}

/// Reads what was said in attempt `number` at a goal.
///
/// # Errors
/// A fault for an attempt that is not known here, or when it cannot be read.
pub fn recorded(session: &Session, id: &GoalId, number: u32) -> Result<Recorded> {
    let repo = session.repo();
    let Some(attempt) = stored::read(&repo, id, number)? else {
        let fault = Fault::new(Kind::Usage, format!("there is no attempt {number} at goal {id} here"));
        let hint = format!("`git invisigoth show {}` lists its attempts", quoted(id.as_str()));
        return Err(fault.hint(hint).into());
    };
    let mut calls = Vec::new();
    let mut known = 0;
    for (nth, call) in (0_u32..).zip(stored::calls(&repo, id, number)?) {
        let messages = call.request.messages;
        let length = messages.len();
        // A conversation says again what was said before; a new one begins anew.
        let from = if length > known { known } else { 0 };
        calls.push(Call {
            asked: messages.into_iter().skip(from).collect(),
            reply: call.reply,
            model: call.model,
            finish: call.finish,
            usage: call.usage,
            millis: call.millis,
            taken_back: attempt.taken_back.contains(&nth),
        });
        // The answer is the next message.
        known = length + 1;
    }
    Ok(Recorded {
        goal: id.clone(),
        attempt: number,
        calls,
    })
}

/// Builds the prompt of a goal.
///
/// # Errors
/// A fault for an unknown goal, or when the repository cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let id = &request.id;
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let Some(goal) = known.backlog.get(id) else {
        return Err(run::unknown_goal(&known.facts, id).into());
    };
    let resolved = session.settings_at(&repo, Some(target.tip))?;
    let settings = &resolved.settings;
    let place = Place {
        repo: &repo,
        target: &target,
        base: target.tip,
        backlog: &known.backlog,
        newest: known.facts.attempts.get(id).map_or(0, |attempt| attempt.number),
        llm: &settings.llm,
    };
    let way = Executor::of(&goal, settings).map_or(Way::Edit, |executor| executor.way());
    let window = window(session, &resolved, way, goal.model.as_deref());
    let templates = templates::of(&repo, tree::code_of_commit(&repo, target.tip)?)?;
    let order = Order {
        goal: &goal,
        way,
        round: (1, goal.max_attempts.unwrap_or(settings.run.max_attempts)),
        tokens: window.tokens,
        wording: templates.wording(&session.redactor),
    };
    let Worded { built, warnings } =
        wording::first(place, &mut Shelf::open(session, &repo), &order)?.map_err(templates::unbuilt)?;
    let bytes: usize = built.messages.iter().map(|message| message.content.len()).sum();
    Ok(Outcome {
        goal: id.clone(),
        messages: built.messages,
        prompt_hash: built.hash,
        left_out: built.left_out,
        warnings,
        budget: Budget {
            taken: bytes.div_ceil(BYTES_PER_TOKEN),
            prompt: first::tokens(way, window.tokens),
            request: window.tokens,
            from: window.from,
        },
        sections: built.spent,
        explain: request.explain,
    })
}

/// Returns the window; where it is `llm.context`, with where that is set.
fn window(session: &Session, resolved: &Resolved, way: Way, model: Option<&str>) -> Window {
    let settings = &resolved.settings;
    let window = window::of_way(session, settings, way, model);
    match resolved.values.get("llm.context") {
        Some(set) if window.tokens == window::ceiling(settings) => Window {
            from: format!("{} ({})", window.from, set.origin),
            ..window
        },
        _ => window,
    }
}
