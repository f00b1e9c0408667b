//! Detects Node projects.

use serde_json::Value;

use crate::detect::{Detected, Ecosystem, Files};

/// Adds what a `package.json` at the top means.
pub(crate) fn detect(files: &Files<'_>, found: &mut Detected) {
    let manifest = files
        .text("package.json")
        .and_then(|text| serde_json::from_str(&text).ok());
    let Some(manifest): Option<Value> = manifest else {
        return;
    };
    found.ecosystems.push(Ecosystem::Node);
    let manager = Manager::of(files);
    let install = has_dependencies(&manifest).then(|| install(files, &manifest, manager));
    let before = found.lint.len() + found.test.len();
    if script(&manifest, "lint").is_some() {
        found.lint.push(format!("{} run lint", manager.word()));
    }
    if let Some(test) = script(&manifest, "test").filter(|test| !test.contains("no test specified")) {
        if test.split_whitespace().any(|word| word.starts_with("--watch")) {
            let note = "The `test` script watches and would never end: name another command in `check.test`.";
            found.notes.push(note.to_owned());
        } else {
            let ci = if test.contains("react-scripts") || test.contains("karma") {
                "CI=true "
            } else {
                ""
            };
            found.test.push(format!("{ci}{} test", manager.word()));
        }
    }
    if found.test_file.is_none() {
        found.test_file = test_file(&manifest);
    }
    if let Some(install) = install {
        place_install(files, found, install, before == 0);
    }
}

/// Puts the installation into `setup` where `node_modules` survives a check, else before the commands of every check.
fn place_install(files: &Files<'_>, found: &mut Detected, install: String, alone: bool) {
    if files.ignores("node_modules") {
        found.setup.push(install);
        return;
    }
    found.notes.push(
        "`node_modules` is not ignored by git, so every check installs anew: add it to `.gitignore` and move the \
         installation to `check.setup`."
            .to_owned(),
    );
    let first = if alone && found.lint.is_empty() {
        &mut found.test
    } else {
        &mut found.lint
    };
    first.insert(0, install);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manager {
    Npm,
    Pnpm,
    Yarn,
}

impl Manager {
    fn of(files: &Files<'_>) -> Self {
        if files.has("pnpm-lock.yaml") {
            Self::Pnpm
        } else if files.has("yarn.lock") {
            Self::Yarn
        } else {
            Self::Npm
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
        }
    }
}

/// A lock file that git does not know is not written either: it would be gone after the check.
fn install(files: &Files<'_>, manifest: &Value, manager: Manager) -> String {
    let command = match manager {
        Manager::Pnpm => "pnpm install --frozen-lockfile",
        Manager::Yarn if files.has(".yarnrc.yml") => "yarn install --immutable",
        Manager::Yarn => "yarn install --frozen-lockfile",
        Manager::Npm if files.has("package-lock.json") || files.has("npm-shrinkwrap.json") => {
            "npm ci --no-audit --no-fund"
        }
        Manager::Npm => "npm install --no-audit --no-fund --no-package-lock",
    };
    let has_husky = ["prepare", "postinstall", "install"]
        .iter()
        .any(|name| script(manifest, name).is_some_and(|text| text.contains("husky")));
    let quiet = if has_husky { "HUSKY=0 " } else { "" };
    format!("{quiet}{command}")
}

fn has_dependencies(manifest: &Value) -> bool {
    let filled = |key: &str| match manifest.get(key) {
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        _ => false,
    };
    ["dependencies", "devDependencies", "optionalDependencies", "workspaces"]
        .into_iter()
        .any(filled)
}

fn script<'a>(manifest: &'a Value, name: &str) -> Option<&'a str> {
    manifest.get("scripts")?.get(name)?.as_str()
}

/// Chooses by what the test script runs, then by what is installed. The runners are asked for names of tests.
fn test_file(manifest: &Value) -> Option<String> {
    let runners = [
        ("vitest", "npx vitest run --reporter=verbose {file}"),
        ("jest", "npx jest --verbose {file}"),
        ("react-scripts test", "CI=true npx react-scripts test --verbose {file}"),
        ("node --test", "node --test {file}"),
        ("mocha", "npx mocha --reporter tap {file}"),
        ("ava", "npx ava --tap {file}"),
        ("tape", "npx tape {file}"),
    ];
    let scripts = manifest.get("scripts").and_then(Value::as_object);
    let texts: Vec<&str> = scripts
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.contains("test"))
        .filter_map(|(_, text)| text.as_str())
        .collect();
    let runs = |runner: &str| texts.iter().any(|text| mentions(text, runner));
    let installed = |runner: &str| {
        ["devDependencies", "dependencies"]
            .iter()
            .any(|key| manifest.get(key).is_some_and(|list| list.get(runner).is_some()))
    };
    let by_script = runners.iter().find(|(runner, _)| runs(runner));
    let chosen = by_script.or_else(|| runners.iter().find(|(runner, _)| installed(runner)));
    chosen.map(|(_, command)| (*command).to_owned())
}

/// True where `text` holds `runner` as a word of its own.
fn mentions(text: &str, runner: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(runner).any(|(at, _)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + runner.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
