//! CI: what other machines are told to do: workflows of hosts, the matrix of a wave, annotations and summaries.
//!
//! Pure text in, text out. Looks at no repository, and knows of hosts only what their formats are.

pub mod actions;
pub mod matrix;
pub mod request;

use serde_json::Value;

use crate::quote::quoted;

const GITHUB: &str = include_str!("../templates/ci/github.yml");
const GITHUB_ACTION: &str = include_str!("../templates/ci/github_action.yml");
const GITLAB: &str = include_str!("../templates/ci/gitlab.yml");
const GITLAB_JOB: &str = include_str!("../templates/ci/gitlab_job.yml");
/// What GitLab reads first, where there is no such file yet.
const GITLAB_ROOT: &str = "include:\n  - local: .gitlab/invisigoth-job.yml\n  - local: .gitlab/invisigoth.yml\n";

/// The file that GitLab reads first.
const GITLAB_FILE: &str = ".gitlab-ci.yml";

/// Where CI runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Host {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
}

/// What a workflow is filled with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The branch that goals land on.
    pub target: String,
    /// The variable that holds the provider's key.
    pub key: String,
    /// The line of shell that installs this program.
    pub install: String,
}

impl Host {
    /// Returns the files of a host's workflow by path, the one to read first in front. All are ours to write.
    pub fn files(self, setup: &Setup) -> Vec<(&'static str, String)> {
        let files: &[(&'static str, &str)] = match self {
            Self::Github => &[
                (".github/workflows/invisigoth.yml", GITHUB),
                (".github/actions/invisigoth/action.yml", GITHUB_ACTION),
            ],
            Self::Gitlab => &[
                (".gitlab/invisigoth.yml", GITLAB),
                (".gitlab/invisigoth-job.yml", GITLAB_JOB),
            ],
        };
        let target = target(&setup.target);
        let pairs = [("@KEY@", setup.key.clone()), ("@INSTALL@", setup.install.clone())];
        let pairs: Vec<(&str, String)> = target.into_iter().chain(pairs).collect();
        files.iter().map(|(path, text)| (*path, fill(text, &pairs))).collect()
    }

    /// Returns the file through which a host finds those, with its content where nobody has one yet.
    pub fn root(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Github => None,
            Self::Gitlab => Some((GITLAB_FILE, GITLAB_ROOT)),
        }
    }

    /// Returns what a person has to set up at the host, a line each.
    pub fn needs(self, setup: &Setup) -> Vec<String> {
        let key = &setup.key;
        match self {
            Self::Github => vec![
                format!("a secret {key}: `gh secret set {key}`"),
                "permissions are in the file: contents, pull-requests and actions, write, where a job needs them"
                    .into(),
                "pull requests made by Actions start no checks: `land.via = host` wants a token of an app or person"
                    .into(),
            ],
            Self::Gitlab => vec![
                format!("variables {key} and INVISIGOTH_PUSH_TOKEN, masked: Settings, CI/CD, Variables"),
                "the token: a project access token with write_repository, of a role that may push to the branch".into(),
                "a schedule, where goals shall be worked at by themselves: Build, Pipeline schedules".into(),
            ],
        }
    }
}

/// Returns what stands for the target in templates.
fn target(name: &str) -> [(&'static str, String); 3] {
    [
        ("@TARGET@", name.to_owned()),
        ("@TARGET_YAML@", yaml(name)),
        ("@TARGET_SHELL@", quoted(name)),
    ]
}

/// Puts each value in the place of its name. What a value holds is not looked at again.
pub fn fill(template: &str, pairs: &[(&str, String)]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find('@') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let found = pairs.iter().find(|(name, _)| from.starts_with(name));
        let (length, value) = found.map_or((1, "@"), |(name, value)| (name.len(), value));
        text.push_str(value);
        rest = from.split_at(length).1;
    }
    text + rest
}

/// Words a text for YAML: what JSON quotes, YAML reads.
fn yaml(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(target: &str) -> Setup {
        Setup {
            target: target.into(),
            key: "A_KEY".into(),
            install: "cargo install git-invisigoth".into(),
        }
    }

    #[test]
    fn every_name_of_a_template_is_filled_and_none_twice() {
        for host in [Host::Github, Host::Gitlab] {
            for (path, text) in host.files(&setup("@KEY@")) {
                assert!(!text.contains("@TARGET"), "{path}");
                assert!(!text.contains("@INSTALL@"), "{path}");
                assert!(!text.contains("A_KEY@"), "{path}");
            }
            let (_, first) = host.files(&setup("@KEY@")).remove(0);
            assert!(first.contains("goals of @KEY@ that"), "{first}");
        }
    }

    #[test]
    fn odd_names_of_branches_stay_one_word() {
        let files = Host::Gitlab.files(&setup("it's \"x\" $HOME"));
        let all: String = files.into_iter().map(|(_, text)| text).collect();
        assert!(all.contains(r#"INVISIGOTH_LAND_TARGET: "it's \"x\" $HOME""#), "{all}");
        assert!(all.contains(r#"-B 'it'\''s "x" $HOME'"#), "{all}");
        assert_eq!(quoted(""), "''");
    }
}
