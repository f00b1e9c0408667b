//! The site: what every request works with. Owns when a page must be made anew; what is on it is up to `pages`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eyre::Result;

use crate::{
    commands::status::watched::{Seen, Watched},
    door::wait::Stopwatch,
    engine::session::Session,
    web::{
        pages::{self, Asked},
        render::{Renderer, Shown},
    },
};

use std::{collections::HashMap, time::Duration};

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
    /// What whoever is signed in may do.
    pub may: May,
    renderer: Renderer,
    state: Mutex<State>,
}

/// What was made so far, and of which state of the repository.
struct State {
    watched: Option<Watched>,
    seen: Option<Seen>,
    since: Stopwatch,
    /// Rises whenever something may have changed.
    generation: u64,
    kept: HashMap<String, Arc<Shown>>,
}

impl Site {
    /// Makes it for the session's repository.
    ///
    /// # Errors
    /// Where a template of ours is wrong.
    pub fn new(session: Session, renderer: Renderer, may: May) -> Self {
        Self {
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
        self.session.again(&[])
    }

    /// Looks whether anything may have changed, by a few system calls; returns a number that is higher than before if so.
    pub fn generation(&self) -> u64 {
        let mut state = self.lock();
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
        self.lock().seen = None;
    }

    /// Returns a page, made anew where something may have changed since. A failure is a page, too.
    pub fn page(&self, asked: &Asked) -> Arc<Shown> {
        let generation = self.generation();
        let key = asked.key();
        if let Some(kept) = self.lock().kept.get(&key) {
            return Arc::clone(kept);
        }
        let shown = Arc::new(self.make(asked));
        let mut state = self.lock();
        if state.generation == generation && state.kept.len() < KEPT {
            state.kept.insert(key, Arc::clone(&shown));
        }
        shown
    }

    fn make(&self, asked: &Asked) -> Shown {
        let page = self.fresh().and_then(|session| {
            let page = pages::make(&session, asked)?;
            let bar = pages::bar::of(&session, self.may)?;
            self.renderer.page(asked, &bar, &page)
        });
        page.unwrap_or_else(|error| self.renderer.failed(asked, &error, &self.session))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
