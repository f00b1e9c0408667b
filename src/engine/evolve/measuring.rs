//! Measuring: what the metrics say of the base and of a candidate, and whether held-out checks pass.
//!
//! A candidate is measured as the base measures itself: with the base's tests, benches and scripts over the candidate's
//! own code, fenced in as checks are. Numbers are noted on the code that they are of, and not measured twice.

use eyre::Result;
use serde::{Deserialize, Serialize};

use crate::{
    check::{End, Gate, Ran, Stage},
    engine::{evolve::setup::Setup, worker::Worker},
    fault::{Fault, Kind},
    git::{codetree, notes, refs},
    id::Hash,
    ratchet::{self, Metric, Reading},
    snapshot::CodeTree,
    verdict,
};

/// Most bytes of a command's output in a fault.
const OUTPUT_BYTES: usize = 800;

/// A number that was measured: a line of the note on the code tree.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Measured {
    /// Always `measured`: tells the line from others.
    kind: String,
    metric: String,
    /// Which command it was, in which gate.
    key: String,
    value: f64,
    at: String,
}

const KIND: &str = "measured";

/// Measures `code` against `base`; says why, where a number of `code` cannot be had.
///
/// # Errors
/// A fault where the base itself cannot be measured, and when checks cannot be run.
pub fn measure(
    worker: &mut Worker<'_>,
    setup: &Setup,
    base: CodeTree,
    code: CodeTree,
) -> Result<Result<Vec<Reading>, String>> {
    let composed = codetree::with_paths_of(&worker.repo, code, base, &setup.measures)?;
    let before = match numbers(worker, &setup.metrics, base)? {
        Ok(numbers) => numbers,
        Err(why) => return Err(red(&format!("the base cannot be measured: {why}")).into()),
    };
    let now = match numbers(worker, &setup.metrics, composed)? {
        Ok(numbers) => numbers,
        Err(why) => return Ok(Err(why)),
    };
    let readings = setup.metrics.iter().zip(before.into_iter().zip(now));
    let readings = readings.map(|(metric, (base, now))| Reading {
        name: metric.name.clone(),
        base,
        now,
    });
    Ok(Ok(readings.collect()))
}

/// Runs the held-out checks on `code` as `measure` does. What they are stays with the user: no model is told.
///
/// # Errors
/// As `measure`.
pub fn holds_out(worker: &mut Worker<'_>, setup: &Setup, base: CodeTree, code: CodeTree) -> Result<bool> {
    if setup.holdout.is_empty() {
        return Ok(true);
    }
    let composed = codetree::with_paths_of(&worker.repo, code, base, &setup.measures)?;
    if held_out(worker, &setup.holdout, composed)?.is_none() {
        return Ok(true);
    }
    match held_out(worker, &setup.holdout, base)? {
        None => Ok(false),
        Some(ran) => Err(red(&format!("a held-out check fails on the base: {}", said(&ran))).into()),
    }
}

/// Returns the first held-out check that fails.
fn held_out(worker: &mut Worker<'_>, holdout: &[String], code: CodeTree) -> Result<Option<Ran>> {
    let gate = gate(worker);
    let commands = commands(&gate, holdout.iter());
    let ran = worker.checker.run(&worker.repo, code, &gate, commands)?;
    Ok(ran.into_iter().find(|ran| !ran.passed()))
}

/// Returns the numbers of `code`, one for each of `metrics`, or why one cannot be measured.
fn numbers(worker: &mut Worker<'_>, metrics: &[Metric], code: CodeTree) -> Result<Result<Vec<f64>, String>> {
    let gate = gate(worker);
    let known = notes::lines(&worker.repo, refs::METRICS, code.id.0)?;
    let known: Vec<Measured> = known
        .iter()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let (mut numbers, mut lines) = (Vec::new(), Vec::new());
    for metric in metrics {
        let key = key(metric, &gate);
        if let Some(known) = known.iter().find(|known| known.kind == KIND && known.key == key) {
            numbers.push(known.value);
            continue;
        }
        worker.session.say(format!("measuring {}", metric.name));
        let commands = commands(&gate, [&metric.cmd]);
        let ran = worker.checker.run(&worker.repo, code, &gate, commands)?;
        let value = match ran.last() {
            Some(last) if last.passed() => ratchet::number(last.output.as_str()).ok_or("its last word is no number"),
            _ => Err("its command fails"),
        };
        let value = match value {
            Ok(value) => value,
            Err(why) => {
                let output = ran.last().map(said).unwrap_or_default();
                return Ok(Err(format!("{} cannot be measured, {why}: {output}", metric.name)));
            }
        };
        numbers.push(value);
        let line = Measured {
            kind: KIND.to_owned(),
            metric: metric.name.clone(),
            key,
            value,
            at: worker.session.clock.now().rfc3339(),
        };
        lines.push((code.id.0, serde_json::to_string(&line)?));
    }
    notes::add(&worker.repo, refs::METRICS, &lines, worker.session.clock.now())?;
    Ok(Ok(numbers))
}

/// The gate of the target, with no command but set-up.
pub fn gate(worker: &Worker<'_>) -> Gate {
    let mut gate = worker.gate.clone();
    gate.commands.retain(|(stage, _)| *stage == Stage::Setup);
    gate
}

/// Returns the gate's set-up, and then `further` commands.
pub fn commands<'a>(gate: &Gate, further: impl IntoIterator<Item = &'a String>) -> Vec<(Stage, String)> {
    let further = further.into_iter().map(|command| (Stage::Test, command.clone()));
    gate.commands.iter().cloned().chain(further).collect()
}

fn key(metric: &Metric, gate: &Gate) -> String {
    let gate = gate.id();
    Hash::of("metric", [metric.cmd.as_bytes(), gate.0.as_bytes()]).short(16)
}

/// Words how a command ended, on one line.
pub fn said(ran: &Ran) -> String {
    let end = match ran.end {
        End::Exit(code) => format!("exit {code}"),
        End::TimedOut => "over its limit of time".to_owned(),
        End::Stopped | End::NotStarted => "it did not end".to_owned(),
    };
    let output = verdict::for_prompt(ran.output.as_str(), OUTPUT_BYTES);
    let last = output.lines().rev().find(|line| !line.trim().is_empty());
    match last {
        Some(last) => format!("`{}`: {end}: {}", ran.command, last.trim()),
        None => format!("`{}`: {end}", ran.command),
    }
}

fn red(what: &str) -> Fault {
    let fault = Fault::new(Kind::Config, what);
    fault.hint("mend the command in your own settings: `git invisigoth config | grep evolve` lists them")
}
