//! Notifications: takes events beside the face that shows them, and tells a command or a webhook of some.
//!
//! Owns the thread that does so, what was said before, and that nobody waits for a receiver: what cannot be delivered is dropped
//! and said once, at the end. What is told, and how it is worded, is `notice`'s.

pub mod notice;

use std::{
    collections::{BTreeSet, HashSet},
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use eyre::Result;

use crate::{
    check::End,
    door::{
        env::Env,
        fs::{self, lines::Lines},
        http::{self, Http, Limits, To},
        spawn::{self, Spawn},
    },
    engine::{
        notify::notice::{Format, Notice, On},
        session::Session,
        spending,
    },
    event::{Event, Sink, UnderWay},
    git::Repo,
    id::Hash,
    money::{
        caps::{OverBudget, Scope, What},
        ledger,
    },
    secret::Redactor,
    settings::{self, Budget},
    time::{Clock, Moment, Stop},
};

/// Longest time of one delivery.
const LIMIT: Duration = Duration::from_secs(5);
/// How long the end of a process waits for deliveries, and then for a command that is being ended.
const GRACE: Duration = Duration::from_secs(2);
const LAST: Duration = Duration::from_millis(300);
/// Most notices that wait.
const WAITING: usize = 256;
/// From this size on, in bytes, the file of what was said is begun anew.
const LARGE: usize = 64 * 1024;
/// The share of a cap from which on somebody is told.
const NEARLY: f64 = 0.8;

/// Says a line besides the answer.
pub type Complain = Box<dyn Fn(&str) + Send + Sync>;

/// What is waiting to be told or looked at.
enum Item {
    Notice(Box<Notice>),
    /// Something was spent, perhaps.
    Look,
}

/// Who is told, and of what.
struct Post {
    command: Vec<String>,
    webhook: Option<String>,
    format: Format,
    on: Vec<On>,
    repository: String,
    dir: PathBuf,
    env: Env,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
    spending: PathBuf,
    said: PathBuf,
    budget: Budget,
    began: Moment,
    stop: Stop,
}

/// What both sides know.
#[derive(Default)]
struct Standing {
    /// Notices that did not go out yet.
    open: AtomicU64,
    why: Mutex<Option<String>>,
}

/// A face with a receiver beside it.
struct Beside {
    face: Arc<dyn Sink>,
    on: Vec<On>,
    queue: Option<SyncSender<Item>>,
    over: Mutex<Receiver<()>>,
    standing: Arc<Standing>,
    stop: Stop,
    complain: Complain,
}

/// Returns the sink of `session`, with a receiver beside it where the user's own settings name one. When the last handle on it is
/// gone, it waits a moment for what is under way, and complains of what did not go out.
pub fn beside(session: &Session, complain: Complain) -> Arc<dyn Sink> {
    let face = Arc::clone(&session.sink);
    let repo = session.repo();
    // Broken settings are the command's own business.
    let Ok(settings) = session.settings(&repo) else {
        return face;
    };
    let wanted = &settings.notify;
    if wanted.command.is_empty() && wanted.webhook.is_none() {
        return face;
    }
    let on = wanted_of(wanted);
    let post = Post::new(session, &repo, (wanted, &on), settings.budget);
    let (standing, stop) = (Arc::<Standing>::default(), post.stop.clone());
    let (queue, items) = mpsc::sync_channel(WAITING);
    let (end, over) = mpsc::sync_channel(1);
    let known = Arc::clone(&standing);
    let started = thread::Builder::new().name("notify".to_owned()).spawn(move || {
        post.serve(&items, &known);
        // Nobody listens any more where the process leaves.
        let _ = end.send(());
    });
    if let Err(error) = started {
        complain(&format!("nobody will be notified: {error}"));
        return face;
    }
    Arc::new(Beside {
        face,
        on,
        queue: Some(queue),
        over: Mutex::new(over),
        standing,
        stop,
        complain,
    })
}

/// Returns what is to be told of; words that stand for nothing are `doctor`'s to name.
fn wanted_of(wanted: &settings::Notify) -> Vec<On> {
    wanted.on.iter().filter_map(|word| On::of_word(word)).collect()
}

impl Sink for Beside {
    fn emit(&self, event: &Event) {
        self.face.emit(event);
        let spends = matches!(
            event,
            Event::Checked { .. } | Event::Refused { .. } | Event::Landed { .. } | Event::Ended { .. }
        );
        if spends && self.on.contains(&On::Budget) {
            self.put(Item::Look);
        }
        let Some(mut notice) = notice::of(event) else { return };
        if !self.on.contains(&notice.on) {
            match notice.or.filter(|or| self.on.contains(or)) {
                Some(or) => notice.on = or,
                None => return,
            }
        }
        self.standing.open.fetch_add(1, Ordering::SeqCst);
        self.put(Item::Notice(Box::new(notice)));
    }

    fn show(&self, under_way: &[UnderWay]) {
        self.face.show(under_way);
    }
}

impl Beside {
    /// What does not fit is dropped: a run never waits here.
    fn put(&self, item: Item) {
        if let Some(queue) = &self.queue {
            let _ = queue.try_send(item);
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.queue = None;
        let over = self.over.get_mut().unwrap_or_else(PoisonError::into_inner);
        if over.recv_timeout(GRACE) == Err(RecvTimeoutError::Timeout) {
            self.stop.now();
            // A command that hangs is ended with all that it started.
            let _ = over.recv_timeout(LAST);
        }
        let open = self.standing.open.load(Ordering::SeqCst);
        if open > 0 {
            let why = self.standing.why.lock().unwrap_or_else(PoisonError::into_inner).take();
            let why = why.unwrap_or_else(|| "the receiver did not answer in time".to_owned());
            let what = if open == 1 { "notification" } else { "notifications" };
            (self.complain)(&format!("{open} {what} did not go out: {why}"));
        }
    }
}

impl Post {
    fn new(session: &Session, repo: &Repo, (wanted, on): (&settings::Notify, &[On]), budget: Budget) -> Self {
        let dir = repo.workdir().unwrap_or(repo.common_dir()).to_owned();
        let name = dir.file_name().map(|name| name.to_string_lossy().into_owned());
        Self {
            command: wanted.command.clone(),
            webhook: wanted.webhook.clone(),
            format: Format::of_word(&wanted.format),
            on: on.to_vec(),
            repository: session.redactor.clean(&name.unwrap_or_default()).into_string(),
            dir,
            env: session.env.clone(),
            redactor: session.redactor.clone(),
            clock: Arc::clone(&session.clock),
            spending: spending::file(session, repo),
            said: session.own_dir(repo).join("notified"),
            budget,
            began: session.clock.now(),
            stop: Stop::default(),
        }
    }

    fn serve(&self, items: &Receiver<Item>, standing: &Standing) {
        let (mut told, mut near) = (HashSet::new(), BTreeSet::new());
        for item in items {
            let (notices, counted) = match item {
                Item::Notice(notice) => (vec![*notice], true),
                Item::Look => (self.nearly(&mut near), false),
            };
            for notice in notices {
                let notice = notice.clean(&self.redactor);
                let key = Hash::of("notice", [notice.key().as_bytes()]).short(16);
                let is_known = notice.goal.is_some() && (!told.insert(key.clone()) || self.was_said(&key));
                let sent = if is_known { Ok(()) } else { self.tell(&notice) };
                match sent {
                    Ok(()) if counted => drop(standing.open.fetch_sub(1, Ordering::SeqCst)),
                    Ok(()) => {}
                    Err(why) => {
                        standing.open.fetch_add(u64::from(!counted), Ordering::SeqCst);
                        told.remove(&key);
                        let mut kept = standing.why.lock().unwrap_or_else(PoisonError::into_inner);
                        *kept = Some(self.redactor.clean(&why).into_string());
                        continue;
                    }
                }
                if notice.goal.is_some() && !is_known {
                    self.keep(&key);
                }
            }
        }
    }

    /// Tells both receivers; the second one too where the first fails.
    fn tell(&self, notice: &Notice) -> std::result::Result<(), String> {
        let at = self.clock.now().rfc3339();
        let by_command = self.run(notice, &at);
        let by_hook = self.post(notice, &at);
        by_command.and(by_hook)
    }

    fn run(&self, notice: &Notice, at: &str) -> std::result::Result<(), String> {
        let Some((program, args)) = self.command.split_first() else {
            return Ok(());
        };
        let spawn = Spawn {
            program: settings::below_home(program, self.env.home().as_deref()).into(),
            args: args.iter().map(Into::into).collect(),
            dir: self.dir.clone(),
            env: self.env.for_git(),
            stdin: notice::json(notice, &self.repository, at),
            timeout: Some(LIMIT),
            output_cap: 4096,
            redactor: self.redactor.clone(),
        };
        match spawn.run(&self.stop).end {
            End::Exit(0) => Ok(()),
            End::Exit(code) => Err(format!("`{program}` ended with {code}")),
            End::NotStarted => Err(format!("`{program}` could not be started")),
            End::TimedOut | End::Stopped => Err(format!("`{program}` did not end in time")),
        }
    }

    fn post(&self, notice: &Notice, at: &str) -> std::result::Result<(), String> {
        let Some(url) = &self.webhook else { return Ok(()) };
        let (headers, body) = notice::worded(self.format, notice, (&self.repository, at));
        let limits = Limits {
            connect: LIMIT,
            first_byte: LIMIT,
            idle: LIMIT,
            total: LIMIT,
            body: 64 * 1024,
        };
        let to = To { url, headers: &headers };
        let head = Http::new(limits, false)
            .post(&to, body, &self.stop, &mut |_, _| ControlFlow::Continue(()))
            .map_err(|error| format!("the webhook: {error}"))?;
        if head.is_success() {
            return Ok(());
        }
        Err(format!("the webhook answers {}", head.status))
    }

    /// Returns what is to be told of caps of which most is spent, each once.
    fn nearly(&self, told: &mut BTreeSet<(String, String)>) -> Vec<Notice> {
        let Ok(ledger) = spending::read_file(&self.spending) else {
            return Vec::new();
        };
        let now = self.clock.now();
        let today = now.rfc3339();
        let mut run = ledger.since(&self.began.rfc3339());
        run.millis = u64::try_from(now.since(self.began).as_millis()).unwrap_or(u64::MAX);
        let day = ledger::day(&today);
        let mut notices = Vec::new();
        for (scope, sum) in [(Scope::Run, run), (Scope::Day, ledger.day(day))] {
            for what in What::ALL {
                let Some(cap) = what.cap(&scope.caps(&self.budget)) else {
                    continue;
                };
                let over = OverBudget {
                    scope,
                    what,
                    cap,
                    spent: what.of(&sum),
                    need: None,
                };
                let is_near = over.spent >= cap * NEARLY && self.on.contains(&On::Budget);
                if is_near && told.insert((scope.key(what), day.to_owned())) {
                    notices.push(notice::nearly(&over));
                }
            }
        }
        notices
    }

    /// Of goals the same is said once in a clone, however many runs see it.
    fn was_said(&self, key: &str) -> bool {
        let text = fs::read(&self.said).ok().flatten().unwrap_or_default();
        String::from_utf8_lossy(&text).lines().any(|line| line == key)
    }

    fn keep(&self, key: &str) {
        let keep = || -> std::io::Result<()> {
            let mut lines = Lines::hold(&self.said)?;
            if lines.rest(0)?.is_some_and(|text| text.len() > LARGE) {
                return lines.replace(&format!("{key}\n"));
            }
            lines.append(key, false)
        };
        // Where it cannot be kept, it may be said again.
        let _ = keep();
    }
}

/// Says what is wrong with what the settings name, if anything; nothing is sent or started.
///
/// # Errors
/// Says what is wrong.
pub fn look(wanted: &settings::Notify, env: &Env) -> Result<String, String> {
    let known: Vec<&str> = On::ALL.into_iter().map(On::word).collect();
    if let Some(odd) = wanted.on.iter().find(|word| On::of_word(word).is_none()) {
        return Err(format!("`notify.on` has `{odd}`; there is {}", known.join(", ")));
    }
    let mut parts = Vec::new();
    if let Some(program) = wanted.command.first() {
        let path = settings::below_home(program, env.home().as_deref());
        let found = spawn::find(path.as_os_str(), &env.for_git()).map_err(|error| error.to_string())?;
        if !fs::is_executable(&found) {
            return Err(format!("`{}` is no program", found.display()));
        }
        parts.push(found.display().to_string());
    }
    if let Some(url) = &wanted.webhook {
        let (host, _) = http::check_url(url, false).map_err(|error| format!("`notify.webhook`: {error}"))?;
        parts.push(format!("{host} ({})", wanted.format));
    }
    Ok(format!("{}: {}", parts.join(" and "), wanted.on.join(", ")))
}
