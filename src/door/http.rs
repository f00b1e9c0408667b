//! HTTP: one request at a time through ureq, the only user of that crate; its answer is taken in as it comes.
//!
//! Owns which connections are allowed at all (TLS, or this machine), time limits and the largest body. Knows no
//! provider: what a status means and whether to try again is decided above.

use std::{
    fmt,
    io::{self, Read as _},
    net::{Ipv4Addr, Ipv6Addr},
    ops::ControlFlow,
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::{Duration, Instant},
};

use ureq::{Agent, Timeout, config::Config, http};

use crate::{
    door::{point, wait::STEP},
    fault::point::Point,
    time::{Stop, Stopping},
};

/// Largest body of an answer that comes whole, in bytes.
pub const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// Parts of a body that may wait until they are taken in.
const AHEAD: usize = 64;

/// The longest waits of one request, and the largest answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// For a connection.
    pub connect: Duration,
    /// For the head of the answer, and again for the first byte of its body.
    pub first_byte: Duration,
    /// For the next byte of a body.
    pub idle: Duration,
    /// For everything.
    pub total: Duration,
    /// Most bytes of a body.
    pub body: usize,
}

/// A client. Each request has a connection of its own: none can be stale, and leaving one ends nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Http {
    limits: Limits,
    allow_http: bool,
}

/// What comes before a body, whatever the status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The status code.
    pub status: u16,
    /// Header fields in the order they came, names in lower case; values that are no text are left out.
    pub headers: Vec<(String, String)>,
}

impl Head {
    /// Returns the first header field called `name`, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// True for 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Takes in the next bytes of a body; says whether it wants more.
pub type Take<'a> = dyn FnMut(&Head, &[u8]) -> ControlFlow<()> + 'a;

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpErrorKind {
    /// Plain http to another machine: nothing was sent.
    Insecure,
    /// No connection came about: refused, unreachable, no such host, or not in time.
    Refused,
    /// The answer did not come, or not wholly, within `Limits::total`.
    Timeout,
    /// Nothing came for so long: `Limits::first_byte` or `Limits::idle`.
    Silent(Duration),
    /// The other side could not prove who it is.
    Tls,
    /// The connection ended before the answer did.
    Cut,
    /// The body is larger than `Limits::body`.
    TooLarge,
    /// What came is not HTTP, or not as it was asked for.
    Garbled,
    /// The run was asked to leave now.
    Stopped,
    /// Anything else, such as a broken URL; nothing was sent.
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

/// Returns the host that `url` names, and whether it is this machine. `allow_http`: plain http may leave this machine.
///
/// # Errors
/// `Insecure` for plain http to another machine; `Other` for what is not an http URL.
pub fn check_url(url: &str, allow_http: bool) -> Result<(String, bool), HttpError> {
    let uri: http::Uri = url
        .parse()
        .map_err(|_| HttpError::new(HttpErrorKind::Other, "the endpoint is not a URL"))?;
    let host = uri
        .host()
        .ok_or_else(|| HttpError::new(HttpErrorKind::Other, "the endpoint's URL names no host"))?;
    let here = is_loopback(host);
    match uri.scheme_str() {
        Some("https") => Ok((host.to_owned(), here)),
        Some("http") if here || allow_http => Ok((host.to_owned(), here)),
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

impl Http {
    /// Makes a client. Certificates are verified; redirects are not followed, so that no key is carried elsewhere.
    pub fn new(limits: Limits, allow_http: bool) -> Self {
        Self { limits, allow_http }
    }

    /// Posts `body` as JSON and hands the answer to `take`, bytes as they come, until it ends or `take` has enough.
    /// `stop` pressed once waits, for the answer is paid for; asked to leave now, the connection is ended.
    ///
    /// # Errors
    /// Says why there is no whole answer; an answer with any status is none.
    pub fn post(&self, to: &To<'_>, body: Vec<u8>, stop: &Stop, take: &mut Take<'_>) -> Result<Head, HttpError> {
        self.exchange(to, Some(body), stop, take)
    }

    /// Gets a whole answer.
    ///
    /// # Errors
    /// As `post`.
    pub fn get(&self, to: &To<'_>, stop: &Stop) -> Result<(Head, Vec<u8>), HttpError> {
        let mut body = Vec::new();
        let head = self.exchange(to, None, stop, &mut |_, bytes| {
            body.extend_from_slice(bytes);
            ControlFlow::Continue(())
        })?;
        Ok((head, body))
    }

    fn exchange(
        &self,
        to: &To<'_>,
        body: Option<Vec<u8>>,
        stop: &Stop,
        take: &mut Take<'_>,
    ) -> Result<Head, HttpError> {
        let (_, here) = check_url(to.url, self.allow_http)?;
        let agent = self.agent(here);
        let (send, parts) = mpsc::sync_channel(AHEAD);
        let sending = Sending {
            agent: agent.clone(),
            url: to.url.to_owned(),
            headers: to.headers.to_vec(),
            body,
        };
        let started = thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || sending.run(&send));
        if let Err(error) = started {
            return Err(HttpError::new(HttpErrorKind::Other, error));
        }
        let outcome = self.receive(&parts, stop, take);
        // Whoever still waits for a byte on this connection waits no longer, and the server learns that nobody reads.
        agent.shutdown();
        outcome
    }

    fn agent(&self, here: bool) -> Agent {
        let limits = &self.limits;
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(limits.connect))
            .timeout_connect(Some(limits.connect))
            .timeout_recv_response(Some(limits.first_byte))
            .timeout_global(Some(limits.total))
            .accept_encoding("identity")
            .user_agent(concat!("git-invisigoth/", env!("CARGO_PKG_VERSION")));
        // A proxy of the environment would see what is meant for this machine alone.
        let config = if here { config.proxy(None) } else { config };
        config.build().new_agent()
    }

    fn receive(&self, parts: &Receiver<Part>, stop: &Stop, take: &mut Take<'_>) -> Result<Head, HttpError> {
        let mut head = None;
        let mut size = 0;
        // Until there is a head, the thread that waits for it keeps the limits.
        let mut quiet: Option<(Instant, Duration)> = None;
        loop {
            match (parts.recv_timeout(STEP), &head) {
                (Ok(Part::Head(came)), _) => {
                    refuse_compressed(&came)?;
                    head = Some(came);
                    quiet = Some((Instant::now(), self.limits.first_byte));
                }
                (Ok(Part::Bytes(bytes)), Some(head)) => {
                    size += bytes.len();
                    if size > self.limits.body {
                        return Err(too_large(self.limits.body));
                    }
                    if take(head, &bytes).is_break() {
                        return Ok(head.clone());
                    }
                    quiet = Some((Instant::now(), self.limits.idle));
                }
                (Ok(Part::End(Ok(()))), Some(head)) => return Ok(head.clone()),
                (Ok(Part::End(Err(error))), _) => return Err(explain(error, &self.limits)),
                (Ok(_) | Err(RecvTimeoutError::Disconnected), _) => {
                    return Err(HttpError::new(HttpErrorKind::Other, "the request could not be made"));
                }
                (Err(RecvTimeoutError::Timeout), _) if stop.stopping() == Stopping::Now => {
                    return Err(HttpError::new(HttpErrorKind::Stopped, "stopped"));
                }
                (Err(RecvTimeoutError::Timeout), _) => {
                    if let Some((since, limit)) = quiet
                        && since.elapsed() >= limit
                    {
                        return Err(silent(limit));
                    }
                }
            }
        }
    }
}

/// Where a request goes, and with which header fields.
#[derive(Clone, Copy)]
pub struct To<'a> {
    /// The URL.
    pub url: &'a str,
    /// Header fields; may hold the key.
    pub headers: &'a [(&'static str, String)],
}

/// What the thread of a request reports.
enum Part {
    Head(Head),
    Bytes(Vec<u8>),
    End(Result<(), ureq::Error>),
}

/// A request, owned by its thread.
struct Sending {
    agent: Agent,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Sending {
    fn run(self, to: &SyncSender<Part>) {
        let ended = self.relay(to);
        // The receiver is gone when the run left without the answer.
        let _ = to.send(Part::End(ended));
    }

    fn relay(self, to: &SyncSender<Part>) -> Result<(), ureq::Error> {
        let response = point::at(Point::RequestSent, || self.call())?;
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let status = response.status().as_u16();
        if to.send(Part::Head(Head { status, headers })).is_err() {
            return Ok(());
        }
        let mut reader = response.into_body().into_reader();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = reader.read(&mut buffer)?;
            let bytes = buffer.get(..count).unwrap_or_default().to_vec();
            if bytes.is_empty() || to.send(Part::Bytes(bytes)).is_err() {
                return Ok(());
            }
        }
    }

    fn call(self) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let Some(body) = self.body else {
            let mut request = self.agent.get(&self.url);
            for (name, value) in &self.headers {
                request = request.header(*name, value);
            }
            return request.call();
        };
        let mut request = self.agent.post(&self.url);
        if self.headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.content_type("application/json");
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.send(&body)
    }
}

/// Nobody asked for compression: so small a body cannot grow beyond every limit.
fn refuse_compressed(head: &Head) -> Result<(), HttpError> {
    match head.header("content-encoding").map(str::trim) {
        None | Some("" | "identity") => Ok(()),
        Some(_) => Err(HttpError::new(
            HttpErrorKind::Garbled,
            "the answer is compressed, which was not asked for",
        )),
    }
}

fn too_large(most: usize) -> HttpError {
    let mib = most / (1024 * 1024);
    HttpError::new(
        HttpErrorKind::TooLarge,
        format_args!("the answer is larger than {mib} MiB"),
    )
}

fn silent(limit: Duration) -> HttpError {
    HttpError::new(
        HttpErrorKind::Silent(limit),
        format_args!("nothing came for {} s", limit.as_secs_f64()),
    )
}

fn explain(error: ureq::Error, limits: &Limits) -> HttpError {
    use HttpErrorKind as Kind;
    match error {
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            HttpError::new(Kind::Refused, "no connection came about in time")
        }
        ureq::Error::Timeout(Timeout::RecvResponse) => silent(limits.first_byte),
        ureq::Error::Timeout(_) => HttpError::new(
            Kind::Timeout,
            format_args!("no whole answer within {} s", limits.total.as_secs_f64()),
        ),
        ureq::Error::HostNotFound => HttpError::new(Kind::Refused, "there is no such host"),
        ureq::Error::ConnectionFailed => HttpError::new(Kind::Refused, "no connection came about"),
        ureq::Error::Tls(_) | ureq::Error::Pem(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => {
            HttpError::new(Kind::Tls, format_args!("no secure connection: {error}"))
        }
        ureq::Error::Io(error) => explain_io(&error),
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) | ureq::Error::BodyStalled => {
            HttpError::new(Kind::Garbled, format_args!("the answer is not HTTP: {error}"))
        }
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
        _ => HttpErrorKind::Cut,
    };
    HttpError::new(kind, error)
}

#[cfg(test)]
pub mod stub;
#[cfg(test)]
mod tests;
