use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;

use super::*;
use crate::{
    door::{env::Env, spawn::run_captured},
    event::{Event, Sink},
    facts::Facts,
    git::{claims::Outside, history},
    time::Clock,
};

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

struct Silence;

impl Sink for Silence {
    fn emit(&self, _: &Event) {}
}

struct Clone {
    folder: TempDir,
    clock: Arc<Hands>,
}

impl Clone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env = Env::read().for_checks(&[]);
        let made = run_captured("git", &["init", "-q"], folder.path(), &env, b"", None).unwrap();
        assert_eq!(made.code, 0);
        let clock = Arc::new(Hands(AtomicI64::new(1_800_000_000_000)));
        Self { folder, clock }
    }

    fn session(&self) -> Session {
        let pairs = [
            ("HOME", self.folder.path().to_str().unwrap()),
            ("GIT_AUTHOR_NAME", "a"),
            ("GIT_AUTHOR_EMAIL", "a@b"),
            ("GIT_COMMITTER_NAME", "a"),
            ("GIT_COMMITTER_EMAIL", "a@b"),
        ];
        let overrides = ["user.name=a", "user.email=a@b"]
            .map(|pair| format!("'{pair}'"))
            .join(" ");
        let here = Env::read();
        let path = here.get("PATH").unwrap();
        let more = [("GIT_CONFIG_PARAMETERS", overrides.as_str()), ("PATH", path)];
        let env = Env::from_pairs(pairs.into_iter().chain(more));
        Session::open(self.folder.path(), env, self.clock.clone(), Arc::new(Silence), &[]).unwrap()
    }

    fn later(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }
}

fn alive(session: &Session, run: &str) -> Lock {
    let path = live::lock_of(session, &session.repo(), run);
    fs::create_dir_all(path.parent().unwrap_or_else(|| Path::new("."))).unwrap();
    Lock::try_lock(&path, "").unwrap().unwrap()
}

fn goal(id: &str) -> GoalId {
    id.parse().unwrap()
}

#[test]
fn of_eight_runs_that_race_for_a_goal_exactly_one_gets_it() {
    let clone = Clone::new();
    let session = clone.session();
    for nth in 0..20 {
        let (got, goal) = (AtomicUsize::new(0), goal(&format!("g{nth}")));
        // Whoever won lives until all have tried.
        let all = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for run in 0..8 {
                let (session, got, goal, all) = (&session, &got, &goal, &all);
                scope.spawn(move || {
                    let run = format!("{nth}-{run}");
                    let lock = alive(session, &run);
                    let taken = Claims::open(session, &run).take(&session.repo(), goal);
                    got.fetch_add(usize::from(taken.unwrap() == Taken::Ours), Ordering::SeqCst);
                    all.wait();
                    drop(lock);
                });
            }
        });
        assert_eq!(got.into_inner(), 1, "goal {nth}");
    }
}

#[test]
fn what_a_dead_run_left_is_taken_over_once() {
    let clone = Clone::new();
    let session = clone.session();
    let repo = session.repo();
    let id = goal("g");
    let dead = alive(&session, "dead");
    assert_eq!(Claims::open(&session, "dead").take(&repo, &id).unwrap(), Taken::Ours);
    let before = claims::read(&repo, &id).unwrap().unwrap();
    assert_eq!(running(&session, &repo).unwrap().0, BTreeSet::from([id.clone()]));
    drop(dead);
    assert_eq!(running(&session, &repo).unwrap().0, BTreeSet::new());
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for run in 0..8 {
            let (session, won, id) = (&session, &won, &id);
            scope.spawn(move || {
                std::mem::forget(alive(session, &format!("r{run}")));
                let taken = Claims::open(session, &format!("r{run}"))
                    .take(&session.repo(), id)
                    .unwrap();
                won.fetch_add(usize::from(taken == Taken::Ours), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(won.into_inner(), 1);
    let after = claims::read(&repo, &id).unwrap().unwrap();
    assert_eq!(
        [&before, &after].map(|claim| history::first_parents(&repo, claim.commit, 9).unwrap().len()),
        [1, 2]
    );
    // The dead one, should it only have slept, cannot give back what is not its own any more.
    claims::release(&repo, &before).unwrap();
    assert_eq!(claims::read(&repo, &id).unwrap(), Some(after));
}

#[test]
fn one_run_gives_a_goal_to_one_of_its_threads_and_gives_it_back() {
    let clone = Clone::new();
    let session = clone.session();
    let repo = session.repo();
    let _lock = alive(&session, "r");
    let claims = Claims::open(&session, "r");
    let (id, odd) = (goal("g"), goal("a/b: ü"));
    assert_eq!(claims.take(&repo, &id).unwrap(), Taken::Ours);
    assert!(matches!(claims.take(&repo, &id).unwrap(), Taken::Theirs(holder) if holder.run == "r"));
    assert_eq!(claims.take(&repo, &odd).unwrap(), Taken::Ours);
    assert_eq!(
        running(&session, &repo).unwrap().0,
        BTreeSet::from([odd.clone(), id.clone()])
    );
    claims.release(&repo, &id).unwrap();
    assert_eq!(claims.take(&repo, &id).unwrap(), Taken::Ours);
    claims.release_all(&repo).unwrap();
    assert_eq!(claims::all(&repo).unwrap(), []);
}

#[test]
fn a_claim_of_another_machine_counts_until_it_was_seen_unchanged_for_its_time() {
    let clone = Clone::new();
    let session = clone.session();
    let repo = session.repo();
    let elsewhere = Holder {
        run: "far".into(),
        host: "elsewhere".into(),
        ..Holder::default()
    };
    let id = goal("g");
    let now = session.clock.now();
    let far = claims::take(&repo, &id, &elsewhere, None, now).unwrap().unwrap();
    let ours = Claims::open(&session, "r");
    let refused = |claims: &Claims<'_>| matches!(claims.take(&repo, &id).unwrap(), Taken::Theirs(_));
    assert!(refused(&ours));
    clone.later(TTL - Duration::from_secs(1));
    assert!(refused(&ours));
    claims::renew(&repo, &far, None, session.clock.now()).unwrap().unwrap();
    clone.later(Duration::from_secs(2));
    assert!(refused(&ours), "a renewed one is watched anew");
    clone.later(TTL);
    assert!(!refused(&ours));
}

#[test]
fn a_claim_far_older_than_the_newest_is_dead_although_nobody_watched() {
    let clone = Clone::new();
    let session = clone.session();
    let repo = session.repo();
    let id = goal("g");
    let claim = claims::take(&repo, &id, &Holder::default(), None, Moment(0))
        .unwrap()
        .unwrap();
    let limit = i64::try_from((TTL + CLOCKS_DIFFER).as_millis()).unwrap();
    assert!(!is_expired(&session, &repo, &claim, Moment(limit)).unwrap());
    assert!(is_expired(&session, &repo, &claim, Moment(limit + 1)).unwrap());
}

#[test]
fn a_claim_that_says_nothing_readable_belongs_to_nobody_known() {
    let clone = Clone::new();
    let session = clone.session();
    let repo = session.repo();
    let root = crate::git::objects::write_empty_tree(&repo).unwrap();
    let made = crate::git::commit::write_unsigned(&repo, root, &[], "hello\n", Moment(5000)).unwrap();
    let claim = claims::of_commit(&repo, "g", made);
    assert_eq!((claim.holder, claim.at), (Holder::default(), Moment(5000)));
}

#[test]
fn goals_that_nobody_held_are_claimed_by_one_commit_and_what_is_taken_again_is_not() {
    let clone = Clone::new();
    let session = clone.session();
    let repo = session.repo();
    let _lock = alive(&session, "r");
    let claims = Claims::open(&session, "r");
    let take = |id: &str| {
        assert_eq!(claims.take(&repo, &goal(id)).unwrap(), Taken::Ours);
        claims::read(&repo, &goal(id)).unwrap().unwrap()
    };
    let (a, b, odd) = (take("a"), take("b"), take("A"));
    assert_eq!((a.commit, &a.goal), (b.commit, &Some(goal("a"))));
    assert_eq!(
        (odd.commit == a.commit, odd.goal),
        (false, Some(goal("A"))),
        "its ref does not say it"
    );
    claims.release(&repo, &goal("a")).unwrap();
    let again = take("a");
    assert_ne!(again.commit, a.commit, "what was released stays told apart");
    claims.release_all(&repo).unwrap();
    // Nothing names the commit any more, and whoever collects what nothing names takes it away.
    let env = Env::read().for_checks(&[]);
    let gone = run_captured("git", &["prune", "--expire=now"], clone.folder.path(), &env, b"", None).unwrap();
    assert_eq!(gone.code, 0);
    assert_ne!(take("c").commit, a.commit);
    let sound = run_captured("git", &["fsck", "--strict"], clone.folder.path(), &env, b"", None).unwrap();
    assert_eq!(sound.code, 0, "{}", String::from_utf8_lossy(&sound.stderr));
    clone.later(BEAT);
    assert_eq!(
        take("d").at,
        session.clock.now(),
        "its age counts from when it was taken"
    );
}

#[test]
fn of_the_threads_of_one_run_exactly_one_gets_a_goal() {
    let clone = Clone::new();
    let session = clone.session();
    let _lock = alive(&session, "r");
    let claims = Claims::open(&session, "r");
    for nth in 0..20 {
        let (got, goal) = (AtomicUsize::new(0), goal(&format!("g{nth}")));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let taken = claims.take(&session.repo(), &goal).unwrap();
                    got.fetch_add(usize::from(taken == Taken::Ours), Ordering::SeqCst);
                });
            }
        });
        assert_eq!(got.into_inner(), 1, "goal {nth}");
    }
}

#[test]
fn a_claim_outside_of_runs_keeps_them_off_until_its_time_and_is_nothing_to_wait_for() {
    let clone = Clone::new();
    let session = clone.session();
    let repo = session.repo();
    let id = goal("g");
    let claim = |handle: Option<&str>| {
        let outside = Outside {
            by: "it".into(),
            until: Moment(session.clock.now().0 + 600_000),
        };
        outside::claim(&session, &repo, &id, (outside, handle))
    };
    let first = claim(None).unwrap();
    assert!(claim(None).is_err() && claim(Some("other")).is_err());
    let ours = Claims::open(&session, "r");
    let refused = || matches!(ours.take(&repo, &id).unwrap(), Taken::Theirs(_));
    assert!(refused());
    let (running, claimed) = running(&session, &repo).unwrap();
    let facts = Facts {
        running,
        claimed,
        ..Facts::default()
    };
    assert!(facts.running.contains(&id) && !facts.has_run());

    clone.later(Duration::from_secs(590));
    assert!(refused());
    assert_eq!(claim(Some(&first.handle)).unwrap().handle, first.handle, "renewed");
    clone.later(Duration::from_secs(590));
    assert!(refused());
    sweep(&session, &repo).unwrap();
    assert!(refused(), "sweeping leaves what holds");
    clone.later(Duration::from_secs(20));
    assert!(!refused());
    assert!(claim(Some(&first.handle)).is_err(), "a run has it now");
    assert!(!outside::give_back(&repo, &id, &first.handle).unwrap());
    outside::end(&repo, &id).unwrap();
    assert!(ours.holds(&id) && claims::read(&repo, &id).unwrap().is_some());
}

#[test]
fn a_renewal_whose_answer_was_lost_is_renewed_again() {
    let clone = Clone::new();
    let there = clone.folder.path().join("there.git");
    let git = |args: &[&str]| {
        let env = Env::read().for_checks(&[]);
        let done = run_captured("git", args, clone.folder.path(), &env, b"", None).unwrap();
        assert_eq!(done.code, 0, "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    git(&["init", "-q", "--bare", "there.git"]);
    git(&["remote", "add", "origin", there.to_str().unwrap()]);
    let session = clone.session();
    let repo = session.repo();
    let _lock = alive(&session, "r");
    let through = Through::open(&session, &repo, "origin", ("main", false)).unwrap();
    let claims = Claims::open(&session, "r").through(through);
    let id = goal("g");
    assert_eq!(claims.take(&repo, &id).unwrap(), Taken::Ours);
    let has = || {
        let name = claims::name(&id);
        git(&["--git-dir=there.git", "rev-parse", &name]) == git(&["rev-parse", &name])
    };

    let hook = there.join("hooks/post-receive");
    std::fs::create_dir_all(there.join("hooks")).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nrm hooks/post-receive\nkill -9 $PPID\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    clone.later(BEAT);
    claims.beat(&repo).unwrap();
    assert!(has() && !hook.exists(), "it arrived, and nobody was told");
    clone.later(BEAT);
    claims.beat(&repo).unwrap();
    assert!(!has(), "it is not what was known to be there");
    clone.later(BEAT);
    claims.beat(&repo).unwrap();
    assert!(has());
    claims.release_all(&repo).unwrap();
    assert_eq!(git(&["--git-dir=there.git", "for-each-ref"]), "");
}
