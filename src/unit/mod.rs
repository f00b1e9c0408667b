//! Units: what systemd is told about the service of a repository, as files below a folder of units.
//!
//! One template for all repositories and one drop-in for each: a name of an instance that is the escaped path would outgrow
//! the 255 bytes that names of units have, needs quotes in every shell, and could not say when, with which key and what else
//! to mount. Pure text in, text out: looks at no file and starts nothing.

pub mod mark;
pub mod names;
pub mod quote;

use std::path::{Path, PathBuf};

use crate::{
    ci,
    unit::{
        names::{Names, service_template, timer_template},
        quote::{Unfit, path, plain, program, setting, word},
    },
};

const SERVICE: &str = include_str!("../../templates/service/git-invisigoth@.service");
const TIMER: &str = include_str!("../../templates/service/git-invisigoth@.timer");
const REPOSITORY: &str = include_str!("../../templates/service/repository.conf");
const SCHEDULE: &str = include_str!("../../templates/service/schedule.conf");

/// The first systemd that waits longer from try to try.
const WITH_STEPS: u32 = 254;

/// Where a service of the machine keeps what a person's keeps in a home folder; systemd makes it.
const PLACES: &str = "\
CacheDirectory=invisigoth/%i
StateDirectory=invisigoth/%i
Environment=XDG_CACHE_HOME=%C/invisigoth/%i XDG_STATE_HOME=%S/invisigoth/%i
";

/// Whose systemd it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The person's own.
    User,
    /// The machine's.
    System,
}

/// Where the provider's key comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// A file of variables, read by systemd.
    Environment(PathBuf),
    /// A file that holds the key alone, by the name that it gets.
    Credential(String, PathBuf),
}

/// When the service works.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct When {
    /// When a timer starts it, in systemd's words; with the machine where absent.
    pub calendar: Option<String>,
    /// The time of day at which a run ends.
    pub until: Option<String>,
    /// How long a run lasts.
    pub span: Option<String>,
}

/// What units are made from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Whose systemd.
    pub scope: Scope,
    /// Its version; `None` where it is not known.
    pub version: Option<u32>,
    /// This program.
    pub program: PathBuf,
    /// Where it works.
    pub top: PathBuf,
    /// Who it is, where the machine's systemd must be told.
    pub user: Option<String>,
    /// Whether it runs as root: what bubblewrap needs then.
    pub is_root: bool,
    /// When.
    pub when: When,
    /// The key.
    pub key: Option<Key>,
    /// What its environment holds.
    pub env: Vec<(String, String)>,
    /// What must be there to write.
    pub writable: Vec<PathBuf>,
    /// What it writes where it is there.
    pub caches: Vec<PathBuf>,
    /// What it reads where it is there.
    pub readable: Vec<PathBuf>,
}

/// Words the files for `setup`, by their paths below the folder of units.
///
/// # Errors
/// When a path or a text cannot stand in a unit.
pub fn files(setup: &Setup, names: &Names) -> Result<Vec<(String, String)>, Unfit> {
    let mut files = vec![
        (service_template(), service(setup)?),
        (names.repository(), repository(setup)?),
    ];
    if let Some(calendar) = &setup.when.calendar {
        let pairs = [
            ("@TOP_COMMENT@", comment(&setup.top)),
            ("@CALENDAR@", setting(calendar)?),
        ];
        files.push((timer_template(), TIMER.to_owned()));
        files.push((names.schedule(), ci::fill(SCHEDULE, &pairs)));
    }
    Ok(files
        .into_iter()
        .map(|(path, text)| (path, mark::marked(&text)))
        .collect())
}

fn service(setup: &Setup) -> Result<String, Unfit> {
    // A person's systemd knows no network, and may not filter addresses.
    let (edit, network, addresses, wanted) = match setup.scope {
        Scope::User => ("--user ", "", "", "default.target"),
        Scope::System => (
            "",
            "Wants=network-online.target\nAfter=network-online.target\n",
            "# What a cloud tells its machines, keys among it.\nIPAddressDeny=169.254.169.254\n",
            "multi-user.target",
        ),
    };
    // An older systemd would only complain of what it does not know.
    let steps = if has_steps(setup) {
        "RestartSteps=6\nRestartMaxDelaySec=30min\n"
    } else {
        ""
    };
    Ok(ci::fill(
        SERVICE,
        &[
            ("@EDIT@", edit.to_owned()),
            ("@NETWORK@", network.to_owned()),
            ("@ADDRESSES@", addresses.to_owned()),
            ("@PROGRAM@", program(&setup.program)?),
            ("@STEPS@", steps.to_owned()),
            ("@WANTED@", wanted.to_owned()),
        ],
    ))
}

fn has_steps(setup: &Setup) -> bool {
    setup.version.is_some_and(|version| version >= WITH_STEPS)
}

fn repository(setup: &Setup) -> Result<String, Unfit> {
    let mut window = String::new();
    for (flag, value) in [("--until", &setup.when.until), ("--for", &setup.when.span)] {
        if let Some(value) = value {
            window.extend([" ", flag, " ", &word(value)?]);
        }
    }
    let mut owner = String::new();
    if let Some(user) = &setup.user {
        owner.extend(["User=", &setting(user)?, "\n"]);
    }
    if setup.scope == Scope::System {
        owner.push_str(PLACES);
    }
    if setup.is_root {
        owner.push_str(
            "# Without it the kernel lets no process of root make a user namespace, which bubblewrap needs.\n",
        );
        owner.push_str("CapabilityBoundingSet=CAP_SETFCAP\n");
    }
    let key = match &setup.key {
        None => String::new(),
        Some(Key::Environment(file)) => format!("EnvironmentFile={}\n", plain(file)?),
        Some(Key::Credential(name, file)) => format!("LoadCredential={}:{}\n", setting(name)?, plain(file)?),
    };
    // A try that came after the end of the window would last until its next end.
    let late = if setup.when.calendar.is_some() && has_steps(setup) {
        "RestartSteps=0\n"
    } else {
        ""
    };
    let env = setup.env.iter().map(|(name, value)| {
        let pair = word(&format!("{name}={value}"))?;
        Ok(format!("Environment={pair}"))
    });
    let writable = setup.writable.iter().map(|place| path("BindPaths=", "", place));
    let caches = setup.caches.iter().map(|place| path("BindPaths=", "-", place));
    let readable = setup
        .readable
        .iter()
        .map(|place| path("BindReadOnlyPaths=", "-", place));
    Ok(ci::fill(
        REPOSITORY,
        &[
            ("@TOP_COMMENT@", comment(&setup.top)),
            ("@PROGRAM@", program(&setup.program)?),
            ("@WINDOW@", window),
            ("@TOP@", format!("{}/", plain_folder(&setup.top)?)),
            ("@OWNER@", owner),
            ("@KEY@", key),
            ("@LATE@", late.to_owned()),
            ("@ENVIRONMENT@", joined(env)?),
            ("@WRITABLE@", joined(writable.chain(caches))?),
            ("@READABLE@", joined(readable)?),
        ],
    ))
}

fn joined(lines: impl Iterator<Item = Result<String, Unfit>>) -> Result<String, Unfit> {
    let lines: Vec<String> = lines.collect::<Result<_, Unfit>>()?;
    Ok(lines.join("\n"))
}

/// A slash follows it, so that what it ends in stays what it is: a line loses spaces at its end, and goes on after `\`.
fn plain_folder(folder: &Path) -> Result<String, Unfit> {
    setting(quote::text(folder)?)
}

/// A path in a comment, which only people read.
fn comment(place: &Path) -> String {
    let shown = place.to_string_lossy();
    // A comment that ends in `\` goes on in the next line.
    format!("git-invisigoth in `{}`", shown.replace(char::is_control, "?"))
}

#[cfg(test)]
mod tests;
