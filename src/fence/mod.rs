//! Fence: what a fenced command sees of this machine, as arguments for bubblewrap.
//!
//! Nothing is visible but what is named: programs and libraries of the system, toolchains, the command's own folders. Owns
//! that rule and the order of mounts; starts nothing and looks at no file: what is there, the caller says.

pub mod config;
pub mod tools;

use std::{
    cmp::Reverse,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Where a system keeps what programs need to run.
pub const SYSTEM: &[&str] = &[
    "/bin",
    "/etc",
    "/gnu/store",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/opt",
    "/run/current-system",
    "/sbin",
    "/snap",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/usr",
    "/var/lib/ca-certificates",
];

/// What of `/etc` opens doors: root could read it inside the fence too.
pub const SYSTEM_SECRETS: &[&str] = &[
    "/etc/.pwd.lock",
    "/etc/NetworkManager/system-connections",
    "/etc/apt/auth.conf",
    "/etc/apt/auth.conf.d",
    "/etc/credstore",
    "/etc/credstore.encrypted",
    "/etc/docker",
    "/etc/exim4/passwd.client",
    "/etc/gitlab-runner",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/ipsec.d",
    "/etc/ipsec.secrets",
    "/etc/krb5.keytab",
    "/etc/kubernetes",
    "/etc/letsencrypt",
    "/etc/luks-keys",
    "/etc/mysql/debian.cnf",
    "/etc/openvpn",
    "/etc/pki/tls/private",
    "/etc/postfix/sasl_passwd",
    "/etc/ppp",
    "/etc/rancher",
    "/etc/security/opasswd",
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/ssh/ssh_host_dsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/ssl/private",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/vault.d",
    "/etc/wireguard",
];

/// Folders that are empty, writable and gone when the command ends.
const SCRATCH: &[&str] = &["/run", "/tmp", "/var/tmp"];

/// Largest file that a command may write, in blocks of 512 bytes: 16 GiB.
const FILE_BLOCKS: u64 = 32 * 1024 * 1024;

/// Most open files of one process.
const OPEN_FILES: u32 = 65536;

/// Ends a fenced command's wish for limits and starts it.
const START: &str = "exec \"$@\"";

/// How something of this machine shows inside the fence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Shown {
    /// An empty folder of its own.
    Empty,
    /// What is there, to read.
    Readable(PathBuf),
    /// What is there, to write.
    Writable(PathBuf),
    /// An empty folder in the place of a visible one.
    NoFolder,
    /// An empty file in the place of a visible one.
    NoFile,
}

/// What a fenced command may see and do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fence {
    /// Where the command starts, writable.
    pub root: PathBuf,
    /// The home folder: empty inside, but for what is named below it.
    pub home: Option<PathBuf>,
    /// What may be read, besides `SYSTEM`.
    pub readable: Vec<PathBuf>,
    /// What may be written: where it is, and where the command finds it.
    pub writable: Vec<(PathBuf, PathBuf)>,
    /// Folders that must not be seen, should they lie below something visible.
    pub hidden_folders: Vec<PathBuf>,
    /// Files of that kind.
    pub hidden_files: Vec<PathBuf>,
    /// Whether the command has the machine's network. Else its only interface is a loopback of its own.
    pub network: bool,
    /// Whether it may make user namespaces in turn; bubblewrap before 0.8 cannot forbid it.
    pub namespaces: bool,
}

impl Fence {
    /// Returns the arguments of bubblewrap up to the command: program and its arguments follow. What is mounted must be
    /// there, but for `SYSTEM`.
    pub fn args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = [
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
        ]
        .map(OsString::from)
        .to_vec();
        if !self.network {
            args.push("--unshare-net".into());
        }
        if !self.namespaces {
            args.push("--disable-userns".into());
        }
        for (place, shown) in self.mounts() {
            args.extend(words(&place, &shown));
        }
        args.extend(["--remount-ro".into(), "/".into(), "--chdir".into()]);
        args.push(self.root.clone().into());
        args.push("--".into());
        args
    }

    /// Lists what is mounted where, what lies above first, so that the most special word wins.
    fn mounts(&self) -> Vec<(PathBuf, Shown)> {
        let same = |path: &PathBuf| (path.clone(), Shown::Readable(path.clone()));
        let system = SYSTEM.iter().map(PathBuf::from);
        let scratch = SCRATCH.iter().map(PathBuf::from).chain(self.home.clone());
        let mut all: Vec<(PathBuf, Shown)> = scratch.map(|path| (path, Shown::Empty)).collect();
        all.extend(system.map(|path| same(&path)));
        all.extend(self.readable.iter().map(same));
        let writable = self.writable.iter();
        all.extend(writable.map(|(source, place)| (place.clone(), Shown::Writable(source.clone()))));
        all.push((self.root.clone(), Shown::Writable(self.root.clone())));
        all.extend(self.hidden_folders.iter().map(|path| (path.clone(), Shown::NoFolder)));
        all.extend(self.hidden_files.iter().map(|path| (path.clone(), Shown::NoFile)));
        all.retain(|(place, _)| place.parent().is_some());
        all.sort_by_key(|(place, shown)| (place.components().count(), place.clone(), Reverse(shown.clone())));
        all.dedup_by(|later, first| later.0 == first.0);
        let mut kept: Vec<(PathBuf, Shown)> = Vec::new();
        for (place, shown) in all {
            let above = kept
                .iter()
                .rev()
                .filter(|(other, _)| place.starts_with(other))
                .max_by_key(|(other, _)| other.components().count());
            let needed = match (above.map(|(_, shown)| shown), &shown) {
                // Nothing of it shows anyway, and its name needs not either.
                (None | Some(Shown::Empty | Shown::NoFolder | Shown::NoFile), Shown::NoFolder | Shown::NoFile) => false,
                (Some(Shown::Readable(_)), Shown::Readable(_)) => false,
                _ => true,
            };
            if needed {
                kept.push((place, shown));
            }
        }
        kept
    }
}

fn words(place: &Path, shown: &Shown) -> Vec<OsString> {
    let at = || OsString::from(place);
    match shown {
        Shown::Empty | Shown::NoFolder => vec!["--tmpfs".into(), at()],
        Shown::Readable(source) => {
            let is_system = SYSTEM.iter().any(|path| place == Path::new(path));
            let how = if is_system { "--ro-bind-try" } else { "--ro-bind" };
            vec![how.into(), source.into(), at()]
        }
        Shown::Writable(source) => vec!["--bind".into(), source.into(), at()],
        Shown::NoFile => vec!["--ro-bind".into(), "/dev/null".into(), at()],
    }
}

/// Returns the words that start a command with limits: no core dump, a largest file, open files, and `memory` MiB of
/// address space for each process. The command's words follow. A limit that is lower already stays.
pub fn limits(memory: Option<u32>) -> Vec<OsString> {
    let mut text = format!(
        "ulimit -c 0; ulimit -f {FILE_BLOCKS} 2>/dev/null; \
         ulimit -Hn {OPEN_FILES} 2>/dev/null || ulimit -n {OPEN_FILES} 2>/dev/null; "
    );
    if let Some(mib) = memory {
        text.push_str("ulimit -v ");
        text.push_str(&(u64::from(mib) * 1024).to_string());
        text.push_str(" || exit 126; ");
    }
    text.push_str(START);
    ["sh", "-c", text.as_str(), "sh"].map(OsString::from).to_vec()
}

/// What programs say when there is no network, or no leave to use it.
const NO_NETWORK: &[&str] = &[
    "could not resolve host",
    "couldn't resolve host",
    "dns error",
    "eai_again",
    "enotfound",
    "failed to lookup address",
    "getaddrinfo",
    "name or service not known",
    "network is unreachable",
    "nodename nor servname",
    "temporary failure in name resolution",
    "--offline was specified",
    "no matching package named", // cargo, when it may not look further than its cache
    "dial tcp: lookup",
    "unable to resolve host",
];

/// True where what a failed command printed looks as if it missed the network.
pub fn misses_network(output: &str) -> bool {
    let said = output.to_ascii_lowercase();
    NO_NETWORK.iter().any(|words| said.contains(words))
}

#[cfg(test)]
mod tests;
