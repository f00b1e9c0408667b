//! Unified diffs: of git, of `diff -u`, and as models write them, without numbers or with wrong ones.
//!
//! Owns their grammar. The numbers of a hunk are passed on only where all numbers of its file agree with each other.

use crate::{
    edit::{
        Action, Edit,
        block::{Block, Wording},
        refusal::{Item, Reason},
    },
    reply::{
        git_path as path,
        hunk::{self, Hunk},
    },
    snapshot::Mode,
};

const NONE: &str = "/dev/null";

/// True where a diff begins at the first of `lines`, perhaps without its `@@` line.
pub(crate) fn starts_loosely(lines: &[&str]) -> bool {
    let is_line = |line: &&str| line.starts_with([' ', '+', '-']);
    starts(lines) || (is_pair(lines) && lines.get(2).is_some_and(is_line))
}

/// True where a diff begins at the first of `lines`.
pub(crate) fn starts(lines: &[&str]) -> bool {
    let [first, rest @ ..] = lines else {
        return false;
    };
    first.starts_with("diff --git ") || (is_pair(lines) && rest.get(1).is_some_and(|line| hunk::header(line).is_some()))
}

/// True for `--- ` and `+++ `.
fn is_pair(lines: &[&str]) -> bool {
    matches!(lines, [old, new, ..] if old.starts_with("--- ") && new.starts_with("+++ "))
}

/// Reads a diff from its first line on; `number` is that line's, `path` the file where the diff names none. Returns how
/// many lines it has. In a fence it ends with the fence.
pub(crate) fn read(
    lines: &[&str],
    number: usize,
    path: Option<&str>,
    is_fenced: bool,
) -> Result<(Vec<Edit>, usize), Item> {
    let mut reader = Reader {
        lines,
        at: 0,
        number,
        is_fenced,
        edits: Vec::new(),
        file: File {
            new: path.map(str::to_owned),
            ..File::default()
        },
    };
    while let Some(line) = reader.line() {
        if !reader.step(line)? {
            break;
        }
    }
    reader.finish_file()?;
    Ok((reader.edits, reader.at))
}

/// What a diff says of one file.
#[derive(Default)]
struct File<'a> {
    /// `None` where it is not said, `/dev/null` where there is none.
    old: Option<String>,
    new: Option<String>,
    is_new: bool,
    is_deleted: bool,
    moved: [Option<String>; 2],
    mode: Option<&'a str>,
    is_crlf: bool,
    hunks: Vec<(hunk::Header, Hunk<'a>)>,
}

struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
    number: usize,
    is_fenced: bool,
    edits: Vec<Edit>,
    file: File<'a>,
}

impl<'a> Reader<'a> {
    fn line(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    fn rest(&self) -> &'a [&'a str] {
        self.lines.get(self.at..).unwrap_or_default()
    }

    /// Reads a header line or a hunk; false where the diff is over.
    fn step(&mut self, line: &'a str) -> Result<bool, Item> {
        if let Some(names) = line.strip_prefix("diff --git ") {
            self.finish_file()?;
            let both = path::same_name(names.trim_end())?;
            (self.file.old, self.file.new) = (both.clone(), both);
            self.at += 1;
        } else if is_pair(self.rest()) {
            self.pair(line)?;
        } else if let Some(header) = hunk::header(line) {
            self.at += 1;
            let hunk = self.hunk(header.numbers)?;
            self.file.hunks.push((header, hunk));
        } else if self.lacks_header(line) {
            let hunk = self.hunk(None)?;
            self.file.hunks.push((hunk::Header::default(), hunk));
        } else if is_signature(self.rest()) {
            self.at = self
                .lines
                .len()
                .min(self.at + if self.is_fenced { self.lines.len() } else { 1 });
        } else if self.is_header(line)? || line.trim().is_empty() {
            self.at += 1;
        } else if self.is_fenced {
            return Err(hunk::unsigned(line, self.number + self.at));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// True for a line of a hunk right below the names of a file: its `@@` line was left out.
    fn lacks_header(&self, line: &str) -> bool {
        let above = self.at.checked_sub(1).and_then(|at| self.lines.get(at));
        let is_below = self.is_fenced && above.is_some_and(|above| above.starts_with("+++ "));
        is_below && self.file.hunks.is_empty() && line.starts_with([' ', '+', '-'])
    }

    fn pair(&mut self, old: &'a str) -> Result<(), Item> {
        let is_named = self.file.is_deleted || self.file.mode.is_some();
        if !self.file.hunks.is_empty() || !(is_named || self.file.moved.iter().any(Option::is_some)) {
            self.finish_pair()?;
        }
        let new = self.rest().get(1).copied().unwrap_or_default();
        let [old, new] = [old, new].map(|line| path::named(line.get(4..).unwrap_or_default()));
        let (old, new) = (old?, new?);
        let is_git = [(&old, "a/"), (&new, "b/")]
            .iter()
            .all(|(name, side)| *name == NONE || name.starts_with(side));
        let bare = |name: String| {
            if is_git && name != NONE {
                name.get(2..).unwrap_or_default().to_owned()
            } else {
                name
            }
        };
        self.file.is_crlf = self.rest().first().is_some_and(|line| line.ends_with("\r\n"));
        (self.file.old, self.file.new) = (Some(bare(old)), Some(bare(new)));
        self.at += 2;
        Ok(())
    }

    /// Ends the file before a `---` line, if it has hunks; what was only named so far is the same file.
    fn finish_pair(&mut self) -> Result<(), Item> {
        if self.file.hunks.is_empty() {
            self.file = File::default();
            return Ok(());
        }
        self.finish_file()
    }

    /// True for the lines that git puts between `diff --git` and `---`.
    fn is_header(&mut self, line: &'a str) -> Result<bool, Item> {
        let line = line.trim_end();
        let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
        if starts(&["Binary files ", "GIT binary patch", "copy from ", "copy to "]) {
            let detail = format!("`{line}` in a diff cannot be applied");
            return Err(Item::of_reply(Reason::Malformed, detail));
        }
        let file = &mut self.file;
        if let Some(mode) = line.strip_prefix("new file mode ") {
            (file.is_new, file.mode) = (true, Some(mode));
        } else if line.starts_with("deleted file mode ") {
            file.is_deleted = true;
        } else if let Some(mode) = line.strip_prefix("new mode ") {
            file.mode = Some(mode);
        } else if let Some(from) = line.strip_prefix("rename from ") {
            file.moved[0] = Some(path::named(from)?);
        } else if let Some(to) = line.strip_prefix("rename to ") {
            file.moved[1] = Some(path::named(to)?);
        } else {
            return Ok(starts(&[
                "index ",
                "old mode ",
                "similarity index ",
                "dissimilarity index ",
            ]));
        }
        Ok(true)
    }

    /// Reads the lines of a hunk, up to the next header. Lines that look like one are the hunk's own where its numbers
    /// count them.
    fn hunk(&mut self, numbers: Option<[usize; 4]>) -> Result<Hunk<'a>, Item> {
        let mut hunk = Hunk::default();
        while let Some(line) = self.line() {
            let lacks_pair = numbers.is_some_and(|numbers| hunk.lacks_pair(numbers));
            let is_full = numbers.is_some_and(|numbers| hunk.agrees_with(numbers));
            if hunk::next_header(line).is_some()
                || (is_full && is_signature(self.rest()))
                || (starts(self.rest()) && !lacks_pair)
            {
                break;
            }
            if !hunk.take(line) {
                if !self.is_fenced && hunk.ends_blank() {
                    break;
                }
                return Err(hunk::unsigned(line, self.number + self.at));
            }
            self.at += 1;
        }
        Ok(hunk)
    }

    /// Makes edits of what was read of one file.
    fn finish_file(&mut self) -> Result<(), Item> {
        let file = std::mem::take(&mut self.file);
        if file.hunks.is_empty() && file.mode.is_none() && !file.is_deleted && file.moved == [None, None] {
            let is_named = file.old.is_some() && (self.at == self.lines.len() || !self.edits.is_empty());
            return match file.new {
                Some(path) if is_named => Err(Item::new(&path, Reason::Malformed, "the diff has no hunk for the file")),
                _ => Ok(()),
            };
        }
        self.edits.extend(file.into_edits()?);
        Ok(())
    }
}

impl File<'_> {
    fn into_edits(self) -> Result<Vec<Edit>, Item> {
        let named = |name: &Option<String>| name.clone().filter(|name| name != NONE);
        let (old, new) = match &self.moved {
            [Some(from), Some(to)] => (Some(from.clone()), Some(to.clone())),
            _ => (named(&self.old), named(&self.new)),
        };
        let is_new = self.is_new || self.old.as_deref() == Some(NONE);
        let is_deleted = self.is_deleted || self.new.as_deref() == Some(NONE);
        let mode = self.mode.map(mode).transpose()?.flatten();
        let Some(path) = old.clone().filter(|_| !is_new).or(new.clone()) else {
            return Err(Item::of_reply(
                Reason::Malformed,
                "a hunk has no path; write `--- a/path` and `+++ b/path` above it",
            ));
        };
        let edit = |path: &str, action: Action| Edit {
            path: path.to_owned(),
            action,
        };
        if is_deleted {
            let blocks = self.into_blocks();
            return Ok(if blocks.is_empty() {
                vec![edit(&path, Action::Delete)]
            } else {
                vec![edit(&path, Action::Blocks(blocks)), edit(&path, Action::DeleteEmpty)]
            });
        }
        let mut edits = Vec::new();
        if is_new {
            let content = self.into_content(&path)?;
            edits.push(edit(&path, Action::Create { content }));
        } else {
            let is_moved = self.moved != [None, None];
            let blocks = self.into_blocks();
            if !blocks.is_empty() {
                edits.push(edit(&path, Action::Blocks(blocks)));
            }
            match new {
                Some(to) if to != path && is_moved => edits.push(edit(&path, Action::Move { to })),
                Some(to) if to != path => {
                    let detail = format!(
                        "the diff names another file, {to}, on its `+++` line; a move needs `rename from` and `rename to`"
                    );
                    return Err(Item::new(&path, Reason::Malformed, detail));
                }
                _ => {}
            }
        }
        let last = edits.last().map_or(path.clone(), |edit| match &edit.action {
            Action::Move { to } => to.clone(),
            _ => path.clone(),
        });
        edits.extend(mode.map(|mode| edit(&last, Action::Mode(mode))));
        Ok(edits)
    }

    fn into_content(self, path: &str) -> Result<String, Item> {
        let mut content = String::new();
        for (_, hunk) in self.hunks {
            if hunk.has_old() {
                let detail = "the diff makes a new file, but has lines without `+`";
                return Err(Item::new(path, Reason::Malformed, detail));
            }
            content.push_str(&hunk.into_content(self.is_crlf));
        }
        Ok(content)
    }

    fn into_blocks(self) -> Vec<Block> {
        let mut is_sound = true;
        let mut shift = 0;
        let mut lines = Vec::new();
        for (header, hunk) in &self.hunks {
            let Some(numbers) = header.numbers else {
                is_sound = false;
                break;
            };
            let [old, olds, new, news] = numbers.map(|number| i64::try_from(number).unwrap_or(i64::MAX / 4));
            is_sound &= hunk.agrees_with(numbers) && (olds == 0 || news == 0 || new == old + shift);
            shift += news - olds;
            lines.push(numbers[0]);
        }
        let mut lines = lines.into_iter();
        let blocks = self.hunks.into_iter().map(|(header, hunk)| {
            let mut block = hunk.into_block(Wording::Diff, header.anchor.into_iter().collect());
            block.place.line = lines.next().filter(|_| is_sound);
            block
        });
        blocks.collect()
    }
}

/// A mode as git writes it; `None` for an ordinary file, which needs no order.
fn mode(text: &str) -> Result<Option<Mode>, Item> {
    match text.trim() {
        "100644" => Ok(Some(Mode::File)),
        "100755" => Ok(Some(Mode::Executable)),
        "120000" => Ok(Some(Mode::Symlink)),
        other => {
            let detail = format!("`{other}` in a diff is not a mode that can be applied");
            Err(Item::of_reply(Reason::Malformed, detail))
        }
    }
}

/// True for what git puts below a patch in a mail: `-- ` and its version, at the end.
fn is_signature(lines: &[&str]) -> bool {
    let [first, rest @ ..] = lines else {
        return false;
    };
    let is_version = |line: &str| line.starts_with(|c: char| c.is_ascii_digit()) && line.contains('.');
    let mut said = rest.iter().filter(|line| !line.trim().is_empty());
    let is_end = said.next().is_some_and(|line| is_version(line)) && said.next().is_none();
    first.trim_end() == "--" && is_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_two_dashes_and_a_version_at_the_end() {
        assert!(is_signature(&["-- \n", "2.43.0\n", "\n"]));
        for other in [
            &["-- \n"][..],
            &["-- \n", "x.y\n"],
            &["-- \n", "2\n"],
            &["-- \n", "2.43.0\n", "more\n"],
            &["-a\n", "2.43.0\n"],
        ] {
            assert!(!is_signature(other), "{other:?}");
        }
    }
}
