//! The one server of a clone: its lock tells others that it runs and where, its token, which the owner alone can read, lets them
//! make links and ask. Knows nothing of requests.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use core::net::SocketAddr;
use eyre::{Result, WrapErr as _};
use serde::{Deserialize, Serialize};

use crate::{
    commands,
    door::{
        env,
        fs::{self, Lock},
        random,
    },
    engine::session::Session,
    time::Moment,
    web::{sign_in, site::May},
};

/// What a server says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct About {
    /// Its process.
    pub pid: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// True where nothing can be changed over it.
    pub read_only: bool,
    /// What tells it from those before it.
    pub start: String,
}

/// What `serve` tells.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The link that signs a browser in, once.
    pub link: String,
    /// The server.
    #[serde(flatten)]
    pub server: About,
    /// The file that holds the token for programs.
    pub token_file: PathBuf,
    /// False where it was running before.
    pub began: bool,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.serve/1";
}

/// The place of this process as the server of its clone, for as long as it stands.
pub struct Running {
    lock: Arc<Mutex<Lock>>,
    file: PathBuf,
    token: String,
    start: String,
}

/// Whether another one is there.
pub enum Begun {
    /// This process is the server now.
    Here(Running),
    /// Another one is: `None` where it does not say yet where it listens, or that it does no more.
    There(Option<About>),
}

/// Returns the file that holds the token.
fn token_file(session: &Session) -> PathBuf {
    session.own_dir(&session.repo()).join("serve.token")
}

fn lock_file(session: &Session) -> PathBuf {
    session.own_dir(&session.repo()).join("serve.lock")
}

/// Takes the place unless another process has it. The token stays what it was; without one that is ours alone there is a new one.
///
/// # Errors
/// When files cannot be read or written.
pub fn begin(session: &Session) -> Result<Begun> {
    let (folder, path) = (session.own_dir(&session.repo()), lock_file(session));
    fs::create_dir_all(&folder).wrap_err_with(|| format!("making {}", folder.display()))?;
    let taken = Lock::try_lock(&path, "").wrap_err_with(|| format!("locking {}", path.display()))?;
    let Some(lock) = taken else {
        let said = Lock::holder(&path)?.unwrap_or_default();
        return Ok(Begun::There(serde_json::from_str(said.trim()).ok()));
    };
    let file = token_file(session);
    let token = match kept(&file) {
        Some(token) => token,
        None => {
            let token = random::digits()?;
            fs::write_private(&file, token.as_bytes()).wrap_err_with(|| format!("writing {}", file.display()))?;
            token
        }
    };
    let start = random::digits()?.chars().take(16).collect();
    Ok(Begun::Here(Running {
        lock: Arc::new(Mutex::new(lock)),
        file,
        token,
        start,
    }))
}

/// A token that others could read is none, nor is what nobody made.
fn kept(file: &Path) -> Option<String> {
    let is_ours = fs::owner_and_mode(file).is_ok_and(|about| about == (env::user_id(), 0o600));
    let token = fs::read_text(file).ok().flatten().filter(|_| is_ours)?;
    let is_whole = token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_whole.then_some(token)
}

impl Running {
    /// Returns the token, and what tells this server from those before it.
    pub fn secrets(&self) -> (String, String) {
        (self.token.clone(), self.start.clone())
    }

    /// Says where it listens; returns what there is to tell about it.
    ///
    /// # Errors
    /// When it cannot be said.
    pub fn listens(&self, address: SocketAddr, may: May, now: Moment) -> Result<Outcome> {
        let server = About {
            pid: env::process_id(),
            address,
            read_only: may == May::Look,
            start: self.start.clone(),
        };
        let text = serde_json::to_string(&server)? + "\n";
        say(&self.lock, &text).wrap_err("saying where the server is")?;
        outcome(server, &self.file, &self.token, now, true)
    }

    /// Returns what to call when the server is about to end: from then on nobody is sent to it.
    pub fn ending(&self) -> impl Fn() + Send + 'static {
        let lock = Arc::clone(&self.lock);
        // Where it cannot be said, whoever is sent here finds nobody.
        move || drop(say(&lock, ""))
    }
}

fn say(lock: &Mutex<Lock>, text: &str) -> io::Result<()> {
    lock.lock().unwrap_or_else(PoisonError::into_inner).write(text)
}

/// Makes another link of the server that runs.
///
/// # Errors
/// When its token cannot be read.
pub fn another(session: &Session, server: About) -> Result<Outcome> {
    let file = token_file(session);
    let token = fs::read_text(&file).wrap_err_with(|| format!("reading {}", file.display()))?;
    outcome(
        server,
        &file,
        token.unwrap_or_default().trim(),
        session.clock.now(),
        false,
    )
}

fn outcome(server: About, file: &Path, token: &str, now: Moment, began: bool) -> Result<Outcome> {
    let link = sign_in::link((token, &server.start), now).wrap_err("making a link")?;
    Ok(Outcome {
        link: format!("http://{}/sign-in?token={link}", shown(server.address)),
        server,
        token_file: file.to_owned(),
        began,
    })
}

/// One that listens everywhere is reached here by the address of this machine.
fn shown(address: SocketAddr) -> SocketAddr {
    match (address.ip().is_unspecified(), address.is_ipv4()) {
        (false, _) => address,
        (true, true) => SocketAddr::from(([127, 0, 0, 1], address.port())),
        (true, false) => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], address.port())),
    }
}
