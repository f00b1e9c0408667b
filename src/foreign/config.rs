//! The original's `config.yaml`: which of its keys are settings here. Keys to endpoints are never copied.

use saphyr_parser::{Event, Parser};

use crate::{foreign::ForeignError, settings::keys::KEYS};

/// What becomes of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is the setting `key`.
    Setting {
        /// As in `invisigoth.toml`.
        key: &'static str,
        /// As on the command line.
        value: String,
    },
    /// It is a setting that counts only outside tracked files.
    Own {
        /// The setting.
        key: &'static str,
        /// Its value there.
        value: String,
    },
    /// It holds a secret, and stays where it is.
    Secret,
    /// There is nothing like it here.
    Unknown,
}

/// One key of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its path, with dots.
    pub path: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// The original's keys whose name is another one here.
const NAMES: &[(&str, &str)] = &[
    ("llm_provider", "llm.provider"),
    ("provider", "llm.provider"),
    ("model", "llm.model"),
    ("base_url", "llm.base_url"),
    ("llm.endpoint", "llm.base_url"),
    ("rate_limits.daily_limit", "budget.day_max_tokens"),
    ("rate_limits.per_goal_limit", "budget.goal_max_tokens"),
];

/// Where a walk through the events is: within a mapping, with the key whose value comes next, or within a list.
enum Level {
    Mapping(Option<String>),
    Sequence,
}

/// Reads the file.
///
/// # Errors
/// Where it is no YAML, with the line.
pub fn read(document: &str) -> Result<Vec<Entry>, ForeignError> {
    let mut entries = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    let mut push = |levels: &mut Vec<Level>, value: Option<&str>| {
        let path = path(levels);
        if let Some(Level::Mapping(key)) = levels.last_mut() {
            *key = None;
        }
        if !path.is_empty() {
            let fate = fate(&path, value);
            entries.push(Entry { path, fate });
        }
    };
    // Events, not a tree: an alias is never expanded, so that no short file becomes a large one.
    for event in Parser::new_from_str(document.strip_prefix('\u{feff}').unwrap_or(document)) {
        let (event, _) = event.map_err(|error| ForeignError::Broken {
            line: error.marker().line(),
            why: format!("broken YAML: {}", error.info()),
        })?;
        match event {
            Event::MappingStart(..) => levels.push(Level::Mapping(None)),
            Event::SequenceStart(..) => levels.push(Level::Sequence),
            Event::MappingEnd => {
                levels.pop();
                ended(&mut levels);
            }
            Event::SequenceEnd => {
                levels.pop();
                push(&mut levels, None);
            }
            Event::Scalar(text, ..) => match levels.last_mut() {
                Some(Level::Mapping(key @ None)) => *key = Some(text.into_owned()),
                Some(Level::Mapping(Some(_))) => push(&mut levels, Some(&text)),
                Some(Level::Sequence) | None => {}
            },
            Event::Alias(_) => match levels.last_mut() {
                Some(Level::Mapping(key @ None)) => *key = Some("*".to_owned()),
                Some(Level::Mapping(Some(_))) => push(&mut levels, None),
                Some(Level::Sequence) | None => {}
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
    }
    Ok(entries)
}

/// The value of the key around is over.
fn ended(levels: &mut [Level]) {
    if let Some(Level::Mapping(key)) = levels.last_mut() {
        *key = None;
    }
}

fn path(levels: &[Level]) -> String {
    let names = levels.iter().filter_map(|level| match level {
        Level::Mapping(key) => key.as_deref(),
        Level::Sequence => Some("[]"),
    });
    names.collect::<Vec<_>>().join(".")
}

fn fate(path: &str, value: Option<&str>) -> Fate {
    let last = path.rsplit('.').next().unwrap_or(path).to_ascii_lowercase();
    let secret = ["key", "token", "secret", "password"]
        .iter()
        .any(|word| last == *word || last.ends_with(&format!("_{word}")));
    if secret {
        return Fate::Secret;
    }
    let named = NAMES
        .iter()
        .find(|(theirs, _)| *theirs == path)
        .map_or(path, |(_, ours)| ours);
    let key = KEYS.iter().find(|key| key.name == named);
    match (key, value) {
        (Some(key), Some(value)) if key.own_only => Fate::Own {
            key: key.name,
            value: value.to_owned(),
        },
        (Some(key), Some(value)) => Fate::Setting {
            key: key.name,
            value: value.to_owned(),
        },
        _ => Fate::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_mapped_and_secrets_stay() {
        let text = "# c\nllm:\n  provider: openrouter\n  api_key: \"abc\"\n  model: \"gpt-4\"\n  base_url: http://x\n\
                    rate_limits:\n  daily_limit: 250000\n  monthly_limit: 7\nlist:\n  - a\n  - b: 1\nlast: &x 1\nother: [*x, *x]\n";
        let setting = |key: &'static str, value: &str| Fate::Setting {
            key,
            value: value.to_owned(),
        };
        let own = Fate::Own {
            key: "llm.base_url",
            value: "http://x".into(),
        };
        let want = [
            ("llm.provider", setting("llm.provider", "openrouter")),
            ("llm.api_key", Fate::Secret),
            ("llm.model", setting("llm.model", "gpt-4")),
            ("llm.base_url", own),
            ("rate_limits.daily_limit", setting("budget.day_max_tokens", "250000")),
            ("rate_limits.monthly_limit", Fate::Unknown),
            ("list.[].b", Fate::Unknown),
            ("list", Fate::Unknown),
            ("last", Fate::Unknown),
            ("other", Fate::Unknown),
        ];
        let want: Vec<Entry> = want
            .into_iter()
            .map(|(path, fate)| Entry {
                path: path.into(),
                fate,
            })
            .collect();
        assert_eq!(read(text).unwrap(), want);
        assert_eq!(read("").unwrap(), []);
        assert!(read("a: [1\nb: 2").unwrap_err().to_string().contains("broken YAML"));
    }
}
