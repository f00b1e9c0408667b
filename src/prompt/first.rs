//! First prompts: what a goal is asked at the start of a conversation, and how much room that leaves.
//!
//! Pure, as all of `prompt`. What there is to show is gathered elsewhere.

use serde::Serialize;

use crate::{
    goal::Goal,
    prompt::{
        Built, Context, FRAME, PromptError, Way, Wording,
        budget::{BYTES_PER_TOKEN, Room},
        hash, id_of, message, room,
        sections::{Spent, fill},
        template::{Template, Templates},
    },
    reply::Format,
    secret::Redactor,
    transcript::Role,
};

/// The room that the sections leave for what is ranked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measured {
    /// Bytes for ranked chunks.
    pub chunks: usize,
    /// Files of the goal that are too large to be shown whole, with the bytes that each has.
    pub cut: Vec<(String, usize)>,
}

#[derive(Serialize)]
struct SystemView<'a> {
    master: &'a str,
    format: &'static str,
    path_in_fence: bool,
}

#[derive(Serialize)]
struct GoalView<'a> {
    id: &'a str,
    round: u32,
    rounds: u32,
    description: &'a str,
    request: &'a str,
    acceptance: &'a [String],
    comments: &'a [String],
    files: Vec<&'a str>,
    tests: bool,
}

/// Returns the tokens, of the `budget_tokens` of a conversation, that its first prompt may take. The rest is for what is
/// said later: repairs and files that the model asks for, or the turns of one who acts.
pub fn tokens(way: Way, budget_tokens: usize) -> usize {
    match way {
        Way::Edit => budget_tokens / 4 * 3,
        Way::Work => budget_tokens,
        Way::Tools => budget_tokens / 2,
    }
}

/// Builds the messages of a first round, in at most `budget_tokens` with all that follows. `round` is its number and the
/// most rounds there may be. What does not fit is cut on line boundaries and named, here and in the prompt.
///
/// # Errors
/// When the goal alone does not fit, or a template is wrong.
pub fn build(
    goal: &Goal,
    context: &Context,
    round: (u32, u32),
    budget_tokens: usize,
    wording: Wording<'_>,
) -> Result<Built, PromptError> {
    let Wording { templates, redactor } = wording;
    let (system, order) = frame(goal, context, round, templates)?;
    let room = first_room(context.way, budget_tokens, system.len() + order.len(), redactor)?;
    let filled = fill(context, room, false);
    let about = templates.render(Template::Context, filled.view)?;
    let messages = vec![
        message(Role::System, &system, redactor),
        message(Role::User, &format!("{about}{order}"), redactor),
    ];
    let master = context.master.trim().len();
    let mut spent = vec![
        Spent::fixed("orders", true, system.len().saturating_sub(master)),
        Spent::fixed("master prompt", true, master),
    ];
    spent.extend(filled.spent);
    spent.push(Spent::fixed("goal", false, order.len()));
    Ok(Built {
        hash: hash(&messages),
        messages,
        left_out: filled.left_out,
        spent,
    })
}

/// Returns the room that `build` would leave for what is ranked: the goal's own large files, and chunks of others, of which
/// `context` need not have any.
///
/// # Errors
/// As `build`.
pub fn measure(
    goal: &Goal,
    context: &Context,
    budget_tokens: usize,
    wording: Wording<'_>,
) -> Result<Measured, PromptError> {
    let (system, order) = frame(goal, context, (1, 1), wording.templates)?;
    let taken = system.len() + order.len();
    let room = first_room(context.way, budget_tokens, taken, wording.redactor)?;
    let filled = fill(context, room, true);
    Ok(Measured {
        chunks: filled.left,
        cut: filled.cut,
    })
}

/// Words what is never cut: standing orders, and the goal.
fn frame(
    goal: &Goal,
    context: &Context,
    round: (u32, u32),
    templates: &Templates,
) -> Result<(String, String), PromptError> {
    let (system, order) = match (context.way, context.test_goal) {
        (Way::Edit, false) => (Template::System, Template::Goal),
        (Way::Edit, true) => (Template::System, Template::TestGoal),
        (Way::Work, _) => (Template::Work, Template::WorkGoal),
        (Way::Tools, _) => (Template::Tools, Template::WorkGoal),
    };
    let view = SystemView {
        master: context.master.trim(),
        format: match context.asked.format {
            Format::Auto => Format::SearchReplace.word(),
            chosen => chosen.word(),
        },
        path_in_fence: context.asked.path_in_fence,
    };
    let system = templates.render(system, view)?;
    let order = templates.render(order, goal_view(goal, round, context.test_goal)?)?;
    Ok((system, order))
}

/// Opens the room of a first prompt. What is never cut may take what is for later rounds, too.
fn first_room(way: Way, budget_tokens: usize, taken: usize, redactor: &Redactor) -> Result<Room<'_>, PromptError> {
    room(tokens(way, budget_tokens), taken, redactor).or_else(|_| {
        room(budget_tokens, taken, redactor)?;
        room(taken.saturating_add(FRAME).div_ceil(BYTES_PER_TOKEN), taken, redactor)
    })
}

fn goal_view(goal: &Goal, round: (u32, u32), tests: bool) -> Result<GoalView<'_>, PromptError> {
    let (description, request) = (goal.description.trim(), goal.request().trim());
    Ok(GoalView {
        id: id_of(goal)?,
        round: round.0,
        rounds: round.1,
        description,
        request: if request == description { "" } else { request },
        acceptance: &goal.acceptance,
        comments: &goal.comments,
        files: goal.named_files(),
        tests,
    })
}
