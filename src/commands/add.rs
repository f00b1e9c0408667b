//! `add`: writes a goal into the backlog.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{recall::backlog_fault, rewrite, run, session::Session},
    fault::{Fault, Kind},
    goal::{Decision, Goal},
    id::GoalId,
    path::RepoPath,
    quote::quoted,
};

/// What to add.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// One line.
    pub description: String,
    /// Files that it is about, the main one first.
    pub files: Vec<String>,
    /// What the model is asked; already read where it was `@FILE` or `-`.
    pub prompt: Option<String>,
    /// Goals that must land before.
    pub needs: Vec<String>,
    /// What must be true afterwards.
    pub accept: Vec<String>,
    /// The id; made where absent.
    pub id: Option<String>,
    /// Higher goes first.
    pub priority: i64,
    /// Whether it is to be done, or only proposed.
    pub status: Decision,
    /// Who adds it, where that is no person at a terminal.
    pub created_by: Option<String>,
}

/// What was added.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal's id.
    pub id: GoalId,
    /// The goal.
    pub goal: Goal,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.add/1";
}

/// Adds a goal.
///
/// # Errors
/// A fault for an unfit or taken id, an unknown dependency, a path outside, or a backlog that cannot be read.
pub fn run(session: &Session, request: Request) -> Result<Outcome> {
    rewrite::add(session, |found| {
        let known = &found.known;
        // Also one that people took back, and that has no row until the next landing writes it.
        let is_known = |id: &GoalId| known.facts.landed.contains(id) || known.facts.goals.contains_key(id);
        let goal = goal(session, request, is_known)?;
        let Some(id) = goal.id.clone() else {
            return Err(eyre::eyre!("a goal without id"));
        };
        for need in &goal.dependencies {
            if *need == id {
                return Err(usage(format!("goal {id} cannot need itself")).into());
            }
            if !is_known(need) {
                return Err(run::unknown_goal(&known.facts, need).into());
            }
        }
        let row = serde_json::to_string(&goal)?;
        let backlog = known.backlog.with(&[&row]).map_err(|error| backlog_fault(&error))?;
        Ok((backlog, Outcome { id, goal }))
    })
}

fn goal(session: &Session, request: Request, taken: impl Fn(&GoalId) -> bool) -> Result<Goal> {
    let description = request.description.trim().to_owned();
    if description.is_empty() {
        return Err(usage("the description is empty")
            .hint("`git invisigoth help add` tells more")
            .into());
    }
    for file in &request.files {
        RepoPath::parse(file).map_err(|bad| usage(bad.to_string()))?;
    }
    let created_at = session.clock.now().rfc3339();
    let prompt = request.prompt.unwrap_or_default();
    let id = match request.id {
        Some(id) => id.parse::<GoalId>().map_err(|bad| usage(bad.to_string()))?,
        None => {
            let mut ids = (0..).map(|nth| GoalId::fresh(&description, &prompt, &created_at, nth));
            ids.find(|id| !taken(id)).ok_or_else(|| eyre::eyre!("no free id"))?
        }
    };
    if taken(&id) {
        return Err(usage(format!("there is a goal {id} already"))
            .hint(format!("`git invisigoth show {}`", quoted(id.as_str())))
            .into());
    }
    let parse = |id: &String| id.parse::<GoalId>().map_err(|bad| usage(bad.to_string()));
    let dependencies = request.needs.iter().map(parse).collect::<Result<Vec<_>, Fault>>()?;
    let mut files = request.files.into_iter();
    Ok(Goal {
        id: Some(id),
        description,
        filename: files.next(),
        files: files.collect(),
        prompt,
        dependencies,
        acceptance: request.accept,
        priority: request.priority,
        status: request.status,
        created_at: Some(created_at),
        created_by: request.created_by,
        ..Goal::default()
    })
}

fn usage(message: impl Into<String>) -> Fault {
    Fault::new(Kind::Usage, message)
}
