use proptest::prelude::*;

use super::*;
use crate::facts::Open;

fn id(text: &str) -> GoalId {
    text.parse().unwrap()
}

/// Answers each check from a list of prefixes that pass, one after the other, and returns what was checked and decided.
fn decided(members: usize, green: &[usize], jobs: usize) -> (Vec<usize>, Step) {
    let (mut batch, mut asked) = (Batch::new(members), Vec::new());
    loop {
        let Step::Check(prefixes) = batch.next(jobs) else {
            return (asked, batch.next(jobs));
        };
        prefixes.iter().for_each(|prefix| batch.started(*prefix));
        for prefix in prefixes {
            let verdict = if green.contains(&prefix) {
                Verdict::Green
            } else {
                Verdict::Red
            };
            batch.learn(prefix, verdict);
            asked.push(prefix);
        }
    }
}

/// Members, the prefixes that pass, jobs; what is checked, and what is decided.
type Row<'a> = (usize, &'a [usize], usize, &'a [usize], Step);

#[test]
fn a_table_of_batches() {
    let land = |members| Step::Land { members };
    let evict = |at| Step::Evict { land: at, culprit: at };
    let rows: &[Row<'_>] = &[
        (0, &[], 1, &[], land(0)),
        (1, &[1], 1, &[1], land(1)),
        (1, &[], 1, &[1, 1], evict(0)),
        (8, &[8], 4, &[8], land(8)),
        // One job: halves, and a second look at what they find.
        (8, &[1, 2, 3, 4], 1, &[8, 4, 6, 5, 5], evict(4)),
        (8, &[1, 2, 3, 4, 5, 6, 7], 1, &[8, 4, 6, 7, 8], evict(7)),
        (2, &[1], 1, &[2, 1, 2], evict(1)),
        // Four: the whole again at once, beside the places that tell most.
        (8, &[1, 2, 3, 4], 4, &[8, 4, 8, 2, 6, 5, 6, 5], evict(4)),
        (3, &[], 8, &[3, 1, 3, 2, 1], evict(0)),
    ];
    for (members, green, jobs, asked, step) in rows {
        let row = format!("{members} members, green {green:?}, {jobs} jobs");
        assert_eq!(decided(*members, green, *jobs), (asked.to_vec(), step.clone()), "{row}");
    }
}

#[test]
fn a_second_look_that_is_green_lands() {
    for (members, looks) in [(1, vec![1]), (8, vec![4, 8, 2, 6])] {
        let mut batch = Batch::new(members);
        batch.started(members);
        assert_eq!(batch.next(4), Step::Wait);
        batch.learn(members, Verdict::Red);
        assert_eq!(batch.next(4), Step::Check(looks.clone()));
        looks.iter().for_each(|prefix| batch.started(*prefix));
        batch.learn(members, Verdict::Green);
        assert_eq!(batch.next(4), Step::Land { members });
    }
}

#[test]
fn what_is_known_already_is_not_checked() {
    let mut batch = Batch::new(4);
    batch.learn(1, Verdict::Green);
    assert_eq!(batch.next(1), Step::Check(vec![4]));
    batch.learn(4, Verdict::Green);
    assert_eq!(batch.next(1), Step::Land { members: 4 });
}

#[test]
fn sizes_halve_on_red_and_grow_on_green() {
    let sizes = |verdict, from| next_size(from, verdict);
    assert_eq!([8, 5, 2].map(|from| sizes(Verdict::Red, from)), [4, 2, 2]);
    assert_eq!([8, 5, 2].map(|from| sizes(Verdict::Green, from)), [8, 6, 3]);
}

fn facts(goals: &[(&str, &[&str], i64)]) -> Facts {
    let open = |needs: &[&str], priority| Open {
        needs: needs.iter().map(|need| id(need)).collect(),
        priority,
        ..Open::default()
    };
    Facts {
        goals: goals
            .iter()
            .map(|(name, needs, priority)| (id(name), open(needs, *priority)))
            .collect(),
        ..Facts::default()
    }
}

fn waiting(name: &str, evictions: u32, made_at: i64) -> Waiting {
    Waiting {
        goal: id(name),
        evictions,
        is_approved: false,
        made_at: Moment(made_at),
    }
}

fn order(facts: &Facts, waiting: Vec<Waiting>) -> Vec<String> {
    let ordered = ordered(facts, &Ranks::of_open(facts), waiting);
    ordered.iter().map(|one| one.goal.to_string()).collect()
}

#[test]
fn candidates_stand_in_order() {
    let facts = facts(&[
        ("a", &[], 0),
        ("b", &[], 0),
        ("c", &[], 0),
        ("d", &[], 1),
        ("e", &[], 0),
        ("f", &["gone"], 9),
        ("s", &["b"], 5),
        ("x", &["c"], 0),
    ]);
    let all = [
        ("a", 1, 7),
        ("b", 0, 7),
        ("c", 0, 9),
        ("d", 0, 9),
        ("e", 2, 9),
        ("f", 0, 0),
        ("s", 0, 9),
    ];
    let all = all.map(|(name, evictions, at)| waiting(name, evictions, at)).to_vec();
    // Thrown out twice, priority, rank (c has x after it, b has s), date, id; s follows what it needs, f cannot.
    assert_eq!(order(&facts, all.clone()), ["e", "d", "b", "s", "c", "a"]);
    let ordered = ordered(&facts, &Ranks::of_open(&facts), all);
    assert_eq!(members(&ordered, 8), 1, "who was thrown out twice lands alone");
    assert_eq!(members(&ordered[1..], 8), 5);
    assert_eq!(members(&ordered[1..], 2), 2);
    let mut later = ordered[1..].to_vec();
    later[3].is_approved = true;
    assert_eq!(members(&later, 8), 3);
}

#[test]
fn the_queue_is_patient_while_all_have_work() {
    assert!(!worth_checking(0, true));
    assert!(worth_checking(1, true));
    assert!(!worth_checking(PATIENT - 1, false));
    assert!(worth_checking(PATIENT, false));
}

/// What a batch truly is, and how its checks lie.
#[derive(Clone, Debug)]
struct Truth {
    members: usize,
    bad: Vec<usize>,
    pairs: Vec<(usize, usize)>,
    /// How often a green prefix looks red, by its place.
    flakes: Vec<usize>,
}

impl Truth {
    fn is_green(&self, prefix: usize) -> bool {
        let is_in = |at: usize| at < prefix;
        !self.bad.iter().any(|at| is_in(*at)) && !self.pairs.iter().any(|(a, b)| is_in(*a) && is_in(*b))
    }
}

fn truth(most_flakes: usize) -> impl Strategy<Value = Truth> {
    (1..=12_usize).prop_flat_map(move |members| {
        let at = 0..members * 2;
        let rare = prop_oneof![4 => Just(0), 1 => 0..=most_flakes];
        (
            prop::collection::vec(at.clone(), 0..3),
            prop::collection::vec((at.clone(), at), 0..3),
            prop::collection::vec(rare, members + 1),
        )
            .prop_map(move |(bad, pairs, flakes)| Truth {
                members,
                bad,
                pairs,
                flakes,
            })
    })
}

/// Drives a batch as the engine does: several checks at a time that end in any order.
fn drive(truth: &Truth, jobs: usize, ends: &[prop::sample::Index]) -> Result<(Step, usize), TestCaseError> {
    let mut batch = Batch::new(truth.members);
    let (mut flakes, mut verdicts) = (truth.flakes.clone(), vec![(0, 0); truth.members + 1]);
    let (mut under_way, mut checks) = (Vec::new(), 0);
    let mut ends = ends.iter().cycle();
    loop {
        match batch.next(jobs) {
            Step::Check(prefixes) => {
                prop_assert!(!prefixes.is_empty());
                for prefix in prefixes {
                    prop_assert!((1..=truth.members).contains(&prefix) && verdicts[prefix].0 == 0);
                    batch.started(prefix);
                    under_way.push(prefix);
                    checks += 1;
                }
                prop_assert!(under_way.len() <= jobs && checks <= 2 * truth.members);
            }
            Step::Wait => {}
            Step::Land { members } => {
                prop_assert!(verdicts[members].0 > 0, "landed without a green verdict");
                return Ok((batch.next(jobs), checks));
            }
            Step::Evict { land, culprit } => {
                prop_assert!(land == 0 || verdicts[land].0 > 0, "landed without a green verdict");
                prop_assert_eq!(land, culprit);
                prop_assert!(verdicts[culprit + 1] >= (0, 2), "thrown out for one look");
                return Ok((batch.next(jobs), checks));
            }
        }
        prop_assert!(!under_way.is_empty(), "waits for nothing");
        let prefix = under_way.remove(ends.next().unwrap().index(under_way.len()));
        let lies = truth.is_green(prefix) && flakes[prefix] > 0;
        flakes[prefix] -= usize::from(lies);
        if truth.is_green(prefix) && !lies {
            verdicts[prefix].0 += 1;
            batch.learn(prefix, Verdict::Green);
        } else {
            verdicts[prefix].1 += 1;
            batch.learn(prefix, Verdict::Red);
        }
    }
}

fn ends() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn without_flakes_the_first_bad_one_goes(truth in truth(0), jobs in 1..6_usize, ends in ends()) {
        let first_red = (1..=truth.members).find(|prefix| !truth.is_green(*prefix));
        let (step, checks) = drive(&truth, jobs, &ends)?;
        match first_red {
            None => prop_assert_eq!((step, checks), (Step::Land { members: truth.members }, 1)),
            Some(red) => prop_assert_eq!(step, Step::Evict { land: red - 1, culprit: red - 1 }),
        }
        if jobs == 1 {
            prop_assert!(checks <= cap(truth.members).max(2), "{} checks", checks);
        }
    }

    #[test]
    fn nobody_goes_for_one_flake(truth in truth(1), jobs in 1..6_usize, ends in ends()) {
        let (step, checks) = drive(&truth, jobs, &ends)?;
        if jobs == 1 {
            prop_assert!(checks <= cap(truth.members).max(2), "{} checks", checks);
        }
        match step {
            Step::Evict { land, culprit } => prop_assert!(truth.is_green(land) && !truth.is_green(culprit + 1)),
            Step::Land { members, .. } => {
                prop_assert!(truth.is_green(members) && members > 0);
                prop_assert!(jobs == 1 || members == truth.members, "only the cap cuts a batch");
            }
            Step::Check(_) | Step::Wait => prop_assert!(false),
        }
    }

    #[test]
    fn any_flakes_end_and_land_nothing_red(truth in truth(9), jobs in 1..6_usize, ends in ends()) {
        match drive(&truth, jobs, &ends)?.0 {
            Step::Evict { land, .. } => prop_assert!(truth.is_green(land)),
            Step::Land { members, .. } => prop_assert!(truth.is_green(members)),
            Step::Check(_) | Step::Wait => prop_assert!(false),
        }
    }
}
