//! The sections of a context: how much room each of them gets, who is cut last, and how each is worded for the template.

use serde::Serialize;

use crate::prompt::{
    Context, Way,
    budget::{BYTES_PER_TOKEN, Block, Room, Waiting, lines, share},
    piece::{Cut, Piece, cut},
};

/// Longest list of what was left out, in bytes.
const LEFT_OUT: usize = 300;
/// What the remark on a file that is not shown whole takes besides its path, in bytes.
const REMARK: usize = 140;
/// What the heading of lines takes besides their path, with fences, in bytes.
const HEADING: usize = 64;

/// What a section is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// The files that the goal names.
    Files,
    /// Rules for the whole repository.
    Rules,
    /// Why earlier attempts failed.
    Failures,
    /// What the candidate of the last attempt met with.
    Eviction,
    /// Rules for the folders of files that are shown.
    FolderRules,
    /// What the goal builds on.
    Dependencies,
    /// Lines that were ranked.
    Chunks,
    /// Definitions that those lines refer to.
    Definitions,
    /// What commits changed in files that are shown.
    Diffs,
    /// The latest commits.
    Log,
    /// What there is.
    Outline,
}

/// How a section gets room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section {
    /// What it is about.
    pub about: About,
    /// As people are told of it.
    pub name: &'static str,
    /// Percent of a prompt's budget that it may take. For files and chunks what they get at least: files also take what no
    /// other section needs, chunks take the rest.
    pub share: usize,
    /// True where it says the same whatever the goal is, so that goals share the start of their prompts.
    pub stable: bool,
    /// Most bytes, however large the budget is.
    pub most: usize,
}

/// Every section. Who comes first here is cut last; the order in the prompt is the template's: stable ones first, what
/// is nearest to the goal last.
pub const SECTIONS: [Section; 11] = [
    section(About::Files, "files of the goal", 40),
    Section {
        stable: true,
        most: 24 * 1024,
        ..section(About::Rules, "rules", 18)
    },
    section(About::Failures, "earlier attempts", 4),
    section(About::Eviction, "what did not land", 12),
    Section {
        most: 8 * 1024,
        ..section(About::FolderRules, "rules of folders", 4)
    },
    section(About::Dependencies, "dependencies", 8),
    section(About::Chunks, "ranked chunks", 20),
    section(About::Definitions, "definitions", 3),
    section(About::Diffs, "latest changes", 8),
    Section {
        stable: true,
        ..section(About::Log, "latest commits", 2)
    },
    Section {
        stable: true,
        ..section(About::Outline, "outline", 5)
    },
];

/// The order of the template.
const IN_PROMPT: [About; 11] = [
    About::Rules,
    About::Outline,
    About::Log,
    About::FolderRules,
    About::Dependencies,
    About::Diffs,
    About::Definitions,
    About::Chunks,
    About::Files,
    About::Failures,
    About::Eviction,
];

const fn section(about: About, name: &'static str, share: usize) -> Section {
    Section {
        about,
        name,
        share,
        stable: false,
        most: usize::MAX,
    }
}

/// What a part of a prompt came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Spent {
    /// Its name.
    pub section: &'static str,
    /// Tokens, of `BYTES_PER_TOKEN` bytes.
    pub tokens: usize,
    /// Percent of the budget that it may take; absent for what is never cut.
    pub share: Option<usize>,
    /// 1 is cut last; absent for what is never cut.
    pub priority: Option<usize>,
    /// True where it is the same for every goal.
    pub stable: bool,
    /// What of it did not fit.
    pub left_out: Vec<String>,
}

impl Spent {
    /// Takes down a part that is never cut.
    pub fn fixed(section: &'static str, stable: bool, bytes: usize) -> Self {
        Self {
            section,
            tokens: bytes.div_ceil(BYTES_PER_TOKEN),
            share: None,
            priority: None,
            stable,
            left_out: Vec::new(),
        }
    }
}

/// What the template `context` shows.
#[derive(Serialize)]
pub struct Sections<'a> {
    rules: Vec<Block>,
    outline: Option<Block>,
    log: Option<Block>,
    folder_rules: Vec<Block>,
    dependencies: Vec<Block>,
    diffs: Option<Block>,
    definitions: Option<Block>,
    chunks: Vec<Block>,
    files: Vec<Block>,
    missing: Vec<&'a str>,
    failures: Option<Block>,
    eviction: Vec<Block>,
    left_out: String,
    blocks: bool,
}

/// The sections, and what became of the room.
pub struct Filled<'a> {
    /// For the template.
    pub view: Sections<'a>,
    /// A row a section, in the order of the prompt.
    pub spent: Vec<Spent>,
    /// What did not fit.
    pub left_out: Vec<String>,
    /// Bytes that nobody took.
    pub left: usize,
    /// Files of the goal that do not fit whole, with the bytes that each has.
    pub cut: Vec<(String, usize)>,
}

/// Fills the sections. Where chunks are `wanted`, room is kept for some that are not there yet.
pub fn fill<'a>(context: &'a Context, room: Room<'_>, wanted: bool) -> Filled<'a> {
    let mut filling = Filling::of(context, room, wanted);
    let (files, cut) = filling.files();
    let rules = filling.blocks(About::Rules);
    let failures = filling.blocks(About::Failures).pop();
    let eviction = filling.blocks(About::Eviction);
    let folder_rules = filling.blocks(About::FolderRules);
    let dependencies = filling.blocks(About::Dependencies);
    let definitions = filling.blocks(About::Definitions).pop();
    let diffs = filling.blocks(About::Diffs).pop();
    let log = filling.blocks(About::Log).pop();
    let outline = filling.blocks(About::Outline).pop();
    let chunks = filling.chunks();
    let left = filling.room.left();
    let left_out = filling.room.into_left_out();
    let mut spent = filling.spent;
    spent.sort_by_key(|spent| IN_PROMPT.iter().position(|about| of(*about).name == spent.section));
    Filled {
        view: Sections {
            rules,
            outline,
            log,
            folder_rules,
            dependencies,
            diffs,
            definitions,
            chunks,
            files,
            missing: parted(&context.files).1,
            failures,
            eviction,
            left_out: listed(&left_out),
            blocks: context.way == Way::Edit,
        },
        spent,
        left_out,
        left,
        cut,
    }
}

struct Filling<'a, 'r> {
    context: &'a Context,
    room: Room<'r>,
    /// What each section that is given blocks waits for, and the most that it gets.
    waiting: Vec<(About, Vec<Waiting>, usize)>,
    chunks: Vec<Cut>,
    /// What is kept for chunks.
    kept: usize,
    spent: Vec<Spent>,
}

impl<'a, 'r> Filling<'a, 'r> {
    fn of(context: &'a Context, room: Room<'r>, wanted: bool) -> Self {
        let mut waiting = Vec::new();
        for section in SECTIONS {
            if matches!(section.about, About::Files | About::Chunks) {
                continue;
            }
            let mut texts = room.waiting(&texts(context, section));
            let mut need: usize = texts.iter().map(Waiting::need).sum();
            if section.about == About::Outline {
                // Less of all there is says more than all of what comes first.
                for coarse in &context.coarse {
                    if need > room.share(section.share) {
                        texts = room.waiting(&[(section.name.to_owned(), coarse)]);
                        need = texts.iter().map(Waiting::need).sum();
                    }
                }
            }
            let most = need.min(room.share(section.share)).min(section.most);
            waiting.push((section.about, texts, most));
        }
        let chunks = ranked(context, &room);
        let need = if wanted {
            usize::MAX
        } else {
            chunks.iter().map(Cut::need).sum()
        };
        let kept = need.min(room.share(of(About::Chunks).share));
        Self {
            context,
            room,
            waiting,
            chunks,
            kept,
            spent: Vec::new(),
        }
    }

    /// Takes down what `section` took since `before`: the bytes that were left, and what was left out.
    fn spend(&mut self, about: About, before: (usize, usize)) {
        let section = of(about);
        let all = self.room.left_out();
        let spent = Spent {
            section: section.name,
            tokens: before.0.saturating_sub(self.room.left()).div_ceil(BYTES_PER_TOKEN),
            share: Some(section.share),
            priority: SECTIONS.iter().position(|known| known.about == about).map(|at| at + 1),
            stable: section.stable,
            left_out: all.get(before.1..).unwrap_or_default().to_vec(),
        };
        self.spent.push(spent);
    }

    fn before(&self) -> (usize, usize) {
        (self.room.left(), self.room.left_out().len())
    }

    fn blocks(&mut self, about: About) -> Vec<Block> {
        let before = self.before();
        let Some(at) = self.waiting.iter().position(|(known, ..)| *known == about) else {
            return Vec::new();
        };
        let (_, texts, mut most) = self.waiting.remove(at);
        // Those whose turn comes behind the chunks leave them what is kept for them.
        if [About::Definitions, About::Diffs, About::Log, About::Outline].contains(&about) {
            most = most.min(self.room.left().saturating_sub(self.kept));
        }
        let blocks = self.room.fit(&texts, most);
        self.spend(about, before);
        blocks
    }

    /// Shows small files whole, and of others the parts that are known to matter, else how they begin.
    fn files(&mut self) -> (Vec<Block>, Vec<(String, usize)>) {
        let before = self.before();
        let texts = self.room.waiting(&parted(&self.context.files).0);
        let others: usize = self.waiting.iter().map(|(.., most)| most).sum();
        let left = self.room.left();
        let most = left
            .saturating_sub(others + self.kept)
            .max(self.room.share(of(About::Files).share).min(left));
        let needs: Vec<usize> = texts.iter().map(Waiting::need).collect();
        let mut shown = Vec::new();
        let mut cut = Vec::new();
        for (text, grant) in texts.iter().zip(share(&needs, most)) {
            if grant < text.need() {
                cut.push((text.path().to_owned(), grant));
                shown.extend(self.part(text, grant));
            } else {
                self.room.take(grant);
                shown.push(text.block());
            }
        }
        self.spend(About::Files, before);
        (shown, cut)
    }

    /// Shows what fits into `grant` of the parts of a file; how it begins, where none of them does.
    fn part(&mut self, text: &Waiting, grant: usize) -> Vec<Block> {
        let path = text.path();
        let files = self.context.files.iter();
        let whole = files
            .filter(|(name, _)| name == path)
            .find_map(|(_, text)| text.as_deref());
        let whole = whole.unwrap_or_default();
        let all = whole.lines().count();
        let parts = self.context.parts.iter().find(|(name, _)| name == path);
        let room = grant.saturating_sub(REMARK + path.len());
        let beginning = text.lines_within(room.saturating_sub(HEADING + path.len()));
        let begins = [(1, u32::try_from(beginning).unwrap_or(u32::MAX))];
        let shown = |ranges: &[(u32, u32)]| fitting(cut(path, whole, ranges, &self.room), room);
        let mut kept = parts.map_or_else(Vec::new, |(_, ranges)| shown(ranges));
        if kept.is_empty() {
            kept = shown(&begins);
        }
        let missing = all.saturating_sub(kept.iter().map(Cut::lines).sum());
        if kept.is_empty() {
            self.room.leave_out(format!("{path} (all of {})", lines(missing)));
            return Vec::new();
        }
        let taken: usize = kept.iter().map(Cut::need).sum();
        self.room.take(grant - room + taken);
        let mut blocks: Vec<Block> = kept.into_iter().map(Cut::into_block).collect();
        if missing > 0 {
            self.room.leave_out(format!("{path} ({})", lines(missing)));
            if let Some(last) = blocks.last_mut() {
                last.left_out = lines(missing);
            }
        }
        blocks
    }

    /// Shows the chunks that fit into what is left, the best first.
    fn chunks(&mut self) -> Vec<Block> {
        let before = self.before();
        let mut blocks = Vec::new();
        for cut in std::mem::take(&mut self.chunks) {
            if cut.need() <= self.room.left() {
                self.room.take(cut.need());
                blocks.push(cut.into_block());
            } else {
                self.room.leave_out(cut.heading);
            }
        }
        self.spend(About::Chunks, before);
        blocks
    }
}

/// Returns those that fit into `room` bytes, in their order.
fn fitting(cuts: Vec<Cut>, mut room: usize) -> Vec<Cut> {
    let mut fits = |cut: &Cut| {
        let rest = room.checked_sub(cut.need());
        room = rest.unwrap_or(room);
        rest.is_some()
    };
    cuts.into_iter().filter(&mut fits).collect()
}

/// Returns the row of a section.
fn of(about: About) -> Section {
    let found = SECTIONS.into_iter().find(|section| section.about == about);
    found.unwrap_or(section(about, "", 0))
}

/// Returns what people call a section.
pub fn name(about: About) -> &'static str {
    of(about).name
}

/// Cuts out what was ranked. The goal's own files are shown as such.
fn ranked(context: &Context, room: &Room<'_>) -> Vec<Cut> {
    let named = |piece: &&Piece| !context.files.iter().any(|(path, _)| *path == piece.path);
    let pieces = context.chunks.iter().filter(named);
    pieces
        .flat_map(|piece| cut(&piece.path, &piece.text, &piece.ranges, room))
        .collect()
}

/// Returns what a section shows: a name and a text each.
fn texts(context: &Context, section: Section) -> Vec<(String, &str)> {
    let text = match section.about {
        About::Files | About::Chunks => return Vec::new(),
        About::Rules => return named(&context.rules),
        About::FolderRules => return named(&context.folder_rules),
        About::Eviction => return named(&context.eviction),
        About::Dependencies => {
            let worded = context.dependencies.iter();
            return worded
                .map(|(id, description, diff)| (format!("{id}: {description}"), diff.as_str()))
                .collect();
        }
        About::Failures => context.failures.as_deref().unwrap_or_default(),
        About::Definitions => &context.definitions,
        About::Diffs => &context.diffs,
        About::Log => &context.log,
        About::Outline => &context.outline,
    };
    vec![(section.name.to_owned(), text)]
}

fn named(texts: &[(String, String)]) -> Vec<(String, &str)> {
    texts.iter().map(|(path, text)| (path.clone(), text.as_str())).collect()
}

/// Words what was left out on one line.
pub fn listed(left_out: &[String]) -> String {
    let mut list = String::new();
    for (at, name) in left_out.iter().enumerate() {
        if list.len() + name.len() > LEFT_OUT {
            return format!("{list} and {} more", left_out.len() - at)
                .trim_start()
                .to_owned();
        }
        if at > 0 {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    list
}

/// Parts the files that exist from those that do not.
pub fn parted(files: &[(String, Option<String>)]) -> (Vec<(String, &str)>, Vec<&str>) {
    let present = files
        .iter()
        .filter_map(|(path, text)| Some((path.clone(), text.as_deref()?)));
    let missing = files.iter().filter(|(_, text)| text.is_none());
    (present.collect(), missing.map(|(path, _)| path.as_str()).collect())
}
