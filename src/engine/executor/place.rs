//! The folder that an executor works in: a work slot with what the draft has come to, and the fence around it.
//!
//! What is found there afterwards is changes like any other. Judges none of them.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr as _};

use crate::{
    door::fs,
    engine::{
        attempt::Attempt,
        draft::{Draft, Unusable},
        fenced::{self, Access, Fenced},
        worker::Worker,
    },
    fault::{Fault, Kind},
    git::tree,
    guard::{self, Policy},
    slot::{Slot, harvest::HarvestError, lease::Slots},
    snapshot::{Changes, CodeTree},
};

/// Whether an executor may work without a fence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Bare {
    /// Where the user's settings say that there be none.
    WhereSaid,
    /// Not at all: its commands are a model's words.
    Never,
}

/// Says why the goal's executor cannot work on this machine.
///
/// # Errors
/// A fault where the settings, not the goal, chose it: every other goal would meet with the same.
pub(super) fn refused(attempt: &Attempt<'_, '_>, bare: Bare) -> Result<Option<String>> {
    let worker = &attempt.worker;
    let is_off = worker.settings.check.sandbox == "none";
    let why = match (is_off, bare) {
        (true, Bare::WhereSaid) => return Ok(None),
        (true, Bare::Never) => "`check.sandbox` is `none`".to_owned(),
        (false, _) => match fenced::probe(worker.session, &worker.repo) {
            Ok(_) => return Ok(None),
            Err(why) => why.to_owned(),
        },
    };
    let named = attempt.goal.executor.as_ref();
    let executor = named.unwrap_or(&worker.settings.run.executor);
    let said = format!("executor `{executor}` works in a sandbox only, and {why}");
    if named.is_some() {
        return Ok(Some(said));
    }
    let fault = Fault::new(Kind::Sandbox, said);
    Err(match (is_off, bare) {
        (true, _) => fault.hint("`git config invisigoth.check.sandbox auto`, or executor `edit`"),
        (false, Bare::Never) => fault.hint(fenced::remedy(&why)),
        (false, Bare::WhereSaid) => fault
            .hint(fenced::remedy(&why))
            .hint("or let it work with all your rights: `git config invisigoth.check.sandbox none`"),
    }
    .into())
}

/// A work slot in our hands.
pub(super) struct Place {
    slot: Slot,
}

impl Place {
    /// Takes a work slot and fills it with what the attempt has come to.
    pub(super) fn open(attempt: &Attempt<'_, '_>) -> Result<Self> {
        let worker = &attempt.worker;
        let root = worker.session.cache_root(&worker.repo);
        let slots =
            Slots::open_work(&root, &worker.session.repo_id(&worker.repo)).wrap_err("opening the work slots")?;
        let code = code(worker, &attempt.draft)?;
        let slot = slots.lease(Some(code)).wrap_err("leasing a slot to work in")?;
        let mut place = Self { slot };
        place.fill(worker, code)?;
        Ok(place)
    }

    /// Makes it hold `code`, in a throw-away repository of its own.
    pub(super) fn fill(&mut self, worker: &Worker<'_>, code: CodeTree) -> Result<()> {
        self.slot
            .fill(&worker.repo, code)
            .wrap_err("filling a slot to work in")?;
        let env = worker.session.env.for_git();
        self.slot.add_git(&env).wrap_err("making a throw-away .git to work in")
    }

    /// Returns the folder.
    pub(super) fn root(&self) -> &Path {
        self.slot.root()
    }

    /// Returns a folder beside it that what works here cannot write to.
    pub(super) fn beside(&self) -> Result<PathBuf> {
        let folder = self.slot.root().with_extension("prompt");
        fs::create_private_dir_all(&folder).wrap_err("making a slot's folder for the prompt")?;
        Ok(folder)
    }

    /// Returns how a command is started here: fenced in, or with nothing around it where `access` is absent.
    pub(super) fn around(
        &self,
        worker: &Worker<'_>,
        access: Option<&Access>,
        env: Vec<(OsString, OsString)>,
    ) -> Result<Fenced> {
        let env = with_author(env);
        match access {
            Some(access) => fenced::fence(worker.session, &worker.repo, &self.slot, access, env),
            None => Ok(fenced::limited(&self.slot, None, env)),
        }
    }

    /// Returns what differs from what it was filled with.
    pub(super) fn harvest(&self, worker: &Worker<'_>) -> Result<Result<Changes, Unusable>> {
        match self.slot.harvest(&worker.repo) {
            Ok(changes) => Ok(match worker.session.secret_in(&changes) {
                None => Ok(changes),
                Some(path) => Err(Unusable::of(format!(
                    "{path} holds a secret of this machine; leave it out"
                ))),
            }),
            Err(HarvestError::Io(error)) => Err(error).wrap_err("looking at what was done in a slot"),
            Err(unfit) => Ok(Err(Unusable::of(unfit.to_string()))),
        }
    }

    /// Cleans up, so that the next one need not compare every file.
    pub(super) fn close(mut self, worker: &Worker<'_>) -> Result<()> {
        self.slot.restore(&worker.repo).wrap_err("cleaning a slot after work")
    }
}

/// Returns the code tree that the draft has come to.
pub(super) fn code(worker: &Worker<'_>, draft: &Draft) -> Result<CodeTree> {
    if draft.total.is_empty() {
        return Ok(draft.base_code);
    }
    let base = tree::snapshot(&worker.repo, draft.base_code);
    let policy = Policy::new(&worker.settings.paths, &worker.settings.check);
    let admitted = guard::admit(draft.total.clone(), &base, &policy)?;
    Ok(tree::write(&worker.repo, draft.base_code, &admitted)?)
}

/// Tools that commit want to know who they are; what they commit is thrown away.
fn with_author(mut env: Vec<(OsString, OsString)>) -> Vec<(OsString, OsString)> {
    for who in ["AUTHOR", "COMMITTER"] {
        env.push((format!("GIT_{who}_NAME").into(), "invisigoth".into()));
        env.push((format!("GIT_{who}_EMAIL").into(), "invisigoth@localhost".into()));
    }
    env
}
