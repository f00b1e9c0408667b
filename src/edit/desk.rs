//! `Desk`: takes the edits of one reply, one after the other.
//!
//! Owns what each action means for the file that it names, and what edits of one reply need to know of each other. How a
//! block finds its lines is `rewrite`'s business.

use std::{collections::BTreeMap, io};

use crate::{
    edit::{
        Action, Edit,
        block::{Block, Placed},
        find::Tier,
        lines::{self, Splice},
        refusal::{Item, Reason},
        resolve::{self, unreadable},
        rewrite::rewrite,
        strings,
        wording::{self, missed, refuse_left_out, refuse_link},
        work::{Stored, Work},
    },
    path::RepoPath,
    snapshot::{Changes, Mode, Snapshot},
};

/// The work on one reply, and what its edits need to know of each other.
pub(crate) struct Desk<'a> {
    work: Work<'a>,
    /// Modes that the reply asks for, by path.
    modes: BTreeMap<RepoPath, Mode>,
    /// Files whose whole content the reply gives.
    whole: BTreeMap<RepoPath, &'a str>,
    /// How lines of a file were moved, one entry an edit.
    moved: BTreeMap<RepoPath, Vec<Vec<Shifted>>>,
    placed: Vec<Placed>,
}

/// Lines that went and came at a line, counted from 0.
struct Shifted {
    at: usize,
    went: usize,
    came: usize,
}

/// A text file that is edited.
struct Opened {
    path: RepoPath,
    mode: Mode,
    /// It starts with a byte order mark, which `body` lacks.
    has_mark: bool,
    /// What new lines end with: as most lines do, or did before the reply.
    ending: &'static str,
    body: String,
}

impl<'a> Desk<'a> {
    /// Makes the desk for all `edits` of one reply.
    pub(crate) fn new(snapshot: &'a dyn Snapshot, edits: &[Edit]) -> Self {
        let work = Work::new(snapshot);
        let asked = edits.iter().filter_map(|edit| match edit.action {
            Action::Mode(mode) => resolve::exact(&work, &edit.path).ok().map(|path| (path, mode)),
            _ => None,
        });
        let modes = asked.collect();
        Self {
            work,
            modes,
            whole: BTreeMap::new(),
            moved: BTreeMap::new(),
            placed: Vec::new(),
        }
    }

    /// Takes one edit; what fails is told block by block.
    pub(crate) fn take(&mut self, edit: &'a Edit) -> Result<(), Vec<Item>> {
        let path = &edit.path;
        let done = match &edit.action {
            Action::Blocks(blocks) => return self.place_blocks(path, blocks),
            Action::Swap { old, new } => self
                .swap(path, old, new)
                .map_err(|item| item.with_block(wording::strings(old, new))),
            Action::Insert { after, text } => self.insert(path, *after, text),
            Action::Create { content } => self.create(path, content),
            Action::Whole { content } => self.write_whole(path, content),
            Action::Delete => self.delete(path),
            Action::DeleteEmpty => self.delete_empty(path),
            Action::Move { to } => self.rename(path, to),
            Action::Mode(mode) => self.change_mode(path, *mode),
        };
        done.map_err(|item| vec![item])
    }

    /// Returns what differs, and where blocks went.
    pub(crate) fn into_changes(self) -> (Changes, Vec<Placed>) {
        (self.work.into_changes(), self.placed)
    }

    fn place_blocks(&mut self, text: &str, blocks: &[Block]) -> Result<(), Vec<Item>> {
        let repeated = |item: Item| match blocks {
            [only] => item.with_block(wording::block(only)),
            _ => item,
        };
        let file = self.open(text).map_err(|item| vec![repeated(item)])?;
        for block in blocks {
            refuse_left_out(text, &file.body, &block.new)
                .map_err(|item| vec![item.with_block(wording::block(block))])?;
        }
        let blocks: Vec<Block> = blocks.iter().map(|block| self.as_now(&file, block)).collect();
        let rewritten = rewrite(&file.body, &blocks, file.ending).map_err(|misses| {
            let items = misses.iter().filter_map(|(nth, miss)| {
                let block = blocks.get(*nth)?;
                Some(missed(text, miss, &file.body, block).with_block(wording::block(block)))
            });
            items.collect::<Vec<Item>>()
        })?;
        for (line, tier) in rewritten.placed {
            self.note(&file.path, line, tier);
        }
        let shifts = rewritten.splices.iter().map(|splice| Shifted {
            at: splice.at,
            went: splice.len,
            came: splice.lines.len(),
        });
        self.moved.entry(file.path.clone()).or_default().push(shifts.collect());
        self.put(text, &file, &rewritten.text).map_err(|item| vec![item])
    }

    /// The block with its line as it is after the edits so far, and without the mark of a file's start.
    fn as_now(&self, file: &Opened, block: &Block) -> Block {
        let bare = |part: &String| part.strip_prefix(lines::BOM).unwrap_or(part).to_owned();
        let mut block = Block {
            old: bare(&block.old),
            new: bare(&block.new),
            ..block.clone()
        };
        block.place.line = block.place.line.map(|line| self.line_now(&file.path, line));
        block
    }

    /// Where the line that was `line` before the reply is now.
    fn line_now(&self, path: &RepoPath, line: usize) -> usize {
        let moves = self.moved.get(path).map(Vec::as_slice).unwrap_or_default();
        moves.iter().fold(line, |line, step| {
            let above = step.iter().filter(|shift| shift.at + shift.went < line);
            let (went, came) = above.fold((0, 0), |(went, came), shift| (went + shift.went, came + shift.came));
            (line + came).saturating_sub(went)
        })
    }

    /// True where an edit so far made more or fewer of the lines above, or added some below line `after`.
    fn is_moved(&self, path: &RepoPath, after: usize) -> bool {
        let mut shifts = self.moved.get(path).into_iter().flatten().flatten();
        shifts.any(|shift| shift.went != shift.came && shift.at < after + usize::from(shift.went == 0))
    }

    fn swap(&mut self, text: &str, old: &str, new: &str) -> Result<(), Item> {
        let file = self.open(text)?;
        refuse_left_out(text, &file.body, new)?;
        let [old, new] = [old, new].map(|part| part.strip_prefix(lines::BOM).unwrap_or(part));
        let swapped = strings::swap(&file.body, old, new, file.ending).map_err(|miss| {
            let block = strings::as_block(old, new);
            missed(text, &miss, &file.body, &block)
        })?;
        self.note(&file.path, swapped.line, swapped.tier);
        let breaks = |part: &str| lines::split(part).iter().filter(|line| !line.ending.is_empty()).count();
        let shift = Shifted {
            at: swapped.line - 1,
            went: breaks(old),
            came: breaks(new),
        };
        self.moved.entry(file.path.clone()).or_default().push(vec![shift]);
        self.put(text, &file, &swapped.text)
    }

    fn insert(&mut self, text: &str, after: usize, new: &str) -> Result<(), Item> {
        let file = self.open(text)?;
        refuse_left_out(text, &file.body, new)?;
        let old = lines::split(&file.body);
        if after > old.len() {
            let detail = format!("insert_line is {after}, but the file has {} lines", old.len());
            return Err(Item::new(text, Reason::NotFound, detail));
        }
        if self.is_moved(&file.path, after) {
            let detail = "an earlier edit of the reply moved the lines that insert_line counts; use str_replace";
            return Err(Item::new(text, Reason::Ambiguous, detail));
        }
        let came = lines::split(new);
        let splice = Splice {
            at: after,
            len: 0,
            lines: lines::texts(&came).into_iter().map(str::to_owned).collect(),
        };
        let shift = Shifted {
            at: after,
            went: 0,
            came: came.len(),
        };
        let body = lines::splice(&old, &[splice], file.ending, None);
        self.note(&file.path, after + 1, Tier::Exact);
        self.moved.entry(file.path.clone()).or_default().push(vec![shift]);
        if body == file.body {
            return Err(Item::new(text, Reason::NoChange, "no lines are inserted"));
        }
        self.put(text, &file, &body)
    }

    fn note(&mut self, path: &RepoPath, line: usize, tier: Tier) {
        let path = path.to_string();
        let tier = tier.word();
        self.placed.push(Placed { path, line, tier });
    }

    /// Reads a text file that is there.
    fn open(&self, text: &str) -> Result<Opened, Item> {
        let path = resolve::existing(&self.work, text)?;
        let Some(stored) = self.get(text, &path)? else {
            return Err(Item::new(text, Reason::NoSuchFile, "there is no such file"));
        };
        refuse_link(text, stored.mode)?;
        let Ok(content) = String::from_utf8(stored.content) else {
            let detail = "the file is not UTF-8 text; send it whole";
            return Err(Item::new(text, Reason::NotText, detail));
        };
        let (has_mark, body) = match content.strip_prefix(lines::BOM) {
            Some(body) => (true, body.to_owned()),
            None => (false, content),
        };
        let ending = match lines::commonest_ending(&body) {
            Some(ending) => ending,
            None => self.first_ending(text, &path)?.unwrap_or("\n"),
        };
        Ok(Opened {
            path,
            mode: stored.mode,
            has_mark,
            ending,
            body,
        })
    }

    /// What most lines of a file ended with before the reply.
    fn first_ending(&self, text: &str, path: &RepoPath) -> Result<Option<&'static str>, Item> {
        let before = self.work.before(path).map_err(|e| unreadable(text, &e))?;
        let before = before.and_then(|stored| String::from_utf8(stored.content).ok());
        Ok(before.and_then(|before| lines::commonest_ending(&before)))
    }

    fn put(&mut self, text: &str, file: &Opened, body: &str) -> Result<(), Item> {
        let mut content = String::new();
        if file.has_mark {
            content.push(lines::BOM);
        }
        content.push_str(body);
        self.set(text, &file.path, file.mode, content)
    }

    fn create(&mut self, text: &str, content: &'a str) -> Result<(), Item> {
        let path = resolve::exact(&self.work, text)?;
        match self.get(text, &path)? {
            Some(stored) if stored.content == content.as_bytes() && !content.is_empty() => {
                let detail = "the file is there already, with this content";
                Err(Item::new(text, Reason::AlreadyApplied, detail))
            }
            Some(stored) if !stored.content.is_empty() || stored.mode == Mode::Submodule => {
                let detail =
                    "it is to be a new file, but the file exists and is not empty; change it by lines that are in it";
                Err(Item::new(text, Reason::NotEmpty, detail))
            }
            _ => self.write_whole(text, content),
        }
    }

    fn rename(&mut self, text: &str, to: &str) -> Result<(), Item> {
        let from = resolve::existing(&self.work, text)?;
        let goal = resolve::exact(&self.work, to)?;
        let Some(stored) = self.get(text, &from)? else {
            return Err(Item::new(text, Reason::NoSuchFile, "there is no such file to move"));
        };
        if stored.mode == Mode::Submodule {
            refuse_link(text, stored.mode)?;
        }
        if goal == from {
            return Err(Item::new(text, Reason::NoChange, "it is moved to where it is"));
        }
        if self.get(to, &goal)?.is_some() {
            let detail = "a file is to be moved there, but there is one; delete it first";
            return Err(Item::new(to, Reason::NotEmpty, detail));
        }
        let moved = self.moved.remove(&from).unwrap_or_default();
        self.moved.insert(goal.clone(), moved);
        self.work.set(&goal, Some(stored)).map_err(|e| unreadable(to, &e))?;
        self.work.set(&from, None).map_err(|e| unreadable(text, &e))
    }

    fn write_whole(&mut self, text: &str, content: &'a str) -> Result<(), Item> {
        let path = resolve::exact(&self.work, text)?;
        if self
            .whole
            .insert(path.clone(), content)
            .is_some_and(|before| before != content)
        {
            let detail = "the reply gives the whole file twice, with different content";
            return Err(Item::new(text, Reason::Malformed, detail));
        }
        let stored = self.get(text, &path)?;
        let mode = stored.as_ref().map_or(Mode::File, |stored| stored.mode);
        if !(mode == Mode::Symlink && self.modes.contains_key(&path)) {
            refuse_link(text, mode)?;
        }
        let old = stored.and_then(|stored| String::from_utf8(stored.content).ok());
        let old = old.filter(|_| mode != Mode::Symlink).unwrap_or_default();
        if !old.is_empty() {
            refuse_left_out(text, &old, content)?;
        }
        self.set(text, &path, mode, lines::dressed_as(&old, content))
    }

    fn delete(&mut self, text: &str) -> Result<(), Item> {
        let path = resolve::exact(&self.work, text)?;
        let Some(stored) = self.get(text, &path)? else {
            let detail = if self.work.is_folder(&path).map_err(|e| unreadable(text, &e))? {
                "it is a folder; delete its files one by one"
            } else {
                "there is no such file to delete"
            };
            return Err(Item::new(text, Reason::NoSuchFile, detail));
        };
        if stored.mode == Mode::Submodule {
            refuse_link(text, stored.mode)?;
        }
        self.work.set(&path, None).map_err(|e| unreadable(text, &e))
    }

    fn delete_empty(&mut self, text: &str) -> Result<(), Item> {
        let file = self.open(text)?;
        if !file.body.trim().is_empty() {
            let detail = "the diff deletes the file, but has not all of its lines; \
                          to delete it without them, write `deleted file mode 100644` and no hunk";
            return Err(Item::new(text, Reason::NotFound, detail));
        }
        self.work.set(&file.path, None).map_err(|e| unreadable(text, &e))
    }

    fn change_mode(&mut self, text: &str, mode: Mode) -> Result<(), Item> {
        let path = resolve::exact(&self.work, text)?;
        let Some(mut stored) = self.get(text, &path)? else {
            return Err(Item::new(
                text,
                Reason::NoSuchFile,
                "there is no such file to change the mode of",
            ));
        };
        if stored.mode == Mode::Submodule {
            refuse_link(text, stored.mode)?;
        }
        let of_link = [stored.mode, mode].contains(&Mode::Symlink);
        if of_link && !self.whole.contains_key(&path) {
            let detail = "the mode of a symlink comes with a whole block of its path, in the same reply";
            return Err(Item::new(text, Reason::Malformed, detail));
        }
        if mode == Mode::Symlink {
            let target = stored.content.strip_suffix(b"\n").unwrap_or(&stored.content);
            stored.content = target.strip_suffix(b"\r").unwrap_or(target).to_vec();
        }
        stored.mode = mode;
        self.work.set(&path, Some(stored)).map_err(|e| unreadable(text, &e))
    }

    fn get(&self, text: &str, path: &RepoPath) -> Result<Option<Stored>, Item> {
        self.work.get(path).map_err(|e| unreadable(text, &e))
    }

    fn set(&mut self, text: &str, path: &RepoPath, mode: Mode, content: String) -> Result<(), Item> {
        let content = content.into_bytes();
        let stored = Stored { mode, content };
        self.work.set(path, Some(stored)).map_err(|e| unreadable(text, &e))
    }

    /// Returns an item for each file that would lie below a file or a symlink, or in the place of a folder.
    pub(crate) fn misplaced(&self) -> Vec<Item> {
        let written: Vec<RepoPath> = self.work.written().cloned().collect();
        let place = |path: &RepoPath| -> io::Result<Option<String>> {
            if let Some(above) = self.work.blocked_by(path)? {
                return Ok(Some(format!(
                    "{above} is not a folder but a file, a symlink or a submodule"
                )));
            }
            Ok(self.work.is_folder(path)?.then(|| "it is a folder".to_owned()))
        };
        let twins = match self.work.twins() {
            Ok(twins) => twins,
            Err(error) => return vec![unreadable("", &error)],
        };
        let twins = twins.into_iter().map(|(path, other)| {
            let detail = format!("{other} is there, and some systems take the two names for one");
            Item::new(&path.to_string(), Reason::BadPath, detail)
        });
        let item = |path: &RepoPath| match place(path) {
            Ok(detail) => detail.map(|detail| Item::new(&path.to_string(), Reason::BadPath, detail)),
            Err(error) => Some(unreadable(&path.to_string(), &error)),
        };
        written.iter().filter_map(item).chain(twins).collect()
    }
}
