//! Levels: how much a line matters, and which lines are wanted, as `INVISIGOTH_LOG` says. Reads no environment.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What diagnostics are about; `run` is what every run says of itself.
pub const TARGETS: [&str; 6] = ["run", "git", "provider", "check", "claim", "queue"];

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something failed.
    Error,
    /// A person may want to look.
    Warn,
    /// What goes on.
    Info,
    /// How it goes on.
    Debug,
    /// Every detail.
    Trace,
}

impl Level {
    /// Every level, the gravest first.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Returns its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    /// Returns its number in the system log, as sd-daemon(3) has it.
    pub fn priority(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warn => 4,
            Self::Info => 6,
            Self::Debug | Self::Trace => 7,
        }
    }
}

/// Which lines are wanted: those of a level or graver, by target where one is named. `None` is `off`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Of every target that is not named.
    pub all: Option<Level>,
    /// Of these.
    pub of: Vec<(&'static str, Option<Level>)>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            all: Some(Level::Info),
            of: Vec::new(),
        }
    }
}

impl Wanted {
    /// True where a line of `level` about `target` is wanted.
    pub fn has(&self, target: &str, level: Level) -> bool {
        let named = self.of.iter().rev().find(|(name, _)| *name == target);
        let most = named.map_or(self.all, |(_, most)| *most);
        most.is_some_and(|most| level <= most)
    }

    /// True where no line is wanted.
    pub fn is_off(&self) -> bool {
        self.all.is_none() && self.of.iter().all(|(_, most)| most.is_none())
    }
}

/// Words that name no lines.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadWanted {
    /// Neither a level nor a target.
    #[error("`{0}` is no level")]
    Level(String),
    /// A level of something that nothing is said about.
    #[error("nothing is said about `{0}`")]
    Target(String),
}

/// Reads `LEVEL` and `TARGET=LEVEL`, apart by commas. A target alone means all that is said about it.
impl FromStr for Wanted {
    type Err = BadWanted;

    fn from_str(text: &str) -> Result<Self, BadWanted> {
        let mut wanted = Self {
            all: None,
            of: Vec::new(),
        };
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let known = |name: &str| TARGETS.into_iter().find(|target| *target == name);
            match part.split_once('=') {
                None => match known(part) {
                    Some(target) => wanted.of.push((target, Some(Level::Trace))),
                    None => wanted.all = most(part)?,
                },
                Some((target, level)) => {
                    let target = target.trim();
                    let named = known(target).ok_or_else(|| BadWanted::Target(target.to_owned()))?;
                    wanted.of.push((named, most(level.trim())?));
                }
            }
        }
        Ok(wanted)
    }
}

fn most(word: &str) -> Result<Option<Level>, BadWanted> {
    if word.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let found = Level::ALL
        .into_iter()
        .find(|level| level.word().eq_ignore_ascii_case(word));
    found.map(Some).ok_or_else(|| BadWanted::Level(word.to_owned()))
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_targets_are_read() {
        let wanted: Wanted = "Info, provider=debug,git=off".parse().unwrap();
        let has = |target, level| wanted.has(target, level);
        assert!(has("run", Level::Info) && !has("run", Level::Debug));
        assert!(has("provider", Level::Debug) && !has("provider", Level::Trace));
        assert!(!has("git", Level::Error));
        let only: Wanted = "queue".parse().unwrap();
        assert!(only.has("queue", Level::Trace) && !only.has("run", Level::Error) && !only.is_off());
        assert!("off,git=off".parse::<Wanted>().unwrap().is_off());
    }

    #[test]
    fn what_names_no_lines_is_said() {
        for (text, why) in [
            ("debg", "`debg` is no level"),
            ("info,provider=loud", "`loud` is no level"),
            ("providr=debug", "nothing is said about `providr`"),
            ("=debug", "nothing is said about ``"),
        ] {
            assert_eq!(text.parse::<Wanted>().unwrap_err().to_string(), why, "{text}");
        }
    }
}
