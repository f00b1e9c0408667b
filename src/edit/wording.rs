//! What is said of a block that cannot be applied: from the applier's findings to items of the refusal.

use crate::{
    edit::{
        lazy, lines,
        nearest::nearest,
        refusal::{Item, Reason},
        rewrite::Miss,
    },
    snapshot::Mode,
};

/// Repeats a block as the model should have written it.
pub(crate) fn block(search: &str, replace: &str) -> String {
    let ended = |text: &str| {
        if text.is_empty() || text.ends_with('\n') {
            text.to_owned()
        } else {
            format!("{text}\n")
        }
    };
    let (search, replace) = (ended(search), ended(replace));
    format!("<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE")
}

/// Words why `search` was not replaced in `body`.
pub(crate) fn missed(path: &str, miss: &Miss, body: &str, search: &str) -> Item {
    let item = Item::new(path, reason(miss), detail(miss));
    match miss {
        Miss::Nowhere | Miss::Indentation | Miss::Elision => {
            let (file, old) = (lines::split(body), lines::split(search));
            item.with_near(nearest(&lines::texts(&file), &lines::texts(&old)))
        }
        Miss::Same | Miss::AlreadyThere | Miss::Often(_) => item,
    }
}

fn reason(miss: &Miss) -> Reason {
    match miss {
        Miss::Same => Reason::NoChange,
        Miss::Nowhere | Miss::Indentation => Reason::NotFound,
        Miss::AlreadyThere => Reason::AlreadyApplied,
        Miss::Often(_) => Reason::Ambiguous,
        Miss::Elision => Reason::Malformed,
    }
}

fn detail(miss: &Miss) -> String {
    match miss {
        Miss::Same => "the block changes nothing".to_owned(),
        Miss::Nowhere => "the SEARCH lines are not in the file; copy them exactly as they are there".to_owned(),
        Miss::AlreadyThere => "the REPLACE lines are in the file already, the SEARCH lines are not".to_owned(),
        Miss::Often(hits) => {
            let numbers: Vec<String> = hits.iter().map(ToString::to_string).collect();
            let places = numbers.join(", ");
            format!("the SEARCH lines start at several lines: {places}; add lines around them until only one fits")
        }
        Miss::Indentation => {
            "the SEARCH lines are in the file with another indentation, and how the new lines are to be \
                              indented cannot be told; copy the lines with their indentation"
                .to_owned()
        }
        Miss::Elision => "a `...` line stands for lines left out: both parts need as many of them".to_owned(),
    }
}

/// Refuses what only looks like a file.
pub(crate) fn refuse_link(path: &str, mode: Mode) -> Result<(), Item> {
    let detail = match mode {
        Mode::File | Mode::Executable => return Ok(()),
        Mode::Symlink => "it is a symlink; edit the file that it points to, or say MODE for it",
        Mode::Submodule => "it is a submodule, another repository",
    };
    Err(Item::new(path, Reason::BadPath, detail))
}

/// Refuses new content that leaves code out by a comment.
pub(crate) fn refuse_left_out(path: &str, old: &str, new: &str) -> Result<(), Item> {
    let Some(note) = lazy::left_out(old, new) else {
        return Ok(());
    };
    let detail = format!("`{}` stands for code that is left out; write all of it", note.trim());
    Err(Item::new(path, Reason::Malformed, detail))
}
