//! Ways to run the binary in the sandbox, and to look for what it must not leave.
//!
//! Not here: what the sandbox holds, which is `support`.

use std::{
    ffi::OsString,
    fs,
    io::Write as _,
    iter,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Ran, Sandbox};

impl Sandbox {
    /// Makes a program that is a line of shell, and returns the `PATH` on which it comes first.
    pub fn with_program(&self, name: &str, line: &str) -> OsString {
        let own = self.home().join("bin");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join(name), format!("#!/bin/sh\n{line}\n")).unwrap();
        fs::set_permissions(own.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        let all = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(iter::once(own).chain(std::env::split_paths(&all))).unwrap()
    }

    /// The binary, not started yet.
    pub fn invisigoth(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_git-invisigoth"));
        command.args(args);
        command
    }

    /// Runs the binary.
    pub fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.invisigoth(args).output().unwrap())
    }

    /// Runs the binary with more in its environment.
    pub fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        Ran::of(&self.invisigoth(args).envs(env.iter().copied()).output().unwrap())
    }

    /// True where any object, file of `.git` or slot holds `word`.
    pub fn holds(&self, word: &str) -> bool {
        let found = self
            .command("grep")
            .args(["-rqaF", word, "."])
            .current_dir(self.home())
            .status()
            .unwrap();
        let all = ["cat-file", "--batch", "--batch-all-objects"];
        let objects = self.command("git").args(all).output().unwrap().stdout;
        found.success() || String::from_utf8_lossy(&objects).contains(word)
    }

    /// Runs the binary with `text` on its standard input.
    pub fn fed(&self, args: &[&str], text: &str) -> Ran {
        let mut child = self
            .invisigoth(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Ran::of(&child.wait_with_output().unwrap())
    }

    /// Runs the binary, which must exit with 0; returns its standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Runs the binary with `--json` and reads the last line of its answer.
    pub fn json(&self, args: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(args);
        let ran = self.run(&all);
        let last = ran.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{args:?}: {error}\n{}{}", ran.stdout, ran.stderr))
    }

    /// The state of a goal, as `show` tells.
    pub fn state(&self, goal: &str) -> String {
        self.json(&["show", goal])["state"].as_str().unwrap_or("?").to_owned()
    }

    /// Starts the binary without waiting for it.
    pub fn spawn(&self, args: &[&str]) -> Child {
        self.invisigoth(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}
