//! Proving tests: that the tests a goal asked for ran, passed, and can fail; and that tests which a change brings fail
//! without it.

use std::{collections::BTreeSet, time::Duration};

use eyre::Result;

use crate::{
    check::{End, Ran, Stage, Tests},
    engine::worker::Worker,
    git::{diff, objects, tree},
    goal::Goal,
    path::RepoPath,
    proof::{
        self,
        red_green::{self, Added},
    },
    quote,
    secret::Redactor,
    snapshot::{CodeTree, Entry, Mode, Snapshot as _, read_path},
};

/// What came of it.
pub enum Proof {
    /// There are no tests to be proved.
    NotAsked,
    /// They ran, passed and can fail; a remark says what could not be tried.
    Holds {
        /// How many fail on the base, where that was tried.
        red_green: Option<usize>,
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
    let Some(file) = proof::asked_test_file(goal) else {
        return red_to_green(worker, goal, base, code);
    };
    let Ok(path) = RepoPath::parse(file) else {
        return Ok(Proof::NotAsked);
    };
    let Some(command) = worker
        .gate
        .test_file
        .as_ref()
        .map(|command| command.replace("{file}", &word(file)))
    else {
        return Ok(Proof::Holds {
            red_green: None,
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
        return Ok(Proof::Holds {
            red_green: None,
            ran,
            remark,
        });
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
    Ok(Proof::Holds {
        red_green: None,
        ran,
        remark: None,
    })
}

/// Runs the tests that a change brings on the base, where at least one must fail, and looks whether those that the
/// acceptance names passed on the candidate.
fn red_to_green(worker: &mut Worker<'_>, goal: &Goal, base: CodeTree, code: CodeTree) -> Result<Proof> {
    let mut named = red_green::named(goal);
    let added = added(worker, base, code)?;
    if !named.is_empty() {
        let ran = worker.checker.tests_of(&worker.repo, code, &worker.gate)?;
        named.retain(|name| !red_green::is_doubtful(name, &ran));
        if let Err(why) = named.iter().try_for_each(|name| red_green::accept_named(name, &ran)) {
            return Ok(Proof::Broken(broken("acceptance", &why)));
        }
    }
    if added.tests == 0 {
        let turned = named
            .iter()
            .filter(|name| !red_green::matching(name, &worker.baseline.known_red).is_empty());
        let turned = Some(turned.count()).filter(|count| *count > 0);
        return Ok(match (turned, named.first()) {
            (None, None) => Proof::NotAsked,
            (red_green, _) => Proof::Holds {
                ran: None,
                remark: red_green
                    .is_none()
                    .then(|| "the tests that the acceptance names passed on the base already".to_owned()),
                red_green,
            },
        });
    }
    let ran = on_base(worker, base, &added)?;
    let Some(red) = ran.iter().find(|ran| is_red(worker, ran)) else {
        let command = ran.first().map_or("test", |ran| &ran.command);
        let why = "the new tests pass without the change too\nMake them fail without it, or leave them out: as they are they \
                   do not test it.";
        return Ok(Proof::Broken(broken(command, why)));
    };
    let failing = new_red(worker, red);
    let green = |name: &&String| red_green::matching(name, &failing).is_empty();
    if !failing.is_empty()
        && let Some(name) = named.iter().find(green)
    {
        let why = format!("the goal's acceptance names `{name}`, and it passes without the change too");
        return Ok(Proof::Broken(broken(&red.command, &why)));
    }
    let count = if failing.is_empty() {
        added.tests
    } else {
        failing.len().min(added.tests)
    };
    Ok(Proof::Holds {
        red_green: Some(count),
        ran: None,
        remark: None,
    })
}

fn added(worker: &Worker<'_>, base: CodeTree, code: CodeTree) -> Result<Added> {
    let mut added = Added::default();
    for differs in diff::trees(&worker.repo, base.root, code.root)? {
        let read = |entry: Option<Entry>| -> Result<Option<Vec<u8>>> {
            let file = entry.filter(|entry| matches!(entry.mode, Mode::File | Mode::Executable));
            Ok(file.map(|file| objects::read_blob(&worker.repo, file.id)).transpose()?)
        };
        if let Some(new) = read(differs.new)? {
            added.take(&differs.path, read(differs.old)?.as_deref(), &new);
        }
    }
    Ok(added)
}

/// Runs the gate's tests on the base with nothing but the new tests laid over it.
fn on_base(worker: &mut Worker<'_>, base: CodeTree, added: &Added) -> Result<Vec<Ran>> {
    let gate = worker.gate.clone();
    let tests: Vec<&String> = gate
        .commands
        .iter()
        .filter(|(stage, _)| *stage == Stage::Test)
        .map(|(_, command)| command)
        .collect();
    let mut all = Vec::new();
    for command in tests {
        let ran = worker
            .checker
            .run_over(&worker.repo, base, &gate, (Stage::Test, command), &added.files)?;
        let is_red = is_red(worker, &ran);
        all.push(ran);
        if is_red {
            break;
        }
    }
    Ok(all)
}

/// True where a command failed for more than what is red at the base anyway.
fn is_red(worker: &Worker<'_>, ran: &Ran) -> bool {
    !ran.passed() && (!worker.baseline.red.contains(&ran.command) || !new_red(worker, ran).is_empty())
}

fn new_red(worker: &Worker<'_>, ran: &Ran) -> BTreeSet<String> {
    let failed = ran.tests.iter().flat_map(|tests| &tests.failed);
    let new = failed.filter(|name| !worker.baseline.known_red.contains(*name));
    new.cloned().collect()
}

fn broken(command: &str, why: &str) -> Box<Ran> {
    Box::new(Ran {
        stage: Stage::TestFile,
        command: command.to_owned(),
        end: End::Exit(1),
        took: Duration::ZERO,
        output: Redactor::default().clean(why),
        tests: None,
    })
}

/// Returns a file as a word of a command: whoever reads it must not take it for an option.
fn word(file: &str) -> String {
    let here = if file.starts_with('-') { "./" } else { "" };
    quote::quoted(&format!("{here}{file}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_never_an_option() {
        assert_eq!(word("-k_test.py"), "./-k_test.py");
        assert_eq!(word("tests/a b.py"), "'tests/a b.py'");
    }
}
