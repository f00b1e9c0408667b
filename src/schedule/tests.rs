use super::*;
use crate::facts::{Candidate, Fact};

fn id(text: &str) -> GoalId {
    text.parse().unwrap()
}

fn facts(goals: &[(&str, &[&str])]) -> Facts {
    let open = |needs: &&[&str]| Open {
        needs: needs.iter().map(|n| id(n)).collect(),
        ..Open::default()
    };
    Facts {
        goals: goals.iter().map(|(name, needs)| (id(name), open(needs))).collect(),
        ..Facts::default()
    }
}

fn commit() -> crate::id::CommitId {
    "1".repeat(40).parse().unwrap()
}

#[test]
fn only_landing_unblocks() {
    let mut facts = facts(&[("a", &[]), ("b", &["a"]), ("c", &["b", "x"])]);
    assert_eq!(ready(&facts, &[]), [&id("a")]);
    assert_eq!(
        state(&facts, &id("b")).unwrap(),
        (State::Blocked, "needs a (ready)".into())
    );
    assert_eq!(state(&facts, &id("c")).unwrap().1, "needs b (blocked), x (unknown)");
    let candidate = Candidate {
        commit: commit(),
        base: commit(),
        attempt: 1,
        held: None,
        outdated: false,
    };
    let outdated = Candidate {
        outdated: true,
        ..candidate.clone()
    };
    facts.learn(Fact::Candidate(id("a"), outdated));
    assert_eq!(state(&facts, &id("a")).unwrap().0, State::Ready);
    assert_eq!(state(&facts, &id("b")).unwrap().1, "needs a (ready)");
    facts.learn(Fact::Candidate(id("a"), candidate));
    assert_eq!(state(&facts, &id("a")).unwrap().0, State::Candidate);
    assert!(ready(&facts, &[]).is_empty());
    facts.learn(Fact::Landed(id("a"), commit()));
    assert_eq!(ready(&facts, &[]), [&id("b")]);
    assert_eq!(state(&facts, &id("a")).unwrap().0, State::Landed);
}

#[test]
fn a_failed_goal_waits_until_it_asks_something_else() {
    let mut facts = facts(&[("a", &[])]);
    let mut attempt = AttemptFact {
        number: 1,
        standing: Standing::Failed,
        reason: "test: exit 1".into(),
        outdated: false,
        evictions: 0,
    };
    facts.learn(Fact::Attempt(id("a"), attempt.clone()));
    assert_eq!(state(&facts, &id("a")).unwrap(), (State::Failed, "test: exit 1".into()));
    assert!(ready(&facts, &[]).is_empty());
    assert_eq!(ready(&facts, &[id("a")]), [&id("a")]);
    attempt.outdated = true;
    facts.learn(Fact::Attempt(id("a"), attempt));
    assert_eq!(state(&facts, &id("a")).unwrap().0, State::Ready);
}

#[test]
fn a_paused_goal_blocks_with_its_reason_and_runs_when_named() {
    let mut facts = facts(&[("a", &[]), ("b", &["a"])]);
    let attempt = AttemptFact {
        number: 1,
        standing: Standing::Paused,
        reason: "$0.42 of $0.50 spent".into(),
        outdated: true,
        evictions: 0,
    };
    facts.learn(Fact::Attempt(id("a"), attempt));
    assert_eq!(
        state(&facts, &id("a")).unwrap(),
        (State::Blocked, "paused: $0.42 of $0.50 spent".into())
    );
    assert_eq!(state(&facts, &id("b")).unwrap().1, "needs a (paused)");
    assert!(ready(&facts, &[]).is_empty());
    assert_eq!(ready(&facts, &[id("a"), id("b")]), [&id("a")]);
}

#[test]
fn an_evicted_goal_is_ready_then_parked_until_it_is_reworded() {
    let mut facts = facts(&[("a", &[]), ("b", &["a"])]);
    let mut evicted = |evictions, outdated| {
        let attempt = AttemptFact {
            number: evictions,
            standing: Standing::Evicted,
            reason: "conflicts".into(),
            outdated,
            evictions,
        };
        facts.learn(Fact::Attempt(id("a"), attempt));
        let needing = state(&facts, &id("b")).unwrap().1;
        (state(&facts, &id("a")).unwrap(), facts.evictions(&id("a")), needing)
    };
    let ready = || (State::Ready, String::new());
    assert_eq!(evicted(2, false), (ready(), 2, "needs a (ready)".into()));
    let parked = (State::Parked, "did not land 3 times: conflicts".to_owned());
    assert_eq!(evicted(3, false), (parked, 3, "needs a (parked)".into()));
    assert_eq!(evicted(3, true), (ready(), 0, "needs a (ready)".into()));
}

#[test]
fn priority_goes_first_then_the_id() {
    let mut facts = facts(&[("a", &[]), ("b", &[]), ("c", &[])]);
    facts.goals.get_mut(&id("c")).unwrap().priority = 1;
    assert_eq!(ready(&facts, &[]), [&id("c"), &id("a"), &id("b")]);
}

#[test]
fn a_persons_decision_outranks_everything_but_landing() {
    let mut facts = facts(&[("a", &[])]);
    for (decision, word) in [
        (Decision::Held, State::Held),
        (Decision::Proposed, State::Proposed),
        (Decision::Rejected, State::Rejected),
    ] {
        facts.goals.get_mut(&id("a")).unwrap().decision = decision;
        assert_eq!(state(&facts, &id("a")).unwrap().0, word);
    }
}
