//! Signing in: a link that works once gives a browser its cookie; programs bring the token itself. Knows who is signed in, and
//! nothing of what they ask for.
//!
//! There is one secret, the token. Links and cookies are made of it by a keyed hash, so that another process that can read the token
//! makes links, and nothing but the links that were used is remembered: they are of one server, and end with it. Whoever has a
//! cookie stays signed in for as long as the token is the same.

use std::{
    collections::BTreeSet,
    hint, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::{
    door::random,
    id::Hash,
    time::{Clock, Moment},
    web::server::Shared,
};

/// How long a link works.
const LASTS: Duration = Duration::from_secs(60 * 60);
/// How the token stands before a request of a program.
const BEARER: &str = "Bearer ";

/// Who may come in.
pub struct Keys {
    token: String,
    /// What tells this server from those before it.
    start: String,
    /// The name of the cookie.
    cookie: String,
    clock: Arc<dyn Clock>,
    /// The marks of links that were used.
    used: Mutex<BTreeSet<String>>,
}

impl Keys {
    /// Makes them of a token for the server that `start` tells from those before it, of `clone`, a name of it. Cookies know no
    /// ports: the servers of two clones on one machine must not take each other's away.
    pub fn new((token, start): (String, String), clone: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            token,
            start,
            cookie: format!("invisigoth-{clone}"),
            clock,
            used: Mutex::default(),
        }
    }

    /// Takes a link in; returns the cookie's value, and `None` for one that is wrong, old or used.
    fn take(&self, link: &str) -> Option<String> {
        let mut parts = link.split('.');
        let (mark, until, seal) = (parts.next()?, parts.next()?, parts.next()?);
        let is_ours = same(seal, &sealed(&self.token, "link", &[&self.start, mark, until]));
        let is_new = until.parse().is_ok_and(|until| self.clock.now() < Moment(until));
        if !is_ours || !is_new || parts.next().is_some() {
            return None;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert(mark.to_owned())
            .then(|| format!("{mark}.{}", sealed(&self.token, "cookie", &[mark])))
    }

    /// True where a request brings what it takes.
    pub fn know(&self, headers: &HeaderMap) -> bool {
        self.know_cookie(headers) || self.know_bearer(headers)
    }

    /// True where a request brings our cookie.
    fn know_cookie(&self, headers: &HeaderMap) -> bool {
        let all = headers.get_all(header::COOKIE).iter();
        let all = all.filter_map(|value| value.to_str().ok());
        let mut pairs = all
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(other, value)| {
            let seal = |mark: &str| sealed(&self.token, "cookie", &[mark]);
            other == self.cookie
                && value
                    .split_once('.')
                    .is_some_and(|(mark, said)| same(said, &seal(mark)))
        })
    }

    /// True where a request brings the token, as programs do.
    pub fn know_bearer(&self, headers: &HeaderMap) -> bool {
        let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        said.and_then(|said| said.strip_prefix(BEARER))
            .is_some_and(|said| same(said.trim(), &self.token))
    }
}

/// Makes what stands behind `/sign-in?token=` of a link that works once.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn link((token, start): (&str, &str), now: Moment) -> io::Result<String> {
    let mark: String = random::digits()?.chars().take(32).collect();
    let lasts = i64::try_from(LASTS.as_millis()).unwrap_or(0);
    let until = now.0.saturating_add(lasts).to_string();
    let seal = sealed(token, "link", &[start, &mark, &until]);
    Ok(format!("{mark}.{until}.{seal}"))
}

/// A hash over a hash, both keyed: nobody can make a longer text of one that was sealed.
fn sealed(token: &str, what: &str, parts: &[&str]) -> String {
    let within = parts.iter().map(|part| part.as_bytes());
    let within = Hash::of(what, [token.as_bytes()].into_iter().chain(within)).to_string();
    Hash::of("seal", [token.as_bytes(), within.as_bytes()]).to_string()
}

/// Compares two texts in a time that tells nothing of where they differ.
fn same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    let differs = pairs.fold(0, |all, (a, b)| hint::black_box(all | (a ^ b)));
    one.len() == other.len() && differs == 0
}

/// What a link says.
#[derive(Deserialize)]
pub struct Brought {
    #[serde(default)]
    token: String,
}

/// Signs a browser in.
pub async fn sign_in(State(shared): State<Shared>, Query(brought): Query<Brought>) -> Response {
    let keys = &shared.gate.keys;
    let Some(value) = keys.take(&brought.token) else {
        return refused("This link was used already, or is too old.");
    };
    let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict", keys.cookie);
    // Not a redirect: whoever came over from elsewhere would not send a strict cookie along with it.
    let page = whole(
        "Signed in",
        "<p>You are signed in. <a href=\"/\">To the inbox</a></p>",
        "<meta http-equiv=\"refresh\" content=\"0;url=/\">",
    );
    ([(header::SET_COOKIE, cookie)], private(page)).into_response()
}

/// Answers a browser that is not signed in.
pub fn refused(why: &str) -> Response {
    let body = format!(
        "<p class=\"fault\"><b>error:</b> {why}</p>\n\
         <p><b>hint:</b> <code>git invisigoth serve</code> in this repository prints a new link, also while it is served.</p>\n\
         <p>Signed in here before, and come from another page? <a href=\"/\">Go on to the inbox</a></p>"
    );
    (StatusCode::UNAUTHORIZED, private(whole("Not signed in", &body, ""))).into_response()
}

/// Nothing of what stands in the address goes on to anybody.
fn private(page: Html<String>) -> Response {
    ([(header::REFERRER_POLICY, "no-referrer")], page).into_response()
}

fn whole(title: &str, body: &str, head: &str) -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{head}\n\
         <link rel=\"icon\" href=\"/static/icon.svg\">\n<link rel=\"stylesheet\" href=\"/static/app.css\">\n</head>\n\
         <body>\n<main id=\"main\">\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    ))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Moment {
            Moment(self.0)
        }
    }

    fn keys(token: &str, now: i64) -> Keys {
        Keys::new((token.to_owned(), "s".to_owned()), "7420", Arc::new(At(now)))
    }

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_link_works_once_until_it_is_old() {
        let keys = keys("t", 1000);
        let one = link(("t", "s"), Moment(1000)).unwrap();
        assert!(keys.take(&one).is_some());
        assert_eq!(keys.take(&one), None, "it was used");
        let hour = i64::try_from(LASTS.as_millis()).unwrap();
        let old = link(("t", "s"), Moment(1000 - hour)).unwrap();
        assert_eq!(keys.take(&old), None, "it is old");
    }

    #[test]
    fn no_other_link_works() {
        let keys = keys("t", 0);
        let one = link(("t", "s"), Moment(0)).unwrap();
        let parts: Vec<&str> = one.split('.').collect();
        let later = format!("{}.{}.{}", parts[0], i64::MAX, parts[2]);
        let longer = format!("{one}.x");
        let other = link(("u", "s"), Moment(0)).unwrap();
        let before = link(("t", "r"), Moment(0)).unwrap();
        let shorter: String = one.chars().skip(1).collect();
        for wrong in ["", ".", "..", "a.b.c", "t", &later, &longer, &other, &before, &shorter] {
            assert_eq!(keys.take(wrong), None, "{wrong}");
        }
        assert!(keys.take(&one).is_some());
    }

    #[test]
    fn a_cookie_is_known_beside_others_and_of_its_own_server_alone() {
        let keys = keys("t", 0);
        let value = keys.take(&link(("t", "s"), Moment(0)).unwrap()).unwrap();
        let know = |cookies: &str| keys.know_cookie(&with(header::COOKIE, cookies));
        assert!(know(&format!("a=b; invisigoth-7420={value}; c")));
        assert!(!know(&format!("invisigoth-7421={value}")));
        assert!(!know(&format!("invisigoth-7420={value}0")));
        assert!(!know(&format!("invisigoth-7420=0{value}")));
        assert!(!know("invisigoth-7420="));
        assert!(!know("invisigoth-7420=."));
        let others = self::keys("u", 0);
        assert!(!others.know(&with(header::COOKIE, &format!("invisigoth-7420={value}"))));
    }

    #[test]
    fn programs_bring_the_token() {
        let keys = keys("t0ken", 0);
        let know = |said: &str| keys.know_bearer(&with(header::AUTHORIZATION, said));
        assert!(know("Bearer t0ken"));
        for wrong in [
            "t0ken",
            "Bearer t0ke",
            "Bearer t0kenn",
            "Bearer ",
            "Basic t0ken",
            "bearer",
        ] {
            assert!(!know(wrong), "{wrong}");
        }
    }
}
