//! A night: a run that goes on and on, round after round, and waits in between for something to do, for a cap, or for a
//! provider, until its window ends.
//!
//! What comes next is decided by `schedule/night`; a round is `run`. Nothing is stored: a night that was killed begins again
//! from the facts, and what outlives it is what the ledger, the attempts and the backlog say.

pub mod caps;
pub mod look;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use eyre::Result;
use serde::Serialize;

use crate::{
    check::Stage,
    door::{env, wait, wait::Stopwatch},
    engine::{
        live::Phase,
        night::{caps::Waiting, look::Look},
        orders,
        purse::Kept,
        report::{self, Report},
        run::{self, Order, Summary, Tonight},
        session::Session,
        spending::{self, Refusal},
        target::Target,
        tariffs,
        worker::Worker,
    },
    event::Event,
    fault::{Fault, Kind, Passes},
    git::tree,
    schedule::{
        State,
        night::{self, End, Next, Reason, Round, Stopped, Tally, Trouble, Wait, Window},
    },
    settings::Budget,
    time::{Moment, Stop, Stopping, local},
};

/// How often a night that waits looks what has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Taken for the time of a reply where none is known.
const A_REPLY: Duration = Duration::from_secs(30);

/// What a night came to.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The sum of its rounds.
    #[serde(flatten)]
    pub summary: Summary,
    /// The night itself.
    pub night: Told,
}

/// What is told of a night besides its goals.
#[derive(Debug, Serialize)]
pub struct Told {
    /// When it began, RFC 3339 UTC.
    pub began_at: String,
    /// When it ended, RFC 3339 UTC.
    pub ended_at: String,
    /// Why it ended: `window`, `stopped`, `stalled`, `max` or `trouble`.
    pub end: &'static str,
    /// How many rounds it had.
    pub rounds: u64,
    /// Seconds that it waited, by what for.
    pub waited: BTreeMap<&'static str, f64>,
    /// What came of it and of other runs meanwhile; absent where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// Runs `order` again and again until `window` is over.
///
/// # Errors
/// A fault when it cannot begin. What goes wrong later is in the outcome.
pub fn run(session: &Session, order: &Order, window: Window) -> Result<Outcome> {
    let (over, done, since) = (AtomicBool::new(false), Done::default(), Stopwatch::start());
    let now = session.clock.now();
    thread::scope(|scope| {
        // Ends the watch below whatever becomes of the night.
        let done = done;
        if window.left(now, Duration::ZERO).is_some() {
            let (done, over) = (done.0.clone(), &over);
            scope.spawn(move || close(session, (window, since), over, &done));
        }
        let night = Night {
            first: session,
            order,
            window,
            since,
            began: now,
            over: &over,
            tally: Tally::new(format!("{} {}", session.repo_id(&session.repo()), env::process_id())),
            kept: None,
            before: caps::configured(session).unwrap_or_default(),
            sum: Summary::default(),
            fault: None,
            refusal: None,
            in_a_row: 0,
            rounds: 0,
            waited: BTreeMap::new(),
            said: None,
            plans: order.plan.is_some(),
            limits: Limits::default(),
        };
        night.work()
    })
}

/// Raised when it goes.
#[derive(Default)]
struct Done(Stop);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// Waits for the end of the window, and has all that waits or begins something stop there, as Ctrl-C does.
fn close(session: &Session, (window, since): (Window, Stopwatch), over: &AtomicBool, done: &Stop) {
    while let Some(left) = window.left(session.clock.now(), since.elapsed()) {
        if left.is_zero() {
            if session.stop.stopping() == Stopping::No {
                over.store(true, Ordering::SeqCst);
                session.say("the window is over; nothing new begins");
                session.stop.press();
            }
            return;
        }
        if !wait::pause(left.min(LOOK_EVERY), done) {
            return;
        }
    }
}

/// Settings that count between rounds.
#[derive(Clone, Copy, Default)]
struct Limits {
    stalled: u32,
    idle: Duration,
    has_remote: bool,
}

struct Night<'a> {
    first: &'a Session,
    order: &'a Order,
    window: Window,
    since: Stopwatch,
    began: Moment,
    over: &'a AtomicBool,
    tally: Tally,
    kept: Option<Kept>,
    /// The caps that files said when it began.
    before: Budget,
    sum: Summary,
    /// What the last round ended with.
    fault: Option<Fault>,
    refusal: Option<Refusal>,
    in_a_row: u32,
    rounds: u64,
    waited: BTreeMap<&'static str, f64>,
    /// What was said last of what is waited for, where nothing was done since.
    said: Option<String>,
    /// Whether a plan may be made: another one only after something landed, or people did something.
    plans: bool,
    limits: Limits,
}

impl Night<'_> {
    fn work(mut self) -> Result<Outcome> {
        loop {
            let mut seen = None;
            let round = self.round(&mut seen)?;
            match self.tally.next(&round, self.first.clock.now()) {
                Next::Work => {}
                Next::Wait(wait) => self.wait(wait, seen),
                Next::End(end) => return Ok(self.end(end)),
            }
            // What it waited for in vain is what it ends with.
            match self.stopped() {
                Stopped::No => {}
                Stopped::Window => return Ok(self.end(End::Window)),
                Stopped::Asked => return Ok(self.end(End::Asked)),
            }
        }
    }

    /// Runs what is ready, once. What cannot even begin ends the night before it began.
    fn round(&mut self, seen: &mut Option<Look>) -> Result<Round> {
        let is_first = self.rounds == 0;
        self.fault = None;
        let ran = self.ran(seen);
        let paused = matches!(ran, Ok(None));
        let (did, tried) = match ran {
            Ok(Some(summary)) => self.take_in(summary),
            Ok(None) => (false, 0),
            Err(error) => {
                let fault = error.downcast_ref::<Fault>().cloned();
                self.fault = Some(fault.unwrap_or_else(|| Fault::new(Kind::Error, format!("{error:#}"))));
                if is_first && self.trouble(true) == Some(Trouble::Permanent) {
                    return Err(error);
                }
                (false, 0)
            }
        };
        self.sum.tried += tried;
        self.said = self.said.take().filter(|_| !did);
        let is_changed = seen.as_mut().is_some_and(|seen| seen.is_changed(true).unwrap_or(false));
        Ok(Round {
            stopped: self.stopped(),
            trouble: if paused {
                Some(Trouble::Paused)
            } else {
                // What did something was able to begin.
                self.trouble(is_first && !did)
            },
            did,
            in_a_row: self.in_a_row,
            limit: self.limits.stalled,
            is_full: self.order.max.is_some_and(|max| self.sum.tried >= max),
            is_changed,
            look: self.limits.has_remote.then_some(self.limits.idle),
        })
    }

    /// Begins a round with all as it is now; none where people want no new work.
    fn ran(&mut self, seen: &mut Option<Look>) -> Result<Option<Summary>> {
        let fresh = self.first.again(&[])?;
        let told = caps::told(&self.before, &caps::configured(&fresh)?);
        let session = if told.is_empty() { fresh } else { fresh.again(&told)? };
        *seen = Some(Look::at(&session)?);
        let repo = session.repo();
        let tip = Target::read(&session, &repo)?.tip;
        let settings = session.settings_at(&repo, Some(tip))?.settings;
        self.limits = Limits {
            stalled: settings.run.stalled,
            idle: settings.run.idle.max(LOOK_EVERY),
            has_remote: settings.sync.remote.is_some(),
        };
        if let Some(order) = orders::paused(&session, &repo) {
            orders::refuse_in_ci(&session, &order)?;
            let why = order.why.map(|why| format!(": {why}")).unwrap_or_default();
            self.fault = Some(Fault::new(Kind::Person, format!("paused{why}")).hint("`git invisigoth resume` goes on"));
            return Ok(None);
        }
        if let Some(kept) = &self.kept {
            kept.purse.renew();
        }
        let order = self.order_now();
        let ran = run::round(&session, &order, &mut self.kept);
        self.rounds += 1;
        let opened = self.kept.as_ref().and_then(|kept| kept.purse.opened());
        self.refusal = opened.and_then(|spending| spending.take_refusal());
        ran.map(Some)
    }

    fn order_now(&self) -> Order {
        let left = self.window.left(self.first.clock.now(), self.since.elapsed());
        Order {
            max: self.order.max.map(|max| max.saturating_sub(self.sum.tried)),
            plan: self.order.plan.clone().filter(|_| self.plans),
            night: Some(Tonight {
                left,
                in_a_row: self.in_a_row,
                is_first: self.rounds == 0,
                warns: !self.sum.based,
            }),
            ..self.order.clone()
        }
    }

    /// Takes in what a round came to; returns whether anything came to an end in it, and how many goals were started.
    fn take_in(&mut self, mut round: Summary) -> (bool, usize) {
        self.fault = round.cut_short.take();
        let mut ends = Vec::new();
        for result in round.goals {
            let earlier = self.sum.goals.iter().position(|earlier| earlier.goal == result.goal);
            let is_told = |earlier: &run::GoalResult| {
                (earlier.state, earlier.commit, &earlier.reason) == (result.state, result.commit, &result.reason)
            };
            if let Some(at) = earlier {
                if self.sum.goals.get(at).is_some_and(is_told) {
                    continue;
                }
                self.sum.goals.remove(at);
            }
            ends.push(result.state);
            self.sum.goals.push(result);
        }
        self.in_a_row = night::in_a_row(self.in_a_row, ends.iter().copied());
        let has_planned = !round.plans.is_empty();
        self.plans = match (has_planned, ends.contains(&State::Landed)) {
            (true, _) => false,
            (false, true) => self.order.plan.is_some(),
            // There was no room for a plan.
            (false, false) => self.plans && self.fault.is_some(),
        };
        self.sum.plans.extend(round.plans);
        self.sum.waiting = round.waiting;
        self.sum.beside = round.beside;
        (self.sum.calls, self.sum.cost_usd) = (round.calls, round.cost_usd);
        (self.sum.checks, self.sum.check_seconds) = (round.checks, round.check_seconds);
        self.sum.refused = round.refused;
        self.sum.scripted = round.scripted;
        self.sum.based |= round.based;
        (!ends.is_empty() || has_planned, round.tried)
    }

    fn stopped(&self) -> Stopped {
        match (self.over.load(Ordering::SeqCst), self.first.stop.stopping()) {
            (true, Stopping::No | Stopping::Soon) => Stopped::Window,
            (false, Stopping::No) => Stopped::No,
            _ => Stopped::Asked,
        }
    }

    fn trouble(&self, is_first: bool) -> Option<Trouble> {
        let fault = self.fault.as_ref()?;
        let refused = self.refusal.as_ref().map(|refusal| refusal.over.scope);
        Some(Trouble::of(fault.kind, fault.passes, refused, is_first))
    }

    /// Returns when it began, by the clock of now: what was done since one was set back bears earlier times.
    fn began_by_now(&self) -> Moment {
        self.first.clock.now().before(self.since.elapsed()).min(self.began)
    }

    fn wait(&mut self, wait: Wait, seen: Option<Look>) {
        self.say(wait);
        let phase = if wait.reason == Reason::Resume {
            Phase::Waiting
        } else {
            Phase::Idle
        };
        let began = Stopwatch::start();
        self.step(Some(phase));
        let woken = self.wake(wait, seen, &began);
        self.step(None);
        // What people did may be room for a plan.
        self.plans |= woken && wait.reason == Reason::Work && self.order.plan.is_some();
        *self.waited.entry(wait.reason.word()).or_default() += run::seconds(began.elapsed());
    }

    fn step(&self, phase: Option<Phase>) {
        if let Some(kept) = &self.kept {
            let (now, spent) = (self.first.clock.now(), kept.purse.spent());
            kept.live.step(None, phase.map(|phase| (phase, None)), now, spent);
        }
    }

    /// Waits; true where something that people did ended it.
    fn wake(&self, wait: Wait, mut seen: Option<Look>, began: &Stopwatch) -> bool {
        let stop = &self.first.stop;
        let kept = self.kept.clone();
        let mut cap = match (&self.refusal, &kept) {
            (Some(refusal), Some(kept)) => Some(Waiting::begin(self.first, &self.before, &kept.purse, *refusal)),
            _ => None,
        };
        let mut looked = Stopwatch::start();
        loop {
            let left = wait.most.map(|most| most.saturating_sub(began.elapsed()));
            if left.is_some_and(|left| left.is_zero()) || !wait::pause(left.unwrap_or(LOOK_EVERY).min(LOOK_EVERY), stop)
            {
                return false;
            }
            let closely = looked.elapsed() >= self.limits.idle;
            if closely {
                looked = Stopwatch::start();
            }
            let changed = match wait.reason {
                // To come back earlier would only make it worse.
                Reason::Provider | Reason::Trouble => Ok(false),
                Reason::Cap(_) => cap.as_mut().map_or(Ok(true), |cap| cap.fits(closely)),
                Reason::Work | Reason::Resume | Reason::Person | Reason::Others => {
                    seen.as_mut().map_or(Ok(closely), |seen| seen.is_changed(closely))
                }
            };
            // What cannot be read now, the next round will say.
            if changed.unwrap_or(closely) {
                return true;
            }
        }
    }

    /// Says what is waited for: once, and again where it ends at another time.
    fn say(&mut self, wait: Wait) {
        let is_timed = matches!(wait.reason, Reason::Provider | Reason::Trouble);
        let why = self.words(wait.reason);
        if self.said.as_ref() == Some(&why) && !is_timed {
            return;
        }
        let now = self.first.clock.now();
        let ends = self.window.left(now, self.since.elapsed());
        // Without a change, looking at a remote goes on as long as the night.
        let most = wait.most.filter(|_| is_timed || matches!(wait.reason, Reason::Cap(_)));
        let until = most.into_iter().chain(ends).min();
        self.first.sink.emit(&Event::Waiting {
            reason: wait.reason.word(),
            why: self.first.redactor.clean(&why),
            until: until.map(|long| now.after(long).rfc3339()),
        });
        self.said = Some(why);
    }

    fn words(&self, reason: Reason) -> String {
        let fault = self.fault.as_ref();
        let message = fault.map_or("nothing to do", |fault| fault.message.as_str());
        let hint = fault.and_then(|fault| fault.hints.first());
        match (reason, &self.refusal, hint) {
            (Reason::Work, ..) => "nothing is ready; what is added, approved, retried or raised goes on".to_owned(),
            (Reason::Cap(_), Some(refusal), _) => format!("{}; `{}` goes on", refusal.over, refusal.over.raise(None)),
            (Reason::Provider | Reason::Trouble, ..) => format!("{message}; then it is tried again"),
            (_, _, Some(hint)) => format!("{message}; {hint}"),
            (_, _, None) => message.to_owned(),
        }
    }

    fn end(mut self, end: End) -> Outcome {
        let fault = self.fault.take();
        self.sum.cut_short = match end {
            End::Full => None,
            // What ended a round because the window did is none of its own.
            End::Window => fault.filter(|fault| !matches!(fault.kind, Kind::Interrupted | Kind::Person)),
            End::Asked => Some(Fault::new(Kind::Interrupted, "stopped").hint("`git invisigoth run --forever` goes on")),
            End::Stalled(count) => Some(stalled(count)),
            End::Trouble => fault.map(permanent),
        };
        self.sum.seconds = run::seconds(self.since.elapsed());
        self.sum.usd_per_landed = report::per_landed(run::landed_of(&self.sum.goals), self.sum.cost_usd);
        run::end(self.first, self.kept.as_ref(), &self.sum);
        // Where it cannot be read, the sum says the same of this run.
        let report = self
            .first
            .again(&[])
            .and_then(|fresh| report::of(&fresh, self.began_by_now()))
            .ok();
        Outcome {
            summary: self.sum,
            night: Told {
                began_at: self.began.rfc3339(),
                ended_at: self.first.clock.now().rfc3339(),
                end: end.word(),
                rounds: self.rounds,
                waited: self.waited,
                report,
            },
        }
    }
}

fn stalled(count: u32) -> Fault {
    let fault = Fault::new(
        Kind::Unfinished,
        format!("{count} goals in a row came to nothing, and `run.stalled` is {count}"),
    );
    fault.hint("`git invisigoth list --state failed` shows them; `show ID` says why, `retry ID` tries one again")
}

/// A service must not be started again for what no time mends: a refused key is a matter of configuration then.
fn permanent(fault: Fault) -> Fault {
    match (fault.kind, fault.passes) {
        (Kind::Provider, Passes::Never) => Fault {
            kind: Kind::Config,
            ..fault
        },
        _ => fault,
    }
}

/// Says where no goal can land in what is `left` of the window, by how long checks of the base and replies took so far.
///
/// # Errors
/// When verdicts or the ledger cannot be read.
pub fn warn(worker: &Worker<'_>, left: Option<Duration>) -> Result<()> {
    let Some(left) = left else { return Ok(()) };
    let code = tree::code_of_commit(&worker.repo, worker.target.tip)?;
    let Some(base) = worker.checker.recall(&worker.repo, code, &worker.gate)? else {
        return Ok(());
    };
    let rows = base.checks().iter().filter(|row| row.stage != Stage::Setup);
    let checks = Duration::try_from_secs_f64(rows.map(|row| row.seconds).sum()).unwrap_or_default();
    let calls = spending::read(worker.session, &worker.repo)?.since("");
    let known = calls.millis.checked_div(calls.calls).map(Duration::from_millis);
    let (reply, guess) = match known {
        Some(reply) => (reply, ""),
        None if tariffs::is_scripted(&worker.settings.llm) => (Duration::ZERO, ""),
        None => (A_REPLY, ", a guess"),
    };
    let takes = night::takes(reply, checks);
    if takes <= left {
        return Ok(());
    }
    worker.session.say(format!(
        "no goal may land in the {} that are left: one takes about {} (a reply {}{guess}, checks {} twice)",
        local::words(left),
        local::words(takes),
        local::words(reply),
        local::words(checks),
    ));
    Ok(())
}
