//! A stub of an OpenAI-compatible endpoint on this machine: answers what it was told to, keeps what it was asked.
//!
//! Not here: what a good answer means; tests say so.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use serde_json::json;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Request line and header fields.
    pub head: String,
    /// The body.
    pub body: String,
}

/// An answer to give.
#[derive(Clone, Debug)]
pub struct Scripted {
    /// The status code.
    pub status: u16,
    /// Further header fields, each with its line break.
    pub headers: &'static str,
    /// The body.
    pub body: String,
}

impl Scripted {
    /// A chat completion with `reply` as its text.
    pub fn reply(reply: &str) -> Self {
        let body = json!({
            "id": "1",
            "model": "stub-1",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": reply}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "cost": 0.25},
        });
        Self::status(200, &body.to_string())
    }

    /// An answer that need not be waited for when it asks to come again.
    pub fn status(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: "Retry-After: 0\r\n",
            body: body.to_owned(),
        }
    }
}

/// The endpoint; it ends when it is dropped.
pub struct Server {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it with answers in order; the last repeats.
    pub fn start(answers: Vec<Scripted>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let (asked, over) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (kept, ended) = (Arc::clone(&asked), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away is its own business.
                let _ = stream.and_then(|stream| serve(stream, &kept, &answers));
            }
        });
        Self {
            at,
            asked,
            over,
            thread: Some(thread),
        }
    }

    /// The address for `llm.base_url`.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.at)
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread; where that fails it has ended already.
        let _ = TcpStream::connect(self.at);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An address at which nobody listens.
pub fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/v1", listener.local_addr().unwrap())
}

fn serve(stream: TcpStream, asked: &Mutex<Vec<Asked>>, answers: &[Scripted]) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let before = head.len();
        reader.read_line(&mut head)?;
        if head.len() == before || head.ends_with("\r\n\r\n") {
            break;
        }
    }
    if head.is_empty() {
        return Ok(());
    }
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(Asked {
            head,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        asked.len() - 1
    };
    let answer = answers.get(number).or_else(|| answers.last()).unwrap();
    let text = format!(
        "HTTP/1.1 {} Scripted\r\nContent-Type: application/json\r\n{}Content-Length: {}\r\nConnection: close\r\n\r\n{}",
        answer.status,
        answer.headers,
        answer.body.len(),
        answer.body
    );
    reader.get_mut().write_all(text.as_bytes())
}
