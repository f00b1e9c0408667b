//! `serve` against whoever can reach it: pages of other sites, other people of the machine, programs that send nonsense or too much.
//! Over sockets, with the real binary. Rows D01–D08 of the catalogue; D05 is in the tests with a browser.

/// What can be done over it.
mod acts;
/// What programs read.
mod api;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
};

use serde_json::json;

use crate::support::{
    Sandbox,
    served::{Answer, Served, path_of},
};

/// What no request without leave may change.
fn state(sandbox: &Sandbox) -> (Vec<(String, String)>, String) {
    let refs = sandbox.refs().into_iter().collect();
    (refs, sandbox.read("memory/pending_goals.json"))
}

fn holds_to_rules(answer: &Answer, about: &str) {
    assert!(!answer.head.contains("access-control-"), "{about}: {answer:?}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "deny"),
        ("referrer-policy", ""),
    ] {
        let said = answer
            .line(name)
            .unwrap_or_else(|| panic!("{about}: no {name}: {answer:?}"));
        assert!(said.contains(value), "{about}: {answer:?}");
    }
    let policy = answer.line("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(part), "{about}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{about}: {policy}");
}

const AUTH: &str = "Authorization: Bearer TOKEN\r\n";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const GET: &str = "GET /api/v1/status";
const ADD: &str = "POST /do/add";
const BODY: &str = "asked=yes&description=x";

/// A name, the first line, the lines of the head with `|` between them, the body, and the statuses that are right. In a head, `host`
/// names the server, `auth` brings the token, `form` is the type of a form.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [u16]);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("D02 another name", GET, "Host: evil.test|auth", "", &[421]),
    ("D02 no name", GET, "auth", "", &[421]),
    ("D02 two names", GET, "host|host|auth", "", &[400, 421]),
    ("D02 ours in front", GET, "Host: localhost.evil|auth", "", &[421]),
    ("D02 ours and a port that is none", GET, "Host: localhost:80.evil|auth", "", &[421]),
    ("D02 absolute form", "GET http://evil.test/api/v1/status", "host|auth", "", &[421]),
    ("D02 absolute form of ours", "GET http://127.0.0.1/api/v1/status", "host|auth", "", &[421]),
    ("D02 another name, nothing there", "GET /nothing", "Host: evil.test", "", &[421]),
    ("D02 another name, open to all", "GET /healthz", "Host: evil.test", "", &[421]),
    ("D03 form of another site", ADD, "host|auth|form|Origin: http://evil.test", BODY, &[403]),
    ("D03 form of another port", ADD, "host|auth|form|Origin: http://127.0.0.1:1", BODY, &[403]),
    ("D03 form of nowhere", ADD, "host|auth|form|Origin: null", BODY, &[403]),
    ("D03 sec-fetch-site", ADD, "host|auth|form|Sec-Fetch-Site: cross-site", BODY, &[403]),
    ("D03 same site, another port", ADD, "host|auth|form|Sec-Fetch-Site: same-site", BODY, &[403]),
    ("D03 plain text", ADD, "host|auth|Content-Type: text/plain", BODY, &[415]),
    ("D03 several parts", ADD, "host|auth|Content-Type: multipart/form-data; boundary=x", BODY, &[415]),
    ("D03 no type", ADD, "host|auth", BODY, &[415]),
    ("D03 form to the API", "POST /api/v1/do/add", "host|auth|form", BODY, &[415]),
    ("D03 GET that would change", "GET /do/add?asked=yes&description=x", "host|auth", "", &[405]),
    ("D03 GET of the API that would change", "GET /api/v1/do/add?description=x", "host|auth", "", &[405]),
    ("D03 preflight", "OPTIONS /api/v1/do/add", "host|Origin: http://evil.test|Access-Control-Request-Method: POST", "", &[403]),
    ("D03 fetch of another site", GET, "host|auth|Sec-Fetch-Site: cross-site|Sec-Fetch-Mode: no-cors", "", &[403]),
    ("D03 other methods", "DELETE /goals", "host|auth", "", &[405]),
    ("D03 tracing", "TRACE /goals", "host|auth", "", &[405]),
    ("D03 tunnel", "CONNECT evil.test:443", "host|auth", "", &[400, 405, 421]),
    ("D04 nothing brought", "GET /", "host", "", &[401]),
    ("D04 nothing brought to the API", GET, "host", "", &[401]),
    ("D04 nothing brought to the stream", "GET /events?at=/", "host", "", &[401]),
    ("D04 nothing brought to metrics", "GET /metrics", "host", "", &[401]),
    ("D04 wrong token", GET, "host|Authorization: Bearer 0000", "", &[401]),
    ("D04 token as password", GET, "host|Authorization: Basic TOKEN", "", &[401]),
    ("D04 token in the address", "GET /api/v1/status?token=TOKEN", "host", "", &[401]),
    ("D04 token as link", "GET /sign-in?token=TOKEN", "host", "", &[401]),
    ("D04 no link", "GET /sign-in", "host", "", &[401]),
    ("D04 token as cookie", GET, "host|Cookie: invisigoth-x=TOKEN", "", &[401]),
    ("D04 form that brings nothing", ADD, "host|form|Origin: http://HOST", BODY, &[401]),
    ("D06 above", "GET /static/../../etc/passwd", "host|auth", "", &[404]),
    ("D06 above, encoded", "GET /static/%2e%2e/%2e%2e/etc/passwd", "host|auth", "", &[404]),
    ("D06 above, encoded slashes", "GET /static/..%2f..%2fetc%2fpasswd", "host|auth", "", &[404]),
    ("D06 NUL", "GET /static/app.css%00.png", "host|auth", "", &[404]),
    ("D06 raw NUL", "GET /static/app.css\0", "host|auth", "", &[400]),
    ("D06 backslash", r"GET /static/..\..\etc\passwd", "host|auth", "", &[400, 404]),
    ("D06 root twice", "GET //etc/passwd", "host|auth", "", &[404]),
    ("D06 no file", "GET /static/", "host|auth", "", &[404]),
    ("D07 long head", "GET /", "host|X: LONG", "", &[431]),
    ("D07 many lines", "GET /", "host|MANY", "", &[431]),
    ("D07 long address", "GET /LONG", "host|auth", "", &[414, 431]),
    ("D07 announced 1 GB", ADD, "host|auth|form|Content-Length: 1073741824", "", &[413]),
    ("D07 announced 1 GB to nobody", ADD, "host|form|Content-Length: 1073741824", "", &[401, 403]),
    ("D07 two lengths", ADD, "host|auth|form|Content-Length: 1|Content-Length: 2", "", &[400]),
    ("D07 a length that is none", ADD, "host|auth|form|Content-Length: x", "", &[400]),
    ("D07 odd coding", ADD, "host|auth|form|Transfer-Encoding: chunked, identity", "", &[400]),
    ("D07 no HTTP", "\u{1}\u{2}", "host", "", &[400]),
];

/// Writes the lines of a head out.
fn head(lines: &str) -> String {
    let line = |line: &str| match line {
        "host" => "Host: HOST\r\n".to_owned(),
        "auth" => AUTH.to_owned(),
        "form" => FORM.to_owned(),
        "MANY" => "X: x\r\n".repeat(200),
        line => format!("{line}\r\n"),
    };
    lines.split('|').map(line).collect()
}

#[test]
fn whoever_may_not_is_refused_and_nothing_changes() {
    let sandbox = Sandbox::ready();
    sandbox.goal("a", &[]);
    let served = Served::start(&sandbox, &[]);
    let before = state(&sandbox);
    for (name, line, lines, body, right) in ROWS {
        let length = match body.len() {
            0 => String::new(),
            length => format!("Content-Length: {length}\r\n"),
        };
        let head = head(lines);
        let request = format!("{line} HTTP/1.1\r\nConnection: close\r\n{head}{length}\r\n{body}");
        let answer = served.send(&request.replace("LONG", &"x".repeat(40_000)));
        assert!(right.contains(&answer.status), "{name}: {answer:?}");
        assert!(!answer.body.contains(&served.token), "{name}: {answer:?}");
        // What cannot be read gets no more than a status.
        if !answer.body.is_empty() {
            holds_to_rules(&answer, name);
        }
    }
    assert_eq!(state(&sandbox), before);
    assert_eq!(served.read("/").status, 200);
}

#[test]
fn a_body_whose_end_is_not_said_is_not_read() {
    let sandbox = Sandbox::ready();
    let served = Served::start(&sandbox, &[]);
    let within = "GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n".replace("HOST", &served.address);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for (head, body) in [
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            format!("0\r\n\r\n{within}"),
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            format!("0\r\n\r\n{within}"),
        ),
        ("Transfer-Encoding: chunked\r\n", chunk.repeat(64)),
    ] {
        let answer = served.send(&format!("{ADD} HTTP/1.1\r\nHost: HOST\r\n{AUTH}{FORM}{head}\r\n{body}"));
        assert_eq!(answer.status, 411, "{head}: {answer:?}");
        assert!(
            !answer.body.contains("HTTP/1.1 "),
            "a second one was answered: {answer:?}"
        );
    }
}

/// Asks for health on a connection that stays open; returns the status.
fn keeps(served: &Served, stream: &mut TcpStream) -> u16 {
    let request = "GET /healthz HTTP/1.1\r\nHost: HOST\r\n\r\n".replace("HOST", &served.address);
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = [0; 4096];
    let read = stream.read(&mut bytes).unwrap_or(0);
    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
    text.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0)
}

/// Asks until somebody else's end has been noticed.
fn served_again(served: &Served) {
    let answers = (0..10_000).map(|_| served.get("/healthz", "").status);
    assert!(
        answers.into_iter().any(|status| status == 200),
        "nobody is served any more"
    );
}

#[test]
fn no_more_than_so_many_connections_and_streams_are_open() {
    let sandbox = Sandbox::ready();
    let served = Served::start(&sandbox, &[]);
    let stream = || {
        let mut stream = served.connect();
        let line = "GET /events?at=/ HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n";
        let line = line.replace("HOST", &served.address).replace("TOKEN", &served.token);
        stream.write_all(line.as_bytes()).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        (String::from_utf8_lossy(&first).into_owned(), stream)
    };
    let mut open: Vec<TcpStream> = Vec::new();
    for _ in 0..32 {
        // Nobody reads on: it is sent what fits, and keeps nobody else waiting.
        let (said, stream) = stream();
        assert_eq!(said, "HTTP/1.1 200");
        open.push(stream);
    }
    assert_eq!(stream().0, "HTTP/1.1 503");
    assert_eq!(served.read("/").status, 200, "pages are served beside streams");
    while open.len() < 64 {
        let mut stream = served.connect();
        if keeps(&served, &mut stream) == 200 {
            open.push(stream);
        }
    }
    let mut over = served.connect();
    assert_ne!(keeps(&served, &mut over), 200);
    drop(over);
    drop(open);
    served_again(&served);
}

#[test]
fn a_slow_reader_and_half_a_request_keep_nobody_waiting() {
    let sandbox = Sandbox::ready();
    let served = Served::start(&sandbox, &[]);
    let mut slow = served.connect();
    let page = "GET / HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n";
    let page = page.replace("HOST", &served.address).replace("TOKEN", &served.token);
    slow.set_nonblocking(true).unwrap();
    // More than any buffer takes, and nobody reads the answers.
    while slow.write_all(page.repeat(100).as_bytes()).is_ok() {}
    let mut half = served.connect();
    half.write_all(b"GET / HTTP/1.1\r\nHost: local").unwrap();
    let mut body = served.connect();
    let head = format!("POST /do/add HTTP/1.1\r\nHost: HOST\r\n{AUTH}{FORM}Content-Length: 100\r\n\r\nasked");
    let head = head.replace("HOST", &served.address).replace("TOKEN", &served.token);
    body.write_all(head.as_bytes()).unwrap();
    assert_eq!(served.read("/").status, 200);
    assert_eq!(Answer::read(body).status, 408, "a body that does not come is given up");
    let said = Answer::read(half);
    assert!(matches!(said.status, 0 | 408), "{said:?}");
}

#[test]
fn a_link_signs_in_once_and_the_cookie_is_for_this_server_alone() {
    let sandbox = Sandbox::ready();
    let first = Served::start(&sandbox, &[]);
    let link = first.link();
    let answer = first.get(&link, "");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.line("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.line("cache-control"), Some("no-store"));
    let line = answer.line("set-cookie").unwrap();
    for part in ["; path=/", "; httponly", "; samesite=strict"] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!line.contains("domain"), "{line}");
    let cookie = format!("Cookie: {}\r\n", line.split(';').next().unwrap());
    assert_eq!(first.get("/", &cookie).status, 200);
    let used = first.get(&link, "");
    assert_eq!((used.status, used.line("set-cookie")), (401, None), "the link was used");
    assert!(used.body.contains("git invisigoth serve"), "{used:?}");
    // Another one, of the same server, by whoever can read its file.
    let again = sandbox.json(&["serve"]);
    assert_eq!((&again["began"], &again["pid"]), (&json!(false), &json!(first.pid())));
    let other = path_of(again["link"].as_str().unwrap());
    assert_eq!(first.get(&other, "").status, 200);
    let unused = path_of(sandbox.json(&["serve"])["link"].as_str().unwrap());
    let about = fs::metadata(first.told["token_file"].as_str().unwrap()).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    assert_eq!(first.end(&sandbox, "INT"), Some(0));
    let second = Served::start(&sandbox, &[]);
    for old in [&link, &unused] {
        assert_eq!(second.get(old, "").status, 401, "links end with their server");
    }
    assert_eq!(second.get("/", &cookie).status, 200, "whoever was signed in stays so");
    let file = second.told["token_file"].as_str().unwrap().to_owned();
    second.end(&sandbox, "KILL");
    fs::remove_file(file).unwrap();
    assert_eq!(
        Served::start(&sandbox, &[]).get("/", &cookie).status,
        401,
        "with the token all are signed out"
    );
}

#[test]
fn nobody_is_sent_to_a_server_that_ends() {
    let sandbox = Sandbox::ready();
    let first = Served::start(&sandbox, &[]);
    // An answer that nobody reads keeps it for as long as last answers may take.
    let mut reader = first.connect();
    let line = "GET /static/idiomorph.js HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n";
    let line = line.replace("HOST", &first.address).replace("TOKEN", &first.token);
    reader.write_all(line.repeat(200).as_bytes()).unwrap();
    reader.read_exact(&mut [0; 12]).unwrap();
    sandbox.sh("kill", &["-s", "TERM", &first.pid().to_string()]);
    let second = Served::start(&sandbox, &[]);
    assert_eq!(second.told["began"], json!(true), "it took the place of the first");
    assert_eq!(second.get(&second.link(), "").status, 200);
}

#[test]
fn it_listens_on_this_machine_unless_it_is_told_a_name() {
    let sandbox = Sandbox::ready();
    let served = Served::start(&sandbox, &[]);
    assert!(served.address.starts_with("127.0.0.1:"), "{}", served.address);
    drop(served);
    let ran = sandbox.run(&["serve", "--port", "0", "--address", "0.0.0.0"]);
    assert_eq!(ran.code, 2);
    for hint in ["ssh -L", "tailscale serve", "--allow-host"] {
        assert!(ran.stderr.contains(hint), "{}", ran.stderr);
    }
    let named = Served::start(&sandbox, &["--allow-host", "box.example"]);
    let ask = |host: &str| {
        named
            .send(&format!(
                "GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            ))
            .status
    };
    assert_eq!((ask("box.example"), ask("box.example.evil")), (200, 421));
}

#[test]
fn a_stream_ends_with_its_server() {
    let sandbox = Sandbox::ready();
    let served = Served::start(&sandbox, &[]);
    let mut stream = served.connect();
    let line = "GET /events?at=/ HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer TOKEN\r\n\r\n";
    let line = line.replace("HOST", &served.address).replace("TOKEN", &served.token);
    stream.write_all(line.as_bytes()).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(served.end(&sandbox, "INT"), Some(0));
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "it was cut off: {rest:?}");
}
