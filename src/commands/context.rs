//! `context`: which lines of the repository a goal or a text is about. Asks nobody.

use eyre::Result;
use serde::Serialize;

use crate::{
    cache::Cache,
    commands,
    context::{
        pack::{self, BYTES_PER_TOKEN, Item, Odds},
        rank::{self, SIGNALS, Weights},
    },
    engine::{
        recall,
        retrieval::{Found, Retrieval},
        run,
        session::Session,
        target::Target,
    },
    fault::{Fault, Kind},
    git::{
        Repo, objects,
        refs::{self, Head},
    },
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
    /// Files, the best first.
    pub ranked: Vec<RepoPath>,
    /// What is shown, in the order of the files.
    pub items: Vec<Item>,
    /// Why the files have this order, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explained: Option<Explained>,
    /// The text of the items.
    #[serde(skip)]
    pub shown: Vec<Shown>,
    /// What there was to choose from.
    #[serde(skip)]
    pub of: Choice,
}

/// What there was to choose from.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Choice {
    /// The commit.
    pub commit: CommitId,
    /// How many files are read.
    pub read: u32,
    /// Those of them that anything speaks for.
    pub matched: usize,
    /// Those of them whose content could not be read, as where a partial clone left it out.
    pub unread: u32,
    /// Past commits that could speak; 0 where only files do.
    pub commits: usize,
    /// Whether the history was cut short by `git clone --depth`.
    pub shallow: bool,
    /// Most tokens of what is shown.
    pub budget: u32,
}

/// Why files have their order.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// What there was to choose from.
    #[serde(flatten)]
    pub of: Choice,
    /// What speaks for the best files.
    pub files: Vec<Reasons>,
    /// What each signal says.
    pub signals: Vec<Signal>,
    /// Files that the query names and of which nothing is shown.
    pub left_out: Vec<LeftOut>,
}

/// What speaks for a file.
#[derive(Debug, Serialize)]
pub struct Reasons {
    /// The file.
    pub path: RepoPath,
    /// Its score: what its signals add, less its handicap.
    pub score: f32,
    /// What each signal adds, in the order of `Explained::signals`.
    pub adds: [f32; SIGNALS],
    /// What is taken off for its kind.
    pub handicap: f32,
    /// What it is.
    pub kind: &'static str,
}

/// Something that speaks for files.
#[derive(Debug, Serialize)]
pub struct Signal {
    /// Its name.
    pub name: &'static str,
    /// What it adds at most.
    pub most: f32,
    /// What it says.
    pub says: &'static str,
}

/// A file of which nothing is shown.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    /// The file.
    pub path: RepoPath,
    /// Why, in words that follow "it is".
    pub why: &'static str,
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
    let (weights, odds) = weights(&request.without)?;
    let (text, commit) = asked(session, &repo, request)?;
    let cache = Cache::open(&session.own_dir(&repo).join("index"));
    let mut retrieval = Retrieval::default();
    retrieval.at(&repo, &cache, commit)?;
    let found = retrieval.ask(&repo, &cache, &text, &weights)?;
    if found.query.is_empty() {
        return Err(Fault::new(Kind::Usage, "the query says nothing to look for")
            .hint("name what is wrong or wanted: `echo 'Retry after a timeout' | git invisigoth context`")
            .into());
    }
    let files = &found.ranking.files;
    let of = Choice {
        commit,
        read: retrieval.index().totals().files,
        matched: files.len(),
        unread: retrieval.unread(),
        commits: retrieval.commits(&repo)?,
        shallow: repo.is_shallow(),
        budget: request.budget,
    };
    let (items, shown) = packed(&repo, &retrieval, &found, (request.budget, &odds));
    let path = |file| Some(retrieval.index().file(file)?.path.clone());
    let named = files.iter().take(RANKED);
    let explain = || explained(&repo, &retrieval, &found, &weights, of);
    Ok(Outcome {
        ranked: named.filter_map(|scored| path(scored.file)).collect(),
        items,
        explained: request.explain.then(explain),
        shown,
        of,
    })
}

/// Says why files have their order.
fn explained(repo: &Repo, retrieval: &Retrieval, found: &Found, weights: &Weights, of: Choice) -> Explained {
    let reasons = |scored: &rank::Scored| {
        let file = retrieval.index().file(scored.file)?;
        let mut adds = scored.signals;
        adds.iter_mut()
            .zip(weights)
            .for_each(|(value, weight)| *value *= weight);
        Some(Reasons {
            path: file.path.clone(),
            score: scored.score,
            adds,
            handicap: rank::handicap(file.kind, found.query.asks),
            kind: file.kind.word(),
        })
    };
    let signal = |(signal, weight): (rank::Signal, &f32)| Signal {
        name: signal.name,
        most: *weight,
        says: signal.says,
    };
    let left_out = retrieval.left_out(repo, &found.query).into_iter();
    Explained {
        of,
        files: found.ranking.files.iter().take(EXPLAINED).filter_map(reasons).collect(),
        signals: rank::TABLE.into_iter().zip(weights).map(signal).collect(),
        left_out: left_out.map(|(path, why)| LeftOut { path, why }).collect(),
    }
}

/// Packs what fits, headings counted as they are shown.
fn packed(repo: &Repo, retrieval: &Retrieval, found: &Found, within: (u32, &Odds)) -> (Vec<Item>, Vec<Shown>) {
    let (budget, odds) = within;
    #[expect(clippy::cast_precision_loss, reason = "a budget")]
    let budget = budget as f32;
    let mut room = budget;
    loop {
        let packed = retrieval.pack(found, room, odds).into_iter();
        // What the index knows and this clone has no more is left out.
        let (items, shown): (Vec<Item>, Vec<Shown>) = packed.filter_map(|item| shown(repo, retrieval, item)).unzip();
        let over = items.iter().map(|item| item.tokens).sum::<f32>() - budget;
        if over <= 0.0 || items.is_empty() {
            return (items, shown);
        }
        room -= over.max(1.0);
    }
}

/// Returns the text that is asked about, and the commit.
fn asked(session: &Session, repo: &Repo, request: &Request) -> Result<(String, CommitId)> {
    let rev = |default: &str| -> Result<CommitId> {
        let spec = request.rev.as_deref().unwrap_or(default);
        refs::resolve(repo, spec).map_err(|error| {
            let fault = Fault::new(Kind::Usage, error.to_string());
            fault.hint("`git log --oneline --all` lists commits").into()
        })
    };
    match &request.about {
        About::Text(text) => {
            if request.rev.is_none() && matches!(refs::head(repo)?, Head::Branch(_, None)) {
                let fault = Fault::new(Kind::Error, "there is no commit yet, so there are no files to show");
                return Err(fault.hint("`git add -A && git commit` makes one").into());
            }
            Ok((text.clone(), rev("HEAD")?))
        }
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

/// Returns what is worth what to files and to chunks, without some of it.
fn weights(without: &[String]) -> Result<(Weights, Odds)> {
    let (mut weights, mut odds) = (rank::weights(), pack::odds());
    let names = || rank::TABLE.iter().chain(&pack::TABLE).map(|signal| signal.name);
    for name in without {
        let place = names().position(|known| known == name);
        let Some(weight) = place.and_then(|place| weights.iter_mut().chain(&mut odds).nth(place)) else {
            let fault = Fault::new(Kind::Usage, format!("there is no signal `{name}`"));
            return Err(fault
                .hint(format!("there are: {}", names().collect::<Vec<_>>().join(", ")))
                .into());
        };
        *weight = 0.0;
    }
    Ok((weights, odds))
}

/// Reads the lines of an item, and counts what they take as they are shown; `None` where its file cannot be read.
fn shown(repo: &Repo, retrieval: &Retrieval, item: Item) -> Option<(Item, Shown)> {
    let index = retrieval.index();
    let file = index.file(index.at(&item.path)?)?;
    let text = objects::read_blob(repo, file.id).ok()?;
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut bytes = 0;
    let mut pieces = Vec::with_capacity(item.ranges.len());
    for (first, last) in &item.ranges {
        let range = first.saturating_sub(1) as usize..*last as usize;
        let some = lines.get(range).unwrap_or_default().concat();
        let text = String::from_utf8_lossy(&some).trim_end_matches('\n').to_owned();
        bytes += heading(&item.path, *first, *last).len() + text.len() + BREAKS;
        pieces.push((*first, *last, text));
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of bytes")]
    let tokens = bytes as f32 / BYTES_PER_TOKEN;
    let path = item.path.clone();
    Some((Item { tokens, ..item }, Shown { path, pieces }))
}

/// What stands above lines of a file.
pub fn heading(path: &RepoPath, first: u32, last: u32) -> String {
    format!("{path}:{first}-{last}")
}

/// Line breaks of what is shown: behind the heading, behind the last line, and a blank line.
const BREAKS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_of_files_and_of_chunks_can_be_left_out_by_itself() {
        let all = |(weights, odds): (Weights, Odds)| weights.into_iter().chain(odds).collect::<Vec<f32>>();
        let known = all(weights(&[]).unwrap());
        assert!(known.iter().all(|weight| *weight != 0.0));
        for (place, signal) in rank::TABLE.iter().chain(&pack::TABLE).enumerate() {
            let mut expected = known.clone();
            expected[place] = 0.0;
            assert_eq!(
                all(weights(&[signal.name.to_owned()]).unwrap()),
                expected,
                "{}",
                signal.name
            );
        }
        let error = weights(&["chunk-luck".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "there is no signal `chunk-luck`");
    }
}
