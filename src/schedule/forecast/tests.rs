//! Forecasts of small backlogs, counted by hand.

use super::*;
use crate::facts::{AttemptFact, Open, Standing};

fn id(text: &str) -> GoalId {
    text.parse().unwrap()
}

fn minutes(all: &[u64]) -> Vec<Duration> {
    all.iter().map(|minutes| Duration::from_secs(minutes * 60)).collect()
}

fn facts(goals: &[(&str, &[&str])], past: &[u64]) -> Facts {
    let open = |needs: &[&str]| Open {
        needs: needs.iter().map(|need| id(need)).collect(),
        ..Open::default()
    };
    let mut facts = Facts {
        goals: goals.iter().map(|(name, needs)| (id(name), open(needs))).collect(),
        ..Facts::default()
    };
    facts.durations.landed = minutes(past);
    facts
}

/// What a run of `jobs` has ahead that took `hands` in hand so many minutes ago: goals, minutes at least and at most.
fn ahead(facts: &Facts, jobs: usize, hands: &[(&str, i64)], only: &[GoalId]) -> (usize, u64, u64) {
    let now = Moment::from_seconds(1_000_000);
    let since = |minutes: i64| Moment(now.0 - minutes * 60_000);
    let in_hand = hands
        .iter()
        .map(|(name, minutes)| (id(name), since(*minutes)))
        .collect();
    let tried = hands.iter().map(|(name, _)| id(name)).collect();
    let work = Work {
        now,
        in_hand: &in_hand,
        tried: &tried,
        only,
        jobs,
        room: usize::MAX,
    };
    let told = whole(facts, &work);
    let (least, most) = told.eta.map_or((0, 0), |eta| (eta.least.as_secs(), eta.most.as_secs()));
    (told.ahead, least / 60, most / 60)
}

fn left_minutes(past: &[u64], elapsed: u64) -> Option<(u64, u64)> {
    let eta = left(&minutes(past), Duration::from_secs(elapsed * 60))?;
    Some((eta.least.as_secs() / 60, eta.most.as_secs() / 60))
}

#[test]
fn what_is_left_is_told_by_goals_that_took_longer() {
    let past = [2, 4, 6, 8, 10, 60];
    assert_eq!(left_minutes(&past, 0), Some((4, 10)));
    assert_eq!(left_minutes(&past, 5), Some((1, 55)));
    assert_eq!(left_minutes(&past, 10), Some((50, 50)));
    assert_eq!(left_minutes(&past, 60), None, "it outlasts all");
    assert_eq!(left_minutes(&[4, 5], 0), None, "two goals tell nothing");
    assert_eq!(left_minutes(&[4, 5, 6], 0), Some((4, 6)));
    assert_eq!(left_minutes(&[4, 5, 6], 5), Some((1, 1)));
}

#[test]
fn a_run_takes_as_long_as_its_workers_and_its_longest_chain_let_it() {
    let past = [2, 2, 4];
    let apart = facts(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])], &past);
    assert_eq!(ahead(&apart, 1, &[], &[]), (4, 8, 16));
    assert_eq!(ahead(&apart, 2, &[], &[]), (4, 4, 8));
    assert_eq!(ahead(&apart, 9, &[], &[]), (4, 2, 4));
    let chain = facts(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])], &past);
    assert_eq!(ahead(&chain, 9, &[], &[]), (4, 6, 12));
    assert_eq!(
        ahead(&chain, 1, &[("a", 1)], &[]),
        (4, 7, 15),
        "one minute of a is over"
    );
    assert_eq!(
        ahead(&chain, 9, &[("a", 50)], &[]),
        (4, 6, 12),
        "it outlasts all: as if anew"
    );
    let unknown = facts(&[("a", &[])], &[2, 2]);
    assert_eq!(ahead(&unknown, 1, &[], &[]), (1, 0, 0));
}

#[test]
fn what_the_run_does_not_start_does_not_count() {
    let past = [2, 2, 2];
    let mut facts = facts(
        &[
            ("a", &[]),
            ("b", &["held"]),
            ("c", &["b"]),
            ("failed", &[]),
            ("held", &[]),
            ("waits", &[]),
        ],
        &past,
    );
    facts.goals.get_mut(&id("held")).unwrap().decision = Decision::Held;
    let failed = AttemptFact {
        standing: Standing::Failed,
        ..attempt()
    };
    facts.attempts.insert(id("failed"), failed);
    let candidate = Candidate {
        commit: "1".repeat(40).parse().unwrap(),
        base: "2".repeat(40).parse().unwrap(),
        attempt: 1,
        held: None,
        outdated: false,
    };
    facts.candidates.insert(id("waits"), candidate);
    assert_eq!(ahead(&facts, 1, &[], &[]), (2, 2, 2), "a, and what waits takes no time");
    let only = [id("failed")];
    assert_eq!(ahead(&facts, 1, &[], &only), (1, 2, 2), "it is named");
    let tried = BTreeSet::from(only);
    assert_eq!(goals(&facts, &tried, 9), 2, "it failed in this very run");
    assert_eq!(goals(&facts, &tried, 0), 1, "no more may start");
}

fn goals(facts: &Facts, tried: &BTreeSet<GoalId>, room: usize) -> usize {
    let work = Work {
        now: Moment(0),
        in_hand: &BTreeMap::new(),
        tried,
        only: &[],
        jobs: 1,
        room,
    };
    whole(facts, &work).ahead
}

fn attempt() -> AttemptFact {
    AttemptFact {
        number: 1,
        standing: Standing::Open,
        reason: String::new(),
        outdated: false,
        evictions: 0,
    }
}

#[test]
fn cycles_end() {
    let facts = facts(&[("a", &["b"]), ("b", &["a"]), ("c", &["c"])], &[1, 1, 1]);
    assert_eq!(ahead(&facts, 1, &[], &[]), (0, 0, 0));
}
