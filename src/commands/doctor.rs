//! `doctor`: looks at every precondition and names what mends it. Changes nothing but a probe file in the slots' folder
//! and the list of models that is kept. Asks the provider only what costs nothing.

use std::{collections::BTreeMap, path::Path, time::Duration};

use eyre::{Report, Result};
use serde::Serialize;

use crate::{
    check::Stage,
    commands,
    door::{env::Env, fs, spawn},
    engine::{
        executor::{self, Executor},
        fenced, logging, models, recall,
        session::{self, SETTINGS_FILE, Session},
        target::Target,
        tariffs,
    },
    fault::{Fault, Kind},
    git::{Repo, advance, command, commit, refs, tree},
    layers::{Origin, Resolved},
    money::{
        Prices,
        caps::{self, Scope},
    },
    settings::Settings,
};

mod endpoint;
mod notify;
mod templates;

/// The oldest git that is known to do: Debian 12 has it.
const OLDEST_GIT: (u32, u32) = (2, 39);
/// Less free space than this for slots is worth a word, in bytes.
const LOW_SPACE: u64 = 1 << 30;
/// Longest wait for `man`.
const MAN_LIMIT: Duration = Duration::from_secs(20);

/// Where to look.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The folder that the command was called in.
    pub cwd: &'a Path,
    /// The environment.
    pub env: &'a Env,
    /// The session, or why there is none.
    pub session: std::result::Result<&'a Session, &'a Report>,
    /// Whether to ask the provider, too.
    pub asks: bool,
}

/// How a precondition stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// As it should be.
    Ok,
    /// Works, but a person should know.
    Warn,
    /// Must be mended.
    Fail,
}

/// One precondition.
#[derive(Debug, Serialize)]
pub struct Row {
    /// What it is about.
    pub name: &'static str,
    /// How it stands.
    pub state: Standing,
    /// What was found.
    pub detail: String,
    /// What to type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// Every precondition.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// In the order in which they matter.
    pub rows: Vec<Row>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.doctor/1";

    fn kind(&self) -> Option<Kind> {
        self.rows
            .iter()
            .any(|row| row.state == Standing::Fail)
            .then_some(Kind::Config)
    }
}

/// Looks at everything that can be looked at.
pub fn run(place: &Place<'_>) -> Outcome {
    let mut found = Found { rows: Vec::new() };
    git_version(&mut found, place);
    match place.session {
        Ok(session) => repository(&mut found, place, session),
        Err(error) => found.failed("repository", error),
    }
    slots(&mut found, place.env);
    logs(&mut found, place);
    manual(&mut found, place);
    sandbox(&mut found, place);
    Outcome { rows: found.rows }
}

struct Found {
    rows: Vec<Row>,
}

impl Found {
    fn ok(&mut self, name: &'static str, detail: impl Into<String>) {
        self.rows.push(Row {
            name,
            state: Standing::Ok,
            detail: detail.into(),
            fix: None,
        });
    }

    fn warn(&mut self, name: &'static str, detail: impl Into<String>, fix: Option<&str>) {
        let fix = fix.map(str::to_owned);
        self.rows.push(Row {
            name,
            state: Standing::Warn,
            detail: detail.into(),
            fix,
        });
    }

    fn fail(&mut self, name: &'static str, detail: impl Into<String>, fix: impl Into<String>) {
        self.rows.push(Row {
            name,
            state: Standing::Fail,
            detail: detail.into(),
            fix: Some(fix.into()),
        });
    }

    /// Takes the fix from the hints of the fault in `error`.
    fn failed(&mut self, name: &'static str, error: &Report) {
        let fault = error.chain().find_map(|cause| cause.downcast_ref::<Fault>());
        let detail = match fault {
            Some(fault) => fault.message.clone(),
            None => error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "),
        };
        let hints = fault.map(|fault| fault.hints.as_slice()).unwrap_or_default();
        let hints: Vec<&str> = hints
            .iter()
            .map(String::as_str)
            .filter(|hint| !hint.contains("doctor"))
            .collect();
        let fix = Some(hints.join("; ")).filter(|fix| !fix.is_empty());
        self.rows.push(Row {
            name,
            state: Standing::Fail,
            detail,
            fix,
        });
    }
}

fn git_version(found: &mut Found, place: &Place<'_>) {
    let fix = "install git 2.39 or newer";
    match command::stdout(place.env, place.cwd, &["--version"]) {
        Err(error) => found.fail("git", error.to_string(), fix),
        Ok(said) => {
            let version = said.trim().trim_start_matches("git version ").to_owned();
            let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
            match (numbers.next().flatten(), numbers.next().flatten()) {
                (Some(major), Some(minor)) if (major, minor) < OLDEST_GIT => found.fail("git", version, fix),
                (Some(_), Some(_)) => found.ok("git", version),
                _ => found.warn("git", format!("its version cannot be read: {version}"), Some(fix)),
            }
        }
    }
}

fn repository(found: &mut Found, place: &Place<'_>, session: &Session) {
    let repo = session.repo();
    let top = repo.workdir().unwrap_or(repo.common_dir()).display().to_string();
    found.ok(
        "repository",
        if repo.workdir().is_some() {
            top
        } else {
            format!("{top} (bare)")
        },
    );
    identity(found, &repo);
    clash(found, &repo);
    operation(found, &repo);
    let target = match Target::read(session, &repo) {
        Ok(target) => target,
        Err(error) => return found.failed("target", &error),
    };
    if target.is_waiting() {
        let now = session.clock.now();
        let why = target
            .checkouts
            .iter()
            .find_map(|checkout| advance::busy(checkout, now));
        let why = why.unwrap_or_else(|| "the next run brings them in".to_owned());
        found.warn(
            "target",
            format!("{}; results wait beside it: {why}", target.branch),
            None,
        );
    } else {
        found.ok("target", format!("{} at {}", target.branch, target.tip.short()));
    }
    match session.settings_at(&repo, Some(target.tip)) {
        Err(error) => found.failed("settings", &error),
        Ok(resolved) => {
            settings(found, &repo, &target, &resolved);
            checks(found, &resolved.settings);
            endpoint::look(found, session, &resolved.settings, place.asks);
            executors(found, session, &resolved.settings);
            cap(found, session, &resolved.settings);
            notify::look(found, session, &resolved.settings);
        }
    }
    templates::look(found, session);
    backlog(found, session, &repo, &target);
    configuration(found, place, &repo);
}

fn identity(found: &mut Found, repo: &Repo) {
    match commit::check_identity(repo) {
        Ok(()) => found.ok("identity", "git knows who commits"),
        Err(none) => found.fail(
            "identity",
            none.to_string(),
            "git config user.name \"Your Name\" && git config user.email you@example.org",
        ),
    }
}

fn clash(found: &mut Found, repo: &Repo) {
    match refs::clash(repo) {
        Ok(None) => found.ok("branches", "invisigoth/<goal> is free for candidates"),
        Ok(Some(branch)) => found.fail(
            "branches",
            format!("the branch `{branch}` makes `{branch}/<goal>` impossible"),
            format!("git branch -m {branch} {branch}-old"),
        ),
        Err(error) => found.failed("branches", &error.into()),
    }
}

fn operation(found: &mut Found, repo: &Repo) {
    match repo.operation_in_progress() {
        None => found.ok("operation", "no merge or rebase stands half done"),
        Some(what) => {
            let detail = format!("{what} is in progress: results wait beside the branch until it ends");
            found.warn("operation", detail, Some("git status"));
        }
    }
}

fn settings(found: &mut Found, repo: &Repo, target: &Target, resolved: &Resolved) {
    let committed = tree::of_commit(repo, target.tip).and_then(|root| tree::read_file(repo, root, SETTINGS_FILE));
    let on_disk = repo
        .workdir()
        .and_then(|top| fs::read(&top.join(SETTINGS_FILE)).ok().flatten());
    let branch = &target.branch;
    match (committed, on_disk) {
        (Err(error), _) => found.failed("settings", &error.into()),
        (Ok(None), None) => found.fail("settings", "there is no invisigoth.toml", "git invisigoth init"),
        (Ok(None), Some(_)) => {
            let detail = format!("invisigoth.toml is not committed on {branch}, so it does not count");
            found.fail("settings", detail, "git add invisigoth.toml && git commit");
        }
        (Ok(Some(committed)), Some(here)) if committed != here && recall::is_here(repo, target) => {
            let detail = format!("invisigoth.toml differs from the one on {branch}, which counts");
            found.warn("settings", detail, Some("git commit invisigoth.toml"));
        }
        (Ok(Some(_)), _) => found.ok("settings", format!("invisigoth.toml is valid on {branch}")),
    }
    found.ok("origins", origins(resolved));
    for warning in &resolved.warnings {
        found.warn("settings", warning.clone(), None);
    }
}

/// Says which source each setting comes from that is not at its default.
fn origins(resolved: &Resolved) -> String {
    let mut by_origin: BTreeMap<Origin, Vec<&str>> = BTreeMap::new();
    for (name, said) in &resolved.values {
        by_origin.entry(said.origin).or_default().push(name);
    }
    by_origin.remove(&Origin::Default);
    let said: Vec<String> = by_origin
        .iter()
        .map(|(origin, names)| format!("{origin}: {}", names.join(", ")))
        .collect();
    if said.is_empty() {
        "every setting has its default".to_owned()
    } else {
        said.join("; ")
    }
}

fn checks(found: &mut Found, settings: &Settings) {
    let gate = session::commands(&settings.check);
    if gate.iter().all(|(stage, _)| *stage == Stage::Setup) {
        let fault = session::no_checks();
        return found.fail("checks", fault.message, fault.hints.join("; "));
    }
    let commands: Vec<String> = gate
        .iter()
        .map(|(stage, command)| format!("{} `{command}`", stage.word()))
        .collect();
    found.ok("checks", commands.join(", "));
}

/// Programs of the user's own, and the executor that goals get.
fn executors(found: &mut Found, session: &Session, settings: &Settings) {
    for (name, external) in &settings.executors {
        match executor::program(external, &session.env) {
            Ok(path) => found.ok("executor", format!("{name}: {}", path.display())),
            Err(why) => found.warn(
                "executor",
                format!("{name}: {why}"),
                Some("docs/executors.md has recipes"),
            ),
        }
    }
    if let Err(why) = Executor::named(&settings.run.executor, settings) {
        found.fail("executor", why, "git config invisigoth.run.executor edit");
    }
}

fn cap(found: &mut Found, session: &Session, settings: &Settings) {
    let budget = &settings.budget;
    let scopes = [(Scope::Run, "a run"), (Scope::Day, "a day"), (Scope::Goal, "a goal")];
    let worded = |(scope, what): &(Scope, &str)| {
        let caps = caps::words(&scope.caps(budget));
        (!caps.is_empty()).then(|| format!("{caps} {what}"))
    };
    let said: Vec<String> = scopes.iter().filter_map(worded).collect();
    let free = tariffs::is_scripted(&settings.llm);
    let unknown = models::prices(session, settings, &settings.llm.model) == Prices::Unknown;
    match caps::unkeepable(budget).filter(|_| !free && unknown) {
        _ if said.is_empty() && free => found.ok("cap", "none needed: a script costs nothing"),
        _ if said.is_empty() => found.warn(
            "cap",
            "neither dollars nor calls of a run are capped",
            // Dollars alone would not do where prices are unknown, as that of `openrouter/auto` is.
            Some("git invisigoth budget raise --run 5 --calls 100"),
        ),
        Some(unknown) => {
            let detail = format!("{}; kept only where the provider lists prices", said.join("; "));
            found.warn("cap", detail, Some(&unknown.hint()));
        }
        None => found.ok("cap", said.join("; ")),
    }
}

fn backlog(found: &mut Found, session: &Session, repo: &Repo, target: &Target) {
    match recall::read(session, repo, target) {
        Ok(known) => {
            let (open, landed) = (known.facts.goals.len(), known.facts.landed.len());
            found.ok("backlog", format!("{open} open, {landed} landed"));
        }
        Err(error) => found.failed("backlog", &error),
    }
}

fn configuration(found: &mut Found, place: &Place<'_>, repo: &Repo) {
    let dir = repo.common_dir();
    let values = |key: &str| -> Vec<String> {
        let said = command::output(place.env, dir, &["config", "--get-all", key]);
        let lines = said
            .map(|said| String::from_utf8_lossy(&said.stdout).into_owned())
            .unwrap_or_default();
        lines.lines().map(str::to_owned).collect()
    };
    let shows = |key: &str| {
        values(key)
            .iter()
            .any(|value| value == refs::NOTES || value == "refs/notes/*")
    };
    let init = Some("git invisigoth init");
    if shows("notes.displayRef") {
        found.ok("notes", "git log shows the records");
    } else {
        found.warn("notes", "git log does not show the records (notes.displayRef)", init);
    }
    if shows("notes.rewriteRef") {
        found.ok("rewriting", "records follow a rebase or amend");
    } else {
        found.warn(
            "rewriting",
            "records do not follow a rebase or amend (notes.rewriteRef)",
            init,
        );
    }
    let attributes = fs::read_text(&dir.join("info/attributes"))
        .ok()
        .flatten()
        .unwrap_or_default();
    if values("merge.invisigoth.driver").is_empty() || !attributes.contains("merge=invisigoth") {
        found.warn(
            "merging",
            "two branches that both add goals would conflict (merge driver)",
            init,
        );
    } else {
        found.ok("merging", "the merge driver joins memory files");
    }
    let signs = command::output(place.env, dir, &["config", "--type=bool", "--get", "commit.gpgSign"]);
    if signs.is_ok_and(|said| said.stdout.starts_with(b"true")) {
        found.warn(
            "signing",
            "commits are signed: a key that asks for its passphrase stops a run",
            None,
        );
    }
}

fn slots(found: &mut Found, env: &Env) {
    let Some(cache) = env.cache_home() else {
        return found.fail(
            "slots",
            "neither HOME nor XDG_CACHE_HOME is set",
            "export XDG_CACHE_HOME=/some/folder",
        );
    };
    let root = cache.join("invisigoth");
    let probe = root.join(".doctor");
    let written = fs::create_dir_all(&root)
        .and_then(|()| fs::write_atomic(&probe, b""))
        .and_then(|()| fs::remove_if_there(&probe))
        .and_then(|()| fs::free_bytes(&root));
    let shown = root.display();
    match written {
        Err(error) => found.fail(
            "slots",
            format!("{shown}: {error}"),
            "export XDG_CACHE_HOME=/some/folder",
        ),
        Ok(free) if free < LOW_SPACE => {
            let detail = format!("{shown}: only {} MiB are free", free >> 20);
            found.warn(
                "slots",
                detail,
                Some("make room, or export XDG_CACHE_HOME=/some/folder"),
            );
        }
        Ok(free) => found.ok("slots", format!("{shown}: {} GiB free", free >> 30)),
    }
}

fn logs(found: &mut Found, place: &Place<'_>) {
    let Ok(session) = place.session else { return };
    let folder = logging::folder(session, &session.repo());
    let probe = folder.join(".doctor");
    let written = fs::create_private_dir_all(&folder)
        .and_then(|()| fs::write_atomic(&probe, b""))
        .and_then(|()| fs::remove_if_there(&probe));
    let shown = folder.display();
    match written {
        Ok(()) => found.ok("logs", shown.to_string()),
        Err(error) => found.warn(
            "logs",
            format!("{shown}: {error}: runs work, and nothing is logged"),
            Some("export XDG_STATE_HOME=/some/folder"),
        ),
    }
}

fn sandbox(found: &mut Found, place: &Place<'_>) {
    const OPEN: &str = "checks run with your rights and can read your files";
    let (asked, tried) = match place.session {
        Ok(session) => {
            let repo = session.repo();
            let check = session.settings(&repo).ok().map(|settings| settings.check);
            let tried = fenced::probe(session, &repo).map(|_| ()).map_err(str::to_owned);
            (check, tried)
        }
        Err(_) => {
            let cache = place.env.cache_home().unwrap_or_else(|| place.cwd.to_owned());
            (None, fenced::try_out(place.env, &cache, Vec::new()).map(|_| ()))
        }
    };
    let word = asked.as_ref().map_or("auto", |check| check.sandbox.as_str());
    let network = asked.as_ref().is_some_and(|check| check.network);
    match tried {
        _ if word == "none" => found.warn("sandbox", format!("none, by check.sandbox: {OPEN}"), None),
        Ok(()) if network => found.ok("sandbox", "bwrap: checks do not see your home; they have the network"),
        Ok(()) => found.ok("sandbox", "bwrap: checks see neither your home nor the network"),
        Err(why) if word == "bwrap" => found.fail("sandbox", why.clone(), fenced::remedy(&why)),
        Err(why) => found.warn("sandbox", format!("none, as {why}: {OPEN}"), Some(fenced::remedy(&why))),
    }
}

fn manual(found: &mut Found, place: &Place<'_>) {
    let install = "git invisigoth man --install";
    let asked: Result<_, _> = spawn::run_captured(
        "man",
        &["-w", "git-invisigoth"],
        place.cwd,
        &place.env.for_git(),
        b"",
        Some(MAN_LIMIT),
    );
    match asked {
        Ok(said) if said.code == 0 => {
            found.ok("manual", String::from_utf8_lossy(&said.stdout).trim().to_owned());
        }
        Ok(_) => found.warn("manual", "`git invisigoth --help` finds no page", Some(install)),
        Err(_) => found.warn(
            "manual",
            "man is not installed; `git invisigoth help` works without it",
            None,
        ),
    }
}
