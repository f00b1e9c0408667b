//! `template`: lists, shows and checks the templates of prompts. Writes nothing.

use eyre::{Result, WrapErr as _};
use serde::Serialize;

use crate::{
    commands,
    door::fs::folder::Folder,
    engine::{session::Session, target::Target},
    fault::{Fault, Kind},
    git::{Repo, refs, tree},
    id::CommitId,
    prompt::template::{
        Flaw, builtin, check as checking,
        overrides::{self, Found},
        variables,
    },
};

/// Whose templates.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Those of this commit; of the target's head where absent.
    pub rev: Option<String>,
    /// Those in the working tree.
    pub working: bool,
}

/// Where templates were read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct At {
    /// The branch or revision; `working tree` where none.
    pub name: String,
    /// Its commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    /// The files in the working tree are others.
    pub uncommitted: bool,
}

/// What a check came to.
#[derive(Debug, Serialize)]
pub struct CheckOutcome {
    /// Where they were read.
    pub at: At,
    /// How many there are.
    pub templates: usize,
    /// Those of the repository's own.
    pub own: Vec<&'static str>,
    /// How often one was rendered; 0 where files, names or syntax are wrong already.
    pub renderings: usize,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
}

impl commands::Outcome for CheckOutcome {
    const SCHEMA: &'static str = "invisigoth.template/1";

    fn kind(&self) -> Option<Kind> {
        (!self.flaws.is_empty()).then_some(Kind::Error)
    }
}

/// A template of a list.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub name: &'static str,
    /// The repository has its own.
    pub own: bool,
    /// How many variables it has.
    pub variables: usize,
    /// What it is for.
    pub about: &'static str,
}

/// All templates.
#[derive(Debug, Serialize)]
pub struct ListOutcome {
    /// Where they were read.
    pub at: At,
    /// Each of them.
    pub templates: Vec<Row>,
    /// What is wrong with files, names and syntax of the repository's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<Flaw>,
}

impl commands::Outcome for ListOutcome {
    const SCHEMA: &'static str = "invisigoth.template/1";
}

/// What to show.
#[derive(Clone, Debug)]
pub struct Show {
    /// A template.
    pub name: String,
    /// Ours, whatever the repository has.
    pub builtin: bool,
    /// What it is given, not its source.
    pub variables: bool,
}

/// A variable.
#[derive(Debug, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: String,
    /// What it means.
    pub meaning: &'static str,
}

/// One template.
#[derive(Debug, Serialize)]
pub struct ShowOutcome {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// It is the repository's own.
    pub own: bool,
    /// Its source.
    pub source: String,
    /// What it is given.
    pub variables: Vec<Variable>,
    /// The variables are asked for, not the source.
    #[serde(skip)]
    pub asks_variables: bool,
}

impl commands::Outcome for ShowOutcome {
    const SCHEMA: &'static str = "invisigoth.template/1";
}

/// Renders all templates with samples.
///
/// # Errors
/// A fault for what names no commit, or when the repository cannot be read.
pub fn check(session: &Session, request: &Request) -> Result<CheckOutcome> {
    let (at, found) = read(session, request)?;
    // What cannot be read at all would be found wanting in every template that uses it.
    let (renderings, flaws) = match found.flaws.is_empty() {
        true => {
            let checked = checking::samples(&found.templates);
            (checked.renderings, checked.flaws)
        }
        false => (0, found.flaws),
    };
    Ok(CheckOutcome {
        at,
        templates: builtin::ALL.len(),
        own: found.templates.own(),
        renderings,
        flaws,
    })
}

/// Lists all templates.
///
/// # Errors
/// As `check`.
pub fn list(session: &Session, request: &Request) -> Result<ListOutcome> {
    let (at, found) = read(session, request)?;
    let own = found.templates.own();
    let row = |ours: &'static builtin::Ours| Row {
        name: ours.name,
        own: own.contains(&ours.name),
        variables: variables::of_name(ours.name).len(),
        about: ours.about,
    };
    Ok(ListOutcome {
        at,
        templates: builtin::ALL.iter().map(row).collect(),
        flaws: found.flaws,
    })
}

/// Shows one template.
///
/// # Errors
/// As `check`; and a fault for a name that no template has.
pub fn show(session: &Session, request: &Request, show: &Show) -> Result<ShowOutcome> {
    let Some(ours) = builtin::find(&show.name) else {
        let near = variables::nearest(&show.name, &builtin::names());
        let fault = Fault::new(Kind::Error, format!("there is no template {}", show.name));
        let hint = match near.as_slice() {
            [one] => format!("did you mean {one} ?"),
            [one, other] => format!("did you mean {one} or {other} ?"),
            _ => "`git invisigoth template list` lists them".to_owned(),
        };
        return Err(fault.hint(hint).into());
    };
    let found = match show.builtin {
        true => None,
        false => Some(read(session, request)?.1),
    };
    let source = found.as_ref().map(|found| found.templates.source(ours.name));
    let variable = |row: &'static variables::Variable| Variable {
        name: row.name,
        holds: row.kind.words(),
        meaning: row.meaning,
    };
    Ok(ShowOutcome {
        name: ours.name,
        about: ours.about,
        own: found
            .as_ref()
            .is_some_and(|found| found.templates.own().contains(&ours.name)),
        source: source.unwrap_or(ours.source).to_owned(),
        variables: variables::of_name(ours.name).into_iter().map(variable).collect(),
        asks_variables: show.variables,
    })
}

fn read(session: &Session, request: &Request) -> Result<(At, Found)> {
    let repo = session.repo();
    let working = in_working_tree(&repo)?;
    if request.working {
        let Some(found) = working else {
            return Err(Fault::new(Kind::Error, "a bare repository has no working tree").into());
        };
        let at = At {
            name: "working tree".to_owned(),
            commit: None,
            uncommitted: false,
        };
        return Ok((at, found));
    }
    let (name, commit) = match &request.rev {
        Some(rev) => (rev.clone(), refs::resolve(&repo, rev)?),
        None => {
            let target = Target::read(session, &repo)?;
            (target.branch, target.tip)
        }
    };
    let found = overrides::read(&tree::snapshot(&repo, tree::code_of_commit(&repo, commit)?))
        .wrap_err("reading the templates")?;
    let differs =
        |working: &Found| working.templates.sources() != found.templates.sources() || working.flaws != found.flaws;
    let at = At {
        name,
        commit: Some(commit),
        uncommitted: request.rev.is_none() && working.as_ref().is_some_and(differs),
    };
    Ok((at, found))
}

fn in_working_tree(repo: &Repo) -> Result<Option<Found>> {
    let Some(root) = repo.workdir() else { return Ok(None) };
    let folder = Folder::open(root).wrap_err("opening the working tree")?;
    let found = overrides::read(&folder).wrap_err("reading the templates of the working tree")?;
    Ok(Some(found))
}
