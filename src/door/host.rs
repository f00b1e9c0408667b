//! This machine and this process among others: since which start of the machine, and which processes are there still.
//!
//! Decides nothing about what that means. Where the system does not say, it is unknown.

use std::{
    hash::{BuildHasher as _, RandomState},
    path::{Path, PathBuf},
};

/// Names this start of the machine and this space of process numbers; empty where the system does not say. Only where both
/// are the same does a process number mean the same process.
pub fn boot() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let space: String = space.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    match boot.trim() {
        "" => String::new(),
        boot => format!("{boot}.{space}"),
    }
}

/// Returns when a process was started, in ticks since the machine was; `None` where there is no such process, or it has
/// ended and only waits to be noticed.
pub fn started(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in parentheses, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// True where a process of the program `name` works in one of `folders` or below; `None` where the system does not say.
pub fn runs_in(name: &str, folders: &[PathBuf]) -> Option<bool> {
    let real = |folder: &PathBuf| std::fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
    let folders: Vec<PathBuf> = folders.iter().map(real).collect();
    let is_there = |process: &Path| {
        let said = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
        if said.trim_end() != name || has_ended(process) {
            return false;
        }
        // Of somebody else's process nobody may know where it works.
        let at = std::fs::read_link(process.join("cwd")).ok();
        at.is_none_or(|at| folders.iter().any(|folder| at.starts_with(folder)))
    };
    let mut processes = std::fs::read_dir("/proc").ok()?.flatten();
    host_says().then(|| processes.any(|process| is_there(&process.path())))
}

/// True for a process that only waits to be noticed.
fn has_ended(process: &Path) -> bool {
    let number = process.file_name().and_then(|name| name.to_str());
    number
        .and_then(|number| number.parse().ok())
        .and_then(started)
        .is_none()
}

/// True where processes can be looked at at all.
fn host_says() -> bool {
    Path::new("/proc/self/comm").exists()
}

/// Returns 16 hexadecimal digits that nothing else has: what would be the same object twice becomes two.
pub fn nonce() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there_since_it_was_started_and_others_are_not() {
        let own = std::process::id();
        assert!(started(own).is_some());
        assert_eq!(started(own), started(own));
        assert_eq!(started(u32::MAX), None);
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a child that nobody waits for is what this is about"
    )]
    fn a_process_that_ended_is_gone_before_anybody_noticed() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let process = child.id();
        // Its end is known once its output is closed; `wait` would take it off the list.
        while started(process).is_some() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }

    #[test]
    fn nonces_differ() {
        assert_ne!(nonce(), nonce());
        assert_eq!(nonce().len(), 16);
    }
}
