//! `adopt`: a branch of somebody goes through the same gate, landing and record as ours.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands,
    engine::{
        adopting::{self, Found, Landing, Wish},
        run,
        session::Session,
        worker::Worker,
    },
    fault::Kind,
    id::{CommitId, GoalId},
    quote::quoted,
    schedule::State,
};

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The branch, as it was named.
    pub branch: String,
    /// Its newest commit.
    pub head: CommitId,
    /// How many commits it has that the target had not.
    pub commits: usize,
    /// True where they stay as they are.
    pub as_is: bool,
    /// The branch that goals land on.
    pub target: String,
    /// The goal that it answers; absent where it did not come to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<GoalId>,
    /// The goal's first line.
    pub description: String,
    /// `landed`, `held` or `failed`.
    pub state: State,
    /// Why it did not land.
    pub reason: String,
    /// The commit that the goal's work is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// What a reader should know besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// What to type next where it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Why results wait beside the target, if they do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.adopt/1";

    fn kind(&self) -> Option<Kind> {
        match self.state {
            State::Landed => None,
            State::Held => Some(Kind::Person),
            _ => Some(Kind::Unfinished),
        }
    }
}

/// Adopts what `wish` names. The branch, the working tree and the index stay as they are.
///
/// # Errors
/// A fault that says why it cannot be adopted, or when the repository cannot be used.
pub fn run(session: &Session, wish: &Wish) -> Result<Outcome> {
    let mut worker = Worker::open(session)?;
    adopting::look(&worker, wish)?;
    worker.begin()?;
    worker.know_base()?;
    worker.land_again()?;
    // The target may have moved since.
    let found = adopting::look(&worker, wish)?;
    say(&worker, wish, &found);
    let (id, description, is_known) = (
        found.id.clone(),
        found.goal.description.clone(),
        worker.facts.goals.contains_key(&found.id),
    );
    let mut outcome = Outcome {
        branch: wish.branch.clone(),
        head: found.head,
        commits: found.commits.len(),
        as_is: wish.as_is,
        target: worker.target.branch.clone(),
        goal: Some(id.clone()),
        description: description.clone(),
        state: State::Landed,
        reason: String::new(),
        commit: None,
        remark: None,
        hint: None,
        beside: None,
    };
    let conflicts = found.code.is_err();
    let ended = adopting::adopt(&mut worker, wish, &found)?;
    match ended.landing {
        Landing::Landed(commit, checks) => {
            run::landed(&mut worker, &id, commit, (&checks, ended.red_green), &description);
            outcome.commit = Some(commit);
        }
        Landing::Held(commit, why) => {
            outcome.state = State::Held;
            outcome.reason = run::held(&worker, &id, &description, &why);
            outcome.commit = Some(commit);
        }
        Landing::Waits(commit, why) => {
            outcome.state = State::Held;
            outcome.reason = why;
            outcome.commit = Some(commit);
        }
        Landing::Refused(why) => {
            outcome.state = State::Failed;
            outcome.reason = why;
            outcome.goal = is_known.then_some(id);
            outcome.hint = Some(if conflicts {
                format!(
                    "merge `{}` into `{}`, then adopt it again",
                    outcome.target, outcome.branch
                )
            } else {
                let branch = quoted(&outcome.branch);
                format!("`git invisigoth check {branch}` shows what its checks print")
            });
        }
    }
    outcome.remark = ended.remark;
    outcome.beside = worker.follow()?;
    Ok(outcome)
}

fn say(worker: &Worker<'_>, wish: &Wish, found: &Found) {
    let (name, target) = (&wish.branch, &worker.target.branch);
    let commits = match found.commits.len() {
        1 => "1 commit".to_owned(),
        many => format!("{many} commits"),
    };
    worker
        .session
        .say(format!("checking `{name}` ({commits}) merged onto `{target}`"));
    if found.has_memory {
        let how = if wish.as_is {
            "count for nothing"
        } else {
            "are left out"
        };
        worker.session.say(format!("the memory files of `{name}` {how}"));
    }
}
