//! Repair: what follows a round that did not do. Owns when to stop, which tree to go on from and which model is next.
//!
//! Decides from what came of the rounds so far; asks, applies and checks nothing.

use std::cmp::Ordering;

use crate::{
    check::{Failed, Ran},
    id::Hash,
    snapshot::CodeTree,
};

/// How good a checked tree is: how many commands passed before the one that failed, then how few tests fail anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Score {
    passed: usize,
    /// Absent where the failing tests have no names.
    failures: Option<usize>,
}

impl Score {
    fn of(failed: &Failed) -> Self {
        let named = failed.new_failures.len();
        Self {
            passed: failed.ran.iter().take_while(|ran| ran.passed()).count(),
            failures: (named > 0).then_some(named),
        }
    }

    /// Better is greater. Where failures cannot be counted, neither is better.
    fn compare(self, other: Self) -> Ordering {
        self.passed
            .cmp(&other.passed)
            .then(match (self.failures, other.failures) {
                (Some(mine), Some(others)) => others.cmp(&mine),
                _ => Ordering::Equal,
            })
    }
}

/// What to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Another round.
    Again,
    /// Another round, without what the last one changed: it made things worse.
    TakenBack,
    /// No more: why, in one line.
    Stop(String),
}

/// The rounds of one attempt.
#[derive(Debug)]
pub struct Rounds {
    now: u32,
    most: u32,
    models: Vec<String>,
    last: Option<String>,
    checked: Option<String>,
    cut: bool,
    needed: bool,
    best: Option<(Score, CodeTree)>,
}

impl Rounds {
    /// Begins the first of `most` rounds with `model`; `escalate` are the models of the rounds after it.
    pub fn new(most: u32, model: String, escalate: &[String]) -> Self {
        Self {
            now: 1,
            most: most.max(1),
            models: [model].into_iter().chain(escalate.iter().cloned()).collect(),
            last: None,
            checked: None,
            cut: false,
            needed: false,
            best: None,
        }
    }

    /// Returns the round that is on, from 1, and the most there may be.
    pub fn number(&self) -> (u32, u32) {
        (self.now, self.most)
    }

    /// Returns the model of the round that is on.
    pub fn model(&self) -> &str {
        let at = self.step(self.now);
        self.models.get(at).map_or("", String::as_str)
    }

    fn step(&self, round: u32) -> usize {
        let asked = if self.needed { round.saturating_sub(1) } else { round };
        let at = usize::try_from(asked.saturating_sub(1)).unwrap_or(usize::MAX);
        at.min(self.models.len().saturating_sub(1))
    }

    fn is_another_model_next(&self) -> bool {
        self.step(self.now) != self.step(self.now + 1)
    }

    /// Grants files that the model asked to see: once, and beyond the rounds that there are.
    pub fn grant(&mut self) -> bool {
        let granted = !self.needed;
        if granted {
            self.needed = true;
            self.now += 1;
            self.most += 1;
        }
        granted
    }

    /// Takes in that a reply could not be used. `cut`: it reached the most tokens of a reply.
    pub fn refused(&mut self, why: &str, cut: bool) -> Next {
        let worded = match &self.checked {
            None => format!("reply: {why}"),
            // What the checks said before tells more than that nothing better came.
            Some(before) => format!("{before}; then reply: {why}"),
        };
        if cut && std::mem::replace(&mut self.cut, cut) && !self.is_another_model_next() {
            return self.stop(&worded);
        }
        // The last round asks for whole files: a way that was not tried yet.
        let is_whole_next = self.now + 1 == self.most;
        self.next(format!("reply {why}"), &worded, !is_whole_next)
    }

    /// Takes in that checks failed on `code`.
    pub fn failed(&mut self, failed: &Failed, code: CodeTree) -> Next {
        let (why, score) = (failed.reason(), Score::of(failed));
        let best = self.best.map(|(best, _)| (score.compare(best), best));
        let is_worse = best.is_some_and(|(order, _)| order == Ordering::Less);
        if !is_worse {
            self.best = Some((score, code));
        }
        self.checked = Some(why.clone());
        let is_counted = |best: Score| best.failures.is_some() && score.failures.is_some();
        let is_stuck = best.is_some_and(|(order, best)| order != Ordering::Greater && is_counted(best));
        if is_stuck && !self.is_another_model_next() && self.now < self.most {
            return self.stop(&format!("no progress: {why}"));
        }
        match self.next(signature(failed), &why, true) {
            Next::Again if is_worse => Next::TakenBack,
            next => next,
        }
    }

    fn next(&mut self, signature: String, why: &str, may_stop: bool) -> Next {
        let same = self.last.as_ref() == Some(&signature);
        if self.now >= self.most {
            return self.stop(why);
        }
        if same && may_stop && !self.is_another_model_next() {
            return self.stop(&format!("the same twice: {why}"));
        }
        self.last = Some(signature);
        self.now += 1;
        Next::Again
    }

    fn stop(&self, why: &str) -> Next {
        Next::Stop(match self.now {
            1 => why.to_owned(),
            rounds => format!("{rounds} rounds, {why}"),
        })
    }

    /// Returns the best tree that was checked.
    pub fn best(&self) -> Option<CodeTree> {
        self.best.map(|(_, code)| code)
    }
}

/// Tells failures apart: the command, how it ended, and which tests fail, or what it printed where they have no names.
/// Times and addresses do not count, as they differ from run to run; a place such as `a.rs:12:5` does.
fn signature(failed: &Failed) -> String {
    let Some(ran) = failed.culprit() else {
        return String::new();
    };
    let names: Vec<&str> = failed.new_failures.iter().map(String::as_str).collect();
    let told = if names.is_empty() {
        printed(ran)
    } else {
        names.join("\n")
    };
    let parts = [ran.command.as_bytes(), &ran.exit().to_be_bytes(), told.as_bytes()];
    Hash::of("failure", parts).short(16)
}

fn printed(ran: &Ran) -> String {
    let is_place = |word: &str| word.contains(':') && !word.ends_with(':');
    let mut after_line = false;
    let mut words = Vec::new();
    for word in ran.output.as_str().split_whitespace() {
        let kept = is_place(word) || after_line;
        let shown: String = word.chars().filter(|c| kept || !c.is_ascii_digit()).collect();
        words.push(shown);
        after_line = word == "line";
    }
    words.join(" ")
}

#[cfg(test)]
mod tests;
