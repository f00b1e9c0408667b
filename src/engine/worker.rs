//! The worker: one thread's handles on the repository, and what it knows. A run and a merge work with it.
//!
//! Owns the turn at the target, taking in what people do meanwhile (hand edits, moves of the branch), and when notes and
//! checkout follow. Chooses no goal.

use std::{sync::Arc, time::Duration};

use eyre::Result;

use crate::{
    backlog::{Backlog, close::PENDING},
    check::{Baseline, Gate},
    door::{fs, wait},
    engine::{
        asking::Asking,
        checks::Checker,
        claims::Claims,
        hand_edits, inbox,
        landed::{self, Landed},
        live::{Live, Phase},
        pool::{self, Pool, Urgency},
        purse::{Kept, Purse},
        queue,
        recall::{self, Recalled},
        records::{self, Unnoted},
        session::{self, Session},
        spending::Spending,
        target::Target,
        turn::{self, Turn},
        undo,
        wording::Shelf,
    },
    event::Event,
    facts::{AttemptFact, Fact, Facts, Standing},
    fault::Fault,
    git::{Repo, locks, objects, refs, tree},
    id::{CommitId, GoalId},
    settings::Settings,
    time::Moment,
};

/// How often the checkout follows while a run lands goals.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

/// How often, and how many times, a command that cannot do without the turn looks whether it is free.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const PATIENCE: u32 = 50;

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
    pub backlog: Arc<Backlog>,
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
    /// What this run spends.
    pub purse: Arc<Purse>,
    /// What people's commits say that the tip's memory files do not yet.
    pub by_people: Landed,
    /// Records that `history.json` does not have yet (`isolation = "none"`).
    pub unwritten: Vec<String>,
    /// Goals that had landed beside the branch, which a person then moved: they land anew on it.
    again: Vec<GoalId>,
    unnoted: Unnoted,
    followed: Moment,
    backlog_stamp: Option<inbox::Stamp>,
    turn: Option<Turn>,
    /// The last tip that is known to be fit to build on; `None` where the base was not checked.
    sound: Option<CommitId>,
    /// The goal in hand.
    in_hand: Option<GoalId>,
    /// What this process says of itself.
    pub live: Arc<Live>,
    /// The claims of this run, as long as it works at goals.
    pub claims: Option<Arc<Claims<'s>>>,
}

impl<'s> Worker<'s> {
    /// Opens with the turn at the target, which is kept as long as the worker lives, and reads the facts.
    ///
    /// # Errors
    /// A fault when another process has the turn, nothing is configured, or the repository cannot be used.
    pub fn open(session: &'s Session) -> Result<Self> {
        let mut worker = Self::join(session, None)?;
        for _ in 0..PATIENCE {
            // A run takes the turn for a moment, again and again; for long it has it only while it lands.
            if worker.take_turn()? || !wait::pause(LOOK_EVERY, &session.stop) {
                break;
            }
        }
        if worker.turn.is_none() {
            return Err(turn::busy(session, &worker.repo).into());
        }
        Ok(worker)
    }

    /// Reads the facts; has the turn at the target where it is free. `kept` is of earlier rounds of the same run.
    ///
    /// # Errors
    /// A fault when nothing is configured, or the repository cannot be used.
    pub fn join(session: &'s Session, kept: Option<Kept>) -> Result<Self> {
        let repo = session.repo();
        let turn = Turn::take(session, &repo)?;
        session::ready_to_commit(&repo)?;
        let mut target = Target::read(session, &repo)?;
        let mut again = Vec::new();
        if turn.is_some() {
            let dead = locks::clear_dead(&repo, &target.branch, &session.stop)?;
            if dead > 0 {
                session.say(format!("locks that a killed command left on refs: {dead}, gone now"));
            }
            // Before the backlog is read: git may have died while it wrote that very file.
            target.mend(session, &repo)?;
            again = target.reconcile(&repo, session.clock.now())?;
        }
        let settings = session.settings_at(&repo, Some(target.tip))?.settings;
        let gate = session::gate(session, &repo, &settings)?;
        // The stamp first: an edit in between is then seen as one.
        let backlog_stamp = inbox::stamp(&repo, &target);
        let Recalled {
            facts,
            backlog,
            beside,
            landed: by_people,
            ..
        } = recalled(session, &repo, &target, turn.is_some())?;
        let pool = Pool::new(session, &repo, pool::check_jobs(&settings));
        let unwritten = records::late_rows(&repo, target.tip)?;
        // Last: whoever cannot begin is never at work.
        let Kept { live, purse, .. } = match kept {
            Some(kept) => kept,
            None => Kept::begin(session, &repo)?,
        };
        Ok(Self {
            session,
            checker: Checker::of(session, pool),
            shelf: Shelf::open(session, &repo),
            repo,
            target,
            facts,
            backlog: Arc::new(beside.unwrap_or(backlog)),
            settings,
            gate,
            baseline: Baseline::default(),
            purse,
            by_people,
            unwritten,
            again,
            unnoted: Unnoted::default(),
            followed: session.clock.now(),
            backlog_stamp,
            turn,
            sound: None,
            in_hand: None,
            live,
            claims: None,
        })
    }

    /// Makes a worker for another thread of this run. It knows nothing until `take_up` and never has the turn.
    pub fn beside(&self) -> Self {
        let repo = self.session.repo();
        Self {
            session: self.session,
            checker: self.checker.beside(Urgency::Goal),
            shelf: Shelf::open(self.session, &repo),
            repo,
            target: self.target.clone(),
            facts: Facts::default(),
            backlog: Arc::clone(&self.backlog),
            settings: self.settings.clone(),
            gate: self.gate.clone(),
            baseline: self.baseline.clone(),
            purse: Arc::clone(&self.purse),
            by_people: Landed::default(),
            unwritten: Vec::new(),
            again: Vec::new(),
            unnoted: Unnoted::default(),
            followed: self.followed,
            backlog_stamp: None,
            turn: None,
            sound: None,
            in_hand: None,
            live: Arc::clone(&self.live),
            claims: None,
        }
    }

    /// Takes `id` in hand, with what `lead` knows now; it is built on the tip, or on the candidate `on`.
    pub fn take_up(&mut self, id: &GoalId, lead: &Worker<'_>, on: Option<CommitId>) {
        self.target = lead.target.clone();
        self.target.tip = on.unwrap_or(lead.target.tip);
        self.backlog = Arc::clone(&lead.backlog);
        self.settings = lead.settings.clone();
        self.gate = lead.gate.clone();
        self.baseline = lead.baseline.clone();
        self.checker.share(&lead.checker);
        // An attempt asks what came before at its own goal, and nothing of others.
        let attempts = lead.facts.attempts.get(id);
        self.facts = Facts {
            tip: Some(self.target.tip),
            attempts: attempts
                .map(|attempt| (id.clone(), attempt.clone()))
                .into_iter()
                .collect(),
            ..Facts::default()
        };
        self.in_hand = Some(id.clone());
    }

    /// Takes the turn at the target where it is free; what others did until then is known afterwards. True where it is ours.
    ///
    /// # Errors
    /// When the lock cannot be taken, or refs or the backlog cannot be read.
    pub fn take_turn(&mut self) -> Result<bool> {
        if self.turn.is_none() {
            self.turn = Turn::take(self.session, &self.repo)?;
            if self.turn.is_some() {
                self.look_again()?;
            }
        }
        Ok(self.turn.is_some())
    }

    /// Leaves the turn at the target to others.
    pub fn pass_turn(&mut self) {
        self.turn = None;
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
        if self.reconcile()? {
            self.recall()?;
        }
        records::heal_notes(self)?;
        Ok(())
    }

    /// Returns who answers; opened with the first call.
    ///
    /// # Errors
    /// As `Asking::open`.
    pub fn asking(&self) -> Result<Arc<Asking>> {
        let capped = self.backlog.text().contains("\"budget_usd\"");
        self.purse.asking(self.session, &self.settings, capped)
    }

    /// Returns the ledger of spending; opened with the first try.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn spending(&self) -> Result<Arc<Spending>> {
        self.purse.spending(self.session, &self.settings)
    }

    /// Returns the calls made and the dollars spent so far, at worst where nobody knows; no dollars where a price is unknown.
    pub fn spent(&self) -> (u64, Option<f64>) {
        self.purse.spent()
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
            return Err(session::no_checks().into());
        }
        let code = tree::code_of_commit(&self.repo, self.target.tip)?;
        self.baseline = self.checker.baseline(&self.repo, code, &self.gate)?;
        self.sound = Some(self.target.tip);
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
        self.look_again()?;
        self.check_moved_base()?;
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
        if self.turn.is_some() {
            self.reconcile()?;
        }
        if self.target.tip != tip {
            self.recall()?;
            self.unwritten = records::late_rows(&self.repo, self.target.tip)?;
        }
        Ok(true)
    }

    /// Sees to what a person moved the branch away from; true where that moved the tip.
    fn reconcile(&mut self) -> Result<bool> {
        let (tip, at) = (self.target.tip, self.session.clock.now());
        self.again.extend(self.target.reconcile(&self.repo, at)?);
        Ok(self.target.tip != tip)
    }

    /// True where something that had landed or was undone beside the branch is to be done anew on it.
    ///
    /// # Errors
    /// When refs cannot be read.
    pub fn owes(&self) -> Result<bool> {
        Ok(!self.again.is_empty() || !refs::below(&self.repo, refs::UNDONE)?.is_empty())
    }

    /// Checks the base again where people gave it other code: what they made red must fail no goal, nor be paid for.
    fn check_moved_base(&mut self) -> Result<()> {
        let Some(sound) = self.sound.filter(|sound| *sound != self.target.tip) else {
            return Ok(());
        };
        let code = |commit| tree::code_of_commit(&self.repo, commit);
        if code(sound)?.id != code(self.target.tip)?.id && !landed::are_landings(&self.repo, sound, self.target.tip)? {
            return self.check_base();
        }
        self.sound = Some(self.target.tip);
        Ok(())
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
        let Recalled {
            facts,
            backlog,
            beside,
            landed,
            ..
        } = recalled(self.session, &self.repo, &self.target, self.turn.is_some())?;
        let durations = std::mem::take(&mut self.facts.durations);
        (self.facts, self.backlog, self.by_people) = (facts, Arc::new(beside.unwrap_or(backlog)), landed);
        self.facts.durations = durations;
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
        let stamp = inbox::stamp(&self.repo, &self.target);
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
        self.target = self.target.again(&self.repo)?;
        self.reconcile()?;
        self.backlog_stamp = stamp;
        self.recall()?;
        self.check_moved_base()?;
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
            self.unnoted.add(commit, line);
        }
        self.target.moved(head);
        self.sound = self.sound.map(|_| head);
    }

    /// Writes notes and brings the checkout to the tip; says why if it has to wait.
    ///
    /// # Errors
    /// When notes or refs cannot be written.
    pub fn follow(&mut self) -> Result<Option<String>> {
        self.forward(true)
    }

    fn forward(&mut self, all: bool) -> Result<Option<String>> {
        self.note(all)?;
        self.followed = self.session.clock.now();
        let waits = self.target.advance(self.session, &self.repo)?;
        let tip = tree::code_of_commit(&self.repo, self.target.tip)?;
        // What is part of the branch is not judged again, but for its head: the base of the next run. As long as something
        // waits, all may be needed to land it anew.
        let all = waits.is_some() || !self.facts.candidates.is_empty();
        self.checker.flush(&self.repo, (!all).then_some(tip))?;
        self.backlog_stamp = self.stamp_of_unedited_backlog()?.or(self.backlog_stamp);
        Ok(waits)
    }

    /// At the end: saves what landed, and brings the checkout along where nobody else is landing, who would do it then.
    ///
    /// # Errors
    /// As `follow`.
    pub fn finish(&mut self) -> Result<Option<String>> {
        self.step_of(None, None);
        if self.take_turn()? {
            return self.follow();
        }
        self.note(true).map(|()| None)
    }

    /// Writes the notes of what this run landed; all of them at the end of what it does.
    fn note(&mut self, all: bool) -> Result<()> {
        let mut unnoted = std::mem::take(&mut self.unnoted);
        let noted = unnoted.note(self, all);
        self.unnoted = unnoted;
        noted
    }

    /// A fast-forward rewrites the backlog's file: that is no hand edit. Returns the file's stamp where it is as in the head.
    fn stamp_of_unedited_backlog(&self) -> Result<Option<inbox::Stamp>> {
        let Some(path) = recall::backlog_file(&self.repo, &self.target) else {
            return Ok(None);
        };
        let stamp = inbox::stamp(&self.repo, &self.target);
        let root = tree::of_commit(&self.repo, self.target.head)?;
        let head = tree::blob_at(&self.repo, root, PENDING)?;
        // What is no file any more was edited, too.
        let content = fs::read(&path).ok().flatten();
        let now = content
            .map(|content| objects::blob_id(&self.repo, &content))
            .transpose()?;
        let is_unedited = now.is_some() && now == head && inbox::on_disk(&path)? == inbox::stored(&self.repo, root)?;
        Ok(stamp.filter(|_| is_unedited))
    }

    /// Follows where the last time is two seconds ago, and takes in hand edits.
    ///
    /// # Errors
    /// As `follow`.
    pub fn follow_now_and_then(&mut self) -> Result<()> {
        if self.session.clock.now().since(self.followed) >= FOLLOW_EVERY {
            self.forward(false)?;
        }
        self.take_in_edits()
    }

    /// Says which step of the work begins, in which round: at the goal in hand, else of the run itself.
    pub fn step(&mut self, phase: Phase, round: Option<u32>) {
        self.step_of(self.in_hand.clone().as_ref(), Some((phase, round)));
    }

    /// As `step`, of `goal`; `None` for nothing in particular.
    pub fn step_of(&self, goal: Option<&GoalId>, step: Option<(Phase, Option<u32>)>) {
        self.live.step(goal, step, self.session.clock.now(), self.spent());
    }

    /// Takes in that attempt `number` at `id` came to nothing for now, and says so.
    pub fn ended(&mut self, id: &GoalId, number: u32, standing: Standing, why: &str) {
        let fact = AttemptFact {
            number,
            standing,
            reason: why.to_owned(),
            outdated: false,
            evictions: 0,
        };
        self.facts.learn(Fact::Attempt(id.clone(), fact));
        let open = self.facts.goals.get(id);
        let description = open.map(|open| open.description.clone()).unwrap_or_default();
        let (goal, why) = (id.clone(), why.to_owned());
        self.session.sink.emit(&match standing {
            Standing::Paused => Event::Paused { goal, description, why },
            Standing::Open | Standing::Failed | Standing::Retried | Standing::Evicted => {
                Event::Failed { goal, description, why }
            }
        });
    }
}

/// Reads the facts. Without the turn, another process may just be bringing the checkout along, and git writes the backlog's
/// file in place: what cannot be read is read again for a moment.
fn recalled(session: &Session, repo: &Repo, target: &Target, has_turn: bool) -> Result<Recalled> {
    let mut tries = 0;
    loop {
        let read = recall::read(session, repo, target);
        tries += 1;
        if read.is_ok() || has_turn || tries >= PATIENCE || !wait::pause(LOOK_EVERY, &session.stop) {
            return read;
        }
    }
}
