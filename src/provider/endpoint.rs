//! An endpoint: sends requests in its dialect and brings back whole answers, trying again where that may help.
//!
//! Owns what a try came to, for the meter, and which failures are whose. What bodies say is the dialect's.

use std::{ops::ControlFlow, time::Duration};

use serde_json::Value;

use crate::{
    door::{
        env,
        http::{self, Head, Http, HttpError, HttpErrorKind, LARGEST_BODY, Limits, To},
        wait::Stopwatch,
    },
    money::{Meter, estimated_tokens},
    provider::{
        Account, Answer, Finish, Model, Provider, ProviderError,
        breaker::{Breaker, FAILURES, Health},
        dialect::{Dialect, Gathered},
        reading::{Reading, Trouble},
        retry::{Pause, Retry, retry_after},
        tries::{self, Failed},
        wire::{Reader, model_name, without_thoughts},
    },
    secret::Secret,
    settings::Llm,
    time::Stop,
    transcript::{Request, Usage},
};

/// Streams say everything again around each token; that much more may come than of a whole body.
const AROUND: usize = 4;

/// An endpoint that is reached over HTTP.
pub struct Endpoint {
    dialect: Box<dyn Dialect>,
    http: Http,
    limits: Limits,
    base: String,
    stream: bool,
    fallback: Vec<String>,
    reader: Reader,
    retry: Retry,
    breaker: Breaker,
    since: Stopwatch,
}

impl Endpoint {
    /// Makes a client for `llm.base_url`. Nothing is sent.
    ///
    /// # Errors
    /// `Insecure` for plain http to another machine, `NoKey` for another machine without a key, `Connect` for what is no
    /// URL.
    pub fn open(
        dialect: Box<dyn Dialect>,
        llm: &Llm,
        key: Option<Secret>,
        pause: Pause,
    ) -> Result<Self, ProviderError> {
        let base = llm.base_url.trim().trim_end_matches('/').to_owned();
        let limits = Limits {
            connect: llm.connect_timeout,
            first_byte: llm.first_byte_timeout,
            idle: llm.idle_timeout,
            total: llm.timeout,
            body: LARGEST_BODY * AROUND,
        };
        let (host, here) = http::check_url(&base, llm.allow_http).map_err(|error| unsent(error, &limits))?;
        // A provider that has no keys names no variable.
        if key.is_none() && !here && !llm.key_env.is_empty() {
            return Err(ProviderError::NoKey {
                host,
                variable: llm.key_env.clone(),
            });
        }
        Ok(Self {
            dialect,
            http: Http::new(limits, llm.allow_http),
            limits,
            stream: llm.stream,
            fallback: Vec::new(),
            reader: Reader { key },
            retry: Retry::new(pause, &base, env::process_id()),
            breaker: Breaker::default(),
            since: Stopwatch::start(),
            base,
        })
    }

    /// Has these models asked, in order, while the ones before are out of order.
    #[must_use]
    pub fn falling_back_to(mut self, models: &[String]) -> Self {
        self.fallback = models.to_vec();
        self
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let key = self.reader.key.as_ref().map(|key| key.reveal().trim());
        self.dialect.headers(key.filter(|key| !key.is_empty()))
    }

    /// One model, with all tries.
    fn ask_one(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        tries::ask(&self.retry, request, meter, stop, || {
            let mut answer = self.send(request, stop)?;
            if self.is_shortened(request, &answer) {
                answer.finish = Finish::Shortened;
            }
            Ok(answer)
        })
    }

    fn is_shortened(&self, request: &Request, answer: &Answer) -> bool {
        self.dialect.is_shortened(request.bytes(), answer.usage.prompt_tokens)
    }

    /// The model asked for, then those that may answer instead.
    fn ask_any(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        let mut outcome = self.ask_one(request, meter, stop);
        for model in self.fallback.iter().filter(|model| **model != request.model) {
            if !matches!(&outcome, Err(error) if is_out_of_order(error)) {
                break;
            }
            let instead = Request {
                model: model.clone(),
                ..request.clone()
            };
            outcome = self.ask_one(&instead, meter, stop);
        }
        outcome
    }

    fn send(&self, request: &Request, stop: &Stop) -> Result<Answer, Failed> {
        let body = self.dialect.body(request, self.stream);
        let (url, headers) = (format!("{}{}", self.base, self.dialect.path()), self.headers());
        let to = To {
            url: &url,
            headers: &headers,
        };
        let mut reading = Reading::new(&*self.dialect, most_events(request));
        let mut refusal = Vec::new();
        let sent = self.http.post(&to, body, stop, &mut |head, bytes| {
            if head.is_success() {
                return reading.feed(bytes, says_lines(head));
            }
            refusal.extend_from_slice(bytes);
            ControlFlow::Continue(())
        });
        let head = sent.map_err(|error| Failed {
            charged: may_be_charged(error.kind),
            error: unsent(error, &self.limits),
        })?;
        if !head.is_success() {
            return Err(Failed {
                error: self.refused(&head, &refusal),
                // A gateway that waited in vain cannot know what the model did meanwhile.
                charged: matches!(head.status, 408 | 504 | 520..=524),
            });
        }
        let (outcome, raw) = reading.end();
        match outcome {
            Ok(gathered) => Ok(answer(request, gathered, raw)),
            Err(trouble) => Err(Failed::charged(self.worded(trouble, request, raw, after(&head)))),
        }
    }

    /// Words a status of failure.
    fn refused(&self, head: &Head, body: &[u8]) -> ProviderError {
        if (300..400).contains(&head.status) {
            return ProviderError::BadRequest {
                status: head.status,
                excerpt: "the endpoint has moved, and the key is not sent after it".to_owned(),
            };
        }
        self.reader.refusal(head.status, after(head), body)
    }

    /// Words what is wrong with an answer.
    fn worded(&self, trouble: Trouble, request: &Request, raw: Vec<u8>, after: Option<Duration>) -> ProviderError {
        match trouble {
            // Amid an answer an error of no known kind is the server's.
            Trouble::Said { said, amid } => {
                let otherwise = if amid { 502 } else { 200 };
                self.reader.failure(said.status, after, &said.error, otherwise)
            }
            Trouble::Nonsense => self.reader.malformed("not the JSON of an answer", &raw),
            Trouble::RunOn(gathered) => run_on(request, *gathered, raw),
            Trouble::TooLarge => ProviderError::Malformed {
                excerpt: "the answer is larger than 10 MiB".to_owned(),
            },
            Trouble::Broken(why) => ProviderError::Unavailable {
                status: None,
                after,
                excerpt: why.to_owned(),
            },
        }
    }

    /// Gets the JSON at `path`; once, for a person waits.
    fn list(&self, path: &str, stop: &Stop) -> Result<Value, ProviderError> {
        let (url, headers) = (format!("{}{path}", self.base), self.headers());
        let to = To {
            url: &url,
            headers: &headers,
        };
        let got = self.http.get(&to, stop);
        let (head, body) = got.map_err(|error| unsent(error, &self.limits))?;
        if !head.is_success() {
            return Err(self.refused(&head, &body));
        }
        serde_json::from_slice(&body).map_err(|_| self.reader.malformed("no list in JSON", &body))
    }
}

impl Provider for Endpoint {
    fn name(&self) -> &str {
        self.dialect.name()
    }

    fn ask(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        if let Err(left) = self.breaker.enter(self.since.elapsed()) {
            return Err(ProviderError::Unavailable {
                status: None,
                after: Some(left),
                excerpt: format!(
                    "{FAILURES} calls in a row failed; it is left alone for {} s",
                    left.as_secs().max(1)
                ),
            });
        }
        let outcome = self.ask_any(request, meter, stop);
        self.breaker.learn(health(&outcome), self.since.elapsed());
        outcome
    }

    fn models(&self, stop: &Stop) -> Result<Vec<Model>, ProviderError> {
        let body = self.list(self.dialect.models_path(), stop)?;
        Ok(self.dialect.models(&body))
    }

    fn account(&self, stop: &Stop) -> Result<Option<Account>, ProviderError> {
        let Some(path) = self.dialect.account_path() else {
            return Ok(None);
        };
        match self.list(path, stop) {
            Ok(body) => Ok(self.dialect.account(&body)),
            // Most endpoints do not know the question.
            Err(ProviderError::BadRequest { .. } | ProviderError::Malformed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn after(head: &Head) -> Option<Duration> {
    retry_after(head.header("retry-after"), head.header("date"))
}

/// An answer that was left because it went on and on: nobody counted what it costs.
fn run_on(request: &Request, gathered: Gathered, raw: Vec<u8>) -> ProviderError {
    let mut answer = answer(request, gathered, raw);
    answer.usage.completion_tokens = answer.usage.completion_tokens.max(most_events(request));
    answer.usage.cost_usd = None;
    ProviderError::Cut(Box::new(answer))
}

fn health(outcome: &Result<Answer, ProviderError>) -> Health {
    match outcome {
        Err(error) if error.is_outage() => Health::Out,
        Err(ProviderError::Stopped | ProviderError::Refused(_)) => Health::Untold,
        Ok(_) | Err(_) => Health::Answered,
    }
}

/// Another model of the same endpoint may be in order; where no connection comes about, none is.
fn is_out_of_order(error: &ProviderError) -> bool {
    error.is_outage() && !matches!(error, ProviderError::Connect { .. })
}

/// A token is at least one event; some servers ignore how many were asked for, and some models never end to think.
fn most_events(request: &Request) -> u64 {
    let most = request.max_tokens.map_or(u64::from(u32::MAX), u64::from);
    most.saturating_mul(2).saturating_add(1000)
}

fn says_lines(head: &Head) -> bool {
    head.header("content-type")
        .is_some_and(|kind| kind.contains("ndjson") || kind.contains("jsonl"))
}

fn answer(request: &Request, gathered: Gathered, raw: Vec<u8>) -> Answer {
    // Counts that cannot be are none: a question has tokens, and so has a text.
    let is_count = |tokens: &u64| *tokens > 0;
    let prompt = gathered.prompt_tokens.filter(is_count);
    let completion = gathered
        .completion_tokens
        .filter(|tokens| is_count(tokens) || gathered.text.is_empty());
    let usage = Usage {
        prompt_tokens: prompt.unwrap_or_else(|| estimated_tokens(request.bytes())),
        completion_tokens: completion.unwrap_or_else(|| estimated_tokens(gathered.text.len())),
        cached_tokens: gathered.cached_tokens,
        reasoning_tokens: gathered.reasoning_tokens,
        cost_usd: gathered.cost_usd,
        estimated: prompt.is_none() || completion.is_none(),
    };
    Answer {
        text: without_thoughts(gathered.text),
        model: model_name(gathered.model.as_deref().unwrap_or(&request.model)),
        usage,
        raw,
        finish: gathered.finish.unwrap_or(Finish::Other),
    }
}

/// Only where no request was sent is it certain that nothing is charged.
fn may_be_charged(kind: HttpErrorKind) -> bool {
    use HttpErrorKind as Kind;
    !matches!(kind, Kind::Insecure | Kind::Refused | Kind::Tls | Kind::Other)
}

fn unsent(error: HttpError, limits: &Limits) -> ProviderError {
    use HttpErrorKind as Kind;
    let message = error.message;
    match error.kind {
        Kind::Insecure | Kind::Tls => ProviderError::Insecure { message },
        Kind::Refused | Kind::Other => ProviderError::Connect { message },
        Kind::Timeout => ProviderError::Timeout { limit: limits.total },
        Kind::Silent(limit) => ProviderError::Silent { limit },
        Kind::TooLarge => ProviderError::Malformed { excerpt: message },
        Kind::Stopped => ProviderError::Stopped,
        Kind::Cut | Kind::Garbled => ProviderError::Unavailable {
            status: None,
            after: None,
            excerpt: message,
        },
    }
}

#[cfg(test)]
mod tests;
