//! Tests of what a night does next, with a clock that stands still.

use super::*;

const NOON: Moment = Moment(1_795_608_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const YEAR: i64 = 365 * A_DAY;

fn later(by: Duration) -> Moment {
    Moment(NOON.0 + i64::try_from(by.as_millis()).unwrap())
}

/// A round in which nothing was to be done.
fn empty() -> Round {
    Round {
        stopped: Stopped::No,
        trouble: None,
        did: false,
        in_a_row: 0,
        limit: 5,
        is_full: false,
        is_changed: false,
        look: None,
    }
}

fn troubled(trouble: Trouble) -> Round {
    Round {
        trouble: Some(trouble),
        ..empty()
    }
}

fn tally() -> Tally {
    Tally::new("seed".into())
}

fn next(round: &Round) -> Next {
    tally().next(round, NOON)
}

fn waits(next: Next) -> Wait {
    let wait = match next {
        Next::Wait(wait) => Some(wait),
        Next::Work | Next::End(_) => None,
    };
    wait.unwrap()
}

#[test]
fn a_window_ends_at_its_time_or_after_its_length_whichever_is_first() {
    let both = Window::new(NOON, Some(later(HOUR)), Some(2 * HOUR));
    assert_eq!(both.left(NOON, Duration::ZERO), Some(HOUR));
    assert_eq!(both.left(later(HOUR), HOUR), Some(Duration::ZERO));
    let short = Window::new(NOON, Some(later(HOUR)), Some(MINUTE));
    assert_eq!(short.left(later(MINUTE), MINUTE), Some(Duration::ZERO));
    let endless = Window::new(NOON, None, None);
    assert_eq!(endless.left(later(HOUR), HOUR), None);
}

#[test]
fn a_clock_set_back_a_year_makes_no_window_longer() {
    let year_ago = Moment(NOON.0 - YEAR);
    for window in [
        Window::new(NOON, Some(later(HOUR)), None),
        Window::new(NOON, None, Some(HOUR)),
    ] {
        assert_eq!(window.left(year_ago, 10 * MINUTE), Some(50 * MINUTE));
        assert_eq!(window.left(year_ago, HOUR), Some(Duration::ZERO));
    }
}

#[test]
fn a_clock_set_forward_or_a_machine_that_slept_ends_a_window_with_a_time_of_day_only() {
    let by_time = Window::new(NOON, Some(later(HOUR)), None);
    let by_length = Window::new(NOON, None, Some(HOUR));
    let far = later(9 * HOUR);
    assert_eq!(by_time.left(far, MINUTE), Some(Duration::ZERO));
    assert_eq!(by_length.left(far, MINUTE), Some(59 * MINUTE));
}

#[test]
fn work_goes_on_as_long_as_something_was_done_or_changed_and_then_waits() {
    let did = Round { did: true, ..empty() };
    let changed = Round {
        is_changed: true,
        ..empty()
    };
    assert_eq!((next(&did), next(&changed)), (Next::Work, Next::Work));
    assert_eq!(
        waits(next(&empty())),
        Wait {
            reason: Reason::Work,
            most: None
        }
    );
    let remote = Round {
        look: Some(MINUTE),
        ..empty()
    };
    assert_eq!(waits(next(&remote)).most, Some(MINUTE));
}

#[test]
fn changes_that_are_nothing_to_do_do_not_keep_it_busy() {
    let mut tally = tally();
    let changed = Round {
        is_changed: true,
        ..empty()
    };
    let nexts: Vec<bool> = (0..4).map(|_| tally.next(&changed, NOON) == Next::Work).collect();
    assert_eq!(nexts, [true, true, true, false]);
    assert_eq!(tally.next(&empty(), NOON), wait(Reason::Work, None));
    assert_eq!(tally.next(&changed, NOON), Next::Work);
}

#[test]
fn the_window_and_a_person_end_it_before_anything_else() {
    for (stopped, end) in [(Stopped::Window, End::Window), (Stopped::Asked, End::Asked)] {
        let round = Round {
            stopped,
            in_a_row: 9,
            ..troubled(Trouble::Permanent)
        };
        assert_eq!(next(&round), Next::End(end));
    }
}

#[test]
fn goals_in_a_row_that_come_to_nothing_end_it_unless_zero_allows_any() {
    let round = |in_a_row, limit| Round {
        in_a_row,
        limit,
        did: true,
        ..empty()
    };
    assert_eq!(next(&round(4, 5)), Next::Work);
    assert_eq!(next(&round(5, 5)), Next::End(End::Stalled(5)));
    assert_eq!(next(&round(500, 0)), Next::Work);
}

#[test]
fn only_a_landing_begins_the_count_anew() {
    use State::{Blocked, Candidate, Failed, Held, Landed, Parked, Ready};
    assert_eq!(in_a_row(2, [Failed, Parked, Ready]), 5);
    assert_eq!(in_a_row(2, [Failed, Landed, Failed]), 1);
    assert_eq!(in_a_row(3, [Held, Blocked]), 3);
    assert_eq!(in_a_row(3, [Candidate]), 0);
}

#[test]
fn a_provider_is_asked_again_when_it_says_and_never_earlier() {
    let wait = |seconds| {
        let outage = Trouble::Outage(Some(Duration::from_secs(seconds)));
        waits(next(&troubled(outage))).most.unwrap().as_secs_f64()
    };
    for (asked, least, most) in [(0, 1.0, 1.1), (60, 60.0, 66.0), (7200, 7200.0, 7230.0)] {
        assert!((least..=most).contains(&wait(asked)), "{asked}: {}", wait(asked));
    }
    assert!(wait(u64::MAX) <= PATIENCE.as_secs_f64() + 30.0);
}

#[test]
fn without_a_word_of_the_provider_waits_double_with_jitter_up_to_a_quarter_of_an_hour() {
    let mut tally = tally();
    let out = troubled(Trouble::Outage(None));
    let seconds: Vec<f64> = (0..9)
        .map(|_| waits(tally.next(&out, NOON)).most.unwrap().as_secs_f64())
        .collect();
    for (wait, most) in seconds
        .iter()
        .zip([30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0, 900.0])
    {
        assert!((most / 2.0..=most).contains(wait), "{wait} of {most}");
    }
    // The same seed waits the same; another one does not.
    let first = |seed: &str| waits(Tally::new(seed.into()).next(&out, NOON)).most;
    assert_eq!(first("seed").unwrap().as_secs_f64(), seconds[0]);
    assert_ne!(first("seed"), first("other"));
    // An answer in between begins anew.
    tally.next(&Round { did: true, ..empty() }, NOON);
    assert!(waits(tally.next(&out, NOON)).most.unwrap() <= FIRST);
}

#[test]
fn a_cap_waits_to_be_raised_and_a_days_cap_for_the_end_of_the_day_in_utc_too() {
    let run = waits(next(&troubled(Trouble::Cap(Scope::Run))));
    assert_eq!(
        run,
        Wait {
            reason: Reason::Cap(Scope::Run),
            most: None
        }
    );
    let ten = Moment(NOON.0 + 10 * 3_600_000);
    let day = waits(tally().next(&troubled(Trouble::Cap(Scope::Day)), ten));
    assert_eq!(day.most, Some(2 * HOUR));
    assert_eq!(rest_of_day(Moment(0)), Duration::from_secs(24 * 3600));
    assert_eq!(rest_of_day(Moment(-1)), Duration::from_millis(1));
}

#[test]
fn what_goes_wrong_again_and_again_ends_it_and_a_good_round_in_between_does_not() {
    let mut tally = tally();
    let broken = troubled(Trouble::Broken);
    let ends: Vec<bool> = (0..5)
        .map(|_| tally.next(&broken, NOON) == Next::End(End::Trouble))
        .collect();
    assert_eq!(ends, [false, false, false, false, true]);
    tally.next(&empty(), NOON);
    assert_eq!(waits(tally.next(&broken, NOON)).reason, Reason::Trouble);
}

#[test]
fn a_fault_is_permanent_unless_it_can_pass() {
    let of = |kind, first| Trouble::of(kind, Passes::Never, None, first);
    for kind in [Kind::Config, Kind::Sandbox, Kind::Usage, Kind::Provider, Kind::Budget] {
        assert_eq!(
            (of(kind, true), of(kind, false)),
            (Trouble::Permanent, Trouble::Permanent)
        );
        assert_eq!(next(&troubled(of(kind, false))), Next::End(End::Trouble));
    }
    assert_eq!(
        (of(Kind::Person, true), of(Kind::Person, false)),
        (Trouble::Permanent, Trouble::Person)
    );
    assert_eq!(
        (of(Kind::Error, true), of(Kind::Error, false)),
        (Trouble::Permanent, Trouble::Broken)
    );
    assert_eq!(of(Kind::Busy, true), Trouble::Busy);
    let soon = Passes::Later(Some(MINUTE));
    assert_eq!(
        Trouble::of(Kind::Provider, soon, None, true),
        Trouble::Outage(Some(MINUTE))
    );
    let over = Trouble::of(Kind::Budget, Passes::Never, Some(Scope::Run), true);
    assert_eq!(over, Trouble::Cap(Scope::Run));
}

#[test]
fn as_many_goals_as_were_asked_for_are_enough() {
    let full = Round {
        is_full: true,
        did: true,
        ..empty()
    };
    assert_eq!(next(&full), Next::End(End::Full));
}

#[test]
fn a_pause_a_person_and_another_process_are_waited_for() {
    let reason = |trouble| waits(next(&troubled(trouble))).reason;
    assert_eq!(reason(Trouble::Paused), Reason::Resume);
    assert_eq!(reason(Trouble::Person), Reason::Person);
    assert_eq!(reason(Trouble::Busy), Reason::Others);
}

#[test]
fn a_goal_takes_a_reply_and_its_checks_twice() {
    assert_eq!(takes(MINUTE, 5 * MINUTE), 11 * MINUTE);
}
