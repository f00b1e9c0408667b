//! The git program: the one place that starts it, for what gix cannot do. Always argv, never a shell.

use std::{ffi::OsString, path::Path, time::Duration};

use crate::{
    door::{
        env::Env,
        spawn::{self, Captured, attached},
    },
    git::{Doing as _, GitError, Result},
};

/// Settings that hold for every call: nothing that the repository configures runs because of us.
const ALWAYS: [&str; 6] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "submodule.recurse=false",
];

/// The exit code of a program that SIGPIPE ended.
const OF_A_PIPE: i32 = 141;

/// Longest time of one call.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs git in `dir` and returns what it said, whatever its exit code.
///
/// # Errors
/// When git cannot be started or runs over two minutes.
pub fn output(env: &Env, dir: &Path, args: &[&str]) -> Result<Captured> {
    output_within(env, dir, args, LIMIT)
}

/// As `output`, for no longer than `limit`.
///
/// # Errors
/// When git cannot be started or runs over the limit.
pub fn output_within(env: &Env, dir: &Path, args: &[&str], limit: Duration) -> Result<Captured> {
    run(&env.for_git(), dir, args, b"", limit)
}

/// Runs git with `vars` as its whole environment.
fn run(vars: &[(OsString, OsString)], dir: &Path, args: &[&str], stdin: &[u8], limit: Duration) -> Result<Captured> {
    tracing::debug!(target: "git", "git {}", args.join(" "));
    let all: Vec<&str> = ALWAYS.iter().chain(args).copied().collect();
    let done = spawn::run_captured("git", &all, dir, vars, stdin, Some(limit));
    done.doing(|| format!("running git {}", verb(args)))
}

/// Returns the subcommand among arguments of git.
fn verb<'a>(args: &[&'a str]) -> &'a str {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "-c" => _ = args.next(),
            option if option.starts_with("--") => {}
            verb => return verb,
        }
    }
    ""
}

/// Returns what git printed; where it ended with another code than 0, the error is what it said.
fn succeeded(args: &[&str], done: Captured) -> Result<Vec<u8>> {
    if done.code == 0 {
        return Ok(done.stdout);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(GitError::new(format!("git {}: {}", verb(args), said.trim())))
}

/// True for the error of a call that ran over its limit.
pub fn is_overdue(error: &GitError) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut)
}

/// As `output`, with `file` as the index.
///
/// # Errors
/// As `output`.
pub(crate) fn with_index(env: &Env, dir: &Path, args: &[&str], file: &Path) -> Result<Captured> {
    let mut vars = env.for_git();
    vars.push(("GIT_INDEX_FILE".into(), file.into()));
    run(&vars, dir, args, b"", LIMIT)
}

/// Runs git in `dir` with `stdin`.
///
/// # Errors
/// As `stdout`.
pub(crate) fn fed(env: &Env, dir: &Path, args: &[&str], stdin: &[u8]) -> Result<()> {
    succeeded(args, run(&env.for_git(), dir, args, stdin, LIMIT)?).map(drop)
}

/// Runs git in `dir` and returns its standard output.
///
/// # Errors
/// As `output`; also when git exits with another code than 0: then the error is what git said.
pub fn stdout(env: &Env, dir: &Path, args: &[&str]) -> Result<String> {
    let said = succeeded(args, output(env, dir, args)?)?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// Runs git at the person's terminal, with their pager and colours, until it ends; false where whoever read it went away.
///
/// # Errors
/// When git cannot be started, or exits with another code than 0; then it has said why.
pub fn attached(env: &Env, dir: &Path, args: &[&str]) -> Result<bool> {
    let what = verb(args);
    let args: Vec<&str> = ALWAYS.iter().chain(args).copied().collect();
    match attached::run("git", &args, dir, &env_of_person(env)).doing(|| format!("running git {what}"))? {
        0 => Ok(true),
        OF_A_PIPE => Ok(false),
        code => Err(GitError::new(format!("git {what} ended with {code}"))),
    }
}

/// Opens `file` in the editor that git would open, and returns the editor with its exit code.
///
/// # Errors
/// When git knows none, or it cannot be started.
pub fn edit(env: &Env, dir: &Path, file: &str) -> Result<(String, i32)> {
    let vars = env.for_people();
    let asked = spawn::run_captured(
        "git",
        &["var", "GIT_EDITOR"],
        dir,
        &env_of_person(env),
        b"",
        Some(LIMIT),
    )
    .doing(|| "running git var".into())?;
    let editor = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    if asked.code != 0 || editor.is_empty() {
        return Err(GitError::new("git knows no editor for this terminal"));
    }
    // As git does it: an editor is a line of shell, to which the file's name is given.
    let line = format!("{editor} \"$@\"");
    let code = attached::run("sh", &["-c", &line, &editor, file], dir, &vars).doing(|| format!("running {editor}"))?;
    Ok((editor, code))
}

/// Returns the pager that git would show long output in, a line of shell; `None` where it would use none.
pub fn pager(env: &Env, dir: &Path) -> Option<String> {
    let vars = env_of_person(env);
    let asked = spawn::run_captured("git", &["var", "GIT_PAGER"], dir, &vars, b"", Some(LIMIT)).ok()?;
    let pager = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    (asked.code == 0 && !matches!(pager.as_str(), "" | "cat")).then_some(pager)
}

/// Shows `text` in `pager`, set up as git sets it up; false where it cannot be started.
pub fn page(env: &Env, dir: &Path, pager: &str, text: &str) -> bool {
    let mut vars = env.for_people();
    for (name, value) in [("LESS", "FRX"), ("LV", "-c")] {
        // Set to nothing is set, too.
        if vars.iter().all(|(known, _)| known != name) {
            vars.push((name.into(), value.into()));
        }
    }
    vars.push(("GIT_PAGER_IN_USE".into(), "true".into()));
    attached::page(pager, text, dir, &vars)
}

/// A git that works for the person at the terminal sees what they gave us by `git -c`.
fn env_of_person(env: &Env) -> Vec<(OsString, OsString)> {
    const SAID: &str = "GIT_CONFIG_PARAMETERS";
    let said = env.get(SAID).map(|said| (SAID.into(), said.into()));
    env.for_people().into_iter().chain(said).collect()
}
