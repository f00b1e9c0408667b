//! `ci init`: writes a host's workflow into the working tree. Commits nothing, and overwrites nothing unless told to.

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    ci::{Host, Setup},
    commands,
    door::fs,
    engine::{session::Session, target::Target},
    fault::{Fault, Kind},
};

/// How this program is installed where nothing else is said.
const INSTALL: &str = "cargo install --locked git-invisigoth";
/// The variable of the key where the settings name none.
const KEY: &str = "OPENROUTER_API_KEY";

/// For whom.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where CI runs.
    pub host: Host,
    /// Files that are there already are written anew.
    pub force: bool,
    /// The line of shell that installs this program on a runner.
    pub install: Option<String>,
}

/// What was written.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Files that were written.
    pub files: Vec<String>,
    /// Files that were as they would be written already.
    pub unchanged: Vec<String>,
    /// The branch that goals land on there.
    pub target: String,
    /// What a person has to set up at the host.
    pub needs: Vec<String>,
    /// What to add to a file of the user's, and to which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<Addition>,
}

/// Lines for a file of the user's.
#[derive(Debug, Serialize)]
pub struct Addition {
    /// The file.
    pub file: String,
    /// The lines.
    pub lines: String,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.ci-init/1";
}

/// Writes the workflow.
///
/// # Errors
/// A fault where a file is there already, or there is no working tree.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    let repo = session.repo();
    let Some(top) = repo.workdir() else {
        let fault = Fault::new(Kind::Error, "this repository has no working tree to write into");
        return Err(fault.hint("`git clone` it, and write the workflow there").into());
    };
    let target = Target::read(session, &repo)?;
    let settings = session.settings(&repo)?;
    let key = settings.llm.key_env;
    let setup = Setup {
        target: target.branch,
        key: if key.is_empty() { KEY.to_owned() } else { key },
        install: request.install.clone().unwrap_or_else(|| INSTALL.to_owned()),
    };
    let mut files = request.host.files(&setup);
    let mut add = None;
    if let Some((path, content)) = request.host.root() {
        // Theirs, where there is one: it says what else their CI does.
        match fs::read_text(&top.join(path)).wrap_err_with(|| format!("reading {path}"))? {
            Some(text) if files.iter().all(|(ours, _)| text.contains(ours)) => {}
            Some(_) => {
                add = Some(Addition {
                    file: path.to_owned(),
                    lines: content.to_owned(),
                });
            }
            None => files.push((path, content.to_owned())),
        }
    }
    let (mut written, mut unchanged) = (Vec::new(), Vec::new());
    for (path, content) in files {
        match fs::read(&top.join(path)).wrap_err_with(|| format!("reading {path}"))? {
            Some(there) if there == content.as_bytes() => unchanged.push(path.to_owned()),
            Some(_) if !request.force => return Err(there_already(path).into()),
            _ => written.push((path.to_owned(), content)),
        }
    }
    for (path, content) in &written {
        let full = top.join(path);
        full.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write_atomic(&full, content.as_bytes()))
            .wrap_err_with(|| format!("writing {path}"))?;
    }
    Ok(Outcome {
        files: written.into_iter().map(|(path, _)| path).collect(),
        unchanged,
        needs: request.host.needs(&setup),
        target: setup.target,
        add,
    })
}

fn there_already(path: &str) -> Fault {
    Fault::new(
        Kind::Error,
        format!("{path} is there already, with other content; nothing was written"),
    )
    .hint("`git invisigoth ci init --force …` writes it anew; what you changed in it is then only in git")
}
