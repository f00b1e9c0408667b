//! A command in the place of a model: the request as JSON on its standard input, the reply on its standard output.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use crate::{
    check::End, door::spawn::Spawn, provider::ProviderError, secret::Redactor, time::Stop, transcript::Request,
};

/// Most bytes of a reply, and of what is kept of standard error.
const CAP: usize = 8 << 20;
/// Longest line of standard error that is shown, in characters.
const LINE: usize = 200;

/// A command that answers.
#[derive(Clone, Debug)]
pub struct Command {
    /// The shell text.
    pub text: String,
    /// Where it runs.
    pub dir: PathBuf,
    /// All that its environment holds.
    pub env: Vec<(OsString, OsString)>,
}

impl Command {
    /// Asks it.
    ///
    /// # Errors
    /// `Command` where it ends with another code than 0, `Timeout`, `Stopped`, or `Malformed` for a reply that is no text or too
    /// long.
    pub fn ask(&self, request: &Request, timeout: Duration, stop: &Stop) -> Result<String, ProviderError> {
        let stdin = serde_json::to_vec(request).map_err(|error| self.failed(error.to_string()))?;
        let spawn = Spawn {
            program: "sh".into(),
            args: vec!["-c".into(), self.text.clone().into()],
            dir: self.dir.clone(),
            env: self.env.clone(),
            stdin,
            timeout: Some(timeout),
            output_cap: CAP,
            redactor: Redactor::default(),
        };
        let ended = spawn.run_apart(stop);
        let malformed = |excerpt: &str| {
            Err(ProviderError::Malformed {
                excerpt: format!("`{}` {excerpt}", self.text),
            })
        };
        match ended.end {
            End::Exit(0) if ended.omitted > 0 => malformed("printed more than 8 MiB"),
            End::Exit(0) => {
                String::from_utf8(ended.stdout).or_else(|_| malformed("printed something that is no UTF-8 text"))
            }
            End::Exit(code) => Err(self.failed(format!("ended with {code}: {}", last_line(&ended.stderr)))),
            End::NotStarted => Err(self.failed(format!("could not be started: {}", last_line(&ended.stderr)))),
            End::TimedOut => Err(ProviderError::Timeout { limit: timeout }),
            End::Stopped => Err(ProviderError::Stopped),
        }
    }

    fn failed(&self, message: String) -> ProviderError {
        ProviderError::Command {
            command: self.text.clone(),
            message,
        }
    }
}

fn last_line(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    let line = line.unwrap_or("nothing on standard error").trim();
    line.chars().filter(|c| !c.is_control()).take(LINE).collect()
}
