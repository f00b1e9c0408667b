//! Toolchains outside the system's folders: where the environment says they are, and which folders of them a command
//! needs. Their credentials lie beside these folders and are never named here.
//!
//! Pure: whether a folder is there, the caller looks.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use crate::fence::SYSTEM;

/// Toolchains that are shown whole, below the home folder or wherever `PATH` leads into them.
const WHOLE: &[&str] = &[
    ".asdf",
    ".bun",
    ".cabal",
    ".deno",
    ".dotnet",
    ".elan",
    ".ghcup",
    ".goenv",
    ".jdks",
    ".jenv",
    ".juliaup",
    ".linuxbrew",
    ".nodenv",
    ".npm-global",
    ".nvm",
    ".opam",
    ".phpenv",
    ".pyenv",
    ".rbenv",
    ".rustup",
    ".rvm",
    ".sdkman",
    ".stack",
    ".swiftly",
    ".volta",
    "anaconda3",
    "mambaforge",
    "miniconda3",
    "miniforge3",
];

/// Other folders below the home folder that toolchains keep their parts in.
const PARTS: &[&str] = &[
    ".cargo/bin",
    ".julia/packages",
    ".local/bin",
    ".local/lib",
    ".local/pipx",
    ".local/share/fnm",
    ".local/share/mise",
    ".local/share/pipx",
    ".local/share/pnpm",
    ".local/share/pypoetry",
    ".local/share/rtx",
    ".local/share/uv",
    "bin",
    "go/bin",
    "sdk",
];

/// What belongs to a folder of programs and stands beside it.
const BESIDE: &[&str] = &[
    "conf", "etc", "include", "jmods", "lib", "lib64", "libexec", "opt", "pkg", "share", "versions",
];

/// Variables that name a toolchain's folder.
const VARIABLES: &[&str] = &[
    "JAVA_HOME",
    "NODE_PATH",
    "NVM_DIR",
    "PYENV_ROOT",
    "RUSTUP_HOME",
    "VIRTUAL_ENV",
];

/// A folder of downloaded packages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cache {
    /// Where the person's own is.
    pub place: PathBuf,
    /// A name for it, unique among caches.
    pub name: &'static str,
    /// The variable that names it to its tool. A tool without one must find it in `place`.
    pub variable: Option<&'static str>,
}

/// What a check's environment says of its toolchains.
#[derive(Clone, Copy, Debug)]
pub struct Tools<'a> {
    env: &'a [(OsString, OsString)],
}

impl<'a> Tools<'a> {
    /// Takes all that the check's environment holds.
    pub fn new(env: &'a [(OsString, OsString)]) -> Self {
        Self { env }
    }

    /// Returns the home folder; `None` where it is no folder of its own.
    pub fn home(&self) -> Option<&'a Path> {
        self.path("HOME").filter(|home| home.parent().is_some())
    }

    fn path(&self, name: &str) -> Option<&'a Path> {
        let value = self.env.iter().find(|(variable, _)| variable == name);
        value
            .map(|(_, value)| Path::new(value))
            .filter(|path| path.is_absolute())
    }

    /// Lists folders that toolchains may be in, to read. None is the home folder, or above it.
    pub fn folders(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        if let Some(home) = self.home() {
            all.extend(WHOLE.iter().chain(PARTS).map(|name| home.join(name)));
        }
        let list = self.env.iter().find(|(name, _)| name == "PATH").map(|(_, list)| list);
        for folder in std::env::split_paths(list.map_or(OsStr::new(""), |list| list)) {
            all.extend(around(&folder, self.home()));
        }
        all.extend(VARIABLES.iter().filter_map(|name| self.path(name)).map(Path::to_owned));
        all.extend(self.path("CARGO_HOME").map(|cargo| cargo.join("bin")));
        let is_above_home = |path: &Path| self.home().is_some_and(|home| home.starts_with(path));
        let is_system = |path: &Path| SYSTEM.iter().any(|system| path.starts_with(system));
        all.retain(|path| path.is_absolute() && path.parent().is_some() && !is_above_home(path) && !is_system(path));
        all.sort();
        all.dedup();
        all
    }

    /// Lists the caches of package managers.
    pub fn caches(&self) -> Vec<Cache> {
        let Some(home) = self.home() else { return Vec::new() };
        let cargo = self
            .path("CARGO_HOME")
            .map_or_else(|| home.join(".cargo"), Path::to_owned);
        let go = self.path("GOMODCACHE").map(Path::to_owned).unwrap_or_else(|| {
            let go = self.path("GOPATH").map_or_else(|| home.join("go"), Path::to_owned);
            go.join("pkg/mod")
        });
        let cache = |place: PathBuf, name, variable| Cache { place, name, variable };
        vec![
            cache(cargo.join("registry"), "cargo-registry", None),
            cache(cargo.join("git"), "cargo-git", None),
            cache(go, "go-mod", None),
            cache(home.join(".m2/repository"), "maven", None),
            cache(home.join(".nuget/packages"), "nuget", None),
            cache(home.join(".npm"), "npm", Some("npm_config_cache")),
            cache(home.join(".cache/pip"), "pip", Some("PIP_CACHE_DIR")),
            cache(home.join(".cache/uv"), "uv", Some("UV_CACHE_DIR")),
            cache(home.join(".cache/yarn"), "yarn", Some("YARN_CACHE_FOLDER")),
        ]
    }
}

/// Returns what a folder of `PATH` needs to work.
fn around(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    let is = |path: &Path, names: &[&str]| {
        path.file_name()
            .is_some_and(|own| names.iter().any(|name| own == *name))
    };
    all.extend(folder.ancestors().filter(|above| is(above, WHOLE)).map(Path::to_owned));
    let parent = folder.parent().filter(|parent| Some(*parent) != home);
    if let Some(parent) = parent.filter(|_| is(folder, &["bin", "sbin", "shims"])) {
        // What else lies in `.local/share` is a person's own.
        let kept = |name: &&&str| !is(parent, &[".local"]) || name.starts_with("lib");
        all.extend(BESIDE.iter().filter(kept).map(|name| parent.join(name)));
    }
    all
}
