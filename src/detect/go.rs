//! Detects Go modules.

use crate::detect::{Detected, Ecosystem, Files};

/// Adds what a `go.mod` at the top means.
pub(crate) fn detect(files: &Files<'_>, found: &mut Detected) {
    if !files.has("go.mod") {
        return;
    }
    found.ecosystems.push(Ecosystem::Go);
    if files.has("go.sum") {
        // Checks have no network; this fetches what they need, and no more.
        found.setup.push("go list -deps -test ./... > /dev/null".to_owned());
    }
    found.lint.push("go vet ./...".to_owned());
    found.test.push("go test ./...".to_owned());
    if found.test_file.is_none() {
        found.test_file = Some("go test -v \"./$(dirname {file})\"".to_owned());
    }
    if [".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json"]
        .iter()
        .any(|name| files.has(name))
    {
        let note = "golangci-lint is configured: `golangci-lint run` can go to `check.lint`.";
        found.notes.push(note.to_owned());
    }
}
