//! Detects Python projects.
//!
//! Packages are installed into a virtual environment beside the checkout (`$INVISIGOTH_CACHE`): inside it would have to
//! be ignored by git to survive a check.

use crate::{
    detect::{Detected, Ecosystem, Files, requirements},
    quote::quoted,
};

/// The interpreter that has the project's packages.
const PYTHON: &str = "\"$INVISIGOTH_CACHE/venv/bin/python\"";

/// What runs the tests.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runner {
    Pytest,
    Unittest,
}

/// Adds what packaging or requirements files at the top mean; tests alone say it where nothing speaks for another kind.
pub(crate) fn detect(files: &Files<'_>, found: &mut Detected) {
    let marks = [
        "pyproject.toml",
        "setup.py",
        "setup.cfg",
        "requirements.txt",
        "Pipfile",
        "tox.ini",
    ];
    let is_marked = marks.iter().any(|mark| files.has(mark)) && files.paths().any(|path| path.ends_with(".py"));
    let is_other = ["Cargo.toml", "package.json", "go.mod"]
        .iter()
        .any(|mark| files.has(mark));
    let tests = TestFiles::of(files);
    if !is_marked && (is_other || tests.files.is_empty()) {
        return;
    }
    found.ecosystems.push(Ecosystem::Python);
    let runner = tests.runner(files);
    install(files, found, &tests, runner);
    let sources = sources(files);
    if !sources.is_empty() {
        found
            .lint
            .push(format!("{PYTHON} -m compileall -q {}", sources.join(" ")));
    }
    match runner {
        Some(Runner::Pytest) => found.test.push(format!("{PYTHON} -m pytest -v")),
        Some(Runner::Unittest) => found
            .test
            .push(format!("{PYTHON} -m unittest discover -v{}", tests.start(files))),
        None => found.notes.push("No Python test file was found.".to_owned()),
    }
    if found.test_file.is_none() {
        found.test_file = match runner {
            Some(Runner::Unittest) => Some(format!("{PYTHON} -m unittest -v {{file}}")),
            Some(Runner::Pytest) | None => Some(format!("{PYTHON} -m pytest -v {{file}}")),
        };
    }
    linter_notes(files, found);
}

/// Adds the commands that make the virtual environment and fill it.
fn install(files: &Files<'_>, found: &mut Detected, tests: &TestFiles, runner: Option<Runner>) {
    let pyproject = files.toml("pyproject.toml");
    let has_table = |name: &str| pyproject.as_ref().is_some_and(|doc| doc.contains_key(name));
    let poetry = pyproject
        .as_ref()
        .is_some_and(|doc| doc.get("tool").is_some_and(|tool| tool.get("poetry").is_some()));
    let is_package = has_table("project") || has_table("build-system") || poetry || files.has("setup.py");
    let mut needs = requirements::for_tests(files, pyproject.as_ref());
    let mut words: Vec<String> = Vec::new();
    if is_package {
        let project = pyproject
            .as_ref()
            .and_then(|doc| doc.get("project")?.get("name")?.as_str());
        let mut extras: Vec<String> = needs.extra.into_iter().collect();
        // A name beside `-e .` would be looked up among released versions.
        extras.extend(
            project
                .into_iter()
                .flat_map(|name| requirements::take_own(&mut needs.words, name)),
        );
        let extras = if extras.is_empty() {
            String::new()
        } else {
            format!("[{}]", extras.join(","))
        };
        words.push(format!("-e {}", quoted(&format!(".{extras}"))));
    } else if files.has("requirements.txt") {
        words.push("-r requirements.txt".to_owned());
    }
    words.extend(needs.words.iter().map(|word| match word.strip_prefix("-r ") {
        Some(file) => format!("-r {}", quoted(file)),
        None => quoted(word),
    }));
    if runner != Some(Runner::Unittest) && !words.iter().any(|word| requirements::name(word) == "pytest") {
        words.push("pytest".to_owned());
    }
    for package in tests.packages(files) {
        if !words.iter().any(|word| requirements::name(word) == package) {
            words.push(package.to_owned());
        }
    }
    found
        .setup
        .push("python3 -m venv \"$INVISIGOTH_CACHE/venv\"".to_owned());
    if words.is_empty() {
        return;
    }
    // Without it, old packaging leaves its metadata in the checkout, where it is gone after the first check.
    let modern = if is_package && !has_table("build-system") {
        " --use-pep517"
    } else {
        ""
    };
    let version = version_from_git(files);
    let command = format!(
        "{version}{PYTHON} -m pip install --quiet --disable-pip-version-check{modern} {}",
        words.join(" ")
    );
    found.setup.push(command);
}

/// Packages that take their version from git find no tags in a slot.
fn version_from_git(files: &Files<'_>) -> &'static str {
    let texts = ["pyproject.toml", "setup.py", "setup.cfg"].map(|name| files.text(name).unwrap_or_default());
    let any = |words: &[&str]| texts.iter().any(|text| words.iter().any(|word| text.contains(word)));
    if any(&[
        "setuptools_scm",
        "setuptools-scm",
        "hatch-vcs",
        "hatch_vcs",
        "vcs-versioning",
    ]) {
        "SETUPTOOLS_SCM_PRETEND_VERSION=0.0.0 "
    } else if any(&["source = \"scm\"", "pbr"]) {
        "PDM_BUILD_SCM_VERSION=0.0.0 PBR_VERSION=0.0.0 "
    } else if any(&["poetry-dynamic-versioning"]) {
        "POETRY_DYNAMIC_VERSIONING_BYPASS=0.0.0 "
    } else {
        ""
    }
}

/// Lists what is worth compiling: `src`, else packages at the top, else modules there.
fn sources(files: &Files<'_>) -> Vec<String> {
    const NOT_CODE: [&str; 9] = [
        "tests",
        "test",
        "testing",
        "docs",
        "doc",
        "examples",
        "benchmarks",
        "bench",
        "scripts",
    ];
    if files
        .paths()
        .any(|path| path.starts_with("src/") && path.ends_with(".py"))
    {
        return vec!["src".to_owned()];
    }
    let mut packages: Vec<String> = files
        .paths()
        .filter_map(|path| path.strip_suffix("/__init__.py"))
        .filter(|folder| !folder.contains('/') && !NOT_CODE.contains(folder))
        .map(quoted)
        .collect();
    if packages.is_empty() {
        let modules = files
            .paths()
            .filter(|path| path.ends_with(".py") && !path.contains('/'));
        packages.extend(modules.filter(|path| *path != "setup.py").map(quoted));
    }
    packages
}

/// The project's test files, with their text.
struct TestFiles {
    files: Vec<(String, String)>,
}

impl TestFiles {
    /// More files than this say nothing new about the runner.
    const MOST: usize = 400;

    fn of(files: &Files<'_>) -> Self {
        let is_test = |path: &&str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            let stem = name.strip_suffix(".py").unwrap_or_default();
            stem.starts_with("test_") || stem.ends_with("_test") || matches!(stem, "test" | "tests")
        };
        let found = files.paths().filter(is_test).take(Self::MOST);
        Self {
            files: found
                .filter_map(|path| Some((path.to_owned(), files.text(path)?)))
                .collect(),
        }
    }

    fn runner(&self, files: &Files<'_>) -> Option<Runner> {
        let configured = files.has("pytest.ini")
            || ["pyproject.toml", "setup.cfg", "tox.ini"]
                .iter()
                .filter_map(|name| files.text(name))
                .any(|text| text.contains("pytest"))
            || files.paths().any(|path| path.ends_with("conftest.py"));
        let bare = |text: &str| {
            text.contains("import pytest")
                || text
                    .lines()
                    .any(|line| line.starts_with("def test") || line.starts_with("async def test"))
        };
        if self.files.is_empty() {
            None
        } else if configured || self.files.iter().any(|(_, text)| bare(text)) {
            Some(Runner::Pytest)
        } else {
            let unittest = self.files.iter().any(|(_, text)| text.contains("unittest"));
            Some(if unittest { Runner::Unittest } else { Runner::Pytest })
        }
    }

    /// Returns where unittest has to start: a folder of tests that is no package is not found from the top.
    fn start(&self, files: &Files<'_>) -> String {
        let top = |folder: &str| self.files.iter().any(|(path, _)| path.starts_with(folder));
        for folder in ["tests", "test"] {
            if top(&format!("{folder}/")) {
                let package = files.has(&format!("{folder}/__init__.py"));
                return format!(" -s {folder}{}", if package { " -t ." } else { "" });
            }
        }
        String::new()
    }

    /// Names the packages that test files and pytest's options need and that projects tend to leave to CI.
    fn packages(&self, files: &Files<'_>) -> Vec<&'static str> {
        const IMPORTS: [(&str, &str); 8] = [
            ("hypothesis", "hypothesis"),
            ("mock", "mock"),
            ("parameterized", "parameterized"),
            ("freezegun", "freezegun"),
            ("responses", "responses"),
            ("pytest_asyncio", "pytest-asyncio"),
            ("pytest_mock", "pytest-mock"),
            ("numpy", "numpy"),
        ];
        const OPTIONS: [(&str, &str); 5] = [
            ("--cov", "pytest-cov"),
            ("-n ", "pytest-xdist"),
            ("-n=", "pytest-xdist"),
            ("asyncio_mode", "pytest-asyncio"),
            ("--timeout", "pytest-timeout"),
        ];
        let imports = |module: &str| {
            let heads = [
                format!("import {module}"),
                format!("from {module} "),
                format!("from {module}."),
            ];
            let has = |line: &str| heads.iter().any(|head| line.starts_with(head.as_str()));
            self.files.iter().any(|(_, text)| text.lines().any(has))
        };
        let options: Vec<String> = ["pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini"]
            .iter()
            .filter_map(|name| files.text(name))
            .map(|text| pytest_options(&text))
            .collect();
        let asked = |option: &str| options.iter().any(|text| text.contains(option));
        let by_import = IMPORTS.iter().filter(|(module, _)| imports(module));
        let by_option = OPTIONS.iter().filter(|(option, _)| asked(option));
        let mut packages: Vec<&str> = by_import.chain(by_option).map(|(_, package)| *package).collect();
        packages.dedup();
        packages
    }
}

/// Returns the lines below the headings of pytest's own sections.
fn pytest_options(text: &str) -> String {
    let mut inside = false;
    let mut out = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.contains("pytest");
        } else if inside {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

fn linter_notes(files: &Files<'_>, found: &mut Detected) {
    let pyproject = files.text("pyproject.toml").unwrap_or_default();
    let configs = ["setup.cfg", "tox.ini"].map(|name| files.text(name).unwrap_or_default());
    let ruff = files.has("ruff.toml") || files.has(".ruff.toml") || pyproject.contains("[tool.ruff");
    let flake8 = files.has(".flake8") || configs.iter().any(|text| text.contains("[flake8]"));
    for (tool, command, there) in [("Ruff", "ruff check .", ruff), ("Flake8", "flake8", flake8)] {
        if there {
            let note = format!(
                "{tool} is configured: install the version you use in `check.setup` and add `{command}` to `check.lint`."
            );
            found.notes.push(note);
        }
    }
}
