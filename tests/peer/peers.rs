//! Finds the programs of others, starts them and ends them.
//!
//! Not here: what they are asked. Nothing waits for a time: a server says itself when it listens.

use std::{
    env,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// Longest wait for a server to say that it listens; beyond it the test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server of others; it ends with the test, whether that passes or not.
pub struct Server {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
}

/// Returns the path of an installed peer; fails with the command that installs it.
pub fn find(name: &str) -> PathBuf {
    let folder = env::var_os("INVISIGOTH_PEERS").map_or_else(beside_the_binary, PathBuf::from);
    let path = folder.join("bin").join(name);
    assert!(
        path.is_file(),
        "{} is not there: run `tests/peer/install.sh`, which needs python3 with venv and pip, and npm",
        path.display()
    );
    path
}

/// `target/peers`, wherever `target` is.
fn beside_the_binary() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_git-invisigoth"));
    binary.ancestors().nth(2).unwrap().join("peers")
}

impl Server {
    /// Starts a server, and returns when it has said on either stream that it `runs on` an address.
    pub fn start(command: &mut Command, runs_on: &'static str) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // From here on it is ended whatever happens.
        let mut server = Self {
            child,
            url: String::new(),
        };
        let (say, said) = channel();
        read(server.child.stdout.take().unwrap(), say.clone());
        read(server.child.stderr.take().unwrap(), say);
        server.url = address(&said, runs_on);
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Where it has ended already, that is what was wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, for a server that cannot write stands still. Nobody need listen.
fn read(stream: impl Read + Send + 'static, say: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = say.send(line);
        }
    });
}

fn address(said: &Receiver<String>, runs_on: &str) -> String {
    let mut all = String::new();
    loop {
        let Ok(line) = said.recv_timeout(PATIENCE) else {
            panic!("the server does not say that it is `{runs_on}`:\n{all}");
        };
        if let Some((_, rest)) = line.split_once(runs_on) {
            return rest.split_whitespace().next().unwrap_or_default().to_owned();
        }
        all.push_str(&line);
        all.push('\n');
    }
}
