//! The API against programs that know such things: schemathesis makes requests of its description, the OpenAPI group's validator
//! reads it, and the official client of Prometheus parses the metrics.

use std::{path::Path, process::Command};

use serde_json::json;

use crate::{
    peers,
    support::{Sandbox, served::Served, whole},
};

/// Runs a peer, which must end well.
fn passes(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// Goals that stand in several ways, and no program that is asked.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::ready();
    sandbox.script(json!({ "a": [whole("a.txt", "a\n")], "c": [whole("bad", "c\n")] }));
    for (id, needs) in [("a", &[][..]), ("b", &["a"]), ("c", &[]), ("d", &["c"])] {
        sandbox.goal(id, needs);
    }
    sandbox.run(&["run", "a", "c"]);
    sandbox
}

/// Has every operation asked many times, with what fits its description and what does not.
fn asked(sandbox: &Sandbox, served: &Served) -> String {
    passes(
        Command::new(peers::find("api"))
            // It leaves what it found where it stands.
            .current_dir(sandbox.home())
            .args([
                "schemathesis",
                "run",
                "--checks",
                CHECKS,
                "--seed",
                "1",
                "--max-examples",
                "25",
            ])
            .args([
                "--phases",
                "examples,coverage,fuzzing",
                "--suppress-health-check",
                "all",
            ])
            .args(["--url", &format!("http://{}", served.address)])
            .args(["--header", &format!("Authorization: Bearer {}", served.token)])
            .arg(described()),
    )
}

/// What is looked at in each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      negative_data_rejection,ignored_auth";

fn described() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json")
}

#[test]
fn the_description_is_valid() {
    passes(Command::new(peers::find("api")).arg("validator").arg(described()));
}

#[test]
fn no_request_brings_a_server_that_looks_into_disorder() {
    let sandbox = sandbox();
    let before = sandbox.refs();
    let served = Served::start(&sandbox, &["--read-only"]);
    asked(&sandbox, &served);
    assert_eq!(sandbox.refs(), before);
}

#[test]
fn no_request_brings_a_server_that_acts_into_disorder() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox, &[]);
    asked(&sandbox, &served);
    sandbox.ok(&["resume"]);
    sandbox.ok(&["status"]);
    assert_eq!(served.read("/").status, 200);
}

#[test]
fn prometheus_reads_the_metrics() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox, &[]);
    let url = format!("http://{}/metrics", served.address);
    let read = passes(Command::new(peers::find("api")).args(["metrics", &url, &served.token]));
    for line in ["invisigoth_goals{'state': 'landed'} 1", "invisigoth_runs_live{} 0"] {
        assert!(read.lines().any(|other| other == line), "{line}\n{read}");
    }
}
