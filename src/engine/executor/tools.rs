//! Executor `tools`: a model that acts in a fenced folder, one action a turn, until it says that it is done.
//!
//! Actions are plain text, so that any model can take part. No action is carried out without a fence. The conversation is
//! only ever appended to; when a killed run is taken up again, its recorded replies act anew in a fresh folder, as long as
//! what comes of them is the same.

use std::{ffi::OsString, time::Duration};

use eyre::Result;

use crate::{
    check::End,
    door::{fs::dir::Dir, spawn},
    engine::{
        attempt::Attempt,
        draft::Unusable,
        executor::{self, Work, place::Place},
        fenced::Access,
        gather,
        repair::Rounds,
        talk::{self, Said},
        templates,
    },
    fault::{Fault, Kind},
    git::tree,
    guard::Policy,
    money::caps::OverBudget,
    path::RepoPath,
    prompt::{
        PromptError, Way,
        budget::Block,
        repair::{self, Feedback},
    },
    reply::{
        Format,
        action::{self, Action, Look},
    },
    snapshot::Changes,
    transcript::{Message, Role},
    verdict,
};

/// Most bytes of what an action shows, head and tail together.
const SHOWN_CAP: usize = 10 << 10;
/// Most bytes of a command's output that are read.
const READ_CAP: usize = 64 << 10;
/// Longest time of one action.
const ACTION_LIMIT: Duration = Duration::from_secs(300);
/// Longest time of one round, after which it is taken as it is.
const ROUND_LIMIT: Duration = Duration::from_secs(3600);
/// Tokens of `llm.context` that must be left for one more turn.
const TURN_TOKENS: usize = 4_000;

/// How the turns of a round ended.
enum Turns {
    /// By the model's word or at a limit: what there is, is taken.
    Over,
    /// The provider will not answer this goal.
    Never(String),
    /// The goal may not spend more: what there is, is lost.
    Paused(OverBudget),
}

/// Lets the model act turn by turn, and takes what it changed.
pub(super) fn work(attempt: &mut Attempt<'_, '_>, rounds: &Rounds) -> Result<Work> {
    let before = attempt.draft.total.clone();
    let mut place = Place::open(attempt)?;
    let turns = turns(attempt, rounds, &mut place)?;
    let harvest = place.harvest(attempt.worker)?;
    place.close(attempt.worker)?;
    let outcome = match turns {
        Turns::Never(why) => return Ok(Work::Never(format!("provider: {why}"))),
        Turns::Paused(over) => return Ok(Work::Paused(over)),
        Turns::Over => harvest.and_then(|changes| fold(attempt, changes)),
    };
    let outcome = outcome.and_then(|()| {
        if attempt.draft.total == before {
            return Err(Unusable::of("nothing was changed in this round"));
        }
        let worker = &attempt.worker;
        let base = tree::snapshot(&worker.repo, attempt.draft.base_code);
        let policy = Policy::new(&worker.settings.paths, &worker.settings.check);
        attempt.draft.merge(Changes::new(), &base, &policy)
    });
    Ok(match outcome {
        Ok(admitted) => Work::Done(admitted),
        Err(Unusable { why, .. }) => {
            attempt.draft.total = before;
            Work::Unusable {
                unusable: Unusable::of(why),
                cut: false,
            }
        }
    })
}

/// Appends what went wrong with the round.
pub(super) fn tell(attempt: &mut Attempt<'_, '_>, rounds: &Rounds, feedback: &Feedback) -> Result<Option<String>> {
    let worker = &attempt.worker;
    let context = executor::room(worker, &attempt.goal, Way::Tools);
    let tokens = context.saturating_sub(attempt.talk.tokens());
    let wording = attempt.templates.wording(&worker.session.redactor);
    match repair::rework(&attempt.goal, rounds.number(), &feedback.trouble, tokens, wording) {
        Ok(message) => {
            attempt.talk.messages.push(message);
            Ok(None)
        }
        Err(PromptError::TooLarge { .. }) => Ok(Some(executor::FULL.to_owned())),
        Err(error) => Err(templates::unbuilt(error)),
    }
}

fn turns(attempt: &mut Attempt<'_, '_>, rounds: &Rounds, place: &mut Place) -> Result<Turns> {
    let session = attempt.worker.session;
    let began = session.clock.now();
    let most = attempt.worker.settings.run.turns;
    let context = executor::room(attempt.worker, &attempt.goal, Way::Tools);
    let format = gather::asked(&attempt.worker.settings.llm, rounds.model()).format;
    let mut waited = Duration::ZERO;
    for turn in 1..=most {
        let before = session.clock.now();
        talk::wait(attempt, Some(rounds.number().0))?;
        waited += session.clock.now().since(before);
        let worked = session.clock.now().since(began).saturating_sub(waited);
        if worked >= ROUND_LIMIT || attempt.talk.tokens() + TURN_TOKENS > context {
            break;
        }
        let said = talk::ask(attempt, rounds.model(), rounds.number().0)?;
        // Paid for, whatever happens while it is acted upon.
        attempt.save()?;
        let told = match said {
            Said::Never(why) => return Ok(Turns::Never(why)),
            Said::Paused(over) => return Ok(Turns::Paused(over)),
            Said::Unusable { unusable, .. } => format!("{} Nothing was done.", unusable.message),
            Said::Text(text) => match act(attempt, place, (&text, format))? {
                Some(told) => told,
                None => break,
            },
        };
        let (id, left, (round, rounds)) = (&attempt.id, most - turn, rounds.number());
        let content = attempt.clean(&format!(
            "{told}\nTurns left: {left}\n\nGoal: {id} (round {round} of {rounds})\n"
        ));
        attempt.talk.messages.push(Message {
            role: Role::User,
            content,
        });
    }
    Ok(Turns::Over)
}

/// Does what a reply asks for; returns what came of it, or nothing where it says that it is done.
fn act(attempt: &mut Attempt<'_, '_>, place: &mut Place, (text, format): (&str, Format)) -> Result<Option<String>> {
    let told = match action::parse(text) {
        Ok(Action::Done) => return Ok(None),
        Ok(Action::Run(command)) => run(attempt, place, shell(attempt, &command))?,
        Ok(Action::Look(looks)) => {
            let mut all = String::new();
            for look in looks.iter().take(5) {
                all.push_str(&see(attempt, place, look)?);
            }
            all
        }
        Ok(Action::Edit { done }) => match edit(attempt, place, (text, format))? {
            Ok(_) if done => return Ok(None),
            Ok(told) => told,
            Err(unusable) => unusable.message,
        },
        Err(why) => why,
    };
    Ok(Some(told))
}

fn shell(attempt: &Attempt<'_, '_>, command: &str) -> Vec<OsString> {
    let env = attempt.worker.session.env.for_checks(&[]);
    let shell = if spawn::find("bash".as_ref(), &env).is_ok() {
        "bash"
    } else {
        "sh"
    };
    [shell, "-c", command].map(OsString::from).to_vec()
}

/// Runs a program in the folder, fenced in, and words how it ended.
fn run(attempt: &Attempt<'_, '_>, place: &Place, command: Vec<OsString>) -> Result<String> {
    let worker = &attempt.worker;
    let limit = worker.settings.check.timeout.min(ACTION_LIMIT);
    let access = Access {
        memory: worker.settings.check.memory,
        ..Access::default()
    };
    let env = worker.session.env.for_checks(&[]);
    let around = place.around(worker, Some(&access), env)?;
    let spawn = around.spawn(command, (limit, READ_CAP), &worker.session.redactor);
    let ended = spawn.run(&worker.session.stop);
    let how = match ended.end {
        End::Exit(code) => format!("Exit code {code}."),
        End::TimedOut => format!("Ended after {} s, its limit.", limit.as_secs()),
        End::NotStarted => "It could not be started.".to_owned(),
        End::Stopped => {
            let fault = Fault::new(Kind::Interrupted, "stopped");
            return Err(fault.hint("`git invisigoth run` goes on").into());
        }
    };
    let mut printed = ended.output;
    if ended.omitted > 0 {
        let middle = printed.len() / 2;
        printed.splice(
            middle..middle,
            format!("\n[{} bytes left out]\n", ended.omitted).into_bytes(),
        );
    }
    Ok(shown(&how, &verdict::clean_output(&printed, SHOWN_CAP)))
}

fn shown(how: &str, text: &str) -> String {
    if text.trim().is_empty() {
        return format!("{how} It printed nothing.\n");
    }
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let block = Block::new("", format!("{text}{end}"), 0);
    format!("{how}\n\n{}\n{}{}\n", block.fence, block.text, block.fence)
}

fn see(attempt: &Attempt<'_, '_>, place: &Place, look: &Look) -> Result<String> {
    match look {
        Look::Read(named, lines) => Ok(match file(place, named) {
            Ok(text) => shown(&format!("{named}:"), &cut(&text, *lines)),
            Err(why) => format!("{named}: {why}\n"),
        }),
        Look::Search(said) => {
            let (text, folder) = match said.rsplit_once(" in ") {
                Some((text, folder)) if is_there(place, folder) => (text, folder),
                _ => (said.as_str(), "."),
            };
            let words = ["git", "grep", "--untracked", "-nIF", "-e", text, "--", folder];
            run(attempt, place, words.map(OsString::from).to_vec())
        }
    }
}

fn is_there(place: &Place, folder: &str) -> bool {
    let parsed = RepoPath::parse(folder.trim().trim_end_matches('/'));
    parsed.is_ok_and(|path| path.below(place.root()).exists())
}

/// Reads a file without following links: what lies outside is not for the model.
fn file(place: &Place, named: &str) -> Result<String, String> {
    let path = RepoPath::parse(named).map_err(|error| error.to_string())?;
    let parent = Dir::open(place.root()).and_then(|root| root.parent_of(&path));
    let absent = || "there is no such file".to_owned();
    let parent = parent.map_err(|error| error.to_string())?.ok_or_else(absent)?;
    parent.stat(path.file_name()).ok().flatten().ok_or_else(absent)?;
    let bytes = parent.read(path.file_name()).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not text".to_owned())
}

fn cut(text: &str, lines: Option<(usize, usize)>) -> String {
    let Some((first, last)) = lines else {
        return verdict::clean_output(text.as_bytes(), SHOWN_CAP);
    };
    let count = last.saturating_sub(first.saturating_sub(1));
    let part: Vec<&str> = text.lines().skip(first.saturating_sub(1)).take(count).collect();
    verdict::clean_output(part.join("\n").as_bytes(), SHOWN_CAP)
}

/// Applies the edits of a reply to what the folder holds, all or none.
fn edit(
    attempt: &mut Attempt<'_, '_>,
    place: &mut Place,
    (text, format): (&str, Format),
) -> Result<Result<String, Unusable>> {
    let worker = &attempt.worker;
    let before = attempt.draft.total.clone();
    let folded = match place.harvest(worker)? {
        Ok(changes) => fold(attempt, changes),
        Err(unusable) => Err(unusable),
    };
    if let Err(unusable) = folded {
        return Ok(Err(unusable));
    }
    let worker = &attempt.worker;
    let base = tree::snapshot(&worker.repo, attempt.draft.base_code);
    let policy = Policy::new(&worker.settings.paths, &worker.settings.check);
    match attempt.draft.take((text, format), &base, &policy) {
        Ok(admitted) => {
            let code = tree::write(&worker.repo, attempt.draft.base_code, &admitted)?;
            place.fill(attempt.worker, code)?;
            Ok(Ok("The edits were applied.\n".to_owned()))
        }
        Err(unusable) => {
            attempt.draft.total = before;
            Ok(Err(unusable))
        }
    }
}

fn fold(attempt: &mut Attempt<'_, '_>, changes: Changes) -> Result<(), Unusable> {
    let base = tree::snapshot(&attempt.worker.repo, attempt.draft.base_code);
    attempt.draft.fold(changes, &base)
}
