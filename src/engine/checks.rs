//! Checks: runs a gate on a code tree in a slot and makes the report. The only maker of reports.
//!
//! A code tree with a verdict of the same gate is not run again.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use eyre::{Result, WrapErr as _, eyre};

use crate::{
    check::{Baseline, End, Failed, Gate, Ran, Report, Sandbox, Stage, Tests, Verified},
    engine::{
        fenced::{self, Access},
        linted,
        output::Output,
        pool::{Pool, Taken, Urgency},
        session::Session,
        verdicts::Verdicts,
    },
    fault::{Fault, Kind},
    fence,
    git::{Repo, tree},
    id::{Hash, Oid},
    path::RepoPath,
    shell::{self, Limits},
    slot::{Slot, reports},
    snapshot::{CodeTree, Snapshot as _},
    verdict,
};

/// Most bytes of a command's output that are read for tests, head and tail together.
const READ_CAP: usize = 1024 * 1024;
/// Most bytes of it that are kept.
const KEPT_CAP: usize = 64 * 1024;

/// Lock files whose change makes set-up run again.
const SETUP_INPUTS: [&str; 14] = [
    "Cargo.lock",
    "Cargo.toml",
    "package.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "uv.lock",
    "poetry.lock",
    "go.mod",
    "go.sum",
];

/// Runs checks for one thread. Takes a slot for each run of a gate.
pub struct Checker<'s> {
    session: &'s Session,
    pool: Arc<Pool>,
    urgency: Urgency,
    slot: Option<Taken>,
    verdicts: Arc<Verdicts>,
    /// The tests of the code tree that was judged last.
    last: Option<(Oid, Tests)>,
    /// The person's own code, if it is known: set-up of it may use the network.
    own: Option<CodeTree>,
    /// Where what commands print is written down while they run, if anywhere.
    pub output: Option<Output>,
}

impl<'s> Checker<'s> {
    /// Makes a checker with slots of its own; takes none yet.
    pub fn new(session: &'s Session, repo: &Repo) -> Self {
        Self::of(session, Pool::new(session, repo, 1))
    }

    /// Makes a checker that takes its slots from `pool`.
    pub fn of(session: &'s Session, pool: Arc<Pool>) -> Self {
        Self {
            session,
            pool,
            urgency: Urgency::Goal,
            slot: None,
            verdicts: Arc::default(),
            last: None,
            own: None,
            output: None,
        }
    }

    /// Makes one for another thread, which shares slots and verdicts with this one.
    pub fn beside(&self, urgency: Urgency) -> Self {
        Self {
            urgency,
            verdicts: Arc::clone(&self.verdicts),
            own: self.own,
            ..Self::of(self.session, Arc::clone(&self.pool))
        }
    }

    /// Takes over which code is the person's own.
    pub fn share(&mut self, other: &Checker<'_>) {
        self.own = other.own;
    }

    /// Says which code is the person's own: fenced set-up of it, and of code with the same lock files, may use the network.
    pub fn trust(&mut self, own: CodeTree) {
        self.own = Some(own);
    }

    /// Judges `code` by `gate`: recalls the verdict if there is one, else runs.
    ///
    /// # Errors
    /// When a slot cannot be made ready or a run was stopped. A failing command is no error.
    pub fn judge(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        baseline: &Baseline,
    ) -> Result<Result<Verified, Box<Failed>>> {
        if let Some(verified) = self.verdicts.recall(repo, code, &gate.id())? {
            return Ok(Ok(verified));
        }
        self.judge_anew(repo, code, gate, baseline)
    }

    /// As `judge`; what fails is run once more, as it may be chance. Where it passes then, `Verified::is_flaky`.
    ///
    /// # Errors
    /// As `judge`.
    pub fn judge_twice(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        baseline: &Baseline,
    ) -> Result<Result<Verified, Box<Failed>>> {
        match self.judge(repo, code, gate, baseline)? {
            Err(failed) if may_be_chance(&failed) => self.judge_anew(repo, code, gate, baseline),
            verdict => Ok(verdict),
        }
    }

    /// Judges `code` by a run of `gate`, whatever is known.
    fn judge_anew(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        baseline: &Baseline,
    ) -> Result<Result<Verified, Box<Failed>>> {
        // A command that is red at the base says nothing of those after it: they still have to pass.
        let ran = self.run_past(repo, code, gate, |ran| baseline.red.contains(&ran.command))?;
        self.last = Some((code.id.0, tests(&ran)));
        linted::keep(self.session, repo, code, &ran)?;
        match Report::new(code, gate.id(), ran).verify(baseline) {
            Ok(verified) => {
                let verified = self.verdicts.passed(repo, verified)?;
                if verified.is_flaky() {
                    self.session
                        .say("checks failed, and passed on the second run of the same code");
                }
                Ok(Ok(verified))
            }
            Err(failed) => {
                self.verdicts.failed(code, &gate.id(), &failed);
                Ok(Err(failed))
            }
        }
    }

    /// Returns the tests that `gate` runs on `code`, from the run that judged it where that was the last one.
    ///
    /// # Errors
    /// As `judge`.
    pub fn tests_of(&mut self, repo: &Repo, code: CodeTree, gate: &Gate) -> Result<Tests> {
        if let Some((judged, tests)) = &self.last
            && *judged == code.id.0
        {
            return Ok(tests.clone());
        }
        Ok(tests(&self.run_past(repo, code, gate, is_readable_red)?))
    }

    /// Returns the proof that `code` passed `gate` before, if it did.
    ///
    /// # Errors
    /// When notes cannot be read.
    pub fn recall(&self, repo: &Repo, code: CodeTree, gate: &Gate) -> Result<Option<Verified>> {
        self.verdicts.recall(repo, code, &gate.id())
    }

    /// Takes `ran`, all that `gate` is on `code`, for its verdict, where it passed.
    ///
    /// # Errors
    /// When notes cannot be read.
    pub fn believe(&self, repo: &Repo, code: CodeTree, gate: &Gate, ran: Vec<Ran>) -> Result<()> {
        if let Ok(verified) = Report::new(code, gate.id(), ran).verify(&Baseline::default()) {
            self.verdicts.passed(repo, verified)?;
        }
        Ok(())
    }

    /// Runs `gate` on the base as it is and says what is red there.
    ///
    /// # Errors
    /// As `judge`; and a fault when the base is red in a way that cannot be told from what a candidate breaks.
    pub fn baseline(&mut self, repo: &Repo, code: CodeTree, gate: &Gate) -> Result<Baseline> {
        self.trust(code);
        self.verdicts.forget_known_red();
        if self.recall(repo, code, gate)?.is_some() {
            return Ok(Baseline::default());
        }
        let ran = self.run_past(repo, code, gate, is_readable_red)?;
        linted::keep(self.session, repo, code, &ran)?;
        let mut baseline = Baseline::default();
        for ran in &ran {
            if ran.passed() {
                continue;
            }
            match ran.tests.as_ref().filter(|_| is_readable_red(ran)) {
                Some(tests) => {
                    baseline.known_red.extend(tests.failed.iter().cloned());
                    baseline.red.insert(ran.command.clone());
                }
                None => return Err(red_base(ran, gate).into()),
            }
        }
        self.believe(repo, code, gate, ran)?;
        Ok(baseline)
    }

    /// Runs `commands` on `code` in order and stops at the first that fails.
    ///
    /// # Errors
    /// As `judge`.
    pub fn run(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        commands: Vec<(Stage, String)>,
    ) -> Result<Vec<Ran>> {
        Ok(self.run_and(repo, code, gate, commands, |_| Ok(()))?.0)
    }

    /// Runs `gate` on `code`, past commands whose failures can be told by name. No stored verdict is asked.
    ///
    /// # Errors
    /// As `judge`.
    pub fn run_through(&mut self, repo: &Repo, code: CodeTree, gate: &Gate) -> Result<Vec<Ran>> {
        self.run_past(repo, code, gate, is_readable_red)
    }

    /// Runs all of `gate` on `code`, past the failures that `go_on` says.
    fn run_past(&mut self, repo: &Repo, code: CodeTree, gate: &Gate, go_on: impl Fn(&Ran) -> bool) -> Result<Vec<Ran>> {
        let ran = self.run_all(repo, code, gate, gate.commands.clone(), go_on, |_| Ok(()))?;
        Ok(ran.0)
    }

    /// As `run`; where all passed, `take` looks at the slot's folder before it is cleaned.
    ///
    /// # Errors
    /// As `judge`, and what `take` says.
    pub fn run_and<T>(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        commands: Vec<(Stage, String)>,
        take: impl FnOnce(&Path) -> Result<T>,
    ) -> Result<(Vec<Ran>, Option<T>)> {
        self.run_all(repo, code, gate, commands, |_| false, take)
    }

    fn run_all<T>(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        commands: Vec<(Stage, String)>,
        go_on: impl Fn(&Ran) -> bool,
        take: impl FnOnce(&Path) -> Result<T>,
    ) -> Result<(Vec<Ran>, Option<T>)> {
        let (setup, commands): (Vec<_>, Vec<_>) = commands.into_iter().partition(|(stage, _)| *stage == Stage::Setup);
        let mut all = self.set_up(repo, code, gate, setup, &go_on)?;
        let mut stopped = all.last().is_some_and(|ran| stops(ran, &go_on));
        let mut taken = None;
        if !stopped {
            let root = self.fill(repo, code)?;
            self.prepare(repo, gate)?;
            for (stage, command) in commands {
                let ran = self.run_one(stage, &command, &root, gate, false)?;
                stopped = stops(&ran, &go_on);
                all.push(ran);
                if stopped {
                    break;
                }
            }
            if all.iter().all(Ran::passed) {
                taken = Some(take(&root));
            }
        }
        self.give_back(repo)?;
        if let Some(ran) = all.iter().find(|ran| ran.end == End::Stopped) {
            return Err(Fault::new(Kind::Interrupted, format!("stopped during {}", ran.stage.word())).into());
        }
        Ok((all, taken.transpose()?))
    }

    /// Runs the set-up commands if their inputs changed in this slot. A fence without network would keep packages out for
    /// good, so set-up has it on the person's own code: on that tree itself, as what a candidate changed besides its lock
    /// files may be run by set-up too.
    fn set_up(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        commands: Vec<(Stage, String)>,
        go_on: &impl Fn(&Ran) -> bool,
    ) -> Result<Vec<Ran>> {
        let key = setup_key(repo, code, &commands)?;
        let own = self.own.filter(|_| gate.sandbox != Sandbox::None);
        let own = match own {
            Some(own) if own == code || setup_key(repo, own, &commands)? == key => Some(own),
            _ => None,
        };
        let tree = own.unwrap_or(code);
        let mut all = Vec::new();
        if commands.is_empty() {
            self.lease(code)?;
            return Ok(all);
        }
        self.lease(tree)?;
        if !self.slot()?.needs_setup(&key) {
            return Ok(all);
        }
        let root = self.fill(repo, tree)?;
        self.prepare(repo, gate)?;
        for (stage, command) in commands {
            let ran = self.run_one(stage, &command, &root, gate, own.is_some())?;
            let stops = stops(&ran, go_on);
            all.push(ran);
            if stops {
                break;
            }
        }
        if all.iter().all(Ran::passed) {
            self.slot()?.set_up(&key).wrap_err("recording the set-up of a slot")?;
        }
        Ok(all)
    }

    /// Runs one command on `code` with `files` written over it; used to see whether tests can fail.
    ///
    /// # Errors
    /// As `judge`.
    pub fn run_over(
        &mut self,
        repo: &Repo,
        code: CodeTree,
        gate: &Gate,
        (stage, command): (Stage, &str),
        files: &[(RepoPath, Vec<u8>)],
    ) -> Result<Ran> {
        let root = self.fill(repo, code)?;
        self.prepare(repo, gate)?;
        let slot = self.slot()?;
        slot.overlay(files).wrap_err("writing into a slot")?;
        let ran = self.run_one(stage, command, &root, gate, false);
        self.give_back(repo)?;
        ran
    }

    fn slot(&mut self) -> Result<&mut Slot> {
        let taken = self.slot.as_mut().ok_or_else(|| eyre!("no slot is leased"))?;
        Ok(taken.slot()?)
    }

    fn lease(&mut self, code: CodeTree) -> Result<()> {
        if self.slot.is_none() {
            let taken = self.pool.take(code, self.urgency, &self.session.stop);
            self.slot = Some(match taken {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Err(Fault::new(Kind::Interrupted, "stopped while it waited for a slot").into());
                }
                taken => taken.wrap_err("leasing a slot for checks")?,
            });
        }
        Ok(())
    }

    /// Cleans the slot and leaves it to others.
    fn give_back(&mut self, repo: &Repo) -> Result<()> {
        self.slot()?.restore(repo).wrap_err("cleaning a slot after checks")?;
        self.slot = None;
        Ok(())
    }

    fn fill(&mut self, repo: &Repo, code: CodeTree) -> Result<PathBuf> {
        self.lease(code)?;
        let slot = self.slot()?;
        slot.fill(repo, code).wrap_err("filling a slot")?;
        Ok(slot.root().to_owned())
    }

    fn prepare(&mut self, repo: &Repo, gate: &Gate) -> Result<()> {
        let workdir = repo.workdir().map(Path::to_owned);
        let env = self.session.env.for_git();
        let slot = self.slot()?;
        if let Some(workdir) = workdir.filter(|_| !gate.copy.is_empty()) {
            slot.copy_in(repo, &workdir, &gate.copy)
                .wrap_err("copying ignored files into a slot")?;
        }
        if gate.git {
            slot.add_git(&env).wrap_err("making a throw-away .git in a slot")?;
        }
        Ok(())
    }

    fn run_one(&mut self, stage: Stage, command: &str, root: &Path, gate: &Gate, is_own: bool) -> Result<Ran> {
        self.warn(gate);
        let mut env = self.session.env.for_checks(&gate.env);
        let cache = self.slot()?.cache_dir()?;
        reports::empty(&cache).wrap_err("emptying the folder of reports")?;
        env.push(("INVISIGOTH_JUNIT".into(), cache.join(reports::NAME).into()));
        env.push(("INVISIGOTH_CACHE".into(), cache.clone().into()));
        let repo = self.session.repo();
        let slot = self.slot.as_mut().ok_or_else(|| eyre!("no slot is leased"))?.slot()?;
        let fenced = match gate.sandbox {
            Sandbox::None => fenced::limited(slot, gate.memory, env),
            Sandbox::Bwrap => {
                let access = Access {
                    network: gate.network || is_own,
                    own_caches: is_own,
                    memory: gate.memory,
                    ..Access::default()
                };
                fenced::fence(self.session, &repo, slot, &access, env)?
            }
        };
        let limits = Limits {
            timeout: gate.timeout,
            env: fenced.env,
            before: fenced.before,
            output_cap: READ_CAP,
            redactor: self.session.redactor.clone(),
        };
        let (session, mut output) = (self.session, self.output.as_mut());
        let mut writing = output.as_mut().map(|output| output.begin(session, stage, command));
        let raw = match &mut writing {
            None => shell::run(command, stage, root, &limits, &session.stop),
            Some(writing) => {
                let heard = &mut |came: Option<&[u8]>| writing.take(came);
                shell::run_aloud(command, stage, root, &limits, (&session.stop, heard))
            }
        };
        if raw.end == End::NotStarted {
            // A machine that has no more files or processes says nothing about the code.
            return Err(not_started(command, &raw.output).into());
        }
        self.session.tally.checked(raw.took);
        // A check may leave something odd there; its output still tells.
        let reported = verdict::read_reports(&reports::read(&cache).unwrap_or_default());
        let tests = reported.or_else(|| verdict::read(&verdict::clean_output(&raw.output, usize::MAX), command));
        let text = verdict::clean_output(&raw.output, KEPT_CAP);
        let ran = Ran {
            stage,
            command: command.to_owned(),
            end: raw.end,
            took: raw.took,
            output: session.redactor.clean(&text),
            tests,
        };
        if let Some(writing) = writing {
            writing.end(&ran);
        }
        Ok(ran)
    }

    /// Says once that checks run without a fence although none was refused.
    fn warn(&mut self, gate: &Gate) {
        if gate.sandbox != Sandbox::None || !self.pool.is_first() {
            return;
        }
        if let Some(Err(why)) = self.session.bubblewrap.get() {
            self.session.say(format!(
                "checks run without a sandbox: {why}; `git invisigoth doctor` says more"
            ));
        }
    }

    /// Stores the verdicts that are not stored yet: of all code trees, or only of `needed`.
    ///
    /// # Errors
    /// When notes cannot be written.
    pub fn flush(&self, repo: &Repo, needed: Option<CodeTree>) -> Result<()> {
        self.verdicts.store(repo, needed, self.session.clock.now())
    }
}

/// True where the same might pass another time: a program that is not there will not come.
fn may_be_chance(failed: &Failed) -> bool {
    let end = failed.culprit().map(|ran| ran.end);
    matches!(end, Some(End::TimedOut | End::Exit(_)))
}

/// Unites the tests of all commands.
fn tests(ran: &[Ran]) -> Tests {
    let mut all = Tests::default();
    for tests in ran.iter().filter_map(|ran| ran.tests.clone()) {
        all.passed.extend(tests.passed);
        all.failed.extend(tests.failed);
        all.skipped.extend(tests.skipped);
    }
    all
}

fn setup_key(repo: &Repo, code: CodeTree, commands: &[(Stage, String)]) -> Result<String> {
    let mut parts: Vec<String> = commands
        .iter()
        .filter(|(stage, _)| *stage == Stage::Setup)
        .map(|(_, command)| command.clone())
        .collect();
    if parts.is_empty() {
        return Ok(String::new());
    }
    let snapshot = tree::snapshot(repo, code);
    for name in SETUP_INPUTS {
        let entry = snapshot.entry(&RepoPath::from_git(name.as_bytes()))?;
        parts.extend(entry.map(|entry| format!("{name} {}", entry.id)));
    }
    Ok(Hash::of("setup", parts.iter().map(String::as_bytes)).short(16))
}

/// True where nothing runs after `ran`.
fn stops(ran: &Ran, go_on: &impl Fn(&Ran) -> bool) -> bool {
    !ran.passed() && (ran.end == End::Stopped || !go_on(ran))
}

/// Says what to do where a fenced command failed for want of the network.
pub fn network_hint(gate: &Gate, stage: Stage, output: &str) -> Option<String> {
    let fenced = gate.sandbox != Sandbox::None && !gate.network;
    let hint = match stage {
        Stage::Setup => {
            "set-up of code whose lock files are not the branch's has no network: commit them yourself, or \
             `git config invisigoth.check.network true`"
        }
        _ => {
            "checks have no network: fetch what they need in `check.setup`, or `git config invisigoth.check.network true`"
        }
    };
    (fenced && fence::misses_network(output)).then(|| hint.to_owned())
}

/// True where a command failed by itself, with tests that can be told by name.
fn is_readable_red(ran: &Ran) -> bool {
    let named = ran.tests.as_ref().is_some_and(|tests| !tests.failed.is_empty());
    named && matches!(ran.end, End::Exit(_))
}

fn not_started(command: &str, why: &[u8]) -> Fault {
    let why = String::from_utf8_lossy(why);
    let fault = Fault::new(
        Kind::Error,
        format!("check `{command}` could not be started: {}", why.trim()),
    );
    fault.hint("`git invisigoth run` goes on once it can; `git invisigoth check` tries it alone")
}

fn red_base(ran: &Ran, gate: &Gate) -> Fault {
    let tail: Vec<&str> = ran.output.as_str().lines().rev().take(12).collect();
    let tail: Vec<&str> = tail.into_iter().rev().collect();
    let what = match ran.end {
        End::TimedOut => format!("ran over its limit of {} s", ran.took.as_secs()),
        End::Exit(127) => "is not there (exit 127)".to_owned(),
        End::Exit(code) => format!("fails with exit {code}"),
        End::Stopped | End::NotStarted => "was stopped".to_owned(),
    };
    let message = format!(
        "the target is red before anything was asked of a model: {} `{}` {what}\n{}",
        ran.stage.word(),
        ran.command,
        tail.join("\n")
    );
    let fault = Fault::new(Kind::Config, message);
    let fault = match network_hint(gate, ran.stage, ran.output.as_str()) {
        Some(hint) => fault.hint(hint),
        None => fault,
    };
    fault.hint("`git invisigoth check` runs the same; mend the code, or `[check]` in invisigoth.toml, and commit")
}
