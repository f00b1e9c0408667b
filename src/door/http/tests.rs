//! Tests against a server on this machine that sends scripted bytes.

use super::{
    stub::{Act, Stub, act, nobody, response},
    *,
};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);

fn post(url: &str, timeout: Duration) -> Result<Answer, HttpError> {
    Http::new().post_json(url, &[("Authorization", "Bearer k".to_owned())], b"{}", timeout)
}

fn kind_of(acts: Vec<Act>, timeout: Duration) -> HttpErrorKind {
    post(&Stub::start(acts).url, timeout).unwrap_err().kind
}

#[test]
fn any_status_is_an_answer_with_headers_and_body() {
    let stub = Stub::start(vec![
        Act::Send(response(429, "Retry-After: 7\r\n", "slow down")),
        act(200, "{}"),
    ]);
    let http = Http::new();
    let answer = http.post_json(&stub.url, &[], b"{}", LONG).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (429, b"slow down".as_slice()));
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert_eq!(http.get(&stub.url, &[], LONG).unwrap().status, 200);
}

#[test]
fn the_request_is_json_with_the_given_headers() {
    let stub = Stub::start(vec![act(200, "")]);
    post(&stub.url, LONG).unwrap();
    let seen = stub.seen().remove(0).to_ascii_lowercase();
    assert!(seen.starts_with("post / http/1.1\r\n"), "{seen}");
    for line in [
        "authorization: bearer k",
        "content-type: application/json",
        "\r\n\r\n{}",
    ] {
        assert!(seen.contains(line), "{line} is not in {seen}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Stub::start(vec![act(200, "")]);
    let stub = Stub::start(vec![Act::Send(response(
        307,
        &format!("Location: {}\r\n", elsewhere.url),
        "",
    ))]);
    assert_eq!(post(&stub.url, LONG).unwrap().status, 307);
    assert_eq!(elsewhere.seen().len(), 0);
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for url in [
        "http://example.com/v1",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "http://localhost@example.com/",
        "http://[2001:db8::1]/",
    ] {
        assert_eq!(check_url(url).unwrap_err().kind, HttpErrorKind::Insecure, "{url}");
        assert_eq!(post(url, SHORT).unwrap_err().kind, HttpErrorKind::Insecure, "{url}");
    }
    for url in [
        "http://127.0.0.1:1/",
        "http://127.9.9.9/",
        "http://LOCALHOST:80/",
        "http://[::1]:8/",
    ] {
        assert!(check_url(url).unwrap().1, "{url}");
    }
    assert!(!check_url("https://example.com/v1").unwrap().1);
    for url in ["", "example.com", "ftp://example.com/", "http://user:hush hush@x/"] {
        let error = check_url(url).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Other, "{url}");
        assert!(!error.message.contains("hush"));
    }
}

#[test]
fn a_connection_that_ends_early_is_cut() {
    assert_eq!(kind_of(vec![Act::Cut(Vec::new())], LONG), HttpErrorKind::Cut);
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    assert_eq!(kind_of(vec![Act::Cut(half)], LONG), HttpErrorKind::Cut);
}

#[test]
fn a_slow_head_and_a_slow_body_both_time_out() {
    assert_eq!(kind_of(vec![Act::Hang(Vec::new())], SHORT), HttpErrorKind::Timeout);
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    assert_eq!(kind_of(vec![Act::Hang(half)], SHORT), HttpErrorKind::Timeout);
}

#[test]
fn a_body_may_be_as_large_as_the_cap_and_no_larger() {
    let largest = usize::try_from(LARGEST_BODY).unwrap();
    let stub = Stub::start(vec![act(200, vec![b'x'; largest]), act(200, vec![b'x'; largest + 1])]);
    assert_eq!(post(&stub.url, LONG).unwrap().body.len(), largest);
    assert_eq!(post(&stub.url, LONG).unwrap_err().kind, HttpErrorKind::TooLarge);
}

#[test]
fn nobody_there_is_refused_and_no_tls_there_is_tls() {
    assert_eq!(post(&nobody(), LONG).unwrap_err().kind, HttpErrorKind::Refused);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(post(&url, LONG).unwrap_err().kind, HttpErrorKind::Tls);
}

#[test]
fn a_header_that_http_cannot_carry_is_an_error_that_does_not_repeat_it() {
    let header = [("Authorization", "Bearer hush\nhush".to_owned())];
    let error = Http::new()
        .post_json("http://127.0.0.1:1/", &header, b"", LONG)
        .unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Other);
    assert!(!error.message.contains("hush"), "{error}");
}
