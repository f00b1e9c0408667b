use proptest::prelude::*;

use super::*;

fn kind(path: &str) -> Kind {
    of(&RepoPath::from_git(path), Mode::File)
}

/// Paths of real repositories.
const TABLE: &[(Kind, &[&str])] = &[
    (
        Kind::Code,
        &[
            "crates/core/main.rs",
            "crates/ignore/src/overrides.rs",
            "build.rs",
            "scrapy/core/engine.py",
            "setup.py",
            "scrapy/templates/project/module/middlewares.py.tmpl",
            "packages/compiler-sfc/src/index.ts",
            "packages/vue/compiler-sfc/index.d.mts",
            "src/module.c",
            "deps/jemalloc/include/jemalloc/jemalloc_defs.h.in",
            "deps/lua/src/lvm.c",
            "node_modules/x/index.js",
            "vendor/github.com/x/y.go",
            "third_party/re2/re2.cc",
            "context.go",
            "gson/src/main/java/com/google/gson/Gson.java",
            "share/functions/fish_prompt.fish",
            "share/completions/git.fish",
            "aider/queries/tree-sitter-languages/zig-tags.scm",
            "template/vicuna.gotmpl",
            "Sources/OpenClaw/App.swift",
            "app/Http/Kernel.php",
            "static/css/app.css",
            "templates/base.html.j2",
            "app/views/posts/index.html.erb",
            "prisma/migrations/1/migration.sql",
            "apps/android/app/build.gradle.kts",
            "crates/printer/src/testutil.rs",
            "src/latest.py",
            "src/contest/rules.py",
            "examples/basic/main.go",
            "backend/src/export/templates/etp.hbs",
            "gradlew",
            "deps/jemalloc/configure.ac.rs",
            "proto/api.proto",
            "infra/main.tf",
            "src/inspector.ts",
            "lib/keys.rs",
            "src/secrets.py",
            "locales/index.ts",
            "dist/cli.js",
        ],
    ),
    (
        Kind::Test,
        &[
            "tests/feature.rs",
            "crates/ignore/tests/gitignore.rs",
            "src/git/tests.rs",
            "src/slot/tests/deep.rs",
            "tests/test_engine.py",
            "benchmark/test_benchmark.py",
            "conftest.py",
            "context_test.go",
            "packages/compiler-sfc/__tests__/compileScript.spec.ts",
            "src/__mocks__/fs/promises.ts",
            "web/app.test.tsx",
            "gson/src/test/java/com/google/gson/GsonTest.java",
            "src/foo/GsonTest.java",
            "tests/unit/type/list.tcl",
            "spec/models/user_spec.rb",
            "tests/Unit/ExampleTest.php",
            "Tests/AppTests/AppTests.swift",
            "e2e/login.ts",
            "cypress/login.cy.ts",
            "src/Foo.Tests/Bar.cs",
            "benches/search.rs",
            "fuzz/fuzz_targets/memchr.rs",
            "t/t0001-basic.sh",
            "lib/t/basic.t",
            "test/helpers.bats",
            "features/login.feature",
            "src/gtest_unittest.cc",
            "tests/checks/andandor.fish",
            "app/src/androidTest/java/X.kt",
            "test/e2e/app.e2e-spec.ts",
            "src/lexer_test.zig",
            "tests/fixtures/sample.rs",
        ],
    ),
    (
        Kind::Prose,
        &[
            "README.md",
            "docs/topics/settings.rst",
            "CHANGELOG",
            "LICENSE-MIT",
            "COPYING",
            "deps/jemalloc/ChangeLog",
            "doc/rg.1.txt.tpl",
            "share/man/man1/fish.1",
            "doc/git-log.adoc",
            "requirements.md",
            ".cursor/rules/ui.mdc",
            "paper/main.tex",
            "AUTHORS",
            "notes.txt",
            "tests/README.md",
            "README.de",
        ],
    ),
    (
        Kind::Config,
        &[
            "Cargo.toml",
            "package.json",
            "tsconfig.json",
            ".github/workflows/ci.yml",
            "Makefile",
            "src/Makefile.dep",
            "Dockerfile",
            "scripts/e2e/Dockerfile.qr-import",
            "docker/dev.Dockerfile",
            "CMakeLists.txt",
            "go.mod",
            "tox.ini",
            "setup.cfg",
            ".gitignore",
            ".gitattributes",
            "requirements.txt",
            "requirements/requirements-dev.in",
            "redis.conf",
            "pom.xml",
            "App.csproj",
            "Gemfile",
            ".editorconfig",
            "invisigoth.toml.example",
            ".env.example",
            ".env.local.example",
            "settings.gradle.properties",
            "Info.plist",
            "tests/tox.ini",
            "deploy/app.service",
            "src/commands/get.json",
            "_config.yml.sample",
        ],
    ),
    (
        Kind::Data,
        &[
            "data/cities.csv",
            "logo.svg",
            "po/de.po",
            "tests/fixtures/response.json",
            "testdata/in.yaml",
            "tests/sample_data/feeds/a.xml",
            "tests/fixtures/chat-history.md",
            "notebooks/eda.ipynb",
            ".beads/issues.jsonl",
            "patches/x@4.0.1.patch",
            "localization/fluent/de.ftl",
            "external/book/sync/book-be.sha",
            "template/testdata/a/user",
            "fuzz/corpus/ff/fff48457337e28410ceee97af59fcf924ba1b73e",
            "graphs/pools/amm.0x",
            "demo.cast",
            "tests/certs/ca.crt",
        ],
    ),
    (
        Kind::Skipped(Why::Lock),
        &[
            "Cargo.lock",
            "web/package-lock.json",
            "yarn.lock",
            "pnpm-lock.yaml",
            "poetry.lock",
            "uv.lock",
            "go.sum",
            "go.work.sum",
            "Gemfile.lock",
            "composer.lock",
            "flake.lock",
            "bun.lock",
            "bun.lockb",
            "mix.lock",
            "Podfile.lock",
            "apps/cli/skills-lock.json",
            "npm-shrinkwrap.json",
            "Package.resolved",
            "gradle.lockfile",
            "pubspec.lock",
            "deno.lock",
            "conda-lock.yml",
            ".terraform.lock.hcl",
            "Pipfile.lock",
            "packages.lock.json",
            "MODULE.bazel.lock",
            "tests/fixtures/Cargo.lock",
        ],
    ),
    (
        Kind::Skipped(Why::Minified),
        &[
            "static/jquery-1.7.1.min.js",
            "static/js/selectivizr-min.js",
            "app.min.css",
            "dist/index.js.map",
            "x.d.ts.map",
        ],
    ),
    (
        Kind::Skipped(Why::Generated),
        &[
            "packages/vue/__tests__/__snapshots__/index.spec.ts.snap",
            "api/v1/api.pb.go",
            "api_pb2.py",
            "lib/user.g.dart",
            "Form1.Designer.cs",
            "src/catalog.Generated.ts",
        ],
    ),
    (
        Kind::Skipped(Why::Binary),
        &[
            "images/logo.PNG",
            "fonts/Inter.woff2",
            "release.tar.gz",
            "gradle/wrapper/gradle-wrapper.jar",
            "bin/tool.exe",
            "model.safetensors",
            "paper.pdf",
            "icons/app.icns",
            "sound.mp3",
            "tests/assets/corrupt.rdb",
            "lib/libx.so",
            "a.wasm",
        ],
    ),
    (
        Kind::Skipped(Why::Secret),
        &[
            ".env",
            "apps/web/.env.production",
            ".envrc",
            "config/prod.env",
            "tests/keys/mitmproxy-ca.pem",
            "server.key",
            "id_rsa",
            ".ssh/config",
            ".aws/credentials",
            ".netrc",
            ".npmrc",
            "release.keystore",
            "config/secrets.yml",
            "prod.tfvars",
            "terraform.tfstate",
            "ID_ED25519",
            "credentials.json",
            "service-account-prod.json",
            ".htpasswd",
            ".pgpass",
        ],
    ),
];

#[test]
fn a_path_says_what_a_file_is() {
    let rows = TABLE
        .iter()
        .flat_map(|(wanted, paths)| paths.iter().map(move |path| (path, *wanted)));
    let wrong: Vec<_> = rows.filter(|(path, wanted)| kind(path) != *wanted).collect();
    assert_eq!(wrong, []);
    assert!(TABLE.iter().map(|(_, paths)| paths.len()).sum::<usize>() > 150);
}

#[test]
fn a_mode_says_more_than_a_name() {
    let of = |path: &str, mode| of(&RepoPath::from_git(path), mode);
    assert_eq!(of("CLAUDE.md", Mode::Symlink), Kind::Skipped(Why::Symlink));
    assert_eq!(of("lib/x.rs", Mode::Submodule), Kind::Skipped(Why::Submodule));
    assert_eq!(of("scripts/committer", Mode::Executable), Kind::Code);
    assert_eq!(of("scripts/committer", Mode::File), Kind::Data);
    assert_eq!(of("runtest", Mode::Executable), Kind::Code);
    assert_eq!(of("tests/run", Mode::Executable), Kind::Test);
}

#[test]
fn no_word_means_two_things() {
    for rows in [NAMED, ENDS] {
        let mut seen = HashMap::new();
        for (kind, words) in rows {
            for word in words.split_whitespace() {
                assert_eq!(seen.insert(word, *kind), None, "{word}");
            }
        }
    }
}

#[test]
fn marks_decide_over_names_but_never_show_keys() {
    let marks = |vendored, generated, documentation, binary| Marks {
        vendored,
        generated,
        documentation,
        binary,
    };
    let none = Marks::default();
    for (path, marks, wanted) in [
        ("a.c", none, Kind::Code),
        ("a.c", marks(true, None, false, false), Kind::Skipped(Why::Vendored)),
        (
            "a.c",
            marks(false, Some(true), false, false),
            Kind::Skipped(Why::Generated),
        ),
        ("a.c", marks(false, None, true, false), Kind::Prose),
        ("a.c", marks(false, None, false, true), Kind::Skipped(Why::Binary)),
        ("a.toml", marks(false, None, true, false), Kind::Config),
        ("a.pb.go", none, Kind::Skipped(Why::Generated)),
        ("a.pb.go", marks(false, Some(false), false, false), Kind::Code),
        (
            "a.pb.go",
            marks(true, Some(false), false, false),
            Kind::Skipped(Why::Vendored),
        ),
        (
            ".env",
            marks(false, Some(false), true, false),
            Kind::Skipped(Why::Secret),
        ),
        (
            "a.png",
            marks(false, Some(false), true, false),
            Kind::Skipped(Why::Binary),
        ),
    ] {
        assert_eq!(marked(kind(path), marks), wanted, "{path} {marks:?}");
    }
}

#[test]
fn text_says_why_it_is_not_fit() {
    let lines = |count: usize, length: usize| format!("{}\n", "x".repeat(length)).repeat(count).into_bytes();
    let late = [vec![b'x'; 8000], vec![0]].concat();
    for (text, wanted) in [
        (b"".to_vec(), None),
        (b"fn main() {}\n".to_vec(), None),
        (b"PNG\0\n".to_vec(), Some(Why::Binary)),
        ([lines(100, 79), vec![0]].concat(), None),
        (late, Some(Why::Minified)),
        (lines(20, 299), None),
        (lines(20, 330), Some(Why::Minified)),
        (lines(1, 4000), None),
        ([lines(2000, 60), lines(1, 65 * 1024)].concat(), Some(Why::Minified)),
        (lines(20_000, 60), Some(Why::Large)),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n".to_vec(),
            Some(Why::Pointer),
        ),
        (
            b"// Code generated by protoc-gen-go. DO NOT EDIT.\npackage a\n".to_vec(),
            Some(Why::Generated),
        ),
        (b"<?php\n\n/**\n * @generated\n */\n".to_vec(), Some(Why::Generated)),
        (
            b"# This file was automatically generated.\n".to_vec(),
            Some(Why::Generated),
        ),
        (b"let sign = \"DO NOT EDIT\";\n".to_vec(), None),
        (format!("{}// DO NOT EDIT\n", "\n".repeat(10)).into_bytes(), None),
        (
            format!("{}// DO NOT EDIT\n", "\n".repeat(9)).into_bytes(),
            Some(Why::Generated),
        ),
    ] {
        let start: String = String::from_utf8_lossy(&text).chars().take(60).collect();
        assert_eq!(unfit(&text), wanted, "{start:?}");
    }
}

proptest! {
    #[test]
    fn nothing_stops_at_any_text_or_path(text in proptest::collection::vec(any::<u8>(), 0..6000), path in "[ -~/é]{0,40}", bytes: Vec<u8>) {
        let _ = unfit(&text);
        let _ = (kind(&path), of(&RepoPath::from_git(bytes), Mode::Executable));
    }

    #[test]
    fn letter_case_does_not_count(path in "[a-zA-Z_.]{1,8}(/[a-zA-Z_.]{1,8}){0,2}\\.(rs|md|lock|pem|min\\.js|toml)") {
        prop_assert_eq!(kind(&path), kind(&path.to_ascii_uppercase()));
    }
}
