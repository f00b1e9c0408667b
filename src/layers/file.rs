//! Texts of settings files: the example, what `init` writes, an edit that keeps comments, and variables of `.env`.
//!
//! Text in, text out; `layers::read` says what they mean.

use std::fmt;

use toml_edit::{Array, DocumentMut, Item, Table, Value as Toml, value};

use crate::{
    layers::{
        LayerError, Origin, Value, executor, metric,
        read::{broken, text_value, unknown, wrong},
    },
    settings::keys::{KEYS, Key, KeyKind},
};

/// What a copy of the example sets: nobody should begin without a cap on spending.
const SET_BY_EXAMPLE: [&str; 2] = ["budget.max_usd", "budget.max_calls"];

/// Returns `invisigoth.toml.example`: every setting with its meaning and its default, commented out but for caps on a run.
pub fn example() -> String {
    let mut text = String::from(
        "# Settings of git-invisigoth. Copy what you need, or all, into invisigoth.toml: as it stands it only caps what a run\n\
         # may spend.\n\
         # Stronger, from weak to strong: your own file ($XDG_CONFIG_HOME/invisigoth/config.toml),\n\
         # `git config invisigoth.section.key` (with `-` for `_`), INVISIGOTH_SECTION_KEY, flags.\n",
    );
    let mut above = "";
    for key in KEYS {
        let (section, name) = key.name.split_once('.').unwrap_or(("", key.name));
        if section != above {
            text.push_str(&format_args!("\n[{section}]\n").to_string());
            above = section;
        }
        let own = if key.own_only {
            "; counts only in your own settings"
        } else {
            ""
        };
        let none = if key.default.is_empty() { "; no default" } else { "" };
        let mark = if SET_BY_EXAMPLE.contains(&key.name) { "" } else { "# " };
        let line = format!("# {}{own}{none}\n{mark}{name} = {}\n", key.help, sample(key));
        text.push_str(&line);
    }
    text.push_str(&metric::example());
    text.push_str(&executor::example());
    text
}

pub(crate) fn sample(key: &Key) -> String {
    match key.kind {
        _ if !key.default.is_empty() => key.default.to_owned(),
        KeyKind::Text => "\"\"".to_owned(),
        KeyKind::Word(words) => format!("\"{}\"", words.first().unwrap_or(&"")),
        KeyKind::List => "[]".to_owned(),
        KeyKind::Count => match key.name.rsplit_once('_').map_or(key.name, |(_, unit)| unit) {
            "tokens" => "1000000".to_owned(),
            "check.memory" => "4096".to_owned(),
            _ => "100".to_owned(),
        },
        KeyKind::Dollars => "1.00".to_owned(),
        KeyKind::Flag => "false".to_owned(),
    }
}

/// The check commands that `init` found out about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Commands {
    /// `check.setup`
    pub setup: Vec<String>,
    /// `check.lint`
    pub lint: Vec<String>,
    /// `check.test`
    pub test: Vec<String>,
    /// `check.test_file`
    pub test_file: Option<String>,
}

/// Returns what `init` writes as `invisigoth.toml`: what was found, and for the rest a commented line to fill in.
pub fn project_file(found: &Commands) -> String {
    let list = |name: &str, commands: &[String]| {
        let array = Toml::from(commands.iter().collect::<Array>());
        let mark = if commands.is_empty() { "# " } else { "" };
        format!("{mark}{name} = {array}\n")
    };
    let test_file = match &found.test_file {
        Some(command) => format!("test_file = {}\n", Toml::from(command)),
        None => "# test_file = \"\"\n".to_owned(),
    };
    format!(
        "# Settings of git-invisigoth for this repository; `git invisigoth man` lists all.\n\
         \n\
         [check]\n\
         # Makes a fresh checkout ready; runs when its inputs change.\n{}\
         # Must pass before a goal lands: lint first, then tests.\n{}{}\
         # Runs one test file; `{{file}}` stands for its path.\n{test_file}",
        list("setup", &found.setup),
        list("lint", &found.lint),
        list("test", &found.test),
    )
}

/// Returns the settings file `text` with `key` set to `to`, written as on the command line. Comments and all else stay.
///
/// # Errors
/// As `layers::read`: broken TOML, an unknown key, a value that does not fit.
pub fn set(text: &str, key: &str, to: &str) -> Result<String, LayerError> {
    let mut document: DocumentMut = text.parse().map_err(|error| broken(&error, text, Origin::Project))?;
    let place = || "command line".to_owned();
    let Some(key) = KEYS.iter().find(|known| known.name == key) else {
        return Err(unknown(place(), key));
    };
    let new = toml(text_value(key, to).map_err(|wanted| wrong(&place(), key, wanted))?);
    let (section, name) = key.name.split_once('.').unwrap_or(("", key.name));
    let item = document.entry(section).or_insert_with(|| Item::Table(Table::new()));
    let Some(table) = item.as_table_like_mut() else {
        return Err(wrong(
            &Origin::Project.to_string(),
            key,
            format!("in a table `[{section}]`").into(),
        ));
    };
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = new;
            *old.decor_mut() = decor;
        }
        None => {
            table.insert(name, value(new));
        }
    }
    Ok(line_ends(text, &document))
}

/// Returns the settings file `text` without `key`; `None` where it does not have it. All else stays.
///
/// # Errors
/// Broken TOML.
pub fn unset(text: &str, key: &str) -> Result<Option<String>, LayerError> {
    let mut document: DocumentMut = text.parse().map_err(|error| broken(&error, text, Origin::Project))?;
    let (section, name) = key.split_once('.').unwrap_or(("", key));
    let table = document.get_mut(section).and_then(Item::as_table_like_mut);
    let gone = table.and_then(|table| table.remove(name));
    Ok(gone.map(|_| line_ends(text, &document)))
}

/// Words a document with the line ends of the text that it was read from.
fn line_ends(text: &str, document: &DocumentMut) -> String {
    let edited = document.to_string();
    if text.contains("\r\n") {
        edited.replace("\r\n", "\n").replace('\n', "\r\n")
    } else {
        edited
    }
}

impl fmt::Display for Value {
    /// As a person types it for `git config`: text bare, lists in TOML notation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            other => f.write_str(toml(other.clone()).to_string().trim()),
        }
    }
}

/// True where the settings file `text` says something about `key`.
///
/// # Errors
/// Broken TOML.
pub fn says(text: &str, key: &str) -> Result<bool, LayerError> {
    let document: DocumentMut = text.parse().map_err(|error| broken(&error, text, Origin::Project))?;
    let (section, name) = key.split_once('.').unwrap_or(("", key));
    let table = document.get(section).and_then(Item::as_table_like);
    Ok(table.is_some_and(|table| table.contains_key(name)))
}

fn toml(value: Value) -> Toml {
    match value {
        Value::Text(text) => text.into(),
        Value::List(list) => list.into_iter().collect::<Array>().into(),
        Value::Count(count) => i64::from(count).into(),
        Value::Dollars(sum) => sum.into(),
        Value::Flag(flag) => flag.into(),
    }
}

/// Returns the value of the variable `name` in the text of a `.env` file; the last one counts. `None` where it is absent or
/// empty.
pub fn dotenv(text: &str, name: &str) -> Option<String> {
    let mut values = dotenv_all(text)
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    values.next_back().filter(|value| !value.is_empty())
}

/// Returns the variables in the text of a `.env` file: `NAME=value`, also with `export`, quotes and comments.
pub fn dotenv_all(text: &str) -> impl DoubleEndedIterator<Item = (&str, String)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let (name, value) = line.split_once('=')?;
        Some((name.trim_end(), unquoted(value.trim())))
    })
}

fn unquoted(text: &str) -> String {
    if let Some((inside, _)) = text.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) {
        return inside.to_owned();
    }
    if let Some(rest) = text.strip_prefix('"') {
        return until_quote(rest);
    }
    let comment = if text.starts_with('#') {
        Some(0)
    } else {
        text.find(" #").or_else(|| text.find("\t#"))
    };
    text.get(..comment.unwrap_or(text.len()))
        .unwrap_or(text)
        .trim_end()
        .to_owned()
}

fn until_quote(text: &str) -> String {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some(escaped) => plain.push(escaped),
                None => break,
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
