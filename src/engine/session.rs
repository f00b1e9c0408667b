//! The session: what a command works with. Made once by a face, passed first, nothing global.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use eyre::{Result, WrapErr as _};

use crate::{
    check::{Gate, Sandbox, Stage},
    door::{env::Env, fs},
    engine::{
        fenced::{self, Works},
        runs::Tally,
    },
    event::{Event, Sink},
    fault::{Fault, Kind},
    git::{Repo, Shared, advance, commit, config, refs, tape::AttemptsTape, tree},
    id::{CommitId, Hash},
    layers::{self, Layer, LayerError, Origin, Resolved, file, read},
    quote,
    secret::{Redactor, Secret, names},
    settings::{self, Settings},
    snapshot::{Change, Changes},
    time::{Clock, Stop},
};

/// The repository's settings file.
pub const SETTINGS_FILE: &str = "invisigoth.toml";

/// Everything a command needs besides its request.
pub struct Session {
    shared: Shared,
    /// The environment as it was at the start.
    pub env: Env,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// The wish to stop.
    pub stop: Stop,
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// What this process did that is counted nowhere else.
    pub tally: Arc<Tally>,
    /// Takes keys out of everything that leaves.
    pub redactor: Redactor,
    /// The provider's key, if there is one.
    pub key: Option<Secret>,
    /// The folder that the command was started in.
    pub cwd: PathBuf,
    /// The bubblewrap that works here, or why there is none; looked for when a gate asks for it.
    pub bubblewrap: OnceLock<std::result::Result<Works, String>>,
    /// What flags said.
    flags: Layer,
}

impl Session {
    /// Opens the repository of `cwd`. `flags` are settings given on the command line as (`section.key`, value).
    ///
    /// # Errors
    /// A fault with a hint when there is no repository, it cannot be used, or settings are wrong.
    pub fn open(
        cwd: &Path,
        env: Env,
        clock: Arc<dyn Clock>,
        sink: Arc<dyn Sink>,
        flags: &[(String, String)],
    ) -> Result<Self> {
        let flags = read::from_pairs(flags.iter().cloned(), Origin::Flag).map_err(|error| {
            Fault::new(Kind::Usage, error.to_string()).hint("`git invisigoth help run` lists the flags")
        })?;
        Self::with(cwd, env, clock, sink, flags)
    }

    /// Opens the same again: configuration, key and repository as they are by now, with `told`, as flags are, before all else.
    ///
    /// # Errors
    /// As `open`.
    pub fn again(&self, told: &[(String, String)]) -> Result<Self> {
        let mut flags = self.flags.clone();
        let told = read::from_pairs(told.iter().cloned(), Origin::Flag).map_err(|e| settings_fault(&e))?;
        flags.pairs.extend(told.pairs);
        let (clock, sink) = (Arc::clone(&self.clock), Arc::clone(&self.sink));
        let again = Self::with(&self.cwd, self.env.clone(), clock, sink, flags)?;
        Ok(Self {
            stop: self.stop.clone(),
            tally: Arc::clone(&self.tally),
            bubblewrap: self.bubblewrap.clone(),
            ..again
        })
    }

    fn with(cwd: &Path, env: Env, clock: Arc<dyn Clock>, sink: Arc<dyn Sink>, flags: Layer) -> Result<Self> {
        let overrides = env
            .get("GIT_CONFIG_PARAMETERS")
            .map(config::parse_parameters)
            .unwrap_or_default();
        let shared = Shared::open(cwd, overrides).map_err(|error| open_fault(&error))?;
        let mut session = Self {
            shared,
            env,
            clock,
            stop: Stop::default(),
            sink,
            tally: Arc::default(),
            redactor: Redactor::default(),
            key: None,
            cwd: cwd.to_owned(),
            bubblewrap: OnceLock::new(),
            flags,
        };
        session.read_key()?;
        Ok(session)
    }

    /// Returns a handle on the repository for this thread.
    pub fn repo(&self) -> Repo {
        self.shared.repo()
    }

    /// Returns a tape of the calls that the attempts ref holds now.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn tape(&self) -> Result<AttemptsTape> {
        Ok(AttemptsTape::open(self.shared.clone())?)
    }

    /// Resolves the settings with the repository's file as it is in `commit`.
    ///
    /// # Errors
    /// When a source cannot be read or holds something wrong.
    pub fn settings_at(&self, repo: &Repo, commit: Option<CommitId>) -> Result<Resolved> {
        let mut all = Vec::new();
        if let Some(commit) = commit {
            all.extend(project_layer(repo, commit)?);
        }
        all.extend(self.own_layers(repo)?);
        layers::resolve(&all).map_err(|e| settings_fault(&e).into())
    }

    /// Resolves what the repository's own file says in `commit`, and nobody's settings beside it.
    ///
    /// # Errors
    /// When it cannot be read or holds something wrong.
    pub fn tracked_settings_at(&self, repo: &Repo, commit: CommitId) -> Result<Settings> {
        let layers: Vec<Layer> = project_layer(repo, commit)?.into_iter().collect();
        Ok(layers::resolve(&layers).map_err(|e| settings_fault(&e))?.settings)
    }

    /// As `settings_at`, without what this process alone was told: its environment and its flags.
    ///
    /// # Errors
    /// As `settings_at`.
    pub fn configured_at(&self, repo: &Repo, commit: CommitId) -> Result<Settings> {
        let mut all: Vec<Layer> = project_layer(repo, commit)?.into_iter().collect();
        all.extend(self.own_layers(repo)?);
        all.retain(|layer| layer.origin < Origin::Environment);
        Ok(layers::resolve(&all).map_err(|e| settings_fault(&e))?.settings)
    }

    fn own_layers(&self, repo: &Repo) -> Result<Vec<Layer>> {
        let mut own = Vec::new();
        if let Some(user) = self.env.config_home().map(|home| home.join("invisigoth/config.toml"))
            && let Some(text) = fs::read_text(&user).wrap_err_with(|| format!("reading {}", user.display()))?
        {
            own.push(read::from_toml(&text, Origin::User).map_err(|e| settings_fault(&e))?);
        }
        own.push(read::from_git(&config::pairs(repo)).map_err(|e| settings_fault(&e))?);
        let vars = self.env.vars_with_prefix("INVISIGOTH_");
        own.push(read::from_pairs(vars, Origin::Environment).map_err(|e| settings_fault(&e))?);
        own.push(self.flags.clone());
        Ok(own)
    }

    /// Resolves the settings at HEAD, for commands that judge nothing.
    ///
    /// # Errors
    /// As `settings_at`.
    pub fn settings(&self, repo: &Repo) -> Result<Settings> {
        let head = match refs::head(repo) {
            Ok(refs::Head::Branch(_, id)) => id,
            Ok(refs::Head::Detached(id)) => Some(id),
            Err(_) => None,
        };
        Ok(self.settings_at(repo, head)?.settings)
    }

    /// Reads the key from the environment, else from what systemd hands to a service, else from an untracked `.env` at the top
    /// of the checkout. What else in the first and the last is a key by its name is none of ours, but must not leave either.
    fn read_key(&mut self) -> Result<()> {
        let repo = self.repo();
        let mut known: Vec<Secret> = self.env.secrets().collect();
        let dotenv = repo.workdir().map(|root| fs::read_text(&root.join(".env")));
        if let Some(Ok(Some(text))) = &dotenv {
            let named = file::dotenv_all(text).filter(|(name, value)| names::is_secret(name, value));
            known.extend(named.map(|(_, value)| Secret::new(value)));
        }
        self.redactor = Redactor::new(&known);
        // Broken settings are the command's business: `doctor` and `status` must still be able to say so.
        let Ok(settings) = self.settings(&repo) else {
            return Ok(());
        };
        self.shared.wait_for_disk(settings.land.durable);
        if let Some(webhook) = settings.notify.webhook {
            // Whoever knows the address can write there.
            known.push(Secret::new(webhook));
            self.redactor = Redactor::new(&known);
        }
        let name = &settings.llm.key_env;
        if name.is_empty() {
            return Ok(());
        }
        let found = match self.env.get(name).map(str::trim).filter(|value| !value.is_empty()) {
            Some(value) => Some(value.to_owned()),
            None => credential(&self.env, name)?,
        };
        let found = match found {
            Some(key) => Some(key),
            None => key_of_dotenv(&repo, dotenv.transpose().wrap_err("reading .env")?.flatten(), name)?,
        };
        self.key = found.map(Secret::new);
        self.redactor = Redactor::new(known.iter().chain(&self.key));
        Ok(())
    }

    /// Returns the folder for our own files in the shared git directory.
    pub fn own_dir(&self, repo: &Repo) -> PathBuf {
        repo.common_dir().join("invisigoth")
    }

    /// Returns the folder below which slots are.
    pub fn cache_root(&self, repo: &Repo) -> PathBuf {
        self.env.cache_home().unwrap_or_else(|| self.own_dir(repo))
    }

    /// Tells the person something that concerns no single goal.
    pub fn say(&self, line: impl AsRef<str>) {
        self.sink.emit(&Event::Said {
            line: self.redactor.clean(line.as_ref()),
        });
    }

    /// Returns a path whose new content holds a live key of this machine, if there is one.
    pub fn secret_in(&self, changes: &Changes) -> Option<String> {
        let holds = |change: &Change| match change {
            Change::Write { content, .. } => self.redactor.finds(&String::from_utf8_lossy(content)),
            Change::Delete => false,
        };
        let found = changes.iter().find(|(_, change)| holds(change));
        found.map(|(path, _)| path.to_string())
    }

    /// Returns the cache's name for this repository: a hash of where it is and of its inode, so that a copied
    /// repository gets slots of its own.
    pub fn repo_id(&self, repo: &Repo) -> String {
        let place = fs::identity(repo.common_dir());
        Hash::of("repo", [place.as_bytes()]).short(16)
    }
}

fn project_layer(repo: &Repo, commit: CommitId) -> Result<Option<Layer>> {
    let Some(text) = tree::read_file(repo, tree::of_commit(repo, commit)?, SETTINGS_FILE)? else {
        return Ok(None);
    };
    let text = String::from_utf8(text).wrap_err("invisigoth.toml is not UTF-8")?;
    let layer = read::from_toml(&text, Origin::Project).map_err(|e| settings_fault(&e))?;
    Ok(Some(layer))
}

/// The folder of credentials is made by systemd for this service alone.
fn credential(env: &Env, name: &str) -> Result<Option<String>> {
    let Some(folder) = env.get("CREDENTIALS_DIRECTORY").map(Path::new) else {
        return Ok(None);
    };
    let file = folder.join(name);
    if file.parent() != Some(folder) {
        return Ok(None);
    }
    let text = fs::read_text(&file).wrap_err_with(|| format!("reading the credential {name}"))?;
    Ok(text.map(|text| text.trim().to_owned()).filter(|key| !key.is_empty()))
}

fn key_of_dotenv(repo: &Repo, text: Option<String>, name: &str) -> Result<Option<String>> {
    let Some(key) = text.and_then(|text| file::dotenv(&text, name)) else {
        return Ok(None);
    };
    if advance::file_state(repo, ".env")?.staged.is_some() {
        let fault = Fault::new(Kind::Config, format!(".env is tracked by git and holds {name}"));
        return Err(fault
            .hint("`git rm --cached .env && echo .env >> .gitignore`, then make a new key: this one is in history")
            .into());
    }
    Ok(Some(key))
}

/// Builds the gate that `settings` name. Without lint and test it needs no sandbox, and none is looked for.
///
/// # Errors
/// A fault where a sandbox is demanded and there is none.
pub fn gate(session: &Session, repo: &Repo, settings: &Settings) -> Result<Gate> {
    let check = &settings.check;
    let sandbox = if check.lint.is_empty() && check.test.is_empty() {
        Sandbox::None
    } else {
        fenced::sandbox(session, repo, check)?
    };
    Ok(Gate {
        commands: commands(check),
        test_file: check.test_file.clone(),
        env: check.env.clone(),
        copy: check.copy.clone(),
        timeout: check.timeout,
        git: check.git,
        sandbox,
        network: check.network,
        memory: check.memory,
        fingerprint: format!(
            "{} {} {}",
            std::env::consts::OS,
            std::env::consts::ARCH,
            check.env.join(" ")
        ),
    })
}

/// Lists the commands of a gate in their order.
pub fn commands(check: &settings::Check) -> Vec<(Stage, String)> {
    let stages = [
        (Stage::Setup, &check.setup),
        (Stage::Lint, &check.lint),
        (Stage::Test, &check.test),
    ];
    let all = stages.into_iter();
    all.flat_map(|(stage, commands)| commands.iter().map(move |command| (stage, command.clone())))
        .collect()
}

/// Words a settings mistake as a fault.
fn settings_fault(error: &LayerError) -> Fault {
    Fault::new(Kind::Config, error.to_string()).hint("`git invisigoth doctor` lists every setting with its origin")
}

/// Says what keeps this repository from getting commits of ours, if something does.
///
/// # Errors
/// A fault without identity, or with a branch named `invisigoth`.
pub fn ready_to_commit(repo: &Repo) -> Result<()> {
    commit::check_identity(repo).map_err(|none| {
        Fault::new(Kind::Config, none.to_string())
            .hint("`git config user.name \"Your Name\" && git config user.email you@example.org`")
    })?;
    if let Some(branch) = refs::clash(repo)? {
        return Err(Fault::new(
            Kind::Config,
            format!("the branch `{branch}` makes branches `{branch}/<goal>` impossible"),
        )
        .hint(format!("`git branch -m {branch} {branch}-old`"))
        .into());
    }
    Ok(())
}

/// The fault of a repository without checks.
pub fn no_checks() -> Fault {
    Fault::new(
        Kind::Config,
        "no checks are configured, so nothing can be told right from wrong",
    )
    .hint("`git invisigoth init` detects them; or set `check.test` in invisigoth.toml and commit it")
}

fn open_fault(error: &crate::git::OpenError) -> Fault {
    use crate::git::OpenError as E;
    let fault = Fault::new(Kind::Error, error.to_string());
    match error {
        E::NotARepository(_) => fault.hint("`git init` makes one; `git invisigoth demo` needs none"),
        E::RefStorage(_) => fault.hint("`git refs migrate --ref-format=files` converts it"),
        E::Untrusted(path) => {
            let path = quote::quoted(&path.to_string_lossy());
            fault.hint(format!("`git config --global --add safe.directory {path}`"))
        }
        E::Other(source) => Fault {
            message: format!("{}: {source}", fault.message),
            ..fault
        },
    }
}
