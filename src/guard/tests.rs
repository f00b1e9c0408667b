use super::*;
use crate::snapshot::MapSnapshot;

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn writes(name: &str, content: &str) -> Changes {
    let mode = Mode::File;
    let content = content.into();
    Changes::from([(path(name), Change::Write { content, mode })])
}

fn links(name: &str, target: &str) -> Changes {
    let mode = Mode::Symlink;
    let content = target.into();
    Changes::from([(path(name), Change::Write { content, mode })])
}

fn deletes(name: &str) -> Changes {
    Changes::from([(path(name), Change::Delete)])
}

fn base(files: &[(&str, &str)]) -> MapSnapshot {
    let with = |base: MapSnapshot, (name, content): &(&str, &str)| base.with(path(name), Mode::File, *content);
    files.iter().fold(MapSnapshot::default(), with)
}

/// `denied`, `held` or `allowed`.
fn outcome(changes: Changes, base: &MapSnapshot, policy: &Policy) -> &'static str {
    match admit(changes, base, policy) {
        Err(_) => "denied",
        Ok(admitted) if admitted.held().is_empty() => "allowed",
        Ok(_) => "held",
    }
}

fn policy(deny: &[&str], hold: &[&str], allow: &[&str]) -> Policy {
    let [deny, hold, allow] = [deny, hold, allow].map(|list| list.iter().map(ToString::to_string).collect());
    Policy::new(&Paths { deny, hold, allow }, &Check::default())
}

const DENIED: [&str; 49] = [
    ".gitattributes",
    "sub/.gitattributes",
    ".gitmodules",
    ".gitignore",
    ".GITIGNORE",
    ".gitIgnore",
    ".lfsconfig",
    ".mailmap",
    "memory/pending_goals.json",
    "memory/completed_goals.json",
    "memory/history.json",
    "Memory/History.json",
    "memory/history/0001.json",
    "memory/completed/0001.json",
    "memory/master_prompt.txt",
    "memory/notes.md",
    "memory/deep/down.txt",
    "invisigoth.toml",
    ".invisigoth/x",
    ".invisigoth/templates/goal.md.j2",
    ".env",
    ".env.local",
    "app/.env.example",
    ".github/workflows/ci.yml",
    ".GitHub/workflows/ci.yml",
    ".gitlab-ci.yml",
    ".ci/run.sh",
    "Jenkinsfile",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    ".github/CODEOWNERS",
    "AGENTS.md",
    "sub/agents.md",
    "CLAUDE.md",
    ".claude/settings.json",
    ".claude.json",
    ".cursorrules",
    ".cursor/rules/x.mdc",
    ".aider.conf.yml",
    "copilot-instructions.md",
    ".vscode/tasks.json",
    ".idea/workspace.xml",
    ".envrc",
    ".devcontainer/devcontainer.json",
    ".husky/pre-commit",
    "\u{ff21}GENTS.md",
    ".g\u{131}tignore",
    "CLAUDE\u{200d}.md",
    "memory/h\u{130}story.json",
];

const HELD: [&str; 44] = [
    "Makefile",
    "sub/makefile",
    "conftest.py",
    "tests/conftest.py",
    "pytest.ini",
    "tox.ini",
    "setup.cfg",
    "setup.py",
    "noxfile.py",
    "pyproject.toml",
    "requirements-dev.txt",
    "pip.conf",
    "package.json",
    "web/package.json",
    ".npmrc",
    "tsconfig.json",
    "tsconfig.build.json",
    "jest.config.js",
    "vitest.config.ts",
    ".eslintrc.json",
    "eslint.config.mjs",
    "build.rs",
    "Cargo.toml",
    "crates/x/Cargo.toml",
    ".cargo/config.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    "clippy.toml",
    ".clippy.toml",
    "rustfmt.toml",
    ".rustfmt.toml",
    "go.mod",
    "go.sum",
    "Cargo.lock",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "Gemfile.lock",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    "Dockerfile",
    "CMakeLists.txt",
];

#[test]
fn every_class_holds_for_new_and_for_existing_files() {
    let policy = Policy::default();
    for (paths, wanted) in [(&DENIED[..], "denied"), (&HELD[..], "held")] {
        for name in paths {
            let existing = base(&[(name, "old\n")]);
            assert_eq!(outcome(writes(name, "x\n"), &base(&[]), &policy), wanted, "new {name}");
            assert_eq!(
                outcome(writes(name, "x\n"), &existing, &policy),
                wanted,
                "existing {name}"
            );
            assert_eq!(outcome(deletes(name), &existing, &policy), wanted, "deleted {name}");
        }
    }
}

#[test]
fn ordinary_files_are_allowed() {
    let ordinary = [
        "src/main.rs",
        "README.md",
        "src/memory/notes.md",
        "memory_history.json",
        "docs/agents-guide.md",
        "src/environment.py",
        "build/x.txt",
        "tests/new_test.py",
        "src/claude.rs",
        "src/lock.rs",
        "git.md",
        "a/b/c.json",
        "src/package.py",
    ];
    for name in ordinary {
        assert_eq!(
            outcome(writes(name, "x\n"), &base(&[]), &Policy::default()),
            "allowed",
            "{name}"
        );
    }
}

#[test]
fn allow_lifts_hold_and_never_deny() {
    let lifted = policy(
        &[],
        &["src/core/"],
        &["Cargo.*", "src/core/x.rs", ".github/", "*_test.py"],
    );
    for (name, wanted) in [
        ("Cargo.toml", "allowed"),
        ("cargo.LOCK", "allowed"),
        ("src/core/x.rs", "allowed"),
        ("src/core/y/z.rs", "held"),
        ("sub/Cargo.toml", "held"),
        (".github/x.yml", "denied"),
        ("src/core", "allowed"),
    ] {
        assert_eq!(outcome(writes(name, "x\n"), &base(&[]), &lifted), wanted, "{name}");
    }
    let tests = base(&[("a_test.py", "def test_a(): pass\n")]);
    assert_eq!(outcome(deletes("a_test.py"), &tests, &lifted), "allowed");
    let own = policy(&["Secret/", "*.pem"], &[], &["secret/", "x.pem"]);
    for name in ["secret/x", "SECRET/deep/x", "x.pem", "deep/y.PEM"] {
        assert_eq!(outcome(writes(name, "x\n"), &base(&[]), &own), "denied", "{name}");
    }
}

#[test]
fn a_star_is_any_run_and_nothing_else_is_special() {
    for (pattern, text, wanted) in [
        ("a*c", "abc", true),
        ("a*c", "ac", true),
        ("a*c", "abcd", false),
        ("a*", "a/b/c", true),
        ("*/x/", "a/x/y", true),
        ("*", "", true),
        ("a", "ab", false),
        ("a/", "a/b", true),
        ("a/", "a", false),
        ("a?c", "abc", false),
        ("*ab*ab", "ab", false),
        ("*ab*ab", "abab", true),
        ("a*a", "a", false),
    ] {
        assert_eq!(patterns::matches(pattern, text), wanted, "{pattern} {text}");
    }
}

#[test]
fn weakening_existing_tests_is_held() {
    let python = "def test_a():\n    assert f(1) == 1\n    assert f(2) == 2\n";
    let rust = "fn f() {\n    assert!(true);\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(1, 1);\n    }\n}\n";
    let js = "it('a', () => {\n  expect(1).toBe(1);\n});\n";
    let go = "func TestA(t *testing.T) {\n\tif f() != 1 {\n\t\tt.Fatal(1)\n\t}\n}\n";
    let all = base(&[
        ("t/test_a.py", python),
        ("src/a.rs", rust),
        ("a.test.ts", js),
        ("a_test.go", go),
    ]);
    let cases = [
        ("t/test_a.py", python.replace("    assert f(2) == 2\n", ""), "held"),
        ("t/test_a.py", python.replace("def test_a", "def check_a"), "held"),
        ("t/test_a.py", python.replace("def test_a", "def test_b"), "held"),
        ("src/a.rs", rust.replace("fn a()", "fn b()"), "held"),
        ("a_test.go", go.replace("TestA", "TestB"), "held"),
        (
            "t/test_a.py",
            format!("import pytest\n\n\n@pytest.mark.skip\n{python}"),
            "held",
        ),
        (
            "t/test_a.py",
            format!("@pytest.mark.xfail(reason='')\n{python}"),
            "held",
        ),
        (
            "t/test_a.py",
            python.replace("    assert f(2)", "    # assert f(2)"),
            "held",
        ),
        (
            "t/test_a.py",
            format!("{python}\n\ndef test_b():\n    assert f(3)\n"),
            "allowed",
        ),
        (
            "src/a.rs",
            rust.replace("    #[test]\n", "    #[test]\n    #[ignore]\n"),
            "held",
        ),
        ("src/a.rs", rust.replace("    #[test]\n", ""), "held"),
        ("src/a.rs", rust.replace("        assert_eq!(1, 1);\n", ""), "held"),
        ("src/a.rs", rust.replace("    assert!(true);\n", ""), "allowed"),
        (
            "src/a.rs",
            rust.replace("    #[test]\n    fn a()", "    /*\n    #[test]\n    */\n    fn a()"),
            "held",
        ),
        ("a.test.ts", js.replace("it('a'", "it.skip('a'"), "held"),
        (
            "a.test.ts",
            format!("{js}it('b', () => {{\n  expect([1, 2].slice(1)).toBe(2);\n}});\n"),
            "allowed",
        ),
        ("a_test.go", go.replace("\tif f()", "\tt.Skip()\n\tif f()"), "held"),
        ("a_test.go", go.replace("\t\tt.Fatal(1)\n", ""), "held"),
    ];
    for (name, content, wanted) in cases {
        assert_eq!(
            outcome(writes(name, &content), &all, &Policy::default()),
            wanted,
            "{name}:\n{content}"
        );
    }
    for name in ["t/test_a.py", "src/a.rs", "a.test.ts", "a_test.go"] {
        assert_eq!(outcome(deletes(name), &all, &Policy::default()), "held", "{name}");
        assert_eq!(outcome(links(name, "x"), &all, &Policy::default()), "held", "{name}");
    }
}

#[test]
fn a_new_test_may_skip() {
    let skipping = "import pytest\npytest.importorskip('x')\n";
    assert_eq!(
        outcome(writes("tests/test_x.py", skipping), &base(&[]), &Policy::default()),
        "allowed"
    );
}

#[test]
fn a_symlink_stays_inside() {
    for target in [
        "/etc/passwd",
        "..",
        "../..",
        "../../x",
        "a/../../../x",
        "../a/../b",
        "",
        "C:/x",
        "..\\x",
        "../.git/config",
        "../.github/x",
        "../AGENTS.md",
        "x\n",
    ] {
        assert_eq!(
            outcome(links("dir/link", target), &base(&[]), &Policy::default()),
            "denied",
            "{target}"
        );
    }
    for target in ["x", "../x", "./sub/x", "sub/", "../dir/x"] {
        assert_eq!(
            outcome(links("dir/link", target), &base(&[]), &Policy::default()),
            "allowed",
            "{target}"
        );
    }
}

#[test]
fn a_twin_that_differs_in_letter_case_only_is_denied() {
    let base = base(&[("src/Main.rs", "x\n"), ("Docs/a.md", "x\n")]);
    for (name, wanted) in [
        ("src/main.rs", "denied"),
        ("SRC/other.rs", "denied"),
        ("docs", "denied"),
        ("Docs/A.md", "denied"),
        ("src/main.rs/x", "denied"),
        ("src/Main.rs", "allowed"),
        ("src/other.rs", "allowed"),
        ("Docs/b.md", "allowed"),
    ] {
        assert_eq!(
            outcome(writes(name, "y\n"), &base, &Policy::default()),
            wanted,
            "{name}"
        );
    }
    let mut both = writes("new/a.md", "x\n");
    both.extend(writes("new/A.md", "x\n"));
    assert_eq!(outcome(both, &base, &Policy::default()), "denied");
    let mut rename = deletes("src/Main.rs");
    rename.extend(writes("src/main.rs", "x\n"));
    assert_eq!(outcome(rename, &base, &Policy::default()), "allowed");
}

#[test]
fn a_submodule_is_denied_either_way() {
    let base = MapSnapshot::default().with(path("lib"), Mode::Submodule, "");
    assert_eq!(outcome(deletes("lib"), &base, &Policy::default()), "denied");
    let mode = Mode::Submodule;
    let content = Vec::new();
    let made = Changes::from([(path("other"), Change::Write { content, mode })]);
    assert_eq!(outcome(made, &base, &Policy::default()), "denied");
}

#[test]
fn a_denial_is_a_refusal_that_names_path_and_rule() {
    let denied = admit(writes(".github/x.yml", "x\n"), &base(&[]), &Policy::default()).unwrap_err();
    let refusal = Refusal::from(denied);
    assert_eq!(refusal.reason(), Reason::Denied);
    assert!(
        refusal
            .first_line()
            .starts_with(".github/x.yml: denied: no reply may change"),
        "{refusal}"
    );
}

#[test]
fn what_the_checks_run_waits_for_a_person_unless_it_is_allowed() {
    let check = Check {
        lint: vec!["cargo fmt --check".to_owned()],
        test: vec!["sh ./Check.sh".to_owned()],
        test_file: Some("python3 tools/one.py {file}".to_owned()),
        ..Check::default()
    };
    let held = |paths: &Paths, name: &str| {
        let admitted = admit(writes(name, "true\n"), &base(&[]), &Policy::new(paths, &check)).unwrap();
        admitted.held().first().map(|held| held.why.clone())
    };
    let why = Some("a command of `[check]` runs it".to_owned());
    assert_eq!(held(&Paths::default(), "check.sh"), why);
    assert_eq!(held(&Paths::default(), "tools/one.py"), why);
    assert_eq!(held(&Paths::default(), "src/check.sh"), None);
    let allow = Paths {
        allow: vec!["check.sh".to_owned()],
        ..Paths::default()
    };
    assert_eq!(held(&allow, "check.sh"), None);
}
