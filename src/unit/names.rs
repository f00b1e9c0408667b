//! Names of units: what systemd and people call the service of a repository, and where its files are below a folder of units.

use std::path::Path;

use crate::id::Hash;

/// What all our units are called, without the instance.
pub const TEMPLATE: &str = "git-invisigoth@";

/// Characters of a folder's name that an instance is called by.
const NAME: usize = 40;

/// The names of the units of one repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    instance: String,
}

impl Names {
    /// Names the units of the repository at `top`, its real path: by its folder, and a hash that tells it from others.
    pub fn of(top: &Path) -> Self {
        let folder = top.file_name().unwrap_or_default().to_string_lossy();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let folder: String = folder
            .chars()
            .map(|c| if is_plain(c) { c } else { '-' })
            .take(NAME)
            .collect();
        let folder = folder.trim_matches(['-', '.']);
        let hash = Hash::of("unit", [top.as_os_str().as_encoded_bytes()]).short(8);
        Self {
            instance: format!("{}-{hash}", if folder.is_empty() { "repository" } else { folder }),
        }
    }

    /// Returns the service's name.
    pub fn service(&self) -> String {
        format!("{TEMPLATE}{}.service", self.instance)
    }

    /// Returns the timer's name.
    pub fn timer(&self) -> String {
        format!("{TEMPLATE}{}.timer", self.instance)
    }

    /// Returns the path of what is said of this repository, below the folder of units.
    pub fn repository(&self) -> String {
        format!("{}.d/repository.conf", self.service())
    }

    /// Returns the path of what is said of its timer.
    pub fn schedule(&self) -> String {
        format!("{}.d/schedule.conf", self.timer())
    }
}

/// Returns the path of the template of services, below the folder of units.
pub fn service_template() -> String {
    format!("{TEMPLATE}.service")
}

/// Returns the path of the template of timers.
pub fn timer_template() -> String {
    format!("{TEMPLATE}.timer")
}
