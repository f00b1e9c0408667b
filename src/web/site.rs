//! The site: what every request works with. Owns when a page must be made anew; what is on it is up to `pages`.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eyre::{Report, Result};
use serde_json::Value;

use crate::{
    commands::{
        self,
        status::watched::{Seen, Watched},
    },
    door::{random, wait::Stopwatch},
    engine::session::Session,
    fault::Fault,
    secret::Redactor,
    web::{
        actions::{Action, Said},
        given::Given,
        pages::{self, Asked, Page, bar::Bar, lines},
        render::{Renderer, Shown},
    },
};

/// How long a page counts as new although no file looks changed: what runs say of themselves grows older, and a remote or a
/// clock may have moved.
const FRESH: Duration = Duration::from_secs(20);
/// How many pages are kept.
const KEPT: usize = 64;

/// What a person may do over the site.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum May {
    /// Look, and change things.
    Act,
    /// Look.
    Look,
}

/// What every request works with.
pub struct Site {
    session: Session,
    /// That of the session that was opened last: a key may have come since the server began.
    redactor: Mutex<Redactor>,
    /// What whoever is signed in may do.
    pub may: May,
    renderer: Renderer,
    state: Mutex<State>,
    /// What was said to people, by id, the oldest first.
    told: Mutex<VecDeque<(String, Said)>>,
}

/// What was made so far, and of which state of the repository.
struct State {
    watched: Option<Watched>,
    seen: Option<Seen>,
    since: Stopwatch,
    /// Rises whenever something may have changed.
    generation: u64,
    /// By address, with what else they were made of.
    kept: HashMap<String, (String, Arc<Shown>)>,
}

impl Site {
    /// Makes it for the session's repository.
    pub fn new(session: Session, renderer: Renderer, may: May) -> Self {
        Self {
            redactor: Mutex::new(session.redactor.clone()),
            session,
            may,
            renderer,
            state: Mutex::new(State {
                watched: None,
                seen: None,
                since: Stopwatch::start(),
                generation: 0,
                kept: HashMap::new(),
            }),
            told: Mutex::default(),
        }
    }

    /// Returns the session that the site was opened with: its environment, clock and stop.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Opens a session for one request: settings and repository as they are by now.
    ///
    /// # Errors
    /// As `Session::open`.
    pub fn fresh(&self) -> Result<Session> {
        let session = self.session.again(&[])?;
        *locked(&self.redactor) = session.redactor.clone();
        Ok(session)
    }

    /// Looks whether anything may have changed, by a few system calls; returns a number that is higher than before if so.
    fn generation(&self) -> u64 {
        let mut state = locked(&self.state);
        let seen = state.watched.as_ref().map(|watched| watched.look(&self.session));
        if seen.is_none() || seen != state.seen || state.since.elapsed() >= FRESH {
            // Another branch may be the target by now, or the backlog another file.
            state.watched = self.fresh().and_then(|session| Watched::of(&session)).ok();
            state.seen = state.watched.as_ref().map(|watched| watched.look(&self.session));
            state.since = Stopwatch::start();
            state.generation += 1;
            state.kept.clear();
        }
        state.generation
    }

    /// Makes every page anew from now on: something was changed over the site itself.
    pub fn changed(&self) {
        locked(&self.state).seen = None;
    }

    /// Returns a page, made anew where something may have changed since. A failure is a page, too.
    pub fn page(&self, asked: &Asked) -> Arc<Shown> {
        let generation = self.generation();
        let (key, mark) = (asked.address(), lines::mark(&self.session, asked));
        if let Some((_, kept)) = locked(&self.state).kept.get(&key).filter(|(kept, _)| *kept == mark) {
            return Arc::clone(kept);
        }
        let shown = Arc::new(self.make(asked));
        let mut state = locked(&self.state);
        if state.generation == generation && (state.kept.len() < KEPT || state.kept.contains_key(&key)) {
            state.kept.insert(key, (mark, Arc::clone(&shown)));
        }
        shown
    }

    /// Returns the plain text that stands at an address, or the page that says why not; `None` where a page stands there.
    pub fn raw(&self, asked: &Asked) -> Option<std::result::Result<Vec<u8>, Shown>> {
        if !lines::is_raw(asked) {
            return None;
        }
        let session = self.fresh().ok()?;
        let failed = |error: Report| self.renderer.failed(asked, &self.fault(&error));
        Some(lines::raw(&session, asked)?.map_err(failed))
    }

    fn make(&self, asked: &Asked) -> Shown {
        let said = asked.get("said").and_then(|id| self.told_before(id));
        self.shown(asked, said, |session| pages::make(session, asked))
    }

    fn shown(&self, asked: &Asked, said: Option<Said>, make: impl FnOnce(&Session) -> Result<Page>) -> Shown {
        let page = self.fresh().and_then(|session| {
            let page = make(&session)?;
            // What keeps it from being made is what the page is about then.
            let bar = pages::bar::of(&session, self.may).ok();
            let bar = bar.map(|bar| Bar { said, ..bar });
            self.renderer.page(asked, bar.as_ref(), &page)
        });
        page.unwrap_or_else(|error| self.renderer.failed(asked, &self.fault(&error)))
    }

    /// Makes the page of an action again, with what was given and why it was not done.
    pub fn asked_again(&self, status: u16, (action, given): (&Action, &Given), said: Said) -> Shown {
        let asked = Asked::of(&format!("/ask/{}", action.verb), "");
        let shown = self.shown(&asked, Some(said), |session| pages::ask::filled(session, action, given));
        Shown { status, ..shown }
    }

    /// Makes the page of a request that nothing was tried for.
    pub fn refused(&self, status: u16, fault: &Fault) -> Shown {
        let shown = self.renderer.failed(&Asked::default(), fault);
        Shown { status, ..shown }
    }

    /// Keeps what is to be said on the next page of a person; returns the address of that page, which was `address`.
    pub fn told(&self, address: &str, said: &Said) -> String {
        let id: String = random::digits().unwrap_or_default().chars().take(12).collect();
        let mut told = locked(&self.told);
        while told.len() >= KEPT {
            told.pop_front();
        }
        told.push_back((id.clone(), self.cleaned(said)));
        let mut asked = Asked::at(address);
        asked.query.insert("said".to_owned(), id);
        asked.address()
    }

    fn told_before(&self, id: &str) -> Option<Said> {
        let told = locked(&self.told);
        let known = told.iter().find(|(known, _)| known == id);
        known.map(|(_, said)| said.clone())
    }

    fn cleaned(&self, said: &Said) -> Said {
        let redactor = self.redactor();
        let clean = |text: &str| redactor.clean(text).into_string();
        Said {
            text: clean(&said.text),
            more: said.more.iter().map(|line| clean(line)).collect(),
            is_fault: said.is_fault,
        }
    }

    /// Words an error for people and programs; no key is in it.
    pub fn fault(&self, error: &Report) -> Fault {
        fault(error, &self.redactor())
    }

    /// Words a document for programs; no key is in it.
    pub fn text_of(&self, document: &Value) -> String {
        self.redactor().clean(&document.to_string()).into_string()
    }

    fn redactor(&self) -> Redactor {
        locked(&self.redactor).clone()
    }
}

/// Words an error for people and programs, without what `redactor` takes out.
pub fn fault(error: &Report, redactor: &Redactor) -> Fault {
    let (fault, _) = commands::fault_of(error);
    let clean = |text: &str| redactor.clean(text).into_string();
    Fault {
        message: clean(&fault.message),
        hints: fault.hints.iter().map(|hint| clean(hint)).collect(),
        ..fault
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
