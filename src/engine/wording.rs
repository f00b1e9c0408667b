//! Wording: the first prompt of a goal. Gathers what the repository says, has the rest of the room filled by what ranks
//! best, and what goes with that: rules of its folders, definitions that it names, commits that touched it.
//!
//! Asks nobody. How much room there is for what is `prompt`'s to say; what ranks best is `retrieval`'s.

use std::{collections::BTreeMap, io, result::Result as StdResult, sync::Arc};

use eyre::{Result, eyre};

use crate::{
    cache::Cache,
    context::{
        kind,
        pack::{self, BYTES_PER_TOKEN, Item},
        rank::{self, Ranking, Scored},
    },
    engine::{
        gather::{self, Place},
        listings::Listings,
        retrieval::{Found, Retrieval},
        session::Session,
    },
    git::{Repo, tree},
    goal::Goal,
    id::CommitId,
    path::RepoPath,
    prompt::{
        Built, Context, PromptError, Way, Wording,
        definitions::{self, File},
        first,
        piece::Piece,
        rules::Rules,
        sections::About,
    },
    snapshot::{Entry, Mode, Snapshot},
};

/// Files among which definitions are looked for.
const DEFINING: usize = 30;
/// Of the room for chunks, the percent that is asked for, till all that comes of it fits: each range takes a heading.
const ASKED: [usize; 5] = [100, 97, 94, 91, 85];

/// First and last lines of a file, from 1, inclusive, ascending, not touching.
type Ranges = Vec<(u32, u32)>;

/// What is kept from prompt to prompt, as the next goal's base differs by little.
pub struct Shelf {
    listings: Listings,
    retrieval: Retrieval,
    cache: Cache,
}

impl Shelf {
    /// Begins with nothing but the index on disk.
    pub fn open(session: &Session, repo: &Repo) -> Self {
        Self {
            listings: Listings::default(),
            retrieval: Retrieval::default(),
            cache: Cache::open(&session.own_dir(repo).join("index")),
        }
    }
}

/// What a prompt is for.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The goal.
    pub goal: &'a Goal,
    /// How the model is to work.
    pub way: Way,
    /// The round, and the most rounds there may be.
    pub round: (u32, u32),
    /// Tokens of the whole conversation.
    pub tokens: usize,
    /// Makes text of it, without secrets.
    pub wording: Wording<'a>,
}

/// A prompt, and what a reader should know of how it came to be.
#[derive(Debug)]
pub struct Worded {
    /// The prompt.
    pub built: Built,
    /// A line each.
    pub warnings: Vec<String>,
}

/// Words the first prompt of a goal at `place`.
///
/// # Errors
/// When the repository cannot be read; inside, when the goal does not fit.
pub fn first(place: Place<'_>, shelf: &mut Shelf, order: &Order<'_>) -> Result<StdResult<Worded, PromptError>> {
    let Place { repo, base, .. } = place;
    let snapshot = tree::snapshot(repo, tree::code_of_commit(repo, base)?);
    let mut rules = Rules::new(&snapshot);
    let mut context = gather::context(place, &mut shelf.listings, order.goal)?;
    context.way = order.way;
    context.rules = rules.top()?;
    let named: Vec<RepoPath> = context
        .files
        .iter()
        .filter_map(|(name, _)| RepoPath::parse(name).ok())
        .collect();
    let measured = |context: &Context| first::measure(order.goal, context, order.tokens, order.wording);
    let room = match measured(&context) {
        Ok(room) => room,
        Err(error) => return Ok(Err(error)),
    };
    let ranked = Ranked::of(shelf, repo, base, order.goal)?;
    context.parts = ranked.parts(&room.cut);
    let wanted = |path: &RepoPath, rules: &Rules<'_>| !named.contains(path) && !rules.is_rules(path);
    let likely = ranked.pack(room.chunks, |path| wanted(path, &rules));
    let shown: Vec<RepoPath> = likely.iter().map(|item| item.path.clone()).collect();
    context.folder_rules = rules.folders(named.iter().chain(&shown))?;
    context.diffs = gather::touching(repo, ranked.retrieval.past(), &named, &shown)?;
    let mut texts = Texts::of(&snapshot);
    context.definitions = ranked.defined(&mut texts, &context, &likely)?;
    // What all these did not take of their shares is room for chunks, too.
    let room = match measured(&context) {
        Ok(room) => room,
        Err(error) => return Ok(Err(error)),
    };
    for percent in ASKED {
        context.chunks = pieces(
            &mut texts,
            ranked.pack(room.chunks * percent / 100, |path| wanted(path, &rules)),
        )?;
        let built = match first::build(order.goal, &context, order.round, order.tokens, order.wording) {
            Ok(built) => built,
            Err(error) => return Ok(Err(error)),
        };
        if built.has_all(About::Chunks) || Some(&percent) == ASKED.last() {
            let warnings = rules.warnings().to_vec();
            return Ok(Ok(Worded { built, warnings }));
        }
    }
    Err(eyre!("no share of a prompt was asked for"))
}

/// Reads the files of what was packed.
fn pieces(texts: &mut Texts<'_>, items: Vec<Item>) -> io::Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    for Item { path, ranges, .. } in items {
        if let Some(text) = texts.read(&path)? {
            pieces.push(Piece {
                path: path.to_string(),
                text: text.to_owned(),
                ranges,
            });
        }
    }
    Ok(pieces)
}

/// What was ranked for a goal.
struct Ranked<'a> {
    retrieval: &'a Retrieval,
    found: Found,
}

impl<'a> Ranked<'a> {
    fn of(shelf: &'a mut Shelf, repo: &Repo, base: CommitId, goal: &Goal) -> Result<Self> {
        let Shelf { retrieval, cache, .. } = shelf;
        retrieval.at(repo, cache, base)?;
        let mut found = retrieval.ask(repo, cache, &Retrieval::text_of(goal), &rank::weights())?;
        if found.query.is_empty() {
            // Nothing was asked for, so that nothing is near to it.
            found.ranking.files.clear();
        }
        Ok(Self { retrieval, found })
    }

    fn path(&self, scored: &Scored) -> Option<&RepoPath> {
        Some(&self.retrieval.index().file(scored.file)?.path)
    }

    /// Returns what fits into `bytes`, of the files that `wanted` says yes to, the best file first.
    fn pack(&self, bytes: usize, wanted: impl Fn(&RepoPath) -> bool) -> Vec<Item> {
        let Ranking { files, chunks } = &self.found.ranking;
        let files = files.iter().filter(|scored| self.path(scored).is_some_and(&wanted));
        let found = Found {
            query: self.found.query.clone(),
            ranking: Ranking {
                files: files.copied().collect(),
                chunks: Arc::clone(chunks),
            },
        };
        #[expect(clippy::cast_precision_loss, reason = "a budget")]
        let budget = bytes as f32 / BYTES_PER_TOKEN;
        self.retrieval.pack(&found, budget, &pack::odds())
    }

    /// Returns what matters of files that do not fit whole.
    fn parts(&self, cut: &[(String, usize)]) -> Vec<(String, Ranges)> {
        let packed = cut.iter().filter_map(|(name, bytes)| {
            // The last part must not be the one that does not fit.
            let item = self.pack(bytes * 9 / 10, |path| path.as_str() == Some(name)).pop()?;
            Some((name.clone(), item.ranges))
        });
        packed.collect()
    }

    /// Finds the definitions that shown lines name: in the files that are shown, then in others that ranked well.
    fn defined(&self, texts: &mut Texts<'_>, context: &Context, likely: &[Item]) -> io::Result<String> {
        let mut files: Vec<(RepoPath, Ranges)> = Vec::new();
        for (name, _) in context.files.iter().filter(|(_, text)| text.is_some()) {
            let parts = context.parts.iter().find(|(part, _)| part == name);
            let shown = parts.map_or_else(|| vec![(1, u32::MAX)], |(_, ranges)| ranges.clone());
            files.extend(RepoPath::parse(name).ok().map(|path| (path, shown)));
        }
        files.extend(likely.iter().map(|item| (item.path.clone(), item.ranges.clone())));
        let best = self.found.ranking.files.iter().take(DEFINING);
        for path in best.filter_map(|scored| self.path(scored)) {
            if !files.iter().any(|(known, _)| known == path) {
                files.push((path.clone(), Ranges::new()));
            }
        }
        for (path, _) in &files {
            texts.read(path)?;
        }
        let files = files.iter().filter_map(|(path, shown)| {
            Some(File {
                path,
                text: texts.known.get(path)?.as_deref()?,
                shown: shown.clone(),
            })
        });
        Ok(definitions::referred(&files.collect::<Vec<_>>()))
    }
}

/// Files of a snapshot as text; each is read once.
struct Texts<'a> {
    snapshot: &'a dyn Snapshot,
    known: BTreeMap<RepoPath, Option<String>>,
}

impl<'a> Texts<'a> {
    fn of(snapshot: &'a dyn Snapshot) -> Self {
        Self {
            snapshot,
            known: BTreeMap::new(),
        }
    }

    fn read(&mut self, path: &RepoPath) -> io::Result<Option<&str>> {
        if !self.known.contains_key(path) {
            let text = match self.snapshot.entry(path)? {
                Some(entry) if matches!(entry.mode, Mode::File | Mode::Executable) => self.text(&entry),
                _ => None,
            };
            self.known.insert(path.clone(), text);
        }
        Ok(self.known.get(path).and_then(Option::as_deref))
    }

    /// Reads a file that is not too large to be ranked, and that a partial clone did not leave out.
    fn text(&self, entry: &Entry) -> Option<String> {
        let size = self.snapshot.size(&entry.id).ok()?;
        let bytes = (size <= kind::LARGE as u64).then(|| self.snapshot.read(&entry.id).ok())??;
        (!bytes.contains(&0)).then(|| String::from_utf8_lossy(&bytes).into_owned())
    }
}
