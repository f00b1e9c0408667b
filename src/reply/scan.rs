//! Scanning a reply into its parts: SEARCH/REPLACE blocks, fences, orders and prose.
//!
//! Owns where a part begins and ends, and refuses what does not end. What the parts mean together is `reply::parse`.

use crate::{
    edit::{
        Edit,
        refusal::{Item, Reason},
    },
    reply::{
        Format, hunk,
        mark::{self, Fence, Marker, Order},
        patch, path_line, strings, udiff,
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
        /// What `:start_line:` says.
        line: Option<usize>,
    },
    /// A fence without a block in it.
    Fence {
        path: Option<String>,
        info: String,
        content: String,
    },
    /// A patch, a diff or JSON objects.
    Edits { format: Format, edits: Vec<Edit> },
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
        text,
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
    text: &'a str,
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
        if self.open.is_none() && self.bare(line)? {
            return Ok(());
        }
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
        } else if mark::is_near_order(line) {
            let line = line.trim();
            let detail =
                format!("`{line}` looks like an order: DELETE and MODE stand on lines of their own, at the start");
            return Err(malformed(detail));
        } else if !(line.trim().is_empty() && self.ends_blank()) {
            self.parts.push(Part::Prose(line.to_owned()));
        }
        self.at += 1;
        Ok(())
    }

    /// True where three blank lines are the last parts: more of them say nothing.
    fn ends_blank(&self) -> bool {
        let is_blank = |part: &Part| matches!(part, Part::Prose(line) if line.trim().is_empty());
        let tail = self.parts.len().checked_sub(3).and_then(|from| self.parts.get(from..));
        tail.is_some_and(|tail| tail.iter().all(is_blank))
    }

    /// Reads a patch, a diff or JSON outside fences, if one begins here.
    fn bare(&mut self, line: &'a str) -> Result<bool, Item> {
        let rest = self.lines.get(self.at..).unwrap_or_default();
        let number = self.at + 1;
        let (format, (edits, length)) = if patch::starts(line) {
            (Format::ApplyPatch, patch::read(rest, number, false)?)
        } else if udiff::starts(rest) {
            (Format::Udiff, udiff::read(rest, number, None, false)?)
        } else if line.starts_with(['{', '[']) {
            let from = line.as_ptr().addr() - self.text.as_ptr().addr();
            let rest = self.text.get(from..).unwrap_or_default();
            let Some((edits, bytes)) = strings::read(rest, number)? else {
                return Ok(false);
            };
            let read = rest.get(..bytes).unwrap_or_default();
            (Format::StrReplace, (edits, read.split_inclusive('\n').count()))
        } else {
            return Ok(false);
        };
        self.parts.push(Part::Edits { format, edits });
        self.at += length.max(1);
        Ok(true)
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
        let (line, search) = without_line_numbers(search);
        if !is_balanced(search) || !is_balanced(replace) {
            return Err(malformed("a marker out of sequence inside a block"));
        }
        if replace
            .iter()
            .any(|line| is_line_number(line) && !search.contains(line))
        {
            return Err(malformed(
                "`:start_line:` and `:end_line:` stand at the top of a SEARCH part",
            ));
        }
        let indent = self.indent_of_block(start, search, replace);
        let bare = |part: &[&str]| {
            part.iter()
                .map(|line| line.strip_prefix(indent).unwrap_or(line))
                .collect()
        };
        self.parts.push(Part::Block {
            path: path.clone(),
            search: bare(search),
            replace: bare(replace),
            line,
        });
        self.last_path = path;
        self.at = end + 1;
        Ok(())
    }

    /// What every line of a block has before it because its fence has, or, in a block that makes a file, its marker.
    fn indent_of_block(&self, start: usize, search: &[&str], replace: &[&str]) -> &'a str {
        let marker = self.line(start).unwrap_or_default();
        let is_new = search.iter().all(|line| line.trim().is_empty());
        let is_indented = self.open.is_some_and(|fence| fence.indent > 0);
        let indent = marker.split(['<']).next().unwrap_or_default();
        let has_it = |line: &&str| line.starts_with(indent) || line.trim().is_empty();
        if (is_new || is_indented) && search.iter().chain(replace).all(has_it) {
            indent
        } else {
            ""
        }
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
        let holds_hunks = self.begins_hunks(fence);
        if !holds_hunks && self.wraps_blocks(fence) {
            self.refuse_other_top(fence)?;
            self.open = Some(fence);
            self.at += 1;
            return Ok(());
        }
        let inside = self.lines.get(self.at + 1..).unwrap_or_default();
        let is_end = |line: &&str| fence.is_closed_by(line.trim_end_matches(['\r', '\n']));
        let Some(length) = inside.iter().position(is_end) else {
            let number = self.at + 1;
            return Err(malformed(format!(
                "the fence at line {number} of the reply is not closed"
            )));
        };
        let inside = inside.get(..length).unwrap_or_default();
        let path = path_line::of_info(fence.info).or_else(|| self.path_right_above());
        let part = match self.fenced_edits(inside, path.as_deref(), fence)? {
            Some(part) => part,
            None => Part::Fence {
                path,
                info: fence.info.to_owned(),
                content: inside.iter().map(|line| outdented(line, fence.indent)).collect(),
            },
        };
        if let Part::Fence {
            path: None, content, ..
        } = &part
            && holds_only_orders(content)
        {
            return Err(malformed("DELETE and MODE stand outside fences"));
        }
        self.parts.push(part);
        self.at += length + 2;
        Ok(())
    }

    /// True where a patch or a diff begins at the top of the fence: what it holds is not looked at for blocks.
    fn begins_hunks(&self, fence: Fence<'_>) -> bool {
        let inside = self.lines.get(self.at + 1..).unwrap_or_default();
        first_hunk(inside, fence).is_some()
    }

    /// The edits of a fence with a patch, a diff or JSON in it. Below a path it is one only where it is about that path:
    /// else the fence may be that file.
    fn fenced_edits(&self, inside: &[&str], path: Option<&str>, fence: Fence<'_>) -> Result<Option<Part>, Item> {
        let outdented: Vec<&str> = inside.iter().map(|line| outdented(line, fence.indent)).collect();
        let number = self.at + 2;
        if let Some((format, from)) = first_hunk(&outdented, fence) {
            let lines = outdented.get(from..).unwrap_or_default();
            let is_about = |path: &str| lines.iter().any(|line| hunk_names(line, path));
            let is_bare = lines.first().is_some_and(|line| line.starts_with("@@"));
            if path.is_some_and(|path| !is_bare && !is_about(path)) || (is_bare && path.is_none_or(is_patch_file)) {
                return Ok(None);
            }
            let read = match format {
                Format::ApplyPatch => patch::read(lines, number + from, true)?,
                _ => udiff::read(lines, number + from, path.filter(|_| is_bare), true)?,
            };
            let edits = read.0;
            return Ok(Some(Part::Edits { format, edits }));
        }
        let Some(from) = outdented.iter().position(|line| !line.trim().is_empty()) else {
            return Ok(None);
        };
        let content: String = outdented.get(from..).unwrap_or_default().concat();
        if path.is_some() || !content.starts_with(['{', '[']) {
            return Ok(None);
        }
        json_edits(&content, number + from)
    }

    /// The path on the nearest line above that is not blank, if it is at most three lines up and prose.
    fn path_right_above(&self) -> Option<String> {
        let above = self.parts.iter().rev().take(3).map_while(|part| match part {
            Part::Prose(line) => Some(line),
            Part::Block { .. } | Part::Fence { .. } | Part::Edits { .. } | Part::Order(_) => None,
        });
        above
            .into_iter()
            .find(|line| !line.trim().is_empty())
            .and_then(|line| path_line::of_line(line))
    }

    /// Below the path of a file, what stands above the first block of a fence may be that file.
    fn refuse_other_top(&self, fence: Fence<'_>) -> Result<(), Item> {
        let Some(path) = path_line::of_info(fence.info).or_else(|| self.path_right_above()) else {
            return Ok(());
        };
        let top = self.lines.iter().skip(self.at + 1);
        let mut top = top.take_while(|line| mark::marker(line).is_none());
        let is_about = |line: &str| {
            let ends = |long: &str, short: &str| {
                long.strip_suffix(short)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            };
            path_line::of_line(line).is_some_and(|inner| ends(&inner, &path) || ends(&path, &inner))
        };
        let other = top.find(|line| !(line.trim().is_empty() || mark::is_wrapping(line) || is_about(line)));
        other.map_or(Ok(()), |other| {
            let other = other.trim();
            let detail = format!(
                "below it is a fence with blocks, but with `{other}` above the first: write each block below the path of \
                 its file, and a file that holds blocks as a block with an empty SEARCH part and longer markers"
            );
            Err(Item::new(&path, Reason::Malformed, detail))
        })
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

/// Where a patch or a diff begins among the lines of a fence: at its top, calls of the program aside, or, in a fence that
/// says `diff`, wherever its first header is.
fn first_hunk(inside: &[&str], fence: Fence<'_>) -> Option<(Format, usize)> {
    let says_diff = ["diff", "patch", "udiff"].contains(&fence.info.split([' ', ':']).next().unwrap_or_default());
    for (at, line) in inside.iter().enumerate() {
        if patch::starts(line) {
            return Some((Format::ApplyPatch, at));
        }
        let rest = inside.get(at..).unwrap_or_default();
        let is_diff = if says_diff {
            udiff::starts_loosely(rest)
        } else {
            udiff::starts(rest)
        };
        if is_diff || (hunk::header(line).is_some_and(|header| says_diff || header.numbers.is_some())) {
            return Some((Format::Udiff, at));
        }
        let is_passed_over = line.trim().is_empty() || patch::is_wrapping(line) || line.starts_with("index ");
        if fence.is_closed_by(line.trim_end_matches(['\r', '\n'])) || !is_passed_over {
            return None;
        }
    }
    None
}

/// True for a header line of a patch or a diff that names `path`, or the end of it.
fn hunk_names(line: &str, path: &str) -> bool {
    let is_header = ["*** ", "--- ", "+++ ", "diff --git ", "rename "]
        .iter()
        .any(|start| line.trim_start().starts_with(start));
    let named = line.split_whitespace().next_back().unwrap_or_default();
    let ends = |long: &str, short: &str| {
        long.strip_suffix(short)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    is_header && (ends(named, path) || (!named.is_empty() && ends(path, named)))
}

fn is_patch_file(path: &str) -> bool {
    path.ends_with(".diff") || path.ends_with(".patch")
}

/// The edits of JSON values, which fill `content`.
fn json_edits(content: &str, number: usize) -> Result<Option<Part>, Item> {
    let mut all = Vec::new();
    let mut from = 0;
    while let Some(rest) = content.get(from..).filter(|rest| !rest.trim().is_empty()) {
        let lines = content.get(..from).map_or(0, |before| before.lines().count());
        match strings::read(rest, number + lines)? {
            Some((edits, bytes)) => {
                all.extend(edits);
                from += bytes;
            }
            None if all.is_empty() => return Ok(None),
            None => return Err(malformed("among the JSON edits of a fence is something else")),
        }
    }
    let format = Format::StrReplace;
    Ok(Some(Part::Edits { format, edits: all }))
}

/// Takes `:start_line:N`, `:end_line:N` and the rule below them off the top of a SEARCH part.
fn without_line_numbers<'a, 'b>(search: &'b [&'a str]) -> (Option<usize>, &'b [&'a str]) {
    let number = |line: &str, key: &str| line.trim().strip_prefix(key)?.trim().parse().ok();
    let Some(start) = search.first().and_then(|line| number(line, ":start_line:")) else {
        return (None, search);
    };
    let is_head = |line: &&&str| {
        let line = line.trim();
        line.starts_with(":start_line:") || line.starts_with(":end_line:")
    };
    let head = search.iter().take_while(is_head).count();
    let rule = search.get(head).is_some_and(|line| {
        let line = line.trim();
        line.len() >= 5 && line.chars().all(|c| c == '-')
    });
    (Some(start), search.get(head + usize::from(rule)..).unwrap_or_default())
}

/// True for `:start_line:N` and `:end_line:N`.
fn is_line_number(line: &str) -> bool {
    let line = line.trim();
    let number = line
        .strip_prefix(":start_line:")
        .or_else(|| line.strip_prefix(":end_line:"));
    number.is_some_and(|number| number.trim().parse::<usize>().is_ok())
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
