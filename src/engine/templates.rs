//! Templates of a commit: read, looked through, and refused before anything is paid for.

use eyre::{Report, Result, WrapErr as _};

use crate::{
    fault::{Fault, Kind},
    git::{Repo, tree},
    prompt::{
        PromptError,
        template::{Flaw, Templates, check, overrides},
    },
    snapshot::CodeTree,
};

/// Reads the templates that count at `code`. Those of the repository's own are rendered with samples first: one that is
/// rendered late in an attempt must not turn out to be wrong only then.
///
/// # Errors
/// A fault for the first that is wrong; or when the repository cannot be read.
pub fn of(repo: &Repo, code: CodeTree) -> Result<Templates> {
    let found = overrides::read(&tree::snapshot(repo, code)).wrap_err("reading the templates")?;
    let flaw = found.flaws.into_iter().next();
    let flaw = flaw.or_else(|| match found.templates.own().is_empty() {
        true => None,
        false => check::samples(&found.templates).flaws.into_iter().next(),
    });
    match flaw {
        None => Ok(found.templates),
        Some(flaw) => Err(fault(&flaw).into()),
    }
}

fn fault(flaw: &Flaw) -> Fault {
    Fault::new(Kind::Config, flaw.to_string()).hint("`git invisigoth template check` names everything that is wrong")
}

/// Words why there is no prompt.
pub fn unbuilt(error: PromptError) -> Report {
    match error {
        PromptError::Template(flaw) => fault(&flaw).into(),
        error @ (PromptError::TooLarge { .. } | PromptError::NoId) => error.into(),
    }
}
