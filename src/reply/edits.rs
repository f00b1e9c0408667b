//! From the parts of a reply to its edits: which one format it is in, and what may not stand beside it.
//!
//! Whole files are `whole`'s.

use crate::{
    edit::{
        Action, Edit,
        block::Block,
        refusal::{Item, Reason},
    },
    reply::{Format, hunk, scan::Part, strings, whole},
};

/// The one format of a reply that is not in whole files.
pub(crate) fn format_of(parts: &[Part]) -> Result<Format, Item> {
    let mut found = Format::Auto;
    for part in parts {
        let format = match part {
            Part::Block { .. } => Format::SearchReplace,
            Part::Edits { format, .. } => *format,
            Part::Fence { .. } | Part::Order(_) | Part::Prose(_) => continue,
        };
        if found != Format::Auto && found != format {
            let detail = format!("the reply has edits in two formats, {found} and {format}; use one");
            return Err(Item::of_reply(Reason::Malformed, detail));
        }
        found = format;
    }
    Ok(found)
}

/// The edits of a reply in patches, diffs or JSON.
pub(crate) fn of_hunks(parts: Vec<Part>) -> Result<Vec<Edit>, Item> {
    if format_of(&parts)? == Format::StrReplace {
        refuse_other_json(&parts)?;
    }
    let mut edits = Vec::new();
    for part in parts {
        match part {
            Part::Edits { edits: some, .. } => edits.extend(some),
            Part::Fence { path: Some(path), .. } | Part::Order(Edit { path, .. }) => {
                let detail = "the reply has edits in two formats; use one";
                return Err(Item::new(&path, Reason::Malformed, detail));
            }
            Part::Prose(line) if !edits.is_empty() && hunk::may_be_change(&line) => {
                let line = line.trim_end();
                let detail = format!("`{line}` looks like a line of a hunk, but stands outside of one");
                return Err(Item::of_reply(Reason::Malformed, detail));
            }
            Part::Fence {
                path: None,
                info,
                content,
            } if whole::is_diff(&info, &content) => {
                let detail =
                    "a diff in a fence of its own does not say which file it is about; write its path above it";
                return Err(Item::of_reply(Reason::Malformed, detail));
            }
            Part::Fence { path: None, .. } | Part::Prose(_) | Part::Block { .. } => {}
        }
    }
    Ok(edits)
}

/// JSON about a file that is no edit must not be overlooked among edits: an unknown command, or unsound.
fn refuse_other_json(parts: &[Part]) -> Result<(), Item> {
    let text = |part: &Part| match part {
        Part::Prose(line) => Some(line.clone()),
        Part::Fence {
            path: None, content, ..
        } => Some(content.clone()),
        Part::Fence { .. } | Part::Block { .. } | Part::Edits { .. } | Part::Order(_) => None,
    };
    for text in parts.iter().filter_map(text) {
        if let Some(line) = text.lines().find(|line| strings::names_path(line)) {
            let line = line.trim();
            let detail = format!("`{line}` stands among edits in JSON, but in none that can be read");
            return Err(Item::of_reply(Reason::Malformed, detail));
        }
    }
    Ok(())
}

/// A block as an action: without old lines it makes a new file.
fn block_action(search: String, replace: String, line: Option<usize>) -> Action {
    if search.trim().is_empty() {
        return Action::Create { content: replace };
    }
    let mut block = Block {
        old: search,
        new: replace,
        ..Block::default()
    };
    block.place.line = line;
    Action::Blocks(vec![block])
}

/// The edits of a reply in SEARCH/REPLACE blocks.
pub(crate) fn of_blocks(parts: Vec<Part>) -> Result<Vec<Edit>, Item> {
    let mut edits = Vec::new();
    for part in parts {
        match part {
            Part::Block { path: None, .. } => {
                let detail = "a block has no path; write the path of its file on the line above it";
                return Err(Item::of_reply(Reason::Malformed, detail));
            }
            Part::Block {
                path: Some(path),
                search,
                replace,
                line,
            } => {
                let action = block_action(search, replace, line);
                edits.push(Edit { path, action });
            }
            Part::Fence { path: Some(path), .. } => {
                let detail =
                    "a whole file among SEARCH/REPLACE blocks; write a new file as a block with an empty SEARCH part";
                return Err(Item::new(&path, Reason::Malformed, detail));
            }
            Part::Order(edit) => edits.push(edit),
            Part::Fence { path: None, .. } | Part::Edits { .. } | Part::Prose(_) => {}
        }
    }
    Ok(edits)
}
