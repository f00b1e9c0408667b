//! Nights: what a run that goes on and on does next, from what its last round came to, the clock and the window.
//!
//! Decides only; who waits, asks and lands is `engine/night`. Times of day come from a clock that people set; how long
//! something takes does not, so no change of the clock makes a window longer than it was when it began.

use std::time::Duration;

use crate::{
    fault::{Kind, Passes},
    id::Hash,
    money::caps::Scope,
    schedule::State,
    time::Moment,
};

/// The first pause after a failure that names no end; each further one is twice as long.
const FIRST: Duration = Duration::from_secs(30);
/// The longest pause after a failure that names no end.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The longest pause that a provider may ask for; then it is asked again.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest pause, however early a provider says that it will answer.
const SHORTEST: Duration = Duration::from_secs(1);
/// The most that a pause is longer than a provider asked for.
const SPREAD: Duration = Duration::from_secs(30);
/// Rounds in a row that something went wrong in: more of them mend nothing.
const PATIENT_ROUNDS: u32 = 5;
/// Rounds in a row in which nothing was done although something had changed.
const EMPTY_ROUNDS: u32 = 3;
/// In milliseconds.
const A_DAY: i64 = 24 * 60 * 60 * 1000;

/// How long the night lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    until: Option<Moment>,
    length: Option<Duration>,
}

impl Window {
    /// Makes the window that begins at `now` and ends at `until`, or after `length`, whichever comes first; neither: never.
    pub fn new(now: Moment, until: Option<Moment>, length: Option<Duration>) -> Self {
        let planned = until.map(|until| until.since(now));
        Self {
            until,
            length: planned.into_iter().chain(length).min(),
        }
    }

    /// Returns what is left of it `elapsed` after its beginning; `None` where it has no end. A clock that was set back does
    /// not make it longer, and a machine that slept through its end finds it over.
    pub fn left(&self, now: Moment, elapsed: Duration) -> Option<Duration> {
        let by_clock = self.until.map(|until| until.since(now));
        let by_length = self.length.map(|length| length.saturating_sub(elapsed));
        by_clock.into_iter().chain(by_length).min()
    }
}

/// What kept a round from doing all that there was to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The provider does not answer now; when it will, where it says.
    Outage(Option<Duration>),
    /// A cap on the run or the day.
    Cap(Scope),
    /// People want no new work.
    Paused,
    /// Another process is at it.
    Busy,
    /// A person has to do something.
    Person,
    /// Something went wrong that may not do so again.
    Broken,
    /// It will go wrong each time.
    Permanent,
}

impl Trouble {
    /// Says what trouble a fault is. `refused` is the cap that kept a call of this round from being made. What only a person
    /// can mend keeps a night from beginning; later, people come and go.
    pub fn of(kind: Kind, passes: Passes, refused: Option<Scope>, is_first: bool) -> Self {
        match (kind, passes, refused) {
            (_, Passes::Later(after), _) => Self::Outage(after),
            (Kind::Budget, _, Some(scope)) => Self::Cap(scope),
            (Kind::Busy, _, _) => Self::Busy,
            (Kind::Person, _, _) if !is_first => Self::Person,
            (Kind::Error, _, _) if !is_first => Self::Broken,
            _ => Self::Permanent,
        }
    }
}

/// Who wants the run to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Nobody.
    No,
    /// The window is over.
    Window,
    /// A person, or the system.
    Asked,
}

/// What the last round came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Round {
    /// Who wants the run to end.
    pub stopped: Stopped,
    /// What kept it from doing all that there was to do.
    pub trouble: Option<Trouble>,
    /// Whether a goal or a plan came to an end in it.
    pub did: bool,
    /// Goals in a row, over all rounds, of which nothing landed.
    pub in_a_row: u32,
    /// `run.stalled`; 0: any number.
    pub limit: u32,
    /// Whether as many goals were worked at as were asked for.
    pub is_full: bool,
    /// Whether others changed something since it began.
    pub is_changed: bool,
    /// How often it must be looked for what cannot be seen from here, as at a remote.
    pub look: Option<Duration>,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Another round.
    Work,
    /// Wait.
    Wait(Wait),
    /// It is over.
    End(End),
}

/// A pause between rounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    /// What for.
    pub reason: Reason,
    /// The longest; without it only a change ends it.
    pub most: Option<Duration>,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Something to do.
    Work,
    /// A provider that answers.
    Provider,
    /// A cap that is raised; of a day, also its end.
    Cap(Scope),
    /// `resume`.
    Resume,
    /// A person who finishes what they began.
    Person,
    /// Another process.
    Others,
    /// What went wrong, to pass.
    Trouble,
}

impl Reason {
    /// Returns the word, as events and the answer have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Provider => "provider",
            Self::Cap(_) => "cap",
            Self::Resume => "resume",
            Self::Person => "person",
            Self::Others => "others",
            Self::Trouble => "trouble",
        }
    }
}

/// Why it is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The window is.
    Window,
    /// Somebody asked for it.
    Asked,
    /// So many goals in a row came to nothing.
    Stalled(u32),
    /// As many goals were worked at as were asked for.
    Full,
    /// The trouble of the last round does not pass by itself.
    Trouble,
}

impl End {
    /// Returns the word, as the answer has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Asked => "stopped",
            Self::Stalled(_) => "stalled",
            Self::Full => "max",
            Self::Trouble => "trouble",
        }
    }
}

/// What must be remembered from round to round to decide.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Tells machines and runs apart that would otherwise come back together.
    seed: String,
    outages: u32,
    broken: u32,
    empty: u32,
}

impl Tally {
    /// Begins a night. The same seed waits the same times.
    pub fn new(seed: String) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Decides what comes after `round`, at `now`.
    pub fn next(&mut self, round: &Round, now: Moment) -> Next {
        self.count(round);
        match round.stopped {
            Stopped::Window => return Next::End(End::Window),
            Stopped::Asked => return Next::End(End::Asked),
            Stopped::No => {}
        }
        if is_stalled(round.in_a_row, round.limit) {
            return Next::End(End::Stalled(round.in_a_row));
        }
        if let Some(trouble) = round.trouble {
            return self.after(trouble, round, now);
        }
        if round.is_full {
            return Next::End(End::Full);
        }
        // What others changed while the round ended is seen by the next one.
        if round.did || round.is_changed && self.empty <= EMPTY_ROUNDS {
            return Next::Work;
        }
        wait(Reason::Work, round.look)
    }

    fn count(&mut self, round: &Round) {
        if round.did {
            (self.outages, self.broken, self.empty) = (0, 0, 0);
        } else if round.is_changed {
            self.empty += 1;
        } else {
            self.empty = 0;
        }
        match round.trouble {
            Some(Trouble::Outage(_)) => self.outages += 1,
            Some(Trouble::Broken) => self.broken += 1,
            None => (self.outages, self.broken) = (0, 0),
            Some(_) => {}
        }
    }

    fn after(&self, trouble: Trouble, round: &Round, now: Moment) -> Next {
        match trouble {
            Trouble::Outage(after) => {
                let long = after.map_or_else(|| self.backoff(self.outages), |after| self.asked(after));
                wait(Reason::Provider, Some(long))
            }
            Trouble::Cap(Scope::Day) => wait(Reason::Cap(Scope::Day), Some(rest_of_day(now))),
            Trouble::Cap(scope) => wait(Reason::Cap(scope), None),
            Trouble::Paused => wait(Reason::Resume, None),
            Trouble::Busy => wait(Reason::Others, Some(FIRST)),
            Trouble::Person => wait(Reason::Person, Some(round.look.unwrap_or(FIRST))),
            Trouble::Broken if self.broken < PATIENT_ROUNDS => wait(Reason::Trouble, Some(self.backoff(self.broken))),
            Trouble::Broken | Trouble::Permanent => Next::End(End::Trouble),
        }
    }

    /// Between half of 30 s, 1 min, 2 min … and the whole.
    fn backoff(&self, nth: u32) -> Duration {
        let doubled = FIRST.saturating_mul(1 << nth.saturating_sub(1).min(10)).min(LONGEST);
        doubled.mul_f64(0.5 + self.jitter(nth) / 2.0)
    }

    /// As long as the provider asks for, and a little longer: others that it told the same come back then, too.
    fn asked(&self, after: Duration) -> Duration {
        let after = after.clamp(SHORTEST, PATIENCE);
        after + after.div_f64(10.0).min(SPREAD).mul_f64(self.jitter(self.outages))
    }

    /// From 0 to 1.
    fn jitter(&self, nth: u32) -> f64 {
        let digits = Hash::of("night-jitter", [self.seed.as_bytes(), &nth.to_be_bytes()]).short(8);
        f64::from(u32::from_str_radix(&digits, 16).unwrap_or(0)) / f64::from(u32::MAX)
    }
}

fn wait(reason: Reason, most: Option<Duration>) -> Next {
    Next::Wait(Wait { reason, most })
}

/// Returns how long the day in UTC still is.
fn rest_of_day(now: Moment) -> Duration {
    let left = A_DAY - now.0.rem_euclid(A_DAY);
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}

/// True where so many goals in a row came to nothing that going on would be in vain.
pub fn is_stalled(in_a_row: u32, limit: u32) -> bool {
    limit > 0 && in_a_row >= limit
}

/// Returns of how many goals in a row nothing landed, after `before` that did not either. One that waits for a person, or for
/// a higher cap, says neither; a candidate that was not to land is a success.
pub fn in_a_row(before: u32, ends: impl IntoIterator<Item = State>) -> u32 {
    ends.into_iter().fold(before, |count, state| match state {
        State::Landed | State::Candidate => 0,
        State::Failed | State::Parked | State::Ready => count.saturating_add(1),
        State::Running | State::Blocked | State::Held | State::Proposed | State::Rejected => count,
    })
}

/// Returns about how long one goal takes: a reply, checks of the candidate, and checks of the merged code.
pub fn takes(reply: Duration, checks: Duration) -> Duration {
    reply.saturating_add(checks.saturating_mul(2))
}

#[cfg(test)]
mod tests;
