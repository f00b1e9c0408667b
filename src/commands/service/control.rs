//! `service start`, `stop` and `restart`: orders to systemd about the service of this repository.

use eyre::Result;
use serde::Serialize;

use crate::{
    commands::{
        self,
        service::{Units, allowed, flag, systemd::Systemd},
    },
    engine::session::Session,
    unit::Scope,
};

/// What shall be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Begin a run.
    Start,
    /// End it.
    Stop,
    /// End it and begin another.
    Restart,
}

impl Order {
    /// Returns the word that systemd knows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
        }
    }
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// What.
    pub order: Order,
    /// The service.
    pub unit: String,
    /// The timer that starts it again, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer: Option<String>,
    /// What our command line says for whose systemd it is.
    #[serde(skip)]
    pub flag: &'static str,
}

impl commands::Outcome for Outcome {
    const SCHEMA: &'static str = "invisigoth.service/1";
}

/// Gives the order.
///
/// # Errors
/// A fault where there is no service, or systemd does not do it.
pub fn run(session: &Session, scope: Scope, order: Order) -> Result<Outcome> {
    allowed(scope, order.word())?;
    let systemd = Systemd::find(session, scope)?;
    let units = Units::of(session, scope)?.installed()?;
    let unit = units.names.service();
    if order == Order::Start {
        // What failed too often before does not count against a person's wish.
        systemd.ask(&["reset-failed", &unit])?;
    } else {
        session.say("what is under way ends first; that may take up to three minutes");
    }
    systemd.order(&[order.word(), &unit])?;
    Ok(Outcome {
        order,
        timer: units.has_timer().then(|| units.names.timer()),
        unit,
        flag: flag(scope),
    })
}
