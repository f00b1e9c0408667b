//! Taste: what a person told git about colours and pagers, and the pager itself. Decides nothing: `cli` does.

use std::path::{Path, PathBuf};

use crate::{
    door::env::Env,
    git::{Repo, Shared, command, config},
};

/// When to use colour, as a person told git.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// Where a terminal or a pager shows it.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What git's configuration says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Taste {
    /// `color.invisigoth`, else `color.ui`.
    pub colour: Option<Colour>,
    /// `color.pager` says that the pager knows no colours.
    pub is_pager_plain: bool,
    /// `pager.invisigoth` as a switch.
    pub pages: Option<bool>,
    /// `pager.invisigoth` as a pager.
    pub pager: Option<String>,
}

impl Taste {
    /// Reads it in `place`; nothing is known where there is no repository.
    pub fn read(place: &Path, env: &Env) -> Self {
        let said = env.get("GIT_CONFIG_PARAMETERS");
        let overrides = said.map(config::parse_parameters).unwrap_or_default();
        match Shared::open(place, overrides) {
            Ok(shared) => Self::of(&shared.repo()),
            Err(_) => Self::default(),
        }
    }

    fn of(repo: &Repo) -> Self {
        let value = |key: &str| config::value(repo, key);
        let pager = value("pager.invisigoth");
        let pages = pager.as_deref().and_then(truth);
        let colour = value("color.invisigoth").or_else(|| value("color.ui"));
        Self {
            colour: colour.as_deref().and_then(colour_of),
            is_pager_plain: value("color.pager").as_deref().and_then(truth) == Some(false),
            pages,
            pager: pager.filter(|_| pages.is_none()),
        }
    }
}

/// As git reads it: what is true is `auto`.
fn colour_of(value: &str) -> Option<Colour> {
    match value.to_ascii_lowercase().as_str() {
        "always" => Some(Colour::Always),
        "never" => Some(Colour::Never),
        "auto" => Some(Colour::Auto),
        value => truth(value).map(|on| if on { Colour::Auto } else { Colour::Never }),
    }
}

/// As git reads a switch.
fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" | "" => Some(false),
        number => number.parse::<i64>().ok().map(|number| number != 0),
    }
}

/// A pager and where it starts.
#[derive(Clone)]
pub struct Pager {
    env: Env,
    place: PathBuf,
    line: String,
}

impl Pager {
    /// Finds the pager as git does: `GIT_PAGER`, the one that `taste` names, then its other ways; `None` where nothing is to be paged.
    pub fn find(place: &Path, env: &Env, taste: &Taste) -> Option<Self> {
        if taste.pages == Some(false) {
            return None;
        }
        let named = taste.pager.as_ref().filter(|_| env.get("GIT_PAGER").is_none());
        let line = match named {
            Some(line) => line.clone(),
            None => command::pager(env, place)?,
        };
        Some(Self {
            env: env.clone(),
            place: place.to_owned(),
            line,
        })
    }

    /// Returns its line of shell.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// Shows `text`; false where it cannot be started.
    pub fn show(&self, text: &str) -> bool {
        command::page(&self.env, &self.place, &self.line, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_git_reads_them() {
        let all = ["always", "Never", "auto", "true", "1", "false", "0", "off", "purple"].map(colour_of);
        use Colour::{Always, Auto, Never};
        let expected = [Always, Never, Auto, Auto, Auto, Never, Never, Never].map(Some);
        assert_eq!((&all[..8], all[8]), (&expected[..], None));
        assert_eq!(truth("less -S"), None);
    }
}
