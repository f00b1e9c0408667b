//! The gate: who may come in, decided before anything is looked up, and what browsers are told about every answer.
//!
//! Loopback is no boundary: any page that a browser shows can send requests to it, under a name of its own that resolves to
//! 127.0.0.1. So a request must name this server as a person would.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::web::server::Shared;

/// What browsers may do with an answer: nothing but show it with our own style and script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Who may come in.
#[derive(Debug, Default)]
pub struct Gate {
    /// Names by which this server may be called besides those of loopback.
    pub hosts: Vec<String>,
}

impl Gate {
    /// True where `host`, as a request names it, is one of ours: its port does not matter.
    fn knows(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let own = ["localhost", "127.0.0.1", "[::1]"];
        own.contains(&name) || self.hosts.iter().any(|host| host == name)
    }
}

/// Lets a request pass or refuses it.
pub async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let is_known = match (hosts.next(), hosts.next(), request.uri().authority()) {
        (Some(host), None, None) => host.to_str().is_ok_and(|host| shared.gate.knows(host)),
        _ => false,
    };
    let mut response = match is_known {
        true => next.run(request).await,
        false => (
            StatusCode::MISDIRECTED_REQUEST,
            "error: this server goes by another name\n",
        )
            .into_response(),
    };
    let told = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in told {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
