//! Building: makes the new program out of code that is not landed yet, tries it, and puts it beside the installed one.
//!
//! Commands run fenced in, as checks do. Nothing that is installed changes here.

use std::{ffi::OsString, io, path::Path, time::Duration};

use eyre::{Result, WrapErr as _};

use crate::{
    check::{End, Ran, Stage},
    door::fs::{self, installed},
    engine::{
        evolve::{measuring, setup::Setup},
        session::Session,
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::Repo,
    id::Hash,
    path::RepoPath,
    quote,
    shell::{self, Limits},
    snapshot::CodeTree,
};

/// Longest time of one command that tries an installed program.
const TRIAL: Duration = Duration::from_secs(300);
/// Bytes of its output that are kept.
const OUTPUT: usize = 16 * 1024;

/// Builds `code` and tries the program; leaves it beside the installed one. Says why, where it cannot be had or fails.
///
/// # Errors
/// When a slot or the place beside the installed program cannot be written, such as on a full disk.
pub fn build(worker: &mut Worker<'_>, setup: &Setup, code: CodeTree) -> Result<Result<(), String>> {
    worker.session.say("building and trying the new program");
    let gate = measuring::gate(worker);
    let new = format!("\"$PWD\"/{}", quote::quoted(&setup.binary.to_string()));
    let tried = setup.smoke.iter();
    let tried: Vec<String> = tried
        .map(|command| in_scratch(&new, "\"$INVISIGOTH_CACHE\"/smoke", command))
        .collect();
    let commands = measuring::commands(&gate, setup.build.iter().chain(&tried));
    let stage = |root: &Path| match program_in(root, &setup.binary) {
        Err(why) => Ok(Err(why)),
        Ok(built) => match installed::stage(&built, &setup.install) {
            Ok(()) => Ok(Ok(())),
            Err(error) => Err(unwritten(&installed::new_of(&setup.install), &error).into()),
        },
    };
    let (ran, staged) = worker.checker.run_and(&worker.repo, code, &gate, commands, stage)?;
    if let Some(staged) = staged {
        return Ok(staged);
    }
    let Some(last) = ran.last() else {
        return Ok(Err("it does not build".to_owned()));
    };
    let what = match last.command.contains(SCRATCH) {
        true => "the new program fails its smoke test",
        false => "it does not build",
    };
    let as_said = Ran {
        command: plain(&last.command).to_owned(),
        ..last.clone()
    };
    Ok(Err(format!("{what}: {}", measuring::said(&as_said))))
}

/// The fault of a place beside the installed program that cannot be written.
pub fn unwritten(path: &Path, error: &io::Error) -> Fault {
    let fault = Fault::new(Kind::Error, format!("{} cannot be written: {error}", path.display()));
    fault.hint("the installed program is as it was; `git invisigoth evolve` goes on from here")
}

/// Returns the built program; a link that leads out of the slot is none.
fn program_in(root: &Path, binary: &RepoPath) -> Result<std::path::PathBuf, String> {
    let none = || format!("no program is at {binary} after the build");
    let root = root.canonicalize().map_err(|_| none())?;
    let built = binary.below(&root).canonicalize().map_err(|_| none())?;
    let fits = built.starts_with(&root) && fs::is_executable(&built);
    fits.then_some(built).ok_or_else(none)
}

/// Ends the words that every trial begins with.
const SCRATCH: &str = "cd \"$SCRATCH\" || exit 1\n";

/// Words `command` so that it runs in a repository without commits, with `$NEW` for the program.
fn in_scratch(new: &str, scratch: &str, command: &str) -> String {
    let who = "GIT_AUTHOR_NAME=smoke GIT_AUTHOR_EMAIL=smoke@example.invalid";
    let commits = "GIT_COMMITTER_NAME=smoke GIT_COMMITTER_EMAIL=smoke@example.invalid";
    format!(
        "NEW={new}; SCRATCH={scratch}; export NEW {who} {commits}\n\
         rm -rf \"$SCRATCH\" && mkdir -p \"$SCRATCH\" && git init -q -b main \"$SCRATCH\" || exit 1\n{SCRATCH}{command}"
    )
}

/// Returns what a person had said of a command.
fn plain(command: &str) -> &str {
    command.split_once(SCRATCH).map_or(command, |(_, plain)| plain)
}

/// Starts the installed program for the first time: it must say that it can go on here, or pass its smoke test where it is
/// another program than this one. Says why it does not.
///
/// # Errors
/// When a folder for it cannot be made, or nothing can be started.
pub fn first_start(session: &Session, repo: &Repo, setup: &Setup, install: &Path) -> Result<Result<(), String>> {
    let program = quote::quoted(&install.display().to_string());
    if setup.restarts {
        let asks = format!("{program} evolve --first-start");
        let how = (session.cwd.as_path(), session.env.for_background());
        let said = tried(session, &asks, how)?;
        return Ok(said.map_err(|said| format!("the new program does not start: {said}")));
    }
    let folder = session.own_dir(repo).join("smoke");
    fs::create_dir_all(&folder).wrap_err("making a folder for the new program's trial")?;
    let scratch = quote::quoted(&folder.join("repo").display().to_string());
    for command in &setup.smoke {
        let all = in_scratch(&program, &scratch, command);
        let how = (folder.as_path(), session.env.for_checks(&[]));
        if let Err(said) = tried(session, &all, how)? {
            let why = format!("the installed program fails its smoke test: `{command}`: {said}");
            return Ok(Err(why));
        }
    }
    Ok(Ok(()))
}

/// Runs a command with the user's rights; says how it fails. A machine that can start nothing says nothing of a program.
fn tried(session: &Session, command: &str, (dir, env): (&Path, Environment)) -> Result<Result<(), String>> {
    let limits = Limits {
        timeout: TRIAL,
        env,
        before: Vec::new(),
        output_cap: OUTPUT,
        redactor: session.redactor.clone(),
    };
    let ran = shell::run(command, Stage::Test, dir, &limits, &session.stop);
    let said = last_line(session, &ran.output);
    let again = "`git invisigoth evolve` goes on from here";
    match ran.end {
        End::Exit(0) => Ok(Ok(())),
        End::Exit(code) => Ok(Err(format!("exit {code}: {said}"))),
        End::TimedOut => Ok(Err(format!("over its limit of {} s", TRIAL.as_secs()))),
        End::Stopped => {
            let fault = Fault::new(Kind::Interrupted, "stopped while the new program was tried");
            Err(fault.hint(again).into())
        }
        End::NotStarted => {
            let fault = Fault::new(Kind::Error, format!("the new program could not be tried: {said}"));
            Err(fault.hint(again).into())
        }
    }
}

type Environment = Vec<(OsString, OsString)>;

fn last_line(session: &Session, output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let last = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it says nothing");
    session.redactor.clean(last.trim()).into_string()
}

/// Returns what tells one program from another; `None` where there is none.
///
/// # Errors
/// When it is there but cannot be read.
pub fn mark(path: &Path) -> Result<Option<String>> {
    let bytes = fs::read(path).wrap_err_with(|| format!("reading {}", path.display()))?;
    Ok(bytes.map(|bytes| Hash::of("program", [bytes.as_slice()]).to_string()))
}
