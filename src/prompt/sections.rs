//! The sections of a context: in which order they get room, and how each of them is worded for the template.

use serde::Serialize;

use crate::prompt::{
    Context, Way,
    budget::{Block, Room},
};

/// Longest list of what was left out, in bytes.
const LEFT_OUT: usize = 300;

/// What the template `context` shows.
#[derive(Serialize)]
pub struct Sections<'a> {
    files: Vec<Block>,
    missing: Vec<&'a str>,
    failures: Option<Block>,
    rules: Vec<Block>,
    dependencies: Vec<Block>,
    outline: Option<Block>,
    log: Option<Block>,
    diffs: Option<Block>,
    left_out: String,
    blocks: bool,
}

/// Fills the sections, and returns what did not fit as well. Whoever comes first here is cut last; the order in the
/// prompt is the template's.
pub fn fill<'a>(context: &'a Context, mut room: Room<'_>) -> (Sections<'a>, Vec<String>) {
    let (present, missing) = parted(&context.files);
    let rules: Vec<(String, &str)> = context
        .rules
        .iter()
        .map(|(path, text)| (path.clone(), text.as_str()))
        .collect();
    let dependencies: Vec<(String, &str)> = context
        .dependencies
        .iter()
        .map(|(id, description, diff)| (format!("{id}: {description}"), diff.as_str()))
        .collect();
    let failures = context.failures.as_deref().unwrap_or_default();
    let mut view = Sections {
        missing,
        files: room.give(&present, 100),
        failures: room.give_one("earlier attempts", failures, 15),
        rules: room.give(&rules, 25),
        dependencies: room.give(&dependencies, 25),
        outline: room.give_one("outline", &context.outline, 20),
        log: room.give_one("latest commits", &context.log, 10),
        diffs: room.give_one("latest changes", &context.diffs, 20),
        left_out: String::new(),
        blocks: context.way == Way::Edit,
    };
    let left_out = room.into_left_out();
    view.left_out = listed(&left_out);
    (view, left_out)
}

/// Words what was left out on one line.
pub fn listed(left_out: &[String]) -> String {
    let mut list = String::new();
    for (at, name) in left_out.iter().enumerate() {
        if list.len() + name.len() > LEFT_OUT {
            return format!("{list} and {} more", left_out.len() - at)
                .trim_start()
                .to_owned();
        }
        if at > 0 {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    list
}

/// Parts the files that exist from those that do not.
pub fn parted(files: &[(String, Option<String>)]) -> (Vec<(String, &str)>, Vec<&str>) {
    let present = files
        .iter()
        .filter_map(|(path, text)| Some((path.clone(), text.as_deref()?)));
    let missing = files.iter().filter(|(_, text)| text.is_none());
    (present.collect(), missing.map(|(path, _)| path.as_str()).collect())
}
