//! Executor `external:NAME`: a program of the user's own, started anew in each round, that works in a folder.
//!
//! Judged by what differs in the folder and by checks, never by its exit code or its words. What it may see, and how it
//! is started, the user's own settings say; no shell reads a word of it.

use std::{
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

use eyre::{Result, WrapErr as _};

use crate::{
    check::End,
    door::{
        fs,
        spawn::{Ended, Spawn},
    },
    engine::{
        attempt::Attempt,
        draft::Unusable,
        executor::{
            self, Work,
            leave::{self, Leave},
            place::Place,
            said::{self, Said},
        },
        fenced::Access,
        live::Phase,
        repair::Rounds,
        talk, templates,
    },
    event::Event,
    fault::{Fault, Kind},
    git::tree,
    guard::Policy,
    money::Ticket,
    prompt::{
        PromptError, Way,
        repair::{self, Feedback},
    },
    settings::{self, External},
    time::Stopping,
    transcript::{Answered, Exchange, Message, Request},
    verdict,
};

/// Most bytes of its output that are read, head and tail together.
const READ_CAP: usize = 1 << 20;
/// Most bytes of it that the record keeps.
const KEPT_CAP: usize = 64 << 10;
/// Most bytes of it that a person is shown.
const SHOWN_CAP: usize = 300;
/// Longest argument that Linux lets a program have, less some.
const MOST_ARGUMENT: usize = 120_000;

/// Starts it once, and takes what it changed.
pub(super) fn work(
    attempt: &mut Attempt<'_, '_>,
    rounds: &Rounds,
    (name, external): (&str, &External),
) -> Result<Work> {
    // An answer of a killed run changed a folder that is gone.
    talk::pass_over(attempt);
    talk::wait(attempt, Some(rounds.number().0))?;
    let session = attempt.worker.session;
    if session.stop.stopping() != Stopping::No {
        attempt.save()?;
        return Err(stopped().into());
    }
    let ticket = match leave::ask(attempt, name)? {
        Leave::Given(ticket) => ticket,
        Leave::Paused(over) => return Ok(Work::Paused(over)),
    };
    let model = rounds.model().to_owned();
    let begun = Place::open(attempt).and_then(|place| Ok((spawn(attempt, (name, external), &place, &model)?, place)));
    let (spawn, place) = match begun {
        Ok((Ok(spawn), place)) => (spawn, place),
        not => {
            leave::free(attempt, &ticket)?;
            let (why, _) = not?;
            let why = why.err().unwrap_or_default();
            return Ok(Work::Never(format!("executor `external:{name}`: {why}")));
        }
    };
    session.sink.emit(&Event::Asked {
        goal: attempt.id.clone(),
        round: rounds.number().0,
        bytes: prompt(&attempt.talk.messages).len(),
    });
    attempt.worker.step(Phase::Asking, Some(rounds.number().0));
    let ended = spawn.run(&session.stop);
    attempt.worker.step(Phase::Applying, Some(rounds.number().0));
    let tail = record(attempt, (name, external), &model, &ended, &ticket)?;
    let harvest = place.harvest(attempt.worker)?;
    place.close(attempt.worker)?;
    let how = match ended.end {
        End::Exit(code) => format!("exit {code}"),
        End::Stopped => {
            attempt.save()?;
            return Err(stopped().into());
        }
        End::NotStarted => return Ok(Work::Never(format!("`{name}` could not be started: {tail}"))),
        End::TimedOut => {
            let seconds = external.timeout.as_secs();
            return Ok(unusable(format!(
                "`{name}` ran over its limit of {seconds} s, so nothing was taken: {tail}"
            )));
        }
    };
    let changes = match harvest {
        Ok(changes) if changes.is_empty() => return Ok(unusable(format!("`{name}` changed nothing ({how}): {tail}"))),
        Ok(changes) => changes,
        Err(unusable) => return Ok(Work::Unusable { unusable, cut: false }),
    };
    let worker = &attempt.worker;
    let base = tree::snapshot(&worker.repo, attempt.draft.base_code);
    let policy = Policy::new(&worker.settings.paths, &worker.settings.check);
    Ok(match attempt.draft.merge(changes, &base, &policy) {
        Ok(admitted) => Work::Done(admitted),
        Err(Unusable { why, .. }) => unusable(why),
    })
}

/// Words what its next start is told: the same prompt, and what went wrong last.
pub(super) fn tell(attempt: &mut Attempt<'_, '_>, rounds: &Rounds, feedback: &Feedback) -> Result<Option<String>> {
    attempt.talk.messages.truncate(2);
    let worker = &attempt.worker;
    // It reads files by itself: the trouble alone is told.
    let tokens = executor::room(worker, &attempt.goal, Way::Work);
    let wording = attempt.templates.wording(&worker.session.redactor);
    match repair::rework(&attempt.goal, rounds.number(), &feedback.trouble, tokens, wording) {
        Ok(message) => {
            attempt.talk.messages.push(message);
            Ok(None)
        }
        Err(PromptError::TooLarge { .. }) => Ok(Some("`llm.context` is too small to say so".to_owned())),
        Err(error) => Err(templates::unbuilt(error)),
    }
}

fn stopped() -> Fault {
    Fault::new(Kind::Interrupted, "stopped").hint("`git invisigoth run` goes on")
}

fn unusable(why: String) -> Work {
    Work::Unusable {
        unusable: Unusable::of(why),
        cut: false,
    }
}

/// Everything that was said to it, as one text.
fn prompt(messages: &[Message]) -> String {
    let texts: Vec<&str> = messages.iter().map(|message| message.content.trim_end()).collect();
    texts.join("\n\n") + "\n"
}

/// Puts its process together, or says why it cannot be started.
fn spawn(
    attempt: &Attempt<'_, '_>,
    (name, external): (&str, &External),
    place: &Place,
    model: &str,
) -> Result<Result<Spawn, String>> {
    let worker = &attempt.worker;
    let env = worker.session.env.for_checks(&external.env);
    let prompt = prompt(&attempt.talk.messages);
    let program = match executor::program(external, &worker.session.env) {
        Ok(program) => program,
        Err(why) => return Ok(Err(why)),
    };
    let beside = place.beside()?;
    let file = beside.join("prompt.md");
    let in_place = match external.prompt.as_str() {
        "file" => {
            fs::write_atomic(&file, prompt.as_bytes()).wrap_err("writing the prompt")?;
            file.to_string_lossy().into_owned()
        }
        "arg" => prompt.clone(),
        _ => String::new(),
    };
    if external.prompt == "arg" && prompt.len() > MOST_ARGUMENT {
        let bytes = prompt.len();
        return Ok(Err(format!(
            "a prompt of {bytes} bytes is too long for an argument: `prompt = \"stdin\"` or `\"file\"`"
        )));
    }
    let dir = place.root().to_string_lossy().into_owned();
    let filled = [
        ("{prompt}", in_place.as_str()),
        ("{model}", model),
        ("{dir}", dir.as_str()),
    ];
    let files = attempt.goal.named_files();
    let command = std::iter::once(program.clone().into_os_string()).chain(arguments(external, &filled, &files));
    let access = match worker.settings.check.sandbox.as_str() {
        "none" => None,
        _ => match access(external, &program, beside, worker.session.env.home().as_deref()) {
            Ok(access) => Some(access),
            Err(why) => return Ok(Err(format!("`executor.{name}` {why}"))),
        },
    };
    let around = place.around(worker, access.as_ref(), env)?;
    let mut spawn = around.spawn(command, (external.timeout, READ_CAP), &worker.session.redactor);
    if external.prompt == "stdin" {
        spawn.stdin = prompt.into_bytes();
    }
    Ok(Ok(spawn))
}

/// Lists its arguments. What is filled in is never read again, so that a prompt with `{model}` in it stays as it is.
fn arguments(external: &External, filled: &[(&str, &str)], files: &[&str]) -> Vec<OsString> {
    let mut all = Vec::new();
    for argument in external.cmd.iter().skip(1) {
        if argument == "{files}" {
            let named = files.iter().map(|file| match file.strip_prefix('-') {
                Some(_) => format!("./{file}").into(),
                None => OsString::from(file),
            });
            all.extend(named);
        } else {
            all.push(fill(argument, filled).into());
        }
    }
    all
}

fn fill(mut argument: &str, filled: &[(&str, &str)]) -> String {
    let mut whole = String::new();
    loop {
        let places = filled
            .iter()
            .filter_map(|(name, text)| Some((argument.find(name)?, name, text)));
        let Some((at, name, text)) = places.min_by_key(|(at, ..)| *at) else {
            return whole + argument;
        };
        whole.push_str(argument.get(..at).unwrap_or_default());
        whole.push_str(text);
        argument = argument.get(at + name.len()..).unwrap_or_default();
    }
}

/// What it may see and do besides working in its folder.
fn access(external: &External, program: &Path, beside: PathBuf, home: Option<&Path>) -> Result<Access, String> {
    let mut access = Access {
        network: external.network,
        readable: vec![beside],
        ..Access::default()
    };
    let target = program.canonicalize().ok();
    let folders = [Some(program), target.as_deref()]
        .into_iter()
        .flatten()
        .filter_map(Path::parent);
    access.readable.extend(folders.map(Path::to_owned));
    for named in &external.read {
        let path = settings::below_home(named, home);
        if !path.is_absolute() {
            return Err(format!(
                "says `read` of `{named}`, which is no absolute path and not below `~/`"
            ));
        }
        access.readable.push(path);
    }
    for named in &external.home {
        let Some(home) = home else {
            return Err("says `home`, and there is no home folder".to_owned());
        };
        let below = Path::new(named.strip_prefix("~/").unwrap_or(named));
        let inside = home.join(below);
        let is_plain = below.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_plain || below.as_os_str().is_empty() {
            return Err(format!(
                "says `home` of `{named}`, which is not a path below the home folder"
            ));
        }
        access.writable.push(inside);
    }
    // What is not there cannot be shown; it finds an empty home and makes its own, which is gone when it ends.
    access.readable.retain(|path| path.exists());
    access.writable.retain(|path| path.exists());
    Ok(access)
}

/// Keeps the call; returns the end of what it said, in one line.
fn record(
    attempt: &mut Attempt<'_, '_>,
    (name, external): (&str, &External),
    model: &str,
    ended: &Ended,
    ticket: &Ticket,
) -> Result<String> {
    let mut printed = ended.output.clone();
    if ended.omitted > 0 {
        let middle = printed.len() / 2;
        let line = format!("\n[{} bytes left out]\n", ended.omitted);
        printed.splice(middle..middle, line.into_bytes());
    }
    let Said { words, usage } = said::read(&external.result, &String::from_utf8_lossy(&printed));
    leave::settle(attempt, ticket, &usage)?;
    let raw = verdict::clean_output(&printed, KEPT_CAP);
    let words = verdict::clean_output(words.as_bytes(), KEPT_CAP);
    let is_told = external.cmd.iter().any(|argument| argument.contains("{model}"));
    let provider = format!("external:{name}");
    let model = if is_told { model } else { provider.as_str() };
    let request = Request {
        model: model.to_owned(),
        messages: attempt.talk.messages.clone(),
        max_tokens: None,
        reasoning: None,
        schema: None,
    };
    let answered = Answered {
        text: &words,
        raw: raw.as_bytes(),
        model,
        provider: &provider,
        finish: "stop",
        usage,
    };
    let redactor = &attempt.worker.session.redactor;
    let tail = one_line(redactor.clean(if words.is_empty() { &raw } else { &words }).as_str());
    let call = Exchange::new(request, answered, redactor, ended.took);
    talk::keep(attempt, call);
    Ok(tail)
}

fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = lines
        .get(lines.len().saturating_sub(3)..)
        .unwrap_or_default()
        .join(" / ");
    if said.is_empty() {
        return "it printed nothing".to_owned();
    }
    let from = said.len().saturating_sub(SHOWN_CAP);
    let from = (from..said.len()).find(|at| said.is_char_boundary(*at)).unwrap_or(0);
    said.get(from..).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn external(cmd: &[&str]) -> External {
        External {
            cmd: cmd.iter().map(ToString::to_string).collect(),
            ..External::default()
        }
    }

    #[test]
    fn what_is_filled_in_is_data() {
        let hostile = "it's {model} $(rm -rf /) {dir}";
        let filled = [("{prompt}", hostile), ("{model}", "m/1"), ("{dir}", "/d")];
        let external = external(&[
            "tool",
            "-m",
            "{model}",
            "--in={dir}/{model}",
            "{prompt}",
            "{files}",
            "{other}",
        ]);
        let all = arguments(&external, &filled, &["a b.py", "-x"]);
        assert_eq!(all, ["-m", "m/1", "--in=/d/m/1", hostile, "a b.py", "./-x", "{other}"]);
    }

    #[test]
    fn what_it_may_touch_lies_below_home() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".tool")).unwrap();
        let granted = |named: &str| {
            let external = External {
                home: vec![named.into()],
                ..external(&["sh"])
            };
            access(&external, Path::new("/bin/sh"), "/nowhere".into(), Some(home.path())).map(|access| access.writable)
        };
        assert_eq!(granted("~/.tool"), Ok(vec![home.path().join(".tool")]));
        assert_eq!(granted(".tool"), Ok(vec![home.path().join(".tool")]));
        assert_eq!(granted("~/.absent"), Ok(vec![]));
        for outside in ["~/..", "/etc", "~/a/../..", "", "~/"] {
            assert!(granted(outside).is_err(), "{outside}");
        }
    }
}
