//! Four clones and one remote, with runs killed at random: each goal lands once, and its record is everywhere.
//!
//! `benches/crowd.py` does it and judges; it needs Python 3 and, for HTTP, `git http-backend`.

use std::process::Command;

use serde_json::Value;

/// Runs the crowd over a way to the remote; what it says must be without a fault.
fn crowd(transport: &str, seed: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/crowd.py");
    let mut command = Command::new("python3");
    command.args([script, "--clones", "4", "--goals", "20", "--kills", "6", "--seed", seed]);
    command.args([
        "--transport",
        transport,
        "--binary",
        env!("CARGO_BIN_EXE_git-invisigoth"),
    ]);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let told: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let figures = ["missing", "twice", "records", "unsound", "tips", "trouble"].map(|name| told[name].to_string());
    assert_eq!(figures, ["0", "[]", "20", "[]", "1", "[]"], "{told}");
    assert!(told["calls"].as_u64() <= told["most_calls"].as_u64(), "{told}");
    assert!(ran.status.success(), "{told}");
}

#[test]
fn goals_are_done_once_over_a_folder_although_runs_are_killed() {
    crowd("file", "1");
}

#[test]
fn goals_are_done_once_over_http_although_runs_are_killed() {
    crowd("http", "2");
}
