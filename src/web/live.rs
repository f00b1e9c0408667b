//! Live: a stream for each open page, over which it is sent anew whenever it changed. Server-sent events: a browser connects
//! again by itself, and says what it saw last.
//!
//! Events: `page`, whose id is that of the page's content and whose data is JSON with `title` and `body`; `lines`, for a page
//! whose lines grow, with those that came since, or all of them `anew`; its id tells the last of them, too, so that nothing is
//! sent twice and nothing is missed; `alive`, every few seconds, so that a page knows when it is no longer told anything.

use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse as _, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::{
    time::Stopping,
    web::{
        pages::Asked,
        render::Shown,
        server::{Shared, blocking},
    },
};

/// Most streams at a time.
const STREAMS: usize = 32;
/// How often it is looked whether a page changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After how many looks without news a sign of life is sent: ten seconds.
const ALIVE: u32 = 20;

/// The streams that are open.
#[derive(Clone)]
pub struct Live {
    room: Arc<Semaphore>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(STREAMS)),
        }
    }
}

/// What a stream is about.
#[derive(Deserialize)]
pub struct Wish {
    /// The address of the page, with its query.
    at: String,
    /// The content that the browser has, where it opens a new stream; one that connects again says it by itself.
    #[serde(default)]
    seen: String,
}

/// Opens a stream.
pub async fn stream(State(shared): State<Shared>, Query(wish): Query<Wish>, headers: HeaderMap) -> Response {
    let Ok(place) = Arc::clone(&shared.live.room).try_acquire_owned() else {
        let head = [("retry-after", "5")];
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            head,
            "error: too many pages are open\n",
        )
            .into_response();
    };
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let following = Following {
        asked: Asked::at(&wish.at),
        seen: seen.unwrap_or(&wish.seen).to_owned(),
        quiet: 0,
        shared,
        _place: place,
    };
    let events = stream::unfold(following, async |mut following| {
        let event = following.next().await?;
        Some((Ok::<_, Infallible>(event), following))
    });
    Sse::new(events).into_response()
}

/// A page that somebody looks at.
struct Following {
    shared: Shared,
    asked: Asked,
    /// The content that the browser has.
    seen: String,
    /// How many looks ago something was sent.
    quiet: u32,
    _place: OwnedSemaphorePermit,
}

impl Following {
    /// Waits for news; `None` once the server ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.shared.site.session().stop.stopping() != Stopping::No {
                return None;
            }
            let (site, asked) = (Arc::clone(&self.shared.site), self.asked.clone());
            let shown = blocking(move || site.page(&asked)).await.ok()?;
            if let Some(event) = self.news(&shown) {
                self.quiet = 0;
                return Some(event);
            }
            self.quiet += 1;
            if self.quiet >= ALIVE {
                self.quiet = 0;
                return Some(Event::default().event("alive").data(""));
            }
            time::sleep(LOOK_EVERY).await;
        }
    }

    /// Returns what the browser does not have yet: the page first, then its lines.
    fn news(&mut self, shown: &Shown) -> Option<Event> {
        let (page, last) = self.seen.split_once('/').unwrap_or((&self.seen, ""));
        // That it was made anew is nothing new.
        let now = match shown.now.as_str() {
            "" => hashed(&shown.body),
            made => hashed(&shown.body.replace(made, "")),
        };
        if page != now {
            self.seen = joined(&now, last);
            let data = json!({ "title": shown.title, "body": shown.body }).to_string();
            return Some(Event::default().event("page").id(&self.seen).data(data));
        }
        let newest = shown.rows.last().map(line_id).unwrap_or_default();
        if newest == last {
            return None;
        }
        let known = shown.rows.iter().position(|row| line_id(row) == last);
        let rows = shown.rows.iter().skip(known.map_or(0, |at| at + 1));
        let rows: Vec<&str> = rows.map(|(_, row)| row.as_str()).collect();
        self.seen = joined(&now, &newest);
        let data = json!({ "anew": known.is_none(), "rows": rows }).to_string();
        Some(Event::default().event("lines").id(&self.seen).data(data))
    }
}

fn joined(page: &str, last: &str) -> String {
    if last.is_empty() {
        page.to_owned()
    } else {
        format!("{page}/{last}")
    }
}

/// Tells a line from all others, and from another one that has its number by now.
fn line_id((number, row): &(usize, String)) -> String {
    format!("{number}-{}", hashed(row))
}

fn hashed(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_known_by_its_number_and_what_it_says() {
        let id = |number, row: &str| line_id(&(number, row.to_owned()));
        assert_eq!(id(3, "a"), id(3, "a"));
        assert_ne!(id(3, "a"), id(4, "a"));
        assert_ne!(id(3, "a"), id(3, "b"));
        assert_eq!(
            (joined("p", ""), joined("p", "3-x")),
            ("p".to_owned(), "p/3-x".to_owned())
        );
    }
}
