//! Responses: pages and assets as HTTP has them.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};

use serde::Serialize;

use crate::{
    id::Hash,
    web::{
        assets,
        pages::Asked,
        render::Shown,
        server::{Shared, blocking},
    },
};

/// Answers with the page that stands at the address.
pub async fn page(State(shared): State<Shared>, request: Request) -> Response {
    let asked = asked(request.uri());
    let answer = move || match shared.site.raw(&asked) {
        Some(Ok(text)) => plain(text),
        Some(Err(shown)) => html(&shown),
        None => html(&shared.site.page(&asked)),
    };
    match blocking(answer).await {
        Ok(response) | Err(response) => response,
    }
}

/// Text as it is, which no browser takes for anything else.
fn plain(text: Vec<u8>) -> Response {
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (head, text).into_response()
}

/// Answers anybody who asks whether it is there.
pub async fn health() -> Response {
    let body = format!("{{\"status\":\"ok\",\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION"));
    text(StatusCode::OK, body)
}

/// Reads which page an address means.
pub fn asked(uri: &Uri) -> Asked {
    Asked::of(uri.path(), uri.query().unwrap_or_default())
}

/// Answers with a page.
pub fn html(shown: &Shown) -> Response {
    let status = StatusCode::from_u16(shown.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        // What is in it changes, and is nobody's who looks at this browser later.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, head, shown.html.clone()).into_response()
}

/// Answers with a document.
pub fn json(status: StatusCode, document: &impl Serialize) -> Response {
    match serde_json::to_string(document) {
        Ok(document) => text(status, document),
        // No outcome of ours does that.
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("error: {error}\n")).into_response(),
    }
}

/// Answers with the text of a document.
pub fn text(status: StatusCode, document: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], document + "\n").into_response()
}

/// Answers with an asset; with its tag alone where the browser has it.
pub async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = assets::find(&name) else {
        return (StatusCode::NOT_FOUND, "error: there is no such file\n").into_response();
    };
    let tag = format!("\"{}\"", Hash::of("asset", [asset.bytes]));
    let head = [
        (header::CONTENT_TYPE, asset.media.to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, tag.clone()),
    ];
    let has = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|has| has.as_bytes() == tag.as_bytes());
    match has {
        true => (StatusCode::NOT_MODIFIED, head).into_response(),
        false => (head, Body::from(asset.bytes)).into_response(),
    }
}
