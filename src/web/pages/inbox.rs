//! The inbox: what needs a person, what runs, what waits to land. The first page.

use eyre::Result;

use crate::{commands::status, engine::session::Session, web::pages::Page};

/// Makes it.
///
/// # Errors
/// As `status`.
pub fn page(session: &Session) -> Result<Page> {
    let status = status::run(session)?;
    Ok(Page {
        place: "",
        ..Page::new("Inbox", "inbox", &status)?
    })
}
