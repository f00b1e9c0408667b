//! A command that is struck by a fault at a point, or goes through all of them.
//!
//! Knows how a plan is told to the binary, and how the binary tells what it hit.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    os::unix::process::ExitStatusExt as _,
    process::{Command, ExitStatus},
};

use invisigoth::fault::point::{Plan, Point};
use rustix::process::{Pid, Signal, WaitOptions};

use crate::support::Sandbox;

/// What came of it.
pub struct Struck {
    /// The exit code; 137 where it was killed.
    pub code: i32,
    /// What it said to the person.
    pub stderr: String,
    /// Whether the fault came at all.
    pub fired: bool,
    /// How often each point was hit.
    pub hits: BTreeMap<Point, u64>,
}

/// Runs the binary, with a fault where there is a plan.
pub fn run(sandbox: &Sandbox, args: &[&str], plan: Option<Plan>) -> Struck {
    let trace = sandbox.home().join("points");
    let _ = fs::remove_file(&trace);
    let mut command = planned(sandbox, args, plan);
    let output = command.output().unwrap();
    ended(
        sandbox,
        output.status,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Runs the binary, which stops where the plan says until `meanwhile` has done something there.
pub fn stopped(sandbox: &Sandbox, args: &[&str], plan: Plan, meanwhile: impl Fn(&Sandbox)) -> Struck {
    let said = sandbox.home().join("said.txt");
    let mut command = planned(sandbox, args, Some(plan));
    command.stdout(File::create(sandbox.home().join("out.txt")).unwrap());
    command.stderr(File::create(&said).unwrap());
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    let status = loop {
        let (_, status) = rustix::process::waitpid(Some(pid), WaitOptions::UNTRACED)
            .unwrap()
            .unwrap();
        if !status.stopped() {
            break status;
        }
        meanwhile(sandbox);
        rustix::process::kill_process(pid, Signal::CONT).unwrap();
    };
    let status = ExitStatus::from_raw(status.as_raw());
    ended(sandbox, status, fs::read_to_string(said).unwrap())
}

fn planned(sandbox: &Sandbox, args: &[&str], plan: Option<Plan>) -> Command {
    let mut command = sandbox.invisigoth(args);
    command.env("INVISIGOTH_POINTS", sandbox.home().join("points"));
    if let Some(plan) = plan {
        command.env("INVISIGOTH_FAULT", plan.to_string());
    }
    command
}

fn ended(sandbox: &Sandbox, status: ExitStatus, stderr: String) -> Struck {
    let trace = fs::read_to_string(sandbox.home().join("points")).unwrap_or_default();
    let mut hits = BTreeMap::new();
    for line in trace.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        *hits.entry(name.parse().unwrap()).or_insert(0) += 1;
    }
    Struck {
        code: status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        stderr,
        fired: trace.lines().any(|line| line.contains(' ')),
        hits,
    }
}
