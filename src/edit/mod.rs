//! Edits: edits + snapshot → changes, all or none, in memory. Writes nothing.
//!
//! Owns what an edit is and the order of things: every block is tried, each that fails becomes an item of the refusal,
//! and changes exist only if none failed. `resolve` names the file, `rewrite` and `find` place a block, `work` keeps
//! the state. Which of the changes are allowed is `guard`'s business.

pub mod refusal;

mod find;
mod fold;
mod indent;
mod lazy;
mod lines;
mod nearest;
mod resolve;
mod rewrite;
mod wording;
mod work;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, io};

use crate::{
    edit::{
        refusal::{Item, Reason, Refusal},
        resolve::unreadable,
        wording::{block, missed, refuse_left_out, refuse_link},
        work::{Stored, Work},
    },
    path::RepoPath,
    snapshot::{Changes, Mode, Snapshot},
};

/// One thing that a reply asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// The path as the reply words it.
    pub path: String,
    /// What becomes of it.
    pub action: Action,
}

/// What becomes of a path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Lines give way to others. Empty `search`: a new file, or one that is empty, gets `replace`.
    Replace {
        /// The old lines.
        search: String,
        /// The new lines.
        replace: String,
    },
    /// The file holds this afterwards, whether or not it existed.
    Whole {
        /// All of it.
        content: String,
    },
    /// The file goes.
    Delete,
    /// The file gets this mode, after all other edits of the reply.
    Mode(Mode),
}

/// Applies `edits` in order to `snapshot`: all of them, or none.
///
/// # Errors
/// Returns one item for each edit that cannot be applied, or `no-change` where nothing differs afterwards.
pub fn apply(snapshot: &dyn Snapshot, edits: &[Edit]) -> Result<Changes, Refusal> {
    let mut desk = Desk::new(snapshot, edits);
    let is_mode = |edit: &&Edit| matches!(edit.action, Action::Mode(_));
    let contents = edits.iter().filter(|edit| !is_mode(edit));
    let in_order = contents.chain(edits.iter().filter(is_mode));
    let mut items: Vec<Item> = in_order.filter_map(|edit| desk.take(edit).err()).collect();
    if items.is_empty() {
        items = desk.misplaced();
    }
    if !items.is_empty() {
        return Err(Refusal { items });
    }
    let changes = desk.work.into_changes();
    if changes.is_empty() {
        let detail = "every file already is as the reply would have it";
        return Err(Item::of_reply(Reason::NoChange, detail).into());
    }
    Ok(changes)
}

/// The work on one reply, and what its edits need to know of each other.
struct Desk<'a> {
    work: Work<'a>,
    /// Modes that the reply asks for, by path.
    modes: BTreeMap<RepoPath, Mode>,
    /// Files whose whole content the reply gives.
    whole: BTreeMap<RepoPath, &'a str>,
}

impl<'a> Desk<'a> {
    fn new(snapshot: &'a dyn Snapshot, edits: &[Edit]) -> Self {
        let work = Work::new(snapshot);
        let asked = edits.iter().filter_map(|edit| match edit.action {
            Action::Mode(mode) => resolve::exact(&work, &edit.path).ok().map(|path| (path, mode)),
            Action::Replace { .. } | Action::Whole { .. } | Action::Delete => None,
        });
        let modes = asked.collect();
        Self {
            work,
            modes,
            whole: BTreeMap::new(),
        }
    }

    fn take(&mut self, edit: &'a Edit) -> Result<(), Item> {
        let path = &edit.path;
        match &edit.action {
            Action::Replace { search, replace } if search.trim().is_empty() => self.fill(path, replace),
            Action::Replace { search, replace } => self
                .replace(path, search, replace)
                .map_err(|item| item.with_block(block(search, replace))),
            Action::Whole { content } => self.write_whole(path, content),
            Action::Delete => self.delete(path),
            Action::Mode(mode) => self.change_mode(path, *mode),
        }
    }

    fn replace(&mut self, text: &str, search: &str, replace: &str) -> Result<(), Item> {
        let path = resolve::existing(&self.work, text)?;
        let Some(stored) = self.get(text, &path)? else {
            return Err(Item::new(text, Reason::NoSuchFile, "there is no such file"));
        };
        refuse_link(text, stored.mode)?;
        let Ok(old) = String::from_utf8(stored.content) else {
            return Err(Item::new(
                text,
                Reason::NotText,
                "the file is not UTF-8 text; send it whole",
            ));
        };
        refuse_left_out(text, &old, replace)?;
        let (bom, body) = old
            .strip_prefix(lines::BOM)
            .map_or(("", old.as_str()), |body| ("\u{feff}", body));
        let [search, replace] = [search, replace].map(|part| part.strip_prefix(lines::BOM).unwrap_or(part));
        let new = rewrite::rewrite(body, search, replace).map_err(|miss| missed(text, &miss, body, search))?;
        self.set(text, &path, stored.mode, format!("{bom}{new}"))
    }

    fn fill(&mut self, text: &str, content: &'a str) -> Result<(), Item> {
        let path = resolve::exact(&self.work, text)?;
        match self.get(text, &path)? {
            Some(stored) if !stored.content.is_empty() || stored.mode == Mode::Submodule => {
                let detail = "the SEARCH part is empty, but the file exists and is not empty; copy the lines to change";
                Err(Item::new(text, Reason::NotEmpty, detail))
            }
            _ => self.write_whole(text, content),
        }
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
    fn misplaced(&self) -> Vec<Item> {
        let written: Vec<RepoPath> = self.work.written().cloned().collect();
        let place = |path: &RepoPath| -> io::Result<Option<String>> {
            if let Some(above) = self.work.blocked_by(path)? {
                return Ok(Some(format!(
                    "{above} is not a folder but a file, a symlink or a submodule"
                )));
            }
            Ok(self.work.is_folder(path)?.then(|| "it is a folder".to_owned()))
        };
        let item = |path: &RepoPath| match place(path) {
            Ok(detail) => detail.map(|detail| Item::new(&path.to_string(), Reason::BadPath, detail)),
            Err(error) => Some(unreadable(&path.to_string(), &error)),
        };
        written.iter().filter_map(item).collect()
    }
}
