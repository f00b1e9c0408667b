//! Units of `service` as systemd itself reads and rates them, and bubblewrap under what they forbid.
//!
//! No unit is started: that would need systemd as the first process. What the kernel is told by a started one (no new
//! privileges, no capabilities, a user namespace, a read-only system, an empty home, which system calls and which kinds of
//! sockets) is told here by a bubblewrap around ours; what systemd itself must do for that is not tried.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ran, Sandbox};

/// Loads of a filter, comparisons and answers, as the kernel's header has them.
const LOAD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const ANSWER: u16 = 0x06;
const ALLOWED: u32 = 0x7fff_0000;
const NOT_PERMITTED: u32 = 0x0005_0001;
/// `AF_UNIX`, `AF_INET`, `AF_INET6`, `AF_NETLINK`.
const FAMILIES: [u32; 4] = [1, 2, 10, 16];

/// Units in a folder of their own, as systemd looks for them.
struct Units {
    folder: TempDir,
    service: String,
    flag: &'static str,
}

impl Units {
    /// Those of a person who is not root, or of the machine for that person.
    fn of(sandbox: &Sandbox, flag: &'static str) -> Self {
        let mut words = vec!["--json", "service", "install", "--print"];
        words.extend(["--on-calendar", "Mon..Fri 22:00", "--until", "07:00"]);
        if flag == "--system" {
            words.push(flag);
        }
        let said: Value = serde_json::from_str(&person(sandbox, &[], &words).stdout).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut service = String::new();
        for file in said["files"].as_array().unwrap() {
            let path = file["path"].as_str().unwrap();
            let at = path.find("git-invisigoth@").unwrap();
            let path = folder.path().join(&path[at..]);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, file["content"].as_str().unwrap()).unwrap();
            let name = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
            if let Some(name) = name.strip_suffix(".service.d") {
                name.clone_into(&mut service);
            }
        }
        for kind in ["service", "timer"] {
            let instance = folder.path().join(format!("{service}.{kind}"));
            std::os::unix::fs::symlink(format!("git-invisigoth@.{kind}"), instance).unwrap();
        }
        Self { folder, service, flag }
    }

    /// Adds a line to what is said of the repository.
    fn add(&self, line: &str) {
        let drop_in = self.folder.path().join(format!("{}.service.d/zz.conf", self.service));
        fs::write(drop_in, format!("[Service]\n{line}\n")).unwrap();
    }

    fn analyze(&self, words: &[&str]) -> Ran {
        let mut command = Command::new("systemd-analyze");
        command.arg(self.flag).args(words).current_dir(self.folder.path());
        command.env("XDG_RUNTIME_DIR", self.folder.path()).env("LC_ALL", "C");
        Ran::of(
            &command
                .output()
                .unwrap_or_else(|error| panic!("systemd-analyze: {error}; install the package systemd")),
        )
    }
}

/// Runs the binary as somebody who is not root, whoever runs this test.
fn person(sandbox: &Sandbox, around: &[&str], words: &[&str]) -> Ran {
    let mut command = sandbox.command("bwrap");
    command
        .args([
            "--dev-bind",
            "/",
            "/",
            "--unshare-user",
            "--uid",
            "1000",
            "--gid",
            "1000",
        ])
        .args(around)
        .arg("--")
        .arg(env!("CARGO_BIN_EXE_git-invisigoth"))
        .args(words);
    Ran::of(
        &command
            .output()
            .unwrap_or_else(|error| panic!("bwrap: {error}; install the package bubblewrap")),
    )
}

#[test]
fn systemd_finds_nothing_to_complain_of() {
    let sandbox = Sandbox::ready();
    for flag in ["--user", "--system"] {
        let units = Units::of(&sandbox, flag);
        for name in [
            &format!("{}.service", units.service),
            &format!("{}.timer", units.service),
            "git-invisigoth@.service",
            "git-invisigoth@.timer",
        ] {
            let ran = units.analyze(&["verify", &format!("./{name}")]);
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{flag} {name}");
        }
        // That it looks at all.
        units.add("Nicee=1");
        let ran = units.analyze(&["verify", &format!("./{}.service", units.service)]);
        assert!(ran.stderr.contains("Nicee"), "{flag}: {}", ran.stderr);
    }
}

#[test]
fn systemd_rates_them_at_2_5_or_less() {
    let sandbox = Sandbox::ready();
    for flag in ["--user", "--system"] {
        let units = Units::of(&sandbox, flag);
        if flag == "--user" {
            // It takes a unit for one of root where no user is named, as none may be in a person's own.
            units.add("User=1000");
        }
        let ran = units.analyze(&[
            "security",
            "--offline=true",
            "--threshold=25",
            &format!("./{}.service", units.service),
        ]);
        assert_eq!(ran.code, 0, "{flag}\n{}{}", ran.stdout, ran.stderr);
        let line = ran.stdout.lines().last().unwrap_or_default();
        assert!(line.contains("exposure level"), "{flag}: {line}");
    }
}

#[test]
fn checks_are_fenced_in_under_what_the_unit_forbids() {
    let sandbox = Sandbox::ready();
    let units = Units::of(&sandbox, "--user");
    let template = fs::read_to_string(units.folder.path().join("git-invisigoth@.service")).unwrap();
    let filter = sandbox.home().join("filter");
    fs::write(&filter, program(&allowed(&template))).unwrap();
    let repo = sandbox.repo();
    let (home, cache) = (sandbox.home().to_owned(), sandbox.home().join(".cache"));
    fs::create_dir_all(&cache).unwrap();
    // As strict as the unit: all but /proc is read only, the home is empty, but for the repository and caches.
    let script = format!(
        "exec bwrap --unshare-user --uid 1000 --gid 1000 --cap-drop ALL --ro-bind / / --bind /proc /proc --tmpfs '{home}' --bind '{repo}' '{repo}' \
         --bind '{cache}' '{cache}' --ro-bind '{binary}' '{binary}' --dev /dev --tmpfs /run --seccomp 9 --chdir '{repo}' -- \
         '{binary}' \"$@\" 9<'{filter}'",
        home = home.display(),
        repo = repo.display(),
        cache = cache.display(),
        binary = env!("CARGO_BIN_EXE_git-invisigoth"),
        filter = filter.display(),
    );
    let run = |words: &[&str], more: &str| {
        let script = script.replace("--seccomp", &format!("{more} --seccomp"));
        let mut command = sandbox.command("sh");
        command.args(["-c", &script, "sh"]).args(words);
        Ran::of(&command.env("INVISIGOTH_CHECK_SANDBOX", "bwrap").output().unwrap())
    };
    let ran = run(&["--json", "check"], "");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("\"sandbox\":\"bwrap\""), "{}", ran.stdout);
    // What the unit leaves out, and why: with a part of /proc covered there is no sandbox, and no check.
    let ran = run(&["check"], "--ro-bind /proc/sys /proc/sys");
    assert_eq!(ran.code, 9, "{}{}", ran.stdout, ran.stderr);
    // And that the filter is there at all.
    fs::write(&filter, program(&allowed(&template.replace(" @mount", "")))).unwrap();
    let ran = run(&["check"], "");
    assert_eq!(ran.code, 9, "{}{}", ran.stdout, ran.stderr);
}

/// The system calls that a unit allows, by name.
fn allowed(unit: &str) -> Vec<String> {
    let mut allowed: Vec<String> = Vec::new();
    for list in unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")) {
        match list.strip_prefix('~') {
            Some(list) => {
                let refused = members(list);
                allowed.retain(|name| !refused.contains(name));
            }
            None => allowed.extend(members(list)),
        }
    }
    assert!(allowed.iter().any(|name| name == "pivot_root") || !unit.contains("@mount"));
    allowed
}

/// Names, and what is in groups of names, as systemd has them.
fn members(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in list.split_whitespace() {
        if !name.starts_with('@') {
            found.push(name.to_owned());
            continue;
        }
        let ran = Command::new("systemd-analyze")
            .args(["syscall-filter", name])
            .output()
            .unwrap_or_else(|error| panic!("systemd-analyze: {error}; install the package systemd"));
        let text = String::from_utf8(ran.stdout).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let names: Vec<&str> = lines.filter(|line| !line.is_empty() && *line != name).collect();
        assert!(!names.is_empty(), "{name}");
        found.extend(members(&names.join(" ")));
    }
    found
}

/// A filter that allows these calls, and sockets of `FAMILIES`; as the kernel takes it.
fn program(names: &[String]) -> Vec<u8> {
    let numbers = numbers();
    let number = |name: &str| {
        let found = numbers.iter().find(|(other, _)| other == name);
        found.map(|(_, number)| *number)
    };
    let mut program: Vec<(u16, u8, u8, u32)> = vec![(LOAD, 0, 0, 0)];
    let socket = number("socket").unwrap();
    for number in names
        .iter()
        .filter_map(|name| number(name))
        .filter(|number| *number != socket)
    {
        program.push((JUMP_IF_EQUAL, 0, 1, number));
        program.push((ANSWER, 0, 0, ALLOWED));
    }
    program.push((JUMP_IF_EQUAL, 1, 0, socket));
    program.push((ANSWER, 0, 0, NOT_PERMITTED));
    // The low half of its first argument.
    program.push((LOAD, 0, 0, 16));
    for family in FAMILIES {
        program.push((JUMP_IF_EQUAL, 0, 1, family));
        program.push((ANSWER, 0, 0, ALLOWED));
    }
    program.push((ANSWER, 0, 0, NOT_PERMITTED));
    let mut bytes = Vec::new();
    for (code, yes, no, value) in program {
        bytes.extend(code.to_ne_bytes());
        bytes.extend([yes, no]);
        bytes.extend(value.to_ne_bytes());
    }
    bytes
}

/// The numbers of system calls, as the C compiler has them.
fn numbers() -> Vec<(String, u32)> {
    let folder = tempfile::tempdir().unwrap();
    let source: PathBuf = Path::new(folder.path()).join("calls.c");
    fs::write(&source, "#include <sys/syscall.h>\n").unwrap();
    let ran = Command::new("gcc").args(["-E", "-dM"]).arg(&source).output();
    let text = String::from_utf8(ran.unwrap_or_else(|error| panic!("gcc: {error}")).stdout).unwrap();
    let calls = text.lines().filter_map(|line| line.strip_prefix("#define __NR_"));
    calls
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, number)| Some((name.to_owned(), number.trim().parse().ok()?)))
        .collect()
}
