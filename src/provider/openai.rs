//! Any OpenAI-compatible endpoint: sends a request as one plain chat completion and waits for the whole reply.
//!
//! Owns which headers go out and when a call counts as failed. What bodies say is `wire`'s.

use std::time::Duration;

use crate::{
    door::{
        http::{self, Http, HttpError, HttpErrorKind},
        wait::{self, Interrupt},
    },
    money::{Came, Meter, Prices},
    provider::{
        Account, Answer, Finish, Model, Provider, ProviderError,
        retry::{Pause, Retry, retry_after},
        wire::{self, Reader},
    },
    secret::Secret,
    settings::Llm,
    time::{Stop, Stopping},
    transcript::Request,
};

/// What the endpoint's statistics call us.
const TITLE: &str = "git-invisigoth";
const REFERER: &str = "https://crates.io/crates/git-invisigoth";

/// An endpoint.
pub struct OpenAi {
    http: Http,
    url: String,
    ask_cost: bool,
    reader: Reader,
    timeout: Duration,
    retry: Retry,
}

impl OpenAi {
    /// Makes a client for `llm.base_url`. Nothing is sent.
    ///
    /// # Errors
    /// `Insecure` for plain http to another machine, `NoKey` for another machine without a key, `Connect` for what is no
    /// URL.
    pub fn open(llm: &Llm, key: Option<Secret>, pause: Pause) -> Result<Self, ProviderError> {
        let url = format!("{}/chat/completions", llm.base_url.trim().trim_end_matches('/'));
        let (host, here) = http::check_url(&url).map_err(|error| unsent(error, llm.timeout))?;
        if key.is_none() && !here {
            return Err(ProviderError::NoKey {
                host,
                variable: llm.key_env.clone(),
            });
        }
        Ok(Self {
            http: Http::new(),
            // Strict endpoints refuse a field that they do not know, and OpenAI's own is one.
            ask_cost: here || host == "openrouter.ai" || host.ends_with(".openrouter.ai"),
            reader: Reader {
                prices: Prices::of(llm),
                key,
            },
            timeout: llm.timeout,
            retry: Retry::new(pause, &url, wait::salt()),
            url,
        })
    }

    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Accept", "application/json".to_owned()),
            ("HTTP-Referer", REFERER.to_owned()),
            // The newer name and the one that is still seen everywhere.
            ("X-OpenRouter-Title", TITLE.to_owned()),
            ("X-Title", TITLE.to_owned()),
        ];
        let key = self.reader.key.as_ref().map(|key| key.reveal().trim());
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            headers.push(("Authorization", format!("Bearer {key}")));
        }
        headers
    }

    /// One try, with leave.
    fn once(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        if stop.stopping() != Stopping::No {
            return Err(ProviderError::Stopped);
        }
        let ticket = meter.reserve(request)?;
        let outcome = self.send(request, stop);
        meter.settle(ticket, came(&outcome));
        outcome
    }

    fn send(&self, request: &Request, stop: &Stop) -> Result<Answer, ProviderError> {
        let (http, url, timeout) = (self.http.clone(), self.url.clone(), self.timeout);
        let (headers, body) = (self.headers(), wire::body(request, self.ask_cost));
        let sent = wait::interruptible(stop, move || http.post_json(&url, &headers, &body, timeout));
        let answer = match sent {
            Ok(answer) => answer.map_err(|error| unsent(error, timeout))?,
            Err(Interrupt::Stopped) => return Err(ProviderError::Stopped),
            Err(Interrupt::Died) => {
                return Err(ProviderError::Connect {
                    message: "the request could not be made".to_owned(),
                });
            }
        };
        match answer.status {
            200..=299 => self.reader.answer(request, answer.body),
            status @ 300..=399 => Err(ProviderError::BadRequest {
                status,
                excerpt: "the endpoint has moved, and the key is not sent after it".to_owned(),
            }),
            status => {
                let after = retry_after(answer.header("retry-after"), answer.header("date"));
                Err(self.reader.refusal(status, after, &answer.body))
            }
        }
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &'static str {
        "openrouter"
    }

    fn models(&self, _stop: &Stop) -> Result<Vec<Model>, ProviderError> {
        Ok(Vec::new())
    }

    fn account(&self, _stop: &Stop) -> Result<Option<Account>, ProviderError> {
        Ok(None)
    }

    fn ask(&self, request: &Request, meter: &dyn Meter, stop: &Stop) -> Result<Answer, ProviderError> {
        let first = self.retry.run(stop, || self.once(request, meter, stop))?;
        if !is_cold(&first) {
            return usable(first);
        }
        // A model that was just loaded may answer nothing at all, once. Should asking again fail, what the first
        // answer cost must still be booked.
        let Ok(mut second) = self.retry.run(stop, || self.once(request, meter, stop)) else {
            return usable(first);
        };
        second.usage.add(&first.usage);
        usable(second)
    }
}

/// What a try came to. Only a status of failure proves that nothing is charged; a connection that never stood, too.
fn came(outcome: &Result<Answer, ProviderError>) -> Came<'_> {
    match outcome {
        Ok(answer) => Came::Answer(&answer.usage),
        Err(
            ProviderError::Timeout { .. }
            | ProviderError::Malformed { .. }
            | ProviderError::Unavailable { status: None, .. }
            | ProviderError::Stopped,
        ) => Came::Unknown,
        Err(_) => Came::Nothing,
    }
}

fn is_cold(answer: &Answer) -> bool {
    answer.text.trim().is_empty() && matches!(answer.finish, Finish::Stop | Finish::Other)
}

fn usable(answer: Answer) -> Result<Answer, ProviderError> {
    if answer.finish == Finish::Length {
        Err(ProviderError::Cut(Box::new(answer)))
    } else if answer.text.trim().is_empty() {
        Err(ProviderError::Empty(Box::new(answer)))
    } else {
        Ok(answer)
    }
}

fn unsent(error: HttpError, limit: Duration) -> ProviderError {
    let message = error.message;
    match error.kind {
        HttpErrorKind::Insecure | HttpErrorKind::Tls => ProviderError::Insecure { message },
        HttpErrorKind::Refused | HttpErrorKind::Other => ProviderError::Connect { message },
        HttpErrorKind::Timeout => ProviderError::Timeout { limit },
        HttpErrorKind::TooLarge => ProviderError::Malformed { excerpt: message },
        HttpErrorKind::Cut => ProviderError::Unavailable {
            status: None,
            after: None,
            excerpt: message,
        },
    }
}

#[cfg(test)]
mod tests;
