use std::{collections::BTreeMap, io, sync::Arc};

use super::*;
use crate::{
    id::{BlobId, Hash},
    snapshot::{Entry, Listing, Mode},
};

struct Map(BTreeMap<RepoPath, String>);

fn file(path: &RepoPath) -> Entry {
    Entry {
        mode: Mode::File,
        id: Hash::of("test", [path.as_bytes()]).short(40).parse().unwrap(),
    }
}

impl Snapshot for Map {
    fn entry(&self, path: &RepoPath) -> io::Result<Option<Entry>> {
        Ok(self.0.get(path).map(|_| file(path)))
    }

    fn is_folder(&self, _: &RepoPath) -> io::Result<bool> {
        Ok(false)
    }

    fn read(&self, id: &BlobId) -> io::Result<Vec<u8>> {
        let found = self.0.iter().find(|(path, _)| file(path).id == *id);
        Ok(found.unwrap().1.clone().into_bytes())
    }

    fn listing(&self) -> io::Result<Arc<Listing>> {
        Ok(Arc::new(self.0.keys().map(|path| (path.clone(), file(path))).collect()))
    }
}

fn found(files: &[(&str, &str)]) -> Detected {
    let files = files.iter();
    detect(&Map(files
        .map(|(path, text)| (RepoPath::parse(path).unwrap(), (*text).to_owned()))
        .collect()))
}

/// The command that installs into the virtual environment, after its fixed beginning.
fn pip(found: &Detected) -> String {
    let command = found.setup.last().unwrap();
    command.split_once("--disable-pip-version-check ").unwrap().1.to_owned()
}

#[test]
fn an_empty_folder_has_nothing() {
    assert_eq!(found(&[("README", "")]), Detected::default());
}

#[test]
fn a_crate_is_checked_and_tested() {
    let found = found(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n"),
        ("Cargo.lock", ""),
        (".gitignore", "/target\n"),
        ("src/lib.rs", ""),
    ]);
    assert_eq!(found.ecosystems, [Ecosystem::Rust]);
    assert!(found.setup.is_empty() && found.notes.is_empty(), "{found:?}");
    assert_eq!(found.lint, ["cargo check --all-targets --locked"]);
    assert_eq!(found.test, ["cargo test --locked"]);
    let one = "cargo test --locked --test \"$(basename {file} .rs)\"";
    assert_eq!(found.test_file.as_deref(), Some(one));
}

#[test]
fn a_folder_of_tests_is_one_word_of_the_command_whatever_it_is_called() {
    let found = found(&[("Cargo.toml", "[package]\nname = 'x'\n"), ("tests/a; b/main.rs", "")]);
    let one = found.test_file.unwrap();
    assert!(one.ends_with("cargo test --test 'a; b'"), "{one}");
}

#[test]
fn a_workspace_with_nightly_benches_and_no_ignore_file_is_still_green() {
    let found = found(&[
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"a\"]\n[workspace.lints.clippy]\nall = \"deny\"\n",
        ),
        ("a/benches/b.rs", "#![feature(test)]"),
        ("tests/it/main.rs", "mod x;"),
    ]);
    let warm = "CARGO_TARGET_DIR=\"$INVISIGOTH_CACHE/target\" cargo";
    assert_eq!(found.lint, [format!("{warm} check --tests --examples --workspace")]);
    assert_eq!(found.test, [format!("{warm} test --workspace")]);
    assert_eq!(found.test_file, Some(format!("{warm} test --workspace --test it")));
    assert!(
        found.notes.iter().any(|note| note.contains("cargo clippy")),
        "{found:?}"
    );
}

#[test]
fn what_python_tests_need_is_found_wherever_it_is_said() {
    let test = ("tests/test_a.py", "import pytest\n");
    let base = "[build-system]\nrequires = []\n[project]\nname = \"a\"\n";
    for (file, text, expected) in [
        (
            "pyproject.toml",
            format!("{base}[project.optional-dependencies]\ndev = [\"x\"]\ntest = [\"y\"]\n"),
            "-e '.[test]' pytest",
        ),
        (
            "pyproject.toml",
            format!(
                "{base}[dependency-groups]\nbase = [\"mock\"]\ntest = [\"pytest>=8\", {{include-group = \"base\"}}]\n"
            ),
            "-e . 'pytest>=8' mock",
        ),
        (
            "pyproject.toml",
            format!("{base}[dependency-groups]\ntest = [\"A[socks, x]\", \"pytest\"]\n"),
            "-e '.[socks,x]' pytest",
        ),
        (
            "pyproject.toml",
            format!("{base}[tool.poetry.group.dev.dependencies]\npytest = \"^8\"\nfreezegun = \"*\"\n"),
            "-e . pytest freezegun",
        ),
        (
            "pyproject.toml",
            format!("{base}[tool.pytest.ini_options]\naddopts = \"--cov=a -n auto\"\n"),
            "-e . pytest pytest-cov pytest-xdist",
        ),
        (
            "setup.cfg",
            "[options.extras_require]\ntesting =\n    hypothesis\n".to_owned(),
            "pytest",
        ),
        (
            "requirements.txt",
            "requests\n".to_owned(),
            "-r requirements.txt pytest",
        ),
        (
            "tox.ini",
            "[testenv]\ndeps =\n    pytest\n    py27: mock\n    -r{toxinidir}/r.txt\n    attrs\ncommands = pytest\n"
                .to_owned(),
            "pytest attrs",
        ),
    ] {
        let found = found(&[(file, &text), test]);
        assert_eq!(pip(&found), expected, "{file}: {text}");
        assert_eq!(found.test, ["\"$INVISIGOTH_CACHE/venv/bin/python\" -m pytest -v"]);
    }
}

#[test]
fn python_without_pytest_is_tested_by_unittest() {
    let found = found(&[
        (
            "setup.py",
            "setup(use_scm_version=True, setup_requires=['setuptools_scm'])",
        ),
        ("src/a/__init__.py", ""),
        ("tests/__init__.py", ""),
        ("tests/test_a.py", "import unittest\nclass A(unittest.TestCase): pass\n"),
    ]);
    let python = "\"$INVISIGOTH_CACHE/venv/bin/python\"";
    assert_eq!(found.setup[0], "python3 -m venv \"$INVISIGOTH_CACHE/venv\"");
    let install = format!(
        "SETUPTOOLS_SCM_PRETEND_VERSION=0.0.0 {python} -m pip install --quiet --disable-pip-version-check --use-pep517 -e ."
    );
    assert_eq!(found.setup[1], install);
    assert_eq!(found.lint, [format!("{python} -m compileall -q src")]);
    assert_eq!(found.test, [format!("{python} -m unittest discover -v -s tests -t .")]);
    assert_eq!(found.test_file, Some(format!("{python} -m unittest -v {{file}}")));
}

#[test]
fn python_tests_alone_say_what_a_project_is_unless_it_is_another() {
    let tests = ("tests/test_a.py", "import unittest\nclass A(unittest.TestCase): pass\n");
    let bare = found(&[("calc.py", ""), tests]);
    assert_eq!(bare.ecosystems, [Ecosystem::Python]);
    assert_eq!(bare.setup, ["python3 -m venv \"$INVISIGOTH_CACHE/venv\""]);
    assert_eq!(
        found(&[("go.mod", "module a\n"), ("a.go", ""), tests]).ecosystems,
        [Ecosystem::Go]
    );
}

#[test]
fn node_scripts_run_after_an_installation_that_survives() {
    let manifest = r#"{"scripts": {"lint": "eslint .", "test": "vitest"}, "devDependencies": {"vitest": "1"}}"#;
    let with = found(&[
        ("package.json", manifest),
        ("package-lock.json", ""),
        (".gitignore", "node_modules/\n"),
    ]);
    assert_eq!(with.setup, ["npm ci --no-audit --no-fund"]);
    assert_eq!(
        (with.lint, with.test),
        (vec!["npm run lint".to_owned()], vec!["npm test".to_owned()])
    );
    assert_eq!(
        with.test_file.as_deref(),
        Some("npx vitest run --reporter=verbose {file}")
    );
    let without = found(&[("package.json", manifest), ("yarn.lock", "")]);
    assert!(without.setup.is_empty() && without.notes.len() == 1, "{without:?}");
    assert_eq!(without.lint, ["yarn install --frozen-lockfile", "yarn run lint"]);
}

#[test]
fn node_scripts_that_are_no_tests_are_left_out() {
    let default = r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#;
    assert!(found(&[("package.json", default)]).test.is_empty());
    let watching = found(&[("package.json", r#"{"scripts": {"test": "jest --watchAll"}}"#)]);
    assert!(watching.test.is_empty() && watching.notes.len() == 1, "{watching:?}");
    let plain = found(&[("package.json", r#"{"scripts": {"test": "node --test"}}"#)]);
    assert_eq!(plain.test_file.as_deref(), Some("node --test {file}"));
    assert!(plain.setup.is_empty() && plain.notes.is_empty(), "{plain:?}");
}

#[test]
fn go_modules_and_makefiles() {
    let go = found(&[("go.mod", ""), ("Makefile", "test:\n\tgo test\n")]);
    assert_eq!(
        (go.lint, go.test),
        (vec!["go vet ./...".to_owned()], vec!["go test ./...".to_owned()])
    );
    assert_eq!(go.test_file.as_deref(), Some("go test -v \"./$(dirname {file})\""));
    let make = found(&[("Makefile", "TEST := 1\ncheck test: all\n\t./run\n")]);
    assert_eq!(
        (make.ecosystems, make.test),
        (vec![Ecosystem::Make], vec!["make test".to_owned()])
    );
    assert!(found(&[("Makefile", "test := 1\nall:\n\ttest: x\n")]).test.is_empty());
}

#[test]
fn packages_are_fetched_before_checks_that_have_no_network() {
    let locked = "[[package]]\nname = \"b\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let manifest = ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\nb = \"1\"\n");
    let fetch = |files: &[(&str, &str)]| found(files).setup.join("\n");
    assert!(fetch(&[manifest, ("Cargo.lock", locked)]).starts_with("cargo fetch --locked --target "));
    assert!(fetch(&[manifest]).starts_with("cargo fetch --target "));
    assert_eq!(fetch(&[("Cargo.toml", "[package]\nname = \"a\"\n")]), "");
    assert!(fetch(&[("go.mod", "module a\n"), ("go.sum", "")]).starts_with("go list "));
    assert_eq!(fetch(&[("go.mod", "module a\n")]), "");
}
