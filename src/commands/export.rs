//! `export`: how goals stand here, in the words and the file of another tool. Below it `site`: pages in a folder.

pub mod site;

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    backlog::{
        close::{COMPLETED, COMPLETED_SEGMENTS},
        history,
    },
    commands::{
        self,
        import::{
            fault,
            source::{beads_file, document, seed_texts, tasks_file},
        },
    },
    door::fs,
    engine::{
        recall::{self, Recalled, backlog_fault},
        session::Session,
        target::Target,
    },
    fault::{Fault, Kind},
    foreign::{
        Format,
        export::{self, Base, Exported, Ours},
    },
    git::{Repo, tree},
    id::GoalId,
};

/// What to export.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose file it shall be.
    pub format: Format,
    /// The tool's file or folder to start from; its usual place at the top of the checkout where absent.
    pub onto: Option<PathBuf>,
    /// Where to write it: a file, or the seed's folder; standard output where absent.
    pub out: Option<PathBuf>,
    /// The tag of Task Master.
    pub tag: Option<String>,
}

/// What was exported.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Whose file it is.
    pub format: Format,
    /// The file that it starts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onto: Option<String>,
    /// Files that were written.
    pub written: Vec<String>,
    /// Goals whose state changed there.
    pub told: Vec<GoalId>,
    /// Goals that are new there.
    pub added: Vec<GoalId>,
    /// What a person should know, a line each.
    pub notes: Vec<String>,
    /// The text, where it was written to no file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.export/1";
}

/// Exports.
///
/// # Errors
/// A fault for a file that is broken, a format that is only read, or a seed without a folder to write to.
pub fn run(session: &Session, request: &Request) -> Result<Outcome> {
    if request.format == Format::Seed && request.out.is_none() {
        let fault = Fault::new(
            Kind::Usage,
            "the original has several files: say which folder they go to",
        );
        return Err(fault.hint("`git invisigoth export seed --out DIR`").into());
    }
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read(session, &repo, &target)?;
    let ours = all(&repo, &target, &known)?;
    let onto = place(request, repo.workdir())?;
    let (main, completed) = match (&onto, request.format) {
        (None, _) => (String::new(), String::new()),
        (Some(folder), Format::Seed) => seed_texts(folder)?.into(),
        (Some(file), _) => (document(file)?, String::new()),
    };
    let base = Base {
        main: &main,
        completed: &completed,
        tag: request.tag.as_deref(),
    };
    let at = session.clock.now().rfc3339();
    let exported = export::export(request.format, base, &ours, &at).map_err(|error| fault(&error, onto.as_deref()))?;
    finish(request, onto.as_deref(), exported)
}

fn finish(request: &Request, onto: Option<&Path>, mut exported: Exported) -> Result<Outcome> {
    let mut written = Vec::new();
    let mut text = None;
    match (&request.out, request.format) {
        (None, _) => text = exported.files.pop().map(|(_, text)| text),
        (Some(out), format) => {
            for (name, text) in &exported.files {
                let path = if format == Format::Seed {
                    out.join(name)
                } else {
                    out.clone()
                };
                path.parent()
                    .filter(|folder| !folder.as_os_str().is_empty())
                    .map_or(Ok(()), fs::create_dir_all)?;
                fs::write_atomic(&path, text.as_bytes()).wrap_err_with(|| format!("writing {}", path.display()))?;
                written.push(path.display().to_string());
            }
        }
    }
    Ok(Outcome {
        format: request.format,
        onto: onto.map(|path| path.display().to_string()),
        written,
        told: exported.told,
        added: exported.added,
        notes: exported.notes,
        text,
    })
}

/// Returns what the export starts from: what was named, the file that it is written to, or the tool's usual place.
fn place(request: &Request, top: Option<&Path>) -> Result<Option<PathBuf>> {
    let find = |path: &Path| match request.format {
        Format::Beads => beads_file(path),
        Format::Taskmaster => tasks_file(path),
        Format::Seed | Format::Speckit | Format::Issues | Format::Checklist => Ok(path.to_owned()),
    };
    if let Some(named) = &request.onto {
        return find(named).map(Some);
    }
    if let Some(out) = request.out.as_ref().filter(|out| out.exists()) {
        return Ok(Some(out.clone()));
    }
    // Our own memory is laid out as the original's: it is no base to start from.
    let usual = top.filter(|_| request.format != Format::Seed);
    Ok(usual.and_then(|top| find(top).ok()).filter(|path| path.is_file()))
}

/// Returns every goal: open ones, and those that landed.
fn all(repo: &Repo, target: &Target, known: &Recalled) -> Result<Vec<Ours>> {
    let landed = &known.facts.landed;
    let open = known.backlog.rows().filter(|(id, _)| !landed.contains(*id));
    let mut all: Vec<Ours> = open.filter_map(|(id, row)| Ours::read(id, row, None)).collect();
    let root = tree::of_commit(repo, target.tip)?;
    for text in recall::memory_texts(repo, root, COMPLETED, COMPLETED_SEGMENTS)? {
        for row in history::rows(&text).map_err(|error| backlog_fault(&error.in_file(COMPLETED)))? {
            let Some((id, commit, at)) = landing(row).filter(|(id, ..)| landed.contains(id)) else {
                continue;
            };
            all.extend(Ours::read(&id, row, Some((commit, at))));
        }
    }
    for (id, commit) in &known.landed.unsettled {
        if let Some(row) = known.backlog.raw(id) {
            all.extend(Ours::read(id, row, Some((commit.to_string(), String::new()))));
        }
    }
    Ok(all)
}

fn landing(row: &str) -> Option<(GoalId, String, String)> {
    #[derive(serde::Deserialize)]
    struct Landing {
        id: GoalId,
        #[serde(default)]
        commit: String,
        #[serde(default)]
        landed_at: String,
    }
    let landing: Landing = serde_json::from_str(row).ok()?;
    Some((landing.id, landing.commit, landing.landed_at))
}
