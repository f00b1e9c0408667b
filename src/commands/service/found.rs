//! What the units of a repository are made from, as it is found here: whose it is, what it reads and writes, what PATH is.
//!
//! Looks only; the words are `unit`'s.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr as _};

use crate::{
    commands::service::{Units, systemd},
    door::{env, fs, program, spawn},
    engine::session::Session,
    fault::{Fault, Kind},
    fence::{config, tools::Tools},
    unit::{Key, Scope, Setup, When},
};

/// What only a program at work or a login says.
const OF_THE_MOMENT: [&str; 6] = ["CI", "HOME", "LOGNAME", "TERM", "TMPDIR", "USER"];

/// Where a person's own folders are, where they say so.
const FOLDERS: [&str; 4] = ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"];

/// What the service does not see, but for what is named.
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/// Who the service is.
struct Owner {
    uid: u32,
    /// What systemd is told, where it must be told.
    user: Option<String>,
    home: Option<PathBuf>,
}

/// Puts together what the units say.
///
/// # Errors
/// When something cannot be found out.
pub(crate) fn setup(
    session: &Session,
    units: &Units,
    version: Option<u32>,
    (when, key): (When, Option<Key>),
) -> Result<Setup> {
    let owner = owner(session, units)?;
    let program = program::file().wrap_err("finding this program")?;
    let vars = variables(session, units.scope, owner.home.as_deref());
    let tools = Tools::new(&vars);
    let caches = tools.caches().into_iter().map(|cache| cache.place);
    let mut readable = tools.folders();
    readable.extend(
        owner
            .home
            .iter()
            .flat_map(|home| config::FILES.iter().map(|name| home.join(name))),
    );
    let config = match units.scope {
        Scope::User => session.env.config_home(),
        Scope::System => owner.home.as_ref().map(|home| home.join(".config")),
    };
    readable.extend(
        config
            .iter()
            .flat_map(|home| ["git", "invisigoth"].map(|name| home.join(name))),
    );
    readable.push(program.clone());
    readable.retain(|path| path.exists() && is_hidden(path) && !path.starts_with(&units.top));
    readable.sort();
    readable.dedup();
    Ok(Setup {
        scope: units.scope,
        version,
        program,
        top: units.top.clone(),
        is_root: owner.uid == 0,
        user: owner.user,
        when,
        key,
        env: said(session, units.scope, &vars)?,
        writable: writable(session, units),
        caches: caches.filter(|path| !path.starts_with(&units.top)).collect(),
        readable,
    })
}

fn is_hidden(path: &Path) -> bool {
    HIDDEN.iter().any(|folder| path.starts_with(folder))
}

/// A service of the machine is whoever the repository belongs to.
fn owner(session: &Session, units: &Units) -> Result<Owner> {
    if units.scope == Scope::User {
        return Ok(Owner {
            uid: env::user_id(),
            user: None,
            home: session.env.home(),
        });
    }
    let (uid, _) = fs::owner_and_mode(&units.top).wrap_err_with(|| units.top.display().to_string())?;
    let number = uid.to_string();
    let said = systemd::call(session, "getent", &["passwd", &number]).ok();
    let line = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    let fields: Vec<&str> = line.as_deref().unwrap_or_default().trim_end().split(':').collect();
    let (name, home) = match fields.as_slice() {
        [name, _, _, _, _, home, ..] => ((*name).to_owned(), Some(PathBuf::from(home))),
        _ => (number, None),
    };
    Ok(Owner {
        uid,
        user: Some(name).filter(|_| uid != 0),
        home: home.filter(|home| home.is_absolute() && home.parent().is_some()),
    })
}

/// What says where toolchains are, for the one whose service it is.
fn variables(session: &Session, scope: Scope, home: Option<&Path>) -> Vec<(OsString, OsString)> {
    let all = session.env.for_checks(&[]);
    if scope == Scope::User {
        return all;
    }
    // Whoever installs it is root; only where programs are, and how people write, holds for others too.
    let holds = |name: &OsString| name == "PATH" || name == "TZ" || name == "LANG";
    let kept = all.into_iter().filter(|(name, _)| holds(name));
    kept.chain(home.map(|home| ("HOME".into(), home.into()))).collect()
}

/// What the unit's environment holds. No value with a key in it is written down.
fn said(session: &Session, scope: Scope, vars: &[(OsString, OsString)]) -> Result<Vec<(String, String)>> {
    let mut said = Vec::new();
    for (name, value) in vars {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            if name == "PATH" {
                return Err(Fault::new(Kind::Error, "PATH is not UTF-8, and units of systemd are").into());
            }
            continue;
        };
        said.push((name.to_owned(), value.to_owned()));
    }
    if scope == Scope::User {
        let folders = FOLDERS.iter().filter_map(|name| Some((name, session.env.get(name)?)));
        said.extend(folders.map(|(name, value)| ((*name).to_owned(), value.to_owned())));
    }
    // Nobody is there to see that checks run without a fence.
    let sandbox = session.settings(&session.repo())?.check.sandbox;
    if sandbox == "auto" && spawn::find("bwrap".as_ref(), vars).is_ok() {
        said.push(("INVISIGOTH_CHECK_SANDBOX".to_owned(), "bwrap".to_owned()));
    }
    said.retain(|(name, value)| {
        let is_odd = value.contains(char::is_control) && name != "PATH";
        let is_plain = session.redactor.clean(value).as_str() == value;
        !OF_THE_MOMENT.contains(&name.as_str()) && is_plain && !is_odd
    });
    Ok(said)
}

fn writable(session: &Session, units: &Units) -> Vec<PathBuf> {
    let repo = session.repo();
    let common = repo
        .common_dir()
        .canonicalize()
        .unwrap_or_else(|_| repo.common_dir().to_owned());
    // The main checkout of a linked one may be what follows a landing.
    let main = common.parent().filter(|_| common.ends_with(".git")).map(Path::to_owned);
    let git = main.unwrap_or(common);
    let mut all = vec![units.top.clone()];
    if !git.starts_with(&units.top) {
        all.push(git);
    }
    if units.scope == Scope::User {
        all.extend(own_folders(session));
    }
    all
}

/// The folders of ours that a service of a person writes.
pub(crate) fn own_folders(session: &Session) -> Vec<PathBuf> {
    let homes = [session.env.cache_home(), session.env.state_home()];
    homes
        .into_iter()
        .flatten()
        .map(|home| home.join("invisigoth"))
        .collect()
}
