//! The prompt of a plan: what the repository and its backlog say, and the order to propose goals.
//!
//! Pure and repeatable, as every prompt is. What is shown is gathered elsewhere; how a reply is read and judged too.

use serde::Serialize;

use crate::{
    prompt::{
        Built, PromptError, Wording,
        budget::{Block, Room},
        hash, message, room,
        sections::listed,
        template::Template,
    },
    transcript::{Message, Role},
};

/// What repository and backlog say to who plans. Texts are UTF-8, lists have an item a line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[cfg_attr(test, derive(serde::Deserialize), serde(default))]
pub struct PlanContext {
    /// The root prompt of the repository's owner.
    pub master: String,
    /// Files that tell contributors what to do: path and text.
    pub rules: Vec<(String, String)>,
    /// What the project says of itself: path and text.
    pub readme: Option<(String, String)>,
    /// Folders, and files with what they define.
    pub outline: String,
    /// What a survey found: a heading, and lines of `path:line: text`.
    pub signals: Vec<(String, String)>,
    /// What the survey did not look at; empty where it saw all.
    pub unseen: String,
    /// The commands that every change must pass.
    pub checks: Vec<String>,
    /// The latest commits.
    pub log: String,
    /// What they changed.
    pub diffs: String,
    /// Goals that have landed, the latest first.
    pub landed: String,
    /// Goals that a person rejected, and why.
    pub rejected: String,
    /// Goals whose latest attempt failed, and why.
    pub failures: String,
    /// Goals that are open.
    pub open: String,
}

#[derive(Serialize)]
struct SystemView<'a> {
    master: &'a str,
}

#[derive(Serialize)]
struct OrderView<'a> {
    brief: &'a str,
    count: u32,
}

#[derive(Serialize)]
struct PlanView<'a> {
    rules: Vec<Block>,
    readme: Option<Block>,
    outline: Option<Block>,
    signals: Vec<Block>,
    unseen: &'a str,
    checks: &'a [String],
    log: Option<Block>,
    diffs: Option<Block>,
    landed: Option<Block>,
    rejected: Option<Block>,
    failures: Option<Block>,
    open: Option<Block>,
    left_out: String,
}

/// Builds the messages that ask for at most `count` goals, in at most `budget_tokens`. `brief` is what the person who
/// plans wants of them. What does not fit is cut on line boundaries and named, here and in the prompt.
///
/// # Errors
/// When master prompt, brief and order alone do not fit, or a template is wrong.
pub fn build(
    context: &PlanContext,
    count: u32,
    brief: Option<&str>,
    budget_tokens: usize,
    wording: Wording<'_>,
) -> Result<Built, PromptError> {
    let Wording { templates, redactor } = wording;
    let master = context.master.trim();
    let system = templates.render(Template::PlanSystem, SystemView { master })?;
    let brief = brief.unwrap_or_default().trim();
    let order = templates.render(Template::Plan, OrderView { brief, count })?;
    let checks: usize = context.checks.iter().map(|command| command.len() + 8).sum();
    let taken = system.len() + order.len() + context.unseen.len() + checks;
    let (view, left_out) = fill(context, room(budget_tokens, taken, redactor)?);
    let about = templates.render(Template::PlanContext, view)?;
    let messages = vec![
        message(Role::System, &system, redactor),
        message(Role::User, &format!("{about}{order}"), redactor),
    ];
    Ok(Built {
        hash: hash(&messages),
        messages,
        left_out,
        spent: Vec::new(),
    })
}

#[derive(Serialize)]
struct AgainView<'a> {
    why: &'a [String],
    count: u32,
}

/// Words what was wrong with a reply, a reason or several, and the order again.
///
/// # Errors
/// When a template is wrong.
pub fn again(why: &[String], count: u32, wording: Wording<'_>) -> Result<Message, PromptError> {
    let text = wording
        .templates
        .render(Template::PlanAgain, AgainView { why, count })?;
    Ok(message(Role::User, &text, wording.redactor))
}

/// Whoever comes first here is cut last: what the judge compares with, then what goals are made of.
fn fill<'a>(context: &'a PlanContext, mut room: Room<'_>) -> (PlanView<'a>, Vec<String>) {
    let texts = |all: &'a [(String, String)]| -> Vec<(String, &'a str)> {
        all.iter().map(|(path, text)| (path.clone(), text.as_str())).collect()
    };
    let mut view = PlanView {
        open: room.give_one("open goals", &context.open, 20),
        rejected: room.give_one("rejected goals", &context.rejected, 10),
        failures: room.give_one("failed goals", &context.failures, 10),
        signals: room.give(&texts(&context.signals), 35),
        outline: room.give_one("outline", &context.outline, 25),
        landed: room.give_one("landed goals", &context.landed, 15),
        rules: room.give(&texts(&context.rules), 15),
        readme: context
            .readme
            .as_ref()
            .and_then(|(path, text)| room.give_one(path, text, 10)),
        log: room.give_one("latest commits", &context.log, 5),
        diffs: room.give_one("latest changes", &context.diffs, 15),
        unseen: &context.unseen,
        checks: &context.checks,
        left_out: String::new(),
    };
    let left_out = room.into_left_out();
    view.left_out = listed(&left_out);
    (view, left_out)
}

#[cfg(test)]
mod tests;
