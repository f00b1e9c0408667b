//! The ratchet: what numbers a program must not make worse, and when it got better. Decides whether a candidate may land.
//!
//! Data in, data out: runs no command, and takes nothing from a candidate but the numbers that were measured of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{guard::scripts, path::RepoPath, settings::Measure};

/// A number that is watched.
#[derive(Clone, PartialEq, Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// The command that prints it.
    pub cmd: String,
    better: Better,
    tolerance: Tolerance,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Better {
    Higher,
    Lower,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Tolerance {
    /// So much.
    Of(f64),
    /// So large a part of the base's number.
    Part(f64),
}

/// Why a metric cannot be watched.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`evolve.metric.{name}.{key}` {why}")]
pub struct Unfit {
    /// The metric.
    pub name: String,
    /// The setting that is at fault.
    pub key: &'static str,
    why: &'static str,
}

impl Metric {
    /// Reads what a person said of it.
    ///
    /// # Errors
    /// Names what is missing or cannot be read.
    pub fn new(name: &str, said: &Measure) -> Result<Self, Unfit> {
        let unfit = |key, why| Unfit {
            name: name.to_owned(),
            key,
            why,
        };
        if said.cmd.trim().is_empty() {
            return Err(unfit("cmd", "is missing: the command that prints the number"));
        }
        let better = match said.better.as_str() {
            "higher" => Better::Higher,
            "lower" => Better::Lower,
            _ => return Err(unfit("better", "is missing: `higher` or `lower`")),
        };
        let tolerance = tolerance(said.tolerance.trim());
        let tolerance = tolerance.ok_or_else(|| unfit("tolerance", "is no number and no part such as `2%`"))?;
        Ok(Self {
            name: name.to_owned(),
            cmd: said.cmd.clone(),
            better,
            tolerance,
        })
    }

    /// Returns by how much `now` is better than `base`, negative where it is worse; 0 within the tolerance.
    fn gain(&self, base: f64, now: f64) -> f64 {
        let gain = match self.better {
            Better::Higher => now - base,
            Better::Lower => base - now,
        };
        let same = match self.tolerance {
            Tolerance::Of(amount) => amount,
            Tolerance::Part(part) => part * base.abs(),
        };
        if gain.abs() <= same { 0.0 } else { gain }
    }
}

fn tolerance(text: &str) -> Option<Tolerance> {
    let number = |text: &str| {
        let number: f64 = text.trim().parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    };
    match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| Tolerance::Part(percent / 100.0)),
        None => number(text).map(Tolerance::Of),
    }
}

/// What a metric says of the base and of a candidate.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// The metric.
    pub name: String,
    /// Of the base.
    pub base: f64,
    /// Of the candidate.
    pub now: f64,
}

/// Says why the candidate of these readings may not land; `None` where it may. `turned`: tests that fail on the base and
/// pass on the candidate.
pub fn refuses(metrics: &[Metric], readings: &[Reading], turned: usize) -> Option<String> {
    let of = |metric: &Metric| readings.iter().find(|reading| reading.name == metric.name);
    let (mut worse, mut is_better) = (Vec::new(), turned > 0);
    for metric in metrics {
        let Some(reading) = of(metric) else {
            return Some(format!("{} was not measured", metric.name));
        };
        let gain = metric.gain(reading.base, reading.now);
        is_better |= gain > 0.0;
        // Whatever is no number is no better, and is not let pass.
        if gain < 0.0 || gain.is_nan() {
            worse.push(format!("{} from {} to {}", reading.name, reading.base, reading.now));
        }
    }
    if !worse.is_empty() {
        return Some(format!("makes worse: {}", worse.join(", ")));
    }
    let none = "makes no metric better, and no test passes that failed before";
    (!is_better).then(|| none.to_owned())
}

/// Reads the number that a metric's command printed: its last word.
pub fn number(output: &str) -> Option<f64> {
    let last = output.split_whitespace().next_back()?;
    last.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Lists what the candidate does not measure itself with: `evolve.base`, and the scripts that `commands` run. Folders end
/// with no slash.
pub fn measures<'a>(base: &[String], commands: impl IntoIterator<Item = &'a str>) -> Vec<RepoPath> {
    let scripts = commands.into_iter().flat_map(scripts::of);
    let named = base.iter().cloned().chain(scripts);
    let paths: BTreeSet<String> = named
        .map(|path| path.trim_start_matches("./").trim_end_matches('/').to_owned())
        .filter(|path| !path.is_empty())
        .collect();
    paths.iter().map(|path| RepoPath::from_git(path.as_bytes())).collect()
}

/// Says which of `measures` the path is or lies below, if it does.
pub fn guards<'a>(measures: &'a [RepoPath], path: &RepoPath) -> Option<&'a RepoPath> {
    measures
        .iter()
        .find(|of| *of == path || of.as_str().is_some_and(|of| path.is_under(of)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str, better: &str, tolerance: &str) -> Metric {
        let said = Measure {
            cmd: "true".into(),
            better: better.into(),
            tolerance: tolerance.into(),
        };
        Metric::new(name, &said).unwrap()
    }

    fn reading(name: &str, base: f64, now: f64) -> Reading {
        Reading {
            name: name.into(),
            base,
            now,
        }
    }

    #[test]
    fn one_must_rise_and_none_may_fall() {
        let metrics = [metric("hits", "higher", "0"), metric("time", "lower", "10%")];
        let says = |hits: f64, time: f64, turned| {
            let readings = [reading("hits", 5.0, hits), reading("time", 100.0, time)];
            refuses(&metrics, &readings, turned)
        };
        assert_eq!(says(6.0, 100.0, 0), None);
        assert_eq!(says(6.0, 109.0, 0), None, "within its tolerance");
        assert_eq!(says(5.0, 89.0, 0), None);
        assert_eq!(says(5.0, 100.0, 1), None, "a test turned green");
        assert_eq!(says(6.0, 111.0, 9).unwrap(), "makes worse: time from 100 to 111");
        assert_eq!(says(4.0, 50.0, 0).unwrap(), "makes worse: hits from 5 to 4");
        assert!(
            says(5.0, 91.0, 0).unwrap().starts_with("makes no metric better"),
            "noise"
        );
        assert!(says(f64::NAN, 50.0, 0).unwrap().starts_with("makes worse"));
        let one = [reading("hits", 5.0, 6.0)];
        assert_eq!(refuses(&metrics, &one, 0).unwrap(), "time was not measured");
        assert!(refuses(&[], &[], 0).is_some() && refuses(&[], &[], 1).is_none());
    }

    #[test]
    fn a_metric_that_cannot_be_watched_says_what_is_missing() {
        let fault = |cmd: &str, better: &str, tolerance: &str| {
            let said = Measure {
                cmd: cmd.into(),
                better: better.into(),
                tolerance: tolerance.into(),
            };
            Metric::new("size", &said).unwrap_err().to_string()
        };
        assert!(fault("", "lower", "0").starts_with("`evolve.metric.size.cmd` is missing"));
        assert!(fault("x", "", "0").starts_with("`evolve.metric.size.better` is missing"));
        for tolerance in ["", "-1", "x", "inf", "1 %%"] {
            assert!(
                fault("x", "lower", tolerance).contains("size.tolerance` is no number"),
                "{tolerance}"
            );
        }
    }

    #[test]
    fn the_number_is_the_last_word() {
        assert_eq!(number("compiling\n  p95 = 4.5\n"), Some(4.5));
        for none in ["", "fast", "12 lines", "NaN", "inf"] {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn what_measures_is_not_the_candidate_s_own() {
        let base = ["tests/".to_owned(), "./benches".to_owned(), "/".to_owned()];
        let measures = measures(&base, ["sh tools/size.sh src", "wc -c"]);
        let named: Vec<String> = measures.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["benches", "tests", "tools/size.sh"]);
        let guarded = |path: &str| guards(&measures, &RepoPath::parse(path).unwrap()).is_some();
        assert!(guarded("tests/a/b.rs") && guarded("tools/size.sh") && guarded("benches"));
        assert!(!guarded("src/tests.rs") && !guarded("testsuite/a") && !guarded("tools/other.sh"));
    }
}
