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
/// Languages of fences that show what to type.
const SHELL: [&str; 6] = ["bash", "sh", "shell", "console", "zsh", "powershell"];
/// Files in those languages, by extension.
const SCRIPTS: [&str; 7] = [".sh", ".bash", ".zsh", ".fish", ".ps1", ".bats", ".command"];
/// Languages of fences that show what came out, or what changed.
const SHOWN: [&str; 5] = ["diff", "patch", "output", "text", "txt"];

/// Returns the edits of a reply without SEARCH/REPLACE blocks.
pub(crate) fn edits(parts: Vec<Part>, asked: Format) -> Result<Vec<Edit>, Item> {
    refuse_early_end(&parts)?;
    refuse_unnamed(&parts)?;
    refuse_other_language(&parts)?;
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
        Part::Block { .. } | Part::Edits { .. } | Part::Prose(_) => None,
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

/// Markdown in a fence of three marks ends at its own first fence; so does a file with one in a comment, whose text then
/// goes on right below. What follows looks like a fence without path and language.
fn refuse_early_end(parts: &[Part]) -> Result<(), Item> {
    let mut markup: Option<&str> = None;
    for (nth, part) in parts.iter().enumerate() {
        match part {
            Part::Fence { path: Some(path), .. } => {
                let folded = path.to_lowercase();
                let is_markup = MARKUP.iter().any(|end| folded.ends_with(end));
                let goes_on = matches!(parts.get(nth + 1), Some(Part::Prose(line)) if !line.trim().is_empty());
                markup = (is_markup || goes_on).then_some(path);
            }
            Part::Fence { path: None, info, .. } if info.is_empty() => {
                if let Some(path) = markup {
                    let detail = "the file seems to hold fences; put it in a longer fence, such as ````";
                    return Err(Item::new(path, Reason::Malformed, detail));
                }
            }
            Part::Fence { .. } | Part::Block { .. } | Part::Edits { .. } | Part::Order(_) | Part::Prose(_) => {}
        }
    }
    Ok(())
}

/// A fence below a sentence that names a file may be that file or an excerpt: among whole files it must not be
/// overlooked.
fn refuse_unnamed(parts: &[Part]) -> Result<(), Item> {
    if !parts
        .iter()
        .any(|part| matches!(part, Part::Fence { path: Some(_), .. }))
    {
        return Ok(());
    }
    let is_given = |path: &String| {
        let mut given = parts.iter();
        given.any(|part| matches!(part, Part::Fence { path: Some(other), .. } if other == path))
    };
    let mut above: Option<String> = None;
    for part in parts {
        match part {
            Part::Prose(line) if is_deep_fence(line) && above.is_some() => {
                let detail = "its fence is indented by more than three spaces; write it in the first column";
                return Err(Item::new(&above.unwrap_or_default(), Reason::Malformed, detail));
            }
            Part::Prose(line) if line.trim().is_empty() => {}
            Part::Prose(line) => {
                let named = || line.split('`').skip(1).step_by(2).find_map(path_line::of_line);
                above = path_line::of_line(line).or_else(named);
            }
            Part::Fence {
                path: None,
                info,
                content,
            } if !is_shown(info) => {
                let said = above.take().filter(|path| !info.is_empty() || !is_given(path));
                if let Some(path) = said.or_else(|| named_at_top(content).filter(|path| !is_given(path))) {
                    let detail = "a fence follows a sentence that names this file; write the path on a line of its own";
                    return Err(Item::new(&path, Reason::Malformed, detail));
                }
            }
            Part::Fence { .. } | Part::Block { .. } | Part::Edits { .. } | Part::Order(_) => above = None,
        }
    }
    Ok(())
}

/// The path that a comment names on the first line of a fence.
fn named_at_top(content: &str) -> Option<String> {
    let first = content.lines().next()?;
    path_line::of_line(first).filter(|_| first.starts_with(['#', '/']))
}

/// True for a fence that is indented too far to be one.
fn is_deep_fence(line: &str) -> bool {
    let text = line.trim_start();
    line.len() - text.len() > 3 && (text.starts_with("```") || text.starts_with("~~~"))
}

/// A diff, or a command to type, below the name of a file is not that file.
fn refuse_other_language(parts: &[Part]) -> Result<(), Item> {
    for part in parts {
        let Part::Fence {
            path: Some(path),
            info,
            content,
        } = part
        else {
            continue;
        };
        let folded = path.to_lowercase();
        let named = |ends: &[&str]| ends.iter().any(|end| folded.ends_with(end));
        let is_diff = is_diff(info, content);
        let is_command = SHELL.contains(&language(info).as_str()) && !named(&SCRIPTS) && has_extension(&folded);
        let detail = if is_diff && !named(&[".diff", ".patch"]) {
            "the fence holds a diff, not the whole file"
        } else if is_command {
            "the fence holds shell commands, the path names another kind of file"
        } else {
            continue;
        };
        return Err(Item::new(path, Reason::Malformed, detail));
    }
    Ok(())
}

/// True for a fence that says it is a diff, or looks like one.
pub(crate) fn is_diff(info: &str, content: &str) -> bool {
    matches!(language(info).as_str(), "diff" | "patch") || looks_like_diff(content)
}

fn language(info: &str) -> String {
    info.split([' ', '\t', ':']).next().unwrap_or_default().to_lowercase()
}

fn is_shown(info: &str) -> bool {
    SHELL.iter().chain(&SHOWN).any(|word| *word == language(info))
}

fn has_extension(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.trim_start_matches('.').contains('.')
}

fn looks_like_diff(content: &str) -> bool {
    let mut lines = content
        .lines()
        .skip_while(|line| line.starts_with("diff ") || line.starts_with("index "));
    match (lines.next(), lines.next()) {
        (Some(old), Some(new)) => old.starts_with("@@ -") || (old.starts_with("--- ") && new.starts_with("+++ ")),
        (one, _) => one.is_some_and(|line| line.starts_with("@@ -")),
    }
}

/// The path of the only fence, where it has none of its own, whole files were asked for and the text before and after
/// names exactly one file.
fn only_reading(parts: &[Part], asked: Format) -> Option<String> {
    let mut paths: Vec<String> = Vec::new();
    let mut fences = 0;
    for part in parts {
        match part {
            Part::Prose(line) => paths.extend(line.split_whitespace().filter_map(named_in_prose)),
            Part::Fence { path: None, info, .. } if !is_shown(info) => fences += 1,
            Part::Fence { .. } | Part::Block { .. } | Part::Edits { .. } | Part::Order(_) => return None,
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
