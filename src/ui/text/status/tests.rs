use super::*;
use crate::{
    commands::status::{queue::Queue, today::Today},
    engine::orders::Paused,
    money::ledger::Sum,
    time::eta::Ends,
    ui::colour::Paint,
};

const SCREEN: Look = Look {
    paint: Paint { on: false },
    width: 80,
    unicode: true,
};
const ENDLESS: Look = Look {
    width: usize::MAX,
    ..SCREEN
};

fn row(state: State, id: &str, reason: &str) -> Row {
    Row {
        goal: id.parse().unwrap(),
        state,
        reason: reason.into(),
        conflict: Vec::new(),
        description: "What it is about".into(),
        needs: Vec::new(),
        position: None,
        next: None,
        eta: None,
        unblocks: 0,
        since: None,
    }
}

fn outcome(goals: Vec<Row>) -> Outcome {
    let mut counts = std::collections::BTreeMap::new();
    for row in &goals {
        *counts.entry(row.state.word()).or_default() += 1;
    }
    Outcome {
        target: "main".into(),
        tip: "1".repeat(40).parse().unwrap(),
        counts,
        goals,
        beside: None,
        budget: Vec::new(),
        today: Today::default(),
        paused: None,
        runs: Vec::new(),
        queue: Queue::default(),
        eta: None,
        past: Vec::new(),
        has_checks: true,
        at: Moment(1_000_000),
    }
}

fn ready(id: &str, position: usize, needs: &[&str]) -> Row {
    Row {
        position: Some(position),
        needs: needs.iter().map(|need| need.parse().unwrap()).collect(),
        ..row(State::Ready, id, "")
    }
}

/// Everything that a screen can show at once, and more of it than fits.
fn busy() -> Outcome {
    let mut goals = Vec::new();
    for (state, reason) in [
        (State::Held, "touches Cargo.lock (lock file)"),
        (
            State::Failed,
            "3 rounds, test: 2 new failures in a module with a long name",
        ),
        (State::Proposed, "the README promises it"),
    ] {
        goals.extend((0..9).map(|n| Row {
            next: Some(format!("git invisigoth settle {state}-{n}")),
            ..row(state, &format!("{state}-{n}"), reason)
        }));
    }
    goals.push(row(State::Running, "r", "checking, round 2"));
    goals.extend((0..40).map(|n| ready(&format!("ready-{n:02}"), n + 1, &[])));
    let pause = "paused: 2 of 2 model calls made; git invisigoth budget raise --goals --calls 4";
    goals.extend((0..9).map(|n| row(State::Blocked, &format!("p{n}"), pause)));
    let landed = (0..5).map(|n| today::Row {
        goal: format!("l{n}").parse().unwrap(),
        commit: "2".repeat(40).parse().unwrap(),
        subject: "目標目標目標目標目標目標目標目標目標目標目標".into(),
        at: Moment(700_000).rfc3339(),
        cost_usd: Some(0.04),
    });
    Outcome {
        today: Today {
            count: 1_234,
            landed: landed.collect(),
            spent: Sum {
                calls: 12,
                tokens: 34_567,
                ..Sum::costing(Some(0.42))
            },
        },
        beside: Some(
            "a merge is in progress in a folder whose name is so long that it does not fit on the line".into(),
        ),
        paused: Some(Paused {
            since: Some(Moment(400_000).rfc3339()),
            why: Some("the demo is at three".into()),
        }),
        runs: vec![Doing {
            pid: 4242,
            began: Some(Moment(100_000)),
            calls: 7,
            cost_usd: Some(0.1),
            goals: vec![InHand {
                goal: "r".parse().unwrap(),
                phase: Some(Phase::Checking),
                round: Some(2),
                goal_since: Some(Moment(800_000)),
                since: Some(Moment(988_000)),
            }],
            ..Doing::default()
        }],
        ..outcome(goals)
    }
}

#[test]
fn one_screen_says_first_what_needs_a_person() {
    let text = busy().text(&SCREEN);
    insta::assert_snapshot!(text, @r"
    paused     for 10 min, the run ends its step, then waits: the demo is at three
    held       held-0      What it is about  touches Cargo.lock (lock file)
    held       held-1      What it is about  touches Cargo.lock (lock file)
    held       … and 7 more: git invisigoth list --state held
    failed     failed-0    What it is about  3 rounds, test: 2 new failures in a mo…
    failed     failed-1    What it is about  3 rounds, test: 2 new failures in a mo…
    failed     … and 7 more: git invisigoth list --state failed
    proposed   proposed-0  What it is about  the README promises it
    proposed   proposed-1  What it is about  the README promises it
    proposed   … and 7 more: git invisigoth list --state proposed
    running    r           What it is about  checking 12 s, round 2, 3 min in all
    run        process 4242, 15 min, 7 calls, $0.10
    ready      ready-00    What it is about  1 of 40
    ready      ready-01    What it is about  2 of 40
    ready      … and 38 more: git invisigoth list --state ready
    blocked    p0          What it is about  paused: 2 of 2 model calls made
    blocked    p1          What it is about  paused: 2 of 2 model calls made
    blocked    … and 7 more: git invisigoth list --state blocked
    landed     l0          目標目標目標目標目標目標目標…   2222222  5 min ago  $0.04
    landed     l1          目標目標目標目標目標目標目標…   2222222  5 min ago  $0.04
    landed     l2          目標目標目標目標目標目標目標…   2222222  5 min ago  $0.04
    today      1,234 landed, $0.42, 12 calls, 34,567 tokens (UTC)
    waiting    results are beside main: a merge is in progress in a folder whose na…
    raise      git invisigoth budget raise --goals --calls 4
    goals      1 running · 40 ready · 9 blocked · 9 held · 9 proposed · 9 failed
    target     main, its results at 1111111
    next       git invisigoth resume
    next       git invisigoth show held-0
    or         git invisigoth settle held-0
    ");
    assert!(text.lines().count() <= 30, "{text}");
    assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
}

#[test]
fn how_much_longer_it_takes_is_a_range_counted_from_now() {
    let mut status = busy();
    status.past = [240, 420, 600].map(std::time::Duration::from_secs).into();
    status.runs[0].ahead = 41;
    status.runs[0].ends = Some(Ends {
        first: Moment(3_000_000),
        last: Moment(9_000_000),
    });
    let told = |status: &mut Outcome, now: i64| {
        status.tell_at(Moment(now));
        let json = serde_json::to_value(&*status).unwrap();
        let text = status.text(&SCREEN);
        let lines = text.lines().filter(|line| line.starts_with("run")).map(str::to_owned);
        (lines.collect::<Vec<_>>().join("\n"), json["eta_seconds"].clone())
    };
    let (lines, eta) = told(&mut status, 1_000_000);
    insta::assert_snapshot!(lines, @r"
    running    r           What it is about  checking 12 s, round 2, <7 min left
    run        process 4242, 15 min, 7 calls, $0.10, 41 ahead, about 0.5–2.5 h left
    ");
    assert_eq!(eta, serde_json::json!([2000, 8000]));
    assert_eq!(
        serde_json::to_value(&status.goals).unwrap()[27]["eta_seconds"],
        serde_json::json!([40, 400])
    );
    let (lines, eta) = told(&mut status, 9_000_000);
    assert!(lines.contains("2 h 16 m") && !lines.contains("left"), "{lines}");
    assert_eq!(eta, serde_json::Value::Null);
}

#[test]
fn the_numbers_of_all_states_take_as_many_lines_as_they_need() {
    let all = outcome(State::ALL.map(|state| row(state, state.word(), "")).into());
    let text = all.text(&SCREEN);
    assert!(text.lines().all(|line| columns(line) <= 80), "{text}");
    let totals = |text: &str| text.lines().filter(|line| line.starts_with("goals")).count();
    assert_eq!((totals(&text), totals(&all.text(&ENDLESS))), (2, 1));
}

#[test]
fn a_pipe_gets_whole_lines() {
    let text = busy().text(&ENDLESS);
    assert!(text.contains("in a module with a long name\n"), "{text}");
    assert!(text.contains("does not fit on the line\n"), "{text}");
}

#[test]
fn scripts_get_columns_that_nothing_in_a_goal_can_break() {
    let mut goals = vec![row(State::Failed, "a b", "why\tnot\nat all")];
    goals.push(Row {
        description: "tab\there".into(),
        ..ready("c", 1, &[])
    });
    let text = porcelain::text(&outcome(goals));
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        lines,
        [
            "failed\ta b\t-\twhy not at all\tWhat it is about",
            "ready\tc\t1\t\ttab here"
        ]
    );
}
