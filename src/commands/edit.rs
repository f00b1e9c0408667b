//! `edit`: one goal in the person's editor. What they leave is judged before it is written, and opened again with what is
//! wrong on top; their text is never lost.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr as _, eyre};
use serde::Serialize;
use serde_json::Value;

use crate::{
    backlog::{
        Backlog, conflict,
        deps::{self, DepFault},
        sheet,
    },
    commands,
    door::{env, fs},
    engine::{
        recall,
        rewrite::{self, Found},
        session::Session,
        steering::{self, Steered},
        target::Target,
    },
    fault::{Fault, Kind},
    git::{Repo, command},
    id::{GoalId, Hash},
    quote::quoted,
};

/// How often the same wrong text, and any wrong text, may be left in a row: an editor that is a script must not go on for
/// ever.
const SAME: usize = 3;
const WRONG_AT_ALL: usize = 10;
/// Starts a line about what is wrong.
const WRONG: &str = "# error: ";
/// The line below it.
const MEND: &str = "# Mend it and save; leave the file as it is, or empty, to change nothing.";

const OTHER_EDITOR: &str = "`git config core.editor NAME` chooses one";

/// What was edited.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The goal.
    #[serde(flatten)]
    pub goal: Steered,
    /// The keys that are other ones now, or no longer in conflict; none where nothing was changed.
    pub changed: Vec<String>,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.edit/1";
}

/// A goal's row as a text to edit elsewhere than in the person's editor.
#[derive(Debug, Serialize)]
pub struct Sheet {
    /// The goal.
    pub goal: GoalId,
    /// The text.
    pub text: String,
    /// Which state of the row it is of.
    pub version: String,
}

impl commands::Outcome for Sheet {
    const SCHEMA: &'static str = "invisigoth.sheet/1";
}

/// A text that was edited.
#[derive(Clone, Debug)]
pub struct Request {
    /// The goal.
    pub id: GoalId,
    /// The text, as `sheet` words it.
    pub text: String,
    /// The state of the row that it was made of; not looked at where absent.
    pub version: Option<String>,
}

/// What the editor left.
enum Left {
    /// It can be taken.
    Taken(Outcome),
    /// What is wrong with it, and on which line, from 0.
    Wrong(Option<usize>, String),
}

/// Opens goal `id` in the person's editor.
///
/// # Errors
/// A fault for a goal that is not open, where the editor fails, where others changed the goal meanwhile, or when the
/// backlog cannot be read or written. Where the person had written something, the fault says where it is.
pub fn run(session: &Session, id: &GoalId) -> Result<Outcome> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read_here(session, &repo, &target)?;
    let met = steering::meet_one(&known, id)?;
    let backlog = steering::with_row_at(&repo, &known, &known.backlog, id)?;
    let row = backlog.raw(id).unwrap_or_default().to_owned();
    let file = file_of(session, &repo, id)?;
    let sheet = sheet::write(id, &row);
    let edited = rounds(session, &repo, (id, &row), (&file, &sheet));
    let left = fs::read(&file)?.unwrap_or_default();
    let is_kept = edited.is_err() && !left.is_empty() && body(&String::from_utf8_lossy(&left)) != sheet;
    if !is_kept {
        fs::remove_if_there(&file)?;
    }
    match edited {
        Ok(Some(outcome)) => Ok(outcome),
        Ok(None) => Ok(Outcome {
            goal: steering::steered(&known.facts, &met),
            changed: Vec::new(),
        }),
        Err(error) if is_kept => Err(kept(error, &file).into()),
        Err(error) => Err(error),
    }
}

/// Words goal `id` as a text to edit.
///
/// # Errors
/// A fault for a goal that is not open, or when the backlog cannot be read.
pub fn sheet(session: &Session, id: &GoalId) -> Result<Sheet> {
    let row = row(session, id)?;
    Ok(Sheet {
        goal: id.clone(),
        text: sheet::write(id, &row),
        version: version(&row),
    })
}

/// Takes a text that was edited.
///
/// # Errors
/// A fault for a text that cannot be taken, a goal that is not open or that others changed meanwhile, or when the backlog cannot
/// be read or written.
pub fn write(session: &Session, request: &Request) -> Result<Outcome> {
    let (id, row) = (&request.id, row(session, &request.id)?);
    if request.version.as_ref().is_some_and(|of| *of != version(&row)) {
        return Err(changed_meanwhile(id).into());
    }
    match taken(session, (id, &row), &plain(&request.text))? {
        Left::Taken(outcome) => Ok(outcome),
        Left::Wrong(line, why) => {
            let place = line.map(|line| format!("line {}: ", line + 1)).unwrap_or_default();
            Err(Fault::new(Kind::Usage, format!("nothing was changed: {place}{why}")).into())
        }
    }
}

fn row(session: &Session, id: &GoalId) -> Result<String> {
    let repo = session.repo();
    let target = Target::read(session, &repo)?;
    let known = recall::read_here(session, &repo, &target)?;
    steering::meet_one(&known, id)?;
    let backlog = steering::with_row_at(&repo, &known, &known.backlog, id)?;
    Ok(backlog.raw(id).unwrap_or_default().to_owned())
}

fn version(row: &str) -> String {
    Hash::of("row", [row.as_bytes()]).short(16)
}

fn changed_meanwhile(id: &GoalId) -> Fault {
    let fault = Fault::new(Kind::Busy, format!("goal {id} was changed by others meanwhile"));
    let id = quoted(id.as_str());
    fault.hint(format!("`git invisigoth edit {id}` opens it as it is now"))
}

/// Settles what is in conflict in goal `id`: what stands stays, what other sides said goes.
///
/// # Errors
/// A fault for a goal that is not open or has no conflict, or when the backlog cannot be read or written.
pub fn keep(session: &Session, id: &GoalId) -> Result<Outcome> {
    rewrite::change(session, |found| {
        let met = steering::meet_one(&found.known, id)?;
        let before = &found.known.backlog;
        let changed: Vec<String> = before
            .raw(id)
            .map(conflict::of)
            .unwrap_or_default()
            .keys()
            .map(str::to_owned)
            .collect();
        if changed.is_empty() {
            let fault = Fault::new(Kind::Error, format!("goal {id} has no conflict; nothing was changed"));
            return Err(fault
                .hint(format!("`git invisigoth show {}`", quoted(id.as_str())))
                .into());
        }
        let backlog = before
            .set(id, conflict::KEY, &Value::Null)
            .map_err(|error| recall::backlog_fault(&error))?;
        let goal = steering::steered(&found.known.facts, &met);
        Ok((backlog, Outcome { goal, changed }))
    })
}

/// Where the text is while it is edited.
fn file_of(session: &Session, repo: &Repo, id: &GoalId) -> Result<PathBuf> {
    let folder = session.own_dir(repo).join("edit");
    fs::create_dir_all(&folder).wrap_err_with(|| format!("making {}", folder.display()))?;
    Ok(free(&folder, &format!("{}-{}", id.ref_part(), env::process_id())))
}

/// Returns a name that nothing has: a text that was kept is not written over, and the number of a process comes again, in a
/// container at every start.
fn free(folder: &Path, stem: &str) -> PathBuf {
    let other = (2..).map(|nth| format!("{stem}-{nth}.toml"));
    let names = std::iter::once(format!("{stem}.toml")).chain(other);
    let mut paths = names.map(|name| folder.join(name));
    paths.find(|path| !path.exists()).unwrap_or_default()
}

/// Opens the editor until what it leaves can be taken; `None` where nothing shall change.
fn rounds(
    session: &Session,
    repo: &Repo,
    (id, row): (&GoalId, &str),
    (file, sheet): (&Path, &str),
) -> Result<Option<Outcome>> {
    let mut given = sheet.to_owned();
    let mut wrong: Vec<String> = Vec::new();
    loop {
        fs::write_atomic(file, given.as_bytes()).wrap_err_with(|| format!("writing {}", file.display()))?;
        let left = opened(session, repo, file)?;
        let text = body(&left);
        if sheet::is_blank(&text) || text == sheet {
            return Ok(None);
        }
        let (line, why) = match taken(session, (id, row), &text)? {
            Left::Taken(outcome) => return Ok(Some(outcome)),
            Left::Wrong(line, why) => (line, why),
        };
        let again = wrong.iter().rev().take_while(|before| **before == text).count() + 1;
        if left == given || again >= SAME || wrong.len() + 1 >= WRONG_AT_ALL {
            return Err(Fault::new(Kind::Error, format!("nothing was changed: {why}")).into());
        }
        given = [complaint(line, &why).as_str(), text.as_str()].concat();
        wrong.push(text);
    }
}

/// Opens the editor and returns what it left.
fn opened(session: &Session, repo: &Repo, file: &Path) -> Result<String> {
    let name = file.to_str().ok_or_else(|| eyre!("{} is not UTF-8", file.display()))?;
    let place = repo.workdir().unwrap_or(repo.common_dir());
    let (editor, code) = command::edit(&session.env, place, name)
        .map_err(|error| Fault::new(Kind::Error, error.to_string()).hint(OTHER_EDITOR))?;
    if code != 0 {
        let fault = Fault::new(
            Kind::Error,
            format!("the editor `{editor}` ended with {code}; nothing was changed"),
        );
        return Err(fault.hint(OTHER_EDITOR).into());
    }
    let left = fs::read(file).wrap_err_with(|| format!("reading {}", file.display()))?;
    match String::from_utf8(left.unwrap_or_default()) {
        Ok(left) => Ok(plain(&left)),
        Err(_) => Err(Fault::new(Kind::Error, "the text is not UTF-8; nothing was changed").into()),
    }
}

/// Returns a text without what an editor adds by itself: a byte order mark, and the line ends of another system, which would be
/// a change of every text of several lines. A sheet has none of its own.
fn plain(text: &str) -> String {
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

/// Words what is wrong, for the top of the text. Its lines come first, so the line in question moves down.
fn complaint(line: Option<usize>, why: &str) -> String {
    let place = line.map(|line| format!("line {}: ", line + 4)).unwrap_or_default();
    format!("{WRONG}{place}{why}\n{MEND}\n\n")
}

/// Returns a text without what was put on its top.
fn body(text: &str) -> String {
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\n') {
        if !(line.starts_with(WRONG) || line == MEND) {
            break;
        }
        rest = match line == MEND {
            true => after.strip_prefix('\n').unwrap_or(after),
            false => after,
        };
    }
    rest.to_owned()
}

/// Judges a text and writes the keys that it changes.
fn taken(session: &Session, (id, row): (&GoalId, &str), text: &str) -> Result<Left> {
    let changes = match sheet::changes(id, row, text) {
        Ok(changes) => changes,
        Err(error) => return Ok(Left::Wrong(error.line, error.why)),
    };
    rewrite::change(session, |found| {
        let before = &found.known.backlog;
        let met = steering::meet_one(&found.known, id)?;
        let mut backlog = steering::with_row(found, before, id)?;
        if backlog.raw(id) != Some(row) {
            return Err(changed_meanwhile(id).into());
        }
        for (key, value) in &changes {
            backlog = match backlog.set(id, key, value) {
                Ok(backlog) => backlog,
                Err(error) => return Ok((before.clone(), Left::Wrong(None, error.to_string()))),
            };
        }
        if let Some(wrong) = wrong_dependency(found, &backlog, id) {
            return Ok((before.clone(), Left::Wrong(None, wrong.to_string())));
        }
        let after = recall::read_with(session, &found.repo, &found.target, backlog.clone())?;
        let outcome = Outcome {
            goal: steering::steered(&after.facts, &met),
            changed: changes.iter().map(|(key, _)| key.clone()).collect(),
        };
        Ok((backlog, Left::Taken(outcome)))
    })
}

/// Returns what is wrong with the dependencies of `id` as `backlog` words them.
fn wrong_dependency(found: &Found, backlog: &Backlog, id: &GoalId) -> Option<DepFault> {
    let needs = backlog.get(id)?.dependencies;
    let facts = &found.known.facts;
    let open = facts.goals.iter().map(|(other, open)| {
        let needs = if other == id { &needs } else { &open.needs };
        (other, needs.as_slice())
    });
    deps::check(&open.collect::<Vec<_>>(), &facts.landed).into_iter().next()
}

/// The fault of an edit whose text was kept.
fn kept(error: eyre::Report, file: &Path) -> Fault {
    let said = format!("{error:#}");
    let fault = error
        .downcast::<Fault>()
        .unwrap_or_else(|_| Fault::new(Kind::Error, said));
    fault.hint(format!("your text is in {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_kept_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a-7.toml", "a-7-2.toml", "a-7-3.toml"] {
            let path = free(folder.path(), "a-7");
            assert_eq!(path, folder.path().join(name));
            std::fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn a_complaint_comes_off_again_and_nothing_else_does() {
        let text = "# mine\ndescription = \"x\"\n";
        let given = [complaint(Some(1), "no").as_str(), text].concat();
        assert!(given.starts_with("# error: line 5: no\n"), "{given}");
        assert_eq!(
            given.lines().nth(4),
            Some("description = \"x\""),
            "the line is where it is said to be"
        );
        assert_eq!(body(&given), text);
        assert_eq!(body(text), text);
        assert_eq!(body(""), "");
    }
}
