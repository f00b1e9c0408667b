//! Ranking: which files a query is about, and which of their chunks. A file's score is a weighted sum of signals, each
//! divided by its highest value, so that weights say what a signal is worth.
//!
//! Owns signals and weights; `benches/context/` shows what each earns, and fitted them.

use std::sync::Arc;

use crate::context::{
    index::{ChunkNo, FileNo, Hit, Index, Totals},
    kind::Kind,
    query::{Asks, Query},
    segment::Broken,
    terms::Term,
    votes::Votes,
};

/// Something that speaks for a file, or in `pack` for a chunk.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Signal {
    /// Its name.
    pub name: &'static str,
    /// What it adds at most; without a limit, what each one of it does.
    pub weight: f32,
    /// What it says.
    pub says: &'static str,
}

/// How many signals there are.
pub const SIGNALS: usize = 7;

/// The signals, in the order of `Scored::signals`.
pub const TABLE: [Signal; SIGNALS] = [
    signal(
        "fields",
        2.2,
        "words of the query are in text, defined names, path (BM25F)",
    ),
    signal("path", 1.25, "words of the query are in its path"),
    signal(
        "chunk",
        2.1,
        "words of the query are close together in its best chunk (BM25)",
    ),
    signal("past", 2.25, "past commits with messages like the query changed it"),
    signal("recent", 1.15, "the latest commits changed it, whatever they say"),
    signal("stem", 0.5, "its name is a word of the query"),
    signal("named", 6.0, "the query names the file"),
];

const FIELDS: usize = 0;
const PATH: usize = 1;
const CHUNK: usize = 2;
const PAST: usize = 3;
const RECENT: usize = 4;
const STEM: usize = 5;
const NAMED: usize = 6;

/// What is taken off a score: changes are mostly of code, where a query does not ask for other files.
pub fn handicap(kind: Kind, asks: Asks) -> f32 {
    match kind {
        Kind::Code => 0.0,
        Kind::Test if asks.tests => 0.0,
        Kind::Test => 0.8,
        Kind::Prose if asks.prose => 0.5,
        Kind::Config if asks.config => 0.5,
        Kind::Prose | Kind::Config => 3.3,
        Kind::Data | Kind::Skipped(_) => 3.5,
    }
}

/// Makes a row of a table.
pub const fn signal(name: &'static str, weight: f32, says: &'static str) -> Signal {
    Signal { name, weight, says }
}

/// What each signal is worth, in their order.
pub type Weights = [f32; SIGNALS];

/// Returns the weights of the table.
pub fn weights() -> Weights {
    TABLE.map(|signal| signal.weight)
}

/// What past commits say to a query.
pub struct Heard<'a> {
    /// How much a term tells, from 0 (every message has it) to 1.
    pub rarity: &'a dyn Fn(Term) -> f32,
    /// What commits with such messages changed, and what the latest ones did.
    pub votes: Votes<'a>,
    /// Words of these messages that the query does not have, with their weights.
    pub echo: Vec<(Term, f32)>,
}

/// A file with its score.
#[derive(Clone, Copy, Debug)]
pub struct Scored {
    /// The file.
    pub file: FileNo,
    /// The weighted sum of its signals.
    pub score: f32,
    /// Its signals, each from 0 to 1.
    pub signals: [f32; SIGNALS],
}

/// Files and chunks in their order.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// Files that anything speaks for, the best first.
    pub files: Vec<Scored>,
    /// What speaks for each chunk, by number; nothing speaks for what is beyond. Shared, as one query is packed several times.
    pub chunks: Arc<Vec<Worth>>,
}

/// What speaks for a chunk.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Worth {
    /// It has words of the query that are rare in the repository.
    pub text: f32,
    /// It has words of the query that are rare in its file.
    pub local: f32,
    /// It has words of past messages that are like the query.
    pub echo: f32,
}

impl Ranking {
    /// Returns what speaks for a chunk.
    pub fn chunk(&self, chunk: ChunkNo) -> Worth {
        self.chunks.get(chunk as usize).copied().unwrap_or_default()
    }
}

/// Ranks the files of `index`.
///
/// # Errors
/// When a segment is damaged: its name is told.
pub fn rank(index: &Index, query: &Query, heard: &Heard<'_>, weights: &Weights) -> Result<Ranking, (String, Broken)> {
    let mut tally = Tally::over(index);
    for (term, weight) in &query.terms {
        tally.term(*term, *weight, heard)?;
    }
    for (term, weight) in &heard.echo {
        tally.echo(*term, *weight)?;
    }
    tally.votes(heard);
    tally.named(query);
    Ok(tally.ranking(weights, query.asks))
}

/// The scores so far.
struct Tally<'a> {
    index: &'a Index,
    totals: Averages,
    files: Vec<[f32; SIGNALS]>,
    /// Fields of the term at hand, by file.
    fields: Vec<f32>,
    chunks: Vec<Worth>,
}

#[derive(Clone, Copy)]
struct Averages {
    files: f32,
    chunks: f32,
    terms_of_file: f32,
    terms_of_chunk: f32,
    defined: f32,
    names: f32,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "averages of counts"
)]
impl Averages {
    fn of(totals: &Totals) -> Self {
        let per = |sum: u64, of: u64| (sum as f64 / of.max(1) as f64) as f32 + 1e-6;
        let (files, digested) = (u64::from(totals.files), u64::from(totals.digested));
        Self {
            files: totals.files as f32,
            chunks: totals.chunks as f32,
            terms_of_file: per(totals.terms, digested),
            terms_of_chunk: per(totals.terms, totals.chunks),
            defined: per(totals.defined, digested),
            names: per(totals.names, files * 10),
        }
    }
}

/// The inverse document frequency of BM25, never negative.
fn idf(of: f32, with: usize) -> f32 {
    let with = float(with);
    (1.0 + (of - with + 0.5).max(0.0) / (with + 0.5)).ln()
}

#[expect(clippy::cast_precision_loss, reason = "counts within one repository")]
fn float(count: usize) -> f32 {
    count as f32
}

fn tenths(count: u32) -> f32 {
    float(count as usize) / 10.0
}

/// How often a term is in a file, and in how many chunks that define a name with it.
#[derive(Clone, Copy)]
struct InFile {
    file: FileNo,
    count: f32,
    defined: f32,
}

impl<'a> Tally<'a> {
    fn over(index: &'a Index) -> Self {
        Self {
            index,
            totals: Averages::of(&index.totals()),
            files: vec![[0.0; SIGNALS]; index.numbers()],
            fields: vec![0.0; index.numbers()],
            chunks: vec![Worth::default(); index.chunk_numbers()],
        }
    }

    fn place(&mut self, file: FileNo, signal: usize) -> Option<&mut f32> {
        self.files.get_mut(file as usize)?.get_mut(signal)
    }

    fn add(&mut self, file: FileNo, signal: usize, value: f32) {
        if let Some(place) = self.place(file, signal) {
            *place += value;
        }
    }

    fn term(&mut self, term: Term, weight: f32, heard: &Heard<'_>) -> Result<(), (String, Broken)> {
        let hits = self.index.hits(term)?;
        let telling = weight * (0.3 + 0.7 * (heard.rarity)(term));
        self.chunks(&hits, telling);
        let files = by_file(&hits);
        let named: Vec<(FileNo, u32, u32)> = self.index.named(term).collect();
        let in_path = idf(self.totals.files, named.len());
        for here in &files {
            let sums = self.index.sums(here.file);
            let length = float(sums.terms as usize) / self.totals.terms_of_file;
            let defined = float(sums.defined as usize) / self.totals.defined;
            let fields = here.count / (0.4 + 0.6 * length) + 3.0 * here.defined / (0.5 + 0.5 * defined);
            self.field(here.file, fields);
        }
        for (file, count, sum) in &named {
            let (count, sum) = (tenths(*count), tenths(*sum));
            let saturated = count / (count + 0.5 + 0.5 * sum / self.totals.names);
            self.add(*file, PATH, telling * in_path * saturated);
            self.field(*file, 5.0 * count);
        }
        let mut with: Vec<FileNo> = files.iter().map(|here| here.file).collect();
        with.extend(named.iter().map(|(file, ..)| *file));
        with.sort_unstable();
        with.dedup();
        let anywhere = idf(self.totals.files, with.len());
        for file in with {
            let fields = self
                .fields
                .get_mut(file as usize)
                .map(std::mem::take)
                .unwrap_or_default();
            self.add(file, FIELDS, telling * anywhere * fields / (fields + 1.5));
        }
        Ok(())
    }

    fn field(&mut self, file: FileNo, value: f32) {
        if let Some(place) = self.fields.get_mut(file as usize) {
            *place += value;
        }
    }

    fn chunks(&mut self, hits: &[Hit], telling: f32) {
        let own = hits.iter().filter(|hit| !hit.twin);
        let rare = idf(self.totals.chunks, own.count());
        for of_file in hits.chunk_by(|one, next| one.file == next.file) {
            let Some(first) = of_file.first().filter(|hit| !hit.twin) else {
                continue;
            };
            let all = float(self.index.sums(first.file).chunks as usize);
            let rare_here = (1.0 + all / float(of_file.len())).ln();
            for hit in of_file {
                let saturated = telling * self.saturated(hit);
                if let Some(worth) = self.chunks.get_mut(hit.chunk as usize) {
                    worth.text += rare * saturated;
                    worth.local += rare_here * saturated;
                }
            }
        }
    }

    /// How much a term says for a chunk: less for each further time, and in long chunks.
    fn saturated(&self, hit: &Hit) -> f32 {
        let count = float(hit.count as usize);
        let length = f32::from(hit.terms) / self.totals.terms_of_chunk;
        count * 2.0 / (count + 0.5 + 0.5 * length)
    }

    fn echo(&mut self, term: Term, weight: f32) -> Result<(), (String, Broken)> {
        let mut hits = self.index.hits(term)?;
        hits.retain(|hit| !hit.twin);
        let rare = weight * idf(self.totals.chunks, hits.len());
        for hit in &hits {
            let value = rare * self.saturated(hit);
            if let Some(worth) = self.chunks.get_mut(hit.chunk as usize) {
                worth.echo += value;
            }
        }
        Ok(())
    }

    fn votes(&mut self, heard: &Heard<'_>) {
        for (path, vote) in heard.votes.iter() {
            if let Some(file) = self.index.at(path) {
                self.add(file, PAST, vote.message);
                self.add(file, RECENT, vote.recent);
            }
        }
    }

    /// Looks for files by what the query calls them, and by their stems.
    fn named(&mut self, query: &Query) {
        for name in &query.named {
            let ends: Vec<FileNo> = self.index.ending_in(name.as_bytes()).collect();
            for file in &ends {
                self.add(*file, NAMED, 1.0 / float(ends.len()));
            }
        }
        let index = self.index;
        for file in query.terms.iter().flat_map(|(term, _)| index.of_stem(*term)) {
            if let Some(place) = self.place(*file, STEM) {
                *place = 1.0;
            }
        }
    }

    fn ranking(mut self, weights: &Weights, asks: Asks) -> Ranking {
        let speaks = |signals: &[f32; SIGNALS]| signals.iter().any(|signal| *signal > 0.0);
        let files = (0..).zip(&self.files).filter(|(_, signals)| speaks(signals));
        let found: Vec<FileNo> = files.map(|(file, _)| file).collect();
        for file in &found {
            let best = self.best_chunk(*file);
            if let Some(place) = self.place(*file, CHUNK) {
                *place = best;
            }
        }
        let mut most = [1e-9_f32; SIGNALS];
        for signals in found.iter().filter_map(|file| self.files.get(*file as usize)) {
            for (most, signal) in most.iter_mut().zip(signals) {
                *most = most.max(*signal);
            }
        }
        let scored = |file: FileNo| {
            let mut signals = *self.files.get(file as usize)?;
            signals.iter_mut().zip(&most).for_each(|(signal, most)| *signal /= most);
            let parts = signals.iter().zip(weights).map(|(signal, weight)| signal * weight);
            let score = parts.sum::<f32>() - handicap(self.index.file(file)?.kind, asks);
            Some(Scored { file, score, signals })
        };
        let mut files: Vec<Scored> = found.into_iter().filter_map(scored).collect();
        let path = |scored: &Scored| self.index.file(scored.file).map(|file| &file.path);
        files.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| path(a).cmp(&path(b))));
        Ranking {
            files,
            chunks: Arc::new(self.chunks),
        }
    }

    fn best_chunk(&self, file: FileNo) -> f32 {
        let chunks = self.index.chunks(file);
        let worths = self.chunks.get(chunks.start as usize..chunks.end as usize);
        let texts = worths.unwrap_or_default().iter().map(|worth| worth.text);
        texts.fold(0.0, f32::max)
    }
}

/// Sums hits up, file by file.
fn by_file(hits: &[Hit]) -> Vec<InFile> {
    let mut files: Vec<InFile> = Vec::new();
    for hit in hits {
        let (count, defined) = (float(hit.count as usize), if hit.defined { 1.0 } else { 0.0 });
        match files.last_mut().filter(|last| last.file == hit.file) {
            Some(last) => {
                last.count += count;
                last.defined += defined;
            }
            None => files.push(InFile {
                file: hit.file,
                count,
                defined,
            }),
        }
    }
    files
}

#[cfg(test)]
mod tests;
