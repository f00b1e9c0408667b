//! The purse: who answers and what may be spent, opened with the first need and shared by all threads of a run.
//!
//! So the caps on a run are of all its goals together, and a script goes on where its last reply ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eyre::{Result, WrapErr as _};

use crate::{
    engine::{asking::Asking, live::Live, runs::Own, session::Session, spending::Spending, tariffs},
    git::Repo,
    settings::Settings,
};

/// What goes from one round of a night to the next: it is one run.
#[derive(Clone)]
pub struct Kept {
    /// What the run says of itself.
    pub live: Arc<Live>,
    /// What it spends.
    pub purse: Arc<Purse>,
    /// Its lines among those of all runs, since it worked at something.
    pub own: Option<Arc<Own>>,
}

impl Kept {
    /// Begins a run.
    ///
    /// # Errors
    /// When files cannot be made.
    pub fn begin(session: &Session, repo: &Repo) -> Result<Self> {
        Ok(Self {
            live: Arc::new(Live::begin(session, repo)?),
            purse: Arc::default(),
            own: None,
        })
    }
}

/// What is opened at most once.
#[derive(Default)]
pub struct Purse {
    asking: Mutex<Option<Arc<Asking>>>,
    before: Mutex<Option<Arc<Asking>>>,
    spending: Mutex<Option<Arc<Spending>>>,
}

impl Purse {
    /// Returns who answers. `capped` says whether a goal has a cap in dollars of its own.
    ///
    /// # Errors
    /// As `Asking::open`.
    pub fn asking(&self, session: &Session, settings: &Settings, capped: bool) -> Result<Arc<Asking>> {
        let mut opened = held(&self.asking);
        if let Some(asking) = &*opened {
            return Ok(Arc::clone(asking));
        }
        let spending = self.spending(session, settings)?;
        let before = held(&self.before).clone();
        let asking = Arc::new(Asking::open(session, settings, capped, (spending, before.as_deref()))?);
        *opened = Some(Arc::clone(&asking));
        Ok(asking)
    }

    /// Has the settings read again with the next need; who answers stays, where they still name the same.
    pub fn renew(&self) {
        if let Some(asking) = held(&self.asking).take() {
            *held(&self.before) = Some(asking);
        }
    }

    /// Returns the ledger of spending, where it was opened.
    pub fn opened(&self) -> Option<Arc<Spending>> {
        held(&self.spending).clone()
    }

    /// Returns the ledger of spending.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn spending(&self, session: &Session, settings: &Settings) -> Result<Arc<Spending>> {
        let mut opened = held(&self.spending);
        if let Some(spending) = &*opened {
            return Ok(Arc::clone(spending));
        }
        let is_paid = !tariffs::is_scripted(&settings.llm);
        let spending = Spending::open(session, is_paid).wrap_err("opening the ledger of spending")?;
        let spending = Arc::new(spending);
        *opened = Some(Arc::clone(&spending));
        Ok(spending)
    }

    /// Returns the calls made and the dollars spent so far, at worst where nobody knows; no dollars where a price is unknown.
    pub fn spent(&self) -> (u64, Option<f64>) {
        let own = held(&self.spending).as_ref().map(|spending| spending.own());
        own.map_or((0, Some(0.0)), |own| (own.calls, own.known_usd()))
    }
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
