//! A throw-away `.git` for checks that ask git: one commit of what was laid, in an object store of its own. Nothing leads
//! from it to the repository, and none of our own git calls ever uses it.

use std::{ffi::OsString, io, path::Path, time::Duration};

use crate::{door::spawn, slot::laid::Laid, snapshot::Mode};

/// Fixed, so that the same tree is the same commit.
const WHEN: &str = "2000-01-01T00:00:00Z";

/// Longest time of one git command.
const LIMIT: Duration = Duration::from_secs(120);

/// Makes the `.git` in `folder`, with a commit of `laid`.
pub(in crate::slot) fn make(folder: &Path, laid: &[Laid], env: &[(OsString, OsString)]) -> io::Result<()> {
    let env = environment(env);
    let mut paths = Vec::new();
    for item in laid.iter().filter(|item| item.entry.mode != Mode::Submodule) {
        paths.extend_from_slice(item.path.as_bytes());
        paths.push(0);
    }
    let init = ["init", "-q", "--template=", "-b", "main"];
    let add = ["add", "-f", "--pathspec-from-file=-", "--pathspec-file-nul"];
    let commit = [
        "commit",
        "-q",
        "--allow-empty",
        "--no-verify",
        "-m",
        "code tree under check",
    ];
    git(folder, &init, &env, b"")?;
    if !paths.is_empty() {
        git(folder, &add, &env, &paths)?;
    }
    git(folder, &commit, &env, b"")
}

fn git(folder: &Path, args: &[&str], env: &[(OsString, OsString)], stdin: &[u8]) -> io::Result<()> {
    let mut all = vec![
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "gc.auto=0",
        "-c",
        "core.fsmonitor=false",
    ];
    all.extend(args);
    let captured = spawn::run_captured("git", &all, folder, env, stdin, Some(LIMIT))?;
    if captured.code == 0 {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&captured.stderr);
    let verb = args.first().unwrap_or(&"");
    Err(io::Error::other(format!(
        "git {verb} failed in a slot: {}",
        said.trim()
    )))
}

/// No configuration but git's defaults: the user's could name hooks, signing keys or an editor.
fn environment(env: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let fixed = [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_LITERAL_PATHSPECS", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "invisigoth"),
        ("GIT_AUTHOR_EMAIL", "invisigoth@localhost"),
        ("GIT_AUTHOR_DATE", WHEN),
        ("GIT_COMMITTER_NAME", "invisigoth"),
        ("GIT_COMMITTER_EMAIL", "invisigoth@localhost"),
        ("GIT_COMMITTER_DATE", WHEN),
        ("LC_ALL", "C"),
    ];
    let path = env.iter().filter(|(name, _)| name == "PATH").cloned();
    path.chain(fixed.map(|(name, value)| (name.into(), value.into())))
        .collect()
}
