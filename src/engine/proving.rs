//! Proving test goals: that the tests a goal asked for ran, passed, and can fail.

use eyre::Result;

use crate::{
    check::{End, Ran, Stage, Tests},
    engine::worker::Worker,
    git::tree,
    goal::Goal,
    path::RepoPath,
    proof,
    snapshot::{CodeTree, Snapshot as _, read_path},
};

/// What came of it.
pub enum Proof {
    /// The goal asks for no tests.
    NotAsked,
    /// New tests ran and passed; a remark says what could not be tried.
    Holds {
        /// Their run, if there was one.
        ran: Option<Box<Ran>>,
        /// What a reader should know besides.
        remark: Option<String>,
    },
    /// They did not run, do not pass, or cannot fail; worded as the output of a check.
    Broken(Box<Ran>),
}

/// Proves the tests of a test goal on `code`.
///
/// # Errors
/// When checks cannot be run.
pub fn prove(worker: &mut Worker<'_>, goal: &Goal, base: CodeTree, code: CodeTree) -> Result<Proof> {
    let Some(file) = proof::is_test_goal(goal) else {
        return Ok(Proof::NotAsked);
    };
    let Ok(path) = RepoPath::parse(file) else {
        return Ok(Proof::NotAsked);
    };
    let Some(command) = worker
        .gate
        .test_file
        .as_ref()
        .map(|command| command.replace("{file}", &quoted(file)))
    else {
        return Ok(Proof::Holds {
            ran: None,
            remark: Some("check.test_file is not set: that the new tests can fail was not tried".into()),
        });
    };
    let snapshot = tree::snapshot(&worker.repo, code);
    let Some(source) = read_path(&snapshot, &path)? else {
        return Ok(Proof::Broken(broken(
            &command,
            &format!("{file} does not exist; the goal asks for tests in it"),
        )));
    };
    let source = String::from_utf8_lossy(&source).into_owned();
    let before = if tree::snapshot(&worker.repo, base).entry(&path)?.is_some() {
        tests_of(worker, base, &command)?.1
    } else {
        None
    };
    let (ran, after) = tests_of(worker, code, &command)?;
    let Some(after) = after.filter(|_| ran.end == End::Exit(0)) else {
        return Ok(Proof::Broken(Box::new(ran)));
    };
    if let Err(why) = proof::accept(before.as_ref(), &after) {
        return Ok(Proof::Broken(broken(&command, &format!("{why}\n{}", ran.output))));
    }
    mutate(worker, goal, code, (&command, &source), ran)
}

fn tests_of(worker: &mut Worker<'_>, code: CodeTree, command: &str) -> Result<(Ran, Option<Tests>)> {
    let gate = worker.gate.clone();
    let ran = worker
        .checker
        .run_over(&worker.repo, code, &gate, (Stage::TestFile, command), &[])?;
    let tests = ran.tests.clone();
    Ok((ran, tests))
}

/// Breaks the function that the tests name and sees them fail.
fn mutate(
    worker: &mut Worker<'_>,
    goal: &Goal,
    code: CodeTree,
    (command, source): (&str, &str),
    proved: Ran,
) -> Result<Proof> {
    let ran = Some(Box::new(proved));
    let snapshot = tree::snapshot(&worker.repo, code);
    let subject = proof::subject(goal, source, &snapshot);
    let mutation = subject.as_ref().and_then(|subject| proof::mutation(subject, &snapshot));
    let (Some(subject), Some(mutation)) = (subject, mutation) else {
        let remark = "the function under test was not found: that the new tests can fail was not tried";
        let remark = Some(remark.to_owned());
        return Ok(Proof::Holds { ran, remark });
    };
    let gate = worker.gate.clone();
    let files = [(mutation.path.clone(), mutation.content)];
    let broken_run = worker
        .checker
        .run_over(&worker.repo, code, &gate, (Stage::TestFile, command), &files)?;
    if broken_run.end == End::Exit(0) {
        let why = format!(
            "the new tests still pass when `{}` in {} does nothing but fail: they do not test it",
            subject.name, mutation.path
        );
        return Ok(Proof::Broken(broken(command, &why)));
    }
    Ok(Proof::Holds { ran, remark: None })
}

fn broken(command: &str, why: &str) -> Box<Ran> {
    Box::new(Ran {
        stage: Stage::TestFile,
        command: command.to_owned(),
        end: End::Exit(1),
        took: std::time::Duration::ZERO,
        output: crate::secret::Redactor::default().clean(why),
        tests: None,
    })
}

/// Quotes a path for the shell.
fn quoted(path: &str) -> String {
    let plain = path
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
    if plain {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}
