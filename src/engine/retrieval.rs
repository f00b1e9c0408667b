//! Retrieval: which lines of a commit a text is about. Owns what is kept in memory from query to query, and brings it from
//! commit to commit by what differs.

use std::collections::BTreeMap;

use eyre::{Result, eyre};

use crate::{
    cache::Cache,
    context::{
        chunk,
        index::{File, Index},
        pack::{self, Item},
        query::Query,
        rank::{self, Heard, Ranking, Weights},
        terms::Terms,
    },
    engine::indexing,
    git::{Repo, diff, tree},
    goal::Goal,
    id::{CommitId, TreeId},
    path::RepoPath,
    snapshot::{Entry, Mode},
};

/// How often a damaged index is built anew for one query.
const TRIES: u32 = 3;

/// What stays from query to query.
#[derive(Default)]
pub struct Retrieval {
    index: Index,
    terms: Terms,
    tree: Option<TreeId>,
    votes: BTreeMap<RepoPath, (f32, f32)>,
}

/// What a query comes to.
pub struct Found {
    /// The query, as it was read.
    pub query: Query,
    /// Files and chunks in their order.
    pub ranking: Ranking,
}

impl Retrieval {
    /// Brings everything to `commit`.
    ///
    /// # Errors
    /// When its files or its history cannot be read.
    pub fn at(&mut self, repo: &Repo, cache: &Cache, commit: CommitId) -> Result<()> {
        let root = tree::code_of_commit(repo, commit)?.root;
        let known = self.tree.take().filter(|known| *known != root);
        match known.map(|known| diff::trees(repo, known, root)) {
            Some(Ok(differences)) => {
                for differs in differences {
                    self.put(differs.path, differs.new);
                }
            }
            _ => {
                self.index = Index::default();
                for (path, entry) in tree::list(repo, root)? {
                    self.put(path, Some(entry));
                }
            }
        }
        self.tree = Some(root);
        indexing::complete(&mut self.index, repo, cache)?;
        Ok(())
    }

    fn put(&mut self, path: RepoPath, entry: Option<Entry>) {
        match entry.filter(|entry| matches!(entry.mode, Mode::File | Mode::Executable)) {
            Some(entry) => self.index.put(File {
                syntax: chunk::syntax(&path),
                id: entry.id,
                path,
            }),
            None => self.index.remove(&path),
        }
    }

    /// Ranks files and chunks for `text`.
    ///
    /// # Errors
    /// When the index is damaged, again and again.
    pub fn ask(&mut self, repo: &Repo, cache: &Cache, text: &str, weights: &Weights) -> Result<Found> {
        let query = Query::read(&mut self.terms, text);
        let heard = Heard {
            rarity: &|_| 1.0,
            votes: &self.votes,
        };
        let mut tries = 0;
        loop {
            match rank::rank(&self.index, &query, &heard, weights) {
                Ok(ranking) => return Ok(Found { query, ranking }),
                Err((_, error)) if tries == TRIES => return Err(eyre!(error)),
                Err((name, _)) => indexing::forget(&mut self.index, cache, &name),
            }
            tries += 1;
            indexing::complete(&mut self.index, repo, cache)?;
        }
    }

    /// Packs what fits into `budget` tokens.
    pub fn pack(&self, found: &Found, budget: f32) -> Vec<Item> {
        pack::pack(&self.index, &found.ranking, budget)
    }

    /// Words a goal as a query: what it is, then what it asks for.
    pub fn text_of(goal: &Goal) -> String {
        let mut text = goal.description.trim().to_owned();
        for part in [goal.request()]
            .into_iter()
            .chain(goal.acceptance.iter().map(String::as_str))
        {
            if part.trim() != goal.description.trim() {
                text.push_str("\n");
                text.push_str(part.trim());
            }
        }
        text
    }

    /// Returns the index.
    pub fn index(&self) -> &Index {
        &self.index
    }
}
