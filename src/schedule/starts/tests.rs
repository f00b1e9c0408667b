use proptest::prelude::*;

use super::*;
use crate::facts::{AttemptFact, Candidate, Fact, Standing};

fn id(text: &str) -> GoalId {
    text.parse().unwrap()
}

fn facts(goals: &[(&str, &[&str])], candidates: &[&str]) -> Facts {
    let open = |needs: &[&str]| Open {
        needs: needs.iter().map(|need| id(need)).collect(),
        ..Open::default()
    };
    let mut facts = Facts {
        goals: goals.iter().map(|(name, needs)| (id(name), open(needs))).collect(),
        ..Facts::default()
    };
    for name in candidates {
        facts.learn(Fact::Candidate(id(name), candidate()));
    }
    facts
}

fn candidate() -> Candidate {
    let commit = "1".repeat(40).parse().unwrap();
    Candidate {
        commit,
        base: commit,
        attempt: 1,
        held: None,
        outdated: false,
    }
}

fn touches(files: &[&str]) -> Footprint {
    Footprint {
        files: files.iter().map(|&file| file.to_owned()).collect(),
        is_exclusive: false,
    }
}

fn alone() -> Footprint {
    Footprint {
        is_exclusive: true,
        ..Footprint::default()
    }
}

fn in_work(name: &str, footprint: Footprint, is_candidate: bool) -> InWork {
    InWork {
        goal: id(name),
        footprint,
        is_candidate,
    }
}

const LIMITS: Limits<'_> = Limits {
    jobs: 2,
    stack: 3,
    only: &[],
    is_red: false,
};

fn names(starts: &[(GoalId, Base)]) -> Vec<&str> {
    starts.iter().map(|(id, _)| id.as_str()).collect()
}

/// Words what starts and what waits: `a b; c: why`, with an asterisk where somebody starves.
fn said(facts: &Facts, in_work: &[InWork], footprint: impl Fn(&str) -> Footprint) -> String {
    let could = startable(facts, &LIMITS);
    let could = could
        .into_iter()
        .filter(|(id, _)| !in_work.iter().any(|one| one.goal == *id));
    let chosen = starts(facts, could.collect(), in_work, &LIMITS, |id| footprint(id.as_str()));
    let waits = chosen.wait.iter().map(|(id, why)| format!("; {id}: {why}"));
    let star = if chosen.is_starving { "*" } else { "" };
    names(&chosen.start).join(" ") + &waits.collect::<String>() + star
}

#[test]
fn what_a_goal_will_touch_is_declared_or_known_or_named() {
    let mut goal = Goal {
        prompt: "Mend `src/lib.rs:12`, see v1.2 of the notes (and README.md), e.g. 3.5.".to_owned(),
        ..Goal::default()
    };
    assert_eq!(Footprint::of(&goal, [], 0), touches(&["README.md", "src/lib.rs"]));
    assert_eq!(Footprint::of(&goal, ["a".to_owned()], 1), touches(&["a"]));
    goal.filename = Some("b".to_owned());
    goal.files = vec!["c".to_owned()];
    assert_eq!(Footprint::of(&goal, ["a".to_owned()], 0), touches(&["a", "b", "c"]));
    assert!(Footprint::of(&goal, [], 2).is_exclusive);
    assert_eq!(touches(&["src/a"]).meets(&touches(&["src/"])), Some("src/a"));
    assert_eq!(touches(&["src/"]).meets(&touches(&["src/a"])), Some("src/"));
    assert_eq!(touches(&["src"]).meets(&touches(&["src/a"])), None);
}

#[test]
fn what_most_waits_for_starts_first_and_no_more_than_jobs() {
    let facts = facts(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &["c"])], &[]);
    assert_eq!(said(&facts, &[], |_| Footprint::default()), "c a");
    let one = [in_work("x", touches(&[]), false)];
    assert_eq!(said(&facts, &one, |_| Footprint::default()), "c");
}

#[test]
fn goals_at_one_file_go_one_after_the_other() {
    let facts = facts(&[("a", &[]), ("b", &[]), ("c", &[])], &[]);
    let files = |name: &str| touches(if name == "c" { &["z"] } else { &["y"] });
    assert_eq!(said(&facts, &[], files), "a c; b: a is at y, too");
    let running = [in_work("x", touches(&["y"]), false)];
    assert_eq!(said(&facts, &running, files), "c; a: x is at y, too; b: x is at y, too");
    // Only a landing helps, and one of the two workers has nothing to do.
    let waiting = [
        in_work("x", touches(&["y", "z"]), true),
        in_work("w", touches(&[]), false),
    ];
    let why = "; a: x is at y, too; b: x is at y, too; c: x is at z, too*";
    assert_eq!(said(&facts, &waiting, files), why);
}

#[test]
fn nothing_starts_while_too_many_wait() {
    let facts = facts(&[("a", &[])], &[]);
    let many = |n: usize| -> Vec<InWork> {
        let one = |n| in_work(&format!("w{n}"), touches(&[]), true);
        (0..n).map(one).chain([in_work("r", touches(&[]), false)]).collect()
    };
    assert_eq!(said(&facts, &many(11), |_| Footprint::default()), "a");
    assert_eq!(
        said(&facts, &many(12), |_| Footprint::default()),
        "; a: 12 candidates wait to land*"
    );
}

#[test]
fn what_was_thrown_out_twice_is_worked_on_alone() {
    let facts = facts(&[("a", &[]), ("b", &[]), ("c", &[])], &[]);
    let exclusive = |name: &str| if name == "a" { alone() } else { Footprint::default() };
    assert_eq!(
        said(&facts, &[], exclusive),
        "a; b: a is worked on alone; c: a is worked on alone"
    );
    // Nothing starts behind it: it must come to its turn.
    let why = "; a: it was thrown out twice, so it is worked on alone when all else has landed";
    let running = [in_work("x", touches(&[]), false)];
    assert_eq!(said(&facts, &running, exclusive), why);
    let waiting = [in_work("x", touches(&[]), true)];
    assert_eq!(said(&facts, &waiting, exclusive), format!("{why}*"));
    let it = [in_work("a", alone(), true)];
    assert_eq!(
        said(&facts, &it, exclusive),
        "; b: a is worked on alone; c: a is worked on alone*"
    );
}

#[test]
fn somebody_starves_where_a_landing_would_give_work() {
    let mut facts = facts(&[("a", &[]), ("b", &[]), ("c", &["a", "b"])], &["a", "b"]);
    let both = [in_work("a", touches(&[]), true), in_work("b", touches(&[]), true)];
    let with = |more: &[InWork]| [both.to_vec(), more.to_vec()].concat();
    let one = in_work("x", touches(&[]), false);
    assert_eq!(
        said(&facts, &with(std::slice::from_ref(&one)), |_| Footprint::default()),
        "*"
    );
    let two = [one.clone(), in_work("y", touches(&[]), false)];
    assert_eq!(
        said(&facts, &with(&two), |_| Footprint::default()),
        "",
        "nobody is free"
    );
    let half = [both[0].clone(), one.clone()];
    assert_eq!(said(&facts, &half, |_| Footprint::default()), "", "b would be missing");
    assert_eq!(said(&facts, &both, |_| Footprint::default()), "*", "nobody works");
    facts.goals.get_mut(&id("c")).unwrap().decision = Decision::Held;
    assert_eq!(
        said(&facts, &with(&[one]), |_| Footprint::default()),
        "",
        "nobody wants c"
    );
}

fn stacked(facts: &Facts, stack: usize) -> Vec<(GoalId, Base)> {
    startable(facts, &Limits { stack, ..LIMITS })
}

#[test]
fn a_goal_is_built_on_one_candidate_that_people_want() {
    let goals: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &["a", "b"])];
    let mut facts = facts(goals, &["a"]);
    assert_eq!(stacked(&facts, 1), [(id("b"), Base::Candidate(id("a")))]);
    assert_eq!(stacked(&facts, 0), []);
    assert_eq!(startable(&facts, &Limits { is_red: true, ..LIMITS }), []);
    facts.learn(Fact::Candidate(id("b"), candidate()));
    assert_eq!(stacked(&facts, 1), [], "that would be two on each other");
    assert_eq!(stacked(&facts, 2), [(id("c"), Base::Candidate(id("b")))]);
    let both = [in_work("a", touches(&["f"]), true), in_work("b", touches(&["f"]), true)];
    // It is built on what they did to the file. Were they to land, d could start, too.
    assert_eq!(said(&facts, &both, |_| touches(&["f"])), "c*");
    facts.learn(Fact::Landed(id("a"), candidate().commit));
    assert_eq!(names(&stacked(&facts, 1)), ["c", "d"]);
    let failed = AttemptFact {
        number: 1,
        standing: Standing::Failed,
        reason: String::new(),
        outdated: false,
        evictions: 0,
    };
    facts.learn(Fact::Attempt(id("c"), failed));
    assert_eq!(names(&stacked(&facts, 1)), ["d"]);
    for spoil in [
        |one: &mut Candidate| one.held = Some("paths".to_owned()),
        |one: &mut Candidate| one.outdated = true,
    ] {
        let mut facts = facts.clone();
        spoil(facts.candidates.get_mut(&id("b")).unwrap());
        assert!(!names(&stacked(&facts, 1)).contains(&"d"));
    }
    facts.goals.get_mut(&id("b")).unwrap().decision = Decision::Held;
    assert_eq!(stacked(&facts, 1), []);
}

#[test]
fn a_circle_of_needs_is_no_stack() {
    let facts = facts(&[("a", &["b"]), ("b", &["a"]), ("c", &["c"])], &["a", "b", "c"]);
    assert_eq!(stacked(&facts, 3), []);
}

/// Goals by number with what they need, the files that they touch and how often they were thrown out.
#[derive(Clone, Debug)]
struct World {
    needs: Vec<Vec<usize>>,
    files: Vec<Vec<u8>>,
    alone: Vec<bool>,
}

fn name(number: usize) -> GoalId {
    id(&format!("g{number}"))
}

impl World {
    fn facts(&self) -> Facts {
        let open = |needs: &Vec<usize>| Open {
            needs: needs.iter().map(|need| name(*need)).collect(),
            ..Open::default()
        };
        Facts {
            goals: (0..).map(name).zip(self.needs.iter().map(open)).collect(),
            ..Facts::default()
        }
    }

    fn footprint(&self, id: &GoalId) -> Footprint {
        let number: usize = id.as_str().trim_start_matches('g').parse().unwrap();
        Footprint {
            files: self.files[number].iter().map(u8::to_string).collect(),
            is_exclusive: self.alone[number],
        }
    }
}

fn world() -> impl Strategy<Value = World> {
    (1..14_usize).prop_flat_map(|count| {
        let needs: Vec<_> = (0..count)
            .map(|goal| {
                prop::collection::vec(0..goal.max(1), 0..3).prop_map(move |mut needs| {
                    needs.retain(|need| *need < goal);
                    needs
                })
            })
            .collect();
        let files = prop::collection::vec(prop::collection::vec(0..6_u8, 0..2), count);
        let alone = prop::collection::vec(prop::bool::weighted(0.15), count);
        (needs, files, alone).prop_map(|(needs, files, alone)| World { needs, files, alone })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Works through a backlog as the engine does: goals end in any order, and what waits lands where somebody starves or at
    /// any other time.
    #[test]
    fn everything_lands_and_nothing_meets(
        world in world(), jobs in 1..5_usize, stack in 0..3_usize,
        moves in prop::collection::vec(any::<(bool, prop::sample::Index)>(), 1..40),
    ) {
        let limits = Limits { jobs, stack, ..LIMITS };
        let (mut facts, mut in_work) = (world.facts(), Vec::<InWork>::new());
        let mut moves = moves.iter().cycle();
        let count = facts.goals.len();
        for _ in 0..4 * count {
            let could = startable(&facts, &limits);
            let could = could.into_iter().filter(|(id, _)| !in_work.iter().any(|one| one.goal == *id)).collect();
            let chosen = starts(&facts, could, &in_work, &limits, |id| world.footprint(id));
            for (goal, base) in chosen.start {
                let on = below(&facts, &goal);
                prop_assert_eq!(on.first(), match &base { Base::Tip => None, Base::Candidate(on) => Some(on) });
                prop_assert!(on.len() <= stack);
                let footprint = world.footprint(&goal);
                for other in in_work.iter().filter(|one| !on.contains(&one.goal)) {
                    prop_assert_eq!(footprint.meets(&other.footprint), None);
                }
                prop_assert!(in_work.is_empty() || !footprint.is_exclusive);
                prop_assert!(!in_work.iter().any(|one| one.footprint.is_exclusive));
                in_work.push(InWork { goal, footprint, is_candidate: false });
            }
            let running: Vec<usize> = (0..in_work.len()).filter(|at| !in_work[*at].is_candidate).collect();
            prop_assert!(running.len() <= jobs);
            if facts.landed.len() == count {
                return Ok(());
            }
            prop_assert!(!in_work.is_empty(), "nobody works, and nothing waits to land");
            let (lands, which) = moves.next().unwrap();
            if chosen.is_starving || *lands || running.is_empty() {
                prop_assert!(!running.is_empty() || chosen.is_starving);
                // What needs something else lands after it: all that waits lands at once.
                for one in in_work.iter().filter(|one| one.is_candidate) {
                    facts.learn(Fact::Landed(one.goal.clone(), candidate().commit));
                }
                in_work.retain(|one| !one.is_candidate);
            }
            if !running.is_empty() && !in_work.is_empty() {
                let running: Vec<&mut InWork> = in_work.iter_mut().filter(|one| !one.is_candidate).collect();
                let at = which.index(running.len());
                let ended = running.into_iter().nth(at).unwrap();
                ended.is_candidate = true;
                facts.learn(Fact::Candidate(ended.goal.clone(), candidate()));
            }
        }
        prop_assert!(false, "it does not end");
    }
}
