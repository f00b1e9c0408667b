//! Detects Cargo projects.

use crate::{
    detect::{Detected, Ecosystem, Files},
    quote::quoted,
};

/// Adds what a `Cargo.toml` at the top means.
pub(crate) fn detect(files: &Files<'_>, found: &mut Detected) {
    let Some(manifest) = files.toml("Cargo.toml") else {
        return;
    };
    found.ecosystems.push(Ecosystem::Rust);
    let members = manifest.get("workspace").and_then(|workspace| workspace.get("members"));
    let workspace = if members.is_some() { " --workspace" } else { "" };
    let locked = if files.has("Cargo.lock") { " --locked" } else { "" };
    let warm = if files.ignores("target") {
        ""
    } else {
        found.notes.push(
            "`target` is not ignored by git: what cargo builds goes beside the checkout instead, to be kept."
                .to_owned(),
        );
        "CARGO_TARGET_DIR=\"$INVISIGOTH_CACHE/target\" "
    };
    if needs_packages(files, &manifest) {
        // For this machine's kind alone: what other systems need may not be here, and need not.
        let host = "\"$(rustc -vV | sed -n 's/^host: //p')\"";
        found.setup.push(format!("cargo fetch{locked} --target {host}"));
    }
    let targets = if needs_nightly(files) {
        "--tests --examples"
    } else {
        "--all-targets"
    };
    found
        .lint
        .push(format!("{warm}cargo check {targets}{workspace}{locked}"));
    found.test.push(format!("{warm}cargo test{workspace}{locked}"));
    if found.test_file.is_none() {
        let target = test_target(files, &manifest);
        found.test_file = target.map(|target| format!("{warm}cargo test{workspace}{locked} --test {target}"));
    }
    if has_clippy(files, &manifest) {
        let note =
            format!("Clippy is configured: `cargo clippy --all-targets{workspace}{locked}` can go to `check.lint`.");
        found.notes.push(note);
    }
    if locked.is_empty() && !files.ignores("Cargo.lock") {
        found.notes.push(
            "`Cargo.lock` is neither tracked nor ignored: every check picks the newest dependencies anew.".to_owned(),
        );
    }
}

/// Checks have no network: packages must be here before. Without a lock file nobody knows what else they need.
fn needs_packages(files: &Files<'_>, manifest: &toml_edit::DocumentMut) -> bool {
    match files.text("Cargo.lock") {
        Some(lock) => lock.contains("\nsource = "),
        None => [
            "dependencies",
            "dev-dependencies",
            "build-dependencies",
            "workspace",
            "target",
        ]
        .iter()
        .any(|key| {
            let table = manifest.get(key).and_then(toml_edit::Item::as_table_like);
            table.is_some_and(|table| !table.is_empty())
        }),
    }
}

/// Benches with `#![feature(test)]` do not compile on a stable toolchain, and `cargo test` does not need them.
fn needs_nightly(files: &Files<'_>) -> bool {
    let is_bench = |path: &&str| path.ends_with(".rs") && path.split('/').any(|name| name == "benches");
    files
        .paths()
        .filter(is_bench)
        .filter_map(|path| files.text(path))
        .any(|text| text.contains("#![feature("))
}

/// Returns what `--test` takes for a file below `tests/`: its stem, or the one binary that all files there belong to.
fn test_target(files: &Files<'_>, manifest: &toml_edit::DocumentMut) -> Option<String> {
    let main = files.paths().find_map(|path| {
        let inner = path.strip_prefix("tests/")?.strip_suffix("/main.rs")?;
        (!inner.contains('/')).then_some(inner)
    });
    let flat = files.paths().any(|path| {
        path.strip_prefix("tests/")
            .is_some_and(|p| p.ends_with(".rs") && !p.contains('/'))
    });
    match main {
        Some(binary) if !flat => Some(quoted(binary)),
        _ => {
            let package = manifest.get("package");
            let auto = package.and_then(|package| package.get("autotests")?.as_bool());
            (flat || auto != Some(false)).then(|| "\"$(basename {file} .rs)\"".to_owned())
        }
    }
}

fn has_clippy(files: &Files<'_>, manifest: &toml_edit::DocumentMut) -> bool {
    let lints = |table: Option<&toml_edit::Item>| {
        table.is_some_and(|t| t.get("lints").is_some_and(|l| l.get("clippy").is_some()))
    };
    files.has("clippy.toml")
        || files.has(".clippy.toml")
        || lints(Some(manifest.as_item()))
        || lints(manifest.get("workspace"))
}
