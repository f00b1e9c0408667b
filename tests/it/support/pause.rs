//! A check that waits for the test, and a run that goes on in the background meanwhile. Named pipes tell when, so nothing
//! sleeps and nothing depends on how fast the machine is.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    process::Child,
    thread::JoinHandle,
};

use crate::support::{Ran, Sandbox};

/// Put into a check: the first check to get here says so and waits to be let go.
pub const PAUSE: &str = r#"
if [ ! -e "$HOME/paused" ]; then
    : > "$HOME/paused"
    echo reached > "$HOME/said"
    read -r go < "$HOME/go"
fi
"#;

/// Both ends of the pipes. Dropped, a check that still waits goes on.
pub struct Pause {
    said: BufReader<File>,
    go: File,
}

/// A run in the background.
pub struct Running {
    pid: u32,
    ended: JoinHandle<Ran>,
}

impl Pause {
    /// Makes the pipes.
    pub fn new(sandbox: &Sandbox) -> Self {
        // Opened for both, opening waits for nobody.
        let pipe = |name: &str| {
            let path = sandbox.home().join(name);
            assert_eq!(sandbox.sh("mkfifo", &[path.to_str().unwrap()]).code, 0);
            OpenOptions::new().read(true).write(true).open(path).unwrap()
        };
        Self {
            said: BufReader::new(pipe("said")),
            go: pipe("go"),
        }
    }

    /// Starts the binary and waits until a check of it pauses.
    pub fn start(&mut self, sandbox: &Sandbox, args: &[&str]) -> Running {
        let child: Child = sandbox.spawn(args);
        let pid = child.id();
        let mut said = self.said.get_ref().try_clone().unwrap();
        let ended = std::thread::spawn(move || {
            let output = child.wait_with_output().unwrap();
            // Whoever still waits for a pause would wait forever.
            said.write_all(b"ended\n").unwrap();
            Ran::of(&output)
        });
        let reached = self.reached();
        let running = Running { pid, ended };
        if !reached {
            let ran = running.end();
            panic!("no check paused: exit {}\n{}{}", ran.code, ran.stdout, ran.stderr);
        }
        running
    }

    /// Waits until a check pauses; false where a run that was started here ended without one.
    pub fn reached(&mut self) -> bool {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line == "reached\n"
    }

    /// Lets the paused check go on.
    pub fn go(&mut self) {
        self.go.write_all(b"go\n").unwrap();
    }
}

impl Running {
    /// Sends a signal, by name.
    pub fn signal(&self, sandbox: &Sandbox, name: &str) {
        assert_eq!(sandbox.sh("kill", &["-s", name, &self.pid.to_string()]).code, 0);
    }

    /// Waits for the end.
    pub fn end(self) -> Ran {
        self.ended.join().unwrap()
    }
}
