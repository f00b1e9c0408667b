//! `service install`: writes the units of this repository, and has systemd start it by itself.
//!
//! Writes over nothing that a person wrote or changed unless told to; starts nothing unless told to.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands::{
        self,
        service::{
            Units, allowed, flag, found, remove_empty,
            systemd::{self, Systemd},
        },
    },
    door::{env, fs},
    engine::session::Session,
    fault::{Fault, Kind},
    layers::file,
    quote::quoted,
    unit::{
        self, Key, Scope, Setup, When,
        mark::{self, Whose},
    },
};

/// What to install.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose systemd.
    pub scope: Scope,
    /// When it works.
    pub when: When,
    /// Where its key comes from.
    pub key: Option<Key>,
    /// Start it, too.
    pub now: bool,
    /// Write also over what a person changed.
    pub force: bool,
    /// Only show what would be written.
    pub print: bool,
}

/// A file of units.
#[derive(Debug, Serialize)]
pub struct Written {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub content: String,
    /// Whether it was so already.
    pub unchanged: bool,
}

/// What was installed.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The unit that systemd starts by itself.
    pub unit: String,
    /// When a timer starts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// The files.
    pub files: Vec<Written>,
    /// Whether only shown.
    pub printed: bool,
    /// Whether it was started.
    pub started: bool,
    /// What may keep it from working, and what to do about it.
    pub warnings: Vec<String>,
    /// What our command line says for whose systemd it is.
    #[serde(skip)]
    pub flag: &'static str,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.service-install/1";
}

/// Installs the service.
///
/// # Errors
/// A fault where there is no systemd that answers, something cannot be written, or a person wrote there.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let units = Units::of(session, request.scope)?;
    if request.print {
        let version = Systemd::find(session, request.scope).and_then(|systemd| systemd.version());
        return prepare(session, &units, request, version.ok().flatten());
    }
    allowed(request.scope, "install")?;
    let systemd = Systemd::find(session, request.scope)?;
    check_calendar(session, request.when.calendar.as_deref())?;
    let mut outcome = prepare(session, &units, request, systemd.version()?)?;
    let stale = stale(&units, &outcome.files);
    for path in outcome
        .files
        .iter()
        .filter(|file| !file.unchanged)
        .map(|file| &file.path)
        .chain(&stale)
    {
        if !request.force {
            keep_theirs(path)?;
        }
    }
    if units.is_installed() && units.first() != outcome.unit {
        // Else both would start it. A service that runs goes on; a timer that waits ends.
        let now: &[&str] = if units.has_timer() { &["--now"] } else { &[] };
        systemd.order(&[&["disable"], now, &[units.first().as_str()]].concat())?;
    }
    if request.scope == Scope::User {
        for folder in found::own_folders(session) {
            fs::create_private_dir_all(&folder).wrap_err_with(|| format!("making {}", folder.display()))?;
        }
    }
    for file in outcome.files.iter().filter(|file| !file.unchanged) {
        write(file)?;
    }
    for path in &stale {
        fs::remove_if_there(path).wrap_err_with(|| format!("removing {}", path.display()))?;
        remove_empty(path.parent().unwrap_or(path), &units.folder);
    }
    systemd.order(&["daemon-reload"])?;
    let enable: &[&str] = if request.now { &["enable", "--now"] } else { &["enable"] };
    systemd.order(&[enable, &[outcome.unit.as_str()]].concat())?;
    outcome.started = request.now;
    if request.scope == Scope::User {
        outcome.warnings.extend(lingering(session));
    }
    Ok(outcome)
}

fn prepare(session: &Session, units: &Units, request: &Request, version: Option<u32>) -> Result<Outcome> {
    let key = request.key.clone();
    let setup = found::setup(session, units, version, (request.when.clone(), key))?;
    let files = unit::files(&setup, &units.names).map_err(|unfit| {
        Fault::new(Kind::Config, unfit.to_string()).hint("give the folder or file another name, and try again")
    })?;
    let mut written = Vec::new();
    for (name, content) in files {
        let path = units.folder.join(name);
        let there = fs::read(&path).wrap_err_with(|| format!("reading {}", path.display()))?;
        written.push(Written {
            unchanged: there.as_deref() == Some(content.as_bytes()),
            path,
            content,
        });
    }
    let unit = match &request.when.calendar {
        Some(_) => units.names.timer(),
        None => units.names.service(),
    };
    Ok(Outcome {
        unit,
        calendar: request.when.calendar.clone(),
        files: written,
        printed: request.print,
        started: false,
        warnings: warnings(session, &setup)?,
        flag: flag(request.scope),
    })
}

/// Files of this repository that an earlier installation wrote and this one does not: those of a timer.
fn stale(units: &Units, files: &[Written]) -> Vec<PathBuf> {
    let timer = units.folder.join(units.names.schedule());
    let is_wanted = files.iter().any(|file| file.path == timer);
    let stale = (!is_wanted && timer.exists()).then_some(timer);
    stale.into_iter().collect()
}

fn keep_theirs(path: &Path) -> Result<()> {
    let there = fs::read(path).wrap_err_with(|| format!("reading {}", path.display()))?;
    let Some(there) = there else { return Ok(()) };
    let what = match mark::whose(&String::from_utf8_lossy(&there)) {
        Whose::Ours => return Ok(()),
        Whose::Edited => "was changed by hand since it was written",
        Whose::Theirs => "is there already, and not ours",
    };
    let fault = Fault::new(Kind::Error, format!("{} {what}; nothing was written", path.display()));
    let fault = fault.hint("put your lines into a file of their own beside it: `systemctl edit` does that");
    Err(fault
        .hint("`git invisigoth service install --force …` writes it anew")
        .into())
}

fn write(file: &Written) -> Result<()> {
    file.path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write_atomic(&file.path, file.content.as_bytes()))
        .wrap_err_with(|| format!("writing {}", file.path.display()))
}

/// A line that systemd cannot read it leaves out, and then starts at the wrong time.
fn check_calendar(session: &Session, calendar: Option<&str>) -> Result<()> {
    let Some(calendar) = calendar else { return Ok(()) };
    match systemd::call(
        session,
        "systemd-analyze",
        &["calendar", "--iterations=1", "--", calendar],
    ) {
        Ok(said) if said.code != 0 => {
            let why = systemd::last_words(&said);
            let fault = Fault::new(Kind::Usage, format!("systemd does not understand `{calendar}`: {why}"));
            Err(fault
                .hint("such as `--on-calendar 'Mon..Fri 22:00'`; `man systemd.time` tells more")
                .into())
        }
        // Where it is not there, nobody can tell.
        _ => Ok(()),
    }
}

fn warnings(session: &Session, setup: &Setup) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    if setup.is_root {
        warnings.push("it runs as root: what a model writes is checked as root, inside the sandbox alone".to_owned());
    }
    warnings.extend(about_key(session, setup)?);
    if setup.when.calendar.is_some() && setup.when.until.is_none() && setup.when.span.is_none() {
        warnings.push("it runs on after the night: add `--until 07:00` or `--for 8h`".to_owned());
    }
    Ok(warnings)
}

/// Says what is wrong with where the key comes from.
fn about_key(session: &Session, setup: &Setup) -> Result<Vec<String>> {
    let name = session.settings(&session.repo())?.llm.key_env;
    let mut said = Vec::new();
    let path = match &setup.key {
        None if name.is_empty() => return Ok(said),
        None => {
            if session.key.is_none() || session.env.get(&name).is_some() {
                said.push(format!(
                    "it finds no {name}: put it in .env, or add `--env-file PATH` or `--credential {name}:PATH`"
                ));
            }
            return Ok(said);
        }
        Some(Key::Credential(_, path) | Key::Environment(path)) => path,
    };
    let Ok((_, mode)) = fs::owner_and_mode(path) else {
        let fault = Fault::new(Kind::Usage, format!("there is no file {}", path.display()));
        return Err(fault
            .hint("make it first, readable for its owner only: it holds the key")
            .into());
    };
    if !path.is_file() {
        return Err(Fault::new(Kind::Usage, format!("{} is no file", path.display())).into());
    }
    let text = fs::read_text(path).wrap_err_with(|| format!("reading {}", path.display()))?;
    let text = text.unwrap_or_default();
    let holds_it = match &setup.key {
        Some(Key::Credential(given, _)) => *given == name && !text.trim().is_empty(),
        _ => file::dotenv(&text, &name).is_some(),
    };
    let shown = path.display().to_string();
    if mode & 0o077 != 0 {
        said.push(format!(
            "others may read the key in {shown}: `chmod 600 {}`",
            quoted(&shown)
        ));
    }
    if !holds_it && !name.is_empty() {
        said.push(format!("{shown} gives no {name}, which `llm.key_env` names"));
    }
    Ok(said)
}

/// Says that the service ends when the person logs out, where it does.
fn lingering(session: &Session) -> Option<String> {
    let user = env::user_id().to_string();
    let name = session.env.get("USER").or(session.env.get("LOGNAME")).unwrap_or(&user);
    let said = systemd::call(session, "loginctl", &["show-user", &user, "--property=Linger"]).ok();
    let lingers = said.map(|said| String::from_utf8_lossy(&said.stdout).trim() == "Linger=yes");
    (lingers != Some(true)).then(|| {
        format!(
            "it ends when you log out, until you type: loginctl enable-linger {}",
            quoted(name)
        )
    })
}
