//! `context`: which lines of the repository a goal or a text is about. Asks nobody.

use eyre::Result;
use serde::Serialize;

use crate::{
    cache::Cache,
    commands,
    context::{
        pack::Item,
        rank::{self, TABLE, Weights},
    },
    engine::{recall, retrieval::Retrieval, run, session::Session, target::Target},
    fault::{Fault, Kind},
    git::{Repo, objects, refs},
    id::{CommitId, GoalId},
    path::RepoPath,
};

/// How many files are named at most.
const RANKED: usize = 200;

/// How many files are explained.
const EXPLAINED: usize = 20;

/// What is asked for.
#[derive(Debug)]
pub struct Request {
    /// What the context is for.
    pub about: About,
    /// The commit whose files are shown.
    pub rev: Option<String>,
    /// Most tokens, at four bytes each.
    pub budget: u32,
    /// Whether signals are shown instead of lines.
    pub explain: bool,
    /// Signals that do not count.
    pub without: Vec<String>,
}

/// What the context is for.
#[derive(Debug)]
pub enum About {
    /// A goal of the backlog.
    Goal(GoalId),
    /// A text.
    Text(String),
}

/// Files in their order, and what is shown of them.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The commit.
    pub commit: CommitId,
    /// Files, the best first.
    pub ranked: Vec<RepoPath>,
    /// What is shown, in the order of the files.
    pub items: Vec<Item>,
    /// What speaks for the best files, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signals: Option<Vec<Explained>>,
    /// The text of the items.
    #[serde(skip)]
    pub shown: Vec<Shown>,
}

/// What speaks for a file.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// The file.
    pub path: RepoPath,
    /// Its score: each signal times its weight, summed up.
    pub score: f32,
    /// Each signal's name and what it adds.
    pub signals: Vec<(&'static str, f32)>,
}

/// Lines of a file.
#[derive(Debug)]
pub struct Shown {
    /// The file.
    pub path: RepoPath,
    /// First line, last line, text.
    pub pieces: Vec<(u32, u32, String)>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.context/1";
}

/// Ranks the files of a commit and packs their lines.
///
/// # Errors
/// A fault for an empty query, an unknown goal, commit or signal, or when the repository cannot be read.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let (text, commit) = asked(session, &repo, request)?;
    let cache = Cache::open(&session.own_dir(&repo).join("index"));
    let mut retrieval = Retrieval::default();
    retrieval.at(&repo, &cache, commit)?;
    let found = retrieval.ask(&repo, &cache, &text, &weights(&request.without)?)?;
    if found.query.is_empty() {
        return Err(Fault::new(Kind::Usage, "the query says nothing to look for")
            .hint("name what is wrong or wanted: `echo 'Retry after a timeout' | git invisigoth context`")
            .into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a budget")]
    let items = retrieval.pack(&found, request.budget as f32);
    let path = |file| Some(retrieval.index().file(file)?.path.clone());
    let files = &found.ranking.files;
    let ranked = files
        .iter()
        .take(RANKED)
        .filter_map(|scored| path(scored.file))
        .collect();
    let table = weights(&request.without)?;
    let explained = |scored: &rank::Scored| {
        let values = TABLE.iter().zip(scored.signals).zip(table);
        Some(Explained {
            path: path(scored.file)?,
            score: scored.score,
            signals: values
                .map(|((signal, value), weight)| (signal.name, value * weight))
                .collect(),
        })
    };
    let signals = request
        .explain
        .then(|| files.iter().take(EXPLAINED).filter_map(explained).collect());
    let shown = match request.explain {
        true => Vec::new(),
        false => items
            .iter()
            .map(|item| shown(&repo, &retrieval, item))
            .collect::<Result<_>>()?,
    };
    Ok(Outcome {
        commit,
        ranked,
        items,
        signals,
        shown,
    })
}

/// Returns the text that is asked about, and the commit.
fn asked(session: &Session, repo: &Repo, request: &Request) -> Result<(String, CommitId)> {
    let rev = |default: &str| -> Result<CommitId> {
        let spec = request.rev.as_deref().unwrap_or(default);
        refs::resolve(repo, spec).map_err(|error| {
            let fault = Fault::new(Kind::Usage, error.to_string());
            fault.hint("`git log --oneline` lists commits").into()
        })
    };
    match &request.about {
        About::Text(text) => Ok((text.clone(), rev("HEAD")?)),
        About::Goal(id) => {
            let target = Target::read(session, repo)?;
            let known = recall::read(session, repo, &target)?;
            let Some(goal) = known.backlog.get(id) else {
                return Err(run::unknown_goal(&known.facts, id).into());
            };
            let commit = if request.rev.is_some() {
                rev("HEAD")?
            } else {
                target.tip
            };
            Ok((Retrieval::text_of(&goal), commit))
        }
    }
}

fn weights(without: &[String]) -> Result<Weights> {
    let mut weights = rank::weights();
    for name in without {
        let place = TABLE.iter().position(|signal| signal.name == name);
        let Some(weight) = place.and_then(|place| weights.get_mut(place)) else {
            let names: Vec<&str> = TABLE.iter().map(|signal| signal.name).collect();
            let fault = Fault::new(Kind::Usage, format!("there is no signal `{name}`"));
            return Err(fault.hint(format!("there are: {}", names.join(", "))).into());
        };
        *weight = 0.0;
    }
    Ok(weights)
}

fn shown(repo: &Repo, retrieval: &Retrieval, item: &Item) -> Result<Shown> {
    let file = retrieval
        .index()
        .at(&item.path)
        .and_then(|at| retrieval.index().file(at));
    let text = file
        .map(|file| objects::read_blob(repo, file.id))
        .transpose()?
        .unwrap_or_default();
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let piece = |(first, last): &(u32, u32)| {
        let some = lines
            .get(first.saturating_sub(1) as usize..*last as usize)
            .unwrap_or_default();
        (*first, *last, String::from_utf8_lossy(&some.concat()).into_owned())
    };
    Ok(Shown {
        path: item.path.clone(),
        pieces: item.ranges.iter().map(piece).collect(),
    })
}
