//! An attempt: one claim's worth of work at a goal. Asks, applies, checks, and goes round until the checks pass or the rounds
//! are used up.
//!
//! A reply that cannot be used and a check that fails are data for the next round, never errors. Every attempt leaves a
//! record in the attempts ref, written before checks start, so that nothing paid for is lost.

use std::collections::BTreeSet;

use eyre::{Result, WrapErr as _, eyre};
use serde_json::value::RawValue;

use crate::{
    check::{CheckRow, Failed, Verified},
    edit,
    engine::{
        asking, gather, proving, recall,
        stored::{self, Stored},
        worker::Worker,
    },
    event::Event,
    facts::Standing,
    fault::{Fault, Kind},
    git::{commit, refs, tree},
    goal::Goal,
    guard::{self, Admitted, Policy},
    id::{CommitId, GoalId},
    money,
    path::RepoPath,
    prompt::{self, Feedback, PromptError, Trouble},
    provider::Answer,
    reply,
    snapshot::{Change, Changes, CodeTree, Overlay, Snapshot, read_path},
    time::Stopping,
    transcript::{Exchange, Message, Request, Role, Usage},
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
}

/// An attempt whose checks passed.
#[derive(Debug)]
pub struct Passed {
    /// The proof, on the base.
    pub verified: Verified,
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

/// The work of one attempt, round by round.
struct Attempt<'w, 's> {
    worker: &'w mut Worker<'s>,
    id: GoalId,
    goal: Goal,
    number: u32,
    stored: Stored,
    base_code: CodeTree,
    messages: Vec<Message>,
    calls: Vec<Exchange>,
    /// Answers of a killed run to this very attempt, the next one last: they are paid for and not asked for again.
    recorded: Vec<Exchange>,
    total: Changes,
}

/// Why a reply cannot be used.
struct Unusable {
    /// In one line, for people.
    why: String,
    /// What the model is told.
    message: String,
}

impl Unusable {
    fn of(why: impl Into<String>) -> Self {
        let why = why.into();
        Self {
            message: why.clone(),
            why,
        }
    }
}

impl From<edit::refusal::Refusal> for Unusable {
    fn from(refusal: edit::refusal::Refusal) -> Self {
        Self {
            why: refusal.first_line(),
            message: refusal.to_string(),
        }
    }
}

/// What asking came to.
enum Asked {
    /// A reply.
    Reply(String),
    /// An answer that cannot be used, worded for the next round.
    Unusable(String),
    /// The provider will not answer this goal.
    Never(String),
}

/// Why a round did not do.
enum Why {
    /// Its reply could not be used.
    Reply(String),
    /// Its checks did not pass.
    Checks(String),
}

/// What a round came to.
enum Round {
    Passed(Verified, Option<String>),
    Again(Why, Feedback),
}

/// Works at `id` until its checks pass or its rounds are used up.
///
/// # Errors
/// A fault when the run itself cannot go on: budget, provider, stopped, disk.
pub fn work(worker: &mut Worker<'_>, id: &GoalId) -> Result<Ended> {
    let goal = worker
        .backlog
        .get(id)
        .ok_or_else(|| eyre!("goal {id} is no longer in the backlog"))?;
    let rounds = goal.max_attempts.unwrap_or(worker.settings.run.max_attempts).max(1);
    let own = recall::commits_of_people(&worker.repo, id)?;
    let mut attempt = begin(worker, id, goal)?;
    if let Some(name) = own {
        return attempt.give_up(format!(
            "branch `{name}` has commits of yours: rename it, `git branch -m {name} NAME`"
        ));
    }
    // One goal that cannot be asked must not keep all others from their turn, tonight and every night.
    if let Some(why) = attempt.word(rounds)? {
        return attempt.give_up(why);
    }
    let mut checked = None;
    for round in 1..=rounds {
        let answer = match attempt.ask(round)? {
            Asked::Reply(text) => Ok(text),
            Asked::Unusable(why) => Err(why),
            Asked::Never(why) => return attempt.give_up(format!("provider: {why}")),
        };
        let (why, feedback) = match attempt.round(round, answer)? {
            Round::Passed(verified, held) => return attempt.finish(verified, held),
            Round::Again(why, feedback) => (why, feedback),
        };
        let why = match (why, &checked) {
            (Why::Checks(why), _) => {
                checked = Some(why.clone());
                why
            }
            (Why::Reply(why), None) => format!("reply: {why}"),
            // What the checks said before tells more than that nothing better came.
            (Why::Reply(why), Some(before)) => format!("{before}; then reply: {why}"),
        };
        if round == rounds {
            return attempt.give_up(if rounds == 1 {
                why
            } else {
                format!("{rounds} rounds, {why}")
            });
        }
        let (tokens, redactor) = (attempt.tokens_left(), &attempt.worker.session.redactor);
        match prompt::repair(&attempt.goal, (round + 1, rounds), &feedback, tokens, redactor) {
            Ok(message) => attempt.messages.push(message),
            Err(PromptError::TooLarge { .. }) => {
                return attempt.give_up(format!("{why}; and the conversation fills `llm.context`"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(eyre!("an attempt needs at least one round"))
}

fn context_tokens(worker: &Worker<'_>) -> usize {
    usize::try_from(worker.settings.llm.context).unwrap_or(usize::MAX)
}

fn begin<'w, 's>(worker: &'w mut Worker<'s>, id: &GoalId, goal: Goal) -> Result<Attempt<'w, 's>> {
    let base = worker.target.tip;
    let newest = worker.facts.attempts.get(id).map_or(0, |attempt| attempt.number);
    let row = worker.backlog.raw(id).unwrap_or("{}").to_owned();
    let (number, recorded) = stored::resume(&worker.repo, id, &goal.version(), newest)?;
    let stored = Stored {
        goal: id.clone(),
        row: RawValue::from_string(row).wrap_err("a row of the backlog")?,
        version: goal.version(),
        base,
        standing: Standing::Open,
        reason: String::new(),
        rounds: 0,
        started_at: worker.session.clock.now().rfc3339(),
        provider: worker.asking()?.provider.name().to_owned(),
        model: goal.model.clone().unwrap_or_else(|| worker.settings.llm.model.clone()),
        usage: Usage {
            cost_usd: Some(0.0),
            ..Usage::default()
        },
        prompt_hash: String::new(),
        checks: Vec::new(),
        proof: None,
        remark: None,
    };
    let base_code = tree::code_of_commit(&worker.repo, base)?;
    worker.session.sink.emit(&Event::Started {
        goal: id.clone(),
        description: goal.description.clone(),
    });
    Ok(Attempt {
        worker,
        id: id.clone(),
        goal,
        number,
        stored,
        base_code,
        messages: Vec::new(),
        calls: Vec::new(),
        recorded,
        total: Changes::new(),
    })
}

impl Attempt<'_, '_> {
    /// Words the first prompt, or why there is none.
    fn word(&mut self, rounds: u32) -> Result<Option<String>> {
        let worker = &mut *self.worker;
        let place = gather::Place {
            repo: &worker.repo,
            target: &worker.target,
            base: self.stored.base,
            backlog: &worker.backlog,
            newest: worker.facts.attempts.get(&self.id).map_or(0, |attempt| attempt.number),
        };
        let context = gather::context(place, &mut worker.listings, &self.goal)?;
        let tokens = context_tokens(worker);
        match prompt::build(&self.goal, &context, (1, rounds), tokens, &worker.session.redactor) {
            Ok(built) => (self.messages, self.stored.prompt_hash) = (built.messages, built.hash),
            Err(error @ PromptError::TooLarge { .. }) => return Ok(Some(format!("prompt: {error}"))),
            Err(error) => return Err(error.into()),
        }
        Ok(None)
    }

    /// What `llm.context` leaves for the next message: the conversation as a whole is what the model must take in.
    fn tokens_left(&self) -> usize {
        let said: usize = self.messages.iter().map(|message| message.content.len()).sum();
        let said = usize::try_from(money::estimated_tokens(said)).unwrap_or(usize::MAX);
        context_tokens(self.worker).saturating_sub(said)
    }

    /// Asks the model.
    fn ask(&mut self, round: u32) -> Result<Asked> {
        let llm = &self.worker.settings.llm;
        let max_tokens = llm.max_tokens;
        let model = self.goal.model.clone().unwrap_or_else(|| llm.model.clone());
        let request = Request {
            model,
            messages: self.messages.clone(),
            max_tokens: Some(max_tokens),
            reasoning: llm.reasoning.clone(),
            schema: None,
        };
        if let Some(recorded) = self.recall(&request) {
            return Ok(Asked::Reply(recorded));
        }
        if self.worker.session.stop.stopping() != Stopping::No {
            self.save()?;
            return Err(Fault::new(Kind::Interrupted, "stopped")
                .hint("`git invisigoth run` goes on")
                .into());
        }
        let bytes = request.bytes();
        self.worker.session.sink.emit(&Event::Asked {
            goal: self.id.clone(),
            round,
            bytes,
        });
        let began = self.worker.session.clock.now();
        let stop = self.worker.session.stop.clone();
        let answer = self.worker.asking()?.ask(&request, &stop);
        let took = self.worker.session.clock.now().since(began);
        match answer {
            Ok(answer) => {
                self.take(request, &answer, took)?;
                let secret = self.worker.session.redactor.finds(&answer.text);
                self.messages.push(Message {
                    role: Role::Assistant,
                    content: self.clean(&answer.text),
                });
                Ok(match secret {
                    true => Asked::Unusable("the reply holds a secret of this machine; leave it out".into()),
                    false => Asked::Reply(answer.text),
                })
            }
            Err(error) => match error.answer() {
                // It came and it costs, but a cut reply is never applied.
                Some(answer) => {
                    self.take(request, answer, took)?;
                    let content = self.clean(&answer.text);
                    self.messages.push(Message {
                        role: Role::Assistant,
                        content,
                    });
                    Ok(Asked::Unusable(format!(
                        "{error}. Send all blocks again, in a shorter reply."
                    )))
                }
                None if asking::ends_run(&error) => {
                    // Where nothing was answered there is nothing to keep: an earlier attempt's end must stay visible.
                    if self.stored.rounds > 0 {
                        self.save()?;
                    }
                    Err(asking::provider_fault(&error).into())
                }
                None => Ok(Asked::Never(error.to_string())),
            },
        }
    }

    /// Returns the recorded answer to `request`, if a killed run left one.
    fn recall(&mut self, request: &Request) -> Option<String> {
        let (recorded, unfit) = match self.recorded.pop() {
            Some(call) if call.request.key() == request.key() => (Some(call), None),
            other => (None, other),
        };
        let Some(call) = recorded else {
            // Of no use any more, but paid for: the record says so.
            for call in self.recorded.drain(..).chain(unfit) {
                self.stored.usage.add(&call.usage);
            }
            return None;
        };
        self.stored.rounds += 1;
        self.stored.usage.add(&call.usage);
        self.stored.model.clone_from(&call.model);
        let reply = call.reply.clone();
        self.messages.push(Message {
            role: Role::Assistant,
            content: reply.clone(),
        });
        self.calls.push(call);
        Some(reply)
    }

    fn take(&mut self, request: Request, answer: &Answer, took: std::time::Duration) -> Result<()> {
        self.stored.rounds += 1;
        self.stored.usage.add(&answer.usage);
        self.stored.model.clone_from(&answer.model);
        self.calls.push(Exchange {
            request,
            reply: self.clean(&answer.text),
            raw: self.worker.session.redactor.clean_bytes(&answer.raw).into_string(),
            model: answer.model.clone(),
            usage: answer.usage,
            millis: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            redacted: false,
        });
        Ok(())
    }

    fn clean(&self, text: &str) -> String {
        self.worker.session.redactor.clean(text).into_string()
    }

    /// Applies an answer and checks what comes of it.
    fn round(&mut self, round: u32, answer: std::result::Result<String, String>) -> Result<Round> {
        let answer = answer.map_err(Unusable::of);
        let admitted = match answer.and_then(|text| self.admit(&text)) {
            Ok(admitted) => admitted,
            Err(Unusable { why, message }) => {
                self.worker.session.sink.emit(&Event::Refused {
                    goal: self.id.clone(),
                    round,
                    why: why.clone(),
                });
                self.save()?;
                return Ok(Round::Again(Why::Reply(why), self.feedback(Trouble::Refused(message))?));
            }
        };
        let held = admitted.held().first().map(recall::held_words);
        let code = tree::write(&self.worker.repo, self.base_code, &admitted)?;
        self.write(Some(code))?;
        let verdict = self.judge(code)?;
        let checks = match &verdict {
            Ok(verified) => verified.checks().to_vec(),
            Err(failed) => failed.ran.iter().map(CheckRow::of).collect(),
        };
        self.stored.checks.clone_from(&checks);
        let why = verdict.as_ref().err().map(|failed| failed.reason());
        self.worker.session.sink.emit(&Event::Checked {
            goal: self.id.clone(),
            round,
            checks,
            why,
        });
        match verdict {
            Ok(verified) => Ok(Round::Passed(verified, held)),
            Err(failed) => Ok(Round::Again(
                Why::Checks(failed.reason()),
                self.feedback(Trouble::Failed(said(&failed)))?,
            )),
        }
    }

    /// Judges by the gate, and a test goal also by whether its tests can fail.
    fn judge(&mut self, code: CodeTree) -> Result<std::result::Result<Verified, Box<Failed>>> {
        let worker = &mut *self.worker;
        let verdict = worker
            .checker
            .judge(&worker.repo, code, &worker.gate, &worker.baseline)?;
        let Ok(verified) = verdict else { return Ok(verdict) };
        match proving::prove(worker, &self.goal, self.base_code, code)? {
            proving::Proof::NotAsked => Ok(Ok(verified)),
            proving::Proof::Holds { ran, remark } => {
                self.stored.proof = ran.as_deref().map(CheckRow::of);
                self.stored.remark = remark;
                Ok(Ok(verified))
            }
            proving::Proof::Broken(ran) => Ok(Err(Box::new(Failed {
                ran: vec![*ran],
                new_failures: Default::default(),
            }))),
        }
    }

    /// Reads a reply into admitted changes against the base; the error is the message for the next round.
    fn admit(&mut self, text: &str) -> std::result::Result<Admitted, Unusable> {
        let edits = reply::parse(text, reply::Format::Auto)?;
        let base = tree::snapshot(&self.worker.repo, self.base_code);
        let now = Overlay::new(&base, &self.total);
        let changes = edit::apply(&now, &edits)?;
        let mut total = self.total.clone();
        total.extend(changes);
        drop_unchanged(&base, &mut total).map_err(|error| Unusable::of(error.to_string()))?;
        if total.is_empty() {
            return Err(Unusable::of(
                "nothing differs from the base any more; send an edit that changes something",
            ));
        }
        let policy = Policy::new(&self.worker.settings.paths);
        let admitted = guard::admit(total.clone(), &base, &policy).map_err(|denied| Unusable {
            message: format!("{denied}\n\nNothing was applied. Send all blocks again, without this path."),
            why: denied.to_string(),
        })?;
        self.total = total;
        Ok(admitted)
    }

    /// Puts together what the next round is told: what went wrong, and the touched files as they are now.
    fn feedback(&self, trouble: Trouble) -> Result<Feedback> {
        let base = tree::snapshot(&self.worker.repo, self.base_code);
        let now = Overlay::new(&base, &self.total);
        let named = self
            .goal
            .named_files()
            .into_iter()
            .filter_map(|name| RepoPath::parse(name).ok());
        let paths: BTreeSet<RepoPath> = named.chain(self.total.keys().cloned()).collect();
        let mut files = Vec::new();
        for path in paths {
            let text = read_path(&now, &path)?;
            files.push((
                path.to_string(),
                text.map(|text| String::from_utf8_lossy(&text).into_owned()),
            ));
        }
        Ok(Feedback { trouble, files })
    }

    fn finish(mut self, verified: Verified, held: Option<String>) -> Result<Ended> {
        let message = self.message();
        let at = self.worker.session.clock.now();
        let base = self.stored.base;
        let candidate = commit::candidate(&self.worker.repo, &verified, base, &message, at)?;
        self.set_candidate(candidate)?;
        let passed = Passed {
            verified,
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

    fn give_up(mut self, reason: String) -> Result<Ended> {
        self.stored.standing = Standing::Failed;
        self.stored.reason.clone_from(&reason);
        self.save()?;
        Ok(Ended::Failed(self.number, reason))
    }

    fn save(&self) -> Result<()> {
        self.write(None)
    }

    fn write(&self, code: Option<CodeTree>) -> Result<()> {
        let code = code.map(|code| code.root);
        let at = self.worker.session.clock.now();
        stored::write(&self.worker.repo, &self.stored, self.number, &self.calls, (code, at))
    }
}

/// Words a failed gate for the next round: the command, how it ended, and what it printed, its first failure first.
fn said(failed: &Failed) -> String {
    let Some(ran) = failed.culprit() else {
        return failed.reason();
    };
    let output = verdict::for_prompt(ran.output.as_str(), FEEDBACK_BYTES);
    let new: Vec<&str> = failed.new_failures.iter().map(String::as_str).take(20).collect();
    let new = if new.is_empty() {
        String::new()
    } else {
        format!("New failures: {}\n", new.join(", "))
    };
    format!("$ {}\n{}\n{new}{output}", ran.command, failed.reason())
}

/// Takes out of `total` what is as in the base.
fn drop_unchanged(base: &dyn Snapshot, total: &mut Changes) -> std::io::Result<()> {
    let mut same = Vec::new();
    for (path, change) in total.iter() {
        let before = base.entry(path)?;
        let unchanged = match (change, before) {
            (Change::Delete, None) => true,
            (Change::Write { content, mode }, Some(entry)) => entry.mode == *mode && base.read(&entry.id)? == *content,
            _ => false,
        };
        if unchanged {
            same.push(path.clone());
        }
    }
    for path in same {
        total.remove(&path);
    }
    Ok(())
}
