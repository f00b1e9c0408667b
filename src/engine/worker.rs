//! The worker: one thread's handles on the repository, and what it knows. A run and a merge work with it.
//!
//! Owns the lock of a clone, taking in what people do meanwhile (hand edits, moves of the branch), and when notes and
//! checkout follow. Chooses no goal.

use std::{sync::Arc, time::Duration};

use eyre::{Result, WrapErr as _};

use crate::{
    backlog::{Backlog, close::PENDING},
    check::{Baseline, Gate},
    door::fs,
    engine::{
        asking::Asking,
        checks::Checker,
        hand_edits,
        landed::Landed,
        live::{Live, Phase},
        queue,
        recall::{self, Recalled},
        records,
        session::{self, Session},
        spending::Spending,
        target::Target,
        tariffs, undo,
        wording::Shelf,
    },
    event::Event,
    facts::{AttemptFact, Fact, Facts, Standing},
    fault::{Fault, Kind},
    git::{Repo, commit, locks, notes, objects, refs, tree},
    id::{CommitId, GoalId, Oid},
    settings::Settings,
    time::Moment,
};

/// How often the checkout follows while a run lands goals.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

/// What a run or a merge works with: one thread's handles and what it knows.
pub struct Worker<'s> {
    /// The session.
    pub session: &'s Session,
    /// The repository, for this thread.
    pub repo: Repo,
    /// Where goals land.
    pub target: Target,
    /// What state is computed from.
    pub facts: Facts,
    /// Where goals are read whole.
    pub backlog: Backlog,
    /// Settings at the tip.
    pub settings: Settings,
    /// The gate at the tip.
    pub gate: Gate,
    /// What is red at the base without us.
    pub baseline: Baseline,
    /// What prompts are made of.
    pub shelf: Shelf,
    /// Runs checks.
    pub checker: Checker<'s>,
    asking: Option<Asking>,
    spending: Option<Arc<Spending>>,
    /// What people's commits say that the tip's memory files do not yet.
    pub by_people: Landed,
    /// Records that `history.json` does not have yet (`isolation = "none"`).
    pub unwritten: Vec<String>,
    /// Goals that had landed beside the branch, which a person then moved: they land anew on it.
    again: Vec<GoalId>,
    unnoted: Vec<(Oid, String)>,
    followed: Moment,
    backlog_stamp: Option<fs::Stamp>,
    /// The lock of this clone, and what is said in it.
    pub live: Live,
}

impl<'s> Worker<'s> {
    /// Takes the lock and reads the facts.
    ///
    /// # Errors
    /// A fault when another run is at work here, nothing is configured, or the repository cannot be used.
    pub fn open(session: &'s Session) -> Result<Self> {
        let repo = session.repo();
        let live = Live::begin(session, &repo)?;
        ready_to_commit(&repo)?;
        let mut target = Target::read(session, &repo)?;
        let dead = locks::clear_dead(&repo, &target.branch, &session.stop)?;
        if dead > 0 {
            session.say(format!("locks that a killed command left on refs: {dead}, gone now"));
        }
        let again = target.reconcile(&repo)?;
        let settings = session.settings_at(&repo, Some(target.tip))?.settings;
        let gate = session::gate(session, &repo, &settings)?;
        // The stamp first: an edit in between is then seen as one.
        let backlog_stamp = recall::backlog_file(&repo, &target).and_then(|path| fs::stamp(&path));
        let Recalled {
            facts,
            backlog,
            landed: by_people,
        } = recall::read(session, &repo, &target)?;
        let checker = Checker::new(session, &repo);
        let shelf = Shelf::open(session, &repo);
        let followed = session.clock.now();
        let unwritten = records::late_rows(&repo, target.tip)?;
        Ok(Self {
            session,
            repo,
            target,
            facts,
            backlog,
            settings,
            gate,
            baseline: Baseline::default(),
            shelf,
            checker,
            asking: None,
            spending: None,
            by_people,
            unwritten,
            again,
            unnoted: Vec::new(),
            followed,
            backlog_stamp,
            live,
        })
    }

    /// Begins to act: brings in what waits beside the branch, records hand edits, completes the notes. Until then a command
    /// that cannot go on has changed nothing of the user's.
    ///
    /// # Errors
    /// When refs, objects or the index cannot be read or written.
    pub fn begin(&mut self) -> Result<()> {
        let (branch, waited) = (self.target.branch.clone(), self.target.is_waiting());
        match self.target.advance(self.session, &self.repo)? {
            Some(why) => self.session.say(format!("results wait beside `{branch}`: {why}")),
            None if waited => self
                .session
                .say(format!("`{branch}` is at {} now", self.target.head.short())),
            None => {}
        }
        if let hand_edits::Recorded::Skipped(why) =
            hand_edits::record_edits(self.session, &self.repo, &mut self.target)?
        {
            self.session.say(format!("edits of memory/ stay unrecorded: {why}"));
        }
        self.facts.tip = Some(self.target.tip);
        // Recording moves the branch away from results that wait beside it.
        let left = self.target.reconcile(&self.repo)?;
        if !left.is_empty() {
            self.again.extend(left);
            self.recall()?;
        }
        records::heal_notes(self)?;
        Ok(())
    }

    /// Returns who answers; opened with the first call.
    ///
    /// # Errors
    /// As `Asking::open`.
    pub fn asking(&mut self) -> Result<&mut Asking> {
        let asking = match self.asking.take() {
            Some(asking) => asking,
            None => {
                let capped = self.backlog.text().contains("\"budget_usd\"");
                let spending = self.spending()?;
                Asking::open(self.session, &self.settings, capped, spending)?
            }
        };
        Ok(self.asking.insert(asking))
    }

    /// Returns the ledger of spending; opened with the first try.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn spending(&mut self) -> Result<Arc<Spending>> {
        let spending = match self.spending.take() {
            Some(spending) => spending,
            None => {
                let is_paid = !tariffs::is_scripted(&self.settings.llm);
                Arc::new(Spending::open(self.session, is_paid).wrap_err("opening the ledger of spending")?)
            }
        };
        Ok(Arc::clone(self.spending.insert(spending)))
    }

    /// Returns the calls made and the dollars spent so far, at worst where nobody knows; no dollars where a price is unknown.
    pub fn spent(&self) -> (u64, Option<f64>) {
        let own = self.spending.as_ref().map(|spending| spending.own());
        own.map_or((0, Some(0.0)), |own| (own.calls, own.known_usd()))
    }

    /// Checks the base, once, before anything is paid for.
    ///
    /// # Errors
    /// A fault when no checks are configured, or the base is red in a way that cannot be told from a candidate's.
    pub fn check_base(&mut self) -> Result<()> {
        if !self.gate.is_empty() {
            self.session.sink.emit(&Event::Baseline { base: self.target.tip });
            self.step(Phase::Checking, None);
        }
        self.know_base()
    }

    /// As `check_base`, where nothing is going to be asked: says nothing but what is red.
    ///
    /// # Errors
    /// As `check_base`.
    pub fn know_base(&mut self) -> Result<()> {
        if self.gate.is_empty() {
            return Err(no_checks().into());
        }
        let code = tree::code_of_commit(&self.repo, self.target.tip)?;
        self.baseline = self.checker.baseline(&self.repo, code, &self.gate)?;
        for name in self.baseline.known_red.iter().take(5) {
            self.session.say(format!("known red at the base: {name}"));
        }
        Ok(())
    }

    /// Reads the target again, in case somebody moved it, and lands anew what that left behind.
    ///
    /// # Errors
    /// When refs or the backlog cannot be read.
    pub fn refresh_target(&mut self) -> Result<()> {
        let tip = self.target.tip;
        if !self.look_again()? {
            return Ok(());
        }
        if self.target.tip != tip {
            self.check_moved_base(tip)?;
        }
        self.land_again()
    }

    /// Reads the target again; true where somebody moved it.
    ///
    /// # Errors
    /// When refs or the backlog cannot be read.
    pub fn look_again(&mut self) -> Result<bool> {
        let tip = self.target.tip;
        let head = refs::read(&self.repo, &refs::branch_ref(&self.target.branch))?;
        let landed = refs::read(&self.repo, &refs::landed_ref(&self.target.branch))?;
        if head == Some(self.target.head) && landed == self.target.landed {
            return Ok(false);
        }
        self.target = self.target.again(&self.repo)?;
        self.again = self.target.reconcile(&self.repo)?;
        if self.target.tip != tip {
            self.recall()?;
        }
        Ok(true)
    }

    /// True where something that had landed or was undone beside the branch is to be done anew on it.
    ///
    /// # Errors
    /// When refs cannot be read.
    pub fn owes(&self) -> Result<bool> {
        Ok(!self.again.is_empty() || !refs::below(&self.repo, refs::UNDONE)?.is_empty())
    }

    /// Checks the base again where its code is not that of `before`: what people made red must fail no goal, nor be paid
    /// for.
    fn check_moved_base(&mut self, before: CommitId) -> Result<()> {
        let code = |commit| tree::code_of_commit(&self.repo, commit);
        if code(before)?.id == code(self.target.tip)?.id {
            return Ok(());
        }
        self.check_base()
    }

    /// Lands anew what a person's move of the branch left behind, in the order in which it had landed, and takes out anew what
    /// was undone. What does not fit any more fails.
    ///
    /// # Errors
    /// When the repository cannot be read or written, or a check cannot be run.
    pub fn land_again(&mut self) -> Result<()> {
        let again = std::mem::take(&mut self.again);
        if !again.is_empty() {
            self.session.say(format!(
                "branch `{}` moved: {} anew on it",
                self.target.branch,
                match again.len() {
                    1 => "1 goal lands".to_owned(),
                    many => format!("{many} goals land"),
                }
            ));
        }
        for id in again {
            queue::land_anew(self, &id)?;
        }
        undo::anew(self)
    }

    /// Reads the facts anew.
    ///
    /// # Errors
    /// When refs or the backlog cannot be read.
    pub fn recall(&mut self) -> Result<()> {
        let running = self.facts.running.clone();
        let Recalled { facts, backlog, landed } = recall::read(self.session, &self.repo, &self.target)?;
        (self.facts, self.backlog, self.by_people) = (facts, backlog, landed);
        self.facts.running = running;
        self.settings = self.session.settings_at(&self.repo, Some(self.target.tip))?.settings;
        self.gate = session::gate(self.session, &self.repo, &self.settings)?;
        Ok(())
    }

    /// Takes in hand edits: where the backlog's file changed since it was read, they are recorded and the facts read anew.
    ///
    /// # Errors
    /// When refs, objects or the index cannot be read or written.
    pub fn take_in_edits(&mut self) -> Result<()> {
        self.target.look(&self.repo)?;
        let stamp = recall::backlog_file(&self.repo, &self.target).and_then(|path| fs::stamp(&path));
        if recall::backlog_file(&self.repo, &self.target).is_none() {
            // Not checked out here, the backlog changes by commits.
            return self.refresh_target();
        }
        if stamp == self.backlog_stamp {
            return Ok(());
        }
        // A file saved half-way is not the end of a night: the goals stay as they were until it can be read.
        if let Err(error) = recall::read(self.session, &self.repo, &self.target) {
            let fault = error.downcast::<Fault>()?;
            self.session.say(format!("edits wait: {}", fault.message));
            return Ok(());
        }
        // Where results wait beside the branch, bring them in first: the edit was made on what the person sees.
        self.follow()?;
        if let hand_edits::Recorded::Skipped(why) =
            hand_edits::record_edits(self.session, &self.repo, &mut self.target)?
        {
            self.session.say(format!("edits of memory/ stay unrecorded: {why}"));
        }
        let tip = self.target.tip;
        self.target = self.target.again(&self.repo)?;
        self.again = self.target.reconcile(&self.repo)?;
        self.backlog_stamp = stamp;
        self.recall()?;
        self.check_moved_base(tip)?;
        self.land_again()
    }

    /// Notes that a commit of ours moved the tip to `head`, and keeps its lines for the next time notes are written.
    pub fn landed(&mut self, head: CommitId, lines: Vec<(CommitId, String)>) {
        self.by_people = Landed::default();
        self.unwritten.clear();
        for (commit, line) in lines {
            if commit == head {
                self.unwritten.push(line.clone());
            }
            self.unnoted.push((commit.0, line));
        }
        self.target.moved(head);
    }

    /// Writes notes and brings the checkout to the tip; says why if it has to wait.
    ///
    /// # Errors
    /// When notes or refs cannot be written.
    pub fn follow(&mut self) -> Result<Option<String>> {
        self.followed = self.session.clock.now();
        notes::add(
            &self.repo,
            refs::NOTES,
            &std::mem::take(&mut self.unnoted),
            self.followed,
        )?;
        let waits = self.target.advance(self.session, &self.repo)?;
        let tip = tree::code_of_commit(&self.repo, self.target.tip)?;
        // What is part of the branch is not judged again, but for its head: the base of the next run. As long as something
        // waits, all may be needed to land it anew.
        let all = waits.is_some() || !self.facts.candidates.is_empty();
        self.checker.flush(&self.repo, (!all).then_some(tip))?;
        self.backlog_stamp = self.stamp_of_unedited_backlog()?.or(self.backlog_stamp);
        Ok(waits)
    }

    /// A fast-forward rewrites the backlog's file: that is no hand edit. Returns the file's stamp where it is as in the head.
    fn stamp_of_unedited_backlog(&self) -> Result<Option<fs::Stamp>> {
        let Some(path) = recall::backlog_file(&self.repo, &self.target) else {
            return Ok(None);
        };
        let stamp = fs::stamp(&path);
        let head = tree::blob_at(&self.repo, tree::of_commit(&self.repo, self.target.head)?, PENDING)?;
        let now = fs::read(&path)?
            .map(|content| objects::blob_id(&self.repo, &content))
            .transpose()?;
        Ok(stamp.filter(|_| now.is_some() && now == head))
    }

    /// Follows where the last time is two seconds ago, and takes in hand edits.
    ///
    /// # Errors
    /// As `follow`.
    pub fn follow_now_and_then(&mut self) -> Result<()> {
        if self.session.clock.now().since(self.followed) >= FOLLOW_EVERY {
            self.follow()?;
        }
        self.take_in_edits()
    }

    /// Says which goal is in hand, for `status` in another terminal.
    pub fn mark(&mut self, goal: Option<&GoalId>) {
        self.facts.running = goal.cloned();
        self.live.take(goal, self.session.clock.now());
    }

    /// Says which step of the work begins, in which round.
    pub fn step(&mut self, phase: Phase, round: Option<u32>) {
        let spent = self.spent();
        self.live.step((phase, round), self.session.clock.now(), spent);
    }

    /// Takes in that attempt `number` at `id` came to nothing for now, and says so.
    pub fn ended(&mut self, id: &GoalId, number: u32, standing: Standing, why: &str) {
        let fact = AttemptFact {
            number,
            standing,
            reason: why.to_owned(),
            outdated: false,
        };
        self.facts.learn(Fact::Attempt(id.clone(), fact));
        let open = self.facts.goals.get(id);
        let description = open.map(|open| open.description.clone()).unwrap_or_default();
        let (goal, why) = (id.clone(), why.to_owned());
        self.session.sink.emit(&match standing {
            Standing::Paused => Event::Paused { goal, description, why },
            Standing::Open | Standing::Failed | Standing::Retried => Event::Failed { goal, description, why },
        });
    }
}

/// Says what keeps this repository from getting commits of ours, if something does.
///
/// # Errors
/// A fault without identity, or with a branch named `invisigoth`.
pub fn ready_to_commit(repo: &Repo) -> Result<()> {
    commit::check_identity(repo).map_err(|none| {
        Fault::new(Kind::Config, none.to_string())
            .hint("`git config user.name \"Your Name\" && git config user.email you@example.org`")
    })?;
    if let Some(branch) = refs::clash(repo)? {
        return Err(Fault::new(
            Kind::Config,
            format!("the branch `{branch}` makes branches `{branch}/<goal>` impossible"),
        )
        .hint(format!("`git branch -m {branch} {branch}-old`"))
        .into());
    }
    Ok(())
}

/// The fault of a repository without checks.
pub fn no_checks() -> Fault {
    Fault::new(
        Kind::Config,
        "no checks are configured, so nothing can be told right from wrong",
    )
    .hint("`git invisigoth init` detects them; or set `check.test` in invisigoth.toml and commit it")
}
