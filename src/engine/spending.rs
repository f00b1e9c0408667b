//! Spending: the ledger's file, `invisigoth/spending.jsonl` in the shared git directory, and leave for each try.
//!
//! Every process of a clone looks into it and writes to it under one lock, so the caps on goals and days hold over all of
//! them; the caps on a run are this process's own. What lines mean is `money::ledger`'s, what fits is `money::caps`'s.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    door::{
        env,
        fs::{self, lines::Lines},
        wait::Stopwatch,
    },
    engine::session::Session,
    git::Repo,
    money::{
        Refused, Ticket,
        caps::{self, OverBudget, Scope},
        ledger::{self, Ledger, Reserved, Settled, Sum},
    },
    settings::{Budget, Caps},
    time::Clock,
};

/// From this size on, in bytes, the lines are summed up when a run begins.
const LARGE: u64 = 256 * 1024;

/// For whom a try is made.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The goal; empty for none.
    pub goal: &'a str,
    /// The model.
    pub model: &'a str,
    /// What it may take at worst.
    pub worst: Sum,
}

/// The caps of one try.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// On its goal.
    pub goal: Caps,
    /// On this run.
    pub run: Caps,
    /// On the day.
    pub day: Caps,
}

/// The ledger's file, and what this process has under way.
pub struct Spending {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    run: String,
    since: Stopwatch,
    /// Whether calls cost money, so that a line must outlive the machine's crash.
    sync: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Known,
    settled: Sum,
    pending: BTreeMap<u64, Pending>,
    tries: u64,
    refused: Option<Refusal>,
}

struct Pending {
    id: String,
    worst: Sum,
    since: Stopwatch,
}

/// A try that a cap on the run or the day kept from being made.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Refusal {
    /// The cap.
    pub over: OverBudget,
    /// What the try might have taken.
    worst: Sum,
}

/// What was read of the file so far.
#[derive(Default)]
struct Known {
    ledger: Ledger,
    inode: u64,
    offset: u64,
}

impl Known {
    /// Takes in what was written since, by whomever.
    fn catch_up(&mut self, file: &mut Lines) -> io::Result<()> {
        if self.inode != file.inode() {
            *self = Self {
                inode: file.inode(),
                ..Self::default()
            };
        }
        let rest = match file.rest(self.offset)? {
            Some(rest) => rest,
            None => {
                (self.ledger, self.offset) = (Ledger::default(), 0);
                file.rest(0)?.unwrap_or_default()
            }
        };
        let taken = self.ledger.take(&rest);
        self.offset = self.offset.saturating_add(u64::try_from(taken).unwrap_or(u64::MAX));
        Ok(())
    }
}

impl Spending {
    /// Opens the ledger of this clone for one run, and sums its lines up where there are many.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(session: &Session, sync: bool) -> io::Result<Self> {
        let path = file(session, &session.repo());
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let began = session.clock.now();
        let opened = Self {
            path,
            clock: Arc::clone(&session.clock),
            run: format!("{:014}-{}", began.0, env::process_id()),
            since: Stopwatch::start(),
            sync,
            state: Mutex::default(),
        };
        opened.compact()?;
        Ok(opened)
    }

    fn compact(&self) -> io::Result<()> {
        let mut file = Lines::hold(&self.path)?;
        let mut state = self.state();
        state.known.catch_up(&mut file)?;
        if state.known.offset >= LARGE {
            let text = state.known.ledger.compacted()?;
            file.replace(&text)?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the worst of one try aside, on the disk, where every cap leaves room for it.
    ///
    /// # Errors
    /// Names the cap that it could pass, or says why it cannot be written down.
    pub fn reserve(&self, want: &Want<'_>, limits: &Limits) -> Result<Ticket, Refused> {
        let unkept = |error: io::Error| Refused::Unkept(format!("{}: {error}", self.path.display()));
        let mut state = self.state();
        let mut file = Lines::hold(&self.path).map_err(unkept)?;
        state.known.catch_up(&mut file).map_err(unkept)?;
        let at = self.clock.now();
        let time = at.rfc3339();
        let ledger = &state.known.ledger;
        if !want.goal.is_empty() {
            caps::check(Scope::Goal, &limits.goal, &ledger.goal(want.goal), &want.worst)?;
        }
        let fits = self.fits(&state, (&limits.run, &limits.day), &time, &want.worst);
        if let Err(over) = fits {
            let worst = want.worst;
            state.refused = Some(Refusal { over, worst });
            return Err(over.into());
        }
        state.tries += 1;
        let ticket = state.tries;
        let id = format!("{}-{ticket}", self.run);
        let line = Reserved {
            id: id.clone(),
            run: self.run.clone(),
            goal: want.goal.to_owned(),
            model: want.model.to_owned(),
            at: time,
            usd: want.worst.known_usd(),
            tokens: want.worst.tokens,
            calls: want.worst.calls,
        };
        let line = serde_json::to_string(&line).map_err(|error| unkept(error.into()))?;
        file.append(&line, self.sync).map_err(unkept)?;
        let pending = Pending {
            id,
            worst: want.worst,
            since: Stopwatch::start(),
        };
        state.pending.insert(ticket, pending);
        Ok(Ticket(ticket))
    }

    /// Says whether caps on the run and the day leave room for `worst`. Minutes of a run are no clock's. What is written of
    /// later days counts for today: a clock that was set back gives nothing twice.
    fn fits(&self, state: &State, (run, day): (&Caps, &Caps), now: &str, worst: &Sum) -> Result<(), OverBudget> {
        let own = Sum {
            millis: millis(&self.since),
            ..state.own()
        };
        caps::check(Scope::Run, run, &own, worst)?;
        caps::check(Scope::Day, day, &state.known.ledger.since(ledger::day(now)), worst)
    }

    /// Returns the last try that a cap on the run or the day refused, and forgets it.
    pub fn take_refusal(&self) -> Option<Refusal> {
        self.state().refused.take()
    }

    /// Returns the refusal under the caps and the ledger of now, where it still holds.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn still(&self, refusal: &Refusal, budget: &Budget) -> io::Result<Option<Refusal>> {
        let mut state = self.state();
        let mut file = Lines::hold(&self.path)?;
        state.known.catch_up(&mut file)?;
        let now = self.clock.now().rfc3339();
        let fits = self.fits(&state, (&budget.run, &budget.day), &now, &refusal.worst);
        Ok(fits.err().map(|over| Refusal { over, ..*refusal }))
    }

    /// Books what a try came to; `None` leaves it at its worst. Returns that worst.
    pub fn settle(&self, ticket: &Ticket, came: Option<Sum>) -> Option<Sum> {
        let mut state = self.state();
        let pending = state.pending.remove(&ticket.0)?;
        let took = Sum {
            millis: millis(&pending.since),
            ..came.unwrap_or(pending.worst)
        };
        state.settled.add(&took);
        let line = Settled {
            settles: pending.id,
            usd: took.known_usd(),
            tokens: took.tokens,
            calls: took.calls,
            ms: took.millis,
        };
        // Where this cannot be written the worst stands, which errs on the right side.
        let _ = self.write(&line);
        Some(pending.worst)
    }

    fn write(&self, line: &Settled) -> io::Result<()> {
        let line = serde_json::to_string(line)?;
        // A crash that loses this line leaves the worst: it need not wait for the disk.
        Lines::hold(&self.path)?.append(&line, false)
    }

    /// Returns what this run took so far, at worst where nobody knows.
    pub fn own(&self) -> Sum {
        self.state().own()
    }
}

impl State {
    fn own(&self) -> Sum {
        let mut own = self.settled;
        for pending in self.pending.values() {
            own.add(&pending.worst);
        }
        own
    }
}

fn millis(since: &Stopwatch) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Returns the file of the ledger.
pub fn file(session: &Session, repo: &Repo) -> PathBuf {
    session.own_dir(repo).join("spending.jsonl")
}

/// Reads the ledger of this clone; empty where nothing was spent.
///
/// # Errors
/// When it cannot be read.
pub fn read(session: &Session, repo: &Repo) -> io::Result<Ledger> {
    read_file(&file(session, repo))
}

/// Reads the ledger in `path`; empty where there is none.
///
/// # Errors
/// When it cannot be read.
pub fn read_file(path: &Path) -> io::Result<Ledger> {
    let mut ledger = Ledger::default();
    ledger.take(&fs::read(path)?.unwrap_or_default());
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Moment;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Moment {
            Moment(1_000_000)
        }
    }

    struct At(Moment);

    impl Clock for At {
        fn now(&self) -> Moment {
            self.0
        }
    }

    fn spending(path: &Path, run: &str) -> Spending {
        Spending {
            path: path.to_owned(),
            clock: Arc::new(Still),
            run: run.to_owned(),
            since: Stopwatch::start(),
            sync: false,
            state: Mutex::default(),
        }
    }

    fn limits(usd: f64) -> Limits {
        let day = Caps {
            usd: Some(usd),
            ..Caps::default()
        };
        Limits {
            goal: Caps::default(),
            run: Caps::default(),
            day,
        }
    }

    fn one(usd: f64) -> Sum {
        Sum {
            calls: 1,
            ..Sum::costing(Some(usd))
        }
    }

    fn want() -> Want<'static> {
        Want {
            goal: "g",
            model: "m",
            worst: one(1.0),
        }
    }

    #[test]
    fn a_cap_of_the_day_holds_over_processes_that_spend_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spending.jsonl");
        let sent: usize = std::thread::scope(|scope| {
            let work = |nth: usize| {
                let path = &path;
                scope.spawn(move || {
                    let mine = spending(path, &format!("r{nth}"));
                    let mut sent = 0;
                    while let Ok(ticket) = mine.reserve(&want(), &limits(40.0)) {
                        sent += 1;
                        // One answers, one is cut, one leaves its try behind.
                        match sent % 3 {
                            0 => drop(mine.settle(&ticket, Some(one(1.0)))),
                            1 => drop(mine.settle(&ticket, None)),
                            _ => {}
                        }
                    }
                    sent
                })
            };
            let all: Vec<_> = (0..4).map(work).collect();
            all.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(sent, 40);
        assert_eq!(read_file(&path).unwrap().goal("g").usd, 40.0);
    }

    #[test]
    fn a_clock_set_back_a_year_gives_no_day_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spending.jsonl");
        let at = |moment: &str| Spending {
            clock: Arc::new(At(Moment::from_rfc3339(moment).unwrap())),
            ..spending(&path, moment)
        };
        let reserve = |moment: &str| at(moment).reserve(&want(), &limits(1.0)).is_ok();
        assert!(reserve("2026-11-22T10:00:00Z"));
        assert!(!reserve("2026-11-22T11:00:00Z"));
        assert!(!reserve("2025-11-22T11:00:00Z"));
        assert!(reserve("2026-11-23T00:00:00Z"));
    }

    #[test]
    fn a_refusal_holds_until_its_cap_is_raised_and_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let spending = spending(&folder.path().join("spending.jsonl"), "r");
        let _ticket = spending.reserve(&want(), &limits(1.5)).unwrap();
        assert!(spending.take_refusal().is_none());
        assert!(spending.reserve(&want(), &limits(1.5)).is_err());
        let refusal = spending.take_refusal().unwrap();
        assert!(spending.take_refusal().is_none());
        let budget = |usd| Budget {
            day: limits(usd).day,
            ..Budget::default()
        };
        assert_eq!(spending.still(&refusal, &budget(1.5)).unwrap(), Some(refusal));
        assert_eq!(spending.still(&refusal, &budget(2.0)).unwrap(), None);
    }

    #[test]
    fn summing_up_while_others_spend_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spending.jsonl");
        let (one, other) = (spending(&path, "r1"), spending(&path, "r2"));
        let open = one.reserve(&want(), &limits(9.0)).unwrap();
        let _left = other.reserve(&want(), &limits(9.0)).unwrap();
        let mut held = Lines::hold(&path).unwrap();
        let mut known = Known::default();
        known.catch_up(&mut held).unwrap();
        held.replace(&known.ledger.compacted().unwrap()).unwrap();
        one.settle(&open, Some(Sum::default()));
        assert_eq!(read_file(&path).unwrap().goal("g").usd, 1.0);
        assert!(one.reserve(&want(), &limits(1.0)).is_err());
        assert!(other.reserve(&want(), &limits(2.0)).is_ok());
    }
}
