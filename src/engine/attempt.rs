//! An attempt: one claim's worth of work at a goal, round after round until the checks pass or repair gives up.
//!
//! A reply that cannot be used and a check that fails are data for the next round, never errors. Every attempt leaves a
//! record in the attempts ref, written before checks start, so that nothing paid for is lost.

use std::{collections::BTreeSet, time::Duration};

use eyre::{Result, WrapErr as _, eyre};
use serde_json::value::RawValue;

use crate::{
    check::{CheckRow, End, Failed, Ran, Verified},
    engine::{
        draft::{Draft, Unusable},
        executor::{Executor, Work},
        gather,
        live::Phase,
        output::Output,
        proving, recall,
        repair::{Next, Rounds},
        stored::{self, Begun, Stored},
        talk::Talk,
        templates,
        worker::Worker,
    },
    event::Event,
    facts::Standing,
    fault::{Fault, Kind},
    git::{commit, history, refs, tree},
    goal::Goal,
    guard::Admitted,
    id::{CommitId, GoalId},
    journal::diagnosis,
    money::caps::OverBudget,
    path::RepoPath,
    prompt::{
        repair::{Feedback, Trouble},
        template::Templates,
    },
    secret::Redactor,
    snapshot::{CodeTree, Overlay, Snapshot as _, read_path},
    transcript::Usage,
    verdict,
};

/// Most bytes of failing output that go back to the model.
const FEEDBACK_BYTES: usize = 8 * 1024;

/// How an attempt ended.
#[derive(Debug)]
pub enum Ended {
    /// Checks passed.
    Passed(Box<Passed>),
    /// It was given up: its number, and why.
    Failed(u32, String),
    /// A cap on its goal keeps its next call from being made: its number, and the cap.
    Paused(u32, OverBudget),
}

/// An attempt whose checks passed.
#[derive(Debug)]
pub struct Passed {
    /// The candidate commit.
    pub candidate: CommitId,
    /// The commit it was made on.
    pub base: CommitId,
    /// The attempt's number.
    pub number: u32,
    /// What it took.
    pub stored: Stored,
    /// Why it waits for a person, if it does.
    pub held: Option<String>,
}

/// The work of one attempt.
pub struct Attempt<'w, 's> {
    /// Where it goes on.
    pub worker: &'w mut Worker<'s>,
    /// The goal's id.
    pub id: GoalId,
    /// The goal.
    pub goal: Goal,
    /// From 1, over all attempts at the goal.
    pub number: u32,
    /// What is kept of it.
    pub stored: Stored,
    /// What it made of its base so far.
    pub draft: Draft,
    /// What was said.
    pub talk: Talk,
    /// The templates of its base.
    pub templates: Templates,
    /// Where what its checks print is written down; taken while they run.
    output: Option<Output>,
}

/// What a round came to.
enum Round {
    Passed(Verified, Option<String>),
    Again(Trouble),
    End(String),
    Paused(OverBudget),
}

/// Works at `id` until its checks pass or its rounds are used up.
///
/// # Errors
/// A fault when the run itself cannot go on: budget, provider, stopped, disk.
pub fn work(worker: &mut Worker<'_>, id: &GoalId) -> Result<Ended> {
    let _about = tracing::error_span!(target: diagnosis::GOAL, "goal", goal = id.as_str()).entered();
    let goal = worker
        .backlog
        .get(id)
        .ok_or_else(|| eyre!("goal {id} is no longer in the backlog"))?;
    let llm = &worker.settings.llm;
    let most = goal.max_attempts.unwrap_or(worker.settings.run.max_attempts);
    let model = goal.model.clone().unwrap_or_else(|| llm.model.clone());
    let mut rounds = Rounds::new(most, model, &llm.escalate);
    let executor = Executor::of(&goal, &worker.settings);
    if let (Err(why), None) = (&executor, &goal.executor) {
        // The settings are at fault, not this goal: every other would meet with the same.
        let fault = Fault::new(Kind::Config, why.clone());
        return Err(fault
            .hint("`git invisigoth doctor` lists the executors that there are")
            .into());
    }
    let own = recall::commits_of_people(&worker.repo, id)?;
    let mut attempt = begin(worker, id, goal, executor.as_ref().ok())?;
    if let Some(name) = own {
        return attempt.give_up(format!(
            "branch `{name}` has commits of yours: rename it, `git branch -m {name} NAME`"
        ));
    }
    let executor = match executor {
        Ok(executor) => executor,
        Err(why) => return attempt.give_up(why),
    };
    // One goal that cannot be asked must not keep all others from their turn, tonight and every night.
    if let Some(why) = executor.begin(&mut attempt, &rounds)? {
        return attempt.give_up(why);
    }
    loop {
        let trouble = match attempt.round(&executor, &mut rounds)? {
            Round::Passed(verified, held) => return attempt.finish(&verified, held),
            Round::End(why) => return attempt.end(&rounds, why),
            Round::Paused(over) => return attempt.pause(over),
            Round::Again(trouble) => trouble,
        };
        let why = trouble.first_line();
        let feedback = attempt.feedback(trouble)?;
        if let Some(untold) = executor.tell(&mut attempt, &rounds, &feedback)? {
            return attempt.end(&rounds, format!("{why}; and {untold}"));
        }
    }
}

fn begin<'w, 's>(
    worker: &'w mut Worker<'s>,
    id: &GoalId,
    goal: Goal,
    executor: Option<&Executor>,
) -> Result<Attempt<'w, 's>> {
    let newest = worker.facts.attempts.get(id).map_or(0, |attempt| attempt.number);
    let row = worker.backlog.raw(id).unwrap_or("{}").to_owned();
    let resumed = stored::resume(&worker.repo, id, (&goal.version(), worker.target.tip), newest)?;
    let base = base(worker, resumed.base)?;
    let began = Stored::begun(Begun {
        goal: id.clone(),
        row: RawValue::from_string(row).wrap_err("a row of the backlog")?,
        version: goal.version(),
        base,
        started_at: worker.session.clock.now().rfc3339(),
    });
    let stored = Stored {
        provider: match executor {
            Some(external @ Executor::External { .. }) => external.word(),
            None | Some(Executor::Edit | Executor::Tools) => worker.asking()?.provider.name().to_owned(),
        },
        executor: executor.map(Executor::word).filter(|word| word != "edit"),
        model: goal.model.clone().unwrap_or_else(|| worker.settings.llm.model.clone()),
        format: worker.settings.llm.format.clone(),
        usage: Usage {
            cost_usd: Some(0.0),
            ..Usage::default()
        },
        ..began
    };
    let base_code = tree::code_of_commit(&worker.repo, base)?;
    let templates = templates::of(&worker.repo, base_code)?;
    worker.session.sink.emit(&Event::Started {
        goal: id.clone(),
        description: goal.description.clone(),
    });
    let output = Output::of(worker.session, &worker.repo, id, resumed.number);
    Ok(Attempt {
        worker,
        id: id.clone(),
        goal,
        number: resumed.number,
        stored,
        draft: Draft::new(base_code),
        talk: Talk::new(resumed.recorded),
        templates,
        output: Some(output),
    })
}

/// Answers that are paid for fit the commit that they were given to, as long as it is part of the target.
fn base(worker: &Worker<'_>, before: Option<CommitId>) -> Result<CommitId> {
    let tip = worker.target.tip;
    Ok(match before {
        Some(before) if history::contains(&worker.repo, tip, before)? => before,
        _ => tip,
    })
}

impl Attempt<'_, '_> {
    /// Works for one round and checks what comes of it.
    fn round(&mut self, executor: &Executor, rounds: &mut Rounds) -> Result<Round> {
        let before = self.draft.total.clone();
        match executor.work(self, rounds)? {
            Work::Done(admitted) => {
                let round = self.check(&admitted, rounds)?;
                if let Round::Again(Trouble::Failed { taken_back: true, .. }) = &round {
                    self.stored.taken_back.push(self.talk.last_call());
                    self.draft.total = before;
                }
                Ok(round)
            }
            Work::Never(why) => Ok(Round::End(why)),
            Work::Paused(over) => Ok(Round::Paused(over)),
            Work::Needs(paths) if rounds.grant() => {
                self.save()?;
                Ok(Round::Again(Trouble::Needed(paths)))
            }
            Work::Needs(_) => self.refused(Unusable::of("files are shown only once; send the edits"), false, rounds),
            Work::Unusable { unusable, cut } => self.refused(unusable, cut, rounds),
        }
    }

    fn refused(&mut self, unusable: Unusable, cut: bool, rounds: &mut Rounds) -> Result<Round> {
        let Unusable { why, message } = unusable;
        self.worker.session.tally.refused();
        self.worker.session.sink.emit(&Event::Refused {
            goal: self.id.clone(),
            round: rounds.number().0,
            why: why.clone(),
        });
        self.save()?;
        Ok(match rounds.refused(&why, cut) {
            Next::Stop(why) => Round::End(why),
            Next::Again | Next::TakenBack => Round::Again(Trouble::Refused(message)),
        })
    }

    fn check(&mut self, admitted: &Admitted, rounds: &mut Rounds) -> Result<Round> {
        let held = admitted.held().first().map(recall::held_words);
        let code = tree::write(&self.worker.repo, self.draft.base_code, admitted)?;
        self.write(Some(code))?;
        self.worker.step(Phase::Checking, Some(rounds.number().0));
        let verdict = self.judge(code, rounds.number().0)?;
        let checks = match &verdict {
            Ok(verified) => verified.checks().to_vec(),
            Err(failed) => failed.ran.iter().map(CheckRow::of).collect(),
        };
        self.stored.checks.clone_from(&checks);
        let why = verdict.as_ref().err().map(|failed| failed.reason());
        self.worker.session.sink.emit(&Event::Checked {
            goal: self.id.clone(),
            round: rounds.number().0,
            checks,
            why,
        });
        let failed = match verdict {
            Ok(verified) => return Ok(Round::Passed(verified, held)),
            Err(failed) => failed,
        };
        let taken_back = match rounds.failed(&failed, code) {
            Next::Stop(why) => return Ok(Round::End(why)),
            next => next == Next::TakenBack,
        };
        Ok(Round::Again(Trouble::Failed {
            output: said(&failed, FEEDBACK_BYTES),
            taken_back,
        }))
    }

    /// Judges by the gate, and by whether tests that are asked for or added can fail.
    fn judge(&mut self, code: CodeTree, round: u32) -> Result<std::result::Result<Verified, Box<Failed>>> {
        let worker = &mut *self.worker;
        worker.checker.output = self.output.take().map(|output| output.round(round));
        let verdict = worker.checker.judge(&worker.repo, code, &worker.gate, &worker.baseline);
        self.output = worker.checker.output.take();
        let verdict = verdict?;
        let Ok(verified) = verdict else { return Ok(verdict) };
        match proving::prove(worker, &self.goal, self.draft.base_code, code)? {
            proving::Proof::NotAsked => Ok(Ok(verified)),
            proving::Proof::Holds { ran, remark, red_green } => {
                self.stored.proof = ran.as_deref().map(CheckRow::of);
                self.stored.red_green = red_green;
                self.stored.remark = remark;
                Ok(Ok(verified))
            }
            // Behind what passed: a tree that lacks only its proof is better than one whose checks fail.
            proving::Proof::Broken(ran) => Ok(Err(Box::new(Failed {
                ran: verified.checks().iter().map(passed).chain([*ran]).collect(),
                new_failures: BTreeSet::default(),
            }))),
        }
    }

    /// Puts together what the next round is told: what went wrong, and the touched files as they are now.
    fn feedback(&self, trouble: Trouble) -> Result<Feedback> {
        let base = tree::snapshot(&self.worker.repo, self.draft.base_code);
        let now = Overlay::new(&base, &self.draft.total);
        let named = |names: &[&str]| -> Vec<RepoPath> {
            let parsed = names.iter().filter_map(|name| RepoPath::parse(name).ok());
            parsed.collect()
        };
        let paths: BTreeSet<RepoPath> = match &trouble {
            Trouble::Needed(paths) => named(&paths.iter().map(String::as_str).collect::<Vec<_>>())
                .into_iter()
                .collect(),
            Trouble::Refused(_) | Trouble::Failed { .. } => named(&self.goal.named_files())
                .into_iter()
                .chain(self.draft.total.keys().cloned())
                .collect(),
        };
        let mut files = Vec::new();
        for path in paths {
            let (name, text) = (path.to_string(), read_path(&now, &path)?);
            files.push(match text {
                Some(bytes) => (name, Some(gather::shown(&bytes))),
                None if now.is_folder(&path)? => (name, Some("[a folder; only files are shown]\n".to_owned())),
                None => (name, None),
            });
        }
        Ok(Feedback { trouble, files })
    }

    fn finish(mut self, verified: &Verified, held: Option<String>) -> Result<Ended> {
        let message = self.message();
        let at = self.worker.session.clock.now();
        let base = self.stored.base;
        let candidate = commit::candidate(&self.worker.repo, verified, base, &message, at)?;
        self.set_candidate(candidate)?;
        if self.stored.proof.is_some() || self.stored.red_green.is_some() || self.stored.remark.is_some() {
            // It was saved before the checks; a landing in another process must know what they proved.
            self.save()?;
        }
        let passed = Passed {
            candidate,
            base,
            number: self.number,
            stored: self.stored,
            held,
        };
        Ok(Ended::Passed(Box::new(passed)))
    }

    /// Points the goal's branch at `candidate`; an older candidate of the same goal is replaced.
    fn set_candidate(&mut self, candidate: CommitId) -> Result<()> {
        let name = refs::candidate_ref(&self.id);
        let old = refs::read(&self.worker.repo, &name)?;
        if let Some(branch) = recall::commits_of_people(&self.worker.repo, &self.id)? {
            return Err(Fault::new(Kind::Person, format!("branch `{branch}` has commits of yours")).into());
        }
        let why = format!("invisigoth: attempt {}", self.number);
        let set = refs::RefMove::Set {
            name: name.clone(),
            old,
            new: candidate,
            why,
        };
        match refs::swap(&self.worker.repo, &[set])? {
            refs::Swap::Done => Ok(()),
            refs::Swap::Lost => Err(eyre!("{name} was moved by somebody else")),
        }
    }

    fn message(&self) -> commit::Message {
        let request = self.goal.request().trim();
        let body = if request == self.goal.description.trim() {
            ""
        } else {
            request
        };
        commit::Message {
            subject: self.clean(&self.goal.description),
            body: self.clean(body),
            trailers: vec![
                ("Goal", self.id.to_string()),
                ("Attempt", self.number.to_string()),
                ("Goal-Version", self.stored.version.clone()),
                ("Assisted-by", format!("git-invisigoth:{}", self.stored.model)),
            ],
        }
    }

    /// Ends without a candidate; the best tree is what stays of it.
    fn end(mut self, rounds: &Rounds, reason: String) -> Result<Ended> {
        self.stored.standing = Standing::Failed;
        self.stored.reason.clone_from(&reason);
        self.write(rounds.best())?;
        Ok(Ended::Failed(self.number, reason))
    }

    fn give_up(mut self, reason: String) -> Result<Ended> {
        self.stored.standing = Standing::Failed;
        self.stored.reason.clone_from(&reason);
        self.save()?;
        Ok(Ended::Failed(self.number, reason))
    }

    /// Keeps what was said for the time when the cap is raised.
    fn pause(mut self, over: OverBudget) -> Result<Ended> {
        self.stored.standing = Standing::Paused;
        self.stored.pause = Some(over);
        self.save()?;
        Ok(Ended::Paused(self.number, over))
    }

    /// Keeps the attempt as it is.
    ///
    /// # Errors
    /// When objects or the ref cannot be written.
    pub fn save(&mut self) -> Result<()> {
        self.write(None)
    }

    fn write(&mut self, code: Option<CodeTree>) -> Result<()> {
        let code = code.map(|code| code.root);
        let at = self.worker.session.clock.now();
        let repo = &self.worker.repo;
        stored::write(repo, &self.stored, self.number, self.talk.unsaved(), (code, at))?;
        self.talk.mark_saved();
        Ok(())
    }

    /// Returns `text` without secrets.
    pub fn clean(&self, text: &str) -> String {
        self.worker.session.redactor.clean(text).into_string()
    }
}

/// Makes a run again of the row that is kept of it.
fn passed(row: &CheckRow) -> Ran {
    Ran {
        stage: row.stage,
        command: row.cmd.clone(),
        end: End::Exit(row.exit),
        took: Duration::from_secs_f64(row.seconds.max(0.0)),
        output: Redactor::default().clean(""),
        tests: None,
    }
}

/// Words a failed gate for a prompt: the command, how it ended, and about `most` bytes of what it printed, its first failure
/// first.
pub fn said(failed: &Failed, most: usize) -> String {
    let Some(ran) = failed.culprit() else {
        return failed.reason();
    };
    let output = verdict::for_prompt(ran.output.as_str(), most);
    let new: Vec<&str> = failed.new_failures.iter().map(String::as_str).take(20).collect();
    let new = if new.is_empty() {
        String::new()
    } else {
        format!("New failures: {}\n", new.join(", "))
    };
    format!("$ {}\n{}\n{new}{output}", ran.command, failed.reason())
}
