//! Fenced commands: whether bubblewrap works here, and the words before a command that fence it in.
//!
//! The one place that knows both the rule (`fence`) and this machine. Judges nothing; runs nothing but a probe.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use eyre::{Result, WrapErr as _};

use crate::{
    check::{End, Sandbox},
    door::{
        env::Env,
        fs,
        spawn::{self, Spawn},
    },
    engine::session::Session,
    fault::{Fault, Kind},
    fence::{
        self, Fence, SYSTEM_SECRETS, config,
        tools::{Cache, Tools},
    },
    git::Repo,
    secret::Redactor,
    settings,
    slot::Slot,
    time::Stop,
};

/// Longest time of the probe.
const PROBE_LIMIT: Duration = Duration::from_secs(20);

/// Bytes of what the probe says that are kept.
const PROBE_CAP: usize = 4096;

/// A bubblewrap that works.
#[derive(Clone, Debug)]
pub struct Works {
    program: PathBuf,
    namespaces: bool,
}

/// What a fenced command may use besides the system and its slot.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Further files and folders to read.
    pub readable: Vec<PathBuf>,
    /// Further files and folders to write.
    pub writable: Vec<PathBuf>,
    /// Whether it has the network.
    pub network: bool,
    /// Whether it may write the person's own package caches: for commands that act on the person's own code only.
    pub own_caches: bool,
    /// Most address space of one process, in MiB.
    pub memory: Option<u32>,
}

/// How a command is started: the words before it, and all that its environment holds.
#[derive(Clone, Debug)]
pub struct Fenced {
    /// Program and arguments that come before the command's own.
    pub before: Vec<OsString>,
    /// The environment.
    pub env: Vec<(OsString, OsString)>,
    /// Where it starts.
    pub dir: PathBuf,
}

impl Fenced {
    /// Returns the process for `command`, a program and its arguments, with nothing to read.
    pub fn spawn(
        &self,
        command: impl IntoIterator<Item = OsString>,
        (timeout, output_cap): (Duration, usize),
        redactor: &Redactor,
    ) -> Spawn {
        let mut words = self.before.iter().cloned().chain(command);
        Spawn {
            program: words.next().unwrap_or_default(),
            args: words.collect(),
            dir: self.dir.clone(),
            env: self.env.clone(),
            stdin: Vec::new(),
            timeout: Some(timeout),
            output_cap,
            redactor: redactor.clone(),
        }
    }
}

/// Returns the sandbox that `check` asks for and this machine has.
///
/// # Errors
/// A fault where bubblewrap is demanded and does not work.
pub fn sandbox(session: &Session, repo: &Repo, check: &settings::Check) -> Result<Sandbox> {
    if check.sandbox == "none" {
        return Ok(Sandbox::None);
    }
    match probe(session, repo) {
        Ok(_) => Ok(Sandbox::Bwrap),
        Err(why) if check.sandbox == "bwrap" => Err(missing(why).into()),
        Err(_) => Ok(Sandbox::None),
    }
}

fn missing(why: &str) -> Fault {
    let fault = Fault::new(Kind::Sandbox, format!("check.sandbox is `bwrap`, and {why}"));
    fault.hint(remedy(why))
}

/// Says what makes bubblewrap work where it does not, for the reason `why`.
pub fn remedy(why: &str) -> &'static str {
    if why.ends_with("not installed") {
        "`apt install bubblewrap`, or what your system calls it"
    } else {
        "let `bwrap` make user namespaces: an AppArmor profile for it, or the container's own settings"
    }
}

/// Returns the bubblewrap that works here, or why there is none. Tried once in the life of the session.
///
/// # Errors
/// The reason, for people.
pub fn probe<'s>(session: &'s Session, repo: &Repo) -> Result<&'s Works, &'s str> {
    let tried = || try_out(&session.env, &session.cache_root(repo), hidden(session, repo));
    session.bubblewrap.get_or_init(tried).as_ref().map_err(String::as_str)
}

/// Tries bubblewrap with the arguments that a check gets, in `cache_root`.
///
/// # Errors
/// Why it does not work, for people.
pub fn try_out(env: &Env, cache_root: &Path, hidden: Vec<PathBuf>) -> Result<Works, String> {
    let env = env.for_checks(&[]);
    let program = spawn::find("bwrap".as_ref(), &env).map_err(|_| "bubblewrap is not installed".to_owned())?;
    let root = cache_root.to_owned();
    fs::create_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    let fence = Fence {
        root: root.clone(),
        ..surroundings(hidden, &env)
    };
    let mut said = String::new();
    for namespaces in [false, true] {
        let works = Works {
            program: program.clone(),
            namespaces,
        };
        let trial = Fenced {
            before: words(&works, fence.clone(), None),
            env: env.clone(),
            dir: root.clone(),
        };
        let ended = trial
            .spawn(["true".into()], (PROBE_LIMIT, PROBE_CAP), &Redactor::default())
            .run(&Stop::default());
        if ended.end == End::Exit(0) {
            return Ok(works);
        }
        said = String::from_utf8_lossy(&ended.output).into_owned();
    }
    let line = said.lines().next().unwrap_or("it fails").trim_start_matches("bwrap: ");
    Err(format!("bubblewrap does not work here: {line}"))
}

/// Returns how a command is fenced into `slot`, which it may write. `env` is all that an unfenced one would see.
///
/// # Errors
/// When folders for it cannot be made.
pub fn fence(
    session: &Session,
    repo: &Repo,
    slot: &Slot,
    access: &Access,
    env: Vec<(OsString, OsString)>,
) -> Result<Fenced> {
    let dir = slot.root().to_owned();
    let Ok(works) = probe(session, repo) else {
        // Nobody asks for a fence where there is none; should somebody, nothing starts.
        return Err(Fault::new(Kind::Sandbox, "there is no sandbox").into());
    };
    let mut fence = surroundings(hidden(session, repo), &env);
    fence.root.clone_from(&dir);
    fence.network = access.network;
    // Often a link into `/run`, which is empty inside.
    let names = Path::new("/etc/resolv.conf");
    if access.network && names.exists() {
        fence.readable.extend(with_target(names));
    }
    for path in &access.readable {
        fence.readable.extend(with_target(path));
    }
    let cache = slot.cache_dir().wrap_err("making a slot's cache")?;
    let writable = access.writable.iter().chain([&cache]);
    fence.writable.extend(writable.map(|path| (path.clone(), path.clone())));
    let mut env = Variables(env);
    env.unset(&["TMPDIR", "GOCACHE"]);
    let own = cache.join("xdg");
    for cache in Tools::new(&env.0).caches() {
        share(&cache, slot, access, &own, (&mut fence, &mut env))?;
    }
    env.set("XDG_CACHE_HOME", own.into());
    if !access.network {
        env.set("CARGO_NET_OFFLINE", "true".into());
    }
    Ok(Fenced {
        before: words(works, fence, access.memory),
        env: env.0,
        dir,
    })
}

/// Returns what limits an unfenced command: nothing but what the user asked for.
pub fn limited(slot: &Slot, memory: Option<u32>, env: Vec<(OsString, OsString)>) -> Fenced {
    Fenced {
        before: memory.map(|mib| fence::limits(Some(mib))).unwrap_or_default(),
        env,
        dir: slot.root().to_owned(),
    }
}

/// A command finds packages where its tool looks for them: to read in the person's own cache, to write in the slot's, or
/// also in the person's own where that is allowed.
fn share(
    cache: &Cache,
    slot: &Slot,
    access: &Access,
    own: &Path,
    (fence, env): (&mut Fence, &mut Variables),
) -> Result<()> {
    let is_there = cache.place.is_dir();
    match cache.variable {
        _ if is_there && access.own_caches => {
            fence.writable.push((cache.place.clone(), cache.place.clone()));
            if let Some(variable) = cache.variable {
                env.set(variable, cache.place.clone().into());
            }
        }
        Some(variable) => env.set(variable, own.join(cache.name).into()),
        // Below what is read only nothing can be put.
        None if fence.readable.iter().any(|folder| cache.place.starts_with(folder)) => {}
        None if is_there => fence.readable.extend(with_target(&cache.place)),
        None => {
            // Not in the slot's cache: a check could put a link in the place of what is mounted.
            let private = slot.root().with_extension("home").join(cache.name);
            fs::create_private_dir_all(&private).wrap_err("making a slot's cache")?;
            fence.writable.push((private, cache.place.clone()));
        }
    }
    Ok(())
}

fn words(works: &Works, fence: Fence, memory: Option<u32>) -> Vec<OsString> {
    let fence = Fence {
        namespaces: works.namespaces,
        ..fence
    };
    let mut words: Vec<OsString> = vec![works.program.clone().into()];
    words.extend(fence.args());
    words.extend(fence::limits(memory));
    words
}

/// What every fence of this session has: an empty home with toolchains in it, and nothing of ours.
fn surroundings(hidden: Vec<PathBuf>, env: &[(OsString, OsString)]) -> Fence {
    let tools = Tools::new(env);
    let home = tools.home().map(Path::to_owned);
    let covers_home = |folder: &Path| home.as_ref().is_some_and(|home| home.starts_with(folder));
    let is_ours = |path: &Path| {
        hidden
            .iter()
            .any(|folder| path.starts_with(folder) && !covers_home(folder))
    };
    let mut readable: Vec<PathBuf> = tools
        .folders()
        .into_iter()
        .filter(|path| path.is_dir())
        .flat_map(|path| with_target(&path))
        .filter(|path| !is_ours(path) && !covers_home(path))
        .collect();
    if let Some(home) = &home {
        let files = config::FILES.iter().map(|name| home.join(name));
        readable.extend(files.filter(|file| {
            let text = fs::read_text(file).ok().flatten();
            text.is_some_and(|text| config::is_plain(&text))
        }));
    }
    let secrets = SYSTEM_SECRETS.iter().map(PathBuf::from);
    let (folders, others): (Vec<PathBuf>, Vec<PathBuf>) =
        secrets.filter(|path| path.exists()).partition(|path| path.is_dir());
    Fence {
        home,
        readable,
        hidden_folders: hidden.into_iter().chain(folders).collect(),
        hidden_files: others,
        ..Fence::default()
    }
}

/// Lists the folders that no fenced command sees, wherever they lie: the repository, its git directory, the main checkout
/// of a linked one, the user's settings and all slots.
fn hidden(session: &Session, repo: &Repo) -> Vec<PathBuf> {
    let common = repo.common_dir();
    let main = common.parent().filter(|_| common.ends_with(".git"));
    let ours = [
        Some(session.cache_root(repo).join("invisigoth")),
        session.env.config_home().map(|home| home.join("invisigoth")),
        repo.workdir().map(Path::to_owned),
        Some(common.to_owned()),
        main.map(Path::to_owned),
    ];
    let all = ours.iter().flatten().flat_map(|path| with_target(path));
    all.filter(|path| path.is_dir()).collect()
}

/// Returns `path`, and where it leads if that is elsewhere.
fn with_target(path: &Path) -> Vec<PathBuf> {
    let target = path.canonicalize().ok().filter(|target| target != path);
    [path.to_owned()].into_iter().chain(target).collect()
}

/// An environment, to be changed.
struct Variables(Vec<(OsString, OsString)>);

impl Variables {
    fn set(&mut self, name: &str, value: OsString) {
        self.unset(&[name]);
        self.0.push((name.into(), value));
    }

    fn unset(&mut self, names: &[&str]) {
        self.0
            .retain(|(name, _)| !names.iter().any(|unwanted| name == unwanted));
    }
}
