//! Colours: which parts stand out. Never carries meaning alone: a word always says the same.

use crate::schedule::State;

/// How a part of a line stands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// It went well.
    Good,
    /// It did not.
    Bad,
    /// A person should look.
    Warn,
    /// It is going on.
    Live,
    /// Beside the point.
    Dim,
    /// A heading.
    Bold,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "\u{1b}[32m",
            Self::Bad => "\u{1b}[31m",
            Self::Warn => "\u{1b}[33m",
            Self::Live => "\u{1b}[36m",
            Self::Dim => "\u{1b}[2m",
            Self::Bold => "\u{1b}[1m",
        }
    }

    /// Returns how a goal's state stands out.
    pub fn of(state: State) -> Self {
        match state {
            State::Landed => Self::Good,
            State::Failed | State::Parked | State::Rejected => Self::Bad,
            State::Held | State::Proposed => Self::Warn,
            State::Running | State::Candidate => Self::Live,
            State::Ready => Self::Bold,
            State::Blocked => Self::Dim,
        }
    }
}

/// Paints, or leaves text as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Paint {
    /// Whether it paints.
    pub on: bool,
}

impl Paint {
    /// Returns `text` painted; spaces at its end stay plain.
    pub fn paint(self, style: Style, text: &str) -> String {
        let word = text.trim_end();
        if !self.on || word.is_empty() {
            return text.to_owned();
        }
        let gap = text.strip_prefix(word).unwrap_or_default();
        format!("{}{word}\u{1b}[0m{gap}", style.code())
    }
}

/// When to use colour, as `--color` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum When {
    /// On a terminal that can show it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Decides for one stream: `--color`, then `NO_COLOR`, `CLICOLOR_FORCE`, what git is `told`, `TERM=dumb`, then whether a terminal
/// or git's pager is behind it (`is_seen`).
pub fn decide<'a>(when: When, var: impl Fn(&str) -> Option<&'a str>, told: Option<When>, is_seen: bool) -> Paint {
    let set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
    let forced = var("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    let on = match (when, told) {
        (When::Always, _) => true,
        (When::Never, _) => false,
        (When::Auto, _) if set("NO_COLOR") => false,
        (When::Auto, _) if forced => true,
        (When::Auto, Some(When::Always)) => true,
        (When::Auto, Some(When::Never)) => false,
        (When::Auto, _) => is_seen && var("TERM") != Some("dumb"),
    };
    Paint { on }
}

/// Decides for what git prints itself, which knows only its own configuration; `None` where that decides.
pub fn beyond_git<'a>(when: When, var: impl Fn(&str) -> Option<&'a str>) -> Option<bool> {
    let seen = [false, true].map(|is_seen| decide(when, &var, None, is_seen).on);
    let by_dumb = when == When::Auto && seen == [false, false] && var("NO_COLOR").is_none_or(str::is_empty);
    match seen {
        [one, other] if one == other && !by_dumb => Some(one),
        _ => None,
    }
}

/// True where git shows what we print in a pager.
pub fn is_paged<'a>(var: impl Fn(&str) -> Option<&'a str>) -> bool {
    var("GIT_PAGER_IN_USE").is_some_and(|value| matches!(value, "true" | "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(when: When, vars: &[(&'static str, &'static str)], told: Option<When>, is_seen: bool) -> bool {
        let var = |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        decide(when, var, told, is_seen).on
    }

    #[test]
    fn the_flag_beats_no_color_which_beats_force_which_beats_git_which_beats_the_terminal() {
        let (never, always) = (Some(When::Never), Some(When::Always));
        assert!(on(When::Always, &[("NO_COLOR", "1")], never, false));
        assert!(!on(When::Never, &[("CLICOLOR_FORCE", "1")], always, true));
        assert!(!on(
            When::Auto,
            &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
            always,
            true
        ));
        assert!(on(
            When::Auto,
            &[("NO_COLOR", ""), ("CLICOLOR_FORCE", "1")],
            never,
            false
        ));
        assert!(on(
            When::Auto,
            &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")],
            None,
            false
        ));
        assert!(!on(When::Auto, &[("CLICOLOR_FORCE", "0")], None, false));
        assert!(on(When::Auto, &[("TERM", "dumb")], always, false));
        assert!(!on(When::Auto, &[], never, true));
        for told in [None, Some(When::Auto)] {
            assert!(on(When::Auto, &[], told, true));
            assert!(!on(When::Auto, &[("TERM", "dumb")], told, true));
            assert!(!on(When::Auto, &[], told, false));
        }
    }

    #[test]
    fn git_is_told_what_it_does_not_know() {
        let told = |when: When, vars: &'static [(&'static str, &'static str)]| {
            let var = move |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            beyond_git(when, var)
        };
        assert_eq!(told(When::Auto, &[]), None);
        assert_eq!(told(When::Auto, &[("TERM", "dumb")]), None);
        assert_eq!(told(When::Auto, &[("NO_COLOR", "1")]), Some(false));
        assert_eq!(told(When::Auto, &[("CLICOLOR_FORCE", "1")]), Some(true));
        assert_eq!(told(When::Always, &[("NO_COLOR", "1")]), Some(true));
        assert_eq!(told(When::Never, &[]), Some(false));
    }

    #[test]
    fn padding_is_not_painted() {
        assert_eq!(Paint { on: true }.paint(Style::Good, "ok  "), "\u{1b}[32mok\u{1b}[0m  ");
        assert_eq!(Paint { on: false }.paint(Style::Good, "ok  "), "ok  ");
    }
}
