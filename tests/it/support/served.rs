//! The dashboard of a sandbox, by the real binary, and requests to it as bytes on a socket.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::Sandbox;

/// A server that ends with the test.
pub struct Served {
    child: Child,
    /// What it told of itself.
    pub told: Value,
    /// Its address, with the port.
    pub address: String,
    /// The token for programs.
    pub token: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status; 0 where there was none.
    pub status: u16,
    /// The lines of its head, in small letters.
    pub head: String,
    /// What follows.
    pub body: String,
}

impl Served {
    /// Starts it.
    pub fn start(sandbox: &Sandbox, further: &[&str]) -> Self {
        let mut command = sandbox.invisigoth(&[]);
        Self::of(&mut command, further)
    }

    /// Starts it by a program of one's own.
    pub fn of(command: &mut Command, further: &[&str]) -> Self {
        command.args(["serve", "--port", "0", "--json"]).args(further);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let token = fs::read_to_string(told["token_file"].as_str().unwrap()).unwrap();
        let address = told["address"].as_str().unwrap().to_owned();
        Self {
            child,
            told,
            address,
            token,
        }
    }

    /// Returns the number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it by a signal and returns its exit code; none where it was killed.
    pub fn end(mut self, sandbox: &Sandbox, signal: &str) -> Option<i32> {
        sandbox.sh("kill", &["-s", signal, &self.pid().to_string()]);
        self.child.wait().unwrap().code()
    }

    /// Returns the path of the link that it told.
    pub fn link(&self) -> String {
        path_of(self.told["link"].as_str().unwrap())
    }

    /// Signs a browser in; returns its cookie.
    pub fn cookie(&self) -> String {
        let answer = self.get(&self.link(), "");
        let line = answer.line("set-cookie").unwrap_or_else(|| panic!("{answer:?}"));
        line.split(';').next().unwrap().to_owned()
    }

    /// Opens a connection.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// Sends bytes, and reads until the server ends the connection. `HOST` is its address, `TOKEN` the token.
    pub fn send(&self, request: &str) -> Answer {
        let request = request.replace("HOST", &self.address).replace("TOKEN", &self.token);
        let mut stream = self.connect();
        // It may answer and go before all of it was sent.
        let _ = stream.write_all(request.as_bytes());
        Answer::read(stream)
    }

    /// Asks as a browser with these lines in its head.
    pub fn get(&self, path: &str, head: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n{head}\r\n"
        ))
    }

    /// Asks as a program does.
    pub fn read(&self, path: &str) -> Answer {
        self.get(path, "Authorization: Bearer TOKEN\r\n")
    }

    /// Sends a form as a browser does that is signed in by `cookie`.
    pub fn form(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nOrigin: http://HOST\r\nCookie: {cookie}\r\n\
             Sec-Fetch-Site: same-origin\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// Sends JSON as a program does.
    pub fn json(&self, path: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nAuthorization: Bearer TOKEN\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    /// Reads until the connection ends.
    pub fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A reset after the answer is an end, too.
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Self {
            status: status.unwrap_or(0),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    /// Returns what a line of the head says, in small letters.
    pub fn line(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Reads the body as JSON.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Returns what follows the address of a link.
pub fn path_of(link: &str) -> String {
    let (_, rest) = link.split_once("://").unwrap();
    format!("/{}", rest.split_once('/').unwrap().1)
}
