//! Whole files: which fences of a reply are files, and under which path.

use crate::{
    edit::{
        Action, Edit,
        refusal::{Item, Reason},
    },
    reply::{Format, path_line, scan::Part},
};

/// Files that may hold fences of their own, by extension.
const MARKUP: [&str; 7] = [".md", ".mdx", ".markdown", ".rst", ".adoc", ".qmd", ".txt"];
/// Languages of fences that show what to type, not a file.
const SHOWN: [&str; 9] = [
    "bash",
    "sh",
    "shell",
    "console",
    "zsh",
    "powershell",
    "diff",
    "patch",
    "output",
];

/// Returns the edits of a reply without SEARCH/REPLACE blocks.
pub(crate) fn edits(parts: Vec<Part>, asked: Format) -> Result<Vec<Edit>, Item> {
    refuse_early_end(&parts)?;
    let only = only_reading(&parts, asked);
    let edits = parts.into_iter().filter_map(|part| match part {
        Part::Fence {
            path: Some(path),
            info,
            content,
        } => Some(file(path, &info, content)),
        Part::Fence {
            path: None,
            info,
            content,
        } => only.clone().map(|path| file(path, &info, content)),
        Part::Order(edit) => Some(edit),
        Part::Block { .. } | Part::Prose(_) => None,
    });
    Ok(edits.collect())
}

fn file(path: String, info: &str, mut content: String) -> Edit {
    if info.split_whitespace().any(|word| word == "no-newline") && content.ends_with('\n') {
        content.pop();
        if content.ends_with('\r') {
            content.pop();
        }
    }
    let action = Action::Whole { content };
    Edit { path, action }
}

/// Markdown in a fence of three marks ends at its own first fence. What follows then looks like a fence without path
/// and language.
fn refuse_early_end(parts: &[Part]) -> Result<(), Item> {
    let mut markup: Option<&str> = None;
    for part in parts {
        match part {
            Part::Fence { path: Some(path), .. } => {
                let folded = path.to_lowercase();
                markup = MARKUP.iter().any(|end| folded.ends_with(end)).then_some(path);
            }
            Part::Fence { path: None, info, .. } if info.is_empty() => {
                if let Some(path) = markup {
                    let detail = "the file seems to hold fences; put it in a longer fence, such as ````";
                    return Err(Item::new(path, Reason::Malformed, detail));
                }
            }
            Part::Fence { .. } | Part::Block { .. } | Part::Order(_) | Part::Prose(_) => {}
        }
    }
    Ok(())
}

/// The path of the only fence, where it has none of its own, whole files were asked for and the text before and after
/// names exactly one file.
fn only_reading(parts: &[Part], asked: Format) -> Option<String> {
    let mut paths: Vec<String> = Vec::new();
    let mut fences = 0;
    for part in parts {
        match part {
            Part::Prose(line) => paths.extend(line.split_whitespace().filter_map(named_in_prose)),
            Part::Fence { path: None, info, .. } if !SHOWN.contains(&info.to_lowercase().as_str()) => fences += 1,
            Part::Fence { .. } | Part::Block { .. } | Part::Order(_) => return None,
        }
    }
    paths.sort_unstable();
    paths.dedup();
    match (asked, fences, paths.as_slice()) {
        (Format::Whole, 1, [only]) => Some(only.clone()),
        _ => None,
    }
}

fn named_in_prose(word: &str) -> Option<String> {
    let word = word.trim_matches(['.', ',', ';', ':', '(', ')', '*', '!', '?']);
    path_line::of_line(word)
}
