//! Faults at every point: a command dies or gets an error there, the next command goes on, and nothing is lost, done twice
//! or left behind.
//!
//! Owns which faults are tried: points that a command of a scene hits, as a run without a fault counts them, so that each
//! new point is tried too. What a repository is like before and must be like after is `scene`, what must hold of any
//! repository is `sound`. `INVISIGOTH_FAULTS=all` tries every failure at every hit; it takes hours.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic,
    sync::Mutex,
    thread,
};

use invisigoth::fault::point::{Failure, Plan, Point};

use crate::{
    faults::scene::{SCENES, Scene},
    support::Sandbox,
};

/// What happens to a command, seen from outside.
mod struck;

/// Repositories with something to do.
mod scene;

/// What must hold whatever happened.
mod sound;

/// Kills at system calls.
mod syscalls;

/// Points that no scene hits, and why.
const NOT_HIT: &[(Point, &str)] = &[
    (
        Point::ProcessInterrupted,
        "it changes another process, and nothing here",
    ),
    (Point::AttachedStarted, "a person sits at an editor or a pager"),
    (Point::FileTakenBack, "only after another failure"),
    (Point::StoredTakenBack, "only after another failure"),
    (Point::EntryFolderOpened, "a check took the permission away"),
    (Point::EntryFolderFreed, "a check took the permission away"),
    (Point::EntryLinked, "`apply` onto a folder, which holds no repository"),
    (Point::EntryMade, "as `EntryLinked`"),
    (Point::EntryModeSet, "as `EntryLinked`"),
    (Point::EntryTimeSet, "an executor's slot"),
    (Point::EntryRenamed, "as `EntryLinked`"),
    (Point::EntriesExchanged, "as `EntryLinked`"),
    (Point::RequestSent, "tests/it/money.rs kills calls over HTTP"),
    (Point::ClaimTaken, "claims are between clones"),
    (Point::ClaimLeft, "claims are between clones"),
    (Point::UndoKept, "a branch moves while an undo waits"),
    (Point::RefMoved, "refs of a remote"),
    (Point::ForwardStaged, "only after git was killed"),
    (Point::EntryUnstaged, "an index entry of the inbox"),
    (Point::ScriptMade, "`hooks` has nothing to do with goals"),
    (Point::ScriptTakenBack, "as `ScriptMade`"),
    (Point::ScriptMoved, "as `ScriptMade`"),
    (Point::ScriptLinked, "as `ScriptMade`"),
    (Point::ScriptUnlinked, "as `ScriptMade`"),
    (Point::ScriptFolderRemoved, "as `ScriptMade`"),
    (Point::LogOpened, "a hook that starts a run"),
    (
        Point::ProgramRestored,
        "tests/it/evolve.rs kills there: a program that does not start",
    ),
    (
        Point::ProcessReplaced,
        "as `ProgramRestored`: one that goes on by itself",
    ),
];

/// Points between the steps of `docs/ARCHITECTURE.md`, order of effects: kills are tried there in every scene.
const STEPS: &[Point] = &[
    Point::TargetMoved,
    Point::LandedMoved,
    Point::RecordsNoted,
    Point::AuthorshipNoted,
    Point::AttemptSaved,
    Point::CandidateSet,
    Point::ClaimTaken,
    Point::ClaimLeft,
    Point::UndoKept,
    Point::RefsDeleted,
    Point::RefMoved,
    Point::CheckoutFollows,
    Point::EditStaged,
    Point::ProgramStaged,
    Point::ProgramKept,
    Point::ProgramSwapped,
];

/// What is tried. Where the command stops, `git gc --prune=now` runs meanwhile.
const FAILURES: [Failure; 6] = [
    Failure::Kill,
    Failure::KillAfter,
    Failure::Stop,
    Failure::Eio,
    Failure::Enospc,
    Failure::Emfile,
];

/// A scene made, and what its command hits.
struct Made {
    scene: &'static Scene,
    sandbox: Sandbox,
    hits: BTreeMap<Point, u64>,
}

fn made(scene: &'static Scene) -> Made {
    let sandbox = (scene.make)();
    let clean = scene::twin(&sandbox);
    let before = sound::Before::of(&clean, scene.given_up);
    let ran = struck::run(&clean, scene.args, None);
    (scene.then)(&clean);
    let wrong = before.wrong_in_the_end(&clean);
    assert!(
        wrong.is_empty(),
        "{}, without a fault: {wrong:#?}\n{}",
        scene.name,
        ran.stderr
    );
    Made {
        scene,
        sandbox,
        hits: ran.hits,
    }
}

/// Does `work` for each item on all processors.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(items.iter().enumerate());
    let done = Mutex::new(Vec::new());
    let take = || next.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((at, item)) = take() {
                    let result = work(item);
                    done.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// What is tried: each failure at each point in one scene at least, and kills between steps in every one, at the first hit
/// and at the last.
fn cases(all: &[Made]) -> Vec<(&Made, Plan)> {
    let every = std::env::var_os("INVISIGOTH_FAULTS").is_some_and(|word| word == "all");
    let mut cases = Vec::new();
    for (nth_point, point) in Point::ALL.iter().enumerate() {
        let hit: Vec<&Made> = all.iter().filter(|made| made.hits.contains_key(point)).collect();
        for (nth_failure, failure) in FAILURES.into_iter().enumerate() {
            let kills = matches!(failure, Failure::Kill | Failure::KillAfter | Failure::Stop);
            for (at, made) in hit.iter().enumerate() {
                let turn = (nth_point + nth_failure) % hit.len() == at;
                let hits = made.hits[point];
                let nths: BTreeSet<u64> = match (every, kills && STEPS.contains(point), turn) {
                    (true, ..) => (1..=hits).collect(),
                    (false, true, _) => [1, hits].into(),
                    (false, false, true) => [1 + nth_point as u64 % hits].into(),
                    (false, false, false) => continue,
                };
                let plan = |nth| Plan {
                    point: Some(*point),
                    failure,
                    nth,
                    lasting: false,
                };
                cases.extend(nths.into_iter().map(|nth| (*made, plan(nth))));
            }
        }
    }
    cases
}

/// What is wrong after a fault in a copy of a scene; `None` where the fault did not come.
fn wrong(made: &Made, plan: Plan) -> Option<Vec<String>> {
    let (scene, sandbox) = (made.scene, scene::twin(&made.sandbox));
    let before = sound::Before::of(&sandbox, scene.given_up);
    let struck = match plan.failure {
        Failure::Stop => struck::stopped(&sandbox, scene.args, plan, |sandbox| {
            sandbox.git(&["gc", "--prune=now", "--quiet"]);
        }),
        _ => struck::run(&sandbox, scene.args, Some(plan)),
    };
    if !struck.fired {
        return None;
    }
    let mut wrong = before.wrong_at_once(&sandbox);
    if struck.stderr.contains("panicked") {
        wrong.push(format!("it panicked: {}", struck.stderr));
    }
    let dies = matches!(plan.failure, Failure::Kill | Failure::KillAfter);
    if dies != (struck.code == 137) {
        wrong.push(format!("it ended with {}: {}", struck.code, struck.stderr));
    }
    let status = sandbox.run(&["status"]);
    if status.code != 0 {
        wrong.push(format!("status: {}{}", status.stdout, status.stderr));
    }
    let further = wrong_after(scene, &sandbox, &before);
    if !further.is_empty() {
        wrong.extend(further);
        wrong.push(format!("after: {}", struck.stderr));
    }
    Some(wrong)
}

/// What is wrong after the next command of a scene whose command was cut short.
fn wrong_after(scene: &Scene, sandbox: &Sandbox, before: &sound::Before) -> Vec<String> {
    let next = sandbox.run(scene.next);
    let said = format!("{}{}", next.stdout, next.stderr);
    if next.code != 0 {
        return vec![format!("the next command ended with {}: {said}", next.code)];
    }
    (scene.then)(sandbox);
    let mut wrong = before.wrong_in_the_end(sandbox);
    let mut landed = sandbox.landings("main");
    landed.sort();
    if landed != scene.landed {
        wrong.push(format!("landed: {landed:?}\nby: {said}"));
    }
    (scene.holds)(sandbox);
    wrong.extend(sound::wrong_records(sandbox));
    wrong
}

/// Tries `cases`, and fails with what is wrong after each.
fn holds_after(cases: &[(&Made, Plan)]) {
    let tried = each(cases, |(made, plan)| {
        let found = panic::catch_unwind(|| wrong(made, *plan));
        let found = found.unwrap_or_else(|_| Some(vec!["what must be true of the scene is not".to_owned()]));
        let named = |wrong: Vec<String>| format!("{}, {plan}:\n{}", made.scene.name, wrong.join("\n"));
        found.map(|wrong| (!wrong.is_empty()).then(|| named(wrong)))
    });
    let came = tried.iter().flatten().count();
    let wrong: Vec<&String> = tried.iter().flatten().flatten().collect();
    let all: Vec<&str> = wrong.iter().map(|wrong| wrong.as_str()).collect();
    assert!(all.is_empty(), "{} of {came} faults:\n{}", all.len(), all.join("\n\n"));
    // Threads may hit a point once more or less than in the run that counted.
    assert!(
        came * 20 >= cases.len() * 19,
        "only {came} of {} faults came",
        cases.len()
    );
}

#[test]
fn after_a_fault_at_any_point_the_next_command_finishes_exactly_once() {
    let all = each(&SCENES.iter().collect::<Vec<_>>(), |scene| made(scene));
    let not_hit: Vec<Point> = NOT_HIT.iter().map(|(point, _)| *point).collect();
    let hit = |point: &&Point| all.iter().any(|made| made.hits.contains_key(point));
    let missed = Point::ALL
        .iter()
        .filter(|point| !hit(point) && !not_hit.contains(point));
    let missed: Vec<&str> = missed.map(|point| point.name()).collect();
    assert!(
        missed.is_empty(),
        "no scene hits {missed:?}: add one, or say in `NOT_HIT` why"
    );
    let only = std::env::var("INVISIGOTH_ONLY").unwrap_or_default();
    let mut cases = cases(&all);
    cases.retain(|(made, plan)| format!("{}, {plan}", made.scene.name).contains(&only));
    holds_after(&cases);
}
