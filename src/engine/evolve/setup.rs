//! What `[evolve]` of the user's own settings asks for, checked before anything is paid for or measured.
//!
//! Reads settings and looks at the installed program; runs nothing.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr as _};

use crate::{
    door::program,
    engine::session::Session,
    fault::{Fault, Kind},
    path::RepoPath,
    ratchet::{self, Metric},
    settings::{Restart, Settings, Via, below_home},
};

/// How this program itself is tried: it says who it is, and works through a backlog with scripted replies.
const OWN_SMOKE: [&str; 2] = ["\"$NEW\" --version", "\"$NEW\" demo --dir \"$PWD/demo\""];

/// How a program is built, tried, measured and installed.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Commands that build it.
    pub build: Vec<String>,
    /// Where the built program is, from the top of the repository.
    pub binary: RepoPath,
    /// The installed program, links resolved.
    pub install: PathBuf,
    /// Commands that try it.
    pub smoke: Vec<String>,
    /// Held-out checks.
    pub holdout: Vec<String>,
    /// What is watched.
    pub metrics: Vec<Metric>,
    /// What is measured with, and so is the base's.
    pub measures: Vec<RepoPath>,
    /// Whether the new program goes on.
    pub restarts: bool,
}

impl Setup {
    /// Reads `settings`.
    ///
    /// # Errors
    /// A fault that names what is missing, what cannot be, and where an installed program should be and is not.
    pub fn of(session: &Session, settings: &Settings) -> Result<Self> {
        let evolve = &settings.evolve;
        if settings.sync.remote.is_some() || settings.land.via == Via::Host {
            let fault = Fault::new(
                Kind::Config,
                "`evolve` lands in this clone alone, and `sync.remote` or `land.via` says otherwise",
            );
            return Err(fault
                .hint("`git invisigoth --set sync.remote= evolve`; `git invisigoth sync` brings it there")
                .into());
        }
        let binary = match &evolve.binary {
            Some(binary) if !evolve.build.is_empty() => relative(binary)?,
            Some(_) => return Err(missing("build", "what builds the new program").into()),
            None => return Err(missing("binary", "where the built program is").into()),
        };
        let (install, is_own) = install(session, evolve.install.as_deref())?;
        let smoke = match evolve.smoke.as_slice() {
            [] if is_own => OWN_SMOKE.map(str::to_owned).to_vec(),
            [] => return Err(missing("smoke", "what tries the new program").into()),
            smoke => smoke.to_vec(),
        };
        let mut metrics = Vec::new();
        for (name, said) in &evolve.metrics {
            let metric = Metric::new(name, said).map_err(|unfit| {
                let hint = format!("`git config invisigoth.evolve.metric.{name}.{} …`", unfit.key);
                Fault::new(Kind::Config, unfit.to_string()).hint(hint)
            })?;
            metrics.push(metric);
        }
        let commands = metrics.iter().map(|metric| metric.cmd.as_str());
        let commands = commands.chain(evolve.holdout.iter().map(String::as_str));
        Ok(Self {
            measures: ratchet::measures(&evolve.base, commands),
            build: evolve.build.clone(),
            binary,
            install,
            smoke,
            holdout: evolve.holdout.clone(),
            metrics,
            restarts: match evolve.restart {
                Restart::Auto => is_own,
                Restart::Always => true,
                Restart::Never => false,
            },
        })
    }
}

/// Returns the installed program, and whether it is the running one.
fn install(session: &Session, named: Option<&str>) -> Result<(PathBuf, bool)> {
    let running = program::file().wrap_err("finding this program")?;
    let Some(named) = named else {
        return Ok((running, true));
    };
    let path = below_home(named, session.env.home().as_deref());
    let fault =
        |what: String| Fault::new(Kind::Config, what).hint("`git config invisigoth.evolve.install /where/it/is`");
    if !path.is_absolute() {
        return Err(fault(format!(
            "`evolve.install` must be a path from the root, and `{named}` is none"
        ))
        .into());
    }
    let is_file = |path: &Path| std::fs::metadata(path).is_ok_and(|about| about.is_file());
    let found = path.canonicalize().ok().filter(|path| is_file(path));
    let Some(found) = found else {
        return Err(fault(format!(
            "there is no program at {}, where `evolve.install` has it",
            path.display()
        ))
        .into());
    };
    let is_own = found == running;
    Ok((found, is_own))
}

fn relative(binary: &str) -> Result<RepoPath> {
    let path = RepoPath::parse(binary.trim_start_matches("./")).ok();
    Ok(path.ok_or_else(|| {
        let fault = Fault::new(
            Kind::Config,
            format!("`evolve.binary` must be a path in the repository, and `{binary}` is none"),
        );
        fault.hint("`git config invisigoth.evolve.binary target/release/NAME`")
    })?)
}

fn missing(key: &str, what: &str) -> Fault {
    let fault = Fault::new(Kind::Config, format!("`evolve.{key}` is not set: {what}"));
    let fault = fault.hint(format!(
        "`git config invisigoth.evolve.{key} …`; a tracked invisigoth.toml does not count"
    ));
    fault.hint("docs/evolve.md shows a whole setup")
}
