//! `ci matrix`: the goals that can start, as the job lists that hosts and clusters take. Starts nothing.

use eyre::Result;
use serde::Serialize;

use crate::{
    ci::{
        actions::table,
        matrix::{self, Entry, MOST},
    },
    commands::{
        self,
        ci::{OUTPUT, append, summarise},
    },
    engine::{bringing, recall, session::Session, target::Target},
    fault::{Fault, Kind},
    git::{Repo, config},
    id::{CommitId, GoalId},
    schedule,
};

/// The array tasks of Slurm where nothing is said.
const TASKS: usize = 4;
/// Goals that a summary names.
const SHOWN: usize = 50;

/// Who takes the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// `strategy.matrix` of GitHub Actions
    #[default]
    Github,
    /// A child pipeline of GitLab
    Gitlab,
    /// A batch script of Slurm
    Slurm,
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Who takes it.
    pub format: Format,
    /// At most so many goals; never more than 256.
    pub max: Option<usize>,
    /// At most so many tasks of an array.
    pub tasks: Option<usize>,
    /// Bring what other clones know from here first.
    pub remote: Option<String>,
    /// End with 4 where nothing can start.
    pub exit_code: bool,
}

/// The list.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The branch that goals land on.
    pub target: String,
    /// Its commit.
    pub tip: CommitId,
    /// True where there is a goal.
    pub any: bool,
    /// Goals that can start, the first goes first.
    pub goals: Vec<Entry>,
    /// How many more can.
    pub left: usize,
    /// The list as it is taken.
    pub text: String,
    #[serde(skip)]
    exit_code: bool,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.ci-matrix/1";

    fn kind(&self) -> Option<Kind> {
        (self.exit_code && !self.any).then_some(Kind::Nothing)
    }
}

/// Lists them. In a step of GitHub Actions its outputs `any`, `count`, `tip` and `matrix` are set, too.
///
/// # Errors
/// A fault for a remote that cannot be read, and for Slurm without one.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    if let Some(remote) = &request.remote {
        bringing::bring(session, &repo, remote)?;
    }
    let target = Target::read(session, &repo)?;
    let facts = recall::read(session, &repo, &target)?.facts;
    let ready = schedule::ready(&facts, &[]);
    let most = request.max.unwrap_or(MOST).min(MOST);
    let entry = |id: &&GoalId| {
        let open = facts.goals.get(*id);
        let description = open.map(|open| open.description.as_str()).unwrap_or_default();
        Entry::new(id.as_str(), session.redactor.clean(description).as_str())
    };
    let goals: Vec<Entry> = ready.iter().take(most).map(entry).collect();
    let text = match request.format {
        Format::Github => format!("{}\n", matrix::github(&goals)),
        Format::Gitlab => matrix::gitlab(&target.branch, &goals),
        Format::Slurm => {
            let url = url(&repo, request.remote.as_deref())?;
            let tasks = request.tasks.unwrap_or(TASKS);
            matrix::slurm((&target.branch, &url), &goals, tasks)
        }
    };
    let outcome = Outcome {
        any: !goals.is_empty(),
        left: ready.len() - goals.len(),
        target: target.branch,
        tip: target.tip,
        goals,
        text,
        exit_code: request.exit_code,
    };
    if request.format == Format::Github {
        outputs(session, &outcome)?;
    }
    Ok(outcome)
}

/// Each task clones from there: a path is meant from the top of this working tree.
fn url(repo: &Repo, remote: Option<&str>) -> Result<String> {
    let name = remote.map(str::to_owned).or_else(|| config::remote(repo));
    let url = name
        .as_ref()
        .and_then(|name| config::value(repo, &format!("remote.{name}.url")));
    let url = url.map(|url| match url.starts_with('.') {
        true => bringing::place(repo).join(&url).to_string_lossy().into_owned(),
        false => url,
    });
    url.ok_or_else(|| {
        let fault = Fault::new(
            Kind::Config,
            "tasks of an array work in clones of a remote, and there is none",
        );
        fault.hint("`git remote add origin URL`, or --remote NAME").into()
    })
}

fn outputs(session: &Session, outcome: &Outcome) -> Result<()> {
    let Outcome {
        any, goals, tip, text, ..
    } = outcome;
    let lines = format!("any={any}\ncount={}\ntip={tip}\nmatrix={text}", goals.len());
    append(session, OUTPUT, &lines)?;
    let rows: Vec<Vec<String>> = goals
        .iter()
        .take(SHOWN)
        .map(|entry| vec![entry.goal.clone(), entry.description.clone()])
        .collect();
    let more = (goals.len() + outcome.left).saturating_sub(rows.len());
    let more = if more > 0 {
        format!("\nand {more} more\n")
    } else {
        String::new()
    };
    let head = format!(
        "### {} of `{}` can start\n\n",
        counted(goals.len() + outcome.left),
        outcome.target
    );
    let list = if rows.is_empty() {
        String::new()
    } else {
        table(&["goal", "what"], &rows)
    };
    summarise(session, &(head + &list + &more))
}

fn counted(count: usize) -> String {
    match count {
        0 => "No goal".to_owned(),
        1 => "1 goal".to_owned(),
        count => format!("{count} goals"),
    }
}
