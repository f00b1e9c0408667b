//! `service`: units written, systemd's programs called, and nothing left behind.
//!
//! Those programs are scripts here that note how they were called; what the real ones make of our units is `tests/peer`.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Ran, Sandbox};

/// Notes its name and arguments, and answers as a file beside it says.
const RECORDER: &str = "#!/bin/sh\n\
    name=${0##*/}\n\
    for word in \"$name\" \"$@\"; do printf '%s|' \"$word\"; done >>\"$0.log\"\n\
    echo >>\"$0.log\"\n\
    for word in \"$@\"; do if [ -e \"$0.fails-$word\" ]; then cat \"$0.fails-$word\" >&2; exit 1; fi; done\n\
    case \"$*\" in *Version*) echo Version=252.38-1;; *) [ ! -e \"$0.says\" ] || cat \"$0.says\";; esac\n";

/// Programs of systemd that only take notes.
struct Systemd<'s> {
    sandbox: &'s Sandbox,
    bin: PathBuf,
}

impl<'s> Systemd<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let bin = sandbox
            .home()
            .parent()
            .unwrap()
            .join(format!("{}-bin", sandbox.home().file_name().unwrap().to_str().unwrap()));
        fs::create_dir_all(&bin).unwrap();
        let systemd = Self { sandbox, bin };
        for program in ["systemctl", "journalctl", "loginctl", "systemd-analyze"] {
            systemd.put(program, RECORDER);
        }
        systemd.says("loginctl", "Linger=yes\n");
        systemd
    }

    fn put(&self, name: &str, content: &str) {
        let path = self.bin.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn says(&self, program: &str, text: &str) {
        fs::write(self.bin.join(format!("{program}.says")), text).unwrap();
    }

    /// From now on a program fails where it is called with `word`.
    fn fails(&self, program: &str, word: &str, why: &str) {
        fs::write(self.bin.join(format!("{program}.fails-{word}")), why).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.sandbox.invisigoth(args);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = [self.bin.clone()].into_iter().chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(all).unwrap());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::of(&self.command(args).output().unwrap())
    }

    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// How a program was called so far; forgotten then. The instance's hash is masked.
    fn calls(&self, program: &str) -> String {
        let log = self.bin.join(format!("{program}.log"));
        let calls = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        calls.replace(&self.instance(), "REPO")
    }

    /// What our units are called here.
    fn instance(&self) -> String {
        let said: Value = serde_json::from_str(&self.ok_quietly()).unwrap();
        let unit = said["unit"].as_str().unwrap();
        unit.trim_start_matches("git-invisigoth@")
            .trim_end_matches(".service")
            .to_owned()
    }

    fn ok_quietly(&self) -> String {
        let mut command = self.sandbox.invisigoth(&["--json", "service", "install", "--print"]);
        Ran::of(&command.env("PATH", "/usr/bin:/bin").output().unwrap()).stdout
    }

    fn units(&self) -> PathBuf {
        self.sandbox.home().join(".config/systemd/user")
    }

    fn unit(&self, name: &str) -> String {
        let path = self.units().join(name.replace("REPO", &self.instance()));
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Drop for Systemd<'_> {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.bin);
    }
}

/// Every file and folder below `folder` but for those of git, sorted.
fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        found.push(path.display().to_string());
        if path.is_dir() && !path.ends_with(".git") {
            found.extend(tree(&path));
        }
    }
    found.sort();
    found
}

#[test]
fn install_and_uninstall_leave_the_goals_and_refs_and_nothing_else() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let systemd = Systemd::new(&sandbox);
    let (before, refs) = (tree(sandbox.home()), sandbox.refs());
    let backlog = sandbox.read("memory/pending_goals.json");
    let said = systemd.ok(&[
        "service",
        "install",
        "--on-calendar",
        "Mon..Fri 22:00",
        "--until",
        "07:00",
    ]);
    assert!(said.starts_with("installed  git-invisigoth@repo-"), "{said}");
    assert_eq!(tree(&systemd.units()).len(), 6);
    systemd.ok(&["service", "uninstall"]);
    assert_eq!(tree(sandbox.home()), before);
    assert_eq!(sandbox.refs(), refs);
    assert_eq!(sandbox.read("memory/pending_goals.json"), backlog);
    assert_snapshot!(systemd.calls("systemctl"), @r"
    systemctl|--user|show|--property=Version|
    systemctl|--user|daemon-reload|
    systemctl|--user|enable|git-invisigoth@REPO.timer|
    systemctl|--user|disable|--now|git-invisigoth@REPO.timer|git-invisigoth@REPO.service|
    systemctl|--user|daemon-reload|
    systemctl|--user|reset-failed|git-invisigoth@REPO.service|
    ");
    assert_eq!(
        systemd.calls("systemd-analyze"),
        "systemd-analyze|calendar|--iterations=1|--|Mon..Fri 22:00|\n"
    );
}

#[test]
fn what_stands_in_the_units_is_what_was_asked_for() {
    let sandbox = Sandbox::ready();
    let systemd = Systemd::new(&sandbox);
    let key = sandbox.home().join("key");
    fs::write(&key, "sk-or-v1-0123456789abcdef\n").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let credential = format!("OPENROUTER_API_KEY:{}", key.display());
    let said = systemd.ok(&[
        "service",
        "install",
        "--for",
        "4h",
        "--until",
        "07:00",
        "--now",
        "--credential",
        &credential,
    ]);
    assert!(said.contains("starts with the machine, started"), "{said}");
    let unit = systemd.unit("git-invisigoth@REPO.service.d/repository.conf");
    let top = sandbox.repo().canonicalize().unwrap();
    let home = sandbox.home().display().to_string();
    for line in [
        format!("WorkingDirectory={}/", top.display()),
        format!("BindPaths=\"{}\"", top.display()),
        format!("BindPaths=\"{home}/.cache/invisigoth\""),
        format!("LoadCredential={credential}"),
        "Environment=\"INVISIGOTH_CHECK_SANDBOX=bwrap\"".to_owned(),
    ] {
        assert!(unit.lines().any(|other| other == line), "{line}\n{unit}");
    }
    assert!(
        unit.contains("\" run --forever --until \"07:00\" --for \"4h\"\n"),
        "{unit}"
    );
    assert!(
        unit.contains(&format!("Environment=\"PATH={}:", systemd.bin.display())),
        "{unit}"
    );
    assert!(!unit.contains("sk-or-v1"), "{unit}");
    let calls = systemd.calls("systemctl");
    assert!(calls.contains("|enable|--now|git-invisigoth@REPO.service|"), "{calls}");
    // Without steps: this systemd is too old for them.
    let template = systemd.unit("git-invisigoth@.service");
    for line in [
        "Restart=on-failure",
        "RestartPreventExitStatus=2 5 6 7 9",
        "SuccessExitStatus=3 129 130 143",
    ] {
        assert!(template.lines().any(|other| other == line), "{line}\n{template}");
    }
    assert!(!template.contains("RestartSteps"), "{template}");
}

#[test]
fn an_odd_place_is_said_in_units_as_systemd_reads_it() {
    let sandbox = Sandbox::new();
    let odd = sandbox.home().join("it's \"a\" 100% ü");
    fs::rename(sandbox.repo(), &odd).unwrap();
    let mut command = sandbox.invisigoth(&["service", "install", "--print"]);
    let ran = Ran::of(&command.current_dir(&odd).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let home = sandbox.home().canonicalize().unwrap();
    let home = home.display();
    for line in [
        format!("WorkingDirectory={home}/it's \"a\" 100%% ü/"),
        format!("BindPaths=\"{home}/it's \\\"a\\\" 100%% ü\""),
    ] {
        assert!(ran.stdout.lines().any(|other| other == line), "{line}\n{}", ran.stdout);
    }
    assert!(!sandbox.home().join(".config").exists(), "nothing is written");
    let broken = sandbox.home().join("a\nUser=root");
    fs::rename(&odd, &broken).unwrap();
    let mut command = sandbox.invisigoth(&["service", "install", "--print"]);
    let ran = Ran::of(&command.current_dir(&broken).output().unwrap());
    assert_eq!(ran.code, 7, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_service_of_the_machine_keeps_its_caches_out_of_home_folders() {
    let sandbox = Sandbox::ready();
    let said = sandbox.ok(&["service", "install", "--print", "--system", "--for", "1h30m"]);
    for line in [
        "WantedBy=multi-user.target",
        "CacheDirectory=invisigoth/%i",
        "Environment=XDG_CACHE_HOME=%C/invisigoth/%i XDG_STATE_HOME=%S/invisigoth/%i",
    ] {
        assert!(said.lines().any(|other| other == line), "{line}\n{said}");
    }
    assert!(
        said.starts_with("# /etc/systemd/system/git-invisigoth@.service\n"),
        "{said}"
    );
}

#[test]
fn twice_is_as_once_and_a_change_of_mind_takes_the_timer_away() {
    let sandbox = Sandbox::ready();
    let systemd = Systemd::new(&sandbox);
    systemd.ok(&["service", "install"]);
    let once = tree(sandbox.home());
    let again = systemd.ok(&["service", "install"]);
    assert_eq!(again.matches("unchanged").count(), 2, "{again}");
    assert_eq!(tree(sandbox.home()), once);
    systemd.calls("systemctl");
    systemd.ok(&["service", "install", "--on-calendar", "daily", "--for", "2h"]);
    let calls = systemd.calls("systemctl");
    assert!(calls.contains("|disable|git-invisigoth@REPO.service|"), "{calls}");
    systemd.ok(&["service", "install"]);
    let calls = systemd.calls("systemctl");
    assert!(calls.contains("|disable|--now|git-invisigoth@REPO.timer|"), "{calls}");
    assert!(calls.contains("|enable|git-invisigoth@REPO.service|"), "{calls}");
    systemd.ok(&["service", "uninstall"]);
    assert!(!systemd.units().exists());
}

#[test]
fn what_a_person_changed_stays_unless_told() {
    let sandbox = Sandbox::ready();
    let systemd = Systemd::new(&sandbox);
    systemd.ok(&["service", "install"]);
    let template = systemd.units().join("git-invisigoth@.service");
    let ours = fs::read_to_string(&template).unwrap();
    let edited = ours.replace("Nice=10", "Nice=19");
    fs::write(&template, &edited).unwrap();
    let refused = systemd.run(&["service", "install", "--for", "1h"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("was changed by hand"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&template).unwrap(), edited);
    assert!(
        !systemd
            .unit("git-invisigoth@REPO.service.d/repository.conf")
            .contains("--for \""),
        "all or nothing"
    );
    systemd.ok(&["service", "install", "--force"]);
    assert_eq!(fs::read_to_string(&template).unwrap(), ours);
    // A person's own drop-in and an edited file survive the service.
    fs::write(&template, &edited).unwrap();
    let own = systemd
        .units()
        .join(format!("git-invisigoth@{}.service.d/own.conf", systemd.instance()));
    fs::write(&own, "[Service]\nNice=1\n").unwrap();
    let said = systemd.ok(&["service", "uninstall"]);
    assert!(own.exists());
    assert!(template.exists(), "{said}");
}

#[test]
fn the_template_stays_while_another_repository_needs_it() {
    let (one, other) = (Sandbox::ready(), Sandbox::ready());
    let systemd = Systemd::new(&one);
    systemd.ok(&["service", "install"]);
    let there = |args: &[&str]| {
        let mut command = systemd.command(args);
        let ran = Ran::of(&command.current_dir(other.repo()).output().unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    };
    there(&["service", "install"]);
    systemd.ok(&["service", "uninstall"]);
    assert!(systemd.units().join("git-invisigoth@.service").exists());
    there(&["service", "uninstall"]);
    assert!(!systemd.units().exists());
}

#[test]
fn orders_and_logs_are_handed_on_as_words() {
    let sandbox = Sandbox::ready();
    let systemd = Systemd::new(&sandbox);
    systemd.ok(&["service", "install", "--on-calendar", "daily", "--for", "2h"]);
    systemd.calls("systemctl");
    systemd.ok(&["service", "start"]);
    let stopped = systemd.ok(&["service", "stop"]);
    assert!(stopped.contains("starts it again at its time"), "{stopped}");
    systemd.ok(&["service", "restart"]);
    assert_snapshot!(systemd.calls("systemctl"), @r"
    systemctl|--user|reset-failed|git-invisigoth@REPO.service|
    systemctl|--user|start|git-invisigoth@REPO.service|
    systemctl|--user|stop|git-invisigoth@REPO.service|
    systemctl|--user|restart|git-invisigoth@REPO.service|
    ");
    systemd.ok(&["service", "logs", "-f", "-n", "20"]);
    systemd.ok(&["service", "logs", "--system"]);
    assert_snapshot!(systemd.calls("journalctl"), @r"
    journalctl|--user|--unit=git-invisigoth@REPO.service|--follow|--lines=20|
    journalctl|--unit=git-invisigoth@REPO.service|
    ");
}

#[test]
fn status_says_how_it_ended_in_our_words() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let systemd = Systemd::new(&sandbox);
    systemd.ok(&["service", "install"]);
    let ended = |code: &str, status: &str, result: &str| {
        systemd.says(
            "systemctl",
            &format!(
                "ActiveState=failed\nSubState=failed\nUnitFileState=enabled\nResult={result}\n\
                 ExecMainCode={code}\nExecMainStatus={status}\nExecMainExitTimestamp=Mon 2026-11-23 06:00:00 UTC\n"
            ),
        );
        let said = systemd.ok(&["service", "status"]);
        let last = said.lines().find(|line| line.starts_with("last ")).unwrap_or_default();
        last.to_owned()
    };
    assert_snapshot!(ended("1", "6", "exit-code"), @"last       Mon 2026-11-23 06:00:00 UTC, exit 6: the budget is used up");
    assert!(ended("1", "203", "exit-code").contains("the program is gone or moved"));
    assert!(ended("1", "1", "start-limit-hit").contains("failed too often"));
    assert!(ended("2", "9", "signal").contains("exit 137: it was killed"));
    assert_eq!(ended("0", "0", "success"), "");
    systemd.says(
        "systemctl",
        "ActiveState=active\nSubState=running\nUnitFileState=enabled\nActiveEnterTimestamp=Mon 2026-11-23 22:00:01 UTC\n",
    );
    let said = systemd.ok(&["service", "status"]).replace(&systemd.instance(), "REPO");
    assert_snapshot!(said, @r"
    service    active (running) since Mon 2026-11-23 22:00:01 UTC
    unit       git-invisigoth@REPO.service, enabled
    goals      1 ready
    next       git invisigoth service logs -f
    ");
}

#[test]
fn a_service_without_linger_and_an_open_key_are_warned_of() {
    let sandbox = Sandbox::ready();
    sandbox.git(&["config", "invisigoth.llm.provider", "openrouter"]);
    let systemd = Systemd::new(&sandbox);
    systemd.says("loginctl", "Linger=no\n");
    let said = systemd.ok(&["service", "install"]);
    assert!(said.contains("loginctl enable-linger"), "{said}");
    assert!(said.contains("it finds no OPENROUTER_API_KEY"), "{said}");
    let file = sandbox.home().join("the env");
    fs::write(&file, "OTHER=1\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let said = systemd.ok(&["service", "install", "--env-file", file.to_str().unwrap()]);
    assert!(said.contains("others may read the key in"), "{said}");
    assert!(said.contains(&format!("`chmod 600 '{}'`", file.display())), "{said}");
    assert!(said.contains("gives no OPENROUTER_API_KEY"), "{said}");
    let unit = systemd.unit("git-invisigoth@REPO.service.d/repository.conf");
    assert!(
        unit.contains(&format!("EnvironmentFile={}\n", file.display())),
        "{unit}"
    );
}

#[test]
fn the_key_is_read_from_what_systemd_hands_over() {
    let sandbox = Sandbox::ready();
    let folder = sandbox.home().join("credentials");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("A_KEY"), "q8Zr-41xK-77aa\n").unwrap();
    sandbox.write("invisigoth.toml", "[check]\ntest = [\"echo q8Zr-41xK-77aa; false\"]\n");
    sandbox.commit("print the key");
    let check = |folder: &Path| {
        let mut command = sandbox.invisigoth(&["check"]);
        let ran = Ran::of(
            &command
                .env("INVISIGOTH_LLM_KEY_ENV", "A_KEY")
                .env("CREDENTIALS_DIRECTORY", folder)
                .output()
                .unwrap(),
        );
        format!("{}{}", ran.stdout, ran.stderr)
    };
    let said = check(&folder);
    assert!(!said.contains("q8Zr-41xK-77aa"), "{said}");
    let said = check(&sandbox.home().join("nowhere"));
    assert!(
        said.contains("q8Zr-41xK-77aa"),
        "the check shows what is no key: {said}"
    );
}

#[test]
fn bad_input_is_refused_with_what_to_do() {
    let sandbox = Sandbox::ready();
    let systemd = Systemd::new(&sandbox);
    systemd.fails(
        "systemd-analyze",
        "someday",
        "Failed to parse calendar specification 'someday'\n",
    );
    let missing = sandbox.home().join("missing");
    let missing = missing.to_str().unwrap();
    let credential = format!("A:{missing}");
    for (args, code, said) in [
        (&["service", "start"][..], 7, "there is no service for"),
        (&["service", "status"], 7, "`git invisigoth service install`"),
        (&["service", "uninstall"], 7, "there is no service for"),
        (
            &["service", "install", "--on-calendar", "someday"],
            2,
            "systemd does not understand `someday`",
        ),
        (
            &["service", "install", "--on-calendar", " "],
            2,
            "--on-calendar is empty",
        ),
        (&["service", "install", "--until", "7\n8"], 2, "is no time of day"),
        (&["service", "install", "--until", "25:00"], 2, "is no time of day"),
        (&["service", "install", "--until", "7:5"], 2, "is no time of day"),
        (&["service", "install", "--for", "soon"], 2, "is no span of time"),
        (&["service", "install", "--for", "0h"], 2, "is no span of time"),
        (&["service", "install", "--for", "30m1h"], 2, "is no span of time"),
        (&["service", "install", "--on-calendar", "a\nb"], 7, "control character"),
        (
            &["service", "install", "--credential", "nothing"],
            2,
            "names no credential",
        ),
        (
            &["service", "install", "--credential", "a/b:/c"],
            2,
            "names no credential",
        ),
        (
            &["service", "install", "--credential", &credential],
            2,
            "there is no file",
        ),
        (&["service", "install", "--env-file", missing], 2, "there is no file"),
        (&["service", "install", "--env-file", "/"], 2, "is no file"),
        (&["service", "install", "--print", "--now"], 2, "cannot be used with"),
    ] {
        let ran = systemd.run(args);
        assert_eq!(ran.code, code, "{args:?}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{args:?}\n{}", ran.stderr);
        assert!(!systemd.units().exists(), "{args:?} wrote something");
    }
}

#[test]
fn a_systemd_that_does_not_answer_is_said_before_anything_is_written() {
    let sandbox = Sandbox::ready();
    let systemd = Systemd::new(&sandbox);
    systemd.fails("systemctl", "show", "Failed to connect to bus: No medium found\n");
    let ran = systemd.run(&["service", "install"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr.contains("does not answer: Failed to connect to bus"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("run --forever"), "{}", ran.stderr);
    assert!(!systemd.units().exists());
    // No systemd at all.
    let git = systemd.bin.join("only");
    fs::create_dir(&git).unwrap();
    for verb in ["install", "status", "start", "logs"] {
        let mut command = sandbox.invisigoth(&["service", verb]);
        let ran = Ran::of(&command.env("PATH", &git).output().unwrap());
        assert_eq!(ran.code, 7, "{verb}\n{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("services need systemd"), "{}", ran.stderr);
        assert!(ran.stderr.contains("tmux"), "{}", ran.stderr);
    }
}
