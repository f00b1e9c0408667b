//! Git's configuration: our own section, and what `git -c` hands down.

use std::path::PathBuf;

use crate::git::Repo;

/// Returns every `invisigoth.<section>.<key>` pair as (scope, `section.key`, value), in the order in which git reads them:
/// later ones win, and keys that are lists keep all. The scope is as `git config` takes it: `--global`; empty for `git -c`.
pub fn pairs(repo: &Repo) -> Vec<(&'static str, String, String)> {
    let snapshot = repo.gix.config_snapshot();
    let mut pairs = Vec::new();
    for section in snapshot.plumbing().sections() {
        let header = section.header();
        if !header.name().eq_ignore_ascii_case(b"invisigoth") || !section.meta().trust.eq(&gix::sec::Trust::Full) {
            continue;
        }
        let Some(subsection) = header.subsection_name() else {
            continue;
        };
        let scope = scope(section.meta().source);
        let body = section.body();
        let mut seen: Vec<String> = Vec::new();
        for key in body.value_names() {
            let name = String::from_utf8_lossy(key.as_ref()).into_owned();
            if seen.contains(&name) {
                continue;
            }
            for value in body.values(&name) {
                pairs.push((
                    scope,
                    format!("{subsection}.{}", name.to_lowercase()),
                    value.to_string(),
                ));
            }
            seen.push(name);
        }
    }
    pairs
}

fn scope(source: gix::config::Source) -> &'static str {
    use gix::config::Source as From;
    match source {
        From::GitInstallation | From::System => "--system",
        From::Git | From::User => "--global",
        From::Local => "--local",
        From::Worktree => "--worktree",
        From::Env | From::Cli | From::Api | From::EnvOverride => "",
    }
}

/// Returns one value of git's configuration.
pub fn value(repo: &Repo, key: &str) -> Option<String> {
    repo.gix.config_snapshot().string(key).map(|value| value.to_string())
}

/// Returns the folder that `core.hooksPath` names, relative to the top of the checkout; `None` where hooks are in the git
/// directory.
pub fn hooks_path(repo: &Repo) -> Option<PathBuf> {
    let named = repo.gix.config_snapshot().trusted_path("core.hooksPath").ok()??;
    let top = repo.workdir().unwrap_or_else(|| repo.git_dir());
    Some(top.join(named))
}

/// Returns the remote that `git fetch` would take; `None` where there is none, or more than one and none to prefer.
pub fn remote(repo: &Repo) -> Option<String> {
    let names: Vec<String> = repo.gix.remote_names().iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [only] => Some(only.clone()),
        more => more.iter().find(|name| *name == "origin").cloned(),
    }
}

/// Reads `GIT_CONFIG_PARAMETERS`, in which `git -c key=value invisigoth` hands its settings down: shell-quoted
/// `'key=value'` (before git 2.31) or `'key'='value'`. gix does not read it.
pub fn parse_parameters(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => word.extend(chars.next()),
            ' ' if !quoted => {
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_git_config_parameters_are_read() {
        let text = r"'user.name'='A B' 'invisigoth.llm.model=x y' 'a.b'='it'\''s'";
        assert_eq!(
            parse_parameters(text),
            ["user.name=A B", "invisigoth.llm.model=x y", "a.b=it's"]
        );
    }
}
