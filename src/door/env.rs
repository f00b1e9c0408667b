//! The environment of this process: the only reader of variables, and what of it a check may see.
//!
//! Takes one snapshot; nobody reads a variable twice and gets two answers. Decides nothing about what a value means.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    path::PathBuf,
};

use crate::secret::{Secret, names};

/// What checks see of our environment besides `LC_*`: where programs and their caches are, never what opens a door.
const SHARED_WITH_CHECKS: &[&str] = &[
    "CARGO_HOME",
    "GOCACHE",
    "GOFLAGS",
    "GOMODCACHE",
    "GOPATH",
    "GOPROXY",
    "HOME",
    "JAVA_HOME",
    "LANG",
    "LOGNAME",
    "NODE_PATH",
    "NVM_DIR",
    "PATH",
    "PYENV_ROOT",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "TMPDIR",
    "TZ",
    "USER",
    "VIRTUAL_ENV",
];

/// Said to every check, whatever our own environment says.
const FIXED_FOR_CHECKS: &[(&str, &str)] = &[("CI", "true"), ("TERM", "dumb")];

/// What git and its hooks keep of what a person said in the environment: who commits, which configuration counts, how the
/// remote is reached.
const KEPT_OF_GIT: [&str; 6] = [
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_SSH_COMMAND",
];

/// What says which repository, index and settings a git works with: what `git rev-parse --local-env-vars` lists, and what
/// older and newer gits do.
const OF_ONE_REPOSITORY: [&str; 17] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// A snapshot of the environment.
#[derive(Clone, Default)]
pub struct Env {
    vars: BTreeMap<OsString, OsString>,
}

impl Env {
    /// Takes the snapshot.
    pub fn read() -> Self {
        Self {
            vars: std::env::vars_os().collect(),
        }
    }

    /// Makes an environment up.
    pub fn from_pairs<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self {
            vars: pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
        }
    }

    /// Returns the value of `name`; `None` where it is unset, empty or no UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name)?.to_str()
    }

    /// Returns the variables whose names begin with `prefix`, sorted by name, names and values being UTF-8.
    pub fn vars_with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.vars
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
            .filter(move |(name, _)| name.starts_with(prefix))
    }

    /// Returns the values that are keys by their variables' names, so that they can be taken out of what leaves.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        self.vars_with_prefix("")
            .map(|(name, value)| (name, value.trim()))
            .filter(|(name, value)| names::is_secret(name, value))
            .map(|(_, value)| Secret::new(value))
    }

    /// Returns the home folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.get_os("HOME").map(PathBuf::from)
    }

    /// Returns where caches go: `XDG_CACHE_HOME`, else `.cache` in the home folder.
    pub fn cache_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_CACHE_HOME", ".cache")
    }

    /// Returns where the user's own settings are: `XDG_CONFIG_HOME`, else `.config` in the home folder.
    pub fn config_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// Returns where a user's programs keep data: `XDG_DATA_HOME`, else `.local/share` in the home folder.
    pub fn data_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// Returns where a user's programs keep what they did: `XDG_STATE_HOME`, else `.local/state` in the home folder.
    pub fn state_home(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// Returns the folder that this process was started in.
    ///
    /// # Errors
    /// When that folder is gone.
    pub fn current_dir(&self) -> io::Result<PathBuf> {
        std::env::current_dir()
    }

    /// Returns the name of this machine, `localhost` where it has none.
    pub fn hostname(&self) -> String {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        match name.trim() {
            "" => self.get("HOSTNAME").unwrap_or("localhost").to_owned(),
            name => name.to_owned(),
        }
    }

    /// Returns the whole environment that a check gets: where programs and their caches are, and what the user listed in
    /// `extra` by name. Variables that git exports to hooks (`GIT_DIR`, `GIT_INDEX_FILE` …) and our own never pass: a
    /// check that ran git would otherwise work on the user's repository.
    pub fn for_checks(&self, extra: &[String]) -> Vec<(OsString, OsString)> {
        let named = |name: &str| extra.iter().any(|wanted| wanted == name);
        let mut shared: BTreeMap<OsString, OsString> = FIXED_FOR_CHECKS
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)))
            .collect();
        for (name, value) in &self.vars {
            let Some(text) = name.to_str() else { continue };
            let usual = SHARED_WITH_CHECKS.contains(&text) || text.starts_with("LC_");
            if !is_never_shared(text) && (named(text) || (usual && !sounds_secret(text))) {
                shared.insert(name.clone(), value.clone());
            }
        }
        shared.into_iter().collect()
    }

    /// Returns the whole environment that git gets from us: everything but what git exports to hooks, which names the
    /// repository, the index and the work tree of somebody else, and our own settings. Messages come untranslated, nobody is
    /// asked for a password, and hooks can see that it is us.
    pub fn for_git(&self) -> Vec<(OsString, OsString)> {
        const AUTHOR: [&str; 2] = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"];
        let fixed = [
            ("LC_ALL", "C"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("SSH_ASKPASS_REQUIRE", "force"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("INVISIGOTH_CHILD", "1"),
        ];
        let is_kept = |name: &str| KEPT_OF_GIT.contains(&name) || AUTHOR.contains(&name);
        let passes = |name: &str| !is_never_shared(name) && !sounds_secret(name) || is_kept(name);
        let kept = self.vars.iter().filter(|(name, _)| name.to_str().is_some_and(passes));
        let mut vars: BTreeMap<OsString, OsString> = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
        vars.extend(fixed.map(|(name, value)| (name.into(), value.into())));
        vars.into_iter().collect()
    }

    /// Returns the environment of programs that the person sits at, such as their editor and their pager: all of it, but for
    /// what names the repository, the index and the work tree of somebody else.
    pub fn for_people(&self) -> Vec<(OsString, OsString)> {
        let passes = |name: &OsString| !OF_ONE_REPOSITORY.iter().any(|other| name == other);
        let kept = self.vars.iter().filter(|(name, _)| passes(name));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns the environment of a command of ours that a hook starts and does not wait for: without anything that git said
    /// to the hook, such as who wrote the commit that it was called for. What says who commits here stays.
    pub fn for_background(&self) -> Vec<(OsString, OsString)> {
        let is_of_git = |name: &str| name.starts_with("GIT_") || name == "INVISIGOTH_CHILD";
        let passes = |name: &str| !is_of_git(name) || KEPT_OF_GIT.contains(&name);
        let kept = self.vars.iter().filter(|(name, _)| name.to_str().is_none_or(passes));
        kept.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn get_os(&self, name: &str) -> Option<&OsStr> {
        let value = self.vars.get(OsStr::new(name))?;
        (!value.is_empty()).then_some(value)
    }

    /// A relative path counts as unset, as the XDG base directory specification asks.
    fn xdg(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        self.get_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(self.home()?.join(below_home)))
    }
}

fn is_never_shared(name: &str) -> bool {
    name.starts_with("GIT_") || name.starts_with("INVISIGOTH_")
}

fn sounds_secret(name: &str) -> bool {
    ["KEY", "TOKEN", "SECRET", "PASSWORD"]
        .iter()
        .any(|word| name.contains(word))
}

/// Returns what tests want to go wrong, and the file in which they want it said. No release build asks.
#[cfg(debug_assertions)]
#[expect(clippy::disallowed_methods, reason = "a session has no part in what tests let fail")]
pub(crate) fn faults() -> (Option<OsString>, Option<OsString>) {
    (
        std::env::var_os("INVISIGOTH_FAULT"),
        std::env::var_os("INVISIGOTH_POINTS"),
    )
}

/// Returns the number of this process.
pub fn process_id() -> u32 {
    std::process::id()
}

/// Returns the number of the user that this process acts for; 0 is root.
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(env: &Env, extra: &[&str]) -> Vec<String> {
        let extra: Vec<String> = extra.iter().map(ToString::to_string).collect();
        env.for_checks(&extra)
            .into_iter()
            .map(|(name, _)| name.into_string().unwrap())
            .collect()
    }

    #[test]
    fn checks_see_neither_keys_nor_what_git_tells_hooks() {
        let env = Env::from_pairs([
            ("PATH", "/bin"),
            ("LC_ALL", "C"),
            ("LC_TOKEN", "x"),
            ("OPENROUTER_API_KEY", "x"),
            ("GIT_DIR", "/repo/.git"),
            ("GIT_INDEX_FILE", "index"),
            ("INVISIGOTH_CLOCK", "0"),
            ("EDITOR", "vi"),
            ("TERM", "xterm"),
        ]);
        assert_eq!(names(&env, &[]), ["CI", "LC_ALL", "PATH", "TERM"]);
        let fixed = env.for_checks(&[]);
        assert!(fixed.contains(&("TERM".into(), "dumb".into())));
        assert!(fixed.contains(&("CI".into(), "true".into())));
    }

    #[test]
    fn a_name_that_the_user_lists_passes_unless_it_is_of_git_or_ours() {
        let env = Env::from_pairs([("DB_PASSWORD", "x"), ("GIT_DIR", "y"), ("INVISIGOTH_RUN", "z")]);
        let extra = ["DB_PASSWORD", "GIT_DIR", "INVISIGOTH_RUN"];
        assert_eq!(names(&env, &extra), ["CI", "DB_PASSWORD", "TERM"]);
    }

    #[test]
    fn keys_are_known_by_their_names() {
        let env = Env::from_pairs([
            ("GITHUB_TOKEN", " q8Zr-41xK\n"),
            ("HOME", "/home/q8Zr-41xK"),
            ("A_TOKEN", "short"),
        ]);
        let found: Vec<String> = env.secrets().map(|secret| secret.reveal().to_owned()).collect();
        assert_eq!(found, ["q8Zr-41xK"]);
    }

    #[test]
    fn a_person_s_editor_gets_all_but_what_names_a_repository() {
        let env = Env::from_pairs([("GIT_DIR", "/x"), ("GIT_EDITOR", "vi"), ("LC_ALL", "de_DE.UTF-8")]);
        let kept: Vec<OsString> = env.for_people().into_iter().map(|(name, _)| name).collect();
        assert_eq!(kept, ["GIT_EDITOR", "LC_ALL"]);
    }

    #[test]
    fn what_goes_on_in_the_background_hears_nothing_of_what_git_told_the_hook() {
        let env = Env::from_pairs([
            ("GIT_AUTHOR_NAME", "B"),
            ("GIT_COMMITTER_NAME", "C"),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_INDEX_FILE", ".git/index.lock"),
            ("INVISIGOTH_CHILD", "1"),
            ("INVISIGOTH_LLM_MODEL", "m"),
            ("OPENROUTER_API_KEY", "k"),
        ]);
        let kept: Vec<OsString> = env.for_background().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            kept,
            ["GIT_COMMITTER_NAME", "INVISIGOTH_LLM_MODEL", "OPENROUTER_API_KEY"]
        );
    }

    #[test]
    fn xdg_folders_fall_back_to_the_home_folder() {
        let env = Env::from_pairs([
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "relative"),
            ("XDG_CACHE_HOME", "/c"),
        ]);
        assert_eq!(env.cache_home(), Some("/c".into()));
        assert_eq!(env.config_home(), Some("/h/.config".into()));
        assert_eq!(Env::default().cache_home(), None);
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let env = Env::from_pairs([("A_B", ""), ("A_C", "1")]);
        assert_eq!(env.get("A_B"), None);
        assert_eq!(
            env.vars_with_prefix("A_").collect::<Vec<_>>(),
            [("A_B", ""), ("A_C", "1")]
        );
    }
}
