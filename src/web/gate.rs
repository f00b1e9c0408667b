//! The gate: who may come in, decided before anything is looked up, and what browsers are told about every answer.
//!
//! Loopback is no boundary: any page that a browser shows can send requests to it, under a name of its own that resolves to
//! 127.0.0.1. So a request must name this server as a person would, come from no other site, and bring a cookie or the token.
//! Another port of this machine is another site here, although browsers send it our cookie.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{
    commands::Document,
    fault::{Fault, Kind},
    web::{
        respond,
        server::Shared,
        sign_in::{self, Keys},
    },
};

/// What browsers may do with an answer: nothing but show it with our own style and script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where what programs ask for begins.
pub const API: &str = "/api/";

/// Who may come in.
pub struct Gate {
    /// Names by which this server may be called besides those of loopback.
    pub hosts: Vec<String>,
    /// What whoever comes must bring.
    pub keys: Keys,
}

/// Why a request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Refusal {
    /// It does not say how long its body is.
    NoLength,
    /// It names no server, or another one.
    OtherName,
    /// A page of another site sent it.
    OtherSite,
    /// It would do something else than ask or tell.
    OtherMethod,
    /// Nobody is signed in.
    Stranger,
}

impl Gate {
    /// True where `host`, as a request names it, is one of ours: its port does not matter.
    fn knows(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let own = ["localhost", "127.0.0.1", "[::1]"];
        own.contains(&name) || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
    }

    fn judge(&self, request: &Request) -> Result<(), Refusal> {
        let headers = request.headers();
        // Of one that says both a length and an encoding the length is gone by now: somebody between may have seen its end elsewhere.
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(Refusal::NoLength);
        }
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next(), request.uri().authority()) {
            (Some(host), None, None) => host.to_str().ok().filter(|host| self.knows(host)),
            _ => None,
        };
        let host = host.ok_or(Refusal::OtherName)?;
        if !comes_from_here(request, host) {
            return Err(Refusal::OtherSite);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) {
            return Err(Refusal::OtherMethod);
        }
        if !is_open(request.uri().path()) && !self.keys.know(headers) {
            return Err(Refusal::Stranger);
        }
        // Browsers say with every form where it was; a program brings the token, which no browser sends by itself.
        let says_where = headers.contains_key(header::ORIGIN);
        if request.method() == Method::POST && !says_where && !self.keys.know_bearer(headers) {
            return Err(Refusal::OtherSite);
        }
        Ok(())
    }
}

/// True for what anybody may see.
fn is_open(path: &str) -> bool {
    path == "/healthz" || path == "/sign-in" || path.starts_with("/static/")
}

/// True where no page of another site sent it. A person may follow a link from anywhere: that sends no cookie of ours.
fn comes_from_here(request: &Request, host: &str) -> bool {
    let headers = request.headers();
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|said| said == value);
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_own = |origin: &HeaderValue| {
        let origin = origin.to_str().unwrap_or_default();
        let origin = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        origin == Some(host)
    };
    if !origins.all(is_own) {
        return false;
    }
    let follows_link =
        request.method() == Method::GET && is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document");
    !headers.contains_key("sec-fetch-site")
        || is("sec-fetch-site", "same-origin")
        || is("sec-fetch-site", "none")
        || follows_link
}

/// Lets a request pass or refuses it.
pub async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let is_program = request.uri().path().starts_with(API);
    let mut response = match shared.gate.judge(&request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refused(refusal, is_program),
    };
    let told = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With no referrer at all, browsers would not say where our own forms come from either.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in told {
        let said = response.headers_mut().entry(name);
        said.or_insert(HeaderValue::from_static(value));
    }
    response
}

fn refused(refusal: Refusal, is_program: bool) -> Response {
    let (status, why, hint) = match refusal {
        Refusal::NoLength => (StatusCode::LENGTH_REQUIRED, "a request says how long it is", None),
        Refusal::OtherName => (
            StatusCode::MISDIRECTED_REQUEST,
            "this server goes by another name",
            Some("`git invisigoth serve --allow-host NAME` lets it go by that one"),
        ),
        Refusal::OtherSite => (StatusCode::FORBIDDEN, "this request comes from another site", None),
        Refusal::OtherMethod => (
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET, HEAD and POST are known here",
            None,
        ),
        Refusal::Stranger if is_program => (
            StatusCode::UNAUTHORIZED,
            "a program brings the token",
            Some("`Authorization: Bearer $(cat .git/invisigoth/serve.token)`"),
        ),
        Refusal::Stranger => return sign_in::refused("Nobody is signed in here."),
    };
    let mut fault = Fault::new(Kind::Usage, why);
    fault.hints.extend(hint.map(str::to_owned));
    let mut response = match is_program {
        true => respond::json(status, &Document::failed(&fault)),
        false => {
            let hints = fault.hints.iter().map(|hint| format!("hint: {hint}\n"));
            let text = format!("error: {why}\n{}", hints.collect::<String>());
            (status, Body::from(text)).into_response()
        }
    };
    let headers = response.headers_mut();
    match refusal {
        Refusal::OtherMethod => headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST")),
        Refusal::Stranger => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        Refusal::NoLength => headers.insert(header::CONNECTION, HeaderValue::from_static("close")),
        _ => None,
    };
    if !is_program {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
    }
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{door::clock::SystemClock, web::gate::Refusal as R};

    fn gate() -> Gate {
        Gate {
            hosts: vec!["box.tail.ts.net".to_owned()],
            keys: Keys::new(("t".to_owned(), "s".to_owned()), "c", Arc::new(SystemClock)),
        }
    }

    fn judged(method: &str, to: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let all = headers
            .iter()
            .fold(Request::builder().method(method).uri(to), |request, (name, value)| {
                request.header(*name, *value)
            });
        gate().judge(&all.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_request_names_this_server_once() {
        for host in [
            "localhost",
            "127.0.0.1:7420",
            "[::1]:80",
            "[::1]",
            "box.tail.ts.net",
            "BOX.tail.ts.net:443",
        ] {
            assert_eq!(judged("GET", "/healthz", &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.test",
            "localhost.evil",
            "localhost:80.evil",
            "",
            "127.0.0.1.evil:7420",
            "::1",
            "localhost@evil",
        ] {
            assert_eq!(
                judged("GET", "/healthz", &[("host", host)]),
                Err(R::OtherName),
                "{host}"
            );
        }
        let twice = [("host", "localhost"), ("host", "localhost")];
        assert_eq!(judged("GET", "/healthz", &twice), Err(R::OtherName));
        assert_eq!(judged("GET", "/healthz", &[]), Err(R::OtherName));
        assert_eq!(
            judged("GET", "http://localhost/healthz", &twice[..1]),
            Err(R::OtherName)
        );
    }

    #[test]
    fn nothing_comes_from_another_site_but_a_person_who_follows_a_link() {
        let judged = |method: &str, more: &[(&str, &str)]| {
            let mut all = vec![("host", "localhost:7420"), ("authorization", "Bearer t")];
            all.extend(more);
            judged(method, "/", &all)
        };
        let link = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let with = |site| [[("sec-fetch-site", site)].as_slice(), &link].concat();
        assert_eq!(judged("GET", &with("cross-site")), Ok(()));
        for (method, more) in [
            ("POST", with("cross-site")),
            ("POST", with("same-site")),
            ("GET", vec![("sec-fetch-site", "cross-site")]),
            (
                "GET",
                vec![("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")],
            ),
            (
                "GET",
                vec![("sec-fetch-site", "cross-site"), link[0], ("sec-fetch-dest", "iframe")],
            ),
            ("GET", vec![("origin", "http://localhost:3000")]),
            ("POST", vec![("origin", "null")]),
            (
                "POST",
                vec![("origin", "http://localhost:7420"), ("origin", "http://evil.test")],
            ),
            ("OPTIONS", vec![("origin", "http://evil.test")]),
        ] {
            assert_eq!(judged(method, &more), Err(R::OtherSite), "{method} {more:?}");
        }
        assert_eq!(judged("POST", &[("origin", "http://localhost:7420")]), Ok(()));
        assert_eq!(judged("POST", &[]), Ok(()), "a program says no origin");
        assert_eq!(judged("DELETE", &[]), Err(R::OtherMethod));
    }

    #[test]
    fn whoever_brings_nothing_sees_nothing() {
        let host = ("host", "localhost");
        for open in ["/healthz", "/static/app.css", "/sign-in?token=x"] {
            assert_eq!(judged("GET", open, &[host]), Ok(()), "{open}");
        }
        for closed in [
            "/",
            "/goals",
            "/static",
            "/healthz/",
            "/sign-in/",
            "/events",
            "/metrics",
            "/api/v1/status",
            "//static/",
        ] {
            assert_eq!(judged("GET", closed, &[host]), Err(R::Stranger), "{closed}");
        }
        assert_eq!(judged("POST", "/sign-in", &[host]), Err(R::OtherSite));
    }
}
