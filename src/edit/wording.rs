//! What is said of a block that cannot be applied: from the applier's findings to items of the refusal.

use similar::{Algorithm, DiffOp};

use crate::{
    edit::{
        block::{Block, Wording},
        lazy, lines,
        nearest::nearest,
        refusal::{Item, Reason},
        rewrite::Miss,
    },
    snapshot::Mode,
};

/// Most places that a message lists.
const MOST_PLACES: usize = 20;

/// Repeats a block as the model should have written it.
pub(crate) fn block(block: &Block) -> String {
    match block.wording {
        Wording::SearchReplace => {
            let (search, replace) = (ended(&block.old), ended(&block.new));
            format!("<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE")
        }
        Wording::Diff | Wording::Patch => {
            let (old, new) = (lines::split(&block.old), lines::split(&block.new));
            let (old, new) = (lines::texts(&old), lines::texts(&new));
            let mut hunk = block
                .place
                .anchors
                .iter()
                .fold(String::new(), |all, line| format!("{all}@@ {line}\n"));
            for op in similar::capture_diff_slices(Algorithm::Myers, &old, &new) {
                let is_kept = matches!(op, DiffOp::Equal { .. });
                let signs: [(&str, &[&str]); 2] = [
                    (
                        if is_kept { " " } else { "-" },
                        old.get(op.old_range()).unwrap_or_default(),
                    ),
                    (
                        "+",
                        if is_kept {
                            &[]
                        } else {
                            new.get(op.new_range()).unwrap_or_default()
                        },
                    ),
                ];
                for (sign, lines) in signs {
                    hunk.extend(lines.iter().flat_map(|line| [sign, line, "\n"]));
                }
            }
            hunk
        }
        Wording::Strings => strings(&block.old, &block.new),
    }
}

/// Repeats `old_str` and `new_str`.
pub(crate) fn strings(old: &str, new: &str) -> String {
    format!("old_str:\n{}new_str:\n{}", ended(old), ended(new))
}

fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') {
        text.to_owned()
    } else {
        format!("{text}\n")
    }
}

/// Words why `block` could not be applied to `body`.
pub(crate) fn missed(path: &str, miss: &Miss, body: &str, block: &Block) -> Item {
    let item = Item::new(path, reason(miss), detail(miss, block.wording));
    match miss {
        Miss::Nowhere | Miss::Indentation | Miss::Elision => {
            let (file, old) = (lines::split(body), lines::split(&block.old));
            item.with_near(nearest(&lines::texts(&file), &lines::texts(&old)))
        }
        _ => item,
    }
}

fn reason(miss: &Miss) -> Reason {
    match miss {
        Miss::Same => Reason::NoChange,
        Miss::Nowhere | Miss::Indentation | Miss::Anchor(_) | Miss::BeforeAnchors(_) | Miss::NotAtEnd => {
            Reason::NotFound
        }
        Miss::AlreadyThere => Reason::AlreadyApplied,
        Miss::Often(_) => Reason::Ambiguous,
        Miss::Elision | Miss::NoContext | Miss::Overlap => Reason::Malformed,
    }
}

/// What the old and the new part are called.
fn parts(wording: Wording) -> (&'static str, &'static str) {
    match wording {
        Wording::SearchReplace => ("the SEARCH lines", "the REPLACE lines"),
        Wording::Diff | Wording::Patch => ("the hunk's context and `-` lines", "the hunk's context and `+` lines"),
        Wording::Strings => ("the lines of old_str", "the lines of new_str"),
    }
}

fn numbered(places: &[usize]) -> String {
    let numbers: Vec<String> = places.iter().take(MOST_PLACES).map(ToString::to_string).collect();
    match places.len().saturating_sub(MOST_PLACES) {
        0 => numbers.join(", "),
        more => format!("{} and {more} more", numbers.join(", ")),
    }
}

fn detail(miss: &Miss, wording: Wording) -> String {
    let (old, new) = parts(wording);
    match miss {
        Miss::Same => "the block changes nothing".to_owned(),
        Miss::Nowhere => format!("{old} are not in the file; copy them exactly as they are there"),
        Miss::AlreadyThere => format!("{new} are in the file already, {old} are not"),
        Miss::Often(hits) => {
            let places = numbered(hits);
            format!("{old} start at several lines: {places}; add lines around them until only one fits")
        }
        Miss::Indentation => format!(
            "{old} are in the file with another indentation, and how the new lines are to be indented cannot be told; \
             copy the lines with their indentation"
        ),
        Miss::Elision => "a `...` line stands for lines left out: both parts need as many of them".to_owned(),
        Miss::NoContext => "it only adds lines and has no line of the file that says where; add context".to_owned(),
        Miss::Anchor(anchor) => {
            format!("the anchor `{anchor}` is not in the file, or not after the anchor and the hunk before it")
        }
        Miss::BeforeAnchors(hits) => {
            format!(
                "{old} are in the file, at line {}, but not after the anchor",
                numbered(hits)
            )
        }
        Miss::NotAtEnd => format!("{old} are in the file, but do not end it, as `\\ No newline at end of file` says"),
        Miss::Overlap => "it changes lines that another block changes too; join the two".to_owned(),
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
