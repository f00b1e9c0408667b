//! `hooks`: puts our scripts where git looks for hooks, beside those of others, and takes them away again.
//!
//! Writes into the git directory only. A folder that `core.hooksPath` names elsewhere is somebody else's, and may be tracked
//! or shared by many repositories: for it there are lines to paste. What the hooks do is `commands/hook`.

pub mod script;

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands::{
        self,
        hooks::script::{ASIDE, HOOKS, Hook, Script},
    },
    door::fs::{
        self,
        script::{self as file, There},
    },
    engine::session::Session,
    fault::{Fault, Kind},
    git::{Repo, command, commit, config},
    settings::Start,
};

/// The setting that says what hooks start, as `git config` calls it.
const START: &str = "invisigoth.hooks.start";

/// Said of a hook that there was none to take away of.
const NOT_THERE: &str = "was not there";

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Put them there.
    Install,
    /// Take them away.
    Uninstall,
    /// Only look.
    Status,
}

/// Which hooks, and what to do with them.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is to be done.
    pub what: What,
    /// Only these; those that fit the repository where empty.
    pub names: Vec<String>,
    /// What is to be started after commits and merges, where that was said.
    pub start: Option<Start>,
}

/// How a hook is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Our script alone.
    Ours,
    /// Ours together with somebody else's.
    Chained,
    /// Somebody else's alone.
    Foreign,
    /// No hook.
    Absent,
    /// Ours of another version: `hooks install` renews it.
    Outdated,
}

/// One hook.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub hook: &'static str,
    /// How it is now.
    pub state: State,
    /// What was done: `installed`, `chained`, `renewed`, `removed`, `restored`, or why nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<&'static str>,
    /// The program that wrote the other script, where it can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'static str>,
    /// What it does.
    pub about: &'static str,
}

/// A line for a script that we do not write.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Paste {
    /// The script.
    pub file: String,
    /// The line.
    pub line: String,
}

/// How the hooks are.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// What was to be done.
    pub what: What,
    /// Where git looks for hooks.
    pub folder: String,
    /// True where that is a folder which we do not write, as `core.hooksPath` names it.
    pub foreign_folder: bool,
    /// What is started after commits and merges.
    pub start: Start,
    /// Each hook.
    pub hooks: Vec<Row>,
    /// What a person has to put into scripts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paste: Vec<Paste>,
    /// What else has to be known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.hooks/1";

    fn kind(&self) -> Option<Kind> {
        (!self.paste.is_empty()).then_some(Kind::Person)
    }
}

/// Where git looks for hooks.
struct Folder {
    path: PathBuf,
    /// Whether we write there.
    is_ours: bool,
}

impl Folder {
    fn of(repo: &Repo) -> Self {
        let own = repo.common_dir().join("hooks");
        let path = config::hooks_path(repo).unwrap_or_else(|| own.clone());
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let is_ours = path == own || real(&path).starts_with(real(repo.common_dir()));
        Self { path, is_ours }
    }

    fn file(&self, hook: &Hook) -> PathBuf {
        self.path.join(hook.name)
    }

    fn aside(&self, hook: &Hook) -> PathBuf {
        self.path.join(ASIDE).join(hook.name)
    }

    /// Where pre-commit moves what it finds, which it then calls first.
    fn legacy(&self, hook: &Hook) -> PathBuf {
        self.path.join(format!("{}.legacy", hook.name))
    }

    /// True where pre-commit moved our own script aside, and calls it.
    fn is_called_by_pre_commit(&self, hook: &Hook) -> Result<bool> {
        let There::File(moved, true) = file::look(&self.legacy(hook))? else {
            return Ok(false);
        };
        let ours = matches!(script::read(hook, &moved), Script::Ours | Script::OursOutdated);
        let caller = fs::read(&self.file(hook))?.unwrap_or_default();
        Ok(ours && script::writer(&caller) == Some("pre-commit"))
    }

    /// The script that people edit: husky's folder `_` is made anew by husky, and calls the scripts beside it.
    fn edited(&self, hook: &Hook) -> PathBuf {
        match self.path.parent().filter(|_| self.path.ends_with(".husky/_")) {
            Some(above) => above.join(hook.name),
            None => self.file(hook),
        }
    }
}

/// Does it.
///
/// # Errors
/// A fault for a hook that we have no script for, or whose file was changed so that it cannot be told whose it is.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let folder = Folder::of(&repo);
    let chosen = chosen(&repo, request)?;
    if request.what != What::Status && folder.is_ours {
        refuse_unclear(&folder, &chosen)?;
    }
    if let Some(start) = request.start.filter(|_| request.what == What::Install) {
        set_start(session, &repo, Some(start))?;
    }
    let mut rows = Vec::new();
    for hook in &chosen {
        let done = match request.what {
            _ if !folder.is_ours => None,
            What::Install => Some(install(&folder, hook).wrap_err_with(|| format!("installing {}", hook.name))?),
            What::Uninstall => Some(uninstall(&folder, hook).wrap_err_with(|| format!("removing {}", hook.name))?),
            What::Status => None,
        };
        let row = row(&folder, hook, done)?;
        let fits = request.what != What::Uninstall && fits(&repo, request, hook);
        let is_asked = fits || !request.names.is_empty();
        if is_asked || row.state != State::Absent || done.is_some_and(|done| done != NOT_THERE) {
            rows.push(row);
        }
    }
    if request.what == What::Uninstall && chosen.iter().any(|hook| hook.name == "post-commit") {
        set_start(session, &repo, None)?;
    }
    let missing = rows
        .iter()
        .filter(|row| matches!(row.state, State::Foreign | State::Absent));
    let paste = missing
        .filter(|_| request.what == What::Install && !folder.is_ours)
        .filter_map(|row| script::hook(row.hook))
        .map(|hook| Paste {
            file: shown(&repo, &folder.edited(hook)),
            line: script::pasted(hook),
        });
    Ok(Outcome {
        what: request.what,
        folder: shown(&repo, &folder.path),
        foreign_folder: !folder.is_ours,
        paste: paste.collect(),
        notes: notes(session, &repo, request, &rows),
        start: session.settings(&repo.reopened()?)?.hooks.start,
        hooks: rows,
    })
}

/// Without names: what fits the repository, and what was installed before.
fn chosen(repo: &Repo, request: &Request) -> Result<Vec<&'static Hook>> {
    if !request.names.is_empty() {
        let named = request
            .names
            .iter()
            .map(|name| script::hook(name).ok_or_else(|| unknown(name)));
        return Ok(named.collect::<Result<_, Fault>>()?);
    }
    let all = request.what != What::Install;
    Ok(HOOKS.iter().filter(|hook| all || fits(repo, request, hook)).collect())
}

/// Whether a hook is meant where none is named.
fn fits(repo: &Repo, request: &Request, hook: &Hook) -> bool {
    let is_bare = repo.workdir().is_none();
    match hook.name {
        "post-receive" => is_bare,
        "post-commit" => !is_bare && request.start.is_some_and(|start| start != Start::Nothing),
        _ => !is_bare,
    }
}

/// The fault of a name that is none of our hooks.
pub fn unknown(name: &str) -> Fault {
    let names: Vec<&str> = HOOKS.iter().map(|hook| hook.name).collect();
    Fault::new(Kind::Usage, format!("there is no hook `{name}`"))
        .hint(format!("those that there are: {}", names.join(", ")))
}

/// Refuses, before anything is written, where it cannot be told whose a file is.
fn refuse_unclear(folder: &Folder, chosen: &[&'static Hook]) -> Result<()> {
    for hook in chosen {
        let path = folder.file(hook);
        let wrong = match file::look(&path)? {
            There::File(bytes, _) => match script::read(hook, &bytes) {
                Script::Mangled => Some("holds one of the two marks of git-invisigoth, not both"),
                Script::AsideOutdated | Script::Aside if file::look(&folder.aside(hook))? == There::Nothing => {
                    Some("hands over to a hook that is gone")
                }
                _ => None,
            },
            There::Other => Some("is no file"),
            There::Nothing | There::Link(_) => None,
        };
        if let Some(wrong) = wrong {
            let fault = Fault::new(Kind::Person, format!("{} {wrong}", path.display()));
            return Err(fault.hint("mend or remove it; nothing was changed").into());
        }
    }
    Ok(())
}

fn install(folder: &Folder, hook: &Hook) -> Result<&'static str> {
    let path = folder.file(hook);
    fs::create_dir_all(&folder.path)?;
    let (bytes, is_executable) = match file::look(&path)? {
        There::Nothing if file::look(&folder.aside(hook))? != There::Nothing => {
            file::write(&path, script::aside(hook).as_bytes())?;
            return Ok("chained");
        }
        There::Nothing => {
            file::write(&path, hook.script.as_bytes())?;
            return Ok("installed");
        }
        There::File(bytes, is_executable) => (bytes, is_executable),
        There::Link(_) | There::Other => (Vec::new(), false),
    };
    match script::read(hook, &bytes) {
        Script::Ours | Script::Chained | Script::Aside => Ok("is there already"),
        Script::ByHand => Ok("is there already, by hand"),
        Script::OursOutdated => file::write(&path, hook.script.as_bytes()).map(|()| "renewed"),
        Script::AsideOutdated => file::write(&path, script::aside(hook).as_bytes()).map(|()| "renewed"),
        Script::ChainedOutdated => {
            let before = script::without(&bytes).and_then(|theirs| script::chained(hook, &theirs));
            file::write(&path, &before.unwrap_or(bytes)).map(|()| "renewed")
        }
        Script::Foreign if folder.is_called_by_pre_commit(hook)? => Ok("is there already"),
        Script::Foreign | Script::Mangled => match script::chained(hook, &bytes).filter(|_| is_executable) {
            Some(both) => file::write(&path, &both).map(|()| "chained"),
            None => {
                fs::create_dir_all(&folder.path.join(ASIDE))?;
                file::relocate(&path, &folder.aside(hook), true)?;
                file::write(&path, script::aside(hook).as_bytes()).map(|()| "chained")
            }
        },
    }
    .map_err(Into::into)
}

fn uninstall(folder: &Folder, hook: &Hook) -> Result<&'static str> {
    let (path, aside) = (folder.file(hook), folder.aside(hook));
    let found = match file::look(&path)? {
        // Killed between the two steps of installing or of this.
        There::Nothing if file::look(&aside)? != There::Nothing => Script::Aside,
        There::Nothing => return Ok(NOT_THERE),
        There::File(bytes, _) => match script::read(hook, &bytes) {
            Script::Chained | Script::ChainedOutdated => {
                file::write(&path, &script::without(&bytes).unwrap_or(bytes))?;
                return Ok("restored");
            }
            other => other,
        },
        There::Link(_) | There::Other => Script::Foreign,
    };
    match found {
        Script::Ours | Script::OursOutdated => {
            fs::remove_if_there(&path)?;
            Ok("removed")
        }
        Script::Aside | Script::AsideOutdated => {
            fs::remove_if_there(&path)?;
            file::relocate(&aside, &path, false)?;
            file::remove_empty(&folder.path.join(ASIDE));
            Ok("restored")
        }
        Script::Foreign if folder.is_called_by_pre_commit(hook)? => {
            fs::remove_if_there(&folder.legacy(hook))?;
            Ok("removed")
        }
        Script::ByHand => Ok("stays: its line was put there by hand"),
        Script::Foreign | Script::Mangled | Script::Chained | Script::ChainedOutdated => Ok("is not ours"),
    }
}

fn row(folder: &Folder, hook: &'static Hook, done: Option<&'static str>) -> Result<Row> {
    let path = if folder.is_ours {
        folder.file(hook)
    } else {
        folder.edited(hook)
    };
    let (mut state, mut by) = (State::Foreign, None);
    match file::look(&path)? {
        There::Nothing => state = State::Absent,
        There::Link(_) | There::Other => {
            let bytes = fs::read(&path).ok().flatten().unwrap_or_default();
            if script::read(hook, &bytes) == Script::ByHand {
                state = State::Chained;
            }
            by = script::writer(&bytes);
        }
        There::File(bytes, _) => {
            by = script::writer(&bytes);
            state = match script::read(hook, &bytes) {
                Script::Ours => State::Ours,
                Script::Chained | Script::Aside | Script::ByHand => State::Chained,
                Script::OursOutdated | Script::ChainedOutdated | Script::AsideOutdated => State::Outdated,
                Script::Foreign if folder.is_called_by_pre_commit(hook)? => State::Chained,
                Script::Mangled | Script::Foreign => State::Foreign,
            };
        }
    }
    Ok(Row {
        hook: hook.name,
        state,
        done,
        by,
        about: hook.about,
    })
}

fn set_start(session: &Session, repo: &Repo, start: Option<Start>) -> Result<()> {
    let word = match start {
        None | Some(Start::Nothing) => None,
        Some(Start::Run) => Some("run"),
        Some(Start::Plan) => Some("plan"),
        Some(Start::RunPlan) => Some("run-plan"),
    };
    let args = match word {
        Some(word) => vec!["config", "--local", "--replace-all", START, word],
        None => vec!["config", "--local", "--unset-all", START],
    };
    let done = command::output(&session.env, repo.common_dir(), &args)?;
    // 5: there was none to unset.
    if done.code == 0 || (word.is_none() && done.code == 5) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    Err(Fault::new(Kind::Error, format!("git config: {said}")).into())
}

fn notes(session: &Session, repo: &Repo, request: &Request, rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    let receives = rows
        .iter()
        .any(|row| row.hook == "post-receive" && row.state != State::Absent);
    if request.what == What::Install && receives && commit::check_identity(repo).is_err() {
        notes.push(
            "landing makes commits, and nobody is named here: `git config user.name` and `user.email`".to_owned(),
        );
    }
    let starts = session
        .settings(repo)
        .is_ok_and(|settings| settings.hooks.start != Start::Nothing);
    let after = |name: &str| rows.iter().any(|row| row.hook == name && row.state == State::Absent);
    if request.what == What::Status && starts && after("post-commit") {
        notes.push(
            "hooks.start is set, but post-commit is absent: `git invisigoth hooks install post-commit`".to_owned(),
        );
    }
    notes
}

/// Words a path as a person in the checkout would.
fn shown(repo: &Repo, path: &Path) -> String {
    let top = repo.workdir().unwrap_or_else(|| repo.git_dir());
    path.strip_prefix(top).unwrap_or(path).display().to_string()
}
