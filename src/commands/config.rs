//! `config`: the settings that count here and where each comes from; sets and unsets one.
//!
//! A value is looked at before it is written, so that a typing error never stops a night. What it means is `layers`.

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    door::fs,
    engine::{
        session::{SETTINGS_FILE, Session},
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, command},
    layers::{Effective, LayerError, Origin, Resolved, file, read},
    settings::keys::{KEYS, Key},
};

/// Which settings to show.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Only this one; all that have a value where absent.
    pub key: Option<String>,
    /// Whether to say where each comes from.
    pub show_origin: bool,
}

/// A setting that has a value.
#[derive(Debug, Serialize)]
pub struct Row {
    /// `section.key`
    pub key: String,
    /// Its value, and where it comes from.
    #[serde(flatten)]
    pub said: Effective,
}

/// The settings that count.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// In the order in which the manual lists them.
    pub settings: Vec<Row>,
    /// What was said and does not count, a line each.
    pub warnings: Vec<String>,
    /// Whether only the value of the one that was asked for is wanted.
    #[serde(skip)]
    pub bare: bool,
    /// Whether to say where each comes from.
    #[serde(skip)]
    pub show_origin: bool,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.config/1";
}

/// Reads the settings as a run would: with the file of the target's tip. Changes nothing.
///
/// # Errors
/// A fault for an unknown setting, one without value, and a source that is wrong.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let Resolved {
        mut values, warnings, ..
    } = resolved(session, &session.repo())?;
    let (bare, show_origin) = (request.key.is_some(), request.show_origin);
    let settings = match &request.key {
        Some(key) => {
            let (key, _) = read::find(key).map_err(|error| usage(&error))?;
            let Some(said) = values.remove(&key) else {
                let fault = Fault::new(Kind::Error, format!("{key} has no value"));
                return Err(fault.hint(format!("`git invisigoth config set {key} VALUE`")).into());
            };
            vec![Row { key, said }]
        }
        None => {
            let known = KEYS
                .iter()
                .filter_map(|key| Some((key.name.to_owned(), values.remove(key.name)?)));
            let mut rows: Vec<(String, Effective)> = known.collect();
            rows.extend(values);
            rows.into_iter().map(|(key, said)| Row { key, said }).collect()
        }
    };
    Ok(Outcome {
        settings,
        warnings,
        bare,
        show_origin,
    })
}

/// Where to write a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// `git config` of this clone.
    Clone,
    /// `git config --global`.
    Global,
    /// `invisigoth.toml` of this worktree.
    Project,
}

/// What to write.
#[derive(Clone, Debug)]
pub struct Set {
    /// The setting.
    pub key: String,
    /// As typed; absent to unset it.
    pub value: Option<String>,
    /// Where.
    pub place: Place,
}

/// What was written.
#[derive(Debug, Serialize)]
pub struct SetOutcome {
    /// `section.key`
    pub key: String,
    /// As typed; absent where it was unset.
    pub value: Option<String>,
    /// Where it was written.
    pub place: String,
    /// What counts now; absent where it has no value, or the settings cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Effective>,
    /// What to know besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl commands::Outcome for SetOutcome {
    const SCHEMA: &'static str = "invisigoth.config.set/1";
}

/// Sets or unsets one.
///
/// # Errors
/// A fault for an unknown setting, a value that it cannot have, a place where it does not count or cannot be written.
pub fn set(session: &Session, request: &Set) -> Result<SetOutcome> {
    let repo = session.repo();
    let (name, key) = read::find(&request.key).map_err(|error| usage(&error))?;
    if let Some(value) = &request.value {
        read::fits(key, value).map_err(|error| usage(&error))?;
    }
    let place = match request.place {
        Place::Project => write_project(&repo, (&name, key), request.value.as_deref())?,
        Place::Clone | Place::Global => write_git(session, &repo, &name, request)?,
    };
    // Setting one is how broken settings are mended, so they may still be.
    let known = repo.reopened().ok().and_then(|repo| resolved(session, &repo).ok());
    let now = known.and_then(|known| known.values.get(&name).cloned());
    Ok(SetOutcome {
        remark: remark(request, now.as_ref()),
        key: name,
        value: request.value.clone(),
        place,
        now,
    })
}

/// As a run would: with the settings file of the target's tip; without a target the user's own settings only.
fn resolved(session: &Session, repo: &Repo) -> Result<Resolved> {
    let tip = Target::read(session, repo).ok().map(|target| target.tip);
    session.settings_at(repo, tip)
}

fn usage(error: &LayerError) -> Fault {
    let fault = Fault::new(Kind::Usage, error.to_string());
    match error {
        LayerError::UnknownKey { .. } => fault.hint("`git invisigoth man` lists all under SETTINGS"),
        _ => fault,
    }
}

fn write_git(session: &Session, repo: &Repo, name: &str, request: &Set) -> Result<String> {
    let scope = if request.place == Place::Global {
        "--global"
    } else {
        "--local"
    };
    let name = format!("invisigoth.{}", git_name(name));
    let mut args = vec!["config", scope];
    match &request.value {
        Some(value) => args.extend(["--replace-all", &name, value.trim()]),
        None => args.extend(["--unset-all", &name]),
    }
    let done = command::output(&session.env, repo.common_dir(), &args)?;
    match (done.code, &request.value) {
        (0, _) => Ok(format!("git config {scope} {name}")),
        // git's own code for a name that is not there.
        (5, None) => {
            let fault = Fault::new(Kind::Error, format!("{name} is not set by `git config {scope}`"));
            Err(fault
                .hint("`git invisigoth config list --show-origin` says where it comes from")
                .into())
        }
        _ => {
            let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
            Err(Fault::new(Kind::Error, format!("git config: {said}")).into())
        }
    }
}

/// Git allows no `_` in the last part of a name.
fn git_name(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((section, key)) => format!("{section}.{}", key.replace('_', "-")),
        None => name.to_owned(),
    }
}

fn write_project(repo: &Repo, (name, key): (&str, &Key), value: Option<&str>) -> Result<String> {
    if key.own_only {
        let fault = Fault::new(Kind::Usage, format!("{name} does not count in a tracked file"));
        return Err(fault
            .hint(format!("`git invisigoth config set {name} VALUE`, without --project"))
            .into());
    }
    let Some(top) = repo.workdir() else {
        let fault = Fault::new(
            Kind::Error,
            format!("a bare repository has no {SETTINGS_FILE} to write"),
        );
        return Err(fault
            .hint(format!("`git invisigoth config set {name} VALUE`, without --project"))
            .into());
    };
    let path = top.join(SETTINGS_FILE);
    let text = fs::read_text(&path).wrap_err_with(|| format!("reading {}", path.display()))?;
    let old = text.unwrap_or_default();
    let broken = |error: LayerError| Fault::new(Kind::Config, error.to_string()).hint(format!("mend {SETTINGS_FILE}"));
    let new = match value {
        Some(value) => Some(file::set(&old, name, value.trim()).map_err(broken)?),
        None => file::unset(&old, name).map_err(broken)?,
    };
    let Some(new) = new else {
        return Err(Fault::new(Kind::Error, format!("{name} is not in {SETTINGS_FILE}")).into());
    };
    fs::write_atomic(&path, new.as_bytes()).wrap_err_with(|| format!("writing {}", path.display()))?;
    Ok(SETTINGS_FILE.to_owned())
}

/// Says where what was written does not count, or not yet.
fn remark(request: &Set, now: Option<&Effective>) -> Option<String> {
    let written = match request.place {
        Place::Project => Origin::Project,
        Place::Clone | Place::Global => Origin::Git,
    };
    match now {
        Some(now) if now.origin > written => Some(format!("{} is stronger", now.place)),
        _ if written == Origin::Project => Some(format!("it counts when {SETTINGS_FILE} is committed")),
        _ => None,
    }
}
