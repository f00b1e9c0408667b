//! Tests against a server on this machine that sends scripted bytes.

use super::{
    stub::{Act, Stub, act, nobody, response},
    *,
};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(200);
const LIMITS: Limits = Limits {
    connect: LONG,
    first_byte: LONG,
    idle: LONG,
    total: LONG,
    body: LARGEST_BODY,
};
const SILENT: HttpErrorKind = HttpErrorKind::Silent(SHORT);

type Got = Result<(Head, Vec<u8>), HttpError>;

fn post_to(url: &str, limits: Limits, allow_http: bool) -> Got {
    let headers = [("Authorization", "Bearer k".to_owned())];
    let to = To { url, headers: &headers };
    let mut body = Vec::new();
    let head = Http::new(limits, allow_http).post(&to, b"{}".to_vec(), &Stop::default(), &mut |_, bytes| {
        body.extend_from_slice(bytes);
        ControlFlow::Continue(())
    })?;
    Ok((head, body))
}

fn post(url: &str) -> Got {
    post_to(url, LIMITS, false)
}

fn kind_of(act: Act, limits: Limits) -> HttpErrorKind {
    post_to(&Stub::start(vec![act]).url, limits, false).unwrap_err().kind
}

fn chunked(body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat()
}

#[test]
fn any_status_is_an_answer_with_headers_and_body() {
    let stub = Stub::start(vec![
        Act::Send(response(429, "Retry-After: 7\r\n", "slow down")),
        act(200, "{}"),
    ]);
    let (head, body) = post(&stub.url).unwrap();
    assert_eq!((head.status, body.as_slice()), (429, b"slow down".as_slice()));
    assert_eq!(head.header("retry-after"), Some("7"));
    let to = To {
        url: &stub.url,
        headers: &[],
    };
    let got = Http::new(LIMITS, false).get(&to, &Stop::default()).unwrap();
    assert_eq!((got.0.status, got.1), (200, b"{}".to_vec()));
    assert!(stub.seen()[1].starts_with("GET "), "{:?}", stub.seen());
}

#[test]
fn the_request_is_json_with_the_given_headers() {
    let stub = Stub::start(vec![act(200, "")]);
    post(&stub.url).unwrap();
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
    assert_eq!(post(&stub.url).unwrap().0.status, 307);
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
        assert_eq!(
            check_url(url, false).unwrap_err().kind,
            HttpErrorKind::Insecure,
            "{url}"
        );
        assert_eq!(post(url).unwrap_err().kind, HttpErrorKind::Insecure, "{url}");
        assert!(!check_url(url, true).unwrap().1, "{url}");
    }
    for url in [
        "http://127.0.0.1:1/",
        "http://127.9.9.9/",
        "http://LOCALHOST:80/",
        "http://[::1]:8/",
    ] {
        assert!(check_url(url, false).unwrap().1, "{url}");
    }
    assert!(!check_url("https://example.com/v1", false).unwrap().1);
    for url in ["", "example.com", "ftp://example.com/", "http://user:hush hush@x/"] {
        let error = check_url(url, true).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Other, "{url}");
        assert!(!error.message.contains("hush"));
    }
}

#[test]
fn a_body_is_handed_over_as_it_comes_however_it_is_chunked() {
    let whole = chunked(b"3;ext=1\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n");
    assert_eq!(post(&Stub::start(vec![Act::Send(whole)]).url).unwrap().1, b"abcd");
    let begun = Act::Hang(chunked(b"3\r\nabc\r\n"));
    let stub = Stub::start(vec![begun]);
    let to = To {
        url: &stub.url,
        headers: &[],
    };
    let mut seen = Vec::new();
    let enough = Http::new(LIMITS, false).post(&to, Vec::new(), &Stop::default(), &mut |head, bytes| {
        assert!(head.is_success());
        seen.extend_from_slice(bytes);
        ControlFlow::Break(())
    });
    assert_eq!((enough.unwrap().status, seen), (200, b"abc".to_vec()));
}

#[test]
fn asked_to_leave_now_a_request_is_left_and_pressed_once_it_is_not() {
    let stop = Stop::default();
    stop.press();
    let stub = Stub::start(vec![act(200, "paid"), Act::Hang(Vec::new())]);
    let to = To {
        url: &stub.url,
        headers: &[],
    };
    assert_eq!(Http::new(LIMITS, false).get(&to, &stop).unwrap().1, b"paid");
    stop.now();
    let left = Http::new(LIMITS, false).get(&to, &stop).unwrap_err();
    assert_eq!(left.kind, HttpErrorKind::Stopped);
}

#[test]
fn what_ends_early_is_cut_and_what_is_no_http_is_garbled() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec();
    for (bytes, kind) in [
        (Vec::new(), HttpErrorKind::Cut),
        (half, HttpErrorKind::Cut),
        (chunked(b"5\r\nab"), HttpErrorKind::Cut),
        (chunked(b"zz\r\nab\r\n0\r\n\r\n"), HttpErrorKind::Garbled),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n".to_vec(), HttpErrorKind::Garbled),
        (
            [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 1 << 17]].concat(),
            HttpErrorKind::Garbled,
        ),
        (
            response(200, "Content-Encoding: gzip\r\n", "\x1f"),
            HttpErrorKind::Garbled,
        ),
    ] {
        let start = String::from_utf8_lossy(&bytes).chars().take(80).collect::<String>();
        assert_eq!(kind_of(Act::Cut(bytes), LIMITS), kind, "{start}");
    }
}

#[test]
fn each_limit_of_time_is_kept_for_itself() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    let (head, body) = (half.to_vec(), [half, b"{".as_slice()].concat());
    let first_byte = Limits {
        first_byte: SHORT,
        ..LIMITS
    };
    let idle = Limits { idle: SHORT, ..LIMITS };
    let total = Limits { total: SHORT, ..LIMITS };
    assert_eq!(kind_of(Act::Hang(Vec::new()), first_byte), SILENT);
    assert_eq!(kind_of(Act::Hang(b"HTTP/1.1 200".to_vec()), first_byte), SILENT);
    assert_eq!(kind_of(Act::Hang(head), first_byte), SILENT);
    assert_eq!(kind_of(Act::Hang(body.clone()), idle), SILENT);
    assert_eq!(kind_of(Act::Hang(body), total), HttpErrorKind::Timeout);
    assert_eq!(kind_of(Act::Hang(Vec::new()), total), HttpErrorKind::Timeout);
}

#[test]
fn bytes_that_drip_meet_the_limit_of_the_whole() {
    let total = Limits { total: SHORT, ..LIMITS };
    let body = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n".to_vec();
    assert_eq!(kind_of(Act::Drip(body), total), HttpErrorKind::Timeout);
    assert_eq!(
        kind_of(Act::Drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec()), total),
        HttpErrorKind::Timeout
    );
}

#[test]
fn a_body_may_be_as_large_as_the_cap_and_no_larger() {
    let cap = Limits { body: 4096, ..LIMITS };
    let stub = Stub::start(vec![act(200, vec![b'x'; 4096]), act(200, vec![b'x'; 4097])]);
    assert_eq!(post_to(&stub.url, cap, false).unwrap().1.len(), 4096);
    assert_eq!(
        post_to(&stub.url, cap, false).unwrap_err().kind,
        HttpErrorKind::TooLarge
    );
}

#[test]
fn nobody_there_is_refused_and_no_tls_there_is_tls() {
    assert_eq!(post(&nobody()).unwrap_err().kind, HttpErrorKind::Refused);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(post(&url).unwrap_err().kind, HttpErrorKind::Tls);
}

#[test]
fn a_header_that_http_cannot_carry_is_an_error_that_does_not_repeat_it() {
    let headers = [("Authorization", "Bearer hush\nhush".to_owned())];
    let to = To {
        url: "http://127.0.0.1:1/",
        headers: &headers,
    };
    let error = Http::new(LIMITS, false).get(&to, &Stop::default()).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Other);
    assert!(!error.message.contains("hush"), "{error}");
}
