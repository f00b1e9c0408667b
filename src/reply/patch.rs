//! `apply_patch`: `*** Begin Patch`, files to add, delete, update and move, `*** End Patch`.
//!
//! Owns its grammar. Hunk lines are `hunk`'s; where a hunk goes is the applier's business.

use crate::{
    edit::{
        Action, Edit,
        block::{Block, Wording},
        refusal::{Item, Reason},
    },
    reply::hunk::{self, Hunk},
};

/// A line that starts with `*** `.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Star<'a> {
    Begin,
    End,
    Add(&'a str),
    Delete(&'a str),
    Update(&'a str),
    Move(&'a str),
    EndOfFile,
    Unknown,
}

fn star(line: &str) -> Option<Star<'_>> {
    let rest = line.trim().strip_prefix("*** ")?;
    let named = |label: &str| rest.strip_prefix(label).map(str::trim).filter(|path| !path.is_empty());
    Some(match rest {
        "Begin Patch" => Star::Begin,
        "End Patch" => Star::End,
        "End of File" => Star::EndOfFile,
        _ => None
            .or(named("Add File:").map(Star::Add))
            .or(named("Delete File:").map(Star::Delete))
            .or(named("Update File:").map(Star::Update))
            .or(named("Move to:").map(Star::Move))
            .unwrap_or(Star::Unknown),
    })
}

/// True for a line that begins a patch: its marker, or a file of a patch whose marker was left out.
pub(crate) fn starts(line: &str) -> bool {
    matches!(
        star(line),
        Some(Star::Begin | Star::Add(_) | Star::Delete(_) | Star::Update(_))
    )
}

/// True for a line that calls the program before a patch, or ends what it is fed.
pub(crate) fn is_wrapping(line: &str) -> bool {
    let line = line.trim();
    line.contains("apply_patch") || line.starts_with("%%") || line.starts_with("<<") || matches!(line, "EOF" | "PATCH")
}

/// Reads a patch from its first line on; `number` is that line's. Returns how many lines it has. In a fence it ends with
/// the fence.
pub(crate) fn read(lines: &[&str], number: usize, is_fenced: bool) -> Result<(Vec<Edit>, usize), Item> {
    let mut reader = Reader {
        lines,
        at: 0,
        number,
        is_fenced,
        has_begun: false,
        is_crlf: lines.first().is_some_and(|line| line.ends_with("\r\n")),
        edits: Vec::new(),
    };
    while let Some(line) = reader.line() {
        if !reader.step(line)? {
            break;
        }
    }
    if reader.has_begun && !is_fenced {
        return Err(reader.malformed("the patch has no `*** End Patch`: the reply may be cut"));
    }
    if reader.edits.is_empty() {
        return Err(reader.malformed("the patch names no file"));
    }
    Ok((reader.edits, reader.at))
}

struct Reader<'a> {
    lines: &'a [&'a str],
    at: usize,
    number: usize,
    is_fenced: bool,
    has_begun: bool,
    is_crlf: bool,
    edits: Vec<Edit>,
}

impl<'a> Reader<'a> {
    fn line(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    fn malformed(&self, detail: &str) -> Item {
        Item::of_reply(Reason::Malformed, detail)
    }

    /// Reads the next file of the patch; false where the patch is over.
    fn step(&mut self, line: &'a str) -> Result<bool, Item> {
        self.at += 1;
        match star(line) {
            Some(Star::Begin) if !self.has_begun => self.has_begun = true,
            Some(Star::End) => {
                self.has_begun = false;
                return Ok(self.is_fenced);
            }
            Some(Star::Add(path)) => self.add(path)?,
            Some(Star::Delete(path)) => self.push(path, Action::Delete),
            Some(Star::Update(path)) => self.update(path)?,
            None if line.trim().is_empty() || (self.is_fenced && self.is_wrapping(line)) => {}
            None if !self.has_begun && !self.is_fenced => {
                self.at -= 1;
                return Ok(false);
            }
            Some(_) | None => {
                let number = self.number + self.at - 1;
                let line = line.trim();
                let detail = format!("line {number} of the reply, `{line}`, is no line of a patch here");
                return Err(self.malformed(&detail));
            }
        }
        Ok(true)
    }

    /// True for a call around a patch; between the patch's own markers there is none.
    fn is_wrapping(&self, line: &str) -> bool {
        !self.has_begun && is_wrapping(line)
    }

    /// The marker at `line`. Inside a hunk a line after a space is content, unless it is the only end of the patch.
    fn star_here(&self, line: &'a str, is_inside: bool) -> Option<Star<'a>> {
        let star = star(line)?;
        if !is_inside || !line.starts_with(' ') {
            return Some(star);
        }
        let rest = self.lines.iter().skip(self.at + 1).map(|line| self::star(line));
        let mut rest = rest.take_while(|other| *other != Some(Star::Begin));
        (star == Star::End && !rest.any(|other| other == Some(Star::End))).then_some(star)
    }

    fn push(&mut self, path: &str, action: Action) {
        let path = path.to_owned();
        self.edits.push(Edit { path, action });
    }

    fn add(&mut self, path: &'a str) -> Result<(), Item> {
        let mut hunk = Hunk::default();
        let mut is_over = false;
        while let Some(line) = self.line() {
            if line.starts_with('+') && !is_over {
                hunk.take(line);
            } else if line.trim().is_empty() {
                is_over = true;
            } else if star(line).is_some() || self.is_wrapping(line) || is_over && !hunk::may_be_change(line) {
                break;
            } else {
                let detail = "every line of a new file starts with `+`, empty ones too";
                return Err(Item::new(path, Reason::Malformed, detail));
            }
            self.at += 1;
        }
        let content = hunk.into_content(self.is_crlf);
        self.push(path, Action::Create { content });
        Ok(())
    }

    fn update(&mut self, path: &'a str) -> Result<(), Item> {
        let mut to = None;
        if let Some(Star::Move(other)) = self.line().and_then(star) {
            to = Some(other);
            self.at += 1;
        }
        let mut blocks = Vec::new();
        while let Some(block) = self.hunk()? {
            blocks.push(block);
        }
        match (blocks.is_empty(), to) {
            (true, None) => {
                return Err(Item::new(
                    path,
                    Reason::Malformed,
                    "the file is to be updated, but has no hunk",
                ));
            }
            (true, Some(_)) => {}
            (false, _) => self.push(path, Action::Blocks(blocks)),
        }
        if let Some(to) = to {
            self.push(path, Action::Move { to: to.to_owned() });
        }
        Ok(())
    }

    /// Reads one hunk: its `@@` lines, its own lines, and perhaps `*** End of File`.
    fn hunk(&mut self) -> Result<Option<Block>, Item> {
        let mut anchors = Vec::new();
        let mut is_headed = false;
        let mut hunk = Hunk::default();
        let mut at_end = false;
        while let Some(line) = self.line() {
            let is_inside = is_headed || !hunk.is_empty();
            let read = if is_inside { hunk::next_header } else { hunk::header };
            if let Some(header) = read(line) {
                if !hunk.is_empty() {
                    break;
                }
                is_headed = true;
                anchors.extend(header.anchor.filter(|_| header.numbers.is_none()));
            } else if let Some(star) = self.star_here(line, is_inside) {
                at_end = star == Star::EndOfFile && !hunk.is_empty();
                self.at += usize::from(at_end);
                break;
            } else if !hunk.take(line) {
                let is_after = hunk.ends_blank() || (hunk.is_empty() && !is_headed);
                if (self.is_fenced && self.is_wrapping(line)) || (!self.has_begun && is_after) {
                    break;
                }
                return Err(hunk::unsigned(line, self.number + self.at));
            }
            self.at += 1;
        }
        if hunk.is_empty() {
            let detail = "an `@@` line has no lines after it";
            return if is_headed {
                Err(self.malformed(detail))
            } else {
                Ok(None)
            };
        }
        let mut block = hunk.into_block(Wording::Patch, anchors);
        block.place.at_end |= at_end;
        block.final_newline = Some(true);
        Ok(Some(block))
    }
}
