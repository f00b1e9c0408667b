//! Scanning a reply into its parts: SEARCH/REPLACE blocks, fences, orders and prose.
//!
//! Owns where a part begins and ends, and refuses what does not end. What the parts mean together is `reply::parse`.

use crate::{
    edit::{
        Edit,
        refusal::{Item, Reason},
    },
    reply::{
        Format,
        mark::{self, Fence, Marker, Order},
        path_line,
    },
};

/// One part of a reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// A SEARCH/REPLACE block with its path, or none if none was said so far.
    Block {
        path: Option<String>,
        search: String,
        replace: String,
    },
    /// A fence without a block in it.
    Fence {
        path: Option<String>,
        info: String,
        content: String,
    },
    /// `DELETE` or `MODE`.
    Order(Edit),
    /// A line of anything else.
    Prose(String),
}

/// Splits `text` into its parts.
///
/// # Errors
/// Returns an item for the first part that does not end, or starts where it must not.
pub(crate) fn scan(text: &str, asked: Format) -> Result<Vec<Part>, Item> {
    let mut scanner = Scanner {
        lines: text.split_inclusive('\n').collect(),
        at: 0,
        asked,
        open: None,
        last_path: None,
        parts: Vec::new(),
    };
    while let Some(line) = scanner.line(scanner.at) {
        scanner.step(line)?;
    }
    match scanner.open {
        Some(_) => Err(malformed("a fence is not closed")),
        None => Ok(scanner.parts),
    }
}

fn malformed(detail: impl Into<String>) -> Item {
    Item::of_reply(Reason::Malformed, detail)
}

struct Scanner<'a> {
    lines: Vec<&'a str>,
    at: usize,
    asked: Format,
    /// The fence around SEARCH/REPLACE blocks, while in one.
    open: Option<Fence<'a>>,
    /// The path of the last block.
    last_path: Option<String>,
    parts: Vec<Part>,
}

impl<'a> Scanner<'a> {
    fn line(&self, at: usize) -> Option<&'a str> {
        self.lines.get(at).copied()
    }

    fn step(&mut self, line: &'a str) -> Result<(), Item> {
        match mark::marker(line) {
            Some(Marker::Search(size)) => return self.block(size),
            Some(Marker::Divider(_)) if self.open.is_none() => {}
            None if !mark::is_near_marker(line) => {}
            Some(_) | None => return Err(self.misplaced(line)),
        }
        if let Some(fence) = self.open {
            return self.inside(fence, line);
        }
        if let Some(fence) = Fence::open(line.trim_end_matches(['\r', '\n'])) {
            return self.fence(fence);
        }
        if ["<think>", "<thinking>"]
            .iter()
            .any(|tag| line.trim_start().starts_with(tag))
        {
            return self.skip_thoughts();
        }
        if line.trim() == "</think>" {
            self.parts.clear();
            self.last_path = None;
        } else if let Some(order) = mark::order(line) {
            self.order(order)?;
        } else {
            self.parts.push(Part::Prose(line.to_owned()));
        }
        self.at += 1;
        Ok(())
    }

    fn misplaced(&self, line: &str) -> Item {
        let number = self.at + 1;
        malformed(format!(
            "line {number} of the reply, `{}`, is a marker out of sequence",
            line.trim()
        ))
    }

    fn inside(&mut self, fence: Fence<'a>, line: &str) -> Result<(), Item> {
        if mark::order(line).is_some() {
            return Err(malformed("DELETE and MODE stand outside fences"));
        }
        if fence.is_closed_by(line.trim_end_matches(['\r', '\n'])) {
            self.open = None;
        }
        self.at += 1;
        Ok(())
    }

    fn order(&mut self, order: Order) -> Result<(), Item> {
        match order {
            Order::Edit(edit) => {
                self.parts.push(Part::Order(edit));
                Ok(())
            }
            Order::Wrong(why) => Err(malformed(why)),
        }
    }

    /// Thoughts amid a reply hold no edits.
    fn skip_thoughts(&mut self) -> Result<(), Item> {
        let ends = |line: &&str| line.contains("</think");
        let Some(length) = self.lines.iter().skip(self.at).position(ends) else {
            return Err(malformed("`<think>` is not closed"));
        };
        self.at += length + 1;
        Ok(())
    }

    /// Reads a block from its SEARCH marker of `size` characters on.
    fn block(&mut self, size: usize) -> Result<(), Item> {
        let start = self.at;
        let path = self.path_above(start).or_else(|| self.last_path.clone());
        let end = self.block_end(start, size)?;
        let body = self.lines.get(start + 1..end).unwrap_or_default();
        let divider = divider(body, size).map_err(|why| match &path {
            Some(path) => Item::new(path, Reason::Malformed, why),
            None => malformed(why),
        })?;
        let (search, replace) = body.split_at_checked(divider).unwrap_or((body, &[]));
        let replace = replace.get(1..).unwrap_or_default();
        if !is_balanced(search) || !is_balanced(replace) {
            return Err(malformed("a marker out of sequence inside a block"));
        }
        self.parts.push(Part::Block {
            path: path.clone(),
            search: search.concat(),
            replace: replace.concat(),
        });
        self.last_path = path;
        self.at = end + 1;
        Ok(())
    }

    /// The block's REPLACE marker: the first of the same size, else the first of any before the next SEARCH marker of
    /// the same size. Markers of other sizes may thus be content.
    fn block_end(&self, start: usize, size: usize) -> Result<usize, Item> {
        let mut first = None;
        for (at, line) in self.lines.iter().enumerate().skip(start + 1) {
            match mark::marker(line) {
                Some(Marker::Replace(other)) if other == size => return Ok(at),
                Some(Marker::Replace(_)) => first = first.or(Some(at)),
                Some(Marker::Search(other)) if other == size => break,
                _ => {}
            }
        }
        first.ok_or_else(|| {
            malformed(format!(
                "the block at line {} of the reply has no REPLACE marker",
                start + 1
            ))
        })
    }

    /// The path on one of the three lines above `start`, fences and blank lines aside, or in a fence's info string.
    fn path_above(&self, start: usize) -> Option<String> {
        let above = self.lines.get(start.saturating_sub(3)..start).unwrap_or_default();
        let above = above.iter().rev().take_while(|line| mark::marker(line).is_none());
        above.copied().find_map(named_on)
    }

    fn fence(&mut self, fence: Fence<'a>) -> Result<(), Item> {
        if self.wraps_blocks(fence) {
            self.open = Some(fence);
            self.at += 1;
            return Ok(());
        }
        let inside = self.lines.iter().skip(self.at + 1);
        let Some(length) = inside
            .clone()
            .position(|line| fence.is_closed_by(line.trim_end_matches(['\r', '\n'])))
        else {
            return Err(malformed(format!(
                "the fence at line {} of the reply is not closed",
                self.at + 1
            )));
        };
        let content: String = inside.take(length).map(|line| outdented(line, fence.indent)).collect();
        let path = path_line::of_info(fence.info).or_else(|| self.path_right_above());
        if path.is_none() && holds_only_orders(&content) {
            return Err(malformed("DELETE and MODE stand outside fences"));
        }
        self.parts.push(Part::Fence {
            path,
            info: fence.info.to_owned(),
            content,
        });
        self.at += length + 2;
        Ok(())
    }

    /// The path on the nearest line above that is not blank, if it is at most three lines up and prose.
    fn path_right_above(&self) -> Option<String> {
        let above = self.parts.iter().rev().take(3).map_while(|part| match part {
            Part::Prose(line) => Some(line),
            Part::Block { .. } | Part::Fence { .. } | Part::Order(_) => None,
        });
        above
            .into_iter()
            .find(|line| !line.trim().is_empty())
            .and_then(|line| path_line::of_line(line))
    }

    /// True where SEARCH/REPLACE blocks stand in this fence. A whole file may hold markers too: where whole files were
    /// asked for, a block must begin at the top of the fence, with nothing but its path before it.
    fn wraps_blocks(&self, fence: Fence<'_>) -> bool {
        for (nth, line) in self.lines.iter().skip(self.at + 1).enumerate() {
            if matches!(mark::marker(line), Some(Marker::Search(_))) {
                return true;
            }
            let is_top = nth < 3 && (line.trim().is_empty() || path_line::of_line(line).is_some());
            if fence.is_closed_by(line.trim_end_matches(['\r', '\n'])) || (self.asked == Format::Whole && !is_top) {
                return false;
            }
        }
        false
    }
}

fn named_on(line: &str) -> Option<String> {
    if mark::is_wrapping(line) {
        return Fence::open(line.trim()).and_then(|fence| path_line::of_info(fence.info));
    }
    path_line::of_line(line)
}

/// Returns which line of a block divides it: the only one that can, or the only one as long as the SEARCH marker.
fn divider(body: &[&str], size: usize) -> Result<usize, &'static str> {
    let dividers = body
        .iter()
        .enumerate()
        .filter_map(|(at, line)| match mark::marker(line) {
            Some(Marker::Divider(size)) => Some((at, size)),
            _ => None,
        });
    let all: Vec<(usize, usize)> = dividers.collect();
    let same: Vec<usize> = all
        .iter()
        .filter(|(_, other)| *other == size)
        .map(|(at, _)| *at)
        .collect();
    match (all.as_slice(), same.as_slice()) {
        ([], _) => Err("a block has no ======= line between its parts"),
        ([(at, _)], _) | (_, [at]) => Ok(*at),
        _ => Err("a block has several ======= lines; use markers of another length around such content"),
    }
}

/// True where SEARCH and REPLACE markers among `lines` come in pairs: blocks quoted as content.
fn is_balanced(lines: &[&str]) -> bool {
    let mut is_open = false;
    for line in lines {
        match mark::marker(line) {
            Some(Marker::Search(_)) if !is_open => is_open = true,
            Some(Marker::Replace(_)) if is_open => is_open = false,
            Some(Marker::Search(_) | Marker::Replace(_)) => return false,
            Some(Marker::Divider(_)) | None => {}
        }
    }
    !is_open
}

fn outdented(line: &str, most: usize) -> &str {
    let spaces = line.bytes().take_while(|b| *b == b' ').count().min(most);
    line.get(spaces..).unwrap_or(line)
}

fn holds_only_orders(content: &str) -> bool {
    let mut lines = content.lines().filter(|line| !line.trim().is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| matches!(mark::order(line), Some(Order::Edit(_))))
}
