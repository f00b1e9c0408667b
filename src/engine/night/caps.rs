//! Caps that are raised while a night waits: what `budget raise` and people set since it began goes before its own flags and
//! environment. Owns which caps were told; what fits is the ledger's.

use std::path::PathBuf;

use eyre::Result;

use crate::{
    door::fs::Stamp,
    engine::{
        night::look,
        purse::Purse,
        session::Session,
        spending::{self, Refusal},
        target::Target,
    },
    money::{
        caps::{Scope, What},
        ledger,
    },
    settings::Budget,
};

/// Returns the caps that files say, whatever this process was told.
///
/// # Errors
/// When settings or the target cannot be read.
pub fn configured(session: &Session) -> Result<Budget> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    Ok(session.configured_at(&repo, target.tip)?.budget)
}

/// Returns the caps that files say now and did not say `before`, as settings.
pub fn told(before: &Budget, now: &Budget) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for scope in [Scope::Run, Scope::Day, Scope::Goal] {
        for what in What::ALL {
            let (was, is) = (what.cap(&scope.caps(before)), what.cap(&scope.caps(now)));
            let key = scope.key(what).replace('-', "_");
            let name = key.trim_start_matches("invisigoth.").to_owned();
            told.extend(is.filter(|_| is != was).map(|cap| (name, cap.to_string())));
        }
    }
    told
}

/// A cap that is waited for.
pub struct Waiting<'a> {
    first: &'a Session,
    before: &'a Budget,
    purse: &'a Purse,
    refusal: Refusal,
    files: Vec<PathBuf>,
    seen: Vec<Option<Stamp>>,
    day: String,
}

impl<'a> Waiting<'a> {
    /// Begins to wait; `before` are the caps that files said when the night began.
    pub fn begin(first: &'a Session, before: &'a Budget, purse: &'a Purse, refusal: Refusal) -> Self {
        let repo = first.repo();
        let mut files = look::settings(first, &repo);
        files.push(spending::file(first, &repo));
        // What is tracked counts when it is committed.
        files.push(repo.common_dir().join("refs/heads"));
        let mut waiting = Self {
            first,
            before,
            purse,
            refusal,
            seen: Vec::new(),
            files,
            day: String::new(),
        };
        waiting.has_moved();
        waiting
    }

    fn has_moved(&mut self) -> bool {
        let day = ledger::day(&self.first.clock.now().rfc3339()).to_owned();
        let seen = look::stamps(self.files.iter());
        let has = (&seen, &day) != (&self.seen, &self.day);
        (self.seen, self.day) = (seen, day);
        has
    }

    /// True where the call that was refused fits now. Unless it looks `closely`, it reads only where stamps or the day moved.
    ///
    /// # Errors
    /// When settings or the ledger cannot be read.
    pub fn fits(&mut self, closely: bool) -> Result<bool> {
        if !self.has_moved() && !closely {
            return Ok(false);
        }
        let fresh = self.first.again(&[])?;
        let fresh = fresh.again(&told(self.before, &configured(&fresh)?))?;
        let repo = fresh.repo();
        let tip = Target::read(&fresh, &repo)?.tip;
        let budget = fresh.settings_at(&repo, Some(tip))?.settings.budget;
        match self.purse.opened() {
            Some(spending) => Ok(spending.still(&self.refusal, &budget)?.is_none()),
            None => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Caps;

    #[test]
    fn only_caps_that_files_say_anew_are_told() {
        let caps = |usd, calls| Caps {
            usd,
            calls,
            ..Caps::default()
        };
        let before = Budget {
            run: caps(Some(1.5), Some(3)),
            day: caps(Some(9.0), None),
            ..Budget::default()
        };
        let now = Budget {
            run: caps(Some(2.5), Some(3)),
            day: caps(None, Some(7)),
            ..Budget::default()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let want = [pair("budget.max_usd", "2.5"), pair("budget.day_max_calls", "7")];
        assert_eq!(told(&before, &now), want);
        assert!(told(&now, &now).is_empty());
    }
}
