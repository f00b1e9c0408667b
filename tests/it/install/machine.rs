//! A machine to install on: a user with an empty home, archives to install, and stand-ins for what would leave the sandbox.
//!
//! Not here: what must come of it, which tests say.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{Ran, Sandbox};

/// Stands in for the program: it answers what `install.sh` asks.
pub const STAND_IN: &str = r#"case "$*" in
--version) echo 'git-invisigoth 9.9.9' ;;
'man --install --dir '*) mkdir -p "$4"; for page in '' $PAGES; do echo page > "$4/git-invisigoth$page.1"; done ;;
'completion '*) echo "complete in $2" ;;
'service install') pwd > "$HOME/../serviced" ;;
*) exit 64 ;;
esac"#;

/// What people start from.
pub const EXAMPLES: [&str; 2] = ["invisigoth.toml.example", ".env.example"];

/// A machine with a user whose home is empty.
pub struct Machine {
    /// The scratch folder, with `user/`, `tmp/` and the stand-ins in `bin/`.
    pub sandbox: Sandbox,
    /// `PATH`, the stand-ins first.
    pub path: OsString,
}

impl Machine {
    pub fn new() -> Self {
        let sandbox = Sandbox::empty();
        fs::create_dir(sandbox.home().join("user")).unwrap();
        fs::create_dir(sandbox.home().join("tmp")).unwrap();
        sandbox.with_program("apt-get", "echo \"apt-get $*\" >> \"$HOME/../asked\"; exit 1");
        sandbox.with_program("sudo", "exit 1");
        sandbox.with_program("bwrap", "exit 0");
        sandbox.with_program("cc", "exit 0");
        let path = sandbox.with_program("id", "echo 1000");
        Self { sandbox, path }
    }

    /// As `new`; only the tools named are there besides the stand-ins.
    pub fn with_tools(tools: &[&str]) -> Self {
        let mut machine = Self::new();
        let bin = machine.sandbox.home().join("bin");
        for tool in tools {
            let all = std::env::var_os("PATH").unwrap();
            let found = std::env::split_paths(&all)
                .map(|folder| folder.join(tool))
                .find(|path| path.is_file());
            symlink(found.unwrap_or_else(|| panic!("there is no {tool}")), bin.join(tool)).unwrap();
        }
        machine.path = bin.into();
        machine
    }

    pub fn user(&self) -> PathBuf {
        self.sandbox.home().join("user")
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.sandbox.home().join(name)
    }

    /// A shell with `script` and arguments, not started yet; dash where it is.
    pub fn shell(&self, shell: &str, script: &str, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(shell);
        command
            .arg(script)
            .args(args)
            .env("PATH", &self.path)
            .env("HOME", self.user())
            .env("TMPDIR", self.at("tmp"))
            .env("PAGES", "");
        command
    }

    pub fn script(&self, args: &[&str]) -> Command {
        let is_there = |folder: &str| Path::new(folder).join("dash").is_file();
        let shell = if ["/bin", "/usr/bin"].into_iter().any(is_there) {
            "/bin/dash"
        } else {
            "/bin/sh"
        };
        self.shell(shell, own("install.sh").to_str().unwrap(), args)
    }

    /// Runs the script with an archive to install; its output has no path of this sandbox.
    pub fn install(&self, url: &str, args: &[&str]) -> Ran {
        self.done(self.script(args).env("INVISIGOTH_RELEASE_URL", url))
    }

    /// Runs a command; fails where it leaves anything in the folder for temporary files.
    pub fn done(&self, command: &mut Command) -> Ran {
        let ran = Ran::of(&command.output().unwrap());
        assert_eq!(files(&self.at("tmp")).len(), 0, "{}", ran.stderr);
        let home = self.sandbox.home().to_str().unwrap();
        Ran {
            stdout: ran.stdout.replace(home, "~~"),
            stderr: ran.stderr.replace(home, "~~"),
            ..ran
        }
    }

    /// Runs a command that must exit with 0; returns what it said on both streams.
    pub fn ok(&self, command: &mut Command) -> String {
        let ran = self.done(command);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        ran.stdout + &ran.stderr
    }

    /// Packs an archive of `program`, as releases are packed; returns its address.
    pub fn release(&self, program: &Path) -> String {
        let mut command = self.sandbox.command(own("packaging/archive.sh").to_str().unwrap());
        let ran = Ran::of(
            &command
                .arg(program)
                .args(["test"])
                .arg(self.at("dist"))
                .output()
                .unwrap(),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let name = ran.stdout.trim();
        for end in ["", ".sha256"] {
            let packed = self.at("dist").join(format!("{name}{end}"));
            fs::rename(packed, self.at(&format!("release.tar.gz{end}"))).unwrap();
        }
        self.url()
    }

    /// Packs what is in `folder`.
    pub fn pack(&self, folder: &str) -> String {
        let packed =
            "tar -C \"$1\" -cf - . | gzip -1 > release.tar.gz && sha256sum release.tar.gz > release.tar.gz.sha256";
        let mut command = self.sandbox.command("sh");
        let ran = Ran::of(
            &command
                .args(["-c", packed, "sh", folder])
                .current_dir(self.sandbox.home())
                .output()
                .unwrap(),
        );
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        self.url()
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.at("release.tar.gz").display())
    }

    /// As `release`, with a program of a few lines.
    pub fn small_release(&self) -> String {
        self.sandbox.with_program("stand-in", STAND_IN);
        self.release(&self.at("bin/stand-in"))
    }
}

/// A file of this project.
pub fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Everything below a folder: names with contents, folders with a slash and none.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut left = vec![folder.to_owned()];
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !path.is_symlink() {
                all.insert(name + "/", Vec::new());
                left.push(path);
            } else {
                all.insert(name, fs::read(&path).unwrap_or_default());
            }
        }
    }
    all
}

/// Every name below a folder, without the manual pages of single commands.
pub fn names(folder: &Path) -> String {
    let all = files(folder);
    let names = all.keys().filter(|name| !name.contains("man1/git-invisigoth-"));
    names.map(|name| format!("{name}\n")).collect()
}
