//! Acting: forms and requests of programs that change something. Reads them, has the action done, and says what came of it.
//! What is done is up to `actions`; whoever comes here was let in by `gate`.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{self, Bytes},
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use eyre::Report;
use tokio::time;

use crate::{
    commands::Document,
    fault::{Fault, Kind},
    web::{
        actions::{self, Action, Said},
        given::Given,
        pages::{ask, encoded},
        respond,
        server::{FORM, Shared, blocking},
        site::{May, Site},
    },
};

/// How long a body may take to come.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What went wrong before anything was tried.
type Early = (StatusCode, Fault);

/// Takes a form in, and sends the browser back to where it came from.
pub async fn form(State(shared): State<Shared>, Path(verb): Path<String>, request: Request) -> Response {
    let site = Arc::clone(&shared.site);
    let read = read(&shared, &verb, request, "application/x-www-form-urlencoded").await;
    let (action, bytes) = match read {
        Ok(read) => read,
        Err((status, fault)) => return respond::html(&site.refused(status.as_u16(), &fault)),
    };
    let mut given = Given::of_form(&String::from_utf8_lossy(&bytes));
    let (back, was_asked) = (ask::back(&given), given.one("asked").is_some());
    for name in ["back", "asked"] {
        given.remove(name);
    }
    // A button that is about no goal has the field all the same.
    if given.one("id").is_none() {
        given.remove("id");
    }
    if action.asks && !was_asked {
        let at = given
            .one("id")
            .map(|id| format!("/{}", encoded(id)))
            .unwrap_or_default();
        return see(&format!("/ask/{verb}{at}?back={}", encoded(&back)));
    }
    match blocking(move || done(&site, action, &given, &back)).await {
        Ok(response) | Err(response) => response,
    }
}

fn done(site: &Site, action: &Action, given: &Given, back: &str) -> Response {
    let came = site.fresh().and_then(|session| action.act(&session, given));
    site.changed();
    let said = match came {
        Ok(done) => done.said,
        Err(error) => {
            let fault = site.fault(&error);
            let said = Said {
                is_fault: true,
                text: fault.message.clone(),
                more: fault.hints.clone(),
            };
            if action.asks {
                // What was typed must not be lost.
                let mut given = given.clone();
                given.set("back", back);
                return respond::html(&site.asked_again(status_of(&fault).as_u16(), (action, &given), said));
            }
            said
        }
    };
    see(&site.told(&landing(action, given, back), &said))
}

/// Returns where to go afterwards: the page of a goal that is no more is not there.
fn landing(action: &Action, given: &Given, back: &str) -> String {
    let ids = given.many("id");
    let was_there = ids
        .iter()
        .any(|id| back.split(['/', '?']).any(|part| part == encoded(id)));
    match action.verb == "drop" && was_there {
        true => "/".to_owned(),
        false => back.to_owned(),
    }
}

/// Takes a JSON object in, and answers with the command's document.
pub async fn json(State(shared): State<Shared>, Path(verb): Path<String>, request: Request) -> Response {
    let site = Arc::clone(&shared.site);
    let (action, bytes) = match read(&shared, &verb, request, "application/json").await {
        Ok(read) => read,
        Err((status, fault)) => return respond::json(status, &Document::failed(&fault)),
    };
    let work = move || {
        let given = Given::of_json(&bytes, |name, value| action.fits(name, value)).map_err(Report::from);
        let came = given.and_then(|given| action.act(&site.fresh()?, &given));
        site.changed();
        match came {
            Ok(done) => respond::text(StatusCode::OK, site.text_of(&done.document)),
            Err(error) => failed(&site, &error, StatusCode::CONFLICT),
        }
    };
    match blocking(work).await {
        Ok(response) | Err(response) => response,
    }
}

/// Answers a program with what went wrong; `usual` is the status where only the state of things is in the way.
pub fn failed(site: &Site, error: &Report, usual: StatusCode) -> Response {
    let fault = site.fault(error);
    let is_known = error.chain().any(<dyn std::error::Error>::is::<Fault>);
    let status = match status_of(&fault) {
        StatusCode::CONFLICT if !is_known => StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::CONFLICT => usual,
        status => status,
    };
    respond::json(status, &Document::failed(&fault))
}

fn status_of(fault: &Fault) -> StatusCode {
    match fault.kind {
        Kind::Usage => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT,
    }
}

/// Reads the body of a request to do something, of the one media type that it may have: a form of another site can be sent as plain
/// text, too.
async fn read(shared: &Shared, verb: &str, request: Request, media: &str) -> Result<(&'static Action, Bytes), Early> {
    let early = |status, why: &str| (status, Fault::new(Kind::Usage, why));
    if shared.site.may == May::Look {
        return Err(early(StatusCode::FORBIDDEN, "this site is read-only"));
    }
    let action = actions::find(verb).ok_or_else(|| early(StatusCode::NOT_FOUND, "there is no such action"))?;
    let said = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|said| said.to_str().ok());
    let said = said.and_then(|said| said.split(';').next()).unwrap_or_default().trim();
    if !said.eq_ignore_ascii_case(media) {
        return Err(early(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            &format!("the body must be {media}"),
        ));
    }
    let is_long = |said: &str| said.parse::<usize>().is_ok_and(|bytes| bytes > FORM);
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|said| said.to_str().ok());
    if length.is_some_and(is_long) {
        return Err(early(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"));
    }
    match time::timeout(BODY_TIME, body::to_bytes(request.into_body(), FORM)).await {
        Ok(Ok(bytes)) => Ok((action, bytes)),
        Ok(Err(_)) => Err(early(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")),
        Err(_) => Err(early(StatusCode::REQUEST_TIMEOUT, "the body took too long to come")),
    }
}

/// The browser shall ask for another page; loading it again does not send the form again.
fn see(address: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, address.to_owned())]).into_response()
}
