//! The built-in path classes: tables of patterns over folded paths. How a pattern is compared is the business of
//! `patterns`.

use std::sync::LazyLock;

use crate::guard::patterns::Table;

/// Files of git itself and of its neighbours.
const GIT: &[&str] = &[
    ".git*",
    ".git*/",
    ".lfsconfig",
    ".mailmap",
    ".husky/",
    ".jj/",
    ".hg/",
    ".svn/",
];

/// This program's memory and settings.
const OWN: &[&str] = &["memory/*", "invisigoth.toml", ".invisigoth", ".invisigoth/"];

/// Environments with secrets.
const SECRETS: &[&str] = &[
    ".env*", ".env*/", ".netrc", "_netrc", ".pgpass", ".ssh/", ".aws/", ".gnupg/",
];

const CI: &[&str] = &[
    ".ci/",
    ".circleci/",
    ".buildkite/",
    ".woodpecker/",
    ".teamcity/",
    ".semaphore/",
    ".forgejo/",
    ".tekton/",
    ".drone/",
    ".azure-pipelines/",
    "jenkinsfile*",
    "azure-pipelines*",
    ".travis.y*ml",
    ".appveyor.y*ml",
    "appveyor.y*ml",
    "bitbucket-pipelines.y*ml",
    ".drone.y*ml",
    ".woodpecker*",
    ".cirrus.*",
    "cloudbuild.y*ml",
    "buildspec.y*ml",
    "codemagic.y*ml",
    ".builds/",
    ".build.y*ml",
    "wercker.yml",
    "codefresh.y*ml",
];

const AGENT: &[&str] = &[
    "agents.md",
    "agent.md",
    "agents.override.md",
    "claude.md",
    "claude.local.md",
    "gemini.md",
    "copilot-instructions*",
    ".claude*",
    ".claude*/",
    ".cursor*",
    ".cursor*/",
    ".aider*",
    ".aider*/",
    ".windsurf*",
    ".windsurf*/",
    ".cline*",
    ".cline*/",
    ".roo*",
    ".roo/",
    ".codex*",
    ".codex/",
    ".gemini*",
    ".gemini/",
    ".continue*",
    ".continue/",
    ".goose*",
    ".goose/",
    ".junie/",
    ".kiro/",
    ".opencode*",
    ".opencode/",
    "opencode.json*",
    ".amazonq/",
    ".agents/",
    ".agent/",
    ".mcp.json",
    "mcp.json",
];

const EDITOR: &[&str] = &[
    ".vscode/",
    ".idea/",
    ".devcontainer*",
    ".devcontainer/",
    ".envrc",
    ".fleet/",
    ".zed/",
    ".vim/",
    ".nvim/",
    ".vimrc",
    ".exrc",
    ".nvimrc",
    ".nvim.lua",
    ".lvimrc",
    ".dir-locals*.el",
    "*.code-workspace",
    "*.sublime-project",
];

const DENIED: [(&[&str], &str); 6] = [
    (GIT, "no reply may change what git itself reads"),
    (OWN, "no reply may change the backlog, its history or the settings"),
    (EDITOR, "no reply may change what an editor runs"),
    (SECRETS, "no reply may change files that hold secrets"),
    (CI, "no reply may change what CI runs"),
    (AGENT, "no reply may change what agents are told"),
];

const BUILD: &[&str] = &[
    "makefile*",
    "gnumakefile",
    "*.mk",
    "justfile",
    ".justfile",
    "taskfile.y*ml",
    "rakefile",
    "cmakelists.txt",
    "*.cmake",
    "cmakepresets.json",
    "meson.build",
    "meson_options.txt",
    "meson.options",
    "configure",
    "configure.ac",
    "*.am",
    "sconstruct",
    "build.gradle*",
    "settings.gradle*",
    "gradle.properties",
    "gradlew*",
    "gradle/",
    "pom.xml",
    ".mvn/",
    "mvnw*",
    "build.sbt",
    "build.xml",
    "ivy.xml",
    "build",
    "build.bazel",
    "module.bazel",
    "workspace",
    "workspace.bazel",
    "*.bzl",
    ".bazelrc",
    "dockerfile*",
    "containerfile",
    "docker-compose*.y*ml",
    "compose*.y*ml",
    "vagrantfile",
    "procfile",
    "flake.nix",
    "default.nix",
    "shell.nix",
    ".tool-versions",
    "mise.toml",
    ".mise.toml",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    "lefthook.y*ml",
    ".editorconfig",
    "build.zig",
    "build.zig.zon",
];

const PYTHON: &[&str] = &[
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "tox.ini",
    "noxfile.py",
    "conftest.py",
    "pytest.ini",
    ".pytest.ini",
    "pytest.toml",
    "sitecustomize.py",
    "usercustomize.py",
    "*.pth",
    "pip.conf",
    "pip.ini",
    ".pypirc",
    "requirements*.txt",
    "requirements*.in",
    "constraints*.txt",
    "pipfile",
    "environment.y*ml",
    ".python-version",
    ".coveragerc",
    "mypy.ini",
    ".mypy.ini",
    "ruff.toml",
    ".ruff.toml",
    ".flake8",
    ".pylintrc",
    "pylintrc",
    "pyrightconfig.json",
    "uv.toml",
    "hatch.toml",
    "manifest.in",
    "tasks.py",
];

const SCRIPT: &[&str] = &[
    "package.json",
    ".npmrc",
    ".yarnrc*",
    ".yarn/",
    ".pnpmfile.*",
    "pnpm-workspace.yaml",
    ".nvmrc",
    ".node-version",
    "lerna.json",
    "nx.json",
    "turbo.json",
    "rush.json",
    "jest.config*",
    "jest.setup*",
    "jest-*",
    "vitest.config*",
    "vitest.setup*",
    "vitest.workspace*",
    "vite.config*",
    "tsconfig*.json",
    "jsconfig*.json",
    ".eslintrc*",
    "eslint.config*",
    ".eslintignore",
    ".prettierrc*",
    "prettier.config*",
    ".prettierignore",
    ".babelrc*",
    "babel.config*",
    "webpack.*",
    "rollup.config*",
    "esbuild.*",
    "tsup.config*",
    ".mocharc*",
    "karma.conf*",
    "playwright.config*",
    "cypress.config*",
    "cypress.json",
    "ava.config*",
    ".nycrc*",
    "biome.json*",
    "deno.json*",
    "bunfig.toml",
    ".swcrc",
    "gulpfile*",
    "gruntfile*",
    "wallaby.*",
    "stryker.conf*",
];

const COMPILED: &[&str] = &[
    "cargo.toml",
    "build.rs",
    ".cargo/",
    "rust-toolchain*",
    "clippy.toml",
    ".clippy.toml",
    "rustfmt.toml",
    ".rustfmt.toml",
    "deny.toml",
    "nextest.toml",
    "tarpaulin.toml",
    "go.mod",
    "go.work",
    ".golangci*",
    "gemfile*",
    "*.gemspec",
    ".rspec",
    ".rubocop*.yml",
    ".ruby-version",
    "phpunit*.xml*",
    "composer.json",
    "phpstan*",
    "mix.exs",
    "rebar.config",
    "stack.yaml",
    "*.cabal",
    "cabal.project*",
    "dune-project",
    "*.csproj",
    "*.fsproj",
    "*.vbproj",
    "*.sln",
    "*.slnx",
    "directory.*.props",
    "directory.*.targets",
    "nuget.config",
    "global.json",
    "*.vcxproj",
    "package.swift",
    "*.xcodeproj/",
    "pubspec.yaml",
    "analysis_options.yaml",
    "deps.edn",
    "project.clj",
];

const LOCK: &[&str] = &[
    "*.lock",
    "*.lockb",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "go.sum",
    "go.work.sum",
    "packages.lock.json",
    "package.resolved",
    "gradle.lockfile",
    "cabal.project.freeze",
    "*.lock.yaml",
    "*-lock.json",
    "*-lock.y*ml",
    "*.lock.hcl",
    "*.resolved",
];

/// Files that hold keys, beside those of `SECRETS`: no prompt shows them. Replies may change them, as those of tests are
/// no secrets.
const KEYS: &[&str] = &[
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.p8",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "*.gpg",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".htpasswd",
    ".git-credentials",
    ".dockercfg",
    ".npmrc",
    ".pypirc",
    ".s3cfg",
    ".boto",
    "kubeconfig",
    "*.tfvars",
    "*.tfstate",
    "*.tfstate.backup",
    "service-account*.json",
    "service_account*.json",
    "credentials",
    "credentials.json",
    "credentials.y*ml",
    "credentials.toml",
    "credentials.ini",
    "secrets.y*ml",
    "secrets.json",
    "secrets.toml",
    "secrets.ini",
    "secrets.properties",
    "*.env",
];

/// Ends of files that only show how those with keys are written.
const SHOWN: &[&str] = &[
    "*.example",
    "*.sample",
    "*.template",
    "*.tmpl",
    "*.dist",
    "*.defaults",
    "*.pub",
    "*example.env",
    "*sample.env",
];

const HELD: [(&[&str], &str); 6] = [
    (LOCK, "it is a lock file"),
    (BUILD, "it is build configuration"),
    (PYTHON, "it is build or test configuration"),
    (SCRIPT, "it is build or test configuration"),
    (COMPILED, "it is build or test configuration"),
    (&["codeowners"], "it says who must review what"),
];

const TESTS: &[&str] = &[
    "test_*.py",
    "*_test.py",
    "*_tests.py",
    "tests.py",
    "test.py",
    "conftest.py",
    "*_test.go",
    "*_test.rs",
    "*_tests.rs",
    "tests.rs",
    "*.test.*",
    "*.spec.*",
    "*.tests.*",
    "*-test.*s",
    "*_test.*s",
    "*test.java",
    "*tests.java",
    "*test.kt",
    "*tests.kt",
    "*spec.scala",
    "*test.scala",
    "*_spec.rb",
    "*_test.rb",
    "test_*.rb",
    "*test.php",
    "*_test.exs",
    "*test.cs",
    "*tests.cs",
    "*tests.swift",
    "*_test.dart",
    "*_test.c*",
    "*_tests.c*",
    "test_*.c*",
    "*_unittest.c*",
    "*.bats",
    "*.t",
    "test_*.sh",
    "*_test.sh",
    "*spec.hs",
    "*_test.clj",
    "*_spec.lua",
    "tests/",
    "test/",
    "__tests__/",
    "spec/",
    "specs/",
    "e2e/",
    "__snapshots__/",
    "testdata/",
];

type Reasons = LazyLock<Vec<(Table, &'static str)>>;

static WHY_DENIED: Reasons = LazyLock::new(|| reasons(&DENIED));
static WHY_HELD: Reasons = LazyLock::new(|| reasons(&HELD));
/// Files that hold tests.
pub(crate) static HOLDS_TESTS: LazyLock<Table> = LazyLock::new(|| Table::of(&[TESTS]));
/// Lock files.
pub(crate) static PINS: LazyLock<Table> = LazyLock::new(|| Table::of(&[LOCK]));
/// Files whose names say that they hold keys.
pub(crate) static HOLDS_KEYS: LazyLock<Table> = LazyLock::new(|| Table::of(&[SECRETS, KEYS]));
/// Files that only show how those with keys are written.
pub(crate) static SHOWS_KEYS: LazyLock<Table> = LazyLock::new(|| Table::of(&[SHOWN]));

fn reasons(rows: &[(&[&'static str], &'static str)]) -> Vec<(Table, &'static str)> {
    rows.iter()
        .map(|(patterns, why)| (Table::of(&[patterns]), *why))
        .collect()
}

/// Says why no reply may touch `path`, a folded path.
pub(crate) fn denied(path: &str) -> Option<&'static str> {
    reason(&WHY_DENIED, path)
}

/// Says why a person decides about `path`, a folded path.
pub(crate) fn held(path: &str) -> Option<&'static str> {
    reason(&WHY_HELD, path)
}

/// True for files that hold tests; `path` is folded.
pub(crate) fn is_test(path: &str) -> bool {
    HOLDS_TESTS.is(path)
}

fn reason(table: &[(Table, &'static str)], path: &str) -> Option<&'static str> {
    let row = table.iter().find(|(patterns, _)| patterns.is(path));
    row.map(|(_, why)| *why)
}
