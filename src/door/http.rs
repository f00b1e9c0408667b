//! HTTP: one blocking request at a time through ureq, the only user of that crate.
//!
//! Owns which connections are allowed at all (TLS, or this machine), time limits and the largest body. Knows no
//! provider: what a status means and whether to try again is decided above.

use std::{
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use ureq::{Agent, Timeout, config::Config, http};

/// Largest body of an answer, in bytes.
pub const LARGEST_BODY: u64 = 10 * 1024 * 1024;

/// Longest time until a connection stands.
const CONNECT: Duration = Duration::from_secs(15);

/// A client that keeps connections open between requests.
#[derive(Clone)]
pub struct Http {
    agent: Agent,
}

/// What came back, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Header fields in the order they came, names in lower case; values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Returns the first header field called `name`, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpErrorKind {
    /// Plain http to another machine: nothing was sent.
    Insecure,
    /// No connection came about: refused, unreachable, no such host, or not in time.
    Refused,
    /// The answer did not come, or not wholly, within the time limit.
    Timeout,
    /// The other side could not prove who it is.
    Tls,
    /// The connection ended before the answer did.
    Cut,
    /// The body is larger than `LARGEST_BODY`.
    TooLarge,
    /// Anything else, such as a broken URL or an answer that is not HTTP.
    Other,
}

/// Why there is no answer. Never holds a header, a body or what a URL says besides its host.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What code branches on.
    pub kind: HttpErrorKind,
    /// One line for people.
    pub message: String,
}

impl HttpError {
    fn new(kind: HttpErrorKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }
}

/// Returns the host that `url` names, and whether it is this machine.
///
/// # Errors
/// `Insecure` for plain http to another machine; `Other` for what is not an http URL.
pub fn check_url(url: &str) -> Result<(String, bool), HttpError> {
    let uri: http::Uri = url
        .parse()
        .map_err(|_| HttpError::new(HttpErrorKind::Other, "the endpoint is not a URL"))?;
    let host = uri
        .host()
        .ok_or_else(|| HttpError::new(HttpErrorKind::Other, "the endpoint's URL names no host"))?;
    let here = is_loopback(host);
    match uri.scheme_str() {
        Some("https") => Ok((host.to_owned(), here)),
        Some("http") if here => Ok((host.to_owned(), here)),
        Some("http") => Err(HttpError::new(
            HttpErrorKind::Insecure,
            format_args!("plain http to `{host}` is refused: everyone on the way could read the key"),
        )),
        _ => Err(HttpError::new(
            HttpErrorKind::Other,
            "the endpoint's URL must start with https://",
        )),
    }
}

/// Only literal addresses and `localhost`: any other name is for a name server to say, and that may lie.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Http {
    /// Makes a client. Certificates are verified; redirects are not followed, so that no key is carried elsewhere.
    pub fn new() -> Self {
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_resolve(Some(CONNECT))
            .user_agent(concat!("git-invisigoth/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    /// Posts `body` as JSON and waits at most `timeout` for the whole answer.
    ///
    /// # Errors
    /// Says why there is no answer; an answer with any status is none.
    pub fn post_json(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: &[u8],
        timeout: Duration,
    ) -> Result<Answer, HttpError> {
        let (_, here) = check_url(url)?;
        let mut request = self.agent.post(url).content_type("application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut config = request.config().timeout_global(Some(timeout));
        if here {
            config = config.proxy(None);
        }
        read(config.build().send(body), timeout)
    }

    /// Gets `url` and waits at most `timeout` for the whole answer.
    ///
    /// # Errors
    /// As `post_json`.
    pub fn get(&self, url: &str, headers: &[(&str, String)], timeout: Duration) -> Result<Answer, HttpError> {
        let (_, here) = check_url(url)?;
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut config = request.config().timeout_global(Some(timeout));
        if here {
            config = config.proxy(None);
        }
        read(config.build().call(), timeout)
    }
}

fn read(response: Result<http::Response<ureq::Body>, ureq::Error>, timeout: Duration) -> Result<Answer, HttpError> {
    let mut response = response.map_err(|error| explain(error, timeout))?;
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    // ureq calls a body too large as soon as the limit is used up, even where nothing follows.
    let body = response.body_mut().with_config().limit(LARGEST_BODY + 1).read_to_vec();
    Ok(Answer {
        status: response.status().as_u16(),
        headers,
        body: body.map_err(|error| explain(error, timeout))?,
    })
}

fn explain(error: ureq::Error, timeout: Duration) -> HttpError {
    use HttpErrorKind as Kind;
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            HttpError::new(Kind::Refused, "no connection came about in time")
        }
        ureq::Error::Timeout(_) => HttpError::new(
            Kind::Timeout,
            format_args!("no whole answer within {} s", timeout.as_secs_f64()),
        ),
        ureq::Error::HostNotFound => HttpError::new(Kind::Refused, "there is no such host"),
        ureq::Error::ConnectionFailed => HttpError::new(Kind::Refused, "no connection came about"),
        ureq::Error::BodyExceedsLimit(_) => HttpError::new(Kind::TooLarge, "the answer is larger than 10 MiB"),
        ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => {
            HttpError::new(Kind::Tls, format_args!("no secure connection: {error}"))
        }
        ureq::Error::Io(error) => explain_io(&error),
        // ureq's own text of a bad URI repeats the URI, which may hold a password.
        ureq::Error::BadUri(_) => HttpError::new(Kind::Other, "the endpoint is not a URL"),
        other => HttpError::new(Kind::Other, other),
    }
}

fn explain_io(error: &io::Error) -> HttpError {
    use io::ErrorKind as Io;
    let kind = match error.kind() {
        Io::ConnectionRefused | Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown => {
            HttpErrorKind::Refused
        }
        Io::UnexpectedEof | Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe => {
            return HttpError::new(HttpErrorKind::Cut, "the connection ended before the answer did");
        }
        Io::TimedOut | Io::WouldBlock => HttpErrorKind::Timeout,
        // rustls reports a failed handshake through the stream.
        Io::InvalidData => HttpErrorKind::Tls,
        _ => HttpErrorKind::Other,
    };
    HttpError::new(kind, error)
}

#[cfg(test)]
pub mod stub;
#[cfg(test)]
mod tests;
