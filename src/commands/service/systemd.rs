//! Systemd's programs: found on PATH, called with words and no shell, and what they say when they fail.
//!
//! Knows no unit by name.

use std::{collections::BTreeMap, io, path::Path, time::Duration};

use eyre::{Result, WrapErr as _};

use crate::{
    door::spawn::{self, Captured},
    engine::session::Session,
    fault::{Fault, Kind},
    unit::Scope,
};

/// Longer than a service may take to end.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// The systemd of a person or a machine.
pub(crate) struct Systemd<'s> {
    session: &'s Session,
    scope: Scope,
}

impl<'s> Systemd<'s> {
    /// Finds it.
    ///
    /// # Errors
    /// A fault where this machine has none.
    pub(crate) fn find(session: &'s Session, scope: Scope) -> Result<Self> {
        match spawn::find("systemctl".as_ref(), &session.env.for_git()) {
            Ok(_) => Ok(Self { session, scope }),
            Err(_) => Err(missing("systemctl").into()),
        }
    }

    /// Returns its version, where it says one that can be read.
    ///
    /// # Errors
    /// A fault where it cannot be reached.
    pub(crate) fn version(&self) -> Result<Option<u32>> {
        let said = self.ask(&["show", "--property=Version"])?;
        if said.code != 0 {
            return Err(self.unreachable(&said).into());
        }
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let digits = said.trim().trim_start_matches("Version=");
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        Ok(digits.get(..end).and_then(|digits| digits.parse().ok()))
    }

    fn unreachable(&self, said: &Captured) -> Fault {
        let whose = match self.scope {
            Scope::User => "your own systemd",
            Scope::System => "the machine's systemd",
        };
        let fault = Fault::new(Kind::Error, format!("{whose} does not answer: {}", last_words(said)));
        let fault = match self.scope {
            Scope::User => fault
                .hint("log in as this user by ssh or at the machine: `su` and `sudo` bring no systemd of theirs")
                .hint("or `sudo git invisigoth service install --system`"),
            Scope::System => fault,
        };
        fault.hint(WITHOUT)
    }

    /// Calls `systemctl`.
    ///
    /// # Errors
    /// When it does not start or end.
    pub(crate) fn ask(&self, args: &[&str]) -> Result<Captured> {
        let mut all = match self.scope {
            Scope::User => vec!["--user"],
            Scope::System => Vec::new(),
        };
        all.extend(args);
        call(self.session, "systemctl", &all).wrap_err_with(|| format!("calling `systemctl {}`", all.join(" ")))
    }

    /// Calls `systemctl`, which must succeed.
    ///
    /// # Errors
    /// A fault with what it said.
    pub(crate) fn order(&self, args: &[&str]) -> Result<()> {
        let said = self.ask(args)?;
        if said.code == 0 {
            return Ok(());
        }
        let words = args.join(" ");
        let fault = Fault::new(Kind::Error, format!("`systemctl {words}`: {}", last_words(&said)));
        let user = if self.scope == Scope::User { " --user" } else { "" };
        Err(fault
            .hint(format!("`systemctl{user} {words}` shows all that it says"))
            .into())
    }

    /// Reads properties of a unit.
    ///
    /// # Errors
    /// A fault where it cannot be reached.
    pub(crate) fn properties(&self, unit: &str, names: &[&str]) -> Result<BTreeMap<String, String>> {
        let wanted = format!("--property={}", names.join(","));
        let said = self.ask(&["show", unit, &wanted])?;
        if said.code != 0 {
            return Err(self.unreachable(&said).into());
        }
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

/// What to do where there is no systemd.
const WITHOUT: &str =
    "`git invisigoth run --forever` in tmux, or a line of cron: `0 22 * * 1-5 cd REPOSITORY && git invisigoth run`";

/// The fault of a machine without one of its programs.
pub(crate) fn missing(program: &str) -> Fault {
    Fault::new(
        Kind::Config,
        format!("there is no `{program}` here: services need systemd"),
    )
    .hint(WITHOUT)
}

/// Calls a program with its arguments; what it prints is untranslated.
///
/// # Errors
/// `NotFound` where there is none.
pub(crate) fn call(session: &Session, program: &str, args: &[&str]) -> io::Result<Captured> {
    spawn::run_captured(program, args, Path::new("/"), &session.env.for_git(), &[], Some(LIMIT))
}

/// The last line of what a program complained of, or printed.
pub(crate) fn last_words(said: &Captured) -> String {
    let text = [&said.stderr, &said.stdout].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    let line = text.iter().find_map(|text| text.lines().last().map(str::to_owned));
    line.unwrap_or_else(|| format!("it ended with {}", said.code))
}
