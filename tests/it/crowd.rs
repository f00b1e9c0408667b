//! Crowds: many runs in one clone at once, killed and started again, while its user goes on with git.
//!
//! Not here: several clones and a remote, which is `tests/peer`.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::Child,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;

use crate::support::{Ran, Sandbox, pause::Pause, whole};

const GOALS: usize = 40;
const RUNS: usize = 8;

/// What a model was asked, by goal.
#[derive(Default)]
struct Asked {
    goals: Mutex<BTreeMap<String, usize>>,
    more: Condvar,
}

impl Asked {
    fn calls(&self) -> usize {
        self.goals.lock().unwrap().values().sum()
    }
}

/// A model that answers each goal with a file of its name, and counts.
struct Model {
    at: SocketAddr,
    asked: Arc<Asked>,
    over: Arc<AtomicBool>,
}

impl Model {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let (asked, over) = (Arc::new(Asked::default()), Arc::new(AtomicBool::new(false)));
        let (counted, ended) = (Arc::clone(&asked), Arc::clone(&over));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let counted = Arc::clone(&counted);
                // Who asks may be killed over it.
                std::thread::spawn(move || stream.and_then(|stream| answer(stream, &counted)));
            }
        });
        Self { at, asked, over }
    }

    fn calls(&self) -> usize {
        self.asked.calls()
    }

    /// Waits until it was asked so often, or `run` has ended.
    fn wait(&self, calls: usize, run: &mut Child) {
        let mut goals = self.asked.goals.lock().unwrap();
        while goals.values().sum::<usize>() < calls && run.try_wait().unwrap().is_none() {
            goals = self
                .asked
                .more
                .wait_timeout(goals, Duration::from_millis(50))
                .unwrap()
                .0;
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.at);
    }
}

fn answer(stream: TcpStream, asked: &Asked) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body);
    let Some((_, rest)) = body.rsplit_once("Make g") else {
        return Ok(());
    };
    let goal = format!("g{}", rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    *asked.goals.lock().unwrap().entry(goal.clone()).or_default() += 1;
    asked.more.notify_all();
    let said = json!({
        "id": "1", "model": "stub",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": whole(&format!("{goal}.txt"), &format!("{goal}\n"))}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.0},
    })
    .to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        said.len()
    );
    reader.get_mut().write_all(format!("{head}{said}").as_bytes())
}

/// A clone with a crowd at it.
struct Crowd {
    sandbox: Sandbox,
    model: Model,
    kills: AtomicUsize,
    /// Calls that the killed may have had under way.
    lost: AtomicUsize,
}

impl Crowd {
    fn new(goals: usize) -> Self {
        let (sandbox, model) = (Sandbox::ready(), Model::start());
        sandbox.unfenced();
        let url = format!("http://{}/v1", model.at);
        for (key, value) in [
            ("provider", "openrouter"),
            ("base-url", url.as_str()),
            ("model", "stub"),
        ] {
            sandbox.git(&["config", &format!("invisigoth.llm.{key}"), value]);
        }
        let row = |nth: usize| match nth % 5 {
            4 => format!(
                r#"{{"id":"g{nth:03}","description":"Make g{nth:03}","dependencies":["g{:03}"]}}"#,
                nth - 1
            ),
            _ => format!(r#"{{"id":"g{nth:03}","description":"Make g{nth:03}"}}"#),
        };
        let rows: Vec<String> = (0..goals).map(row).collect();
        sandbox.write("memory/pending_goals.json", format!("[\n{}\n]\n", rows.join(",\n")));
        sandbox.write("mine.txt", "0\n");
        sandbox.commit("goals");
        Self {
            sandbox,
            model,
            kills: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
        }
    }

    fn start(&self, jobs: &str) -> Child {
        let mut run = self.sandbox.invisigoth(&["run", "--jobs", jobs]);
        run.env("OPENROUTER_API_KEY", "sk-none-000000");
        run.stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// How many goals have landed, on the branch or beside it.
    fn landed(&self) -> usize {
        let beside = self
            .sandbox
            .sh("git", &["rev-parse", "-q", "--verify", "refs/invisigoth/landed/main"]);
        let tip = if beside.code == 0 {
            "refs/invisigoth/landed/main"
        } else {
            "main"
        };
        self.sandbox
            .sh("git", &["log", "--format=%(trailers:key=Landed,valueonly)", tip])
            .stdout
            .matches("g")
            .count()
    }

    /// What the user types. A ref or the index may move under it, as under anybody's git: it is typed again then.
    fn user(&self, args: &[&str]) {
        let mut last = String::new();
        for _ in 0..20 {
            let ran = self.sandbox.sh("git", args);
            if ran.code == 0 {
                return;
            }
            last = ran.stderr;
        }
        panic!("git {args:?} is kept from going on: {last}");
    }

    /// What must hold at the end: a last run finds nothing left to do but what the dead left.
    fn settle(&self, goals: usize) {
        let last = Ran::of(&self.start("2").wait_with_output().unwrap());
        assert_eq!(last.code, 0, "{}{}", last.stdout, last.stderr);
        let sandbox = &self.sandbox;
        let mut landed = sandbox.landings("main");
        landed.sort_unstable();
        let all: Vec<String> = (0..goals).map(|nth| format!("g{nth:03}")).collect();
        assert_eq!(landed, all);
        let notes = sandbox.git(&["notes", "--ref=invisigoth", "list"]);
        // A user's rebase copies notes to what it makes anew.
        let noted = |commit: &str| notes.lines().any(|line| line.ends_with(commit));
        let said = sandbox.git(&[
            "log",
            "--first-parent",
            "--format=%(trailers:key=Landed,valueonly)",
            "main",
        ]);
        let commits = said.lines().filter_map(|line| line.split(' ').nth(1));
        let commits: Vec<&str> = commits.collect();
        assert_eq!(commits.len(), goals);
        assert!(commits.iter().all(|commit| noted(commit)), "{notes}");
        let most = goals + self.lost.load(Ordering::SeqCst);
        assert!(
            self.model.calls() <= most,
            "{} calls, at most {most}",
            self.model.calls()
        );
        assert_eq!(
            sandbox.git(&["for-each-ref", "refs/invisigoth/claims", "refs/heads/invisigoth"]),
            ""
        );
        let own = |name: &str| fs::read_dir(sandbox.path(".git/invisigoth").join(name)).map_or(0, Iterator::count);
        assert_eq!((own("runs"), own("moving")), (0, 0));
        let left = sandbox.sh(
            "find",
            &[".git", "-name", "*.lock", "-not", "-path", ".git/invisigoth/*"],
        );
        assert_eq!(left.stdout, "");
        assert_eq!(sandbox.git(&["status", "--porcelain"]), "");
        sandbox.assert_sound();
    }
}

/// An end that a run in a crowd may have: what the rest waits for may be in the hands of others.
fn assert_good(ran: &Ran, goals: usize) {
    assert!(
        matches!(ran.code, 0 | 3 | 8) && !ran.stdout.contains("failed "),
        "exit {} of {goals}\n{}{}",
        ran.code,
        ran.stdout,
        ran.stderr
    );
    assert!(!ran.stderr.contains("error:") || ran.code == 8, "{}", ran.stderr);
}

#[test]
fn of_eight_runs_in_one_clone_each_goal_lands_once() {
    let crowd = Crowd::new(GOALS);
    let jobs = |nth: usize| if nth.is_multiple_of(3) { "2" } else { "1" };
    let all: Vec<Child> = (0..RUNS).map(|nth| crowd.start(jobs(nth))).collect();
    for run in all {
        assert_good(&Ran::of(&run.wait_with_output().unwrap()), GOALS);
    }
    crowd.settle(GOALS);
    crowd.sandbox.ok(&["verify"]);
    assert_eq!(crowd.model.calls(), GOALS, "nobody was killed");
}

#[test]
fn of_runs_that_are_killed_and_started_again_each_goal_lands_once() {
    const KILLS: usize = 12;
    let crowd = Crowd::new(GOALS);
    std::thread::scope(|scope| {
        for nth in 0..RUNS {
            let crowd = &crowd;
            scope.spawn(move || {
                while crowd.landed() < GOALS {
                    let jobs = if nth.is_multiple_of(3) { "2" } else { "1" };
                    let mut run = crowd.start(jobs);
                    // Wherever it is when the model was asked a few times more, it dies.
                    crowd.model.wait(crowd.model.calls() + 1 + nth % 3, &mut run);
                    let is_alive = run.try_wait().unwrap().is_none();
                    let dies = crowd.kills.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |kills| {
                        (is_alive && kills < KILLS).then(|| kills + 1)
                    });
                    if dies.is_ok() {
                        crowd.lost.fetch_add(jobs.parse().unwrap(), Ordering::SeqCst);
                        run.kill().unwrap();
                    }
                    let ran = Ran::of(&run.wait_with_output().unwrap());
                    if dies.is_err() {
                        assert_good(&ran, GOALS);
                    }
                }
            });
        }
    });
    assert!(
        crowd.kills.load(Ordering::SeqCst) >= KILLS / 2,
        "hardly anybody was killed"
    );
    crowd.settle(GOALS);
    crowd.sandbox.ok(&["verify"]);
}

#[test]
fn k03_a_user_commits_collects_rebases_and_prunes_meanwhile() {
    const FEW: usize = 10;
    let crowd = Crowd::new(FEW);
    let sandbox = &crowd.sandbox;
    let runs: Vec<Child> = (0..3).map(|_| crowd.start("2")).collect();
    let mut nth = 0;
    while crowd.landed() < FEW && nth < 40 {
        nth += 1;
        sandbox.write("mine.txt", format!("{nth}\n"));
        crowd.user(&["commit", "-q", "--only", "-m", &format!("mine {nth}"), "mine.txt"]);
        crowd.user(&["gc", "-q"]);
        crowd.user(&["worktree", "add", "-q", "--detach", "../other"]);
        crowd.user(&["-C", "../other", "rebase", "-q", "--force-rebase", "HEAD~1"]);
        crowd.user(&["worktree", "remove", "--force", "../other"]);
        crowd.user(&["worktree", "prune"]);
        crowd.user(&["pack-refs", "--all"]);
    }
    for run in runs {
        assert_good(&Ran::of(&run.wait_with_output().unwrap()), FEW);
    }
    crowd.settle(FEW);
    sandbox.ok(&["verify"]);
    assert_eq!(sandbox.read("mine.txt"), format!("{nth}\n"));
}

/// A check that starts what outlives it, with every file that it was given open.
const LEAVES_A_CHILD: &str = "[ -e \"$HOME/left\" ] || { : > \"$HOME/left\"; setsid sleep 9 & }\n";

#[test]
fn k05_a_lock_is_not_handed_to_children_and_a_paused_holder_keeps_its_goal() {
    let sandbox = Sandbox::checking(&format!(
        "[ -e a.txt ] || exit 0\n{LEAVES_A_CHILD}{}",
        crate::support::pause::PAUSE
    ));
    sandbox.script(json!({"a": [whole("a.txt", "a\n")]}));
    sandbox.goal("a", &[]);
    let mut pause = Pause::new(&sandbox);
    let running = pause.start(&sandbox, &["run"]);
    running.signal(&sandbox, "STOP");
    // However long it sleeps: of this clone the lock of its run tells, not a clock.
    let ran = sandbox.run(&["run", "--exit-code"]);
    assert!(matches!(ran.code, 0 | 4 | 8), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(sandbox.landings("main"), [""; 0]);
    let own = sandbox.path(".git/invisigoth");
    let count = format!(
        "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c '{}/.*lock' || :",
        own.display()
    );
    let open = sandbox.sh("sh", &["-c", &count]);
    let held: usize = open.stdout.trim().parse().unwrap();
    assert!(held <= 2, "its run's and the turn's, by itself alone: {held}");
    running.signal(&sandbox, "KILL");
    running.end();
    // Whatever it left running holds nothing.
    pause.go();
    sandbox.ok(&["run"]);
    assert_eq!(sandbox.landings("main"), ["a"]);
    sandbox.assert_sound();
}
