//! The original's `config.yaml` and `master_prompt.txt`: settings that nobody made here yet, and what to do about the rest.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands::import::{fault, source},
    door::fs,
    engine::{
        recall,
        session::{SETTINGS_FILE, Session},
        target::Target,
    },
    fault::{Fault, Kind},
    foreign::config::{self, Fate},
    layers::{self, file},
    quote::quoted,
};

/// One setting that came.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Its name here.
    pub key: &'static str,
    /// Its value.
    pub value: String,
}

/// What became of the original's settings.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Settings {
    /// Written into `invisigoth.toml`.
    pub set: Vec<Setting>,
    /// What a person should know, a line each.
    pub notes: Vec<String>,
}

/// What shall be written.
pub(crate) struct Plan {
    said: Settings,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Plan {
    /// Reads what is in `folder`; writes nothing.
    pub(crate) fn read(session: &Session, folder: &Path) -> Result<Self> {
        let repo = session.repo();
        let target = Target::read(session, &repo)?;
        let top = repo
            .workdir()
            .filter(|_| recall::is_here(&repo, &target))
            .map(Path::to_owned);
        let mut plan = Self {
            said: Settings::default(),
            files: Vec::new(),
        };
        let path = folder.join("config.yaml");
        if path.is_file() {
            let text = source::document(&path)?;
            let entries = config::read(&text).map_err(|error| fault(&error, Some(&path)))?;
            plan.settings(session, &entries, top.as_deref())?;
        }
        plan.master_prompt(folder, top.as_deref())?;
        if folder.join("memory/history.json").is_file() && !is_same(folder, top.as_deref()) {
            plan.note("memory/history.json stays there: here it holds records of landed commits");
        }
        Ok(plan)
    }

    fn note(&mut self, line: impl Into<String>) {
        self.said.notes.push(line.into());
    }

    fn settings(&mut self, session: &Session, entries: &[config::Entry], top: Option<&Path>) -> Result<()> {
        let Some(top) = top else {
            self.note("config.yaml is left: the branch that goals land on is not checked out here");
            return Ok(());
        };
        let path = top.join(SETTINGS_FILE);
        let before = fs::read_text(&path)
            .wrap_err("reading invisigoth.toml")?
            .unwrap_or_default();
        let broken = |error: &layers::LayerError| Fault::new(Kind::Config, error.to_string());
        let mut text = before.clone();
        for entry in entries {
            match &entry.fate {
                Fate::Setting { key, value } => {
                    if file::says(&text, key).map_err(|error| broken(&error))? {
                        self.note(format!("{} is left: invisigoth.toml has {key} already", entry.path));
                        continue;
                    }
                    match file::set(&text, key, value) {
                        Ok(edited) => {
                            text = edited;
                            self.said.set.push(Setting {
                                key,
                                value: value.clone(),
                            });
                        }
                        Err(error) => {
                            let error = error.to_string();
                            let why = error.strip_prefix("command line: ").unwrap_or(&error);
                            self.note(format!("{} is left: {why}", entry.path));
                        }
                    }
                }
                Fate::Own { key, value } => {
                    let name = key.replace('_', "-");
                    self.note(format!(
                        "{} is left: only your own settings say so: git config invisigoth.{name} {}",
                        entry.path,
                        quoted(value)
                    ));
                }
                Fate::Secret => {
                    let name = session
                        .settings(&session.repo())
                        .map(|settings| settings.llm.key_env)
                        .unwrap_or_default();
                    let name = if name.is_empty() {
                        "OPENROUTER_API_KEY".to_owned()
                    } else {
                        name
                    };
                    self.note(format!("{} is not copied: set the variable {name}", entry.path));
                }
                Fate::Unknown => self.note(format!("{} is left: there is nothing like it here", entry.path)),
            }
        }
        if text != before {
            self.files.push((path, text.into_bytes()));
        }
        Ok(())
    }

    fn master_prompt(&mut self, folder: &Path, top: Option<&Path>) -> Result<()> {
        const NAME: &str = "memory/master_prompt.txt";
        let Some(theirs) = fs::read(&folder.join(NAME)).wrap_err("reading the master prompt")? else {
            return Ok(());
        };
        let Some(top) = top else {
            self.note(format!(
                "{NAME} is left: the branch that goals land on is not checked out here"
            ));
            return Ok(());
        };
        match fs::read(&top.join(NAME)).wrap_err("reading the master prompt")? {
            Some(ours) if ours == theirs => {}
            Some(_) => self.note(format!("{NAME} is left: there is one here already")),
            None => self.files.push((top.join(NAME), theirs)),
        }
        Ok(())
    }

    /// Writes it, unless this is only a rehearsal.
    pub(crate) fn write(self, dry_run: bool) -> Result<Settings> {
        for (path, bytes) in self.files.iter().filter(|_| !dry_run) {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write_atomic(path, bytes).wrap_err_with(|| format!("writing {}", path.display()))?;
        }
        Ok(self.said)
    }
}

fn is_same(folder: &Path, top: Option<&Path>) -> bool {
    top.is_some_and(|top| fs::identity(top) == fs::identity(folder))
}
