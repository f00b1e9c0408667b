//! Retrieval: which lines of a commit a text is about. Owns what is kept in memory from query to query, and brings it from
//! commit to commit by what differs.

use std::sync::Arc;

use eyre::{Result, eyre};

use crate::{
    cache::Cache,
    context::{
        chunk::{self, Syntax},
        index::{File, Index},
        kind::{self, Kind, Why},
        pack::{self, Item, Odds},
        past::Past,
        query::Query,
        rank::{self, Heard, Ranking, Weights},
        terms::Terms,
        votes,
    },
    engine::{indexing, listings::Listings, past::Pasts},
    git::{
        Repo,
        attributes::{self, Attributes},
        tree,
    },
    goal::Goal,
    id::{CommitId, TreeId},
    path::RepoPath,
    snapshot::{Entry, Mode},
};

/// How often a damaged index is built anew for one query.
const TRIES: u32 = 3;

/// Most files of which it is told why nothing is shown of them.
const LEFT_OUT: usize = 20;

/// What stays from query to query.
#[derive(Default)]
pub struct Retrieval {
    index: Index,
    pasts: Pasts,
    terms: Terms,
    tip: Option<CommitId>,
    listings: Listings,
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
        let holds = |rules: &Arc<Attributes>| attributes::has_same_info(repo, rules);
        let same_rules = self.attributes.as_ref().map(holds).transpose()?;
        if self.tip == Some(commit) && same_rules == Some(true) {
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
        // Put back at the end: after a failure in between, the index is made anew.
        let earlier = self.attributes.take();
        let (listing, differences) = self.listings.follow(repo, root)?;
        let rules = match &earlier {
            Some(earlier) => attributes::since(repo, listing, earlier)?,
            None => Arc::new(attributes::of(repo, listing)?),
        };
        let is_new = earlier.is_none() || differences.is_none();
        if is_new {
            self.index = Index::default();
        }
        for differs in differences.into_iter().flatten() {
            put(&mut self.index, &rules, differs.path, differs.new);
        }
        if is_new || earlier.is_some_and(|earlier| !Arc::ptr_eq(&earlier, &rules)) {
            for (path, entry) in listing {
                put(&mut self.index, &rules, path.clone(), Some(*entry));
            }
        }
        self.attributes = Some(rules);
        Ok(())
    }

    /// Returns the files that `query` names and of which nothing is shown, with the reason, in words that follow "it is".
    pub fn left_out(&self, repo: &Repo, query: &Query) -> Vec<(RepoPath, &'static str)> {
        let is_named = |path: &RepoPath| query.named.iter().any(|name| ends_in(path, name.as_bytes()));
        let listing = self.listings.last().into_iter().flatten();
        let named = listing.filter(|(path, _)| is_named(path));
        let why = |(path, entry): &(RepoPath, Entry)| Some((path.clone(), self.why_out(repo, path, *entry)?));
        named.filter_map(why).take(LEFT_OUT).collect()
    }

    fn why_out(&self, repo: &Repo, path: &RepoPath, entry: Entry) -> Option<&'static str> {
        let rules = self.attributes.as_ref()?;
        match read_as(rules, path, entry.mode) {
            (Kind::Skipped(why), _) => Some(why.words()),
            _ if self.index.at(path).is_some_and(|at| self.index.sums(at).chunks > 0) => None,
            (_, syntax) => match indexing::read(repo, entry.id, syntax) {
                Err(_) => Some("not in this clone, or damaged"),
                Ok(Err(why)) => Some(why.words()),
                Ok(Ok(_)) => Some("empty"),
            },
        }
    }

    /// Returns how many files have a content that could not be read, as where a partial clone left it out.
    pub fn unread(&self) -> u32 {
        let totals = self.index.totals();
        totals.files.saturating_sub(totals.digested)
    }

    /// Returns how many past commits are known, those of the clone at most.
    ///
    /// # Errors
    /// When the object database cannot be read.
    pub fn commits(&mut self, repo: &Repo) -> Result<usize> {
        self.tip.map_or(Ok(0), |tip| Ok(self.pasts.at(repo, tip)?.len()))
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
    pub fn pack(&self, found: &Found, budget: f32, odds: &Odds) -> Vec<Item> {
        pack::pack(&self.index, &found.ranking, budget, odds)
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

/// Brings one path of the index up to date.
fn put(index: &mut Index, rules: &Attributes, path: RepoPath, entry: Option<Entry>) {
    let read = entry.map(|entry| (entry.id, read_as(rules, &path, entry.mode)));
    match read.filter(|(_, (kind, _))| kind.is_read()) {
        Some((id, (kind, syntax))) => index.put(File { path, id, syntax, kind }),
        None => index.remove(&path),
    }
}

/// Says what a file is to a prompt, and how its text is read.
fn read_as(rules: &Attributes, path: &RepoPath, mode: Mode) -> (Kind, Syntax) {
    let (kind, syntax) = (kind::of(path, mode), chunk::syntax(path));
    let is_open = !matches!(kind, Kind::Skipped(why) if why != Why::Generated);
    // Patterns cost more than names: what is skipped by what it is needs none.
    if !is_open || rules.is_empty() {
        return (kind, syntax);
    }
    let marks = rules.marks(path);
    let syntax = match marks.generated {
        Some(false) => syntax.vouched_for(),
        _ => syntax,
    };
    (kind::marked(kind, marks), syntax)
}

/// True where `path` is `end`, or ends in it behind a `/`.
fn ends_in(path: &RepoPath, end: &[u8]) -> bool {
    let folder = path.as_bytes().strip_suffix(end);
    folder.is_some_and(|folder| folder.is_empty() || folder.ends_with(b"/"))
}

#[cfg(test)]
mod tests;
