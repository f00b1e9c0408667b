//! The matrix of a wave: goals that can start, as the job lists that hosts and clusters take.
//!
//! Chooses and orders nothing.

use serde_json::{Value, json};

use crate::{
    ci::{fill, target, yaml},
    quote::quoted,
};

const GITLAB_GOALS: &str = include_str!("../../templates/ci/gitlab_goals.yml");
const SLURM: &str = include_str!("../../templates/ci/slurm.sh");

/// Most goals of a matrix; hosts take no more jobs at a time.
pub const MOST: usize = 256;
/// Most characters of a goal's description.
const DESCRIPTION: usize = 80;

/// A goal that can start.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Entry {
    /// Its id.
    pub goal: String,
    /// Its first line, cut.
    pub description: String,
}

impl Entry {
    /// Makes an entry; control characters go.
    pub fn new(goal: &str, description: &str) -> Self {
        let clean = description.split_whitespace().collect::<Vec<_>>().join(" ");
        let clean = clean.chars().filter(|c| !c.is_control());
        Self {
            goal: goal.to_owned(),
            description: clean.take(DESCRIPTION).collect(),
        }
    }
}

/// Words a matrix for `strategy.matrix` of GitHub Actions, on one line.
pub fn github(goals: &[Entry]) -> Value {
    json!({ "include": goals })
}

/// Words a child pipeline of GitLab with a job for each goal. One without a goal has a job that says so: a pipeline must have
/// one.
pub fn gitlab(branch: &str, goals: &[Entry]) -> String {
    let job = |entry: &Entry| {
        // Where GitLab expands variables, a dollar sign is written twice.
        let id = entry.goal.replace('$', "$$");
        let name = yaml(&format!("goal {}", entry.goal));
        format!("\n{name}:\n  extends: .goal\n  variables:\n    GOAL: {}\n", yaml(&id))
    };
    let jobs: String = goals.iter().map(job).collect();
    let none = "\nnothing to do:\n  script:\n    - echo 'no goal can start'\n";
    let jobs = if jobs.is_empty() { none } else { &jobs };
    fill(GITLAB_GOALS, &target(branch)) + jobs
}

/// Words a batch script of Slurm: an array of at most `tasks` tasks, to which the goals are dealt in turn. Empty without a
/// goal: there is nothing to hand in.
pub fn slurm((branch, url): (&str, &str), goals: &[Entry], tasks: usize) -> String {
    let tasks = tasks.clamp(1, goals.len().max(1));
    if goals.is_empty() {
        return String::new();
    }
    let case = |task: usize| {
        let dealt = goals.iter().skip(task).step_by(tasks);
        let dealt: Vec<String> = dealt.map(|entry| quoted(&entry.goal)).collect();
        format!("{task}) set -- {} ;;", dealt.join(" "))
    };
    let pairs = [
        ("@TASKS@", tasks.to_string()),
        ("@LAST@", (tasks - 1).to_string()),
        ("@CASES@", (0..tasks).map(case).collect::<Vec<_>>().join("\n")),
        ("@URL_SHELL@", quoted(url)),
    ];
    let pairs: Vec<(&str, String)> = target(branch).into_iter().chain(pairs).collect();
    fill(SLURM, &pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goals(ids: &[&str]) -> Vec<Entry> {
        ids.iter().map(|id| Entry::new(id, &format!("Goal\n {id}"))).collect()
    }

    #[test]
    fn goals_are_dealt_in_turn_and_odd_ids_stay_one_word() {
        let text = slurm(("main", "/srv/it's.git"), &goals(&["a", "b", "c d", "e"]), 3);
        assert!(
            text.contains("\n0) set -- a e ;;\n1) set -- b ;;\n2) set -- 'c d' ;;\n"),
            "{text}"
        );
        assert!(text.contains("\n#SBATCH --array=0-2\n"), "{text}");
        assert!(text.contains(r"--branch main '/srv/it'\''s.git' "), "{text}");
        assert!(
            !text.contains("_SHELL@") && !text.contains("@T") && !text.contains("@C"),
            "{text}"
        );
        assert_eq!(slurm(("main", "x"), &goals(&["a"]), 8).matches(") set --").count(), 1);
        assert_eq!(slurm(("main", "x"), &[], 4), "");
    }

    #[test]
    fn a_child_pipeline_has_a_job_even_without_goals() {
        assert!(gitlab("main", &[]).contains("\nnothing to do:\n"));
        let text = gitlab("main", &goals(&["a$b"]));
        assert!(
            text.contains("\n\"goal a$b\":\n  extends: .goal\n  variables:\n    GOAL: \"a$$b\"\n"),
            "{text}"
        );
    }

    #[test]
    fn a_description_is_one_line() {
        let entry = Entry::new("a", &format!("x\n\u{1b}[31m y{}", "z".repeat(100)));
        assert!(entry.description.starts_with("x [31m yz"));
        assert_eq!(entry.description.chars().count(), 80);
        assert_eq!(github(&[entry]).as_object().map(serde_json::Map::len), Some(1));
    }
}
