//! The row about notifications: whether who is to be told can be told. Nothing is sent.

use crate::{
    commands::doctor::Found,
    engine::{notify, session::Session},
    settings::Settings,
};

/// Looks at what `notify.*` names; says nothing where that is nobody.
pub(crate) fn look(found: &mut Found, session: &Session, settings: &Settings) {
    let wanted = &settings.notify;
    if wanted.command.is_empty() && wanted.webhook.is_none() {
        return;
    }
    match notify::look(wanted, &session.env) {
        Ok(detail) => found.ok("notify", detail),
        Err(why) => found.warn("notify", why, Some("git invisigoth config; docs/notify.md has recipes")),
    }
}
