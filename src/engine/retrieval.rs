//! Retrieval: which lines of a commit a text is about. Owns what is kept in memory from query to query, and brings it from
//! commit to commit by what differs.

use std::sync::Arc;

use eyre::{Result, eyre};

use crate::{
    cache::Cache,
    context::{
        chunk,
        index::{File, Index},
        kind::{self, Kind, Why},
        pack::{self, Item},
        past::Past,
        query::Query,
        rank::{self, Heard, Ranking, Weights},
        terms::Terms,
        votes,
    },
    engine::{indexing, past::Pasts},
    git::{
        Repo,
        attributes::{self, Attributes},
        diff, tree,
    },
    goal::Goal,
    id::{CommitId, TreeId},
    path::RepoPath,
    snapshot::{Entry, Listing, Mode},
};

/// How often a damaged index is built anew for one query.
const TRIES: u32 = 3;

/// What stays from query to query.
#[derive(Default)]
pub struct Retrieval {
    index: Index,
    pasts: Pasts,
    terms: Terms,
    tip: Option<CommitId>,
    tree: Option<TreeId>,
    listing: Listing,
    attributes: Option<Arc<Attributes>>,
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
        if self.tip == Some(commit) {
            return Ok(());
        }
        self.tip = None;
        self.follow(repo, tree::code_of_commit(repo, commit)?.root)?;
        indexing::complete(&mut self.index, repo, cache)?;
        self.pasts.at(repo, commit)?;
        self.tip = Some(commit);
        Ok(())
    }

    /// Brings listing and index to a tree, by what differs where that can be told.
    fn follow(&mut self, repo: &Repo, root: TreeId) -> Result<()> {
        let known = self.tree.take();
        // The old tree may be gone.
        let differences = known.and_then(|known| diff::trees(repo, known, root).ok());
        let same_rules = differences
            .as_ref()
            .is_some_and(|all| !all.iter().any(|one| attributes::is_source(&one.path)));
        match differences {
            Some(differences) => {
                for differs in &differences {
                    advance(&mut self.listing, &differs.path, differs.new);
                }
                let rules = self.attributes.take().filter(|_| same_rules);
                match rules {
                    Some(rules) => {
                        differences
                            .into_iter()
                            .for_each(|differs| self.put(&rules, differs.path, differs.new));
                        self.attributes = Some(rules);
                    }
                    None => self.put_all(repo)?,
                }
            }
            None => {
                self.listing = tree::list(repo, root)?;
                self.put_all(repo)?;
            }
        }
        self.tree = Some(root);
        Ok(())
    }

    fn put_all(&mut self, repo: &Repo) -> Result<()> {
        let rules = Arc::new(attributes::of(repo, &self.listing)?);
        self.index = Index::default();
        for (path, entry) in std::mem::take(&mut self.listing) {
            self.put(&rules, path.clone(), Some(entry));
            self.listing.push((path, entry));
        }
        self.attributes = Some(rules);
        Ok(())
    }

    fn put(&mut self, rules: &Attributes, path: RepoPath, entry: Option<Entry>) {
        let read = entry.map(|entry| (entry.id, kind_of(rules, &path, entry.mode)));
        match read.filter(|(_, kind)| kind.is_read()) {
            Some((id, kind)) => self.index.put(File {
                syntax: chunk::syntax(&path),
                id,
                kind,
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
        let Some(tip) = self.tip else {
            return Err(eyre!("asked for context before any commit was read"));
        };
        let past = self.pasts.at(repo, tip)?;
        let heard = Heard {
            rarity: &|term| past.rarity(term),
            votes: votes::votes(past, &query.terms),
            echo: votes::echo(past, &query.terms),
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
                text.push('\n');
                text.push_str(part.trim());
            }
        }
        text
    }

    /// Returns the past of the commit that was read last.
    pub fn past(&self) -> &Past {
        self.pasts.past()
    }

    /// Returns the index.
    pub fn index(&self) -> &Index {
        &self.index
    }
}

/// Brings one path of a listing up to date.
fn advance(listing: &mut Listing, path: &RepoPath, new: Option<Entry>) {
    let at = listing.binary_search_by(|(known, _)| known.cmp(path));
    match (at, new) {
        (Ok(at), Some(entry)) => {
            if let Some(item) = listing.get_mut(at) {
                item.1 = entry;
            }
        }
        (Ok(at), None) => {
            listing.remove(at);
        }
        (Err(at), Some(entry)) => listing.insert(at, (path.clone(), entry)),
        (Err(_), None) => {}
    }
}

/// Says what a file is to a prompt.
fn kind_of(rules: &Attributes, path: &RepoPath, mode: Mode) -> Kind {
    match kind::of(path, mode) {
        // Patterns cost more than names: what is skipped by what it is needs none.
        Kind::Skipped(why) if why != Why::Generated => Kind::Skipped(why),
        kind if rules.is_empty() => kind,
        kind => kind::marked(kind, rules.marks(path)),
    }
}
