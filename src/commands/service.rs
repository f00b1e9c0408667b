//! `service`: a run as a service of systemd. One file per verb, in `systemd` how its programs are called, in `found` what a
//! unit is made from here.
//!
//! Starts no run itself, and changes nothing of a repository.

pub mod control;
mod found;
pub mod install;
pub mod logs;
pub mod status;
mod systemd;
pub mod uninstall;

use std::path::{Path, PathBuf};

use eyre::Result;

use crate::{
    door::{env, fs},
    engine::session::Session,
    fault::{Fault, Kind},
    unit::{Scope, names::Names},
};

/// Where the machine's own units are.
const SYSTEM: &str = "/etc/systemd/system";

/// The units of this repository.
struct Units {
    scope: Scope,
    /// The repository's folder, its real path.
    top: PathBuf,
    /// The folder of units.
    folder: PathBuf,
    names: Names,
}

impl Units {
    fn of(session: &Session, scope: Scope) -> Result<Self> {
        let repo = session.repo();
        let top = repo.workdir().unwrap_or_else(|| repo.common_dir());
        let top = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        let folder = match scope {
            Scope::System => PathBuf::from(SYSTEM),
            Scope::User => session
                .env
                .config_home()
                .map(|home| home.join("systemd/user"))
                .ok_or_else(|| Fault::new(Kind::Config, "HOME is not set, so there is no place for units"))?,
        };
        Ok(Self {
            scope,
            names: Names::of(&top),
            top,
            folder,
        })
    }

    fn is_installed(&self) -> bool {
        self.folder.join(self.names.repository()).exists()
    }

    fn has_timer(&self) -> bool {
        self.folder.join(self.names.schedule()).exists()
    }

    /// The unit that is enabled: what begins without a person.
    fn first(&self) -> String {
        if self.has_timer() {
            self.names.timer()
        } else {
            self.names.service()
        }
    }

    fn installed(self) -> Result<Self> {
        if self.is_installed() {
            return Ok(self);
        }
        let message = format!("there is no service for {}", self.top.display());
        let fault = Fault::new(Kind::Config, message);
        let other = match self.scope {
            Scope::User => Path::new(SYSTEM).join(self.names.repository()).exists(),
            Scope::System => false,
        };
        let hint = if other {
            "there is one of the machine's: add `--system`".to_owned()
        } else {
            format!("`git invisigoth service install{}`", flag(self.scope))
        };
        Err(fault.hint(hint).into())
    }
}

/// Whose systemd, as typed on our command line.
fn flag(scope: Scope) -> &'static str {
    match scope {
        Scope::User => "",
        Scope::System => " --system",
    }
}

/// Only root changes the machine's own units.
fn allowed(scope: Scope, verb: &str) -> Result<()> {
    if scope == Scope::System && env::user_id() != 0 {
        let fault = Fault::new(Kind::Usage, "only root changes services of the machine");
        let fault = fault.hint(format!("`sudo git invisigoth service {verb} --system`"));
        return Err(fault.hint("without `--system` it is a service of your own").into());
    }
    Ok(())
}

/// Removes folders that are empty, from `folder` up to `end`, which stays.
fn remove_empty(folder: &Path, end: &Path) {
    for folder in folder
        .ancestors()
        .take_while(|above| above.starts_with(end) && *above != end)
    {
        fs::script::remove_empty(folder);
    }
}
