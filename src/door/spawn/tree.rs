//! Process trees: finds and kills everything that a check started, also what left its process group and its parent.
//!
//! This process is a subreaper: whatever a check leaves behind becomes our child. An orphan is known by the mark in its
//! environment, by its process group, or, with its environment cleared, by having come while no other check ran. Only our
//! own children are ever killed by number: a number cannot be given anew before we have waited for it.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use duct::{Expression, Handle};
use rustix::process::{Pid, Signal, WaitOptions};

use crate::{door::point, fault::point::Point};

/// The variable that marks a check's processes.
const MARK: &str = "INVISIGOTH_CHECK";

/// How long an ended tree may take to be gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// The kernel may leave a child out of a list that is read while another child dies, so one look is not enough.
const CLEAN_LOOKS: u32 = 2;

/// A process without any environment may only be between two programs; after so many looks it is believed.
const UNSURE_LOOKS: u32 = 20;

/// What a look at our children came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Seen {
    /// No orphan of this check.
    Nothing,
    /// Some orphan that nothing tells apart yet.
    Nameless,
    /// Orphans of this check, now killed, or dead ones.
    Orphans,
}

/// What this process started and still waits for.
struct Live {
    direct: BTreeSet<i32>,
    checks: BTreeSet<u64>,
    next: u64,
}

static LIVE: Mutex<Live> = Mutex::new(Live {
    direct: BTreeSet::new(),
    checks: BTreeSet::new(),
    next: 1,
});

/// Held while a child is started: a sweep in another thread must not meet it before it is known.
fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    fn start(&mut self, command: &Expression) -> io::Result<Handle> {
        let handle = command.start()?;
        self.direct.extend(numbers_of(&handle));
        Ok(handle)
    }
}

fn numbers_of(handle: &Handle) -> impl Iterator<Item = i32> {
    handle.pids().into_iter().filter_map(|pid| i32::try_from(pid).ok())
}

/// A check's processes, from before it starts until none is left.
#[derive(Debug)]
pub struct Tree {
    number: u64,
    before: BTreeSet<(i32, u64)>,
}

impl Tree {
    /// Prepares for a check: from now on orphans come to us.
    ///
    /// # Errors
    /// When the kernel knows no subreapers.
    pub fn open() -> io::Result<Self> {
        static SUBREAPER: OnceLock<Result<(), rustix::io::Errno>> = OnceLock::new();
        let adopted = SUBREAPER.get_or_init(|| rustix::process::set_child_subreaper(Some(rustix::process::getpid())));
        adopted.map_err(io::Error::from)?;
        let mut live = live();
        let before = children_of_ours()
            .into_iter()
            .filter(|pid| !live.direct.contains(pid))
            .filter_map(Process::look)
            .map(|process| process.identity())
            .collect();
        let number = live.next;
        live.next += 1;
        live.checks.insert(number);
        Ok(Self { number, before })
    }

    /// Returns the variable that the check's environment must hold.
    pub fn mark(&self) -> (OsString, OsString) {
        (MARK.into(), self.mark_value().into())
    }

    /// Starts the check.
    ///
    /// # Errors
    /// When there is no such program or folder.
    pub fn start(&self, command: &Expression) -> io::Result<Handle> {
        point::at(Point::CheckStarted, || live().start(command))
    }

    /// Ends the check's first process if it still runs, then everything that came from it, and waits until all are gone.
    pub fn end(&self, handle: &Handle) {
        let mut doomed = BTreeSet::new();
        let running = !matches!(handle.try_wait(), Ok(Some(_)));
        for pid in numbers_of(handle).filter(|_| running) {
            add_descendants(pid, &mut doomed);
            kill_group(pid);
        }
        if running {
            let _ = handle.kill();
            let _ = handle.wait_timeout(PATIENCE);
        }
        let groups: BTreeSet<i32> = numbers_of(handle).collect();
        let until = Instant::now() + PATIENCE;
        let (mut clean, mut unsure) = (0, 0);
        while clean < CLEAN_LOOKS && Instant::now() < until {
            match self.sweep(&groups, &mut doomed) {
                Seen::Nothing => clean += 1,
                Seen::Orphans => clean = 0,
                Seen::Nameless if unsure < UNSURE_LOOKS => unsure += 1,
                Seen::Nameless => clean += 1,
            }
            if clean == 0 {
                thread::sleep(Duration::from_micros(100));
            }
        }
        let mut live = live();
        live.direct.retain(|pid| !groups.contains(pid));
    }

    fn mark_value(&self) -> String {
        format!("{}-{}", std::process::id(), self.number)
    }

    /// Kills what is left of the check among our children; says whether there was any. Their children become ours in turn.
    fn sweep(&self, groups: &BTreeSet<i32>, doomed: &mut BTreeSet<(i32, u64)>) -> Seen {
        let live = live();
        let own_group = rustix::process::getpgrp().as_raw_nonzero().get();
        let mut seen = Seen::Nothing;
        for pid in children_of_ours() {
            if live.direct.contains(&pid) && !groups.contains(&pid) {
                continue;
            }
            // Helpers that gix starts stay in our own process group; who started them waits for them.
            let Some(process) = Process::look(pid).filter(|process| process.group != own_group) else {
                continue;
            };
            if process.is_dead {
                if reap(pid) {
                    seen = Seen::Orphans;
                }
                continue;
            }
            let known = groups.contains(&process.group) || doomed.contains(&process.identity());
            let claim = if known {
                Seen::Orphans
            } else {
                self.claim(&process, &live)
            };
            seen = seen.max(claim);
            if claim == Seen::Orphans {
                add_descendants(pid, doomed);
                if groups.contains(&process.group) {
                    kill_group(process.group);
                }
                kill(pid);
                reap(pid);
            }
        }
        seen
    }

    /// An orphan is this check's by its mark; one without a mark of a running check is, if it came since this check began
    /// and no other check runs.
    fn claim(&self, process: &Process, live: &Live) -> Seen {
        if self.before.contains(&process.identity()) {
            return Seen::Nothing;
        }
        let mark = mark_of(process.pid);
        let number = mark
            .as_deref()
            .and_then(|mark| mark.strip_prefix(&format!("{}-", std::process::id()))?.parse().ok())
            .filter(|number| live.checks.contains(number));
        match number {
            Some(number) if number == self.number => Seen::Orphans,
            Some(_) => Seen::Nothing,
            None if live.checks.len() == 1 => Seen::Orphans,
            None if mark.is_none() => Seen::Nameless,
            None => Seen::Nothing,
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        live().checks.remove(&self.number);
    }
}

/// A program of ours that is not a check: known, so that no sweep touches it, but its background is its own affair.
#[derive(Debug)]
pub struct Helper {
    /// The started program.
    pub handle: Handle,
}

impl Helper {
    /// Starts it.
    ///
    /// # Errors
    /// When there is no such program or folder.
    pub fn start(command: &Expression) -> io::Result<Self> {
        Ok(Self {
            handle: point::at(Point::HelperStarted, || live().start(command))?,
        })
    }

    /// Kills it with its process group and waits, not longer than `patience`, until it is gone.
    pub fn kill(&self, patience: Duration) {
        if !matches!(self.handle.try_wait(), Ok(Some(_))) {
            numbers_of(&self.handle).for_each(kill_group);
            let _ = self.handle.kill();
            let _ = self.handle.wait_timeout(patience);
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let mut live = live();
        for pid in numbers_of(&self.handle) {
            live.direct.remove(&pid);
        }
    }
}

/// Kills what a check of a process that is no more left running in `folder`: marked processes that work below it. Reads
/// every process of this machine, so it is for recovery only.
pub fn end_strays(folder: &Path) {
    let folder = real(folder);
    // One that is between two programs has no environment for a moment, and one that forks has a child that was not seen.
    let mut clean = 0;
    for _ in 0..UNSURE_LOOKS {
        let here = all_processes().into_iter().filter(|pid| is_at(*pid, &folder));
        let mut is_clean = true;
        for pid in here {
            match environment_of(pid) {
                Some(environment) if mark_in(&environment).is_some() => kill(pid),
                Some(environment) if !environment.is_empty() => continue,
                _ => {}
            }
            is_clean = false;
        }
        clean = if is_clean { clean + 1 } else { 0 };
        if clean == CLEAN_LOOKS {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// True where some process called `name`, whoever started it, works in `folder` or below. Reads every process of this
/// machine, so it is for recovery only.
pub fn works_in(name: &str, folder: &Path) -> bool {
    let folder = real(folder);
    let called = |pid: i32| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let mut here = all_processes().into_iter().filter(|pid| is_at(*pid, &folder));
    here.any(|pid| called(pid).trim() == name)
}

/// The kernel says where a process works by the real path.
fn real(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

fn is_at(pid: i32, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|at| at.starts_with(folder))
}

/// What the kernel says about a process.
#[derive(Clone, Copy, Debug)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    started: u64,
    is_dead: bool,
}

impl Process {
    fn look(pid: i32) -> Option<Self> {
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let text = String::from_utf8_lossy(&text);
        // The name of the program stands in brackets and may hold anything, brackets too.
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        Some(Self {
            pid,
            is_dead: matches!(*fields.first()?, "Z" | "X" | "x"),
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }

    /// A number alone may be given anew.
    fn identity(&self) -> (i32, u64) {
        (self.pid, self.started)
    }
}

fn children_of_ours() -> Vec<i32> {
    i32::try_from(std::process::id()).map(children_of).unwrap_or_default()
}

/// Lists the children of all threads of a process. Kernels that keep no such list make us ask every process for its parent.
fn children_of(pid: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return found;
    };
    for thread in threads.flatten() {
        match fs::read_to_string(thread.path().join("children")) {
            Ok(list) => found.extend(list.split_ascii_whitespace().filter_map(|n| n.parse::<i32>().ok())),
            Err(_) if thread.path().exists() => return children_by_parent(pid),
            Err(_) => {}
        }
    }
    found
}

fn children_by_parent(parent: i32) -> Vec<i32> {
    let is_child = |pid: &i32| Process::look(*pid).is_some_and(|process| process.parent == parent);
    all_processes().into_iter().filter(is_child).collect()
}

fn all_processes() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

fn add_descendants(pid: i32, into: &mut BTreeSet<(i32, u64)>) {
    for child in children_of(pid) {
        if let Some(process) = Process::look(child)
            && into.insert(process.identity())
        {
            add_descendants(child, into);
        }
    }
}

fn mark_of(pid: i32) -> Option<String> {
    mark_in(&environment_of(pid)?)
}

fn environment_of(pid: i32) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

fn mark_in(environment: &[u8]) -> Option<String> {
    environment.split(|byte| *byte == 0).find_map(|variable| {
        let value = variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

fn kill(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

fn kill_group(group: i32) {
    if let Some(group) = Pid::from_raw(group) {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

fn reap(pid: i32) -> bool {
    Pid::from_raw(pid)
        .is_some_and(|pid| matches!(rustix::process::waitpid(Some(pid), WaitOptions::NOHANG), Ok(Some(_))))
}
