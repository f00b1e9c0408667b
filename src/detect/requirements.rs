//! Finds what a Python project's tests need, wherever the project says it.

use toml_edit::{DocumentMut, Item, Value};

use crate::detect::Files;

/// Names under which projects keep what tests need, the most telling first.
const NAMES: [&str; 4] = ["test", "tests", "testing", "dev"];

/// What to install besides the project.
#[derive(Default)]
pub(crate) struct Needs {
    /// An extra of the project itself.
    pub(crate) extra: Option<String>,
    /// Requirements, or `-r FILE`.
    pub(crate) words: Vec<String>,
}

/// Looks at extras, dependency groups, the tables of build tools, requirements files and tox, in this order.
pub(crate) fn for_tests(files: &Files<'_>, pyproject: Option<&DocumentMut>) -> Needs {
    let setup_cfg = files.text("setup.cfg").unwrap_or_default();
    for name in NAMES {
        let extras = pyproject.and_then(|doc| doc.get("project")?.get("optional-dependencies")?.get(name));
        if extras.is_some() || !ini_list(&setup_cfg, "options.extras_require", name).is_empty() {
            return Needs {
                extra: Some(name.to_owned()),
                words: Vec::new(),
            };
        }
        let words = pyproject.map(|doc| grouped(doc, name)).unwrap_or_default();
        if !words.is_empty() {
            return Needs { extra: None, words };
        }
    }
    let words = match requirements_file(files) {
        Some(file) => vec![format!("-r {file}")],
        None => tox(&files.text("tox.ini").unwrap_or_default()),
    };
    Needs { extra: None, words }
}

/// Returns the name that a requirement is about: `pytest` of `'pytest>=7; python_version > "3"'`.
pub(crate) fn name(requirement: &str) -> &str {
    let text = requirement.trim_matches('\'');
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.split(|c: char| !is_name(c)).next().unwrap_or(text)
}

/// Takes requirements that name the project itself out of `words`, and returns the extras that they ask for.
pub(crate) fn take_own(words: &mut Vec<String>, project: &str) -> Vec<String> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let (own, others) = words
        .drain(..)
        .partition(|word: &String| plain(name(word)) == plain(project));
    *words = others;
    let own: Vec<String> = own;
    let inside = |word: &String| Some(word.split_once('[')?.1.split_once(']')?.0.to_owned());
    let lists: Vec<String> = own.iter().filter_map(inside).collect();
    lists
        .iter()
        .flat_map(|list| list.split(','))
        .map(|extra| extra.trim().to_owned())
        .collect()
}

fn grouped(doc: &DocumentMut, name: &str) -> Vec<String> {
    let tool = doc.get("tool");
    let mut words = Vec::new();
    if let Some(groups) = doc.get("dependency-groups") {
        group(groups, name, 0, &mut words);
    }
    if words.is_empty() {
        let listed = [
            tool.and_then(|t| t.get("pdm")?.get("dev-dependencies")?.get(name)),
            tool.and_then(|t| t.get("uv")?.get("dev-dependencies").filter(|_| name == "dev")),
            tool.and_then(|t| t.get("hatch")?.get("envs")?.get("default")?.get("dependencies"))
                .filter(|_| name == "dev"),
        ];
        words.extend(listed.into_iter().flatten().flat_map(strings));
    }
    if words.is_empty() {
        let poetry = tool.and_then(|t| t.get("poetry"));
        let table = poetry
            .and_then(|p| p.get("group")?.get(name)?.get("dependencies"))
            .or_else(|| poetry.and_then(|p| p.get("dev-dependencies")).filter(|_| name == "dev"));
        // Poetry's own version ranges are no requirements; the names alone install.
        let names = table.and_then(Item::as_table_like).into_iter().flat_map(|t| t.iter());
        words.extend(names.map(|(package, _)| package.to_owned()));
    }
    words
}

/// Adds a dependency group with the groups that it includes.
fn group(groups: &Item, name: &str, depth: u8, words: &mut Vec<String>) {
    let Some(list) = groups.get(name).and_then(Item::as_array).filter(|_| depth < 8) else {
        return;
    };
    for value in list {
        if let Some(requirement) = value.as_str() {
            words.push(requirement.to_owned());
        }
        let included = value.as_inline_table().and_then(|t| t.get("include-group")?.as_str());
        if let Some(included) = included {
            group(groups, included, depth + 1, words);
        }
    }
}

fn strings(item: &Item) -> Vec<String> {
    let list = item.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn requirements_file(files: &Files<'_>) -> Option<String> {
    let stems = ["test", "tests", "testing", "dev"];
    let shapes: [fn(&str) -> String; 5] = [
        |stem| format!("requirements-{stem}.txt"),
        |stem| format!("{stem}-requirements.txt"),
        |stem| format!("requirements_{stem}.txt"),
        |stem| format!("requirements/{stem}.txt"),
        |stem| format!("{stem}/requirements.txt"),
    ];
    stems
        .iter()
        .flat_map(|stem| shapes.iter().map(move |shape| shape(stem)))
        .find(|path| files.has(path))
}

/// Reads `deps` of tox's `[testenv]`; lines with conditions or substitutions are left out.
fn tox(text: &str) -> Vec<String> {
    let plain = |line: &String| {
        let condition = line
            .split_once(':')
            .is_some_and(|(factor, _)| !factor.contains(['=', '<', '>', ' ']));
        !line.contains('{') && !condition
    };
    ini_list(text, "testenv", "deps").into_iter().filter(plain).collect()
}

/// Reads a list of an INI file: the value's own line and the indented ones below.
fn ini_list(text: &str, section: &str, key: &str) -> Vec<String> {
    let mut inside = false;
    let mut open = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(title) = trimmed.strip_prefix('[').filter(|_| !line.starts_with(' ')) {
            inside = title.trim_end_matches(']') == section;
            open = false;
        } else if !inside || trimmed.starts_with(['#', ';']) {
        } else if line.starts_with([' ', '\t']) {
            if open && !trimmed.is_empty() {
                found.push(trimmed.to_owned());
            }
        } else if let Some((name, value)) = line.split_once('=') {
            open = name.trim() == key;
            if open && !value.trim().is_empty() {
                found.push(value.trim().to_owned());
            }
        }
    }
    found
}
