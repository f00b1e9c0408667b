//! The fence around checks: a table of escapes, each seen to succeed without the fence where it can, and to fail with it;
//! and what happens where there is none. Needs bubblewrap, bash and perl besides git and sh.

use std::{
    fs::{self, File},
    net::{TcpListener, UdpSocket},
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            fs::{PermissionsExt as _, symlink},
            net::{SocketAddr, UnixListener},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use serde_json::Value;

use crate::support::{Ran, Sandbox, shown::UNFENCED};

/// How an escape shows.
enum Seen {
    /// The check printed `canary-NAME`.
    Told,
    /// This file is there.
    Made(PathBuf),
    /// The listener of this name was reached, or the victim is dead.
    Felt,
}

/// A way out: its name, what the shell does, and how it shows.
struct Probe {
    name: &'static str,
    act: String,
    seen: Seen,
    /// Whether it is tried where nothing fences it in, and succeeds there. What would hurt the machine, or needs rights,
    /// is not: it runs in no process namespace but another one than the test's.
    works_unfenced: bool,
}

/// What waits outside.
struct Outside {
    sandbox: Sandbox,
    tcp: TcpListener,
    udp: UdpSocket,
    abstract_socket: UnixListener,
    path_socket: UnixListener,
    /// Holds secrets in its arguments, its environment and an open file.
    keeper: Child,
    victim: Child,
    /// The words that start a program as somebody else.
    become_other: Vec<&'static str>,
}

/// Files below the home folder that hold `canary-NAME`.
const SECRETS: &[(&str, &str)] = &[
    ("ssh", ".ssh/id_ed25519"),
    ("aws", ".aws/credentials"),
    ("netrc", ".netrc"),
    ("gh", ".config/gh/hosts.yml"),
    ("git-credentials", ".git-credentials"),
    ("docker", ".docker/config.json"),
    ("cargo", ".cargo/credentials.toml"),
    ("history", ".bash_history"),
    ("keyring", ".local/share/keyrings/login.keyring"),
    ("dotenv", "repo/.env"),
    ("settings", ".config/invisigoth/config.toml"),
    ("other-repository", "other/secret.txt"),
];

const HOLD: &str = "exec 5< \"$1\"; rm \"$1\"; echo ready; read -r line";

impl Outside {
    fn new(become_other: Vec<&'static str>) -> Self {
        let sandbox = Sandbox::started_with("[check]\ntest = [\"sh probes.sh\"]\n");
        let home = sandbox.home().to_owned();
        for (name, path) in SECRETS {
            let path = home.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("# token: canary-{name}\n")).unwrap();
        }
        fs::write(home.join(".npmrc"), "//registry.npmjs.org/:_authToken=canary-npmrc\n").unwrap();
        fs::create_dir(home.join("tmpdir")).unwrap();
        fs::create_dir(home.join("outside")).unwrap();
        sandbox.git(&["config", "canary.value", "canary-git-config"]);
        symlink(home.join("outside"), sandbox.path("link-out")).unwrap();
        symlink(home.join(".ssh/id_ed25519"), sandbox.path("link-key")).unwrap();
        let path_socket = UnixListener::bind(home.join("socket")).unwrap();
        fs::set_permissions(home.join("socket"), fs::Permissions::from_mode(0o777)).unwrap();
        let name = SocketAddr::from_abstract_name(home.as_os_str().as_encoded_bytes()).unwrap();
        let held = home.join("held");
        fs::write(&held, "canary-open-file\n").unwrap();
        if !become_other.is_empty() {
            give(&sandbox, &[home.to_str().unwrap(), held.to_str().unwrap()]);
        }
        let start = |args: &[&str]| {
            let mut words = become_other.clone();
            words.extend(args);
            let (program, args) = words.split_first().unwrap();
            let mut command = sandbox.command(program);
            command.args(args).env("SOME_NOTE", "canary-environment");
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            command.spawn().unwrap()
        };
        let mut keeper = start(&["sh", "-c", HOLD, "canary-arguments", held.to_str().unwrap()]);
        let mut ready = [0; 6];
        std::io::Read::read_exact(keeper.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let victim = start(&["sh", "-c", "read -r line"]);
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            abstract_socket: UnixListener::bind_addr(&name).unwrap(),
            path_socket,
            keeper,
            victim,
            become_other,
            sandbox,
        }
    }

    fn probes(&self) -> Vec<Probe> {
        let mut all = Vec::new();
        let mut add = |name, act, seen, works_unfenced| {
            all.push(Probe {
                name,
                act,
                seen,
                works_unfenced,
            });
        };
        self.reading(&mut add);
        self.writing(&mut add);
        self.looking(&mut add);
        self.talking(&mut add);
        self.ruling(&mut add);
        all
    }

    /// Files that hold secrets.
    fn reading(&self, add: &mut impl FnMut(&'static str, String, Seen, bool)) {
        let home = self.sandbox.home();
        for (name, path) in SECRETS {
            add(name, format!("cat '{}'", home.join(path).display()), Seen::Told, true);
        }
        add("npmrc", "cat ~/.npmrc".into(), Seen::Told, true);
        add(
            "git-config",
            format!("cat '{}/repo/.git/config'", home.display()),
            Seen::Told,
            true,
        );
        add("ssh", "cat link-key".into(), Seen::Told, true);
        add(
            "shadow",
            "grep -q '^root:' /etc/shadow && echo canary-shadow".into(),
            Seen::Told,
            false,
        );
    }

    /// Files that are not the check's.
    fn writing(&self, add: &mut impl FnMut(&'static str, String, Seen, bool)) {
        let home = self.sandbox.home();
        for (name, path) in [
            ("home", "made"),
            ("startup file", ".profile"),
            ("hook", "repo/.git/hooks/pre-commit"),
            ("checkout", "repo/made"),
            ("outside by a link", "outside/made"),
            ("parent's TMPDIR", "tmpdir/made"),
            ("settings", ".config/invisigoth/made"),
        ] {
            let by_link = format!("echo x > link-out/{}", "made");
            let plainly = format!(
                "mkdir -p \"$(dirname '{0}/{path}')\"; echo x > '{0}/{path}'",
                home.display()
            );
            let act = if path.starts_with("outside") { by_link } else { plainly };
            add(name, act, Seen::Made(home.join(path)), true);
        }
        let slots = format!("for d in '{}'/.cache/invisigoth/*/slots; do", home.display());
        add(
            "other slots",
            format!("{slots} mkdir \"$d/77\"; done"),
            Seen::Felt,
            true,
        );
        let shared = PathBuf::from(format!("/dev/shm/it-{}", std::process::id()));
        let act = format!("echo x > {}", shared.display());
        add("shared memory", act, Seen::Made(shared), true);
        let etc = PathBuf::from(format!("/etc/it-{}", std::process::id()));
        add("/etc", format!("echo x > {}", etc.display()), Seen::Made(etc), false);
        let beside = Path::new(env!("CARGO_BIN_EXE_git-invisigoth")).with_extension("probe");
        let act = format!("echo x > '{}'", beside.display());
        add("beside the binary", act, Seen::Made(beside), false);
    }

    /// Other processes.
    fn looking(&self, add: &mut impl FnMut(&'static str, String, Seen, bool)) {
        let keeper = self.keeper.id();
        let every = |file: &str, word: &str| format!("cat /proc/[0-9]*/{file} | tr '\\0' '\\n' | grep -a {word}");
        add(
            "environment",
            every("environ", "'canary-[e]nvironment'"),
            Seen::Told,
            true,
        );
        add("arguments", every("cmdline", "'canary-[a]rguments'"), Seen::Told, true);
        add("open-file", format!("cat /proc/{keeper}/fd/5"), Seen::Told, true);
        let maps = format!("grep -q . /proc/{keeper}/maps && grep -q canary-arguments /proc/{keeper}/cmdline");
        add("memory", format!("{maps} && echo canary-memory"), Seen::Told, true);
    }

    /// The network, and sockets.
    fn talking(&self, add: &mut impl FnMut(&'static str, String, Seen, bool)) {
        let home = self.sandbox.home();
        let port = self.tcp.local_addr().unwrap().port();
        add(
            "tcp",
            format!("bash -c 'echo x > /dev/tcp/127.0.0.1/{port}'"),
            Seen::Felt,
            true,
        );
        let port = self.udp.local_addr().unwrap().port();
        add(
            "udp",
            format!("bash -c 'echo x > /dev/udp/127.0.0.1/{port}'"),
            Seen::Felt,
            true,
        );
        let unix = |address: String| {
            format!(
                "perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0); \
                 connect(S,pack_sockaddr_un(\"{address}\")) or exit 1; syswrite S,\"x\"'"
            )
        };
        add(
            "abstract socket",
            unix(format!("\\0{}", home.display())),
            Seen::Felt,
            true,
        );
        add(
            "path socket",
            unix(home.join("socket").display().to_string()),
            Seen::Felt,
            true,
        );
        // Below the slot and taken back: unfenced, as root, it works.
    }

    /// Rights, and who dies.
    fn ruling(&self, add: &mut impl FnMut(&'static str, String, Seen, bool)) {
        add(
            "mount",
            "mkdir -p mnt && mount -t tmpfs x mnt && echo canary-mount && umount mnt".into(),
            Seen::Told,
            false,
        );
        add(
            "rights",
            "grep -q 'CapEff:.*[1-9a-f]' /proc/self/status && echo canary-rights".into(),
            Seen::Told,
            false,
        );
        add(
            "namespace",
            "unshare -Ur true && echo canary-namespace".into(),
            Seen::Told,
            false,
        );
        add(
            "interfaces",
            "grep -v lo: /proc/net/dev | grep -q : && echo canary-interfaces".into(),
            Seen::Told,
            false,
        );
        add("victim", format!("kill -9 {}", self.victim.id()), Seen::Felt, true);
        add("last", "echo all but one tried".into(), Seen::Told, false);
        add("everybody", "kill -9 -1".into(), Seen::Felt, false);
    }

    /// Runs the check and returns its answer.
    fn check(&self, sandbox: &str) -> Value {
        let binary = env!("CARGO_BIN_EXE_git-invisigoth");
        let (program, args) = match self.become_other.split_first() {
            Some((program, args)) => {
                // Whoever it becomes need not see where it was built.
                let copy = self.sandbox.home().join("git-invisigoth");
                // Copied by another process: ours may be forking with the file still open to write.
                assert_eq!(self.sandbox.sh("cp", &[binary, copy.to_str().unwrap()]).code, 0);
                let mut args: Vec<String> = args.iter().map(ToString::to_string).collect();
                args.push(copy.to_str().unwrap().to_owned());
                ((*program).to_owned(), args)
            }
            None => (binary.to_owned(), Vec::new()),
        };
        let mut command = self.sandbox.command(&program);
        command.args(args).args(["--json", "check"]);
        command.env("SOME_NOTE", "canary-environment");
        command.env("INVISIGOTH_CHECK_SANDBOX", sandbox);
        command.env("TMPDIR", self.sandbox.home().join("tmpdir"));
        let ran = Ran::of(&command.output().unwrap());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{}{}", ran.stdout, ran.stderr))
    }

    fn write(&self, probes: &[Probe]) {
        for probe in probes {
            if let Seen::Made(path) = &probe.seen {
                let _ = fs::remove_file(path);
            }
        }
        // Whatever the settings say and however the fence may fail: this decides.
        let another = |kind: &str| {
            let here = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
            let link = format!("$(readlink /proc/self/ns/{kind} || echo '{0}')", here.display());
            format!("[ \"{link}\" != '{}' ]", here.display())
        };
        let fenced = format!(
            "fenced() {{ {} && {} && [ $$ -lt 100 ]; }}\n",
            another("pid"),
            another("mnt")
        );
        let acts = probes.iter().map(|probe| {
            let guard = if probe.works_unfenced { "" } else { "fenced && " };
            format!("{guard}( {} ) 2> /dev/null\n", probe.act)
        });
        let text = format!("{fenced}{}exit 1\n", acts.collect::<String>());
        self.sandbox.write("probes.sh", text);
        self.sandbox.commit("probes");
        if !self.become_other.is_empty() {
            give(&self.sandbox, &["-R", self.sandbox.home().to_str().unwrap()]);
        }
    }

    /// Says which probes got out, and forgets it.
    fn escaped(&mut self, probes: &[Probe], said: &str) -> Vec<&'static str> {
        let mut out = Vec::new();
        for probe in probes {
            let escaped = match &probe.seen {
                Seen::Told => said.contains(&format!("canary-{}", probe.name)),
                Seen::Made(path) => fs::remove_file(path).is_ok(),
                Seen::Felt => self.felt(probe.name),
            };
            if escaped {
                out.push(probe.name);
            }
        }
        out
    }

    fn felt(&mut self, name: &str) -> bool {
        match name {
            "tcp" => {
                self.tcp.set_nonblocking(true).unwrap();
                self.tcp.accept().is_ok()
            }
            "udp" => {
                self.udp.set_nonblocking(true).unwrap();
                self.udp.recv(&mut [0; 8]).is_ok()
            }
            "abstract socket" => {
                self.abstract_socket.set_nonblocking(true).unwrap();
                self.abstract_socket.accept().is_ok()
            }
            "path socket" => {
                self.path_socket.set_nonblocking(true).unwrap();
                self.path_socket.accept().is_ok()
            }
            "other slots" => slots_have_77(self.sandbox.home()),
            "victim" => self.victim.try_wait().unwrap().is_some(),
            _ => self.keeper.try_wait().unwrap().is_some(),
        }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        for child in [&mut self.keeper, &mut self.victim] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Gives files to nobody.
fn give(sandbox: &Sandbox, what: &[&str]) {
    let args: Vec<&str> = ["-h", "65534:65534"].iter().chain(what).copied().collect();
    assert_eq!(sandbox.sh("chown", &args).code, 0);
}

#[test]
fn nothing_outlives_a_fenced_check() {
    let act = "setsid sleep 98765.4321 & (env -i setsid sleep 98765.4321 &) & (trap '' TERM; sleep 98765.4321) & ";
    for (end, code) in [("true", 0), ("sleep 98765.4321", 124)] {
        let settings = format!("[check]\ntest = [\"{act} {end}\"]\ntimeout = 2\n");
        let answer = Sandbox::started_with(&settings).json(&["check"]);
        assert_eq!(answer["checks"][0]["exit"], code, "{answer}");
        assert_eq!(survivors(), 0, "something outlived its check");
    }
}

fn survivors() -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let commands = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let left = commands.filter(|command| String::from_utf8_lossy(command).contains("98765.4321"));
    left.count()
}

fn nothing_gets_out(become_other: Vec<&'static str>) {
    let mut outside = Outside::new(become_other);
    let probes = outside.probes();
    assert!(probes.len() >= 40, "{}", probes.len());
    outside.write(&probes);
    let fenced = outside.check("bwrap");
    assert_eq!(fenced["sandbox"], "bwrap", "{fenced}");
    // It killed everybody that it could reach: itself.
    assert_eq!(fenced["checks"][0]["exit"], 137, "{fenced}");
    let said = fenced["checks"][0]["output"].as_str().unwrap();
    assert!(said.contains("all but one tried"), "{said}");
    assert_eq!(outside.escaped(&probes, said), [""; 0], "{said}");

    let open = outside.check("none");
    assert_eq!(open["sandbox"], "none");
    let said = open["checks"][0]["output"].as_str().unwrap();
    let escaped = outside.escaped(&probes, said);
    for probe in probes.iter().filter(|probe| probe.works_unfenced) {
        assert!(escaped.contains(&probe.name), "{} can never fail: {said}", probe.name);
    }
}

fn slots_have_77(home: &Path) -> bool {
    let repositories = fs::read_dir(home.join(".cache/invisigoth")).unwrap().flatten();
    repositories
        .map(|entry| entry.path().join("slots/77"))
        .any(|path| path.exists())
}

#[test]
fn nothing_that_a_check_tries_gets_out_of_the_fence() {
    nothing_gets_out(Vec::new());
}

#[test]
fn nothing_gets_out_for_a_user_without_rights_either() {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if is_root {
        nothing_gets_out(vec![
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--",
        ]);
    }
}

#[test]
fn where_a_sandbox_is_demanded_and_none_works_nothing_runs() {
    let sandbox = Sandbox::ready();
    sandbox.write("check.sh", "echo it ran >&2; exit 1\n");
    sandbox.commit("check");
    let path = sandbox.with_program(
        "bwrap",
        "echo 'bwrap: No permissions to create new namespace' >&2; exit 1",
    );
    let env = [("PATH", path.to_str().unwrap())];
    let ran = sandbox.run_with(&["check"], &env);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr.matches(UNFENCED).count(), 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("it ran"), "{}", ran.stdout);
    sandbox.git(&["config", "invisigoth.check.sandbox", "bwrap"]);
    for command in ["check", "run"] {
        let ran = sandbox.run_with(&[command], &env);
        assert_eq!(ran.code, 9, "{command}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("No permissions to create"), "{}", ran.stderr);
        assert!(!ran.stdout.contains("it ran"), "{}", ran.stdout);
    }
    // Who asked for none is told nothing.
    sandbox.unfenced();
    let ran = sandbox.run_with(&["check"], &env);
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
}

#[test]
fn a_tracked_file_cannot_take_the_fence_down() {
    let sandbox = Sandbox::started_with("[check]\ntest = [\"sh check.sh\"]\nsandbox = \"none\"\n");
    let answer = sandbox.json(&["check"]);
    assert_eq!(answer["sandbox"], "bwrap", "{answer}");
}

#[test]
fn a_check_has_no_more_address_space_than_it_may() {
    let sandbox = Sandbox::started_with("[check]\ntest = [\"ulimit -v; ulimit -c; exit 1\"]\nmemory = 512\n");
    for fence in ["auto", "none"] {
        sandbox.git(&["config", "invisigoth.check.sandbox", fence]);
        let answer = sandbox.json(&["check"]);
        assert_eq!(answer["checks"][0]["output"], "524288\n0\n", "{fence}: {answer}");
    }
}

/// Settings whose set-up needs the network, and whose test sees on which code it ran.
fn with_set_up(port: u16) -> Sandbox {
    let settings = format!(
        "[check]\nsetup = [\"bash -c 'echo x > /dev/tcp/127.0.0.1/{port}' || {{ echo Could not resolve host; exit 1; }}; \
         cat marker > made.tmp\"]\ntest = [\"grep own made.tmp\"]\n"
    );
    let sandbox = Sandbox::started_with(&settings);
    sandbox.write("marker", "own\n");
    sandbox.write("package.json", "{}\n");
    sandbox.write(".gitignore", "*.tmp\n");
    sandbox.commit("marker");
    sandbox
}

#[test]
fn set_up_has_the_network_on_a_persons_own_code_only() {
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    let sandbox = with_set_up(outside.local_addr().unwrap().port());
    sandbox.git(&["checkout", "-q", "-b", "invisigoth/a"]);
    sandbox.write("marker", "candidate\n");
    sandbox.commit("a");
    sandbox.git(&["checkout", "-q", "-b", "invisigoth/b"]);
    sandbox.write("package.json", "{\"dependencies\":{\"evil\":\"1\"}}\n");
    sandbox.commit("b");
    sandbox.git(&["checkout", "-q", "main"]);
    // Its lock files are the branch's: set-up runs on the branch's code, and never sees the candidate's.
    let answer = sandbox.json(&["check", "invisigoth/a"]);
    assert_eq!(answer["passed"], true, "{answer}");
    outside.set_nonblocking(true).unwrap();
    assert!(outside.accept().is_ok());
    let answer = sandbox.json(&["check", "invisigoth/b"]);
    assert_eq!(answer["passed"], false, "{answer}");
    assert!(
        answer["checks"][0]["hint"].as_str().unwrap().contains("check.network"),
        "{answer}"
    );
    assert!(outside.accept().is_err());
    sandbox.git(&["config", "invisigoth.check.network", "true"]);
    sandbox.json(&["check", "invisigoth/b"]);
    assert!(outside.accept().is_ok());
}

#[test]
fn a_fence_stands_wherever_repository_and_slots_are() {
    // The repository is the home folder, and slots lie in the repository.
    let sandbox = Sandbox::ready();
    sandbox.write("check.sh", "cat \"$1\" .git/config && exit 1; echo fine > here.txt\n");
    sandbox.commit("check");
    let slots = sandbox.path("slots");
    let env = [
        ("HOME", sandbox.repo()),
        ("XDG_CACHE_HOME", slots),
        ("XDG_CONFIG_HOME", sandbox.home().join("config")),
    ];
    let mut command = sandbox.invisigoth(&["--json", "check"]);
    let ran = Ran::of(&command.envs(env).output().unwrap());
    assert!(
        ran.stdout.contains("\"sandbox\":\"bwrap\"") && ran.code == 0,
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    // A broken cover would show as a file that was written.
    assert!(File::open(sandbox.path("here.txt")).is_err());
}
