use proptest::prelude::*;

use super::*;

fn reserved(id: usize, goal: usize, day: usize, usd: Option<f64>, tokens: u64) -> Reserved {
    Reserved {
        id: format!("r-{id}"),
        run: "r".into(),
        goal: format!("g{goal}"),
        model: "m".into(),
        at: format!("2026-11-{:02}T03:04:05Z", day + 1),
        usd,
        tokens,
        calls: 1,
    }
}

fn settled(id: usize, usd: Option<f64>, tokens: u64, calls: u64) -> Settled {
    Settled {
        settles: format!("r-{id}"),
        usd,
        tokens,
        calls,
        ms: 5,
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap() + "\n"
}

fn folded(text: &str) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.take(text.as_bytes());
    ledger
}

#[test]
fn a_try_counts_its_worst_until_it_is_settled() {
    let mut text = line(&reserved(1, 1, 0, Some(0.5), 100));
    assert_eq!(folded(&text).goal("g1").usd, 0.5);
    text += &line(&settled(1, Some(0.125), 40, 1));
    let sum = folded(&text).goal("g1");
    assert_eq!((sum.usd, sum.tokens, sum.calls, sum.millis), (0.125, 40, 1, 5));
    // Once only, whoever says it again.
    text += &line(&settled(1, Some(0.125), 40, 1));
    assert_eq!(folded(&text).goal("g1").calls, 1);
}

#[test]
fn nothing_settles_with_zeros_and_an_unknown_price_stays_unknown() {
    let text = line(&reserved(1, 1, 0, Some(0.5), 100)) + &line(&settled(1, Some(0.0), 0, 0));
    let sum = folded(&text).day("2026-11-01");
    assert_eq!((sum.usd, sum.tokens, sum.calls), (0.0, 0, 0));
    let text = line(&reserved(1, 1, 0, None, 100)) + &line(&settled(1, None, 7, 1));
    let sum = folded(&text).day("2026-11-01");
    assert_eq!((sum.unknown, sum.known_usd(), sum.tokens), (1, None, 7));
}

#[test]
fn a_torn_line_is_passed_over_and_what_follows_counts() {
    let first = line(&reserved(1, 1, 0, Some(0.5), 100));
    let torn = line(&settled(1, Some(0.1), 1, 1));
    let torn = torn.get(..torn.len() / 2).unwrap();
    let second = line(&reserved(2, 1, 0, Some(0.25), 100));
    let text = format!("{first}{torn}\n{second}\u{0}\u{0}\n[]\n");
    assert_eq!(folded(&text).goal("g1").usd, 0.75);
    let mut ledger = Ledger::default();
    assert_eq!(ledger.take(format!("{first}{torn}").as_bytes()), first.len());
}

#[test]
fn days_goals_and_the_newest_run_are_told_apart() {
    let mut other = reserved(3, 2, 1, Some(2.0), 1);
    other.run = "s".into();
    let text = line(&reserved(1, 1, 0, Some(0.5), 100)) + &line(&reserved(2, 2, 1, Some(1.0), 1)) + &line(&other);
    let ledger = folded(&text);
    assert_eq!((ledger.goal("g1").usd, ledger.goal("g2").usd), (0.5, 3.0));
    assert_eq!(
        (ledger.day("2026-11-02").usd, ledger.since("2026-11-01").usd),
        (3.0, 3.5)
    );
    assert_eq!(ledger.last_run().unwrap().usd, 2.0);
}

#[test]
fn what_was_summed_up_still_tells_runs_and_times_apart() {
    let mut early = reserved(1, 1, 0, Some(0.5), 100);
    early.at = "2026-11-01T01:00:00Z".into();
    let mut late = reserved(2, 1, 0, Some(0.25), 100);
    late.run = "s".into();
    let text = line(&early) + &line(&settled(1, Some(0.5), 1, 1)) + &line(&late) + &line(&settled(2, Some(0.25), 1, 1));
    let old = r#"{"day":"2026-11-01","goal":"g1","model":"m","usd":4.0,"tokens":1,"calls":1,"ms":0}"#;
    let ledger = folded(&(folded(&text).compacted().unwrap() + old + "\n"));
    assert_eq!(ledger.since("2026-11-01T02:00:00Z").usd, 0.25);
    assert_eq!(ledger.since("2026-11-01T00:30:00Z").usd, 0.75);
    assert_eq!(ledger.goal_since("g2", "2026-11-01").calls, 0);
    assert_eq!(
        (ledger.since("2026-11-01").usd, ledger.day("2026-11-01").usd),
        (4.75, 4.75)
    );
    assert_eq!(ledger.last_run().unwrap().usd, 0.25);
}

proptest! {
    /// Tries in any order of events; the file cut at any byte: whoever reads it counts at least what was sent by then.
    #[test]
    fn no_prefix_counts_less_than_what_was_sent(
        tries in prop::collection::vec((0..3_usize, 0..3_usize, 0..1000_u32, 0..=100_u32, any::<bool>(), 0..4_usize), 1..12),
        cut in 0..=1000_usize,
    ) {
        let mut events: Vec<(usize, usize, String)> = Vec::new();
        for (id, (goal, day, worst, share, settles, later)) in tries.iter().enumerate() {
            let before = reserved(id, *goal, *day, Some(f64::from(*worst)), u64::from(*worst));
            events.push((id * 4, id, line(&before)));
            if *settles {
                let came = worst * share / 100;
                let after = settled(id, Some(f64::from(came)), u64::from(came), 1);
                events.push((id * 4 + 1 + later * 4, id, line(&after)));
            }
        }
        events.sort();
        let text: String = events.iter().map(|(_, _, line)| line.as_str()).collect();
        let cut = text.len() * cut / 1000;
        let ledger = folded(text.get(..cut).unwrap());
        for goal in 0..3 {
            // Sent is what was reserved in a whole line; what the server charged is at most the share of it.
            let sent = tries.iter().enumerate().filter(|(id, row)| {
                let before = line(&reserved(*id, row.0, row.1, Some(f64::from(row.2)), u64::from(row.2)));
                row.0 == goal && text.get(..cut).unwrap().contains(&before)
            });
            let (mut charged, mut calls) = (0, 0);
            for (_, row) in sent {
                charged += row.2 * row.3 / 100;
                calls += 1;
            }
            let sum = ledger.goal(&format!("g{goal}"));
            prop_assert!(sum.usd >= f64::from(charged) && sum.tokens >= u64::from(charged), "{sum:?} {charged}");
            prop_assert!(sum.calls >= calls);
        }
        // Summing up changes nothing that is asked for, and a second line may still come.
        let again = folded(&ledger.compacted().unwrap());
        let rest = text.get(text.get(..cut).unwrap().rfind('\n').map_or(0, |at| at + 1)..).unwrap();
        let (mut one, mut two) = (ledger, again);
        one.take(rest.as_bytes());
        two.take(rest.as_bytes());
        for goal in 0..3 {
            prop_assert_eq!(one.goal(&format!("g{goal}")), two.goal(&format!("g{goal}")));
        }
        for day in 1..4 {
            prop_assert_eq!(one.day(&format!("2026-11-{day:02}")), two.day(&format!("2026-11-{day:02}")));
        }
    }
}
