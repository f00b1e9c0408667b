//! A server for tests: answers each request with the next bytes of a list, on a loopback port of its own.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// What the server does with one request.
pub enum Act {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and ends the connection.
    Cut(Vec<u8>),
    /// Sends these bytes and nothing more until the client leaves.
    Hang(Vec<u8>),
    /// Sends these bytes, and then one more at a time as long as the client takes them.
    Drip(Vec<u8>),
}

/// A running server.
pub struct Stub {
    /// `http://127.0.0.1:<port>`
    pub url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Returns a whole response with `body`.
pub fn response(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Answers with `body` under `status`.
pub fn act(status: u16, body: impl AsRef<[u8]>) -> Act {
    Act::Send(response(status, "", body))
}

impl Stub {
    /// Starts a server that does `acts` in order, one per request, and ends connections afterwards.
    pub fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let acts = Arc::new(Mutex::new(VecDeque::from(acts)));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (acts, log) = (Arc::clone(&acts), Arc::clone(&log));
                thread::spawn(move || serve(&stream, &acts, &log));
            }
        });
        Self { url, seen }
    }

    /// Returns every request so far: head and body as text, header names as sent.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, acts: &Mutex<VecDeque<Act>>, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let request = read_request(&mut reader)?;
        log.lock().unwrap().push(request);
        let act = acts.lock().unwrap().pop_front()?;
        match act {
            Act::Send(bytes) => writer.write_all(&bytes).ok()?,
            Act::Cut(bytes) => return writer.write_all(&bytes).ok(),
            Act::Hang(bytes) => {
                writer.write_all(&bytes).ok()?;
                let _ = reader.read(&mut [0]);
                return None;
            }
            Act::Drip(bytes) => {
                writer.write_all(&bytes).ok()?;
                // Each wait for a word of the client, which says none, is one between two drops.
                stream
                    .set_read_timeout(Some(std::time::Duration::from_millis(10)))
                    .ok()?;
                while !matches!(reader.read(&mut [0]), Ok(0)) {
                    writer.write_all(b"x").ok()?;
                }
                return None;
            }
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8_lossy(&body))
}

/// Returns the URL of a port on which nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
